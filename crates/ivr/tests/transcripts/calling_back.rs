//! Calling back who left a message: SEC-90, DEC-13.

use proptest::prelude::*;
use umbel_ivr::mailbox::{PinVerdict, Sender};
use umbel_ivr::subscriber_access::{Settings, StepUp, SubscriberAccess};
use umbel_ivr::{Access, Action, Choice, Input, Request};

use crate::properties::inputs;
use crate::transcript::{
    after, at_main_menu, check_on, chose, collected, fetched, id, listed, pin_right, pin_wrong, waiver,
};

/// An owner who skipped the PIN, after the first message.
fn after_a_message() -> SubscriberAccess {
    let inputs = [chose(Choice::NewMessages), listed(1), fetched(1), Input::NoInput, Input::Done];
    after((at_main_menu(), Default::default()), inputs)
}

/// A user here: no PIN, and we hang up once they talk.
#[test]
fn a_user_here_is_called_back_at_once() {
    check_on(
        after_a_message(),
        [chose(Choice::CallBack), Input::Sender(Sender::Inside), Input::Done],
        "
        > Chose(CallBack)
        Ask(FindSender(m1))
        > Sender(Inside)
        Say(CallingBack)
        Ask(CallSender(m1))
        > Done
        HangUp
        ",
    );
}

/// SEC-90, DEC-13: the owner's PIN, once, where the call came in without.
#[test]
fn a_number_outside_is_called_back_with_the_pin_alone() {
    let script = check_on(
        after_a_message(),
        [
            chose(Choice::CallBack),
            Input::Sender(Sender::Outside),
            collected("111111"),
            pin_wrong(),
            collected("274950"),
            pin_right(),
            Input::Failed,
        ],
        "
        > Chose(CallBack)
        Ask(FindSender(m1))
        > Sender(Outside)
        Say(EnterCurrentPin)
        Collect(Digits(Pin))
        > Collected(****)
        Ask(CheckPin { mailbox: None, pin: **** })
        > PinChecked(Wrong)
        Say(WrongPin)
        Say(EnterCurrentPin)
        Collect(Digits(Pin))
        > Collected(****)
        Ask(CheckPin { mailbox: None, pin: **** })
        > PinChecked(Right { must_change: false })
        Say(CallingBack)
        Ask(CallSender(m1))
        > Failed
        Say(NotReached)
        Say(Choices(Message))
        Collect(Menu(Message))
        ",
    );
    // Not twice in a call.
    check_on(
        script,
        [chose(Choice::CallBack), Input::Sender(Sender::Outside)],
        "
        > Chose(CallBack)
        Ask(FindSender(m1))
        > Sender(Outside)
        Say(CallingBack)
        Ask(CallSender(m1))
        ",
    );
}

#[test]
fn what_may_not_be_called_is_said_and_the_message_is_still_there() {
    for (input, written, phrase) in [
        (Input::Sender(Sender::NotAllowed), "Sender(NotAllowed)", "MayNotBeCalled"),
        (Input::Failed, "Failed", "NotReached"),
    ] {
        check_on(
            after_a_message(),
            [chose(Choice::CallBack), input, chose(Choice::Save)],
            &format!(
                "
                > Chose(CallBack)
                Ask(FindSender(m1))
                > {written}
                Say({phrase})
                Say(Choices(Message))
                Collect(Menu(Message))
                > Chose(Save)
                Ask(Save(m1))
                "
            ),
        );
    }
}

proptest! {
    /// SEC-90: whatever happens, a call that skipped the PIN calls no number outside without it, and nobody of whom the
    /// store has not just said that he may be called.
    #[test]
    fn nobody_is_called_unasked_nor_outside_without_the_pin(inputs in inputs(), never: bool) {
        let step_up = if never { StepUp::Never } else { StepUp::Sensitive };
        let settings = Settings { step_up, failures_max: 100, pin_attempts_max: 100, ..Settings::default() };
        let (mut script, _) = SubscriberAccess::start(Access::Waived(waiver()), settings);
        let (mut pin_given, mut sender, mut asked) = (false, None, None);
        let begin = [Input::Opened(Default::default()), chose(Choice::NewMessages), listed(1), fetched(1), chose(Choice::CallBack)];
        for input in begin.into_iter().chain(inputs) {
            match (&input, &asked) {
                // A question has one reply: a second one is of no question, and says nothing.
                (Input::Sender(found), Some(Request::FindSender(_))) => {
                    (sender, asked) = (Some(*found), None);
                }
                // DEC-13: whoever skipped the PIN is not made to change it, and a PIN of ours is right as well.
                (Input::PinChecked(PinVerdict::Right { .. }), Some(Request::CheckPin { .. })) => {
                    (pin_given, asked) = (true, None);
                }
                _ => {}
            }
            let (next, actions) = script.step(input);
            script = next;
            for action in &actions {
                if let Action::Ask(request) = action {
                    asked = Some(request.clone());
                }
                if let Action::Ask(Request::CallSender(called)) = action {
                    prop_assert!((1..=9).any(|n| *called == id(n)));
                    match sender.take() {
                        Some(Sender::Inside) => {}
                        Some(Sender::Outside) => prop_assert!(pin_given || never),
                        other => prop_assert!(false, "{other:?}"),
                    }
                }
            }
        }
    }
}
