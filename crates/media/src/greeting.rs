//! A recording that many callers hear: coded once for each codec, as far as somebody has heard it (DEC-42).

use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::player::Conversion;
use crate::voice::Encoder;
use crate::{Codec, Message};

/// A stored recording, shared by all calls that play it.
///
/// Nothing is coded before it is heard, and then one packet at a time: whoever hears it first pays what hearing it
/// alone would cost, the others nothing. So a long one keeps no thread busy while others wait.
pub struct Greeting {
    message: Message,
    /// One for each codec in which it was heard.
    coded: Mutex<Vec<Coded>>,
}

/// What was coded so far, and what goes on with it.
struct Coded {
    codec: Codec,
    encoder: Encoder,
    conversion: Conversion,
    payloads: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Greeting {
    /// Most packets that are coded in one go: whoever begins further on hears it as a message of its own.
    const AT_ONCE: usize = 2;

    /// Nothing of it is coded yet.
    pub fn new(message: Message) -> Greeting {
        Greeting { message, coded: Mutex::default() }
    }

    /// The recording.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Appends the payload of its `index`-th packet. False: it has no such packet, or it would take too long to
    /// have it.
    pub(crate) fn packet(&self, codec: Codec, index: usize, payload: &mut Vec<u8>) -> bool {
        // All is whole after every packet, whoever panicked.
        let mut coded = self.coded.lock().unwrap_or_else(PoisonError::into_inner);
        let place = coded.iter().position(|coded| coded.codec == codec).unwrap_or_else(|| {
            coded.push(Coded::new(codec));
            coded.len() - 1
        });
        coded[place].packet(&self.message, index).is_some_and(|packet| {
            payload.extend_from_slice(packet);
            true
        })
    }
}

impl Coded {
    fn new(codec: Codec) -> Coded {
        let (encoder, conversion) = (Encoder::new(codec), Conversion::None);
        Coded { codec, encoder, conversion, payloads: Vec::new(), ends: Vec::new() }
    }

    fn packet(&mut self, message: &Message, index: usize) -> Option<&[u8]> {
        let samples = usize::try_from(message.rate() / 50).unwrap_or(usize::MAX);
        let beyond = index.saturating_add(1).saturating_sub(self.ends.len());
        if beyond > Greeting::AT_ONCE
            || index.checked_mul(samples)? >= message.len()
            || !message.is_playable()
        {
            return None;
        }
        for _ in 0..beyond {
            let at = i64::try_from(self.ends.len().checked_mul(samples)?).ok()?;
            let (mut read, mut converted) = ([0; 320], [0; 320]);
            let read = read.get_mut(..samples)?;
            message.read(at, read);
            self.encoder.encode(self.conversion.run(read, self.codec, &mut converted), &mut self.payloads);
            self.ends.push(self.payloads.len());
        }
        let start = index.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.payloads.get(start..*self.ends.get(index)?)
    }
}

/// Audio is private: shows its shape only.
impl fmt::Debug for Greeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Greeting").field("message", &self.message).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::sine;

    fn greeting(rate: u32) -> Greeting {
        let samples = sine(700.0, rate, usize::try_from(rate).unwrap() + 40, 8_000.0);
        Greeting::new(Message::from_samples(&samples, rate).unwrap())
    }

    fn packets(greeting: &Greeting, codec: Codec) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        loop {
            let mut payload = Vec::new();
            if !greeting.packet(codec, packets.len(), &mut payload) {
                return packets;
            }
            packets.push(payload);
        }
    }

    /// DEC-42
    #[test]
    fn who_hears_it_later_hears_what_was_coded_for_the_first() {
        for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
            let greeting = greeting(16_000);
            let first = packets(&greeting, codec);
            assert_eq!(first.len(), 51, "a second and a bit, the rest of its packet silent");
            assert!(first.iter().all(|packet| packet.len() == 160));
            assert_eq!(packets(&greeting, codec), first);
        }
    }

    #[test]
    fn callers_who_hear_it_at_the_same_time_and_in_two_codecs_hear_the_same() {
        let (alone, shared) = (greeting(16_000), greeting(16_000));
        let (narrow, wide) = (packets(&alone, Codec::Pcma), packets(&alone, Codec::G722));
        for index in 0..51 {
            for (codec, expected) in [(Codec::Pcma, &narrow), (Codec::G722, &wide)] {
                for _ in 0..3 {
                    let mut payload = Vec::new();
                    assert!(shared.packet(codec, index, &mut payload));
                    assert_eq!(payload, expected[index]);
                }
            }
        }
    }

    #[test]
    fn nobody_waits_while_all_before_a_late_place_is_coded() {
        let greeting = greeting(8_000);
        let mut payload = Vec::new();
        assert!(!greeting.packet(Codec::G722, Greeting::AT_ONCE, &mut payload));
        assert!(payload.is_empty());
        assert!(greeting.packet(Codec::G722, Greeting::AT_ONCE - 1, &mut payload));
        assert!(greeting.packet(Codec::G722, Greeting::AT_ONCE, &mut payload));
        assert!(!greeting.packet(Codec::G722, usize::MAX, &mut payload));
    }
}
