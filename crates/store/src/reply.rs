//! The replies: what became of an operation.

use crate::{
    Account, AuditRecord, CallRecord, Counts, Decision, DigestHashes, DueMail, Health, ItemChanges,
    KeptRegistration, LockedUser, MailboxChanges, MailboxSummary, MissedCall, OutboxState, PinSet,
    QueuedMail, Saved, ScrubReport, StoreError, StoredAudio, SweepReport, User, Verdict, VoiceMessage,
};

/// What became of an [`Op`](crate::Op): exactly one for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It did not happen.
    Failed(StoreError),
    /// It happened, and there is nothing to tell.
    Done,
    /// The user, if there is one.
    User(Option<Box<User>>),
    /// Users by address.
    Users(Vec<User>),
    /// The PIN was set.
    PinSet(PinSet),
    /// These PINs were set.
    PinsSet(Vec<PinSet>),
    /// What checks a digest response.
    DigestHashes(Option<DigestHashes>),
    /// How often users have changed.
    UserChanges(u64),
    /// The verdict on a PIN or password.
    Checked(Verdict),
    /// The user as somebody who may have signed in before, if there is one.
    Account(Option<Box<Account>>),
    /// Users for whom a door is locked, by address.
    LockedUsers(Vec<LockedUser>),
    /// The mailbox at a glance.
    Mailbox(Box<MailboxSummary>),
    /// Mailboxes by address.
    Mailboxes(Vec<MailboxSummary>),
    /// Numbers of messages.
    Counts(Counts),
    /// Mailboxes that changed.
    MailboxChanges(MailboxChanges),
    /// Messages by number.
    Messages(Vec<VoiceMessage>),
    /// The message, if there is one.
    Message(Option<Box<VoiceMessage>>),
    /// Audio of a message or of a running recording.
    Audio(StoredAudio),
    /// Audio of a greeting, if it is recorded.
    Greeting(Option<StoredAudio>),
    /// Whether the notice was kept.
    Noted(bool),
    /// Notices of calls without a message.
    MissedCalls(Vec<MissedCall>),
    /// Items that changed.
    Items(Box<ItemChanges>),
    /// The recording is safe (D1). Nobody is told "saved" before this.
    Saved(Saved),
    /// Registrations by address.
    Registrations(Vec<KeptRegistration>),
    /// Mails that are due, earliest first.
    DueMails(Vec<DueMail>),
    /// Mails in the queue.
    QueuedMails(Vec<QueuedMail>),
    /// How the queue of mails stands.
    OutboxState(OutboxState),
    /// So many mails are due now.
    Retried(u64),
    /// Decisions, oldest first.
    Decisions(Vec<Decision>),
    /// Calls, latest first.
    Calls(Vec<CallRecord>),
    /// Lines of the audit trail, oldest first.
    AuditRecords(Vec<AuditRecord>),
    /// What was swept.
    Swept(SweepReport),
    /// What was scrubbed.
    Scrubbed(ScrubReport),
    /// Whether the store can do its work.
    Health(Health),
}
