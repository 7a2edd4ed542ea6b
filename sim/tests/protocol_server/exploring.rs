//! Random rules, telephones, answers, waits and troubles. A failing seed is printed and replays exactly.
//!
//! Calls without troubles must go exactly as the model says. Whatever happens:
//!
//! 1. Every INVITE gets one final response, or several that are all successes; none is a redirection.
//! 2. A call that must not be diverted rings the callee's own telephones and second device, nobody else.
//! 3. Nobody is rung whom the model does not know of, and nobody twice.
//! 4. Whoever has rung has answered, refused, or been told to stop.
//! 5. When all have hung up, nothing is left: no call, relay, transaction or timer.
//! 6. A call costs a bounded number of messages.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use umbel_sim::callee::{self, Callee, Then};
use umbel_sim::company::{Company, NUMBER, UM, UM2, invite};
use umbel_sim::office::By;
use umbel_sim::protocol_server::Told;
use umbel_sim::seeds::{is_replay, live_through};
use umbel_sim::telephone::{Do, Invite, Offer, Telephone};
use umbel_sim::{Place, Rung, StoreIs, Weather, What};
use umbel_sip_message::{Method, Response, StatusCode};
use umbel_store::{StoreError, UserChange};

use crate::model::{self, Call, Fate, Manner, Name, Play, Rules, Service, Setting, Target, User};

/// How many worlds are lived through; for a long run, put more here.
const SEEDS: u64 = 300;
/// Calls in each.
const CALLS: u32 = 4;
/// Messages that one call may cost, with all that is said to stop it.
const MESSAGES_MAX: usize = 300;
/// DEC-4: branches of one call, and a second server for the last.
const INVITES_MAX: usize = 12;

const USERS: [User; 4] = ["alice", "bob", "carol", "dave"];
const TELEPHONES: [(Name, User); 7] = [
    ("alice", "alice"),
    ("bob", "bob"),
    ("bob2", "bob"),
    ("carol", "carol"),
    ("carol2", "carol"),
    ("dave", "dave"),
    ("dave2", "dave"),
];
/// Video only: nothing that rules are for.
const VIDEO: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=video 9000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n";

struct Explorer {
    company: Company,
    rng: ChaCha20Rng,
    telephones: BTreeMap<Name, Place<Callee>>,
    is_registered: BTreeSet<Name>,
    gateway: Place<Callee>,
    servers: [Place<Callee>; 2],
    /// Those who call, and in whose name; none: in the callee's.
    callers: Vec<(Place<Telephone>, Option<User>)>,
    stranger: Place<Telephone>,
    is_tight: bool,
    seen: Seen,
}

/// What was shown, so that a run which shows nothing fails.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    calls: u64,
    clear: u64,
    answered: u64,
    to_voice_mail: u64,
    undiverted: u64,
    troubled: u64,
}

/// What goes wrong in the middle of a call.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    FlowBroken(Name),
    ServersGone,
    CallerGone,
    Unplugged(Name),
    Registers(Name),
    Unregisters(Name),
    StoreSlow(u64),
    StoreFails,
    Restart,
}

impl Explorer {
    fn new(seed: u64) -> Explorer {
        let mut company = Company::new(seed);
        let rings = callee::Manner::rings;
        let telephones: BTreeMap<Name, _> = TELEPHONES
            .iter()
            .map(|(name, _)| (*name, company.unregistered_telephone(name, rings())))
            .collect();
        let gateway = company.gateway(rings());
        let servers = [
            company.in_place_of_unified_messaging("um", UM, rings()),
            company.in_place_of_unified_messaging("um2", UM2, rings()),
        ];
        let callers = vec![
            (company.user("alice", By::Tls), Some("alice")),
            (company.user("bob", By::Tcp), Some("bob")),
            (company.user("carol", By::Tls), Some("carol")),
            (company.somebody("peer", By::MutualTls(UM2)), None),
        ];
        let stranger = company.somebody("erin", By::Tcp);
        for (place, _) in callers.iter().chain([&(stranger, None)]) {
            company.world[*place].has_sound = false;
        }
        let rng = company.world.rng();
        Explorer {
            company,
            rng,
            telephones,
            is_registered: BTreeSet::new(),
            gateway,
            servers,
            callers,
            stranger,
            is_tight: false,
            seen: Seen::default(),
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound
    }

    fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let index = self.below(u64::try_from(all.len()).expect("few"));
        all[usize::try_from(index).expect("few")]
    }

