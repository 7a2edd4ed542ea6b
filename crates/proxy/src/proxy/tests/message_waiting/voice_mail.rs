//! Where the server has it from: whose word counts, and what happens when either side is started anew.

use super::*;

/// MWI-1, SEC-54, SEC-56
#[test]
fn the_word_of_voice_mail_counts_and_nobody_elses() {
    let mut office = lit(1);
    office.wait(10);
    for name in ["stranger", "alice", "gateway", "um"] {
        unasked(&mut office, name, "sip:alice@example.test", &summary(99));
        office.expect(&format!("{name} < 403"));
    }
    // Within a subscription that is not theirs.
    let tag = office.request("vm1", "SUBSCRIBE").headers().from().tag().unwrap().to_owned();
    for tag in [tag.as_str(), "0123456789abcdef"] {
        let forged = format!(
            "NOTIFY sip:192.0.2.100:5061 SIP/2.0\r\nVia: SIP/2.0/TLS x.test;branch=z9hG4bKf{tag}\r\n\
             From: <sip:alice@example.test>;tag=vm1\r\nTo: <sip:alice@example.test>;tag={tag}\r\nCall-ID: guessed\r\n\
             CSeq: 9 NOTIFY\r\nContact: <sip:x.test>\r\nEvent: message-summary\r\nSubscription-State: active\r\n{}",
            content(&summary(99))
        );
        office.say("stranger", &forged);
        office.expect("stranger < 481");
    }
    unasked(&mut office, "vm1-itself", "sip:alice@example.test", &summary(5));
    office.expect(&format!("vm1-itself < 200\n{LAMP_OF_ALICE}"));
    assert_eq!(told(&office, "alice").1, Some(5));
    taken(&mut office, "alice");
    office.wait(10);
    // By extension, and over the connection that we have asked on.
    unasked(&mut office, "vm1", "sip:200@example.test", &summary(6));
    office.expect(&format!("vm1 < 200\n{LAMP_OF_ALICE}"));
    assert_eq!(told(&office, "alice").1, Some(6));
    unasked(&mut office, "vm1-itself", "sip:nobody@example.test", &summary(6));
    unasked(&mut office, "vm1-itself", "sip:somebody@elsewhere.test", &summary(6));
    unasked(&mut office, "vm1-itself", "sip:alice@example.test", "hello");
    office.expect("vm1-itself < 404\nvm1-itself < 404\nvm1-itself < 400");
}

/// MWI-1: nobody asks for it, and it is remembered until somebody is there.
#[test]
fn voice_mail_that_only_tells_is_enough() {
    let mut office = office_with(|config| config.mailbox_states = MailboxStates::Told);
    unasked(&mut office, "vm1-itself", "sip:alice@example.test", &summary(3));
    office.expect("vm1-itself < 200");
    register(&mut office, "alice");
    office.expect("alice < 200");
    office.wait(2);
    office.expect(LAMP_OF_ALICE);
    assert_eq!(told(&office, "alice").1, Some(3));
    taken(&mut office, "alice");
    office.register("alice", "*", "Expires: 0\r\n");
    office.expect("alice < 200");
    office.wait(2);
    assert!(office.proxy.message_waiting.is_at_rest());
    register(&mut office, "alice");
    office.wait(2);
    office.expect(&format!("alice < 200\n{LAMP_OF_ALICE}"));
}

/// REL-40: voice mail is started anew.
#[test]
fn a_server_that_was_started_anew_is_subscribed_to_anew() {
    let mut office = lit(1);
    office.wait(60);
    office.disconnect("vm1");
    office.expect("vm1 < SUBSCRIBE sip:vm1.test;transport=tls");
    let refresh = office.request("vm1", "SUBSCRIBE");
    assert!(refresh.headers().to().tag().is_some());
    office.respond("vm1", &refresh, "481 Subscription Does Not Exist", "");
    office.expect(ASKED_FOR_ALICE);
    grant_after(&mut office, "vm1", 7);
    office.expect(&format!("vm1 < 200\n{LAMP_OF_ALICE}"));
    assert_eq!(told(&office, "alice").1, Some(7));
}

