//! Lamps at random: mailboxes change while servers are started anew, connections break, stores fail, and
//! telephones come, go, subscribe and do not. Whatever happens: five seconds after it every registered
//! telephone shows what is in its mailbox; no telephone ever shows what the mailbox never held, least of all
//! nothing; and there are no more messages than there is news. REL-40, I6.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use umbel_proxy::MailboxStates;
use umbel_sim::callee::{Callee, Do, Manner};
use umbel_sim::company::{Company, DOMAIN, UM};
use umbel_sim::office::PROXY;
use umbel_sim::seeds::live_through;
use umbel_sim::unified_messaging::MORNING;
use umbel_sim::{Place, Rung, StoreIs, UnifiedMessaging, What};
use umbel_sip_message::Method;
use umbel_store::{
    AudioFormat, Begin, Caller, Finish, Importance, Mailboxes, MessageId, MessageState, Purpose, Recordings,
    StoreError,
};
use umbel_um::Notified;

/// How many worlds are lived through.
const SEEDS: u64 = 20;
/// Things that happen in each: a thousand in all.
const STEPS: u32 = 50;
/// REL-40: "right within 5 s".
const RIGHT_WITHIN: u64 = 5;
/// NOTIFYs, SUBSCRIBEs and their answers that one step may cost: two servers, three telephones, and all of
/// it anew where a server was started or a connection broken.
const MESSAGES_MAX: usize = 60;

type User = &'static str;
const TELEPHONES: [(&str, User); 4] =
    [("alice", "alice"), ("alice2", "alice"), ("bob", "bob"), ("carol", "carol")];

struct Lamps {
    company: Company,
    um: Place<UnifiedMessaging>,
    rng: ChaCha20Rng,
    telephones: BTreeMap<&'static str, Place<Callee>>,
    is_registered: BTreeSet<&'static str>,
    /// What each mailbox has ever held.
    held: BTreeMap<User, BTreeSet<(u32, u32)>>,
    messages: u128,
    told: usize,
}

impl Lamps {
    fn new(seed: u64) -> Lamps {
        let mut company = Company::with(seed, |config| config.mailbox_states = MailboxStates::Subscribed);
        let um = company.unified_messaging_with("um", UM, |config| {
            let server = format!("sip:{PROXY};transport=tls").parse().expect("a URI");
            config.notified = vec![Notified::Server(server)];
        });
        let telephones: BTreeMap<_, _> =
            TELEPHONES.map(|(name, _)| (name, company.telephone(name, Manner::rings()))).into();
        let rng = company.world.rng();
        let is_registered = telephones.keys().copied().collect();
        let mut lamps = Lamps {
            company,
            um,
            rng,
            telephones,
            is_registered,
            held: BTreeMap::new(),
            messages: 0,
            told: 0,
        };
        // No mailbox is ever empty: so whoever shows nothing was told what nobody knew.
        for user in ["alice", "bob", "carol"] {
            lamps.leave(user);
        }
        lamps.company.wait(2 * RIGHT_WITHIN);
        lamps
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let index = self.below(u64::try_from(all.len()).expect("few"));
        all[usize::try_from(index).expect("few")]
    }

    fn leave(&mut self, user: User) {
        self.messages += 1;
        let id = MessageId::from_bytes((self.messages << 64).to_be_bytes());
        let caller = Caller::default();
        let purpose = Purpose::Message { caller, subject: String::new(), importance: Importance::Normal };
        let begin = Begin {
            id,
            mailbox: format!("{user}@{DOMAIN}").parse().expect("an address"),
            purpose,
            format: AudioFormat::Pcmu,
            call_id: format!("left-{}", self.messages),
            at: MORNING,
        };
        let finish = Finish { id, importance: Importance::Normal, keep: None, at: MORNING };
        let store = self.company.world[self.um].store();
        store.begin(&begin).expect("room");
        store.append(id, &[0; 800]).expect("room");
        store.finish(&finish).expect("room");
        self.note(user);
    }

    /// One of the messages was heard.
    fn hear(&mut self, user: User) {
        let address = format!("{user}@{DOMAIN}");
        let um = &mut self.company.world[self.um];
        let unheard = um.messages(&address).into_iter().find(|message| message.state == MessageState::New);
        if let Some(message) = unheard {
            let address = address.parse().expect("an address");
            um.store().mark_heard(&address, message.id, true).expect("a message that is there");
        }
        self.note(user);
    }

