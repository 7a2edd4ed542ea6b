//! PINs and passwords, in memory.

use umbel_time::UnixTime;

use super::{Account, MemoryStore};
use crate::{
    Address, Attempt, AuditRecord, Author, DigestHashes, Door, Event, LIST_MAX, LockOut, LockedUser, NewPin,
    PINS_REMEMBERED, Password, Pin, PinSet, PinState, Refusal, Secrets, StoreError, Verdict, WeakPin,
};

impl MemoryStore {
    /// Sets a PIN if it is good enough and new to this user.
    pub(super) fn put_pin(&mut self, account: &mut Account, pin: &NewPin) -> Result<PinSet, WeakPin> {
        let extension = account.settings.extension.as_deref();
        let (pin, state) = match pin {
            NewPin::Own(pin) => {
                self.config.pin.judge(pin, extension)?;
                if account.pins.contains(pin) {
                    return Err(WeakPin::UsedBefore);
                }
                (pin.clone(), PinState::Own)
            }
            NewPin::Generate => (self.config.pin.generate(&mut self.rng, extension), PinState::Generated),
        };
        account.pins.push(pin.clone());
        account.secrets.pin = self.next_secret();
        let excess = account.pins.len().saturating_sub(PINS_REMEMBERED);
        account.pins.drain(..excess);
        account.pin_state = state;
        account.telephone = LockOut::default();
        let generated = (state == PinState::Generated).then_some(pin);
        Ok(PinSet { address: account.settings.address.clone(), generated })
    }

    /// The common course of both doors; `right` compares the secret.
    fn check<S>(&mut self, door: Door, attempt: &Attempt<S>, right: impl Fn(&Account) -> bool) -> Verdict {
        let now = attempt.at;
        let (verdict, event) = self.judge(door, attempt, right);
        if matches!(verdict, Verdict::Wrong { .. }) {
            self.callers.entry(attempt.caller.clone()).or_default().failed(now);
        }
        self.audit.push(AuditRecord {
            at: now,
            mailbox: attempt.mailbox.clone(),
            call_id: attempt.call_id.clone(),
            door: Some(door),
            author: None,
            event,
        });
        verdict
    }

    fn judge<S>(
        &mut self,
        door: Door,
        attempt: &Attempt<S>,
        right: impl Fn(&Account) -> bool,
    ) -> (Verdict, Event) {
        let now = attempt.at;
        let lock_after = self.config.pin.lock_after;
        let caller = self.callers.get(&attempt.caller);
        if let Some(until) = caller.and_then(|failures| failures.locked_until(now)) {
            return (Verdict::CallerLocked { until }, Event::SignInRefused);
        }
        let failed = Event::SignInFailed { failures: 0, locked: false };
        let Some(account) =
            self.accounts.get_mut(&attempt.mailbox).filter(|account| account.settings.enabled)
        else {
            return (Verdict::Wrong { locked: None }, failed);
        };
        let is_right = right(account);
        let lock_out = match door {
            Door::Telephone => &mut account.telephone,
            Door::Web => &mut account.web,
        };
        if let Some(lock) = lock_out.lock(now) {
            return (Verdict::Locked(lock), Event::SignInRefused);
        }
        if is_right {
            *lock_out = LockOut::default();
            let must_change = door == Door::Telephone && account.pin_state == PinState::Generated;
            return (Verdict::Right { must_change }, Event::SignedIn);
        }
        *lock_out = lock_out.failed(lock_after, now);
        let locked = lock_out.lock(now);
        let event = Event::SignInFailed { failures: lock_out.failures, locked: locked.is_some() };
        (Verdict::Wrong { locked }, event)
    }
}

impl Secrets for MemoryStore {
    fn check_pin(&mut self, attempt: &Attempt<Pin>) -> Result<Verdict, StoreError> {
        Ok(self.check(Door::Telephone, attempt, |account| account.pins.last() == Some(&attempt.secret)))
    }

    fn check_password(&mut self, attempt: &Attempt<Password>) -> Result<Verdict, StoreError> {
        let right = |account: &Account| {
            account.password.as_ref().is_some_and(|(password, _)| *password == attempt.secret)
        };
        Ok(self.check(Door::Web, attempt, right))
    }

    fn find_account(
        &mut self,
        address: &Address,
        at: UnixTime,
    ) -> Result<Option<crate::Account>, StoreError> {
        Ok(self.accounts.get(address).map(|account| crate::Account {
            user: account.user(),
            secrets: account.secrets,
            locked: account.web.lock(at),
        }))
    }

    fn set_pin(
        &mut self,
        address: &Address,
        pin: &NewPin,
        author: &Author,
        at: UnixTime,
    ) -> Result<PinSet, StoreError> {
        let mut account = self.account(address)?.clone();
        let set = self.put_pin(&mut account, pin).map_err(Refusal::WeakPin)?;
        self.accounts.insert(address.clone(), account);
        self.write_audit(address, author, Event::PinChanged { generated: set.generated.is_some() }, at);
        self.queue_secret_mail(address, Door::Telephone, author, at);
        Ok(set)
    }

    fn set_password(
        &mut self,
        address: &Address,
        password: &Password,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        let mark = self.next_secret();
        let account = self.account_mut(address)?;
        account.secrets.password = mark;
        account.password = Some((password.clone(), DigestHashes::new(address, password)));
        account.web = LockOut::default();
        self.user_changes += 1;
        self.write_audit(address, author, Event::PasswordChanged, at);
        self.queue_secret_mail(address, Door::Web, author, at);
        Ok(())
    }

    fn unlock(&mut self, address: &Address, author: &Author, at: UnixTime) -> Result<(), StoreError> {
        let account = self.account_mut(address)?;
        account.telephone = LockOut::default();
        account.web = LockOut::default();
        self.write_audit(address, author, Event::Unlocked, at);
        Ok(())
    }

    fn locked_users(
        &mut self,
        first: &Address,
        last: &Address,
        at: UnixTime,
    ) -> Result<Vec<LockedUser>, StoreError> {
        let there = self.accounts.iter().filter(|(address, _)| (first..=last).contains(address));
        let locked = there.map(|(address, account)| LockedUser {
            address: address.clone(),
            telephone: account.telephone.lock(at),
            web: account.web.lock(at),
        });
        Ok(locked.filter(|user| user.longest().is_some()).take(LIST_MAX).collect())
    }
}
