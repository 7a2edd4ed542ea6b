//! Whatever two endpoints do to each other, it ends, and nothing is left.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod pair;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pair::*;
use proptest::prelude::*;
use umbel_node::FlowId;
use umbel_sip_endpoint::{ClientTransaction, Event, Input, SIXTY_FOUR_T1, ServerTransaction};
use umbel_sip_message::{Message, Method, Request, StatusCode, parse};

/// What can happen next; numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Call,
    Ask,
    Ring(usize),
    Answer(usize),
    Refuse(usize),
    Cancel(usize),
    Acknowledge,
    HangUp,
    Break,
    AliceUnreachable(bool),
    BobUnreachable(bool),
    /// From now on, flows take long to open.
    Hold,
    /// Those flows open now.
    Release,
    Wait(u64),
    /// Something that was sent before is sent again, over whatever flow there is.
    Replay(usize),
    /// The same, with some octets changed.
    Garble(usize, usize, u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Call),
        2 => Just(Step::Ask),
        3 => any::<usize>().prop_map(Step::Ring),
        3 => any::<usize>().prop_map(Step::Answer),
        3 => any::<usize>().prop_map(Step::Refuse),
        3 => any::<usize>().prop_map(Step::Cancel),
        2 => Just(Step::Acknowledge),
        2 => Just(Step::HangUp),
        1 => Just(Step::Break),
        1 => any::<bool>().prop_map(Step::AliceUnreachable),
        1 => any::<bool>().prop_map(Step::BobUnreachable),
        1 => Just(Step::Hold),
        2 => Just(Step::Release),
        3 => (0_u64..40_000).prop_map(Step::Wait),
        2 => any::<usize>().prop_map(Step::Replay),
        2 => (any::<usize>(), any::<usize>(), any::<u8>()).prop_map(|(a, b, c)| Step::Garble(a, b, c)),
    ]
}

/// The users of both endpoints, and what they know.
struct Users {
    pair: Pair,
    calls: usize,
    placed: Vec<ClientTransaction>,
    /// Requests that bob has not answered finally.
    open: Vec<(ServerTransaction, Request)>,
    answers: Vec<umbel_sip_message::Response>,
    /// How each request of alice ended, as she was told; a call may have several 2xx.
    ended: BTreeMap<ClientTransaction, Vec<u16>>,
    failed: BTreeSet<ClientTransaction>,
}

impl Users {
    fn new(seed: u64) -> Self {
        Users {
            pair: Pair::new(seed),
            calls: 0,
            placed: Vec::new(),
            open: Vec::new(),
            answers: Vec::new(),
            ended: BTreeMap::new(),
            failed: BTreeSet::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Call => self.ask(Method::Invite),
            Step::Ask => self.ask(Method::Options),
            Step::Ring(which) => self.respond(which, StatusCode::RINGING),
            Step::Answer(which) => self.respond(which, StatusCode::OK),
            Step::Refuse(which) => self.respond(which, StatusCode::BUSY_HERE),
            Step::Cancel(which) => {
                if let Some(&call) = pick(&self.placed, which) {
                    let (alice, now) = self.pair.alice();
                    alice.cancel(now, call, None);
                }
            }
            Step::Acknowledge => {
                if let Some(ok) = self.answers.last() {
                    let draft = ack(ok);
                    let (alice, now) = self.pair.alice();
                    alice.send(now, draft, to_bob());
                }
            }
            Step::HangUp => {
                if let Some(ok) = self.answers.last() {
                    self.calls += 1;
                    let number = u32::try_from(self.calls).unwrap() + 1;
                    let draft = in_dialog(Method::Bye, number, ok);
                    let (alice, now) = self.pair.alice();
                    let bye = alice.request(now, draft, to_bob());
                    self.placed.push(bye);
                }
            }
            Step::Break => self.pair.break_flows(),
            Step::AliceUnreachable(is) => self.set_dead(ALICE, is),
            Step::BobUnreachable(is) => self.set_dead(BOB, is),
            Step::Hold => self.pair.held = Some(self.pair.held.take().unwrap_or_default()),
            Step::Release => {
                for (side, id, to) in self.pair.held.take().unwrap_or_default() {
                    self.pair.connect(side, id, &to);
                }
            }
            Step::Wait(millis) => self.pair.pass(Duration::from_millis(millis)),
            Step::Replay(which) => self.replay(which, None),
            Step::Garble(which, at, octet) => self.replay(which, Some((at, octet))),
        }
        self.listen();
    }

    fn ask(&mut self, method: Method) {
        self.calls += 1;
        let draft = request(method, &format!("call-{}", self.calls));
        let (alice, now) = self.pair.alice();
        let transaction = alice.request(now, draft, to_bob());
        self.placed.push(transaction);
    }

    fn respond(&mut self, which: usize, status: StatusCode) {
        if self.open.is_empty() {
            return;
        }
        let (transaction, request) = self.open[which % self.open.len()].clone();
        let (bob, now) = self.pair.bob();
        bob.respond(now, transaction, reply(&request, status));
    }

    fn set_dead(&mut self, side: usize, is_dead: bool) {
        if is_dead {
            self.pair.dead.insert(address(side));
        } else {
            self.pair.dead.remove(&address(side));
        }
    }

