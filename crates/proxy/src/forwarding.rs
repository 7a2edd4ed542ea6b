//! Whom to ring, for how long, and what then: [MS-SIPRE] 3.9.5, [MS-OCEXUM] 3.2.2.
//!
//! One pure function, [`plan`]. It alone knows the routing rules and what `Ms-Sensitivity` forbids, so
//! that a call which must not be diverted has a plan without diversion in it: no timer and no response
//! can lead to voice mail, to `forwardto` or to the team (SENS-6).

use std::time::Duration;

use umbel_ocexum::Sensitivity;
use umbel_sip_message::{AddressOfRecord, DiversionReason, Uri};

use crate::refusal::Refusal;
use crate::routing::{Flag, Rules, TEAM2_DEFAULT, USER_DEFAULT, lists};

/// What a call is, and whom it is for.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The callee's rules; `None` where they break a condition (SIPRE-5).
    pub rules: Option<&'a Rules>,
    /// The callee.
    pub callee: &'a AddressOfRecord,
    /// From.
    pub caller: Option<&'a AddressOfRecord>,
    /// Referred-By.
    pub referrer: Option<&'a AddressOfRecord>,
    /// Further names of caller and referrer, such as an extension, by which a list may know them.
    pub other_names: &'a [AddressOfRecord],
    /// `Ms-Sensitivity`.
    pub sensitivity: Sensitivity,
    /// It takes somebody's place in a call of the callee's (RFC 3891).
    pub takes_a_place: bool,
    /// What is offered.
    pub media: Media,
    /// It is here because somebody else's team or delegates ring.
    pub rung_for_another: bool,
    /// It is for one of the callee's telephones, and for nobody and nothing else (URI-6).
    pub is_for_one_telephone: bool,
    /// The callee has a mailbox that takes messages.
    pub has_mailbox: bool,
    /// It is working time where the callee is.
    pub is_work_time: bool,
    /// DEC-22.
    pub when_forwarding: WhenForwarding,
    /// The registered endpoints timer of users who have set none.
    pub ring_time: Duration,
}

/// SIPRE-3: the rules are for calls with audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// An INVITE with audio, or without an offer, which may become one.
    Audio,
    /// An invitation to an audio conference.
    AudioAppInvite,
    /// Anything else.
    Other,
}

/// DEC-22: an undivertable call to somebody whose calls are all forwarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenForwarding {
    /// Rings the endpoints, as if the flag were not set.
    #[default]
    Ring,
    /// Fails at once: what [MS-SIPRE] 3.9.5.2.2.1 recommends.
    Fail,
}

/// What to do with a call, and which rule says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What to do.
    pub action: Action,
    /// For people who ask why.
    pub rule: &'static str,
}

/// What to do with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nobody rings.
    Refuse(Refusal),
    /// Nobody rings; it goes elsewhere at once.
    Divert(Destination, DiversionReason),
    /// Somebody rings.
    Ring(Ring),
}

/// Who rings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// The registered endpoints.
    pub endpoints: bool,
    /// The simultaneous-ring target.
    pub ring_also: Option<Uri>,
    /// When something else happens; `None`: not before Timer C.
    pub time: Option<Duration>,
    /// Who is rung as well when the time has come. Then it begins anew with theirs.
    pub later: Option<Later>,
    /// SIPRE-30, SENS-15: a telephone may push the call elsewhere.
    pub may_be_deflected: bool,
    /// What happens in the end, if nobody has answered.
    pub then: Then,
}

/// Team members or delegates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Later {
    /// Who.
    pub targets: Vec<Uri>,
    /// The secondary target timer.
    pub time: Duration,
}

/// What happens when nobody has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// The caller gets the best response, or 480.
    GiveUp,
    /// It goes elsewhere.
    Divert(Destination),
}

/// Where a call is diverted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The callee's voice mail.
    VoiceMail,
    /// The callee's `forwardto`, or where an endpoint deflects the call to.
    Forward(Uri),
}

