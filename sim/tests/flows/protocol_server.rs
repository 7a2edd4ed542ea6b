//! Telephones, the protocol server and unified messaging servers: whole calls, each element by its real brain.

use std::time::Duration;

use umbel_sim::callee::Manner;
use umbel_sim::company::{Company, NUMBER, UM, UM2, invite, to_voice_mail};
use umbel_sim::office::By;
use umbel_sim::telephone::{Do, Invite};
use umbel_sim::{Place, Telephone, UnifiedMessaging, address, certificate};
use umbel_sip_message::{HeaderName, Method};
use umbel_store::StoreError;

/// A company with one unified messaging server, where alice's telephone has this manner.
fn company(alice: Manner) -> (Company, Place<UnifiedMessaging>) {
    let mut company = Company::new(1);
    let um = company.unified_messaging("um", UM);
    company.telephone("alice", alice);
    (company, um)
}

/// A company that calls are made in, and who makes them.
fn with_caller(alice: Manner, name: &str, by: By) -> (Company, Place<UnifiedMessaging>, Place<Telephone>) {
    let (mut company, um) = company(alice);
    let caller = company.user(name, by);
    company.open();
    (company, um, caller)
}

/// What a unified messaging server says of the PIN in somebody's last call.
fn pin_of(company: &mut Company, um: Place<UnifiedMessaging>, caller: Place<Telephone>) -> String {
    let call_id = company.world[caller].call_id();
    let (pin, _) = company.world[um].why_pin(&call_id).expect("a decision");
    pin.as_str().to_owned()
}

/// EUMR-2, EUMR-4, EUMR-12, SIPRE-21. Test plan 24, the part of call answering.
#[test]
fn an_unanswered_call_leaves_a_message_with_who_called() {
    let (mut company, um, bob) = with_caller(Manner::rings(), "bob", By::Tls);
    company.call(bob, invite("bob", "alice").line("Subject: Budget"));
    // Twenty seconds of ringing, two of greeting.
    company.wait(24);
    company.world.order(bob, Do::Speak(Duration::from_secs(4)));
    company.wait(5);
    company.world.order(bob, Do::HangUp);
    company.wait(2);
    company.world.expect_ladder(include_str!("protocol_server_call_answering.ladder"));
    let invites = company.invites("server", "um");
    let value = |name: &HeaderName| invites[0].headers().get(name).unwrap_or_default().into_owned();
    assert_eq!(value(&HeaderName::Diversion), b"<sip:alice@example.test>;reason=no-answer");
    assert_eq!(value(&HeaderName::PAssertedIdentity), b"<sip:bob@example.test>");
    let messages = company.world[um].messages("alice@example.test");
    let [message] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(message.subject, "Budget");
    assert_eq!((message.caller.id.as_str(), message.caller.verified), ("bob@example.test", true));
    assert_eq!(company.world[um].messages("bob@example.test").len(), 0);
    company.wait(60);
    assert!(company.world[um].is_at_rest() && company.world[company.server].is_at_rest());
}

/// OCEXUM-3.1-P-1, OCEXUM-3.1.2-1, EUMR-3, DEC-11, DEC-15: whatever the transport of the client's leg.
#[test]
fn an_authenticated_user_hears_the_own_mailbox_without_a_pin() {
    for by in [By::Tls, By::Tcp] {
        let (mut company, um, alice) = with_caller(Manner::rings(), "alice", by);
        company.call(alice, to_voice_mail("alice", "alice").skip_pin());
        company.wait(2);
        assert_eq!(company.world[alice].answers, [200]);
        assert!(!company.world[um].has_said("enter-pin"));
        assert_eq!(pin_of(&mut company, um, alice), "skipped", "{by:?}");
        let invites = company.invites("server", "um");
        assert!(!invites[0].headers().has(&HeaderName::Diversion));
        assert!(!invites[0].headers().has(&HeaderName::HistoryInfo));
        company.world.order(alice, Do::HangUp);
        company.wait(2);
        if by == By::Tls {
            company.world.expect_ladder(include_str!("protocol_server_subscriber_access.ladder"));
        }
    }
}

/// OCEXUM-3.1.2-2: the other direction.
#[test]
fn without_the_command_the_own_mailbox_asks_for_the_pin() {
    let (mut company, um, alice) = with_caller(Manner::rings(), "alice", By::Tls);
    company.call(alice, to_voice_mail("alice", "alice"));
    company.wait(2);
    assert!(company.world[um].has_said("enter-pin"));
}

