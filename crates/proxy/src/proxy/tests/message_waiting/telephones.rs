//! What telephones are told: in subscriptions and unasked, at once and not too often.

use super::*;

/// MWI-1, MWI-2, MWI-5, REL-40
#[test]
fn what_voice_mail_says_reaches_telephones_that_ask_and_those_that_do_not() {
    let mut office = lit(2);
    let asked = office.request("vm1", "SUBSCRIBE");
    assert_eq!(values(&asked, &HeaderName::PAssertedIdentity), ["<sip:alice@example.test>"]);
    assert_eq!(asked.headers().from().uri.as_str(), "sip:alice@example.test");
    assert_eq!(told(&office, "alice"), ("terminated".into(), Some(2)));
    let unasked = office.request("alice", "NOTIFY");
    let parties = (unasked.headers().from().uri.as_str(), unasked.headers().to().uri.as_str());
    assert_eq!(parties, ("sip:voicemail@example.test", "sip:alice@example.test"));
    subscribe(&mut office, "alice", "sip:alice@example.test", "");
    office.expect(&format!("alice < 200\n{LAMP_OF_ALICE}"));
    assert_eq!(office.response("alice").headers().expires().unwrap(), Some(3_600));
    assert_eq!(told(&office, "alice"), ("active;expires=3600".into(), Some(2)));
    // Whatever voice mail calls itself, its key leads there by us.
    let body = office.request("alice", "NOTIFY").body().clone();
    assert_eq!(MessageSummary::parse(&body).unwrap().account.unwrap().as_str(), OF_ALICE);
    taken(&mut office, "alice");
    office.wait(10);
    notify(&mut office, "vm1", 2, "active;expires=3000", &summary(0));
    // Who has subscribed is told in that subscription alone.
    office.expect(&format!("vm1 < 200\n{LAMP_OF_ALICE}"));
    assert_eq!(told(&office, "alice"), ("active;expires=3590".into(), Some(0)));
}

/// REL-40
#[test]
fn what_is_not_known_is_never_told_as_zero() {
    let mut office = office();
    register(&mut office, "alice");
    office.expect(&format!("alice < 200\n{ASKED_FOR_ALICE}"));
    office.wait(20);
    office.expect("");
    subscribe(&mut office, "alice", "sip:alice@example.test", "");
    office.expect(&format!("alice < 200\n{LAMP_OF_ALICE}"));
    assert_eq!(told(&office, "alice"), ("active;expires=3600".into(), None));
    taken(&mut office, "alice");
    office.wait(5);
    // A NOTIFY without a body says nothing; nor does one that cannot be read.
    let asked = office.request("vm1", "SUBSCRIBE");
    office.respond("vm1", &asked, "200 OK", "Expires: 3600\r\n");
    notify(&mut office, "vm1", 1, "active;expires=3600", "");
    notify(&mut office, "vm1", 2, "active;expires=3600", "hello");
    office.expect("vm1 < 200\nvm1 < 200");
    notify(&mut office, "vm1", 3, "active;expires=3600", &summary(0));
    office.expect(&format!("vm1 < 200\n{LAMP_OF_ALICE}"));
    assert_eq!(told(&office, "alice").1, Some(0));
}

/// MWI-3, SEC-55, SEC-56
#[test]
fn everybody_sees_the_own_mailbox_and_no_other() {
    let mut office = office();
    for uri in [
        "sip:bob@example.test",
        "sip:bob@example.test;opaque=app:voicemail",
        "sip:201@example.test",
        "sip:nobody@example.test",
    ] {
        subscribe(&mut office, "alice", uri, "");
        office.expect("alice < 403");
    }
    for name in ["um", "gateway"] {
        subscribe(&mut office, name, "sip:alice@example.test", "From: <sip:x@y.test>\r\n");
        office.expect(&format!("{name} < 403"));
    }
    let text =
        office.text("stranger", "SUBSCRIBE", "sip:alice@example.test", "Event: message-summary\r\n", 1, "");
    office.say("stranger", &text);
    office.expect("stranger < 407");
    for (count, uri) in
        ["sip:alice@example.test", OF_ALICE, "sip:voicemail@example.test", "sip:200@example.test"]
            .iter()
            .enumerate()
    {
        subscribe(&mut office, "alice", uri, "");
        let asked = if count == 0 { ASKED_FOR_ALICE } else { "" };
        office.expect(&format!("alice < 200\n{LAMP_OF_ALICE}\n{asked}"));
    }
    // One contact, one subscription.
    assert_eq!(office.proxy.message_waiting.subscriptions.len(), 1);
}

