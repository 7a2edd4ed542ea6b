//! A recording and a store that does or does not do as it is told.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use umbel_store::{AudioFormat, Caller, Importance, Saved, Settings, VoiceMessage};
use umbel_time::UnixTime;

use super::*;

fn begin() -> Begin {
    Begin {
        id: MessageId::from_bytes([7; 16]),
        mailbox: Settings::new("alice@example.test".parse().unwrap()).address,
        purpose: Purpose::Message {
            caller: Caller::default(),
            subject: String::new(),
            importance: Importance::Normal,
        },
        format: AudioFormat::Pcmu,
        call_id: "1".to_owned(),
        at: UnixTime::from_secs(0),
    }
}

fn finish() -> Finish {
    Finish {
        id: MessageId::from_bytes([7; 16]),
        importance: Importance::Normal,
        keep: None,
        at: UnixTime::from_secs(9),
    }
}

fn saved() -> Reply {
    Reply::Saved(Saved::Message(Box::new(VoiceMessage {
        id: MessageId::from_bytes([7; 16]),
        mailbox: begin().mailbox,
        number: 1,
        caller: Caller::default(),
        subject: String::new(),
        importance: Importance::Normal,
        received: UnixTime::from_secs(0),
        duration: Duration::ZERO,
        state: umbel_store::MessageState::New,
        deleted: None,
        incomplete: false,
        damaged: false,
        format: AudioFormat::Pcmu,
        bytes: 0,
        call_id: "1".to_owned(),
    })))
}

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1_000)
}

fn chunk(octet: u8) -> Bytes {
    Bytes::from(vec![octet; 8])
}

fn name(op: Option<&Op>) -> String {
    match op {
        None => "-".to_owned(),
        Some(Op::Begin(_)) => "Begin".to_owned(),
        Some(Op::Append { chunk, .. }) => format!("Append {}", chunk.0.first().copied().unwrap_or_default()),
        Some(Op::Finish(_)) => "Finish".to_owned(),
        Some(Op::Discard(_)) => "Discard".to_owned(),
        Some(other) => format!("{other:?}"),
    }
}

fn next(deposit: &mut Deposit) -> String {
    name(deposit.next().as_ref())
}

#[test]
fn chunks_follow_the_beginning_and_precede_the_end() {
    let mut deposit = Deposit::new(begin());
    deposit.add(chunk(1));
    assert_eq!(next(&mut deposit), "Begin");
    deposit.add(chunk(2));
    deposit.keep(finish());
    assert_eq!(next(&mut deposit), "-");
    for expected in ["Append 1", "Append 2", "Finish"] {
        assert_eq!(deposit.replied(Reply::Done, at(1)), Progress::Advancing);
        assert_eq!(next(&mut deposit), expected);
    }
    assert_eq!(deposit.replied(saved(), at(2)), Progress::Saved);
    assert_eq!(next(&mut deposit), "-");
    assert!(deposit.is_over());
}

