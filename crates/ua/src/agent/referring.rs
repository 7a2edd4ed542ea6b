//! Calls that the peer sends elsewhere: RFC 3515. A REFER is handed up; what came of it is told within the call, and
//! where the call is over, within the dialog that it leaves behind (RFC 5057 4).

use bytes::Bytes;
use umbel_node::FlowId;
use umbel_sip_endpoint::ServerTransaction;
use umbel_sip_message::Request;
use umbel_time::Instant;

use super::Agent;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::{CallKey, Event, ExtraHeaders};

/// Calls that are over, whose peer is still to be told what came of a REFER. With one more, one
/// of them is told nothing any more.
pub const REFERRALS_MAX: usize = 16;

impl Agent {
    pub(super) fn referred(
        &mut self,
        transaction: ServerTransaction,
        flow: FlowId,
        call: CallKey,
        request: &Request,
    ) -> Result<(), Refusal> {
        let (key, received) = self.await_answer(transaction, flow, request)?;
        self.shared.tell(Event::Referred { call, key, received });
        Ok(())
    }

    /// [`crate::Command::Notify`]
    pub(super) fn notify(
        &mut self,
        now: Instant,
        key: CallKey,
        last: bool,
        headers: &ExtraHeaders,
        body: (String, Bytes),
    ) {
        if let Some(call) = self.calls.get_mut(&key).or_else(|| self.referring.get_mut(&key)) {
            call.notify(now, &mut self.shared, last, headers, body);
        }
        if last {
            self.referring.remove(&key);
        }
    }

    /// A call is over; its dialog is kept where the peer waits to hear of a REFER.
    pub(super) fn remember_referral(&mut self, key: CallKey, call: Call) {
        if call.is_referred() {
            self.referring.insert(key, call);
            if self.referring.len() > REFERRALS_MAX {
                self.referring.pop_first();
            }
        }
    }

    /// The call whose NOTIFY is to be sent again.
    pub(super) fn notifying(&mut self, key: CallKey) -> Option<&mut Call> {
        self.calls.get_mut(&key).or_else(|| self.referring.get_mut(&key))
    }
}
