//! The two headers of [MS-OCEXUM] and what they oblige us to do.
//!
//! `Ms-Exchange-Command: skip-pin` opens a mailbox without a PIN, so this room holds the whole of the
//! decision: what the header's octets mean ([`ExchangeCommand`]), whether the connection that carried
//! it is trusted ([`trust`]), and whether this call is entitled to pass ([`pin_waiver`], the only maker
//! of a [`PinWaiver`]). `Ms-Sensitivity: private-no-diversion` protects a Play-On-Phone call;
//! [`Sensitivity`] reads it and [`PlayOnPhone`] writes it, together with the parties it belongs to.

mod exchange_command;
mod pin_waiver;
mod play_on_phone;
mod sensitivity;
mod trust;

pub use exchange_command::ExchangeCommand;
pub use pin_waiver::{Allowance, Caller, Claim, Failed, Journey, Party, PinWaiver, pin_waiver};
pub use play_on_phone::PlayOnPhone;
pub use sensitivity::{Malformed, Sensitivity};
pub use trust::{
    Basis, Identity, Missing, Network, PeerRule, Policy, Trust, TrustedTransport, UnreadableRule, trust,
};
