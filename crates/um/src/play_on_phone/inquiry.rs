//! May it be placed? What the store says of the owner, of what is to be heard, and of whom to call.

use umbel_play_on_phone::{Dialled, Number, Played, Refusal, Request};
use umbel_store::{Address, Lookup, MessageState, Op, Reply, User};

use crate::call::Question;
use crate::desk::Desk;
use crate::names::Named;
use crate::search::Search;

/// What an inquiry asks, besides who has the dialled name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inquired {
    /// Who asks?
    Owner,
    /// Is there such a message?
    Message,
}

/// A request that is being looked into.
#[derive(Debug)]
pub(crate) struct Inquiry {
    dialled: Target,
    /// Under what name the callee is looked up; none where the owner is called.
    named: Option<Named>,
    owner: Asked<User>,
    message: Asked<()>,
    callee: Search,
}

/// Something that the store was asked for.
#[derive(Debug)]
enum Asked<T> {
    Waiting,
    Here(T),
    /// There is no such thing, for this owner.
    Nothing,
    /// The store does not say.
    Unknown,
}

/// Whom to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// POP-2: an address of ours.
    Address(Address),
    /// POP-3: a number, of a user or outside.
    Number(Number),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Address(address) => write!(f, "{address}"),
            Target::Number(number) => write!(f, "{number}"),
        }
    }
}

/// What may be placed.
#[derive(Debug)]
pub(crate) struct Allowed {
    pub(crate) owner: User,
    pub(crate) target: Target,
    /// A number that is no user's.
    pub(crate) is_outside: bool,
    /// Why it may be called.
    pub(crate) rule: String,
}

impl Inquiry {
    /// Asks everything at once.
    pub(crate) fn begin(request: &Request, desk: &mut Desk<'_>) -> Result<Inquiry, Refusal> {
        let domain = desk.config.locality.domain.clone();
        let dialled = match &request.dial_string {
            None => Target::Address(request.owner.clone()),
            Some(text) => match Dialled::read(text, &domain)? {
                Dialled::Address(address) => Target::Address(address),
                Dialled::Number(number) => Target::Number(number),
            },
        };
        let named = match &dialled {
            Target::Address(address) if *address == request.owner => None,
            Target::Address(address) => Some(Named::Local(address.user().to_owned())),
            Target::Number(number) => Some(Named::Local(number.as_str().to_owned())),
        };
        let owner = Lookup::Address(request.owner.clone());
        desk.ask(Question::PhoneCall(Inquired::Owner), Op::FindUser(owner));
        let message = match request.played {
            Played::Message(id) => {
                desk.ask(Question::PhoneCall(Inquired::Message), Op::FindMessage(id));
                Asked::Waiting
            }
            // Where there is none yet, there is one to be recorded.
            Played::Greeting(_) => Asked::Here(()),
        };
        let callee = Search::begin(&named, &domain, |named, rank, lookup| {
            desk.ask(Question::Who { named, rank }, Op::FindUser(lookup));
        });
        Ok(Inquiry { dialled, named, owner: Asked::Waiting, message, callee })
    }

    /// The store replied.
    pub(crate) fn replied(&mut self, question: Inquired, reply: Reply, owner: &Address) {
        match (question, reply) {
            (Inquired::Owner, Reply::User(Some(user))) => self.owner = Asked::Here(*user),
            (Inquired::Owner, Reply::User(None)) => self.owner = Asked::Nothing,
            (Inquired::Owner, _) => self.owner = Asked::Unknown,
            // SEC-46: another's message is as unknown as one that is not there.
            (Inquired::Message, Reply::Message(Some(message)))
                if message.mailbox == *owner && message.state != MessageState::Deleted =>
            {
                self.message = Asked::Here(());
            }
            (Inquired::Message, Reply::Message(_)) => self.message = Asked::Nothing,
            (Inquired::Message, _) => self.message = Asked::Unknown,
        }
    }

    /// The store replied to who has the dialled name.
    pub(crate) fn found(&mut self, named: Named, rank: usize, reply: Reply) {
        self.callee.replied(named, rank, reply);
    }

    /// What comes of it, once everything is known.
    pub(crate) fn verdict(&mut self, desk: &Desk<'_>) -> Option<Result<Allowed, Refusal>> {
        if matches!(self.owner, Asked::Waiting) || matches!(self.message, Asked::Waiting) {
            return None;
        }
        let people = self.callee.people()?;
        let callee = match (people, &self.named) {
            (Err(_), _) => return Some(Err(Refusal::Unavailable)),
            (Ok(people), Some(named)) => people.user(named).cloned(),
            (Ok(_), None) => None,
        };
        Some(self.decide(callee.as_ref(), desk))
    }

    fn decide(&mut self, callee: Option<&User>, desk: &Desk<'_>) -> Result<Allowed, Refusal> {
        let owner = match std::mem::replace(&mut self.owner, Asked::Unknown) {
            Asked::Here(user) => user,
            Asked::Nothing => return Err(Refusal::NotEnabled),
            Asked::Waiting | Asked::Unknown => return Err(Refusal::Unavailable),
        };
        // CMD-8: nobody hears anything of a mailbox that is disabled.
        if !owner.settings.enabled {
            return Err(Refusal::NotEnabled);
        }
        match self.message {
            Asked::Here(()) => {}
            Asked::Nothing => return Err(Refusal::UnknownItem),
            Asked::Waiting | Asked::Unknown => return Err(Refusal::Unavailable),
        }
        let target = self.dialled.clone();
        let rules = &desk.config.play_on_phone.rules;
        let (is_outside, rule) = match (&target, callee, &self.named) {
            (_, _, None) => (false, "it is the owner's own address".to_owned()),
            // DEC-24
            (_, Some(user), _) => (false, format!("{target} is {}, a user here (DEC-24)", user.address())),
            (Target::Address(_), None, _) => return Err(Refusal::NotANumber),
            // LOOP-4: that would be us.
            (Target::Number(number), None, _) if desk.config.locality.pilots.contains(number.as_str()) => {
                return Err(Refusal::NotAllowed);
            }
            (Target::Number(number), None, _) => match rules.allowing(number) {
                Some(rule) => {
                    (true, format!("{target} is outside, and [dialling] allow has {rule} (SEC-44)"))
                }
                None => return Err(Refusal::NotAllowed),
            },
        };
        Ok(Allowed { owner, target, is_outside, rule })
    }
}
