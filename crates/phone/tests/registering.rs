//! Registering and staying registered: RFC 3261 10.2, RFC 5626, RFC 8760.

mod stage;

use std::time::Duration;

use stage::{OWNER, Stage, config};
use umbel_node::Transport;
use umbel_phone::{Order, Registration};
use umbel_sip_message::{HeaderName, Method, StatusCode};

const HOUR: Duration = Duration::from_secs(3_600);

fn registered(authenticated: bool) -> Registration {
    Registration::Registered { expires: HOUR, authenticated }
}

// RFC 3261 10.2, RFC 5626 4.2.1, RFC 8760 2.4
#[test]
fn it_registers_with_outbound_and_the_better_digest() {
    let mut stage = Stage::new(Transport::Tls, config(Transport::Tls));
    stage.register(true);
    let register = stage.last(&Method::Register);
    let headers = register.headers();
    assert_eq!(register.request_uri().as_str(), "sip:example.test");
    assert_eq!(headers.to().uri.as_str(), OWNER);
    assert_eq!(headers.from().uri.as_str(), OWNER);
    let contact = headers.get_text(&HeaderName::Contact).expect("a contact").into_owned();
    assert!(contact.contains("reg-id=1") && contact.contains("+sip.instance"), "{contact}");
    assert!(headers.has_token(&HeaderName::Supported, "outbound"));
    let credentials = headers.get_text(&HeaderName::Authorization).expect("credentials").into_owned();
    assert!(credentials.contains("algorithm=SHA-256"), "{credentials}");
    assert_eq!(stage.registrations(), [registered(true)]);
}

/// OCEXUM-2.2.1-4: whether the server asked for the password is told.
#[test]
fn a_registration_without_a_challenge_is_not_authenticated() {
    let mut stage = Stage::new(Transport::Tls, config(Transport::Tls));
    stage.register(false);
    assert_eq!(stage.registrations(), [registered(false)]);
}

#[test]
fn it_refreshes_before_the_end_and_keeps_the_connection_alive() {
    let mut stage = Stage::registered();
    stage.wait(HOUR - Duration::from_secs(601));
    assert_eq!(stage.methods(), ["REGISTER", "REGISTER"]);
    assert!(stage.pings >= 20, "RFC 5626 4.4.1: {} pings", stage.pings);
    stage.wait(Duration::from_secs(2));
    assert_eq!(stage.methods().len(), 3);
    stage.challenge(&Method::Register, "example.test");
    stage.accept_registration();
    assert_eq!(stage.registrations(), [registered(true); 2]);
}

// RFC 5626 4.5
#[test]
fn a_lost_connection_is_opened_again_with_growing_waits() {
    let mut stage = Stage::registered();
    stage.listening = false;
    stage.cut();
    assert_eq!(stage.registrations().last(), Some(&Registration::Lost { status: None }));
    stage.wait(Duration::from_secs(14));
    assert_eq!(stage.registrations().len(), 2, "not before 15 s");
    stage.wait(Duration::from_secs(600));
    let attempts = stage.registrations().len() - 2;
    assert!((3..=8).contains(&attempts), "{attempts} attempts in ten minutes");
    stage.listening = true;
    let sent = stage.requests.len();
    let asked_again = (0..1_800).any(|_| {
        stage.wait(Duration::from_secs(1));
        stage.requests.len() > sent
    });
    assert!(asked_again, "within half an hour at most");
    stage.challenge(&Method::Register, "example.test");
    stage.accept_registration();
    assert_eq!(stage.registrations().last(), Some(&registered(true)));
    // Calls go along the new connection.
    stage.call("sip:bob@example.test");
    assert_eq!(stage.last(&Method::Invite).request_uri().as_str(), "sip:bob@example.test");
}

/// SEC-50: a wrong password is not tried again.
#[test]
fn a_wrong_password_is_told_and_not_tried_again() {
    let mut stage = Stage::new(Transport::Tls, config(Transport::Tls));
    stage.order(Order::Register);
    stage.challenge(&Method::Register, "example.test");
    stage.challenge(&Method::Register, "example.test");
    assert_eq!(stage.registrations(), [Registration::Refused(StatusCode::UNAUTHORIZED)]);
    let sent = stage.requests.len();
    stage.wait(HOUR * 24);
    assert_eq!(stage.requests.len(), sent);
}

/// SEC-50: nothing is answered to another realm.
#[test]
fn another_realm_gets_no_credentials() {
    let mut stage = Stage::new(Transport::Tls, config(Transport::Tls));
    stage.order(Order::Register);
    stage.challenge(&Method::Register, "elsewhere.test");
    assert_eq!(stage.registrations(), [Registration::Refused(StatusCode::UNAUTHORIZED)]);
    assert_eq!(stage.methods(), ["REGISTER"]);
}

#[test]
fn it_withdraws_when_ordered() {
    let mut stage = Stage::registered();
    stage.order(Order::Unregister);
    assert_eq!(stage.last(&Method::Register).headers().expires(), Ok(Some(0)));
    stage.answer(&Method::Register, StatusCode::OK);
    assert_eq!(stage.registrations().last(), Some(&Registration::Withdrawn));
    assert!(stage.telephone.is_settled());
}