/// Says what to do with a call: 7.4 of the digest of [MS-SIPRE], in its order.
pub fn plan(call: &Circumstances<'_>) -> Plan {
    let Some(rules) = call.rules else {
        return endpoints_only(
            call,
            "SIPRE-5: the rules break a condition, so the endpoints ring and nothing else",
        );
    };
    if call.media == Media::Other {
        return endpoints_only(call, "SIPRE-3: no audio, so no rule applies");
    }
    if rules.has(Flag::Block) {
        return refuse(Refusal::Blocked, "rule 1: block");
    }
    if call.is_for_one_telephone {
        return endpoints_only(call, "URI-6: for one telephone only");
    }
    if rules.has(Flag::E911Active) {
        return endpoints_only(call, "rule 2: emergency call-back");
    }
    if call.media == Media::AudioAppInvite && !rules.has(Flag::ForwardAudioAppInvites) {
        return endpoints_only(call, "rule 3: conference invitations are not diverted");
    }
    // Rule 4 is about private lines, which we have none of.
    if call.rung_for_another {
        return endpoints_only(call, "rule 5: rung for somebody else");
    }
    let breaks_through = call.is_by_one_of(&rules.breakthrough);
    if breaks_through {
        return primary(call, rules, "rule 6: caller breaks through");
    }
    if rules.has(Flag::WorkHours) && !call.is_work_time {
        if let Some(plan) = do_not_disturb(call, rules) {
            return plan;
        }
        let ring = Ring {
            endpoints: true,
            ring_also: None,
            time: Some(call.total(rules)),
            later: None,
            may_be_deflected: call.may_be_diverted(),
            then: voice_mail(call, rules),
        };
        return Plan { action: Action::Ring(ring), rule: "rule 7: outside working hours" };
    }
    // SENS-6: no team. SENS-8: nor delegates, who would hear private content.
    if call.may_be_diverted() {
        if rules.has(Flag::TeamRing) && !rules.team.is_empty() {
            return secondary(call, rules, &rules.team, "rule 8: team ringing");
        }
        if rules.has(Flag::DelegateRing) && !rules.delegates.is_empty() {
            return secondary(call, rules, &rules.delegates, "rule 9: delegate ringing");
        }
    }
    if let Some(plan) = do_not_disturb(call, rules) {
        return plan;
    }
    let rule = match (call.takes_a_place, call.may_be_diverted()) {
        (true, _) => TAKES_A_PLACE,
        (false, true) => "rule 11: endpoints",
        (false, false) => UNDIVERTABLE,
    };
    primary(call, rules, rule)
}

const UNDIVERTABLE_YET_FORWARDED: &str =
    "DEC-22: all calls are forwarded, Ms-Sensitivity says no diversion, and the setting is to ring";
const TAKES_A_PLACE: &str =
    "RFC 3891: it takes a place in a call of the callee's, so the endpoints decide and nothing else is rung";
const UNDIVERTABLE: &str = "SENS-6: Ms-Sensitivity says no diversion, so the endpoints ring and nothing else";

impl Circumstances<'_> {
    /// RFC 3891 3: who takes a place in a call wants the one telephone that is in it. What that refuses, the transferor is
    /// to hear; a message in a mailbox would end a call that could have gone on.
    fn may_be_diverted(&self) -> bool {
        self.sensitivity.allows_diversion() && !self.takes_a_place
    }

    /// The user calls the user: Play-On-Phone (SENS-14), never a loop.
    fn is_to_self(&self) -> bool {
        self.caller == Some(self.callee)
    }

    fn is_by_one_of(&self, list: &[Uri]) -> bool {
        let names = self.caller.into_iter().chain(self.referrer).chain(self.other_names);
        names.into_iter().any(|name| lists(list, name))
    }

    fn total(&self, rules: &Rules) -> Duration {
        rules.total.unwrap_or(self.ring_time)
    }

    /// `skip_primary`, and whom it does not concern.
    fn rings_endpoints(&self, rules: &Rules) -> bool {
        !rules.has(Flag::SkipPrimary)
            || self.is_by_one_of(&rules.breakthrough)
            || self.is_by_one_of(&rules.delegates)
            // SENS-9.
            || (!self.may_be_diverted() && self.is_to_self())
    }
}

