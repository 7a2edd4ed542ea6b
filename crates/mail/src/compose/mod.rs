//! Whole mails, one function to a kind. The same arguments give the same octets, so that what is sent twice is the
//! same mail twice (REL-41): dates are those of what is told, and Message-IDs come from ids that are kept.

mod greeting_changed;
mod missed_call;
mod new_pin;
mod secret_changed;
#[cfg(test)]
pub(crate) mod testing;
mod voice_message;

use std::fmt;

use umbel_store::{Address, Author, Caller};
use umbel_time::UnixTime;

use crate::field::Fields;
use crate::text::{one_line, short_line};
use crate::when::When;

pub use greeting_changed::greeting_changed;
pub use missed_call::{missed_call, missed_call_message_id, missed_call_subject, missed_call_text};
pub use new_pin::new_pin;
pub use secret_changed::secret_changed;
pub use voice_message::{message_id, subject, voice_mail, voice_mail_bytes, voice_mail_text};

/// Who writes to whom.
#[derive(Clone, Copy, Debug)]
pub struct Addressing<'a> {
    /// The address that mails come from: `[mail] from`.
    pub from: &'a str,
    /// Where the owner reads mail.
    pub to: &'a str,
    /// The owner's name; may be empty.
    pub to_name: &'a str,
    /// The owner's mailbox. Its domain stands in Message-IDs, since it never changes.
    pub mailbox: &'a Address,
    /// How far the owner's clock is from UTC at the time that is told, in seconds to the east.
    pub utc_offset_seconds: i32,
}

impl Addressing<'_> {
    /// What every mail begins with. From is the voice mail's own address and name: a caller's name there would be
    /// the caller's word about who wrote this mail.
    fn fields(&self, at: UnixTime, message_id: &str, subject: &str) -> Fields {
        let mut fields = Fields::default();
        fields.own("Date", &self.when(at).header());
        fields.address("From", "Voice Mail", self.from);
        fields.address("To", self.to_name, self.to);
        fields.text("Subject", subject);
        fields.own("Message-ID", message_id);
        // RFC 3834 5: nobody's vacation answers this.
        fields.own("Auto-Submitted", "auto-generated");
        fields.own("X-Auto-Response-Suppress", "All");
        fields
    }

    fn message_id(&self, kind: &str, id: impl fmt::Display) -> String {
        format!("<{kind}.{id}@{}>", host(self.mailbox))
    }

    fn when(&self, at: UnixTime) -> When {
        When::new(at, self.utc_offset_seconds)
    }

    /// `Hello Alice,`
    fn salutation(&self) -> String {
        let name = one_line(self.to_name);
        if name.is_empty() { "Hello,".to_owned() } else { format!("Hello {name},") }
    }
}

/// The domain of a mailbox, as it may stand in a Message-ID.
fn host(mailbox: &Address) -> String {
    mailbox.domain().chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).collect()
}

/// `Bob <+15551234567>`, `+15551234567`, `Bob`, or `an unknown caller`.
fn caller_text(caller: &Caller) -> String {
    let (id, name) = (one_line(&caller.id), one_line(caller.name.as_deref().unwrap_or_default()));
    match (id.is_empty(), name.is_empty() || name == id) {
        (false, false) => format!("{name} <{id}>"),
        (false, true) => id,
        (true, false) => name,
        (true, true) => "an unknown caller".to_owned(),
    }
}

/// How somebody came to change something, for its owner.
fn way(author: &Author) -> String {
    match author {
        Author::OwnerByPin { .. } => "by telephone, with the PIN".to_owned(),
        Author::OwnerBySkip { .. } => "by telephone, in a call that was let in without the PIN".to_owned(),
        Author::OwnerOnPhone { .. } => "on a telephone that was called to record it".to_owned(),
        Author::OwnerByWeb => "by web, with the password".to_owned(),
        Author::Administrator(name) => format!("by the administrator ({})", one_line(name)),
        Author::Store => "by the server".to_owned(),
    }
}

/// Who called, as it stands in a subject: the name, else the number.
fn caller_in_short(caller: &Caller) -> String {
    let name = short_line(caller.name.as_deref().unwrap_or_default());
    if name.is_empty() { short_line(&caller_text(caller)) } else { name }
}

/// The lines that tell who called; DEC-18: who was not vouched for is told as such.
fn caller_lines(caller: &Caller) -> String {
    let mut lines = format!("From:      {}\n", caller_text(caller));
    let known = !(caller.id.is_empty() && caller.name.is_none());
    if known && !caller.verified {
        lines.push_str("           (nobody whom we trust has confirmed who this is)\n");
    }
    lines
}
