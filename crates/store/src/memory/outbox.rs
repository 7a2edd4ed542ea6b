//! Mails that wait to be sent, in memory.

use std::collections::BTreeMap;

use umbel_time::UnixTime;

use super::MemoryStore;
use crate::{
    Address, Author, DUE_MAILS_MAX, Door, DueMail, Event, FAILED_MAILS_KEPT, FAILED_MAILS_MAX,
    GreetingChange, GreetingKind, LIST_MAX, MAIL_REASON_CHARS_MAX, MailKind, MailNumber, MailOutcome,
    MessageId, NewPin, OUTBOX_MAX, OUTBOX_PER_MAILBOX_MAX, Outbox, OutboxState, PIN_RESET_WINDOW,
    PIN_RESETS_MAX, Pin, QueuedMail, Refusal, SecretChange, StoreError, Tidings,
};

/// The queue by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    mails: BTreeMap<u64, Queued>,
    last: u64,
}

#[derive(Clone, Debug)]
struct Queued {
    mailbox: Address,
    id: MessageId,
    kept: Kept,
    queued: UnixTime,
    due: UnixTime,
    attempts: u32,
    reason: Option<String>,
    failed: bool,
}

/// What a queued mail tells, as far as it is not told by its id.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    Message,
    MissedCall,
    Greeting(GreetingChange),
    Secret(SecretChange),
    NewPin(Option<Pin>),
}

impl Kept {
    fn kind(&self) -> MailKind {
        match self {
            Kept::Message => MailKind::Message,
            Kept::MissedCall => MailKind::MissedCall,
            Kept::Greeting(_) => MailKind::Greeting,
            Kept::Secret(_) => MailKind::Secret,
            Kept::NewPin(_) => MailKind::NewPin,
        }
    }
}

impl Queue {
    /// Whether one more mail of this mailbox fits.
    fn has_room(&self, mailbox: &Address) -> bool {
        let waiting = self.mails.values().filter(|mail| !mail.failed);
        let of_mailbox = waiting.clone().filter(|mail| mail.mailbox == *mailbox);
        waiting.count() < OUTBOX_MAX && of_mailbox.count() < OUTBOX_PER_MAILBOX_MAX
    }

    fn push(&mut self, mailbox: &Address, id: MessageId, kept: Kept, at: UnixTime) {
        self.last += 1;
        let mailbox = mailbox.clone();
        let mail =
            Queued { mailbox, id, kept, queued: at, due: at, attempts: 0, reason: None, failed: false };
        self.mails.insert(self.last, mail);
    }
}

impl MemoryStore {
    /// Puts a mail into the queue where its owner gets mails and there is room.
    pub(super) fn queue_mail(&mut self, mailbox: &Address, id: MessageId, kept: Kept, at: UnixTime) {
        let wanted = self.accounts.get(mailbox).is_some_and(|account| account.settings.email.is_some());
        if self.config.mail && wanted && self.outbox.has_room(mailbox) {
            self.outbox.push(mailbox, id, kept, at);
        }
    }

    /// SEC-91
    pub(super) fn queue_greeting_mail(
        &mut self,
        mailbox: &Address,
        kind: GreetingKind,
        removed: bool,
        author: &Author,
        at: UnixTime,
    ) {
        let id = MessageId::from_bytes(self.random());
        let change = GreetingChange { kind, removed, author: author.clone() };
        self.queue_mail(mailbox, id, Kept::Greeting(change), at);
    }

    /// Whose secret it is, is told that it was changed: it may have been somebody else.
    pub(super) fn queue_secret_mail(&mut self, mailbox: &Address, door: Door, author: &Author, at: UnixTime) {
        let id = MessageId::from_bytes(self.random());
        let change = SecretChange { door, author: author.clone() };
        self.queue_mail(mailbox, id, Kept::Secret(change), at);
    }

    /// Removes mails that failed long ago, and the oldest beyond the bound; says how many.
    pub(super) fn expire_mails(&mut self, at: UnixTime) -> u64 {
        self.forget_moot_mails();
        let before = self.outbox.mails.len();
        let limit = at - FAILED_MAILS_KEPT;
        self.outbox.mails.retain(|_, mail| !mail.failed || mail.queued >= limit);
        let failed = self.outbox.mails.iter().filter(|(_, mail)| mail.failed).map(|(number, _)| *number);
        let failed: Vec<u64> = failed.collect();
        for number in failed.iter().take(failed.len().saturating_sub(FAILED_MAILS_MAX)) {
            self.outbox.mails.remove(number);
        }
        for account in self.accounts.values_mut() {
            account.pin_resets.retain(|reset| *reset + PIN_RESET_WINDOW > at);
        }
        (before - self.outbox.mails.len()) as u64
    }

    /// Mails go with the user, the message or the notice that they tell of.
    pub(super) fn forget_moot_mails(&mut self) {
        let accounts = &self.accounts;
        self.outbox.mails.retain(|_, mail| {
            accounts.get(&mail.mailbox).is_some_and(|account| match mail.kept {
                Kept::Message => account.message(mail.id).is_ok(),
                Kept::MissedCall => account.notices.iter().any(|notice| notice.item == mail.id),
                Kept::Greeting(_) | Kept::Secret(_) | Kept::NewPin(_) => true,
            })
        });
    }