/// Primary targets: [MS-SIPRE] 3.9.5.2.2.1.
fn primary(call: &Circumstances<'_>, rules: &Rules, rule: &'static str) -> Plan {
    let forwards = rules.has(Flag::ForwardImmediate);
    if forwards && call.may_be_diverted() {
        return match after_ringing(call, rules) {
            Then::Divert(to) => {
                let action = Action::Divert(to, DiversionReason::Unconditional);
                Plan { action, rule: "forward_immediate" }
            }
            Then::GiveUp => refuse(Refusal::NoAnswer, "forward_immediate, and nowhere to forward to"),
        };
    }
    if forwards && call.when_forwarding == WhenForwarding::Fail {
        return refuse(Refusal::Undivertable, "SENS-10: undivertable, and all calls are forwarded");
    }
    let rule = if forwards && !call.takes_a_place { UNDIVERTABLE_YET_FORWARDED } else { rule };
    let endpoints = call.rings_endpoints(rules);
    // DEC-20: simultaneous ring is no diversion, but not together with forward_immediate.
    let rings_also = endpoints && rules.has(Flag::SimultaneousRing) && !forwards && !call.takes_a_place;
    let ring = Ring {
        endpoints,
        ring_also: rules.ring_also.clone().filter(|_| rings_also),
        time: Some(call.total(rules)),
        later: None,
        may_be_deflected: call.may_be_diverted(),
        then: after_ringing(call, rules),
    };
    Plan { action: Action::Ring(ring), rule }
}

/// Team and delegate ringing: [MS-SIPRE] 3.9.5.2.2.2, 3.9.5.2.2.3. Only for calls that may be diverted.
fn secondary(call: &Circumstances<'_>, rules: &Rules, targets: &[Uri], rule: &'static str) -> Plan {
    if call.is_by_one_of(targets) {
        return primary(call, rules, rule);
    }
    let disturbs = rules.do_not_disturb && !call.is_to_self();
    let endpoints = call.rings_endpoints(rules) && !disturbs;
    let rings_also = endpoints && rules.has(Flag::SimultaneousRing);
    let time = rules.team2.unwrap_or(TEAM2_DEFAULT);
    let ring = Ring {
        endpoints,
        ring_also: rules.ring_also.clone().filter(|_| rings_also),
        // Nobody to wait for: the others ring at once.
        time: Some(if endpoints { rules.user.unwrap_or(USER_DEFAULT) } else { Duration::ZERO }),
        later: Some(Later { targets: targets.to_vec(), time }),
        may_be_deflected: true,
        then: voice_mail(call, rules),
    };
    Plan { action: Action::Ring(ring), rule }
}

/// Rule 10. One's own Play-On-Phone call does not disturb: it was asked for.
fn do_not_disturb(call: &Circumstances<'_>, rules: &Rules) -> Option<Plan> {
    if !rules.do_not_disturb || call.is_to_self() {
        return None;
    }
    Some(match after_ringing(call, rules) {
        Then::Divert(to) => Plan {
            action: Action::Divert(to, DiversionReason::DoNotDisturb),
            rule: "rule 10: do not disturb",
        },
        Then::GiveUp => refuse(Refusal::NoAnswer, "rule 10: do not disturb"),
    })
}

/// SIPRE-20 to SIPRE-22.
fn after_ringing(call: &Circumstances<'_>, rules: &Rules) -> Then {
    if !call.may_be_diverted() {
        return Then::GiveUp;
    }
    match &rules.forward_to {
        Some(to) if rules.has(Flag::EnableCallForwarding) => Then::Divert(Destination::Forward(to.clone())),
        _ => voice_mail(call, rules),
    }
}

fn voice_mail(call: &Circumstances<'_>, rules: &Rules) -> Then {
    if call.may_be_diverted() && call.has_mailbox && rules.voice_mail {
        Then::Divert(Destination::VoiceMail)
    } else {
        Then::GiveUp
    }
}

fn endpoints_only(call: &Circumstances<'_>, rule: &'static str) -> Plan {
    let ring = Ring {
        endpoints: true,
        ring_also: None,
        time: None,
        later: None,
        may_be_deflected: call.may_be_diverted(),
        then: Then::GiveUp,
    };
    Plan { action: Action::Ring(ring), rule }
}

fn refuse(refusal: Refusal, rule: &'static str) -> Plan {
    Plan { action: Action::Refuse(refusal), rule }
}

#[cfg(test)]
#[path = "forwarding_tests.rs"]
mod tests;
