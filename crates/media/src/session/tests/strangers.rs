//! Packets of others, damaged ones and too many.

use super::*;

#[test]
fn packets_of_others_are_not_recorded_and_not_heard() {
    // SEC-71, SEC-72
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    end.order(Instant::ZERO, Command::Record { id: RecordId(1), limits: NO_LIMITS });
    for n in 0..100_u16 {
        let now = Instant::from_millis(u64::from(n) * 20);
        end.session.handle_packet(now, Channel::Rtp, at(B), &sound(n));
        end.session.handle_packet(now, Channel::Rtp, at("192.0.2.2:5002"), &sound(n));
        end.session.handle_packet(
            now,
            Channel::Rtp,
            at("192.0.2.66:5000"),
            &rtp(101, n, 9, &[5, 0x80, 3, 32]),
        );
        let mut other_stream = sound(n);
        other_stream[11] = 78;
        end.session.handle_packet(now, Channel::Rtp, at(B), &other_stream);
        end.taken(now);
    }
    end.order(Instant::from_millis(2_000), Command::StopRecording { cut: Duration::ZERO });
    assert_eq!(end.recorded(), [0x10; 16_000]);
    assert_eq!(end.digits(), "");
    let counters = end.session.counters();
    assert_eq!((counters.accepted, counters.foreign), (100, 300));
    assert_eq!(
        end.order(Instant::from_millis(2_000), play(1, vec![tone(20)]))[0].to,
        at(B),
        "and we send to the peer"
    );
}

#[test]
fn a_learned_source_is_sent_to_and_stays() {
    // MED-7
    let mut learning = parameters(Codec::Pcmu, B);
    learning.learn_source = true;
    let mut end = End::new(learning, A, 1);
    // Before, what is sent goes where the description says.
    assert_eq!(end.order(Instant::ZERO, play(1, vec![tone(1_000)]))[0].to, at(B));
    let (nat, thief) = (at("203.0.113.7:61000"), at("203.0.113.8:61000"));
    // What is not valid teaches nothing.
    end.session.handle_packet(
        Instant::ZERO,
        Channel::Rtp,
        thief,
        b"\x16\xfe\xfd hello, this is DTLS ........",
    );
    end.session.handle_packet(Instant::ZERO, Channel::Rtp, thief, &rtp(77, 1, 1, &[0; 160]));
    end.session.handle_packet(Instant::from_millis(5), Channel::Rtp, nat, &sound(1));
    end.session.handle_packet(Instant::from_millis(6), Channel::Rtp, thief, &sound(2));
    assert_eq!(end.run(Instant::from_millis(20))[0].to, nat);
    assert_eq!(end.session.counters().foreign, 1);
}

#[test]
fn what_does_not_authenticate_teaches_nothing() {
    // SEC-73
    let suite = Suite::AesCm128HmacSha1_80;
    let (ours, theirs) = (MasterKey::new([1; 30]), MasterKey::new([2; 30]));
    let mut learning = parameters(Codec::Pcmu, B);
    learning.learn_source = true;
    learning.srtp = Some(SrtpKeys { suite, ours: ours.clone(), theirs: theirs.clone() });
    let mut end = End::new(learning, A, 1);
    let thief = at("203.0.113.8:61000");
    end.session.handle_packet(Instant::ZERO, Channel::Rtp, thief, &sound(1));
    let mut forged = sound(2);
    forged.extend_from_slice(&[0; 10]);
    end.session.handle_packet(Instant::ZERO, Channel::Rtp, thief, &forged);
    assert_eq!(end.session.counters().unauthenticated, 2);

    let mut peer = Protection::new(SrtpKeys { suite, ours: theirs, theirs: ours });
    let mut genuine = sound(3);
    peer.protect_sound(&mut genuine);
    let nat = at("203.0.113.7:61000");
    end.session.handle_packet(Instant::ZERO, Channel::Rtp, nat, &genuine);
    end.session.handle_packet(Instant::ZERO, Channel::Rtp, nat, &genuine);
    let counters = end.session.counters();
    assert_eq!(
        (counters.accepted, counters.unauthenticated),
        (1, 3),
        "the call goes on, the replay does not"
    );
    assert_eq!(end.order(Instant::ZERO, play(1, vec![tone(20)]))[0].to, nat);
}

#[test]
fn only_what_was_negotiated_is_taken() {
    // SEC-81
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    end.order(Instant::ZERO, Command::Record { id: RecordId(1), limits: NO_LIMITS });
    let bad = [
        rtp(8, 1, 0, &[1; 160]),
        rtp(9, 2, 0, &[1; 160]),
        rtp(96, 3, 0, &[1; 160]),
        rtp(72, 4, 0, &[1; 160]),
        rtp(0, 5, 0, &[]),
        rtp(0, 6, 0, &[1; 1_601]),
        rtp(101, 7, 0, &[1; 3]),
        rtp(101, 8, 0, &[1; 160]),
    ];
    for packet in &bad {
        end.session.handle_packet(Instant::ZERO, Channel::Rtp, at(B), packet);
    }
    assert_eq!(end.session.counters().unexpected, bad.len() as u64);
    end.session.handle_packet(Instant::ZERO, Channel::Rtp, at(B), &rtp(0, 9, 0, &[1; 1_600]));
    end.order(Instant::ZERO, Command::StopRecording { cut: Duration::ZERO });
    assert_eq!(end.recorded(), [1; 1_600]);
}