    fn any_target(&mut self) -> Target {
        let user = self.one_of(&USERS);
        let targets =
            [Target::User(user), Target::User(user), Target::User(user), Target::Number, Target::Nobody];
        self.one_of(&targets)
    }

    fn any_targets(&mut self) -> Vec<Target> {
        let count = 1 + self.below(3);
        (0..count).map(|_| self.any_target()).collect()
    }

    fn any_wait(&mut self) -> Option<u64> {
        if self.one_in(2) { None } else { Some(1_000 * (1 + self.below(45))) }
    }

    fn any_rules(&mut self) -> Rules {
        let mut rules = Rules::default();
        if self.one_in(3) {
            return rules;
        }
        rules.block = self.one_in(30);
        rules.emergency = self.one_in(30);
        rules.forward_immediate = self.one_in(6);
        if self.one_in(3) {
            rules.enablecf = true;
            rules.forward_to = Some(self.any_target());
        }
        if self.one_in(4) {
            rules.ring_also = Some(self.any_target());
        }
        if self.one_in(5) {
            rules.team = self.any_targets();
        }
        if self.one_in(5) {
            rules.delegates = self.any_targets();
        }
        if self.one_in(8) {
            rules.breakthrough = vec![self.one_of(&USERS)];
        }
        rules.skip_primary = self.one_in(8);
        rules.do_not_disturb = self.one_in(10);
        rules.is_after_hours = self.one_in(12);
        rules.no_voice_mail = self.one_in(5);
        (rules.total, rules.user, rules.team2) = (self.any_wait(), self.any_wait(), self.any_wait());
        rules
    }

    /// Decides at a time that no other place decides at, counted from when it rings; or, in tight calls, on
    /// the second, when others do and timers fire.
    fn any_manner(&mut self, place: usize) -> Manner {
        let place = u64::try_from(place).expect("few");
        let after = 1_000 * self.below(26) + if self.is_tight { self.below(12) } else { 90 * place + 50 };
        let target = self.any_target();
        let user = self.one_of(&USERS);
        match self.below(12) {
            0..3 => Manner::Rings,
            3 => Manner::Silent,
            4..7 => Manner::Answers(after),
            7..10 => Manner::Refuses(after, self.one_of(&[404, 408, 480, 486, 486, 488, 500, 503, 600, 603])),
            10 => Manner::Deflects(after, target),
            _ => Manner::Deflects(after, Target::VoiceMail(user)),
        }
    }

    fn any_service(&mut self, first: bool) -> Service {
        match self.below(12) {
            0 => Service::Unavailable,
            1 => Service::Silent,
            2 if first => Service::PointsToSecond,
            3 if first => Service::PointsElsewhere,
            _ => Service::Answers,
        }
    }

    /// Everybody sets rules, telephones come and go.
    fn any_setting(&mut self) -> Setting {
        self.is_tight = self.one_in(4);
        let jitter = Duration::from_millis(self.below(20));
        self.company.world.weather(Weather { jitter, ..Weather::default() });
        for (name, _) in TELEPHONES {
            if self.one_in(2) {
                let wanted = !self.one_in(4);
                let what = if wanted { callee::Do::Register } else { callee::Do::Unregister };
                self.company.world.order(self.telephones[name], what);
                if wanted {
                    self.is_registered.insert(name)
                } else {
                    self.is_registered.remove(name)
                };
            }
        }
        let rules = USERS.into_iter().map(|user| (user, self.any_rules())).collect();
        let mut telephones: BTreeMap<User, Vec<(Name, Manner)>> =
            USERS.into_iter().map(|user| (user, Vec::new())).collect();
        for (place, (name, user)) in TELEPHONES.into_iter().enumerate() {
            let manner = self.any_manner(place);
            self.company.world[self.telephones[name]].manner = said(manner);
            if self.is_registered.contains(name) {
                telephones.get_mut(user).expect("a user").push((name, manner));
            }
        }
        let gateway = match self.any_manner(TELEPHONES.len()) {
            Manner::Deflects(after, _) => Manner::Answers(after),
            manner => manner,
        };
        self.company.world[self.gateway].manner = said(gateway);
        let services = [self.any_service(true), self.any_service(false)];
        for (place, service) in self.servers.into_iter().zip(services) {
            self.company.world[place].manner = service_said(service);
        }
        let setting =
            Setting { rules, telephones, gateway, voice_mail: [("um", services[0]), ("um2", services[1])] };
        // DEC-5: what another process changes counts within a second.
        let elsewhere = self.one_in(2);
        for user in USERS {
            self.publish(user, &setting.rules[user], elsewhere);
        }
        if elsewhere {
            self.company.wait(1);
        }
        setting
    }

