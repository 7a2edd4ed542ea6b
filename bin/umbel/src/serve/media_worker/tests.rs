//! Media workers over loopback sockets, in real time.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use std::io::Write;
use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use umbel_media::{
    Clip, Codec, Digit, Direction, Parameters, PlayId, RecordId, RecordLimits, RecordingEnd, Tone,
};

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);
pub(super) const LIMITS: RecordLimits =
    RecordLimits { max: Duration::from_secs(600), silence: None, min: Duration::ZERO };

/// Lets time pass on a line that carries sound, which takes the time it takes.
pub(super) fn pass(time: Duration) {
    let until = Instant::now() + time;
    loop {
        match until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => return,
            rest => std::thread::park_timeout(rest),
        }
    }
}

pub(super) struct Bench {
    pub(super) workers: MediaWorkers<u64>,
    events: Receiver<(u64, Event)>,
}

pub(super) fn config(ports: (u16, u16)) -> MediaConfig {
    MediaConfig { address: [127, 0, 0, 1].into(), ports, dscp: 46, threads: Some(1) }
}

pub(super) fn bench(config: &MediaConfig, events_max: usize) -> Bench {
    bench_named("media", config, events_max)
}

pub(super) fn bench_named(name: &str, config: &MediaConfig, events_max: usize) -> Bench {
    let (sender, events) = sync_channel(events_max);
    let random = ChaCha20Rng::from_seed([3; 32]);
    let workers = MediaWorkers::start_named(name, config, Clock::start(), random, into(sender)).unwrap();
    Bench { workers, events }
}

fn into(sender: SyncSender<(u64, Event)>) -> impl Deliver<u64> {
    move |key, event| match sender.try_send((key, event)) {
        Ok(()) => Ok(()),
        Err(TrySendError::Full((_, event)) | TrySendError::Disconnected((_, event))) => Err(event),
    }
}

/// The telephone at the other end: a pair of sockets and a stream.
pub(super) struct Phone {
    sound: UdpSocket,
    control: UdpSocket,
    server: SocketAddr,
    sequence: u16,
    timestamp: u32,
}

impl Phone {
    fn new(server: SocketAddr) -> Self {
        let sound = UdpSocket::bind((server.ip(), 0)).unwrap();
        let control = UdpSocket::bind((server.ip(), 0)).unwrap();
        for socket in [&sound, &control] {
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
        }
        Phone { sound, control, server, sequence: 0, timestamp: 0 }
    }

    fn parameters(&self) -> Parameters {
        Parameters {
            codec: Codec::Pcmu,
            payload_type: 0,
            telephone_event: Some(101),
            remote: Some(self.sound.local_addr().unwrap()),
            remote_control: Some(self.control.local_addr().unwrap()),
            direction: Direction::SendReceive,
            srtp: None,
            learn_source: false,
        }
    }

    fn packet(&mut self, payload_type: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x80, payload_type];
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&timestamp.to_be_bytes());
        bytes.extend_from_slice(&[0, 0, 0, 9]);
        bytes.extend_from_slice(payload);
        self.sequence = self.sequence.wrapping_add(1);
        bytes
    }

    pub(super) fn sends(&mut self, payload: &[u8]) {
        let packet = self.packet(0, self.timestamp, payload);
        self.sound.send_to(&packet, self.server).unwrap();
        self.timestamp = self.timestamp.wrapping_add(payload.len() as u32);
    }

    fn presses(&mut self, digit: char) {
        let event = Digit::try_from(digit).unwrap().event();
        for packet in 1..=7_u16 {
            let (end, duration) = if packet > 4 { (0x80, 800) } else { (0, packet * 160) };
            let [high, low] = duration.to_be_bytes();
            let packet = self.packet(101, self.timestamp, &[event, end, high, low]);
            self.sound.send_to(&packet, self.server).unwrap();
        }
        self.timestamp += 1_600;
    }

    /// The next packet of sound, and when it came.
    fn hears(&self) -> (Vec<u8>, Instant) {
        let mut buffer = [0; 2_048];
        let (length, _) = self.sound.recv_from(&mut buffer).unwrap();
        (buffer[..length].to_vec(), Instant::now())
    }
}

impl Bench {
    pub(super) fn call(&mut self, key: u64) -> Phone {
        let phone = Phone::new(self.workers.open(key).unwrap());
        self.workers.order(key, Command::Update(phone.parameters()));
        phone
    }

    fn next(&self) -> (u64, Event) {
        self.events.recv_timeout(PATIENCE).expect("an event in time")
    }

