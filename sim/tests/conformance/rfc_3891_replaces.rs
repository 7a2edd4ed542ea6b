//! Taking the other side's place in a call, through the protocol server: RFC 3891 3 and the transfers of
//! RFC 5589 7, with telephones for people.

use std::time::Duration;

use umbel_phone::{Answering, Config, How};
use umbel_sim::company::{Company, invite};
use umbel_sim::office::By;
use umbel_sim::telephone::{Do, Invite};
use umbel_sim::{Place, Softphone, Telephone};
use umbel_sip_message::{HeaderName, Method, Request, StatusCode};

fn answers(config: &mut Config) {
    config.answering = Answering::After { ringing: Duration::from_secs(1), play_on_phone: false };
}

/// Alice in a call with bob, whose telephone is one for people, and in another one with carol.
struct Scene {
    company: Company,
    with_bob: Place<Telephone>,
    with_carol: Place<Telephone>,
    bob: Place<Softphone>,
    carol: Place<Softphone>,
}

fn scene_with(change: impl Fn(&mut Config)) -> Scene {
    let mut company = Company::new(7);
    let settings = |config: &mut Config| {
        answers(config);
        change(config);
    };
    let (bob, carol) = (company.softphone("bob", settings), company.softphone("carol", settings));
    let with_bob = company.user("alice", By::Tls);
    let with_carol = company.user("alice", By::Tls);
    // What carol's telephone says is what the caller hears.
    company.set_rule("carol", "no-voicemail", "yes");
    company.open();
    for (place, user) in [(with_bob, "bob"), (with_carol, "carol")] {
        company.call(place, invite("alice", user));
    }
    company.wait(3);
    assert_eq!(
        (company.world[with_bob].answers.as_slice(), company.world[with_carol].answers.as_slice()),
        (&[200][..], &[200][..])
    );
    assert!(company.world[bob].is_registered() && company.world[carol].is_registered());
    company.world.forget_ladder();
    Scene { company, with_bob, with_carol, bob, carol }
}

fn scene() -> Scene {
    scene_with(|_| {})
}

impl Scene {
    /// Replaces, as it names alice's call with carol to carol's telephone.
    fn replaces(&self) -> String {
        self.company.world[self.with_carol].replaces()
    }

    fn requests(&self, from: &str, method: &Method) -> Vec<Request> {
        let requests = self.company.world.ladder().requests(method);
        requests.filter(|(rung, _)| rung.from == from).map(|(_, request)| request.clone()).collect()
    }

    /// Carol's calls that are up.
    fn carols(&self) -> Vec<String> {
        self.company.world[self.carol].talks_in().into_iter().map(str::to_owned).collect()
    }

    /// Somebody invites carol, with this header line.
    fn invites_carol(&mut self, from: &str, line: &str) -> Place<Telephone> {
        let place = self.company.user(from, By::Tls);
        self.company.call(place, invite(from, "carol").line(line));
        self.company.wait(3);
        place
    }
}

/// RFC 5589 7.1, figure 7: alice puts bob through to carol. Bob's telephone says whose place it takes, carol's
/// answers at once and hangs up on alice, and alice hears what came of it.
#[test]
fn an_attended_transfer_connects_the_two_others() {
    let mut scene = scene();
    let first = scene.company.world[scene.with_carol].call_id();
    let value = escaped(&scene.replaces());
    let lines = vec![
        format!("Refer-To: <sip:carol@example.test?Replaces={value}>"),
        "Referred-By: <sip:alice@example.test>".to_owned(),
    ];
    scene.company.world.order(scene.with_bob, Do::Request(Method::Refer, lines));
    scene.company.wait(3);

    let invites = scene.requests("bob", &Method::Invite);
    let taken = invites.last().expect("bob's telephone calls carol");
    assert_eq!(taken.request_uri().as_str(), "sip:carol@example.test");
    assert!(taken.headers().has(&HeaderName::Replaces));
    let call_id = taken.headers().call_id().to_owned();
    assert_eq!(scene.carols(), [call_id.as_str()]);
    assert_eq!(scene.company.world[scene.bob].talks_in(), [call_id.as_str()]);
    // Carol has hung up on alice, and bob's telephone has, too.
    assert_eq!(scene.company.world[scene.with_carol].hung_up_on, 1);
    assert_eq!(scene.company.world[scene.with_bob].hung_up_on, 1);
    assert_eq!(scene.company.world[scene.carol].ended(), [(first.as_str(), &How::ByUs)]);
    let rang = scene
        .company
        .world
        .ladder()
        .responses()
        .any(|(rung, response)| rung.from == "carol" && response.status() == StatusCode::RINGING);
    assert!(!rang, "nothing rings: carol is in the call already");
    let fragments = scene.requests("bob", &Method::Notify);
    let last = fragments.last().expect("alice is told");
    assert_eq!(String::from_utf8_lossy(last.body()).trim_end(), "SIP/2.0 200 OK");
}