    fn replay(&mut self, which: usize, garble: Option<(usize, u8)>) {
        let Some((side, bytes)) = pick(&self.pair.sent, which).cloned() else { return };
        let mut bytes = bytes.to_vec();
        if let Some((at, octet)) = garble {
            let at = at % bytes.len();
            bytes[at] = octet;
        }
        // Accepted flows have even names, opened ones odd names; some of these do not exist.
        let id = FlowId(u64::try_from(which % 8).unwrap());
        let input = match parse(bytes.into()) {
            Ok(message) => Input::Received { id, message },
            Err(what) => Input::Malformed { id, what },
        };
        let now = self.pair.now;
        self.pair.endpoints[1 - side].handle(now, input);
    }

    fn listen(&mut self) {
        for event in self.pair.take_events(BOB) {
            if let Event::Request { transaction, request, .. } = event {
                self.open.push((transaction, request));
            }
        }
        for event in self.pair.take_events(ALICE) {
            match event {
                Event::Response { transaction, response, .. } if response.status().is_final() => {
                    assert!(!self.failed.contains(&transaction), "a response after the failure");
                    self.ended.entry(transaction).or_default().push(response.status().as_u16());
                    if response.status().is_success() && *response.headers().method() == Method::Invite {
                        self.answers.push(response);
                    }
                }
                Event::Failed { transaction, .. } => {
                    assert!(!self.ended.contains_key(&transaction), "a failure after the response");
                    assert!(self.failed.insert(transaction), "a failure twice");
                }
                // Alice's endpoint may be sent requests by the replays; she answers.
                Event::Request { transaction, request, .. } => {
                    let (alice, now) = self.pair.alice();
                    alice.respond(now, transaction, reply(&request, StatusCode::NOT_FOUND));
                }
                _ => {}
            }
        }
    }

    /// Bob answers what is open, the shell what it was asked, and time passes.
    fn finish(&mut self) {
        for (side, id, _) in self.pair.held.take().unwrap_or_default() {
            let now = self.pair.now;
            let reason = umbel_node::CloseReason::ConnectFailed;
            self.pair.endpoints[side].handle(now, Input::Closed { id, reason });
        }
        self.listen();
        for which in 0..self.open.len() {
            self.respond(which, StatusCode::TEMPORARILY_UNAVAILABLE);
        }
        self.listen();
        for call in self.placed.clone() {
            let (alice, now) = self.pair.alice();
            alice.cancel(now, call, None);
        }
        for _ in 0..4 {
            self.pair.pass(SIXTY_FOUR_T1);
            self.listen();
            for which in 0..self.open.len() {
                self.respond(which, StatusCode::TEMPORARILY_UNAVAILABLE);
            }
        }
        self.pair.pass(SIXTY_FOUR_T1);
        self.listen();
    }

    /// Final responses that bob's side sent for each INVITE, by Call-ID.
    fn finals(&self) -> BTreeMap<String, BTreeSet<u16>> {
        let mut finals: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
        for (side, bytes) in &self.pair.sent {
            let Ok(Message::Response(response)) = parse(bytes.clone()) else { continue };
            let status = response.status();
            let ours = *side == BOB && *response.headers().method() == Method::Invite;
            if ours && status.is_final() {
                let call = response.headers().call_id().to_owned();
                finals.entry(call).or_default().insert(status.as_u16());
            }
        }
        finals
    }
}

fn pick<T>(list: &[T], which: usize) -> Option<&T> {
    list.get(which % list.len().max(1))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    // I4, I5
    #[test]
    fn nothing_is_left_and_each_request_ends_once(seed: u64, steps in prop::collection::vec(step(), 1..60)) {
        let mut users = Users::new(seed);
        for step in steps {
            users.take(step);
        }
        users.finish();
        users.pair.assert_idle();
        for transaction in &users.placed {
            let ended = users.ended.get(transaction).map_or(0, Vec::len);
            let failed = usize::from(users.failed.contains(transaction));
            prop_assert!(ended + failed > 0, "{transaction:?} never ended");
            let statuses: BTreeSet<_> = users.ended.get(transaction).into_iter().flatten().collect();
            prop_assert!(statuses.len() <= 1, "{transaction:?} ended with {statuses:?}");
        }
    }

    // Architecture, invariant 7
    #[test]
    fn every_invite_gets_one_final_response(seed: u64, steps in prop::collection::vec(step(), 1..40)) {
        let mut users = Users::new(seed);
        for step in steps {
            if !matches!(step, Step::Replay(_) | Step::Garble(..)) {
                users.take(step);
            }
        }
        users.finish();
        for (call, statuses) in users.finals() {
            prop_assert_eq!(statuses.len(), 1, "{} got {:?}", call, statuses);
        }
    }

    // SEC-70
    #[test]
    fn random_octets_after_a_start_line_never_panic(
        seed: u64,
        method in "(INVITE|ACK|CANCEL|BYE|OPTIONS|FOO|SIP/2.0 200 OK)",
        lines in prop::collection::vec("(Via|v|From|To|Call-ID|CSeq|Max-Forwards|X): [ -~]{0,40}", 0..12),
    ) {
        let mut pair = Pair::new(seed);
        pair.connect(ALICE, FlowId(99), &tcp(BOB));
        let start = if method.starts_with("SIP") { method } else { format!("{method} sip:bob@bob.example SIP/2.0") };
        let text = format!("{start}\r\n{}\r\nContent-Length: 0\r\n\r\n", lines.join("\r\n"));
        pair.inject(ALICE, text.as_bytes());
        for event in pair.take_events(BOB) {
            if let Event::Request { transaction, request, .. } = event {
                let (bob, now) = pair.bob();
                bob.respond(now, transaction, reply(&request, StatusCode::OK));
            }
        }
        pair.pass(SIXTY_FOUR_T1);
        pair.assert_idle();
    }
}
