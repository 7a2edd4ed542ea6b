//! Rules in the words of `umbel user set`: `forward-immediate=voicemail`, `ring-time=30s`, ...
//!
//! A target may be an extension. Who *calls* is known by address only, so that members of a team, and
//! those who break through, are to be written as addresses if they are to be recognised.

use std::collections::BTreeMap;
use std::time::Duration;

use umbel_sip_message::{Scheme, Uri};

use super::{Flag, Rules, TARGETS_MAX, WAIT_MAX};

/// The names of rules, in the order in which they are shown.
pub const NAMES: [&str; 11] = [
    "forward-immediate",
    "forward-unanswered",
    "ring-also",
    "ring-time",
    "team",
    "delegates",
    "work-hours",
    "do-not-disturb",
    "block",
    "skip-own-telephones",
    "breakthrough",
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
pub fn check(name: &str, value: &str, domain: &str) -> Result<(), Unreadable> {
    set(&mut Rules::default(), name, value.trim(), domain)
        .map_err(|what| Unreadable { name: name.to_owned(), what })
}

fn set(rules: &mut Rules, name: &str, value: &str, domain: &str) -> Result<(), &'static str> {
    let is_off = value.is_empty() || value.eq_ignore_ascii_case("off");
    match name {
        "forward-immediate" => {
            rules.set(Flag::ForwardImmediate, !is_off);
            if !is_off {
                forward(rules, value, domain)?;
            }
        }
        // One `forwardto` serves both, as in the document; the immediate one is read first.
        "forward-unanswered" if rules.has(Flag::ForwardImmediate) => {
            target(value, domain)
                .map(drop)
                .or_else(|what| if is_off || is_voice_mail(value) { Ok(()) } else { Err(what) })?;
        }
        "forward-unanswered" if value.is_empty() => {}
        "forward-unanswered" if is_off => rules.voice_mail = false,
        "forward-unanswered" => forward(rules, value, domain)?,
        "ring-also" => {
            rules.set(Flag::SimultaneousRing, !is_off);
            rules.ring_also = if is_off { None } else { Some(target(value, domain)?) };
        }
        "ring-time" => rules.total = if is_off { None } else { Some(seconds(value)?) },
        "team" => {
            rules.team = targets(value, is_off, domain)?;
            rules.set(Flag::TeamRing, !rules.team.is_empty());
        }
        "delegates" => {
            rules.delegates = targets(value, is_off, domain)?;
            rules.set(Flag::DelegateRing, !rules.delegates.is_empty());
        }
        "breakthrough" => rules.breakthrough = targets(value, is_off, domain)?,
        "work-hours" => {
            rules.set(Flag::WorkHours, !is_off);
            let what = "expected hours such as mon-fri 09:00-17:00, or off";
            rules.work_hours = if is_off { Default::default() } else { value.parse().map_err(|_| what)? };
        }
        "do-not-disturb" => rules.do_not_disturb = yes(value, is_off)?,
        "block" => rules.set(Flag::Block, yes(value, is_off)?),
        "skip-own-telephones" => rules.set(Flag::SkipPrimary, yes(value, is_off)?),
        _ => return Err("no such rule"),
    }
    Ok(())
}

fn is_voice_mail(value: &str) -> bool {
    value.eq_ignore_ascii_case("voicemail")
}

fn forward(rules: &mut Rules, value: &str, domain: &str) -> Result<(), &'static str> {
    let is_voice_mail = is_voice_mail(value);
    rules.set(Flag::EnableCallForwarding, !is_voice_mail);
    rules.forward_to = if is_voice_mail { None } else { Some(target(value, domain)?) };
    Ok(())
}

fn yes(value: &str, is_off: bool) -> Result<bool, &'static str> {
    match value {
        "yes" | "on" => Ok(true),
        "no" => Ok(false),
        _ if is_off => Ok(false),
        _ => Err("expected yes or no"),
    }
}

fn seconds(value: &str) -> Result<Duration, &'static str> {
    let digits = value.strip_suffix('s').unwrap_or(value).trim_end();
    let number = digits.parse().ok().filter(|_| digits.bytes().all(|c| c.is_ascii_digit()));
    let wait = number.map(Duration::from_secs).filter(|wait| *wait > Duration::ZERO && *wait <= WAIT_MAX);
    wait.ok_or("expected 1 to 1200 seconds, such as 20s")
}

fn targets(value: &str, is_off: bool, domain: &str) -> Result<Vec<Uri>, &'static str> {
    if is_off {
        return Ok(Vec::new());
    }
    let targets: Vec<Uri> = value.split(',').map(|one| target(one, domain)).collect::<Result<_, _>>()?;
    if targets.len() > TARGETS_MAX { Err("more than ten targets") } else { Ok(targets) }
}

