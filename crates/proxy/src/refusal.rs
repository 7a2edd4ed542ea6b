//! Why a request is refused, and the one table from that to status codes and diagnostics.

use umbel_sip_message::StatusCode;

/// Why a request is refused by ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request breaks a rule of its syntax that only matters here.
    BadRequest,
    /// SENS-2: `Ms-Sensitivity` twice, or of another value.
    BadSensitivity,
    /// The sender may not do this.
    Forbidden,
    /// Nobody of that name, or no mailbox.
    NotFound,
    /// Not for a proxy or registrar like this.
    MethodNotAllowed,
    /// A URI that we cannot route.
    UnsupportedScheme,
    /// RFC 3261 16.3, 10.3: an option that we do not know.
    BadExtension,
    /// DEC-7.
    IntervalTooBrief,
    /// RFC 6665: an event package that we do not have.
    BadEvent,
    /// RFC 5393 5: no breadth is left.
    MaxBreadthExceeded,
    /// Not registered.
    NotRegistered,
    /// Rang, and nobody answered.
    NoAnswer,
    /// The `block` flag.
    Blocked,
    /// SENS-10: all calls are forwarded, this one may not be.
    Undivertable,
    /// LOOP-3: forwarded to where it had been.
    ForwardedToItself,
    /// LOOP-5: diverted too often.
    TooManyDiversions,
    /// In a dialog that we have no part in.
    NoSuchDialog,
    /// RFC 5393 4: it has been here before.
    Loop,
    /// LOOP-1.
    TooManyHops,
    /// Cancelled by the caller before anybody rang.
    Cancelled,
    /// RFC 3261 10.3 step 7, or something of ours failed.
    ServerError,
    /// No voice mail server, gateway or store answers; or we are stopping.
    Unavailable,
    /// RFC 3261 16.7: no answer from where it went.
    NoResponse,
}

/// What a refusal looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// [MS-OCER] 2.2.1: the number and the text, for readers inside.
    pub diagnostics: Option<(u32, &'static str)>,
}

impl Refusal {
    /// 5.6 and 11.2 of the digest, RFC 3261 21.
    pub const fn answer(self) -> Answer {
        const fn plain(code: u16) -> Answer {
            Answer { status: status(code), diagnostics: None }
        }
        const fn with(code: u16, id: u32, text: &'static str) -> Answer {
            Answer { status: status(code), diagnostics: Some((id, text)) }
        }
        match self {
            Refusal::BadRequest => plain(400),
            Refusal::BadSensitivity => with(400, 13_003, "Ms-Sensitivity is not formatted as expected"),
            Refusal::Forbidden => plain(403),
            Refusal::NotFound => plain(404),
            Refusal::MethodNotAllowed => plain(405),
            Refusal::UnsupportedScheme => plain(416),
            Refusal::BadExtension => plain(420),
            Refusal::IntervalTooBrief => plain(423),
            Refusal::MaxBreadthExceeded => plain(440),
            Refusal::NotRegistered => with(480, 13_002, "nothing is registered"),
            Refusal::NoAnswer => with(480, 13_002, "nobody answered"),
            Refusal::Blocked => with(480, 13_002, "calls are blocked"),
            Refusal::Undivertable => with(480, 13_001, "the call may not be forwarded"),
            Refusal::ForwardedToItself => with(480, 13_000, "forwarded to itself"),
            Refusal::TooManyDiversions => with(480, 13_000, "diverted too often"),
            Refusal::NoSuchDialog => plain(481),
            Refusal::Loop => with(482, 13_000, "loop"),
            Refusal::TooManyHops => with(483, 13_000, "too many hops"),
            Refusal::Cancelled => plain(487),
            Refusal::BadEvent => plain(489),
            Refusal::ServerError => plain(500),
            Refusal::Unavailable => plain(503),
            Refusal::NoResponse => plain(408),
        }
    }
}

const fn status(code: u16) -> StatusCode {
    match StatusCode::new(code) {
        Some(status) => status,
        None => unreachable!(),
    }
}
