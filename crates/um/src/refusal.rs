//! Why a call is not served, and what the caller is told: the one table of this room.

use umbel_sip_message::{HeaderName, StatusCode};

/// Why a call, a change of its session, or what is asked beside calls is refused.
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
    /// LOOP-7: a call of ours has come back.
    OurOwnCall,
    /// Request-URI names no mailbox and no pilot.
    NoSuchMailbox,
    /// MWI-3: a mailbox is looked at by its owner only.
    NotOwner,
    /// MISS-2: a notice that does not say who called whom in which call.
    NoNotice,
    /// RFC 3428 7: a MESSAGE of another kind than we know.
    UnknownBody,
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
            Refusal::OurOwnCall => StatusCode::LOOP_DETECTED,
            Refusal::NoSuchMailbox => StatusCode::NOT_FOUND,
            Refusal::NotOwner => StatusCode::FORBIDDEN,
            Refusal::NoNotice => StatusCode::BAD_REQUEST,
            Refusal::UnknownBody => StatusCode::UNSUPPORTED_MEDIA_TYPE,
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
            Refusal::Unlisted => "the peer is not listed, and such peers are refused (PEER-4)".to_owned(),
            Refusal::Unreadable(name) => format!("{name} cannot be read, and is not guessed at (EUMR-23)"),
            Refusal::TooManyNames => "the call names more people than are looked up".to_owned(),
            Refusal::Loop => "the call has been diverted too often: it is going round (LOOP-5)".to_owned(),
            Refusal::OurOwnCall => {
                "this is a call of ours to a user's telephone, and somebody sent it back to us (LOOP-7)"
                    .to_owned()
            }
            Refusal::NoSuchMailbox => "there is no such mailbox".to_owned(),
            Refusal::NotOwner => "somebody else's mailbox is nobody's business (MWI-3)".to_owned(),
            Refusal::NoNotice => "the notice does not say who called whom in which call (MISS-2)".to_owned(),
            Refusal::UnknownBody => "the message is of a kind that is not known".to_owned(),
            Refusal::MailboxDisabled => "the mailbox is disabled".to_owned(),
            Refusal::Busy => "there are as many calls as there may be (PEER-18)".to_owned(),
            Refusal::Draining => "the server is about to stop (REL-23)".to_owned(),
            Refusal::NoStore => "the store did not say in time what is needed (SEC-31)".to_owned(),
            Refusal::NoMedia => "there are no free ports for media".to_owned(),
            Refusal::Broken => "a fault of this server (REL-25)".to_owned(),
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
        // RFC 3261 21.4.13
        if *self == Refusal::UnknownBody {
            headers.push((HeaderName::Accept, "message/sipfrag".to_owned()));
        }
        headers
    }
}
