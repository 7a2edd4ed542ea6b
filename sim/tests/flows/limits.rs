//! Bounds: how many calls, how long, from whom, and how it all ends.

use std::time::Duration;

use umbel_sim::Office;
use umbel_sim::office::{By, PROXY, invite, to_own_voice_mail};
use umbel_sim::telephone::Do;
use umbel_um::{Alarm, Config, Order};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// PEER-18, REL-43: "limit n, call n+1: 503 with Retry-After".
#[test]
fn a_call_too_many_gets_503_with_retry_after_and_the_next_place_is_given_away() {
    let mut office = Office::with(9, |config: &mut Config| config.calls_max = 2);
    let callers: Vec<_> = ["one", "two", "three"].map(|name| office.caller(name, By::Tcp)).to_vec();
    for caller in &callers {
        office.call(*caller, invite("erin", "alice"));
    }
    assert_eq!(office.world[callers[0]].answers, [200]);
    assert_eq!(office.world[callers[1]].answers, [200]);
    assert_eq!(office.world[callers[2]].answers, [503]);
    let response = office.world[callers[2]].last_response.clone().expect("a response");
    let retry_after = response.headers().retry_after().expect("it can be read").expect("it is there");
    assert!((1..=30).contains(&retry_after.seconds));
    office.order(callers[0], Do::HangUp, secs(1));
    office.call(callers[2], invite("erin", "alice"));
    assert_eq!(office.world[callers[2]].answers, [503, 200]);
}

/// PEER-18: strangers get seven eighths of all calls at most, and 503 beyond; listed peers get what is left.
#[test]
fn strangers_do_not_take_all_places_and_listed_peers_may() {
    for (by, answered) in
        [(By::Tcp, 7), (By::Tls, 7), (By::MutualTls("stranger.test"), 7), (By::MutualTls(PROXY), 8)]
    {
        let mut office = Office::with(9, |config: &mut Config| config.calls_max = 8);
        let answers: Vec<u16> = (0..9)
            .map(|number| {
                let caller = office.caller(&format!("caller{number}"), by);
                office.call(caller, invite("erin", "alice"));
                *office.world[caller].answers.last().expect("an answer")
            })
            .collect();
        let expected: Vec<u16> = (0..9).map(|number| if number < answered { 200 } else { 503 }).collect();
        assert_eq!(answers, expected, "{by:?}");
        let listed = office.caller("listed", By::MutualTls(PROXY));
        office.call(listed, invite("erin", "alice"));
        assert_eq!(office.world[listed].answers, [if answered == 7 { 200 } else { 503 }], "{by:?}");
    }
}

/// Where nobody is listed, there is nobody to keep a place for.
#[test]
fn without_listed_peers_strangers_have_all_places() {
    let mut office = Office::with(9, |config: &mut Config| {
        config.calls_max = 8;
        config.trust.peers.clear();
    });
    for number in 0..9 {
        let caller = office.caller(&format!("caller{number}"), By::Tcp);
        office.call(caller, invite("erin", "alice"));
        assert_eq!(office.world[caller].answers, [if number < 8 { 200 } else { 503 }]);
    }
}

/// PEER-4.
#[test]
fn unlisted_peers_are_refused_when_that_is_set() {
    let refuse = |config: &mut Config| config.refuse_unlisted = true;
    for (by, status) in
        [(By::Tcp, 403), (By::Tls, 403), (By::MutualTls("stranger.test"), 403), (By::MutualTls(PROXY), 200)]
    {
        let mut office = Office::with(9, refuse);
        let erin = office.caller("erin", by);
        office.call(erin, invite("erin", "alice"));
        assert_eq!(office.world[erin].answers, [status], "{by:?}");
    }
}

/// PEER-17.
#[test]
fn the_longest_call_ends_and_what_was_said_is_kept() {
    let mut office = Office::with(9, |config: &mut Config| {
        config.call_max = secs(20);
        config.recording.silence = None;
    });
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(2);
    office.order(erin, Do::Speak(secs(60)), secs(25));
    assert_eq!(office.world[erin].hung_up_on, 1);
    assert_eq!(office.server().messages("alice@example.test").len(), 1);
    office.wait(40);
    assert!(office.server().is_at_rest());
}

/// PEER-17: "number of input failures before disconnect".
#[test]
fn a_caller_who_does_nothing_is_let_go() {
    let mut office = Office::new(9);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, to_own_voice_mail("alice").skip_pin());
    office.wait(180);
    assert_eq!(office.world[alice].hung_up_on, 1);
    office.wait(40);
    assert!(office.server().is_at_rest());
}

