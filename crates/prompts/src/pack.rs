//! Where a recording comes from: a sound pack, as far as it goes, and ourselves.

use std::borrow::Cow;

use crate::{asterisk, own};

/// The recordings in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pack {
    /// Ours.
    #[default]
    Own,
    /// A folder with the files of an Asterisk sound pack, ours where it has none.
    Asterisk,
}

/// Whose recording it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Ours.
    Own,
    /// The pack's.
    Pack,
}

/// One recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// WAV files to be heard one after the other: one of ours, or one or more of the pack's, in whatever form the
    /// pack has them, for `umbel-wav` to read.
    pub files: Vec<Cow<'static, [u8]>>,
    /// Whose they are.
    pub origin: Origin,
}

impl Pack {
    /// The recording of this name. `read` is asked for files below the pack's folder, as `digits/7.wav`, and
    /// answers `None` where there is none that can be used. It is never asked for a name that came from outside.
    ///
    /// A recording comes from the pack whole or not at all, so that no word of it is lost.
    pub fn find(self, name: &str, read: impl FnMut(&str) -> Option<Vec<u8>>) -> Option<Recording> {
        match self {
            Pack::Own => None,
            Pack::Asterisk => from_pack(asterisk::file_names(name), read),
        }
        .or_else(|| Some(Recording { files: vec![Cow::Borrowed(own(name)?)], origin: Origin::Own }))
    }
}

fn from_pack(names: &[&str], mut read: impl FnMut(&str) -> Option<Vec<u8>>) -> Option<Recording> {
    let files: Option<Vec<_>> =
        names.iter().map(|name| read(&format!("{name}.wav")).map(Cow::Owned)).collect();
    files.filter(|files| !files.is_empty()).map(|files| Recording { files, origin: Origin::Pack })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn our_own_recordings_ask_for_no_file() {
        let found = Pack::Own.find("goodbye", |file| panic!("asked for {file}")).unwrap();
        assert_eq!(found.origin, Origin::Own);
    }

    #[test]
    fn a_pack_is_asked_by_its_own_names() {
        let mut asked = Vec::new();
        let found = Pack::Asterisk.find("old-messages", |file| {
            asked.push(file.to_owned());
            Some(file.as_bytes().to_vec())
        });
        assert_eq!(asked, ["vm-Old.wav", "vm-messages.wav"]);
        let files = asked.into_iter().map(|file| Cow::Owned(file.into_bytes())).collect();
        assert_eq!(found, Some(Recording { files, origin: Origin::Pack }));
    }

    #[test]
    fn what_the_pack_lacks_is_filled_from_ours() {
        // A file that is missing, one of two, and a phrase that no pack has.
        for name in ["goodbye", "old-messages", "must-change-pin"] {
            let found = Pack::Asterisk.find(name, |file| (file == "vm-Old.wav").then(Vec::new)).unwrap();
            assert_eq!(found.origin, Origin::Own, "{name}");
            assert_eq!(found.files, [own(name).unwrap()], "{name}");
        }
    }

    #[test]
    fn a_recording_that_nobody_has_is_not_found() {
        assert_eq!(Pack::Asterisk.find("no-such-recording", |file| panic!("asked for {file}")), None);
        assert_eq!(Pack::Own.find("", |_| None), None);
    }

    /// With the pack of Debian's `asterisk-core-sounds-en-wav`, where it is installed.
    #[test]
    fn every_file_of_the_table_is_in_the_english_pack() {
        let folder = std::path::Path::new("/usr/share/asterisk/sounds/en_US_f_Allison");
        if !folder.is_dir() {
            return;
        }
        for (name, _) in asterisk::all() {
            let found = Pack::Asterisk.find(name, |file| std::fs::read(folder.join(file)).ok()).unwrap();
            assert_eq!(found.origin, Origin::Pack, "{name}");
            assert!(found.files.iter().all(|file| file.starts_with(b"RIFF")), "{name}");
        }
    }
}
