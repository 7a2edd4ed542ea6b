//! One call's conversation: script, keys and language joined, with a narrow mouth for the owner of the call.
//!
//! It decides what keys do to what is being heard: which cut it short (barge-in), which are kept until they
//! are asked for (type-ahead), which are ignored, and how long they may take.

use std::time::Duration;

use crate::action::{Action, Actions, Clip, Purpose, Request, Seek, Speed, StartAt, Volume};
use crate::call_answering::{self, CallAnswering};
use crate::collect::{Collector, Grammar, Outcome};
use crate::input::Input;
use crate::keys::{Key, TypedAhead};
use crate::language::{Language, Prompt, Word};
use crate::mailbox::{Importance, PinVerdict};
use crate::menu::{KeyProfile, Menu};
use crate::play_on_phone::{self, PlayOnPhone};
use crate::subscriber_access::{self, Access, SubscriberAccess};

/// The settings of all conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// What is spoken.
    pub language: Language,
    /// `[um] keys`.
    pub keys: KeyProfile,
    /// For callers who leave a message.
    pub call_answering: call_answering::Settings,
    /// For owners.
    pub subscriber_access: subscriber_access::Settings,
    /// For telephones that we call.
    pub play_on_phone: play_on_phone::Settings,
}

/// Names one [`Order::Play`] of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlayId(pub u32);

/// What the owner of the call has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The caller pressed a key.
    Key(Key),
    /// Everything of this order has been heard.
    PlayEnded(PlayId),
    /// A clip of this order cannot be read, or not to its end. What follows it plays on.
    ClipFailed(PlayId, Clip),
    /// The timer armed last has fired.
    TimeIsOver,
    /// Anything else: a reply of the store (every [`Request`] but two gets exactly one; `Failed` when it takes
    /// too long), `Recorded` (`Failed` when nothing could be recorded), `HungUp`.
    Input(Input),
}

/// What the owner of the call has to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Play these one after the other, and tell when all has been heard. Nothing else is playing.
    Play(PlayId, Vec<Sound>),
    /// Stop what is playing, and keep in mind where in its clip. `PlayEnded` need not come any more.
    StopPlaying,
    /// Hold what is playing.
    Pause,
    /// Go on with it.
    Resume,
    /// Move within the clip that is playing or held.
    Seek(Seek),
    /// Play clips at this speed from now on.
    SetSpeed(Speed),
    /// Play everything at this loudness from now on.
    SetVolume(Volume),
    /// Arm the one timer, in place of any earlier arming.
    Arm(Duration),
    /// Disarm it.
    Disarm,
    /// Record, with the limits that the configuration has for this purpose.
    Record(Purpose),
    /// End the recording; `Recorded` follows.
    StopRecording,
    /// Ask the store.
    Ask(Request),
    /// The caller goes from a greeting to the log-in. The conversation goes on by itself; this is for the
    /// record (DEC-16: from now on the PIN was `prompted`).
    LoggingIn,
    /// Hang up.
    HangUp,
}

/// Something to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// One of our recordings, of the conversation's language.
    Prompt(Prompt),
    /// Nothing, for so long.
    Gap(Duration),
    /// The tone after which one speaks.
    Tone,
    /// Something recorded by a user.
    Clip(Clip, StartAt),
}

/// One call's conversation.
#[derive(Clone, Debug)]
pub struct Conversation {
    config: Config,
    script: Script,
    /// What is to be heard once what is playing has been heard.
    queue: Vec<Sound>,
    playing: Option<PlayId>,
    last_play: PlayId,
    held: bool,
    armed: bool,
    then: Then,
    typed_ahead: TypedAhead,
}

#[derive(Clone, Debug)]
enum Script {
    CallAnswering(CallAnswering),
    SubscriberAccess(SubscriberAccess),
    PlayOnPhone(PlayOnPhone),
    /// Being stepped, or given up: nothing is wished any more, whatever happens.
    Gone,
}

/// What happens when everything has been heard.
#[derive(Clone, Debug)]
enum Then {
    /// The script waits for the store, or for nothing any more.
    Wait,
    Collect(Collector),
    Record(Purpose),
    /// Being recorded.
    Recording,
    HangUp,
}

impl Conversation {
    /// Greets a caller.
    pub fn answer(
        config: Config,
        greeting: call_answering::Greeting,
        importance: Importance,
    ) -> (Self, Vec<Order>) {
        let (script, actions) = CallAnswering::start(greeting, importance, config.call_answering);
        Self::begin(config, Script::CallAnswering(script), actions)
    }

    /// Tells a caller that no message can be left.
    pub fn refuse(config: Config, why: call_answering::NoDeposit) -> (Self, Vec<Order>) {
        let (script, actions) = CallAnswering::refuse(why, config.call_answering);
        Self::begin(config, Script::CallAnswering(script), actions)
    }

    /// Lets an owner in.
    pub fn access(config: Config, access: Access) -> (Self, Vec<Order>) {
        let (script, actions) = SubscriberAccess::start(access, config.subscriber_access);
        Self::begin(config, Script::SubscriberAccess(script), actions)
    }

