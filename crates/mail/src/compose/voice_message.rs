//! The mail that brings a message: envelope, text for people, and the sound ([MS-OXOUM], [MS-OXCMAIL], RFC 3458).

use umbel_store::{Importance, VoiceMessage};

use super::{Addressing, caller_in_short, caller_lines};
use crate::attachment;
use crate::document::{self, File};
use crate::field::Fields;
use crate::text::one_line;

/// The mail of a message, with its sound as [`attachment::wav`] made it; without a sound where it is lost (REL-05).
pub fn voice_mail(addressing: &Addressing<'_>, message: &VoiceMessage, wav: Option<&[u8]>) -> Vec<u8> {
    let mut fields =
        addressing.fields(message.received, &message_id(addressing.mailbox, message), &subject(message));
    envelope(&mut fields, message, wav.is_some());
    let text = text(addressing, message, wav.is_some());
    match wav {
        Some(data) => {
            let name = attachment::name(message);
            let file = File { name: &name, seconds: attachment::seconds(message), data };
            document::letter_with_file(fields, &text, &file, &message.id.to_string())
        }
        None => document::letter(fields, &text),
    }
}

/// How many octets [`voice_mail`] makes of this message with its sound, known without reading the sound.
pub fn voice_mail_bytes(addressing: &Addressing<'_>, message: &VoiceMessage) -> u64 {
    let wav = usize::try_from(attachment::wav_bytes(message)).unwrap_or(usize::MAX / 2);
    let shell = voice_mail(addressing, message, Some(&[])).len();
    shell.saturating_add(document::encoded_file_bytes(wav)) as u64
}

/// The text for people in [`voice_mail`] with its sound.
pub fn voice_mail_text(addressing: &Addressing<'_>, message: &VoiceMessage) -> String {
    text(addressing, message, true)
}

/// The Message-ID, made from the id of the message: the same in every mail of it.
pub fn message_id(mailbox: &umbel_store::Address, message: &VoiceMessage) -> String {
    format!("<voice-message.{}@{}>", message.id, super::host(mailbox))
}

/// `Voice Mail from Bob (12 seconds)`, and the caller's own subject where there is one.
pub fn subject(message: &VoiceMessage) -> String {
    let from = caller_in_short(&message.caller);
    let seconds = attachment::seconds(message);
    let unit = if seconds == 1 { "second" } else { "seconds" };
    let mut subject = format!("Voice Mail from {from} ({seconds} {unit})");
    let given = one_line(&message.subject);
    if !given.is_empty() {
        subject.push_str(": ");
        subject.push_str(&given);
    }
    subject
}

fn envelope(fields: &mut Fields, message: &VoiceMessage, with_sound: bool) {
    let name = message.caller.name.as_deref().unwrap_or_default();
    let seconds = attachment::seconds(message).to_string();
    // RFC 3458 3.2, and what [MS-OXCMAIL] 2.2.3.2 makes a message class of.
    fields.own("Message-Context", "voice-message");
    fields.own("Content-Class", "voice-ca");
    fields.text("X-CallingTelephoneNumber", &message.caller.id);
    fields.own("X-VoiceMessageDuration", &seconds);
    fields.text("X-VoiceMessageSenderName", name);
    if with_sound {
        fields.own("X-AttachmentOrder", &attachment::name(message));
    }
    fields.text("X-CallID", &message.call_id);
    // RFC 3803 4.2: of the whole message.
    fields.own("Content-Duration", &seconds);
    match message.importance {
        Importance::High => {
            fields.own("Importance", "high");
            fields.own("X-Priority", "1");
        }
        Importance::Normal => {}
        Importance::Low => {
            fields.own("Importance", "low");
            fields.own("X-Priority", "5");
        }
    }
}

fn text(addressing: &Addressing<'_>, message: &VoiceMessage, with_sound: bool) -> String {
    let seconds = attachment::seconds(message);
    let mut text = format!("{}\n\nyou have a voice message.\n\n", addressing.salutation());
    text.push_str(&caller_lines(&message.caller));
    let subject = one_line(&message.subject);
    if !subject.is_empty() {
        text.push_str(&format!("Subject:   {subject}\n"));
    }
    text.push_str(&format!("Received:  {}\n", addressing.when(message.received).sentence()));
    text.push_str(&format!("Length:    {}:{:02}\n", seconds / 60, seconds % 60));
    if message.importance == Importance::High {
        text.push_str("Importance: high\n");
    }
    text.push('\n');
    if message.incomplete {
        text.push_str("The end of this message is missing: the server stopped while it was recorded.\n");
    }
    if message.damaged {
        text.push_str("The recording was damaged on disk; parts of it may be wrong.\n");
    }
    text.push_str(if with_sound {
        "The message is attached. It stays in your voice mail too, where you hear it by telephone.\n"
    } else {
        "The recording could not be attached. Please call your voice mail.\n"
    });
    text
}

#[cfg(test)]
mod tests {
    use mail_parser::{MessageParser, MimeHeaders as _};

    use super::super::testing::{addressing, message};
    use super::*;

