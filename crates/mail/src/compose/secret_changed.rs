//! The mail that tells an owner that the PIN or the password was changed: whoever did it may have been somebody else.

use umbel_store::{Door, MessageId, SecretChange};
use umbel_time::UnixTime;

use super::{Addressing, way};
use crate::document;

/// The notice of a secret that was changed. It says nothing of what it is.
pub fn secret_changed(
    addressing: &Addressing<'_>,
    id: MessageId,
    change: &SecretChange,
    at: UnixTime,
) -> Vec<u8> {
    let what = match change.door {
        Door::Telephone => "PIN",
        Door::Web => "password",
    };
    let subject = format!("Your voice mail {what} was changed");
    let fields = addressing.fields(at, &addressing.message_id("secret", id), &subject);
    let text = format!(
        "{}\n\nyour voice mail {what} was changed.\n\nHow:       {}\nTime:      {}\n\n\
         If this was not you, please tell your administrator at once.\n",
        addressing.salutation(),
        way(&change.author),
        addressing.when(at).sentence(),
    );
    document::letter(fields, &text)
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;
    use umbel_store::Author;

    use super::super::testing::{addressing, message};
    use super::*;

    fn check(door: Door, author: Author, subject: &str, how: &str) {
        let change = SecretChange { door, author };
        let mail = secret_changed(&addressing(), MessageId::from_bytes([3; 16]), &change, message().received);
        let read = MessageParser::new().parse(&mail).expect("a mail");
        assert_eq!(read.subject(), Some(subject));
        assert_eq!(read.message_id(), Some("secret.03030303030303030303030303030303@example.test"));
        let text = read.body_text(0).expect("a text");
        assert!(text.contains(&format!("How:       {how}\r\n")), "{text}");
        assert!(text.contains("Time:      Saturday, 21 November 2026, 14:40 (UTC+01:00)\r\n"), "{text}");
    }

    #[test]
    fn a_changed_secret_is_told_with_how_it_came_about_and_not_what_it_is() {
        check(
            Door::Web,
            Author::OwnerByWeb,
            "Your voice mail password was changed",
            "by web, with the password",
        );
        check(
            Door::Telephone,
            Author::OwnerByPin { call_id: "c".into() },
            "Your voice mail PIN was changed",
            "by telephone, with the PIN",
        );
    }
}
