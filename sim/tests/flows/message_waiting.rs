//! Message waiting: lamps that follow the store, whoever changes it (9.5, REL-40, I6).
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use umbel_sim::office::{By, PROXY, invite};
use umbel_sim::switchboard::Do as Ask;
use umbel_sim::telephone::Do;
use umbel_sim::unified_messaging::MORNING;
use umbel_sim::{Office, Place, Switchboard, address, certificate, tls};
use umbel_sip_message::{Draft, HeaderName, Method, Response, Uri};
use umbel_store::{
    AudioFormat, Author, Begin, Caller, Directory, Finish, Importance, Mailboxes, MessageId, Purpose,
    Recordings, StoreError, UserChange, memory::MemoryStore,
};
use umbel_time::Instant;
use umbel_um::{Notified, Order};

const ALICE: &str = "alice@example.test";
const ACCOUNT: &str = "Message-Account: sip:alice@example.test;opaque=app:voicemail\r\n";
const SIX_HOURS: u64 = 6 * 3_600;

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

/// Where the switchboards are.
const SERVER: u8 = 50;
const GATEWAY: u8 = 51;

fn the_server() -> Notified {
    Notified::Server(uri("sip:192.0.2.50;transport=tcp"))
}

fn the_gateway() -> Notified {
    Notified::Gateway(uri("sip:192.0.2.51;transport=tcp"))
}

/// An office that tells these, and the switchboard at each address.
fn office_that_tells(notified: &[Notified]) -> Office {
    Office::with(9, |config| config.notified = notified.to_vec())
}

fn switchboard(office: &mut Office, number: u8) -> Place<Switchboard> {
    let rng = office.world.rng();
    let place = office.world.add("lamps", address(number), Switchboard::new(rng));
    office.world.listen_tcp(place, 5060);
    place
}

/// What was told since one looked last.
fn told(office: &mut Office, lamps: Place<Switchboard>) -> Vec<(Instant, String)> {
    office.world.with(lamps, |lamps, _| lamps.take_summaries())
}

fn store(office: &mut Office) -> &mut MemoryStore {
    office.server().store()
}

fn id(number: u32) -> MessageId {
    MessageId::from_bytes((u128::from(number) << 64).to_be_bytes())
}

/// A message that comes by another way than a call: another program, for instance.
fn leave(office: &mut Office, number: u32, mailbox: &str, importance: Importance) {
    let begin = Begin {
        id: id(number),
        mailbox: mailbox.parse().unwrap(),
        purpose: Purpose::Message { caller: Caller::default(), subject: String::new(), importance },
        format: AudioFormat::Pcmu,
        call_id: format!("left-{number}"),
        at: MORNING,
    };
    let finish = Finish { id: id(number), importance, keep: None, at: begin.at };
    let store = store(office);
    store.begin(&begin).unwrap();
    store.append(id(number), &[0; 800]).unwrap();
    store.finish(&finish).unwrap();
}

fn summary(waiting: &str, voice: &str) -> String {
    format!("Messages-Waiting: {waiting}\r\n{ACCOUNT}Voice-Message: {voice}\r\n")
}

fn bodies(told: &[(Instant, String)]) -> Vec<&str> {
    told.iter().map(|(_, body)| body.as_str()).collect()
}

