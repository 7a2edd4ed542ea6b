//! In the steady state no packet costs an allocation: neither one that comes nor one that leaves.
#![allow(missing_docs, clippy::unwrap_used, clippy::cast_possible_truncation)]

use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use umbel_media::{
    Channel, Clip, Codec, Command, Direction, Greeting, MasterKey, Message, Parameters, PlayId, Prompt,
    RecordId, RecordLimits, Session, SrtpKeys, Suite,
};
use umbel_time::Instant;

const PEER: &str = "192.0.2.1:4000";

fn session(codec: Codec, srtp: Option<SrtpKeys>) -> Session {
    let parameters = Parameters {
        codec,
        payload_type: if codec == Codec::G722 { 9 } else { 0 },
        telephone_event: Some(101),
        remote: Some(PEER.parse().unwrap()),
        remote_control: None,
        direction: Direction::SendReceive,
        srtp,
        learn_source: false,
    };
    Session::new(Instant::ZERO, parameters, ChaCha20Rng::from_seed([1; 32]))
}

fn packet(payload_type: u8, n: u16) -> Vec<u8> {
    let mut bytes = vec![0x80, payload_type];
    bytes.extend_from_slice(&n.to_be_bytes());
    bytes.extend_from_slice(&(u32::from(n) * 160).to_be_bytes());
    bytes.extend_from_slice(&[0, 0, 0, 7]);
    bytes.resize(172, 0x31);
    bytes
}

fn record() -> Command {
    let limits = RecordLimits {
        max: Duration::from_secs(300),
        silence: Some(Duration::from_secs(10)),
        min: Duration::ZERO,
    };
    Command::Record { id: RecordId(1), limits }
}

/// Allocations of each packet from the second second on.
fn received(codec: Codec) -> Vec<u64> {
    let mut session = session(codec, None);
    session.handle_command(Instant::ZERO, record());
    let packets: Vec<Vec<u8>> = (0..500).map(|n| packet(session.parameters().payload_type, n)).collect();
    let mut counts = Vec::new();
    for (n, packet) in packets.iter().enumerate() {
        let now = Instant::from_millis(n as u64 * 20);
        let counted = allocation_counter::measure(|| {
            session.handle_packet(now, Channel::Rtp, PEER.parse().unwrap(), packet);
        });
        while session.poll_event().is_some() {}
        while session.poll_transmit().is_some() {}
        counts.push(counted.count_total);
    }
    counts.split_off(60)
}

/// Allocations of each packet sent from the second one on, reports left out.
fn sent(codec: Codec, srtp: Option<SrtpKeys>, clip: Clip) -> Vec<u64> {
    let mut session = session(codec, srtp);
    session.handle_command(
        Instant::ZERO,
        Command::Play { id: PlayId(1), clips: vec![clip], from: Duration::ZERO },
    );
    let mut counts = Vec::new();
    while let Some(due) = session.poll_timeout().filter(|due| *due < Instant::from_millis(5_000)) {
        let (mut sound, mut reports) = (0, 0);
        let counted = allocation_counter::measure(|| {
            session.handle_timeout(due);
            while let Some(transmit) = session.poll_transmit() {
                match transmit.channel {
                    Channel::Rtp => sound += 1,
                    Channel::Rtcp => reports += 1,
                }
            }
        });
        if sound == 1 && reports == 0 {
            counts.push(counted.count_total);
        }
    }
    counts.split_off(2)
}

#[test]
fn a_packet_that_is_recorded_costs_none_but_the_chunk_of_each_second() {
    let narrow = received(Codec::Pcmu);
    assert_eq!(narrow.iter().filter(|count| **count == 0).count(), narrow.len() - 8, "{narrow:?}");
    // Wideband leaves four times a second.
    let wide = received(Codec::G722);
    assert!(wide.iter().filter(|count| **count > 0).count() <= 9 * 4, "{wide:?}");
}

#[test]
fn a_packet_that_is_played_costs_none() {
    let samples: Vec<i16> = (0..16_000 * 6).map(|n: i32| (n * 37 % 9_000) as i16).collect();
    let prompt = Clip::Prompt(Arc::new(Prompt::new(&samples, 16_000).unwrap()));
    let wide = Message::from_samples(&samples, 16_000).unwrap();
    let narrow = wide.converted(umbel_wav::Format::PCMA).unwrap();
    // Whoever hears a greeting first keeps what is coded for the others.
    let greeting = Clip::Greeting(Arc::new(Greeting::new(wide.clone())));
    for codec in [Codec::Pcmu, Codec::G722] {
        sent(codec, None, greeting.clone());
        let clips =
            [prompt.clone(), Clip::Message(wide.clone()), Clip::Message(narrow.clone()), greeting.clone()];
        for clip in clips {
            let counts = sent(codec, None, clip.clone());
            assert!(counts.len() > 200);
            assert!(counts.iter().all(|count| *count == 0), "{codec:?} {clip:?}: {counts:?}");
        }
    }
}

/// Levels are looked at in place.
#[test]
fn a_packet_whose_loudness_is_told_costs_none() {
    for codec in [Codec::Pcmu, Codec::G722] {
        let mut session = session(codec, None);
        session.handle_command(Instant::ZERO, Command::Levels(true));
        let packets: Vec<Vec<u8>> = (0..500).map(|n| packet(session.parameters().payload_type, n)).collect();
        let (mut told, mut dear) = (0, 0);
        for (n, packet) in packets.iter().enumerate() {
            let now = Instant::from_millis(n as u64 * 20);
            let counted = allocation_counter::measure(|| {
                session.handle_packet(now, Channel::Rtp, PEER.parse().unwrap(), packet);
                session.handle_timeout(now);
            });
            while session.poll_transmit().is_some() {}
            while let Some(event) = session.poll_event() {
                told += usize::from(matches!(event, umbel_media::Event::Levels { .. }));
            }
            dear += usize::from(n >= 60 && counted.count_total > 0);
        }
        // Reports of RFC 3550 leave every five seconds or so, in storage of their own.
        assert!(dear <= 4, "{codec:?}: {dear}");
        assert!((95..=100).contains(&told), "{told}");
    }
}

/// The library hands over each packet in storage of its own.
#[test]
fn a_protected_packet_costs_what_the_library_takes_and_no_more() {
    let key = MasterKey::new([1; 30]);
    let srtp = SrtpKeys { suite: Suite::AesCm128HmacSha1_80, ours: key.clone(), theirs: key };
    let samples = vec![500; 8_000 * 6];
    let prompt = Clip::Prompt(Arc::new(Prompt::new(&samples, 8_000).unwrap()));
    let counts = sent(Codec::Pcmu, Some(srtp), prompt);
    assert!(counts.iter().all(|count| *count <= 2), "{counts:?}");
}
