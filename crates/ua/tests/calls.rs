//! Whole calls between two agents: RFC 3261 13 and 15, read as ladders.
#![allow(clippy::unwrap_used)]

mod world;

use std::time::Duration;

use umbel_sip_message::StatusCode;
use umbel_ua::{Command, Config, Ending};
use world::World;

const SECOND: Duration = Duration::from_secs(1);

/// Alice calls bob, and both talk.
fn talking() -> World {
    let mut world = World::of_two();
    world.call("alice", "bob");
    world.settle();
    world.answer("bob");
    world.settle();
    world.forget_ladder();
    world
}

// PEER-14, RFC 3261 13, 15
#[test]
fn a_call_rings_is_answered_and_hung_up() {
    let mut world = World::of_two();
    world.call("alice", "bob");
    world.settle();
    world.ring("bob");
    world.settle();
    world.answer("bob");
    world.settle();
    world.hang_up("alice");
    world.settle();
    world.expect(
        "
        0.001 alice -> bob: INVITE 1 sdp
        0.002 bob: Invited sdp
        0.020 bob -> alice: 180 (INVITE 1)
        0.021 alice: Progress 180
        0.040 bob -> alice: 200 (INVITE 1) sdp
        0.041 alice: Answered sdp
        0.041 alice -> bob: ACK 1
        0.042 bob: Confirmed
        0.060 alice: Ended ByUs
        0.060 alice -> bob: BYE 2
        0.061 bob: Ended ByPeer
        0.061 bob -> alice: 200 (BYE 2)
        ",
    );
    world.expect_rest();
}

#[test]
fn the_called_party_may_hang_up_too() {
    let mut world = talking();
    world.hang_up("bob");
    world.settle();
    world.expect(
        "
        0.040 bob: Ended ByUs
        0.040 bob -> alice: BYE 1
        0.041 alice: Ended ByPeer
        0.041 alice -> bob: 200 (BYE 1)
        ",
    );
    world.expect_rest();
}

#[test]
fn both_hang_up_at_once() {
    let mut world = talking();
    world.hang_up("alice");
    world.hang_up("bob");
    world.settle();
    world.expect(
        "
        0.040 alice: Ended ByUs
        0.040 alice -> bob: BYE 2
        0.040 bob: Ended ByUs
        0.040 bob -> alice: BYE 1
        0.041 bob -> alice: 481 (BYE 2)
        0.041 alice -> bob: 481 (BYE 1)
        ",
    );
    world.expect_rest();
}

#[test]
fn a_refusal_comes_up_as_it_was_sent() {
    let mut world = World::of_two();
    world.call("alice", "bob");
    world.settle();
    world.refuse("bob", StatusCode::BUSY_HERE);
    world.settle();
    world.expect(
        "
        0.001 alice -> bob: INVITE 1 sdp
        0.002 bob: Invited sdp
        0.020 bob: Ended ByUs
        0.020 bob -> alice: 486 (INVITE 1)
        0.021 alice: Ended Refused 486
        0.021 alice -> bob: ACK 1
        ",
    );
    world.expect_rest();
}

// RFC 3261 9, SEC-24
#[test]
fn the_caller_takes_the_call_back() {
    let mut world = World::of_two();
    world.call("alice", "bob");
    world.settle();
    world.ring("bob");
    world.settle();
    world.hang_up("alice");
    world.settle();
    world.expect(
        "
        0.001 alice -> bob: INVITE 1 sdp
        0.002 bob: Invited sdp
        0.020 bob -> alice: 180 (INVITE 1)
        0.021 alice: Progress 180
        0.040 alice -> bob: CANCEL 1
        0.041 bob: Ended Cancelled
        0.041 bob -> alice: 200 (CANCEL 1)
        0.041 bob -> alice: 487 (INVITE 1)
        0.042 alice: Ended Cancelled
        0.042 alice -> bob: ACK 1
        ",
    );
    world.expect_rest();
}

// RFC 3261 9.1: CANCEL waits for a provisional response; here the 100 that silence brings.
#[test]
fn a_call_taken_back_at_once_waits_for_a_sign_of_the_server() {
    let mut world = World::of_two();
    world.call("alice", "bob");
    world.run_for(Duration::from_millis(3));
    world.hang_up("alice");
    world.run_for(SECOND);
    world.expect(
        "
        0.001 alice -> bob: INVITE 1 sdp
        0.002 bob: Invited sdp
        0.202 bob -> alice: 100 (INVITE 1)
        0.203 alice -> bob: CANCEL 1
        0.204 bob: Ended Cancelled
        0.204 bob -> alice: 200 (CANCEL 1)
        0.204 bob -> alice: 487 (INVITE 1)
        0.205 alice: Ended Cancelled
        0.205 alice -> bob: ACK 1
        ",
    );
    world.expect_rest();
}

