//! What a conversation asks of the store: each request one or more operations, each answer one fact.

use umbel_ivr::mailbox::{Greetings, Listed, Overview, PinRefusal, PinVerdict, Sender};
use umbel_ivr::{Clip, Input, Keys, Request};
use umbel_play_on_phone::Played;
use umbel_sip_message::Uri;
use umbel_store::{
    ActiveGreeting, Address, Attempt, Author, Folder, GreetingKind, Importance, Lookup, MailboxSummary,
    MessageId, MessageState, NewPin, Op, Pin, Refusal, Reply, StoreError, StoredAudio, User, Verdict,
    VoiceMessage, WeakPin,
};

use crate::call::Question;
use crate::call::calling_back::{FindingSender, Found};
use crate::call::envelope::Fetching;
use crate::desk::Desk;

/// The mailbox that a call is about, and how far the caller has come.
#[derive(Debug)]
pub(crate) struct Mailbox {
    /// Whose it is; none at a pilot, until somebody says it.
    address: Option<Address>,
    /// The owner's time zone.
    zone: Option<String>,
    /// Who is asking, for the count of wrong PINs (DEC-6).
    caller: String,
    call_id: String,
    entered: Option<Entered>,
    open: Option<Open>,
    /// Who may be called back: who left this message.
    sender: Option<(MessageId, Uri)>,
}

/// How the caller got in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entered {
    ByPin,
    BySkip,
    /// Not at all: somebody answered a telephone that we called, and hears this (POP-11).
    OnPhone(Played),
}

impl Entered {
    /// SEC-43, POP-11: whoever merely answered a telephone gets at what was asked for, and at nothing else.
    fn may(self, request: &Request) -> bool {
        match (self, request) {
            (Entered::ByPin | Entered::BySkip, _) => true,
            (Entered::OnPhone(Played::Message(played)), Request::Fetch(id) | Request::MarkHeard(id)) => {
                played == *id
            }
            (Entered::OnPhone(Played::Greeting(_)), Request::Greetings) => true,
            (Entered::OnPhone(_), _) => false,
        }
    }
}

/// The request that waits for an answer.
#[derive(Debug)]
enum Open {
    /// Which mailbox has this number?
    Finding {
        pin: Pin,
        mailbox: Address,
    },
    /// Is the PIN right?
    CheckingPin {
        mailbox: Address,
        zone: Option<String>,
    },
    Opening,
    Listing {
        folder: Folder,
        listed: Vec<Listed>,
    },
    Fetching(Box<Fetching>),
    Greetings,
    /// Who left this message? None before the message is here.
    FindingSender(MessageId, Option<FindingSender>),
    /// Anything that is either done or not.
    Acting,
}

/// Which operation a reply belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailboxQuestion {
    /// The one operation of a request, or the next of several.
    Only,
    /// The envelope of the message that is being fetched.
    Envelope,
    /// Its sound.
    Sound,
    /// Whether its caller is a user of ours.
    Caller,
    /// The recorded name of its caller.
    Name,
}

/// What a reply came to.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// For the conversation; none while more is to come.
    pub(crate) input: Option<Input>,
    /// Recordings that are at hand now, or cannot be read.
    pub(crate) shelf: Vec<(Clip, Option<StoredAudio>)>,
    /// The mailbox was opened.
    pub(crate) opened: bool,
}

impl From<Input> for Answer {
    fn from(input: Input) -> Answer {
        Answer { input: Some(input), ..Answer::default() }
    }
}

impl Mailbox {
    /// The mailbox of this user, or none that is known.
    pub(crate) fn new(user: Option<&User>, caller: String, call_id: String) -> Mailbox {
        Mailbox {
            address: user.map(|user| user.address().clone()),
            zone: user.and_then(|user| user.settings.time_zone.clone()),
            caller,
            call_id,
            entered: None,
            open: None,
            sender: None,
        }
    }

    pub(crate) fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    /// Whether somebody who may has come in.
    pub(crate) fn is_open(&self) -> bool {
        self.entered.is_some()
    }

    /// The caller passes without a PIN.
    pub(crate) fn enter_by_skip(&mut self) {
        self.entered = Some(Entered::BySkip);
    }

