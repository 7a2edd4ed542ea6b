//! Whose packets are let in: one source, one synchronization source, so many a second.

use std::net::SocketAddr;
use std::time::Duration;

use umbel_time::Instant;

use crate::{Channel, Parameters};

/// Where packets may come from, for one negotiation.
///
/// By default only from where the session description says. Where the peer may sit behind address translation,
/// the first valid packet decides, once; after that nobody else's is heard.
pub(crate) struct Latch {
    /// What the session description says, for sound and for control.
    stated: Option<SocketAddr>,
    stated_control: Option<SocketAddr>,
    learn: bool,
    learned: Option<SocketAddr>,
    learned_control: Option<SocketAddr>,
    ssrc: Option<u32>,
}

/// What the latch says about a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the peer.
    Known,
    /// It is the peer if its packet proves valid.
    Candidate,
    /// It is somebody else.
    Foreign,
}

impl Latch {
    pub(crate) fn new(parameters: &Parameters) -> Self {
        Latch {
            stated: parameters.remote,
            stated_control: parameters.control(),
            learn: parameters.learn_source,
            learned: None,
            learned_control: None,
            ssrc: None,
        }
    }

    /// Begins a new negotiation. What was learned stays if nothing was said about addresses or keys,
    /// for then there is nothing new to learn; the peer may have begun a new stream in either case.
    pub(crate) fn renegotiate(&mut self, old: &Parameters, new: &Parameters) {
        let kept = old.remote == new.remote && old.srtp == new.srtp && old.learn_source == new.learn_source;
        let before = std::mem::replace(self, Latch::new(new));
        if kept {
            self.learned = before.learned;
            self.learned_control = before.learned_control;
        }
    }

    /// Whether the bytes of `source` are worth reading at all.
    pub(crate) fn source(&self, channel: Channel, source: SocketAddr) -> Verdict {
        let (learned, stated) = match channel {
            Channel::Rtp => (self.learned, self.stated),
            Channel::Rtcp => (self.learned_control, self.stated_control),
        };
        match (learned, stated, self.learn) {
            (Some(learned), _, _) => known_if(learned == source),
            (None, Some(stated), _) if stated == source => Verdict::Candidate,
            // MED-7: the negotiated address family. Reports come from the host that sound comes from.
            (None, Some(stated), true) => {
                let family = stated.is_ipv4() == source.is_ipv4();
                let host = self.learned.is_some_and(|learned| learned.ip() == source.ip());
                if family && (channel == Channel::Rtp || host) {
                    Verdict::Candidate
                } else {
                    Verdict::Foreign
                }
            }
            (None, _, _) => Verdict::Foreign,
        }
    }

    /// Whether `ssrc` is that of the peer.
    pub(crate) fn stream(&self, ssrc: u32) -> Verdict {
        match self.ssrc {
            Some(known) => known_if(known == ssrc),
            None => Verdict::Candidate,
        }
    }

    /// Fixes source and stream: a valid packet of sound came from them. Says whether the stream is new.
    pub(crate) fn fix(&mut self, source: SocketAddr, ssrc: u32) -> bool {
        self.learned = Some(source);
        self.ssrc.replace(ssrc) != Some(ssrc)
    }

    /// Fixes the source of reports.
    pub(crate) fn fix_control(&mut self, source: SocketAddr) {
        self.learned_control = Some(source);
    }

    /// RFC 3550 6.6: the peer ended this stream, and may begin another one.
    pub(crate) fn release(&mut self, ssrc: u32) {
        if self.ssrc == Some(ssrc) {
            self.ssrc = None;
        }
    }

    /// Where to send: where the peer proved to be, else where it said it would be.
    pub(crate) fn destination(&self, channel: Channel) -> Option<SocketAddr> {
        match channel {
            Channel::Rtp => self.stated.map(|stated| self.learned.unwrap_or(stated)),
            Channel::Rtcp => self.stated_control.map(|stated| self.learned_control.unwrap_or(stated)),
        }
    }
}

fn known_if(known: bool) -> Verdict {
    if known { Verdict::Known } else { Verdict::Foreign }
}

/// So many packets a second, and a few more after a pause of the network.
pub(crate) struct Flow {
    allowance: Duration,
    last: Instant,
}

impl Flow {
    /// SEC-77
    pub(crate) const PACKETS_A_SECOND: u32 = 200;
    /// What may come at once.
    pub(crate) const BURST: u32 = 100;
    const COST: Duration = Duration::from_micros(1_000_000 / Self::PACKETS_A_SECOND as u64);
    const FULL: Duration =
        Duration::from_micros(Self::BURST as u64 * 1_000_000 / Self::PACKETS_A_SECOND as u64);

    pub(crate) fn new(now: Instant) -> Self {
        Flow { allowance: Self::FULL, last: now }
    }