/// RFC 3891 3: a name that is not quite that of the call, one of the two that there are.
#[test]
fn who_does_not_know_the_call_does_not_get_it() {
    let mut scene = scene();
    let value = scene.replaces();
    let (call_id, tags) = value.split_once(';').expect("tags");
    for wrong in [format!("x{call_id};{tags}"), format!("{value}x"), value.replace("to-tag=", "to-tag=x")] {
        let dave = scene.invites_carol("dave", &format!("Replaces: {wrong}"));
        assert_eq!(scene.company.world[dave].answers, [481], "{wrong}");
    }
    assert_eq!(scene.company.world[scene.with_carol].hung_up_on, 0);
    assert_eq!(scene.carols().len(), 1);
}

/// RFC 3891 3: what her telephone refuses is heard, and is no message; a call without Replaces goes to voice mail, where
/// there is one.
#[test]
fn a_place_that_is_refused_is_not_taken_by_voice_mail() {
    let mut scene = scene();
    scene.company.set_rule("carol", "no-voicemail", "no");
    let stranger = scene.invites_carol("dave", "Replaces: nobody@example.test;to-tag=1;from-tag=2");
    assert_eq!(scene.company.world[stranger].answers, [481]);
    let ordinary = scene.invites_carol("dave", "X-Test: none");
    let answers = &scene.company.world[ordinary].answers;
    assert!(
        !answers.contains(&486),
        "her telephone is busy, and the call goes on to her voice mail: {answers:?}"
    );
}

/// RFC 3891 3: 486 where only an early call was wanted, 603 after the call, 200 in time; each the other way round, too.
#[test]
fn a_call_is_taken_while_it_is_up_and_not_after() {
    let mut scene = scene();
    let value = scene.replaces();
    let early = scene.invites_carol("dave", &format!("Replaces: {value};early-only"));
    assert_eq!(scene.company.world[early].answers, [486]);
    assert_eq!(scene.company.world[scene.with_carol].hung_up_on, 0);
    let dave = scene.invites_carol("dave", &format!("Replaces: {value}"));
    assert_eq!(scene.company.world[dave].answers, [200]);
    assert_eq!(scene.company.world[scene.with_carol].hung_up_on, 1);
    assert_eq!(scene.carols(), [scene.company.world[dave].call_id()]);
    let late = scene.invites_carol("dave", &format!("Replaces: {value}"));
    assert_eq!(scene.company.world[late].answers, [603]);
    assert_eq!(scene.carols(), [scene.company.world[dave].call_id()]);
    assert_eq!(scene.company.world[scene.carol].open_sockets.len(), 1);
}

/// SEC-42: a call in the shape of Play-On-Phone takes nobody's place, whoever sends it.
#[test]
fn play_on_phone_takes_nobodys_place() {
    let mut scene = scene();
    let value = scene.replaces();
    let own = scene.company.user("carol", By::Tls);
    let invite = Invite::new("sip:carol@example.test", "carol@example.test")
        .line(&format!("Replaces: {value}"))
        .line("Ms-Sensitivity: private-no-diversion");
    scene.company.call(own, invite);
    scene.company.wait(3);
    assert_eq!(scene.company.world[own].answers, [603]);
    assert_eq!(scene.company.world[scene.with_carol].hung_up_on, 0);
    assert_eq!(scene.carols().len(), 1);
}

/// `--no-transfer`: nobody takes anybody's place.
#[test]
fn a_telephone_that_takes_no_transfers_keeps_its_calls() {
    let mut scene = scene_with(|config| config.transfers = false);
    let value = scene.replaces();
    let dave = scene.invites_carol("dave", &format!("Replaces: {value}"));
    assert_eq!(scene.company.world[dave].answers, [403]);
    assert_eq!(scene.carols().len(), 1);
}

/// RFC 3261 19.1.2: as a header of a URI.
fn escaped(value: &str) -> String {
    let escape = |octet: u8| match octet {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => char::from(octet).to_string(),
        other => format!("%{other:02X}"),
    };
    value.bytes().map(escape).collect()
}