    fn tidings(&self, mail: &Queued) -> Option<Tidings> {
        let account = self.accounts.get(&mail.mailbox)?;
        Some(match &mail.kept {
            Kept::Message => Tidings::Message(Box::new(account.message(mail.id).ok()?.envelope.clone())),
            Kept::MissedCall => {
                let notice = account.notices.iter().find(|notice| notice.item == mail.id)?;
                Tidings::MissedCall(Box::new(notice.call.clone()))
            }
            Kept::Greeting(change) => Tidings::Greeting(change.clone()),
            Kept::Secret(change) => Tidings::Secret(change.clone()),
            Kept::NewPin(pin) => Tidings::NewPin { pin: pin.clone(), at: mail.queued },
        })
    }
}

impl Outbox for MemoryStore {
    fn due_mails(&mut self, at: UnixTime) -> Result<Vec<DueMail>, StoreError> {
        self.forget_moot_mails();
        let mut due: Vec<_> =
            self.outbox.mails.iter().filter(|(_, mail)| !mail.failed && mail.due <= at).collect();
        due.sort_by_key(|(number, mail)| (mail.due, **number));
        let due = due.into_iter().take(DUE_MAILS_MAX).filter_map(|(number, mail)| {
            Some(DueMail {
                number: MailNumber(*number),
                id: mail.id,
                owner: Box::new(self.accounts.get(&mail.mailbox)?.settings.clone()),
                tidings: self.tidings(mail)?,
                queued: mail.queued,
                attempts: mail.attempts,
            })
        });
        Ok(due.collect())
    }

    fn settle_mail(
        &mut self,
        number: MailNumber,
        outcome: &MailOutcome,
        _at: UnixTime,
    ) -> Result<(), StoreError> {
        let Some(mail) = self.outbox.mails.get_mut(&number.0) else { return Ok(()) };
        let cut = |reason: &str| Some(reason.chars().take(MAIL_REASON_CHARS_MAX).collect());
        match outcome {
            MailOutcome::Sent | MailOutcome::Dropped => {
                self.outbox.mails.remove(&number.0);
            }
            MailOutcome::Later { due, reason } => {
                mail.attempts += 1;
                mail.due = *due;
                mail.reason = cut(reason);
            }
            MailOutcome::Failed { reason } => {
                mail.attempts += 1;
                mail.failed = true;
                mail.reason = cut(reason);
                if let Kept::NewPin(pin) = &mut mail.kept {
                    *pin = None;
                }
            }
        }
        Ok(())
    }

    fn queued_mails(&mut self, after: Option<MailNumber>) -> Result<Vec<QueuedMail>, StoreError> {
        self.forget_moot_mails();
        let after = after.map_or(0, |number| number.0);
        let later = self.outbox.mails.iter().filter(|(number, _)| **number > after);
        let mails = later.take(LIST_MAX).map(|(number, mail)| QueuedMail {
            number: MailNumber(*number),
            mailbox: mail.mailbox.clone(),
            kind: mail.kept.kind(),
            queued: mail.queued,
            due: (!mail.failed).then_some(mail.due),
            attempts: mail.attempts,
            reason: mail.reason.clone(),
        });
        Ok(mails.collect())
    }

    fn outbox_state(&mut self) -> Result<OutboxState, StoreError> {
        self.forget_moot_mails();
        let waiting = self.outbox.mails.values().filter(|mail| !mail.failed);
        Ok(OutboxState {
            waiting: waiting.clone().count() as u64,
            failed: self.outbox.mails.values().filter(|mail| mail.failed).count() as u64,
            oldest: waiting.map(|mail| mail.queued).min(),
        })
    }

    fn retry_mails(&mut self, only: Option<MailNumber>, at: UnixTime) -> Result<u64, StoreError> {
        self.forget_moot_mails();
        let mut retried = 0;
        for (number, mail) in &mut self.outbox.mails {
            let wanted = only.is_none_or(|only| only.0 == *number);
            let wiped = mail.failed && matches!(mail.kept, Kept::NewPin(_));
            if wanted && !wiped {
                (mail.failed, mail.due) = (false, at);
                retried += 1;
            }
        }
        Ok(retried)
    }

    fn reset_pin_by_mail(
        &mut self,
        address: &Address,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        let mut account = self.account(address)?.clone();
        let resets = account.pin_resets.iter().filter(|reset| **reset + PIN_RESET_WINDOW > at).count();
        let refusal = if !self.config.mail {
            Some(Refusal::MailNotSetUp)
        } else if !account.settings.enabled {
            Some(Refusal::Disabled)
        } else if account.settings.email.is_none() {
            Some(Refusal::NoMailAddress)
        } else if resets >= PIN_RESETS_MAX {
            Some(Refusal::TooManyPinResets)
        } else if !self.outbox.has_room(address) {
            Some(Refusal::OutboxFull)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return Err(refusal.into());
        }
        let set = self.put_pin(&mut account, &NewPin::Generate).map_err(Refusal::WeakPin)?;
        account.pin_resets.push(at);
        self.accounts.insert(address.clone(), account);
        self.write_audit(address, author, Event::PinChanged { generated: true }, at);
        // The PIN before this one opens nothing any more.
        self.outbox.mails.retain(|_, mail| {
            !(mail.mailbox == *address && mail.kept.kind() == MailKind::NewPin && !mail.failed)
        });
        let id = MessageId::from_bytes(self.random());
        self.outbox.push(address, id, Kept::NewPin(set.generated), at);
        Ok(())
    }
}