    /// Plays something on a telephone that we called; `confirm`: once a key has been pressed there.
    pub fn play_on_phone(config: Config, item: play_on_phone::Item, confirm: bool) -> (Self, Vec<Order>) {
        let (script, actions) = PlayOnPhone::start(item, confirm, config.play_on_phone);
        Self::begin(config, Script::PlayOnPhone(script), actions)
    }

    fn begin(config: Config, script: Script, actions: Actions) -> (Self, Vec<Order>) {
        let mut conversation = Conversation {
            config,
            script,
            queue: Vec::new(),
            playing: None,
            last_play: PlayId::default(),
            held: false,
            armed: false,
            then: Then::Wait,
            typed_ahead: TypedAhead::default(),
        };
        let mut orders = Vec::new();
        conversation.perform(actions, &mut orders);
        conversation.go_on(&mut orders);
        (conversation, orders)
    }

    /// Whether there is nothing more to come: all that was ordered may be given back.
    pub fn has_ended(&self) -> bool {
        match &self.script {
            Script::CallAnswering(script) => script.state() == call_answering::State::Ended,
            Script::SubscriberAccess(script) => script.has_ended(),
            Script::PlayOnPhone(script) => script.has_ended(),
            Script::Gone => true,
        }
    }

    /// Ends it here, wherever it is: nothing that happens has any effect on it from now on (REL-25).
    pub fn give_up(&mut self) {
        self.script = Script::Gone;
        self.queue.clear();
        self.typed_ahead.clear();
        self.then = Then::Wait;
    }

    /// Takes one event.
    pub fn handle(&mut self, event: Event) -> Vec<Order> {
        let mut orders = Vec::new();
        match event {
            Event::Key(key) => self.key(key, &mut orders),
            Event::PlayEnded(id) if self.playing == Some(id) => {
                self.playing = None;
                self.held = false;
            }
            Event::ClipFailed(id, clip) if self.playing == Some(id) => self.clip_failed(clip, &mut orders),
            // Late news about something that was stopped.
            Event::PlayEnded(_) | Event::ClipFailed(..) => {}
            Event::TimeIsOver => self.time_is_over(&mut orders),
            Event::Input(input) => self.told(input, &mut orders),
        }
        self.go_on(&mut orders);
        orders
    }

    fn key(&mut self, key: Key, orders: &mut Vec<Order>) {
        match &mut self.then {
            Then::Collect(collector) => {
                let outcome = collector.key(key);
                self.collected(outcome, orders);
            }
            Then::Recording => {
                if let Some(choice) = Menu::Recording.choice(self.config.keys, key) {
                    self.step(Input::Chose(choice), orders);
                }
            }
            // The store is slow, the caller is quick.
            Then::Wait => self.typed_ahead.push(key),
            // The tone or the end of the call is near; a key does not change that.
            Then::Record(_) | Then::HangUp => {}
        }
    }

    fn time_is_over(&mut self, orders: &mut Vec<Order>) {
        self.armed = false;
        if let Then::Collect(collector) = &mut self.then {
            let outcome = collector.time_is_over();
            let held = self.held;
            match outcome {
                // What is held goes on by order of the script, not by being cut short.
                Outcome::Finished { input, .. } if held => self.step(input, orders),
                outcome => self.collected(outcome, orders),
            }
        }
    }

    fn clip_failed(&mut self, clip: Clip, orders: &mut Vec<Order>) {
        match clip {
            // The rest of the envelope is worth hearing without the name.
            Clip::CallerName(_) => {}
            Clip::Greeting(_) | Clip::Message(_) | Clip::Recording => {
                self.silence(orders);
                self.step(Input::ClipFailed, orders);
            }
        }
    }

    fn told(&mut self, input: Input, orders: &mut Vec<Order>) {
        match input {
            Input::HungUp => {
                self.silence(orders);
                self.typed_ahead.clear();
                self.step(input, orders);
                self.then = Then::Wait;
            }
            // Keys typed after a wrong PIN were meant for a mailbox that did not open.
            Input::PinChecked(PinVerdict::Wrong | PinVerdict::Locked) | Input::Failed => {
                self.typed_ahead.clear();
                self.step(input, orders);
            }
            input => self.step(input, orders),
        }
    }

    fn collected(&mut self, outcome: Outcome, orders: &mut Vec<Order>) {
        match outcome {
            Outcome::Ignored => {}
            Outcome::More(patience) => {
                self.silence(orders);
                self.arm(patience, orders);
            }
            Outcome::Finished { input, keeps_playing } => {
                if !keeps_playing {
                    self.silence(orders);
                }
                if matches!(input, Input::NoMatch | Input::NoInput) {
                    self.typed_ahead.clear();
                }
                self.step(input, orders);
            }
        }
    }

    /// Barge-in: nothing is heard any more, and nothing more is waited for.
    fn silence(&mut self, orders: &mut Vec<Order>) {
        self.queue.clear();
        self.held = false;
        if self.playing.take().is_some() {
            orders.push(Order::StopPlaying);
        }
        self.disarm(orders);
    }

