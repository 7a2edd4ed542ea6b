//! What is odd about somebody's rules: they can be kept, and do something else than one may think.

use std::time::Duration;

use umbel_sip_message::{AddressOfRecord, Uri};

use super::{Flag, Rules};

/// One oddity; its text says what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Remark {
    /// Rule 1.
    #[error("block: every call is refused, so the other rules have no effect")]
    Block,
    /// Rule 2.
    #[error(
        "emergency-call-back: the own telephones ring and nothing else, so the other rules have no effect"
    )]
    EmergencyCallBack,
    /// LOOP-3.
    #[error("forward-immediate leads to the user, so every call ends: use off, or another target")]
    ForwardsToItself,
    /// LOOP-3.
    #[error("forward-unanswered leads to the user, so calls that nobody answers end without voice mail")]
    ForwardsUnansweredToItself,
    /// 7.2 of the digest of [MS-SIPRE].
    #[error("team and delegates are both set: the team rings, the delegates do not")]
    TeamBeforeDelegates,
    /// 3.9.5.2.2.2, 3.9.5.2.2.3: they ring before forwarding is looked at.
    #[error("beside team or delegates, forwarding is for calls from their members only")]
    ForwardingBesideTeam,
    /// 3.9.5.2.2.1.
    #[error("forward-immediate is set: ring-also has no effect")]
    RingAlsoBesideForwarding,
    /// One `forwardto` serves both.
    #[error("forward-immediate is set: forward-unanswered has no effect")]
    UnansweredBesideImmediate,
    /// Nobody is there to be waited for.
    #[error("skip-own-telephones without team and delegates: nothing rings, calls go on at once")]
    NothingRings,
    /// A time of nothing.
    #[error("ring-time is 0: calls go on at once")]
    RingsForNoTime,
    /// Hours that nobody knows.
    #[error("work-hours has no hours: the rules always apply; write hours such as mon-fri 09:00-17:00")]
    HoursUnknown,
}

/// What is odd about the rules of a user who has these names; `has_unanswered`: `forward-unanswered` is
/// among the words, where the rules themselves have one target for both kinds of forwarding.
pub fn remarks(rules: &Rules, names: &[AddressOfRecord], has_unanswered: bool) -> Vec<Remark> {
    let is_own = |uri: &Option<Uri>| {
        let address = uri.as_ref().filter(|uri| !uri.has_opaque("app:voicemail"));
        let address = address.and_then(Uri::address_of_record);
        address.is_some_and(|address| names.contains(&address))
    };
    let is_immediate = rules.has(Flag::ForwardImmediate);
    let is_forwarded = rules.has(Flag::EnableCallForwarding) && rules.forward_to.is_some();
    let has_team = rules.has(Flag::TeamRing) && !rules.team.is_empty();
    let has_delegates = rules.has(Flag::DelegateRing) && !rules.delegates.is_empty();
    let has_second = rules.has(Flag::SimultaneousRing) && rules.ring_also.is_some();
    let others = is_immediate || is_forwarded || has_team || has_delegates || has_second;
    [
        (Remark::Block, rules.has(Flag::Block) && (others || rules.has(Flag::E911Active))),
        (Remark::EmergencyCallBack, rules.has(Flag::E911Active) && others),
        (Remark::ForwardsToItself, is_immediate && is_forwarded && is_own(&rules.forward_to)),
        (Remark::ForwardsUnansweredToItself, !is_immediate && is_forwarded && is_own(&rules.forward_to)),
        (Remark::TeamBeforeDelegates, has_team && has_delegates),
        (Remark::ForwardingBesideTeam, (has_team || has_delegates) && (is_immediate || is_forwarded)),
        (Remark::RingAlsoBesideForwarding, is_immediate && has_second),
        (Remark::UnansweredBesideImmediate, is_immediate && has_unanswered),
        (Remark::NothingRings, rules.has(Flag::SkipPrimary) && !is_immediate && !has_team && !has_delegates),
        (Remark::RingsForNoTime, rules.total == Some(Duration::ZERO)),
        (Remark::HoursUnknown, rules.has(Flag::WorkHours) && rules.work_hours.is_empty()),
    ]
    .into_iter()
    .filter_map(|(remark, is_so)| is_so.then_some(remark))
    .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::words;
    use super::*;

    #[track_caller]
    fn check(pairs: &[(&str, &str)], expected: &[Remark]) {
        let map = pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let rules = words::read(&map, "example.test").unwrap();
        let names = ["alice@example.test", "201@example.test"].map(|name| name.parse().unwrap());
        let has_unanswered = map.contains_key("forward-unanswered");
        assert_eq!(remarks(&rules, &names, has_unanswered), expected, "{pairs:?}");
    }

    #[test]
    fn rules_that_do_what_they_say_get_no_remark() {
        check(&[], &[]);
        check(&[("forward-immediate", "bob@example.test")], &[]);
        check(&[("forward-unanswered", "bob@example.test"), ("ring-also", "300")], &[]);
        check(&[("block", "yes")], &[]);
        check(&[("team", "bob@example.test"), ("delegates", "off:carol@example.test")], &[]);
        check(&[("skip-own-telephones", "yes"), ("delegates", "bob@example.test")], &[]);
        check(&[("work-hours", "mon-fri 09:00-17:00"), ("ring-time", "1s")], &[]);
        check(&[("forward-immediate", "sip:alice@example.test;opaque=app:voicemail")], &[]);
    }

    #[test]
    fn a_rule_that_leads_back_to_the_user_is_remarked() {
        for own in ["alice@example.test", "201", "sip:alice@EXAMPLE.test"] {
            check(&[("forward-immediate", own)], &[Remark::ForwardsToItself]);
            check(&[("forward-unanswered", own)], &[Remark::ForwardsUnansweredToItself]);
        }
        check(&[("forward-immediate", "alice@elsewhere.test")], &[]);
    }

    #[test]
    fn a_rule_that_another_one_keeps_from_counting_is_remarked() {
        let (team, delegates) = (("team", "bob@example.test"), ("delegates", "carol@example.test"));
        let (at_once, also) = (("forward-immediate", "voicemail"), ("ring-also", "300"));
        check(&[team, delegates], &[Remark::TeamBeforeDelegates]);
        check(&[team, at_once], &[Remark::ForwardingBesideTeam]);
        check(&[delegates, ("forward-unanswered", "300")], &[Remark::ForwardingBesideTeam]);
        check(&[at_once, also], &[Remark::RingAlsoBesideForwarding]);
        check(&[at_once, ("forward-unanswered", "300")], &[Remark::UnansweredBesideImmediate]);
        check(&[("block", "yes"), also], &[Remark::Block]);
        check(&[("emergency-call-back", "yes"), team], &[Remark::EmergencyCallBack]);
        check(&[("skip-own-telephones", "yes")], &[Remark::NothingRings]);
        check(&[("ring-time", "0")], &[Remark::RingsForNoTime]);
        check(&[("work-hours", "always")], &[Remark::HoursUnknown]);
    }
}