    fn publish(&mut self, user: User, rules: &Rules, elsewhere: bool) {
        let yes = |is: bool| is.then(|| "yes".to_owned());
        let wait = |wait: Option<u64>| wait.map(|wait| format!("{}s", wait / 1_000));
        let list = |targets: &[Target]| {
            let all: Vec<String> = targets.iter().map(written).collect();
            (!all.is_empty()).then(|| all.join(", "))
        };
        let forward_to = rules.forward_to.as_ref().map(written);
        let immediate = rules.forward_immediate.then(|| forward_to.clone().unwrap_or("voicemail".to_owned()));
        let breakthrough: Vec<Target> = rules.breakthrough.iter().map(|user| Target::User(user)).collect();
        let changes = [
            ("block", yes(rules.block)),
            ("emergency-call-back", yes(rules.emergency)),
            ("forward-unanswered", forward_to.filter(|_| immediate.is_none())),
            ("forward-immediate", immediate),
            ("ring-also", rules.ring_also.as_ref().map(written)),
            ("team", list(&rules.team)),
            ("delegates", list(&rules.delegates)),
            ("breakthrough", list(&breakthrough)),
            ("skip-own-telephones", yes(rules.skip_primary)),
            ("do-not-disturb", yes(rules.do_not_disturb)),
            // The world begins on a Monday.
            ("work-hours", rules.is_after_hours.then(|| "sat-sun 09:00-17:00".to_owned())),
            ("no-voicemail", yes(rules.no_voice_mail)),
            ("ring-time", wait(rules.total)),
            ("team-after", wait(rules.user)),
            ("team-time", wait(rules.team2)),
        ];
        let changes = changes.map(|(key, value)| UserChange::Routing { key: key.to_owned(), value });
        let server = &mut self.company.world[self.company.server];
        let address = format!("{user}@example.test");
        match elsewhere {
            true => server.change_user_elsewhere(&address, &changes),
            false => server.change_user(&address, &changes),
        }
    }

    fn any_trouble(&mut self) -> Trouble {
        let (name, _) = self.one_of(&TELEPHONES);
        let slow = 1 + self.below(4);
        let troubles = [
            Trouble::FlowBroken(name),
            Trouble::ServersGone,
            Trouble::CallerGone,
            Trouble::Unplugged(name),
            Trouble::Registers(name),
            Trouble::Unregisters(name),
            Trouble::StoreSlow(slow),
            Trouble::StoreFails,
            Trouble::Restart,
        ];
        self.one_of(&troubles)
    }

    fn trouble(&mut self, trouble: Trouble, caller: Place<Telephone>) {
        let server = self.company.server;
        let world = &mut self.company.world;
        match trouble {
            Trouble::FlowBroken(name) => world.break_flows(self.telephones[name], server),
            Trouble::ServersGone => {
                for place in self.servers {
                    world.break_all_flows(place);
                    world.unplug(place, true);
                }
            }
            Trouble::CallerGone => world.break_flows(caller, server),
            Trouble::Unplugged(name) => world.unplug(self.telephones[name], true),
            Trouble::Registers(name) => {
                self.is_registered.insert(name);
                world.order(self.telephones[name], callee::Do::Register);
            }
            Trouble::Unregisters(name) => {
                self.is_registered.remove(name);
                world.order(self.telephones[name], callee::Do::Unregister);
            }
            Trouble::StoreSlow(seconds) => world[server].store_is.slow = Duration::from_secs(seconds),
            Trouble::StoreFails => world[server].store_is.failing = Some(StoreError::Busy),
            Trouble::Restart => {
                world.break_all_flows(server);
                world.order(server, Told::Restart);
            }
        }
    }

    /// One call, from its setting to its end.
    fn step(&mut self) {
        let setting = self.any_setting();
        self.company.wait(3);
        self.company.world.forget_ladder();
        for place in self.places() {
            self.company.world[place].invites.clear();
        }
        let to = self.one_of(&["bob", "carol"]);
        let (caller, from) = if self.one_in(5) {
            (self.stranger, None)
        } else {
            let (caller, from) = self.one_of(&self.callers.clone());
            (caller, Some(from.unwrap_or(to)))
        };
        let sensitivity =
            self.one_of(&["", "", "", "normal", "private", "private-no-diversion", "normal-no-diversion"]);
        let fraction = if self.is_tight { self.below(30) } else { 770 };
        let patience = if self.one_in(4) { 1_000 * (1 + self.below(40)) + fraction } else { 250_770 };
        let has_audio = !self.one_in(12);
        let call =
            Call { from, to, no_diversion: sensitivity.ends_with("no-diversion"), has_audio, patience };
        let troubles: Vec<(u64, Trouble)> = if self.one_in(3) {
            let count = 1 + self.below(2);
            (0..count).map(|_| (self.below(30_000), self.any_trouble())).collect()
        } else {
            Vec::new()
        };
        self.company.call(caller, placed(from, to, sensitivity, has_audio));
        self.live(caller, patience, &troubles);
        self.end(caller, &setting, call, &troubles);
    }

