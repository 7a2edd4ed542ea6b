//! The mail that tells of a call that left no message (MISS-1).

use umbel_store::{MessageId, MissedCall};

use super::{Addressing, caller_in_short, caller_lines};
use crate::document;
use crate::text::one_line;

/// The notice of a missed call. `id` is that of the [`Item`](umbel_store::Item) that it is.
pub fn missed_call(addressing: &Addressing<'_>, id: MessageId, call: &MissedCall) -> Vec<u8> {
    let message_id = missed_call_message_id(addressing, id);
    let mut fields = addressing.fields(call.at, &message_id, &missed_call_subject(call));
    // [MS-OXCMAIL]: becomes IPM.Note.Microsoft.Missed.Voice.
    fields.own("Content-Class", "missedcall");
    fields.text("X-CallingTelephoneNumber", &call.caller.id);
    fields.text("X-VoiceMessageSenderName", call.caller.name.as_deref().unwrap_or_default());
    fields.text("X-CallID", &call.call_id);
    document::letter(fields, &missed_call_text(addressing, call))
}

/// The Message-ID of the notice.
pub fn missed_call_message_id(addressing: &Addressing<'_>, id: MessageId) -> String {
    addressing.message_id("missed-call", id)
}

/// `Missed call from Bob`
pub fn missed_call_subject(call: &MissedCall) -> String {
    format!("Missed call from {}", caller_in_short(&call.caller))
}

/// The text for people in [`missed_call`].
pub fn missed_call_text(addressing: &Addressing<'_>, call: &MissedCall) -> String {
    let mut text = format!("{}\n\nyou missed a call. No message was left.\n\n", addressing.salutation());
    text.push_str(&caller_lines(&call.caller));
    let subject = one_line(&call.subject);
    if !subject.is_empty() {
        text.push_str(&format!("Subject:   {subject}\n"));
    }
    text.push_str(&format!("Time:      {}\n", addressing.when(call.at).sentence()));
    text
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;
    use umbel_store::MissedCallId;

    use super::super::testing::{addressing, message};
    use super::*;

    /// MISS-1
    #[test]
    fn a_missed_call_is_told_without_a_sound() {
        let message = message();
        let call = MissedCall {
            id: MissedCallId(1),
            mailbox: message.mailbox,
            caller: message.caller,
            subject: String::new(),
            at: message.received,
            call_id: message.call_id,
        };
        let mail = missed_call(&addressing(), MessageId::from_bytes([0xab; 16]), &call);
        let read = MessageParser::new().parse(&mail).expect("a mail");
        assert_eq!(read.subject(), Some("Missed call from Bob"));
        assert_eq!(read.message_id(), Some("missed-call.abababababababababababababababab@example.test"));
        assert_eq!(read.header_raw("Content-Class").map(str::trim), Some("missedcall"));
        assert_eq!(read.attachment_count(), 0);
        let text = read.body_text(0).expect("a text").replace("\r\n", "\n");
        assert_eq!(
            text,
            "Hello Alice Example,\n\nyou missed a call. No message was left.\n\n\
             From:      Bob <+15551234567>\nTime:      Saturday, 21 November 2026, 14:40 (UTC+01:00)\n"
        );
    }
}