/// RFC 6665 8.3.2
#[test]
fn other_events_are_no_event_of_voice_mail() {
    let mut office = Office::where_registered(&["bob"]);
    for uri in [OF_ALICE, "sip:voicemail@example.test", "sip:example.test"] {
        office.send("alice", "SUBSCRIBE", uri, "Event: presence\r\n");
        office.expect("alice < 489");
        assert_eq!(
            office.response("alice").headers().get_text(&HeaderName::AllowEvents).unwrap(),
            "message-summary"
        );
    }
    office.send("alice", "SUBSCRIBE", "sip:bob@example.test", "Event: presence\r\n");
    office.expect("bob < SUBSCRIBE sip:bob@192.0.2.2");
    office.send("alice", "NOTIFY", "sip:bob@example.test", "Event: presence\r\n");
    office.expect("bob < NOTIFY sip:bob@192.0.2.2");
}

/// MWI-2
#[test]
fn what_a_subscription_must_be_is_said() {
    let mut office = office();
    for (lines, status) in [("Expires: 59\r\n", 423), ("Accept: text/plain\r\n", 406)] {
        subscribe(&mut office, "alice", "sip:alice@example.test", lines);
        office.expect(&format!("alice < {status}"));
    }
    // Asked once: the state, and the end of it.
    subscribe(&mut office, "alice", "sip:alice@example.test", "Expires: 0\r\n");
    office.expect(&format!("alice < 200\n{LAMP_OF_ALICE}"));
    assert_eq!(told(&office, "alice"), ("terminated;reason=timeout".into(), None));
    taken(&mut office, "alice");
    assert!(office.proxy.message_waiting.is_at_rest());
}

/// MWI-2
#[test]
fn a_user_has_a_bounded_number_of_subscriptions() {
    let mut office = office_with(|config| config.mailbox_states = MailboxStates::Told);
    for port in 0..SUBSCRIPTIONS_PER_USER_MAX {
        let lines = format!("Event: message-summary\r\nContact: <sip:alice@192.0.2.1:{}>\r\n", 6_000 + port);
        office.send("alice", "SUBSCRIBE", "sip:alice@example.test", &lines);
        office.expect(&format!("alice < 200\n{LAMP_OF_ALICE}:{}", 6_000 + port));
    }
    subscribe(&mut office, "alice", "sip:alice@example.test", "");
    office.expect("alice < 403");
    // Another of one that is there takes its place.
    let lines = "Event: message-summary\r\nContact: <sip:alice@192.0.2.1:6000>\r\n";
    office.send("alice", "SUBSCRIBE", "sip:alice@example.test", lines);
    office.expect(&format!("alice < 200\n{LAMP_OF_ALICE}:6000"));
    assert_eq!(office.proxy.message_waiting.subscriptions.len(), SUBSCRIPTIONS_PER_USER_MAX);
}

