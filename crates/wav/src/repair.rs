//! Mending the header of a recording whose writer did not live to finish it.

use crate::{Encoding, Format, UNFINISHED, header};

/// What a repair found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The header to write over the old one; of the same length.
    pub header: Vec<u8>,
    /// Format of the samples after it.
    pub format: Format,
    /// Bytes of whole samples after it; the file is to be cut, or padded, to `header.len() + data_len + padding`.
    pub data_len: u32,
}

/// The file does not begin with a header that [`crate::header`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the file does not begin with the header of a recording")]
pub struct NotOurs;

/// The header that a recording should have, from its first bytes and its length.
///
/// `head` is the first 64 bytes of the file, or all of a shorter one. A header that is right comes back as it is.
pub fn repaired(head: &[u8], file_len: u64) -> Result<Repaired, NotOurs> {
    let format = format_of(head).ok_or(NotOurs)?;
    let empty = header(format, 0);
    let after = file_len.checked_sub(empty.len() as u64).ok_or(NotOurs)?;

    // What a finished header states stands if the file is long enough for it: the rest is padding.
    let stated = head.get(empty.len() - 4..empty.len()).and_then(<[u8]>::first_chunk::<4>);
    let stated = stated.map_or(UNFINISHED, |bytes| u32::from_le_bytes(*bytes));
    let finished = stated != UNFINISHED && u64::from(stated) <= after;
    let data_len = if finished { stated } else { u32::try_from(after).unwrap_or(UNFINISHED).min(UNFINISHED) };

    let frame: u32 = match format.encoding {
        Encoding::Pcm16 => 2,
        _ => 1,
    };
    let data_len = data_len - data_len % frame;
    Ok(Repaired { header: header(format, data_len), format, data_len })
}

/// The recording format whose header this is, whatever the lengths in it.
fn format_of(head: &[u8]) -> Option<Format> {
    [Encoding::Pcmu, Encoding::Pcma, Encoding::Pcm16].into_iter().find_map(|encoding| {
        let rate = head.get(24..)?.first_chunk::<4>()?;
        let format = Format { encoding, rate: u32::from_le_bytes(*rate) };
        let ours = header(format, 0);
        let theirs = head.get(..ours.len())?;
        let differs_in_lengths_only = ours.iter().zip(theirs).enumerate().all(|(at, (our, their))| {
            // The lengths of the whole, of the samples, and, before those, their count.
            let length = (4..8).contains(&at)
                || at + 4 >= ours.len()
                || (encoding != Encoding::Pcm16 && (46..50).contains(&at));
            length || our == their
        });
        differs_in_lengths_only.then_some(format)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Limits, padding, read};

    const RECORDING_FORMATS: [Format; 3] = [Format::PCMU, Format::PCMA, Format::WIDEBAND];

    #[test]
    fn a_recording_cut_off_by_a_crash_becomes_whole() {
        for format in RECORDING_FORMATS {
            let mut file = header(format, UNFINISHED);
            file.extend_from_slice(&[0x55; 1_001]);
            let mended = repaired(&file[..file.len().min(64)], file.len() as u64).unwrap();
            assert_eq!(mended.format, format);
            let whole = if format == Format::WIDEBAND { 1_000 } else { 1_001 };
            assert_eq!(mended.data_len, whole);

            file.truncate(mended.header.len() + 1_001 - usize::from(format == Format::WIDEBAND));
            file[..mended.header.len()].copy_from_slice(&mended.header);
            file.extend_from_slice(padding(mended.data_len));
            let sound = read(&file, Limits::default()).unwrap();
            assert!(!sound.truncated, "{format:?}");
            assert_eq!(sound.duration(), format.duration(u64::from(whole)));
        }
    }

    #[test]
    fn a_finished_recording_stays_as_it_is() {
        for format in RECORDING_FORMATS {
            let mut file = header(format, 333 * 2);
            file.extend_from_slice(&[0x55; 666]);
            let mended = repaired(&file[..64], file.len() as u64).unwrap();
            assert_eq!(mended.header, &file[..mended.header.len()]);
            assert_eq!(mended.data_len, 666);
        }
    }

    #[test]
    fn a_finished_recording_that_lost_its_end_states_what_is_left() {
        let mut file = header(Format::PCMU, 8_000);
        file.extend_from_slice(&[0x55; 500]);
        assert_eq!(repaired(&file[..64], file.len() as u64).unwrap().data_len, 500);
    }

    #[test]
    fn other_files_are_left_alone() {
        let ours = header(Format::PCMA, 10);
        assert_eq!(repaired(&ours[..20], 20), Err(NotOurs));
        assert_eq!(repaired(b"", 0), Err(NotOurs));
        assert_eq!(repaired(&[0; 64], 1_000), Err(NotOurs));
        let mut stereo = header(Format::WIDEBAND, 10);
        stereo[22] = 2;
        assert_eq!(repaired(&stereo, 54), Err(NotOurs));
    }
}
