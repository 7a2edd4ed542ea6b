//! Voice mail of others behind our protocol server, and what happens when it is down.

use std::net::TcpListener;

use umbel_interop::sipp::Sipp;
use umbel_interop::stand_in::{Manner, StandIn};
use umbel_interop::trace::Traced;
use umbel_interop::umbel::{DOMAIN, Umbel};

/// A protocol server in front of these, best first.
fn server(umbel: Umbel, servers: &[String], more: &str) -> Umbel {
    let list: Vec<String> = servers.iter().map(|uri| format!("\"{uri}\"")).collect();
    let lines = format!("voicemail = [{}]\ndigest = [\"MD5\"]\nring-time = \"1s\"\n{more}", list.join(", "));
    umbel.configured(Some(&lines), None).with_users().started()
}

fn at(address: impl std::fmt::Display) -> String {
    format!("sip:{address};transport=tcp")
}

/// Alice calls this; gives the INVITEs that came to voice mail.
fn call(umbel: &Umbel, voice_mail: &StandIn, name: &str, target: &str) -> Vec<Traced> {
    let call = Sipp::new(umbel, "user_answered", name)
        .server(umbel.server_tcp())
        .caller(&format!("sip:alice@{DOMAIN}"))
        .target(target)
        .password_of("alice");
    let call_id = call.call_id(1);
    call.run();
    voice_mail.invites(&call_id)
}

fn bob() -> String {
    format!("sip:bob@{DOMAIN}")
}

// EUMR-1, EUMR-2, EUMR-4, EUMR-11, EUMR-12
#[test]
fn foreign_voice_mail_is_asked_for_the_callees_mailbox_by_gruu_and_diversion() {
    let umbel = Umbel::unconfigured();
    let voice_mail = StandIn::start(&umbel, "voice-mail", Manner::Answers);
    let umbel = server(umbel, &[at(voice_mail.address())], "");
    let invites = call(&umbel, &voice_mail, "gruu", &bob());
    assert_eq!(invites.len(), 1);
    assert_eq!(invites[0].first_line(), "INVITE sip:bob@example.test;opaque=app:voicemail SIP/2.0");
    assert_eq!(invites[0].headers("Diversion"), ["<sip:bob@example.test>;reason=unavailable"]);
    assert!(invites[0].headers("History-Info").concat().contains("bob@example.test"));
    umbel.stop();
}

// STD-2, EUMR-11, RFC 4458
#[test]
fn foreign_voice_mail_is_asked_for_the_callees_mailbox_by_rfc_4458() {
    let umbel = Umbel::unconfigured();
    let voice_mail = StandIn::start(&umbel, "voice-mail", Manner::Answers);
    let umbel = server(umbel, &[at(voice_mail.address())], "voicemail-form = \"rfc4458\"");
    let uri = format!("sip:voicemail@{}", voice_mail.address());
    let invites = call(&umbel, &voice_mail, "unanswered", &bob());
    let expected = format!("INVITE {uri};target=sip:bob%40example.test;cause=503 SIP/2.0");
    assert_eq!(invites[0].first_line(), expected);
    let own = call(&umbel, &voice_mail, "own", &format!("sip:alice@{DOMAIN};opaque=app:voicemail"));
    assert_eq!(own[0].first_line(), format!("INVITE {uri} SIP/2.0"), "one's own, by the pilot");
    umbel.stop();
}

// EUMR-8
#[test]
fn where_a_voice_mail_server_is_down_the_next_one_answers() {
    let umbel = Umbel::unconfigured();
    let voice_mail = StandIn::start(&umbel, "voice-mail", Manner::Answers);
    let nobody = format!("127.0.0.1:{}", umbel.take_ports(1));
    let umbel = server(umbel, &[at(nobody), at(voice_mail.address())], "");
    let invites = call(&umbel, &voice_mail, "failover", &bob());
    assert_eq!(invites.len(), 1);
    umbel.stop();
}

// EUMR-8, CMD-3
#[test]
fn where_a_voice_mail_server_says_nothing_or_is_overloaded_the_next_one_gets_all_that_the_first_got() {
    let umbel = Umbel::unconfigured();
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let silent = silent.local_addr().map(at).expect("a socket has an address");
    let overloaded =
        Manner::Refuses { status: "503 Service Unavailable", elsewhere: "sip:nobody@example.test" };
    let overloaded = StandIn::start(&umbel, "overloaded", overloaded);
    let voice_mail = StandIn::start(&umbel, "voice-mail", Manner::Answers);
    let umbel = server(umbel, &[silent, at(overloaded.address()), at(voice_mail.address())], "");
    let call = Sipp::new(&umbel, "user_answered", "patient")
        .server(umbel.server_tcp())
        .caller(&format!("sip:alice@{DOMAIN}"))
        .target(&format!("sip:alice@{DOMAIN};opaque=app:voicemail"))
        .header("Ms-Exchange-Command: skip-pin")
        .password_of("alice");
    let call_id = call.call_id(1);
    call.run();
    assert_eq!(overloaded.invites(&call_id).len(), 1);
    let invites = voice_mail.invites(&call_id);
    assert_eq!(invites.len(), 1);
    assert_eq!(invites[0].headers("Ms-Exchange-Command"), ["skip-pin"]);
    umbel.stop();
}

/// A voice mail server that points elsewhere.
fn redirects(umbel: &Umbel, elsewhere: &str) -> StandIn {
    StandIn::start(umbel, "redirects", Manner::Refuses { status: "302 Moved Temporarily", elsewhere })
}

// EUMR-9
#[test]
fn a_voice_mail_server_may_point_to_another_of_the_list() {
    let umbel = Umbel::unconfigured();
    let voice_mail = StandIn::start(&umbel, "voice-mail", Manner::Answers);
    let first = redirects(&umbel, &at(voice_mail.address()));
    let umbel = server(umbel, &[at(first.address()), at(voice_mail.address())], "");
    let invites = call(&umbel, &voice_mail, "redirected", &bob());
    assert_eq!(invites.len(), 1);
    assert_eq!(invites[0].headers("Diversion").len(), 1, "for the same mailbox");
    umbel.stop();
}

// EUMR-9
#[test]
fn where_a_voice_mail_server_points_to_a_stranger_nobody_goes() {
    let umbel = Umbel::unconfigured();
    let strays = redirects(&umbel, "sip:voicemail@localhost:9;transport=tcp");
    let umbel = server(umbel, &[at(strays.address())], "");
    Sipp::new(&umbel, "user_refused", "stray")
        .server(umbel.server_tcp())
        .caller(&format!("sip:alice@{DOMAIN}"))
        .target(&bob())
        .password_of("alice")
        .with("FINAL", "480")
        .run();
    umbel.stop();
}
