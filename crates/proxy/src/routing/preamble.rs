//! Instances of the routing document, and how several become one: [MS-SIPRE] 2.2.9, 3.9.
//!
//! The XML is read and written elsewhere; what unknown elements and attributes there were is gone here.

use std::collections::BTreeSet;
use std::time::Duration;

use umbel_sip_message::{Scheme, Uri};

use super::{Flag, Rules, TARGETS_MAX, WAIT_MAX};

/// One instance, in the words of the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preamble {
    /// The `version` of the routing element.
    pub version: u32,
    /// `flags` elements: name and value.
    pub flags: Vec<(String, String)>,
    /// `list` elements: name and the `uri` of each target.
    pub lists: Vec<(String, Vec<String>)>,
    /// `wait` elements: name and seconds.
    pub waits: Vec<(String, u32)>,
}

/// SIPRE-4: a condition that does not hold. The default rule applies then (SIPRE-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Two lists of one name in one instance.
    #[error("two lists of one name in one instance")]
    ListTwice,
    /// Two `flags` elements of one name, in whatever instances.
    #[error("two flags elements of one name")]
    FlagsTwice,
    /// Two `wait` elements of one name, in whatever instances.
    #[error("two wait elements of one name")]
    WaitTwice,
}

/// SIPRE-6: several instances become one. The highest version counts, which is the second of the pair.
pub fn merge(instances: &[Preamble]) -> Result<(Rules, u32), Violation> {
    let mut rules = Rules::default();
    let (mut flags_seen, mut waits_seen) = (BTreeSet::new(), BTreeSet::new());
    for instance in instances {
        let mut lists_seen = BTreeSet::new();
        for (name, targets) in &instance.lists {
            if !lists_seen.insert(name.as_str()) {
                return Err(Violation::ListTwice);
            }
            add_list(&mut rules, name, targets);
        }
        for (name, value) in &instance.flags {
            if !flags_seen.insert(name.as_str()) {
                return Err(Violation::FlagsTwice);
            }
            // SIPRE-7: no other flags element counts, and no unknown flag in it.
            if name == "clientflags" {
                rules.flags.extend(value.split_ascii_whitespace().filter_map(Flag::from_word));
            }
        }
        for (name, seconds) in &instance.waits {
            if !waits_seen.insert(name.as_str()) {
                return Err(Violation::WaitTwice);
            }
            // SIPRE-9.
            let wait = Some(Duration::from_secs((*seconds).into()).min(WAIT_MAX));
            match name.as_str() {
                "total" => rules.total = wait,
                "user" => rules.user = wait,
                "team2" => rules.team2 = wait,
                // `team1` is in the schema and has no use.
                _ => {}
            }
        }
    }
    Ok((rules, instances.iter().map(|instance| instance.version).max().unwrap_or_default()))
}

