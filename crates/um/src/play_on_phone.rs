//! Play on Phone ([MS-OCEXUM] 3.2, 3.2.1): the calls that users asked us to place.
//!
//! | module | question it answers |
//! |---|---|
//! | `inquiry` | may it be placed? What the store says of owner, message and whom to call |
//! | `invite` | what does the INVITE look like? |
//! | `standing` | what has been told to whoever asked? |
//!
//! The call itself is a [`Call`](crate::call::Call) like those that come in (`call::outgoing`).

pub(crate) mod inquiry;
pub(crate) mod invite;
pub(crate) mod standing;

use std::collections::BTreeMap;

use umbel_ocexum::Sensitivity;
use umbel_play_on_phone::{Admission, PhoneCallId};
use umbel_sip_message::{AddressOfRecord, HeaderName};
use umbel_store::Address;
use umbel_ua::{CallKey, Invitation};

/// All calls that users asked for and that are under way.
#[derive(Debug, Default)]
pub(crate) struct PhoneCalls {
    pub(crate) admission: Admission,
    keys: BTreeMap<PhoneCallId, CallKey>,
    /// Those whose INVITE has left.
    sent: BTreeMap<CallKey, Sent>,
}

/// What names a call of ours on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) call_id: String,
    pub(crate) from_tag: String,
    pub(crate) party: AddressOfRecord,
}

impl PhoneCalls {
    /// A call is under way by this name.
    pub(crate) fn began(&mut self, id: PhoneCallId, key: CallKey) {
        self.keys.insert(id, key);
    }

    /// Our name for a call that is under way.
    pub(crate) fn key(&self, id: PhoneCallId) -> Option<CallKey> {
        self.keys.get(&id).copied()
    }

    /// The INVITE of a call has left.
    pub(crate) fn sent(&mut self, key: CallKey, sent: Sent) {
        self.sent.insert(key, sent);
    }

    /// A call is over for whoever asked for it.
    pub(crate) fn ended(&mut self, owner: &Address, id: PhoneCallId) {
        self.admission.ended(owner, id);
        self.keys.remove(&id);
    }

    /// Nothing of a call comes back any more.
    pub(crate) fn gone(&mut self, key: CallKey) {
        self.sent.remove(&key);
    }

    /// LOOP-7, SEC-41: whether a call that comes in is one of ours that somebody sent back to us.
    ///
    /// A proxy keeps Call-ID and the tag of From. Somebody who puts a call of his own in its place may not; what
    /// marks it then is that we are calling this very user, and that it has our call's form: From and To alike, and
    /// not to be diverted. Nobody else has a reason to send us that.
    pub(crate) fn has_come_back(&self, invitation: &Invitation) -> bool {
        let headers = invitation.request.headers();
        let (from, to) = (headers.from(), headers.to());
        let from_party = from.uri.address_of_record();
        let undivertable = Sensitivity::read(headers.all(&HeaderName::MsSensitivity))
            .is_ok_and(|sensitivity| !sensitivity.allows_diversion());
        let has_our_form = undivertable && from_party.is_some() && from_party == to.uri.address_of_record();
        self.sent.values().any(|sent| {
            let is_ours = sent.call_id == invitation.call_id && from.tag() == Some(sent.from_tag.as_str());
            is_ours || (has_our_form && from_party.as_ref() == Some(&sent.party))
        })
    }

    /// Whether nothing is under way.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.admission.is_at_rest() && self.keys.is_empty() && self.sent.is_empty()
    }
}
