//! Keys as RTP carries them: RFC 4733.
//!
//! ```text
//!  0                   1                   2                   3
//! |     event     |E|R| volume    |          duration             |
//! ```
//! One key press is a dozen packets with one timestamp. Any of them may be lost, come twice or late.

use std::collections::VecDeque;
use std::time::Duration;

use umbel_time::Instant;

use crate::codec::PACKET_TIME;
use crate::{Digit, Keystroke};

/// One event block.
#[derive(Clone, Copy)]
pub(crate) struct Block {
    event: u8,
    end: bool,
    duration: u16,
}

impl Block {
    pub(crate) const LEN: usize = 4;
    const END: u8 = 0x80;
    /// RFC 4733 2.3.4: power below a milliwatt. What telephones use.
    const VOLUME: u8 = 10;

    /// Reads a payload. One with several blocks is nothing that keys need.
    pub(crate) fn read(payload: &[u8]) -> Option<Block> {
        let &[event, flags, high, low] = payload else { return None };
        Some(Block { event, end: flags & Self::END != 0, duration: u16::from_be_bytes([high, low]) })
    }

    pub(crate) fn bytes(self) -> [u8; Block::LEN] {
        let [high, low] = self.duration.to_be_bytes();
        [self.event, if self.end { Self::END | Self::VOLUME } else { Self::VOLUME }, high, low]
    }
}

/// Listens for keys: each counts once, on whichever of its packets comes first.
#[derive(Default)]
pub(crate) struct Listener {
    current: Option<Press>,
}

/// The key press heard last.
#[derive(Clone, Copy)]
struct Press {
    event: u8,
    /// Of the latest packet that belongs to it.
    timestamp: u32,
    longest: u16,
    ended: bool,
}

/// What a packet turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A key that was not pressed before.
    Pressed(Digit),
    /// More of the key heard last.
    Again,
    /// Not a key, or one that is long past.
    Nothing,
}

impl Listener {
    /// How many eight-thousandths of a second a sender that moves the timestamp with every packet of one
    /// event may move it. Two presses of one key are further apart.
    const STEP_MAX: i32 = 480;
    /// From here on an event may be cut in segments. RFC 4733 2.5.1.3: when the duration is full, a new
    /// segment begins where the old one ended.
    const SEGMENT: u16 = 0xffff - 8_000;
    /// A timestamp that is further back than this, five seconds, is from a sender that began anew.
    const EARLIEST: i32 = -40_000;

    pub(crate) fn hear(&mut self, timestamp: u32, marker: bool, block: Block) -> Heard {
        let Some(digit) = Digit::from_event(block.event) else { return Heard::Nothing };
        let press = Press { event: block.event, timestamp, longest: block.duration, ended: block.end };
        let Some(last) = &mut self.current else {
            self.current = Some(press);
            return Heard::Pressed(digit);
        };
        let later = timestamp.wrapping_sub(last.timestamp).cast_signed();
        let same = last.event == block.event;
        match later {
            0 if same => {
                last.longest = last.longest.max(block.duration);
                last.ended |= block.end;
                Heard::Again
            }
            // Two keys cannot be pressed at one time: the first stands.
            0 => Heard::Nothing,
            _ if (Self::EARLIEST..0).contains(&later) => Heard::Nothing,
            _ if same && !marker && !last.ended && last.continues(later) => {
                *last = press;
                Heard::Again
            }
            _ => {
                *last = press;
                Heard::Pressed(digit)
            }
        }
    }
}

impl Press {
    /// Whether a packet `later` than the last one, of the same event, which has not ended, is more of it.
    fn continues(self, later: i32) -> bool {
        let stepping = (1..=Listener::STEP_MAX).contains(&later);
        let segment = self.longest >= Listener::SEGMENT && (1..=0xffff).contains(&later);
        stepping || segment
    }
}

/// Presses keys.
#[derive(Default)]
pub(crate) struct Keypad {
    queue: VecDeque<Keystroke>,
    pressed: Option<Pressed>,
    resting_until: Option<Instant>,
}

struct Pressed {
    digit: Digit,
    timestamp: u32,
    packets: u16,
}

/// One packet of a key press.
pub(crate) struct KeyPacket {
    pub(crate) block: Block,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
}

impl Keypad {
    /// Most keystrokes that wait to be sent; more are not taken.
    pub(crate) const WAITING_MAX: usize = 256;
    /// Packets of a press before its end is told: a tenth of a second in all.
    const UPDATES: u16 = 4;
    /// RFC 4733 2.5.1.4: the end is told three times.
    const ENDS: u16 = 3;
    /// Rest after a key.
    const REST: Duration = Duration::from_millis(100);

