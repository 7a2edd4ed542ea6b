//! The mail that tells an owner that a greeting was changed (SEC-91): somebody else may have done it, so that
//! callers accept the cost of calls in the owner's voice.

use umbel_store::{Author, GreetingKind, MessageId};
use umbel_time::UnixTime;

use super::{Addressing, way};
use crate::document;

/// The notice of a greeting that was changed: recorded or replaced, or removed.
pub fn greeting_changed(
    addressing: &Addressing<'_>,
    id: MessageId,
    kind: GreetingKind,
    removed: bool,
    author: &Author,
    at: UnixTime,
) -> Vec<u8> {
    let what = match kind {
        GreetingKind::Standard => "greeting",
        GreetingKind::OutOfOffice => "out-of-office greeting",
        GreetingKind::Name => "recorded name",
    };
    let done = if removed { "removed" } else { "changed" };
    let subject = format!("Your voice mail {what} was {done}");
    let fields = addressing.fields(at, &addressing.message_id("greeting", id), &subject);
    let by = way(author);
    let text = format!(
        "{}\n\nyour voice mail {what} was {done}.\n\nHow:       {by}\nTime:      {}\n\n\
         If this was not you, please listen to it and tell your administrator.\n",
        addressing.salutation(),
        addressing.when(at).sentence(),
    );
    document::letter(fields, &text)
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::super::testing::{addressing, message};
    use super::*;

    fn check(kind: GreetingKind, removed: bool, author: &Author, subject: &str, how: &str) {
        let mail = greeting_changed(
            &addressing(),
            MessageId::from_bytes([2; 16]),
            kind,
            removed,
            author,
            message().received,
        );
        let read = MessageParser::new().parse(&mail).expect("a mail");
        assert_eq!(read.subject(), Some(subject));
        let text = read.body_text(0).expect("a text");
        assert!(text.contains(&format!("How:       {how}\r\n")), "{text}");
        assert!(text.contains("Time:      Saturday, 21 November 2026, 14:40 (UTC+01:00)\r\n"), "{text}");
    }

    /// SEC-91
    #[test]
    fn a_change_of_a_greeting_is_told_with_how_it_came_about() {
        let by_skip = Author::OwnerBySkip { call_id: "c".into() };
        check(
            GreetingKind::Standard,
            false,
            &by_skip,
            "Your voice mail greeting was changed",
            "by telephone, in a call that was let in without the PIN",
        );
        check(
            GreetingKind::OutOfOffice,
            true,
            &Author::Administrator("root\r\nBcc: eve".into()),
            "Your voice mail out-of-office greeting was removed",
            "by the administrator (root Bcc: eve)",
        );
    }
}
