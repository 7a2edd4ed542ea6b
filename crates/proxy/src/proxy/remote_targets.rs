//! Remote targets that have changed since their dialog began (RFC 3261 12.2.1.2, 12.2.2).
//!
//! Where a dialog began is in its Record-Route, which never changes. A gateway that moves a call to
//! another of its machines says so in a Contact, and from then on is to be reached there (SEC-52). Only that
//! is kept, and only of dialogs in which it was said and confirmed.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use umbel_sip_message::Method;
use umbel_time::{Instant, Timers};

use crate::record_route::{Place, Side};

/// Sides of dialogs that are kept. At one more, the one that nothing was sent to for longest goes: it is
/// reached where its dialog began.
const TARGETS_MAX: usize = 20_000;
/// A dialog that nothing is heard of for longer has most likely ended.
const TARGET_LIFE: Duration = Duration::from_secs(12 * 3_600);

/// A side of a dialog, by a hash of what names it.
type Name = u64;

/// What names a dialog: its Call-ID, and the tags of its caller and its callee.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct DialogId<'a> {
    pub(super) call_id: &'a str,
    pub(super) caller: Option<&'a str>,
    pub(super) callee: Option<&'a str>,
}

impl DialogId<'_> {
    fn side(self, side: Side) -> Name {
        let mut hasher = DefaultHasher::new();
        (self, side).hash(&mut hasher);
        hasher.finish()
    }
}

/// Where the sides of dialogs have gone.
#[derive(Debug, Default)]
pub(super) struct RemoteTargets {
    places: BTreeMap<Name, Place>,
    until: Timers<Name>,
}

impl RemoteTargets {
    /// That side has said that it is reached there now, and was heard.
    pub(super) fn refreshed(&mut self, now: Instant, dialog: DialogId<'_>, side: Side, place: Place) {
        while let Some(name) = self.until.expired(now) {
            self.places.remove(&name);
        }
        let name = dialog.side(side);
        self.places.insert(name, place);
        self.until.arm(name, now + TARGET_LIFE);
        if self.places.len() > TARGETS_MAX
            && let Some(oldest) = self.until.expired(Instant::FAR_FUTURE)
        {
            self.places.remove(&oldest);
        }
    }

    /// Whether that side has said so.
    pub(super) fn is_at(&mut self, now: Instant, dialog: DialogId<'_>, side: Side, place: Place) -> bool {
        let name = dialog.side(side);
        let is_there = self.places.get(&name) == Some(&place);
        if is_there {
            self.until.arm(name, now + TARGET_LIFE);
        }
        is_there
    }

    pub(super) fn ended(&mut self, dialog: DialogId<'_>) {
        for side in [Side::Caller, Side::Callee] {
            let name = dialog.side(side);
            self.until.disarm(&name);
            self.places.remove(&name);
        }
    }
}

/// RFC 3261 12.2, RFC 3311, RFC 6665: the requests whose Contact, and that of their success, says where a
/// side is reached.
pub(super) fn refreshes_target(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Update | Method::Subscribe | Method::Notify | Method::Refer)
}
