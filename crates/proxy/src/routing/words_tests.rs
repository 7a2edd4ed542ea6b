//! Tests of the words: each rule, in both directions, and the way back.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use umbel_sip_message::Uri;

use super::super::{Preamble, TARGETS_MAX, document, merge};
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
    let nobody = rules(&[("no-voicemail", "yes")]).unwrap();
    assert!(!nobody.voice_mail && nobody.flags.is_empty());
    let both = rules(&[("forward-immediate", "voicemail"), ("forward-unanswered", "200")]).unwrap();
    assert_eq!(both.flags, [Flag::ForwardImmediate].into());
    // Known, for the time when calls are not forwarded at once any more.
    assert_eq!(text(&both.forward_to), "sip:200@example.test");
    let both = rules(&[("forward-immediate", "200"), ("forward-unanswered", "201")]).unwrap();
    assert_eq!(text(&both.forward_to), "sip:200@example.test");
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
        ("team-after", "0"),
        ("team-time", "45 s"),
        ("conference-invitations", "on"),
        ("emergency-call-back", "yes"),
    ])
    .unwrap();
    assert_eq!(text(&read.ring_also), "tel:+15555550101");
    let waits = [read.total, read.user, read.team2].map(|wait| wait.map(|wait| wait.as_secs()));
    assert_eq!(waits, [Some(30), Some(0), Some(45)]);
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
        Flag::ForwardAudioAppInvites,
        Flag::E911Active,
    ] {
        assert!(read.has(flag), "{flag:?}");
    }
}