/// OCEXUM-3.1-P-2, DEC-15: nobody else's command passes, so nobody else's mailbox opens.
#[test]
fn strangers_bring_no_command_with_them() {
    let (mut company, um) = company(Manner::rings());
    let erin = company.somebody("erin", By::MutualTls("elsewhere.test"));
    company.open();
    let call = to_voice_mail("erin", "alice").skip_pin();
    let call = Invite { from: "<sip:erin@elsewhere.test>".to_owned(), ..call };
    company.call(erin, call.line("P-Asserted-Identity: <sip:alice@example.test>"));
    company.wait(2);
    assert_eq!(company.world[erin].answers, [200]);
    let invites = company.invites("server", "um");
    let text = String::from_utf8_lossy(invites[0].as_bytes()).into_owned();
    assert!(!text.contains("Ms-Exchange-Command") && !text.contains("P-Asserted-Identity"), "{text}");
    // Call answering, not alice's menu.
    assert!(company.world[um].said.iter().any(|said| said == "extension"), "{:?}", company.world[um].said);
    assert_eq!(pin_of(&mut company, um, erin), "none");
}

/// CMD-5, CMD-6: bob has proved that he is bob, and that opens bob's mailbox and no other.
#[test]
fn a_user_with_the_command_does_not_open_another_users_mailbox() {
    let (mut company, um, bob) = with_caller(Manner::rings(), "bob", By::Tls);
    company.call(bob, to_voice_mail("bob", "alice").skip_pin());
    company.wait(2);
    assert_eq!(company.world[bob].answers, [200]);
    assert_eq!(pin_of(&mut company, um, bob), "none");
}

/// What becomes of a call in alice's name to alice, by the peer of a unified messaging server: the answer.
fn play_on_phone(alice: Manner, is_registered: bool, rules: &[(&str, &str)]) -> (u16, Vec<String>) {
    let mut company = Company::new(1);
    let um = company.unified_messaging("um", UM);
    company.in_place_of_unified_messaging("um2", UM2, Manner::answers());
    company.gateway(Manner::answers_after(1));
    company.telephone("carol", Manner::answers_after(1));
    if is_registered {
        company.telephone("alice", alice);
    }
    for (rule, value) in rules {
        company.set_rule("alice", rule, value);
    }
    let caller = company.somebody("caller", By::MutualTls(UM));
    company.open();
    company.call(caller, invite("alice", "alice").line("Ms-Sensitivity: private-no-diversion"));
    company.wait(65);
    company.world.order(caller, Do::HangUp);
    company.wait(40);
    // LOOP-4: the log of incoming INVITEs is empty, and nothing was recorded, at either server.
    let to_um =
        company.world.ladder().requests(&Method::Invite).filter(|(rung, _)| rung.to.starts_with("um"));
    assert_eq!(to_um.count(), 0);
    assert_eq!(company.world[um].calls().len(), 0);
    assert_eq!(company.world[um].messages("alice@example.test").len(), 0);
    assert!(!company.world[caller].progress.contains(&181));
    assert!(company.world[company.server].is_at_rest());
    let invited = company.invited().into_iter().map(str::to_owned).collect();
    let [answer] = company.world[caller].answers[..] else { panic!("one answer") };
    (answer, invited)
}

/// OCEXUM-2.2.2-2, OCEXUM-3.2-2, OCEXUM-3.2-3, OCEXUM-3.2.2-1, LOOP-4, SENS-14, SEC-41. Test plan 24.
#[test]
fn a_call_in_play_on_phones_shape_never_comes_back() {
    let rings_only_alice = |alice: Manner, rules: &[(&str, &str)], answer: u16| {
        assert_eq!(play_on_phone(alice, true, rules), (answer, vec!["alice".to_owned()]), "{rules:?}");
    };
    rings_only_alice(Manner::answers_after(3), &[], 200);
    rings_only_alice(Manner::refuses_after(1, 486), &[], 486);
    rings_only_alice(Manner::refuses_after(1, 603), &[], 603);
    rings_only_alice(Manner::rings(), &[], 480);
    for rule in ["forward-immediate", "forward-unanswered"] {
        for target in ["voicemail", "carol@example.test", NUMBER] {
            rings_only_alice(Manner::rings(), &[(rule, target)], 480);
            rings_only_alice(Manner::answers_after(3), &[(rule, target)], 200);
        }
    }
    for target in ["sip:alice@example.test;opaque=app:voicemail", "sip:voicemail@example.test"] {
        rings_only_alice(Manner::deflects_after(1, 303, target), &[], 480);
        rings_only_alice(Manner::deflects_after(1, 302, target), &[], 480);
    }
    assert_eq!(play_on_phone(Manner::rings(), false, &[]), (480, Vec::new()));
}