/// MWI-1: "new message: one NOTIFY within 2 s"; 15.5 has its form. MWI-4, MWI-5.
#[test]
fn a_new_message_turns_the_light_on_and_hearing_it_turns_it_off() {
    let mut office = office_that_tells(&[the_server()]);
    let lamps = switchboard(&mut office, SERVER);
    let bob = office.caller("bob", By::Tcp);
    office.call(bob, invite("bob", "alice"));
    office.wait(4);
    office.order(bob, Do::Speak(Duration::from_secs(3)), Duration::from_secs(4));
    assert!(office.world[lamps].notified.is_empty(), "nothing is said before it is saved");
    office.order(bob, Do::HangUp, Duration::from_millis(2_000));
    let [(_, notify)] = &office.world[lamps].notified[..] else {
        panic!("{:?}", office.world[lamps].notified)
    };
    assert_eq!(notify.request_uri().as_str(), "sip:alice@example.test");
    let headers = notify.headers();
    assert_eq!(headers.to().uri.as_str(), "sip:alice@example.test");
    assert_eq!(headers.from().uri.as_str(), "sip:voicemail@example.test");
    assert_eq!(headers.get_text(&HeaderName::Event).unwrap(), "message-summary");
    assert_eq!(headers.get_text(&HeaderName::SubscriptionState).unwrap(), "terminated");
    assert_eq!(headers.get_text(&HeaderName::ContentType).unwrap(), "application/simple-message-summary");
    assert!(headers.get_text(&HeaderName::Contact).unwrap().ends_with(";automata"));
    assert_eq!(bodies(&told(&mut office, lamps)), [summary("yes", "1/0 (0/0)")]);

    let message = office.server().messages(ALICE)[0].id;
    store(&mut office).mark_heard(&ALICE.parse().unwrap(), message, true).unwrap();
    office.wait(2);
    assert_eq!(bodies(&told(&mut office, lamps)), [summary("no", "0/1 (0/0)")]);
    office.wait(60);
    assert!(told(&mut office, lamps).is_empty(), "nothing changed, nothing is told");
    assert!(office.server().is_at_rest());
    let figures = office.server().lamp_figures();
    assert_eq!((figures.told, figures.failed, figures.subscriptions), (2, 0, 0));
}

/// MWI-4: the urgent ones among them. A gateway's lamps have the names of its extensions.
#[test]
fn a_gateway_is_told_by_extension_and_urgent_messages_are_counted() {
    let mut office = office_that_tells(&[the_gateway()]);
    let lamps = switchboard(&mut office, GATEWAY);
    office.wait(1);
    leave(&mut office, 1, ALICE, Importance::High);
    leave(&mut office, 2, ALICE, Importance::Low);
    office.wait(2);
    let (_, notify) = office.world[lamps].notified[0].clone();
    assert_eq!(notify.request_uri().as_str(), "sip:1001@192.0.2.51;transport=tcp");
    assert_eq!(notify.headers().to().uri.as_str(), "sip:1001@192.0.2.51");
    assert_eq!(bodies(&told(&mut office, lamps)), [summary("yes", "2/0 (1/0)")]);

    let moved = [UserChange::Extension(Some("1009".to_owned()))];
    office.server().change_user(ALICE, &moved);
    office.wait(2);
    let (_, notify) = office.world[lamps].notified[0].clone();
    assert_eq!(notify.request_uri().as_str(), "sip:1009@192.0.2.51;transport=tcp");
}

/// REL-40: a thousand changes, each right within five seconds; a burst in one mailbox is one notification a second.
#[test]
fn after_a_thousand_changes_every_lamp_is_right_within_five_seconds_and_none_flickered() {
    let mut office = office_that_tells(&[the_server()]);
    let lamps = switchboard(&mut office, SERVER);
    office.wait(1);
    for number in 0..250 {
        leave(&mut office, number, ALICE, Importance::Normal);
        leave(&mut office, 1_000 + number, "bob@example.test", Importance::Normal);
        office.world.run_for(Duration::from_millis(10));
    }
    for number in 0..500 {
        let (mailbox, number) =
            if number % 2 == 0 { (ALICE, number / 2) } else { ("bob@example.test", 1_000 + number / 2) };
        store(&mut office).mark_heard(&mailbox.parse().unwrap(), id(number), true).unwrap();
        office.world.run_for(Duration::from_millis(10));
    }
    office.wait(5);
    let told = told(&mut office, lamps);
    for (user, mailbox) in [("alice", ALICE), ("bob", "bob@example.test")] {
        let of_user: Vec<_> =
            told.iter().filter(|(_, body)| body.contains(&format!("sip:{user}@"))).collect();
        let counts = store(&mut office).counts(&mailbox.parse().unwrap()).unwrap();
        assert_eq!((counts.new, counts.old), (0, 250));
        assert!(of_user.last().unwrap().1.contains("Voice-Message: 0/250 (0/0)"), "{of_user:?}");
        let soonest = of_user.windows(2).map(|pair| pair[1].0.since(pair[0].0)).min().unwrap();
        assert!(soonest >= Duration::from_millis(990), "{soonest:?}");
        assert!(of_user.len() <= 9, "7.5 seconds of changes, one a second: {}", of_user.len());
    }
}

