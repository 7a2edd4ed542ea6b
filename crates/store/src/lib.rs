//! Users, mailboxes, messages, PINs: the types, the operations and the store in memory.
//!
//! What a store can do is said by traits, one to a noun: [`Directory`], [`Secrets`], [`Mailboxes`],
//! [`Recordings`], [`Registrations`], [`Outbox`], [`AuditTrail`] and [`Upkeep`]. They are synchronous. Rooms that decide never hold
//! a store: they wish for an [`Op`] and are later told the [`Reply`]; [`execute`] is the one bridge
//! between the two forms. Wall-clock times come with the operations, chance from a generator that is
//! handed in, so that a store in memory behaves the same in every run.

mod account;
mod address;
mod audit;
mod call_record;
mod decision;
mod digest_hash;
mod error;
mod execute;
mod greeting;
mod id;
mod item;
mod limits;
mod lock_out;
mod mailbox;
mod missed_call;
mod op;
mod outbox;
mod pilot;
mod pin;
mod pin_policy;
mod recording;
mod registration;
mod reply;
mod secret;
mod traits;
mod upkeep;
mod user;
mod user_change;
mod voice_message;

pub mod memory;

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;

pub use account::{Account, LockedUser, SecretsMark};
pub use address::{Address, NotAnAddress};
pub use audit::{AuditRecord, Author, Event};
pub use call_record::{CallOutcome, CallRecord};
pub use decision::{CallKind, Decision, PinOutcome, RecordingEnd, Routing, Ruling, Topic, Transport};
pub use digest_hash::{DigestHashes, Ha1};
pub use error::{EntryRefusal, Invalid, Refusal, StoreError};
pub use execute::execute;
pub use greeting::{ActiveGreeting, Greeting, GreetingKind};
pub use id::{MessageId, NotAnId, Ticket};
pub use item::{GoneItem, Item, ItemChanges, ItemContent};
pub use limits::{
    ALIASES_MAX, CALL_ID_BYTES_MAX, CHANGES_MAX, CHUNK_BYTES_MAX, Config, DIAL_STRING_CHARS_MAX,
    FOLDER_ID_CHARS_MAX, GONE_ITEMS_MAX, LIST_MAX, RECORDING_BYTES_MAX, RECORDINGS_MAX, RECORDS_MAX,
    ROUTING_CHARS_MAX, ROUTING_RULES_MAX, TEXT_CHARS_MAX, call_id_on_record, clean_text,
};
pub use lock_out::{CALLER_FAILURES_MAX, CALLER_WINDOW, CallerFailures, FAILURES_FOR_GOOD, Lock, LockOut};
pub use mailbox::{Counts, MailboxChange, MailboxChanges, MailboxSummary};
pub use missed_call::{MissedCall, MissedCallId};
pub use op::{Audible, Op};
pub use outbox::{
    DUE_MAILS_MAX, DueMail, FAILED_MAILS_KEPT, FAILED_MAILS_MAX, GreetingChange, MAIL_REASON_CHARS_MAX,
    MailKind, MailNumber, MailOutcome, OUTBOX_MAX, OUTBOX_PER_MAILBOX_MAX, OutboxState, PIN_RESET_WINDOW,
    PIN_RESETS_MAX, QueuedMail, SecretChange, Tidings,
};
pub use pilot::{IsPilot, no_pilot};
pub use pin::{Attempt, Door, NewPin, PinSet, PinState, Verdict};
pub use pin_policy::{PINS_REMEMBERED, PinPolicy, WeakPin};
pub use recording::{Begin, Finish, Purpose, Saved};
pub use registration::KeptRegistration;
pub use reply::Reply;
pub use secret::{NotAPin, Password, Pin};
pub use traits::{
    AuditTrail, Directory, Mailboxes, Outbox, Recordings, Registrations, Secrets, Store, Upkeep,
};
pub use upkeep::{Health, ScrubReport, SweepReport};
pub use user::{Lookup, Role, Settings, User};
pub use user_change::{UserChange, UserEntry};
pub use voice_message::{AudioFormat, Caller, Folder, Importance, MessageState, StoredAudio, VoiceMessage};
