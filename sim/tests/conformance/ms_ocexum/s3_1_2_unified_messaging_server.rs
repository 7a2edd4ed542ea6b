//! 3.1.2: "If a voice mail server receives a SIP INVITE over a trusted transport with Ms-Exchange-Command
//! header with skip-pin parameter then it MUST skip personal identification number (PIN) prompt."

use std::time::Duration;

use umbel_ocexum::TrustedTransport;
use umbel_sim::Office;
use umbel_sim::office::{ALICES_PIN, By, PROXY, invite, to_own_voice_mail};
use umbel_sim::telephone::{Do, Invite};
use umbel_store::UserChange;
use umbel_um::{Alarm, Config, Order};

/// Calls alice's own voice mail, as alice; says whether the PIN was skipped, and by which rule not.
fn call(by: By, call: Invite, settings: impl FnOnce(&mut Config)) -> (String, String) {
    let mut office = Office::with(1, settings);
    let alice = office.caller("alice", by);
    office.call(alice, call);
    office.wait(2);
    let why = office.why_pin(alice);
    let has_asked = office.server().has_said("enter-pin") || office.server().has_said("enter-mailbox");
    let has_opened = office.server().ops.iter().any(|op| op == "OpenMailbox");
    assert_eq!((has_asked, has_opened), (why.0 == "prompted", why.0 == "skipped"), "{why:?}");
    why
}

fn skipping() -> Invite {
    to_own_voice_mail("alice").skip_pin()
}

/// OCEXUM-3.1-1, OCEXUM-3.1.2-1.
#[test]
fn over_mutual_tls_from_a_listed_peer_the_pin_is_skipped() {
    assert_eq!(call(By::MutualTls(PROXY), skipping(), |_| {}).0, "skipped");
}

/// OCEXUM-3.1.2-2, SEC-30.
#[test]
fn without_the_header_the_pin_is_asked() {
    let (pin, rule) = call(By::MutualTls(PROXY), to_own_voice_mail("alice"), |_| {});
    assert_eq!(
        (pin.as_str(), rule.as_str()),
        ("prompted", "P3 no-command: the call did not ask for it by Ms-Exchange-Command")
    );
}

/// OCEXUM-3.1-2, SEC-01, SEC-02, SEC-03.
#[test]
fn over_any_other_transport_the_pin_is_asked_and_the_reason_recorded() {
    for (by, reason) in [
        (By::Tcp, "P2 transport-not-trusted: the call came in clear, over TCP (T1)"),
        (By::Tls, "P2 transport-not-trusted: the peer showed no certificate that could be verified (T2)"),
        (
            By::MutualTls("stranger.test"),
            "P2 transport-not-trusted: the peer is not on the list of trusted peers (T3)",
        ),
        (
            By::MutualTls("*.example.test"),
            "P2 transport-not-trusted: the peer is not on the list of trusted peers (T3)",
        ),
    ] {
        let (pin, rule) = call(by, skipping(), |_| {});
        assert_eq!((pin.as_str(), rule.as_str()), ("prompted", reason), "{by:?}");
    }
}

/// CMD-14, DEC-9.
#[test]
fn any_tls_is_the_literal_reading_of_such_as_tls_and_has_to_be_set() {
    let any_tls = |config: &mut Config| config.trust.transport = TrustedTransport::AnyTls;
    assert_eq!(call(By::Tls, skipping(), any_tls).0, "skipped");
    assert_eq!(call(By::MutualTls("stranger.test"), skipping(), any_tls).0, "skipped");
    assert_eq!(call(By::Tcp, skipping(), any_tls).0, "prompted");
    // P4 holds in every setting: what an unlisted peer asserts is nothing.
    let asserted = Invite::new("sip:voicemail@example.test", "erin@elsewhere.test")
        .skip_pin()
        .line("P-Asserted-Identity: <sip:alice@example.test>");
    assert_eq!(call(By::Tls, asserted, any_tls).0, "prompted");
}

/// SEC-33, DEC-9: plain TCP needs two settings.
#[test]
fn plain_tcp_is_trusted_only_by_two_settings_together() {
    let network =
        |config: &mut Config| config.trust.networks = vec!["192.0.2.0/24".parse().expect("a network")];
    assert_eq!(call(By::Tcp, skipping(), network).0, "prompted");
    let both = |config: &mut Config| {
        network(config);
        config.trust.accept_cleartext = true;
    };
    assert_eq!(call(By::Tcp, skipping(), both).0, "skipped");
    let accepted = |config: &mut Config| config.trust.accept_cleartext = true;
    assert_eq!(call(By::Tcp, skipping(), accepted).0, "prompted");
}

