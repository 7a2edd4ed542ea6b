//! Why a SUBSCRIBE or a NOTIFY is refused, and the one table from that to status codes.

use umbel_sip_message::{Draft, HeaderName, Request, StatusCode};

use crate::notifier::EXPIRES_MIN;
use crate::package::MESSAGE_SUMMARY;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// RFC 3261 8.1.1.8: what creates a dialog has one Contact; or Record-Route cannot be read.
    #[error("no way back to the subscriber")]
    NoWayBack,
    /// RFC 6665 8.2.3: a NOTIFY without a Subscription-State.
    #[error("no Subscription-State")]
    NoState,
    /// RFC 6665 4.1.2.1: our only content type is not accepted.
    #[error("no acceptable content type")]
    NotAcceptable,
    /// RFC 6665 4.2.1.1.
    #[error("interval too brief")]
    IntervalTooBrief,
    /// RFC 6665 4.2.2, SEC-54: not of this dialog.
    #[error("no such subscription")]
    NoSuchSubscription,
    /// RFC 6665 8.3.2.
    #[error("another event package")]
    BadEvent,
    /// RFC 3261 12.2.2.
    #[error("out of order")]
    OutOfOrder,
}

impl Refusal {
    /// The status code.
    pub const fn status(self) -> StatusCode {
        const fn code(code: u16) -> StatusCode {
            match StatusCode::new(code) {
                Some(status) => status,
                None => unreachable!(),
            }
        }
        match self {
            Refusal::NoWayBack => code(400),
            Refusal::NoState => code(400),
            Refusal::NotAcceptable => code(406),
            Refusal::IntervalTooBrief => code(423),
            Refusal::NoSuchSubscription => code(481),
            Refusal::BadEvent => code(489),
            Refusal::OutOfOrder => code(500),
        }
    }

    /// The response; `tag` is ours where To has none yet.
    pub fn draft(self, request: &Request, tag: &str) -> Draft {
        let mut draft = Draft::reply(request, self.status());
        draft.to_tag(tag);
        match self {
            Refusal::NotAcceptable => {
                draft.push(HeaderName::Accept, MESSAGE_SUMMARY.content_type);
            }
            Refusal::IntervalTooBrief => {
                draft.push(HeaderName::MinExpires, EXPIRES_MIN.as_secs());
            }
            Refusal::BadEvent => {
                draft.push(HeaderName::AllowEvents, MESSAGE_SUMMARY.name);
            }
            Refusal::NoWayBack | Refusal::NoState | Refusal::NoSuchSubscription | Refusal::OutOfOrder => {}
        }
        draft
    }
}
