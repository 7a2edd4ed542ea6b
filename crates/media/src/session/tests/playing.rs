//! What leaves a session, and when.

use super::*;

#[test]
fn the_first_packet_leaves_with_the_order_and_the_others_every_20_ms() {
    // DEC-42
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    let start = Instant::from_micros(1_234_567);
    let mut sent = end.order(start, play(1, vec![tone(200)]));
    assert_eq!(sent.len(), 1, "packet 0 is there at once");
    assert_eq!(end.events, [Event::PlayStarted { id: PlayId(1) }]);
    sent.extend(end.run(start + Duration::from_millis(500)));
    sent.retain(|sent| sent.channel == Channel::Rtp);
    assert_eq!(sent.len(), 10);
    for (n, pair) in sent.windows(2).enumerate() {
        assert_eq!(pair[1].at.since(pair[0].at), Duration::from_millis(20), "packet {n}");
        let (one, next) = (pair[0].packet(), pair[1].packet());
        assert_eq!(next.sequence_number(), one.sequence_number().wrapping_add(1));
        assert_eq!(next.timestamp(), one.timestamp().wrapping_add(160));
        assert_eq!((one.ssrc(), one.payload_type(), one.payload().len()), (next.ssrc(), 0, 160));
    }
    let markers: Vec<bool> = sent.iter().map(|sent| sent.packet().marker_bit()).collect();
    assert_eq!(markers, [true, false, false, false, false, false, false, false, false, false]);
    assert_eq!(end.events.last(), Some(&ended(1, 200, true)));
}

#[test]
fn what_a_busy_machine_sends_late_keeps_the_pace_up_to_what_a_telephone_smooths_out() {
    let at = |millis| Instant::from_millis(millis);
    // Packet 0 leaves at 0; the timer of the next ones, due at 20, 40, …, comes late.
    let at_once = |millis| {
        let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
        let mut sent = end.order(Instant::ZERO, play(1, vec![tone(1_000)]));
        while end.session.poll_timeout().is_some_and(|due| due <= at(millis)) {
            end.session.handle_timeout(at(millis));
            sent.extend(end.taken(at(millis)));
        }
        let timestamps = sent
            .windows(2)
            .map(|pair| pair[1].packet().timestamp().wrapping_sub(pair[0].packet().timestamp()));
        let markers = sent.iter().skip(1).filter(|sent| sent.packet().marker_bit()).count();
        (timestamps.collect::<Vec<_>>(), markers, end.session.poll_timeout())
    };
    // A little late: one packet, and the next in its time.
    assert_eq!(at_once(35), (vec![160], 0, Some(at(40))));
    // 200 ms late: those that were due at 20 to 220 follow at once, as if they had left in time.
    assert_eq!(at_once(220), (vec![160; 11], 0, Some(at(240))));
    // Later than that: one packet, and the pace moves. The timestamp tells the peer how long it was.
    assert_eq!(at_once(221), (vec![221 * 8], 1, Some(at(241))));
}

#[test]
fn what_follows_goes_on_in_the_pace_of_what_came_before() {
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    let mut sent = end.order(Instant::ZERO, play(1, vec![tone(100)]));
    sent.extend(end.run(Instant::from_millis(80)));
    assert_eq!(end.events.last(), Some(&ended(1, 100, true)));
    sent.extend(end.order(Instant::from_millis(81), play(2, vec![tone(100)])));
    sent.extend(end.run(Instant::from_millis(300)));
    assert_eq!(sent.len(), 10);
    assert!(sent.windows(2).all(|pair| pair[1].at.since(pair[0].at) == Duration::from_millis(20)));
    assert!(sent.iter().skip(1).all(|sent| !sent.packet().marker_bit()));
}

#[test]
fn a_playing_is_stopped_replaced_paused_and_moved() {
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    let at = |millis| Instant::from_millis(millis);
    end.order(at(0), play(1, vec![tone(1_000), Clip::Silence(Duration::from_secs(1)), tone(1_000)]));
    end.run(at(90));
    end.order(at(95), Command::Stop);
    assert_eq!(end.events.last(), Some(&ended(1, 100, false)));
    assert!(end.run(at(1_000)).iter().all(|sent| sent.channel == Channel::Rtcp));

    end.order(at(1_000), play(2, vec![tone(1_000), Clip::Silence(Duration::from_secs(1)), tone(1_000)]));
    end.run(at(1_190));
    end.order(at(1_195), Command::Pause);
    assert!(end.run(at(2_000)).is_empty());
    let resumed = end.order(at(2_000), Command::Resume);
    assert!(resumed[0].packet().marker_bit(), "sound begins again");
    end.order(at(2_001), Command::Seek { by_millis: 1_500 });
    end.run(at(2_100));
    end.order(at(2_101), Command::Seek { by_millis: -10_000 });
    end.order(at(2_102), play(3, vec![]));
    // From the start again, and two packets are not sent within 20 ms.
    assert_eq!(end.events[end.events.len() - 2..], [ended(2, 0, false), ended(3, 0, true)]);
    end.order(at(2_200), play(4, vec![tone(400)]));
    end.order(at(2_201), Command::Seek { by_millis: 1_000 });
    assert_eq!(end.events.last(), Some(&ended(4, 400, true)));
    end.order(
        at(2_300),
        Command::Play { id: PlayId(5), clips: vec![tone(400)], from: Duration::from_millis(300) },
    );
    let sent = end.run(at(2_600));
    assert_eq!(sent.iter().filter(|sent| sent.channel == Channel::Rtp).count(), 4);
}

