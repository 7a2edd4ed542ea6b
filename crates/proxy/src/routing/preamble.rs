//! Instances of the routing document, and how several become one: [MS-SIPRE] 2.2.9, 3.9.
//!
//! The XML is [`super::document`]'s business; what unknown elements and attributes there were is gone here.

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
    /// `list` elements: name and the `uri` of each target, which is empty where there is none.
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

/// Several instances as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// What they ask for.
    pub rules: Rules,
    /// The highest version (SIPRE-6).
    pub version: u32,
    /// What is said in them and does not count.
    pub left_out: Vec<LeftOut>,
}

/// What a document says that has no effect, so that people can be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeftOut {
    /// SIPRE-7.
    #[error("the flags element `{0}`: only clientflags counts")]
    Flags(String),
    /// SIPRE-7.
    #[error("the flag `{0}`, which is not known")]
    Flag(String),
    /// SIPRE-8.
    #[error("the list `{0}`, which has no use")]
    List(String),
    /// SIPRE-8: the first target counts.
    #[error("the target `{1}` of the list `{0}`: only the first one counts")]
    Further(String, String),
    /// Beyond [`TARGETS_MAX`].
    #[error("the target `{1}` of the list `{0}`: ten count")]
    Beyond(String, String),
    /// No URI that a call could go to.
    #[error("the target `{1}` of the list `{0}`: calls cannot go there")]
    Uncallable(String, String),
    /// `team1`, and what is not known.
    #[error("the wait `{0}`, which has no use")]
    Wait(String),
    /// SIPRE-9.
    #[error("the part of the wait `{0}` beyond 1200 seconds")]
    Longer(String),
}

/// SIPRE-6: several instances become one.
pub fn merge(instances: &[Preamble]) -> Result<Merged, Violation> {
    let version = instances.iter().map(|instance| instance.version).max().unwrap_or_default();
    let mut merged = Merged { rules: Rules::default(), version, left_out: Vec::new() };
    let (mut flags_seen, mut waits_seen) = (BTreeSet::new(), BTreeSet::new());
    for instance in instances {
        let mut lists_seen = BTreeSet::new();
        for (name, targets) in &instance.lists {
            if !lists_seen.insert(name.as_str()) {
                return Err(Violation::ListTwice);
            }
            merged.add_list(name, targets);
        }
        for (name, value) in &instance.flags {
            if !flags_seen.insert(name.as_str()) {
                return Err(Violation::FlagsTwice);
            }
            merged.add_flags(name, value);
        }
        for (name, seconds) in &instance.waits {
            if !waits_seen.insert(name.as_str()) {
                return Err(Violation::WaitTwice);
            }
            merged.add_wait(name, *seconds);
        }
    }
    Ok(merged)
}

impl Merged {
    /// SIPRE-8: only these lists, and of two of them only the first target; SIPRE-6: concatenated.
    fn add_list(&mut self, name: &str, targets: &[String]) {
        let Merged { rules, left_out, .. } = self;
        let named = |target: &Uri| (name.to_owned(), target.to_string());
        let mut callable = Vec::new();
        for target in targets {
            match callable_uri(target) {
                Some(uri) => callable.push(uri),
                None => left_out.push(LeftOut::Uncallable(name.to_owned(), target.clone())),
            }
        }
        let list = match name {
            "forwardto" | "simultaneous_ring" => {
                let first = if name == "forwardto" { &mut rules.forward_to } else { &mut rules.ring_also };
                for target in callable {
                    if first.is_none() {
                        *first = Some(target);
                    } else {
                        let (list, target) = named(&target);
                        left_out.push(LeftOut::Further(list, target));
                    }
                }
                return;
            }
            "team" => &mut rules.team,
            "delegates" => &mut rules.delegates,
            "breakthrough" => &mut rules.breakthrough,
            // `first_delegate` and `add_voice` are reserved.
            _ => return left_out.push(LeftOut::List(name.to_owned())),
        };
        list.extend(callable);
        let beyond = list.drain(TARGETS_MAX.min(list.len())..).map(|target| named(&target));
        left_out.extend(beyond.map(|(list, target)| LeftOut::Beyond(list, target)));
    }

