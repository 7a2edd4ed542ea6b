//! 2.1: "Messages MUST be transported over Transmission Control Protocol (TCP) or Transport Layer Security
//! (TLS)."

use umbel_sim::Office;
use umbel_sim::office::{By, PROXY, invite, to_own_voice_mail};
use umbel_sip_message::Method;

/// OCEXUM-2.1-1, PEER-1.
#[test]
fn calls_are_taken_over_tcp_and_over_tls() {
    for by in [By::Tcp, By::Tls, By::MutualTls(PROXY)] {
        let mut office = Office::new(1);
        let erin = office.caller("erin", by);
        office.call(erin, invite("erin", "alice"));
        assert_eq!(office.world[erin].answers, [200], "{by:?}");
    }
}

/// OCEXUM-2.1-2, DEC-1: requests of ours name the transport of the call, of which there are two.
#[test]
fn our_own_requests_travel_the_way_the_call_came() {
    for (by, token) in [(By::Tcp, "TCP"), (By::Tls, "TLS"), (By::MutualTls(PROXY), "TLS")] {
        let mut office = Office::new(1);
        let erin = office.caller("erin", by);
        office.call(erin, to_own_voice_mail("alice"));
        office.wait(60);
        let ours: Vec<_> = office.world.ladder().requests(&Method::Bye).collect();
        assert_eq!(ours.len(), 1, "{by:?}");
        assert!(ours.iter().all(|(_, bye)| bye.headers().via().transport() == token), "{by:?}");
    }
}

/// OCEXUM-2.1-3, CMD-4: what a message says of its transport changes nothing.
#[test]
fn a_via_that_claims_tls_does_not_make_tcp_trusted() {
    let mut office = Office::new(1);
    let alice = office.caller("alice", By::Tcp);
    let claims = "Record-Route: <sip:proxy.example.test;transport=tls;lr>";
    office.call(alice, to_own_voice_mail("alice").skip_pin().line(claims).line("X-Forwarded-Proto: tls"));
    office.wait(1);
    assert!(office.server().has_said("enter-pin"));
    assert_eq!(office.why_pin(alice).0, "prompted");
}
