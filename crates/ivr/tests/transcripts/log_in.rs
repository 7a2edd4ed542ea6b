//! Getting in.

use umbel_ivr::mailbox::{Overview, PinVerdict};
use umbel_ivr::{Access, Input};

use crate::transcript::{after, check, check_on, collected, opened, pin_right, pin_wrong, start, waiver};

/// [MS-OCEXUM] 3.1.2, OCEXUM-3.1-1: with the waiver, the main menu is the first thing heard.
#[test]
fn a_waiver_leads_straight_to_the_main_menu() {
    check(
        start(Access::Waived(waiver())),
        [opened(0, 0)],
        "
        Ask(Open)
        > Opened(Overview { new: 0, urgent: 0, old: 0, full: false, out_of_office: false })
        Say(Unheard { new: 0, urgent: 0 })
        Say(Choices(Main))
        Collect(Menu(Main))
        ",
    );
}

#[test]
fn without_a_waiver_the_pin_is_asked() {
    check(
        start(Access::Pin),
        [collected("135790"), pin_right(), opened(2, 0)],
        "
        Say(EnterPin)
        Collect(Digits(Pin))
        > Collected(****)
        Ask(CheckPin { mailbox: None, pin: **** })
        > PinChecked(Right { must_change: false })
        Ask(Open)
        > Opened(Overview { new: 2, urgent: 0, old: 0, full: false, out_of_office: false })
        Say(Unheard { new: 2, urgent: 0 })
        Say(Choices(Main))
        Collect(Menu(Main))
        ",
    );
}

#[test]
fn an_owner_hears_all_that_matters_on_entering() {
    let overview = Overview { new: 3, urgent: 1, old: 7, full: true, out_of_office: true };
    check_on(
        start(Access::Waived(waiver())).0,
        [Input::Opened(overview)],
        "
        > Opened(Overview { new: 3, urgent: 1, old: 7, full: true, out_of_office: true })
        Say(Unheard { new: 3, urgent: 1 })
        Say(Heard(7))
        Say(YourMailboxIsFull)
        Say(OutOfOfficeIsOn)
        Say(Choices(Main))
        Collect(Menu(Main))
        ",
    );
}

/// SEC-86: the conversation is the same for an unknown mailbox and for a wrong PIN, since the script is told no
/// difference; and a locked one, whose number was keyed in, does not show that it exists.
#[test]
fn an_unknown_mailbox_sounds_like_a_wrong_pin() {
    for verdict in [PinVerdict::Wrong, PinVerdict::Locked] {
        check(
            start(Access::MailboxAndPin),
            [collected("1001"), collected("111111"), Input::PinChecked(verdict)],
            &format!(
                "
                Say(EnterMailbox)
                Collect(Digits(Mailbox))
                > Collected(****)
                Say(EnterPin)
                Collect(Digits(Pin))
                > Collected(****)
                Ask(CheckPin {{ mailbox: Some(****), pin: **** }})
                > PinChecked({verdict:?})
                Say(WrongPin)
                Say(EnterMailbox)
                Collect(Digits(Mailbox))
                "
            ),
        );
    }
}

/// SEC-84: two wrong ones are forgiven, the third is not.
#[test]
fn three_wrong_pins_end_the_call() {
    let wrong = "
        > Collected(****)
        Ask(CheckPin { mailbox: None, pin: **** })
        > PinChecked(Wrong)
        Say(WrongPin)
    ";
    check(
        start(Access::Pin),
        [
            collected("111111"),
            pin_wrong(),
            collected("222222"),
            pin_wrong(),
            collected("333333"),
            pin_wrong(),
            collected("135790"),
            pin_right(),
            Input::HungUp,
        ],
        &format!(
            "
            Say(EnterPin)
            Collect(Digits(Pin))
            {wrong}
            Say(EnterPin)
            Collect(Digits(Pin))
            {wrong}
            Say(EnterPin)
            Collect(Digits(Pin))
            {wrong}
            Say(Goodbye)
            HangUp
            > Collected(****)
            > PinChecked(Right {{ must_change: false }})
            > HungUp
            "
        ),
    );
}

