//! What a store can do, one trait to a noun. All are synchronous; whoever must not wait asks a worker.

use umbel_time::UnixTime;

use crate::{
    Account, ActiveGreeting, Address, Attempt, AuditRecord, Author, Begin, CallRecord, Counts, Decision,
    DigestHashes, DueMail, Finish, Folder, GreetingKind, Health, ItemChanges, KeptRegistration, LockedUser,
    Lookup, MailNumber, MailOutcome, MailboxChanges, MailboxSummary, MessageId, MissedCall, MissedCallId,
    NewPin, OutboxState, Password, Pin, PinSet, QueuedMail, Saved, ScrubReport, StoreError, StoredAudio,
    SweepReport, User, UserChange, UserEntry, Verdict, VoiceMessage,
};

/// Users and what is set for them.
pub trait Directory {
    /// Adds a user; refuses one who is there.
    fn add_user(&mut self, entry: &UserEntry, author: &Author, at: UnixTime) -> Result<PinSet, StoreError>;
    /// Adds or changes users, all or none. Gives the PINs that were set, in the order of the entries.
    fn put_users(
        &mut self,
        entries: &[UserEntry],
        author: &Author,
        at: UnixTime,
    ) -> Result<Vec<PinSet>, StoreError>;
    /// Makes all of these changes, or none.
    fn change_user(
        &mut self,
        address: &Address,
        changes: &[UserChange],
        author: &Author,
        at: UnixTime,
    ) -> Result<User, StoreError>;
    /// Removes a user, the mailbox and everything in it.
    fn remove_user(&mut self, address: &Address, author: &Author, at: UnixTime) -> Result<(), StoreError>;
    /// The user of this name, if there is one.
    fn find_user(&mut self, lookup: &Lookup) -> Result<Option<User>, StoreError>;
    /// Users by address, from the one after `after`; at most [`LIST_MAX`](crate::LIST_MAX).
    fn users(&mut self, after: Option<&Address>) -> Result<Vec<User>, StoreError>;
    /// What checks a digest response of this user; `None` without user or password.
    fn digest_hashes(&mut self, address: &Address) -> Result<Option<DigestHashes>, StoreError>;
    /// A count that rises with every change of what [`Settings`](crate::Settings) and password hashes of users
    /// are: whoever remembers a user asks anew when it differs. Costs next to nothing.
    fn user_changes(&mut self) -> Result<u64, StoreError>;
}

