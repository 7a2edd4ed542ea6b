//! Summaries as others write them, and as we do.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn counts(new: u32, old: u32, urgent_new: u32, urgent_old: u32) -> Counts {
    Counts { new, old, urgent_new, urgent_old }
}

/// MWI-4, MWI-5: as in 15.5 of the specification's examples.
#[test]
fn a_summary_is_written_line_by_line() {
    let account = "sip:dana@example.com;opaque=app:voicemail".parse().ok();
    let summary = MessageSummary::of(counts(2, 8, 1, 0), account);
    assert_eq!(
        summary.to_string(),
        "Messages-Waiting: yes\r\n\
         Message-Account: sip:dana@example.com;opaque=app:voicemail\r\n\
         Voice-Message: 2/8 (1/0)\r\n"
    );
    assert_eq!(MessageSummary::parse(&summary.to_body()), Ok(summary));
    let empty = MessageSummary::of(counts(0, 3, 0, 1), None);
    assert_eq!(empty.to_string(), "Messages-Waiting: no\r\nVoice-Message: 0/3 (0/1)\r\n");
    let lamp_alone = MessageSummary { waiting: true, account: None, voice: None };
    assert_eq!(lamp_alone.to_string(), "Messages-Waiting: yes\r\n");
}

/// RFC 3842 5.3: the example of the standard itself.
#[test]
fn the_example_of_the_standard_is_read() {
    let body = b"Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\n\
        Voice-Message: 2/8 (0/2)\r\n";
    let summary = MessageSummary::parse(body).unwrap();
    assert_eq!((summary.waiting, summary.voice), (true, Some(counts(2, 8, 0, 2))));
    assert_eq!(summary.account.unwrap().as_str(), "sip:alice@vmail.example.com");
}

/// MWI-4
#[test]
fn summaries_of_others_are_read_as_they_are_meant() {
    let read = |body: &str| MessageSummary::parse(body.as_bytes());
    let voice = |body: &str| read(body).unwrap().voice;
    let summary = read("messages-waiting :NO\nVOICE-MESSAGE:0 / 3\n").unwrap();
    assert_eq!((summary.waiting, summary.voice), (false, Some(counts(0, 3, 0, 0))));
    // The status decides, not the numbers.
    assert!(read("Messages-Waiting: yes\r\nVoice-Message: 0/0 (0/0)\r\n").unwrap().waiting);
    // Without a status the numbers do.
    assert!(read("Voice-Message: 1/0\r\n").unwrap().waiting);
    assert!(!read("Voice-Message: 0/1\r\n").unwrap().waiting);
    // Counts that cannot be read are none; the lamp stays right.
    for bad in ["", "1", "1/", "x/1", "1/2 (3/4", "1/2 3", "99999999999/1", "+1/0", "1/2 (3)"] {
        assert_eq!(voice(&format!("Messages-Waiting: yes\r\nVoice-Message: {bad}\r\n")), None, "{bad:?}");
    }
    // Other kinds of message are others' business.
    assert_eq!(voice("Messages-Waiting: yes\r\nFax-Message: 5/5\r\nText-Message: 1/1\r\n"), None);
    assert_eq!(
        voice("Messages-Waiting: yes\r\nVoice-Message: 1/0\r\nVoice-Message: 2/0\r\n"),
        Some(counts(1, 0, 0, 0))
    );
    // What follows the empty line is about single messages.
    assert_eq!(voice("Messages-Waiting: yes\r\n\r\nVoice-Message: 7/7\r\n"), None);
    let account = read("Messages-Waiting: no\r\nMessage-Account: <sip:x@y.test>\r\n").unwrap().account;
    assert_eq!(account.unwrap().as_str(), "sip:x@y.test");
    assert_eq!(read("Messages-Waiting: no\r\nMessage-Account: no uri\r\n").unwrap().account, None);
}

#[test]
fn without_a_status_or_without_bound_there_is_nothing_to_show() {
    for body in ["", "\r\n", "hello", "Messages-Waiting: perhaps\r\n", "Message-Account: sip:a@b\r\n"] {
        assert_eq!(MessageSummary::parse(body.as_bytes()), Err(Unreadable::NoStatus), "{body:?}");
    }
    let mut body = b"Messages-Waiting: yes\r\n".to_vec();
    body.resize(BYTES_MAX, b'x');
    assert!(MessageSummary::parse(&body).is_ok());
    body.push(b'x');
    assert_eq!(MessageSummary::parse(&body), Err(Unreadable::TooLong));
    let late = format!("{}Messages-Waiting: yes\r\n", "x\r\n".repeat(LINES_MAX));
    assert_eq!(MessageSummary::parse(late.as_bytes()), Err(Unreadable::NoStatus));
    assert_eq!(MessageSummary::parse(&[0xff; 100]), Err(Unreadable::NoStatus));
}

proptest! {
    #[test]
    fn what_is_written_reads_back(waiting: bool, voice in proptest::option::of(any::<(u32, u32, u32, u32)>())) {
        let voice = voice.map(|(new, old, urgent_new, urgent_old)| counts(new, old, urgent_new, urgent_old));
        let summary = MessageSummary { waiting, account: "sip:a@b".parse().ok(), voice };
        prop_assert_eq!(MessageSummary::parse(&summary.to_body()), Ok(summary));
    }

    #[test]
    fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = MessageSummary::parse(&body);
    }
}