/// SIPRE-8: only these lists, and of two of them only the first target; SIPRE-6: concatenated.
fn add_list(rules: &mut Rules, name: &str, targets: &[String]) {
    let callable = |target: &String| {
        let uri: Uri = target.parse().ok()?;
        (uri.scheme() != Scheme::Other && uri.headers().next().is_none()).then_some(uri)
    };
    let mut targets = targets.iter().filter_map(callable);
    let list = match name {
        "forwardto" => return rules.forward_to = rules.forward_to.take().or_else(|| targets.next()),
        "simultaneous_ring" => return rules.ring_also = rules.ring_also.take().or_else(|| targets.next()),
        "team" => &mut rules.team,
        "delegates" => &mut rules.delegates,
        "breakthrough" => &mut rules.breakthrough,
        // `first_delegate` and `add_voice` are reserved.
        _ => return,
    };
    list.extend(targets);
    list.truncate(TARGETS_MAX);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn list(name: &str, targets: &[&str]) -> (String, Vec<String>) {
        (name.to_owned(), targets.iter().map(ToString::to_string).collect())
    }

    fn texts(uris: &[Uri]) -> Vec<&str> {
        uris.iter().map(Uri::as_str).collect()
    }

    // SIPRE-4, SIPRE-5
    #[test]
    fn names_that_must_be_unique_are() {
        let twice = Preamble { lists: vec![list("team", &[]), list("team", &[])], ..Preamble::default() };
        assert_eq!(merge(&[twice]), Err(Violation::ListTwice));
        let flags = Preamble { flags: vec![("clientflags".into(), "block".into())], ..Preamble::default() };
        assert!(merge(std::slice::from_ref(&flags)).is_ok());
        assert_eq!(merge(&[flags.clone(), flags]), Err(Violation::FlagsTwice));
        let waits = Preamble { waits: vec![("total".into(), 5)], ..Preamble::default() };
        assert_eq!(merge(&[waits.clone(), waits]), Err(Violation::WaitTwice));
    }

    // SIPRE-6
    #[test]
    fn equal_lists_of_several_instances_are_joined_and_the_highest_version_counts() {
        let one =
            Preamble { version: 1, lists: vec![list("team", &["sip:a@x.test"])], ..Preamble::default() };
        let two =
            Preamble { version: 2, lists: vec![list("team", &["sip:b@x.test"])], ..Preamble::default() };
        let (rules, version) = merge(&[two, one]).unwrap();
        assert_eq!(texts(&rules.team), ["sip:b@x.test", "sip:a@x.test"]);
        assert_eq!(version, 2);
    }

    // SIPRE-7
    #[test]
    fn only_clientflags_count_and_only_known_words_in_them() {
        let flags = vec![
            ("clientflags".to_owned(), "enablecf  nonsense simultaneous_ring BLOCK".to_owned()),
            ("other".to_owned(), "block".to_owned()),
        ];
        let (rules, _) = merge(&[Preamble { flags, ..Preamble::default() }]).unwrap();
        assert_eq!(rules.flags, [Flag::EnableCallForwarding, Flag::SimultaneousRing].into());
    }

    // SIPRE-8
    #[test]
    fn of_forwardto_and_simultaneous_ring_the_first_target_counts() {
        let lists = vec![
            list("forwardto", &["http://x.test", "sip:first@x.test", "sip:second@x.test"]),
            list("simultaneous_ring", &["tel:+15555550101", "sip:second@x.test"]),
            list("add_voice", &["sip:reserved@x.test"]),
            list("breakthrough", &["sip:boss@x.test"]),
        ];
        let (rules, _) = merge(&[Preamble { lists, ..Preamble::default() }]).unwrap();
        assert_eq!(rules.forward_to.unwrap().as_str(), "sip:first@x.test");
        assert_eq!(rules.ring_also.unwrap().as_str(), "tel:+15555550101");
        assert_eq!(texts(&rules.breakthrough), ["sip:boss@x.test"]);
        assert!(rules.team.is_empty() && rules.delegates.is_empty());
    }

    // SIPRE-9
    #[test]
    fn waits_are_at_most_twenty_minutes() {
        let waits =
            vec![("total".into(), 99_999), ("user".into(), 0), ("team1".into(), 3), ("team2".into(), 1_200)];
        let (rules, _) = merge(&[Preamble { waits, ..Preamble::default() }]).unwrap();
        assert_eq!((rules.total, rules.user), (Some(WAIT_MAX), Some(Duration::ZERO)));
        assert_eq!(rules.team2, Some(WAIT_MAX));
    }

    #[test]
    fn a_list_is_bounded() {
        let many: Vec<String> = (0..TARGETS_MAX + 5).map(|n| format!("sip:u{n}@x.test")).collect();
        let lists = vec![("team".to_owned(), many)];
        let (rules, _) = merge(&[Preamble { lists, ..Preamble::default() }]).unwrap();
        assert_eq!(rules.team.len(), TARGETS_MAX);
    }
}