/// MWI-6: "virtual clock". REL-40: after a restart.
#[test]
fn all_lamps_are_set_at_the_start_and_every_six_hours() {
    let mut office = office_that_tells(&[]);
    leave(&mut office, 1, ALICE, Importance::Normal);
    let lamps = switchboard(&mut office, SERVER);
    office.wait(60);
    assert!(told(&mut office, lamps).is_empty());
    let ops = office.server().ops.len();
    office.wait(60);
    assert_eq!(office.server().ops.len(), ops, "who tells nobody leaves the store alone");

    // As if the server had just begun to look after lamps.
    let mut config = umbel_um::Config::default();
    config.locality.domain = "example.test".to_owned();
    config.notified = vec![the_server()];
    office.world.order(office.um, Order::Reload(Box::new(config)).into());
    office.wait(2);
    assert_eq!(bodies(&told(&mut office, lamps)), [summary("yes", "1/0 (0/0)")]);
    for _ in 0..3 {
        office.wait(SIX_HOURS - 60);
        assert!(told(&mut office, lamps).is_empty());
        office.wait(61);
        assert_eq!(bodies(&told(&mut office, lamps)), [summary("yes", "1/0 (0/0)")]);
    }
}

/// REL-40: a start is no storm, and over within seconds all the same.
#[test]
fn many_lamps_are_set_at_a_bounded_rate() {
    let mut office = office_that_tells(&[]);
    for number in 0..1_000 {
        let user = format!("user{number}@example.test");
        office.server().add_user(&user, &format!("5{number:04}"), Some("274950"), &[]);
        leave(&mut office, number, &user, Importance::Normal);
    }
    let lamps = switchboard(&mut office, SERVER);
    let mut config = umbel_um::Config::default();
    config.locality.domain = "example.test".to_owned();
    config.notified = vec![the_server()];
    office.world.order(office.um, Order::Reload(Box::new(config)).into());
    office.wait(5);
    let told = told(&mut office, lamps);
    assert_eq!(told.len(), 1_000);
    for (at, _) in &told {
        let within_a_second =
            told.iter().filter(|(other, _)| other >= at && other.since(*at) < Duration::from_secs(1));
        assert!(within_a_second.count() <= 500);
    }
}

/// REL-40: what changed while the store was away is told when it is back, and nothing before.
#[test]
fn while_the_store_is_away_nobody_is_told_anything() {
    for slow in [false, true] {
        let mut office = office_that_tells(&[the_server()]);
        let lamps = switchboard(&mut office, SERVER);
        leave(&mut office, 1, ALICE, Importance::Normal);
        office.wait(2);
        told(&mut office, lamps);
        match slow {
            true => office.server().store_is.silent = true,
            false => office.server().store_is.failing = Some(StoreError::Busy),
        }
        leave(&mut office, 2, ALICE, Importance::Normal);
        office.wait(120);
        assert!(told(&mut office, lamps).is_empty());
        office.server().store_is = umbel_sim::StoreIs::default();
        office.wait(if slow { 10 } else { 2 });
        assert_eq!(bodies(&told(&mut office, lamps)), [summary("yes", "2/0 (0/0)")]);
    }
}

/// 9.5: on failure tried again, and only the newest state is told.
#[test]
fn a_peer_that_was_away_is_told_the_newest_state_when_it_is_back() {
    let mut office = office_that_tells(&[the_server()]);
    let lamps = switchboard(&mut office, SERVER);
    office.wait(1);
    office.world.unplug(lamps, true);
    for number in 0..5 {
        leave(&mut office, number, ALICE, Importance::Normal);
        office.wait(20);
    }
    office.world.unplug(lamps, false);
    office.wait(35);
    let told = told(&mut office, lamps);
    assert_eq!(told.last().unwrap().1, summary("yes", "5/0 (0/0)"), "{told:?}");
    office.wait(60);
    assert!(office.server().is_at_rest());
}