/// REL-40, EUMR-7: voice mail is away, and back.
#[test]
fn while_voice_mail_is_away_the_last_state_stays_and_then_it_is_right_within_five_seconds() {
    let mut office = lit(1);
    office.wait(60);
    office.down.extend(["vm1.test", "vm2.test"]);
    office.disconnect("vm2");
    office.disconnect("vm1");
    office.wait(600);
    subscribe(&mut office, "alice", "sip:alice@example.test", "");
    office.expect(&format!("alice < 200\n{LAMP_OF_ALICE}"));
    assert_eq!(told(&office, "alice").1, Some(1));
    taken(&mut office, "alice");
    office.down.clear();
    let back = office.now;
    while office.ladder.is_empty() {
        office.now = office.proxy.poll_timeout().unwrap();
        office.tell(Input::Timeout);
    }
    assert!(office.now.since(back) <= Duration::from_secs(5), "{:?}", office.now.since(back));
    let server = if office.ladder[0].starts_with("vm1") { "vm1" } else { "vm2" };
    office.expect(&ASKED_FOR_ALICE.replace("vm1", server));
    grant_after(&mut office, server, 8);
    office.expect(&format!("{server} < 200\n{LAMP_OF_ALICE}"));
    assert_eq!(told(&office, "alice").1, Some(8));
}

/// EUMR-7
#[test]
fn the_next_server_is_asked_where_the_first_is_down() {
    let mut office = office();
    office.down.insert("vm1.test");
    register(&mut office, "alice");
    office.wait(3);
    office.expect(&format!("alice < 200\n{}", ASKED_FOR_ALICE.replace("vm1", "vm2")));
    let asked = office.request("vm2", "SUBSCRIBE");
    office.down.clear();
    office.respond("vm2", &asked, "503 Service Unavailable", "Retry-After: 20\r\n");
    office.wait(1);
    office.expect(ASKED_FOR_ALICE);
    grant_after(&mut office, "vm1", 1);
    office.expect(&format!("vm1 < 200\n{LAMP_OF_ALICE}"));
}

/// MWI-1: servers that know no SUBSCRIBE are left to what they tell unasked.
#[test]
fn a_server_that_knows_no_subscription_is_not_asked_again_for_an_hour() {
    for status in ["405 Method Not Allowed", "489 Bad Event", "501 Not Implemented"] {
        let mut office = office();
        register(&mut office, "alice");
        office.expect(&format!("alice < 200\n{ASKED_FOR_ALICE}"));
        for server in ["vm1", "vm2"] {
            let asked = office.request(server, "SUBSCRIBE");
            office.respond(server, &asked, status, "");
            office.wait(1);
            let next = if server == "vm1" { ASKED_FOR_ALICE.replace("vm1", "vm2") } else { String::new() };
            office.expect(&next);
        }
        office.register("bob", "<sip:bob@192.0.2.2>", "");
        office.wait(1_800);
        office.expect("bob < 200");
        unasked(&mut office, "vm1-itself", "sip:alice@example.test", &summary(2));
        office.expect(&format!("vm1-itself < 200\n{LAMP_OF_ALICE}"));
        taken(&mut office, "alice");
        register(&mut office, "alice");
        office.register("bob", "<sip:bob@192.0.2.2>", "");
        office.ladder.clear();
        // Then one asks whether it has learnt it.
        office.wait(1_801);
        let asks: Vec<_> = office.ladder.iter().filter(|line| line.contains("SUBSCRIBE")).cloned().collect();
        assert_eq!(asks.iter().filter(|line| line.starts_with("vm1")).count(), 1, "{asks:?}");
    }
}