    fn places(&self) -> Vec<Place<Callee>> {
        self.telephones.values().copied().chain([self.gateway]).chain(self.servers).collect()
    }

    /// Time passes until the call is answered, or the caller has no patience.
    fn live(&mut self, caller: Place<Telephone>, patience: u64, troubles: &[(u64, Trouble)]) {
        self.company.world[caller].answers.clear();
        self.company.world[caller].progress.clear();
        let mut troubles = troubles.to_vec();
        troubles.sort_by_key(|(at, _)| *at);
        let mut now = 0;
        for (at, trouble) in troubles {
            let at = at.min(patience);
            self.company.world.run_for(Duration::from_millis(at - now));
            now = at;
            self.trouble(trouble, caller);
        }
        while now < patience && self.company.world[caller].answers.is_empty() {
            let step = 5_000.min(patience - now);
            self.company.world.run_for(Duration::from_millis(step));
            now += step;
        }
        if self.company.world[caller].answers.is_empty() {
            self.company.world.order(caller, Do::Cancel);
        }
    }

    fn end(&mut self, caller: Place<Telephone>, setting: &Setting, call: Call, troubles: &[(u64, Trouble)]) {
        self.company.wait(2);
        let talking: Vec<Name> = self
            .names()
            .filter(|(_, place)| self.company.world[*place].talking() > 0)
            .map(|(name, _)| name)
            .collect();
        self.company.world.order(caller, Do::HangUp);
        self.company.wait(2);
        let fate = Play::call(setting, call);
        let is_clear = troubles.is_empty() && fate.is_clear;
        let story = told(setting, call, &fate, troubles);
        self.note(&fate, call, is_clear);
        self.rules_hold(caller, setting, call, troubles, &story);
        if is_clear {
            self.is_as_the_model_says((caller, call), &fate, &talking, &story);
        }
        self.come_to_rest(troubles.is_empty(), &story);
    }

    fn note(&mut self, fate: &Fate, call: Call, is_clear: bool) {
        let one = u64::from;
        self.seen.calls += 1;
        self.seen.clear += one(is_clear);
        self.seen.troubled += one(!is_clear);
        self.seen.answered += one(is_clear && fate.answered.is_some());
        self.seen.to_voice_mail += one(is_clear && fate.rung.contains("um"));
        self.seen.undiverted += one(is_clear && call.no_diversion && !fate.rung.is_empty());
    }

    fn names(&self) -> impl Iterator<Item = (Name, Place<Callee>)> {
        let telephones = self.telephones.iter().map(|(name, place)| (*name, *place));
        telephones.chain([("gateway", self.gateway), ("um", self.servers[0]), ("um2", self.servers[1])])
    }