    /// The next one of a kind; what else is told is passed over.
    fn next_that(&self, is_wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            let (_, event) = self.next();
            if is_wanted(&event) {
                return event;
            }
        }
    }

    /// What is told up to the end of a recording.
    fn recording(&self, key: u64) -> (Vec<u8>, RecordingEnd, String) {
        let (mut sound, mut keys) = (Vec::new(), String::new());
        loop {
            match self.next() {
                (of, Event::Recorded { chunk, .. }) if of == key => sound.extend_from_slice(&chunk),
                (of, Event::RecordingEnded { end, .. }) if of == key => return (sound, end, keys),
                (of, Event::Digit(digit)) if of == key => keys.push(digit.as_char()),
                _ => {}
            }
        }
    }
}

fn at_a_pace(packets: u32, mut send: impl FnMut(u32)) {
    let start = Instant::now();
    for n in 0..packets {
        pass((start + Duration::from_millis(20) * n).saturating_duration_since(Instant::now()));
        send(n);
    }
}

/// Records what `say` says, until this order ends it, or the call; says how the recording ended. An order is taken before what
/// came on the line meanwhile, so a machine that stalls is given longer, again and again: from a part of it, which
/// nothing but the end may be missing of, to all.
fn recorded_whole(
    mut say: impl FnMut(&mut Phone) -> Vec<u8>,
    ports: (u16, u16),
    order: Option<Command>,
) -> (Bench, Phone, RecordingEnd) {
    let mut rest = Duration::from_millis(50);
    loop {
        let mut bench = bench(&config(ports), 1_000);
        let mut phone = bench.call(1);
        bench.workers.order(1, Command::Record { id: RecordId(1), limits: LIMITS });
        pass(Duration::from_millis(20));
        let said = say(&mut phone);
        pass(rest);
        match &order {
            Some(order) => bench.workers.order(1, order.clone()),
            None => bench.workers.close(1),
        }
        let (sound, ended, _) = bench.recording(1);
        assert!(said.starts_with(&sound), "byte for byte");
        if sound.len() == said.len() {
            return (bench, phone, ended);
        }
        rest *= 2;
        assert!(rest < PATIENCE, "{} octets of {}", sound.len(), said.len());
    }
}

#[test]
fn a_call_records_what_was_said_and_tells_what_was_pressed() {
    let say = |phone: &mut Phone| {
        let mut said = Vec::new();
        at_a_pace(75, |n| {
            let payload = [n as u8; 160];
            phone.sends(&payload);
            said.extend_from_slice(&payload);
        });
        said
    };
    let stop = Command::StopRecording { cut: Duration::ZERO };
    let (mut bench, mut phone, end) = recorded_whole(say, (33_000, 33_099), Some(stop));
    assert_eq!(end, RecordingEnd::Stopped);

    for digit in "19#".chars() {
        phone.presses(digit);
    }
    let keys: Vec<(u64, Event)> = (0..3).map(|_| bench.next()).collect();
    let expected = "19#".chars().map(|c| (1, Event::Digit(Digit::try_from(c).unwrap())));
    assert_eq!(keys, expected.collect::<Vec<_>>());
    bench.workers.close(1);
    drop(bench.workers);
}

#[test]
fn a_prompt_is_heard_at_once_and_in_pace() {
    // DEC-42. On a busy machine a packet may be late; that one prompt of many is not shows that none need be.
    const PROMPTS: u64 = 100;
    const PACKETS: usize = 30;
    let pace = Duration::from_millis(20) * 29;
    let mut bench = bench(&config((33_100, 33_199)), 1_000);
    let mut phone = bench.call(1);
    pass(Duration::from_millis(33));
    let mut is_in_time = |id: PlayId| {
        // So that the line does not count as dead.
        phone.sends(&[9; 160]);
        let ordered = Instant::now();
        let clips = vec![Clip::Tone(Tone { duration: Duration::from_millis(600), ..Tone::BEEP })];
        bench.workers.order(1, Command::Play { id, clips, from: Duration::ZERO });
        let heard: Vec<(Vec<u8>, Instant)> = (0..PACKETS).map(|_| phone.hears()).collect();
        assert!(heard.iter().all(|(packet, _)| packet.len() == 172));
        let begins = |n: usize| heard[n].0[1] >> 7 == 1;
        assert!(begins(0));
        bench.next_that(|event| *event == Event::PlayStarted { id });
        bench.next_that(|event| matches!(event, Event::PlayEnded { finished: true, .. }));
        let (first, last) = (heard[0].1 - ordered, heard[PACKETS - 1].1 - ordered);
        // Early no packet may ever be; sends stand on a grid of a millisecond.
        assert!(last + Duration::from_millis(1) >= pace, "{last:?}");
        // One that is late by a whole packet moves the pace, and begins again.
        let is_one_piece = !(1..PACKETS).any(begins);
        // The first need not wait for the next look at the sockets.
        is_one_piece && first < Duration::from_millis(15) && last < pace + Duration::from_millis(30)
    };
    assert!((1..=PROMPTS).map(PlayId).any(&mut is_in_time), "each of {PROMPTS} prompts was late");
}

