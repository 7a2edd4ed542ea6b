//! Another PIN.

use umbel_ivr::mailbox::{PinRefusal, PinVerdict};
use umbel_ivr::subscriber_access::{Settings, StepUp, SubscriberAccess};
use umbel_ivr::{Access, Choice, Input};

use crate::transcript::{
    after, at_main_menu, check_on, chose, collected, opened, pin_right, pin_wrong, start, waiver,
};

/// At the options, having given the PIN.
fn at_options_with_pin() -> SubscriberAccess {
    after(start(Access::Pin), [collected("135790"), pin_right(), opened(0, 0), chose(Choice::Options)])
}

/// At the options, the PIN having been skipped.
fn at_options_without_pin() -> SubscriberAccess {
    after((at_main_menu(), Default::default()), [chose(Choice::Options)])
}

#[test]
fn a_pin_is_entered_twice_and_then_changed() {
    check_on(
        at_options_with_pin(),
        [chose(Choice::ChangePin), collected("246813"), collected("246813"), Input::Done],
        "
        > Chose(ChangePin)
        Say(EnterNewPin { least: 6 })
        Collect(Digits(NewPin))
        > Collected(****)
        Say(EnterNewPinAgain)
        Collect(Digits(NewPin))
        > Collected(****)
        Ask(ChangePin(****))
        > Done
        Say(PinChanged)
        Say(Choices(Options))
        Collect(Menu(Options))
        ",
    );
}

/// DEC-13: a skipped PIN does not cover changing it; asked once, it covers the rest of the call.
#[test]
fn a_call_that_skipped_the_pin_is_asked_for_it_once() {
    let script = check_on(
        at_options_without_pin(),
        [chose(Choice::ChangePin), collected("135790"), pin_right(), Input::Cancelled],
        "
        > Chose(ChangePin)
        Say(EnterCurrentPin)
        Collect(Digits(Pin))
        > Collected(****)
        Ask(CheckPin { mailbox: None, pin: **** })
        > PinChecked(Right { must_change: false })
        Say(EnterNewPin { least: 6 })
        Collect(Digits(NewPin))
        > Cancelled
        Say(Choices(Options))
        Collect(Menu(Options))
        ",
    );
    check_on(
        script,
        [chose(Choice::ChangePin)],
        "
        > Chose(ChangePin)
        Say(EnterNewPin { least: 6 })
        Collect(Digits(NewPin))
        ",
    );
}

/// DEC-13: the literal form.
#[test]
fn step_up_can_be_switched_off() {
    let settings = Settings { step_up: StepUp::Never, ..Settings::default() };
    let start = SubscriberAccess::start(Access::Waived(waiver()), settings);
    check_on(
        after(start, [opened(0, 0), chose(Choice::Options)]),
        [chose(Choice::ChangePin)],
        "
        > Chose(ChangePin)
        Say(EnterNewPin { least: 6 })
        Collect(Digits(NewPin))
        ",
    );
}

/// SEC-84
#[test]
fn guessing_at_the_present_pin_ends_the_call_too() {
    let guess = || [collected("111111"), pin_wrong()];
    let twice = after(
        (at_options_without_pin(), Default::default()),
        [chose(Choice::ChangePin)].into_iter().chain(guess()).chain(guess()),
    );
    check_on(
        twice,
        guess(),
        "
        > Collected(****)
        Ask(CheckPin { mailbox: None, pin: **** })
        > PinChecked(Wrong)
        Say(WrongPin)
        Say(Goodbye)
        HangUp
        ",
    );
}

/// A stranger's guesses lock the PIN, not the owner out.
#[test]
fn a_locked_pin_leaves_the_owner_in_the_mailbox() {
    check_on(
        after(
            (at_options_without_pin(), Default::default()),
            [chose(Choice::ChangePin), collected("135790")],
        ),
        [Input::PinChecked(PinVerdict::Locked)],
        "
        > PinChecked(Locked)
        Say(PinLocked)
        Say(Choices(Options))
        Collect(Menu(Options))
        ",
    );
}

#[test]
fn two_different_entries_change_nothing() {
    check_on(
        at_options_with_pin(),
        [chose(Choice::ChangePin), collected("246813"), collected("246814")],
        "
        > Chose(ChangePin)
        Say(EnterNewPin { least: 6 })
        Collect(Digits(NewPin))
        > Collected(****)
        Say(EnterNewPinAgain)
        Collect(Digits(NewPin))
        > Collected(****)
        Say(PinsDiffer)
        Say(EnterNewPin { least: 6 })
        Collect(Digits(NewPin))
        ",
    );
}

/// SEC-83: each reason has its own words.
#[test]
fn a_refused_pin_is_told_why() {
    for (why, phrase) in [
        (PinRefusal::TooShort, "PinTooShort { least: 6 }"),
        (PinRefusal::TooLong, "PinTooLong"),
        (PinRefusal::TooSimple, "PinTooSimple"),
        (PinRefusal::UsedBefore, "PinUsedBefore"),
    ] {
        let entered = after(
            (at_options_with_pin(), Default::default()),
            [chose(Choice::ChangePin), collected("123456"), collected("123456")],
        );
        check_on(
            entered,
            [Input::PinRefused(why)],
            &format!(
                "
                > PinRefused({why:?})
                Say({phrase})
                Say(EnterNewPin {{ least: 6 }})
                Collect(Digits(NewPin))
                "
            ),
        );
    }
}

/// PEER-17
#[test]
fn refusals_do_not_go_on_for_ever() {
    let refused = || [collected("123456"), collected("123456"), Input::PinRefused(PinRefusal::TooSimple)];
    let twice = after(
        (at_options_with_pin(), Default::default()),
        [chose(Choice::ChangePin)].into_iter().chain(refused()).chain(refused()),
    );
    check_on(
        twice,
        refused(),
        "
        > Collected(****)
        Say(EnterNewPinAgain)
        Collect(Digits(NewPin))
        > Collected(****)
        Ask(ChangePin(****))
        > PinRefused(TooSimple)
        Say(PinTooSimple)
        Say(Goodbye)
        HangUp
        ",
    );
}
