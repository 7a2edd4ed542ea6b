//! 3.1 as far as the protocol server goes: it has no part in `Ms-Exchange-Command` but to relay it, from
//! whom it has authenticated. Test plan row 7.

use umbel_proxy::{Config, Required};
use umbel_sim::address;
use umbel_sim::callee::Manner;
use umbel_sim::company::{Company, UM, UM2, to_voice_mail};
use umbel_sim::office::By;
use umbel_sim::telephone::Invite;
use umbel_sip_message::HeaderName;

/// Who calls.
enum Who {
    User(&'static str, By),
    Stranger,
    Gateway,
    Peer,
}

/// What a call to alice's voice mail is like when it comes to the voice mail servers, in order.
fn relayed(who: &Who, call: Invite, first: Manner, change: impl FnOnce(&mut Config)) -> Vec<String> {
    let mut company = Company::with(1, change);
    company.in_place_of_unified_messaging("um", UM, first);
    company.in_place_of_unified_messaging("um2", UM2, Manner::answers());
    company.telephone("alice", Manner::rings());
    let caller = match who {
        Who::User(name, by) => company.user(name, *by),
        Who::Stranger => company.somebody("erin", By::Tls),
        Who::Gateway => company.somebody_at("gateway", address(20), By::Tcp),
        Who::Peer => company.somebody("peer", By::MutualTls(UM2)),
    };
    company.open();
    company.call(caller, call);
    company.wait(5);
    assert_eq!(company.world[caller].answers, [200]);
    let to = ["um", "um2"].iter().flat_map(|to| company.invites("server", to));
    to.map(|request| String::from_utf8_lossy(request.as_bytes()).into_owned()).collect()
}

fn by_alice(line: &str) -> Vec<String> {
    let call = to_voice_mail("alice", "alice").line(line);
    relayed(&Who::User("alice", By::Tls), call, Manner::answers(), |_| {})
}

/// OCEXUM-3.1-P-1, OCEXUM-4-6: octet for octet, and whatever it says.
#[test]
fn the_header_passes_as_it_came() {
    for line in [
        "Ms-Exchange-Command: skip-pin",
        "ms-exchange-command:SKIP-pin",
        "MS-EXCHANGE-COMMAND  :   skip-pin",
        "Ms-Exchange-Command:\r\n skip-pin",
        "Ms-Exchange-Command: something-else;x=y",
        "Ms-Exchange-Command: skip-pin\r\nMs-Exchange-Command: skip-pin",
    ] {
        let relayed = by_alice(line);
        assert_eq!(relayed.len(), 1);
        assert!(relayed[0].contains(&format!("\r\n{line}\r\n")), "{}", relayed[0]);
        let count = line.to_lowercase().matches("ms-exchange-command").count();
        assert_eq!(relayed[0].to_lowercase().matches("ms-exchange-command").count(), count);
    }
}

/// OCEXUM-3.1-P-1: "P's routing does not depend on `skip-pin`"; nor is it added.
#[test]
fn a_call_without_the_header_goes_the_same_way_without_it() {
    let (with, without) = (by_alice("Ms-Exchange-Command: skip-pin"), by_alice("Subject: x"));
    assert!(!without[0].to_lowercase().contains("ms-exchange-command"));
    let request_line = |text: &str| text.lines().next().map(str::to_owned);
    assert_eq!(request_line(&with[0]), request_line(&without[0]));
    assert_eq!((with.len(), without.len()), (1, 1));
}

/// CMD-3, EUMR-8, EUMR-9: through a redirection and through a failover.
#[test]
fn the_second_server_gets_the_header_too() {
    let pointing = Manner::redirects(302, &format!("sip:{UM2};transport=tls"));
    for first in [pointing, Manner::refuses(503), Manner::refuses(500), Manner::silent()] {
        let call = to_voice_mail("alice", "alice").skip_pin();
        let relayed = relayed(&Who::User("alice", By::Tls), call, first.clone(), |_| {});
        assert_eq!(relayed.len(), 2, "{first:?}");
        for text in &relayed {
            assert_eq!(text.matches("\r\nMs-Exchange-Command: skip-pin\r\n").count(), 1, "{first:?}: {text}");
            assert_eq!(text.matches("\r\nP-Asserted-Identity: <sip:alice@example.test>\r\n").count(), 1);
        }
    }
}

/// OCEXUM-3.1-P-1, DEC-15: the client's own leg may be in clear; it is the person that was authenticated.
#[test]
fn the_transport_of_the_clients_leg_does_not_matter() {
    for by in [By::Tls, By::Tcp] {
        let call = to_voice_mail("alice", "alice").skip_pin();
        let relayed = relayed(&Who::User("alice", by), call, Manner::answers(), |_| {});
        assert!(relayed[0].contains("\r\nMs-Exchange-Command: skip-pin\r\n"), "{by:?}");
    }
}

/// OCEXUM-3.1-P-2, DEC-15, SEC-22: nobody else's passes.
#[test]
fn the_header_of_whom_nobody_has_authenticated_is_removed() {
    let from = |call: Invite, from: &str| Invite { from: from.to_owned(), ..call };
    let erin = || from(to_voice_mail("erin", "alice").skip_pin(), "<sip:erin@elsewhere.test>");
    for who in [Who::Stranger, Who::Gateway] {
        let relayed = relayed(&who, erin(), Manner::answers(), |_| {});
        assert!(!relayed[0].to_lowercase().contains("ms-exchange-command"), "{}", relayed[0]);
    }
    // A listed peer has authenticated whom it speaks for.
    let by_peer = relayed(&Who::Peer, erin(), Manner::answers(), |_| {});
    assert!(by_peer[0].contains("\r\nMs-Exchange-Command: skip-pin\r\n"), "{}", by_peer[0]);
    // DEC-15: "and always under `authentication = "none"`".
    let call = to_voice_mail("bob", "alice").skip_pin();
    let who = Who::User("bob", By::Tls);
    let relayed = relayed(&who, call, Manner::answers(), |config| config.authentication = Required::None);
    assert!(relayed.iter().all(|text| !text.to_lowercase().contains("ms-exchange-command")), "{relayed:?}");
}

/// REG-4: who has a password does not speak for another.
#[test]
fn a_user_in_anothers_name_is_refused() {
    let mut company = Company::new(1);
    company.in_place_of_unified_messaging("um", UM, Manner::answers());
    let bob = company.user("bob", By::Tls);
    company.open();
    company.call(bob, to_voice_mail("alice", "alice").skip_pin());
    company.wait(2);
    assert_eq!(company.world[bob].answers, [403]);
    assert_eq!(company.invited(), [""; 0]);
}

/// OCEXUM-2.2.1-1: what the client writes into other requests is nobody's command; the server adds none.
#[test]
fn telephones_that_are_rung_see_the_asserted_caller_and_no_credentials() {
    let mut company = Company::new(1);
    company.telephone("bob", Manner::answers_after(1));
    let alice = company.user("alice", By::Tls);
    company.open();
    company.call(alice, umbel_sim::company::invite("alice", "bob"));
    company.wait(3);
    let call = &company.invites("server", "bob")[0];
    assert!(!call.headers().has(&HeaderName::MsExchangeCommand));
    assert!(!call.headers().has(&HeaderName::ProxyAuthorization));
    let asserted = call.headers().get(&HeaderName::PAssertedIdentity).unwrap_or_default();
    assert_eq!(&*asserted, b"<sip:alice@example.test>");
}
