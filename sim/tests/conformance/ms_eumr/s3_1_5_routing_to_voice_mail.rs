//! 3.1.5: what the protocol server makes of a call before it passes it to a unified messaging server, and to
//! which. Test plan rows 26 and 27.

use umbel_sim::callee::Manner;
use umbel_sim::company::{Company, UM, UM2, invite, to_voice_mail};
use umbel_sim::office::By;
use umbel_sim::telephone::{Do, Invite};
use umbel_sim::{Callee, Place, Telephone, address, certificate};
use umbel_sip_message::{HeaderName, Method, Request};

/// Two servers that stand for voice mail, alice's telephone, and bob, who calls.
struct Scene {
    company: Company,
    bob: Place<Telephone>,
}

impl Scene {
    fn new(alice: Manner, first: Manner, second: Manner) -> Scene {
        let mut company = Company::new(1);
        company.in_place_of_unified_messaging("um", UM, first);
        company.in_place_of_unified_messaging("um2", UM2, second);
        company.telephone("alice", alice);
        let bob = company.user("bob", By::Tls);
        company.open();
        Scene { company, bob }
    }

    /// Voice mail answers at once.
    fn answering(alice: Manner) -> Scene {
        Scene::new(alice, Manner::answers(), Manner::answers())
    }

    fn call(&mut self, call: Invite) -> &[u16] {
        self.company.call(self.bob, call);
        self.company.wait(40);
        self.company.world.order(self.bob, Do::HangUp);
        self.company.wait(40);
        &self.company.world[self.bob].answers
    }

    /// The INVITE that came to the first server.
    fn invite(&self) -> Request {
        self.company.invites("server", "um").pop().expect("an INVITE to voice mail")
    }
}

fn values(request: &Request, name: &HeaderName) -> Vec<String> {
    request.headers().all(name).map(|value| String::from_utf8_lossy(&value).into_owned()).collect()
}

/// EUMR-1, EUMR-10, EUMR-20: what a client writes about diversions and identities goes no further.
#[test]
fn forged_diversions_and_identities_do_not_reach_voice_mail() {
    let mut scene = Scene::answering(Manner::rings());
    let forged = to_voice_mail("bob", "alice")
        .line("Diversion: <sip:carol@example.test>;reason=no-answer")
        .line("Diversion: <sip:dave@example.test>;reason=user-busy")
        .line("History-Info: <sip:carol@example.test>;index=1")
        .line("P-Asserted-Identity: <sip:carol@example.test>");
    assert_eq!(scene.call(forged), [200]);
    let invite = scene.invite();
    assert_eq!(values(&invite, &HeaderName::Diversion), ["<sip:alice@example.test>;reason=unconditional"]);
    assert_eq!(values(&invite, &HeaderName::PAssertedIdentity), ["<sip:bob@example.test>"]);
    assert!(!String::from_utf8_lossy(invite.as_bytes()).contains("carol"));
}

/// EUMR-3: "if they are equal, no Diversion header is added".
#[test]
fn a_call_to_the_own_mailbox_has_no_diversion() {
    for uri in ["sip:bob@example.test;opaque=app:voicemail", "sip:voicemail@example.test"] {
        let mut scene = Scene::answering(Manner::rings());
        let call = Invite::new(uri, "bob@example.test").line("Diversion: <sip:bob@example.test>;reason=away");
        assert_eq!(scene.call(call), [200]);
        let invite = scene.invite();
        assert_eq!(values(&invite, &HeaderName::Diversion), [""; 0]);
        assert_eq!(values(&invite, &HeaderName::HistoryInfo), [""; 0], "DEC-11");
    }
}