#[test]
fn damaged_packets_are_dropped_and_counted() {
    // SEC-78, SEC-82
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    let changed = |at: usize, to: u8| {
        let mut packet = sound(1);
        packet[at] = to;
        packet
    };
    let mut padded = changed(0, 0xa0);
    *padded.last_mut().unwrap() = 0;
    let mut overpadded = changed(0, 0xa0);
    *overpadded.last_mut().unwrap() = 161;
    let mut extended = changed(0, 0x90);
    extended[14..16].copy_from_slice(&u16::MAX.to_be_bytes());
    let mut crowded = sound(1);
    crowded[0] = 0x8f;
    crowded.truncate(60);
    let bad = [
        vec![],
        vec![0x80],
        sound(1)[..11].to_vec(),
        changed(0, 0x00),
        changed(0, 0x40),
        changed(0, 0xc0),
        padded,
        overpadded,
        extended,
        crowded,
        // A DTLS ClientHello and a STUN request begin like this.
        [&[22, 0xfe, 0xfd][..], &[0; 40]].concat(),
        [&[0, 1, 0, 0][..], &[0x21; 16]].concat(),
    ];
    for packet in &bad {
        end.session.handle_packet(Instant::ZERO, Channel::Rtp, at(B), packet);
    }
    assert_eq!(end.session.counters(), Counters { malformed: bad.len() as u64, ..Counters::default() });
    for packet in [&[][..], &[0x80, 200], &[0x81, 203, 0, 9, 0, 0, 0, 1], &[0xa0, 203, 0, 0]] {
        end.session.handle_packet(Instant::ZERO, Channel::Rtcp, at("192.0.2.2:5001"), packet);
    }
    assert_eq!(end.session.counters().malformed, bad.len() as u64 + 4);
    // A stranger's goodbye changes nothing.
    end.session.handle_packet(Instant::ZERO, Channel::Rtp, at(B), &sound(1));
    end.session.handle_packet(
        Instant::ZERO,
        Channel::Rtcp,
        at("192.0.2.3:5001"),
        &[0x81, 203, 0, 1, 0, 0, 0, 77],
    );
    assert_eq!(end.session.latch.stream(78), crate::gate::Verdict::Foreign);
}

#[test]
fn a_flood_is_cut_and_a_strangers_flood_costs_the_peer_nothing() {
    // SEC-77
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    for n in 0..10_000_u16 {
        let now = Instant::from_micros(u64::from(n) * 1_000);
        end.session.handle_packet(now, Channel::Rtp, at("192.0.2.66:9"), &sound(n));
        if n % 20 == 0 {
            end.session.handle_packet(now, Channel::Rtp, at(B), &sound(n / 20));
        }
    }
    assert_eq!(end.session.counters().accepted, 500);
    for n in 0..10_000_u16 {
        let now = Instant::from_micros(10_000_000 + u64::from(n) * 1_000);
        end.session.handle_packet(now, Channel::Rtp, at(B), &sound(500_u16.wrapping_add(n)));
    }
    let counters = end.session.counters();
    assert!((2_600 - 2..=2_600).contains(&counters.accepted), "{counters:?}");
}

#[test]
fn keys_that_nobody_takes_are_dropped_and_counted() {
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    for n in 0..100_u16 {
        let now = Instant::from_millis(u64::from(n) * 200);
        let block = [1, 0x80, 3, 32];
        end.session.handle_packet(now, Channel::Rtp, at(B), &rtp(101, n, u32::from(n) * 1_600, &block));
    }
    assert_eq!(end.session.counters().unheard, 100 - 63);
    end.taken(Instant::ZERO);
    assert_eq!(end.digits().len(), 63);
}

proptest! {
    #[test]
    fn no_packet_makes_a_session_panic(
        packets in proptest::collection::vec((any::<bool>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..200)), 1..40),
        g722 in any::<bool>(),
        protected in any::<bool>(),
    ) {
        let mut learning = parameters(if g722 { Codec::G722 } else { Codec::Pcmu }, B);
        learning.learn_source = true;
        if protected {
            let key = MasterKey::new([1; 30]);
            learning.srtp = Some(SrtpKeys { suite: Suite::AesCm128HmacSha1_32, ours: key.clone(), theirs: key });
        }
        let mut end = End::new(learning, A, 1);
        end.order(Instant::ZERO, Command::Record { id: RecordId(1), limits: NO_LIMITS });
        let mut now = Instant::ZERO;
        for (rtp, like_rtp, mut bytes) in packets {
            now += Duration::from_millis(7);
            if like_rtp && bytes.len() >= 12 {
                bytes[0] = 0x80 | (bytes[0] & 0x3f);
                bytes[1] = [0, 9, 101, 13, 128][usize::from(bytes[1] % 5)];
                bytes[8..12].copy_from_slice(&[0, 0, 0, 77]);
            }
            end.session.handle_packet(now, if rtp { Channel::Rtp } else { Channel::Rtcp }, at(B), &bytes);
            end.session.handle_timeout(now);
            end.taken(now);
        }
        end.order(now, Command::Close);
        let ended = end.events.iter().filter(|event| matches!(event, Event::RecordingEnded { .. })).count();
        prop_assert_eq!(ended, 1);
    }
}
