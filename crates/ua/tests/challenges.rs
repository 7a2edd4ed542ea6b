//! Digest challenges to what we send: RFC 3261 22, RFC 7616, RFC 8760; and to whom we answer them.
#![allow(clippy::unwrap_used)]

mod world;

use umbel_node::FlowId;
use umbel_sip_message::digest::{Algorithm, Credentials as Answer, Ha1};
use umbel_sip_message::{HeaderName, Method, Request};
use umbel_ua::{Config, Credentials, Ending};
use world::{World, header, reply, reply_as};

const SHA256: &str = "Digest realm=\"example.com\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";
const MD5: &str = "Digest realm=\"example.com\", nonce=\"n2\", algorithm=MD5, qop=\"auth\"";

fn credentials() -> Credentials {
    Credentials { realm: "example.com".into(), username: "alice".into(), password: "open sesame".into() }
}

/// Alice calls a scripted server, with credentials and a header field of her own.
fn calling() -> (World, FlowId, Request) {
    let mut world = World::new();
    world.agent("alice", Config { session_expires: None, ..Config::default() });
    world.script("server");
    let mut outgoing = world.outgoing("alice", "server");
    outgoing.credentials = Some(credentials());
    outgoing.headers = vec![(HeaderName::MsExchangeCommand, "skip-pin".into())];
    world.call_with("alice", outgoing);
    world.settle();
    let (flow, invite) = world.request("server");
    (world, flow, invite)
}

fn challenge(world: &mut World, flow: FlowId, request: &Request, status: &str, challenges: &[&str]) {
    let name = if status.starts_with("401") { "WWW-Authenticate" } else { "Proxy-Authenticate" };
    let fields: String = challenges.iter().map(|value| format!("{name}: {value}\n")).collect();
    world.send("server", flow, &reply(request, status, &fields));
    world.settle();
}

/// What the latest INVITE says of who is calling.
fn answer(world: &mut World, name: &HeaderName) -> Option<(Request, Answer)> {
    let received = world.received("server").into_iter().rev();
    let mut requests = received.filter_map(|(_, message)| message.into_request());
    let request = requests.find(|request| *request.method() == Method::Invite)?;
    let value = request.headers().get(name)?.into_owned();
    Some((request, Answer::parse(&value).unwrap().unwrap()))
}

#[track_caller]
fn check_right(answer: &Answer, algorithm: Algorithm) {
    assert_eq!(answer.algorithm, algorithm);
    let ha1 = Ha1::new(algorithm, "alice", "example.com", "open sesame");
    assert!(answer.verify(&ha1, &Method::Invite));
}

// CMD-12, RFC 3261 22.2, 8.1.3.5
#[test]
fn the_call_is_placed_again_with_credentials_and_all_it_had_before() {
    let (mut world, flow, first) = calling();
    challenge(&mut world, flow, &first, "407 Proxy Authentication Required", &[SHA256]);
    let (second, answer) = answer(&mut world, &HeaderName::ProxyAuthorization).unwrap();
    check_right(&answer, Algorithm::Sha256);
    let (first, second) = (first.headers(), second.headers());
    assert_eq!(header(second, &HeaderName::MsExchangeCommand), "skip-pin");
    assert_eq!(second.call_id(), first.call_id());
    assert_eq!(second.from().tag(), first.from().tag());
    assert_eq!(second.cseq().number, first.cseq().number + 1);
    assert_ne!(second.via().branch(), first.via().branch());
}

// RFC 8760 2.4: the strongest first, whatever the order; the weak one where it is alone.
#[test]
fn sha_256_is_preferred_and_md5_is_answered_where_nothing_else_is_offered() {
    for (challenges, algorithm) in [
        (&[SHA256, MD5][..], Algorithm::Sha256),
        (&[MD5, SHA256], Algorithm::Sha256),
        (&[MD5], Algorithm::Md5),
    ] {
        let (mut world, flow, first) = calling();
        challenge(&mut world, flow, &first, "401 Unauthorized", challenges);
        check_right(&answer(&mut world, &HeaderName::Authorization).unwrap().1, algorithm);
    }
}

