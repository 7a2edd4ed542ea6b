//! What a user wants done with calls: the preamble of [MS-SIPRE] 2.2.9 as plain rules.
//!
//! [`Rules`] is one user's wish after merging. It comes from [`words`], which people write and the store
//! keeps, or from [`Preamble`]s, each the [`document`] of one telephone. What follows from it for one
//! call is [`crate::forwarding::plan`]; what people should know of it say [`describe`] and [`remarks`].

mod description;
pub mod document;
mod preamble;
mod remarks;
pub mod words;
mod work_hours;

use std::collections::BTreeSet;
use std::time::Duration;

use umbel_sip_message::{AddressOfRecord, Uri};

pub use description::describe;
pub use preamble::{LeftOut, Merged, Preamble, Violation, merge};
pub use remarks::{Remark, remarks};
pub use work_hours::{LocalTime, Span, WorkHours};

/// Targets of one list that are looked at; the rest is ignored. No call has more branches.
pub const TARGETS_MAX: usize = 10;
/// SIPRE-9: longer waits are this long.
pub const WAIT_MAX: Duration = Duration::from_secs(1_200);
/// Wait `total` where there is none: the registered endpoints timer.
pub const TOTAL_DEFAULT: Duration = Duration::from_secs(20);
/// Wait `user` where there is none: the primary user timer.
pub const USER_DEFAULT: Duration = Duration::from_secs(10);
/// Wait `team2` where there is none: the secondary target timer.
pub const TEAM2_DEFAULT: Duration = Duration::from_secs(20);
/// [MS-SIPRE] 3.9.2: the call forwarding timer (SIPRE-23).
pub const CALL_FORWARDING: Duration = Duration::from_secs(60);

/// One user's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What is on.
    pub flags: BTreeSet<Flag>,
    /// `forwardto`.
    pub forward_to: Option<Uri>,
    /// `simultaneous_ring`.
    pub ring_also: Option<Uri>,
    /// `team`.
    pub team: Vec<Uri>,
    /// `delegates`.
    pub delegates: Vec<Uri>,
    /// `breakthrough`.
    pub breakthrough: Vec<Uri>,
    /// `total`, where set.
    pub total: Option<Duration>,
    /// `user`, where set.
    pub user: Option<Duration>,
    /// `team2`, where set.
    pub team2: Option<Duration>,
    /// Whether the mailbox may take calls that nobody answers. Not in the document, where it follows
    /// from having one.
    pub voice_mail: bool,
    /// Presence, as far as calls go.
    pub do_not_disturb: bool,
    /// When [`Flag::WorkHours`] lets the rules apply.
    pub work_hours: WorkHours,
}

impl Default for Rules {
    /// Ring the endpoints, then voice mail.
    fn default() -> Self {
        Rules {
            flags: BTreeSet::new(),
            forward_to: None,
            ring_also: None,
            team: Vec::new(),
            delegates: Vec::new(),
            breakthrough: Vec::new(),
            total: None,
            user: None,
            team2: None,
            voice_mail: true,
            do_not_disturb: false,
            work_hours: WorkHours::default(),
        }
    }
}

impl Rules {
    /// Whether a flag is on.
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }

    /// The same rules without the flags that lack the list or target they are about, and so do nothing.
    pub fn without_idle_flags(mut self) -> Self {
        for (flag, is_idle) in [
            (Flag::EnableCallForwarding, self.forward_to.is_none()),
            (Flag::SimultaneousRing, self.ring_also.is_none()),
            (Flag::TeamRing, self.team.is_empty()),
            (Flag::DelegateRing, self.delegates.is_empty()),
        ] {
            if is_idle {
                self.flags.remove(&flag);
            }
        }
        self
    }

    fn set(&mut self, flag: Flag, on: bool) {
        if on {
            self.flags.insert(flag);
        } else {
            self.flags.remove(&flag);
        }
    }
}

/// Whether an identity is in a list.
pub fn lists(list: &[Uri], identity: &AddressOfRecord) -> bool {
    list.iter().any(|target| target.address_of_record().as_ref() == Some(identity))
}

/// 7.2 of the digest of [MS-SIPRE]: the flags of `clientflags` (SIPRE-7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// Every call to the user fails.
    Block,
    /// The rules apply within working hours only.
    WorkHours,
    /// Forward at once: to `forwardto` with [`Flag::EnableCallForwarding`], else to voice mail.
    ForwardImmediate,
    /// Ring the second device together with the endpoints.
    SimultaneousRing,
    /// What is not answered goes to `forwardto` instead of voice mail.
    EnableCallForwarding,
    /// Ring the delegates.
    DelegateRing,
    /// Ring the team; takes precedence over delegates.
    TeamRing,
    /// Do not ring the user's endpoints and second device.
    SkipPrimary,
    /// The rules apply to audio app-invites too.
    ForwardAudioAppInvites,
    /// Emergency call-back: endpoints only.
    E911Active,
}

impl Flag {
    /// All of them.
    pub const ALL: [Flag; 10] = [
        Flag::Block,
        Flag::WorkHours,
        Flag::ForwardImmediate,
        Flag::SimultaneousRing,
        Flag::EnableCallForwarding,
        Flag::DelegateRing,
        Flag::TeamRing,
        Flag::SkipPrimary,
        Flag::ForwardAudioAppInvites,
        Flag::E911Active,
    ];

    /// The word of the document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Flag::Block => "block",
            Flag::WorkHours => "work_hours",
            Flag::ForwardImmediate => "forward_immediate",
            Flag::SimultaneousRing => "simultaneous_ring",
            Flag::EnableCallForwarding => "enablecf",
            Flag::DelegateRing => "delegate_ring",
            Flag::TeamRing => "team_ring",
            Flag::SkipPrimary => "skip_primary",
            Flag::ForwardAudioAppInvites => "forward_audio_app_invites",
            Flag::E911Active => "e911active",
        }
    }

    /// The flag of this word; others are ignored (SIPRE-7).
    pub fn from_word(word: &str) -> Option<Self> {
        Flag::ALL.into_iter().find(|flag| flag.as_str() == word)
    }
}
