//! Packets of others, broken packets, too many packets: what is recorded is what the right source said.
//! SEC-71, SEC-72, SEC-73, SEC-76, SEC-77, SEC-78, SEC-81, SEC-82

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::certificates::Shown;
use crate::invite::{Call, Invite, offer, sound};
use crate::line::{Line, serves};
use crate::server::{Server, server};
use crate::wait::until;

const PACKET: Duration = Duration::from_millis(20);
const OCTETS: usize = 160;
/// What the right source says: a square wave, softly. In μ-law, the sign is the highest bit.
const SOFT: u8 = 0xbf;
/// And whoever else speaks, loudly.
const LOUD: u8 = 0x80;
/// Between the two, as samples.
const LIMIT: u16 = 8_000;

/// Somebody who sends packets of sound at the pace of sound.
pub(crate) struct Talker {
    socket: UdpSocket,
    to: SocketAddr,
    pub(crate) ssrc: u32,
    sequence: u16,
    timestamp: u32,
    next: Instant,
}

impl Talker {
    pub(crate) fn new(socket: UdpSocket, to: SocketAddr) -> Talker {
        Talker { socket, to, ssrc: 0x5eed, sequence: 100, timestamp: 1_000, next: Instant::now() }
    }

    fn header(&mut self, second: u8) -> Vec<u8> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut packet = vec![0x80, second];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet
    }

    /// Waits for its time, as every source of sound does.
    fn pace(&mut self) {
        while let Some(left) = self.next.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
        {
            std::thread::park_timeout(left);
        }
        self.next += PACKET;
        self.timestamp += u32::try_from(OCTETS).unwrap();
    }

    fn packet(&mut self, code: u8) {
        let packet = [self.header(0), square(code)].concat();
        let _ = self.socket.send_to(&packet, self.to);
    }

    /// So many packets of sound; beside each of them something else may happen.
    pub(crate) fn say(&mut self, packets: usize) {
        self.say_beside(packets, |_| {});
    }

    pub(crate) fn say_beside(&mut self, packets: usize, mut beside: impl FnMut(usize)) {
        for n in 0..packets {
            self.pace();
            self.packet(SOFT);
            beside(n);
        }
    }

    /// RFC 4733: a key of 100 ms and its three last packets; then a pause.
    pub(crate) fn press(&mut self, key: char) {
        let code = u8::try_from("0123456789*#ABCD".find(key).unwrap()).unwrap();
        self.event(code, 101);
        self.say(5);
    }

    pub(crate) fn event(&mut self, code: u8, payload_type: u8) {
        let start = self.timestamp;
        for step in 1..=8_u16 {
            self.pace();
            let now = std::mem::replace(&mut self.timestamp, start);
            let (marker, ended) = (if step == 1 { 0x80 } else { 0 }, if step > 5 { 0x80 } else { 0 });
            let mut packet = self.header(marker | payload_type);
            packet.extend([code, ended | 10]);
            packet.extend((step.min(6) * 160).to_be_bytes());
            let _ = self.socket.send_to(&packet, self.to);
            self.timestamp = now;
        }
    }

    fn raw(&self, octets: &[u8]) {
        let _ = self.socket.send_to(octets, self.to);
    }
}

fn square(code: u8) -> Vec<u8> {
    (0..OCTETS).map(|n| if n / 10 % 2 == 0 { code } else { code ^ 0x80 }).collect()
}

