//! One binding: a contact at which an address-of-record can be reached, and for how long (RFC 3261 10).

use std::fmt;

use umbel_node::FlowId;
use umbel_sip_message::Uri;
use umbel_time::Instant;

/// A contact of an address-of-record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Where requests go; becomes their Request-URI.
    pub contact: Uri,
    /// The flow that the REGISTER came on (RFC 5626 4.2, REG-2); `None` for a binding from before a
    /// restart.
    pub flow: Option<FlowId>,
    /// Whether a new connection to the contact may be opened where the flow is gone: only if the
    /// REGISTER came from the contact's own address. Otherwise anybody could have us call anywhere.
    pub direct: bool,
    /// When it ends.
    pub expires: Instant,
    /// Preference.
    pub q: Q,
    /// Of the REGISTER that made or refreshed it.
    pub(super) cseq: u32,
    /// Of the REGISTER that made or refreshed it.
    pub(crate) call_id: Box<str>,
    /// What tells devices apart beside the contact.
    pub(super) device: Device,
    /// RFC 3327: the edge servers on the way, the first to be visited first.
    pub path: Box<[Uri]>,
}

/// What tells devices of one user apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// Only the contact does.
    #[default]
    Contact,
    /// RFC 5626 4: this instance, by its flow of this number; the contact may change.
    Outbound {
        /// `+sip.instance`.
        instance: Box<str>,
        /// `reg-id`.
        reg_id: u32,
    },
    /// REG-6: the contact together with the `epid` of older clients.
    Epid(Box<str>),
    /// Only the contact does; but requests may be for this instance (RFC 5627).
    Instance(Box<str>),
}

impl Binding {
    /// Whether a registration of `contact` by `device` is about this binding.
    ///
    /// RFC 5626 6: with an instance and a reg-id these two decide, else the URIs (RFC 3261 10.3).
    pub(super) fn is_of(&self, contact: &Uri, device: &Device) -> bool {
        match (&self.device, device) {
            (Device::Outbound { .. }, Device::Outbound { .. }) => self.device == *device,
            (Device::Contact | Device::Instance(_), Device::Contact | Device::Instance(_)) => {
                self.contact.is_equivalent(contact)
            }
            (mine, other) => mine == other && self.contact.is_equivalent(contact),
        }
    }

    /// `+sip.instance`, as it was written, where that matters.
    pub fn instance(&self) -> Option<&str> {
        match &self.device {
            Device::Outbound { instance, .. } | Device::Instance(instance) => Some(instance),
            Device::Contact | Device::Epid(_) => None,
        }
    }

    /// `epid`.
    pub fn epid(&self) -> Option<&str> {
        match &self.device {
            Device::Epid(epid) => Some(epid),
            Device::Contact | Device::Outbound { .. } | Device::Instance(_) => None,
        }
    }

    /// Whether it was made by a client that keeps several flows alive itself (RFC 5626).
    pub fn is_outbound(&self) -> bool {
        matches!(self.device, Device::Outbound { .. })
    }
}

/// A preference between 0 and 1 (RFC 3261 20.10), in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Q(u16);

impl Q {
    /// What a contact without `q` has.
    pub const DEFAULT: Q = Q(1_000);

    /// `qvalue` of RFC 3261 25.1. What is none is read as the default: a telephone that writes it
    /// wrong is to ring all the same.
    pub fn parse(text: &str) -> Q {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits_ok = fraction.len() <= 3 && fraction.bytes().all(|c| c.is_ascii_digit());
        let thousandths = format!("{fraction:0<3}").parse().ok().filter(|_| digits_ok);
        match (whole, thousandths) {
            ("0", Some(thousandths)) => Q(thousandths),
            _ => Q::DEFAULT,
        }
    }

    /// In thousandths.
    pub const fn thousandths(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Q {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_are_read_in_thousandths_and_bad_ones_are_the_default() {
        for (text, thousandths) in
            [("0", 0), ("0.5", 500), ("0.25", 250), ("0.007", 7), ("1", 1_000), ("1.000", 1_000)]
        {
            assert_eq!(Q::parse(text).thousandths(), thousandths, "{text}");
        }
        for text in ["", "2", "-1", "0.5x", "0.1234", "x"] {
            assert_eq!(Q::parse(text), Q::DEFAULT, "{text}");
        }
        assert_eq!(Q::parse("0.07").to_string(), "0.070");
    }
}
