//! The table "WAV and greetings": each row from both sides.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use proptest::prelude::*;

use super::*;
use crate::{Format, UNFINISHED, header};

/// A file with these chunks, its outer length right.
fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WAVE".to_vec();
    for (id, content) in chunks {
        body.extend_from_slice(*id);
        body.extend_from_slice(&(content.len() as u32).to_le_bytes());
        body.extend_from_slice(content);
        if content.len() % 2 == 1 {
            body.push(0);
        }
    }
    let mut file = b"RIFF".to_vec();
    file.extend_from_slice(&(body.len() as u32).to_le_bytes());
    file.extend_from_slice(&body);
    file
}

fn fmt(coding: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let frame = channels.wrapping_mul(bits / 8);
    let mut chunk = Vec::new();
    chunk.extend_from_slice(&coding.to_le_bytes());
    chunk.extend_from_slice(&channels.to_le_bytes());
    chunk.extend_from_slice(&rate.to_le_bytes());
    chunk.extend_from_slice(&rate.wrapping_mul(u32::from(frame)).to_le_bytes());
    chunk.extend_from_slice(&frame.to_le_bytes());
    chunk.extend_from_slice(&bits.to_le_bytes());
    chunk
}

fn extensible(guid_coding: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let mut chunk = fmt(WAVE_FORMAT_EXTENSIBLE, channels, rate, bits);
    chunk.extend_from_slice(&22_u16.to_le_bytes());
    chunk.extend_from_slice(&bits.to_le_bytes());
    chunk.extend_from_slice(&4_u32.to_le_bytes());
    chunk.extend_from_slice(&guid_coding.to_le_bytes());
    chunk.extend_from_slice(&WAVE_FORMAT_GUID);
    chunk
}

fn file(coding: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
    riff(&[(b"fmt ", &fmt(coding, channels, rate, bits)), (b"data", data)])
}

fn read_all(file: &[u8]) -> Result<Sound, Refused> {
    read(file, Limits::default())
}

#[track_caller]
fn refused(file: &[u8], fault: Fault) -> Refused {
    let refused = read_all(file).unwrap_err();
    assert_eq!(refused.fault(), fault, "{refused}");
    refused
}

#[test]
fn every_width_of_linear_samples_is_read() {
    for (bits, data) in [
        (8, &[0x80, 0x00, 0xff][..]),
        (16, &[0, 0, 0, 0x80, 0, 0x7f]),
        (24, &[9, 0, 0, 9, 0, 0x80, 9, 0, 0x7f]),
        (32, &[9, 9, 0, 0, 9, 9, 0, 0x80, 9, 9, 0, 0x7f]),
    ] {
        let sound = read_all(&file(1, 1, 8_000, bits, data)).unwrap();
        assert_eq!(sound.samples, [0, -32_768, 0x7f00], "{bits} bits");
        assert!(!sound.truncated);
        let same = read_all(&riff(&[(b"fmt ", &extensible(1, 1, 8_000, bits)), (b"data", data)])).unwrap();
        assert_eq!(same, sound);
    }
}

#[test]
fn both_laws_of_g711_are_read() {
    let mulaw = read_all(&file(7, 1, 8_000, 8, &[0xff, 0x7f, 0x00, 0x80])).unwrap();
    assert_eq!(mulaw.samples, [0, 0, -32_124, 32_124]);
    assert_eq!(mulaw.encoding, Encoding::Pcmu);
    let alaw = read_all(&file(6, 1, 8_000, 8, &[0xd5, 0x55, 0x2a, 0xaa])).unwrap();
    assert_eq!(alaw.samples, [8, -8, -32_256, 32_256]);
    assert_eq!(alaw.encoding, Encoding::Pcma);
}

