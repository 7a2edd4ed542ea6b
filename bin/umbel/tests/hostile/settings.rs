//! Settings that trust more than usual, and what they still do not open: DEC-9, P4 in every setting; SEC-08.

use crate::certificates::{LISTED, Shown};
use crate::invite::{Invite, SKIP};
use crate::line::Line;
use crate::server::{Server, server};
use crate::wait::until;

// DEC-9: "the caller is then From, and asserted identities are still believed from listed peers only".
#[test]
fn any_tls_trusts_every_tls_connection_and_nothing_else() {
    let server = Server::start("trusted-transport = \"any-tls\"", "info");
    let mut tls = Line::tls(&server, Shown::Nothing);
    assert_eq!(Invite::skip().pin(&server, &mut tls), "skipped");
    assert_eq!(Invite::own().pin(&server, &mut tls), "prompted");
    assert_eq!(Invite::skip().pin(&server, &mut Line::tls(&server, Shown::Stranger)), "skipped");
    assert_eq!(Invite::skip().pin(&server, &mut Line::tcp(&server)), "prompted");
    let lie = "Via: SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bK-lie";
    assert_eq!(Invite::skip().with(lie).pin(&server, &mut Line::tcp(&server)), "prompted");

    // CMD-14: "CMD-5 holds in both".
    let own = "sip:alice@example.test;opaque=app:voicemail";
    let asserted = "P-Asserted-Identity: <sip:alice@example.test>";
    let by = |from: &str| Invite::from_to(from, own).with(SKIP);
    assert_eq!(by("<sip:bob@example.test>").pin(&server, &mut tls), "none");
    assert_eq!(by("<sip:bob@example.test>").with(asserted).pin(&server, &mut tls), "none");
    assert_eq!(by("<sip:dana@elsewhere.test>").with(asserted).pin(&server, &mut tls), "none");
    assert_eq!(Invite::skip().with("Referred-By: <sip:bob@example.test>").pin(&server, &mut tls), "prompted");
    assert_eq!(by("<sip:alice@example.test>").with(SKIP).pin(&server, &mut tls), "prompted");
    // The listed peer keeps its word.
    let mut listed = Line::trusted(&server);
    assert_eq!(by("<sip:dana@elsewhere.test>").with(asserted).pin(&server, &mut listed), "skipped");
    // SEC-33
    assert!(server.log().contains("any-tls"), "{}", server.log());
    server.never_panicked();
}

// DEC-29: "never for skip-pin"; DEC-9: plain TCP needs both settings.
#[test]
fn a_listed_address_on_plain_tcp_is_believed_but_never_let_in() {
    let server = Server::start("", "info");
    let file = server.path("umbel.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let list = format!("trusted-peers = [\"{LISTED}\"");
    let mut tcp = Line::tcp(&server);
    let mut tls = Line::trusted(&server);
    assert_eq!(Invite::skip().pin(&server, &mut tls), "skipped");

    std::fs::write(&file, text.replace(&list, "trusted-peers = [\"tcp:127.0.0.1\"")).unwrap();
    server.umbel(&["reload"]);
    assert_eq!(Invite::skip().pin(&server, &mut tcp), "prompted");
    let asserted = "P-Asserted-Identity: <sip:alice@example.test>";
    // DEC-5: it counts within a second.
    until("the reload to count", || {
        let anonymous = Invite::skip().by("<sip:anonymous@anonymous.invalid>").with(asserted);
        (anonymous.pin(&server, &mut tcp) == "prompted").then_some(())
    });

    // SEC-08: the peer that was taken off the list is not trusted on the connection that it still has.
    until("the reload to count", || (Invite::skip().pin(&server, &mut tls) == "prompted").then_some(()));
    std::fs::write(&file, &text).unwrap();
    server.umbel(&["reload"]);
    until("the reload to count", || (Invite::skip().pin(&server, &mut tls) == "skipped").then_some(()));
}

// SEC-32: one record for each decision, and exit 1 for a call that nobody knows.
#[test]
fn a_call_that_never_was_has_no_decision() {
    assert_eq!(server().decided("no-such-call@nowhere"), None);
}