    /// What holds with troubles and without.
    fn rules_hold(
        &self,
        caller: Place<Telephone>,
        setting: &Setting,
        call: Call,
        troubles: &[(u64, Trouble)],
        story: &str,
    ) {
        let Telephone { answers, progress, .. } = &self.company.world[caller];
        let is_cut = |trouble: &Trouble| matches!(trouble, Trouble::CallerGone | Trouble::Restart);
        let may_be_lost = troubles.iter().any(|(_, trouble)| is_cut(trouble));
        assert!(!answers.is_empty() || may_be_lost, "no answer\n{story}");
        assert!(answers.len() <= 1 || answers.iter().all(|status| *status == 200), "{answers:?}\n{story}");
        assert!(!answers.iter().any(|status| (300..400).contains(status)), "{answers:?}\n{story}");
        let invited = self.company.invited();
        assert!(invited.len() <= INVITES_MAX, "{invited:?}\n{story}");
        let is_of_the_call = |rung: &&Rung| match &rung.what {
            What::Message(message) => *message.headers().method() != Method::Register,
            What::Note(_) => false,
        };
        let messages = self.company.world.ladder().rungs().iter().filter(is_of_the_call).count();
        assert!(messages <= MESSAGES_MAX, "{messages} messages\n{story}");
        let mut may = model::may_ring(setting, call);
        // Telephones that come meanwhile.
        for (_, trouble) in troubles {
            if let Trouble::Registers(name) = trouble {
                may.insert(name);
            }
        }
        let no_diversion_to = |name: &str| {
            let own = setting.telephones[call.to].iter().any(|(own, _)| own == &name);
            let came = troubles.iter().any(|(_, t)| matches!(t, Trouble::Registers(came) if came == &name));
            let also = match setting.rules[call.to].ring_also {
                Some(Target::Number) => name == "gateway",
                Some(Target::User(user)) => setting.telephones[user].iter().any(|(also, _)| also == &name),
                _ => false,
            };
            own || came || also
        };
        for name in &invited {
            assert!(may.contains(name), "{name} was rung\n{story}");
            assert!(!call.no_diversion || no_diversion_to(name), "{name} was rung\n{story}");
        }
        assert!(!call.no_diversion || !progress.contains(&181), "181\n{story}");
        let once: BTreeSet<_> = invited.iter().collect();
        let may_repeat =
            troubles.iter().any(|(_, t)| !matches!(t, Trouble::StoreSlow(_) | Trouble::StoreFails));
        assert!(once.len() == invited.len() || may_repeat, "{invited:?}\n{story}");
    }

    fn is_as_the_model_says(
        &self,
        (caller, call): (Place<Telephone>, Call),
        fate: &Fate,
        talking: &[Name],
        story: &str,
    ) {
        let invited: BTreeSet<&str> = self.company.invited().into_iter().collect();
        assert_eq!(invited, fate.rung.iter().copied().collect(), "rung\n{story}");
        let answers = &self.company.world[caller].answers;
        // 7.5: in time. Whoever has said nothing yet has two seconds more to hear that it is over, and two
        // again if the caller gives up meanwhile.
        let took = self.answered_after();
        let at_most = |at: u64| at + 2_000 + model::TOO_CLOSE;
        let gives_up_meanwhile = (fate.at..at_most(fate.at)).contains(&call.patience);
        let latest = at_most(if gives_up_meanwhile { call.patience } else { fate.at });
        assert!((fate.at..latest).contains(&(took + model::TOO_CLOSE / 4)), "after {took}\n{story}");
        match fate.answered {
            Some(name) => {
                assert_eq!(answers[..], [200], "{story}");
                assert_eq!(talking, [name], "{story}");
            }
            None => {
                assert!(answers[0] >= 400, "{answers:?}\n{story}");
                assert_eq!(talking, [""; 0], "{story}");
                assert!(answers[0] == 487 || !fate.given_up, "{answers:?}\n{story}");
            }
        }
    }

    /// Milliseconds from the INVITE to its final response that is no challenge.
    fn answered_after(&self) -> u64 {
        let ladder = self.company.world.ladder();
        let begun = ladder.requests(&Method::Invite).next().expect("a call").0;
        let is_answer = |(rung, response): &(&Rung, &Response)| {
            let status = response.status();
            rung.to == begun.from
                && *response.headers().method() == Method::Invite
                && status.is_final()
                && status.as_u16() != 407
        };
        let answered = ladder.responses().find(is_answer).expect("an answer").0;
        u64::try_from(answered.at.since(begun.at).as_millis()).expect("minutes")
    }

    /// Everybody hangs up, all troubles are over, and time passes.
    fn come_to_rest(&mut self, is_calm: bool, story: &str) {
        if is_calm {
            for (name, place) in self.names() {
                let telephone = &self.company.world[place];
                assert_eq!(telephone.talking(), 0, "{name} talks on\n{story}");
                let is_silent = telephone.manner == callee::Manner::silent();
                assert!(telephone.ringing() == 0 || is_silent, "{name} rings on\n{story}");
            }
        }
        let server = self.company.server;
        self.company.world[server].store_is = StoreIs::default();
        for place in self.places() {
            self.company.world.unplug(place, false);
            self.company.world.order(place, callee::Do::HangUp);
        }
        for (caller, _) in self.callers.clone() {
            self.company.world.order(caller, Do::HangUp);
        }
        self.company.wait(75);
        assert!(self.company.world[server].is_at_rest(), "something is left\n{story}");
        // Nothing rings that was ever told of the call: not even who was too slow to be told to stop.
        for place in self.places() {
            self.company.world.with(place, |telephone, _| telephone.forget_calls());
        }
    }
}

