//! What becomes of octets on a stream: framed, read, and answered if need be.

use umbel_sip_message::{Framed, Malformed, frame, parse};

/// The fate of the first message of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Read.
    Accepted,
    /// Answered with this status; the connection lives.
    Refused(u16),
    /// Answered with this status; the connection is closed.
    RefusedAndClosed(u16),
    /// Not answered; the connection lives.
    Dropped,
    /// Not answered; the connection is closed.
    Closed,
    /// More octets are needed.
    Waited,
}

/// Frames and reads the first message.
pub(crate) fn judge(octets: &[u8]) -> Verdict {
    match frame(octets) {
        Framed::Incomplete | Framed::KeepAlive { .. } => Verdict::Waited,
        Framed::Malformed(malformed) => of(&malformed),
        Framed::Message { len } => {
            let message = octets.get(..len).unwrap_or_default().to_vec();
            match parse(message.into()) {
                Ok(_) => Verdict::Accepted,
                Err(malformed) => of(&malformed),
            }
        }
    }
}

/// What a refusal says, after making sure that its answer is itself a message.
pub(crate) fn of(malformed: &Malformed) -> Verdict {
    let Some(reply) = &malformed.reply else {
        return if malformed.close { Verdict::Closed } else { Verdict::Dropped };
    };
    assert_eq!(frame(reply), Framed::Message { len: reply.len() }, "{malformed}");
    let status = reply.get(8..11).and_then(|code| std::str::from_utf8(code).ok());
    let status = status.and_then(|code| code.parse().ok()).expect("a reply has a status code");
    if malformed.close { Verdict::RefusedAndClosed(status) } else { Verdict::Refused(status) }
}
