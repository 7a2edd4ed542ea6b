//! Flows between two nodes: byte streams that arrive cut and joined at random places.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use umbel_node::FlowId;
use umbel_sip_message::{Framed, Framer, KeepAlive, Malformed, Message, parse};
use umbel_time::Instant;

/// How the network behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// From one node to another.
    pub latency: Duration,
    /// At most so much more, anew for each piece. Streams keep their order, datagrams may not.
    pub jitter: Duration,
    /// Whether what is written at once arrives cut, and what is written apart arrives joined.
    pub cuts: bool,
    /// How many datagrams of a hundred are lost.
    pub datagram_loss_percent: u8,
}

impl Default for Weather {
    /// 4 ms, always; streams cut and joined; no datagram lost. So a ladder does not depend on the seed.
    fn default() -> Self {
        Weather {
            latency: Duration::from_millis(4),
            jitter: Duration::ZERO,
            cuts: true,
            datagram_loss_percent: 0,
        }
    }
}

impl Weather {
    /// How long the next piece is under way.
    pub(crate) fn delay(&self, rng: &mut ChaCha20Rng) -> Duration {
        let span = u64::try_from(self.jitter.as_micros()).unwrap_or(u64::MAX);
        self.latency + Duration::from_micros(below(rng, span.saturating_add(1)))
    }
}

/// One flow: an end at each of two nodes.
pub(crate) struct Link {
    pub(crate) ends: [End; 2],
    /// Something sent on it has vanished: the stream cannot go on where it was.
    pub(crate) has_gap: bool,
}

/// Where a flow ends.
pub(crate) struct End {
    /// The node, by its number.
    pub(crate) seat: usize,
    /// What the node calls the flow.
    pub(crate) id: FlowId,
    /// The node knows of it: it has asked for it, or was told that it is up.
    pub(crate) is_known: bool,
    /// What is on its way to here.
    inbound: VecDeque<(Instant, Piece)>,
    /// What has arrived and is not a whole message yet.
    buffer: BytesMut,
    framer: Framer,
    latest: Instant,
    stalled_until: Instant,
}

enum Piece {
    Octets(Bytes),
    /// The other side has closed.
    Fin,
}

/// What came out of a stream.
#[expect(clippy::large_enum_variant, reason = "it lives for one read")]
#[derive(Debug)]
pub(crate) enum Arrival {
    Message(Message),
    Malformed(Malformed),
    Ping,
    Fin,
}

impl End {
    pub(crate) fn new(seat: usize, id: FlowId, is_known: bool) -> Self {
        End {
            seat,
            id,
            is_known,
            inbound: VecDeque::new(),
            buffer: BytesMut::new(),
            framer: Framer::new(),
            latest: Instant::ZERO,
            stalled_until: Instant::ZERO,
        }
    }

    /// Sends bytes toward this end; gives when to look.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        bytes: Bytes,
        weather: &Weather,
        rng: &mut ChaCha20Rng,
    ) -> Vec<Instant> {
        let pieces = if weather.cuts { cut(bytes, rng) } else { vec![bytes] };
        let mut times = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let at = self.arrival(now + weather.delay(rng));
            self.inbound.push_back((at, Piece::Octets(piece)));
            times.push(at);
        }
        times
    }

    /// The other side closes: what is on its way still arrives.
    pub(crate) fn finish(&mut self, now: Instant, weather: &Weather, rng: &mut ChaCha20Rng) -> Instant {
        let at = self.arrival(now + weather.delay(rng));
        self.inbound.push_back((at, Piece::Fin));
        at
    }

    /// Nothing arrives until then.
    pub(crate) fn stall(&mut self, until: Instant) {
        self.stalled_until = until;
    }

    /// Reads what is due, joined as chance has it; gives when to look again if the stream is stalled.
    pub(crate) fn read(&mut self, now: Instant, rng: &mut ChaCha20Rng) -> (Vec<Arrival>, Option<Instant>) {
        if now < self.stalled_until {
            return (Vec::new(), Some(self.stalled_until));
        }
        let mut finished = false;
        while let Some((_, piece)) = self.inbound.pop_front_if(|(at, _)| *at <= now) {
            match piece {
                Piece::Octets(octets) => self.buffer.extend_from_slice(&octets),
                Piece::Fin => finished = true,
            }
            if below(rng, 2) == 0 {
                break;
            }
        }
        let mut arrivals = self.take_messages();
        if finished {
            arrivals.push(Arrival::Fin);
        }
        (arrivals, None)
    }

    /// Streams keep their order.
    fn arrival(&mut self, at: Instant) -> Instant {
        self.latest = self.latest.max(at);
        self.latest
    }

    fn take_messages(&mut self) -> Vec<Arrival> {
        let mut arrivals = Vec::new();
        loop {
            match self.framer.next(&self.buffer) {
                Framed::Incomplete => return arrivals,
                Framed::KeepAlive { kind, len } => {
                    let _ = self.buffer.split_to(len);
                    if kind == KeepAlive::Ping {
                        arrivals.push(Arrival::Ping);
                    }
                }
                Framed::Message { len } => {
                    let message = self.buffer.split_to(len).freeze();
                    arrivals.push(match parse(message) {
                        Ok(message) => Arrival::Message(message),
                        Err(what) => Arrival::Malformed(what),
                    });
                }
                Framed::Malformed(what) => {
                    self.buffer.clear();
                    arrivals.push(Arrival::Malformed(what));
                    return arrivals;
                }
            }
        }
    }
}