/// The control: the same call without the header does come back, and is what the header is for.
#[test]
fn without_the_header_such_a_call_does_come_back() {
    let (mut company, um) = company(Manner::rings());
    let caller = company.somebody("caller", By::MutualTls(UM2));
    company.open();
    company.call(caller, invite("alice", "alice"));
    company.wait(25);
    assert_eq!(company.world[caller].progress, [180, 181]);
    assert_eq!(company.world[um].call_count(), 1);
}

/// EUMR-7, EUMR-8: "the second gets the INVITE within 4 s".
#[test]
fn the_second_server_takes_the_calls_of_the_first() {
    for is_unplugged in [true, false] {
        let mut company = Company::new(1);
        let first = company.unified_messaging("um", UM);
        let second = company.unified_messaging("um2", UM2);
        let alice = company.user("alice", By::Tls);
        company.open();
        if is_unplugged {
            // Nobody there, and nobody says so.
            company.world.unplug(first, true);
        } else {
            company.world.order(first, umbel_um::Order::Drain.into());
        }
        company.call(alice, to_voice_mail("alice", "alice").skip_pin());
        company.wait(4);
        assert_eq!(company.world[alice].answers, [200], "{is_unplugged}");
        assert_eq!(company.world[second].call_count(), 1);
        // CMD-3.
        assert_eq!(pin_of(&mut company, second, alice), "skipped");
    }
}

/// EUMR-7: as long as the first is there, the second hears nothing.
#[test]
fn the_first_server_takes_all_calls_while_it_can() {
    let mut company = Company::new(1);
    let first = company.unified_messaging("um", UM);
    let second = company.unified_messaging("um2", UM2);
    let alice = company.user("alice", By::Tls);
    company.open();
    for _call in 0..3 {
        company.call(alice, to_voice_mail("alice", "alice").skip_pin());
        company.wait(4);
        assert_eq!(company.world[first].call_count(), 1);
        company.world.order(alice, Do::HangUp);
        company.wait(1);
    }
    assert_eq!(company.world[second].calls().len(), 0);
}

/// REL-22 of one server: who was registered is so after a restart, and calls find the telephone again.
#[test]
fn bindings_outlive_a_restart_of_the_server() {
    let (mut company, _, bob) = with_caller(Manner::answers_after(1), "bob", By::Tls);
    company.restart_server();
    company.wait(1);
    assert_eq!(company.world[company.server].registered_count(), 1);
    // The telephone opens its connection anew (RFC 5626 4.4.1), and registers on it.
    company.wait(4);
    company.call(bob, invite("bob", "alice"));
    company.wait(3);
    assert_eq!(company.world[bob].answers, [200]);
}

/// MISS-2: the caller gives up while the telephone rings, and the owner of the mailbox hears of it, once.
#[test]
fn who_gives_up_before_any_diversion_is_a_missed_call_in_the_mailbox() {
    let (mut company, um, bob) = with_caller(Manner::rings(), "bob", By::Tls);
    company.call(bob, invite("bob", "alice").line("Subject: Lunch"));
    company.wait(5);
    company.world.order(bob, Do::Cancel);
    company.wait(5);
    let call_id = company.world[bob].call_id();
    let missed = company.world[um].missed_calls("alice@example.test");
    let [missed] = &missed[..] else { panic!("{missed:?}") };
    assert_eq!((missed.caller.id.as_str(), missed.subject.as_str()), ("bob@example.test", "Lunch"));
    assert_eq!(missed.call_id, call_id);
    assert!(company.invites("server", "um").is_empty(), "nothing was diverted");
    company.wait(60);
    assert!(company.world[um].is_at_rest() && company.world[company.server].is_at_rest());
}

/// MISS-3: none for a call that must not be diverted, nor for one that somebody answered.
#[test]
fn who_gives_up_a_call_that_cannot_be_diverted_is_no_missed_call() {
    let (mut company, um, bob) = with_caller(Manner::rings(), "bob", By::Tls);
    company.call(bob, invite("bob", "alice").line("Ms-Sensitivity: normal-no-diversion"));
    company.wait(5);
    company.world.order(bob, Do::Cancel);
    company.wait(5);
    assert_eq!(company.world[um].missed_calls("alice@example.test").len(), 0);
    let (mut company, um, bob) = with_caller(Manner::answers(), "bob", By::Tls);
    company.call(bob, invite("bob", "alice"));
    company.wait(20);
    company.world.order(bob, Do::HangUp);
    company.wait(5);
    assert_eq!(company.world[um].missed_calls("alice@example.test").len(), 0);
}

