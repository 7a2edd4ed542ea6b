//! Random rules, answers, waits and hang-ups: whatever happens, some things are always so.
//!
//! 1. Every INVITE gets one final response, or several that are all successes.
//! 2. A call that may not be diverted never leads to voice mail, to a forwarding target, to the team.
//! 3. When all have hung up, nothing is left.

use proptest::prelude::*;

use super::*;

/// One thing that happens while a call is under way.
#[derive(Clone, Debug)]
enum Happening {
    Answer(&'static str, &'static str),
    Deflect(&'static str, &'static str),
    Wait(u64),
    GiveUp,
    Disconnect(&'static str),
    ServerDown(&'static str),
}

fn happening() -> impl Strategy<Value = Happening> {
    let who = prop::sample::select(vec!["bob", "bob-too", "carol", "dave", "vm1", "vm2", "gw"]);
    let status = prop::sample::select(vec![
        "100 Trying",
        "180 Ringing",
        "183 Progress",
        "200 OK",
        "404 Not Found",
        "408 Timeout",
        "486 Busy",
        "500 Error",
        "503 Unavailable",
        "600 Busy",
        "603 Decline",
    ]);
    let target = prop::sample::select(vec![
        "sip:carol@example.test",
        "sip:bob@example.test",
        "sip:bob@example.test;opaque=app:voicemail",
        "sip:+15555550100@example.test",
        "sip:nobody@example.test",
    ]);
    prop_oneof![
        6 => (who.clone(), status).prop_map(|(who, status)| Happening::Answer(who, status)),
        1 => (who, target).prop_map(|(who, target)| Happening::Deflect(who, target)),
        3 => (0u64..40).prop_map(Happening::Wait),
        1 => Just(Happening::GiveUp),
        1 => prop::sample::select(vec!["bob", "carol"]).prop_map(Happening::Disconnect),
        1 => prop::sample::select(vec!["vm1.test", "vm2.test", "gw.test"]).prop_map(Happening::ServerDown),
    ]
}

fn rule() -> impl Strategy<Value = (&'static str, &'static str, &'static str)> {
    let rule = prop::sample::select(vec![
        ("forward-immediate", "voicemail"),
        ("forward-immediate", "carol@example.test"),
        ("forward-immediate", "bob@example.test"),
        ("forward-unanswered", "203"),
        ("forward-unanswered", "+15555550100"),
        ("no-voicemail", "yes"),
        ("team", "carol@example.test, 203"),
        ("delegates", "dave@example.test"),
        ("do-not-disturb", "yes"),
        ("skip-own-telephones", "yes"),
        ("ring-time", "7s"),
        ("block", "yes"),
        ("work-hours", "mon-fri 09:00-17:00"),
        ("ring-time", "nonsense"),
    ]);
    (prop::sample::select(vec!["bob", "carol"]), rule).prop_map(|(who, (name, value))| (who, name, value))
}

fn happen(office: &mut Office, happening: &Happening) {
    let has_invite = |office: &Office, who: &str| {
        office.flows.contains_key(who) && office.requests.contains_key(&(who.to_owned(), "INVITE".to_owned()))
    };
    match happening {
        Happening::Answer(who, status) if has_invite(office, who) => office.answer(who, status),
        Happening::Deflect(who, target) if has_invite(office, who) => {
            office.answer_with(who, "303 See Other", &format!("Contact: <{target}>\r\n"));
        }
        Happening::Answer(..) | Happening::Deflect(..) => {}
        Happening::Wait(seconds) => office.wait(*seconds),
        Happening::GiveUp => office.hang_up_early("alice"),
        Happening::Disconnect(who) if office.flows.contains_key(*who) => office.disconnect(who),
        Happening::Disconnect(_) => {}
        Happening::ServerDown(host) => {
            office.down.insert(host);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_some_things_are_always_so(
        rules in prop::collection::vec(rule(), 0..4),
        sensitivity in prop::sample::select(vec!["", "private", "private-no-diversion", "normal-no-diversion"]),
        happenings in prop::collection::vec(happening(), 0..14),
    ) {
        let mut office = Office::where_registered(&["bob", "carol", "dave"]);
        office.register("bob-too", "<sip:bob@192.0.2.12>", "");
        office.ladder.clear();
        for (who, name, value) in &rules {
            office.set(who, name, value);
        }
        let line = if sensitivity.is_empty() { String::new() } else { format!("Ms-Sensitivity: {sensitivity}\r\n") };
        office.call_with("alice", "sip:bob@example.test", &line);
        for happening in &happenings {
            happen(&mut office, happening);
        }
        office.wait(2_000);
        let ladder = std::mem::take(&mut office.ladder);
        let finals: Vec<u16> = ladder
            .iter()
            .filter_map(|line| line.strip_prefix("alice < ")?.parse().ok())
            .filter(|status| *status >= 200)
            .collect();
        prop_assert!(!finals.is_empty(), "no answer: {ladder:#?}");
        prop_assert!(finals.len() == 1 || finals.iter().all(|status| *status < 300), "{ladder:#?}");
        prop_assert!(finals.iter().all(|status| !(300..400).contains(status)), "{ladder:#?}");
        if sensitivity.ends_with("no-diversion") {
            let diverted = ladder.iter().any(|line| {
                line.contains("INVITE") && !line.contains("INVITE sip:bob@192.0.2.")
            });
            prop_assert!(!diverted, "{ladder:#?}");
            prop_assert!(!ladder.iter().any(|line| line == "alice < 181"), "{ladder:#?}");
        }
        let branches = ladder.iter().filter(|line| line.contains("INVITE")).count();
        prop_assert!(branches <= 20, "{ladder:#?}");
        prop_assert!(office.proxy.is_idle(), "left: {} calls", office.proxy.call_count());
        prop_assert!(office.proxy.is_at_rest(), "{:?}", office.proxy.timers);
    }
}
