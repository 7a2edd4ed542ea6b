//! A call of which it is known what it is, until it can be answered: sockets, mailbox and greeting come in
//! at the same time, and the answer leaves together with the first prompt (DEC-44).

use bytes::Bytes;
use umbel_ivr::call_answering::{Greeting, NoDeposit};
use umbel_ivr::conversation::Order;
use umbel_ivr::phrase::Digits;
use umbel_ivr::{Access, Clip, Conversation};
use umbel_store::{GreetingKind, MailboxSummary, Op, Reply, StoredAudio, User};

use crate::call::Question;
use crate::call::mailbox::greetings;
use crate::call::talk::Calling;
use crate::desk::Desk;

/// A caller's offer. It may hold keys, so it does not print.
#[derive(Clone)]
pub(crate) struct Offer(pub(crate) Bytes);

impl std::fmt::Debug for Offer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} octets", self.0.len())
    }
}

/// What the call is going to be.
#[derive(Debug)]
pub(crate) enum Plan {
    /// A message may be left for this user.
    CallAnswering(Box<User>),
    /// The owner of this mailbox, in this way.
    Access(Box<User>, Access),
    /// Nothing is known of the caller.
    AnonymousPilot,
}

impl Plan {
    /// The user whose mailbox the call is about.
    pub(crate) fn user(&self) -> Option<&User> {
        match self {
            Plan::CallAnswering(user) | Plan::Access(user, _) => Some(user),
            Plan::AnonymousPilot => None,
        }
    }
}

/// A call that is being prepared.
#[derive(Debug)]
pub(crate) struct Preparation {
    pub(crate) plan: Plan,
    pub(crate) calling: Calling,
    /// For the count of wrong PINs.
    pub(crate) attempting: String,
    pub(crate) offer: Option<Offer>,
    mailbox: Wanted<MailboxSummary>,
    greeting: Wanted<StoredAudio>,
}

/// Something that the store was asked for.
#[derive(Debug)]
enum Wanted<T> {
    /// Not needed.
    Not,
    /// Asked for.
    Asked,
    /// Here.
    Here(T),
    /// Not to be had.
    Unavailable,
}

impl<T> Wanted<T> {
    fn is_settled(&self) -> bool {
        !matches!(self, Wanted::Asked)
    }
}

impl Preparation {
    /// Asks for what the plan needs.
    pub(crate) fn begin(
        plan: Plan,
        calling: Calling,
        attempting: String,
        offer: Option<Offer>,
        desk: &mut Desk<'_>,
    ) -> Preparation {
        let mailbox = match &plan {
            Plan::CallAnswering(user) => {
                let address = user.address().clone();
                desk.ask(Question::Preparation, Op::OpenMailbox { address, at: desk.wall });
                Wanted::Asked
            }
            Plan::Access(..) => Wanted::Not,
            Plan::AnonymousPilot => Wanted::Not,
        };
        Preparation { plan, calling, attempting, offer, mailbox, greeting: Wanted::Not }
    }

    /// The store replied.
    pub(crate) fn replied(&mut self, reply: Reply, desk: &mut Desk<'_>) {
        match (&self.mailbox, reply) {
            (Wanted::Asked, Reply::Mailbox(summary)) => {
                let mailbox = summary.address.clone();
                let kind = opening(&summary);
                self.mailbox = Wanted::Here(*summary);
                if let Some(kind) = kind {
                    desk.ask(Question::Preparation, Op::FetchGreeting { mailbox, kind });
                    self.greeting = Wanted::Asked;
                }
            }
            (Wanted::Asked, _) => self.mailbox = Wanted::Unavailable,
            (_, Reply::Greeting(Some(audio))) => self.greeting = Wanted::Here(audio),
            (_, _) => self.greeting = Wanted::Unavailable,
        }
    }

    /// Whether everything of the store is here.
    pub(crate) fn is_settled(&self) -> bool {
        self.mailbox.is_settled() && self.greeting.is_settled()
    }

    /// Whether the mailbox could be read, or need not be.
    pub(crate) fn has_mailbox(&self) -> bool {
        matches!(self.mailbox, Wanted::Not | Wanted::Here(_))
    }

    /// Begins the conversation, and hands over the greeting if it is at hand.
    pub(crate) fn converse(self, desk: &Desk<'_>) -> Beginning {
        let mut settings = desk.config.conversation;
        settings.call_answering.shortest = desk.config.recording.min;
        settings.call_answering.longest = desk.config.recording.max;
        settings.subscriber_access.shortest = desk.config.recording.min;
        let user = self.plan.user().cloned();
        let mut greeting = None;
        let conversation = match self.plan {
            Plan::AnonymousPilot => Conversation::access(settings, Access::MailboxAndPin),
            Plan::Access(_, access) => Conversation::access(settings, access),
            Plan::CallAnswering(user) => match self.mailbox {
                Wanted::Here(summary) if summary.full => Conversation::refuse(settings, NoDeposit::Full),
                // REL-11: said before anybody speaks, as for a full mailbox.
                Wanted::Here(summary) if summary.disk_full => {
                    Conversation::refuse(settings, NoDeposit::OutOfService)
                }
                Wanted::Here(summary) => {
                    let kind = opening(&summary);
                    greeting = match (kind, self.greeting) {
                        (Some(kind), Wanted::Here(audio)) => Some((Clip::Greeting(kind), audio)),
                        (_, _) => None,
                    };
                    let words = words(kind.filter(|_| greeting.is_some()), &user);
                    Conversation::answer(settings, words, self.calling.importance)
                }
                Wanted::Not | Wanted::Asked | Wanted::Unavailable => {
                    Conversation::refuse(settings, NoDeposit::OutOfService)
                }
            },
        };
        Beginning { conversation, greeting, user, calling: self.calling, attempting: self.attempting }
    }
}

/// A conversation that has just begun.
pub(crate) struct Beginning {
    pub(crate) conversation: (Conversation, Vec<Order>),
    pub(crate) greeting: Option<(Clip, StoredAudio)>,
    pub(crate) user: Option<User>,
    pub(crate) calling: Calling,
    pub(crate) attempting: String,
}

/// The recording with which callers are greeted, if there is one: the greeting in use, else the name.
fn opening(summary: &MailboxSummary) -> Option<GreetingKind> {
    let recorded = greetings(summary);
    [summary.greeting.kind(), GreetingKind::Name].into_iter().find(|kind| recorded.has(*kind))
}

/// What a caller hears first.
fn words(recorded: Option<GreetingKind>, user: &User) -> Greeting {
    match recorded {
        Some(GreetingKind::Name) => Greeting::Name,
        Some(kind) => Greeting::Recorded(kind),
        None => match user.settings.extension.as_deref().and_then(Digits::read) {
            Some(digits) => Greeting::Extension(digits),
            None => Greeting::Nameless,
        },
    }
}
