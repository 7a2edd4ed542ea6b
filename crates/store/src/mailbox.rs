//! What is known of a mailbox at a glance.

use crate::{ActiveGreeting, Address, Greeting, Lock, PinState, VoiceMessage};
use crate::{Importance, MessageState};

/// Numbers of messages, for the lamp (RFC 3842 5.2: new/old, urgent new/old) and for lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// New ones, urgent ones among them.
    pub new: u32,
    /// Heard ones, urgent ones among them.
    pub old: u32,
    /// Deleted ones that can still be brought back.
    pub deleted: u32,
    /// New ones of high importance.
    pub urgent_new: u32,
    /// Heard ones of high importance.
    pub urgent_old: u32,
}

impl Counts {
    /// Messages that the limit of the mailbox counts.
    pub const fn kept(&self) -> u32 {
        self.new.saturating_add(self.old)
    }

    /// Counts `message` in.
    pub fn add(&mut self, message: &VoiceMessage) {
        let urgent = u32::from(message.importance == Importance::High);
        match message.state {
            MessageState::New => {
                self.new = self.new.saturating_add(1);
                self.urgent_new = self.urgent_new.saturating_add(urgent);
            }
            MessageState::Old => {
                self.old = self.old.saturating_add(1);
                self.urgent_old = self.urgent_old.saturating_add(urgent);
            }
            MessageState::Deleted => self.deleted = self.deleted.saturating_add(1),
        }
    }
}

/// A mailbox whose lamp may have to show something else than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxChange {
    /// Counts up with every change in the whole store, never used again. Of a mailbox only the latest
    /// change is kept.
    pub number: u64,
    /// Whose mailbox.
    pub address: Address,
    /// The owner's extension, where one was assigned.
    pub extension: Option<String>,
    /// What is in it now.
    pub counts: Counts,
}

/// What changed in mailboxes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailboxChanges {
    /// Changes in the order of their numbers.
    pub changed: Vec<MailboxChange>,
    /// The number of the latest change that there is; zero without any.
    pub latest: u64,
}

/// A mailbox without its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxSummary {
    /// Whose.
    pub address: Address,
    /// Whether it takes messages and log-ins.
    pub enabled: bool,
    /// How many messages.
    pub counts: Counts,
    /// No further message fits (REL-10).
    pub full: bool,
    /// No further recording can begin, whoever it is for: the disk has no room for one (REL-11).
    pub disk_full: bool,
    /// Octets of audio in messages.
    pub bytes: u64,
    /// The greeting that callers hear.
    pub greeting: ActiveGreeting,
    /// The greetings that are recorded.
    pub greetings: Vec<Greeting>,
    /// Whose choice the PIN was.
    pub pin: PinState,
    /// Set while PIN log-in is locked, by the time of the question.
    pub locked: Option<Lock>,
}
