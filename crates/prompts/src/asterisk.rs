//! Which files of an Asterisk sound pack say the same as our recordings.
//!
//! The packs in the languages of `core-sounds` share these names. Choices of menus are missing on purpose: the
//! pack's say their own keys, which need not be ours.

/// The files to play one after the other in place of our recording, without `.wav`; empty where the pack has
/// nothing that says the same.
pub(crate) fn file_names(name: &str) -> &'static [&'static str] {
    FILES
        .binary_search_by(|(known, _)| (*known).cmp(name))
        .ok()
        .and_then(|at| FILES.get(at))
        .map_or(&[], |(_, files)| *files)
}

/// In the order of our names.
const FILES: &[(&str, &[&str])] = &[
    ("a-m", &["digits/a-m"]),
    ("at", &["digits/at"]),
    ("choice/listen", &["to-listen-to-it"]),
    ("choice/record-again", &["to-rerecord-it"]),
    ("day/friday", &["digits/day-5"]),
    ("day/monday", &["digits/day-1"]),
    ("day/saturday", &["digits/day-6"]),
    ("day/sunday", &["digits/day-0"]),
    ("day/thursday", &["digits/day-4"]),
    ("day/tuesday", &["digits/day-2"]),
    ("day/wednesday", &["digits/day-3"]),
    ("deleted", &["vm-deleted"]),
    ("deposit-cancelled", &["cancelled"]),
    ("deposit-saved", &["vm-msgsaved"]),
    ("digits/0", &["digits/0"]),
    ("digits/1", &["digits/1"]),
    ("digits/10", &["digits/10"]),
    ("digits/11", &["digits/11"]),
    ("digits/12", &["digits/12"]),
    ("digits/13", &["digits/13"]),
    ("digits/14", &["digits/14"]),
    ("digits/15", &["digits/15"]),
    ("digits/16", &["digits/16"]),
    ("digits/17", &["digits/17"]),
    ("digits/18", &["digits/18"]),
    ("digits/19", &["digits/19"]),
    ("digits/2", &["digits/2"]),
    ("digits/20", &["digits/20"]),
    ("digits/3", &["digits/3"]),
    ("digits/30", &["digits/30"]),
    ("digits/4", &["digits/4"]),
    ("digits/40", &["digits/40"]),
    ("digits/5", &["digits/5"]),
    ("digits/50", &["digits/50"]),
    ("digits/6", &["digits/6"]),
    ("digits/60", &["digits/60"]),
    ("digits/7", &["digits/7"]),
    ("digits/70", &["digits/70"]),
    ("digits/8", &["digits/8"]),
    ("digits/80", &["digits/80"]),
    ("digits/9", &["digits/9"]),
    ("digits/90", &["digits/90"]),
    ("digits/hundred", &["digits/hundred"]),
    ("digits/oh", &["digits/oh"]),
    ("digits/pound", &["digits/pound"]),
    ("digits/star", &["digits/star"]),
    ("digits/thousand", &["digits/thousand"]),
    ("enter-mailbox", &["vm-login"]),
    ("enter-new-pin-again", &["vm-reenterpassword"]),
    ("enter-pin", &["vm-password"]),
    ("extension", &["vm-extension"]),
    ("from", &["vm-from"]),
    ("from-extension", &["vm-from-extension"]),
    ("from-number", &["vm-from-phonenumber"]),
    ("from-unknown", &["vm-unknown-caller"]),
    ("goodbye", &["vm-goodbye"]),
    ("is-not-available", &["vm-isunavail"]),
    ("lasting", &["vm-duration"]),
    ("leave-message", &["vm-intro"]),
    ("mailbox-full", &["vm-mailboxfull"]),
    ("marked-normal", &["vm-marked-nonurgent"]),
    ("marked-urgent", &["vm-marked-urgent"]),
    ("message-number", &["vm-message"]),
    ("minute", &["minute"]),
    ("minutes", &["minutes"]),
    ("month/april", &["digits/mon-3"]),
    ("month/august", &["digits/mon-7"]),
    ("month/december", &["digits/mon-11"]),
    ("month/february", &["digits/mon-1"]),
    ("month/january", &["digits/mon-0"]),
    ("month/july", &["digits/mon-6"]),
    ("month/june", &["digits/mon-5"]),
    ("month/march", &["digits/mon-2"]),
    ("month/may", &["digits/mon-4"]),
    ("month/november", &["digits/mon-10"]),
    ("month/october", &["digits/mon-9"]),
    ("month/september", &["digits/mon-8"]),
    ("new-message", &["vm-INBOX", "vm-message"]),
    ("new-messages", &["vm-INBOX", "vm-messages"]),
    ("no-more-messages", &["vm-nomore"]),
    ("no-such-choice", &["vm-sorry"]),
    ("oclock", &["digits/oclock"]),
    ("old-message", &["vm-Old", "vm-message"]),
    ("old-messages", &["vm-Old", "vm-messages"]),
    ("ordinal/1", &["digits/h-1"]),
    ("ordinal/10", &["digits/h-10"]),
    ("ordinal/11", &["digits/h-11"]),
    ("ordinal/12", &["digits/h-12"]),
    ("ordinal/13", &["digits/h-13"]),
    ("ordinal/14", &["digits/h-14"]),
    ("ordinal/15", &["digits/h-15"]),
    ("ordinal/16", &["digits/h-16"]),
    ("ordinal/17", &["digits/h-17"]),
    ("ordinal/18", &["digits/h-18"]),
    ("ordinal/19", &["digits/h-19"]),
    ("ordinal/2", &["digits/h-2"]),
    ("ordinal/20", &["digits/h-20"]),
    ("ordinal/3", &["digits/h-3"]),
    ("ordinal/30", &["digits/h-30"]),
    ("ordinal/4", &["digits/h-4"]),
    ("ordinal/5", &["digits/h-5"]),
    ("ordinal/6", &["digits/h-6"]),
    ("ordinal/7", &["digits/h-7"]),
    ("ordinal/8", &["digits/h-8"]),
    ("ordinal/9", &["digits/h-9"]),
    ("p-m", &["digits/p-m"]),
    ("pin-changed", &["vm-passchanged"]),
    ("pins-differ", &["vm-mismatch"]),
    ("press", &["vm-press"]),
    ("received", &["vm-received"]),
    ("saved", &["vm-message", "vm-saved"]),
    ("second", &["second"]),
    ("seconds", &["seconds"]),
    ("today", &["digits/today"]),
    ("too-short", &["vm-tooshort"]),
    ("undeleted", &["vm-undeleted"]),
    ("urgent", &["vm-Urgent"]),
    ("wrong-pin", &["vm-incorrect"]),
    ("yesterday", &["digits/yesterday"]),
    ("you-have", &["vm-youhave"]),
    ("you-have-no-new-messages", &["vm-youhave", "vm-no", "vm-INBOX", "vm-messages"]),
    ("you-have-no-old-messages", &["vm-youhave", "vm-no", "vm-Old", "vm-messages"]),
];

#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    FILES.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_names_recordings_of_ours() {
        assert!(FILES.is_sorted_by(|one, next| one.0 < next.0));
        for (name, files) in all() {
            assert!(crate::own(name).is_some(), "{name}");
            assert!(!files.is_empty(), "{name}");
        }
    }

    #[test]
    fn all_numbers_and_dates_come_from_the_pack_so_that_one_voice_reads_them() {
        for name in crate::names() {
            if ["digits/", "ordinal/", "month/", "day/"].iter().any(|group| name.starts_with(group)) {
                assert!(!file_names(name).is_empty(), "{name}");
            }
        }
    }

    #[test]
    fn the_pack_says_no_keys_of_its_own() {
        let with_keys = [
            "vm-onefor",
            "vm-opts",
            "vm-options",
            "vm-repeat",
            "vm-next",
            "vm-prev",
            "vm-delete",
            "vm-review",
        ];
        for (name, files) in all() {
            assert!(!files.iter().any(|file| with_keys.contains(file)), "{name}");
        }
    }
}
