//! Whatever callers and owners are called, a mail stays one mail: read back with somebody else's parser.

use std::time::Duration;

use mail_parser::{Message, MessageParser};
use proptest::prelude::*;
use umbel_mail::{Addressing, compose};
use umbel_store::{
    Address, AudioFormat, Author, Caller, GreetingKind, Importance, MessageId, MessageState, MissedCall,
    MissedCallId, VoiceMessage,
};
use umbel_time::UnixTime;

/// Every field that a mail of ours may have.
const FIELDS: [&str; 22] = [
    "Date",
    "From",
    "To",
    "Subject",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Message-Context",
    "Content-Class",
    "Content-Duration",
    "X-CallingTelephoneNumber",
    "X-VoiceMessageDuration",
    "X-VoiceMessageSenderName",
    "X-AttachmentOrder",
    "X-CallID",
    "Importance",
    "X-Priority",
    "Sensitivity",
    "Content-Disposition",
];

/// Texts that would do harm in a mail that was put together carelessly, and any other text.
fn hostile() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "Bob\r\nBcc: eve@example.test",
        "Bob\nBcc: eve@example.test\n\nDear Alice,",
        "\r\n.\r\nMAIL FROM:<eve@example.test>",
        "=?utf-8?q?Bob=0D=0ABcc:_eve@example.test?=",
        "=?utf-8?b?Qm9iDQpCY2M6IGV2ZQ==?=",
        "\u{202e}gnp.exe \u{2066}x\u{2069}",
        "Smith, Bob; \"Q\" <q@example.test>, (comment) \\",
        "--=_00000000000000000000000000000007--",
        "Zoë Ünal \u{1f4de} \u{0}\u{7f}\u{85}\u{2028}",
        "",
        " ",
        "=?",
        "?=",
        "=",
        "\"",
        "\\",
        "<",
        ">",
        ":",
        ";",
        ",",
        "@",
    ]);
    prop_oneof![
        known.prop_map(str::to_owned),
        "\\PC{0,40}",
        any::<String>(),
        "[ -~\r\n]{0,300}",
        Just("ü".repeat(1_000)),
        Just("x".repeat(1_000)),
        Just("\u{5d0} ".repeat(500)),
    ]
}

fn mailbox() -> Address {
    Address::new("alice", "example.test").expect("an address")
}

fn addressing<'a>(mailbox: &'a Address, to_name: &'a str) -> Addressing<'a> {
    Addressing {
        from: "voicemail@example.test",
        to: "alice@example.test",
        to_name,
        mailbox,
        utc_offset_seconds: 0,
    }
}

/// One mail, to one person, from us, with no field but ours, each once, in short lines of ASCII.
fn check<'a>(mail: &'a [u8]) -> Message<'a> {
    assert!(mail.is_ascii());
    let text = std::str::from_utf8(mail).expect("ASCII");
    assert!(!text.replace("\r\n", "").contains(['\r', '\n', '\0']), "{text}");
    assert!(text.split("\r\n").all(|line| line.len() <= 998 && line != "."), "{text}");
    let read = MessageParser::new().parse(mail).expect("a mail");
    let mut seen = Vec::new();
    for (name, _) in read.headers_raw() {
        assert!(FIELDS.contains(&name), "{name}: {text}");
        assert!(!seen.contains(&name), "{name} twice: {text}");
        seen.push(name);
    }
    let addresses = |address: Option<&mail_parser::Address<'_>>| -> Vec<String> {
        let address = address.expect("an address field");
        address.iter().filter_map(|one| one.address.as_deref()).map(str::to_owned).collect()
    };
    assert_eq!(addresses(read.to()), ["alice@example.test"], "{text}");
    assert_eq!(addresses(read.from()), ["voicemail@example.test"], "{text}");
    assert!(read.bcc().is_none() && read.cc().is_none());
    assert!(read.date().is_some());
    read
}

