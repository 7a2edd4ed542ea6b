//! Why a call is not served, and what the caller is told: the one table of this room.

use umbel_sip_message::{HeaderName, StatusCode};

/// Why a call, or a change of its session, is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// PEER-4: the peer is not listed, and unlisted ones are refused.
    Unlisted,
    /// EUMR-23: this header cannot be read.
    Unreadable(HeaderName),
    /// More names than are looked up.
    TooManyNames,
    /// LOOP-5: the call is going round.
    Loop,
    /// Request-URI names no mailbox and no pilot.
    NoSuchMailbox,
    /// DEC-19.
    MailboxDisabled,
    /// PEER-18: as many calls as there may be.
    Busy,
    /// REL-23: we are about to stop.
    Draining,
    /// SEC-31: no mailbox data can be read.
    NoStore,
    /// No sockets for media.
    NoMedia,
    /// REL-25: a fault of ours.
    Broken,
    /// The session that was offered.
    Session(umbel_sdp::Refusal),
}

impl Refusal {
    /// The status of the response.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Refusal::Unlisted => StatusCode::FORBIDDEN,
            Refusal::Unreadable(_) => StatusCode::BAD_REQUEST,
            Refusal::TooManyNames => StatusCode::BAD_REQUEST,
            Refusal::Loop => StatusCode::TEMPORARILY_UNAVAILABLE,
            Refusal::NoSuchMailbox => StatusCode::NOT_FOUND,
            Refusal::MailboxDisabled => StatusCode::TEMPORARILY_UNAVAILABLE,
            Refusal::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Draining => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::NoStore => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::NoMedia => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Broken => StatusCode::SERVER_INTERNAL_ERROR,
            Refusal::Session(refusal) => {
                StatusCode::new(refusal.status()).unwrap_or(StatusCode::NOT_ACCEPTABLE_HERE)
            }
        }
    }

    /// What `umbel why` says of it.
    pub(crate) fn rule(&self) -> String {
        match self {
            Refusal::Unlisted => "PEER-4 peer not listed".to_owned(),
            Refusal::Unreadable(name) => format!("EUMR-23 {name} cannot be read"),
            Refusal::TooManyNames => "more names than are looked up".to_owned(),
            Refusal::Loop => "LOOP-5 the call is going round".to_owned(),
            Refusal::NoSuchMailbox => "no such mailbox".to_owned(),
            Refusal::MailboxDisabled => "mailbox disabled".to_owned(),
            Refusal::Busy => "PEER-18 as many calls as there may be".to_owned(),
            Refusal::Draining => "REL-23 about to stop".to_owned(),
            Refusal::NoStore => "SEC-31 no mailbox data can be read".to_owned(),
            Refusal::NoMedia => "no sockets for media".to_owned(),
            Refusal::Broken => "REL-25 a fault of this server".to_owned(),
            Refusal::Session(refusal) => refusal.to_string(),
        }
    }

    /// Whether another server, or this one a little later, may serve the call.
    const fn is_temporary(&self) -> bool {
        matches!(self, Refusal::Busy | Refusal::Draining | Refusal::NoStore | Refusal::NoMedia)
    }

    /// Whether the store is to keep a record of it. Not of what is refused because there is too much to do.
    pub(crate) const fn is_worth_recording(&self) -> bool {
        !self.is_temporary()
    }

    /// The header fields of the response. `retry_after` is for those that pass, `host` for the warning.
    pub(crate) fn headers(&self, retry_after: u32, host: &str) -> Vec<(HeaderName, String)> {
        let mut headers = Vec::new();
        if self.is_temporary() {
            headers.push((HeaderName::RetryAfter, retry_after.to_string()));
        }
        // RFC 3261 20.43; PEER-7, DIAG-5.
        if let Refusal::Session(refusal) = self {
            headers.push((HeaderName::Warning, format!("{} {host} \"{refusal}\"", refusal.warning())));
        }
        headers
    }
}
