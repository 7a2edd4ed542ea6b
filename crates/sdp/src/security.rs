//! Plain or encrypted? The whole table of DEC-30, with SEC-74 and SEC-75.

use crate::{Refusal, Srtp};

/// The profiles of an audio line that we serve (RFC 3551, RFC 3711, RFC 4585, RFC 5124).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// RTP/AVP.
    Avp,
    /// RTP/AVPF: feedback is allowed, and we send none.
    Avpf,
    /// RTP/SAVP.
    Savp,
    /// RTP/SAVPF.
    Savpf,
}

impl Profile {
    const ALL: [Profile; 4] = [Profile::Avp, Profile::Avpf, Profile::Savp, Profile::Savpf];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Profile::Avp => "RTP/AVP",
            Profile::Avpf => "RTP/AVPF",
            Profile::Savp => "RTP/SAVP",
            Profile::Savpf => "RTP/SAVPF",
        }
    }

    pub(crate) fn read(proto: &str) -> Option<Profile> {
        Profile::ALL.into_iter().find(|profile| profile.as_str() == proto)
    }

    const fn is_secure(self) -> bool {
        match self {
            Profile::Avp | Profile::Avpf => false,
            Profile::Savp | Profile::Savpf => true,
        }
    }
}

/// How one offered audio line is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// As plain RTP.
    Plain,
    /// As SRTP, with a key from its `a=crypto` lines, or not at all.
    Keyed,
}

/// What the session around an audio line is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    /// The signalling came over TLS.
    pub(crate) over_tls: bool,
    /// The operator's setting.
    pub(crate) srtp: Srtp,
    /// Audio of this session has been encrypted already.
    pub(crate) encrypted_before: bool,
}

/// Decides how an offered audio line of this profile, with or without `a=crypto`, is served.
pub(crate) fn of_offered(
    profile: Profile,
    has_crypto: bool,
    around: Circumstances,
) -> Result<Security, Refusal> {
    if profile.is_secure() {
        // SEC-75: whoever can read the signalling can read the key.
        if !around.over_tls {
            return Err(Refusal::KeyInClear);
        }
        return match around.srtp {
            Srtp::Off => Err(Refusal::SecuritySetting),
            Srtp::Offered | Srtp::Required => Ok(Security::Keyed),
        };
    }
    // "RTP/AVP with a=crypto: over TLS answered RTP/AVP with crypto and encrypted, over TCP the crypto
    // line is ignored."
    if has_crypto && around.over_tls && around.srtp != Srtp::Off {
        return Ok(Security::Keyed);
    }
    // SEC-74: never from encrypted to plain.
    if around.encrypted_before {
        return Err(Refusal::Downgrade);
    }
    match around.srtp {
        Srtp::Off | Srtp::Offered => Ok(Security::Plain),
        Srtp::Required => Err(Refusal::SecuritySetting),
    }
}

/// Decides how we offer audio ourselves.
pub(crate) fn of_our_offer(around: Circumstances) -> Result<(Profile, Security), Refusal> {
    match (around.srtp, around.over_tls) {
        (Srtp::Required, true) => Ok((Profile::Savp, Security::Keyed)),
        (Srtp::Required, false) => Err(Refusal::SecuritySetting),
        (Srtp::Offered, true) => Ok((Profile::Avp, Security::Keyed)),
        (Srtp::Offered | Srtp::Off, _) if around.encrypted_before => Err(Refusal::Downgrade),
        (Srtp::Offered, false) => Ok((Profile::Avp, Security::Plain)),
        (Srtp::Off, _) => Ok((Profile::Avp, Security::Plain)),
    }
}

