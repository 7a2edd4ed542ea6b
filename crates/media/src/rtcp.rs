//! Reports about the call's streams: RFC 3550 section 6, over `rtcp-types`.

use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use rtcp_types::{
    Bye, Compound, Packet, ReceiverReport, ReportBlock, ReportBlockBuilder, RtcpPacketWriter as _,
    RtcpPacketWriterExt as _, Sdes, SdesChunk, SdesItem, SenderReport,
};
use umbel_time::Instant;

use crate::reception::Quality;

/// What we tell about our own stream.
#[derive(Clone, Copy)]
pub(crate) struct Sent {
    /// The RTP timestamp of now.
    pub(crate) timestamp: u32,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
}

/// What we tell about the peer's stream.
#[derive(Clone, Copy)]
pub(crate) struct Heard {
    pub(crate) ssrc: u32,
    pub(crate) quality: Quality,
    /// The middle of the time stamp in the last report of the peer, and when that came.
    pub(crate) last_report: Option<(u32, Instant)>,
}

/// One compound packet.
pub(crate) struct Report<'a> {
    pub(crate) ssrc: u32,
    pub(crate) canonical_name: &'a str,
    /// None while we have sent nothing since the last report but one.
    pub(crate) sent: Option<Sent>,
    pub(crate) heard: Option<Heard>,
    pub(crate) goodbye: bool,
}

impl Report<'_> {
    /// Puts the packet into `bytes`, in place of what is there.
    pub(crate) fn write(&self, now: Instant, bytes: &mut Vec<u8>) {
        bytes.clear();
        let mut compound = Compound::builder();
        compound = match self.sent {
            Some(sent) => {
                let mut report = SenderReport::builder(self.ssrc)
                    .ntp_timestamp(ntp(now))
                    .rtp_timestamp(sent.timestamp)
                    .packet_count(sent.packets)
                    .octet_count(sent.octets);
                if let Some(heard) = &self.heard {
                    report = report.add_report_block(heard.block(now));
                }
                compound.add_packet(report)
            }
            None => {
                let mut report = ReceiverReport::builder(self.ssrc);
                if let Some(heard) = &self.heard {
                    report = report.add_report_block(heard.block(now));
                }
                compound.add_packet(report)
            }
        };
        // 6.1: every compound packet names its source.
        let name = SdesItem::builder(SdesItem::CNAME, self.canonical_name);
        compound =
            compound.add_packet(Sdes::builder().add_chunk(SdesChunk::builder(self.ssrc).add_item(name)));
        if self.goodbye {
            compound = compound.add_packet(Bye::builder().add_source(self.ssrc));
        }
        let length = compound.calculate_size().unwrap_or(0);
        bytes.resize(length, 0);
        if compound.write_into(bytes).is_err() {
            bytes.clear();
        }
    }
}

impl Heard {
    fn block(&self, now: Instant) -> ReportBlockBuilder {
        let (last, delay) = match self.last_report {
            // In units of 1/65536 s.
            Some((last, at)) => {
                let delay = now.since(at).as_micros() * 65_536 / 1_000_000;
                (last, u32::try_from(delay).unwrap_or(u32::MAX))
            }
            None => (0, 0),
        };
        ReportBlock::builder(self.ssrc)
            .fraction_lost(self.quality.fraction_lost)
            .cumulative_lost(self.quality.cumulative_lost)
            .extended_sequence_number(self.quality.highest)
            .interarrival_jitter(self.quality.jitter)
            .last_sender_report_timestamp(last)
            .delay_since_last_sender_report_timestamp(delay)
    }
}

/// Section 4: who has no notion of the time of day may count from when it joined.
fn ntp(now: Instant) -> u64 {
    let seconds = now.as_micros() / 1_000_000;
    let fraction = ((now.as_micros() % 1_000_000) << 32) / 1_000_000;
    (seconds << 32) | fraction
}

/// What of a received compound packet matters to us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// Source, and the middle 32 bits of its time stamp.
    pub(crate) sender_report: Option<(u32, u32)>,
    /// Who said goodbye.
    pub(crate) goodbye: Option<u32>,
}