#[test]
fn a_session_that_ends_says_farewell_and_tells_what_it_has() {
    let say = |phone: &mut Phone| {
        at_a_pace(5, |_| phone.sends(&[9; 160]));
        vec![9; 800]
    };
    let (bench, phone, end) = recorded_whole(say, (33_200, 33_299), None);
    assert_eq!(end, RecordingEnd::Closed);
    let mut buffer = [0; 500];
    let (length, _) = phone.control.recv_from(&mut buffer).unwrap();
    // The last packet of the compound is BYE with one source.
    assert_eq!(buffer[length - 8..length - 6], [0x81, 203]);
    let accepted = || bench.workers.totals().accepted;
    let begun = Instant::now();
    while accepted() == 0 && begun.elapsed() < PATIENCE {
        pass(Duration::from_millis(5));
    }
    assert_eq!(accepted(), 5);
}

/// The order that ends a recording overtakes on a busy machine what was said before it.
#[test]
fn the_last_words_before_the_end_are_kept() {
    let mut bench = bench(&config((34_000, 34_099)), 1_000);
    for (key, ends) in [(1, None), (2, Some(Command::StopRecording { cut: Duration::ZERO }))] {
        let mut phone = bench.call(key);
        bench.workers.order(key, Command::Record { id: RecordId(1), limits: LIMITS });
        let clips = vec![Clip::Silence(Duration::from_millis(20))];
        bench.workers.order(key, Command::Play { id: PlayId(1), clips, from: Duration::ZERO });
        // By now it is recording.
        phone.hears();
        for _ in 0..20 {
            phone.sends(&[9; 160]);
        }
        match ends {
            None => bench.workers.close(key),
            Some(ends) => bench.workers.order(key, ends),
        }
        let (sound, _, _) = bench.recording(key);
        assert_eq!(sound, vec![9; 20 * 160]);
    }
}

#[test]
fn sockets_are_freed_however_a_call_ends() {
    // SEC-79: before an answer, after one, when given up, and when the workers end.
    let pair = ports::free_ports(2);
    let mut bench = bench(&config(pair), 1_000);
    for way in 0..3 {
        let address = open_when_free(&mut bench.workers, 1);
        match way {
            0 => {}
            1 => {
                let phone = Phone::new(address);
                bench.workers.order(1, Command::Update(phone.parameters()));
            }
            _ => bench.workers.workers[0].inbox.must_take(Order::GiveUp { key: 1 }),
        }
        assert!(matches!(bench.workers.open(2), Err(NoPorts::Taken(1))) || way == 2);
        bench.workers.close(2);
        bench.workers.close(1);
    }
    assert_eq!(bench.events.recv_timeout(PATIENCE), Ok((1, Event::RtpLost)), "the one given up was told");
    open_when_free(&mut bench.workers, 1);
    drop(bench.workers);
    for port in [pair.0, pair.1] {
        UdpSocket::bind(("127.0.0.1", port)).unwrap();
    }
}

/// Sockets are closed on the worker's thread, a moment after the order.
fn open_when_free(workers: &mut MediaWorkers<u64>, key: u64) -> SocketAddr {
    let begun = Instant::now();
    loop {
        match workers.open(key) {
            Ok(address) => return address,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
        pass(Duration::from_millis(2));
    }
}

#[test]
fn what_is_not_taken_is_offered_again_in_order() {
    let mut bench = bench(&config((33_400, 33_499)), 2);
    let mut phone = bench.call(1);
    for digit in "0123456789".chars() {
        phone.presses(digit);
        pass(Duration::from_millis(6));
    }
    pass(Duration::from_millis(50));
    // Closed while most of it waits.
    bench.workers.close(1);
    let mut keys = String::new();
    while keys.len() < 10 {
        if let (1, Event::Digit(digit)) = bench.next() {
            keys.push(digit.as_char());
        }
    }
    assert_eq!(keys, "0123456789");
}

#[test]
fn orders_beyond_the_bound_give_the_call_up() {
    let mut bench = bench(&config((33_500, 33_599)), 1_000);
    let phone = bench.call(1);
    // The worker may keep up with a part of them; what it is told to do then is bounded all the same.
    for _ in 0..200_000 {
        bench.workers.order(1, Command::Update(phone.parameters()));
    }
    bench.workers.close(1);
    let begun = Instant::now();
    while let Ok((1, event)) = bench.events.recv_timeout(Duration::from_millis(200)) {
        assert_eq!(event, Event::RtpLost);
        assert!(begun.elapsed() < PATIENCE);
    }
}

#[test]
fn a_flood_on_one_call_leaves_the_others_alone() {
    // SEC-77
    let mut bench = bench(&config((33_600, 33_699)), 10_000);
    let (mut phone, victim) = (bench.call(1), bench.call(2));
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let flood = [0x80; 172];
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                for _ in 0..50 {
                    let _ = victim.sound.send_to(&flood, victim.server);
                }
                pass(Duration::from_millis(1));
            }
        });
        let mut heard = Vec::new();
        // A machine that stalls is given longer before the end.
        for rest in (0..10).map(|round| Duration::from_millis(50) * (1 << round)) {
            bench.workers.order(1, Command::Record { id: RecordId(1), limits: LIMITS });
            pass(Duration::from_millis(20));
            at_a_pace(50, |_| phone.sends(&[9; 160]));
            pass(rest);
            bench.workers.order(1, Command::StopRecording { cut: Duration::ZERO });
            heard.push(bench.recording(1).0.len());
            if heard.ends_with(&[8_000]) {
                break;
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(heard.last(), Some(&8_000), "{heard:?}");
    });
}

