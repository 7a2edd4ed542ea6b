//! Somebody takes the place of a call's other side: RFC 3891, the second half of an attended transfer (RFC 5589 7).

use umbel_node::{Flow, Origin};
use umbel_sip_message::StatusCode;
use umbel_time::Instant;
use umbel_ua::CallKey;

use super::Telephone;
use crate::call::Stage;
use crate::incoming::Kind;
use crate::order::Progress;

impl Telephone {
    /// Whether a call of this kind, that came along this flow, may take the place of that one.
    ///
    /// RFC 3891 8 leaves open how that is shown. The names of a dialog are known to its two sides and the servers
    /// between them alone, our tag has 64 bits of chance, and our own server is the only one who can bring such a
    /// call: what comes along a connection that we did not open is believed nothing.
    pub(super) fn may_replace(&self, kind: Kind, flow: &Flow, old: CallKey) -> Result<(), StatusCode> {
        if flow.origin != Origin::Opened {
            return Err(StatusCode::FORBIDDEN);
        }
        let call = self.calls.get(&old).ok_or(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST)?;
        let old_kind = call.incoming.as_ref().map_or(Kind::Call, |incoming| incoming.kind);
        // SEC-42: the owner's voice mail takes nobody's place, and nobody takes its.
        if kind == Kind::PlayOnPhone || old_kind == Kind::PlayOnPhone {
            return Err(StatusCode::DECLINE);
        }
        // RFC 3891 3: who has hung up meanwhile "SHOULD decline".
        if matches!(call.stage, Stage::Ending) {
            return Err(StatusCode::DECLINE);
        }
        // One change at a time, as with transfers.
        let replaced = self.calls.values().any(|call| call.replaces == Some(old));
        if replaced || self.successor(old).is_some() { Err(StatusCode::REQUEST_PENDING) } else { Ok(()) }
    }

    /// RFC 3891 3: "accepts the new INVITE by sending a 200-class response, and shuts down the replaced dialog by
    /// sending a BYE", or a CANCEL where it was not answered yet. Nobody is asked: the owner is in this call already.
    pub(super) fn take_over(&mut self, now: Instant, key: CallKey, old: CallKey) {
        let goes_on = self.calls.get(&old).is_some_and(|call| !matches!(call.stage, Stage::Ending));
        if !goes_on {
            // The owner has hung up while our sockets were being bound, and talks to nobody any more.
            return self.refuse_with(now, key, StatusCode::DECLINE, Vec::new());
        }
        let by = self.calls.get(&key).and_then(|call| call.incoming.clone());
        if let Some(by) = by {
            self.tell(old, Progress::Replaced { by, call: key });
        }
        self.answer(now, key);
        self.hang_up(now, old, None);
    }
}
