//! Loops and storms: RFC 3261 16.3, RFC 5393, and rows LOOP-1 to LOOP-5 with the number of messages that they
//! cost. Test plan row 29.

use umbel_sim::callee::Manner;
use umbel_sim::company::{Company, ELSEWHERE, NUMBER, UM, invite};
use umbel_sim::office::By;
use umbel_sim::telephone::Invite;
use umbel_sim::{Place, ProtocolServer, Telephone, address};
use umbel_sip_message::{HeaderName, Method};

fn erin_calls(uri: &str) -> Invite {
    Invite::new(uri, "erin@third.test")
}

/// A company with erin, who may call its users, and nobody's telephone.
fn scene() -> (Company, Place<Telephone>) {
    let mut company = Company::new(1);
    let erin = company.somebody("erin", By::Tls);
    (company, erin)
}

/// INVITEs of all elements together.
fn invites(company: &Company) -> usize {
    company.world.ladder().requests(&Method::Invite).count()
}

/// LOOP-1: 483 at zero, and one less for each hop.
#[test]
fn hops_are_counted() {
    for (hops, answer, left) in [(0, 483, None), (1, 200, Some(0)), (70, 200, Some(69))] {
        let (mut company, erin) = scene();
        company.telephone("alice", Manner::answers_after(1));
        company.open();
        company.call(erin, Invite { hops, ..erin_calls("sip:alice@example.test") });
        company.wait(3);
        assert_eq!(company.world[erin].answers, [answer], "{hops}");
        let invites = company.invites("server", "alice");
        assert_eq!(invites.first().and_then(|invite| invite.headers().max_forwards()), left);
    }
}

/// LOOP-2: two users who forward to each other, in one domain: within a second, and nobody rings.
#[test]
fn two_users_who_forward_to_each_other_are_found_out_at_once() {
    let (mut company, erin) = scene();
    company.telephone("alice", Manner::rings());
    company.telephone("bob", Manner::rings());
    company.set_rule("alice", "forward-immediate", "bob@example.test");
    company.set_rule("bob", "forward-immediate", "alice@example.test");
    company.open();
    company.call(erin, erin_calls("sip:alice@example.test"));
    company.wait(1);
    assert!(matches!(company.world[erin].answers[..], [480 | 482]), "{:?}", company.world[erin].answers);
    assert_eq!(company.invited(), [""; 0]);
    assert_eq!(company.world.ladder().requests(&Method::Invite).count(), 1);
}

/// Alice here and alice elsewhere forward to each other, or ring each other as well.
fn across(rule: &str, more: &[(&str, &str)]) -> (Company, Place<Telephone>, Place<ProtocolServer>) {
    let (mut company, erin) = scene();
    let elsewhere = company.elsewhere();
    company.set_rule("alice", rule, &format!("sip:alice@{ELSEWHERE}"));
    company.world[elsewhere].set_rule(&format!("alice@{ELSEWHERE}"), rule, "sip:alice@example.test");
    for (rule, value) in more {
        company.set_rule("alice", rule, value);
        let mirrored = value.replace(ELSEWHERE, "example.test");
        company.world[elsewhere].set_rule(&format!("alice@{ELSEWHERE}"), rule, &mirrored);
    }
    company.open();
    company.call(erin, erin_calls("sip:alice@example.test"));
    (company, erin, elsewhere)
}

/// LOOP-2, RFC 5393 4: the same across two domains, where each knows its own half only.
#[test]
fn a_loop_across_two_domains_ends_within_a_second() {
    for rule in ["forward-immediate", "ring-also"] {
        let (mut company, erin, elsewhere) = across(rule, &[("no-voicemail", "yes")]);
        company.wait(1);
        // Erin's, the one to elsewhere, and the one that came back.
        assert_eq!(invites(&company), 3, "{rule}");
        let looped = company.world.ladder().responses().filter(|(_, r)| r.status().as_u16() == 482).count();
        assert!(looped >= 1, "{rule}");
        assert!(matches!(company.world[erin].answers[..], [400..=699]), "{:?}", company.world[erin].answers);
        company.wait(120);
        for server in [company.server, elsewhere] {
            assert!(company.world[server].is_at_rest(), "{rule}");
        }
    }
}

