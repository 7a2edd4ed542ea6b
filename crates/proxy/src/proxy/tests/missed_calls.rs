//! MISS-2, MISS-3: of whom voice mail is told that they called in vain.

use umbel_sip_message::{Fragment, SIPFRAG};

use super::*;

const NOTICE: &str = "MESSAGE sip:bob@example.test;opaque=app:voicemail";

fn ringing(office: &mut Office, lines: &str) {
    office.call_with("alice", "sip:bob@example.test", lines);
    office.answer("bob", "180 Ringing");
    office.expect("bob < INVITE sip:bob@192.0.2.2\nalice < 180");
}

/// The caller gives up while bob's telephone rings.
fn in_vain(office: &mut Office) {
    ringing(office, "");
    office.hang_up_early("alice");
}

fn noted(office: &mut Office, server: &str, status: &str) {
    let message = office.request(server, "MESSAGE");
    office.respond(server, &message, status, "");
}

// MISS-2
#[test]
fn voice_mail_is_told_once_of_a_caller_who_gave_up() {
    let mut office = Office::where_registered(&["bob"]);
    ringing(&mut office, "Subject: Lunch\r\nPriority: urgent\r\nProxy-Authorization: Basic x\r\n");
    office.hang_up_early("alice");
    office.expect(&format!("bob < CANCEL\nalice < 487\nvm1 < {NOTICE}"));
    let message = office.request("vm1", "MESSAGE");
    assert_eq!(values(&message, &HeaderName::ContentType), [SIPFRAG]);
    assert_eq!(values(&message, &HeaderName::To), ["<sip:bob@example.test>"]);
    let fragment = Fragment::parse(message.body()).unwrap();
    assert_eq!(fragment.get_text(&HeaderName::Subject).unwrap(), "Lunch");
    assert_eq!(fragment.get_text(&HeaderName::CallId).unwrap(), office.call_id());
    assert!(fragment.get_text(&HeaderName::From).unwrap().starts_with("<sip:alice@example.test>"));
    assert!(fragment.get(&HeaderName::ProxyAuthorization).is_none());
    noted(&mut office, "vm1", "200 OK");
    office.wait(40);
    office.expect("");
    assert!(office.proxy.is_idle());
}

// MISS-2: also where the caller's connection breaks, and while a team rings.
#[test]
fn a_caller_whose_connection_breaks_has_given_up() {
    let mut office = Office::where_registered(&["bob", "carol"]);
    office.set("bob", "team", "carol@example.test");
    ringing(&mut office, "");
    office.wait(10);
    office.answer("carol", "180 Ringing");
    office.expect("carol < INVITE sip:carol@192.0.2.3\nalice < 180");
    office.hang_up_early("alice");
    office.expect(&format!("bob < CANCEL\ncarol < CANCEL\nalice < 487\nvm1 < {NOTICE}"));
}

// MISS-3
#[test]
fn of_all_other_calls_voice_mail_is_not_told() {
    let own = |office: &mut Office| {
        let text =
            office.text("um", "INVITE", "sip:bob@example.test", "From: <sip:bob@example.test>\r\n", 2, "");
        office.say("um", &text.replace("To: <sip:bob@example.test>", "To: <sip:bob@example.test;x=y>"));
        office.answer("bob", "180 Ringing");
        office.hang_up_early("um");
    };
    let without = |rule: &'static str, value: &'static str| {
        move |office: &mut Office| {
            office.set("bob", rule, value);
            in_vain(office);
        }
    };
    type Scene = Box<dyn Fn(&mut Office)>;
    let scenes: [(&str, Scene); 9] = [
        (
            "answered",
            Box::new(|office| {
                ringing(office, "");
                office.answer("bob", "200 OK");
                office.hang_up_early("alice");
            }),
        ),
        (
            "answered while giving up",
            Box::new(|office| {
                office.call("alice", "sip:bob@example.test");
                office.hang_up_early("alice");
                office.answer("bob", "200 OK");
            }),
        ),
        (
            "answered by the team",
            Box::new(|office| {
                office.set("bob", "team", "carol@example.test");
                ringing(office, "");
                office.wait(10);
                office.answer("carol", "200 OK");
                office.hang_up_early("alice");
            }),
        ),
        (
            "diverted already",
            Box::new(|office| {
                ringing(office, "");
                office.wait(20);
                office.answer("vm1", "180 Ringing");
                office.hang_up_early("alice");
            }),
        ),
        (
            "not to be diverted",
            Box::new(|office| {
                ringing(office, "Ms-Sensitivity: private-no-diversion\r\n");
                office.hang_up_early("alice");
            }),
        ),
        ("Play on Phone", Box::new(own)),
        ("no voice mail for unanswered calls", Box::new(without("no-voicemail", "yes"))),
        (
            "no mailbox",
            Box::new(|office| {
                let bob = "bob@example.test".parse().unwrap();
                let change = [UserChange::Enabled(false)];
                office.store.change_user(&bob, &change, &author(), UnixTime::from_secs(0)).unwrap();
                office.set("bob", "forward-unanswered", "carol@example.test");
                in_vain(office);
            }),
        ),
        (
            "not a call",
            Box::new(|office| {
                office.send("alice", "MESSAGE", "sip:bob@example.test", "");
                office.disconnect("alice");
            }),
        ),
    ];
    for (name, scene) in scenes {
        let mut office = Office::where_registered(&["bob", "carol"]);
        scene(&mut office);
        office.wait(40);
        let told =
            office.ladder.iter().any(|line| line.contains("app:voicemail") && line.contains("MESSAGE"));
        assert!(!told, "{name}: {:#?}", office.ladder);
    }
}

// MISS-2: who does not know what to do with it is not asked again until the settings are read anew.
#[test]
fn a_server_that_wants_no_notices_gets_no_more() {
    for status in ["405 Method Not Allowed", "415 Unsupported Media Type", "501 Not Implemented"] {
        let mut office = Office::where_registered(&["bob"]);
        in_vain(&mut office);
        office.expect(&format!("bob < CANCEL\nalice < 487\nvm1 < {NOTICE}"));
        noted(&mut office, "vm1", status);
        office.expect(&format!("vm2 < {NOTICE}"));
        noted(&mut office, "vm2", "200 OK");
        in_vain(&mut office);
        office.expect(&format!("bob < CANCEL\nalice < 487\nvm2 < {NOTICE}"));
        noted(&mut office, "vm2", status);
        in_vain(&mut office);
        office.expect("bob < CANCEL\nalice < 487");
        let config = office.proxy.config.clone();
        office.order(Order::Reload(Box::new(config)));
        in_vain(&mut office);
        office.expect(&format!("bob < CANCEL\nalice < 487\nvm1 < {NOTICE}"));
    }
}

#[test]
fn the_next_server_is_told_where_the_first_cannot_be_and_nobody_where_it_says_no() {
    let mut office = Office::where_registered(&["bob"]);
    in_vain(&mut office);
    office.ladder.clear();
    noted(&mut office, "vm1", "503 Service Unavailable");
    office.expect(&format!("vm2 < {NOTICE}"));
    noted(&mut office, "vm2", "503 Service Unavailable");
    office.expect("");
    in_vain(&mut office);
    office.ladder.clear();
    noted(&mut office, "vm1", "404 Not Found");
    office.expect("");
    // Silence: Timer F.
    in_vain(&mut office);
    office.ladder.clear();
    office.wait(33);
    office.expect(&format!("vm2 < {NOTICE}"));
    office.wait(70);
    assert!(office.proxy.is_idle());
}