    fn arm(&mut self, patience: Duration, orders: &mut Vec<Order>) {
        self.armed = true;
        orders.push(Order::Arm(patience));
    }

    fn disarm(&mut self, orders: &mut Vec<Order>) {
        if std::mem::take(&mut self.armed) {
            orders.push(Order::Disarm);
        }
    }

    fn step(&mut self, input: Input, orders: &mut Vec<Order>) {
        let actions;
        self.script = match std::mem::replace(&mut self.script, Script::Gone) {
            Script::CallAnswering(script) => {
                let (script, wished) = script.step(input);
                actions = wished;
                Script::CallAnswering(script)
            }
            Script::SubscriberAccess(script) => {
                let (script, wished) = script.step(input);
                actions = wished;
                Script::SubscriberAccess(script)
            }
            Script::PlayOnPhone(script) => {
                let (script, wished) = script.step(input);
                actions = wished;
                Script::PlayOnPhone(script)
            }
            Script::Gone => return,
        };
        self.perform(actions, orders);
    }

    fn perform(&mut self, actions: Actions, orders: &mut Vec<Order>) {
        for action in actions {
            match action {
                Action::Say(phrase) => {
                    let words = self.config.language.say(&phrase, self.config.keys);
                    self.queue.extend(words.into_iter().map(|word| match word {
                        Word::Prompt(prompt) => Sound::Prompt(prompt),
                        Word::Gap(length) => Sound::Gap(length),
                    }));
                }
                Action::Play(clip, start) => self.queue.push(Sound::Clip(clip, start)),
                Action::Collect(grammar) => {
                    self.then = Then::Collect(Collector::new(grammar, self.config.keys));
                }
                Action::Pause => {
                    self.held = true;
                    orders.push(Order::Pause);
                }
                Action::Resume => {
                    self.held = false;
                    self.disarm(orders);
                    orders.push(Order::Resume);
                }
                Action::Seek(seek) => orders.push(Order::Seek(seek)),
                Action::SetSpeed(speed) => orders.push(Order::SetSpeed(speed)),
                Action::SetVolume(volume) => orders.push(Order::SetVolume(volume)),
                Action::Record(purpose) => {
                    self.typed_ahead.clear();
                    self.queue.push(Sound::Tone);
                    self.then = Then::Record(purpose);
                }
                Action::StopRecording => {
                    self.then = Then::Wait;
                    orders.push(Order::StopRecording);
                }
                Action::Ask(request) => {
                    if request.has_reply() {
                        self.then = Then::Wait;
                    }
                    orders.push(Order::Ask(request));
                }
                Action::LogIn => self.log_in(orders),
                Action::HangUp => self.then = Then::HangUp,
            }
        }
    }

    fn log_in(&mut self, orders: &mut Vec<Order>) {
        orders.push(Order::LoggingIn);
        let (script, actions) = SubscriberAccess::start(Access::Pin, self.config.subscriber_access);
        self.script = Script::SubscriberAccess(script);
        self.perform(actions, orders);
    }

    /// Brings about what comes next, as far as it depends on nobody else.
    fn go_on(&mut self, orders: &mut Vec<Order>) {
        while self.go_one_step_on(orders) {}
    }

    /// Says whether there may be more to do.
    fn go_one_step_on(&mut self, orders: &mut Vec<Order>) -> bool {
        if let Then::Collect(collector) = &mut self.then
            && let Some(key) = self.typed_ahead.pop()
        {
            let outcome = collector.key(key);
            self.collected(outcome, orders);
            return true;
        }
        if self.playing.is_some() {
            if let Then::Collect(collector) = &self.then
                && self.held
                && !self.armed
            {
                let patience = collector.grammar().patience();
                self.arm(patience, orders);
            }
            return false;
        }
        if !self.queue.is_empty() {
            self.last_play = PlayId(self.last_play.0.wrapping_add(1));
            self.playing = Some(self.last_play);
            orders.push(Order::Play(self.last_play, std::mem::take(&mut self.queue)));
            return false;
        }
        self.all_is_heard(orders)
    }

    fn all_is_heard(&mut self, orders: &mut Vec<Order>) -> bool {
        match &mut self.then {
            Then::Collect(_) if self.armed => false,
            Then::Collect(collector) => match (collector.grammar(), collector.grammar().patience()) {
                (Grammar::Menu(_), Duration::ZERO) => {
                    let outcome = collector.time_is_over();
                    self.collected(outcome, orders);
                    true
                }
                (_, patience) => {
                    self.arm(patience, orders);
                    false
                }
            },
            Then::Record(purpose) => {
                orders.push(Order::Record(*purpose));
                self.then = Then::Recording;
                false
            }
            Then::HangUp => {
                orders.push(Order::HangUp);
                self.then = Then::Wait;
                false
            }
            Then::Wait | Then::Recording => false,
        }
    }
}