/// MWI-2: counted.
#[test]
fn a_burst_of_changes_is_a_notify_a_second_with_the_newest_state() {
    let mut office = lit(0);
    office.wait(10);
    subscribe(&mut office, "alice", "sip:alice@example.test", "");
    taken(&mut office, "alice");
    office.register("bob", "<sip:bob@192.0.2.2>", "");
    office.wait(10);
    let mut notifies = 0;
    office.ladder.clear();
    // A hundred changes in five seconds.
    for change in 1..=100 {
        unasked(&mut office, "vm1-itself", "sip:alice@example.test", &summary(change));
        let before = notifies;
        notifies += office.ladder.iter().filter(|line| *line == LAMP_OF_ALICE).count();
        office.ladder.clear();
        if notifies > before {
            taken(&mut office, "alice");
        }
        let until = office.now + Duration::from_millis(50);
        while let Some(next) = office.proxy.poll_timeout().filter(|next| *next <= until) {
            office.now = next;
            office.order(Order::Clock(UnixTime::from_secs(1_700_000_000)));
            office.tell(Input::Timeout);
            let more = office.ladder.iter().filter(|line| *line == LAMP_OF_ALICE).count();
            office.ladder.clear();
            notifies += more;
            if more > 0 {
                taken(&mut office, "alice");
            }
        }
        office.now = until;
    }
    office.wait(1);
    notifies += office.ladder.iter().filter(|line| *line == LAMP_OF_ALICE).count();
    assert_eq!((notifies, told(&office, "alice").1), (6, Some(100)));
}

/// MWI-1: telephones that do not want to be told unasked are not, as long as their binding lives.
#[test]
fn a_contact_that_refuses_is_left_alone_and_others_are_not() {
    for status in ["481 No Subscription", "405 Method Not Allowed", "489 Bad Event"] {
        let mut office = office();
        office.connect("alice-too", IpAddr::from([192, 0, 2, 11]), None);
        register(&mut office, "alice");
        register(&mut office, "alice-too");
        office.expect(&format!("alice < 200\n{ASKED_FOR_ALICE}\nalice-too < 200"));
        grant(&mut office, "vm1", 1);
        office.wait(2);
        let both = format!("alice-too < NOTIFY sip:alice-too@192.0.2.11\n{LAMP_OF_ALICE}");
        office.expect(&both);
        answered(&mut office, "alice", status);
        taken(&mut office, "alice-too");
        office.wait(5);
        unasked(&mut office, "vm1-itself", "sip:alice@example.test", &summary(2));
        office.expect("vm1-itself < 200\nalice-too < NOTIFY sip:alice-too@192.0.2.11");
        taken(&mut office, "alice-too");
        // A refresh is no new binding.
        register(&mut office, "alice");
        office.wait(5);
        office.expect("alice < 200");
        office.register("alice", "<sip:alice@192.0.2.1>;expires=0", "");
        register(&mut office, "alice");
        office.wait(5);
        office.expect(&format!("alice < 200\nalice < 200\n{LAMP_OF_ALICE}"));
    }
}

/// REL-40: what did not arrive is told again, and not for ever.
#[test]
fn a_contact_that_is_busy_is_told_later() {
    let mut office = office();
    register(&mut office, "alice");
    office.expect(&format!("alice < 200\n{ASKED_FOR_ALICE}"));
    grant(&mut office, "vm1", 1);
    office.wait(2);
    for _ in 0..4 {
        office.expect(LAMP_OF_ALICE);
        let lamp = office.request("alice", "NOTIFY");
        office.respond("alice", &lamp, "503 Busy", "Retry-After: 20\r\n");
        office.wait(19);
        office.expect("");
        office.wait(1);
    }
    office.wait(600);
    office.expect("");
    unasked(&mut office, "vm1-itself", "sip:alice@example.test", &summary(2));
    office.expect(&format!("vm1-itself < 200\n{LAMP_OF_ALICE}"));
}

/// REL-40
#[test]
fn a_telephone_that_is_back_over_another_flow_is_told_again() {
    let mut office = lit(4);
    // Over the same flow it has not forgotten.
    register(&mut office, "alice");
    office.wait(10);
    office.expect("alice < 200");
    office.disconnect("alice");
    unasked(&mut office, "vm1-itself", "sip:alice@example.test", &summary(5));
    office.connect("alice", IpAddr::from([192, 0, 2, 1]), None);
    office.ladder.clear();
    register(&mut office, "alice");
    office.wait(2);
    office.expect(&format!("alice < 200\n{LAMP_OF_ALICE}"));
    assert_eq!(told(&office, "alice"), ("terminated".into(), Some(5)));
}

