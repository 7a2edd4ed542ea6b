//! Sound of the moment: what a person says and hears, and how loud it is.

use super::*;
use crate::microphone::Microphone;
use crate::{LIVE_RATE, Level, Samples};

const PACKET: usize = LIVE_RATE as usize / 50;

fn levels(end: &End) -> Vec<(Level, Level)> {
    let levels = end.events.iter().filter_map(|event| match event {
        Event::Levels { theirs, ours } => Some((*theirs, *ours)),
        _ => None,
    });
    levels.collect()
}

fn heard(end: &End) -> Vec<i16> {
    let heard = end.events.iter().filter_map(|event| match event {
        Event::Heard { samples } => Some(samples.0.to_vec()),
        _ => None,
    });
    heard.collect::<Vec<_>>().concat()
}

/// One side says this, 20 ms at a time as a sound card gives it.
fn say(call: &mut Call, samples: &[i16]) {
    for packet in samples.chunks(PACKET) {
        call.order_a(Command::Speak(Samples(packet.into())));
        call.run_for(Duration::from_millis(20));
    }
}

#[test]
fn what_one_says_into_the_microphone_the_other_hears_at_once() {
    let said = sine(1_000.0, LIVE_RATE, LIVE_RATE as usize * 2, 8_000.0);
    for codec in codecs() {
        let mut call = Call::new(codec, Some(Suite::AesCm128HmacSha1_80));
        call.order_b(Command::Listen(true));
        say(&mut call, &said);
        call.run_for(Duration::from_secs(1));
        let heard = heard(&call.b);
        assert_eq!(heard.len(), said.len(), "{codec:?}: every packet");
        let middle = &heard[LIVE_RATE as usize / 2..LIVE_RATE as usize * 3 / 2];
        assert!(purity(middle, 1_000.0, LIVE_RATE) > 25.0, "{codec:?}");
        assert!((rms(middle) / 5_657.0 - 1.0).abs() < 0.05, "{codec:?}: {}", rms(middle));
        // The last word is not waited for.
        assert!(!call.a.session.microphone.unwrap().has_packet());
    }
}

/// Most of what waits is what was said last; nothing that a card gives makes it grow.
#[test]
fn a_microphone_that_is_too_fast_loses_its_oldest_sound() {
    let mut end = End::new(parameters(Codec::G722, B), A, 1);
    for _ in 0..100 {
        end.order(Instant::ZERO, Command::Speak(Samples(vec![7; LIVE_RATE as usize].into())));
    }
    let sent = end.run(Instant::from_millis(2_000));
    let sound = sent.iter().filter(|sent| sent.channel == Channel::Rtp).count();
    assert_eq!(sound, Microphone::WAITING_MAX / PACKET, "one left at once, and the order filled its place");
}

#[test]
fn what_is_played_and_pressed_comes_before_what_is_said() {
    let mut call = Call::new(Codec::Pcmu, None);
    call.order_b(Command::Levels(true));
    call.order_a(play(1, vec![tone(400)]));
    say(&mut call, &vec![0; LIVE_RATE as usize]);
    assert!(call.a.events.contains(&ended(1, 400, true)));
    let loud = levels(&call.b).iter().filter(|(theirs, _)| theirs.rms > 1_000).count();
    assert!((4..=5).contains(&loud), "{loud}");
    call.order_a(Command::SendDigits(keys("7")));
    say(&mut call, &vec![0; LIVE_RATE as usize / 2]);
    assert_eq!(call.b.digits(), "7");
}

#[test]
fn nobody_hears_what_was_said_on_hold() {
    let mut call = Call::new(Codec::Pcmu, None);
    call.order_b(Command::Listen(true));
    call.order_a(Command::Hold(true));
    say(&mut call, &vec![9_000; LIVE_RATE as usize]);
    call.order_a(Command::Hold(false));
    call.run_for(Duration::from_secs(1));
    assert!(heard(&call.b).iter().all(|sample| sample.unsigned_abs() < 100));
}