/// DEC-29: believed for identity, never for the PIN.
#[test]
fn a_listed_tcp_address_never_skips_the_pin() {
    let listed =
        |config: &mut Config| config.trust.peers = vec!["tcp:192.0.2.101".parse().expect("an address")];
    assert_eq!(call(By::Tcp, skipping(), listed).0, "prompted");
}

/// OCEXUM-3.1-3: "U sends no 401/407 to a trusted peer", nor to anybody.
#[test]
fn nobody_is_challenged() {
    for by in [By::Tcp, By::Tls, By::MutualTls(PROXY)] {
        let mut office = Office::new(1);
        let alice = office.caller("alice", by);
        office.call(alice, skipping());
        assert_eq!(office.world[alice].answers, [200], "{by:?}");
    }
}

/// CMD-8, SEC-28: the lock concerns the PIN, and is not lifted by a skip.
#[test]
fn a_locked_mailbox_still_opens_without_the_pin_and_stays_locked() {
    let mut office = Office::new(1);
    let alice = office.caller("alice", By::Tcp);
    for _call in 0..3 {
        office.call(alice, to_own_voice_mail("alice"));
        office.wait(3);
        for _try in 0..3 {
            office.order(alice, Do::Press("999999#"), Duration::from_secs(4));
        }
        office.wait(5);
    }
    let proxy = office.caller("proxy", By::MutualTls(PROXY));
    office.server().said.clear();
    office.call(proxy, skipping());
    office.wait(2);
    assert_eq!(office.why_pin(proxy).0, "skipped");
    assert!(!office.server().has_said("enter-pin"));

    office.call(alice, to_own_voice_mail("alice"));
    office.wait(2);
    office.server().said.clear();
    office.order(alice, Do::Press(concat!("274950", "#")), Duration::from_secs(3));
    assert!(office.server().has_said("pin-locked"), "{:?}", office.server().said);
}

/// P6, CMD-9, SEC-27.
#[test]
fn the_owners_policy_may_forbid_it_and_a_disabled_mailbox_is_not_reachable() {
    let mut office = Office::new(1);
    office.server().change_user("alice@example.test", &[UserChange::SkipPin(false)]);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, skipping());
    office.wait(1);
    assert_eq!(
        office.why_pin(alice),
        (
            "prompted".to_owned(),
            "P6 skip-not-allowed: the owner's settings always ask for the PIN".to_owned()
        )
    );

    office.server().change_user("alice@example.test", &[UserChange::Enabled(false)]);
    office.call(alice, skipping());
    assert_eq!(office.world[alice].answers.last(), Some(&480));
    assert_eq!(office.why_pin(alice).0, "none");
}

/// DEC-14, CMD-8: "forced to change its PIN is still reachable with skip-pin", and is not asked to.
#[test]
fn a_generated_pin_is_changed_at_a_log_in_by_pin_and_not_in_a_call_that_skipped_it() {
    let mut office = Office::new(1);
    let pin = office.server().add_user("dora@example.test", "1003", None, &[]).expect("a generated PIN");
    let dora = office.caller("dora", By::MutualTls(PROXY));
    office.call(dora, to_own_voice_mail("dora").skip_pin());
    office.wait(2);
    assert_eq!(office.why_pin(dora).0, "skipped");
    assert!(!office.server().has_said("must-change-pin"));

    office.call(dora, to_own_voice_mail("dora"));
    office.wait(2);
    let keys: &'static str = Box::leak(format!("{}#", pin.reveal()).into_boxed_str());
    office.order(dora, Do::Press(keys), Duration::from_secs(4));
    assert!(office.server().has_said("must-change-pin"), "{:?}", office.server().said);
}

/// SEC-08: "not trusted from the next INVITE".
#[test]
fn a_peer_that_is_taken_off_the_list_is_a_stranger_from_the_next_invite() {
    let mut office = Office::new(1);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, skipping());
    assert_eq!(office.why_pin(alice).0, "skipped");
    let mut config = Config::default();
    config.locality.domain = "example.test".to_owned();
    office.world.order(office.um, Order::Reload(Box::new(config)).into());
    office.call(alice, skipping());
    office.wait(1);
    assert_eq!(office.why_pin(alice).0, "prompted");
}

/// SEC-05: T2 fails from the second on in which the certificate expires, on an open connection too.
#[test]
fn a_certificate_that_expires_while_the_connection_is_open_is_worth_nothing_from_then_on() {
    let mut office = Office::new(1);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, skipping());
    assert_eq!(office.why_pin(alice).0, "skipped");
    let after_its_end = umbel_time::UnixTime::from_secs(i64::from(u32::MAX) + 1);
    office.world.order(office.um, Order::Clock(after_its_end).into());
    office.call(alice, skipping());
    office.wait(1);
    assert_eq!(
        office.why_pin(alice).1,
        "P2 transport-not-trusted: the peer's certificate is not valid at this time (T2)"
    );
}

