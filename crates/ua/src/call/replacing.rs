//! Whether somebody may take the place of a call's other side: RFC 3891 3.

use umbel_sip_message::Replaces;

use super::{Call, Role};
use crate::refusal::Refusal;

impl Call {
    /// What RFC 3891 3 says to an INVITE with this Replaces, whose to-tag is ours. Who may send it is asked above.
    pub(crate) fn may_be_replaced(&self, replaces: &Replaces<'_>) -> Result<(), Refusal> {
        match &self.role {
            Role::Placing(placing) if !placing.is_confirmed() => match self.is_calling() {
                // "an early dialog that was initiated by the UA"
                true if placing.has_early_dialog(replaces) => Ok(()),
                true => Err(Refusal::NoDialog),
                false => Err(Refusal::ReplacesOver),
            },
            _ if !self.dialog().is_some_and(|dialog| dialog.is_named_by(replaces)) => Err(Refusal::NoDialog),
            // "If the Replaces header field matches an early dialog that was not initiated by this UA, it returns a
            // 481 (Call/Transaction Does Not Exist) response".
            Role::Answering(incoming) if !incoming.is_accepted() => Err(Refusal::NoDialog),
            Role::Answering(incoming) if !incoming.is_wanted() => Err(Refusal::ReplacesOver),
            // "If the flag is present, the UA rejects the request with a 486 Busy response."
            Role::Answering(_) | Role::Placing(_) if replaces.early_only => Err(Refusal::ReplacesEarlyOnly),
            Role::Answering(_) | Role::Placing(_) => Ok(()),
        }
    }
}