    pub(crate) fn push(&mut self, keys: impl IntoIterator<Item = Keystroke>) {
        let room = Self::WAITING_MAX.saturating_sub(self.queue.len());
        self.queue.extend(keys.into_iter().take(room));
    }

    /// Whether anything is left to press or to wait for.
    pub(crate) fn is_busy(&self) -> bool {
        self.pressed.is_some() || self.resting_until.is_some() || !self.queue.is_empty()
    }

    /// The packet for the tick at `now`, when a new press would have `timestamp`. None: resting, or done.
    pub(crate) fn tick(&mut self, now: Instant, timestamp: u32, ticks_per_packet: u32) -> Option<KeyPacket> {
        if self.resting_until.is_some_and(|until| now < until) {
            return None;
        }
        self.resting_until = None;
        if self.pressed.is_none() {
            match self.queue.pop_front()? {
                Keystroke::Press(digit) => self.pressed = Some(Pressed { digit, timestamp, packets: 0 }),
                Keystroke::Wait(duration) => {
                    self.resting_until = Some(now + duration);
                    return None;
                }
            }
        }
        let pressed = self.pressed.as_mut()?;
        pressed.packets += 1;
        let ticks = u32::from(pressed.packets.min(Self::UPDATES + 1)) * ticks_per_packet;
        let packet = KeyPacket {
            block: Block {
                event: pressed.digit.event(),
                end: pressed.packets > Self::UPDATES,
                duration: u16::try_from(ticks).unwrap_or(u16::MAX),
            },
            timestamp: pressed.timestamp,
            marker: pressed.packets == 1,
        };
        if pressed.packets == Self::UPDATES + Self::ENDS {
            self.pressed = None;
            self.resting_until = Some(now + PACKET_TIME + Self::REST);
        }
        Some(packet)
    }

