//! Callers who give up while telephones still ring: voice mail is told, as it has not seen the call
//! (MISS-2; the form is that of decision 0006).
//!
//! Not of calls that somebody answered, that must not be diverted, or that one makes to oneself (MISS-3).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use umbel_sip_endpoint::{ClientTransaction, Target};
use umbel_sip_message::{
    AddressOfRecord, Fragment, MISSED_CALL_FIELDS, Method, Request, SIPFRAG, StatusCode, Uri,
};
use umbel_time::Instant;

use super::call::CallKey;
use super::{Proxy, servers};
use crate::locality::VOICE_MAIL;

/// Notices under way; of a further one nobody hears. Each lasts 32 s at most at each server.
const NOTICES_MAX: usize = 1_000;

/// Notices under way, and who does not want any.
#[derive(Debug, Default)]
pub(super) struct MissedCalls {
    notices: BTreeMap<ClientTransaction, Notice>,
    /// Servers that do not know what to do with one: until the settings are read anew.
    unwilling: BTreeSet<Uri>,
}

#[derive(Debug)]
struct Notice {
    callee: AddressOfRecord,
    body: Bytes,
    server: Uri,
    /// Who is told if this one cannot be.
    others: VecDeque<Uri>,
}

impl MissedCalls {
    pub(super) fn is_at_rest(&self) -> bool {
        self.notices.is_empty()
    }

    /// Other settings: perhaps other servers.
    pub(super) fn reconfigure(&mut self) {
        self.unwilling.clear();
    }
}

impl Proxy {
    /// The caller gives up. Whether that is a missed call is certain when nobody has answered meanwhile.
    pub(super) fn may_be_missed(&mut self, key: CallKey) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let headers = call.request.headers();
        let parties = (headers.from().uri.address_of_record(), headers.to().uri.address_of_record());
        // MISS-3: Play on Phone rang in vain, or somebody called the own number.
        let is_to_self = parties.0.is_some() && parties.0 == parties.1;
        let is_own = call.caller.is_some() && call.caller == call.callee;
        if *call.request.method() == Method::Invite
            && call.has_voice_mail
            && call.context.could_be_diverted()
            && !is_to_self
            && !is_own
        {
            call.missed_by = call.callee.clone();
        }
    }

    /// It is a missed call.
    pub(super) fn missed(&mut self, now: Instant, callee: AddressOfRecord, request: &Request) {
        let unwilling = &self.missed_calls.unwilling;
        let is_willing = |uri: &&Uri| !unwilling.contains(uri);
        let servers: Vec<Uri> = servers::voice_mail(&self.config).filter(is_willing).cloned().collect();
        let body = Fragment::of_request(request, &MISSED_CALL_FIELDS);
        let mut others: VecDeque<Uri> = self.those_up_first(servers).into();
        if let Some(server) = others.pop_front() {
            self.notify_missed(now, Notice { callee, body, server, others });
        }
    }

    fn notify_missed(&mut self, now: Instant, notice: Notice) {
        if self.missed_calls.notices.len() >= NOTICES_MAX {
            return;
        }
        let to = notice.callee.to_uri();
        let uri = to.with_param("opaque", Some(VOICE_MAIL));
        let mut draft = self.own_request(Method::Message, &uri, &to);
        draft.body(SIPFRAG, notice.body.clone());
        let client = self.endpoint.request(now, draft, Target::Uri(notice.server.clone()));
        self.missed_calls.notices.insert(client, notice);
    }

    /// Whether the transaction was a notice; it is answered with this status, or not at all.
    pub(super) fn missed_call_told(
        &mut self,
        now: Instant,
        client: ClientTransaction,
        status: Option<StatusCode>,
    ) -> bool {
        if status.is_some_and(StatusCode::is_provisional) {
            return self.missed_calls.notices.contains_key(&client);
        }
        let Some(notice) = self.missed_calls.notices.remove(&client) else { return false };
        let status = status.map(StatusCode::as_u16);
        let is_unwilling = matches!(status, Some(405 | 415 | 501));
        if is_unwilling {
            self.missed_calls.unwilling.insert(notice.server.clone());
        }
        // 404: there is no mailbox, there or elsewhere. 2xx: it is noted.
        if is_unwilling || status.is_none_or(|status| status == 408 || status >= 500) {
            let mut others = notice.others.clone();
            if let Some(server) = others.pop_front() {
                self.notify_missed(now, Notice { server, others, ..notice });
            }
        }
        true
    }
}