    /// Somebody answered a telephone that we called to play this, and comes to nothing else.
    pub(crate) fn enter_on_phone(&mut self, played: Played) {
        self.entered = Some(Entered::OnPhone(played));
    }

    /// Who does what is done now.
    pub(crate) fn author(&self) -> Author {
        let call_id = self.call_id.clone();
        match self.entered {
            Some(Entered::BySkip) => Author::OwnerBySkip { call_id },
            Some(Entered::OnPhone(_)) => Author::OwnerOnPhone { call_id },
            Some(Entered::ByPin) | None => Author::OwnerByPin { call_id },
        }
    }

    /// Asks what a conversation wants to know. Recordings are not asked for here. Gives the answer where
    /// the store need not be asked.
    pub(crate) fn ask(&mut self, request: Request, desk: &mut Desk<'_>) -> Option<Input> {
        let Request::CheckPin { mailbox, pin } = request else { return self.ask_inside(request, desk) };
        let pin = attempted(&pin);
        match (mailbox, self.address.clone()) {
            (Some(number), _) => {
                let Ok(unknown) = Address::new(number.expose(), &desk.config.locality.domain) else {
                    return Some(Input::PinChecked(PinVerdict::Wrong));
                };
                desk.ask(Question::mailbox(), Op::FindUser(Lookup::Extension(number.expose().to_owned())));
                self.open = Some(Open::Finding { pin, mailbox: unknown });
                None
            }
            (None, Some(mailbox)) => {
                self.check_pin(pin, mailbox, self.zone.clone(), desk);
                None
            }
            (None, None) => Some(Input::PinChecked(PinVerdict::Wrong)),
        }
    }

    fn check_pin(&mut self, pin: Pin, mailbox: Address, zone: Option<String>, desk: &mut Desk<'_>) {
        let attempt = Attempt {
            mailbox: mailbox.clone(),
            secret: pin,
            caller: self.caller.clone(),
            call_id: Some(self.call_id.clone()),
            at: desk.wall,
        };
        desk.ask(Question::mailbox(), Op::CheckPin(Box::new(attempt)));
        self.open = Some(Open::CheckingPin { mailbox, zone });
    }

    /// Requests that need an open mailbox. Scripts do not make them before; this is the second lock.
    fn ask_inside(&mut self, request: Request, desk: &mut Desk<'_>) -> Option<Input> {
        let (Some(mailbox), Some(entered)) = (self.address.clone(), self.entered) else {
            return Some(Input::Failed);
        };
        if !entered.may(&request) {
            return Some(Input::Failed);
        }
        let (author, at) = (self.author(), desk.wall);
        let mut act = |op| {
            desk.ask(Question::mailbox(), op);
            Open::Acting
        };
        let open = match request {
            Request::MarkHeard(id) | Request::Save(id) => act(Op::MarkHeard { mailbox, id, heard: true }),
            Request::KeepAsNew(id) => act(Op::MarkHeard { mailbox, id, heard: false }),
            Request::Delete(id) => act(Op::DeleteMessage { mailbox, id, author, at }),
            Request::Undelete(id) => act(Op::RestoreMessage { mailbox, id, author, at }),
            Request::RemoveGreeting(kind) => act(Op::RemoveGreeting { mailbox, kind, author, at }),
            Request::UseGreeting(kind) => match active(kind) {
                Some(greeting) => act(Op::ChooseGreeting { mailbox, greeting, author, at }),
                None => return Some(Input::Failed),
            },
            Request::ChangePin(keys) => match Pin::new(keys.expose()) {
                Ok(pin) => act(Op::SetPin { address: mailbox, pin: NewPin::Own(pin), author, at }),
                Err(_) => return Some(Input::PinRefused(unusable(&keys))),
            },
            Request::Open => {
                desk.ask(Question::mailbox(), Op::OpenMailbox { address: mailbox, at });
                Open::Opening
            }
            Request::Greetings => {
                desk.ask(Question::mailbox(), Op::OpenMailbox { address: mailbox, at });
                Open::Greetings
            }
            Request::List(folder) => {
                let folder = Folder::In(match folder {
                    umbel_ivr::mailbox::Folder::New => MessageState::New,
                    umbel_ivr::mailbox::Folder::Old => MessageState::Old,
                });
                desk.ask(Question::mailbox(), Op::ListMessages { mailbox, folder, after: None });
                Open::Listing { folder, listed: Vec::new() }
            }
            Request::FindSender(id) => {
                self.sender = None;
                desk.ask(Question::mailbox(), Op::FindMessage(id));
                Open::FindingSender(id, None)
            }
            Request::Fetch(id) => Open::Fetching(Box::new(Fetching::begin(mailbox, id, desk))),
            Request::CheckPin { .. }
            | Request::SaveGreeting(_)
            | Request::SaveDeposit(_)
            | Request::CallSender(_)
            | Request::DropRecording
            | Request::NoteMissedCall => return Some(Input::Failed),
        };
        self.open = Some(open);
        None
    }

