//! The mail that tells an owner a new PIN (DEC-14): the one place besides the administrator's terminal where a PIN
//! is ever told.

use umbel_store::{MessageId, Pin};
use umbel_time::UnixTime;

use super::Addressing;
use crate::document;

/// The mail with a new PIN. Whoever holds it holds the PIN: it goes to the server and nowhere else.
pub fn new_pin(addressing: &Addressing<'_>, id: MessageId, pin: &Pin, at: UnixTime) -> Vec<u8> {
    let mut fields = addressing.fields(at, &addressing.message_id("new-pin", id), "Your new voice mail PIN");
    fields.own("Sensitivity", "Company-Confidential");
    let text = format!(
        "{}\n\nyour voice mail PIN was reset. Your new PIN is:\n\n    {}\n\n\
         You will be asked to choose another one when you next log in with it by telephone.\n\n\
         Reset:     {}\n\n\
         If you did not ask for this, please tell your administrator.\n",
        addressing.salutation(),
        pin.reveal(),
        addressing.when(at).sentence(),
    );
    document::letter(fields, &text)
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::super::testing::{addressing, message};
    use super::*;

    /// SEC-88, DEC-14
    #[test]
    fn a_pin_stands_in_the_text_of_its_mail_and_not_in_its_header() {
        let pin = Pin::new("274950").expect("digits");
        let mail = new_pin(&addressing(), MessageId::from_bytes([1; 16]), &pin, message().received);
        let read = MessageParser::new().parse(&mail).expect("a mail");
        assert!(read.body_text(0).expect("a text").contains("\r\n    274950\r\n"));
        assert!(read.headers_raw().all(|(_, value)| !value.contains("274950")));
        assert_eq!(read.message_id(), Some("new-pin.01010101010101010101010101010101@example.test"));
        assert_eq!(read.attachment_count(), 0);
    }
}