/// Cuts at none, one, several or all places.
fn cut(mut bytes: Bytes, rng: &mut ChaCha20Rng) -> Vec<Bytes> {
    let longest = match below(rng, 4) {
        0 | 1 => return vec![bytes],
        2 => 400,
        _ => 40,
    };
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let length = usize::try_from(below(rng, longest)).unwrap_or_default() + 1;
        pieces.push(bytes.split_to(length.min(bytes.len())));
    }
    pieces
}

/// A number below `bound`; zero where there is none.
pub(crate) fn below(rng: &mut ChaCha20Rng, bound: u64) -> u64 {
    rng.next_u64() % bound.max(1)
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    const OPTIONS: &[u8] =
        b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK1\r\nFrom: <sip:c@d>;tag=1\r\n\
        To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

    /// Sends and reads until nothing is left; gives how many messages came, and in how many reads.
    fn messages(seed: u64, sent: &[&[u8]]) -> (usize, usize) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut end = End::new(0, FlowId(1), true);
        let mut times = Vec::new();
        for bytes in sent {
            let bytes = Bytes::copy_from_slice(bytes);
            times.extend(end.send(Instant::ZERO, bytes, &Weather::default(), &mut rng));
        }
        let mut came = Vec::new();
        for at in &times {
            came.push(end.read(*at, &mut rng).0.len());
        }
        (came.iter().sum(), came.iter().filter(|count| **count > 0).count())
    }

    // REL-51
    #[test]
    fn the_same_messages_come_however_they_are_cut_and_joined() {
        for seed in 0..200 {
            assert_eq!(messages(seed, &[OPTIONS, OPTIONS, OPTIONS]).0, 3, "seed {seed}");
        }
    }

    #[test]
    fn some_messages_come_joined_and_some_alone() {
        let reads: Vec<usize> = (0..50).map(|seed| messages(seed, &[OPTIONS, OPTIONS]).1).collect();
        assert!(reads.contains(&1));
        assert!(reads.contains(&2));
    }

    #[test]
    fn what_is_no_message_comes_as_that() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut end = End::new(0, FlowId(1), true);
        let calm = Weather { cuts: false, ..Weather::default() };
        let times = end.send(Instant::ZERO, Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n"), &calm, &mut rng);
        let (arrivals, _) = end.read(*times.first().expect("one piece"), &mut rng);
        assert!(matches!(arrivals.as_slice(), [Arrival::Malformed(_)]), "{arrivals:?}");
    }

    #[test]
    fn a_stalled_stream_says_when_to_look_again() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut end = End::new(0, FlowId(1), true);
        let calm = Weather { cuts: false, ..Weather::default() };
        end.stall(Instant::from_millis(100));
        let times = end.send(Instant::ZERO, Bytes::from_static(OPTIONS), &calm, &mut rng);
        let (arrivals, again) = end.read(*times.first().expect("one piece"), &mut rng);
        assert!(arrivals.is_empty());
        assert_eq!(again, Some(Instant::from_millis(100)));
        assert_eq!(end.read(Instant::from_millis(100), &mut rng).0.len(), 1);
    }
}