    /// When the next tick has something to do, if not at the pace of packets.
    pub(crate) fn rests_until(&self) -> Option<Instant> {
        self.resting_until
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(event: u8, end: bool, duration: u16) -> Block {
        Block { event, end, duration }
    }

    /// The packets of one press: four updates and three ends, with marker, timestamp and block.
    fn press(event: u8, timestamp: u32) -> Vec<(u32, bool, Block)> {
        let mut packets: Vec<_> =
            (1..=4_u16).map(|n| (timestamp, n == 1, block(event, false, n * 160))).collect();
        packets.extend([(timestamp, false, block(event, true, 800)); 3]);
        packets
    }

    fn keys(packets: impl IntoIterator<Item = (u32, bool, Block)>) -> String {
        let mut listener = Listener::default();
        let mut keys = String::new();
        for (timestamp, marker, block) in packets {
            if let Heard::Pressed(digit) = listener.hear(timestamp, marker, block) {
                keys.push(digit.as_char());
            }
        }
        keys
    }

    #[test]
    fn a_press_is_one_key_whatever_is_lost_of_it() {
        // MED-2
        let packets = press(5, 8_000);
        for lost in 0..(1 << packets.len()) - 1_u32 {
            let heard =
                (0..).zip(&packets).filter(|(at, _)| lost & (1 << at) == 0).map(|(_, packet)| *packet);
            assert_eq!(keys(heard), "5", "lost {lost:b}");
        }
    }

    #[test]
    fn a_key_pressed_twice_is_two_keys() {
        let both = [press(5, 0), press(5, 1_600)].concat();
        assert_eq!(keys(both.clone()), "55");
        // All ends of the first and the beginning of the second are lost.
        assert_eq!(keys([&both[..3], &both[9..]].concat()), "55");
    }

    #[test]
    fn repeated_and_late_packets_are_no_new_keys() {
        // SEC-76
        let (first, second) = (press(1, 0), press(2, 1_600));
        assert_eq!(keys([first.clone(), first.clone()].concat()), "1");
        assert_eq!(keys([first.clone(), second, first].concat()), "12");
    }

    #[test]
    fn events_that_are_no_keys_are_ignored() {
        // SEC-76
        assert_eq!(
            keys((16..=255).map(|event| (u32::from(event) * 4_000, true, block(event, true, 800)))),
            ""
        );
        assert_eq!(
            keys((0..16).map(|event| (u32::from(event) * 4_000, true, block(event, true, 800)))),
            "0123456789*#ABCD"
        );
    }

    #[test]
    fn a_key_held_beyond_the_greatest_duration_is_one_key() {
        // RFC 4733 2.5.1.3; SEC-76
        let mut packets = Vec::new();
        for segment in 0..3_u32 {
            for duration in (160..=65_535_u16).step_by(1_600).chain([0xffff]) {
                packets.push((segment * 0xffff, segment == 0 && duration == 160, block(7, false, duration)));
            }
        }
        packets.push((3 * 0xffff, false, block(7, true, 160)));
        assert_eq!(keys(packets), "7");
    }

    #[test]
    fn a_sender_that_moves_the_timestamp_within_a_press_presses_once() {
        let packets = (0..5_u32).map(|n| (n * 160, n == 0, block(9, n == 4, 160)));
        assert_eq!(keys(packets), "9");
    }

    #[test]
    fn a_sender_that_begins_anew_is_heard() {
        assert_eq!(keys([press(1, 4_000_000), press(2, 0)].concat()), "12");
    }

    #[test]
    fn timestamps_may_wrap() {
        assert_eq!(keys([press(1, u32::MAX - 100), press(2, 1_500)].concat()), "12");
    }

    #[test]
    fn payloads_of_other_lengths_are_no_blocks() {
        for len in [0, 1, 3, 5, 8] {
            assert!(Block::read(&vec![0; len]).is_none(), "{len}");
        }
    }

    #[test]
    fn pressed_keys_are_heard_as_they_were_pressed() {
        let mut keypad = Keypad::default();
        let word = "1593*#A0";
        keypad.push(word.chars().map(|c| Keystroke::Press(Digit::try_from(c).unwrap())));
        let (mut packets, mut now) = (Vec::new(), Instant::ZERO);
        while keypad.is_busy() {
            let timestamp = u32::try_from(now.as_micros() * 8 / 1_000).unwrap();
            if let Some(packet) = keypad.tick(now, timestamp, 160) {
                packets.push((packet.timestamp, packet.marker, Block::read(&packet.block.bytes()).unwrap()));
            }
            now += PACKET_TIME;
        }
        assert_eq!(keys(packets.clone()), word);
        // MED-2: three ends a press, all of the same duration.
        let ends: Vec<u16> =
            packets.iter().filter(|(.., block)| block.end).map(|(.., block)| block.duration).collect();
        assert_eq!(ends, vec![800; 3 * word.len()]);
        assert_eq!(packets.iter().filter(|(_, marker, _)| *marker).count(), word.len());
    }

    #[test]
    fn waits_lie_between_keys() {
        let mut keypad = Keypad::default();
        let one = Keystroke::Press(Digit::try_from('1').unwrap());
        keypad.push([one, Keystroke::Wait(Duration::from_secs(2)), one]);
        let mut pressed_at = Vec::new();
        for tick in 0..200_u64 {
            let now = Instant::from_millis(tick * 20);
            if keypad.tick(now, 0, 160).is_some_and(|packet| packet.marker) {
                pressed_at.push(now.as_micros() / 1_000);
            }
        }
        assert_eq!(pressed_at.len(), 2);
        assert!(pressed_at[1] - pressed_at[0] >= 2_000, "{pressed_at:?}");
    }

    proptest! {
        /// Keys under loss and reordering: never one that was not pressed, and only whole losses are missed.
        #[test]
        fn no_key_is_invented(
            word in proptest::collection::vec(0_u8..16, 1..20),
            fates in proptest::collection::vec((0_u32..100, 0_u32..60), 140),
        ) {
            let mut packets = Vec::new();
            for (at, event) in word.iter().enumerate() {
                let begin = u32::try_from(at).unwrap() * 2_000;
                for (n, packet) in press(*event, begin).into_iter().enumerate() {
                    let (fate, delay) = fates[(at * 7 + n) % fates.len()];
                    if fate >= 5 {
                        packets.push((begin + u32::try_from(n).unwrap() * 160 + delay * 8, packet));
                    }
                }
            }
            packets.sort_by_key(|(arrival, _)| *arrival);
            let expected: String = word
                .iter()
                .enumerate()
                .filter(|(at, _)| packets.iter().any(|(_, (ts, ..))| *ts == u32::try_from(*at).unwrap() * 2_000))
                .map(|(_, event)| Digit::from_event(*event).unwrap().as_char())
                .collect();
            prop_assert_eq!(keys(packets.into_iter().map(|(_, packet)| packet)), expected);
        }
    }
}
