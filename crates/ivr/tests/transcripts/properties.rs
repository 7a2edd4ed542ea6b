//! What holds for every conversation, whatever callers and store do.

use std::time::Duration;

use proptest::prelude::*;
use umbel_ivr::call_answering::{CallAnswering, Greeting, NoDeposit, State};
use umbel_ivr::conversation::{Config, PlayId};
use umbel_ivr::mailbox::{
    Caller, Fetched, Greetings, Importance, Listed, MessageState, Overview, PinRefusal, PinVerdict, Sender,
};
use umbel_ivr::subscriber_access::{Settings, StepUp, SubscriberAccess};
use umbel_ivr::{
    Access, Action, Actions, Choice, Conversation, Event, Input, Key, KeyProfile, Keys, Order, Phrase,
    Recorded, RecordingEnding, Request, call_answering,
};

use crate::transcript::{Script, envelope, id, waiver};

fn verdict() -> impl Strategy<Value = PinVerdict> {
    prop_oneof![
        any::<bool>().prop_map(|must_change| PinVerdict::Right { must_change }),
        Just(PinVerdict::Wrong),
        Just(PinVerdict::Locked),
    ]
}

fn recorded() -> impl Strategy<Value = Recorded> {
    let ending = prop_oneof![
        Just(RecordingEnding::Stopped),
        Just(RecordingEnding::Silence),
        Just(RecordingEnding::Limit)
    ];
    (ending, 0..5_000_u64, 0..5_000_u64).prop_map(|(ending, duration, speech)| Recorded {
        ending,
        duration: Duration::from_millis(duration),
        speech: Duration::from_millis(speech),
    })
}

fn fetched() -> impl Strategy<Value = Fetched> {
    (1..9_u8, 0..4_u8, any::<bool>(), any::<bool>()).prop_map(|(n, kind, urgent, deleted)| {
        let mut envelope = envelope(n);
        envelope.importance = if urgent { Importance::High } else { Importance::Low };
        envelope.state = if deleted { MessageState::Deleted } else { MessageState::New };
        envelope.incomplete = urgent;
        if urgent {
            envelope.caller = Caller::Named;
        }
        match kind {
            0 => Fetched::Gone,
            1 => Fetched::Unreadable(envelope),
            _ => Fetched::Readable(envelope),
        }
    })
}

/// Anything a script may be told, in season or not.
fn input() -> impl Strategy<Value = Input> {
    let refusal = prop_oneof![
        Just(PinRefusal::TooShort),
        Just(PinRefusal::TooLong),
        Just(PinRefusal::TooSimple),
        Just(PinRefusal::UsedBefore)
    ];
    let listed = proptest::collection::vec((1..9_u8, any::<bool>()), 0..6).prop_map(|list| {
        Input::Listed(list.into_iter().map(|(n, urgent)| Listed { id: id(n), urgent }).collect())
    });
    prop_oneof![
        8 => proptest::sample::select(Choice::ALL.to_vec()).prop_map(Input::Chose),
        3 => "[0-9]{1,8}".prop_map(|text| Input::Collected(Keys::from(text.as_str()))),
        1 => Just(Input::Collected(Keys::from("135790"))),
        1 => Just(Input::Cancelled),
        1 => Just(Input::NoMatch),
        1 => Just(Input::NoInput),
        1 => Just(Input::ClipFailed),
        2 => recorded().prop_map(Input::Recorded),
        3 => verdict().prop_map(Input::PinChecked),
        2 => (0..3_u32, 0..3_u32, any::<bool>()).prop_map(|(new, old, odd)| {
            Input::Opened(Overview { new, urgent: new.min(1), old, full: odd, out_of_office: odd })
        }),
        2 => listed,
        3 => fetched().prop_map(Input::Fetched),
        1 => any::<[bool; 4]>().prop_map(|[standard, out_of_office, name, out_of_office_active]| {
            Input::Greetings(Greetings { standard, out_of_office, name, out_of_office_active })
        }),
        1 => refusal.prop_map(Input::PinRefused),
        2 => proptest::sample::select(vec![Sender::Inside, Sender::Outside, Sender::NotAllowed])
            .prop_map(Input::Sender),
        1 => Just(Input::Full),
        3 => Just(Input::Done),
        1 => Just(Input::Failed),
    ]
}

