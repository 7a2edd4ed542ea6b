//! Fetching one message: its envelope, its sound, and how its caller can be spoken.

use umbel_ivr::mailbox::{Caller, Envelope, Fetched};
use umbel_ivr::phrase::Digits;
use umbel_ivr::{Clip, Input};
use umbel_store::{
    Address, GreetingKind, Lookup, MessageId, Op, Refusal, Reply, StoreError, StoredAudio, User, VoiceMessage,
};

use crate::call::Question;
use crate::call::mailbox::{Answer, MailboxQuestion};
use crate::desk::Desk;
use crate::names::Named;

/// A message on its way from the store to its owner's ear.
#[derive(Debug)]
pub(crate) struct Fetching {
    mailbox: Address,
    id: MessageId,
    message: Option<Box<VoiceMessage>>,
    /// The sound, once the store has said something about it.
    sound: Option<Sound>,
    /// How to say who called, as far as it is known.
    caller: Caller,
    /// Under what names the caller may be a user of ours; those that were not asked for yet, the best one last.
    lookups: Vec<Lookup>,
    /// The caller's recorded name.
    name: Option<StoredAudio>,
    /// What there is to say instead.
    verdict: Option<Input>,
    /// Replies that are still to come. All are waited for, so that none is taken for one of the next.
    awaited: u8,
}

#[derive(Debug)]
enum Sound {
    Readable(StoredAudio),
    Unreadable,
    /// Somebody removed the message in the meantime (REL-08).
    Gone,
}

impl Fetching {
    /// Asks for envelope and sound at once.
    pub(crate) fn begin(mailbox: Address, id: MessageId, desk: &mut Desk<'_>) -> Fetching {
        let sound = Op::FetchMessage { mailbox: mailbox.clone(), id };
        let mut fetching = Fetching {
            mailbox,
            id,
            message: None,
            sound: None,
            caller: Caller::Unknown,
            lookups: Vec::new(),
            name: None,
            verdict: None,
            awaited: 0,
        };
        fetching.ask(MailboxQuestion::Envelope, Op::FindMessage(id), desk);
        fetching.ask(MailboxQuestion::Sound, sound, desk);
        fetching
    }

    fn ask(&mut self, question: MailboxQuestion, op: Op, desk: &mut Desk<'_>) {
        self.awaited += 1;
        desk.ask(Question::Mailbox(question), op);
    }

    /// Takes a reply; gives the answer once there is one.
    pub(crate) fn replied(
        &mut self,
        question: MailboxQuestion,
        reply: Reply,
        zone: Option<&str>,
        desk: &mut Desk<'_>,
    ) -> Option<Answer> {
        self.awaited = self.awaited.saturating_sub(1);
        self.take(question, reply, desk);
        if self.awaited == 0 { Some(self.answer(zone, desk)) } else { None }
    }

    fn take(&mut self, question: MailboxQuestion, reply: Reply, desk: &mut Desk<'_>) {
        match (question, reply) {
            (MailboxQuestion::Envelope, Reply::Message(Some(message))) if message.mailbox == self.mailbox => {
                self.caller = by_number(&message);
                self.lookups = lookups(&message, desk);
                self.message = Some(message);
                self.look_up(desk);
            }
            // Also a message of another mailbox, which this owner must not learn of.
            (MailboxQuestion::Envelope, Reply::Message(_)) => {
                self.verdict = Some(Input::Fetched(Fetched::Gone));
            }
            (MailboxQuestion::Envelope, _) => self.verdict = Some(Input::Failed),
            (MailboxQuestion::Sound, Reply::Audio(audio)) if !audio.damaged => {
                self.sound = Some(Sound::Readable(audio));
            }
            (MailboxQuestion::Sound, Reply::Failed(StoreError::Refused(Refusal::NoSuchMessage(_)))) => {
                self.sound = Some(Sound::Gone);
            }
            (MailboxQuestion::Sound, _) => self.sound = Some(Sound::Unreadable),
            (MailboxQuestion::Name, Reply::Greeting(Some(name))) => {
                self.name = Some(name);
                self.caller = Caller::Named;
            }
            (MailboxQuestion::Name, _) => {}
            (MailboxQuestion::Caller, Reply::User(Some(user))) => self.is_user(&user, desk),
            (MailboxQuestion::Caller, _) => self.look_up(desk),
            (MailboxQuestion::Only, _) => {}
        }
    }

    /// Asks for the user of the next name, if there is one.
    fn look_up(&mut self, desk: &mut Desk<'_>) {
        if let Some(lookup) = self.lookups.pop() {
            self.ask(MailboxQuestion::Caller, Op::FindUser(lookup), desk);
        }
    }

    /// The caller has a mailbox here, or says so.
    fn is_user(&mut self, user: &User, desk: &mut Desk<'_>) {
        let extension = user.settings.extension.as_deref().and_then(Digits::read);
        let verified = self.message.as_ref().is_some_and(|message| message.caller.verified);
        match (extension, verified) {
            (Some(digits), true) => self.caller = Caller::Extension(digits),
            // DEC-18: nobody vouches for it, so that it is not said in the caller's own voice either.
            (Some(digits), false) => self.caller = Caller::UnverifiedNumber(digits),
            (None, _) => {}
        }
        if verified {
            let name = Op::FetchGreeting { mailbox: user.address().clone(), kind: GreetingKind::Name };
            self.ask(MailboxQuestion::Name, name, desk);
        }
    }

    fn answer(&mut self, zone: Option<&str>, desk: &Desk<'_>) -> Answer {
        if let Some(verdict) = self.verdict.take() {
            return verdict.into();
        }
        let (Some(message), Some(sound)) = (self.message.take(), self.sound.take()) else {
            return Input::Failed.into();
        };
        let caller = std::mem::replace(&mut self.caller, Caller::Unknown);
        let envelope = Box::new(Envelope {
            id: message.id,
            caller,
            received: desk.config.clocks.show(zone, message.received),
            now: desk.config.clocks.show(zone, desk.wall),
            duration: message.duration,
            importance: message.importance,
            state: message.state,
            incomplete: message.incomplete,
        });
        let (fetched, sound) = match sound {
            Sound::Readable(audio) => (Fetched::Readable(envelope), Some(audio)),
            Sound::Unreadable => (Fetched::Unreadable(envelope), None),
            Sound::Gone => (Fetched::Gone, None),
        };
        let mut shelf = vec![(Clip::Message(self.id), sound)];
        if let Some(name) = self.name.take() {
            shelf.push((Clip::CallerName(self.id), Some(name)));
        }
        Answer { input: Some(Input::Fetched(fetched)), shelf, opened: false }
    }
}

/// How to say a caller of whom nothing is known but what the message says.
fn by_number(message: &VoiceMessage) -> Caller {
    let number = message.caller.id.split('@').next().and_then(Digits::read);
    match (number, message.caller.verified) {
        (Some(digits), true) => Caller::Number(digits),
        // DEC-18
        (Some(digits), false) => Caller::UnverifiedNumber(digits),
        (None, _) => Caller::Unknown,
    }
}

/// Under what names a caller may be a user of ours, as far as their form tells; the best one last.
fn lookups(message: &VoiceMessage, desk: &Desk<'_>) -> Vec<Lookup> {
    let locality = &desk.config.locality;
    let Some((user, host)) = message.caller.id.rsplit_once('@') else { return Vec::new() };
    if !locality.is_ours(host) {
        return Vec::new();
    }
    let mut lookups = Named::Local(user.to_owned()).lookups(&locality.domain);
    lookups.reverse();
    lookups
}
