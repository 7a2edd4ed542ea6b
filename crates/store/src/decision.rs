//! What was decided about a call, and by which rule: what `umbel why` answers from.

use serde::{Deserialize, Serialize};
use umbel_time::UnixTime;

use crate::Address;

/// What a call turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallKind {
    /// Somebody may leave a message.
    CallAnswering,
    /// Call answering that ended without one.
    MissedCall,
    /// The owner at the mailbox.
    SubscriberAccess,
    /// A caller without a mailbox at the pilot number.
    UnauthenticatedPilot,
    /// We called the owner's telephone.
    PlayOnPhone,
    /// One user's call to another, or to anybody, through the protocol server.
    Call,
    /// Refused before it became anything.
    None,
}

impl CallKind {
    const ALL: [CallKind; 7] = [
        CallKind::CallAnswering,
        CallKind::MissedCall,
        CallKind::SubscriberAccess,
        CallKind::UnauthenticatedPilot,
        CallKind::PlayOnPhone,
        CallKind::Call,
        CallKind::None,
    ];

    /// The word in records and outputs.
    pub const fn as_str(self) -> &'static str {
        match self {
            CallKind::CallAnswering => "call-answering",
            CallKind::MissedCall => "missed-call",
            CallKind::SubscriberAccess => "subscriber-access",
            CallKind::UnauthenticatedPilot => "unauthenticated-pilot",
            CallKind::PlayOnPhone => "play-on-phone",
            CallKind::Call => "call",
            CallKind::None => "none",
        }
    }

    /// The kind of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// [MS-OCEXUM] 2.1 allows no other transports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// In clear.
    Tcp,
    /// Encrypted.
    Tls,
}

impl Transport {
    /// The word in records and outputs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        }
    }
}

/// The three words of SEC-32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinOutcome {
    /// The mailbox opened without a PIN.
    Skipped,
    /// The PIN was asked for.
    Prompted,
    /// The call got no mailbox access.
    None,
}

impl PinOutcome {
    /// The word in records and outputs.
    pub const fn as_str(self) -> &'static str {
        match self {
            PinOutcome::Skipped => "skipped",
            PinOutcome::Prompted => "prompted",
            PinOutcome::None => "none",
        }
    }

    /// The outcome of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [PinOutcome::Skipped, PinOutcome::Prompted, PinOutcome::None].into_iter().find(|o| o.as_str() == word)
    }
}

/// Why a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordingEnd {
    /// The caller hung up.
    HungUp,
    /// The caller pressed a key.
    Key,
    /// Nothing was said for too long.
    Silence,
    /// The longest message was reached (REL-10).
    Limit,
    /// No more packets came (DEC-31).
    MediaLost,
    /// The server is stopping (REL-23).
    Stopping,
    /// Nothing that was worth keeping.
    TooShort,
    /// The caller gave it up.
    Discarded,
}

/// One question about a call, for picking records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Which kind of call, whose mailbox.
    Who,
    /// Whether the transport is trusted.
    Trust,
    /// Whether the PIN is asked for.
    Pin,
    /// Who diverted the call, and whether that is believed.
    Diversion,
    /// What became of the recording.
    Recording,
    /// Why the call was refused.
    Refusal,
    /// Whom the call rang, and where it went.
    Routing,
}

impl Topic {
    /// The word in records and outputs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Topic::Who => "who",
            Topic::Trust => "trust",
            Topic::Pin => "pin",
            Topic::Diversion => "diversion",
            Topic::Recording => "recording",
            Topic::Refusal => "refusal",
            Topic::Routing => "routing",
        }
    }
}

/// One step of a call's way through the protocol server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// The callee's telephones were to be rung.
    Ring {
        /// Whether it may go elsewhere if nobody answers.
        may_be_diverted: bool,
    },
    /// These were rung.
    Rang {
        /// Whose: an address.
        whom: String,
        /// How many.
        telephones: u8,
    },
    /// It was passed on to a server, a gateway or an address elsewhere.
    Sent(String),
    /// It went away from the callee: to voice mail, a number or an address.
    Diverted(String),
    /// A telephone wanted to push it elsewhere, and the call must not be diverted.
    NotDeflected,
    /// The caller was told what somebody answered: this status code.
    Answered(u16),
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ruling {
    /// Which kind of call.
    Who(CallKind),
    /// Whether the transport is trusted (2.2 of the threats).
    Trust(bool),
    /// Whether the PIN is asked for (2.3 of the threats).
    Pin(PinOutcome),
    /// The diverting party that was believed, if any.
    Diversion(Option<String>),
    /// Why the recording ended.
    Recording(RecordingEnd),
    /// The call was refused with this status code.
    Refusal(u16),
    /// A step of the call's way.
    Routing(Routing),
}

impl Ruling {
    /// The question it answers.
    pub const fn topic(&self) -> Topic {
        match self {
            Ruling::Who(_) => Topic::Who,
            Ruling::Trust(_) => Topic::Trust,
            Ruling::Pin(_) => Topic::Pin,
            Ruling::Diversion(_) => Topic::Diversion,
            Ruling::Recording(_) => Topic::Recording,
            Ruling::Refusal(_) => Topic::Refusal,
            Ruling::Routing(_) => Topic::Routing,
        }
    }
}

/// One decision about one call (CMD-10, SEC-32).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The call.
    pub call_id: String,
    /// When.
    pub at: UnixTime,
    /// The mailbox, where there is one.
    pub mailbox: Option<Address>,
    /// How the request came.
    pub transport: Transport,
    /// The name in the peer's certificate, or nothing.
    pub peer: Option<String>,
    /// Whether an `Ms-Exchange-Command` header was there.
    pub command_seen: bool,
    /// What was decided.
    pub ruling: Ruling,
    /// The rule that decided: of several that failed, the first.
    pub rule: String,
}
