//! Which call an INVITE is to take the place of: RFC 3891.

use std::collections::VecDeque;

use umbel_sip_message::{HeaderName, Method, Replaces, Request};

use super::Agent;
use crate::CallKey;
use crate::call::Call;
use crate::dialog::Dialog;
use crate::refusal::Refusal;
use crate::tag::LocalTag;

/// Calls that are over and still known by name, so that whoever comes too late hears 603 and not 481. With one
/// more, the oldest is forgotten.
pub const CALLS_OVER_MAX: usize = 16;

/// Calls that are over, the last one at the end.
#[derive(Default)]
pub(super) struct Over(VecDeque<(LocalTag, Dialog)>);

impl Agent {
    /// RFC 3891 3. None where the INVITE replaces nothing.
    pub(super) fn replaced(&self, invite: &Request) -> Result<Option<CallKey>, Refusal> {
        let headers = invite.headers();
        let (replaces, joins) = (headers.has(&HeaderName::Replaces), headers.has(&HeaderName::Join));
        // SEC-23: nobody takes over a call where that is not wanted, and nobody listens in.
        let served = self.shared.config.replaces;
        match (replaces, joins) {
            (false, false) => return Ok(None),
            // "the UA MUST reject the request with a 400 response": Join beside Replaces.
            (true, true) if served => return Err(Refusal::BadReplaces),
            (true, false) if served => {}
            _ => return Err(Refusal::Replaces),
        }
        // "or if more than one Replaces header field … is present".
        let replaces = headers.replaces().ok().flatten().ok_or(Refusal::BadReplaces)?;
        let tag = LocalTag::parse(replaces.to_tag).ok_or(Refusal::NoDialog)?;
        let Some(key) = self.shared.by_tag.get(&tag).copied() else {
            return Err(if self.over.has(tag, &replaces) {
                Refusal::ReplacesOver
            } else {
                Refusal::NoDialog
            });
        };
        let call = self.calls.get(&key).ok_or(Refusal::NoDialog)?;
        call.may_be_replaced(&replaces).map(|()| Some(key))
    }

    pub(super) fn replaces_without_invite(&self, request: &Request) -> bool {
        let served = self.shared.config.replaces && *request.method() != Method::Invite;
        served && request.headers().has(&HeaderName::Replaces)
    }

    /// A call is over.
    pub(super) fn remember_over(&mut self, call: &Call) {
        if let Some(dialog) = call.dialog().filter(|_| self.shared.config.replaces) {
            self.over.0.push_back((call.local_tag(), dialog.clone()));
            if self.over.0.len() > CALLS_OVER_MAX {
                self.over.0.pop_front();
            }
        }
    }
}

impl Over {
    fn has(&self, tag: LocalTag, replaces: &Replaces<'_>) -> bool {
        self.0.iter().any(|(ours, dialog)| *ours == tag && dialog.is_named_by(replaces))
    }
}
