//! Whose mailbox, and which conversation: a pure function of one INVITE and of who is who.
//!
//! Section 8.3 of the requirements, as DEC-17 to DEC-19 read it. The first line that fits decides:
//!
//! | the call | becomes |
//! |---|---|
//! | was diverted by somebody other than the caller | call answering for that somebody |
//! | was diverted by the caller | subscriber access, PIN asked |
//! | is for a pilot | subscriber access for the caller, or for whoever can say mailbox and PIN |
//! | is for the caller's own address, extension or voice mail GRUU | subscriber access |
//! | is for another user's | call answering for that user |
//! | is for anybody else | 404 |

use umbel_ocexum::{Allowance, Caller, Claim, Failed, Identity, Journey, PinWaiver, Trust, pin_waiver};
use umbel_store::User;

use crate::names::{Named, People, record};
use crate::particulars::Particulars;
use crate::refusal::Refusal;

/// Which of several diverting parties names the mailbox (EUMR-30).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiversionPreference {
    /// The one whose telephone the call came from last.
    #[default]
    Last,
    /// The one who was called at first.
    First,
}

/// What a call turned out to be.
#[derive(Debug)]
pub(crate) enum Classified {
    /// Somebody may leave a message.
    CallAnswering {
        /// For whom.
        mailbox: User,
        /// What decided it.
        rule: Rule,
    },
    /// The owner, or somebody who knows the PIN.
    SubscriberAccess {
        /// Whose mailbox.
        owner: User,
        /// The right to pass without a PIN, or the first rule that does not hold.
        waiver: Result<PinWaiver, Failed>,
        /// What decided it.
        rule: Rule,
    },
    /// A pilot, and nothing is known of the caller.
    AnonymousPilot,
}

/// What decided which kind of call it is; the words of `umbel why`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Diversion,
    HistoryInfo,
    Target,
    Pilot,
    OwnVoiceMail,
    OwnAddress,
    VoiceMailOfAnother,
    AddressOfAnother,
}

impl Rule {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Rule::Diversion => "the Diversion header names whom the call was for",
            Rule::HistoryInfo => "History-Info names whom the call was for",
            Rule::Target => "the target parameter of the Request-URI names whom the call was for",
            Rule::Pilot => "a pilot was called, by somebody with a mailbox",
            Rule::OwnVoiceMail => "the caller called the own voice mail address",
            Rule::OwnAddress => "the caller called the own address",
            Rule::VoiceMailOfAnother => "another user's voice mail address was called",
            Rule::AddressOfAnother => "another user's address was called",
        }
    }

    /// Whether the caller's own word, or that of a proxy, moved the call here.
    pub(crate) const fn is_diversion(self) -> bool {
        matches!(self, Rule::Diversion | Rule::HistoryInfo | Rule::Target)
    }
}

/// Decides what a call is. `people` are those whom the names in it led to.
pub(crate) fn classify(
    call: &Particulars,
    trust: &Trust,
    people: &People,
    preference: DiversionPreference,
) -> Result<Classified, Refusal> {
    let caller = people.user(call.calling());
    let is_caller = |user: &User| caller.is_some_and(|caller| caller.address() == user.address());

    if let Some((diverted, rule)) = diverted(call, people, preference) {
        if !is_caller(diverted) {
            return call_answering(diverted, rule);
        }
        // DEC-18: an unlisted peer's diversion never chooses a mailbox to open.
        if trust.identity != Identity::Unlisted {
            return subscriber_access(diverted, call, trust, people, rule);
        }
    }
    if call.called == Named::Pilot {
        return match caller {
            Some(owner) => subscriber_access(owner, call, trust, people, Rule::Pilot),
            // CMD-7
            None => Ok(Classified::AnonymousPilot),
        };
    }
    let called = people.user(&call.called).ok_or(Refusal::NoSuchMailbox)?;
    match (is_caller(called), call.is_voice_mail) {
        (true, true) => subscriber_access(called, call, trust, people, Rule::OwnVoiceMail),
        (true, false) => subscriber_access(called, call, trust, people, Rule::OwnAddress),
        (false, true) => call_answering(called, Rule::VoiceMailOfAnother),
        (false, false) => call_answering(called, Rule::AddressOfAnother),
    }
}

/// 8.2: "Diversion; else History-Info; else RFC 4458 target". What names no mailbox is passed over.
fn diverted<'a>(
    call: &Particulars,
    people: &'a People,
    preference: DiversionPreference,
) -> Option<(&'a User, Rule)> {
    // RFC 5806 3: the last diverting party is on top. RFC 7044 9: the first is.
    let by_diversion = choose(call.diversions.iter(), people, preference);
    let by_history = || choose(history(call).iter().rev(), people, preference);
    let by_target = || call.target.as_ref().and_then(|target| people.user(target));
    by_diversion
        .map(|user| (user, Rule::Diversion))
        .or_else(|| by_history().map(|user| (user, Rule::HistoryInfo)))
        .or_else(|| by_target().map(|user| (user, Rule::Target)))
}

/// Of parties in the order from the last to the first, the preferred one that has a mailbox.
fn choose<'a, 'n>(
    parties: impl DoubleEndedIterator<Item = &'n Named>,
    people: &'a People,
    preference: DiversionPreference,
) -> Option<&'a User> {
    let mut users = parties.filter_map(|named| people.user(named));
    match preference {
        DiversionPreference::Last => users.next(),
        DiversionPreference::First => users.next_back(),
    }
}

/// EUMR-22: a history tells of a diversion if it ends somewhere else than it began: at the pilot, or at a
/// voice mail address.
fn history(call: &Particulars) -> &[Named] {
    match &call.arrived {
        Some(arrived) if call.is_voice_mail || call.history.iter().any(|named| named != arrived) => {
            &call.history
        }
        _ => &[],
    }
}

fn call_answering(mailbox: &User, rule: Rule) -> Result<Classified, Refusal> {
    if !mailbox.settings.enabled {
        return Err(Refusal::MailboxDisabled);
    }
    Ok(Classified::CallAnswering { mailbox: mailbox.clone(), rule })
}

fn subscriber_access(
    owner: &User,
    call: &Particulars,
    trust: &Trust,
    people: &People,
    rule: Rule,
) -> Result<Classified, Refusal> {
    // CMD-8: "an account disabled for subscriber access is not reachable".
    if !owner.settings.enabled {
        return Err(Refusal::MailboxDisabled);
    }
    let address = record(owner.address()).ok_or(Refusal::NoSuchMailbox)?;
    let party = |named: &Named| people.party(named);
    let claim = Claim {
        direct_access: true,
        trust,
        command: call.command,
        owner: &address,
        caller: &Caller { asserted: call.asserted.iter().map(party).collect(), from: party(&call.from) },
        journey: &Journey {
            referred: call.referred,
            replaces: call.replaces,
            diverted: !call.diversions.is_empty() || call.target.is_some(),
            history: call.history.iter().chain(&call.arrived).map(party).collect(),
        },
        allowance: Allowance { skip_pin: owner.settings.skip_pin, enabled: owner.settings.enabled },
    };
    Ok(Classified::SubscriberAccess { owner: owner.clone(), waiver: pin_waiver(&claim), rule })
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