/// DEC-42: whoever takes chunks is woken ten times a second and not once for each call. On a busy machine chunks may
/// come apart; that they do not in one round of several shows that they need not.
#[test]
fn chunks_of_many_calls_leave_together() {
    const ROUNDS: usize = 10;
    let rounds: Vec<(usize, usize)> = (0..ROUNDS)
        .map(|_| chunks_that_came())
        .scan(false, |is_over, round| (!std::mem::replace(is_over, are_together(round))).then_some(round))
        .collect();
    assert!(rounds.iter().copied().any(are_together), "{rounds:?}");
}

/// One by one they would be apart nearly as often as there are chunks.
fn are_together((came, apart): (usize, usize)) -> bool {
    came >= 60 && apart <= 40
}

/// How many chunks came of forty calls, and how many of them were apart from the one before.
fn chunks_that_came() -> (usize, usize) {
    let mut bench = bench(&config((33_900, 33_999)), 10_000);
    let mut phones: Vec<Phone> = (0..40).map(|key| bench.call(key)).collect();
    for key in 0..40 {
        bench.workers.order(key, Command::Record { id: RecordId(key), limits: LIMITS });
    }
    let stop = std::sync::atomic::AtomicBool::new(false);
    let came: Vec<Instant> = std::thread::scope(|scope| {
        let bench = &bench.events;
        // A receiver stays with the thread that made it; the telephones go.
        let (stop, phones) = (&stop, &mut phones);
        scope.spawn(move || {
            // Each fills its chunks at a time of its own, 25 ms after the one before it.
            at_a_pace(160, |n| {
                let started = phones.len().min((n * 20 / 25) as usize + 1);
                phones.iter_mut().take(started).for_each(|phone| phone.sends(&[9; 160]));
            });
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        let mut came = Vec::new();
        while !stop.load(std::sync::atomic::Ordering::Relaxed) {
            if let Ok((_, Event::Recorded { .. })) = bench.recv_timeout(Duration::from_millis(50)) {
                came.push(Instant::now());
            }
        }
        came
    });
    let apart = came.windows(2).filter(|pair| pair[1] - pair[0] > Duration::from_millis(15)).count();
    (came.len(), apart)
}

/// Where there is no IPv6, says that nothing is shown of it.
pub(super) fn has_ipv6() -> bool {
    let has = UdpSocket::bind("[::1]:0").is_ok();
    if !has {
        let _ = std::io::stderr().write_all(b"skipped: there is no IPv6\n");
    }
    has
}

#[test]
fn a_call_over_ipv6_is_a_call() {
    if !has_ipv6() {
        return;
    }
    let mut config = config((33_700, 33_799));
    config.address = std::net::Ipv6Addr::LOCALHOST.into();
    let mut bench = bench(&config, 1_000);
    let mut phone = bench.call(1);
    phone.presses('5');
    assert_eq!(bench.next(), (1, Event::FirstPacketReceived));
    assert_eq!(bench.next(), (1, Event::Digit(Digit::try_from('5').unwrap())));
    bench
        .workers
        .order(1, Command::Play { id: PlayId(1), clips: vec![Clip::Tone(Tone::BEEP)], from: Duration::ZERO });
    assert_eq!(phone.hears().0.len(), 172);
}

#[test]
fn calls_are_spread_over_the_threads() {
    let mut config = config((33_800, 33_899));
    config.threads = Some(3);
    let mut bench = bench(&config, 1_000);
    for key in 0..9 {
        bench.call(key);
    }
    assert!(bench.workers.workers.iter().all(|worker| worker.calls == 3));
    for key in [0, 3, 6] {
        bench.workers.close(key);
    }
    assert_eq!(bench.workers.calls(), 6);
    bench.call(9);
    assert_eq!(bench.workers.workers.iter().map(|worker| worker.calls).min(), Some(1));
}
