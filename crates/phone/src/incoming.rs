//! What a call that comes is, and what happens to it: [MS-OCEXUM] 3.2, SENS-16, POP-12, POP-13.

use std::time::Duration;

use umbel_sip_message::{HeaderName, Headers, Request, StatusCode, Uri};

use crate::config::{Answering, Redirection};

/// A call that comes, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The URI of From.
    pub caller: Uri,
    /// What the caller is called beside it.
    pub caller_name: Option<String>,
    /// Whose voice mail is played: shown as such, rung through an appearance of being offline, never missed.
    pub kind: Kind,
    /// HDR-3: an automatic system calls.
    pub automatic: bool,
    /// HDR-1: what the call is about, as far as the caller says.
    pub subject: Option<String>,
    /// HDR-2: how important it is, as far as the caller says.
    pub priority: Option<String>,
}

/// Which kind of call comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody wants to talk.
    Call,
    /// The owner's voice mail, at the owner's own request.
    PlayOnPhone,
}

/// Longer subjects and names are cut off: what callers write is shown on one line.
const TEXT_MAX: usize = 200;

impl Incoming {
    /// Reads an initial INVITE. `registered` says whether it came along the flow of our registration.
    pub(crate) fn of(invite: &Request, owner: &Uri, registered: bool) -> Self {
        let headers = invite.headers();
        let from = headers.from();
        Incoming {
            caller: from.uri.to_uri(),
            caller_name: from.display_name().map(|name| shown(&name)).filter(|name| !name.is_empty()),
            kind: kind(headers, owner, registered),
            automatic: is_automatic(headers),
            subject: headers.subject().map(|text| shown(&text)),
            priority: headers.get_text(&HeaderName::Priority).map(|word| shown(&word)),
        }
    }
}

/// RFC 3840 10.5, HDR-3: `automata` in Contact. For display only (HDR-4).
pub(crate) fn is_automatic(headers: &Headers) -> bool {
    let contacts = headers.contacts().ok();
    contacts.is_some_and(|contacts| {
        contacts.first().and_then(|contact| contact.param("automata")).is_some_and(|value| {
            value.is_none_or(|value| value.trim_matches(['<', '>']).eq_ignore_ascii_case("true"))
        })
    })
}

/// POP-13: From, To and we are one address-of-record, and the INVITE came from our own server. `automata`
/// and `Ms-Sensitivity` support this and decide nothing.
fn kind(headers: &Headers, owner: &Uri, registered: bool) -> Kind {
    let owner = owner.address_of_record();
    let is_owner = |address: Option<_>| address.is_some() && address == owner;
    let from = headers.from().uri.address_of_record();
    let to = headers.to().uri.address_of_record();
    if registered && is_owner(from) && is_owner(to) { Kind::PlayOnPhone } else { Kind::Call }
}

/// What strangers write, fit to be shown: one line, of a bounded length.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect()
}

/// What happens to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It rings.
    Ring {
        /// And is answered after this.
        answer_after: Option<Duration>,
    },
    /// It is refused.
    Refuse(StatusCode),
    /// It is sent on.
    Deflect(Uri, Redirection),
}

/// Whether anything may ring at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Presence {
    /// The owner wishes to appear offline.
    pub(crate) appears_offline: bool,
    /// Every line is in use.
    pub(crate) is_busy: bool,
}

/// What happens to a call of this kind.
pub(crate) fn decide(kind: Kind, presence: Presence, answering: &Answering) -> Decision {
    if presence.is_busy {
        return Decision::Refuse(StatusCode::BUSY_HERE);
    }
    match kind {
        Kind::PlayOnPhone => decide_play_on_phone(answering),
        // OCEXUM-3.2-7: to everybody else the telephone is not there.
        Kind::Call if presence.appears_offline => Decision::Refuse(StatusCode::TEMPORARILY_UNAVAILABLE),
        Kind::Call => decide_call(answering),
    }
}

fn decide_call(answering: &Answering) -> Decision {
    match answering {
        Answering::Ring => Decision::Ring { answer_after: None },
        Answering::After { ringing, .. } => Decision::Ring { answer_after: Some(*ringing) },
        Answering::Busy => Decision::Refuse(StatusCode::BUSY_HERE),
        Answering::Decline => Decision::Refuse(StatusCode::DECLINE),
        Answering::Deflect { to, by } => Decision::Deflect(to.clone(), *by),
    }
}

/// OCEXUM-3.2-7: it rings even where the owner appears offline.
fn decide_play_on_phone(answering: &Answering) -> Decision {
    match answering {
        Answering::Ring => Decision::Ring { answer_after: None },
        // POP-12, DEC-28
        Answering::After { ringing, play_on_phone: true } => Decision::Ring { answer_after: Some(*ringing) },
        Answering::After { play_on_phone: false, .. } => Decision::Ring { answer_after: None },
        Answering::Busy => Decision::Refuse(StatusCode::BUSY_HERE),
        Answering::Decline => Decision::Refuse(StatusCode::DECLINE),
        // SENS-16, DEC-28: what is the owner's alone is not sent on to anybody.
        Answering::Deflect { .. } => Decision::Refuse(StatusCode::DECLINE),
    }
}

#[cfg(test)]
#[path = "incoming_tests.rs"]
mod tests;
