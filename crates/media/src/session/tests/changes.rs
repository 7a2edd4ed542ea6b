//! New negotiations in mid call.

use super::*;

#[test]
fn a_hold_stops_prompts_and_recordings_until_it_ends() {
    // PEER-15
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    let at = |millis| Instant::from_millis(millis);
    let limits = RecordLimits { silence: Some(Duration::from_secs(10)), ..NO_LIMITS };
    end.order(at(0), play(1, vec![tone(1_000)]));
    end.order(at(0), Command::Record { id: RecordId(1), limits });
    end.run(at(390));
    for (begin, direction) in [(400, Direction::ReceiveOnly), (70_000, Direction::Inactive)] {
        let mut new = parameters(Codec::Pcmu, B);
        new.direction = direction;
        end.order(at(begin), Command::Update(new.clone()));
        let sent = end.run(at(begin + 60_000));
        assert!(sent.iter().all(|sent| sent.channel == Channel::Rtcp), "nothing plays while held");
        assert!(
            !end.events.iter().any(|event| matches!(event, Event::RecordingEnded { .. } | Event::RtpLost))
        );
        new.direction = Direction::SendReceive;
        let sent = end.order(at(begin + 60_000), Command::Update(new));
        assert_eq!(sent.len(), 1, "it goes on at once");
    }
    end.order(at(131_000), Command::Hold(true));
    assert!(end.order(at(131_100), Command::Stop).is_empty());
    assert!(matches!(end.events.last(), Some(Event::PlayEnded { finished: false, .. })));
}

#[test]
fn a_codec_changed_in_mid_call_changes_what_is_sent_and_taken() {
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    let first = end.order(Instant::ZERO, play(1, vec![tone(1_000)]));
    let mut new = parameters(Codec::G722, "192.0.2.9:6000");
    new.payload_type = 9;
    end.order(Instant::from_millis(10), Command::Update(new));
    let sent = end.run(Instant::from_millis(20));
    let (before, after) = (first[0].packet(), sent[0].packet());
    assert_eq!(sent[0].to, at("192.0.2.9:6000"));
    assert_eq!((after.payload_type(), after.ssrc()), (9, before.ssrc()));
    assert_eq!(after.sequence_number(), before.sequence_number().wrapping_add(1));
    assert_eq!(after.timestamp(), before.timestamp().wrapping_add(160));

    let mut caller = Session::new(Instant::ZERO, parameters(Codec::Pcmu, A), random(9));
    caller.handle_command(Instant::ZERO, play(1, vec![tone(100)]));
    let old_codec = caller.poll_transmit().unwrap().bytes.to_vec();
    end.session.handle_packet(Instant::from_millis(30), Channel::Rtp, at("192.0.2.9:6000"), &old_codec);
    assert_eq!(end.session.counters().unexpected, 1, "the old codec is not taken any more");
}

#[test]
fn the_same_keys_go_on_and_new_keys_begin() {
    let mut call = Call::new(Codec::Pcmu, Some(Suite::AesCm128HmacSha1_80));
    call.order_a(play(1, vec![tone(10_000)]));
    call.run_for(Duration::from_secs(1));
    let mut again = call.a.session.parameters().clone();
    again.telephone_event = Some(96);
    call.order_a(Command::Update(again.clone()));
    call.run_for(Duration::from_secs(1));
    assert_eq!(call.b.session.counters().unauthenticated, 0);

    let mut theirs = call.b.session.parameters().clone();
    let new = MasterKey::new([3; 30]);
    again.srtp.as_mut().unwrap().ours = new.clone();
    theirs.srtp.as_mut().unwrap().theirs = new;
    call.order_a(Command::Update(again));
    call.order_b(Command::Update(theirs));
    call.run_for(Duration::from_secs(1));
    let counters = call.b.session.counters();
    // One was on its way.
    assert!(counters.unauthenticated <= 1 && counters.accepted > 140, "{counters:?}");
}
