//! When the PIN is skipped: rules P1 to P6, and the evidence that they hold.
//!
//! [MS-OCEXUM] 3.1.2: "If a voice mail server receives a SIP INVITE over a trusted transport with
//! Ms-Exchange-Command header with skip-pin parameter then it MUST skip personal identification
//! number (PIN) prompt." The rules say what that takes, so that nobody else gets in.

use umbel_sip_message::AddressOfRecord;

use crate::{ExchangeCommand, Missing, Trust};

/// Evidence that this call is entitled to pass without a PIN.
///
/// [`pin_waiver`] is the one place that makes it, and it cannot be copied, so whoever holds one need
/// not look at headers or transports again.
#[derive(Debug)]
pub struct PinWaiver(());

/// All that the rules ask of one call.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// P1: this is an initial INVITE that leads straight to subscriber access.
    pub direct_access: bool,
    /// P2: what the connection is worth that carried it.
    pub trust: &'a Trust,
    /// P3: what its `Ms-Exchange-Command` headers come to.
    pub command: Option<ExchangeCommand>,
    /// P4: the owner of the mailbox to which the Request-URI, or the pilot, leads.
    pub owner: &'a AddressOfRecord,
    /// P4: who calls.
    pub caller: &'a Caller,
    /// P5: how the call came here.
    pub journey: &'a Journey,
    /// P6: what the owner's settings say.
    pub allowance: Allowance,
}

/// Whom a URI in a message names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    /// A local user, by address or extension.
    User(AddressOfRecord),
    /// The voice mail system itself: a pilot.
    Pilot,
    /// Somebody elsewhere, or nobody.
    Foreign,
    /// It cannot be read.
    Unreadable,
}

/// Who calls: the identities that a trusted peer asserts, and From.
///
/// Only a peer that may assert identities fills `asserted`; what others assert is left out before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// `P-Asserted-Identity`, all values.
    pub asserted: Vec<Party>,
    /// From.
    pub from: Party,
}

impl Caller {
    /// P4, as DEC-10 reads it: all asserted identities name the owner and From names no other user; or
    /// nothing is asserted and From names the owner.
    pub fn is(&self, owner: &AddressOfRecord) -> bool {
        let names_owner = |party: &Party| matches!(party, Party::User(user) if user == owner);
        if self.asserted.is_empty() {
            return names_owner(&self.from);
        }
        let from_is_another = match &self.from {
            Party::User(user) => user != owner,
            // "From foreign or anonymous with an asserted owner passes."
            Party::Foreign => false,
            Party::Pilot => false,
            Party::Unreadable => false,
        };
        self.asserted.iter().all(names_owner) && !from_is_another
    }
}

/// P5: what a message says about having been moved on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journey {
    /// A `Referred-By` is there.
    pub referred: bool,
    /// A `Replaces` is there.
    pub replaces: bool,
    /// A `Diversion` is there, whomever it names.
    pub diverted: bool,
    /// Whom the entries of `History-Info` name.
    pub history: Vec<Party>,
}

impl Journey {
    /// Whether the call came straight from `owner`, as DEC-11 reads P5: the owner's own address, voice
    /// mail GRUU and the pilots in History-Info do not count.
    pub fn is_direct(&self, owner: &AddressOfRecord) -> bool {
        let innocent = |party: &Party| match party {
            Party::User(user) => user == owner,
            Party::Pilot => true,
            Party::Foreign => false,
            Party::Unreadable => false,
        };
        !self.referred && !self.replaces && !self.diverted && self.history.iter().all(innocent)
    }
}

/// P6: what the owner's settings say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The owner's policy allows the PIN to be skipped.
    pub skip_pin: bool,
    /// The mailbox is enabled.
    pub enabled: bool,
}

/// The first rule that did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// P1.
    #[error("P1 not-direct-access: the call does not lead to the caller's own mailbox")]
    DirectAccess,
    /// P2.
    #[error("P2 transport-not-trusted: {0}")]
    Transport(Missing),
    /// P3: no header.
    #[error("P3 no-command: the call did not ask for it by Ms-Exchange-Command")]
    NoCommand,
    /// P3: a header, but not exactly `skip-pin`, once.
    #[error("P3 command-ignored: Ms-Exchange-Command is something else than skip-pin, once")]
    CommandIgnored,
    /// P4.
    #[error("P4 caller-not-owner: the caller is not shown to be the owner of the mailbox")]
    Caller,
    /// P5.
    #[error("P5 call-was-moved: the call was diverted or transferred on its way")]
    Journey,
    /// P6: by the owner's policy.
    #[error("P6 skip-not-allowed: the owner's settings always ask for the PIN")]
    Policy,
    /// P6: by the state of the mailbox.
    #[error("P6 mailbox-disabled: the mailbox is disabled")]
    Disabled,
}

/// Gives the waiver when P1 to P6 all hold; otherwise names the first that does not.
pub fn pin_waiver(claim: &Claim<'_>) -> Result<PinWaiver, Failed> {
    if !claim.direct_access {
        return Err(Failed::DirectAccess);
    }
    // DEC-8: there is no digest arm; clients reach us through a protocol server.
    if let Err(missing) = claim.trust.transport {
        return Err(Failed::Transport(missing));
    }
    match claim.command {
        Some(ExchangeCommand::SkipPin) => {}
        Some(ExchangeCommand::Ignored) => return Err(Failed::CommandIgnored),
        None => return Err(Failed::NoCommand),
    }
    if !claim.caller.is(claim.owner) {
        return Err(Failed::Caller);
    }
    if !claim.journey.is_direct(claim.owner) {
        return Err(Failed::Journey);
    }
    if !claim.allowance.enabled {
        return Err(Failed::Disabled);
    }
    if !claim.allowance.skip_pin {
        return Err(Failed::Policy);
    }
    Ok(PinWaiver(()))
}

#[cfg(test)]
#[path = "pin_waiver_tests.rs"]
mod tests;