/// Somebody calls frank; what happens while the call records is `happens`. Gives the samples of the message.
#[track_caller]
fn recorded(server: &Server, owner: &str, happens: impl FnOnce(&mut Talker, SocketAddr)) -> Vec<i16> {
    let (socket, offer) = sound();
    let mut line = Line::tcp(server);
    let to = format!("sip:{owner}@example.test");
    let call = Invite::from_to("<sip:dana@elsewhere.test>", &to).offering(offer).call(&mut line);
    let mut talker = Talker::new(socket, call.rtp());
    until("the recording to begin", || {
        talker.say(10);
        is_recording(server).then_some(())
    });
    happens(&mut talker, call.rtp());
    call.hang_up(&mut line);
    let message = until("the message", || {
        let messages = server.documents(&["message", "list", owner]);
        messages.into_iter().find(|message| message["call_id"] == call.invite.call_id.as_str())
    });
    let file = server.path(&format!("{}.wav", call.invite.call_id));
    server.umbel(&["message", "export", message["id"].as_str().unwrap(), file.to_str().unwrap()]);
    let limits = umbel_wav::Limits { bytes_max: usize::MAX, duration_max: Duration::MAX };
    umbel_wav::read(&std::fs::read(file).unwrap(), limits).unwrap().samples
}

/// A second of sound is on the disk, so that the tone is over.
fn is_recording(server: &Server) -> bool {
    let files = std::fs::read_dir(server.path("data/audio")).unwrap();
    files.filter_map(|file| file.ok()?.metadata().ok()).any(|file| file.len() > 8_000)
}

/// Nothing loud is in it, and of the soft sound `seconds` at least.
#[track_caller]
fn only_the_right_source(samples: &[i16], seconds: f64) {
    let loud = samples.iter().filter(|sample| sample.unsigned_abs() > LIMIT).count();
    assert_eq!(loud, 0, "of {} samples", samples.len());
    let soft = samples.iter().filter(|sample| sample.unsigned_abs() > 50).count();
    let heard = f64::from(u32::try_from(soft).unwrap()) / 8_000.0;
    assert!(heard > seconds, "{heard} s of {} samples", samples.len());
}

// A server of its own: the recording of one call is told by the only file there.
#[test]
fn whoever_else_sends_is_not_heard_and_stops_nothing() {
    let server = Server::start("", "info");
    let samples = recorded(&server, "frank", |talker, to| {
        // SEC-72: from another port, from another address, and from the right port as another stream.
        let elsewhere = UdpSocket::bind("127.0.0.2:0").unwrap();
        let mut strangers =
            [Talker::new(UdpSocket::bind("127.0.0.1:0").unwrap(), to), Talker::new(elsewhere, to)];
        let mut other_stream = Talker::new(talker.socket.try_clone().unwrap(), to);
        other_stream.ssrc = 0xbad;
        talker.say_beside(50, |_| {
            strangers.iter_mut().for_each(|stranger| stranger.packet(LOUD));
            other_stream.packet(LOUD);
        });
        // SEC-76: a key from a stranger, `#` to end the recording; and events that are no keys from the caller.
        let mut forger = Talker::new(UdpSocket::bind("127.0.0.1:0").unwrap(), to);
        forger.event(11, 101);
        other_stream.event(11, 101);
        for code in [16, 17, 100, 255] {
            talker.event(code, 101);
        }
        // SEC-77: four thousand packets at once from a stranger.
        for _ in 0..4_000 {
            strangers[0].packet(LOUD);
        }
        talker.say(50);
        // SEC-78, SEC-81, SEC-82, from the caller.
        talker.say_beside(80, |n| broken(n).iter().for_each(|octets| talker_raw(to, octets)));
        for octets in (0..40).flat_map(broken) {
            talker.raw(&octets);
        }
        talker.say(50);
        // SEC-71: who says goodbye for another ends nothing.
        strangers[0].raw(&[0x81, 203, 0, 1, 0, 0, 0x5e, 0xed]);
        talker.say(25);
    });
    only_the_right_source(&samples, 4.0);
    server.never_panicked();
    let mut line = Line::tcp(&server);
    serves(&mut line);
}

fn talker_raw(to: SocketAddr, octets: &[u8]) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let _ = socket.send_to(octets, to);
    let control = SocketAddr::new(to.ip(), to.port() + 1);
    let _ = socket.send_to(octets, control);
}

