//! What a request gets that we do not serve: the one table from reasons to responses.

use umbel_sip_message::{Draft, HeaderName, Request, StatusCode};

use crate::capabilities::{self, Served};
use crate::negotiation::Conflict;

/// Why a request is not served. The core answers these itself; above no more is heard of them than [`crate::Event::TurnedAway`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// RFC 3261 8.2.1: a method that we do not take here.
    MethodNotAllowed,
    /// RFC 3261 8.2.2.1: a Request-URI of a scheme that we do not know.
    UnsupportedScheme,
    /// RFC 3261 8.2.2.3: these option tags are required of us.
    BadExtension { unsupported: String },
    /// RFC 3261 8.2.3: a body that we cannot read.
    UnsupportedBody,
    /// RFC 3261 21.4.7: a caller who takes no session description.
    NotAcceptable,
    /// RFC 6086 4.2.2: a body in an INFO that we cannot read.
    UnsupportedInfo,
    /// RFC 6086 4.2.2: an INFO of a package that we did not offer to receive.
    BadInfoPackage,
    /// RFC 6665 4.1.3, 4.2.1.1, 8.3.2: a NOTIFY or SUBSCRIBE of an event package that we do not know.
    BadEvent,
    /// RFC 3261 12.1.1, 8.1.1.8: an INVITE that says not where to reach the caller.
    NoContact,
    /// RFC 3261 12.1.1: a Record-Route that cannot be read, or is too long to keep.
    BadRecordRoute,
    /// RFC 3262 7.2: a PRACK that does not say what it acknowledges.
    NoRAck,
    /// RFC 3891 3, RFC 3911: taking over a call, or joining it, where nobody may.
    Replaces,
    /// RFC 3891 3: an INVITE that names no dialog to replace, or several.
    BadReplaces,
    /// RFC 3891 3: it names a dialog that is over.
    ReplacesOver,
    /// RFC 3891 3: it was to replace an early dialog only, and the call is answered.
    ReplacesEarlyOnly,
    /// RFC 3261 12.2.2: no such dialog, or not theirs.
    NoDialog,
    /// RFC 3261 12.2.2: a sequence number that is not above all before.
    OutOfOrder,
    /// RFC 3261 14.2, RFC 3311 5.2: something of ours is under way.
    RequestPending,
    /// RFC 3261 14.2, RFC 3311 5.2: something of theirs is under way; try again after so many seconds.
    StillBusy { retry_after: u32 },
    /// RFC 4028 9: the session interval is too small; at least so many seconds.
    IntervalTooSmall { min_se: u32 },
    /// PEER-18, REL-23: too many calls, or none are taken any more; try again after so many seconds.
    Unavailable { retry_after: u32 },
}

