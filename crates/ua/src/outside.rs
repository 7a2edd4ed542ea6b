//! Requests outside any dialog: how ours are built (RFC 3261 8.1.1), and how OPTIONS is answered (11.2).

use std::sync::Arc;

use rand_core::Rng;
use umbel_sip_endpoint::Target;
use umbel_sip_message::{Draft, HeaderName, Method, Request, StatusCode, Uri, quoted_string};
use umbel_time::Instant;

use crate::asked::Purpose;
use crate::capabilities::{self, Served};
use crate::shared::Shared;
use crate::tag::LocalTag;
use crate::{OutsideRequest, Way};

/// RFC 3261 8.1.1.5: any number will do.
pub(crate) const FIRST_CSEQ: u32 = 1;

/// Who talks to whom.
pub(crate) struct Parties<'a> {
    pub(crate) target: &'a Uri,
    pub(crate) from: &'a Uri,
    pub(crate) from_name: Option<&'a str>,
    pub(crate) to: &'a Uri,
}

/// A request with what every request has (RFC 3261 8.1.1). Max-Forwards and Via come below.
pub(crate) fn draft(
    shared: &mut Shared,
    method: Method,
    parties: &Parties<'_>,
    way: &Way,
    tag: LocalTag,
) -> Draft {
    let call_id = format!("{:016x}{:016x}", shared.rng.next_u64(), shared.rng.next_u64());
    let cseq = format!("{FIRST_CSEQ} {method}");
    let name = parties.from_name.map(|name| format!("{} ", quoted_string(name))).unwrap_or_default();
    let mut draft = Draft::request(method, parties.target);
    if let Way::Proxy(proxy) = way {
        draft.push(HeaderName::Route, route(proxy));
    }
    draft.push(HeaderName::From, format!("{name}<{}>;tag={tag}", parties.from));
    draft.push(HeaderName::To, format!("<{}>", parties.to));
    draft.push(HeaderName::CallId, call_id);
    draft.push(HeaderName::CSeq, cseq);
    draft
}

/// RFC 3261 8.1.2: an outbound proxy is a route set of one, and a loose router.
fn route(proxy: &Uri) -> String {
    if proxy.param("lr").is_some() {
        format!("<{proxy}>")
    } else {
        format!("<{}>", proxy.with_param("lr", None))
    }
}

/// Sends a request outside any dialog.
pub(crate) fn send(
    now: Instant,
    shared: &mut Shared,
    purpose: Purpose,
    request: OutsideRequest,
    tag: LocalTag,
) {
    let OutsideRequest { method, target, from, to, way, headers, body, credentials } = request;
    let parties = Parties { target: &target, from: &from, from_name: None, to: &to };
    let mut draft = draft(shared, method, &parties, &way, tag);
    let (transport, flow) = shared.first_hop(&way, &target);
    draft.push(HeaderName::Contact, shared.contact(transport, flow));
    for (name, value) in &headers {
        draft.push(name.clone(), value.as_str());
    }
    if let Some((content_type, body)) = body {
        draft.body(&content_type, body);
    }
    let credentials = credentials.map(Arc::new);
    shared.ask(now, purpose, draft, self::target(&target, way), credentials.as_ref());
}

/// Where the request goes first.
pub(crate) fn target(request_uri: &Uri, way: Way) -> Target {
    match way {
        Way::Direct => Target::Uri(request_uri.clone()),
        Way::Proxy(proxy) => Target::Uri(proxy),
        Way::Flow(flow) => Target::Flow(flow),
    }
}

/// RFC 3261 11.2, PEER-10: the answer to OPTIONS, but for the tag of To.
pub(crate) fn options(request: &Request, served: Served) -> Draft {
    let mut draft = Draft::reply(request, StatusCode::OK);
    draft.push(HeaderName::Allow, served.allow());
    draft.push(HeaderName::Accept, capabilities::ACCEPT);
    draft.push(HeaderName::AcceptEncoding, capabilities::ACCEPT_ENCODING);
    draft.push(HeaderName::Supported, served.supported());
    if served.has_events() {
        draft.push(HeaderName::AllowEvents, capabilities::EVENT);
    }
    draft
}