    /// Takes a reply of the store.
    pub(crate) fn replied(&mut self, question: MailboxQuestion, reply: Reply, desk: &mut Desk<'_>) -> Answer {
        match (self.open.take(), question) {
            (Some(Open::Fetching(mut fetching)), question) => {
                let zone = self.zone.as_deref();
                match fetching.replied(question, reply, zone, desk) {
                    Some(answer) => answer,
                    None => {
                        self.open = Some(Open::Fetching(fetching));
                        Answer::default()
                    }
                }
            }
            (Some(Open::Finding { pin, mailbox }), _) => self.found(pin, mailbox, reply, desk),
            (Some(Open::CheckingPin { mailbox, zone }), _) => self.checked(mailbox, zone, reply),
            (Some(Open::Opening), _) => match reply {
                Reply::Mailbox(summary) => {
                    Answer { opened: true, ..Input::Opened(overview(&summary)).into() }
                }
                _ => Input::Failed.into(),
            },
            (Some(Open::Greetings), _) => match reply {
                Reply::Mailbox(summary) => Input::Greetings(greetings(&summary)).into(),
                _ => Input::Failed.into(),
            },
            (Some(Open::Listing { folder, listed }), _) => self.listed(folder, listed, reply, desk),
            (Some(Open::FindingSender(id, finding)), _) => self.find_sender(id, finding, reply, desk),
            (Some(Open::Acting), _) => acted(&reply).into(),
            (None, _) => Answer::default(),
        }
    }

    /// Goes on looking for who left a message.
    fn find_sender(
        &mut self,
        id: MessageId,
        finding: Option<FindingSender>,
        reply: Reply,
        desk: &mut Desk<'_>,
    ) -> Answer {
        let found = match (finding, reply) {
            (None, Reply::Message(Some(message))) if Some(&message.mailbox) == self.address.as_ref() => {
                match FindingSender::begin(&message, desk) {
                    Ok(finding) => {
                        self.open = Some(Open::FindingSender(id, Some(finding)));
                        return Answer::default();
                    }
                    Err(found) => found,
                }
            }
            // Also a message of another mailbox.
            (None, _) => Found::Nobody,
            (Some(mut finding), reply) => match finding.replied(reply, desk) {
                Some(found) => found,
                None => {
                    self.open = Some(Open::FindingSender(id, Some(finding)));
                    return Answer::default();
                }
            },
        };
        match found {
            Found::Callable(sender, uri) => {
                self.sender = Some((id, uri));
                Input::Sender(sender).into()
            }
            Found::NotAllowed => Input::Sender(Sender::NotAllowed).into(),
            Found::Nobody => Input::Failed.into(),
        }
    }

    /// Who left this message, once that was found and may be called.
    pub(crate) fn sender(&self, id: MessageId) -> Option<&Uri> {
        self.sender.as_ref().filter(|(known, _)| *known == id).map(|(_, uri)| uri)
    }

    /// SEC-86: an unknown mailbox costs the same PIN check as a known one.
    fn found(&mut self, pin: Pin, unknown: Address, reply: Reply, desk: &mut Desk<'_>) -> Answer {
        let Reply::User(user) = reply else { return Input::Failed.into() };
        let (mailbox, zone) = match user {
            Some(user) => (user.settings.address, user.settings.time_zone),
            None => (unknown, None),
        };
        self.check_pin(pin, mailbox, zone, desk);
        Answer::default()
    }