/// EUMR-2, EUMR-4, EUMR-11, EUMR-12: one Diversion, whose reason is why the call came; To as it was.
#[test]
fn a_diverted_call_says_for_whom_and_why() {
    let to_own = "sip:alice@example.test;opaque=app:voicemail";
    for (alice, rule, reason, cause) in [
        (Manner::rings(), None, "no-answer", 408),
        (Manner::refuses_after(1, 486), None, "user-busy", 486),
        (Manner::refuses_after(1, 600), None, "user-busy", 486),
        (Manner::refuses_after(1, 480), None, "no-answer", 408),
        (Manner::deflects_after(1, 303, to_own), None, "deflection", 487),
        (Manner::rings(), Some(("forward-immediate", "voicemail")), "unconditional", 302),
        (Manner::rings(), Some(("do-not-disturb", "yes")), "do-not-disturb", 302),
    ] {
        let mut scene = Scene::answering(alice.clone());
        if let Some((rule, value)) = rule {
            scene.company.set_rule("alice", rule, value);
        }
        assert_eq!(scene.call(invite("bob", "alice")), [200], "{alice:?}");
        let invite = scene.invite();
        let expected = format!("<sip:alice@example.test>;reason={reason}");
        assert_eq!(values(&invite, &HeaderName::Diversion), [expected], "{alice:?}");
        let history = [
            format!("<sip:alice@example.test?Reason=SIP%3Bcause%3D{cause}>;index=1"),
            "<sip:alice@example.test;opaque=app:voicemail>;index=1.1;mp=1".to_owned(),
        ];
        assert_eq!(values(&invite, &HeaderName::HistoryInfo), history);
        assert_eq!(invite.request_uri().as_str(), "sip:alice@example.test;opaque=app:voicemail");
        assert_eq!(values(&invite, &HeaderName::To), ["<sip:alice@example.test>"]);
    }
}

/// EUMR-4: nobody is registered.
#[test]
fn a_call_to_nobodys_telephone_is_diverted_as_unavailable() {
    let mut scene = Scene::answering(Manner::rings());
    assert_eq!(scene.call(invite("bob", "carol")), [200]);
    let diversion = values(&scene.invite(), &HeaderName::Diversion);
    assert_eq!(diversion, ["<sip:carol@example.test>;reason=unavailable"]);
}

/// URI-1, URI-2: however it is written, and never to the telephones.
#[test]
fn a_voice_mail_address_goes_to_voice_mail_only() {
    for parameters in [";opaque=app:voicemail", ";gruu;opaque=app:voicemail", ";opaque=APP:VoiceMail;gruu"] {
        let mut scene = Scene::answering(Manner::answers_after(1));
        let uri = format!("sip:alice@example.test{parameters}");
        assert_eq!(scene.call(Invite::new(&uri, "bob@example.test")), [200]);
        assert_eq!(scene.company.invited(), ["um"], "{parameters}");
    }
    let mut scene = Scene::answering(Manner::answers_after(1));
    assert_eq!(
        scene.call(Invite::new("sip:nobody@example.test;opaque=app:voicemail", "bob@example.test")),
        [404]
    );
    assert_eq!(scene.company.invited(), [""; 0], "URI-4");
}

/// EUMR-7, EUMR-8: the next server on 503, other 5xx and silence; not on 4xx and 6xx.
#[test]
fn the_next_server_is_tried_when_it_may_help() {
    for first in [Manner::refuses(503), Manner::refuses(500), Manner::refuses(580), Manner::silent()] {
        let mut scene = Scene::new(Manner::rings(), first.clone(), Manner::answers());
        assert_eq!(scene.call(to_voice_mail("bob", "alice")), [200], "{first:?}");
        assert_eq!(scene.company.invited(), ["um", "um2"], "{first:?}");
    }
    for status in [404, 480, 486, 488, 600, 603] {
        let mut scene = Scene::new(Manner::rings(), Manner::refuses(status), Manner::answers());
        assert_eq!(scene.call(to_voice_mail("bob", "alice")), [status]);
        assert_eq!(scene.company.invited(), ["um"], "{status}");
    }
}

/// EUMR-8: "give up after all: 480 (call answering) or 503 (subscriber access)".
#[test]
fn when_no_server_serves_the_caller_is_told() {
    let refusing = || Scene::new(Manner::rings(), Manner::refuses(503), Manner::refuses(500));
    assert_eq!(refusing().call(to_voice_mail("bob", "alice")), [480]);
    assert_eq!(refusing().call(invite("bob", "carol")), [480]);
    assert_eq!(refusing().call(to_voice_mail("bob", "bob")), [503]);
}

