//! The two headers as they come in whole messages, read by the one reader there is.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use umbel_ocexum::{ExchangeCommand, Sensitivity};
use umbel_sip_message::{HeaderName, Message, parse};

/// The shape of the example in [MS-OCEXUM] 4.1, with these octets in place of its header line.
fn invite(lines: &[u8]) -> Bytes {
    let mut message = b"INVITE sip:alice@contoso.com;opaque=app:voicemail SIP/2.0\r\n\
        Via: SIP/2.0/TLS 10.56.65.37:33876\r\n\
        Max-Forwards: 70\r\n\
        From: <sip:alice@contoso.com>;tag=01742a55e6;epid=6b5d10e663\r\n\
        To: <sip:alice@contoso.com;opaque=app:voicemail>\r\n\
        Call-ID: f7c2efff9240413cb6e5125fdca4b63a\r\n\
        CSeq: 1 INVITE\r\n\
        Contact: <sip:alice@contoso.com;opaque=user:epid:ihclvAI6-FmKSGLKr_2rtAAA;gruu>\r\n"
        .to_vec();
    message.extend_from_slice(lines);
    message.extend_from_slice(b"Content-Length: 0\r\n\r\n");
    Bytes::from(message)
}

/// What the header comes to; `None` where the message is refused as malformed.
fn command(lines: &[u8]) -> Option<Option<ExchangeCommand>> {
    match parse(invite(lines)) {
        Ok(Message::Request(request)) => {
            Some(ExchangeCommand::read(request.headers().all(&HeaderName::MsExchangeCommand)))
        }
        Ok(Message::Response(_)) => unreachable!("it begins like a request"),
        Err(_) => None,
    }
}

/// OCEXUM-2.2.1-2, SEC-17: section 4.1's vectors, and every other legal spelling.
#[test]
fn every_legal_spelling_is_the_command() {
    for lines in [
        "Ms-Exchange-Command: skip-pin\r\n",
        "ms-exchange-command:skip-pin\r\n",
        "MS-EXCHANGE-COMMAND  :   SKIP-PIN  \r\n",
        "Ms-Exchange-Command\t:\tskip-pin\t\r\n",
        "Ms-Exchange-Command:\r\n skip-pin\r\n",
        "Ms-Exchange-Command:\r\n\tskip-pin\r\n",
        "Ms-Exchange-Command: skip-pin\r\n \r\n",
    ] {
        assert_eq!(command(lines.as_bytes()), Some(Some(ExchangeCommand::SkipPin)), "{lines:?}");
    }
}

/// CMD-1, SEC-15, SEC-16, SEC-20: fails closed for the PIN and open for the call.
#[test]
fn whatever_else_the_header_says_is_ignored_and_the_message_served() {
    for lines in [
        "Ms-Exchange-Command: skip-pin\r\nMs-Exchange-Command: skip-pin\r\n",
        "ms-exchange-command: skip-pin\r\nSubject: x\r\nMs-Exchange-Command: other\r\n",
        "Ms-Exchange-Command:\r\n",
        "Ms-Exchange-Command: skip-pin=1\r\n",
        "Ms-Exchange-Command: skip-pin;x=y\r\n",
        "Ms-Exchange-Command: skip-pin, other\r\n",
        "Ms-Exchange-Command: \"skip-pin\"\r\n",
        "Ms-Exchange-Command: other\r\n",
        "Ms-Exchange-Command: skip-\r\n pin\r\n",
        "Ms-Exchange-Command: skip\u{2010}pin\r\n",
        "Ms-Exchange-Command: skip-pin\u{a0}\r\n",
    ] {
        assert_eq!(command(lines.as_bytes()), Some(Some(ExchangeCommand::Ignored)), "{lines:?}");
    }
    for lines in [
        "",
        "Subject: Ms-Exchange-Command: skip-pin\r\n",
        "Subject: x\r\n Ms-Exchange-Command: skip-pin\r\n",
        "Ms-Exchange-Commands: skip-pin\r\n",
        "X-Ms-Exchange-Command: skip-pin\r\n",
        "Contact: <sip:alice@contoso.com>;x=\"Ms-Exchange-Command: skip-pin\"\r\n",
    ] {
        assert_eq!(command(lines.as_bytes()), Some(None), "{lines:?}");
    }
}

/// SEC-18, SEC-19, DEC-12: a name that is no token, or a bare CR or LF, makes the message malformed.
#[test]
fn an_illegal_spelling_of_the_name_is_no_message_at_all() {
    for lines in [
        "Ms-Exchange-Command;: skip-pin\r\n",
        "Ms Exchange-Command: skip-pin\r\n",
        "Ms-Exchange-Command\u{a0}: skip-pin\r\n",
        "Ms-Exch\u{430}nge-Command: skip-pin\r\n",
        "Ms-Exchange-Command\u{ff1a} skip-pin\r\n",
        "Ms-Exchange-Command\0: skip-pin\r\n",
        "Ms-Exchange-Command\x7f: skip-pin\r\n",
        "Subject: x\rMs-Exchange-Command: skip-pin\r\n",
        "Subject: x\nMs-Exchange-Command: skip-pin\r\n",
        "Subject: x\r\r\nMs-Exchange-Command: skip-pin\r\n",
    ] {
        assert_eq!(command(lines.as_bytes()), None, "{lines:?}");
    }
}

/// SENS-2, SENS-4, OCEXUM-2.2.2-3.
#[test]
fn the_sensitivity_is_read_by_the_same_rules() {
    let read = |lines: &str| match parse(invite(lines.as_bytes())) {
        Ok(Message::Request(request)) => {
            Sensitivity::read(request.headers().all(&HeaderName::MsSensitivity)).ok()
        }
        _ => None,
    };
    assert_eq!(read(""), Some(Sensitivity::Normal));
    assert_eq!(read("ms-sensitivity : PRIVATE-No-Diversion\r\n"), Some(Sensitivity::PrivateNoDiversion));
    assert_eq!(read("Ms-Sensitivity:\r\n normal-no-diversion\r\n"), Some(Sensitivity::NormalNoDiversion));
    assert_eq!(read("Ms-Sensitivity: secret\r\n"), None);
    assert_eq!(read("Ms-Sensitivity: private\r\nMs-Sensitivity: private\r\n"), None);
}