    /// Whether one more packet may pass.
    pub(crate) fn admits(&mut self, now: Instant) -> bool {
        self.allowance = (self.allowance + now.since(self.last)).min(Self::FULL);
        self.last = now;
        match self.allowance.checked_sub(Self::COST) {
            Some(rest) => {
                self.allowance = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Codec, Direction};

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn parameters(remote: &str, learn_source: bool) -> Parameters {
        Parameters {
            codec: Codec::Pcmu,
            payload_type: 0,
            telephone_event: None,
            remote: Some(at(remote)),
            remote_control: None,
            direction: Direction::SendReceive,
            srtp: None,
            learn_source,
        }
    }

    #[test]
    fn without_learning_only_the_stated_address_is_heard() {
        // SEC-71
        let latch = Latch::new(&parameters("192.0.2.1:4000", false));
        assert_eq!(latch.source(Channel::Rtp, at("192.0.2.1:4000")), Verdict::Candidate);
        assert_eq!(latch.source(Channel::Rtp, at("192.0.2.1:4002")), Verdict::Foreign);
        assert_eq!(latch.source(Channel::Rtcp, at("192.0.2.1:4001")), Verdict::Candidate);
        assert_eq!(latch.source(Channel::Rtcp, at("192.0.2.2:4001")), Verdict::Foreign);
        assert_eq!(latch.destination(Channel::Rtp), Some(at("192.0.2.1:4000")));
        assert_eq!(latch.destination(Channel::Rtcp), Some(at("192.0.2.1:4001")));
    }

    #[test]
    fn with_learning_the_first_source_stays_the_only_one() {
        // SEC-71, SEC-72, MED-7
        let mut latch = Latch::new(&parameters("10.0.0.1:4000", true));
        assert_eq!(latch.source(Channel::Rtp, at("203.0.113.5:777")), Verdict::Candidate);
        assert_eq!(latch.source(Channel::Rtp, at("[2001:db8::1]:777")), Verdict::Foreign);
        assert_eq!(latch.source(Channel::Rtcp, at("203.0.113.5:778")), Verdict::Foreign);
        assert!(latch.fix(at("203.0.113.5:777"), 1));
        assert_eq!(latch.source(Channel::Rtp, at("203.0.113.5:777")), Verdict::Known);
        for other in ["203.0.113.5:778", "203.0.113.6:777", "10.0.0.1:4000"] {
            assert_eq!(latch.source(Channel::Rtp, at(other)), Verdict::Foreign, "{other}");
        }
        assert_eq!(latch.source(Channel::Rtcp, at("203.0.113.6:778")), Verdict::Foreign);
        assert_eq!(latch.source(Channel::Rtcp, at("203.0.113.5:778")), Verdict::Candidate);
        assert_eq!(latch.stream(1), Verdict::Known);
        assert_eq!(latch.stream(2), Verdict::Foreign);
        assert_eq!(latch.destination(Channel::Rtp), Some(at("203.0.113.5:777")));
    }

    #[test]
    fn a_negotiation_opens_the_latch_for_what_it_changes() {
        let old = parameters("10.0.0.1:4000", true);
        let mut latch = Latch::new(&old);
        latch.fix(at("203.0.113.5:777"), 1);
        let mut held = old.clone();
        held.direction = Direction::ReceiveOnly;
        latch.renegotiate(&old, &held);
        assert_eq!(latch.source(Channel::Rtp, at("203.0.113.9:777")), Verdict::Foreign);
        assert_eq!(latch.stream(2), Verdict::Candidate);

        let moved = parameters("10.0.0.2:4000", true);
        latch.renegotiate(&held, &moved);
        assert_eq!(latch.source(Channel::Rtp, at("203.0.113.9:777")), Verdict::Candidate);
        assert_eq!(latch.destination(Channel::Rtp), Some(at("10.0.0.2:4000")));
    }

    #[test]
    fn only_the_peers_farewell_makes_room_for_another_stream() {
        let mut latch = Latch::new(&parameters("10.0.0.1:4000", false));
        latch.fix(at("10.0.0.1:4000"), 1);
        latch.release(2);
        assert_eq!(latch.stream(3), Verdict::Foreign);
        latch.release(1);
        assert_eq!(latch.stream(3), Verdict::Candidate);
    }

    #[test]
    fn two_hundred_packets_a_second_pass_and_no_more() {
        // SEC-77
        let mut flow = Flow::new(Instant::ZERO);
        let passed = (0..10_000_u64).filter(|n| flow.admits(Instant::from_micros(n * 1_000))).count();
        // Ten seconds at a thousand a second.
        assert_eq!(passed, 10 * 200 + 100 - 1);
        let mut flow = Flow::new(Instant::ZERO);
        assert!((0..2_000_u64).all(|n| flow.admits(Instant::from_micros(n * 5_000))));
    }
}