proptest! {
    /// SEC-113, SEC-114, SEC-116
    #[test]
    fn a_voice_mail_stays_one_mail(
        name in hostile(), id in hostile(), subject in hostile(), call_id in hostile(), to_name in hostile(),
        sound in prop::collection::vec(any::<u8>(), 0..300), seconds in 0_u64..4_000, received in any::<i64>(),
    ) {
        let mailbox = mailbox();
        let message = VoiceMessage {
            id: MessageId::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]),
            mailbox: mailbox.clone(),
            number: 1,
            caller: Caller { id, name: Some(name.clone()), verified: false },
            subject: subject.clone(),
            importance: Importance::High,
            received: UnixTime::from_millis(received),
            duration: Duration::from_secs(seconds),
            state: MessageState::New,
            deleted: None,
            incomplete: true,
            damaged: false,
            format: AudioFormat::Pcmu,
            bytes: sound.len() as u64,
            call_id,
        };
        let mail = compose::voice_mail(&addressing(&mailbox, &to_name), &message, Some(&sound));
        let read = check(&mail);
        prop_assert_eq!(read.attachment_count(), 1);
        prop_assert_eq!(read.attachment(0).expect("the sound").contents(), &sound[..]);
        prop_assert_eq!(read.text_body_count(), 1);
        let meant = compose::subject(&message);
        let told = read.subject().unwrap_or_default();
        prop_assert!(meant.starts_with(told), "{} {}", meant, told);
        prop_assert!(told.chars().count() >= meant.trim_end().chars().count().min(250), "{} {}", meant, told);
    }

    /// SEC-113
    #[test]
    fn notices_stay_one_mail_each(name in hostile(), id in hostile(), subject in hostile(), to_name in hostile()) {
        let mailbox = mailbox();
        let call = MissedCall {
            id: MissedCallId(1),
            mailbox: mailbox.clone(),
            caller: Caller { id, name: Some(name.clone()), verified: true },
            subject,
            at: UnixTime::from_secs(0),
            call_id: name.clone(),
        };
        let addressing = addressing(&mailbox, &to_name);
        let mail = compose::missed_call(&addressing, MessageId::from_bytes([1; 16]), &call);
        prop_assert_eq!(check(&mail).attachment_count(), 0);
        let author = Author::Administrator(name);
        let (kind, at) = (GreetingKind::Standard, UnixTime::from_secs(0));
        let mail = compose::greeting_changed(&addressing, MessageId::from_bytes([2; 16]), kind, false, &author, at);
        prop_assert_eq!(check(&mail).attachment_count(), 0);
    }
}

/// SEC-113: the texts that are known to do harm, one by one, as they are read.
#[test]
fn what_a_caller_says_is_read_as_it_was_meant() {
    let mailbox = mailbox();
    let subject_for = |name: &str| {
        let call = MissedCall {
            id: MissedCallId(1),
            mailbox: mailbox.clone(),
            caller: Caller { id: String::new(), name: Some(name.to_owned()), verified: true },
            subject: String::new(),
            at: UnixTime::from_secs(0),
            call_id: String::new(),
        };
        let mail =
            compose::missed_call(&addressing(&mailbox, "Alice"), MessageId::from_bytes([1; 16]), &call);
        check(&mail).subject().unwrap_or_default().to_owned()
    };
    for (name, read) in [
        ("Bob\r\nBcc: eve@example.test", "Missed call from Bob Bcc: eve@example.test"),
        ("=?utf-8?q?Bob=0D=0ABcc:_eve?=", "Missed call from =?utf-8?q?Bob=0D=0ABcc:_eve?="),
        ("Smith, Bob", "Missed call from Smith, Bob"),
        ("Zoë \u{1f4de}", "Missed call from Zoë \u{1f4de}"),
        ("\u{202e}eve", "Missed call from eve"),
    ] {
        assert_eq!(subject_for(name), read);
    }
    let long = subject_for(&"ü".repeat(1_000));
    assert_eq!(long, format!("Missed call from {}", format_args!("{}…", "ü".repeat(80))));
}