pub(crate) fn inputs() -> impl Strategy<Value = Vec<Input>> {
    proptest::collection::vec(input(), 0..60)
}

fn step_up() -> impl Strategy<Value = StepUp> {
    prop_oneof![Just(StepUp::Sensitive), Just(StepUp::Never)]
}

/// Ways to begin subscriber access.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    Pin,
    MailboxAndPin,
    Waived,
}

fn access(start: Start, step_up: StepUp) -> (SubscriberAccess, Actions) {
    let settings = Settings { step_up, ..Settings::default() };
    let access = match start {
        Start::Pin => Access::Pin,
        Start::MailboxAndPin => Access::MailboxAndPin,
        Start::Waived => Access::Waived(waiver()),
    };
    SubscriberAccess::start(access, settings)
}

fn starts() -> impl Strategy<Value = Start> {
    prop_oneof![Just(Start::Pin), Just(Start::MailboxAndPin), Just(Start::Waived)]
}

fn answering() -> (CallAnswering, Actions) {
    CallAnswering::start(Greeting::Nameless, Importance::Normal, call_answering::Settings::default())
}

/// All actions of a conversation, and where it has got to.
fn run<S: Script>(start: (S, Actions), inputs: &[Input]) -> (S, Vec<Action>) {
    let (script, actions) = start;
    let mut all = actions.to_vec();
    let script = inputs.iter().cloned().fold(script, |script, input| {
        let (script, actions) = script.step(input);
        all.extend(actions);
        script
    });
    (script, all)
}

