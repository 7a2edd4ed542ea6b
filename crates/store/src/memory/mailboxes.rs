//! Messages, greetings and notices, in memory.

use umbel_time::UnixTime;

use super::outbox::Kept;
use super::{Account, MemoryStore, Message, Notice};
use crate::{
    ActiveGreeting, Address, Author, CHANGES_MAX, Counts, Event, Folder, Greeting, GreetingKind, ItemChanges,
    LIST_MAX, MailboxChange, MailboxChanges, MailboxSummary, Mailboxes, MessageId, MessageState, MissedCall,
    MissedCallId, Refusal, StoreError, StoredAudio, VoiceMessage, clean_text,
};

impl Account {
    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for message in self.messages.values() {
            counts.add(&message.envelope);
        }
        counts
    }

    fn summary(&self, messages_max: u32, at: UnixTime) -> MailboxSummary {
        let counts = self.counts();
        MailboxSummary {
            address: self.settings.address.clone(),
            enabled: self.settings.enabled,
            counts,
            full: counts.kept() >= messages_max,
            disk_full: false,
            bytes: self.messages.values().map(|message| message.envelope.bytes).sum(),
            greeting: self.greeting,
            greetings: self.greetings.values().map(|(greeting, _)| *greeting).collect(),
            pin: self.pin_state,
            locked: self.telephone.lock(at),
        }
    }
}

impl Message {
    fn set_deleted(&mut self, deleted: Option<UnixTime>) {
        self.envelope.deleted = deleted;
        self.envelope.state = match (deleted, self.heard) {
            (Some(_), _) => MessageState::Deleted,
            (None, true) => MessageState::Old,
            (None, false) => MessageState::New,
        };
    }
}

impl Mailboxes for MemoryStore {
    fn mailbox(&mut self, address: &Address, at: UnixTime) -> Result<MailboxSummary, StoreError> {
        Ok(self.account(address)?.summary(self.config.messages_max, at))
    }

    fn mailboxes(
        &mut self,
        after: Option<&Address>,
        at: UnixTime,
    ) -> Result<Vec<MailboxSummary>, StoreError> {
        let rest = self.accounts.iter().filter(|(address, _)| after.is_none_or(|after| *address > after));
        let summaries = rest.take(LIST_MAX).map(|(_, account)| account.summary(self.config.messages_max, at));
        Ok(summaries.collect())
    }

    fn counts(&mut self, address: &Address) -> Result<Counts, StoreError> {
        Ok(self.account(address)?.counts())
    }

    fn changed_mailboxes(&mut self, after: u64) -> Result<MailboxChanges, StoreError> {
        let mut accounts: Vec<_> = self.accounts.values().filter(|account| account.changed > 0).collect();
        accounts.sort_by_key(|account| account.changed);
        let latest = accounts.last().map_or(0, |account| account.changed);
        let later = accounts.into_iter().filter(|account| account.changed > after).take(CHANGES_MAX);
        let changed = later.map(|account| MailboxChange {
            number: account.changed,
            address: account.settings.address.clone(),
            extension: account.settings.extension.clone(),
            counts: account.counts(),
        });
        Ok(MailboxChanges { changed: changed.collect(), latest })
    }

    fn messages(
        &mut self,
        mailbox: &Address,
        folder: Folder,
        after: Option<u64>,
    ) -> Result<Vec<VoiceMessage>, StoreError> {
        let messages = self.account(mailbox)?.messages.values().map(|message| &message.envelope);
        let listed = messages
            .filter(|envelope| folder.holds(envelope.state) && after.is_none_or(|n| envelope.number > n))
            .take(LIST_MAX);
        Ok(listed.cloned().collect())
    }

