//! The messages that the endpoint makes by itself, and what it adds to those of others.

use std::net::SocketAddr;

use bytes::Bytes;
use umbel_node::Transport;
use umbel_sip_message::{CSeq, Draft, HeaderName, Method, Request, Response, StatusCode};

use crate::config::SentBy;

/// RFC 3261 8.1.1.6.
const MAX_FORWARDS: u32 = 70;

/// The Via that is put on a request of ours.
pub(crate) struct OwnVia {
    pub(crate) transport: Transport,
    pub(crate) sent_by: SentBy,
    pub(crate) branch: String,
    /// RFC 5923 5.
    pub(crate) alias: bool,
}

impl OwnVia {
    /// The finished request.
    pub(crate) fn put_on(&self, mut draft: Draft) -> Bytes {
        let SentBy { host, port } = &self.sent_by;
        draft.push_via(self.transport.via_token(), host, *port, &self.branch, self.alias);
        draft.print()
    }
}

/// Adds Max-Forwards where there is none.
pub(crate) fn limit_hops(draft: &mut Draft) {
    if !draft.has(&HeaderName::MaxForwards) {
        draft.push(HeaderName::MaxForwards, MAX_FORWARDS);
    }
}

/// RFC 3261 18.2.1 and RFC 3581 4: tells the client in its own Via where its request came from.
pub(crate) fn stamp(draft: &mut Draft, source: SocketAddr) {
    draft.stamp_via(source);
}

/// RFC 3261 8.2.6.1: a 100 has no To tag of its own, and the Timestamp of its request.
pub(crate) fn trying(request: &Request) -> Draft {
    let mut draft = Draft::reply(request, StatusCode::TRYING);
    draft.copy(request.headers(), &HeaderName::Timestamp);
    draft
}

/// An answer that comes from the endpoint itself.
pub(crate) fn answer(request: &Request, status: StatusCode, tag: &str) -> Draft {
    let mut draft = Draft::reply(request, status);
    draft.to_tag(tag);
    draft
}

/// REL-43: the answer of who has too much to do.
pub(crate) fn overload(request: &Request, tag: &str, retry_after_secs: u32) -> Draft {
    let mut draft = answer(request, StatusCode::SERVICE_UNAVAILABLE, tag);
    draft.push(HeaderName::RetryAfter, retry_after_secs);
    draft
}

/// RFC 3261 17.1.1.3: the ACK to a response that is no success.
pub(crate) fn acknowledgement(invite: &Request, response: &Response) -> Draft {
    let mut draft = beside(invite, Method::Ack);
    draft.copy(response.headers(), &HeaderName::To);
    draft
}

/// RFC 3261 9.1: the CANCEL of an INVITE, with a Reason where there is one (RFC 3326).
pub(crate) fn cancellation(invite: &Request, reason: Option<&str>) -> Draft {
    let mut draft = beside(invite, Method::Cancel);
    draft.copy(invite.headers(), &HeaderName::To);
    if let Some(reason) = reason {
        draft.push(HeaderName::Reason, reason);
    }
    draft
}

/// What ACK and CANCEL have in common with their INVITE: all but To, and of its Vias only ours.
fn beside(invite: &Request, method: Method) -> Draft {
    let headers = invite.headers();
    let mut draft = Draft::request(method.clone(), &invite.request_uri().to_uri());
    if let Some(ours) = headers.get(&HeaderName::Via) {
        draft.push(HeaderName::Via, ours);
    }
    draft.copy(headers, &HeaderName::Route);
    draft.push(HeaderName::MaxForwards, MAX_FORWARDS);
    draft.copy(headers, &HeaderName::From);
    draft.copy(headers, &HeaderName::CallId);
    draft.push(HeaderName::CSeq, &CSeq { number: headers.cseq().number, method });
    draft
}
