//! A call that we place, and that is to be found elsewhere: RFC 3261 8.1.3.4, 21.3.

use umbel_sdp::Direction;
use umbel_sip_message::{HeaderName, Method, Scheme, Uri};
use umbel_time::Instant;
use umbel_ua::{CallKey, Command, Refused};

use super::Telephone;
use crate::call::{Call, Stage};
use crate::order::Progress;

/// So often one call is redirected. The next redirection ends it, as a refusal does.
pub const REDIRECTIONS_MAX: usize = 5;

impl Telephone {
    /// Calls where the response points, under the same name. False: it points nowhere that we go.
    ///
    /// It goes along our own server as every call does, and within the time that the first one was given. Whoever does
    /// not want to be sent on by others (`Config::transfers`) is not sent on by this, either.
    pub(super) fn redirect(&mut self, now: Instant, key: CallKey, refused: &Refused) -> bool {
        let Some(call) = self.calls.get_mut(&key).filter(|_| self.config.transfers) else { return false };
        let Some(to) = next(call, refused) else { return false };
        let Some(mut outgoing) = call.dialled.clone() else { return false };
        let Ok(offer) = call.offer(Direction::SendRecv, &mut self.rng) else { return false };
        // OCEXUM-3.1.1-2: whoever is called now is not the mailbox that we asked to skip the PIN of.
        outgoing.headers.retain(|(name, _)| *name != HeaderName::MsExchangeCommand);
        // RFC 3261 8.1.3.4: To stays as it was.
        (outgoing.target, outgoing.offer) = (to.clone(), offer);
        call.redirected.push(to.clone());
        call.progress = None;
        outgoing.way = self.way();
        self.tell(key, Progress::Redirected { status: refused.status, to });
        self.agent.command(now, Command::Invite { call: key, outgoing });
        self.has_call_id(key);
        true
    }

    /// The INVITE of a call is on its way: this is its name.
    pub(super) fn has_call_id(&mut self, key: CallKey) {
        let call_id = self.agent.call_id(key).unwrap_or_default().to_owned();
        if let Some(call) = self.calls.get_mut(&key) {
            call.call_id = call_id;
        }
    }
}

/// The first address that can be called and was not called yet.
fn next(call: &Call, refused: &Refused) -> Option<Uri> {
    // RFC 3261 21.3: 305 names a proxy to use, and 380 another service. 303 is [`crate::Redirection::SeeOther`].
    let is_followed = matches!(refused.status.as_u16(), 300..=303);
    let goes_on = matches!(call.stage, Stage::Calling) && call.because.is_none();
    if !is_followed || !goes_on || call.redirected.len() >= REDIRECTIONS_MAX {
        return None;
    }
    let target = &call.dialled.as_ref()?.target;
    let is_callable = |uri: &&Uri| {
        let invites = uri.param("method").is_none_or(|method| method == Some(Method::Invite.as_str()));
        matches!(uri.scheme(), Scheme::Sip | Scheme::Sips) && invites
    };
    let plain = |uri: &Uri| uri.without_headers().without_param("method");
    let is_new = |uri: &Uri| !call.redirected.iter().chain([target]).any(|tried| tried.is_equivalent(uri));
    refused.contacts.iter().filter(is_callable).map(plain).find(is_new)
}
