//! Why a request is refused, and the one table from that to status codes and diagnostics.

use std::net::IpAddr;

use umbel_sip_message::{Request, StatusCode};
use umbel_store::call_id_on_record;

/// Why a request is refused by ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request breaks a rule of its syntax that only matters here.
    BadRequest,
    /// SENS-2: `Ms-Sensitivity` twice, or of another value.
    BadSensitivity,
    /// REG-4, REG-5: From, or To of a REGISTER, belongs to somebody else.
    FromOfAnother,
    /// SEC-48: a wrong password, or nobody of that name.
    WrongPassword,
    /// SEC-49: too many wrong passwords; this one was not looked at.
    Guesser,
    /// SEC-52: the sender may not have requests passed on to there.
    MayNotRelay,
    /// SEC-52: a Route that is not ours, of somebody who is no peer.
    ForeignRoute,
    /// SEC-52: within a dialog, to where its other side is not.
    ForeignTarget,
    /// RFC 3261 10.3, step 1: a REGISTER for a domain that is not ours.
    ForeignDomain,
    /// RFC 3327: a Path of somebody who is no peer.
    ForeignPath,
    /// SEC-51: a contact that is an address of our own.
    OwnContact,
    /// SEC-51: more contacts than an address may have.
    TooManyContacts,
    /// SEC-56: about the messages of somebody else.
    MailboxOfAnother,
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
    /// RFC 5626 5.3.1: the telephone has its flow and nothing else, and that is gone.
    FlowFailed,
    /// RFC 5626 6: the client keeps flows, and the first server on its way does not.
    FirstHopLacksOutbound,
    /// Not registered.
    NotRegistered,
    /// Rang, and nobody answered.
    NoAnswer,
    /// The `block` flag.
    Blocked,
    /// As many strangers ring this callee as may at once.
    TooManyRing,
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
    /// RFC 3261 10.3, step 7: older than what it would change.
    OutOfOrder,
    /// RFC 3261 16.7, step 6: a 503 of somebody there, which is not ours to pass on.
    UnavailableThere,
    /// No voice mail server or gateway answers.
    Unavailable,
    /// REL-23: we are stopping.
    Draining,
    /// The store does not answer.
    StoreFailed,
    /// A table of ours is full.
    Full,
    /// RFC 3261 16.7: no answer from where it went.
    NoResponse,
}

/// A request that was refused by ourselves: what a log line says of it, and no more than that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why; [`Refusal::answer`] has the status, [`Refusal::why`] the rule in words.
    pub refusal: Refusal,
    /// The method, cut where it is too long for one.
    pub method: String,
    /// Where it came from.
    pub source: IpAddr,
    /// The name in the peer's certificate, if it has shown one.
    pub peer: Option<String>,
    /// The call, as it is on record.
    pub call_id: String,
}

impl Refused {
    /// Octets of a method on record.
    const METHOD_MAX: usize = 32;

