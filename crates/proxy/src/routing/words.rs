//! Rules in the words of `umbel user set`: `forward-immediate=voicemail`, `ring-time=30s`, ...
//!
//! Whatever the document of [MS-SIPRE] 2.2.9 can say, these words can say as well, so that one becomes
//! the other and comes back. `off` alone takes a rule away. `off:` before a value keeps the value
//! without using it, as a telephone remembers a number while forwarding is switched off.
//!
//! A target may be an extension. Who has it is found out when a call comes.

mod target;

use std::collections::BTreeMap;
use std::time::Duration;

use umbel_sip_message::Uri;
use umbel_store::ROUTING_CHARS_MAX;

use super::{Flag, Rules, WAIT_MAX};
pub use target::say as say_target;
use target::{say_all, target, targets};

/// The names of rules, in the order in which they are shown.
pub const NAMES: [&str; 16] = [
    "forward-immediate",
    "forward-unanswered",
    "no-voicemail",
    "ring-also",
    "ring-time",
    "team",
    "delegates",
    "team-after",
    "team-time",
    "work-hours",
    "do-not-disturb",
    "block",
    "skip-own-telephones",
    "breakthrough",
    "conference-invitations",
    "emergency-call-back",
];

/// The names of rules that the document has no place for: an import leaves these as they are.
pub const BEYOND_THE_DOCUMENT: [&str; 2] = ["no-voicemail", "do-not-disturb"];

/// The names of rules that are on or not.
const YES_OR_NO: [&str; 6] = [
    "no-voicemail",
    "do-not-disturb",
    "block",
    "skip-own-telephones",
    "conference-invitations",
    "emergency-call-back",
];

/// A rule that cannot be read: what is wrong with it, for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {what}")]
pub struct Unreadable {
    /// Which rule.
    pub name: String,
    /// What is expected.
    pub what: &'static str,
}

/// Reads one user's rules. An empty value, or `off`, is as if the rule were not there; numbers and
/// extensions are completed by `domain`.
pub fn read(rules: &BTreeMap<String, String>, domain: &str) -> Result<Rules, Unreadable> {
    let mut read = Rules::default();
    for (name, value) in rules {
        set(&mut read, name, value.trim(), domain).map_err(|what| Unreadable { name: name.clone(), what })?;
    }
    Ok(read)
}

/// Whether one rule could be set to this value: what `umbel user set` asks before it stores it.
/// `false`: it says that there is no such rule.
pub fn check(name: &str, value: &str, domain: &str) -> Result<bool, Unreadable> {
    let value = value.trim();
    let wrong = |what| Unreadable { name: name.to_owned(), what };
    if value.chars().count() > ROUTING_CHARS_MAX {
        return Err(wrong("longer than 4096 characters"));
    }
    set(&mut Rules::default(), name, value, domain).map_err(wrong)?;
    let is_no = YES_OR_NO.contains(&name) && value == "no";
    Ok(!is_no && !matches!(Switch::of(value), Switch::Off))
}

/// Whom calls would be sent on to by one rule, whether it is used or kept for later. A value that cannot be read names
/// nobody.
pub fn destinations(name: &str, value: &str, domain: &str) -> Vec<Uri> {
    let mut rules = Rules::default();
    if set(&mut rules, name, value.trim(), domain).is_err() {
        return Vec::new();
    }
    let Rules { forward_to, ring_also, team, delegates, .. } = rules;
    forward_to.into_iter().chain(ring_also).chain(team).chain(delegates).collect()
}