#[test]
fn channels_are_mixed_down_without_overflow() {
    let data: Vec<u8> = [32_767_i16, 32_767, -32_768, -32_768, 100, 300]
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    let sound = read_all(&file(1, 2, 44_100, 16, &data)).unwrap();
    assert_eq!(sound.samples, [32_767, -32_768, 200]);
    assert_eq!((sound.channels, sound.rate), (2, 44_100));
}

#[test]
fn what_is_not_a_wave_file_is_not_supported() {
    for bytes in [
        &b""[..],
        b"RIFF",
        b"RIFF\x10\0\0\0",
        b"RIFF\x10\0\0\0AVI ",
        b"RIFX\x10\0\0\0WAVE",
        b"OggS\0\0\0\0\0\0\0\0",
    ] {
        assert_eq!(refused(bytes, Fault::Unsupported), Refused::NotWave);
    }
}

#[test]
fn a_file_without_its_two_chunks_is_refused() {
    assert_eq!(refused(&riff(&[(b"data", &[0; 4])]), Fault::Unsupported), Refused::NoFormat);
    assert_eq!(refused(&riff(&[(b"LIST", &[0; 4])]), Fault::Unsupported), Refused::NoFormat);
    assert_eq!(refused(&riff(&[(b"fmt ", &fmt(1, 1, 8_000, 16))]), Fault::Malformed), Refused::NoData);
}

#[test]
fn other_codings_are_not_supported() {
    for coding in [0, 2, 3, 0x11, 0x31, 0x55] {
        let bits = if coding == 3 { 32 } else { 8 };
        assert_eq!(
            refused(&file(coding, 1, 8_000, bits, &[0; 8]), Fault::Unsupported),
            Refused::UnsupportedCoding(coding)
        );
    }
    let mut odd = extensible(1, 1, 8_000, 16);
    *odd.last_mut().unwrap() ^= 1;
    refused(&riff(&[(b"fmt ", &odd), (b"data", &[0; 4])]), Fault::Unsupported);
}

#[test]
fn numbers_that_cannot_be_are_refused() {
    assert_eq!(refused(&file(1, 0, 8_000, 16, &[0; 4]), Fault::Malformed), Refused::BadChannels(0));
    assert_eq!(refused(&file(1, 1, 0, 16, &[0; 4]), Fault::Malformed), Refused::BadRate(0));
    assert_eq!(refused(&file(1, 1, 192_001, 16, &[0; 4]), Fault::Malformed), Refused::BadRate(192_001));
    assert!(read_all(&file(1, 1, 192_000, 16, &[0; 4])).is_ok());
    for bits in [0, 4, 12, 20, 40, 64] {
        assert_eq!(refused(&file(1, 1, 8_000, bits, &[0; 4]), Fault::Malformed), Refused::BadWidth(bits));
    }
    refused(&file(7, 1, 8_000, 16, &[0; 4]), Fault::Malformed);
    let mut frame = fmt(1, 1, 8_000, 16);
    frame[12] = 3;
    assert_eq!(
        refused(&riff(&[(b"fmt ", &frame), (b"data", &[0; 4])]), Fault::Malformed),
        Refused::BadFrame(3)
    );
}

#[test]
fn lengths_of_chunks_that_cannot_be_are_refused() {
    let good = file(1, 1, 8_000, 16, &[0; 8]);
    for (at, length) in
        [(4, 0), (4, 0x8000_0000_u32), (16, 0), (16, 15), (16, 0xffff_ffff), (40, 0), (40, 0xffff_fffe)]
    {
        let mut bad = good.clone();
        bad[at..at + 4].copy_from_slice(&length.to_le_bytes());
        refused(&bad, Fault::Malformed);
    }
    // Beyond the file: only the samples may be cut short.
    let mut beyond = riff(&[(b"LIST", &[0; 4]), (b"fmt ", &fmt(1, 1, 8_000, 16)), (b"data", &[0; 8])]);
    beyond[16] = 200;
    refused(&beyond, Fault::Malformed);
    refused(
        &riff(&[(b"fmt ", &fmt(1, 1, 8_000, 16)), (b"fmt ", &fmt(1, 1, 8_000, 8)), (b"data", &[0; 8])]),
        Fault::Malformed,
    );
}