#[test]
fn a_quiet_stream_is_kept_alive() {
    // RFC 6263
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    end.session.expect_packets(Instant::from_millis(100_000));
    let sent = end.run(Instant::from_millis(46_000));
    let sound: Vec<&Sent> = sent.iter().filter(|sent| sent.channel == Channel::Rtp).collect();
    assert_eq!(sound.len(), 3);
    assert!(sound.iter().all(|sent| sent.packet().payload() == [0xff; 160]));
}

#[test]
fn every_kind_of_clip_sounds_in_every_codec() {
    let samples = sine(1_000.0, 16_000, 16_000, 8_000.0);
    let prompt = Arc::new(Prompt::new(&samples, 16_000).unwrap());
    let wide = Message::from_samples(&samples, 16_000).unwrap();
    let linear = |rate: u32| {
        let samples = sine(1_000.0, rate, rate as usize, 8_000.0);
        let data = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        Clip::Message(Message { format: Format { encoding: Encoding::Pcm16, rate }, data })
    };
    let clips = [
        Clip::Prompt(prompt),
        linear(8_000),
        linear(48_000),
        Clip::Message(wide.converted(Format::PCMU).unwrap()),
        Clip::Message(wide.converted(Format::PCMA).unwrap()),
        Clip::Greeting(Arc::new(Greeting::new(wide.clone()))),
        Clip::Message(wide),
        tone(1_000),
    ];
    for codec in codecs() {
        for clip in &clips {
            let mut call = Call::new(codec, None);
            call.order_b(Command::Record { id: RecordId(1), limits: NO_LIMITS });
            call.order_a(play(1, vec![clip.clone()]));
            call.run_for(Duration::from_secs(2));
            call.order_b(Command::StopRecording { cut: Duration::ZERO });
            let format = codec.recording_format();
            let heard = Message { format, data: Bytes::from(call.b.recorded()) }.samples();
            let second = format.rate as usize;
            assert_eq!(heard.len(), second, "{codec:?} {clip:?}");
            let purity = purity(&heard[second / 4..second * 3 / 4], 1_000.0, format.rate);
            assert!(purity > 25.0, "{codec:?} {clip:?}: {purity}");
        }
    }
}

#[test]
fn speed_and_volume_change_messages_and_leave_prompts_alone() {
    let samples = sine(500.0, 8_000, 16_000, 4_000.0);
    let message = Clip::Message(Message::from_samples(&samples, 8_000).unwrap());
    let prompt = Clip::Prompt(Arc::new(Prompt::new(&samples, 8_000).unwrap()));
    let greeting = Message::from_samples(&samples, 8_000).unwrap();
    let greeting = Clip::Greeting(Arc::new(Greeting::new(greeting)));
    for (clip, percent, decibels, packets, loudness) in [
        (&greeting, 50, 6, 200, 5_643.0),
        (&greeting, 100, 0, 100, 2_828.0),
        (&message, 200, 0, 50, 2_828.0),
        (&message, 50, 0, 200, 2_828.0),
        (&message, 100, 6, 100, 5_643.0),
        (&message, 100, -6, 100, 1_417.0),
        (&prompt, 200, -6, 100, 2_828.0),
    ] {
        let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
        end.order(Instant::ZERO, Command::Speed { percent });
        end.order(Instant::ZERO, Command::Volume { decibels });
        let mut sent = end.order(Instant::ZERO, play(1, vec![clip.clone()]));
        sent.extend(end.run(Instant::from_millis(1_900)));
        sent.extend(end.run(Instant::from_millis(10_000)));
        sent.retain(|sent| sent.channel == Channel::Rtp);
        assert_eq!(sent.len(), packets, "{percent} %");
        let heard: Vec<i16> = sent[5..packets - 5]
            .iter()
            .flat_map(|sent| {
                sent.packet()
                    .payload()
                    .iter()
                    .map(|byte| crate::g711::Law::Mu.decode(*byte))
                    .collect::<Vec<_>>()
            })
            .collect();
        let loud = rms(&heard);
        assert!((loud / loudness - 1.0).abs() < 0.1, "{percent} % {decibels} dB: {loud}");
        assert_eq!(end.events.last(), Some(&ended(1, 2_000, true)));
    }
}