#[test]
fn levels_say_how_loud_both_are_ten_times_a_second() {
    for codec in codecs() {
        let mut call = Call::new(codec, None);
        call.order_b(Command::Levels(true));
        let loud = sine(1_000.0, LIVE_RATE, LIVE_RATE as usize, 10_000.0);
        say(&mut call, &loud);
        call.run_for(Duration::from_millis(500));
        let levels = levels(&call.b);
        assert!((14..=15).contains(&levels.len()), "{codec:?}: {}", levels.len());
        let (theirs, ours) = levels[5];
        assert!(
            theirs.rms.abs_diff(7_071) < 400 && theirs.peak.abs_diff(10_000) < 600,
            "{codec:?}: {theirs:?}"
        );
        assert_eq!(ours, Level::default(), "it says nothing");
        assert_eq!(
            levels.last(),
            Some(&(Level::default(), Level::default())),
            "{codec:?}: silence is silent"
        );
    }
}

#[test]
fn levels_of_what_is_played_are_ours() {
    let mut end = End::new(parameters(Codec::Pcma, B), A, 1);
    end.order(Instant::ZERO, Command::Levels(true));
    end.order(Instant::ZERO, play(1, vec![tone(400)]));
    end.run(Instant::from_millis(1_000));
    let levels = levels(&end);
    assert_eq!(levels.len(), 10);
    // 14 dB below the loudest sine.
    assert!(levels[1].1.rms.abs_diff(4_624) < 200 && levels[1].0 == Level::default(), "{:?}", levels[1]);
    assert_eq!(levels[9].1, Level::default());
}

/// Neither costs anything where nobody asked, and both can be switched off again.
#[test]
fn without_being_asked_nothing_is_told() {
    let mut call = Call::new(Codec::Pcmu, None);
    call.order_a(play(1, vec![tone(1_000)]));
    call.run_for(Duration::from_secs(1));
    assert!(call.b.session.monitor.is_none());
    call.order_b(Command::Levels(true));
    call.order_b(Command::Listen(true));
    call.order_b(Command::Levels(false));
    assert!(call.b.session.monitor.is_some());
    call.order_b(Command::Listen(false));
    assert!(call.b.session.monitor.is_none());
    call.run_for(Duration::from_secs(1));
    assert!(levels(&call.b).is_empty() && heard(&call.b).is_empty());
}

/// Late and repeated packets are not heard; a stream that begins anew is.
#[test]
fn what_comes_too_late_is_not_heard() {
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    end.order(Instant::ZERO, Command::Listen(true));
    for (n, count) in [(5, 1), (7, 2), (6, 2), (7, 2), (8, 3), (5_000, 4), (65_535, 5), (0, 6)] {
        end.session.handle_packet(Instant::ZERO, Channel::Rtp, at(B), &sound(n));
        end.taken(Instant::ZERO);
        assert_eq!(heard(&end).len(), count * PACKET, "{n}");
    }
}

/// Where nobody takes what is heard, keys still are told.
#[test]
fn what_nobody_takes_is_left_out() {
    let mut session = Session::new(Instant::ZERO, parameters(Codec::Pcmu, B), random(1));
    session.handle_command(Instant::ZERO, Command::Listen(true));
    for n in 0..500 {
        session.handle_packet(Instant::from_millis(u64::from(n) * 20), Channel::Rtp, at(B), &sound(n));
    }
    let mut waiting = 0;
    while session.poll_event().is_some() {
        waiting += 1;
    }
    assert_eq!(waiting, crate::outbox::Outbox::WAITING_MAX);
}

#[test]
fn sound_does_not_print() {
    let event = Event::Heard { samples: Samples(vec![4_711; 320].into()) };
    assert_eq!(format!("{event:?}"), "Heard { samples: Samples(320) }");
    let command = Command::Speak(Samples(vec![4_711; 3].into()));
    assert_eq!(format!("{command:?}"), "Speak(Samples(3))");
}