    fn latest_messages(
        &mut self,
        mailbox: &Address,
        folder: Folder,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<VoiceMessage>, StoreError> {
        let messages = self.account(mailbox)?.messages.values().rev().map(|message| &message.envelope);
        let listed = messages
            .filter(|envelope| folder.holds(envelope.state) && before.is_none_or(|n| envelope.number < n))
            .take(limit.min(LIST_MAX));
        Ok(listed.cloned().collect())
    }

    fn find_message(&mut self, id: MessageId) -> Result<Option<VoiceMessage>, StoreError> {
        let found = self.accounts.values().find_map(|account| account.message(id).ok());
        Ok(found.map(|message| message.envelope.clone()))
    }

    fn message_audio(&mut self, mailbox: &Address, id: MessageId) -> Result<StoredAudio, StoreError> {
        let message = self.account(mailbox)?.message(id)?;
        let damaged = message.envelope.damaged;
        Ok(StoredAudio { format: message.envelope.format, data: message.audio.clone(), damaged })
    }

    fn mark_heard(&mut self, mailbox: &Address, id: MessageId, heard: bool) -> Result<(), StoreError> {
        let message = self.account_mut(mailbox)?.message_mut(id)?;
        let (before, was_heard) = (message.envelope.state, message.heard);
        message.heard = heard;
        message.set_deleted(message.envelope.deleted);
        let lamp_changed = message.envelope.state != before;
        if was_heard != heard {
            self.account_mut(mailbox)?.count_change(id, false);
        }
        if lamp_changed {
            self.note_change(mailbox);
        }
        Ok(())
    }

    fn delete_message(
        &mut self,
        mailbox: &Address,
        id: MessageId,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        let message = self.account_mut(mailbox)?.message_mut(id)?;
        if message.envelope.deleted.is_none() {
            message.set_deleted(Some(at));
            self.account_mut(mailbox)?.count_change(id, true);
            self.note_change(mailbox);
            self.write_audit(mailbox, author, Event::MessageDeleted(id), at);
        }
        Ok(())
    }

    fn restore_message(
        &mut self,
        mailbox: &Address,
        id: MessageId,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        let message = self.account_mut(mailbox)?.message_mut(id)?;
        if message.envelope.deleted.is_some() {
            message.set_deleted(None);
            self.account_mut(mailbox)?.count_change(id, true);
            self.note_change(mailbox);
            self.write_audit(mailbox, author, Event::MessageRestored(id), at);
        }
        Ok(())
    }

    fn greeting_audio(
        &mut self,
        mailbox: &Address,
        kind: GreetingKind,
    ) -> Result<Option<StoredAudio>, StoreError> {
        let greeting = self.account(mailbox)?.greetings.get(&kind);
        Ok(greeting.map(|(greeting, data)| StoredAudio {
            format: greeting.format,
            data: data.clone(),
            damaged: false,
        }))
    }

    fn set_greeting(
        &mut self,
        mailbox: &Address,
        kind: GreetingKind,
        audio: &StoredAudio,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        let greeting = Greeting { kind, format: audio.format, bytes: audio.data.len() as u64, recorded: at };
        self.account_mut(mailbox)?.greetings.insert(kind, (greeting, audio.data.clone()));
        self.write_audit(mailbox, author, Event::GreetingRecorded(kind), at);
        self.queue_greeting_mail(mailbox, kind, false, author, at);
        Ok(())
    }

    fn remove_greeting(
        &mut self,
        mailbox: &Address,
        kind: GreetingKind,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        self.account_mut(mailbox)?.greetings.remove(&kind).ok_or(Refusal::NoSuchGreeting(kind))?;
        self.write_audit(mailbox, author, Event::GreetingRemoved(kind), at);
        self.queue_greeting_mail(mailbox, kind, true, author, at);
        Ok(())
    }

    fn choose_greeting(
        &mut self,
        mailbox: &Address,
        greeting: ActiveGreeting,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        self.account_mut(mailbox)?.greeting = greeting;
        self.write_audit(mailbox, author, Event::GreetingChosen(greeting), at);
        Ok(())
    }

    fn note_missed_call(&mut self, notice: &MissedCall) -> Result<bool, StoreError> {
        let account = self.account(&notice.mailbox)?;
        let noted = account.notices.iter().any(|kept| kept.call.call_id == notice.call_id);
        let left = account.messages.values().any(|message| message.envelope.call_id == notice.call_id);
        let wanted = account.settings.missed_call_notices && !noted && !left;
        if wanted {
            self.last_notice += 1;
            let mut kept = MissedCall { id: MissedCallId(self.last_notice), ..notice.clone() };
            kept.subject = clean_text(&kept.subject);
            kept.caller = kept.caller.clean();
            let item = MessageId::from_bytes(self.random());
            let account = self.account_mut(&notice.mailbox)?;
            let marks = account.items.came();
            account.notices.push(Notice { call: kept, item, seen: false, marks });
            self.queue_mail(&notice.mailbox, item, Kept::MissedCall, notice.at);
        }
        Ok(wanted)
    }

    fn missed_calls(&mut self, mailbox: &Address) -> Result<Vec<MissedCall>, StoreError> {
        Ok(self.account(mailbox)?.notices.iter().take(LIST_MAX).map(|notice| notice.call.clone()).collect())
    }

    fn clear_missed_calls(&mut self, mailbox: &Address, up_to: MissedCallId) -> Result<(), StoreError> {
        self.account_mut(mailbox)?.purge_notices(|notice| notice.call.id <= up_to);
        Ok(())
    }

    fn items(&mut self, mailbox: &Address, after: u64) -> Result<ItemChanges, StoreError> {
        Ok(self.account(mailbox)?.item_changes(after))
    }

    fn mark_missed_call(&mut self, mailbox: &Address, id: MessageId, seen: bool) -> Result<(), StoreError> {
        let account = self.account_mut(mailbox)?;
        let found = account.notices.iter_mut().find(|notice| notice.item == id);
        let notice = found.ok_or(Refusal::NoSuchMessage(id))?;
        if notice.seen != seen {
            notice.seen = seen;
            account.items.change(&mut notice.marks);
        }
        Ok(())
    }

    fn remove_missed_call(&mut self, mailbox: &Address, id: MessageId) -> Result<(), StoreError> {
        match self.account_mut(mailbox)?.purge_notices(|notice| notice.item == id) {
            0 => Err(Refusal::NoSuchMessage(id).into()),
            _ => Ok(()),
        }
    }
}