// SEC-24, RFC 3261 9.1, 15: CANCEL and 2xx cross.
#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged_and_hung_up() {
    let mut world = World::of_two();
    world.call("alice", "bob");
    world.settle();
    world.ring("bob");
    world.settle();
    world.hang_up("alice");
    world.answer("bob");
    world.settle();
    world.expect(
        "
        0.001 alice -> bob: INVITE 1 sdp
        0.002 bob: Invited sdp
        0.020 bob -> alice: 180 (INVITE 1)
        0.021 alice: Progress 180
        0.040 alice -> bob: CANCEL 1
        0.040 bob -> alice: 200 (INVITE 1) sdp
        0.041 bob -> alice: 200 (CANCEL 1)
        0.041 alice: Ended Cancelled
        0.041 alice -> bob: ACK 1
        0.041 alice -> bob: BYE 2
        0.042 bob: Confirmed
        0.042 bob: Ended ByPeer
        0.042 bob -> alice: 200 (BYE 2)
        ",
    );
    world.expect_rest();
}

// REL-33, RFC 3261 13.3.1.4
#[test]
fn without_ack_the_answer_is_repeated_and_the_call_freed_within_forty_seconds() {
    let mut world = World::of_two();
    world.call("alice", "bob");
    world.settle();
    world.deafen("alice");
    world.answer("bob");
    world.run_for(SECOND * 40);
    world.expect(
        "
        0.001 alice -> bob: INVITE 1 sdp
        0.002 bob: Invited sdp
        0.020 bob -x alice: 200 (INVITE 1) sdp
        0.520 bob -x alice: 200 (INVITE 1) sdp
        1.520 bob -x alice: 200 (INVITE 1) sdp
        3.520 bob -x alice: 200 (INVITE 1) sdp
        7.520 bob -x alice: 200 (INVITE 1) sdp
        11.520 bob -x alice: 200 (INVITE 1) sdp
        15.520 bob -x alice: 200 (INVITE 1) sdp
        19.520 bob -x alice: 200 (INVITE 1) sdp
        23.520 bob -x alice: 200 (INVITE 1) sdp
        27.520 bob -x alice: 200 (INVITE 1) sdp
        31.520 bob -x alice: 200 (INVITE 1) sdp
        32.001 alice: Ended NoResponse
        32.020 bob: Ended NoAck
        32.020 bob -x alice: BYE 1
        ",
    );
    assert_eq!(world.agent_of("bob").call_count(), 0);
    world.expect_rest();
}

// REL-33
#[test]
fn a_caller_that_vanishes_after_its_invite_leaves_nothing_behind() {
    let mut world = World::of_two();
    world.call("alice", "bob");
    world.settle();
    world.break_links("alice");
    world.deafen("alice");
    world.answer("bob");
    world.run_for(SECOND * 40);
    assert_eq!(world.ending("bob"), Ending::NoAck);
    assert_eq!(world.agent_of("bob").call_count(), 0);
    world.expect_rest();
}

// RFC 3261 13.2.2.4: a lost ACK is sent again for each copy of the 2xx.
#[test]
fn each_copy_of_the_answer_gets_an_ack() {
    let mut world = World::of_two();
    world.call("alice", "bob");
    world.settle();
    world.deafen("bob");
    world.answer("bob");
    world.run_for(SECOND);
    world.undeafen("bob");
    world.run_for(SECOND);
    world.expect(
        "
        0.001 alice -> bob: INVITE 1 sdp
        0.002 bob: Invited sdp
        0.020 bob -> alice: 200 (INVITE 1) sdp
        0.021 alice: Answered sdp
        0.021 alice -x bob: ACK 1
        0.520 bob -> alice: 200 (INVITE 1) sdp
        0.521 alice -x bob: ACK 1
        1.520 bob -> alice: 200 (INVITE 1) sdp
        1.521 alice -> bob: ACK 1
        1.522 bob: Confirmed
        ",
    );
}

// RFC 3261 15: no BYE before the ACK.
#[test]
fn hanging_up_right_after_the_answer_waits_for_the_ack() {
    let mut world = World::of_two();
    world.call("alice", "bob");
    world.settle();
    world.answer("bob");
    world.hang_up("bob");
    world.settle();
    world.expect(
        "
        0.001 alice -> bob: INVITE 1 sdp
        0.002 bob: Invited sdp
        0.020 bob -> alice: 200 (INVITE 1) sdp
        0.021 alice: Answered sdp
        0.021 alice -> bob: ACK 1
        0.022 bob: Ended ByUs
        0.022 bob -> alice: BYE 1
        0.023 alice: Ended ByPeer
        0.023 alice -> bob: 200 (BYE 1)
        ",
    );
    world.expect_rest();
}

