//! How a conversation is written down, and the people and messages in it.

use std::time::Duration;

use umbel_ivr::mailbox::{
    Caller, Envelope, Fetched, Importance, Listed, MessageId, MessageState, Overview, PinVerdict,
};
use umbel_ivr::phrase::{Digits, LocalTime};
use umbel_ivr::{
    Access, Actions, CallAnswering, Choice, Input, Keys, PlayOnPhone, Recorded, RecordingEnding,
    SubscriberAccess, subscriber_access,
};
use umbel_ocexum as ocexum;
use umbel_sip_message::AddressOfRecord;

pub(crate) trait Script: Sized {
    fn step(self, input: Input) -> (Self, Actions);
}

impl Script for CallAnswering {
    fn step(self, input: Input) -> (Self, Actions) {
        CallAnswering::step(self, input)
    }
}

impl Script for SubscriberAccess {
    fn step(self, input: Input) -> (Self, Actions) {
        SubscriberAccess::step(self, input)
    }
}

impl Script for PlayOnPhone {
    fn step(self, input: Input) -> (Self, Actions) {
        PlayOnPhone::step(self, input)
    }
}

/// Compares a conversation with its transcript; what a script is told has `>` before it.
#[track_caller]
pub(crate) fn check<S: Script>(
    start: (S, Actions),
    inputs: impl IntoIterator<Item = Input>,
    expected: &str,
) -> S {
    let (script, actions) = start;
    let mut lines = written(&actions);
    let script = inputs.into_iter().fold(script, |script, input| {
        lines.push(format!("> {}", input_written(&input)));
        let (script, actions) = script.step(input);
        lines.extend(written(&actions));
        script
    });
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert!(lines == expected, "the conversation was\n\n        {}\n", lines.join("\n        "));
    script
}

/// Continues one.
#[track_caller]
pub(crate) fn check_on<S: Script>(script: S, inputs: impl IntoIterator<Item = Input>, expected: &str) -> S {
    check((script, Actions::new()), inputs, expected)
}

/// Goes through inputs without looking.
pub(crate) fn after<S: Script>(start: (S, Actions), inputs: impl IntoIterator<Item = Input>) -> S {
    inputs.into_iter().fold(start.0, |script, input| script.step(input).0)
}

fn written(actions: &Actions) -> Vec<String> {
    actions.iter().map(|action| short(&format!("{action:?}"))).collect()
}

fn input_written(input: &Input) -> String {
    match input {
        Input::Fetched(Fetched::Readable(envelope)) => short(&format!("Fetched({:?})", envelope.id)),
        Input::Fetched(Fetched::Unreadable(envelope)) => {
            short(&format!("Fetched({:?}, unreadable)", envelope.id))
        }
        Input::Listed(listed) => {
            let ids: Vec<_> = listed.iter().map(|one| format!("{:?}", one.id)).collect();
            short(&format!("Listed({})", ids.join(", ")))
        }
        Input::Recorded(recorded) => {
            format!("Recorded({:?}, {:?})", recorded.ending, recorded.duration)
        }
        other => short(&format!("{other:?}")),
    }
}

/// Message identifiers as `m1`, digits without the type around them.
fn short(text: &str) -> String {
    let text =
        (1..=9).fold(text.to_owned(), |text, n| text.replace(&format!("{:?}", id(n)), &format!("m{n}")));
    text.replace("Digits(\"", "(\"").replace("StartAt::", "")
}

pub(crate) fn id(n: u8) -> MessageId {
    let mut bytes = [0; 16];
    bytes[15] = n;
    MessageId::from_bytes(bytes)
}

pub(crate) fn keys(text: &str) -> Keys {
    Keys::from(text)
}

pub(crate) fn collected(text: &str) -> Input {
    Input::Collected(keys(text))
}

pub(crate) const fn chose(choice: Choice) -> Input {
    Input::Chose(choice)
}

pub(crate) fn digits(text: &str) -> Digits {
    Digits::read(text).unwrap()
}

pub(crate) fn pin_right() -> Input {
    Input::PinChecked(PinVerdict::Right { must_change: false })
}

pub(crate) fn pin_wrong() -> Input {
    Input::PinChecked(PinVerdict::Wrong)
}

pub(crate) fn recorded(ending: RecordingEnding, seconds: u64) -> Input {
    let duration = Duration::from_secs(seconds);
    Input::Recorded(Recorded { ending, duration, speech: duration })
}

pub(crate) fn opened(new: u32, old: u32) -> Input {
    Input::Opened(Overview { new, old, ..Overview::default() })
}

/// Messages 1 to `count`, none urgent.
pub(crate) fn listed(count: u8) -> Input {
    Input::Listed((1..=count).map(|n| Listed { id: id(n), urgent: false }).collect())
}

pub(crate) fn envelope(n: u8) -> Box<Envelope> {
    let now = LocalTime { year: 2026, month: 11, day: 21, hour: 9, minute: 0 };
    Box::new(Envelope {
        id: id(n),
        caller: Caller::Extension(digits("1002")),
        received: LocalTime { hour: 8, minute: 15, ..now },
        now,
        duration: Duration::from_secs(12),
        importance: Importance::Normal,
        state: MessageState::New,
        incomplete: false,
    })
}

pub(crate) fn fetched(n: u8) -> Input {
    Input::Fetched(Fetched::Readable(envelope(n)))
}

/// A waiver, made where all waivers are made, from a call for which rules P1 to P6 hold.
pub(crate) fn waiver() -> ocexum::PinWaiver {
    let owner = AddressOfRecord::new("alice", "example.test").unwrap();
    let alice = ocexum::Party::User(owner.clone());
    let trust = ocexum::Trust {
        transport: Ok(ocexum::Basis::ListedPeer),
        identity: ocexum::Identity::Listed,
        peer: Some("proxy.example.test".to_owned()),
    };
    ocexum::pin_waiver(&ocexum::Claim {
        direct_access: true,
        trust: &trust,
        command: Some(ocexum::ExchangeCommand::SkipPin),
        owner: &owner,
        caller: &ocexum::Caller { asserted: vec![alice.clone()], from: alice },
        journey: &ocexum::Journey::default(),
        allowance: ocexum::Allowance { skip_pin: true, enabled: true },
    })
    .unwrap()
}

pub(crate) fn start(access: Access) -> (SubscriberAccess, Actions) {
    SubscriberAccess::start(access, subscriber_access::Settings::default())
}

/// An owner who skipped the PIN, in the main menu.
pub(crate) fn at_main_menu() -> SubscriberAccess {
    after(start(Access::Waived(waiver())), [opened(2, 1)])
}
