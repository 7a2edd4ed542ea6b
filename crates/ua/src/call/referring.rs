//! A REFER within the call, and the NOTIFYs that say what came of it: RFC 3515 2.4.

use bytes::Bytes;
use umbel_sip_message::{HeaderName, Method, Request};
use umbel_time::Instant;

use super::{Call, add};
use crate::ExtraHeaders;
use crate::asked::Purpose;
use crate::refusal::Refusal;
use crate::shared::Shared;

impl Call {
    /// A REFER arrived. Whether it is followed is decided above; here it has to be of a call that is up.
    pub(super) fn referred(&mut self, request: &Request) -> Result<(), Refusal> {
        crate::check::encoding(request)?;
        // A callee that has not answered yet sends nobody on.
        let dialog = self.dialog.as_mut().ok_or(Refusal::NoDialog)?;
        // RFC 5057 5.4: REFER is a target refresh request.
        dialog.refresh_target(request.headers());
        Ok(())
    }

    /// [`crate::Command::Notify`]
    pub(crate) fn notify(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        last: bool,
        headers: &ExtraHeaders,
        (content_type, body): (String, Bytes),
    ) {
        self.referred = !last;
        let Some(mut dialog) = self.dialog.take() else { return };
        let mut draft = dialog.request(Method::Notify);
        let target = self.target(shared, &dialog);
        // RFC 6665 4.1.3: a NOTIFY has a Contact.
        draft.push(HeaderName::Contact, self.contact_for(shared, &dialog));
        self.dialog = Some(dialog);
        add(&mut draft, headers);
        draft.body(&content_type, body);
        let credentials = self.credentials();
        shared.ask(now, Purpose::Notify { call: self.key }, draft, target, credentials.as_ref());
    }

    /// Whether the peer is still to be told what came of a REFER.
    pub(crate) fn is_referred(&self) -> bool {
        self.referred
    }
}