    pub(crate) fn new(refusal: Refusal, request: &Request, source: IpAddr, peer: Option<String>) -> Self {
        Refused {
            refusal,
            // A token has no characters but those of ASCII.
            method: request.method().as_str().chars().take(Self::METHOD_MAX).collect(),
            source,
            peer,
            call_id: call_id_on_record(request.headers().call_id()).to_owned(),
        }
    }
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
            Refusal::FromOfAnother
            | Refusal::WrongPassword
            | Refusal::Guesser
            | Refusal::MayNotRelay
            | Refusal::ForeignRoute
            | Refusal::ForeignTarget
            | Refusal::ForeignDomain
            | Refusal::ForeignPath
            | Refusal::OwnContact
            | Refusal::TooManyContacts
            | Refusal::MailboxOfAnother => plain(403),
            Refusal::NotFound => plain(404),
            Refusal::MethodNotAllowed => plain(405),
            Refusal::UnsupportedScheme => plain(416),
            Refusal::BadExtension => plain(420),
            Refusal::IntervalTooBrief => plain(423),
            Refusal::FlowFailed => plain(430),
            Refusal::FirstHopLacksOutbound => plain(439),
            Refusal::MaxBreadthExceeded => plain(440),
            Refusal::NotRegistered => with(480, 13_002, "nothing is registered"),
            Refusal::NoAnswer => with(480, 13_002, "nobody answered"),
            Refusal::Blocked => with(480, 13_002, "calls are blocked"),
            Refusal::Undivertable => with(480, 13_001, "the call may not be forwarded"),
            Refusal::ForwardedToItself => with(480, 13_000, "forwarded to itself"),
            Refusal::TooManyDiversions => with(480, 13_000, "diverted too often"),
            Refusal::NoSuchDialog => plain(481),
            Refusal::TooManyRing => plain(486),
            Refusal::Loop => with(482, 13_000, "loop"),
            Refusal::TooManyHops => with(483, 13_000, "too many hops"),
            Refusal::Cancelled => plain(487),
            Refusal::BadEvent => plain(489),
            Refusal::OutOfOrder | Refusal::UnavailableThere => plain(500),
            Refusal::Unavailable | Refusal::Draining | Refusal::StoreFailed | Refusal::Full => plain(503),
            Refusal::NoResponse => plain(408),
        }
    }
    /// The rule, for logs and for those who ask why. Unlike the diagnostics, no sender sees it.
    pub const fn why(self) -> &'static str {
        match self {
            Refusal::BadRequest => "the request breaks a rule of its syntax",
            Refusal::BadSensitivity => "SENS-2: Ms-Sensitivity twice, or not of its four values",
            Refusal::FromOfAnother => "REG-4: From belongs to somebody else",
            Refusal::WrongPassword => "SEC-48: wrong password, or nobody of that name",
            Refusal::Guesser => "SEC-49: too many wrong passwords from there",
            Refusal::MayNotRelay => "SEC-52: the sender may not call outside",
            Refusal::ForeignRoute => "SEC-52: a Route that this server has not given",
            Refusal::ForeignTarget => "SEC-52: the other side of this dialog is not there",
            Refusal::ForeignDomain => "RFC 3261 10.3: registers in a domain that is not ours",
            Refusal::ForeignPath => "RFC 3327: a Path of an unknown server",
            Refusal::OwnContact => "SEC-51: the contact is an address of this server",
            Refusal::TooManyContacts => "SEC-51: too many contacts",
            Refusal::MailboxOfAnother => "SEC-56: the mailbox of somebody else",
            Refusal::NotFound => "nobody of that name",
            Refusal::MethodNotAllowed => "not a method for this address",
            Refusal::UnsupportedScheme => "not a sip, sips or tel URI",
            Refusal::BadExtension => "an extension is required that we do not have",
            Refusal::IntervalTooBrief => "DEC-7: the registration is too short",
            Refusal::BadEvent => "RFC 6665: no such event package",
            Refusal::FlowFailed => "RFC 5626: the flow of the telephone is gone",
            Refusal::FirstHopLacksOutbound => "RFC 5626: the first server on the way keeps no flows",
            Refusal::MaxBreadthExceeded => "RFC 5393: no breadth is left",
            Refusal::NotRegistered => "no telephone is registered",
            Refusal::NoAnswer => "nobody answered",
            Refusal::Blocked => "the callee blocks all calls",
            Refusal::TooManyRing => "as many strangers ring this user as may at once",
            Refusal::Undivertable => "SENS-10: all calls are forwarded, and this one may not be",
            Refusal::ForwardedToItself => "LOOP-3: forwarded to itself",
            Refusal::TooManyDiversions => "LOOP-5: diverted too often",
            Refusal::NoSuchDialog => "SEC-54: no dialog that this server has a part in",
            Refusal::Loop => "LOOP-2: it has been here before",
            Refusal::TooManyHops => "LOOP-1: Max-Forwards is used up",
            Refusal::Cancelled => "the caller has given up",
            Refusal::OutOfOrder => "RFC 3261 10.3: older than the registration it would change",
            Refusal::UnavailableThere => "where it went is unavailable",
            Refusal::Unavailable => "no server or gateway answers",
            Refusal::Draining => "REL-23: the server is stopping",
            Refusal::StoreFailed => "the store does not answer",
            Refusal::Full => "a table is full",
            Refusal::NoResponse => "no answer from where it went",
        }
    }

    /// Whether this is how calls end every day, and nothing to tell an operator of.
    pub const fn is_ordinary(self) -> bool {
        matches!(self, Refusal::NotRegistered | Refusal::NoAnswer | Refusal::Cancelled | Refusal::NoResponse)
    }
}

const fn status(code: u16) -> StatusCode {
    match StatusCode::new(code) {
        Some(status) => status,
        None => unreachable!(),
    }
}
