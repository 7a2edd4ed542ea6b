//! From octets to messages: framing and parsing in the connection's own task.

use bytes::Bytes;
use umbel_node::{FlowId, Input};
use umbel_sip_message::{Awaiting, Framed, Framer, KeepAlive, Malformed, parse};
use umbel_time::Instant;

use super::arrivals::Arrivals;

/// What a connection has received of a message that is not yet whole.
#[derive(Default)]
pub(super) struct Inbound {
    partial: Vec<u8>,
    framer: Framer,
    stage: Stage,
}

/// How far the message at the front has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing of it is here.
    #[default]
    Between,
    /// It began at this moment; its headers are not whole.
    Header(Instant),
    /// Its headers were whole at this moment; its body is not.
    Body(Instant),
    /// It may be whole, but the event loop has no room for it.
    Waiting,
    /// Framing is lost: where the next message begins cannot be known.
    Lost(Instant),
}

/// What the octets held besides messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Keep-alives that want an answer (RFC 5626 3.5.1).
    pub(super) pings: usize,
    /// Octet sequences that were no message.
    pub(super) malformed: usize,
}

impl Inbound {
    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    /// Whether more may be read.
    pub(super) fn wants_more(&self) -> bool {
        !matches!(self.stage, Stage::Waiting | Stage::Lost(_))
    }

    /// Takes octets from the connection and hands up what is whole, in order.
    pub(super) fn take(&mut self, octets: &[u8], id: FlowId, arrivals: &Arrivals, now: Instant) -> Taken {
        if self.partial.is_empty() {
            let mut taken = Taken::default();
            let used = self.hand_up(octets, id, arrivals, now, &mut taken);
            self.partial.extend_from_slice(octets.get(used..).unwrap_or_default());
            taken
        } else {
            self.partial.extend_from_slice(octets);
            self.resume(id, arrivals, now)
        }
    }

    /// Hands up what is whole of what had to wait.
    pub(super) fn resume(&mut self, id: FlowId, arrivals: &Arrivals, now: Instant) -> Taken {
        let mut taken = Taken::default();
        let mut partial = std::mem::take(&mut self.partial);
        let used = self.hand_up(&partial, id, arrivals, now, &mut taken);
        // A connection between two messages holds no buffer.
        if used < partial.len() {
            partial.drain(..used);
            self.partial = partial;
        }
        taken
    }

    /// Hands up the whole messages at the front of `octets`; says how many octets are done with.
    fn hand_up(
        &mut self,
        octets: &[u8],
        id: FlowId,
        arrivals: &Arrivals,
        now: Instant,
        taken: &mut Taken,
    ) -> usize {
        let mut used = 0;
        loop {
            let rest = octets.get(used..).unwrap_or_default();
            if arrivals.is_full() {
                self.stage = if rest.is_empty() { Stage::Between } else { Stage::Waiting };
                return used;
            }
            let malformed = match self.framer.next(rest) {
                Framed::Incomplete => {
                    self.stage = self.stage.after(self.framer.awaiting(), now);
                    return used;
                }
                Framed::KeepAlive { kind, len } => {
                    taken.pings += usize::from(kind == KeepAlive::Ping);
                    used += len;
                    continue;
                }
                Framed::Message { len } => {
                    self.stage = Stage::Between;
                    used += len;
                    // A copy of just this message: what lives long holds no larger buffer.
                    match parse(Bytes::copy_from_slice(rest.get(..len).unwrap_or_default())) {
                        Ok(message) => {
                            arrivals.push(Input::Received { id, message });
                            continue;
                        }
                        Err(malformed) => malformed,
                    }
                }
                Framed::Malformed(malformed) => Malformed { close: true, ..malformed },
            };
            taken.malformed += 1;
            let lost = malformed.close;
            arrivals.push(Input::Malformed { id, what: malformed });
            if lost {
                self.stage = Stage::Lost(now);
                return octets.len();
            }
        }
    }
}

impl Stage {
    /// The stage that the framer has come to; each keeps the moment at which it began.
    fn after(self, awaiting: Awaiting, now: Instant) -> Stage {
        match (awaiting, self) {
            (Awaiting::Nothing, _) => Stage::Between,
            (Awaiting::Head, Stage::Header(since)) => Stage::Header(since),
            (Awaiting::Head, _) => Stage::Header(now),
            (Awaiting::Body, Stage::Body(since)) => Stage::Body(since),
            (Awaiting::Body, _) => Stage::Body(now),
        }
    }
}
