//! What a packet costs: one that is recorded, one that is played, in each codec, in clear and protected.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use umbel_media::{
    Channel, Clip, Codec, Command, Direction, MasterKey, Message, Parameters, PlayId, Prompt, RecordId,
    RecordLimits, Session, SrtpKeys, Suite,
};
use umbel_time::Instant;
use umbel_wav::Format;

const PEER: &str = "192.0.2.1:4000";
const FOREVER: Duration = Duration::from_secs(1 << 40);

fn session(codec: Codec, srtp: bool) -> Session {
    let key = MasterKey::new([1; 30]);
    let parameters = Parameters {
        codec,
        payload_type: match codec {
            Codec::Pcma => 8,
            Codec::G722 => 9,
            _ => 0,
        },
        telephone_event: Some(101),
        remote: Some(PEER.parse().unwrap()),
        remote_control: None,
        direction: Direction::SendReceive,
        srtp: srtp.then(|| SrtpKeys { suite: Suite::AesCm128HmacSha1_80, ours: key.clone(), theirs: key }),
        learn_source: false,
    };
    Session::new(Instant::ZERO, parameters, ChaCha20Rng::from_seed([1; 32]))
}

fn samples() -> Vec<i16> {
    (0..16_000 * 10).map(|n: i32| i16::try_from(n * 37 % 9_000).unwrap()).collect()
}

/// What a peer would send, one packet for each call.
fn stream(codec: Codec, srtp: bool) -> impl FnMut() -> Vec<u8> {
    let mut peer = session(codec, srtp);
    let clip = Clip::Prompt(Arc::new(Prompt::new(&samples(), 16_000).unwrap()));
    let play = move || Command::Play { id: PlayId(1), clips: vec![clip.clone(); 100], from: Duration::ZERO };
    let mut now = Instant::ZERO;
    move || loop {
        now += Duration::from_millis(20);
        while peer.poll_event().is_some() {}
        peer.handle_timeout(now);
        let mut packet = None;
        while let Some(transmit) = peer.poll_transmit() {
            if transmit.channel == Channel::Rtp {
                packet = Some(transmit.bytes.to_vec());
            }
        }
        match packet {
            Some(packet) => return packet,
            None => peer.handle_command(now, play()),
        }
    }
}

fn packets_in(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("packet in");
    for (name, codec, srtp) in [
        ("PCMU", Codec::Pcmu, false),
        ("PCMA", Codec::Pcma, false),
        ("G722", Codec::G722, false),
        ("PCMU SRTP", Codec::Pcmu, true),
    ] {
        let mut session = session(codec, srtp);
        let limits = RecordLimits { max: FOREVER, silence: None, min: Duration::ZERO };
        session.handle_command(Instant::ZERO, Command::Record { id: RecordId(1), limits });
        let mut stream = stream(codec, srtp);
        let source = PEER.parse().unwrap();
        let mut now = Instant::ZERO;
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                &mut stream,
                |packet| {
                    now += Duration::from_millis(20);
                    session.handle_packet(now, Channel::Rtp, source, black_box(&packet));
                    while session.poll_event().is_some() {}
                },
                criterion::BatchSize::SmallInput,
            );
        });
        assert_eq!(session.counters().unauthenticated + session.counters().foreign, 0);
    }
    group.finish();
}

fn packets_out(criterion: &mut Criterion) {
    let prompt = Clip::Prompt(Arc::new(Prompt::new(&samples(), 16_000).unwrap()));
    let wide = Message::from_samples(&samples(), 16_000).unwrap();
    let narrow = Clip::Message(wide.converted(Format::PCMU).unwrap());
    let wide = Clip::Message(wide);
    let mut group = criterion.benchmark_group("packet out");
    for (name, codec, srtp, clip, percent) in [
        ("PCMU, prompt", Codec::Pcmu, false, &prompt, 100),
        ("PCMU SRTP, prompt", Codec::Pcmu, true, &prompt, 100),
        ("G722, prompt", Codec::G722, false, &prompt, 100),
        ("PCMU, message of PCMU", Codec::Pcmu, false, &narrow, 100),
        ("PCMA, message of PCMU", Codec::Pcma, false, &narrow, 100),
        ("PCMU, wideband message", Codec::Pcmu, false, &wide, 100),
        ("G722, wideband message", Codec::G722, false, &wide, 100),
        ("PCMU, message of PCMU half as fast again", Codec::Pcmu, false, &narrow, 150),
    ] {
        let mut session = session(codec, srtp);
        session.handle_command(Instant::ZERO, Command::Speed { percent });
        let play = || Command::Play { id: PlayId(1), clips: vec![clip.clone(); 1_000], from: Duration::ZERO };
        session.handle_command(Instant::ZERO, play());
        let mut now = Instant::ZERO;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                now += Duration::from_millis(20);
                session.handle_timeout(now);
                while let Some(transmit) = session.poll_transmit() {
                    black_box(transmit.bytes);
                }
                while let Some(event) = session.poll_event() {
                    if matches!(event, umbel_media::Event::PlayEnded { .. }) {
                        session.handle_command(now, play());
                    }
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, packets_in, packets_out);
criterion_main!(benches);