#[test]
fn the_number_of_chunks_is_bounded() {
    let format = fmt(1, 1, 8_000, 16);
    for (others, ok) in [(CHUNKS_MAX - 2, true), (CHUNKS_MAX - 1, false)] {
        let mut chunks: Vec<(&[u8; 4], &[u8])> = vec![(b"junk", &[0; 2]); others];
        chunks.push((b"fmt ", &format));
        chunks.push((b"data", &[0; 4]));
        assert_eq!(read_all(&riff(&chunks)).is_ok(), ok, "{others}");
    }
}

#[test]
fn limits_hold_at_the_limit_and_one_beyond() {
    let limits = Limits { bytes_max: 144, duration_max: Duration::from_secs(10) };
    assert!(read(&file(1, 1, 8_000, 8, &[0; 100]), limits).is_ok());
    let large = read(&file(1, 1, 8_000, 8, &[0; 102]), limits).unwrap_err();
    assert_eq!((large, large.fault()), (Refused::TooLarge(144), Fault::TooLarge));

    let limits = Limits { bytes_max: 20 << 20, duration_max: Duration::from_secs(10) };
    assert!(read(&file(1, 1, 100, 8, &[0; 1_000]), limits).is_ok());
    let long = read(&file(1, 1, 100, 8, &[0; 1_001]), limits).unwrap_err();
    assert_eq!((long, long.fault()), (Refused::TooLong(Duration::from_secs(10)), Fault::TooLarge));
}

#[test]
fn cut_off_samples_are_read_to_the_last_whole_frame_and_said_so() {
    let whole = file(1, 2, 8_000, 16, &[1; 40]);
    let sound = read_all(&whole[..whole.len() - 3]).unwrap();
    assert!(sound.truncated);
    assert_eq!(sound.samples.len(), 9);
    // A part of a frame at the end of an otherwise whole file is the same.
    assert!(read_all(&file(1, 2, 8_000, 16, &[1; 42])).unwrap().truncated);
    let nothing = read_all(&whole[..44]).unwrap();
    assert!(nothing.truncated && nothing.samples.is_empty());
}

#[test]
fn a_recording_reads_before_and_after_it_is_finished() {
    for format in [Format::PCMU, Format::PCMA, Format::WIDEBAND] {
        let samples = vec![0x55; 1_600];
        let mut unfinished = header(format, UNFINISHED);
        unfinished.extend_from_slice(&samples);
        assert!(read_all(&unfinished).unwrap().truncated);

        let mut finished = header(format, 1_600);
        assert_eq!(finished.len(), unfinished.len() - 1_600);
        finished.extend_from_slice(&samples);
        let sound = read_all(&finished).unwrap();
        assert_eq!((sound.encoding, sound.rate, sound.truncated), (format.encoding, format.rate, false));
        assert_eq!(sound.duration(), format.duration(1_600));
    }
}

#[test]
fn a_sound_does_not_print_its_samples() {
    let sound = read_all(&file(1, 1, 8_000, 16, &[0x39, 0x30])).unwrap();
    assert!(!format!("{sound:?}").contains("12345"));
}

proptest! {
    // SEC-105
    #[test]
    fn no_bytes_make_it_fail_badly(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), like_a_file in any::<bool>()) {
        if like_a_file {
            let mut start = file(1, 1, 8_000, 16, &[]);
            start.append(&mut bytes);
            bytes = start;
        }
        let _ = read_all(&bytes);
    }

    #[test]
    fn one_changed_byte_never_fails_badly(at in 0_usize..84, to in any::<u8>()) {
        let mut bytes = riff(&[(b"fmt ", &extensible(1, 2, 8_000, 16)), (b"data", &[7; 20])]);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = to;
        }
        let _ = read_all(&bytes);
    }
}