/// The compound packet was none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads a compound packet, all of it, before any of it counts.
pub(crate) fn read(bytes: &[u8]) -> Result<Received, Malformed> {
    let mut received = Received::default();
    for packet in Compound::parse(bytes).map_err(|_| Malformed)? {
        match packet.map_err(|_| Malformed)? {
            Packet::Sr(report) => {
                let middle = u32::try_from(report.ntp_timestamp() >> 16 & 0xffff_ffff).unwrap_or(0);
                received.sender_report = Some((report.ssrc(), middle));
            }
            Packet::Bye(bye) => received.goodbye = bye.ssrcs().next(),
            // What others tell about our stream changes nothing here.
            _ => {}
        }
    }
    Ok(received)
}

/// 6.2: five seconds, a half more or less, with the compensation of A.7; half of it at first.
pub(crate) fn interval(random: &mut ChaCha20Rng, first: bool) -> Duration {
    const MEAN: u64 = 5_000_000;
    const HALF: u64 = MEAN / 2;
    let micros = (HALF + random.next_u64() % (MEAN + 1)) * 1_000 / 1_218;
    Duration::from_micros(if first { micros / 2 } else { micros })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use rand_core::SeedableRng as _;

    use super::*;

    fn report(goodbye: bool) -> Vec<u8> {
        let quality = Quality { fraction_lost: 3, cumulative_lost: 4, highest: 70_000, jitter: 9 };
        let mut bytes = Vec::new();
        Report {
            ssrc: 7,
            canonical_name: "0123456789abcdef",
            sent: Some(Sent { timestamp: 1_600, packets: 10, octets: 1_600 }),
            heard: Some(Heard {
                ssrc: 8,
                quality,
                last_report: Some((0x1234_5678, Instant::from_millis(500))),
            }),
            goodbye,
        }
        .write(Instant::from_millis(1_500), &mut bytes);
        bytes
    }

    #[test]
    fn what_is_written_reads_back() {
        let bytes = report(true);
        let mut kinds = Vec::new();
        for packet in Compound::parse(&bytes).unwrap() {
            match packet.unwrap() {
                Packet::Sr(sr) => {
                    kinds.push("SR");
                    assert_eq!(
                        (sr.ssrc(), sr.rtp_timestamp(), sr.packet_count(), sr.octet_count()),
                        (7, 1_600, 10, 1_600)
                    );
                    assert_eq!(sr.ntp_timestamp(), 0x1_8000_0000);
                    let block = sr.report_blocks().next().unwrap();
                    assert_eq!(block.delay_since_last_sender_report_timestamp(), 65_536);
                    assert_eq!(block.extended_sequence_number(), 70_000);
                }
                Packet::Sdes(_) => kinds.push("SDES"),
                Packet::Bye(_) => kinds.push("BYE"),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(kinds, ["SR", "SDES", "BYE"]);
        assert_eq!(read(&bytes), Ok(Received { sender_report: Some((7, 0x0001_8000)), goodbye: Some(7) }));
        assert_eq!(read(&report(false)).unwrap().goodbye, None);
    }

    #[test]
    fn one_damaged_packet_spoils_the_compound() {
        // SEC-78
        let whole = report(true);
        for cut in 1..whole.len() {
            // Where one packet ends and another begins, what is left is a compound of its own.
            let left = &whole[..cut];
            let ends_between = cut % 4 == 0 && read(left).is_ok();
            assert!(ends_between || read(left) == Err(Malformed), "cut at {cut}");
        }
        for (at, to) in [(0, 0x40), (0, 0x9f), (3, 0xff), (1, 0)] {
            let mut bad = whole.clone();
            bad[at] = to;
            assert!(read(&bad).is_err() || at == 1, "byte {at}");
        }
    }

    #[test]
    fn intervals_differ_and_stay_within_the_rule() {
        let mut random = ChaCha20Rng::from_seed([1; 32]);
        let intervals: Vec<Duration> = (0..100).map(|_| interval(&mut random, false)).collect();
        assert!(
            intervals
                .iter()
                .all(|i| (Duration::from_millis(2_052)..Duration::from_millis(6_159)).contains(i))
        );
        assert!(intervals.windows(2).any(|pair| pair[0] != pair[1]));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..100), kind in 198_u8..210) {
            if let Some(first) = bytes.first_mut() { *first = 0x80 | (*first & 0x3f); }
            if let Some(second) = bytes.get_mut(1) { *second = kind; }
            let _ = read(&bytes);
        }
    }
}
