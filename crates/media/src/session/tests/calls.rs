//! Whole calls, and lines that go dead.

use super::*;

#[test]
fn what_one_plays_and_presses_the_other_hears() {
    // MED-1, MED-2, MED-5
    for codec in codecs() {
        for srtp in [None, Some(Suite::AesCm128HmacSha1_80), Some(Suite::AesCm128HmacSha1_32)] {
            let mut call = Call::new(codec, srtp);
            call.order_b(Command::Record { id: RecordId(7), limits: NO_LIMITS });
            call.order_a(play(1, vec![tone(3_000)]));
            call.run_for(Duration::from_secs(4));
            call.order_b(Command::StopRecording { cut: Duration::ZERO });
            call.order_a(Command::SendDigits(keys("147*0#369D")));
            call.run_for(Duration::from_secs(4));
            assert_eq!(call.b.digits(), "147*0#369D", "{codec:?} {srtp:?}");
            assert!(call.a.events.contains(&Event::DigitsSent));
            assert_eq!(call.b.events[0], Event::FirstPacketReceived);
            let format = codec.recording_format();
            assert_eq!(call.b.recorded().len() as u64, format.bytes_per_second() * 3);
            let counters = call.b.session.counters();
            assert_eq!(
                Counters { accepted: 0, sent: 0, ..counters },
                Counters::default(),
                "{codec:?} {srtp:?}: nothing was dropped"
            );
            assert!(call.reports >= 2);
            call.order_a(Command::Close);
            call.run_for(Duration::from_millis(100));
            assert!(call.a.session.is_closed());
            assert_eq!(call.a.session.poll_timeout(), None);
            // The goodbye made room for another stream.
            assert_eq!(call.b.session.latch.stream(0), crate::gate::Verdict::Candidate);
        }
    }
}

#[test]
fn keys_wait_for_each_other_and_sound_waits_for_keys() {
    let mut call = Call::new(Codec::Pcmu, None);
    call.order_a(play(1, vec![tone(1_000)]));
    call.order_a(Command::SendDigits(keys("12")));
    call.order_a(Command::SendDigits(vec![Keystroke::Wait(Duration::from_secs(1)), keys("3")[0]]));
    call.run_for(Duration::from_secs(3));
    assert_eq!(call.b.digits(), "123");
    assert!(call.a.events.contains(&ended(1, 1_000, true)));
    assert_eq!(call.a.events.iter().filter(|event| **event == Event::DigitsSent).count(), 1);
    let counters = call.b.session.counters();
    assert_eq!(counters.accepted, 50 + 3 * 7 + u64::try_from(call.reports).unwrap() / 2);
}

#[test]
fn a_prompt_that_comes_while_keys_rest_is_heard_at_once() {
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    end.order(Instant::ZERO, Command::SendDigits(vec![Keystroke::Wait(Duration::from_secs(9))]));
    let sent = end.order(Instant::from_millis(1_000), play(1, vec![tone(100)]));
    assert_eq!(sent.len(), 1);
}

#[test]
fn reports_tell_of_loss_and_are_answered() {
    let mut call = Call::new(Codec::Pcmu, None);
    call.order_a(play(1, vec![tone(20_000)]));
    call.run_for(Duration::from_secs(20));
    assert!((6..=16).contains(&call.reports), "{}", call.reports);
    assert!(call.b.session.peer.last_report.is_some());
}

#[test]
fn a_line_that_goes_dead_is_lost_after_20_seconds_with_its_recording_saved() {
    // DEC-31, REL-34
    let mut call = Call::new(Codec::Pcmu, None);
    let limits = RecordLimits { silence: Some(Duration::from_secs(10)), ..NO_LIMITS };
    call.order_b(Command::Record { id: RecordId(1), limits });
    call.order_a(play(1, vec![tone(5_000)]));
    call.run_for(Duration::from_secs(5));
    // From here on the other end sends nothing but reports, which do not keep it.
    call.order_a(Command::Hold(true));
    call.run_for(Duration::from_millis(19_900));
    assert!(!call.b.events.contains(&Event::RtpLost));
    call.run_for(Duration::from_millis(200));
    let [.., Event::RecordingEnded { end, duration, .. }, Event::RtpLost] = &call.b.events[..] else {
        panic!("{:?}", call.b.events);
    };
    assert_eq!((*end, *duration), (RecordingEnd::Lost, Duration::from_secs(5)));
    call.run_for(Duration::from_secs(60));
    assert_eq!(call.b.events.iter().filter(|event| **event == Event::RtpLost).count(), 1, "said once");
}

#[test]
fn a_caller_who_never_speaks_is_lost_too_and_one_on_hold_later() {
    for (direction, expected) in [
        (Direction::SendReceive, Some(20)),
        (Direction::ReceiveOnly, Some(300)),
        (Direction::Inactive, Some(300)),
        (Direction::SendOnly, None),
    ] {
        let mut parameters = parameters(Codec::Pcmu, B);
        parameters.direction = direction;
        let mut end = End::new(parameters, A, 1);
        let mut lost = None;
        for second in 0..400 {
            end.run(Instant::from_millis(second * 1_000));
            if lost.is_none() && end.events.contains(&Event::RtpLost) {
                lost = Some(second);
            }
        }
        assert_eq!(lost, expected, "{direction:?}");
    }
}

#[test]
fn who_said_to_be_silent_is_there_as_long_as_reports_come() {
    let mut call = Call::new(Codec::Pcmu, None);
    call.order_a(play(1, vec![tone(100)]));
    call.run_for(Duration::from_millis(200));
    let packet = rtp(13, 60_000, 0, &[70]);
    call.b.session.latch.release(call.a.session.outgoing.ssrc());
    call.b.session.handle_packet(call.now, Channel::Rtp, at(A), &packet);
    // Keep-alive packets of the other end would be sound; they are of another source now.
    call.run_for(Duration::from_secs(60));
    assert!(!call.b.events.contains(&Event::RtpLost));
}

/// A thousand keys over 5 % loss, 60 ms jitter and 2 % reordering: none invented, and of 10,000 ten may be lost.
#[test]
fn rel_37_keys_arrive_over_a_bad_line() {
    let mut random = random(11);
    let mut percent = move || random.next_u32() % 100;
    let word: String =
        (0..1_000_u32).map(|n| char::from(b"0123456789*#ABCD"[(n * 7 % 16) as usize])).collect();
    let mut sender = End::new(parameters(Codec::Pcmu, B), A, 1);
    let mut sent = Vec::new();
    for (n, key) in (0_u64..).zip(word.chars()) {
        let now = Instant::from_millis(n * 300);
        sent.extend(sender.order(now, Command::SendDigits(keys(&key.to_string()))));
        sent.extend(sender.run(now + Duration::from_millis(299)));
    }
    let mut arrivals: Vec<(Instant, Vec<u8>)> = Vec::new();
    for packet in sent.into_iter().filter(|packet| packet.channel == Channel::Rtp) {
        let (lost, late) = (percent() < 5, if percent() < 2 { 40 } else { 0 });
        let delay = Duration::from_millis(u64::from(percent() * 6 / 10 + late));
        if !lost {
            arrivals.push((packet.at + delay, packet.bytes));
        }
    }
    arrivals.sort_by_key(|(at, _)| *at);
    let mut listener = End::new(parameters(Codec::Pcmu, A), B, 2);
    for (now, bytes) in arrivals {
        listener.session.handle_packet(now, Channel::Rtp, at(A), &bytes);
        listener.taken(now);
    }
    assert_eq!(listener.digits(), word);
}
