//! ITU-T G.711: both laws, byte for byte.

use std::sync::LazyLock;

use audio_codec_algorithms::{
    convert_alaw_to_ulaw, convert_ulaw_to_alaw, decode_alaw, decode_ulaw, encode_alaw, encode_ulaw,
};

/// Which of the two laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Law {
    Mu,
    A,
}

impl Law {
    /// The byte for no sound at all.
    pub(crate) const fn silence(self) -> u8 {
        match self {
            Law::Mu => 0xff,
            Law::A => 0xd5,
        }
    }

    pub(crate) fn decode(self, byte: u8) -> i16 {
        match self {
            Law::Mu => decode_ulaw(byte),
            Law::A => decode_alaw(byte),
        }
    }

    pub(crate) fn encode(self, sample: i16) -> u8 {
        match self {
            Law::Mu => encode_ulaw(sample),
            Law::A => encode_alaw(sample),
        }
    }

    /// `byte`, which is of this law, in the other one: G.711 tables 3 and 4.
    pub(crate) fn to(self, other: Law, byte: u8) -> u8 {
        match (self, other) {
            (Law::Mu, Law::A) => convert_ulaw_to_alaw(byte),
            (Law::A, Law::Mu) => convert_alaw_to_ulaw(byte),
            (Law::Mu, Law::Mu) | (Law::A, Law::A) => byte,
        }
    }

    /// The mean of the squares of these samples.
    pub(crate) fn energy(self, bytes: &[u8]) -> u32 {
        let squares = match self {
            Law::Mu => &*MU_SQUARES,
            Law::A => &*A_SQUARES,
        };
        let sum: u64 = bytes.iter().map(|byte| u64::from(squares[usize::from(*byte)])).sum();
        u32::try_from(sum / (bytes.len().max(1) as u64)).unwrap_or(u32::MAX)
    }
}

static MU_SQUARES: LazyLock<[u32; 256]> = LazyLock::new(|| squares(Law::Mu));
static A_SQUARES: LazyLock<[u32; 256]> = LazyLock::new(|| squares(Law::A));

fn squares(law: Law) -> [u32; 256] {
    let mut squares = [0; 256];
    for (byte, square) in (0_u8..=255).zip(&mut squares) {
        *square = u32::from(law.decode(byte).unsigned_abs()).pow(2);
    }
    squares
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G.711 with mu = 255, by its formula: segments of sixteen steps, each segment twice as wide.
    fn mu_law_by_formula(byte: u8) -> i16 {
        let inverted = !byte;
        let exponent = (inverted >> 4) & 7;
        let mantissa = i16::from(inverted & 15);
        let magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84;
        if inverted & 0x80 == 0 { magnitude } else { -magnitude }
    }

    fn a_law_by_formula(byte: u8) -> i16 {
        let toggled = byte ^ 0x55;
        let exponent = (toggled >> 4) & 7;
        let mantissa = i16::from(toggled & 15) << 4;
        let magnitude = if exponent == 0 { mantissa + 8 } else { (mantissa + 0x108) << (exponent - 1) };
        if toggled & 0x80 == 0 { -magnitude } else { magnitude }
    }

    #[test]
    fn both_tables_are_those_of_the_recommendation() {
        for byte in 0..=255 {
            assert_eq!(Law::Mu.decode(byte), mu_law_by_formula(byte), "mu {byte:#x}");
            assert_eq!(Law::A.decode(byte), a_law_by_formula(byte), "A {byte:#x}");
        }
    }

    #[test]
    fn coding_a_decoded_byte_gives_a_byte_of_the_same_value() {
        for law in [Law::Mu, Law::A] {
            for byte in 0..=255 {
                assert_eq!(law.decode(law.encode(law.decode(byte))), law.decode(byte), "{law:?} {byte:#x}");
            }
        }
    }

    #[test]
    fn silence_is_silent_in_both_and_stays_so_across() {
        assert_eq!(Law::Mu.energy(&[Law::Mu.silence(); 160]), 0);
        assert!(Law::A.energy(&[Law::A.silence(); 160]) <= 64);
        // The smallest step of the A-law is eight.
        assert!(Law::A.decode(Law::Mu.to(Law::A, Law::Mu.silence())).abs() <= 8);
        assert!(Law::Mu.decode(Law::A.to(Law::Mu, Law::A.silence())).abs() <= 8);
    }
}