// SEC-50: credentials only for the configured realm.
#[test]
fn a_stranger_gets_no_credentials() {
    let (mut world, flow, first) = calling();
    let foreign = SHA256.replace("example.com", "example.net");
    challenge(&mut world, flow, &first, "401 Unauthorized", &[&foreign, "Basic realm=\"example.com\""]);
    assert!(answer(&mut world, &HeaderName::Authorization).is_none());
    assert!(matches!(world.ending("alice"), Ending::Refused(refused) if refused.status.as_u16() == 401));
    world.expect_rest();
}

// SEC-50, RFC 7616 3.3: asked again, we were not believed; except where the nonce was too old.
#[test]
fn a_challenge_is_answered_once_and_once_more_only_if_stale() {
    let (mut world, flow, first) = calling();
    challenge(&mut world, flow, &first, "401 Unauthorized", &[SHA256]);
    let (second, _) = answer(&mut world, &HeaderName::Authorization).unwrap();
    challenge(&mut world, flow, &second, "401 Unauthorized", &[SHA256]);
    assert!(matches!(world.ending("alice"), Ending::Refused(_)));

    let (mut world, flow, first) = calling();
    let stale = format!("{SHA256}, stale=true");
    challenge(&mut world, flow, &first, "401 Unauthorized", &[SHA256]);
    let (second, _) = answer(&mut world, &HeaderName::Authorization).unwrap();
    challenge(&mut world, flow, &second, "401 Unauthorized", &[&stale]);
    let (third, _) = answer(&mut world, &HeaderName::Authorization).unwrap();
    // At most two challenges for one request.
    challenge(&mut world, flow, &third, "401 Unauthorized", &[&stale]);
    assert!(matches!(world.ending("alice"), Ending::Refused(_)));
}

// RFC 3261 22.3: a proxy and the server behind it may both ask.
#[test]
fn a_proxy_and_a_server_may_both_ask() {
    let (mut world, flow, first) = calling();
    challenge(&mut world, flow, &first, "407 Proxy Authentication Required", &[SHA256]);
    let (second, _) = answer(&mut world, &HeaderName::ProxyAuthorization).unwrap();
    challenge(&mut world, flow, &second, "401 Unauthorized", &[MD5]);
    let (third, _) = answer(&mut world, &HeaderName::Authorization).unwrap();
    assert!(third.headers().has(&HeaderName::ProxyAuthorization));
    // RFC 3261 22.1: the ACK bears them both; and BYE, asked, answers for itself.
    let contact = "Contact: <sip:192.0.2.2:5060;transport=tcp>\n";
    world.send("server", flow, &reply_as(&third, "200 OK", "b", contact));
    world.settle();
    let (_, ack) = world.request("server");
    assert_eq!(*ack.method(), Method::Ack);
    assert_eq!(ack.headers().cseq().number, 3);
    assert!(ack.headers().has(&HeaderName::Authorization));
    assert!(ack.headers().has(&HeaderName::ProxyAuthorization));
    world.hang_up("alice");
    world.settle();
    let (flow, bye) = world.request("server");
    challenge(&mut world, flow, &bye, "407 Proxy Authentication Required", &[SHA256]);
    let (_, again) = world.request("server");
    assert_eq!(*again.method(), Method::Bye);
    assert_eq!(again.headers().cseq().number, bye.headers().cseq().number + 1);
    assert!(again.headers().has(&HeaderName::ProxyAuthorization));
    world.expect_rest();
}

// RFC 3261 9.1: a call that was taken back is not placed again.
#[test]
fn a_challenge_after_hanging_up_is_not_answered() {
    let (mut world, flow, first) = calling();
    world.send("server", flow, &reply_as(&first, "100 Trying", "", ""));
    world.settle();
    world.hang_up("alice");
    challenge(&mut world, flow, &first, "401 Unauthorized", &[SHA256]);
    assert!(answer(&mut world, &HeaderName::Authorization).is_none());
    assert_eq!(world.ending("alice"), Ending::Cancelled);
}

#[test]
fn a_password_does_not_print() {
    let printed = format!("{:?}", credentials());
    assert!(!printed.contains("sesame"));
    assert!(printed.contains("****"));
}
