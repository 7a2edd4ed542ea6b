//! The store in memory: the reference that other stores are compared with, and what simulated worlds use.

mod audit_trail;
mod directory;
mod items;
mod mailboxes;
mod outbox;
mod recordings;
mod registrations;
mod secrets;
mod upkeep;

use std::collections::BTreeMap;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use umbel_time::UnixTime;

use crate::{
    Address, AuditRecord, Author, Begin, CallRecord, CallerFailures, Config, Decision, DigestHashes, Event,
    Greeting, GreetingKind, KeptRegistration, LockOut, MessageId, MissedCall, Password, Pin, PinState,
    Refusal, SecretsMark, Settings, StoreError, User, VoiceMessage,
};

/// A store that forgets everything when dropped. It keeps secrets as they are, being gone so soon.
#[derive(Debug)]
pub struct MemoryStore {
    config: Config,
    rng: ChaCha20Rng,
    accounts: BTreeMap<Address, Account>,
    recordings: BTreeMap<MessageId, Recording>,
    callers: BTreeMap<String, CallerFailures>,
    registrations: BTreeMap<String, KeptRegistration>,
    outbox: outbox::Queue,
    decisions: Vec<Decision>,
    calls: Vec<CallRecord>,
    audit: Vec<AuditRecord>,
    last_notice: u64,
    last_change: u64,
    user_changes: u64,
    /// Counts the secrets that were set.
    last_secret: u64,
}

/// A user with the mailbox.
#[derive(Clone, Debug)]
struct Account {
    settings: Settings,
    added: UnixTime,
    greeting: crate::ActiveGreeting,
    pin_state: PinState,
    pin_resets: Vec<UnixTime>,
    /// The present one last.
    pins: Vec<Pin>,
    password: Option<(Password, DigestHashes)>,
    secrets: SecretsMark,
    telephone: LockOut,
    web: LockOut,
    messages: BTreeMap<u64, Message>,
    last_number: u64,
    greetings: BTreeMap<GreetingKind, (Greeting, Bytes)>,
    notices: Vec<Notice>,
    items: items::Count,
    /// The number of the latest change; zero where there never was a message.
    changed: u64,
}

#[derive(Clone, Debug)]
struct Message {
    envelope: VoiceMessage,
    /// What the state is, or will be when the message is brought back.
    heard: bool,
    audio: Bytes,
    marks: items::Marks,
}

/// A notice as an item.
#[derive(Clone, Debug)]
struct Notice {
    call: MissedCall,
    item: MessageId,
    seen: bool,
    marks: items::Marks,
}

#[derive(Debug)]
struct Recording {
    begin: Begin,
    audio: Vec<u8>,
}

impl MemoryStore {
    /// An empty store; generated PINs come from `rng`.
    pub fn new(config: Config, rng: ChaCha20Rng) -> Self {
        MemoryStore {
            config,
            rng,
            accounts: BTreeMap::new(),
            recordings: BTreeMap::new(),
            callers: BTreeMap::new(),
            registrations: BTreeMap::new(),
            outbox: outbox::Queue::default(),
            decisions: Vec::new(),
            calls: Vec::new(),
            audit: Vec::new(),
            last_notice: 0,
            last_change: 0,
            user_changes: 0,
            last_secret: 0,
        }
    }

    fn account(&self, address: &Address) -> Result<&Account, StoreError> {
        self.accounts.get(address).ok_or(StoreError::Refused(Refusal::NoSuchUser))
    }

    fn account_mut(&mut self, address: &Address) -> Result<&mut Account, StoreError> {
        self.accounts.get_mut(address).ok_or(StoreError::Refused(Refusal::NoSuchUser))
    }

    /// Notes that a lamp may have to show something else.
    fn note_change(&mut self, mailbox: &Address) {
        self.last_change += 1;
        if let Some(account) = self.accounts.get_mut(mailbox) {
            account.changed = self.last_change;
        }
    }

    /// The mark of a secret that is set now.
    fn next_secret(&mut self) -> u64 {
        self.last_secret += 1;
        self.last_secret
    }

    fn write_audit(&mut self, mailbox: &Address, author: &Author, event: Event, at: UnixTime) {
        self.audit.push(AuditRecord {
            at,
            mailbox: mailbox.clone(),
            call_id: author.call_id().map(str::to_owned),
            door: None,
            author: Some(author.clone()),
            event,
        });
    }
}

impl Account {
    fn user(&self) -> User {
        User {
            settings: self.settings.clone(),
            pin: self.pin_state,
            has_password: self.password.is_some(),
            greeting: self.greeting,
            added: self.added,
        }
    }

    fn message(&self, id: MessageId) -> Result<&Message, StoreError> {
        let found = self.messages.values().find(|message| message.envelope.id == id);
        found.ok_or(StoreError::Refused(Refusal::NoSuchMessage(id)))
    }

    fn message_mut(&mut self, id: MessageId) -> Result<&mut Message, StoreError> {
        let found = self.messages.values_mut().find(|message| message.envelope.id == id);
        found.ok_or(StoreError::Refused(Refusal::NoSuchMessage(id)))
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    crate::conformance!(|config, check| check(&mut MemoryStore::new(config, ChaCha20Rng::seed_from_u64(1))));
}
