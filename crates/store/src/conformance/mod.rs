//! The suite of tests that every store runs, so that none behaves unlike the reference in memory.
//!
//! A store's tests say `umbel_store::conformance!(with)`, where `with` makes an empty store by a
//! configuration and hands it to a check.

#![allow(clippy::unwrap_used, reason = "these are tests")]

pub mod deposits;
pub mod greetings;
pub mod items;
pub mod messages;
pub mod outbox;
pub mod records;
pub mod registrations;
pub mod retention;
pub mod sign_in;
pub mod users;

use std::time::Duration;

use bytes::Bytes;
use umbel_time::UnixTime;

use crate::{
    Address, Attempt, AudioFormat, Author, Begin, Caller, Config, Finish, Importance, MessageId, NewPin, Pin,
    Purpose, Saved, Store, StoreError, UserEntry, VoiceMessage,
};

/// Makes an empty store by a configuration, and hands it to a check.
pub type With = fn(Config, &dyn Fn(&mut dyn Store));

/// Some noon, from which all times in the checks are counted.
pub const NOON: UnixTime = UnixTime::from_secs(1_790_000_000);
/// A minute.
pub const MINUTE: Duration = Duration::from_secs(60);
/// A day.
pub const DAY: Duration = Duration::from_secs(24 * 3_600);
/// A PIN that the default policy finds good enough.
pub const GOOD_PIN: &str = "274950";
/// Another one.
pub const WRONG_PIN: &str = "839164";

/// `user` in the domain of the checks.
pub fn address(user: &str) -> Address {
    Address::new(user, "example.test").unwrap()
}

/// The administrator of the checks.
pub fn admin() -> Author {
    Author::Administrator("root".to_owned())
}

/// A PIN.
pub fn pin(digits: &str) -> Pin {
    Pin::new(digits).unwrap()
}

/// A message id that is easy to tell from others.
pub fn id(number: u128) -> MessageId {
    MessageId::from_bytes(number.to_be_bytes())
}

/// Adds a user with [`GOOD_PIN`].
pub fn add(store: &mut dyn Store, user: &str) -> Address {
    let mut entry = UserEntry::new(address(user));
    entry.pin = Some(NewPin::Own(pin(GOOD_PIN)));
    store.add_user(&entry, &admin(), NOON).unwrap();
    entry.address
}

/// An attempt at the telephone's door.
pub fn attempt(mailbox: &Address, digits: &str, at: UnixTime) -> Attempt<Pin> {
    Attempt { mailbox: mailbox.clone(), secret: pin(digits), caller: "+15550100".into(), call_id: None, at }
}

/// The start of a message for `mailbox`.
pub fn begin(id: MessageId, mailbox: &Address) -> Begin {
    Begin {
        id,
        mailbox: mailbox.clone(),
        purpose: Purpose::Message {
            caller: Caller { id: "+15550100".into(), name: Some("Bob".into()), verified: true },
            subject: "Lunch".into(),
            importance: Importance::Normal,
        },
        format: AudioFormat::Pcmu,
        call_id: "call-1".into(),
        at: NOON,
    }
}

/// The end of a recording, all of it kept.
pub fn finish(id: MessageId) -> Finish {
    Finish { id, importance: Importance::Normal, keep: None, at: NOON + MINUTE }
}

/// Audio that differs from second to second.
pub fn speech(bytes: usize) -> Bytes {
    (0..bytes).map(|n| u8::try_from((n * 31 + n / 256) % 251).unwrap_or_default()).collect()
}

/// Leaves a message of two seconds.
pub fn deposit(store: &mut dyn Store, id: MessageId, mailbox: &Address) -> Result<VoiceMessage, StoreError> {
    store.begin(&begin(id, mailbox))?;
    store.append(id, &speech(16_000))?;
    match store.finish(&finish(id))? {
        Saved::Message(message) => Ok(*message),
        saved @ Saved::Greeting { .. } => panic!("a message became {saved:?}"),
    }
}