    fn checked(&mut self, mailbox: Address, zone: Option<String>, reply: Reply) -> Answer {
        let verdict = match reply {
            Reply::Checked(Verdict::Right { must_change }) => {
                self.address = Some(mailbox);
                self.zone = zone;
                self.entered = Some(Entered::ByPin);
                PinVerdict::Right { must_change }
            }
            Reply::Checked(Verdict::Wrong { .. }) => PinVerdict::Wrong,
            Reply::Checked(Verdict::Locked(_) | Verdict::CallerLocked { .. }) => PinVerdict::Locked,
            // SEC-31: no PIN is accepted without checking it.
            _ => return Input::Failed.into(),
        };
        Input::PinChecked(verdict).into()
    }

    fn listed(
        &mut self,
        folder: Folder,
        mut listed: Vec<Listed>,
        reply: Reply,
        desk: &mut Desk<'_>,
    ) -> Answer {
        let (Reply::Messages(messages), Some(mailbox)) = (reply, self.address.clone()) else {
            return Input::Failed.into();
        };
        let is_full_page = messages.len() >= umbel_store::LIST_MAX;
        let last = messages.last().map(|message| message.number);
        listed.extend(messages.iter().map(line));
        match last.filter(|_| is_full_page) {
            Some(after) => {
                desk.ask(Question::mailbox(), Op::ListMessages { mailbox, folder, after: Some(after) });
                self.open = Some(Open::Listing { folder, listed });
                Answer::default()
            }
            None => Input::Listed(listed).into(),
        }
    }
}

/// The PIN that was keyed. What cannot be one is tried all the same, as a PIN that no policy allows, so
/// that it counts and takes as long as any other (SEC-85, SEC-86).
fn attempted(keys: &Keys) -> Pin {
    const NOBODYS: &str = "0";
    Pin::new(keys.expose()).or_else(|_| Pin::new(NOBODYS)).expect("one digit is a PIN")
}

fn unusable(keys: &Keys) -> PinRefusal {
    if keys.is_empty() { PinRefusal::TooShort } else { PinRefusal::TooLong }
}

fn active(kind: GreetingKind) -> Option<ActiveGreeting> {
    match kind {
        GreetingKind::Standard => Some(ActiveGreeting::Standard),
        GreetingKind::OutOfOffice => Some(ActiveGreeting::OutOfOffice),
        // The name is no greeting by itself; no menu offers it.
        GreetingKind::Name => None,
    }
}

fn line(message: &VoiceMessage) -> Listed {
    Listed { id: message.id, urgent: message.importance == Importance::High }
}

fn overview(summary: &MailboxSummary) -> Overview {
    Overview {
        new: summary.counts.new,
        urgent: summary.counts.urgent_new,
        old: summary.counts.old,
        full: summary.full,
        out_of_office: summary.greeting == ActiveGreeting::OutOfOffice,
    }
}

/// Which greetings there are.
pub(crate) fn greetings(summary: &MailboxSummary) -> Greetings {
    let has = |kind| summary.greetings.iter().any(|greeting| greeting.kind == kind);
    Greetings {
        standard: has(GreetingKind::Standard),
        out_of_office: has(GreetingKind::OutOfOffice),
        name: has(GreetingKind::Name),
        out_of_office_active: summary.greeting == ActiveGreeting::OutOfOffice,
    }
}

/// The answer to what is either done or not.
fn acted(reply: &Reply) -> Input {
    match reply {
        Reply::Done | Reply::PinSet(_) | Reply::Saved(_) => Input::Done,
        Reply::Failed(StoreError::Refused(Refusal::WeakPin(weak))) => Input::PinRefused(refused(*weak)),
        _ => Input::Failed,
    }
}

/// SEC-83.
fn refused(weak: WeakPin) -> PinRefusal {
    match weak {
        WeakPin::Short { .. } => PinRefusal::TooShort,
        WeakPin::Sequence => PinRefusal::TooSimple,
        WeakPin::Repeated => PinRefusal::TooSimple,
        WeakPin::Extension => PinRefusal::TooSimple,
        WeakPin::UsedBefore => PinRefusal::UsedBefore,
    }
}
