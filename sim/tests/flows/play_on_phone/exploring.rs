//! Random exploration: owners who ask and disconnect as they like, telephones of every manner, rules that divert, a
//! store, a network and servers that fail, and what must hold all the same. A failing seed is printed and replays
//! exactly.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use umbel_play_on_phone::{News, PhoneCallId, Played, Request};
use umbel_sim::callee::{Manner, Then};
use umbel_sim::company::{Company, NUMBER, UM};
use umbel_sim::seeds::{is_replay, live_through};
use umbel_sim::unified_messaging::Told;
use umbel_sim::{Callee, Place, UnifiedMessaging, Weather};
use umbel_sip_message::{HeaderName, Method, StatusCode};
use umbel_store::{CallKind, GreetingKind, MessageId, StoreError};
use umbel_um::{ConfirmPlayback, Order};

use super::{allow_number, are_well_formed};

/// How many worlds are lived through.
const SEEDS: u64 = 24;
/// How many things happen in each.
const STEPS: u32 = 50;
const OWNERS: [&str; 2] = ["alice", "bob"];

struct Explorer {
    company: Company,
    um: Place<UnifiedMessaging>,
    telephones: Vec<Place<Callee>>,
    rng: ChaCha20Rng,
    messages: BTreeMap<&'static str, MessageId>,
    asked: Vec<PhoneCallId>,
    /// Those that a life of the server took with it.
    lost: BTreeSet<PhoneCallId>,
}

impl Explorer {
    fn new(seed: u64) -> Explorer {
        let mut company = Company::new(seed);
        let um = company.unified_messaging_with("um", UM, |config| {
            allow_number(config);
            config.play_on_phone.confirm = ConfirmPlayback::Never;
        });
        company.gateway(Manner::answers_after(2));
        let telephones =
            ["alice", "alice2", "bob"].map(|name| company.telephone(name, Manner::answers_after(1))).to_vec();
        let messages = OWNERS.into_iter().zip(1..).map(|(owner, number)| {
            let address = format!("{owner}@example.test");
            (owner, company.world[um].leave_message(&address, number, &[0x91; 16_000]))
        });
        let messages = messages.collect();
        company.open();
        let rng = company.world.rng();
        Explorer { company, um, telephones, rng, messages, asked: Vec::new(), lost: BTreeSet::new() }
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.rng.next_u32() % bound
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        let index = usize::try_from(self.below(u32::try_from(all.len()).expect("few"))).expect("few");
        all[index].clone()
    }

    fn ask(&mut self) {
        let owner = self.one_of(&OWNERS);
        let played = match self.below(5) {
            0 => Played::Greeting(GreetingKind::Standard),
            // Mostly the own one, sometimes another's.
            1 => Played::Message(self.messages["alice"]),
            _ => Played::Message(self.messages[owner]),
        };
        let dial_string = self.one_of(&[
            None,
            None,
            None,
            Some("1001"),
            Some("1002"),
            Some(NUMBER),
            Some("+4930"),
            Some("x;y"),
        ]);
        let number = u128::try_from(self.asked.len()).expect("few") + 1;
        let id = PhoneCallId::from_bytes(number.to_be_bytes());
        self.asked.push(id);
        let owner = format!("{owner}@example.test").parse().expect("an address");
        let request = Request { id, owner, played, dial_string: dial_string.map(str::to_owned) };
        self.company.world.order(self.um, Order::PlayOnPhone(Box::new(request)).into());
    }

    fn manner(&mut self) -> Manner {
        let after = Duration::from_millis(u64::from(self.below(8_000)));
        let status = |code| StatusCode::new(code).expect("a status");
        let then = match self.below(8) {
            0 => Then::Nothing,
            1 => Then::Refuse(status(486)),
            2 => Then::Refuse(status(603)),
            3 => Then::Deflect(status(302), "sip:carol@example.test".to_owned()),
            4 => Then::Deflect(status(303), "sip:alice@example.test;opaque=app:voicemail".to_owned()),
            _ => Then::Answer,
        };
        Manner { rings: self.below(4) > 0, after, then }
    }