/// Writes rules so that [`read`] gives them back, without flags whose list or target is missing: those
/// have no effect. What is not written is not set.
pub fn write(rules: &Rules, domain: &str) -> BTreeMap<String, String> {
    let mut words = BTreeMap::new();
    let mut put = |name: &str, value: String| drop(words.insert(name.to_owned(), value));
    let used = |flag: Flag, value: String| {
        if rules.has(flag) { value } else { format!("off:{value}") }
    };
    let forward_to = rules.forward_to.as_ref().map(|uri| say_target(uri, domain));
    let is_forwarded = rules.has(Flag::EnableCallForwarding);
    match (rules.has(Flag::ForwardImmediate), forward_to) {
        (true, Some(to)) if is_forwarded => put("forward-immediate", to),
        (true, to) => {
            put("forward-immediate", VOICE_MAIL.to_owned());
            to.into_iter().for_each(|to| put("forward-unanswered", format!("off:{to}")));
        }
        (false, to) => {
            to.into_iter().for_each(|to| put("forward-unanswered", used(Flag::EnableCallForwarding, to)));
        }
    }
    if let Some(uri) = &rules.ring_also {
        put("ring-also", used(Flag::SimultaneousRing, say_target(uri, domain)));
    }
    for (name, wait) in [("ring-time", rules.total), ("team-after", rules.user), ("team-time", rules.team2)] {
        wait.into_iter().for_each(|wait| put(name, format!("{}s", wait.as_secs())));
    }
    for (name, list, flag) in
        [("team", &rules.team, Flag::TeamRing), ("delegates", &rules.delegates, Flag::DelegateRing)]
    {
        if !list.is_empty() {
            put(name, used(flag, say_all(list, domain)));
        }
    }
    if !rules.breakthrough.is_empty() {
        put("breakthrough", say_all(&rules.breakthrough, domain));
    }
    match (rules.has(Flag::WorkHours), rules.work_hours.is_empty()) {
        (true, true) => put("work-hours", ALWAYS.to_owned()),
        (false, true) => {}
        (_, false) => put("work-hours", used(Flag::WorkHours, rules.work_hours.to_string())),
    }
    for (name, is_on) in [
        ("no-voicemail", !rules.voice_mail),
        ("do-not-disturb", rules.do_not_disturb),
        ("block", rules.has(Flag::Block)),
        ("skip-own-telephones", rules.has(Flag::SkipPrimary)),
        ("conference-invitations", rules.has(Flag::ForwardAudioAppInvites)),
        ("emergency-call-back", rules.has(Flag::E911Active)),
    ] {
        if is_on {
            put(name, "yes".to_owned());
        }
    }
    words
}

/// A target of forwarding.
const VOICE_MAIL: &str = "voicemail";
/// Working hours that are in force and not known.
const ALWAYS: &str = "always";

/// What a value asks for.
enum Switch<'a> {
    /// Nothing.
    Off,
    /// To be kept, and not used.
    Kept(&'a str),
    /// To be used.
    On(&'a str),
}

impl<'a> Switch<'a> {
    fn of(value: &'a str) -> Self {
        let (word, rest) = value.split_at_checked(3).unwrap_or_default();
        let is_off = word.eq_ignore_ascii_case("off");
        match rest.strip_prefix(':') {
            _ if value.is_empty() || (is_off && rest.is_empty()) => Switch::Off,
            Some(kept) if is_off => Switch::Kept(kept.trim()),
            _ => Switch::On(value),
        }
    }

    /// The value, and whether it is used.
    fn value(self) -> Option<(&'a str, bool)> {
        match self {
            Switch::Off => None,
            Switch::Kept(value) => Some((value, false)),
            Switch::On(value) => Some((value, true)),
        }
    }
}

fn set(rules: &mut Rules, name: &str, value: &str, domain: &str) -> Result<(), &'static str> {
    let switch = Switch::of(value);
    match name {
        "forward-immediate" => forward_immediate(rules, switch, domain)?,
        "forward-unanswered" => forward_unanswered(rules, switch, domain)?,
        "ring-also" => {
            if let Some((value, is_used)) = switch.value() {
                rules.ring_also = Some(target(value, domain)?);
                rules.set(Flag::SimultaneousRing, is_used);
            }
        }
        "team" => {
            if let Some((value, is_used)) = switch.value() {
                rules.team = targets(value, domain)?;
                rules.set(Flag::TeamRing, is_used);
            }
        }
        "delegates" => {
            if let Some((value, is_used)) = switch.value() {
                rules.delegates = targets(value, domain)?;
                rules.set(Flag::DelegateRing, is_used);
            }
        }
        "breakthrough" => match switch {
            Switch::Off => {}
            Switch::On(value) => rules.breakthrough = targets(value, domain)?,
            Switch::Kept(_) => return Err("expected addresses, with commas between them, or off"),
        },
        "ring-time" => rules.total = seconds(&switch)?,
        "team-after" => rules.user = seconds(&switch)?,
        "team-time" => rules.team2 = seconds(&switch)?,
        "work-hours" => work_hours(rules, switch)?,
        "no-voicemail" => rules.voice_mail = !yes(&switch)?,
        "do-not-disturb" => rules.do_not_disturb = yes(&switch)?,
        "block" => rules.set(Flag::Block, yes(&switch)?),
        "skip-own-telephones" => rules.set(Flag::SkipPrimary, yes(&switch)?),
        "conference-invitations" => rules.set(Flag::ForwardAudioAppInvites, yes(&switch)?),
        "emergency-call-back" => rules.set(Flag::E911Active, yes(&switch)?),
        _ => return Err("there is no such rule"),
    }
    Ok(())
}

