//! SRTP and SRTCP: RFC 3711 with the keys of RFC 4568, around `rtc-srtp`.
//!
//! That library keeps state for every synchronization source it ever saw, before it knows whether the packet
//! is genuine, and checks for replays only when told to. So: a window is always set, one source has a context
//! that lasts, and any other one is tried in a scratch context that is thrown away unless it authenticates.

use rtc_srtp::context::Context;
use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc_srtp::protection_profile::ProtectionProfile;

use crate::{MasterKey, SrtpKeys, Suite};

/// Packets that may come out of order. RFC 3711 3.3.2: at least 64.
const REPLAY_WINDOW: usize = 128;

/// A packet that was not protected with the key agreed upon, or was heard before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unauthenticated;

/// Both directions of one call.
pub(crate) struct Protection {
    keys: SrtpKeys,
    outbound: Context,
    sound: Option<Source>,
    control: Option<Source>,
}

/// One synchronization source that proved itself.
struct Source {
    ssrc: u32,
    context: Context,
}

impl Protection {
    pub(crate) fn new(keys: SrtpKeys) -> Self {
        let outbound = context(keys.suite, &keys.ours);
        Protection { keys, outbound, sound: None, control: None }
    }

    pub(crate) fn keys(&self) -> &SrtpKeys {
        &self.keys
    }

    /// Protects the RTP packet in `packet`, in place.
    pub(crate) fn protect_sound(&mut self, packet: &mut Vec<u8>) {
        replace(packet, self.outbound.encrypt_rtp(packet).ok().as_deref());
    }

    /// Protects the RTCP packet in `packet`, in place.
    pub(crate) fn protect_control(&mut self, packet: &mut Vec<u8>) {
        replace(packet, self.outbound.encrypt_rtcp(packet).ok().as_deref());
    }

    /// The RTP packet in `bytes`. One that proves to be of another source than before makes that one the source.
    pub(crate) fn unprotect_sound(
        &mut self,
        bytes: &[u8],
    ) -> Result<impl AsRef<[u8]> + use<>, Unauthenticated> {
        let ssrc = ssrc_at(bytes, 8).ok_or(Unauthenticated)?;
        open(&mut self.sound, &self.keys, ssrc, |context| context.decrypt_rtp(bytes).ok())
    }

    /// The RTCP packet in `bytes`.
    pub(crate) fn unprotect_control(
        &mut self,
        bytes: &[u8],
    ) -> Result<impl AsRef<[u8]> + use<>, Unauthenticated> {
        let ssrc = ssrc_at(bytes, 4).ok_or(Unauthenticated)?;
        open(&mut self.control, &self.keys, ssrc, |context| context.decrypt_rtcp(bytes).ok())
    }
}

fn open<P>(
    source: &mut Option<Source>,
    keys: &SrtpKeys,
    ssrc: u32,
    decrypt: impl FnOnce(&mut Context) -> Option<P>,
) -> Result<P, Unauthenticated> {
    if let Some(known) = source.as_mut().filter(|known| known.ssrc == ssrc) {
        return decrypt(&mut known.context).ok_or(Unauthenticated);
    }
    let mut scratch = context(keys.suite, &keys.theirs);
    let packet = decrypt(&mut scratch).ok_or(Unauthenticated)?;
    *source = Some(Source { ssrc, context: scratch });
    Ok(packet)
}

fn ssrc_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|ssrc| u32::from_be_bytes(*ssrc))
}

/// What the library refuses to protect is not sent at all.
fn replace(packet: &mut Vec<u8>, by: Option<&[u8]>) {
    packet.clear();
    packet.extend_from_slice(by.unwrap_or_default());
}