    fn step(&mut self) {
        match self.below(20) {
            0..=7 => self.ask(),
            8..=10 if !self.asked.is_empty() => {
                let id = self.one_of(&self.asked.clone());
                self.company.world.order(self.um, Order::Disconnect(id).into());
            }
            11 | 12 => {
                let (telephone, manner) = (self.one_of(&self.telephones.clone()), self.manner());
                self.company.world[telephone].manner = manner;
            }
            13 => {
                let telephone = self.one_of(&self.telephones.clone());
                self.company.world.order(telephone, umbel_sim::callee::Do::HangUp);
            }
            14 => {
                let (rule, value) = self.one_of(&[
                    ("forward-immediate", "voicemail"),
                    ("forward-unanswered", "bob@example.test"),
                    ("forward-unanswered", NUMBER),
                    ("team", "bob@example.test"),
                ]);
                self.company.set_rule("alice", rule, value);
            }
            15 => self.company.world[self.um].store_is.failing = Some(StoreError::Busy),
            16 => self.company.world[self.um].store_is.failing = None,
            17 => {
                let latency = Duration::from_millis(u64::from(self.below(200)));
                self.company.world.weather(Weather { latency, jitter: latency, ..Weather::default() });
            }
            18 => self.company.world.break_all_flows(self.um),
            _ if self.below(3) == 0 => {
                self.company.world.break_all_flows(self.um);
                self.company.world.order(self.um, Told::Restart);
                let told = &self.company.world[self.um];
                self.lost.extend(self.asked.iter().filter(|id| !is_over(&told.news_of(**id))));
            }
            _ => {}
        }
        let pause = Duration::from_millis(u64::from(self.below(4_000)));
        self.company.world.run_for(pause);
    }

    /// What holds at the end of everything; gives the number of calls.
    fn check(&mut self) -> usize {
        self.company.world[self.um].store_is.failing = None;
        self.company.world.weather(Weather::default());
        self.company.wait(300);
        let server = self.company.server;
        assert!(self.company.world[self.um].is_at_rest(), "something is left of a call");
        assert!(self.company.world[server].is_at_rest());
        let mut placed = 0;
        for id in &self.asked {
            let news = self.company.world[self.um].news_of(*id);
            placed += usize::from(news.first() == Some(&News::Placed));
            if !self.lost.contains(id) {
                are_well_formed(&news);
            }
        }
        // REL-39: never more INVITEs than calls that were placed. OCEXUM-3.2-6, SEC-39: each of them in the form.
        let invites: Vec<_> = self
            .company
            .world
            .ladder()
            .requests(&Method::Invite)
            .filter(|(rung, invite)| rung.from == "um" && invite.headers().to().tag().is_none())
            .map(|(_, invite)| invite.clone())
            .collect();
        assert!(invites.len() <= placed, "{} INVITEs for {placed} calls", invites.len());
        let names: BTreeSet<String> =
            invites.iter().map(|invite| invite.headers().call_id().to_owned()).collect();
        assert_eq!(names.len(), invites.len(), "an INVITE was sent twice");
        for invite in &invites {
            let headers = invite.headers();
            assert!(headers.from().uri.is_equivalent(&headers.to().uri));
            assert_eq!(headers.all(&HeaderName::MsSensitivity).count(), 1);
            assert!(!headers.has(&HeaderName::Diversion));
        }
        // LOOP-4: none of them came back.
        let calls = self.company.world[self.um].calls();
        assert!(calls.iter().all(|call| call.kind == CallKind::PlayOnPhone), "{calls:?}");
        for owner in OWNERS {
            let address = format!("{owner}@example.test");
            assert_eq!(self.company.world[self.um].messages(&address).len(), 1, "nothing was recorded");
        }
        invites.len()
    }
}

fn is_over(news: &[News]) -> bool {
    use umbel_play_on_phone::CallState::Disconnected;
    match news.last() {
        Some(News::Standing(status)) => status.state == Disconnected,
        Some(News::Refused(_) | News::Repeats(_)) => true,
        Some(News::Placed) | None => false,
    }
}

/// REL-39, LOOP-4, OCEXUM-3.2-6, DEC-26: whatever happens, each request gets exactly one first news, each call that was
/// placed exactly one end and at most one INVITE, and none of them comes back.
#[test]
fn whatever_happens_each_request_is_told_its_end_and_nobody_is_called_twice() {
    let lives = live_through(1..SEEDS + 1, |seed| {
        let mut explorer = Explorer::new(seed);
        for _ in 0..STEPS {
            explorer.step();
        }
        explorer.check()
    });
    let calls: usize = lives.iter().sum();
    assert!(is_replay(&lives) || calls > 60, "the worlds were dull: {calls} calls");
}