impl Refusal {
    /// What to do about an offer that comes at the wrong time.
    pub(crate) fn of_conflict(conflict: Conflict, retry_after: u32) -> Self {
        match conflict {
            Conflict::Glare => Refusal::RequestPending,
            Conflict::Unanswered => Refusal::StillBusy { retry_after },
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Refusal::NoContact | Refusal::BadRecordRoute | Refusal::NoRAck => StatusCode::BAD_REQUEST,
            Refusal::BadReplaces => StatusCode::BAD_REQUEST,
            Refusal::Replaces => StatusCode::FORBIDDEN,
            Refusal::ReplacesOver => StatusCode::DECLINE,
            Refusal::ReplacesEarlyOnly => StatusCode::BUSY_HERE,
            Refusal::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::UnsupportedBody | Refusal::UnsupportedInfo => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Refusal::UnsupportedScheme => StatusCode::UNSUPPORTED_URI_SCHEME,
            Refusal::BadExtension { .. } => StatusCode::BAD_EXTENSION,
            Refusal::IntervalTooSmall { .. } => StatusCode::SESSION_INTERVAL_TOO_SMALL,
            Refusal::BadInfoPackage => StatusCode::BAD_INFO_PACKAGE,
            Refusal::BadEvent => StatusCode::BAD_EVENT,
            Refusal::NoDialog => StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST,
            Refusal::RequestPending => StatusCode::REQUEST_PENDING,
            Refusal::OutOfOrder | Refusal::StillBusy { .. } => StatusCode::SERVER_INTERNAL_ERROR,
            Refusal::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The rule, for those who ask why.
    pub(crate) fn why(&self) -> &'static str {
        match self {
            Refusal::MethodNotAllowed => "not a method that is served here (RFC 3261 8.2.1)",
            Refusal::UnsupportedScheme => "the Request-URI is of no scheme that is known (RFC 3261 8.2.2.1)",
            Refusal::BadExtension { .. } => "an extension is required that is not known (RFC 3261 8.2.2.3)",
            Refusal::UnsupportedBody => "a body that cannot be read (RFC 3261 8.2.3)",
            Refusal::NotAcceptable => "the caller takes no session description (RFC 3261 21.4.7)",
            Refusal::UnsupportedInfo => "an INFO whose body cannot be read (RFC 6086 4.2.2)",
            Refusal::BadInfoPackage => "an INFO of a package that is not taken (RFC 6086 4.2.2)",
            Refusal::BadEvent => "an event package that is not known (RFC 6665)",
            Refusal::NoContact => "it has no Contact that can be used (RFC 3261 12.1.1)",
            Refusal::BadRecordRoute => "Record-Route cannot be read, or is too long (RFC 3261 12.1.1)",
            Refusal::NoRAck => "it does not say what it acknowledges (RFC 3262 7.2)",
            Refusal::Replaces => "nobody takes over a call here, or joins it (SEC-23)",
            Refusal::BadReplaces => "Replaces cannot be used (RFC 3891 3)",
            Refusal::ReplacesOver => "the call to be replaced is over (RFC 3891 3)",
            Refusal::ReplacesEarlyOnly => "the call to be replaced is answered (RFC 3891 3)",
            Refusal::NoDialog => {
                "it belongs to no call that is known here, or not by this way (RFC 3261 12.2.2, SEC-54)"
            }
            Refusal::OutOfOrder => "its CSeq is not above those before (RFC 3261 12.2.2)",
            Refusal::RequestPending | Refusal::StillBusy { .. } => {
                "another change is under way (RFC 3261 14.2)"
            }
            Refusal::IntervalTooSmall { .. } => "the session interval is too small (RFC 4028 9)",
            Refusal::Unavailable { .. } => "there are as many calls as there may be (PEER-18, REL-23)",
        }
    }

    /// Whether it is refused because there is too much to do: that is no time to tell much of it.
    pub(crate) fn is_for_want_of_room(&self) -> bool {
        matches!(self, Refusal::Unavailable { .. })
    }

    /// The response, but for the tag of To.
    pub(crate) fn draft(&self, request: &Request, served: Served) -> Draft {
        let mut draft = Draft::reply(request, self.status());
        match self {
            Refusal::MethodNotAllowed => {
                draft.push(HeaderName::Allow, served.allow());
            }
            Refusal::BadExtension { unsupported } => {
                draft.push(HeaderName::Unsupported, unsupported.as_str());
            }
            Refusal::UnsupportedBody => {
                draft.push(HeaderName::Accept, capabilities::ACCEPT);
                draft.push(HeaderName::AcceptEncoding, capabilities::ACCEPT_ENCODING);
            }
            Refusal::UnsupportedInfo => {
                draft.push(HeaderName::Accept, capabilities::ACCEPT_INFO);
            }
            // RFC 6665 8.3.2: "489 … MUST include an Allow-Events header field".
            Refusal::BadEvent => {
                draft.push(HeaderName::AllowEvents, capabilities::EVENT);
            }
            // RFC 6086 4.2.2: the response says which packages we take: none.
            Refusal::BadInfoPackage => {
                draft.push(HeaderName::RecvInfo, "");
            }
            Refusal::IntervalTooSmall { min_se } => {
                draft.push(HeaderName::MinSe, min_se.to_string());
            }
            Refusal::StillBusy { retry_after } | Refusal::Unavailable { retry_after } => {
                draft.push(HeaderName::RetryAfter, retry_after.to_string());
            }
            Refusal::UnsupportedScheme
            | Refusal::NotAcceptable
            | Refusal::NoContact
            | Refusal::BadRecordRoute
            | Refusal::NoRAck
            | Refusal::Replaces
            | Refusal::BadReplaces
            | Refusal::ReplacesOver
            | Refusal::ReplacesEarlyOnly
            | Refusal::NoDialog
            | Refusal::OutOfOrder
            | Refusal::RequestPending => {}
        }
        draft
    }
}