/// SEC-31: "PIN prompted, or 503 when no mailbox data can be read".
#[test]
fn without_the_directory_nobody_gets_in() {
    let mut office = Office::new(1);
    office.server().store_is.failing = Some(umbel_store::StoreError::Disk);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, skipping());
    assert_eq!(office.world[alice].answers, [503]);

    let mut office = Office::new(1);
    office.server().store_is.silent = true;
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, skipping());
    office.wait(5);
    assert_eq!(office.world[alice].answers, [503]);
    let response = office.world[alice].last_response.clone().expect("a response");
    let retry_after = response.headers().retry_after().expect("it can be read").expect("it is there");
    assert!((1..=30).contains(&retry_after.seconds), "{retry_after:?}");
}

/// SEC-34.
#[test]
fn one_peer_that_opens_many_mailboxes_raises_an_alarm() {
    let mut office = Office::new(1);
    let proxy = office.caller("proxy", By::MutualTls(PROXY));
    for number in 0..21 {
        let user = format!("user{number}");
        office.server().add_user(
            &format!("{user}@example.test"),
            &format!("20{number:02}"),
            Some("274950"),
            &[],
        );
        assert_eq!(office.server().alarms, []);
        office.call(proxy, to_own_voice_mail(&user).skip_pin());
        office.order(proxy, Do::HangUp, Duration::from_millis(100));
    }
    let alarm = Alarm::ManySkippedPins { peer: PROXY.to_owned(), mailboxes: 21 };
    assert_eq!(office.server().alarms, [alarm]);
}

/// CMD-10, SEC-32: every decision is recorded, with the peer, whether the header was seen, and the rule.
#[test]
fn every_decision_is_recorded() {
    let mut office = Office::new(1);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, skipping());
    let call_id = office.world[alice].call_id();
    let decisions = office.server().decisions(&call_id);
    assert!(decisions.iter().all(|decision| {
        decision.peer.as_deref() == Some(PROXY)
            && decision.command_seen
            && decision.mailbox.as_ref().is_some_and(|mailbox| mailbox.as_str() == "alice@example.test")
    }));
    let topics: Vec<_> = decisions.iter().map(|decision| decision.ruling.topic().as_str()).collect();
    assert_eq!(topics, ["who", "trust", "pin"]);

    office.call(alice, invite("alice", "nobody"));
    assert_eq!(office.world[alice].answers.last(), Some(&404));
    assert_eq!(office.why_pin(alice), ("none".to_owned(), "there is no such mailbox".to_owned()));
}

/// SEC-32, DEC-16: so is what was refused before anybody looked at what it is.
#[test]
fn what_is_refused_unread_is_on_record_too() {
    let mut office = Office::new(1);
    let erin = office.caller("erin", By::Tcp);
    let replaces = || {
        let mut invite = invite("erin", "alice");
        invite.lines.push("Replaces: other@call;to-tag=1;from-tag=2".to_owned());
        invite
    };
    let elsewhere = || {
        let mut invite = invite("erin", "alice");
        invite.to = Some("<sip:alice@example.test>;tag=0123456789abcdef".to_owned());
        invite
    };
    for (invite, status) in [(replaces(), 403), (elsewhere(), 481)] {
        office.call(erin, invite);
        assert_eq!(office.world[erin].answers.last(), Some(&status));
        let call_id = office.world[erin].call_id();
        let decisions = office.server().decisions(&call_id);
        let rulings: Vec<_> = decisions.iter().map(|decision| decision.ruling.clone()).collect();
        assert_eq!(rulings, [umbel_store::Ruling::Refusal(status)]);
        assert!(!decisions[0].rule.is_empty() && decisions[0].peer.is_none());
    }
}

/// OCEXUM-3.1.2-2: the PIN opens the mailbox, and nothing else does.
#[test]
fn the_right_pin_opens_the_mailbox_and_a_wrong_one_does_not() {
    let mut office = Office::new(1);
    let alice = office.caller("alice", By::Tcp);
    office.call(alice, to_own_voice_mail("alice"));
    office.wait(2);
    office.order(alice, Do::Press("111111#"), Duration::from_secs(3));
    assert!(office.server().has_said("wrong-pin"));
    assert!(!office.server().ops.iter().any(|op| op == "OpenMailbox"));
    assert_eq!(ALICES_PIN, "274950");
    office.order(alice, Do::Press("274950#"), Duration::from_secs(3));
    assert!(office.server().ops.iter().any(|op| op == "OpenMailbox"));
    assert!(office.server().has_said("you-have-no-new-messages"), "{:?}", office.server().said);
}