/// I6: whatever happens to mailboxes, store and peer, in whatever order, in the end the lamps equal the store.
#[test]
fn after_whatever_happened_the_lamps_equal_the_store() {
    for seed in 0..20 {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut below = |bound: u32| rng.next_u32() % bound;
        let mut office = office_that_tells(&[the_server()]);
        let lamps = switchboard(&mut office, SERVER);
        let mailboxes = [ALICE, "bob@example.test"];
        let (mut last, mut everything) = ([0_u32; 2], Vec::new());
        for _ in 0..below(60) {
            let first = below(2) * 1_000;
            let who = usize::from(first > 0);
            let mailbox = mailboxes[who].parse().unwrap();
            let some = id(first + below(last[who].max(1)));
            // Without a message of this name nothing happens, and that is as good.
            match below(10) {
                0..=2 => {
                    let number = first + last[who];
                    last[who] += 1;
                    let urgent = if below(2) == 0 { Importance::High } else { Importance::Normal };
                    leave(&mut office, number, mailboxes[who], urgent);
                }
                3 => drop(store(&mut office).mark_heard(&mailbox, some, below(3) > 0)),
                4 => drop(store(&mut office).delete_message(&mailbox, some, &Author::Store, MORNING)),
                5 => drop(store(&mut office).restore_message(&mailbox, some, &Author::Store, MORNING)),
                6 => {
                    let failing = [None, None, Some(StoreError::Busy)][below(3) as usize];
                    office.server().store_is.failing = failing;
                    office.server().store_is.silent = below(4) == 0;
                }
                7 => office.world.unplug(lamps, below(2) == 0),
                _ => {
                    let answers = [Some(200), Some(500), Some(503), None][below(4) as usize];
                    office.world.with(lamps, |lamps, _| lamps.answers = answers);
                }
            }
            let pause = [10, 300, 2_000, 40_000, 400_000][below(5) as usize];
            office.world.run_for(Duration::from_millis(pause));
            // What it does not take, it does not show.
            let taken = office.world[lamps].answers.is_some_and(|status| status == 200);
            let told = told(&mut office, lamps);
            everything.extend(told.into_iter().filter(|_| taken));
        }
        office.server().store_is = umbel_sim::StoreIs::default();
        office.world.unplug(lamps, false);
        office.world.with(lamps, |lamps, _| lamps.answers = Some(200));
        // One change more, so that a peer that was given up is found to be back: whatever it missed is made good.
        leave(&mut office, 1_999, ALICE, Importance::Normal);
        office.wait(120);
        everything.extend(told(&mut office, lamps));
        for (mailbox, user) in [(ALICE, "alice"), ("bob@example.test", "bob")] {
            let counts = store(&mut office).counts(&mailbox.parse().unwrap()).unwrap();
            let expected = format!(
                "Voice-Message: {}/{} ({}/{})\r\n",
                counts.new, counts.old, counts.urgent_new, counts.urgent_old
            );
            let last = everything.iter().rfind(|(_, body)| body.contains(&format!("sip:{user}@")));
            let shown = last.map_or("Voice-Message: 0/0 (0/0)\r\n", |(_, body)| body);
            assert!(shown.ends_with(&expected), "seed {seed}, {user}: {shown} is not {expected}");
        }
        office.wait(60);
        assert!(office.server().is_at_rest(), "seed {seed}");
    }
}

// ---- Subscriptions ----

struct Subscriber {
    office: Office,
    lamps: Place<Switchboard>,
    dialog: u32,
}

impl Subscriber {
    /// A protocol server with this certificate, or none.
    fn by(name: Option<&str>) -> Subscriber {
        let mut office = office_that_tells(&[]);
        office.world.resolve("um.example.test", [tls(address(1), "um.example.test")]);
        let lamps = switchboard(&mut office, SERVER);
        if let Some(name) = name {
            office.world.show_certificate(lamps, certificate(&[name]));
        }
        Subscriber { office, lamps, dialog: 0 }
    }

