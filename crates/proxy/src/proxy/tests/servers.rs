//! Gateways and unified messaging servers: watched, and tried in a good order.

use super::*;

const OF_BOB: &str = "sip:bob@example.test;opaque=app:voicemail";

// PEER-11: at the start one after the other, and every minute.
#[test]
fn servers_are_pinged_at_the_start_and_every_minute() {
    let mut office = Office::new();
    office.wait(59);
    let first: Vec<String> = office.pings.iter().map(|(_, name)| name.clone()).collect();
    assert_eq!(first, ["vm1", "vm2", "gw"]);
    let times: Vec<u64> = office.pings.iter().map(|(at, _)| at.as_micros() / 1_000).collect();
    assert!(times.windows(2).all(|pair| pair[0] + 300 < pair[1]) && times[2] < 1_000, "{times:?}");
    assert_eq!(office.standing, ["vm1.test up", "vm2.test up", "gw.test up"]);
    office.wait(60);
    assert_eq!(office.pings.len(), 6);
    assert!(office.proxy.is_idle());
}

// PEER-11: down after two failures, up after one answer; EUMR-7: tried last, not never.
#[test]
fn who_is_down_is_tried_last() {
    let mut office = Office::new();
    office.deaf.insert("vm1");
    office.wait(32);
    assert_eq!(office.standing, ["vm2.test up", "gw.test up"]);
    office.call("alice", OF_BOB);
    office.expect(&format!("vm1 < INVITE {OF_BOB}"));
    office.hang_up_early("alice");
    office.wait(61);
    office.expect("alice < 487");
    assert_eq!(office.standing.last().unwrap(), "vm1.test down");
    office.call("alice", OF_BOB);
    office.expect(&format!("vm2 < INVITE {OF_BOB}"));
    office.answer("vm2", "503 Service Unavailable");
    office.expect(&format!("vm1 < INVITE {OF_BOB}"));
    office.answer("vm1", "200 OK");
    office.expect("alice < 200");
    office.deaf.clear();
    office.wait(60);
    assert_eq!(office.standing.last().unwrap(), "vm1.test up");
    office.call("alice", OF_BOB);
    office.expect(&format!("vm1 < INVITE {OF_BOB}"));
}

// EUMR-8: who is silent towards calls is not asked first by all that come before the next ping.
#[test]
fn calls_find_out_as_well() {
    let mut office = Office::new();
    office.wait(10);
    for _ in 0..2 {
        office.call("alice", OF_BOB);
        office.expect(&format!("vm1 < INVITE {OF_BOB}"));
        office.wait(3);
        office.expect(&format!("vm2 < INVITE {OF_BOB}"));
        office.answer("vm2", "200 OK");
        office.expect("alice < 200");
    }
    assert_eq!(office.standing.last().unwrap(), "vm1.test down");
    office.call("alice", OF_BOB);
    office.expect(&format!("vm2 < INVITE {OF_BOB}"));
}

// PEER-11
#[test]
fn every_answer_but_408_and_503_is_a_sign_of_life() {
    for (status, is_up) in
        [("405 Method Not Allowed", true), ("503 Service Unavailable", false), ("408 Request Timeout", false)]
    {
        let mut office = Office::new();
        office.deaf.extend(["vm1", "vm2", "gw"]);
        for _ in 0..2 {
            office.wait(5);
            let ping = office.request("vm1", "OPTIONS");
            office.respond("vm1", &ping, status, "");
            office.wait(55);
        }
        let expected = if is_up { "vm1.test up" } else { "vm1.test down" };
        assert_eq!(office.standing.first().unwrap(), expected, "{status}");
    }
}

#[test]
fn gateways_of_a_prefix_are_tried_in_turn() {
    let mut office = Office::with(|config| {
        config.routes[0].to = ["sip:vm1.test", "sip:gw.test"].map(|uri| uri.parse().unwrap()).to_vec();
        config.voice_mail.clear();
    });
    office.call("alice", "tel:+15555550100");
    office.answer("vm1", "503 Service Unavailable");
    office.expect(
        "vm1 < INVITE sip:+15555550100@vm1.test;user=phone\ngw < INVITE sip:+15555550100@gw.test;user=phone",
    );
    office.answer("gw", "486 Busy Here");
    office.expect("alice < 486");
}

// EUMR-7
#[test]
fn only_the_highest_version_takes_part() {
    let version = |config: &mut Config, host: &str, version| {
        config.voice_mail_versions.insert(host.to_owned(), version);
    };
    let mut office = Office::with(|config| {
        version(config, "vm1.test", 14);
        version(config, "vm2.test", 15);
    });
    office.call("alice", OF_BOB);
    office.answer("vm2", "503 Service Unavailable");
    office.expect(&format!("vm2 < INVITE {OF_BOB}\nalice < 480"));
    let mut office = Office::with(|config| version(config, "vm2.test", 1));
    office.call("alice", OF_BOB);
    office.expect(&format!("vm2 < INVITE {OF_BOB}"));
    let mut office = Office::with(|config| {
        version(config, "vm1.test", 15);
        version(config, "vm2.test", 15);
    });
    office.call("alice", OF_BOB);
    office.answer("vm1", "503 Service Unavailable");
    office.expect(&format!("vm1 < INVITE {OF_BOB}\nvm2 < INVITE {OF_BOB}"));
}

#[test]
fn after_a_reload_others_are_watched() {
    let mut office = Office::new();
    office.wait(10);
    let mut config = office.proxy.config.clone();
    config.voice_mail.remove(0);
    config.routes.clear();
    office.pings.clear();
    office.order(Order::Reload(Box::new(config)));
    office.wait(120);
    assert!(office.pings.iter().all(|(_, name)| name == "vm2"), "{:?}", office.pings);
    assert_eq!(office.pings.len(), 2);
    // Nothing is told anew of who stays.
    assert_eq!(office.standing.len(), 3);
}