/// SEC-84: changing the mailbox gives no new tries.
#[test]
fn wrong_pins_of_several_mailboxes_are_counted_together() {
    let guess = || [collected("1001"), collected("111111"), pin_wrong()];
    check_on(
        after(start(Access::MailboxAndPin), guess().into_iter().chain(guess())),
        [collected("1003"), collected("111111"), pin_wrong()],
        "
        > Collected(****)
        Say(EnterPin)
        Collect(Digits(Pin))
        > Collected(****)
        Ask(CheckPin { mailbox: Some(****), pin: **** })
        > PinChecked(Wrong)
        Say(WrongPin)
        Say(Goodbye)
        HangUp
        ",
    );
}

/// SEC-85
#[test]
fn a_locked_mailbox_is_said_to_its_own_telephone() {
    check_on(
        after(start(Access::Pin), [collected("135790")]),
        [Input::PinChecked(PinVerdict::Locked)],
        "
        > PinChecked(Locked)
        Say(PinLocked)
        Say(Goodbye)
        HangUp
        ",
    );
}

#[test]
fn star_asks_for_another_mailbox() {
    check(
        start(Access::Pin),
        [Input::Cancelled, collected("1002"), collected("246801")],
        "
        Say(EnterPin)
        Collect(Digits(Pin))
        > Cancelled
        Say(EnterMailbox)
        Collect(Digits(Mailbox))
        > Collected(****)
        Say(EnterPin)
        Collect(Digits(Pin))
        > Collected(****)
        Ask(CheckPin { mailbox: Some(****), pin: **** })
        ",
    );
}

/// PEER-17
#[test]
fn a_caller_who_enters_nothing_is_asked_three_times() {
    check(
        start(Access::MailboxAndPin),
        [Input::NoInput, Input::NoMatch, Input::NoInput],
        "
        Say(EnterMailbox)
        Collect(Digits(Mailbox))
        > NoInput
        Say(EnterMailbox)
        Collect(Digits(Mailbox))
        > NoMatch
        Say(EnterMailbox)
        Collect(Digits(Mailbox))
        > NoInput
        Say(Goodbye)
        HangUp
        ",
    );
}

/// DEC-14, SEC-89: the mailbox stays shut until a generated PIN has been changed.
#[test]
fn a_generated_pin_is_changed_before_the_mailbox_opens() {
    check(
        start(Access::Pin),
        [
            collected("135790"),
            Input::PinChecked(PinVerdict::Right { must_change: true }),
            collected("246813"),
            collected("246813"),
            Input::Done,
            opened(1, 0),
        ],
        "
        Say(EnterPin)
        Collect(Digits(Pin))
        > Collected(****)
        Ask(CheckPin { mailbox: None, pin: **** })
        > PinChecked(Right { must_change: true })
        Say(MustChangePin)
        Say(EnterNewPin { least: 6 })
        Collect(Digits(NewPin))
        > Collected(****)
        Say(EnterNewPinAgain)
        Collect(Digits(NewPin))
        > Collected(****)
        Ask(ChangePin(****))
        > Done
        Say(PinChanged)
        Ask(Open)
        > Opened(Overview { new: 1, urgent: 0, old: 0, full: false, out_of_office: false })
        Say(Unheard { new: 1, urgent: 0 })
        Say(Choices(Main))
        Collect(Menu(Main))
        ",
    );
}

#[test]
fn a_generated_pin_cannot_be_kept_by_pressing_star() {
    let demanded = after(
        start(Access::Pin),
        [collected("135790"), Input::PinChecked(PinVerdict::Right { must_change: true })],
    );
    check_on(
        demanded,
        [Input::Cancelled, Input::NoInput, Input::Cancelled],
        "
        > Cancelled
        Say(EnterNewPin { least: 6 })
        Collect(Digits(NewPin))
        > NoInput
        Say(EnterNewPin { least: 6 })
        Collect(Digits(NewPin))
        > Cancelled
        Say(Goodbye)
        HangUp
        ",
    );
}

#[test]
fn a_store_that_does_not_answer_is_said() {
    let checking_the_pin = after(start(Access::Pin), [collected("135790")]);
    let (opening_the_mailbox, _) = start(Access::Waived(waiver()));
    for script in [checking_the_pin, opening_the_mailbox] {
        check_on(
            script,
            [Input::Failed],
            "
            > Failed
            Say(TryLater)
            Say(Goodbye)
            HangUp
            ",
        );
    }
}
