//! The mail server is away, for a second or for a day: virtual time, the store in memory (REL-41).

use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use umbel_mail::courier::{Action, Courier, Delivery, Input, Letter};
use umbel_mail::letter;
use umbel_store::conformance::{NOON, add, admin, deposit, id};
use umbel_store::memory::MemoryStore;
use umbel_store::{Address, Config, Directory, DueMail, MailNumber, Mailboxes, Outbox, UserChange};
use umbel_time::UnixTime;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A courier, a store, and a mail server that is what the test says.
struct World {
    now: UnixTime,
    store: MemoryStore,
    courier: Option<Courier>,
    due: Vec<DueMail>,
    rng: ChaCha20Rng,
    /// Every mail that the server has taken, and when.
    arrived: Vec<(UnixTime, String)>,
    /// Tries of any kind.
    tries: u32,
}

impl World {
    fn new() -> (World, Address) {
        let config = Config { mail: true, ..Config::default() };
        let mut store = MemoryStore::new(config, ChaCha20Rng::seed_from_u64(1));
        let alice = add(&mut store, "alice");
        let email = UserChange::Email(Some("alice@mail.example.test".into()));
        store.change_user(&alice, &[email], &admin(), NOON).expect("alice is there");
        let (due, arrived) = (Vec::new(), Vec::new());
        let rng = ChaCha20Rng::seed_from_u64(2);
        (World { now: NOON, store, courier: Some(Courier::default()), due, rng, arrived, tries: 0 }, alice)
    }

    fn compose(&mut self, number: MailNumber) -> String {
        let mail = self.due.iter().find(|mail| mail.number == number).expect("what is sent was due").clone();
        let audio = self.store.message_audio(&mail.owner.address, mail.id).ok();
        let octets = letter::octets("voicemail@example.test", 0, &mail, audio.as_ref()).expect("composed");
        String::from_utf8(octets).expect("ASCII")
    }

    /// Runs until `end`; the server answers each mail as `server` says.
    fn run(&mut self, end: UnixTime, server: &mut dyn FnMut(UnixTime, &str) -> Delivery) {
        let mut inputs = vec![Input::TimeUp];
        while self.now < end {
            let Some(input) = inputs.pop() else { panic!("the courier forgot to rest") };
            let courier = self.courier.take().expect("between two steps");
            let (courier, actions) = courier.step(self.now, self.rng.next_u32(), input);
            self.courier = Some(courier);
            for action in actions {
                match action {
                    Action::Look => {
                        self.due = self.store.due_mails(self.now).expect("the store answers");
                        let letters = self.due.iter().map(|mail| Letter::of(mail, self.now));
                        inputs.push(Input::Due(letters.collect()));
                    }
                    Action::Send(number) => {
                        self.tries += 1;
                        let mail = self.compose(number);
                        let delivery = server(self.now, &mail);
                        if delivery == Delivery::Taken {
                            self.arrived.push((self.now, mail));
                        }
                        inputs.push(Input::Came(delivery));
                    }
                    Action::Settle(number, outcome) => {
                        self.store.settle_mail(number, &outcome, self.now).expect("noted");
                    }
                    Action::Rest(wait) => {
                        self.now = self.now + wait;
                        inputs.push(Input::TimeUp);
                    }
                }
            }
        }
    }
}

fn message_id(mail: &str) -> &str {
    mail.lines().find_map(|line| line.strip_prefix("Message-ID: ")).expect("every mail has one")
}

/// REL-41: sent later, with the same Message-ID, and the server is not pestered meanwhile.
#[test]
fn a_mail_server_that_is_away_for_a_day_gets_every_mail_when_it_is_back() {
    let (mut world, alice) = World::new();
    let back = NOON + DAY;
    let mut server =
        |now, _: &str| if now < back { Delivery::Away("refused".into()) } else { Delivery::Taken };
    for number in 1..=24 {
        deposit(&mut world.store, id(number), &alice).expect("saved while the mail server is away");
        let end = NOON + HOUR * u32::try_from(number).expect("small");
        world.run(end, &mut server);
    }
    assert!(world.tries < 60, "{} tries in a day", world.tries);
    assert_eq!(world.store.outbox_state().expect("a state").waiting, 24);
    world.run(back + HOUR * 2, &mut server);
    let ids: Vec<_> = world.arrived.iter().map(|(_, mail)| message_id(mail).to_owned()).collect();
    let expected: Vec<_> =
        (1..=24).map(|number| format!("<voice-message.{number:032x}@example.test>")).collect();
    assert_eq!(ids, expected, "all, once, in order");
    let latest = world.arrived.last().expect("24 mails").0;
    assert!(latest <= back + HOUR * 6 / 5, "the longest wait, and what chance adds");
    assert_eq!(world.store.outbox_state().expect("a state").waiting, 0);
}

/// REL-41: killed after the server has taken it and before that was noted: twice, and the same mail.
#[test]
fn a_mail_that_is_sent_twice_is_the_same_mail() {
    let (mut world, alice) = World::new();
    deposit(&mut world.store, id(7), &alice).expect("saved");
    let mut mails = Vec::new();
    for _ in 0..2 {
        world.due = world.store.due_mails(NOON + HOUR).expect("the store answers");
        let number = world.due[0].number;
        mails.push(world.compose(number));
    }
    assert_eq!(mails[0], mails[1]);
    assert_eq!(message_id(&mails[0]), "<voice-message.00000000000000000000000000000007@example.test>");
}

/// What the server puts off for days fails at last; what it refuses fails at once; others are not kept waiting.
#[test]
fn mails_that_the_server_does_not_want_keep_none_of_the_others() {
    let (mut world, alice) = World::new();
    for number in 1..=3 {
        deposit(&mut world.store, id(number), &alice).expect("saved");
    }
    let mut server = |_, mail: &str| match message_id(mail) {
        id if id.contains("01@") => Delivery::PutOff("450 try later".into()),
        id if id.contains("02@") => Delivery::Refused("550 not here".into()),
        _ => Delivery::Taken,
    };
    world.run(NOON + HOUR, &mut server);
    assert_eq!(world.arrived.len(), 1);
    let state = world.store.outbox_state().expect("a state");
    assert_eq!((state.waiting, state.failed), (1, 1));
    world.run(NOON + DAY * 6, &mut server);
    let state = world.store.outbox_state().expect("a state");
    assert_eq!((state.waiting, state.failed), (0, 2));
    assert!(world.tries < 150, "{} tries in five days", world.tries);
    let reasons: Vec<_> =
        world.store.queued_mails(None).expect("a list").into_iter().filter_map(|mail| mail.reason).collect();
    assert_eq!(reasons, ["450 try later", "550 not here"]);
}

/// A message that was deleted meanwhile, and an owner who reads no mail any more.
#[test]
fn what_nobody_needs_any_more_is_not_sent() {
    let (mut world, alice) = World::new();
    deposit(&mut world.store, id(1), &alice).expect("saved");
    world.store.delete_message(&alice, id(1), &admin(), NOON).expect("deleted");
    let mut server = |_, _: &str| Delivery::Taken;
    world.run(NOON + HOUR, &mut server);
    deposit(&mut world.store, id(2), &alice).expect("saved");
    world.store.change_user(&alice, &[UserChange::Email(None)], &admin(), NOON).expect("changed");
    world.run(NOON + HOUR * 2, &mut server);
    assert_eq!((world.arrived.len(), world.tries), (0, 0));
    assert_eq!(world.store.outbox_state().expect("a state").waiting, 0);
}