#[test]
fn a_user_without_a_mailbox_is_not_asked_for_again_for_an_hour() {
    let mut office = office();
    register(&mut office, "alice");
    let asked = office.request("vm1", "SUBSCRIBE");
    office.respond("vm1", &asked, "404 Not Found", "");
    office.ladder.clear();
    office.wait(1_800);
    register(&mut office, "alice");
    office.wait(1_799);
    office.expect("alice < 200");
    register(&mut office, "alice");
    office.expect("alice < 200");
    while office.ladder.is_empty() {
        office.now = office.proxy.poll_timeout().unwrap();
        office.tell(Input::Timeout);
    }
    office.expect(ASKED_FOR_ALICE);
    assert!((3_600..=4_500).contains(&office.now.since(Instant::ZERO).as_secs()), "{}", office.now);
}

/// REL-40: this server is started anew. The users are asked for; a telephone that still believes in its
/// subscription hears the truth; those that were told unasked are told again.
#[test]
fn after_a_restart_nothing_is_known_and_soon_everything() {
    let mut before = lit(1);
    subscribe(&mut before, "alice", "sip:alice@example.test", "");
    taken(&mut before, "alice");
    let text = refresh(&mut before, "alice", "", "", 7);
    let kept = before.kept.clone().into_iter().collect();
    let mut office = office();
    office.order(Order::Restore(kept));
    office.expect(ASKED_FOR_ALICE);
    office.say("alice", &text);
    office.expect("alice < 481");
    subscribe(&mut office, "alice", "sip:alice@example.test", "");
    office.expect(&format!("alice < 200\n{LAMP_OF_ALICE}"));
    assert_eq!(told(&office, "alice"), ("active;expires=3600".into(), None));
    taken(&mut office, "alice");
    office.wait(2);
    grant_after(&mut office, "vm1", 2);
    office.expect(&format!("vm1 < 200\n{LAMP_OF_ALICE}"));
    assert_eq!(told(&office, "alice").1, Some(2));
}

/// REL-40: a restored contact that registered from its own address is told there.
#[test]
fn after_a_restart_telephones_that_say_nothing_are_told() {
    let mut office = office();
    office.order(Order::Restore(lit(1).kept.into_iter().collect()));
    grant_after(&mut office, "vm1", 3);
    office.wait(2);
    office.expect(&format!("{ASKED_FOR_ALICE}\nvm1 < 200\n192.0.2.1:5061 < NOTIFY sip:alice@192.0.2.1"));
}

/// REL-40: a start is no storm. Counted.
#[test]
fn three_thousand_users_are_asked_for_one_after_the_other() {
    let mut office = office();
    let alice = lit(1).kept.values().next().cloned().unwrap();
    let user = |number: usize| AddressOfRecord::new(&format!("u{number}"), "example.test").unwrap();
    office.order(Order::Restore((0..3_000).map(|number| (user(number), alice.clone())).collect()));
    let mut sent = Vec::new();
    let start = office.now;
    while sent.len() < 3_000 {
        let asked = office.ladder.iter().filter(|line| line.starts_with("vm1 < SUBSCRIBE")).count();
        office.ladder.clear();
        for _ in 0..asked {
            sent.push(office.now.since(start));
        }
        // The harness keeps the last request only; it is answered, and the others are by their kind.
        let waiting: Vec<_> = office.proxy.message_waiting.asked.keys().copied().collect();
        for transaction in waiting {
            let response = answer_to(&office, "404 Not Found");
            let flow = *office.flows.get("vm1").unwrap();
            office.proxy.message_waiting_responded(office.now, transaction, flow, &response);
        }
        if asked == 0 {
            office.now = office.proxy.poll_timeout().unwrap().max(office.now);
            office.tell(Input::Timeout);
        }
    }
    for second in 0..6 {
        let in_it = sent.iter().filter(|at| at.as_secs() == second).count();
        assert!(in_it <= 511, "{in_it} in second {second}");
    }
    assert!(sent.last().unwrap().as_secs() <= 6, "{:?}", sent.last());
}