    /// A SUBSCRIBE; without a tag it begins a new dialog.
    fn ask(&mut self, to: &str, tag: Option<&str>, lines: &[(HeaderName, &str)]) -> u16 {
        if tag.is_none() {
            self.dialog += 1;
        }
        let mut draft = Draft::request(Method::Subscribe, &uri(to));
        let tag = tag.map(|tag| format!(";tag={tag}")).unwrap_or_default();
        draft.push(HeaderName::From, "<sip:alice@example.test>;tag=s1");
        draft.push(HeaderName::To, format!("<{to}>{tag}"));
        draft.push(HeaderName::CallId, format!("subscription-{}", self.dialog));
        draft.push(HeaderName::Contact, "<sip:alice@192.0.2.50;transport=tcp>");
        for (name, value) in lines {
            draft.push(name.clone(), *value);
        }
        let um = uri("sip:um.example.test;transport=tls");
        self.office.world.order(self.lamps, Ask::Ask(Box::new(draft), um));
        self.office.world.run_for(Duration::from_millis(200));
        self.response().status().as_u16()
    }

    fn subscribe(&mut self, to: &str) -> u16 {
        self.ask(to, None, &ALICES)
    }

    fn response(&self) -> &Response {
        self.office.world[self.lamps].responses.last().unwrap()
    }

    /// Subscription-State and body of each NOTIFY since one looked last.
    fn notified(&mut self) -> Vec<(String, String)> {
        let found = std::mem::take(
            &mut self.office.world.with(self.lamps, |lamps, _| std::mem::take(&mut lamps.notified)),
        );
        let told = found.iter().map(|(_, notify)| {
            let state = notify.headers().get_text(&HeaderName::SubscriptionState).unwrap().into_owned();
            (state, String::from_utf8_lossy(notify.body()).into_owned())
        });
        told.collect()
    }
}

const EVENT: (HeaderName, &str) = (HeaderName::Event, "message-summary");
/// What a protocol server says of a SUBSCRIBE of alice's.
const ALICES: [(HeaderName, &str); 2] = [EVENT, (HeaderName::PAssertedIdentity, "<sip:alice@example.test>")];

/// MWI-2: "SUBSCRIBE: 200 then NOTIFY"; by whatever name the own mailbox is called.
#[test]
fn who_subscribes_to_the_own_mailbox_is_told_at_once_and_of_every_change() {
    for to in [
        "sip:alice@example.test",
        "sip:alice@example.test;gruu;opaque=app:voicemail",
        "sip:1001@example.test",
        "sip:voicemail@example.test",
    ] {
        let mut subscriber = Subscriber::by(Some(PROXY));
        assert_eq!(subscriber.subscribe(to), 200, "{to}");
        let response = subscriber.response();
        assert_eq!(response.headers().expires().unwrap(), Some(3_600));
        assert!(response.headers().get_text(&HeaderName::Contact).unwrap().ends_with(";automata"));
        assert_eq!(subscriber.notified(), [("active;expires=3600".to_owned(), summary("no", "0/0 (0/0)"))]);

        leave(&mut subscriber.office, 1, ALICE, Importance::Normal);
        leave(&mut subscriber.office, 2, "bob@example.test", Importance::Normal);
        subscriber.office.wait(2);
        let told = subscriber.notified();
        assert_eq!(told.len(), 1, "{to}: {told:?}");
        assert_eq!(told[0].1, summary("yes", "1/0 (0/0)"));
        assert_eq!(subscriber.office.server().lamp_figures().subscriptions, 1);
    }
}