/// EUMR-9: followed, as far as three times, and unseen by the caller.
#[test]
fn a_chain_of_servers_is_followed_to_its_end() {
    let mut scene = Scene::new(
        Manner::rings(),
        Manner::redirects(302, &format!("sip:{UM2};transport=tls")),
        Manner::redirects(302, &format!("sip:{UM}:5067;transport=tls")),
    );
    let worker = worker_of_the_first(&mut scene.company, Manner::answers());
    assert_eq!(scene.call(to_voice_mail("bob", "alice")), [200]);
    assert_eq!(scene.company.invited(), ["um", "um2", "worker"]);
    // EUMR-11: each is asked for the same.
    let last = &scene.company.world[worker].invites[0];
    assert_eq!(last.request_uri().as_str(), "sip:alice@example.test;opaque=app:voicemail");
    assert_eq!(values(last, &HeaderName::Diversion).len(), 1);
    let seen = scene.company.world.ladder().responses().filter(|(rung, _)| rung.to == "bob'");
    assert!(seen.into_iter().all(|(_, response)| !response.status().is_redirection()));
}

/// EUMR-9: a circle of servers ends after three.
#[test]
fn servers_that_point_at_each_other_are_left_after_three_hops() {
    let mut scene = Scene::new(
        Manner::rings(),
        Manner::redirects(302, &format!("sip:{UM2};transport=tls")),
        Manner::redirects(302, &format!("sip:{UM};transport=tls")),
    );
    assert_eq!(scene.call(to_voice_mail("bob", "alice")), [480]);
    assert_eq!(scene.company.invited(), ["um", "um2", "um", "um2"]);
}

/// EUMR-9: "Contacts outside the configured UM hosts are not followed", and the caller does not see them.
#[test]
fn a_redirection_to_somebody_unknown_is_not_followed() {
    for contact in
        ["sip:um.evil.test;transport=tls", "sip:carol@example.test", "sip:um.example.test.evil.test"]
    {
        let mut scene = Scene::new(Manner::rings(), Manner::redirects(302, contact), Manner::answers());
        scene.company.world.resolve("um.evil.test", [umbel_sim::tls(address(66), "um.evil.test")]);
        let answers = scene.call(to_voice_mail("bob", "alice")).to_vec();
        assert_eq!(scene.company.invited(), ["um"], "{contact}");
        assert_eq!(answers, [480], "{contact}");
    }
}

/// LOOP-3, found by exploration: a server to which another points is not tried once more when it has failed.
#[test]
fn who_was_pointed_to_and_failed_is_not_the_next_to_be_tried() {
    for second in [Manner::refuses(503), Manner::silent()] {
        let pointing = Manner::redirects(302, &format!("sip:{UM2};transport=tls"));
        let mut scene = Scene::new(Manner::rings(), pointing, second);
        assert_eq!(scene.call(to_voice_mail("bob", "alice")), [480]);
        assert_eq!(scene.company.invited(), ["um", "um2"]);
    }
}

/// MWI-2, SEC-56: questions about messages go the same way, for one's own mailbox.
#[test]
fn nothing_but_invites_and_subscriptions_goes_to_voice_mail() {
    let mut scene = Scene::answering(Manner::rings());
    assert_eq!(scene.call(to_voice_mail("bob", "alice")), [200]);
    let others: Vec<String> = scene
        .company
        .world
        .ladder()
        .rungs()
        .iter()
        .filter(|rung| rung.from == "server" && rung.to == "um")
        .map(|rung| rung.what.to_string())
        .filter(|what| !["INVITE", "ACK", "BYE", "OPTIONS"].iter().any(|known| what.starts_with(known)))
        .collect();
    assert_eq!(others, [""; 0]);
    let byes = scene.company.world.ladder().requests(&Method::Bye);
    assert_eq!(byes.filter(|(rung, _)| rung.to == "um").count(), 1);
}

/// The worker of [`UM`]: the same machine, another port.
fn worker_of_the_first(company: &mut Company, manner: Manner) -> Place<Callee> {
    let worker = Callee::new(address(1), &format!("sip:{UM}:5067;transport=tls"), manner);
    let worker = company.world.add("worker", address(1), worker);
    company.world.listen_tls(worker, 5_067, certificate(&[UM]));
    worker
}
