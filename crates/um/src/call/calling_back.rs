//! Whom to call back: who left a message, as the message says, and what the dialling rules say of it (SEC-90).

use umbel_ivr::mailbox::Sender;
use umbel_play_on_phone::Number;
use umbel_sip_message::Uri;
use umbel_store::{Lookup, Op, Reply, User, VoiceMessage};

use crate::call::Question;
use crate::desk::Desk;
use crate::names::Named;

/// Looking for who left a message.
#[derive(Debug, Default)]
pub(super) struct FindingSender {
    /// The message was found, and left by this number, if it is one.
    number: Option<Number>,
    /// Somebody vouches for it (DEC-18).
    verified: bool,
    /// Names that were not tried yet, the best one last.
    lookups: Vec<Lookup>,
}

/// What is known in the end.
#[derive(Debug)]
pub(super) enum Found {
    /// This may be called.
    Callable(Sender, Uri),
    /// It may not.
    NotAllowed,
    /// Nobody knows, or the store does not say.
    Nobody,
}

impl FindingSender {
    /// The message, once the store has given it; asks for the first name.
    pub(super) fn begin(message: &VoiceMessage, desk: &mut Desk<'_>) -> Result<FindingSender, Found> {
        let locality = &desk.config.locality;
        let (user, is_ours) = match message.caller.id.rsplit_once('@') {
            Some((user, host)) => (user, locality.is_ours(host)),
            None => (message.caller.id.as_str(), true),
        };
        let number = Number::read(user);
        // A number of the world's beside a gateway's address is one all the same; a short one is that place's own.
        if !is_ours && !user.starts_with('+') {
            return Err(Found::Nobody);
        }
        let mut lookups = Named::Local(user.to_owned()).lookups(&locality.domain);
        lookups.reverse();
        let mut finding = FindingSender { number, verified: message.caller.verified, lookups };
        match finding.ask(desk) {
            true => Ok(finding),
            false => Err(finding.without_a_user(desk)),
        }
    }

    /// The store replied; gives what is known once that is all.
    pub(super) fn replied(&mut self, reply: Reply, desk: &mut Desk<'_>) -> Option<Found> {
        match reply {
            Reply::User(Some(user)) => Some(inside(&user)),
            Reply::User(None) if self.ask(desk) => None,
            Reply::User(None) => Some(self.without_a_user(desk)),
            _ => Some(Found::Nobody),
        }
    }

    fn ask(&mut self, desk: &mut Desk<'_>) -> bool {
        let next = self.lookups.pop();
        let is_asked = next.is_some();
        if let Some(lookup) = next {
            desk.ask(Question::mailbox(), Op::FindUser(lookup));
        }
        is_asked
    }

    /// SEC-44. A number that nobody vouches for may be anybody's trap.
    fn without_a_user(&self, desk: &Desk<'_>) -> Found {
        let Some(number) = &self.number else { return Found::Nobody };
        let is_pilot = desk.config.locality.pilots.contains(number.as_str());
        let is_allowed = desk.config.play_on_phone.rules.allowing(number).is_some();
        let uri = Uri::sip(number.as_str(), &desk.config.locality.domain);
        match uri {
            Some(uri) if is_allowed && self.verified && !is_pilot => {
                Found::Callable(Sender::Outside, uri.with_param("user", Some("phone")))
            }
            Some(_) | None => Found::NotAllowed,
        }
    }
}

fn inside(user: &User) -> Found {
    match Uri::sip(user.address().user(), user.address().domain()) {
        Some(uri) => Found::Callable(Sender::Inside, uri),
        None => Found::Nobody,
    }
}