/// What a failure shows beside the ladder.
fn told(setting: &Setting, call: Call, fate: &Fate, troubles: &[(u64, Trouble)]) -> String {
    let mut story = format!("{call:?}\n{fate:?}\ntroubles: {troubles:?}\n");
    for user in USERS {
        story += &format!("{user}: {:?}\n    {:?}\n", setting.telephones[user], setting.rules[user]);
    }
    story + &format!("gateway: {:?}, voice mail: {:?}", setting.gateway, setting.voice_mail)
}

fn placed(from: Option<User>, to: User, sensitivity: &str, has_audio: bool) -> Invite {
    let mut call = match from {
        Some(from) => invite(from, to),
        None => Invite { from: "<sip:erin@elsewhere.test>".to_owned(), ..invite("erin", to) },
    };
    if !has_audio {
        call = call.offering(Offer::Text(VIDEO.to_owned()));
    }
    if sensitivity.is_empty() { call } else { call.line(&format!("Ms-Sensitivity: {sensitivity}")) }
}

fn said(manner: Manner) -> callee::Manner {
    let after = Duration::from_millis;
    match manner {
        Manner::Rings => callee::Manner::rings(),
        Manner::Silent => callee::Manner::silent(),
        Manner::Answers(at) => callee::Manner { rings: true, after: after(at), then: Then::Answer },
        Manner::Refuses(at, status) => callee::Manner {
            rings: true,
            after: after(at),
            then: Then::Refuse(StatusCode::new(status).expect("a status code")),
        },
        Manner::Deflects(at, to) => {
            let to = match to {
                Target::User(user) => format!("sip:{user}@example.test"),
                Target::Number => format!("sip:{NUMBER}@example.test;user=phone"),
                Target::Nobody => "sip:nobody@example.test".to_owned(),
                Target::VoiceMail(user) => format!("sip:{user}@example.test;opaque=app:voicemail"),
            };
            let then = Then::Deflect(StatusCode::new(303).expect("a status code"), to);
            callee::Manner { rings: true, after: after(at), then }
        }
    }
}

fn service_said(service: Service) -> callee::Manner {
    match service {
        Service::Answers => callee::Manner::answers(),
        Service::Unavailable => callee::Manner::refuses(503),
        Service::Silent => callee::Manner::silent(),
        Service::PointsToSecond => callee::Manner::redirects(302, &format!("sip:{UM2};transport=tls")),
        Service::PointsElsewhere => callee::Manner::redirects(302, "sip:um.evil.test;transport=tls"),
    }
}

fn written(target: &Target) -> String {
    match target {
        Target::User("dave") => "1004".to_owned(),
        Target::User(user) => format!("{user}@example.test"),
        Target::Number => NUMBER.to_owned(),
        Target::Nobody => "nobody@example.test".to_owned(),
        Target::VoiceMail(_) => "voicemail".to_owned(),
    }
}

fn live(seed: u64) -> Seen {
    let mut explorer = Explorer::new(seed);
    for _call in 0..CALLS {
        explorer.step();
    }
    explorer.seen
}

/// I4, I5, I6, OCEXUM-2.2.2-2, OCEXUM-3.2-2, OCEXUM-3.2-3, SENS-6 to SENS-15, SIPRE-20 to SIPRE-31, REL-52.
#[test]
fn calls_go_as_the_texts_say_and_whatever_happens_the_promises_hold() {
    let mut all = Seen::default();
    let lives = live_through(0..SEEDS, live);
    for seen in &lives {
        all.calls += seen.calls;
        all.clear += seen.clear;
        all.answered += seen.answered;
        all.to_voice_mail += seen.to_voice_mail;
        all.undiverted += seen.undiverted;
        all.troubled += seen.troubled;
    }
    // Otherwise nothing was shown.
    if is_replay(&lives) {
        return;
    }
    let few = u64::try_from(lives.len()).expect("few enough") / 10;
    assert!(all.clear > few * 10 && all.answered > few * 3 && all.to_voice_mail > few * 2, "{all:?}");
    assert!(all.undiverted > few && all.troubled > few * 5, "{all:?}");
}

/// A run follows from its seed.
#[test]
fn the_same_seed_is_the_same_world() {
    let ladder = |seed| {
        let mut explorer = Explorer::new(seed);
        explorer.step();
        explorer.company.world.ladder().print()
    };
    assert_eq!(ladder(5), ladder(5));
    assert_ne!(ladder(5), ladder(6));
}
