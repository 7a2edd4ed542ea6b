//! Whose mailbox it is, and what of its owner stands in the mails that items are shown as.

use umbel_mail::Addressing;
use umbel_store::Address;

/// Whose mailbox it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The address, which names it.
    pub owner: Address,
    /// The owner's name; may be empty.
    pub name: String,
    /// Where the owner reads mail.
    pub mail_to: String,
    /// The address that mails of ours come from.
    pub mail_from: String,
    /// How far the owner's clock is from UTC, in seconds to the east.
    pub utc_offset_seconds: i32,
}

impl Mailbox {
    /// The same as the composer of mails wants it.
    pub fn addressing(&self) -> Addressing<'_> {
        Addressing {
            from: &self.mail_from,
            to: &self.mail_to,
            to_name: &self.name,
            mailbox: &self.owner,
            utc_offset_seconds: self.utc_offset_seconds,
        }
    }

    /// The owner's name, or the address where none is known.
    pub(crate) fn display_name(&self) -> &str {
        if self.name.is_empty() { self.owner.as_str() } else { &self.name }
    }
}