/// A store that takes its time delays a call, and does no more than that.
#[test]
fn a_slow_store_of_the_protocol_server_delays_calls() {
    let (mut company, _, bob) = with_caller(Manner::answers_after(1), "bob", By::Tls);
    company.world[company.server].store_is.slow = Duration::from_secs(2);
    company.call(bob, invite("bob", "alice"));
    // The password, and then alice.
    company.wait(3);
    assert_eq!(company.invited(), [""; 0]);
    company.wait(4);
    assert_eq!(company.world[bob].answers, [200]);
}

/// A store that fails: "not now", with a time to come back, and never "no such user" or "wrong password".
#[test]
fn a_failing_store_of_the_protocol_server_refuses_calls_for_a_while() {
    let (mut company, _, bob) = with_caller(Manner::answers_after(1), "bob", By::Tls);
    company.world[company.server].store_is.failing = Some(StoreError::Busy);
    company.call(bob, invite("bob", "alice"));
    company.wait(1);
    assert_eq!(company.world[bob].answers, [503]);
    let response = company.world[bob].last_response.as_ref().expect("an answer");
    assert!(response.headers().has(&HeaderName::RetryAfter));
    company.world[company.server].store_is.failing = None;
    company.call(bob, invite("bob", "alice"));
    company.wait(3);
    assert_eq!(company.world[bob].answers, [503, 200]);
}

/// Whoever gives up while the store is silent is told so, and nothing is left when it speaks at last.
#[test]
fn a_caller_who_gives_up_while_the_store_is_silent_leaves_nothing() {
    let (mut company, _, bob) = with_caller(Manner::answers_after(1), "bob", By::Tls);
    company.world[company.server].store_is.slow = Duration::from_secs(30);
    company.call(bob, invite("bob", "alice"));
    company.wait(5);
    company.world.order(bob, Do::Cancel);
    company.wait(1);
    assert_eq!(company.world[bob].answers, [487]);
    company.wait(90);
    assert_eq!(company.invited(), [""; 0]);
    assert!(company.world[company.server].is_at_rest());
}

/// RFC 3261 16.10: whom a call was about to be forwarded to when its caller gave up is not rung any more.
#[test]
fn a_caller_who_gives_up_while_a_target_is_looked_up_rings_nobody_else() {
    let mut company = Company::new(1);
    company.telephone("alice", Manner::rings());
    company.telephone("carol", Manner::rings());
    company.set_rule("alice", "forward-unanswered", "carol@example.test");
    let bob = company.user("bob", By::Tls);
    company.open();
    company.call(bob, invite("bob", "alice"));
    company.wait(5);
    company.world[company.server].store_is.slow = Duration::from_secs(3);
    // Her telephone has rung for twenty seconds; carol is looked up until the twenty-third, when the call is
    // still being ended.
    company.wait(17);
    company.world.order(bob, Do::Cancel);
    company.wait(5);
    assert_eq!(company.world[bob].answers, [487]);
    company.wait(60);
    assert_eq!(company.invited(), ["alice"]);
    assert!(company.world[company.server].is_at_rest());
}

/// REG-2: a telephone whose connection broke is not rung by a new one that the server opens, and is rung
/// again when it has come back by itself.
#[test]
fn a_telephone_is_rung_along_its_own_connection_only() {
    let (mut company, _) = company(Manner::answers_after(1));
    let alice = company.telephone("alice2", Manner::answers_after(2));
    let bob = company.user("bob", By::Tls);
    // It would take a connection, if somebody opened one.
    company.world.listen_tls(alice, 5_061, certificate(&[&address(102).to_string()]));
    company.open();
    company.world.break_flows(alice, company.server);
    company.call(bob, invite("bob", "alice"));
    company.world.run_for(Duration::from_millis(1_500));
    assert_eq!(company.invited(), ["alice"]);
    company.world.order(bob, Do::HangUp);
    company.wait(5);
    company.world.forget_ladder();
    company.call(bob, invite("bob", "alice"));
    company.wait(1);
    assert_eq!(company.invited().len(), 2);
}