/// PINs and passwords. Lock-out counters are kept across restarts and looked at before the secret.
pub trait Secrets {
    /// Tries a PIN at the telephone's door. An unknown mailbox gets a verdict like a known one, in
    /// the same time (SEC-86).
    fn check_pin(&mut self, attempt: &Attempt<Pin>) -> Result<Verdict, StoreError>;
    /// Tries a password at the web's door.
    fn check_password(&mut self, attempt: &Attempt<Password>) -> Result<Verdict, StoreError>;
    /// The user of this address as somebody who may have signed in at the web's door before, if there is one.
    fn find_account(&mut self, address: &Address, at: UnixTime) -> Result<Option<Account>, StoreError>;
    /// Sets a PIN that is good enough and was not used before; opens the telephone's door. The owner is mailed that
    /// it was changed.
    fn set_pin(
        &mut self,
        address: &Address,
        pin: &NewPin,
        author: &Author,
        at: UnixTime,
    ) -> Result<PinSet, StoreError>;
    /// Sets a password; opens the web's door. The owner is mailed that it was changed.
    fn set_password(
        &mut self,
        address: &Address,
        password: &Password,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError>;
    /// Sets the counters of both doors back.
    fn unlock(&mut self, address: &Address, author: &Author, at: UnixTime) -> Result<(), StoreError>;
    /// Users for whom a door is locked, by address, from `first` to `last`; at most
    /// [`LIST_MAX`](crate::LIST_MAX).
    fn locked_users(
        &mut self,
        first: &Address,
        last: &Address,
        at: UnixTime,
    ) -> Result<Vec<LockedUser>, StoreError>;
}

/// Messages, greetings and notices. Whoever names a message names its mailbox too, so that no id
/// opens another's (SEC-99).
pub trait Mailboxes {
    /// The mailbox at a glance.
    fn mailbox(&mut self, address: &Address, at: UnixTime) -> Result<MailboxSummary, StoreError>;
    /// Mailboxes by address, from the one after `after`; at most [`LIST_MAX`](crate::LIST_MAX).
    fn mailboxes(&mut self, after: Option<&Address>, at: UnixTime)
    -> Result<Vec<MailboxSummary>, StoreError>;
    /// Numbers of messages, for the lamp.
    fn counts(&mut self, address: &Address) -> Result<Counts, StoreError>;
    /// Mailboxes whose lamp may have changed after the change of number `after`: a message came, was heard, kept
    /// as new, deleted or brought back, or a mailbox that ever had one got another extension. In the order of
    /// their latest changes; at most [`CHANGES_MAX`](crate::CHANGES_MAX). Costs next to nothing where nothing
    /// changed. A mailbox that is removed takes its changes along.
    fn changed_mailboxes(&mut self, after: u64) -> Result<MailboxChanges, StoreError>;
    /// Messages in the order of their numbers, from the one after `after`; at most
    /// [`LIST_MAX`](crate::LIST_MAX).
    fn messages(
        &mut self,
        mailbox: &Address,
        folder: Folder,
        after: Option<u64>,
    ) -> Result<Vec<VoiceMessage>, StoreError>;
    /// Messages from the newest on, or from the one before `before`; at most `limit` and
    /// [`LIST_MAX`](crate::LIST_MAX).
    fn latest_messages(
        &mut self,
        mailbox: &Address,
        folder: Folder,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<VoiceMessage>, StoreError>;
    /// The message of this id in whatever mailbox; for administrators, who see no audio.
    fn find_message(&mut self, id: MessageId) -> Result<Option<VoiceMessage>, StoreError>;
    /// The audio of a message, compared with its checksum; if it differs, the message is marked.
    fn message_audio(&mut self, mailbox: &Address, id: MessageId) -> Result<StoredAudio, StoreError>;
    /// Marks a message as heard, or as new again. A deleted one stays deleted.
    fn mark_heard(&mut self, mailbox: &Address, id: MessageId, heard: bool) -> Result<(), StoreError>;
    /// Deletes a message; it can be brought back until it is swept. Deleting it again changes nothing.
    fn delete_message(
        &mut self,
        mailbox: &Address,
        id: MessageId,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError>;
    /// Brings a deleted message back, as heard or new as it was. Doing it again changes nothing.
    fn restore_message(
        &mut self,
        mailbox: &Address,
        id: MessageId,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError>;
    /// The recorded greeting, if there is one.
    fn greeting_audio(
        &mut self,
        mailbox: &Address,
        kind: GreetingKind,
    ) -> Result<Option<StoredAudio>, StoreError>;
    /// Sets a greeting that was uploaded, already decoded and checked.
    fn set_greeting(
        &mut self,
        mailbox: &Address,
        kind: GreetingKind,
        audio: &StoredAudio,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError>;
    /// Removes a greeting.
    fn remove_greeting(
        &mut self,
        mailbox: &Address,
        kind: GreetingKind,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError>;
    /// Chooses which greeting callers hear.
    fn choose_greeting(
        &mut self,
        mailbox: &Address,
        greeting: ActiveGreeting,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError>;
    /// Keeps a notice, if the owner wants notices and the call left neither a message nor a notice in the mailbox
    /// before (MISS-3); says whether.
    fn note_missed_call(&mut self, notice: &MissedCall) -> Result<bool, StoreError>;
    /// Notices, oldest first; at most [`LIST_MAX`](crate::LIST_MAX).
    fn missed_calls(&mut self, mailbox: &Address) -> Result<Vec<MissedCall>, StoreError>;
    /// Removes notices up to and including this one.
    fn clear_missed_calls(&mut self, mailbox: &Address, up_to: MissedCallId) -> Result<(), StoreError>;
    /// Messages and notices that came, were marked, deleted, brought back or went after the count `after`, each
    /// as it is now and in the order of the count. From zero on: all that there are.
    fn items(&mut self, mailbox: &Address, after: u64) -> Result<ItemChanges, StoreError>;
    /// Marks a notice as looked at, or not. Telephones tell of it all the same, until they have.
    fn mark_missed_call(&mut self, mailbox: &Address, id: MessageId, seen: bool) -> Result<(), StoreError>;
    /// Removes one notice by the id of its item.
    fn remove_missed_call(&mut self, mailbox: &Address, id: MessageId) -> Result<(), StoreError>;
}

/// Recordings that are running. Every step may be repeated without harm.
pub trait Recordings {
    /// Makes room for a recording: refuses where there is no mailbox, none enabled, or no room.
    fn begin(&mut self, begin: &Begin) -> Result<(), StoreError>;
    /// Adds what was said since.
    fn append(&mut self, id: MessageId, chunk: &[u8]) -> Result<(), StoreError>;
    /// What was said so far, for its speaker to review.
    fn recorded(&mut self, id: MessageId) -> Result<StoredAudio, StoreError>;
    /// Keeps the recording. It returns when that is safe (D1), and not before.
    fn finish(&mut self, finish: &Finish) -> Result<Saved, StoreError>;
    /// Gives the recording up. What was saved already stays.
    fn discard(&mut self, id: MessageId) -> Result<(), StoreError>;
}

/// What a registrar finds again after a restart. It is soft state: what is lost of it, telephones tell again
/// when they refresh.
pub trait Registrations {
    /// Keeps these, each in place of what was kept for its address; all or none.
    fn keep_registrations(&mut self, registrations: &[KeptRegistration]) -> Result<(), StoreError>;
    /// Those that have not ended, by address, from the one after `after`; at most
    /// [`LIST_MAX`](crate::LIST_MAX).
    fn registrations(
        &mut self,
        after: Option<&str>,
        at: UnixTime,
    ) -> Result<Vec<KeptRegistration>, StoreError>;
}

/// Mails that wait to be sent. They are put here by the operations that they tell of, in the same transaction:
/// whoever was told that a message is saved knows that its mail is on its way too. They go to users with a mail
/// address, and only where [`Config::mail`](crate::Config::mail) is set.
pub trait Outbox {
    /// Mails that are due, earliest first; at most [`DUE_MAILS_MAX`](crate::DUE_MAILS_MAX). The same until they are
    /// settled.
    fn due_mails(&mut self, at: UnixTime) -> Result<Vec<DueMail>, StoreError>;
    /// Notes what became of a mail. One that is gone meanwhile is no error.
    fn settle_mail(
        &mut self,
        number: MailNumber,
        outcome: &MailOutcome,
        at: UnixTime,
    ) -> Result<(), StoreError>;
    /// Mails in the queue by their numbers, failed ones too, from the one after `after`; at most
    /// [`LIST_MAX`](crate::LIST_MAX).
    fn queued_mails(&mut self, after: Option<MailNumber>) -> Result<Vec<QueuedMail>, StoreError>;
    /// How the queue stands.
    fn outbox_state(&mut self) -> Result<OutboxState, StoreError>;
    /// Makes this mail, or all of them, due now, those that failed too; says how many. A mail that told a PIN and
    /// failed tells it no more, and stays as it is.
    fn retry_mails(&mut self, only: Option<MailNumber>, at: UnixTime) -> Result<u64, StoreError>;
    /// Makes a new random PIN that fits the policy, which must be changed at the next log-in by PIN (DEC-14), and
    /// mails it to the owner, all in one transaction: what `ResetPIN` of [MS-OXWUMS] asks for. The PIN is in no
    /// reply, no log and not in clear in the store. It takes the place of one that was reset before and not mailed
    /// yet.
    ///
    /// Refused as [`MailNotSetUp`](crate::Refusal::MailNotSetUp), [`NoMailAddress`](crate::Refusal::NoMailAddress),
    /// [`TooManyPinResets`](crate::Refusal::TooManyPinResets) (more than
    /// [`PIN_RESETS_MAX`](crate::PIN_RESETS_MAX) an hour), [`OutboxFull`](crate::Refusal::OutboxFull), or where
    /// there is no such user or the mailbox is disabled; the old PIN stays then.
    fn reset_pin_by_mail(
        &mut self,
        address: &Address,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError>;
}

/// Decisions, calls and the audit trail.
pub trait AuditTrail {
    /// Keeps decisions.
    fn decide(&mut self, decisions: &[Decision]) -> Result<(), StoreError>;
    /// All decisions about a call, oldest first.
    fn decisions(&mut self, call_id: &str) -> Result<Vec<Decision>, StoreError>;
    /// Keeps a call, in place of an earlier record of the same call (same Call-ID, same start).
    fn record_call(&mut self, call: &CallRecord) -> Result<(), StoreError>;
    /// The latest calls, latest first; at most `limit` and at most [`LIST_MAX`](crate::LIST_MAX).
    fn calls(&mut self, limit: usize) -> Result<Vec<CallRecord>, StoreError>;
    /// Keeps a line of the audit trail that the store does not write by itself.
    fn audit(&mut self, record: &AuditRecord) -> Result<(), StoreError>;
    /// The latest lines about a mailbox, oldest first; at most [`LIST_MAX`](crate::LIST_MAX).
    fn audit_records(&mut self, mailbox: &Address) -> Result<Vec<AuditRecord>, StoreError>;
}

/// Looking after the store.
pub trait Upkeep {
    /// Removes what has been kept long enough (DEC-37, REL-16), and registrations that have ended.
    fn sweep(&mut self, at: UnixTime) -> Result<SweepReport, StoreError>;
    /// Compares the audio of the next `count` messages with their checksums (REL-05).
    fn scrub(&mut self, count: usize, at: UnixTime) -> Result<ScrubReport, StoreError>;
    /// Whether the store can do its work.
    fn health(&mut self) -> Result<Health, StoreError>;
}

/// A whole store.
pub trait Store:
    Directory + Secrets + Mailboxes + Recordings + Registrations + Outbox + AuditTrail + Upkeep
{
}

impl<S: Directory + Secrets + Mailboxes + Recordings + Registrations + Outbox + AuditTrail + Upkeep> Store
    for S
{
}