    /// SIPRE-7: no other flags element counts, and no unknown flag in it.
    fn add_flags(&mut self, name: &str, value: &str) {
        if name != "clientflags" {
            return self.left_out.push(LeftOut::Flags(name.to_owned()));
        }
        for word in value.split_ascii_whitespace() {
            match Flag::from_word(word) {
                Some(flag) => self.rules.set(flag, true),
                None => self.left_out.push(LeftOut::Flag(word.to_owned())),
            }
        }
    }

    fn add_wait(&mut self, name: &str, seconds: u32) {
        let timer = match name {
            "total" => &mut self.rules.total,
            "user" => &mut self.rules.user,
            "team2" => &mut self.rules.team2,
            // `team1` is in the schema and has no use.
            _ => return self.left_out.push(LeftOut::Wait(name.to_owned())),
        };
        // SIPRE-9.
        let wait = Duration::from_secs(seconds.into());
        *timer = Some(wait.min(WAIT_MAX));
        if wait > WAIT_MAX {
            self.left_out.push(LeftOut::Longer(name.to_owned()));
        }
    }
}

fn callable_uri(target: &str) -> Option<Uri> {
    let uri: Uri = target.parse().ok()?;
    let is_callable = uri.scheme() == Scheme::Tel || uri.user().is_some();
    (is_callable && uri.scheme() != Scheme::Other && uri.headers().next().is_none()).then_some(uri)
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
        let Merged { rules, version, .. } = merge(&[two, one]).unwrap();
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
        let Merged { rules, left_out, .. } = merge(&[Preamble { flags, ..Preamble::default() }]).unwrap();
        assert_eq!(rules.flags, [Flag::EnableCallForwarding, Flag::SimultaneousRing].into());
        let words = ["nonsense", "BLOCK"].map(|word| LeftOut::Flag(word.to_owned()));
        assert_eq!(left_out, [words.as_slice(), &[LeftOut::Flags("other".to_owned())]].concat());
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
        let Merged { rules, left_out, .. } = merge(&[Preamble { lists, ..Preamble::default() }]).unwrap();
        assert_eq!(rules.forward_to.unwrap().as_str(), "sip:first@x.test");
        assert_eq!(rules.ring_also.unwrap().as_str(), "tel:+15555550101");
        assert_eq!(texts(&rules.breakthrough), ["sip:boss@x.test"]);
        assert!(rules.team.is_empty() && rules.delegates.is_empty());
        let second = "sip:second@x.test".to_owned();
        let expected = [
            LeftOut::Uncallable("forwardto".into(), "http://x.test".into()),
            LeftOut::Further("forwardto".into(), second.clone()),
            LeftOut::Further("simultaneous_ring".into(), second),
            LeftOut::List("add_voice".into()),
        ];
        assert_eq!(left_out, expected);
    }

    // SIPRE-9
    #[test]
    fn waits_are_at_most_twenty_minutes() {
        let waits =
            vec![("total".into(), 99_999), ("user".into(), 0), ("team1".into(), 3), ("team2".into(), 1_200)];
        let Merged { rules, left_out, .. } = merge(&[Preamble { waits, ..Preamble::default() }]).unwrap();
        assert_eq!((rules.total, rules.user), (Some(WAIT_MAX), Some(Duration::ZERO)));
        assert_eq!(rules.team2, Some(WAIT_MAX));
        assert_eq!(left_out, [LeftOut::Longer("total".into()), LeftOut::Wait("team1".into())]);
    }

    #[test]
    fn a_list_is_bounded() {
        let many: Vec<String> = (0..TARGETS_MAX + 5).map(|n| format!("sip:u{n}@x.test")).collect();
        let lists = vec![("team".to_owned(), many)];
        let Merged { rules, left_out, .. } = merge(&[Preamble { lists, ..Preamble::default() }]).unwrap();
        assert_eq!(rules.team.len(), TARGETS_MAX);
        assert_eq!(left_out.len(), 5);
        assert_eq!(left_out[0], LeftOut::Beyond("team".into(), "sip:u10@x.test".into()));
    }
}