fn is_voice_mail(value: &str) -> bool {
    value.eq_ignore_ascii_case(VOICE_MAIL)
}

fn forward_immediate(rules: &mut Rules, switch: Switch<'_>, domain: &str) -> Result<(), &'static str> {
    match switch {
        Switch::Off => {}
        Switch::On(value) => {
            if !is_voice_mail(value) {
                rules.forward_to = Some(target(value, domain)?);
                rules.set(Flag::EnableCallForwarding, true);
            }
            rules.set(Flag::ForwardImmediate, true);
        }
        Switch::Kept(_) => return Err("expected voicemail, a target, or off"),
    }
    Ok(())
}

/// One `forwardto` serves both, as in the document; the immediate one is read first.
fn forward_unanswered(rules: &mut Rules, switch: Switch<'_>, domain: &str) -> Result<(), &'static str> {
    let Some((value, is_used)) = switch.value() else { return Ok(()) };
    if is_used && is_voice_mail(value) {
        return Ok(());
    }
    let to = target(value, domain)?;
    if rules.forward_to.is_none() {
        rules.forward_to = Some(to);
        let is_used = is_used && !rules.has(Flag::ForwardImmediate);
        rules.set(Flag::EnableCallForwarding, is_used);
    }
    Ok(())
}

fn work_hours(rules: &mut Rules, switch: Switch<'_>) -> Result<(), &'static str> {
    let Some((value, is_used)) = switch.value() else { return Ok(()) };
    rules.set(Flag::WorkHours, is_used);
    if !value.eq_ignore_ascii_case(ALWAYS) {
        let hours = value.parse();
        rules.work_hours = hours.map_err(|_| "expected hours such as mon-fri 09:00-17:00, always, or off")?;
    }
    Ok(())
}

fn yes(switch: &Switch<'_>) -> Result<bool, &'static str> {
    match switch {
        Switch::Off | Switch::On("no") => Ok(false),
        Switch::On("yes" | "on") => Ok(true),
        Switch::On(_) | Switch::Kept(_) => Err("expected yes or no"),
    }
}

/// SIPRE-9: seconds from 0 to 1,200.
fn seconds(switch: &Switch<'_>) -> Result<Option<Duration>, &'static str> {
    const EXPECTED: &str = "expected 0 to 1200 seconds, such as 20s, or off";
    let value = match switch {
        Switch::Off => return Ok(None),
        Switch::On(value) => value,
        Switch::Kept(_) => return Err(EXPECTED),
    };
    let digits = value.strip_suffix('s').unwrap_or(value).trim_end();
    let number = digits.parse().ok().filter(|_| digits.bytes().all(|c| c.is_ascii_digit()));
    let wait = number.map(Duration::from_secs).filter(|wait| *wait <= WAIT_MAX);
    wait.map(Some).ok_or(EXPECTED)
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