/// REL-40
#[test]
fn a_subscription_follows_its_telephone_to_another_flow() {
    let mut office = office();
    // Behind an address translation: it can be reached by its flow alone.
    let lines = "Event: message-summary\r\nContact: <sip:alice@10.0.0.9>\r\n";
    office.register("alice", "<sip:alice@10.0.0.9>", "");
    office.expect(&format!("alice < 200\n{ASKED_FOR_ALICE}"));
    grant(&mut office, "vm1", 1);
    office.send("alice", "SUBSCRIBE", "sip:alice@example.test", lines);
    office.expect("alice < 200\nalice < NOTIFY sip:alice@10.0.0.9");
    taken(&mut office, "alice");
    office.wait(10);
    office.disconnect("alice");
    unasked(&mut office, "vm1-itself", "sip:alice@example.test", &summary(2));
    office.expect("vm1-itself < 200");
    office.wait(30);
    office.connect("alice", IpAddr::from([192, 0, 2, 1]), None);
    office.register("alice", "<sip:alice@10.0.0.9>", "");
    office.expect("alice < 200\nalice < NOTIFY sip:alice@10.0.0.9");
    assert_eq!(told(&office, "alice"), ("active;expires=3560".into(), Some(2)));
    taken(&mut office, "alice");
    office.wait(10);
    office.expect("");
}

/// MWI-3, SEC-54
#[test]
fn a_refresh_from_elsewhere_has_to_be_proved() {
    let mut office = lit(1);
    office.connect("alice-too", IpAddr::from([192, 0, 2, 11]), None);
    subscribe(&mut office, "alice", "sip:alice@example.test", "");
    taken(&mut office, "alice");
    office.ladder.clear();
    refresh(&mut office, "alice", "Expires: 600\r\n", "", 7);
    office.expect(&format!("alice < 200\n{LAMP_OF_ALICE}"));
    assert_eq!(told(&office, "alice").0, "active;expires=600");
    taken(&mut office, "alice");
    refresh(&mut office, "stranger", "", "", 8);
    office.expect("stranger < 407");
    refresh(&mut office, "alice-too", "", "", 8);
    office.expect("alice-too < 407");
    let uri = "sip:192.0.2.100:5061;transport=tls";
    let credentials =
        office.credentials("alice-too", "SUBSCRIBE", uri, &office.response("alice-too"), PASSWORD);
    refresh(&mut office, "alice-too", "", &credentials, 9);
    office.expect("alice-too < 200\nalice-too < NOTIFY sip:alice@192.0.2.1");
    assert_eq!(told(&office, "alice-too").0, "active;expires=3600");
}

#[test]
fn a_subscription_ends_when_its_telephone_says_so_or_says_nothing() {
    let mut office = lit(1);
    subscribe(&mut office, "alice", "sip:alice@example.test", "Expires: 600\r\n");
    taken(&mut office, "alice");
    refresh(&mut office, "alice", "Expires: 0\r\n", "", 7);
    assert_eq!(told(&office, "alice").0, "terminated;reason=timeout");
    assert!(office.proxy.message_waiting.subscriptions.is_empty());
    subscribe(&mut office, "alice", "sip:alice@example.test", "Expires: 600\r\n");
    taken(&mut office, "alice");
    office.wait(600);
    assert_eq!(told(&office, "alice").0, "terminated;reason=timeout");
    subscribe(&mut office, "alice", "sip:alice@example.test", "");
    answered(&mut office, "alice", "481 Gone");
    assert!(office.proxy.message_waiting.subscriptions.is_empty());
}
