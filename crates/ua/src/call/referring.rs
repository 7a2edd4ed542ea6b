//! A REFER within the call, and the NOTIFYs that say what came of it: RFC 3515 2.4.

use bytes::Bytes;
use umbel_sip_endpoint::{ServerTransaction, Target};
use umbel_sip_message::{Draft, Fragment, FragmentStart, HeaderName, Method, Request, StatusCode, Uri};
use umbel_time::Instant;

use super::{Call, add};
use crate::asked::Purpose;
use crate::refusal::Refusal;
use crate::shared::Shared;
use crate::{Event, ExtraHeaders};

/// The event package of RFC 3515 2.4.4.
const REFER: &str = "refer";
/// RFC 6665 8.2.3: there is no more.
const TERMINATED: &[u8] = b"terminated";

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

    /// [`crate::Command::Refer`]
    pub(crate) fn refer(&mut self, now: Instant, shared: &mut Shared, to: &Uri, headers: &ExtraHeaders) {
        // One at a time: whose NOTIFY it is could not be told.
        if !self.is_established() || self.refers {
            return;
        }
        let Some((mut draft, target)) = self.request_with_contact(shared, Method::Refer) else { return };
        draft.push(HeaderName::ReferTo, format!("<{to}>"));
        add(&mut draft, headers);
        self.refers = true;
        let credentials = self.credentials();
        shared.ask(now, Purpose::Refer { call: self.key }, draft, target, credentials.as_ref());
    }

    /// Something has come of our REFER.
    pub(crate) fn referring(&mut self, shared: &mut Shared, status: StatusCode, last: bool) {
        if self.refers {
            self.refers = !last;
            shared.tell(Event::Referring { call: self.key, status, last });
        }
    }

    /// RFC 3515 2.4.5: a NOTIFY says what the call got that we asked for.
    pub(super) fn referral_notified(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        transaction: ServerTransaction,
        request: &Request,
    ) -> Result<(), Refusal> {
        let headers = request.headers();
        let event = headers.event().ok().flatten();
        if event.is_none_or(|event| event.package != REFER) {
            return Err(Refusal::BadEvent);
        }
        crate::check::encoding(request)?;
        let fragment = Fragment::parse(request.body()).ok();
        let status = match fragment.as_ref().and_then(Fragment::start) {
            Some(FragmentStart::Response { status }) => Some(status),
            Some(FragmentStart::Request { .. }) | None => None,
        };
        let state = headers.get(&HeaderName::SubscriptionState).unwrap_or_default();
        let is_over =
            state.get(..TERMINATED.len()).is_some_and(|state| state.eq_ignore_ascii_case(TERMINATED));
        shared.reply(now, transaction, request, StatusCode::OK);
        match status {
            // RFC 3515 2.4.7: a final status line is the end, whatever the subscription says.
            Some(status) => self.referring(shared, status, is_over || status.is_final()),
            None if is_over => self.referring(shared, StatusCode::REQUEST_TIMEOUT, true),
            None => {}
        }
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
        let Some((mut draft, target)) = self.request_with_contact(shared, Method::Notify) else { return };
        add(&mut draft, headers);
        draft.body(&content_type, body);
        let credentials = self.credentials();
        shared.ask(now, Purpose::Notify { call: self.key }, draft, target, credentials.as_ref());
    }

    /// A request of the dialog that says where we are, as REFER (RFC 3515 2.2) and NOTIFY (RFC 6665 4.1.3) have to, and the
    /// way it takes.
    fn request_with_contact(&mut self, shared: &Shared, method: Method) -> Option<(Draft, Target)> {
        let mut draft = self.dialog.as_mut()?.request(method);
        let dialog = self.dialog.as_ref()?;
        draft.push(HeaderName::Contact, self.contact_for(shared, dialog));
        Some((draft, self.target(shared, dialog)))
    }

    /// Whether the peer is still to be told what came of a REFER.
    pub(crate) fn is_referred(&self) -> bool {
        self.referred
    }
}