/// Packets that are none, or lie about their insides. `n` chooses some of them.
fn broken(n: usize) -> Vec<Vec<u8>> {
    let ssrc = [0, 0, 0x5e, 0xed];
    let packet = |first: u8, second: u8, rest: &[u8]| {
        let sequence = [0x7f, u8::try_from(n % 256).unwrap()];
        [&[first, second][..], &sequence, &[0, 0, 0x40, 0], &ssrc, rest].concat()
    };
    let loud = square(LOUD);
    let all = [
        Vec::new(),
        vec![0x80],
        vec![0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
        // Versions 0, 1, 3.
        packet(0x00, 0, &loud),
        packet(0x40, 0, &loud),
        packet(0xc0, 0, &loud),
        // Fifteen contributors that are not there.
        packet(0x8f, 0, &[1, 2, 3, 4]),
        // An extension longer than the packet.
        packet(0x90, 0, &[0xbe, 0xde, 0xff, 0xff, 1, 2, 3, 4]),
        // More padding than there is; none at all.
        packet(0xa0, 0, &[&loud[..], &[255]].concat()),
        packet(0xa0, 0, &[]),
        packet(0xa0, 0, &[0]),
        // Types that were not negotiated: G.729, video, an unknown dynamic one.
        packet(0x80, 18, &loud),
        packet(0x80, 34, &loud),
        packet(0x80, 120, &loud),
        // An event that is too short, with its duration at the end of its range.
        packet(0x80, 101, &[11]),
        packet(0x80, 101, &[]),
        packet(0x80, 101, &[16, 0x0a, 0xff, 0xff]),
        // DTLS, STUN, and reports whose lengths are lies.
        [&[22, 254, 253][..], &loud].concat(),
        vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
        vec![0x81, 200, 0xff, 0xff, 0, 0, 0x5e, 0xed],
        vec![0x9f, 202, 0, 1, 0, 0, 0x5e, 0xed, 1, 255, 65],
        vec![0x80, 207, 0, 2, 0, 0, 0x5e, 0xed, 4, 0, 0xff, 0xff],
        vec![0x9f, 203, 0, 0],
    ];
    all.into_iter().skip(n % 4).step_by(4).collect()
}

// SEC-71: "we send only to the address and port in the SDP"; with a learned source, to that, once.
#[test]
fn sound_goes_to_the_caller_and_not_to_who_asks_for_it_later() {
    let server = server();
    let mut line = Line::tcp(server);
    let (socket, offer) = sound();
    let call = Invite::own().offering(offer).call(&mut line);
    let mut talker = Talker::new(socket.try_clone().unwrap(), call.rtp());
    talker.say(10);
    let thief = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut asking = Talker::new(thief.try_clone().unwrap(), call.rtp());
    talker.say_beside(25, |_| asking.packet(LOUD));
    thief.set_nonblocking(true).unwrap();
    assert!(thief.recv(&mut [0; 2_000]).is_err(), "the thief is sent sound");
    socket.set_read_timeout(Some(crate::wait::PATIENCE)).unwrap();
    assert!(socket.recv(&mut [0; 2_000]).unwrap() > 12);
    call.hang_up(&mut line);
}

// SEC-73: packets that are not sealed with the key are dropped, and the call goes on.
#[test]
fn packets_in_the_clear_do_not_end_an_encrypted_call() {
    let server = server();
    let mut line = Line::tls(server, Shown::Nothing);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5";
    let body = offer(socket.local_addr().unwrap().port()).replace("RTP/AVP", "RTP/SAVP")
        + &format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n");
    let call: Call =
        Invite::from_to("<sip:dana@elsewhere.test>", "sip:bob@example.test").offering(body).call(&mut line);
    let mut talker = Talker::new(socket, call.rtp());
    talker.say_beside(50, |n| broken(n).iter().for_each(|octets| talker_raw(call.rtp(), octets)));
    talker.event(11, 101);
    assert_eq!(call.ask(&mut line, "INFO", 2, "", "").status(), 200);
    serves(&mut line);
    call.hang_up(&mut line);
    let call_id = &call.invite.call_id;
    let messages = server.documents(&["message", "list", "bob"]);
    assert!(messages.iter().all(|message| message["call_id"] != call_id.as_str()), "{messages:?}");
}
