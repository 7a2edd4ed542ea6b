//! Why a description cannot be served, and what the peer is told.

/// Why an offer or an answer cannot be served. The session stays as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The octets are no session description at all.
    #[error("Not a session description")]
    NotSdp,
    /// It begins like one and cannot be read.
    #[error("Session description cannot be read")]
    Unreadable,
    /// More media lines than [`crate::MEDIA_LINES_MAX`].
    #[error("Too many media lines")]
    TooManyMediaLines,
    /// No audio line.
    #[error("No audio")]
    NoAudio,
    /// The audio line has no connection data.
    #[error("No connection data")]
    NoConnection,
    /// The network type is not `IN`.
    #[error("Incompatible network protocol")]
    NetworkType,
    /// IPv4 where we have only IPv6, or the other way round.
    #[error("Incompatible network address formats")]
    AddressFamily,
    /// A profile that we do not serve, `UDP/TLS/RTP/SAVP` among them.
    #[error("Incompatible transport protocol")]
    Profile,
    /// The list of formats has something in it that is no payload type.
    #[error("Bad list of formats")]
    Formats,
    /// No codec that we have.
    #[error("Incompatible media format")]
    NoCommonCodec,
    /// Plain where we require encryption, or encrypted where we have it switched off.
    #[error("Incompatible security setting")]
    SecuritySetting,
    /// Keys for RTP/SAVP over a connection that everybody can read.
    #[error("Keys are accepted over TLS only")]
    KeyInClear,
    /// RTP/SAVP without a key, or with none that we can use.
    #[error("No usable key")]
    NoUsableKey,
    /// Plain audio for a session that is encrypted.
    #[error("An encrypted session stays encrypted")]
    Downgrade,
    /// An answer that does not fit our offer.
    #[error("Answer does not match the offer")]
    AnswerMismatch,
}

impl Refusal {
    /// The status of the response to the request that carried the offer.
    pub const fn status(self) -> u16 {
        match self {
            Refusal::NotSdp => 400,
            Refusal::Unreadable
            | Refusal::TooManyMediaLines
            | Refusal::NoAudio
            | Refusal::NoConnection
            | Refusal::NetworkType
            | Refusal::AddressFamily
            | Refusal::Profile
            | Refusal::Formats
            | Refusal::NoCommonCodec
            | Refusal::SecuritySetting
            | Refusal::KeyInClear
            | Refusal::NoUsableKey
            | Refusal::Downgrade
            | Refusal::AnswerMismatch => 488,
        }
    }

    /// The code of the Warning header beside it (RFC 3261 20.43); its text is the refusal's `Display`.
    pub const fn warning(self) -> u16 {
        match self {
            Refusal::NetworkType => 300,
            Refusal::AddressFamily => 301,
            Refusal::Profile => 302,
            Refusal::NoAudio => 304,
            Refusal::NoCommonCodec | Refusal::Formats => 305,
            Refusal::NotSdp
            | Refusal::Unreadable
            | Refusal::TooManyMediaLines
            | Refusal::NoConnection
            | Refusal::SecuritySetting
            | Refusal::KeyInClear
            | Refusal::NoUsableKey
            | Refusal::Downgrade
            | Refusal::AnswerMismatch => 399,
        }
    }
}
