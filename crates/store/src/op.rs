//! The operations, as values: what a room that holds no store wishes for.

use bytes::Bytes;
use umbel_time::UnixTime;

use crate::{
    ActiveGreeting, Address, Attempt, AuditRecord, Author, Begin, CallRecord, Decision, Finish, Folder,
    GreetingKind, KeptRegistration, Lookup, MailNumber, MailOutcome, MessageId, MissedCall, MissedCallId,
    NewPin, Password, Pin, StoredAudio, UserChange, UserEntry,
};

/// One operation. Each is a method of one of the traits; the comment names the [`Reply`](crate::Reply)
/// besides `Failed`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the arguments of the methods, which say what they are")]
pub enum Op {
    /// [`Directory::add_user`](crate::Directory::add_user) → `PinSet`
    AddUser { entry: Box<UserEntry>, author: Author, at: UnixTime },
    /// [`Directory::put_users`](crate::Directory::put_users) → `PinsSet`
    PutUsers { entries: Vec<UserEntry>, author: Author, at: UnixTime },
    /// [`Directory::change_user`](crate::Directory::change_user) → `User`
    ChangeUser { address: Address, changes: Vec<UserChange>, author: Author, at: UnixTime },
    /// [`Directory::remove_user`](crate::Directory::remove_user) → `Done`
    RemoveUser { address: Address, author: Author, at: UnixTime },
    /// [`Directory::find_user`](crate::Directory::find_user) → `User`
    FindUser(Lookup),
    /// [`Directory::users`](crate::Directory::users) → `Users`
    ListUsers { after: Option<Address> },
    /// [`Directory::digest_hashes`](crate::Directory::digest_hashes) → `DigestHashes`
    DigestHashes(Address),
    /// [`Directory::user_changes`](crate::Directory::user_changes) → `UserChanges`
    CountUserChanges,

    /// [`Secrets::check_pin`](crate::Secrets::check_pin) → `Checked`
    CheckPin(Box<Attempt<Pin>>),
    /// [`Secrets::check_password`](crate::Secrets::check_password) → `Checked`
    CheckPassword(Box<Attempt<Password>>),
    /// [`Secrets::find_account`](crate::Secrets::find_account) → `Account`
    FindAccount { address: Address, at: UnixTime },
    /// [`Secrets::set_pin`](crate::Secrets::set_pin) → `PinSet`
    SetPin { address: Address, pin: NewPin, author: Author, at: UnixTime },
    /// [`Secrets::set_password`](crate::Secrets::set_password) → `Done`
    SetPassword { address: Address, password: Password, author: Author, at: UnixTime },
    /// [`Secrets::unlock`](crate::Secrets::unlock) → `Done`
    Unlock { address: Address, author: Author, at: UnixTime },
    /// [`Secrets::locked_users`](crate::Secrets::locked_users) → `LockedUsers`
    ListLocked { first: Address, last: Address, at: UnixTime },

    /// [`Mailboxes::mailbox`](crate::Mailboxes::mailbox) → `Mailbox`
    OpenMailbox { address: Address, at: UnixTime },
    /// [`Mailboxes::mailboxes`](crate::Mailboxes::mailboxes) → `Mailboxes`
    ListMailboxes { after: Option<Address>, at: UnixTime },
    /// [`Mailboxes::counts`](crate::Mailboxes::counts) → `Counts`
    CountMessages(Address),
    /// [`Mailboxes::changed_mailboxes`](crate::Mailboxes::changed_mailboxes) → `MailboxChanges`
    ListChangedMailboxes { after: u64 },
    /// [`Mailboxes::messages`](crate::Mailboxes::messages) → `Messages`
    ListMessages { mailbox: Address, folder: Folder, after: Option<u64> },
    /// [`Mailboxes::latest_messages`](crate::Mailboxes::latest_messages) → `Messages`
    ListLatestMessages { mailbox: Address, folder: Folder, before: Option<u64>, limit: usize },
    /// [`Mailboxes::find_message`](crate::Mailboxes::find_message) → `Message`
    FindMessage(MessageId),
    /// [`Mailboxes::message_audio`](crate::Mailboxes::message_audio) → `Audio`
    FetchMessage { mailbox: Address, id: MessageId },
    /// [`Mailboxes::mark_heard`](crate::Mailboxes::mark_heard) → `Done`
    MarkHeard { mailbox: Address, id: MessageId, heard: bool },
    /// [`Mailboxes::delete_message`](crate::Mailboxes::delete_message) → `Done`
    DeleteMessage { mailbox: Address, id: MessageId, author: Author, at: UnixTime },
    /// [`Mailboxes::restore_message`](crate::Mailboxes::restore_message) → `Done`
    RestoreMessage { mailbox: Address, id: MessageId, author: Author, at: UnixTime },
    /// [`Mailboxes::greeting_audio`](crate::Mailboxes::greeting_audio) → `Greeting`
    FetchGreeting { mailbox: Address, kind: GreetingKind },
    /// [`Mailboxes::set_greeting`](crate::Mailboxes::set_greeting) → `Done`
    SetGreeting { mailbox: Address, kind: GreetingKind, audio: StoredAudio, author: Author, at: UnixTime },
    /// [`Mailboxes::remove_greeting`](crate::Mailboxes::remove_greeting) → `Done`
    RemoveGreeting { mailbox: Address, kind: GreetingKind, author: Author, at: UnixTime },
    /// [`Mailboxes::choose_greeting`](crate::Mailboxes::choose_greeting) → `Done`
    ChooseGreeting { mailbox: Address, greeting: ActiveGreeting, author: Author, at: UnixTime },
    /// [`Mailboxes::note_missed_call`](crate::Mailboxes::note_missed_call) → `Noted`
    NoteMissedCall(Box<MissedCall>),
    /// [`Mailboxes::missed_calls`](crate::Mailboxes::missed_calls) → `MissedCalls`
    ListMissedCalls(Address),
    /// [`Mailboxes::clear_missed_calls`](crate::Mailboxes::clear_missed_calls) → `Done`
    ClearMissedCalls { mailbox: Address, up_to: MissedCallId },
    /// [`Mailboxes::items`](crate::Mailboxes::items) → `Items`
    ListItems { mailbox: Address, after: u64 },
    /// [`Mailboxes::mark_missed_call`](crate::Mailboxes::mark_missed_call) → `Done`
    MarkMissedCall { mailbox: Address, id: MessageId, seen: bool },
    /// [`Mailboxes::remove_missed_call`](crate::Mailboxes::remove_missed_call) → `Done`
    RemoveMissedCall { mailbox: Address, id: MessageId },

