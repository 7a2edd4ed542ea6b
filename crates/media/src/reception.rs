//! What is counted about the peer's stream: RFC 3550 6.4.1, A.1, A.3 and A.8.

use umbel_time::Instant;

/// The state of one source.
pub(crate) struct Reception {
    base: u32,
    /// The highest sequence number, with how often it turned over in its upper half.
    highest: u32,
    received: u32,
    expected_before: u32,
    received_before: u32,
    clock_rate: u32,
    transit: i64,
    /// In sixteenths of a tick, as in A.8.
    jitter: u32,
}

/// The fields of a report block that are about the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quality {
    pub(crate) fraction_lost: u8,
    pub(crate) cumulative_lost: u32,
    pub(crate) highest: u32,
    pub(crate) jitter: u32,
}

impl Reception {
    /// Begins with the first packet of a source.
    pub(crate) fn new(now: Instant, sequence: u16, timestamp: u32, clock_rate: u32) -> Self {
        let mut reception = Reception {
            base: u32::from(sequence),
            highest: u32::from(sequence),
            received: 0,
            expected_before: 0,
            received_before: 0,
            clock_rate,
            transit: 0,
            jitter: 0,
        };
        reception.transit = reception.transit_of(now, timestamp);
        reception.count(now, sequence, timestamp);
        reception
    }

    /// Counts a packet.
    pub(crate) fn count(&mut self, now: Instant, sequence: u16, timestamp: u32) {
        self.received = self.received.wrapping_add(1);
        let ahead = sequence.wrapping_sub(low(self.highest));
        if ahead < 0x8000 {
            self.highest = self.highest.wrapping_add(u32::from(ahead));
        }
        // A.8: the timestamp wraps, so the difference of two transit times is taken in 32 bits.
        let transit = self.transit_of(now, timestamp);
        let difference = u32::try_from((transit - self.transit) & 0xffff_ffff).unwrap_or(0).cast_signed();
        self.transit = transit;
        self.jitter =
            self.jitter.saturating_add(difference.unsigned_abs()).saturating_sub((self.jitter + 8) >> 4);
    }

    fn transit_of(&self, now: Instant, timestamp: u32) -> i64 {
        let arrival = now.as_micros().wrapping_mul(u64::from(self.clock_rate)) / 1_000_000;
        arrival.cast_signed().wrapping_sub(i64::from(timestamp))
    }

    fn expected(&self) -> u32 {
        self.highest.wrapping_sub(self.base).wrapping_add(1)
    }

    /// How many packets of this source never came.
    pub(crate) fn missing(&self) -> u32 {
        self.expected().saturating_sub(self.received)
    }

    /// The block for a report, and the beginning of the next interval. A.3.
    pub(crate) fn report(&mut self) -> Quality {
        let expected = self.expected().wrapping_sub(self.expected_before);
        let received = self.received.wrapping_sub(self.received_before);
        self.expected_before = self.expected();
        self.received_before = self.received;
        let lost = expected.saturating_sub(received);
        let fraction = if expected == 0 { 0 } else { (u64::from(lost) << 8) / u64::from(expected) };
        Quality {
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            // 24 bits, signed: more than that is said as much as can be.
            cumulative_lost: self.missing().min(0x7f_ffff),
            highest: self.highest,
            jitter: self.jitter >> 4,
        }
    }
}

fn low(extended: u32) -> u16 {
    let [_, _, high, low] = extended.to_be_bytes();
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_counted_over_the_interval_and_in_all() {
        let mut reception = Reception::new(Instant::ZERO, 65_530, 0, 8_000);
        for n in (1..100_u16).filter(|n| n % 4 != 0) {
            let now = Instant::from_millis(u64::from(n) * 20);
            reception.count(now, 65_530_u16.wrapping_add(n), u32::from(n) * 160);
        }
        let report = reception.report();
        assert_eq!(report.cumulative_lost, 24);
        assert_eq!(report.fraction_lost, 61); // 24 of 100, of 256
        assert_eq!(report.highest, 65_530 + 99);
        assert_eq!(report.jitter, 0);
        assert_eq!(reception.report().fraction_lost, 0);
    }

    #[test]
    fn packets_out_of_order_are_not_lost() {
        let mut reception = Reception::new(Instant::ZERO, 10, 0, 8_000);
        for sequence in [12, 11, 14, 13] {
            reception.count(Instant::ZERO, sequence, 0);
        }
        assert_eq!(reception.missing(), 0);
        assert_eq!(reception.report().cumulative_lost, 0);
    }

    #[test]
    fn jitter_is_that_of_the_arrival() {
        let mut reception = Reception::new(Instant::ZERO, 0, u32::MAX - 1_000, 8_000);
        for n in 1..1_000_u16 {
            // Every other packet comes 5 ms, 40 ticks, late.
            let late = if n % 2 == 0 { 5 } else { 0 };
            let now = Instant::from_millis(u64::from(n) * 20 + late);
            reception.count(now, n, (u32::MAX - 1_000).wrapping_add(u32::from(n) * 160));
        }
        let jitter = reception.report().jitter;
        assert!((38..=41).contains(&jitter), "{jitter}");
    }

    #[test]
    fn repeated_packets_do_not_make_loss_negative() {
        let mut reception = Reception::new(Instant::ZERO, 1, 0, 8_000);
        for _ in 0..10 {
            reception.count(Instant::ZERO, 1, 0);
        }
        assert_eq!(
            reception.report(),
            Quality { fraction_lost: 0, cumulative_lost: 0, highest: 1, jitter: 0 }
        );
    }
}