fn context(suite: Suite, key: &MasterKey) -> Context {
    let profile = match suite {
        Suite::AesCm128HmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        Suite::AesCm128HmacSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
    };
    let provider = rtc_srtp::crypto::default_provider().expect("the manifest chooses a provider");
    Context::new(
        key.key(),
        key.salt(),
        profile,
        Some(srtp_replay_protection(REPLAY_WINDOW)),
        Some(srtcp_replay_protection(REPLAY_WINDOW)),
        provider.crypto(),
    )
    .expect("key and salt have the lengths of the suite")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair(suite: Suite) -> (Protection, Protection) {
        let (one, other) = (MasterKey::new([7; 30]), MasterKey::new([8; 30]));
        (
            Protection::new(SrtpKeys { suite, ours: one.clone(), theirs: other.clone() }),
            Protection::new(SrtpKeys { suite, ours: other, theirs: one }),
        )
    }

    fn packet(ssrc: u32, sequence: u16) -> Vec<u8> {
        let mut bytes = vec![0x80, 0];
        bytes.extend_from_slice(&sequence.to_be_bytes());
        bytes.extend_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
        bytes.extend_from_slice(&ssrc.to_be_bytes());
        bytes.extend_from_slice(&[0x55; 160]);
        bytes
    }

    fn report(ssrc: u32) -> Vec<u8> {
        let mut bytes = vec![0x80, 201, 0, 1];
        bytes.extend_from_slice(&ssrc.to_be_bytes());
        bytes
    }

    fn protected(by: &mut Protection, mut packet: Vec<u8>) -> Vec<u8> {
        by.protect_sound(&mut packet);
        packet
    }

    #[test]
    fn a_packet_comes_out_as_it_went_in() {
        // MED-5
        for (suite, tag) in [(Suite::AesCm128HmacSha1_80, 10), (Suite::AesCm128HmacSha1_32, 4)] {
            let (mut us, mut them) = pair(suite);
            for sequence in [65_534, 65_535, 0, 1] {
                let plain = packet(1, sequence);
                let wire = protected(&mut us, plain.clone());
                assert_eq!(wire.len(), plain.len() + tag);
                assert_ne!(&wire[12..172], &plain[12..]);
                assert_eq!(them.unprotect_sound(&wire).unwrap().as_ref(), plain);
            }
            let mut control = report(1);
            us.protect_control(&mut control);
            // RFC 3711 3.4: the index, and the longer tag in either suite.
            assert_eq!(control.len(), 8 + 4 + 10);
            assert_eq!(them.unprotect_control(&control).unwrap().as_ref(), report(1));
        }
    }

    /// The packet with which libsrtp checks itself.
    #[test]
    fn a_packet_of_another_implementation_is_understood() {
        let key = MasterKey::new([
            0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0, 0xd6, 0x4f, 0xa3, 0x2c, 0x06, 0xde, 0x41,
            0x39, // key
            0x0e, 0xc6, 0x75, 0xad, 0x49, 0x8a, 0xfe, 0xeb, 0xb6, 0x96, 0x0b, 0x3a, 0xab, 0xe6, // salt
        ]);
        let plain = [
            0x80, 0x0f, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad, 0xca, 0xfe, 0xba, 0xbe, 0xab, 0xab, 0xab, 0xab,
            0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab,
        ];
        let wire = [
            0x80, 0x0f, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad, 0xca, 0xfe, 0xba, 0xbe, 0x4e, 0x55, 0xdc, 0x4c,
            0xe7, 0x99, 0x78, 0xd8, 0x8c, 0xa4, 0xd2, 0x15, 0x94, 0x9d, 0x24, 0x02, 0xb7, 0x8d, 0x6a, 0xcc,
            0x99, 0xea, 0x17, 0x9b, 0x8d, 0xbb,
        ];
        let suite = Suite::AesCm128HmacSha1_80;
        let mut both = Protection::new(SrtpKeys { suite, ours: key.clone(), theirs: key });
        assert_eq!(protected(&mut both, plain.to_vec()), wire);
        assert_eq!(both.unprotect_sound(&wire).unwrap().as_ref(), plain);
    }

    #[test]
    fn a_changed_repeated_or_short_packet_is_refused_and_the_next_is_not() {
        // SEC-73
        let (mut us, mut them) = pair(Suite::AesCm128HmacSha1_80);
        let first = protected(&mut us, packet(1, 1));
        assert!(them.unprotect_sound(&first).is_ok());
        assert!(them.unprotect_sound(&first).is_err(), "replay");
        let second = protected(&mut us, packet(1, 2));
        for at in 0..second.len() {
            let mut changed = second.clone();
            changed[at] ^= 1;
            assert!(them.unprotect_sound(&changed).is_err(), "byte {at}");
            assert!(them.unprotect_sound(&second[..at]).is_err(), "cut at {at}");
        }
        assert!(them.unprotect_sound(&second).is_ok());
    }

    #[test]
    fn forged_sources_leave_nothing_behind() {
        let (mut us, mut them) = pair(Suite::AesCm128HmacSha1_80);
        assert!(them.unprotect_sound(&protected(&mut us, packet(1, 1))).is_ok());
        for ssrc in 2..200 {
            let mut forged = packet(ssrc, 9);
            forged.extend_from_slice(&[0; 10]);
            assert!(them.unprotect_sound(&forged).is_err());
        }
        assert_eq!(them.sound.as_ref().unwrap().ssrc, 1);
        // The replay window of the genuine source is still there.
        assert!(them.unprotect_sound(&protected(&mut us, packet(1, 2))).is_ok());
    }

    #[test]
    fn a_source_that_authenticates_takes_over() {
        let (mut us, mut them) = pair(Suite::AesCm128HmacSha1_80);
        assert!(them.unprotect_sound(&protected(&mut us, packet(1, 1))).is_ok());
        assert!(them.unprotect_sound(&protected(&mut us, packet(2, 1))).is_ok());
        assert_eq!(them.sound.unwrap().ssrc, 2);
    }

    #[test]
    fn loss_around_the_turn_of_the_sequence_is_survived() {
        let (mut us, mut them) = pair(Suite::AesCm128HmacSha1_32);
        let wire: Vec<Vec<u8>> =
            (0..200_u16).map(|n| protected(&mut us, packet(5, 65_436_u16.wrapping_add(n)))).collect();
        for (n, packet) in wire.iter().enumerate().filter(|(n, _)| n % 7 != 3 && !(95..105).contains(n)) {
            assert!(them.unprotect_sound(packet).is_ok(), "packet {n}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let (_, mut them) = pair(Suite::AesCm128HmacSha1_80);
            let _ = them.unprotect_sound(&bytes).is_ok();
            let _ = them.unprotect_control(&bytes).is_ok();
        }

        #[test]
        fn no_protected_header_makes_it_panic(first in any::<u8>(), rest in proptest::collection::vec(any::<u8>(), 0..80)) {
            let (mut us, mut them) = pair(Suite::AesCm128HmacSha1_80);
            let mut bytes = packet(3, 3);
            bytes[0] = first;
            bytes.truncate(12);
            bytes.extend_from_slice(&rest);
            us.protect_sound(&mut bytes);
            let _ = them.unprotect_sound(&bytes).is_ok();
        }
    }
}