/// Makes a test of each check of the suite.
#[macro_export]
macro_rules! conformance {
    ($with:expr) => {
        $crate::conformance!(@ $with, users:
            a_new_user_gets_a_generated_pin_when_none_is_given,
            a_user_is_found_by_address_extension_and_alias,
            no_two_users_share_a_number,
            an_import_is_all_or_nothing,
            an_import_changes_users_who_are_there,
            what_a_mail_program_sets_is_kept,
            an_import_may_be_repeated,
            changes_are_all_or_nothing_and_audited,
            a_removed_user_takes_the_mailbox_along,
            users_are_listed_by_address,
            the_password_gives_digest_hashes,
            every_change_of_a_user_counts_and_nothing_else,
        );
        $crate::conformance!(@ $with, sign_in:
            the_right_pin_opens_and_a_wrong_one_does_not,
            five_failures_in_a_row_lock_the_door_for_fifteen_minutes,
            success_sets_the_counter_back,
            fifteen_failures_lock_until_an_administrator_unlocks,
            an_unknown_or_disabled_mailbox_answers_like_a_wrong_pin,
            thirty_failures_of_one_caller_lock_the_caller_only,
            a_generated_pin_must_be_changed_and_an_own_one_not,
            the_last_five_pins_are_not_taken_again,
            weak_pins_are_refused,
            the_two_doors_have_counters_of_their_own,
            every_sign_in_leaves_a_line_in_the_audit_trail,
            locked_users_are_told_apart_from_the_others,
            secrets_that_are_set_anew_and_locks_are_seen_in_the_account,
        );
        $crate::conformance!(@ $with, deposits:
            what_was_said_is_what_is_kept,
            a_deposit_finished_twice_is_one_message,
            a_recording_can_be_reviewed_and_discarded,
            silence_at_the_end_can_be_cut_off,
            a_full_mailbox_takes_no_further_message,
            unknown_and_disabled_mailboxes_take_none,
            a_recording_has_a_longest_length,
            texts_of_callers_are_made_fit,
            a_recording_that_nobody_began_is_refused,
        );
        $crate::conformance!(@ $with, messages:
            messages_are_listed_by_number_and_state,
            the_latest_messages_come_first_and_in_pages,
            numbers_are_never_used_again,
            heard_and_new_are_marked,
            a_deleted_message_can_be_brought_back_as_it_was,
            no_id_opens_anothers_message,
            counts_tell_urgent_ones_apart,
            all_mailboxes_are_listed_with_counts,
            changed_mailboxes_are_told_from_where_one_looked_last,
            what_changes_no_lamp_is_no_change_of_a_mailbox,
            changed_mailboxes_come_in_pages,
            missed_calls_are_noted_where_wanted,
        );
        $crate::conformance!(@ $with, items:
            messages_and_notices_are_items_of_one_count,
            items_that_changed_are_told_from_where_one_looked_last,
            swept_messages_are_gone_items,
            notices_are_marked_and_removed_as_items,
            items_come_in_pages,
            items_long_gone_are_forgotten,
            a_new_mailbox_counts_anew,
        );
        $crate::conformance!(@ $with, greetings:
            a_greeting_is_recorded_replaced_and_removed,
            an_unfinished_greeting_leaves_the_old_one,
            a_greeting_is_chosen,
            every_change_of_a_greeting_is_audited,
        );
        $crate::conformance!(@ $with, records:
            decisions_are_found_by_call_in_order,
            a_call_is_recorded_once_and_updated,
            a_call_id_used_again_overwrites_nothing,
            events_of_others_can_be_audited,
        );
        $crate::conformance!(@ $with, registrations:
            registrations_are_kept_by_address,
            registrations_that_have_ended_are_forgotten,
            registrations_come_in_pages,
        );
        $crate::conformance!(@ $with, outbox:
            a_saved_message_is_mailed_to_owners_who_read_mail,
            missed_calls_and_changed_greetings_are_mailed,
            a_secret_that_is_changed_is_told_its_owner,
            a_recorded_greeting_is_mailed_when_it_is_kept,
            mails_are_due_in_order_until_they_are_settled,
            a_mail_that_failed_is_kept_and_can_be_tried_again,
            a_mail_goes_with_its_message_notice_or_owner,
            a_full_queue_keeps_no_message_from_being_saved,
            a_pin_that_is_reset_is_mailed_and_must_be_changed,
            a_pin_is_not_reset_where_it_cannot_be_told,
        );
        $crate::conformance!(@ $with, retention:
            deleted_messages_are_kept_fourteen_days,
            records_are_kept_ninety_days,
            a_whole_store_is_healthy_and_scrubs_clean,
        );
    };
    (@ $with:expr, $topic:ident: $($check:ident,)+) => {
        mod $topic {
            #[allow(unused_imports, reason = "what the maker of stores needs depends on the store")]
            use super::*;
            $(
                #[test]
                fn $check() {
                    $crate::conformance::$topic::$check($with);
                }
            )+
        }
    };
}