/// REL-23: "new calls 503 with Retry-After; running ones up to 60 s; then recordings are closed and saved".
#[test]
fn before_stopping_running_calls_get_a_minute_and_their_recordings_are_saved() {
    let mut office = Office::with(9, |config: &mut Config| config.recording.silence = None);
    let erin = office.caller("erin", By::Tcp);
    let late = office.caller("late", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(2);
    office.order(erin, Do::Speak(secs(120)), secs(5));
    office.world.order(office.um, Order::Drain.into());
    office.call(late, invite("late", "alice"));
    assert_eq!(office.world[late].answers, [503]);
    office.wait(30);
    assert!(office.world[erin].is_talking());
    assert!(!office.server().is_drained);
    office.wait(35);
    assert_eq!(office.world[erin].hung_up_on, 1);
    assert!(office.server().is_drained);
    let messages = office.server().messages("alice@example.test");
    assert_eq!(messages.len(), 1);
    assert!(messages[0].duration > secs(55), "{:?}", messages[0].duration);
}

#[test]
fn a_server_without_calls_is_drained_at_once() {
    let mut office = Office::new(9);
    office.world.order(office.um, Order::Drain.into());
    office.wait(1);
    assert!(office.server().is_drained);
}

/// REL-24: a reload drops no call.
#[test]
fn calls_go_on_when_the_settings_change() {
    let mut office = Office::new(9);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(2);
    let mut config = Config::default();
    config.locality.domain = "example.test".to_owned();
    office.world.order(office.um, Order::Reload(Box::new(config)).into());
    office.order(erin, Do::Speak(secs(3)), secs(4));
    office.order(erin, Do::HangUp, secs(2));
    assert_eq!(office.server().messages("alice@example.test").len(), 1);
}

/// SEC-80: what was noted of a call's sockets is taken out again, whatever the settings say by then.
#[test]
fn a_call_that_began_under_other_settings_leaves_nothing_behind() {
    let mut office = Office::with(9, |config: &mut Config| {
        config.media.advertise = Some("198.51.100.1".parse().expect("an address"));
    });
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(2);
    let mut config = Config::default();
    config.locality.domain = "example.test".to_owned();
    office.world.order(office.um, Order::Reload(Box::new(config)).into());
    office.order(erin, Do::HangUp, secs(40));
    assert!(office.server().is_at_rest());
}

/// REL-23: a store that does not answer does not keep us from stopping; it finds the audio at its next start.
#[test]
fn a_store_that_has_died_does_not_keep_us_from_stopping() {
    let mut office = Office::new(9);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(2);
    office.order(erin, Do::Speak(secs(120)), secs(5));
    office.server().store_is.silent = true;
    office.world.order(office.um, Order::Drain.into());
    office.wait(80);
    assert!(!office.server().is_drained);
    office.wait(15);
    assert!(office.server().is_drained);
    let told = office.server().alarms.iter().filter(|alarm| matches!(alarm, Alarm::RecordingNotSaved { .. }));
    assert_eq!(told.count(), 1);
}

/// REL-27: a call does not end before it began, however the wall's clock was set meanwhile, nor is it shortened.
#[test]
fn the_clock_on_the_wall_may_jump() {
    for jump in [-86_400, -3_600, -10, 3_600, 86_400] {
        let mut office = Office::new(9);
        let erin = office.caller("erin", By::Tcp);
        office.call(erin, invite("erin", "alice"));
        office.wait(2);
        office.order(erin, Do::Speak(secs(20)), secs(2));
        let wall = umbel_time::UnixTime::from_secs(umbel_sim::unified_messaging::MORNING.as_secs() + jump);
        office.world.order(office.um, Order::Clock(wall).into());
        office.wait(4);
        assert!(office.world[erin].is_talking(), "{jump} s");
        office.order(erin, Do::HangUp, secs(2));
        let messages = office.server().messages("alice@example.test");
        assert!(
            messages[0].duration > secs(5) && messages[0].duration < secs(7),
            "{:?}",
            messages[0].duration
        );
        let call = office.server().calls()[0].clone();
        assert!(call.ended.is_some_and(|ended| ended >= call.started), "{jump} s");
        office.wait(40);
        assert!(office.server().is_at_rest());
    }
}

/// PEER-11: "mark a peer down after 2 failures", and up again after one answer.
#[test]
fn gateways_are_pinged_and_their_standing_told() {
    let mut office = Office::with(9, |config: &mut Config| {
        config.gateways = vec!["sip:192.0.2.101;transport=tcp".parse().expect("a URI")];
    });
    let gateway = office.caller("gateway", By::Tcp);
    office.world.listen_tcp(gateway, 5_060);
    office.wait(10);
    let standings = |office: &Office| {
        let ladder = office.world.ladder().print();
        ladder.lines().filter_map(|line| line.split(" is ").nth(1)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(standings(&office).len(), 1, "{}", office.world.ladder().print());
    office.world.unplug(gateway, true);
    office.wait(300);
    assert_eq!(standings(&office).len(), 2, "{}", office.world.ladder().print());
    office.world.unplug(gateway, false);
    office.wait(300);
    let told = standings(&office);
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[0], told[2]);
    assert_ne!(told[0], told[1]);
}

/// PEER-10: OPTIONS is answered, and with 503 while draining.
#[test]
fn options_tells_whether_calls_are_taken() {
    let options = "OPTIONS sip:voicemail@example.test SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.101;branch=z9hG4bKo1\r\n\
        Max-Forwards: 70\r\nFrom: <sip:erin@example.test>;tag=o\r\nTo: <sip:voicemail@example.test>\r\n\
        Call-ID: o1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    let mut office = Office::new(9);
    let erin = office.caller("erin", By::Tcp);
    office.order(erin, Do::Say(options.into()), secs(1));
    office.world.order(office.um, Order::Drain.into());
    office.order(erin, Do::Say(options.replace("o1", "o2").into()), secs(1));
    let statuses: Vec<_> = office.world.ladder().responses().map(|(_, r)| r.status().as_u16()).collect();
    assert_eq!(statuses, [200, 503]);
}