/// RFC 5393 3: each rings two users of the other, who ring two each: a storm without Max-Breadth and loop
/// detection, of 2 to the power of 70.
#[test]
fn a_storm_of_forks_blows_over() {
    let (mut company, erin) = scene();
    let elsewhere = company.elsewhere();
    let users = ["alice", "bob", "carol", "dave"];
    for user in users {
        let team = |host: &str| users.map(|member| format!("sip:{member}@{host}")).join(", ");
        let here = format!("{user}@example.test");
        company.world[company.server].set_rule(&here, "team", &team(ELSEWHERE));
        company.world[elsewhere].set_rule(&format!("{user}@{ELSEWHERE}"), "team", &team("example.test"));
    }
    company.open();
    company.call(erin, erin_calls("sip:alice@example.test"));
    company.wait(300);
    // Four there, four here for each of those, and so on as far as nobody is called twice on one way. The
    // bound is what RFC 5393 5.3 allows: breadth 60 shared by ten at each hop.
    let count = invites(&company);
    assert!(count <= 61, "{count} INVITEs");
    assert!(matches!(company.world[erin].answers[..], [400..=699]), "{:?}", company.world[erin].answers);
    for server in [company.server, elsewhere] {
        assert!(company.world[server].is_at_rest());
    }
}

/// LOOP-3: the own address as a target is dropped: no second fork, and 480 with 13000 for those inside.
#[test]
fn a_user_who_forwards_to_himself_is_not_rung_twice() {
    let mut company = Company::new(1);
    company.telephone("alice", Manner::rings());
    company.set_rule("alice", "forward-unanswered", "alice@example.test");
    company.set_rule("alice", "ring-also", "alice@example.test");
    let bob = company.user("bob", By::Tls);
    company.open();
    company.call(bob, invite("bob", "alice"));
    company.wait(25);
    assert_eq!(company.invited(), ["alice"]);
    assert_eq!(company.world[bob].answers, [480]);
    let response = company.world[bob].last_response.as_ref().expect("an answer");
    let diagnostics = response.headers().get(&HeaderName::MsDiagnostics).unwrap_or_default().into_owned();
    assert!(diagnostics.starts_with(b"13000;"), "{}", String::from_utf8_lossy(&diagnostics));
}

/// LOOP-3: nobody is rung twice in one call, by whatever names and ways.
#[test]
fn nobody_is_rung_twice() {
    let (mut company, erin) = scene();
    company.gateway(Manner::rings());
    company.telephone("alice", Manner::rings());
    company.telephone("carol", Manner::rings());
    company.set_rule("alice", "ring-also", NUMBER);
    company.set_rule("alice", "team", &format!("1003, carol@example.test, {NUMBER}, sip:carol@example.test"));
    company.set_rule("alice", "no-voicemail", "yes");
    company.open();
    company.call(erin, erin_calls("sip:alice@example.test"));
    company.wait(60);
    assert_eq!(company.invited(), ["alice", "gateway", "carol"]);
}

/// LOOP-5: what has been diverted often enough is diverted no more; what has not, is.
#[test]
fn diversions_are_counted() {
    let history = |entries: usize| {
        let entry = |at: usize| {
            format!("<sip:u{at}@third.test?Reason=SIP%3Bcause%3D302>;index={}", ["1"; 9][..at].join("."))
        };
        format!("History-Info: {}", (1..=entries).map(entry).collect::<Vec<_>>().join(", "))
    };
    let counted =
        |counter: u8| format!("Diversion: <sip:x@third.test>;reason=unknown;counter={counter};limit=5");
    for (line, answer, invited) in [
        (counted(5), 480, &[][..]),
        (counted(1), 200, &["um"]),
        (history(6), 480, &[]),
        (history(4), 200, &["um"]),
    ] {
        let mut company = Company::new(1);
        company.in_place_of_unified_messaging("um", UM, Manner::answers());
        let gateway = company.somebody_at("gateway", address(20), By::Tcp);
        company.open();
        company.call(gateway, erin_calls("sip:alice@example.test").line(&line));
        company.wait(3);
        assert_eq!(company.world[gateway].answers, [answer], "{line}");
        assert_eq!(company.invited(), invited, "{line}");
    }
}

/// RFC 5393 5.3.3: no breadth, no branch; a little, and it is shared.
#[test]
fn the_breadth_that_is_left_is_shared_by_the_branches() {
    let (mut company, erin) = scene();
    company.telephone("alice", Manner::rings());
    company.telephone("alice2", Manner::rings());
    company.open();
    company.call(erin, erin_calls("sip:alice@example.test").line("Max-Breadth: 0"));
    company.wait(1);
    assert_eq!(company.world[erin].answers, [440]);
    company.call(erin, erin_calls("sip:alice@example.test").line("Max-Breadth: 20"));
    company.wait(1);
    let breadths: Vec<u32> = ["alice", "alice2"]
        .iter()
        .flat_map(|who| company.invites("server", who))
        .filter_map(|invite| invite.headers().max_breadth().ok().flatten())
        .collect();
    assert_eq!(breadths.len(), 2);
    assert!(breadths.iter().sum::<u32>() <= 20 && !breadths.contains(&0), "{breadths:?}");
}