    /// [`Recordings::begin`](crate::Recordings::begin) → `Done`
    Begin(Box<Begin>),
    /// [`Recordings::append`](crate::Recordings::append) → `Done`
    Append { id: MessageId, chunk: Audible },
    /// [`Recordings::recorded`](crate::Recordings::recorded) → `Audio`
    FetchRecording(MessageId),
    /// [`Recordings::finish`](crate::Recordings::finish) → `Saved`
    Finish(Finish),
    /// [`Recordings::discard`](crate::Recordings::discard) → `Done`
    Discard(MessageId),

    /// [`Registrations::keep_registrations`](crate::Registrations::keep_registrations) → `Done`
    KeepRegistrations(Vec<KeptRegistration>),
    /// [`Registrations::registrations`](crate::Registrations::registrations) → `Registrations`
    ListRegistrations { after: Option<String>, at: UnixTime },

    /// [`Outbox::due_mails`](crate::Outbox::due_mails) → `DueMails`
    ListDueMails { at: UnixTime },
    /// [`Outbox::settle_mail`](crate::Outbox::settle_mail) → `Done`
    SettleMail { number: MailNumber, outcome: MailOutcome, at: UnixTime },
    /// [`Outbox::queued_mails`](crate::Outbox::queued_mails) → `QueuedMails`
    ListQueuedMails { after: Option<MailNumber> },
    /// [`Outbox::outbox_state`](crate::Outbox::outbox_state) → `OutboxState`
    ShowOutbox,
    /// [`Outbox::retry_mails`](crate::Outbox::retry_mails) → `Retried`
    RetryMails { only: Option<MailNumber>, at: UnixTime },
    /// [`Outbox::reset_pin_by_mail`](crate::Outbox::reset_pin_by_mail) → `Done`; the PIN is in no reply
    ResetPinByMail { address: Address, author: Author, at: UnixTime },

    /// [`AuditTrail::decide`](crate::AuditTrail::decide) → `Done`
    Decide(Vec<Decision>),
    /// [`AuditTrail::decisions`](crate::AuditTrail::decisions) → `Decisions`
    ListDecisions { call_id: String },
    /// [`AuditTrail::record_call`](crate::AuditTrail::record_call) → `Done`
    RecordCall(Box<CallRecord>),
    /// [`AuditTrail::calls`](crate::AuditTrail::calls) → `Calls`
    ListCalls { limit: usize },
    /// [`AuditTrail::audit`](crate::AuditTrail::audit) → `Done`
    Audit(Box<AuditRecord>),
    /// [`AuditTrail::audit_records`](crate::AuditTrail::audit_records) → `AuditRecords`
    ListAuditRecords(Address),

    /// [`Upkeep::sweep`](crate::Upkeep::sweep) → `Swept`
    Sweep { at: UnixTime },
    /// [`Upkeep::scrub`](crate::Upkeep::scrub) → `Scrubbed`
    Scrub { count: usize, at: UnixTime },
    /// [`Upkeep::health`](crate::Upkeep::health) → `Health`
    CheckHealth,
}

/// Octets of audio that do not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Audible(pub Bytes);

impl std::fmt::Debug for Audible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} octets", self.0.len())
    }
}

impl From<Bytes> for Audible {
    fn from(bytes: Bytes) -> Self {
        Audible(bytes)
    }
}
