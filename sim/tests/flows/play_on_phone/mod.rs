//! Play on Phone ([MS-OCEXUM] 3.2, 3.2.1): from the request to the telephone.
//!
//! [`House`] has the real protocol server and real telephones; in [`Alone`] a callee that a test rules stands where
//! the protocol server should be.

mod asking;
mod endings;
mod exploring;
mod greetings;
mod house;
mod loops;
mod playing;
mod stopping;

use std::time::Duration;

use umbel_play_on_phone::{CallState, EventCause, News, PhoneCallId, Played, Refusal, Request, Status};
use umbel_sim::callee::Manner;
use umbel_sim::company::{Company, NUMBER, UM};
use umbel_sim::handset::{Handset, Told};
use umbel_sim::{Callee, Office, Place, UnifiedMessaging, address};
use umbel_store::MessageId;
use umbel_um::{Config, Order};

const ALICE: &str = "alice@example.test";

/// Two seconds of µ-law that no prompt sounds like.
fn spoken() -> Vec<u8> {
    (0..16_000_u32).map(|at| 0x80 | u8::try_from(at * 7 % 113).unwrap_or_default()).collect()
}

/// A request of alice's.
fn request(id: u8, played: Played, dial_string: Option<&str>) -> (PhoneCallId, Order) {
    let id = PhoneCallId::from_bytes([id; 16]);
    let dial_string = dial_string.map(str::to_owned);
    let owner = ALICE.parse().expect("an address");
    (id, Order::PlayOnPhone(Box::new(Request { id, owner, played, dial_string })))
}

/// State, cause and code of all that was told after the first news.
fn standings(news: &[News]) -> Vec<(CallState, EventCause, Option<u16>)> {
    let standing = |news: &News| match news {
        News::Standing(Status { state, cause, response }) => {
            Some((*state, *cause, response.as_ref().map(|(code, _)| *code)))
        }
        News::Placed | News::Repeats(_) | News::Refused(_) => None,
    };
    news.iter().filter_map(standing).collect()
}

/// FENCES of the contract with whoever asks: one first news, and after `Placed` one end, last.
#[track_caller]
fn are_well_formed(news: &[News]) {
    let is_end =
        |news: &News| matches!(news, News::Standing(status) if status.state == CallState::Disconnected);
    match news {
        [News::Refused(_) | News::Repeats(_)] => {}
        [News::Placed, rest @ ..] => {
            assert!(rest.iter().all(|news| matches!(news, News::Standing(_))), "{news:?}");
            assert_eq!(rest.iter().filter(|news| is_end(news)).count(), 1, "{news:?}");
            assert!(rest.last().is_some_and(is_end), "{news:?}");
        }
        other => panic!("{other:?}"),
    }
}

/// How the last news ended: cause and code.
#[track_caller]
fn end(news: &[News]) -> (EventCause, Option<u16>) {
    are_well_formed(news);
    let last = standings(news).last().copied().expect("a call that was placed has an end");
    (last.1, last.2)
}

/// A company with a unified messaging server, a telephone of alice's, and a message for her.
struct House {
    company: Company,
    um: Place<UnifiedMessaging>,
    alice: Place<Handset>,
    message: MessageId,
}

impl House {
    /// With the settings of a fresh installation.
    fn new(alice: impl FnOnce(&mut umbel_phone::Config)) -> House {
        House::with(alice, |_| {}, &[])
    }

    /// With other settings of alice's telephone and the server, and rules of alice's. Carol, the gateway and the
    /// second voice mail server answer whatever comes.
    fn with(
        alice: impl FnOnce(&mut umbel_phone::Config),
        um: impl FnOnce(&mut Config),
        rules: &[(&str, &str)],
    ) -> House {
        let mut company = Company::new(1);
        let um = company.unified_messaging_with("um", UM, um);
        company.telephone("carol", Manner::answers_after(1));
        company.gateway(Manner::answers_after(1));
        let alice = company.handset("alice", alice);
        for (rule, value) in rules {
            company.set_rule("alice", rule, value);
        }
        let message = company.world[um].leave_message(ALICE, 1, &spoken());
        company.open();
        House { company, um, alice, message }
    }

