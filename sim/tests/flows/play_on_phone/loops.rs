//! A call of ours that comes back to us: LOOP-6, LOOP-7, SENS-17, SEC-41.

use bytes::Bytes;
use umbel_play_on_phone::{CallState, EventCause};
use umbel_sim::callee::Manner;
use umbel_sim::office::{By, PROXY, invite, to_own_voice_mail};
use umbel_sim::telephone::Do;
use umbel_sip_message::Request;

use super::{Alone, standings};

/// Our INVITE as the proxy got it, with these replacements, as somebody else sends it to us; gives what it gets.
fn comes_back(change: impl Fn(&Request, String) -> String) -> (Alone, Vec<u16>) {
    let mut alone = Alone::new(Manner::rings());
    alone.ask();
    alone.wait(1);
    let ours = alone.office.world[alone.proxy].invites[0].clone();
    let text = String::from_utf8_lossy(ours.as_bytes()).into_owned();
    let sent_by = "Via: SIP/2.0/TLS proxy.example.test;branch=z9hG4bK-back\r\nVia: ";
    let text = change(&ours, text.replacen("Via: ", sent_by, 1));
    // A peer that is listed, so that nothing but the loop decides.
    let back = alone.office.caller("back", By::MutualTls(PROXY));
    alone.office.order(back, Do::Say(Bytes::from(text)), std::time::Duration::from_secs(1));
    let answers: Vec<u16> = alone
        .office
        .world
        .ladder()
        .responses()
        .filter(|(rung, _)| rung.from == "um" && rung.to == "back")
        .map(|(_, response)| response.status().as_u16())
        .filter(|status| *status >= 200)
        .collect();
    (alone, answers)
}

/// LOOP-7, SEC-41: as it was sent; with another Request-URI and Max-Forwards; and by somebody who made a call of his
/// own of it, with all names changed.
#[test]
fn a_call_of_ours_that_comes_back_is_refused_and_nothing_is_recorded() {
    let retargeted = |_: &Request, text: String| {
        text.replacen("INVITE sip:alice@example.test ", "INVITE sip:alice@192.0.2.1:5061;transport=tls ", 1)
            .replace("Max-Forwards: 70", "Max-Forwards: 64")
            .replace(
                "Ms-Sensitivity: private-no-diversion\r\n",
                "Diversion: <sip:alice@example.test>;reason=no-answer\r\n",
            )
    };
    let replaced = |ours: &Request, text: String| {
        let tag = ours.headers().from().tag().unwrap_or_default().to_owned();
        text.replace(ours.headers().call_id(), "another-call").replace(&tag, "another-tag")
    };
    let as_is = |_: &Request, text: String| text;
    for (what, (mut alone, answers)) in [
        ("as it is", comes_back(as_is)),
        ("retargeted", comes_back(retargeted)),
        ("replaced", comes_back(replaced)),
    ] {
        assert_eq!(answers, [482], "{what}");
        assert_eq!(alone.office.server().messages("alice@example.test").len(), 1, "{what}");
        assert!(alone.office.server().missed_calls("alice@example.test").is_empty(), "{what}");
        assert!(alone.office.server().said.is_empty(), "{what}");
        alone.wait(200);
        assert!(alone.office.server().is_at_rest(), "{what}");
    }
}

/// The other direction: what others do meanwhile is not taken for our call.
#[test]
fn calls_of_others_meanwhile_are_served() {
    let mut alone = Alone::new(Manner::rings());
    let id = alone.ask();
    alone.wait(1);
    let alice = alone.office.caller("alice", By::MutualTls(PROXY));
    alone.office.call(alice, to_own_voice_mail("alice").skip_pin());
    alone.wait(1);
    assert_eq!(alone.office.world[alice].answers, [200]);
    let bob = alone.office.caller("bob", By::MutualTls(PROXY));
    // A call that must not be diverted, by somebody else, to voice mail itself.
    alone.office.call(bob, invite("bob", "alice").line("Ms-Sensitivity: private-no-diversion"));
    alone.wait(1);
    assert_eq!(alone.office.world[bob].answers, [200]);
    assert_eq!(standings(&alone.news(id)), [(CallState::Alerted, EventCause::None, Some(180))]);
}

/// SENS-17, and LOOP-6 with it: unanswered, nothing follows, whatever the callee's rules; a call that somebody
/// diverted to us is call answering for whom it names.
#[test]
fn an_unanswered_call_is_not_tried_elsewhere() {
    let mut alone = Alone::new(Manner::refuses(480));
    alone.ask();
    alone.wait(300);
    assert_eq!(alone.invites(), 1);
    let bob = alone.office.caller("bob", By::MutualTls(PROXY));
    let diverted = invite("bob", "alice").line("Diversion: <sip:alice@example.test>;reason=no-answer");
    alone.office.call(bob, diverted);
    alone.wait(1);
    assert_eq!(alone.office.world[bob].answers, [200]);
    let kinds: Vec<_> = alone.office.server().calls().iter().map(|call| call.kind).collect();
    assert!(kinds.contains(&umbel_store::CallKind::CallAnswering), "{kinds:?}");
}