    #[test]
    fn the_mail_of_a_message_reads_as_every_mail_program_expects() {
        let mail = voice_mail(&addressing(), &message(), Some(b"RIFF sound"));
        let read = MessageParser::new().parse(&mail).expect("a mail");
        assert_eq!(read.subject(), Some("Voice Mail from Bob (12 seconds): Lunch"));
        assert_eq!(read.message_id(), Some("voice-message.00000000000000000000000000000007@example.test"));
        let header = |name: &'static str| read.header_raw(name).map(str::trim);
        assert_eq!(header("From"), Some("\"Voice Mail\" <voicemail@example.test>"));
        assert_eq!(header("To"), Some("\"Alice Example\" <alice@mail.example.test>"));
        assert_eq!(header("Date"), Some("Sat, 21 Nov 2026 14:40:13 +0100"));
        assert_eq!(header("Message-Context"), Some("voice-message"));
        assert_eq!(header("Content-Class"), Some("voice-ca"));
        assert_eq!(header("X-CallingTelephoneNumber"), Some("+15551234567"));
        assert_eq!(header("X-VoiceMessageDuration"), Some("12"));
        assert_eq!(header("X-VoiceMessageSenderName"), Some("Bob"));
        assert_eq!(header("X-AttachmentOrder"), Some("15551234567 (12 seconds) Voice Mail.wav"));
        assert_eq!(header("X-CallID"), Some("a84b4c76e66710@example.test"));
        assert_eq!(header("Auto-Submitted"), Some("auto-generated"));
        assert_eq!(header("Importance"), None);
        let file = read.attachment(0).expect("an attachment");
        assert_eq!(file.contents(), b"RIFF sound");
        assert_eq!(file.attachment_name(), Some("15551234567 (12 seconds) Voice Mail.wav"));
        assert_eq!(file.content_type().and_then(|kind| kind.subtype()), Some("wav"));
        assert_eq!(
            read.body_text(0).expect("a text").replace("\r\n", "\n"),
            "Hello Alice Example,\n\nyou have a voice message.\n\nFrom:      Bob <+15551234567>\n\
             Subject:   Lunch\nReceived:  Saturday, 21 November 2026, 14:40 (UTC+01:00)\nLength:    0:12\n\n\
             The message is attached. It stays in your voice mail too, where you hear it by telephone.\n"
        );
    }

    /// REL-41: what is sent twice is the same mail twice.
    #[test]
    fn the_same_message_is_the_same_mail() {
        let wav = [3; 4_000];
        assert_eq!(
            voice_mail(&addressing(), &message(), Some(&wav)),
            voice_mail(&addressing(), &message(), Some(&wav))
        );
    }

    #[test]
    fn importance_is_told_both_ways() {
        let header = |importance, name: &'static str| {
            let mail = voice_mail(&addressing(), &VoiceMessage { importance, ..message() }, None);
            let read = MessageParser::new().parse(&mail).expect("a mail").into_owned();
            read.header_raw(name).map(|value| value.trim().to_owned())
        };
        assert_eq!(header(Importance::High, "Importance").as_deref(), Some("high"));
        assert_eq!(header(Importance::High, "X-Priority").as_deref(), Some("1"));
        assert_eq!(header(Importance::Low, "Importance").as_deref(), Some("low"));
        assert_eq!(header(Importance::Normal, "X-Priority"), None);
    }

    /// REL-02, REL-05
    #[test]
    fn what_is_wrong_with_a_recording_is_told() {
        let mut message = message();
        (message.incomplete, message.damaged) = (true, true);
        let mail = voice_mail(&addressing(), &message, None);
        let read = MessageParser::new().parse(&mail).expect("a mail");
        let text = read.body_text(0).expect("a text");
        for sentence in ["The end of this message is missing", "damaged on disk", "could not be attached"] {
            assert!(text.contains(sentence), "{text}");
        }
        assert_eq!((read.attachment_count(), read.header_raw("X-AttachmentOrder")), (0, None));
    }

    /// DEC-18
    #[test]
    fn an_unverified_caller_is_told_as_such() {
        let mut message = message();
        message.caller.verified = false;
        let text = |message: &VoiceMessage| {
            let mail = voice_mail(&addressing(), message, None);
            MessageParser::new().parse(&mail).expect("a mail").body_text(0).expect("a text").into_owned()
        };
        assert!(text(&message).contains("nobody whom we trust"));
        message.caller = umbel_store::Caller::default();
        assert!(text(&message).contains("From:      an unknown caller\r\n"));
        assert!(!text(&message).contains("nobody whom we trust"));
    }

    #[test]
    fn the_length_of_the_mail_is_known_without_the_sound() {
        for bytes in [0_u64, 1, 160, 8_000, 99_999] {
            let message = VoiceMessage { bytes, ..message() };
            let wav = vec![1; usize::try_from(attachment::wav_bytes(&message)).expect("fits")];
            let mail = voice_mail(&addressing(), &message, Some(&wav));
            assert_eq!(voice_mail_bytes(&addressing(), &message), mail.len() as u64, "{bytes}");
        }
    }
}