/// REL-12: "calls go on, saving waits, nothing lost".
#[test]
fn a_store_that_is_busy_is_asked_again_and_nothing_is_lost() {
    let mut deposit = Deposit::new(begin());
    deposit.add(chunk(1));
    deposit.keep(finish());
    let mut pauses = Vec::new();
    for second in 0..6 {
        assert_eq!(next(&mut deposit), "Begin");
        match deposit.replied(Reply::Failed(StoreError::Busy), at(second)) {
            Progress::Pausing(pause) => pauses.push(pause.as_millis()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(pauses, [250, 500, 1_000, 2_000, 4_000, 8_000]);
    assert_eq!(next(&mut deposit), "Begin");
    deposit.replied(Reply::Done, at(30));
    assert_eq!(next(&mut deposit), "Append 1");
    assert_eq!(deposit.replied(Reply::Failed(StoreError::Disk), at(31)), Progress::Pausing(RETRY_FIRST));
    assert_eq!(next(&mut deposit), "Append 1");
    deposit.replied(Reply::Done, at(32));
    assert_eq!(next(&mut deposit), "Finish");
}

#[test]
fn a_store_that_never_recovers_is_given_up_after_ten_minutes() {
    let mut deposit = Deposit::new(begin());
    deposit.next();
    deposit.replied(Reply::Done, at(0));
    deposit.keep(finish());
    deposit.next();
    assert!(matches!(deposit.replied(Reply::Failed(StoreError::Disk), at(10)), Progress::Pausing(_)));
    deposit.next();
    assert!(matches!(deposit.replied(Reply::Failed(StoreError::Disk), at(609)), Progress::Pausing(_)));
    deposit.next();
    assert_eq!(deposit.replied(Reply::Failed(StoreError::Disk), at(610)), Progress::Lost);
}

/// REL-11.
#[test]
fn nothing_new_is_begun_on_a_full_disk_but_what_runs_is_finished() {
    let mut deposit = Deposit::new(begin());
    deposit.next();
    assert_eq!(deposit.replied(Reply::Failed(StoreError::DiskFull), at(0)), Progress::Lost);

    let mut deposit = Deposit::new(begin());
    deposit.next();
    deposit.replied(Reply::Done, at(0));
    deposit.keep(finish());
    deposit.next();
    assert!(matches!(deposit.replied(Reply::Failed(StoreError::DiskFull), at(1)), Progress::Pausing(_)));
}

#[test]
fn a_mailbox_that_filled_up_meanwhile_is_told_from_a_loss() {
    let mut deposit = Deposit::new(begin());
    deposit.next();
    deposit.replied(Reply::Done, at(0));
    deposit.keep(finish());
    deposit.next();
    let full = Reply::Failed(StoreError::Refused(Refusal::MailboxFull));
    assert_eq!(deposit.replied(full, at(1)), Progress::Full);
}

#[test]
fn what_is_over_the_stores_bound_is_left_out_and_the_rest_finished() {
    let mut deposit = Deposit::new(begin());
    deposit.next();
    deposit.replied(Reply::Done, at(0));
    deposit.add(chunk(1));
    deposit.add(chunk(2));
    deposit.next();
    let too_long = Reply::Failed(StoreError::Refused(Refusal::RecordingTooLong));
    assert_eq!(deposit.replied(too_long, at(1)), Progress::Advancing);
    deposit.add(chunk(3));
    deposit.keep(finish());
    assert_eq!(next(&mut deposit), "Finish");
}

#[test]
fn what_is_not_wanted_is_discarded_and_a_later_wish_to_keep_it_comes_too_late() {
    let mut deposit = Deposit::new(begin());
    deposit.next();
    deposit.add(chunk(1));
    deposit.discard();
    deposit.keep(finish());
    deposit.replied(Reply::Done, at(0));
    assert_eq!(next(&mut deposit), "Discard");
    assert_eq!(deposit.replied(Reply::Done, at(1)), Progress::Discarded);

    let mut being_filled = Deposit::new(begin());
    being_filled.next();
    being_filled.replied(Reply::Done, at(0));
    being_filled.add(chunk(1));
    being_filled.next();
    being_filled.discard();
    assert_eq!(being_filled.replied(Reply::Done, at(0)), Progress::Advancing);
    assert_eq!(next(&mut being_filled), "Discard");

    let mut never_begun = Deposit::new(begin());
    never_begun.discard();
    assert_eq!(next(&mut never_begun), "-");
    assert!(never_begun.is_over());
}

proptest! {
    /// I2, REL-04: however the store fails in between, every chunk is appended once, in order, before one
    /// Finish that succeeds.
    #[test]
    fn every_chunk_arrives_once_and_in_order(failures in proptest::collection::vec(any::<bool>(), 0..40), count in 0_u8..6) {
        let mut deposit = Deposit::new(begin());
        for octet in 0..count {
            deposit.add(chunk(octet));
        }
        deposit.keep(finish());
        let mut done = Vec::new();
        let mut failures = failures.into_iter();
        while let Some(op) = deposit.next() {
            if failures.next() == Some(true) {
                deposit.replied(Reply::Failed(StoreError::Busy), at(0));
                continue;
            }
            done.push(name(Some(&op)));
            deposit.replied(if matches!(op, Op::Finish(_)) { saved() } else { Reply::Done }, at(0));
        }
        let appends = (0..count).map(|octet| format!("Append {octet}"));
        let expected: Vec<String> =
            std::iter::once("Begin".to_owned()).chain(appends).chain(["Finish".to_owned()]).collect();
        prop_assert_eq!(done, expected);
    }
}
