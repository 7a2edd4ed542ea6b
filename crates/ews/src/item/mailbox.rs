//! Whose mailbox it is, and what of its owner stands in the mails that items are shown as.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use umbel_mail::Addressing;
use umbel_store::Address;
use umbel_time::UnixTime;

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
    /// Where the owner's clock is.
    pub zone: TimeZone,
}

impl Mailbox {
    /// The same as the composer of mails wants it, for a mail that tells of this time.
    pub fn addressing(&self, at: UnixTime) -> Addressing<'_> {
        let told = Timestamp::from_second(at.as_secs()).unwrap_or(Timestamp::UNIX_EPOCH);
        Addressing {
            from: &self.mail_from,
            to: &self.mail_to,
            to_name: &self.name,
            mailbox: &self.owner,
            utc_offset_seconds: self.zone.to_offset(told).seconds(),
        }
    }

    /// The owner's name, or the address where none is known.
    pub(crate) fn display_name(&self) -> &str {
        if self.name.is_empty() { self.owner.as_str() } else { &self.name }
    }
}
