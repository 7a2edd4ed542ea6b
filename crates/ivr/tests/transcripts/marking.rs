//! What becomes of messages: deleted, brought back, kept, saved, gone, unreadable.

use umbel_ivr::mailbox::{Fetched, MessageState};
use umbel_ivr::{Choice, Input};

use crate::listening::{MENU, heard, playing, said};
use crate::transcript::{after, at_main_menu, check_on, chose, envelope, fetched, listed};

#[test]
fn a_deleted_message_is_gone_once_the_store_says_so_and_the_next_one_plays() {
    check_on(
        heard(),
        [chose(Choice::Delete), Input::Done, fetched(2)],
        &format!(
            "
            > Chose(Delete)
            Ask(Delete(m1))
            > Done
            Say(Deleted)
            Ask(Fetch(m2))
            > Fetched(m2)
            {}
            ",
            said(2)
        ),
    );
}

/// REL-08: the number of a message does not move when one before it is deleted.
#[test]
fn a_deleted_message_keeps_its_number_and_can_be_brought_back() {
    let mut deleted = envelope(1);
    deleted.state = MessageState::Deleted;
    check_on(
        after((heard(), Default::default()), [chose(Choice::Delete), Input::Done, fetched(2)]),
        [
            chose(Choice::Previous),
            Input::Fetched(Fetched::Readable(deleted)),
            Input::NoInput,
            chose(Choice::Undelete),
            Input::Done,
            chose(Choice::Next),
            fetched(2),
        ],
        &format!(
            "
            > Chose(Previous)
            Ask(Fetch(m1))
            > Fetched(m1)
            Say(MessageNumber(1))
            Say(IsDeleted)
            Say(FromExtension((\"1002\")))
            Say(Received(When {{ day: Today, hour: 8, minute: 15 }}))
            Say(Lasting(12s))
            Play(Message(m1), Beginning)
            Collect(Menu(Playing))
            > NoInput
            Say(Choices(DeletedMessage))
            Collect(Menu(DeletedMessage))
            > Chose(Undelete)
            Ask(Undelete(m1))
            > Done
            Say(Undeleted)
            {MENU}
            > Chose(Next)
            Ask(Fetch(m2))
            > Fetched(m2)
            {}
            ",
            said(2)
        ),
    );
}

#[test]
fn the_delete_key_takes_itself_back_while_a_deleted_message_plays() {
    let mut deleted = envelope(1);
    deleted.state = MessageState::Deleted;
    let playing = after(
        (at_main_menu(), Default::default()),
        [chose(Choice::OldMessages), listed(1), Input::Fetched(Fetched::Readable(deleted))],
    );
    check_on(playing, [chose(Choice::Delete)], "> Chose(Delete)\nAsk(Undelete(m1))");
}

/// REL-08: somebody else removed it; its number stays with it.
#[test]
fn a_message_that_is_gone_is_said_and_numbers_stay() {
    check_on(
        playing(),
        [chose(Choice::Next), Input::Fetched(Fetched::Gone), chose(Choice::Next), fetched(3)],
        &format!(
            "
            > Chose(Next)
            Ask(Fetch(m2))
            > Fetched(Gone)
            Say(MessageNumber(2))
            Say(IsGone)
            {MENU}
            > Chose(Next)
            Ask(Fetch(m3))
            > Fetched(m3)
            {}
            ",
            said(3)
        ),
    );
}

#[test]
fn keeping_as_new_and_saving_go_on_to_the_next_message() {
    check_on(
        heard(),
        [
            chose(Choice::KeepAsNew),
            Input::Done,
            fetched(2),
            chose(Choice::KeepAsNew),
            Input::Done,
            fetched(3),
        ],
        &format!(
            "
            > Chose(KeepAsNew)
            Ask(KeepAsNew(m1))
            > Done
            Say(KeptAsNew)
            Ask(Fetch(m2))
            > Fetched(m2)
            {}
            > Chose(KeepAsNew)
            Ask(KeepAsNew(m2))
            > Done
            Say(KeptAsNew)
            Ask(Fetch(m3))
            > Fetched(m3)
            {}
            ",
            said(2),
            said(3)
        ),
    );
    check_on(
        heard(),
        [chose(Choice::Save), Input::Done],
        "
        > Chose(Save)
        Ask(Save(m1))
        > Done
        Say(Saved)
        Ask(Fetch(m2))
        ",
    );
}

/// Skipping leaves a message as it is: nothing is asked of the store but the next one.
#[test]
fn a_skipped_message_stays_new() {
    check_on(playing(), [chose(Choice::Next)], "> Chose(Next)\nAsk(Fetch(m2))");
}

/// REL-05, REL-38: said, neither skipped nor marked heard.
#[test]
fn a_message_that_cannot_be_read_is_said_and_stays_as_it_is() {
    check_on(
        after((at_main_menu(), Default::default()), [chose(Choice::NewMessages), listed(2)]),
        [Input::Fetched(Fetched::Unreadable(envelope(1))), chose(Choice::Repeat), fetched(1)],
        &format!(
            "
            > Fetched(m1, unreadable)
            Say(MessageNumber(1))
            Say(FromExtension((\"1002\")))
            Say(Received(When {{ day: Today, hour: 8, minute: 15 }}))
            Say(Lasting(12s))
            Say(CannotBeRead)
            {MENU}
            > Chose(Repeat)
            Ask(Fetch(m1))
            > Fetched(m1)
            {}
            ",
            said(1)
        ),
    );
}

/// REL-38: the same when the sound breaks off in the middle, or the store does not answer at all.
#[test]
fn a_message_that_breaks_off_is_not_marked_heard() {
    check_on(playing(), [Input::ClipFailed], &format!("> ClipFailed\nSay(CannotBeRead)\n{MENU}"));
    check_on(
        after((at_main_menu(), Default::default()), [chose(Choice::NewMessages), listed(2)]),
        [Input::Failed],
        &format!("> Failed\nSay(CannotBeRead)\n{MENU}"),
    );
}

#[test]
fn what_the_store_did_not_do_is_not_said_to_be_done() {
    for (choice, request) in
        [(Choice::Delete, "Delete(m1)"), (Choice::KeepAsNew, "KeepAsNew(m1)"), (Choice::Save, "Save(m1)")]
    {
        check_on(
            heard(),
            [chose(choice), Input::Failed],
            &format!("> Chose({choice:?})\nAsk({request})\n> Failed\nSay(NotDone)\n{MENU}"),
        );
    }
}

#[test]
fn a_mark_that_failed_does_not_trouble_the_listener() {
    check_on(
        playing(),
        [Input::NoInput, Input::Failed],
        &format!("> NoInput\nAsk(MarkHeard(m1))\n> Failed\n{MENU}"),
    );
}
