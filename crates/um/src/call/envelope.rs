//! Fetching one message: its envelope, its sound, and how its caller can be spoken.

use umbel_ivr::mailbox::{Caller, Envelope, Fetched};
use umbel_ivr::phrase::Digits;
use umbel_ivr::{Clip, Input};
use umbel_store::{
    Address, GreetingKind, Lookup, MessageId, Op, Refusal, Reply, StoreError, StoredAudio, VoiceMessage,
};

use crate::call::Question;
use crate::call::mailbox::{Answer, MailboxQuestion};
use crate::desk::Desk;

/// A message on its way from the store to its owner's ear.
#[derive(Debug)]
pub(crate) struct Fetching {
    mailbox: Address,
    id: MessageId,
    message: Option<Box<VoiceMessage>>,
    /// The sound, once the store has said something about it.
    sound: Option<Sound>,
    /// The caller, once it is known how to say it.
    caller: Option<Caller>,
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
            caller: None,
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
                self.caller = self.say(&message, desk);
                self.message = Some(message);
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
                self.caller = Some(Caller::Named);
            }
            (MailboxQuestion::Name, _) => self.ask_extension(desk),
            (MailboxQuestion::Extension, Reply::User(Some(user))) => {
                let digits = user.settings.extension.as_deref().and_then(Digits::read);
                self.caller = Some(digits.map_or(Caller::Unknown, Caller::Extension));
            }
            (MailboxQuestion::Extension, _) => self.caller = Some(Caller::Unknown),
            (MailboxQuestion::Only, _) => {}
        }
    }

    /// How to say who left a message, if the store need not be asked for that.
    fn say(&mut self, message: &VoiceMessage, desk: &mut Desk<'_>) -> Option<Caller> {
        let caller = &message.caller;
        if let Some(address) = local(&caller.id, desk).filter(|_| caller.verified) {
            let kind = GreetingKind::Name;
            self.ask(MailboxQuestion::Name, Op::FetchGreeting { mailbox: address, kind }, desk);
            return None;
        }
        let number = caller.id.split('@').next().and_then(Digits::read);
        Some(match (number, caller.verified) {
            (Some(digits), true) => Caller::Number(digits),
            // DEC-18
            (Some(digits), false) => Caller::UnverifiedNumber(digits),
            (None, _) => Caller::Unknown,
        })
    }

    fn ask_extension(&mut self, desk: &mut Desk<'_>) {
        let caller = self.message.as_ref().and_then(|message| local(&message.caller.id, desk));
        match caller {
            Some(address) => {
                let find = Op::FindUser(Lookup::Address(address));
                self.ask(MailboxQuestion::Extension, find, desk);
            }
            None => self.caller = Some(Caller::Unknown),
        }
    }

    fn answer(&mut self, zone: Option<&str>, desk: &Desk<'_>) -> Answer {
        if let Some(verdict) = self.verdict.take() {
            return verdict.into();
        }
        let (Some(message), Some(sound)) = (self.message.take(), self.sound.take()) else {
            return Input::Failed.into();
        };
        let caller = self.caller.take().unwrap_or(Caller::Unknown);
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

/// The address of a caller that is a user of ours, as far as its form tells.
fn local(caller: &str, desk: &Desk<'_>) -> Option<Address> {
    let address: Address = caller.parse().ok()?;
    desk.config.locality.is_ours(address.domain()).then_some(address)
}