#[test]
fn hanging_up_instead_of_answering_is_a_refusal() {
    let mut world = World::of_two();
    world.call("alice", "bob");
    world.settle();
    world.hang_up("bob");
    world.settle();
    assert_eq!(world.ending("bob"), Ending::ByUs);
    match world.ending("alice") {
        Ending::Refused(refused) => assert_eq!(refused.status, StatusCode::TEMPORARILY_UNAVAILABLE),
        other => panic!("{other:?}"),
    }
    world.expect_rest();
}

#[test]
fn nobody_answers_at_all() {
    let mut world = World::of_two();
    world.deafen("bob");
    world.call("alice", "bob");
    world.run_for(SECOND * 33);
    assert_eq!(world.ending("alice"), Ending::NoResponse);
    world.expect_rest();
}

#[test]
fn nobody_is_there_to_connect_to() {
    let mut world = World::of_two();
    let mut outgoing = world.outgoing("alice", "bob");
    outgoing.target = world::uri("sip:carol@198.51.100.1");
    world.call_with("alice", outgoing);
    world.settle();
    assert_eq!(world.ending("alice"), Ending::TransportFailed);
    world.expect_rest();
}

// PEER-18, REL-43: at the limit, and one above.
#[test]
fn one_call_too_many_gets_503_with_a_moment_to_come_back() {
    let mut world = World::new();
    world.agent("alice", Config::default());
    world.agent("bob", Config { calls_max: 2, ..Config::default() });
    for _ in 0..3 {
        world.call("alice", "bob");
        world.settle();
    }
    assert_eq!(world.agent_of("bob").call_count(), 2);
    match world.ending("alice") {
        Ending::Refused(refused) => {
            assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
            assert!((1..=30).contains(&refused.retry_after.unwrap()));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_that_we_may_not_place_ends_at_once() {
    let mut world = World::new();
    world.agent("alice", Config { calls_max: 0, ..Config::default() });
    world.agent("bob", Config::default());
    world.call("alice", "bob");
    world.expect("0.000 alice: Ended Abandoned");
    world.expect_rest();
}

// REL-23: "new calls 503 with Retry-After"; running ones go on.
#[test]
fn draining_refuses_new_calls_and_keeps_old_ones() {
    let mut world = talking();
    world.command("bob", Command::Drain(true));
    let second = world.call("alice", "bob");
    world.settle();
    world.hang_up("bob");
    world.settle();
    let ended: Vec<_> = world.events("alice").iter().filter_map(world::call_of).collect();
    assert!(ended.contains(&second));
    assert_eq!(world.agent_of("bob").call_count(), 0);
    world.command("bob", Command::Drain(false));
    world.call("alice", "bob");
    world.settle();
    assert_eq!(world.agent_of("bob").call_count(), 1);
}

// REL-35: the call goes on, and BYE opens a connection.
#[test]
fn a_broken_connection_does_not_end_the_call_and_bye_opens_another() {
    for (who, other) in [("alice", "bob"), ("bob", "alice")] {
        let mut world = talking();
        world.break_links("alice");
        world.run_for(SECOND);
        assert_eq!(world.agent_of("alice").call_count(), 1);
        assert_eq!(world.agent_of("bob").call_count(), 1);
        world.hang_up(who);
        world.settle();
        assert_eq!(world.ending(who), Ending::ByUs);
        assert_eq!(world.ending(other), Ending::ByPeer);
        world.expect_rest();
    }
}

#[test]
fn a_refusal_that_would_not_refuse_does() {
    let mut world = World::of_two();
    world.call("alice", "bob");
    world.settle();
    world.refuse("bob", StatusCode::OK);
    world.settle();
    match world.ending("alice") {
        Ending::Refused(refused) => assert_eq!(refused.status, StatusCode::SERVER_INTERNAL_ERROR),
        other => panic!("{other:?}"),
    }
}

// An order about a call that is over, or that never was, means nothing.
#[test]
fn orders_that_come_too_late_mean_nothing() {
    let mut world = talking();
    world.hang_up("alice");
    world.settle();
    world.forget_ladder();
    for name in ["alice", "bob"] {
        world.ring(name);
        world.answer(name);
        world.refuse(name, StatusCode::BUSY_HERE);
        world.hang_up(name);
        world.accept(name);
        world.reoffer(name);
    }
    world.settle();
    world.expect("");
}