fn answer_to(office: &Office, status: &str) -> Response {
    let request = office.request("vm1", "SUBSCRIBE");
    let text = format!(
        "SIP/2.0 {status}\r\nVia: SIP/2.0/TLS x;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=a\r\nTo: <sip:a@b>;tag=b\r\n\
         Call-ID: {}\r\nCSeq: 1 SUBSCRIBE\r\nContent-Length: 0\r\n\r\n",
        request.headers().call_id()
    );
    umbel_sip_message::parse(bytes::Bytes::from(text)).unwrap().into_response().unwrap()
}

/// I5: nothing is left at rest.
#[test]
fn when_the_last_telephone_is_gone_voice_mail_is_told_so_and_nothing_is_left() {
    let mut office = lit(1);
    subscribe(&mut office, "alice", "sip:alice@example.test", "");
    taken(&mut office, "alice");
    office.register("alice", "*", "Expires: 0\r\n");
    office.ladder.clear();
    refresh(&mut office, "alice", "Expires: 0\r\n", "", 7);
    office.expect(&format!("alice < 200\n{LAMP_OF_ALICE}\nvm1 < SUBSCRIBE sip:vm1.test;transport=tls"));
    let last = office.request("vm1", "SUBSCRIBE");
    assert_eq!(last.headers().expires().unwrap(), Some(0));
    office.respond("vm1", &last, "200 OK", "Expires: 0\r\n");
    notify(&mut office, "vm1", 2, "terminated;reason=timeout", &summary(1));
    office.expect("vm1 < 200");
    assert!(office.proxy.message_waiting.is_at_rest());
    assert!(office.proxy.message_waiting.remembered.is_empty());
    assert!(office.proxy.is_idle());
    office.wait(4_000);
    office.expect("");
}

/// I5: the same where nobody ever answers.
#[test]
fn when_voice_mail_is_silent_nothing_is_left_either() {
    let mut office = lit(1);
    office.disconnect("alice");
    office.wait(3_601);
    office.ladder.clear();
    office.wait(120);
    assert!(office.proxy.message_waiting.is_at_rest());
    assert_eq!(office.proxy.registered_count(), 0);
}

#[test]
fn other_servers_in_the_settings_are_asked_and_the_old_ones_hear_that_it_is_over() {
    let mut office = lit(1);
    office.wait(10);
    let mut config = Config::new("example.test");
    config.clone_from(&office.proxy.config);
    config.voice_mail.remove(0);
    office.order(Order::Reload(Box::new(config)));
    office.expect(&ASKED_FOR_ALICE.replace("vm1", "vm2"));
    notify(&mut office, "vm1", 2, "active;expires=9", &summary(9));
    office.expect("vm1 < 481");
    grant_after(&mut office, "vm2", 4);
    office.expect(&format!("vm2 < 200\n{LAMP_OF_ALICE}"));
    assert_eq!(told(&office, "alice").1, Some(4));
}

#[test]
fn without_voice_mail_there_is_no_lamp() {
    let mut office = office_with(|config| config.voice_mail.clear());
    register(&mut office, "alice");
    subscribe(&mut office, "alice", "sip:alice@example.test", "");
    office.expect("alice < 200\nalice < 404");
    assert!(office.proxy.message_waiting.is_at_rest());
}

/// STD-2
#[test]
fn other_peoples_voice_mail_is_asked_by_the_users_name_there() {
    let mut office = office_with(|config| {
        config.voice_mail_form = crate::VoiceMailForm::Rfc4458;
        config.voice_mail = vec!["sip:vm1.test:5067;transport=tls".parse().unwrap()];
    });
    register(&mut office, "alice");
    office.expect("alice < 200\nvm1 < SUBSCRIBE sip:alice@vm1.test:5067");
}