/// MWI-2: "`Expires: 0`: terminated", and an end by itself; within the dialog it is prolonged.
#[test]
fn a_subscription_is_prolonged_ends_by_itself_and_is_ended() {
    let mut subscriber = Subscriber::by(Some(PROXY));
    assert_eq!(subscriber.subscribe("sip:alice@example.test"), 200);
    let tag = subscriber.response().headers().to().tag().unwrap().to_owned();
    subscriber.notified();
    subscriber.office.wait(3_000);
    assert_eq!(subscriber.ask("sip:alice@example.test", Some(&tag), &ALICES), 200);
    assert_eq!(subscriber.notified().len(), 1);
    subscriber.office.wait(3_000);
    leave(&mut subscriber.office, 1, ALICE, Importance::Normal);
    subscriber.office.wait(2);
    assert_eq!(subscriber.notified().len(), 1, "it goes on");
    subscriber.office.wait(700);
    let told = subscriber.notified();
    assert_eq!(told, [("terminated;reason=timeout".to_owned(), summary("yes", "1/0 (0/0)"))]);
    assert_eq!(subscriber.ask("sip:alice@example.test", Some(&tag), &ALICES), 481);

    let fetch = [EVENT, ALICES[1].clone(), (HeaderName::Expires, "0")];
    assert_eq!(subscriber.ask("sip:alice@example.test", None, &fetch), 200);
    let told = subscriber.notified();
    assert_eq!(told, [("terminated;reason=timeout".to_owned(), summary("yes", "1/0 (0/0)"))]);
    assert_eq!(subscriber.office.server().lamp_figures().subscriptions, 0);
    subscriber.office.wait(60);
    assert!(subscriber.office.server().is_at_rest());
}

/// MWI-2: "Not more than one NOTIFY per second per subscription."
#[test]
fn a_burst_is_throttled() {
    let mut subscriber = Subscriber::by(Some(PROXY));
    subscriber.subscribe("sip:alice@example.test");
    subscriber.notified();
    for number in 0..100 {
        leave(&mut subscriber.office, number, ALICE, Importance::Normal);
        subscriber.office.world.run_for(Duration::from_millis(50));
    }
    subscriber.office.wait(2);
    let told = subscriber.notified();
    assert!(told.len() <= 7, "{}", told.len());
    assert_eq!(told.last().unwrap().1, summary("yes", "100/0 (0/0)"));
}

