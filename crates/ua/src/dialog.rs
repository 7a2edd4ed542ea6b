//! Dialogs: RFC 3261 12.

use smallvec::SmallVec;
use umbel_sip_message::{Draft, HeaderName, Headers, Method, NameAddr, Replaces, Request, Response, Uri};

use crate::refusal::Refusal;
use crate::tag::LocalTag;

/// So many entries of Record-Route in what creates a dialog; with more it gets 400. No path is
/// longer: Max-Forwards starts at 70, and few proxies stay in the path.
pub(crate) const ROUTES_MAX: usize = 32;

/// The peer-to-peer relationship between two user agents that makes requests find their way.
///
/// Holds copies of the few strings it needs, not the message that created it.
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    call_id: Box<str>,
    /// Empty for a peer that follows RFC 2543 and has none (RFC 3261 12.1.1).
    remote_tag: Box<str>,
    /// From, as we write it, with our tag.
    local: Box<[u8]>,
    /// To, as we write it, with theirs.
    remote: Box<[u8]>,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    remote_target: Uri,
    route_set: RouteSet,
}

impl Dialog {
    /// The Call-ID of all its requests.
    pub(crate) fn call_id(&self) -> &str {
        &self.call_id
    }

    /// RFC 3261 12.1.1: the dialog that a 1xx or 2xx of ours to this INVITE creates.
    pub(crate) fn of_invite(invite: &Request, local_tag: LocalTag) -> Result<Self, Refusal> {
        let headers = invite.headers();
        Ok(Dialog {
            call_id: headers.call_id().into(),
            remote_tag: headers.from().tag().unwrap_or_default().into(),
            local: [&value(headers, &HeaderName::To), format!(";tag={local_tag}").as_bytes()].concat().into(),
            remote: value(headers, &HeaderName::From).into(),
            // RFC 3261 12.1.1: "The local sequence number MUST be empty." The first request gets 1.
            local_cseq: 0,
            remote_cseq: Some(headers.cseq().number),
            remote_target: only_contact(headers).ok_or(Refusal::NoContact)?,
            route_set: RouteSet::read(headers)?,
        })
    }

    /// RFC 3261 12.1.2: the dialog that this 1xx or 2xx to an INVITE of ours created; `None` where
    /// it created none, or does not say how to reach the peer.
    pub(crate) fn of_response(response: &Response) -> Option<Self> {
        let headers = response.headers();
        let mut route_set = RouteSet::read(headers).ok()?;
        route_set.reverse();
        Some(Dialog {
            call_id: headers.call_id().into(),
            remote_tag: headers.to().tag()?.into(),
            local: value(headers, &HeaderName::From).into(),
            remote: value(headers, &HeaderName::To).into(),
            local_cseq: headers.cseq().number,
            remote_cseq: None,
            remote_target: only_contact(headers)?,
            route_set,
        })
    }

    /// RFC 3261 13.2.2.4: a 2xx to the INVITE makes the early dialog a confirmed one; its route set
    /// is computed anew, all else stays.
    pub(crate) fn confirm(&mut self, response: &Response) {
        if let Ok(mut route_set) = RouteSet::read(response.headers()) {
            route_set.reverse();
            self.route_set = route_set;
        }
        self.refresh_target(response.headers());
    }

    /// Whether a request from the peer belongs to this dialog (RFC 3261 12.2.2).
    pub(crate) fn owns(&self, request: &Request) -> bool {
        let headers = request.headers();
        headers.call_id() == &*self.call_id && headers.from().tag().unwrap_or_default() == &*self.remote_tag
    }

    /// Whether Replaces names this dialog, its tags read as the other side writes them (RFC 3891 3). Our own tag is
    /// compared by who finds the call.
    pub(crate) fn is_named_by(&self, replaces: &Replaces<'_>) -> bool {
        // "a from-tag of 0 … matches a tag of 0 and a missing one": the peer of RFC 2543.
        let nameless = self.remote_tag.is_empty() && replaces.from_tag == "0";
        replaces.call_id == &*self.call_id && (nameless || replaces.from_tag == &*self.remote_tag)
    }

    /// The peer's tag.
    pub(crate) fn remote_tag(&self) -> &str {
        &self.remote_tag
    }

    /// RFC 3261 12.2.2: "If the remote sequence number was not empty, but the sequence number of
    /// the request is lower … the request is out of order and MUST be rejected with a 500". An
    /// equal one is no better: it was used by another request.
    pub(crate) fn receive(&mut self, request: &Request) -> Result<(), Refusal> {
        let number = request.headers().cseq().number;
        if self.remote_cseq.is_some_and(|last| number <= last) {
            return Err(Refusal::OutOfOrder);
        }
        self.remote_cseq = Some(number);
        Ok(())
    }