/// `bob@example.test`, `200`, `+1 (555) 555-0100`, `sip:...` or `tel:...`.
fn target(text: &str, domain: &str) -> Result<Uri, &'static str> {
    const EXPECTED: &str = "expected an address, an extension, a number or a SIP URI";
    let text = text.trim();
    if let Ok(uri) = text.parse::<Uri>()
        && (uri.user().is_some() || uri.scheme() == Scheme::Tel)
        && uri.scheme() != Scheme::Other
    {
        return if uri.headers().next().is_none() { Ok(uri) } else { Err(EXPECTED) };
    }
    if let Some((user, host)) = text.rsplit_once('@') {
        return Uri::sip(user, &host.to_ascii_lowercase()).filter(|_| !user.is_empty()).ok_or(EXPECTED);
    }
    // RFC 3966 3: visual separators mean nothing.
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    let number = digits.strip_prefix('+').unwrap_or(&digits);
    if number.is_empty() || !number.bytes().all(|c| c.is_ascii_digit()) {
        return Err(EXPECTED);
    }
    let uri = Uri::sip(&digits, domain).ok_or(EXPECTED)?;
    // URI-7.
    Ok(if digits.starts_with('+') { uri.with_param("user", Some("phone")) } else { uri })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn rules(pairs: &[(&str, &str)]) -> Result<Rules, Unreadable> {
        let map = pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        read(&map, "example.test")
    }

    fn text(uri: &Option<Uri>) -> &str {
        uri.as_ref().map_or("", Uri::as_str)
    }

    #[test]
    fn no_rules_ring_the_endpoints_and_then_voice_mail() {
        assert_eq!(rules(&[]).unwrap(), Rules::default());
        let off: Vec<_> = NAMES.iter().map(|name| (*name, "")).collect();
        assert_eq!(rules(&off).unwrap(), Rules::default());
    }

    #[test]
    fn forwarding_is_to_voice_mail_or_to_somebody() {
        let at_once = rules(&[("forward-immediate", "voicemail")]).unwrap();
        assert_eq!(at_once.flags, [Flag::ForwardImmediate].into());
        let to_bob = rules(&[("forward-immediate", "bob@Example.Test")]).unwrap();
        assert_eq!(to_bob.flags, [Flag::ForwardImmediate, Flag::EnableCallForwarding].into());
        assert_eq!(text(&to_bob.forward_to), "sip:bob@example.test");
        let later = rules(&[("forward-unanswered", "+1 (555) 555-0100")]).unwrap();
        assert_eq!(later.flags, [Flag::EnableCallForwarding].into());
        assert_eq!(text(&later.forward_to), "sip:+15555550100@example.test;user=phone");
        let nobody = rules(&[("forward-unanswered", "off")]).unwrap();
        assert!(!nobody.voice_mail && nobody.flags.is_empty());
        let both = rules(&[("forward-immediate", "voicemail"), ("forward-unanswered", "200")]).unwrap();
        assert_eq!((both.flags, both.forward_to), ([Flag::ForwardImmediate].into(), None));
    }

    #[test]
    fn the_other_words() {
        let read = rules(&[
            ("ring-also", "tel:+15555550101"),
            ("ring-time", "30s"),
            ("team", "bob@example.test, 201"),
            ("delegates", "sip:carol@example.test"),
            ("work-hours", "mon-fri 09:00-17:00"),
            ("do-not-disturb", "yes"),
            ("block", "yes"),
            ("skip-own-telephones", "yes"),
            ("breakthrough", "boss@example.test"),
        ])
        .unwrap();
        assert_eq!(text(&read.ring_also), "tel:+15555550101");
        assert_eq!(read.total, Some(Duration::from_secs(30)));
        let team: Vec<_> = read.team.iter().map(Uri::as_str).collect();
        assert_eq!(team, ["sip:bob@example.test", "sip:201@example.test"]);
        assert!(read.do_not_disturb);
        for flag in [
            Flag::SimultaneousRing,
            Flag::TeamRing,
            Flag::DelegateRing,
            Flag::WorkHours,
            Flag::Block,
            Flag::SkipPrimary,
        ] {
            assert!(read.has(flag), "{flag:?}");
        }
    }

    // SEC-45 for targets.
    #[test]
    fn what_cannot_be_called_is_refused_with_its_name() {
        for value in
            ["bob", "bob@", "@x", "sip:example.test", "12*3", "+", "1;2", "sip:b@x?Subject=1", "http://x"]
        {
            let error = rules(&[("ring-also", value)]).unwrap_err();
            assert_eq!(error.name, "ring-also", "{value}");
        }
        for (name, value) in [
            ("ring-time", "0"),
            ("ring-time", "1201"),
            ("ring-time", "+5"),
            ("ring-time", "soon"),
            ("do-not-disturb", "perhaps"),
            ("work-hours", "always"),
            ("forward", "bob@x"),
            ("team", "200,,201"),
        ] {
            assert!(check(name, value, "example.test").is_err(), "{name}={value}");
        }
        let eleven = ["200"; TARGETS_MAX + 1].join(",");
        assert!(check("team", &eleven, "example.test").is_err());
        assert_eq!(check("team", &eleven[4..], "example.test"), Ok(()));
        assert_eq!(check("ring-time", "1200 s", "example.test"), Ok(()));
    }
}