    /// Alice asks for her message.
    fn ask(&mut self) -> PhoneCallId {
        self.ask_for(1, Played::Message(self.message), None)
    }

    fn ask_for(&mut self, id: u8, played: Played, dial_string: Option<&str>) -> PhoneCallId {
        let (id, order) = request(id, played, dial_string);
        self.company.world.order(self.um, order.into());
        id
    }

    fn order(&mut self, order: Order) {
        self.company.world.order(self.um, order.into());
    }

    /// Something at alice's telephone.
    fn at_alice(&mut self, told: Told) {
        self.company.world.order(self.alice, told);
    }

    fn wait(&mut self, seconds: u64) {
        self.company.wait(seconds);
    }

    fn wait_millis(&mut self, millis: u64) {
        self.company.world.run_for(Duration::from_millis(millis));
    }

    /// Until this prompt begins; `+` is the message.
    #[track_caller]
    fn wait_for(&mut self, prompt: &str) {
        for _ in 0..600 {
            if self.server().has_said(prompt) {
                return;
            }
            self.wait_millis(100);
        }
        panic!("{prompt} was not heard within a minute: {:?}", self.server().said);
    }

    fn news(&self, id: PhoneCallId) -> Vec<News> {
        self.company.world[self.um].news_of(id)
    }

    fn heard(&self) -> &[u8] {
        &self.company.world[self.alice].heard
    }

    /// How often the whole message was heard.
    fn heard_the_message(&self) -> usize {
        let spoken = spoken();
        self.heard().windows(spoken.len()).filter(|part| *part == spoken).count()
    }

    fn server(&mut self) -> &mut UnifiedMessaging {
        &mut self.company.world[self.um]
    }
}

/// A unified messaging server with alice, bob and a message for alice, and a callee in place of the protocol server.
struct Alone {
    office: Office,
    proxy: Place<Callee>,
    message: MessageId,
}

/// Where the callee is.
const PROXY_AT: u8 = 40;

impl Alone {
    fn new(manner: Manner) -> Alone {
        Alone::with(manner, |_| {})
    }

    fn with(manner: Manner, change: impl FnOnce(&mut Config)) -> Alone {
        let here = address(PROXY_AT);
        let contact = format!("sip:{here};transport=tcp");
        let mut office = Office::with(1, |config| {
            config.play_on_phone.outbound_proxy = Some(contact.parse().expect("a URI"));
            change(config);
        });
        let proxy = office.world.add("proxy", here, Callee::new(here, &contact, manner));
        office.world.listen_tcp(proxy, 5060);
        let message = office.server().leave_message(ALICE, 1, &spoken());
        Alone { office, proxy, message }
    }

    fn ask(&mut self) -> PhoneCallId {
        self.ask_for(1, Played::Message(self.message), None)
    }

    fn ask_for(&mut self, id: u8, played: Played, dial_string: Option<&str>) -> PhoneCallId {
        let (id, order) = request(id, played, dial_string);
        self.order(order);
        id
    }

    fn order(&mut self, order: Order) {
        self.office.world.order(self.office.um, order.into());
    }

    fn wait(&mut self, seconds: u64) {
        self.office.wait(seconds);
    }

    fn news(&mut self, id: PhoneCallId) -> Vec<News> {
        self.office.server().news_of(id)
    }

    fn refusal(&mut self, id: PhoneCallId) -> Option<Refusal> {
        match self.news(id)[..] {
            [News::Refused(refusal)] => Some(refusal),
            _ => None,
        }
    }

    fn invites(&mut self) -> usize {
        self.office.world[self.proxy].invites.len()
    }

    /// Nothing is left of any call.
    #[track_caller]
    fn rests(&mut self) {
        self.wait(120);
        assert!(self.office.server().is_at_rest());
    }
}

/// A rule that allows [`NUMBER`].
fn allow_number(config: &mut Config) {
    config.play_on_phone.rules = umbel_play_on_phone::DiallingRules::new(["+1555*".parse().expect("a rule")]);
}

/// What one asks with to have [`NUMBER`] called.
const OUTSIDE: Option<&str> = Some(NUMBER);