/// Decides how an answer to our keyed offer is taken, by whether it carries a key of its own.
pub(crate) fn of_answered(
    profile: Profile,
    has_crypto: bool,
    around: Circumstances,
) -> Result<Security, Refusal> {
    match has_crypto {
        true => Ok(Security::Keyed),
        false if around.encrypted_before => Err(Refusal::Downgrade),
        false if profile.is_secure() => Err(Refusal::NoUsableKey),
        false => Ok(Security::Plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Refusal::{Downgrade, KeyInClear, SecuritySetting};
    use Security::{Keyed, Plain};

    /// DEC-30, PEER-6, PEER-7, SEC-74, SEC-75: every row.
    #[test]
    fn every_combination_of_profile_key_transport_and_setting() {
        type Row = (Srtp, Result<Security, Refusal>, Result<Security, Refusal>, Result<Security, Refusal>);
        //                    AVP plain                AVP with crypto      SAVP
        let over_tls: [Row; 3] = [
            (Srtp::Off, Ok(Plain), Ok(Plain), Err(SecuritySetting)),
            (Srtp::Offered, Ok(Plain), Ok(Keyed), Ok(Keyed)),
            (Srtp::Required, Err(SecuritySetting), Ok(Keyed), Ok(Keyed)),
        ];
        let over_tcp: [Row; 3] = [
            (Srtp::Off, Ok(Plain), Ok(Plain), Err(KeyInClear)),
            (Srtp::Offered, Ok(Plain), Ok(Plain), Err(KeyInClear)),
            (Srtp::Required, Err(SecuritySetting), Err(SecuritySetting), Err(KeyInClear)),
        ];
        for (tls, rows) in [(true, over_tls), (false, over_tcp)] {
            for (srtp, plain, with_crypto, secure) in rows {
                let around = Circumstances { over_tls: tls, srtp, encrypted_before: false };
                let label = format!("{srtp:?} over_tls={tls}");
                for (avp, savp) in [(Profile::Avp, Profile::Savp), (Profile::Avpf, Profile::Savpf)] {
                    assert_eq!(of_offered(avp, false, around), plain, "{label} plain");
                    assert_eq!(of_offered(avp, true, around), with_crypto, "{label} with crypto");
                    assert_eq!(of_offered(savp, true, around), secure, "{label} secure");
                    assert_eq!(of_offered(savp, false, around), secure, "{label} secure");
                }
            }
        }
    }

    /// SEC-74.
    #[test]
    fn an_encrypted_session_is_never_plain_again() {
        for srtp in [Srtp::Offered, Srtp::Required] {
            let around = Circumstances { over_tls: true, srtp, encrypted_before: true };
            assert_eq!(of_offered(Profile::Avp, false, around), Err(Downgrade));
            assert_eq!(of_offered(Profile::Avp, true, around), Ok(Keyed));
            assert_eq!(of_offered(Profile::Savp, true, around), Ok(Keyed));
            assert_eq!(of_answered(Profile::Avp, false, around), Err(Downgrade));
        }
        let switched_off = Circumstances { over_tls: true, srtp: Srtp::Off, encrypted_before: true };
        assert_eq!(of_offered(Profile::Avp, true, switched_off), Err(Downgrade));
        assert_eq!(of_our_offer(switched_off), Err(Downgrade));
    }

    /// DEC-30: "our own offers over TLS are RTP/AVP with crypto; required: RTP/SAVP only".
    #[test]
    fn our_own_offers_follow_the_setting() {
        for (srtp, tls, expected) in [
            (Srtp::Off, true, Ok((Profile::Avp, Plain))),
            (Srtp::Off, false, Ok((Profile::Avp, Plain))),
            (Srtp::Offered, true, Ok((Profile::Avp, Keyed))),
            (Srtp::Offered, false, Ok((Profile::Avp, Plain))),
            (Srtp::Required, true, Ok((Profile::Savp, Keyed))),
            (Srtp::Required, false, Err(SecuritySetting)),
        ] {
            let around = Circumstances { over_tls: tls, srtp, encrypted_before: false };
            assert_eq!(of_our_offer(around), expected, "{srtp:?} over_tls={tls}");
        }
    }

    /// DEC-30: "UDP/TLS/RTP/*: 488".
    #[test]
    fn other_profiles_are_not_served() {
        for proto in ["UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF", "udptl", "TCP/RTP/AVP", "RTP/avp", "RTP", ""] {
            assert_eq!(Profile::read(proto), None, "{proto}");
        }
    }
}
