//! Playing faster or slower at the same pitch: waveform similarity overlap-add (WSOLA).
//!
//! Each packet fades from what would follow the last one by itself into the piece near the wanted place
//! that resembles it most.

use crate::Message;

/// The longest packet: 20 ms at 16000 samples a second.
const PACKET_MAX: usize = 320;
/// How far from the wanted place a piece may be taken, as a part of a second: 8 ms, a turn of a low voice.
const REACH: usize = 125;

/// Where the last piece was taken.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tempo {
    last: Option<i64>,
}

impl Tempo {
    /// Fills a packet with sound from near `wanted`.
    pub(crate) fn fill(&mut self, message: &Message, wanted: i64, packet: &mut [i16]) {
        let length = packet.len().min(PACKET_MAX);
        let packet = &mut packet[..length];
        let Some(last) = self.last else {
            message.read(wanted, packet);
            self.last = Some(wanted);
            return;
        };
        let mut natural = [0; PACKET_MAX];
        let natural = &mut natural[..length];
        let step = i64::try_from(length).unwrap_or(0);
        message.read(last + step, natural);

        let reach = usize::try_from(message.rate()).unwrap_or(0) / REACH;
        let mut around = [0; PACKET_MAX + 2 * 128];
        let around = &mut around[..length + 2 * reach.min(128)];
        let first = wanted - i64::try_from(reach.min(128)).unwrap_or(0);
        message.read(first, around);

        let offset = most_alike(natural, around);
        let chosen = &around[offset..offset + length];
        for (at, ((to, from), sample)) in (0..).zip(natural.iter().zip(chosen).zip(packet.iter_mut())) {
            *sample = faded(*to, *from, at, length);
        }
        self.last = Some(first + i64::try_from(offset).unwrap_or(0));
    }

    /// Forgets what came before: the place was changed.
    pub(crate) fn reset(&mut self) {
        self.last = None;
    }
}

/// Where in `around` the piece begins that is most like `natural`.
fn most_alike(natural: &[i16], around: &[i16]) -> usize {
    let mut best = (f32::MIN, 0);
    for (offset, piece) in around.windows(natural.len()).enumerate().step_by(2) {
        let mut product = 0.0_f32;
        let mut energy = 1.0_f32;
        // Every other sample is enough to compare by.
        for (a, b) in natural.iter().zip(piece).step_by(2) {
            let (a, b) = (f32::from(*a), f32::from(*b));
            product += a * b;
            energy += b * b;
        }
        let likeness = product / energy.sqrt();
        if likeness > best.0 {
            best = (likeness, offset);
        }
    }
    best.1
}

/// From `a` at the beginning to `b` at the end.
fn faded(a: i16, b: i16, at: usize, length: usize) -> i16 {
    let (at, length) = (i32::try_from(at).unwrap_or(0), i32::try_from(length.max(1)).unwrap_or(1));
    let sample = (i32::from(a) * (length - at) + i32::from(b) * at) / length;
    i16::try_from(sample).unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_precision_loss)]
mod tests {
    use super::*;
    use crate::testing::{rms, sine};

    /// How often the wave crosses zero upward, a second.
    fn pitch(samples: &[i16], rate: f64) -> f64 {
        let turns = samples.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
        turns as f64 * rate / samples.len() as f64
    }

    #[test]
    fn pitch_and_loudness_stay_while_speed_changes() {
        for rate in [8_000_u32, 16_000] {
            let second = rate as usize;
            let message = Message::from_samples(&sine(233.0, rate, 4 * second, 8_000.0), rate).unwrap();
            for percent in [50, 75, 125, 150, 200] {
                let mut tempo = Tempo::default();
                let mut heard = Vec::new();
                let length = second / 50;
                for packet in 0..80 {
                    let mut samples = vec![0; length];
                    tempo.fill(&message, packet * length as i64 * percent / 100, &mut samples);
                    heard.extend_from_slice(&samples);
                }
                let (pitch, loud) = (pitch(&heard, f64::from(rate)), rms(&heard));
                assert!((pitch - 233.0).abs() < 8.0, "{rate} at {percent}: {pitch} Hz");
                assert!((loud - 5_657.0).abs() < 600.0, "{rate} at {percent}: {loud}");
            }
        }
    }

    #[test]
    fn the_ends_of_a_message_are_no_trouble() {
        let message = Message::from_samples(&[500; 100], 8_000).unwrap();
        let mut tempo = Tempo::default();
        for wanted in [0, 90, 100, 5_000, -5_000] {
            tempo.fill(&message, wanted, &mut [0; 160]);
        }
    }
}