    /// RFC 3261 12.2.1.2, 12.2.2: a target refresh request or its 2xx names where the peer is now.
    pub(crate) fn refresh_target(&mut self, headers: &Headers) {
        if let Some(target) = only_contact(headers) {
            self.remote_target = target;
        }
    }

    /// A request was sent again under the next number (RFC 3261 8.1.3.5).
    pub(crate) fn advance(&mut self) -> u32 {
        self.local_cseq = self.local_cseq.saturating_add(1);
        self.local_cseq
    }

    /// RFC 3261 12.2.1.1: a new request within the dialog.
    pub(crate) fn request(&mut self, method: Method) -> Draft {
        let number = self.advance();
        self.draft(method, number)
    }

    /// RFC 3261 13.2.2.4: the ACK has the number of the INVITE it acknowledges.
    pub(crate) fn ack(&self, number: u32) -> Draft {
        self.draft(Method::Ack, number)
    }

    fn draft(&self, method: Method, number: u32) -> Draft {
        let cseq = format!("{number} {method}");
        let routes = &self.route_set.entries;
        let mut draft = match routes.first() {
            // RFC 3261 12.2.1.1: a strict router wants its own address in the Request-URI, and the
            // remote target at the end of the routes.
            Some(first) if !first.loose => {
                let mut draft = Draft::request(method, &first.uri);
                for route in routes.iter().skip(1) {
                    draft.push(HeaderName::Route, &*route.value);
                }
                draft.push(HeaderName::Route, format!("<{}>", self.remote_target));
                draft
            }
            _ => {
                let mut draft = Draft::request(method, &self.remote_target);
                for route in routes {
                    draft.push(HeaderName::Route, &*route.value);
                }
                draft
            }
        };
        draft.push(HeaderName::From, &*self.local);
        draft.push(HeaderName::To, &*self.remote);
        draft.push(HeaderName::CallId, &*self.call_id);
        draft.push(HeaderName::CSeq, cseq);
        draft
    }

    /// Where a request within the dialog goes first.
    pub(crate) fn next_hop(&self) -> &Uri {
        self.route_set.entries.first().map_or(&self.remote_target, |first| &first.uri)
    }

    /// Whether who is at this host and port is the next hop.
    pub(crate) fn goes_first_to(&self, host: &str, port: u16) -> bool {
        let hop = self.next_hop();
        let hop_port = hop.port().unwrap_or(crate::shared::transport_of(hop).default_port());
        let plain = |host: &'_ str| host.trim_matches(['[', ']']).to_ascii_lowercase();
        hop_port == port && plain(hop.host()) == plain(host)
    }

    /// Whether there is any proxy in the path.
    pub(crate) fn is_routed(&self) -> bool {
        !self.route_set.entries.is_empty()
    }
}

/// The proxies that want to see every request of a dialog, nearest first.
#[derive(Clone, Debug, Default)]
struct RouteSet {
    entries: SmallVec<[Route; 1]>,
}

#[derive(Clone, Debug)]
struct Route {
    /// The entry as it was written, parameters and all.
    value: Box<[u8]>,
    uri: Uri,
    /// RFC 3261 19.1.1 `lr`: the proxy follows RFC 3261.
    loose: bool,
}

impl RouteSet {
    fn read(headers: &Headers) -> Result<Self, Refusal> {
        let mut entries = SmallVec::new();
        for value in headers.elements(&HeaderName::RecordRoute) {
            let address = NameAddr::parse(value).map_err(|_| Refusal::BadRecordRoute)?;
            if entries.len() == ROUTES_MAX {
                return Err(Refusal::BadRecordRoute);
            }
            let loose = address.uri.param("lr").is_some();
            entries.push(Route { value: value.into(), uri: address.uri.to_uri(), loose });
        }
        Ok(RouteSet { entries })
    }

    fn reverse(&mut self) {
        self.entries.reverse();
    }
}

/// The value of a header field that every message has.
fn value(headers: &Headers, name: &HeaderName) -> Vec<u8> {
    headers.get(name).map(std::borrow::Cow::into_owned).unwrap_or_default()
}

/// RFC 3261 8.1.1.8: in what creates a dialog, Contact has exactly one value, a SIP or SIPS URI.
/// Header components of it would end up in our requests, so it must have none (M6).
fn only_contact(headers: &Headers) -> Option<Uri> {
    let mut elements = headers.elements(&HeaderName::Contact);
    let (first, second) = (elements.next()?, elements.next());
    let address = NameAddr::parse(first).ok()?;
    let usable = second.is_none()
        && matches!(address.uri.scheme(), umbel_sip_message::Scheme::Sip | umbel_sip_message::Scheme::Sips)
        && !address.uri.has_headers();
    usable.then(|| address.uri.to_uri())
}
