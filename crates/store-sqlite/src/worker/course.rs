//! Which course an operation takes.

use umbel_store::{Attempt, Door, Op, Reply, Store, StoreError, execute};

use crate::hash_work::{Mode, Work, WorkDone};
use crate::store::SqliteStore;
use crate::users::{only, single};

/// What has to happen before an operation is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It reads, or adds to a file: done at once.
    Immediate,
    /// It ends a recording: file first, then rows with the batch.
    Finish,
    /// It costs Argon2: read at once, hash elsewhere, write with the batch.
    Hash,
    /// It writes rows: with the batch.
    Write,
    /// It notes something for later readers: with the next batch, soon.
    Note,
}

/// The course of an operation. No catch-all: a new operation must be placed.
pub(super) fn kind(op: &Op) -> Kind {
    match op {
        Op::FindUser(_)
        | Op::ListUsers { .. }
        | Op::DigestHashes(_)
        | Op::CountUserChanges
        | Op::FindAccount { .. }
        | Op::ListLocked { .. }
        | Op::OpenMailbox { .. }
        | Op::ListMailboxes { .. }
        | Op::CountMessages(_)
        | Op::ListChangedMailboxes { .. }
        | Op::ListMessages { .. }
        | Op::ListLatestMessages { .. }
        | Op::FindMessage(_)
        | Op::FetchMessage { .. }
        | Op::FetchGreeting { .. }
        | Op::ListMissedCalls(_)
        | Op::ListItems { .. }
        | Op::Begin(_)
        | Op::Append { .. }
        | Op::FetchRecording(_)
        | Op::Discard(_)
        | Op::ListRegistrations { .. }
        | Op::ListDecisions { .. }
        | Op::ListCalls { .. }
        | Op::ListAuditRecords(_)
        | Op::ListDueMails { .. }
        | Op::ListQueuedMails { .. }
        | Op::ShowOutbox
        | Op::Scrub { .. }
        | Op::CheckHealth => Kind::Immediate,
        Op::Finish(_) => Kind::Finish,
        Op::AddUser { .. }
        | Op::PutUsers { .. }
        | Op::CheckPin(_)
        | Op::CheckPassword(_)
        | Op::SetPin { .. }
        | Op::SetPassword { .. }
        | Op::ResetPinByMail { .. } => Kind::Hash,
        Op::ChangeUser { .. }
        | Op::RemoveUser { .. }
        | Op::Unlock { .. }
        | Op::MarkHeard { .. }
        | Op::DeleteMessage { .. }
        | Op::RestoreMessage { .. }
        | Op::SetGreeting { .. }
        | Op::RemoveGreeting { .. }
        | Op::ChooseGreeting { .. }
        | Op::NoteMissedCall(_)
        | Op::ClearMissedCalls { .. }
        | Op::MarkMissedCall { .. }
        | Op::RemoveMissedCall { .. }
        | Op::SettleMail { .. }
        | Op::RetryMails { .. }
        | Op::Sweep { .. } => Kind::Write,
        Op::KeepRegistrations(_) | Op::Decide(_) | Op::RecordCall(_) | Op::Audit(_) => Kind::Note,
    }
}

/// The entries of an operation that sets secrets, and what becomes of known users.
fn entries(op: &Op) -> Option<(Vec<umbel_store::UserEntry>, Mode)> {
    use umbel_store::UserEntry;
    match op {
        Op::AddUser { entry, .. } => Some((vec![UserEntry::clone(entry)], Mode::Add)),
        Op::PutUsers { entries, .. } => Some((entries.clone(), Mode::Put)),
        Op::SetPin { address, pin, .. } => {
            let entry = UserEntry { pin: Some(pin.clone()), ..UserEntry::new(address.clone()) };
            Some((vec![entry], Mode::Secrets))
        }
        Op::ResetPinByMail { address, .. } => {
            let entry =
                UserEntry { pin: Some(umbel_store::NewPin::Generate), ..UserEntry::new(address.clone()) };
            Some((vec![entry], Mode::Mailed))
        }
        Op::SetPassword { address, password, .. } => {
            let entry = UserEntry { password: Some(password.clone()), ..UserEntry::new(address.clone()) };
            Some((vec![entry], Mode::Secrets))
        }
        _ => None,
    }
}

/// The costly part of an operation of [`Kind::Hash`].
pub(super) fn prepare(store: &mut SqliteStore, op: &Op) -> Result<Work, StoreError> {
    if let Op::ResetPinByMail { address, at, .. } = op {
        store.prepare_reset(address, *at)?;
    }
    if let Some((entries, mode)) = entries(op) {
        return Ok(Work::Entries(store.prepare_entries(&entries, mode)?));
    }
    match op {
        Op::CheckPin(attempt) => {
            store.prepare_check(Door::Telephone, &attempt.mailbox, attempt.secret.reveal())
        }
        Op::CheckPassword(attempt) => {
            store.prepare_check(Door::Web, &attempt.mailbox, attempt.secret.reveal())
        }
        _ => unreachable!("only operations of the kind Hash are prepared"),
    }
}

/// The written part of an operation of [`Kind::Hash`]. May be done again after a batch was given up.
pub(super) fn settle(store: &mut SqliteStore, op: &Op, done: &WorkDone) -> Reply {
    let checked = |verdict: Result<_, StoreError>| verdict.map(Reply::Checked);
    let reply = match (op, entries(op)) {
        (
            Op::AddUser { author, at, .. }
            | Op::PutUsers { author, at, .. }
            | Op::SetPin { author, at, .. }
            | Op::SetPassword { author, at, .. }
            | Op::ResetPinByMail { author, at, .. },
            Some((entries, mode)),
        ) => {
            let sets = store.settle_entries(&entries, mode, done.entries(), author, *at);
            match op {
                Op::PutUsers { .. } => sets.map(Reply::PinsSet),
                Op::SetPassword { .. } | Op::ResetPinByMail { .. } => {
                    sets.map(|_| Reply::Done).map_err(single)
                }
                _ => sets.map(|sets| Reply::PinSet(only(sets))).map_err(single),
            }
        }
        (Op::CheckPin(attempt), _) => {
            let attempt: &Attempt<_> = attempt;
            checked(store.settle_check(Door::Telephone, attempt, done.matched()))
        }
        (Op::CheckPassword(attempt), _) => {
            let attempt: &Attempt<_> = attempt;
            checked(store.settle_check(Door::Web, attempt, done.matched()))
        }
        _ => unreachable!("only operations of the kind Hash are settled"),
    };
    reply.unwrap_or_else(Reply::Failed)
}

/// The written part of any other operation.
pub(super) fn write(store: &mut SqliteStore, op: &Op) -> Reply {
    match op {
        // The file was sealed when the operation came in.
        Op::Finish(finish) => store.commit_finish(finish).map_or_else(Reply::Failed, Reply::Saved),
        other => execute(store as &mut dyn Store, other.clone()),
    }
}