    fn note(&mut self, user: User) {
        let now = self.now_held(user);
        self.held.entry(user).or_default().insert(now);
    }

    fn now_held(&mut self, user: User) -> (u32, u32) {
        let mailbox = self.company.world[self.um].mailbox(&format!("{user}@{DOMAIN}"));
        (mailbox.counts.new, mailbox.counts.old)
    }

    fn change(&mut self) {
        let user = self.one_of(&["alice", "bob", "carol"]);
        if self.below(3) == 0 { self.hear(user) } else { self.leave(user) }
    }

    fn step(&mut self) {
        self.company.world.forget_ladder();
        let server = self.company.server;
        let (name, _) = self.one_of(&TELEPHONES);
        let telephone = self.telephones[name];
        let is_registered = self.is_registered.contains(name);
        match self.below(20) {
            0 => self.company.world.break_flows(server, self.um),
            1 => self.company.restart_server(),
            2 => self.company.restart_unified_messaging(self.um),
            3 => self.company.world.break_flows(telephone, server),
            4 if is_registered => {
                self.is_registered.remove(name);
                self.company.world.order(telephone, Do::Unregister);
            }
            4 | 5 => {
                self.is_registered.insert(name);
                self.company.world.order(telephone, Do::Register);
            }
            6 => self.company.world.order(telephone, Do::Subscribe),
            7 => self.company.world.order(telephone, Do::Unsubscribe),
            8 => self.outage(),
            9 => {
                let stalled = Duration::from_millis(self.below(3_000));
                self.company.world.stall(server, self.um, stalled);
                self.company.world.run_for(stalled);
            }
            _ => {}
        }
        // The change comes before, in the middle of, or after what the trouble brings.
        let pause = Duration::from_millis(self.below(3_000));
        self.company.world.run_for(pause);
        self.change();
        self.company.wait(RIGHT_WITHIN);
        self.are_right();
    }

    /// The store of voice mail knows nothing for a while; meanwhile the last that was known stays.
    fn outage(&mut self) {
        let shown: Vec<_> = self.telephones.values().map(|place| self.company.world[*place].lamp).collect();
        self.company.world[self.um].store_is.failing = Some(StoreError::Busy);
        let one_more = self.below(2) == 0;
        if one_more {
            self.company.restart_unified_messaging(self.um);
        }
        self.company.wait(20);
        let after: Vec<_> = self.telephones.values().map(|place| self.company.world[*place].lamp).collect();
        assert_eq!(shown, after, "lamps changed while nobody knew");
        self.company.world[self.um].store_is = StoreIs::default();
        self.company.wait(RIGHT_WITHIN);
    }

    fn are_right(&mut self) {
        for (name, user) in TELEPHONES {
            let held = self.now_held(user);
            let telephone = &self.company.world[self.telephones[name]];
            if self.is_registered.contains(name) {
                assert_eq!(telephone.lamp, Some(held), "{name}: what it shows, and what there is");
            }
            let known = &self.held[user];
            assert!(
                telephone.lamps.iter().all(|shown| known.contains(shown)),
                "{name}: {:?}",
                telephone.lamps
            );
        }
        let is_about_lamps = |rung: &&Rung| match &rung.what {
            What::Message(message) => {
                matches!(message.headers().method(), Method::Notify | Method::Subscribe)
            }
            What::Note(_) => false,
        };
        let count = self.company.world.ladder().rungs().iter().filter(is_about_lamps).count();
        assert!(count <= MESSAGES_MAX, "{count} messages");
        self.told += count;
    }
}

/// REL-40, I6, MWI-1, MWI-2.
#[test]
fn lamps_are_right_whatever_happens_and_never_show_what_nobody_knows() {
    let lives = live_through(0..SEEDS, |seed| {
        let mut lamps = Lamps::new(seed);
        lamps.are_right();
        for _step in 0..STEPS {
            lamps.step();
        }
        lamps.told
    });
    let told: usize = lives.iter().sum();
    // News to two servers and one or two telephones, each with its answer: some ten messages a change.
    let changes = lives.len() * usize::try_from(STEPS).expect("fifty");
    assert!(told >= changes * 4 && told <= changes * 20, "{told} messages for {changes} changes");
}
