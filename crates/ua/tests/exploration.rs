//! Whatever two agents do to each other, in whatever order: one end per call, and nothing left (I4, I5).
//! `PROPTEST_CASES=20000` explores for longer.
#![allow(clippy::unwrap_used)]

mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use umbel_sip_message::StatusCode;
use umbel_ua::{CallKey, Command, Config, Event, InfoBody};
use world::{World, body, call_of};

/// Something that happens; the number picks one of the calls that are known so far.
#[derive(Clone, Debug)]
enum Step {
    Call,
    Ring(usize),
    Answer(usize),
    Refuse(usize),
    HangUp(usize),
    Reoffer(usize),
    Accept(usize),
    Reject(usize),
    Info(usize),
    Wait(u64),
    BreakLinks,
    Deafen,
    Undeafen,
    Drain(bool),
}

fn step() -> impl Strategy<Value = (bool, Step)> {
    let which = 0..6_usize;
    let step = prop_oneof![
        3 => Just(Step::Call),
        2 => which.clone().prop_map(Step::Ring),
        5 => which.clone().prop_map(Step::Answer),
        1 => which.clone().prop_map(Step::Refuse),
        3 => which.clone().prop_map(Step::HangUp),
        3 => which.clone().prop_map(Step::Reoffer),
        4 => which.clone().prop_map(Step::Accept),
        2 => which.clone().prop_map(Step::Reject),
        1 => which.prop_map(Step::Info),
        // From "still on the way" to "every timer ran out".
        8 => prop_oneof![0..3_u64, 3..700_u64, 700..40_000_u64].prop_map(Step::Wait),
        1 => Just(Step::BreakLinks),
        1 => Just(Step::Deafen),
        2 => Just(Step::Undeafen),
        1 => any::<bool>().prop_map(Step::Drain),
    ];
    (any::<bool>(), step)
}

/// The calls that somebody was told of, and what was told of each, in order.
#[derive(Default)]
struct Heard {
    calls: Vec<CallKey>,
    ended: BTreeMap<CallKey, usize>,
    late: BTreeSet<CallKey>,
}

impl Heard {
    fn listen(&mut self, events: Vec<Event>) {
        for event in events {
            let Some(call) = call_of(&event) else { continue };
            if !self.calls.contains(&call) {
                self.calls.push(call);
            }
            if self.ended.contains_key(&call) {
                self.late.insert(call);
            }
            if matches!(event, Event::Ended { .. }) {
                *self.ended.entry(call).or_default() += 1;
            }
        }
    }

    fn pick(&self, which: usize) -> Option<CallKey> {
        // The latest are the most interesting.
        self.calls.iter().rev().nth(which).copied()
    }
}

fn run(steps: Vec<(bool, Step)>) {
    let mut world = World::new();
    // Short sessions, so that refreshes take part.
    for name in ["alice", "bob"] {
        world.agent(name, Config { session_expires: Some(90), ..Config::default() });
    }
    let mut heard = [Heard::default(), Heard::default()];
    for (at_bob, step) in steps {
        let (index, name, other) = if at_bob { (1, "bob", "alice") } else { (0, "alice", "bob") };
        let pick = |which: usize| heard[index].pick(which).unwrap_or(CallKey(99));
        match step {
            Step::Call => {
                let call = world.call(name, other);
                heard[index].calls.push(call);
            }
            Step::Ring(which) => world.command(name, Command::Ring { call: pick(which) }),
            Step::Answer(which) => {
                let command =
                    Command::Answer { call: pick(which), body: body("v=0\r\n"), headers: Vec::new() };
                world.command(name, command);
            }
            Step::Refuse(which) => {
                let status = StatusCode::BUSY_HERE;
                world.command(name, Command::Refuse { call: pick(which), status, headers: Vec::new() });
            }
            Step::HangUp(which) => world.command(name, Command::HangUp { call: pick(which) }),
            Step::Reoffer(which) => {
                world.command(name, Command::Reoffer { call: pick(which), body: body("v=0\r\n") });
            }
            Step::Accept(which) => {
                world.command(name, Command::Accept { call: pick(which), body: body("v=0\r\n") });
            }
            Step::Reject(which) => {
                let status = StatusCode::NOT_ACCEPTABLE_HERE;
                world.command(name, Command::Reject { call: pick(which), status, headers: Vec::new() });
            }
            Step::Info(which) => {
                let content_type = "application/dtmf".to_owned();
                world.command(
                    name,
                    Command::SendInfo { call: pick(which), content_type, body: InfoBody(body("5")) },
                );
            }
            Step::Wait(millis) => world.run_for(Duration::from_millis(millis)),
            Step::BreakLinks => world.break_links(name),
            Step::Deafen => world.deafen(name),
            Step::Undeafen => world.undeafen(name),
            Step::Drain(draining) => world.command(name, Command::Drain(draining)),
        }
        heard[0].listen(world.events("alice"));
        heard[1].listen(world.events("bob"));
    }
    // Everybody hangs up on everything; twice, because a call may just be on its way.
    for _ in 0..2 {
        for (index, name) in ["alice", "bob"].into_iter().enumerate() {
            for call in heard[index].calls.clone() {
                world.command(name, Command::HangUp { call });
            }
        }
        world.settle();
        heard[0].listen(world.events("alice"));
        heard[1].listen(world.events("bob"));
    }
    world.expect_rest();
    heard[0].listen(world.events("alice"));
    heard[1].listen(world.events("bob"));
    for heard in heard {
        for call in heard.calls {
            assert_eq!(heard.ended.get(&call), Some(&1), "the ends of {call:?}");
        }
        assert!(heard.late.is_empty(), "told of {:?} after their ends", heard.late);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_call_ends_once_and_leaves_nothing(steps in prop::collection::vec(step(), 1..60)) {
        run(steps);
    }
}