/// SEC-90
#[test]
fn whom_calls_would_be_sent_on_to_is_told_of_each_rule() {
    let named = |name, value| {
        let uris = destinations(name, value, "example.test");
        uris.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(named("forward-immediate", "200"), ["sip:200@example.test"]);
    assert_eq!(named("forward-unanswered", "off:+1 555 0100"), ["sip:+15550100@example.test;user=phone"]);
    assert_eq!(named("ring-also", "tel:+15550100"), ["tel:+15550100"]);
    assert_eq!(named("team", "200, bob@elsewhere.test"), ["sip:200@example.test", "sip:bob@elsewhere.test"]);
    assert_eq!(named("delegates", "<sip:bob@192.0.2.1>"), ["sip:bob@192.0.2.1"]);
    for (name, value) in [
        ("forward-immediate", "voicemail"),
        ("forward-unanswered", "off"),
        ("breakthrough", "+15550100"),
        ("ring-time", "20s"),
        ("team", "???"),
        ("nothing", "200"),
    ] {
        assert_eq!(named(name, value), Vec::<String>::new(), "{name}={value}");
    }
}

// SEC-45 for targets.
#[test]
fn what_cannot_be_called_is_refused_with_its_name() {
    for value in [
        "bob",
        "bob@",
        "<bob@x",
        "bob ng@x",
        "a@b@x",
        "@x",
        "sip:example.test",
        "12*3",
        "+",
        "1;2",
        "sip:b@x?Subject=1",
        "http://x",
    ] {
        let error = rules(&[("ring-also", value)]).unwrap_err();
        assert_eq!(error.name, "ring-also", "{value}");
    }
    for (name, value) in [
        ("ring-time", "1201"),
        ("ring-time", "+5"),
        ("ring-time", "soon"),
        ("do-not-disturb", "perhaps"),
        ("work-hours", "often"),
        ("forward-immediate", "off:200"),
        ("forward-unanswered", "off:voicemail"),
        ("ring-time", "off:20"),
        ("block", "off:yes"),
        ("breakthrough", "off:200"),
        ("team", "<sip:a,b@x.test"),
        ("forward", "bob@x"),
        ("team", "200,,201"),
    ] {
        assert!(check(name, value, "example.test").is_err(), "{name}={value}");
    }
    let eleven = ["200"; TARGETS_MAX + 1].join(",");
    assert!(check("team", &eleven, "example.test").is_err());
    assert_eq!(check("team", &eleven[4..], "example.test"), Ok(true));
    assert_eq!(check("ring-time", "1200 s", "example.test"), Ok(true));
    let long = format!("sip:{}@x.test", "a".repeat(ROUTING_CHARS_MAX));
    assert!(check("ring-also", &long, "example.test").is_err());
}

#[test]
fn off_takes_a_rule_away_and_off_with_a_value_keeps_it() {
    for name in NAMES {
        for value in ["", " ", "off", "OFF"] {
            assert_eq!(check(name, value, "example.test"), Ok(false), "{name}={value}");
        }
    }
    assert_eq!(check("block", "no", "example.test"), Ok(false));
    let kept = rules(&[
        ("ring-also", "off:300"),
        ("team", "Off: bob@example.test,201"),
        ("forward-unanswered", "off:+15555550100"),
        ("work-hours", "off:mon-fri 09:00-17:00"),
    ])
    .unwrap();
    assert!(kept.flags.is_empty());
    assert_eq!((text(&kept.ring_also), kept.team.len()), ("sip:300@example.test", 2));
    assert_eq!(text(&kept.forward_to), "sip:+15555550100@example.test;user=phone");
    assert_eq!(kept.work_hours.to_string(), "mon-fri 09:00-17:00");
}

#[test]
fn rules_are_written_as_people_would_write_them() {
    let words = [
        ("forward-immediate", "voicemail"),
        ("forward-unanswered", "off:bob@example.test"),
        ("ring-also", "+15555550100"),
        ("ring-time", "30s"),
        ("team", "off:bob@example.test, 203"),
        ("work-hours", "mon-fri 09:00-17:00"),
        ("do-not-disturb", "yes"),
        ("no-voicemail", "yes"),
    ];
    let written = write(&rules(&words).unwrap(), "example.test");
    let expected: BTreeMap<_, _> =
        words.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    assert_eq!(written, expected);
    assert_eq!(write(&Rules::default(), "example.test"), BTreeMap::new());
}

/// Instances as telephones could make them, within what counts.
fn instance() -> impl Strategy<Value = Preamble> {
    let target = prop::sample::select(vec![
        "sip:bob@example.test",
        "sip:203@example.test",
        "sip:+15555550100@example.test;user=phone",
        "sip:+15555550101;ms-skip-rnl=true@example.test",
        "tel:+15555550102",
        "sips:a,b@elsewhere.test:5071;transport=tls",
        "sip:alice@example.test;opaque=app:voicemail",
        "http://example.test/",
    ]);
    let targets = prop::collection::vec(target.prop_map(str::to_owned), 0..4);
    let names = ["forwardto", "simultaneous_ring", "team", "delegates", "breakthrough", "add_voice"];
    let lists = prop::collection::vec(targets, names.len())
        .prop_map(move |lists| names.iter().map(ToString::to_string).zip(lists).collect::<Vec<_>>());
    let flags = prop::sample::subsequence(Flag::ALL.to_vec(), 0..=Flag::ALL.len());
    let flags = flags.prop_map(|flags| flags.iter().map(|flag| flag.as_str()).collect::<Vec<_>>().join(" "));
    let seconds = || prop::option::of(prop::sample::select(vec![0, 1, 20, 1_200, 99_999]));
    let waits = (seconds(), seconds(), seconds()).prop_map(|(total, user, team2)| {
        let waits = [("total", total), ("user", user), ("team2", team2)];
        waits.into_iter().filter_map(|(name, wait)| Some((name.to_owned(), wait?))).collect::<Vec<_>>()
    });
    (lists, flags, waits, 1_u32..3).prop_map(|(lists, flags, waits, version)| Preamble {
        version,
        flags: vec![("clientflags".to_owned(), flags)],
        lists,
        waits,
    })
}

proptest! {
    // SIPRE-6 to SIPRE-9: a document can be kept in words, and given back.
    #[test]
    fn whatever_a_document_says_can_be_kept_in_words(instance in instance()) {
        let rules = merge(&[instance]).unwrap().rules;
        let words = write(&rules, "example.test");
        for (name, value) in &words {
            prop_assert_eq!(check(name, value, "example.test"), Ok(true), "{}={}", name, value);
        }
        let kept = read(&words, "example.test").unwrap();
        prop_assert_eq!(&kept, &rules.clone().without_idle_flags());
        let again = document::read(document::write(&kept).as_bytes()).unwrap();
        prop_assert_eq!(merge(&[again]).unwrap().rules, kept);
    }
}