/// MWI-3, SEC-56: "SUBSCRIBE to a foreign mailbox: 403"; nobody is challenged (DEC-8).
#[test]
fn nobody_looks_into_another_mailbox() {
    let bob = (HeaderName::PAssertedIdentity, "<sip:bob@example.test>");
    let stranger = (HeaderName::PAssertedIdentity, "<sip:alice@elsewhere.test>");
    type Lines<'a> = &'a [(HeaderName, &'a str)];
    let cases: [(Option<&str>, &str, Lines<'_>, u16); 9] = [
        (Some(PROXY), "sip:alice@example.test", &[EVENT, bob.clone()], 403),
        (Some(PROXY), "sip:1001@example.test", &[EVENT, bob.clone()], 403),
        (Some(PROXY), "sip:alice@example.test;opaque=app:voicemail", &[EVENT, stranger.clone()], 403),
        // From says alice, and nobody vouches for it.
        (Some(PROXY), "sip:alice@example.test", &[EVENT], 403),
        (None, "sip:alice@example.test", &ALICES, 403),
        (Some("stranger.test"), "sip:alice@example.test", &ALICES, 403),
        (Some(PROXY), "sip:nobody@example.test", &ALICES, 404),
        (Some(PROXY), "sip:alice@elsewhere.test", &ALICES, 404),
        (Some(PROXY), "sip:alice@example.test", &[ALICES[1].clone(), (HeaderName::Event, "presence")], 489),
    ];
    for (peer, to, lines, status) in cases {
        let mut subscriber = Subscriber::by(peer);
        leave(&mut subscriber.office, 1, ALICE, Importance::Normal);
        assert_eq!(subscriber.ask(to, None, lines), status, "{peer:?} {to} {lines:?}");
        assert!(!subscriber.response().headers().has(&HeaderName::WwwAuthenticate));
        let events = subscriber.response().headers().get_text(&HeaderName::AllowEvents);
        assert_eq!(events.as_deref(), (status == 489).then_some("message-summary"));
        subscriber.office.wait(5);
        assert!(subscriber.notified().is_empty());
        assert!(subscriber.office.server().is_at_rest());
    }
}

/// "no zero is ever sent": while the store is away the NOTIFY has no body, and the counts come when it is back.
#[test]
fn what_is_not_known_is_not_zero() {
    let mut subscriber = Subscriber::by(Some(PROXY));
    leave(&mut subscriber.office, 1, ALICE, Importance::Normal);
    subscriber.office.server().store_is.slow = Duration::from_millis(100);
    let lines = ALICES;
    let mut draft = Draft::request(Method::Subscribe, &uri("sip:alice@example.test"));
    for (name, value) in [
        (HeaderName::From, "<sip:alice@example.test>;tag=s1"),
        (HeaderName::To, "<sip:alice@example.test>"),
        (HeaderName::CallId, "slow"),
        (HeaderName::Contact, "<sip:alice@192.0.2.50;transport=tcp>"),
    ]
    .into_iter()
    .chain(lines)
    {
        draft.push(name, value);
    }
    let um = uri("sip:um.example.test;transport=tls");
    subscriber.office.world.order(subscriber.lamps, Ask::Ask(Box::new(draft), um));
    subscriber.office.world.run_for(Duration::from_millis(90));
    // The directory answers, and then the store goes away.
    subscriber.office.server().store_is.failing = Some(StoreError::Busy);
    subscriber.office.wait(5);
    assert_eq!(subscriber.response().status().as_u16(), 200);
    assert_eq!(subscriber.notified(), [("active;expires=3600".to_owned(), String::new())]);
    subscriber.office.server().store_is.failing = None;
    subscriber.office.wait(3);
    let told = subscriber.notified();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].1, summary("yes", "1/0 (0/0)"));
}

/// SEC-31: without the directory nobody can be told from anybody.
#[test]
fn without_the_directory_nobody_may_subscribe() {
    let mut subscriber = Subscriber::by(Some(PROXY));
    subscriber.office.server().store_is.failing = Some(StoreError::Busy);
    assert_eq!(subscriber.subscribe("sip:alice@example.test"), 503);
    assert!(subscriber.response().headers().has(&HeaderName::RetryAfter));
}

#[test]
fn a_mailbox_that_is_removed_has_no_subscribers_and_a_server_that_stops_sends_them_away() {
    let mut subscriber = Subscriber::by(Some(PROXY));
    subscriber.subscribe("sip:alice@example.test");
    let tag = subscriber.response().headers().to().tag().unwrap().to_owned();
    subscriber.notified();
    store(&mut subscriber.office).remove_user(&ALICE.parse().unwrap(), &Author::Store, MORNING).unwrap();
    assert_eq!(subscriber.ask("sip:alice@example.test", Some(&tag), &ALICES), 200);
    subscriber.office.wait(2);
    assert_eq!(subscriber.notified().last().unwrap().0, "terminated;reason=noresource");

    let mut subscriber = Subscriber::by(Some(PROXY));
    subscriber.subscribe("sip:alice@example.test");
    subscriber.notified();
    let um = subscriber.office.um;
    subscriber.office.world.order(um, Order::Drain.into());
    subscriber.office.wait(1);
    assert_eq!(subscriber.notified()[0].0, "terminated;reason=probation;retry-after=10");
    assert_eq!(subscriber.subscribe("sip:alice@example.test"), 503);
}

/// The bound, and what happens at it.
#[test]
fn a_mailbox_has_so_many_subscribers_and_one_more_is_told_to_come_back() {
    let mut subscriber = Subscriber::by(Some(PROXY));
    for _ in 0..20 {
        assert_eq!(subscriber.subscribe("sip:alice@example.test"), 200);
    }
    assert_eq!(subscriber.subscribe("sip:alice@example.test"), 503);
    assert!(subscriber.response().headers().has(&HeaderName::RetryAfter));
    // A subscriber who is gone makes room when it is told something.
    subscriber.office.world.with(subscriber.lamps, |lamps, _| lamps.answers = Some(481));
    leave(&mut subscriber.office, 1, ALICE, Importance::Normal);
    subscriber.office.wait(3);
    assert_eq!(subscriber.office.server().lamp_figures().subscriptions, 0);
    assert_eq!(subscriber.subscribe("sip:alice@example.test"), 200);
}