/// What came of the recording, in the order of the actions.
fn is_recording(actions: &[Action]) -> bool {
    let begun = actions.iter().rposition(|action| matches!(action, Action::Record(_)));
    let ended = actions.iter().rposition(|action| {
        matches!(
            action,
            Action::StopRecording | Action::Ask(Request::DropRecording | Request::SaveDeposit(_))
        )
    });
    begun.is_some() && begun > ended
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// OCEXUM-3.1.2-1, CMD-1, I3: a PIN prompt is heard iff there was no waiver.
    #[test]
    fn a_pin_prompt_is_heard_iff_there_was_no_waiver(
        start in starts(), step_up in step_up(), inputs in inputs(),
    ) {
        // Where the mailbox number is asked for first, the PIN prompt takes one.
        let number = Input::Collected(Keys::from("1001"));
        let inputs: Vec<_> = (start == Start::MailboxAndPin).then_some(number).into_iter().chain(inputs).collect();
        let (_, actions) = run(access(start, step_up), &inputs);
        let prompted = actions.contains(&Action::Say(Phrase::EnterPin));
        prop_assert_eq!(prompted, start != Start::Waived);
    }

    /// DEC-13, DEC-14: a skip-pin call is never told to change the PIN, and hears a prompt for it only on the way
    /// to a change that the caller chose.
    #[test]
    fn a_skipped_pin_is_asked_for_only_before_changing_it(step_up in step_up(), inputs in inputs()) {
        let (_, actions) = run(access(Start::Waived, step_up), &inputs);
        prop_assert!(!actions.contains(&Action::Say(Phrase::MustChangePin)));
        if actions.contains(&Action::Say(Phrase::EnterCurrentPin)) {
            prop_assert_eq!(step_up, StepUp::Sensitive);
            prop_assert!(inputs.contains(&Input::Chose(Choice::ChangePin)));
        }
    }

    /// I3: without a waiver nothing of the mailbox is asked for before the PIN was right.
    #[test]
    fn nothing_opens_before_the_pin_was_right(start in starts(), inputs in inputs()) {
        let never_right: Vec<_> = inputs
            .into_iter()
            .filter(|input| !matches!(input, Input::PinChecked(PinVerdict::Right { .. })))
            .collect();
        let (_, actions) = run(access(start, StepUp::Sensitive), &never_right);
        if start != Start::Waived {
            for action in actions {
                prop_assert!(
                    !matches!(action, Action::Ask(ref asked) if !matches!(asked, Request::CheckPin { .. })),
                    "{action:?}"
                );
            }
        }
    }

    /// SEC-84: however the call goes, no fourth PIN is looked at after three wrong ones.
    #[test]
    fn at_most_three_wrong_pins_are_looked_at(start in starts(), inputs in inputs()) {
        let (mut script, _) = access(start, StepUp::Sensitive);
        let mut asked = false;
        let mut wrong = 0;
        for input in inputs {
            let told_wrong = matches!(input, Input::PinChecked(PinVerdict::Wrong));
            wrong += u32::from(asked && told_wrong);
            let replied = matches!(input, Input::PinChecked(_) | Input::Failed);
            let (next, actions) = script.step(input);
            script = next;
            asked = (asked && !replied)
                || actions.iter().any(|action| matches!(action, Action::Ask(Request::CheckPin { .. })));
            prop_assert!(!(asked && wrong >= 3), "a PIN after {wrong} wrong ones");
        }
    }

    /// From every place, hanging up ends the conversation and leaves no recording running.
    #[test]
    fn hanging_up_ends_subscriber_access_and_releases_everything(start in starts(), inputs in inputs()) {
        let (script, mut actions) = run(access(start, StepUp::Sensitive), &inputs);
        let (script, last) = script.step(Input::HungUp);
        prop_assert!(script.has_ended());
        prop_assert!(last.iter().all(|action| matches!(
            action,
            Action::StopRecording | Action::Ask(Request::DropRecording)
        )), "{last:?}");
        actions.extend(last);
        // A recording the script believes in is stopped; one that the media ended was told by `Recorded`.
        let ended_by_media = inputs.iter().any(|input| matches!(input, Input::Recorded(_) | Input::Failed));
        prop_assert!(!is_recording(&actions) || ended_by_media);
        // And nothing more comes of it.
        let (_, after) = run((script, Actions::new()), &inputs);
        prop_assert!(after.is_empty(), "{after:?}");
    }

    /// The same for call answering, where the recording is still to come; what was said is kept once.
    #[test]
    fn hanging_up_ends_call_answering_and_keeps_or_notes_it(inputs in inputs(), left in recorded()) {
        let inputs: Vec<_> = inputs.into_iter().filter(|input| *input != Input::Chose(Choice::LogIn)).collect();
        let (script, mut actions) = run(answering(), &inputs);
        let (script, last) = script.step(Input::HungUp);
        actions.extend(last);
        let (script, last) = if script.state() == State::Ended {
            (script, Actions::new())
        } else {
            prop_assert_eq!(script.state(), State::KeepingRecording);
            script.step(Input::Recorded(left))
        };
        actions.extend(last);
        prop_assert_eq!(script.state(), State::Ended);
        let saved = actions.iter().filter(|a| matches!(a, Action::Ask(Request::SaveDeposit(_)))).count();
        let missed = actions.iter().filter(|a| **a == Action::Ask(Request::NoteMissedCall)).count();
        // I2, MISS-1, MISS-3: one message, or one missed call; both only when the store refused the message.
        let refused = inputs.iter().any(|input| matches!(input, Input::Full | Input::Failed));
        prop_assert!(saved <= 1 && missed <= 1);
        prop_assert!(saved + missed == 1 || (saved + missed == 2 && refused), "saved {saved}, missed {missed}");
        let (_, after) = run((script, Actions::new()), &inputs);
        prop_assert!(after.is_empty());
    }

    /// D1: that a message is saved is said only in answer to the store.
    #[test]
    fn saved_is_only_said_in_answer_to_the_store(inputs in inputs()) {
        let (mut script, _) = answering();
        for input in inputs {
            let done = input == Input::Done;
            let saving = script.state() == State::Saving;
            let (next, actions) = script.step(input);
            script = next;
            if actions.contains(&Action::Say(Phrase::DepositSaved)) {
                prop_assert!(done && saving);
            }
        }
    }

    /// PEER-17: a caller who makes no sense is rid of in a bounded number of steps, from anywhere.
    #[test]
    fn senseless_input_ends_the_call(start in starts(), before in inputs(), profile in profiles()) {
        let mut phone = Phone::new(Conversation::access(config(profile), match start {
            Start::Pin => Access::Pin,
            Start::MailboxAndPin => Access::MailboxAndPin,
            Start::Waived => Access::Waived(waiver()),
        }));
        for input in before {
            phone.handle(Event::Input(input));
        }
        prop_assert!(phone.is_rid_of(), "the conversation goes on: {:?}", phone.conversation);
    }

    /// Random keys, replies, ends of playing and timers, early, late and twice: no panic, one thing played at a time,
    /// and still an end.
    #[test]
    fn no_telephone_and_no_store_can_confuse_a_conversation(
        events in proptest::collection::vec(event(), 0..200), profile in profiles(), kind in 0..5_u8,
    ) {
        let config = config(profile);
        let mut phone = Phone::new(match kind {
            0 => Conversation::answer(config, Greeting::Name, Importance::Normal),
            1 => Conversation::refuse(config, NoDeposit::Full),
            2 => Conversation::access(config, Access::Pin),
            3 => Conversation::access(config, Access::MailboxAndPin),
            _ => Conversation::access(config, Access::Waived(waiver())),
        });
        for event in events {
            phone.handle(event);
        }
        prop_assert!(phone.is_rid_of(), "the conversation goes on: {:?}", phone.conversation);
        phone.handle(Event::Input(Input::HungUp));
        phone.handle(Event::Input(Input::Failed));
        prop_assert!(phone.conversation.has_ended());
        prop_assert!(phone.playing.is_none() && !phone.armed);
    }
}

