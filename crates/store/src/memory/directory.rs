//! Users, in memory.

use std::collections::{BTreeMap, BTreeSet};

use umbel_time::UnixTime;

use super::items::Count;
use super::{Account, MemoryStore};
use crate::{
    ActiveGreeting, Address, Author, DigestHashes, Directory, EntryRefusal, Event, Invalid, LIST_MAX,
    LockOut, Lookup, NewPin, PinSet, PinState, Refusal, SecretsMark, Settings, StoreError, User, UserChange,
    UserEntry,
};

impl MemoryStore {
    /// Whether an extension or alias of `settings` belongs to somebody else.
    fn check_taken(&self, settings: &Settings) -> Result<(), Invalid> {
        let names = |settings: &Settings| -> Vec<String> {
            settings.aliases.iter().chain(&settings.extension).cloned().collect()
        };
        let wanted = names(settings);
        let taken = self
            .accounts
            .values()
            .filter(|other| other.settings.address != settings.address)
            .any(|other| names(&other.settings).iter().any(|name| wanted.contains(name)));
        if taken { Err(Invalid::Taken) } else { Ok(()) }
    }

    fn put_user(&mut self, entry: &UserEntry, author: &Author, at: UnixTime) -> Result<PinSet, EntryRefusal> {
        let known = self.accounts.get(&entry.address).cloned();
        let mut account = known.clone().unwrap_or_else(|| Account {
            settings: Settings::new(entry.address.clone()),
            added: at,
            greeting: ActiveGreeting::Standard,
            pin_state: PinState::Generated,
            pin_resets: Vec::new(),
            pins: Vec::new(),
            secrets: SecretsMark { pin: 0, password: 0 },
            password: None,
            telephone: LockOut::default(),
            web: LockOut::default(),
            messages: BTreeMap::new(),
            last_number: 0,
            greetings: BTreeMap::new(),
            notices: Vec::new(),
            items: Count::default(),
            changed: 0,
        });
        for change in &entry.changes {
            change.apply(&mut account.settings).map_err(EntryRefusal::Invalid)?;
        }
        self.check_taken(&account.settings).map_err(EntryRefusal::Invalid)?;

        let mut set = PinSet { address: entry.address.clone(), generated: None };
        // SEC-89: no mailbox without a PIN.
        let pin = entry.pin.clone().or_else(|| known.is_none().then_some(NewPin::Generate));
        let mut events = vec![if known.is_none() { Event::UserAdded } else { Event::UserChanged }];
        // The same row twice says the same twice: a PIN that is there already is no change.
        let unchanged = |pin: &NewPin| matches!(pin, NewPin::Own(pin) if account.pins.last() == Some(pin));
        if let Some(pin) = pin.filter(|pin| !unchanged(pin)) {
            set = self.put_pin(&mut account, &pin).map_err(EntryRefusal::WeakPin)?;
            events.push(Event::PinChanged { generated: set.generated.is_some() });
        }
        if let Some(password) = &entry.password {
            account.password = Some((password.clone(), DigestHashes::new(&entry.address, password)));
            account.secrets.password = self.next_secret();
            account.web = LockOut::default();
            events.push(Event::PasswordChanged);
        }
        let moved = account.changed > 0
            && known.is_some_and(|known| known.settings.extension != account.settings.extension);
        self.accounts.insert(entry.address.clone(), account);
        self.user_changes += 1;
        if moved {
            self.note_change(&entry.address);
        }
        for event in events {
            self.write_audit(&entry.address, author, event, at);
        }
        Ok(set)
    }
}

impl Directory for MemoryStore {
    fn add_user(&mut self, entry: &UserEntry, author: &Author, at: UnixTime) -> Result<PinSet, StoreError> {
        if self.accounts.contains_key(&entry.address) {
            return Err(Refusal::UserExists.into());
        }
        let set = self.put_user(entry, author, at);
        set.map_err(|refusal| Refusal::from(refusal).into())
    }

    fn put_users(
        &mut self,
        entries: &[UserEntry],
        author: &Author,
        at: UnixTime,
    ) -> Result<Vec<PinSet>, StoreError> {
        let (before, audit_before) = (self.accounts.clone(), self.audit.len());
        let changes_before = self.last_change;
        let (mut sets, mut seen) = (Vec::new(), BTreeSet::new());
        for (index, entry) in entries.iter().enumerate() {
            let first = seen.insert(&entry.address);
            let put = if first {
                self.put_user(entry, author, at)
            } else {
                Err(EntryRefusal::Invalid(Invalid::Twice))
            };
            match put {
                Ok(set) => sets.push(set),
                Err(refusal) => {
                    self.accounts = before;
                    self.last_change = changes_before;
                    self.audit.truncate(audit_before);
                    return Err(Refusal::Entry { entry: index, refusal }.into());
                }
            }
        }
        Ok(sets)
    }

    fn change_user(
        &mut self,
        address: &Address,
        changes: &[UserChange],
        author: &Author,
        at: UnixTime,
    ) -> Result<User, StoreError> {
        let mut settings = self.account(address)?.settings.clone();
        for change in changes {
            change.apply(&mut settings).map_err(Refusal::Invalid)?;
        }
        self.check_taken(&settings).map_err(Refusal::Invalid)?;
        self.write_audit(address, author, Event::UserChanged, at);
        let account = self.account_mut(address)?;
        let moved = account.changed > 0 && account.settings.extension != settings.extension;
        account.settings = settings;
        let user = account.user();
        self.user_changes += 1;
        if moved {
            self.note_change(address);
        }
        Ok(user)
    }

    fn remove_user(&mut self, address: &Address, author: &Author, at: UnixTime) -> Result<(), StoreError> {
        self.accounts.remove(address).ok_or(Refusal::NoSuchUser)?;
        self.user_changes += 1;
        self.recordings.retain(|_, recording| recording.begin.mailbox != *address);
        self.forget_moot_mails();
        self.write_audit(address, author, Event::UserRemoved, at);
        Ok(())
    }

    fn find_user(&mut self, lookup: &Lookup) -> Result<Option<User>, StoreError> {
        let by_alias =
            |alias: &String| self.accounts.values().find(|account| account.settings.aliases.contains(alias));
        let found = match lookup {
            Lookup::Address(address) => self.accounts.get(address),
            Lookup::Alias(alias) => by_alias(alias),
            Lookup::Extension(digits) => self
                .accounts
                .values()
                .find(|account| account.settings.extension.as_ref() == Some(digits))
                .or_else(|| by_alias(digits)),
        };
        Ok(found.map(Account::user))
    }

    fn users(&mut self, after: Option<&Address>) -> Result<Vec<User>, StoreError> {
        let rest = self.accounts.iter().filter(|(address, _)| after.is_none_or(|after| *address > after));
        Ok(rest.take(LIST_MAX).map(|(_, account)| account.user()).collect())
    }

    fn digest_hashes(&mut self, address: &Address) -> Result<Option<DigestHashes>, StoreError> {
        let account = self.accounts.get(address);
        Ok(account.and_then(|account| account.password.as_ref()).map(|(_, hashes)| hashes.clone()))
    }

    fn user_changes(&mut self) -> Result<u64, StoreError> {
        Ok(self.user_changes)
    }
}