fn profiles() -> impl Strategy<Value = KeyProfile> {
    prop_oneof![Just(KeyProfile::Exchange), Just(KeyProfile::Asterisk)]
}

fn config(keys: KeyProfile) -> Config {
    Config { keys, ..Config::default() }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => proptest::sample::select(Key::ALL.to_vec()).prop_map(Event::Key),
        3 => (0..40_u32).prop_map(|n| Event::PlayEnded(PlayId(n))),
        1 => Just(Event::TimeIsOver),
        4 => input().prop_filter("made from keys", |input| !is_made_from_keys(input)).prop_map(Event::Input),
    ]
}

/// What a conversation makes itself is not told from outside.
fn is_made_from_keys(input: &Input) -> bool {
    matches!(
        input,
        Input::Chose(_)
            | Input::Collected(_)
            | Input::Cancelled
            | Input::NoMatch
            | Input::NoInput
            | Input::ClipFailed
    )
}

/// How many turns a conversation with nobody may take.
const TURNS_MAX: usize = 60;

/// An owner of the call that does what is ordered, and nothing else.
struct Phone {
    conversation: Conversation,
    playing: Option<PlayId>,
    armed: bool,
    hung_up: bool,
}

impl Phone {
    fn new((conversation, orders): (Conversation, Vec<Order>)) -> Self {
        let mut phone = Phone { conversation, playing: None, armed: false, hung_up: false };
        phone.carry_out(&orders);
        phone
    }

    fn handle(&mut self, event: Event) {
        match &event {
            Event::PlayEnded(id) if self.playing == Some(*id) => self.playing = None,
            Event::TimeIsOver => self.armed = false,
            _ => {}
        }
        let orders = self.conversation.handle(event);
        self.carry_out(&orders);
    }

    fn carry_out(&mut self, orders: &[Order]) {
        for order in orders {
            match order {
                Order::Play(id, sounds) => {
                    assert!(self.playing.replace(*id).is_none(), "two things are played at once");
                    assert!(!sounds.is_empty());
                }
                Order::StopPlaying => assert!(self.playing.take().is_some(), "nothing to stop"),
                Order::Arm(_) => self.armed = true,
                Order::Disarm => assert!(std::mem::take(&mut self.armed), "nothing to disarm"),
                Order::HangUp => self.hung_up = true,
                _ => {}
            }
        }
    }

    /// Whether a caller who does nothing any more is rid of. The store refuses everything, which is the longest way.
    fn is_rid_of(&mut self) -> bool {
        for _ in 0..TURNS_MAX {
            if self.hung_up || self.conversation.has_ended() {
                return true;
            }
            let silence = Recorded {
                ending: RecordingEnding::Silence,
                duration: Duration::from_secs(10),
                speech: Duration::ZERO,
            };
            match self.playing {
                Some(_) if self.armed => self.handle(Event::TimeIsOver),
                Some(id) => self.handle(Event::PlayEnded(id)),
                None if self.armed => self.handle(Event::TimeIsOver),
                None => {
                    self.handle(Event::Input(Input::Failed));
                    self.handle(Event::Input(Input::Recorded(silence)));
                }
            }
        }
        self.hung_up || self.conversation.has_ended()
    }
}
