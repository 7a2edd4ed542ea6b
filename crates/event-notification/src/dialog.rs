//! The dialog of a subscription: RFC 3261 12, RFC 6665 4.4.1.

use smallvec::SmallVec;
use umbel_node::FlowId;
use umbel_sip_message::{Draft, HeaderName, Headers, Method, NameAddr, Request, Scheme, Uri};

use crate::{Hop, Refusal};

/// Entries of Record-Route; with more there is no way back. No path is longer.
const ROUTES_MAX: usize = 32;
/// Octets that are copied of who the other side is and how it is reached; with more there is no way
/// back. So a subscription has a bounded size.
pub const DIALOG_BYTES_MAX: usize = 4_096;

/// What makes requests between subscriber and notifier find their way: copies of a few strings, not of
/// messages.
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    call_id: Box<str>,
    local_tag: Box<str>,
    /// Empty for a peer that follows RFC 2543.
    remote_tag: Box<str>,
    /// From, as we write it.
    local: Box<[u8]>,
    /// To, as we write it.
    remote: Box<[u8]>,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    remote_target: Uri,
    routes: SmallVec<[Route; 1]>,
    /// Where the peer was last heard.
    pub(crate) flow: Option<FlowId>,
}

#[derive(Clone, Debug)]
struct Route {
    /// The entry as it was written, parameters and all.
    value: Box<[u8]>,
    uri: Uri,
    /// RFC 3261 19.1.1 `lr`.
    is_loose: bool,
}

impl Dialog {
    /// The dialog that a request of the peer's creates, with `tag` as ours: a SUBSCRIBE that we accept,
    /// or the first NOTIFY to our SUBSCRIBE, whose To has that tag already.
    pub(crate) fn of_request(request: &Request, tag: &str, flow: Option<FlowId>) -> Result<Self, Refusal> {
        let headers = request.headers();
        let mut local = value(headers, &HeaderName::To);
        if headers.to().tag().is_none() {
            local.extend_from_slice(format!(";tag={tag}").as_bytes());
        }
        let dialog = Dialog {
            call_id: headers.call_id().into(),
            local_tag: tag.into(),
            remote_tag: headers.from().tag().unwrap_or_default().into(),
            local: local.into(),
            remote: value(headers, &HeaderName::From).into(),
            local_cseq: 0,
            remote_cseq: Some(headers.cseq().number),
            remote_target: only_contact(headers).ok_or(Refusal::NoWayBack)?,
            routes: routes(headers)?,
            flow,
        };
        if dialog.bytes() > DIALOG_BYTES_MAX { Err(Refusal::NoWayBack) } else { Ok(dialog) }
    }

    fn bytes(&self) -> usize {
        let routes: usize = self.routes.iter().map(|route| route.value.len() * 2).sum();
        let tags = self.local_tag.len() + self.remote_tag.len();
        let parties = self.local.len() + self.remote.len();
        self.call_id.len() + tags + parties + self.remote_target.as_str().len() + routes
    }

    /// Goes on counting where requests before the dialog have stopped.
    pub(crate) fn counting_from(mut self, cseq: u32) -> Self {
        self.local_cseq = cseq;
        self
    }

    /// Whether a request from the peer belongs to it: both tags and the Call-ID (RFC 3261 12.2.2, SEC-54).
    pub(crate) fn owns(&self, request: &Request) -> bool {
        let headers = request.headers();
        headers.call_id() == &*self.call_id
            && headers.to().tag() == Some(&*self.local_tag)
            && headers.from().tag().unwrap_or_default() == &*self.remote_tag
    }

    /// Our tag.
    pub(crate) fn local_tag(&self) -> &str {
        &self.local_tag
    }

    /// Where the peer wants our requests.
    pub(crate) fn remote_target(&self) -> &Uri {
        &self.remote_target
    }

    /// The number of our last request.
    pub(crate) fn local_cseq(&self) -> u32 {
        self.local_cseq
    }

    /// A request of the peer's: RFC 3261 12.2.2, in order or not; SUBSCRIBE and NOTIFY say anew where
    /// the peer is (RFC 6665 4.4.1: both are target refresh requests).
    pub(crate) fn receive(&mut self, request: &Request, flow: Option<FlowId>) -> Result<(), Refusal> {
        let number = request.headers().cseq().number;
        if self.remote_cseq.is_some_and(|last| number <= last) {
            return Err(Refusal::OutOfOrder);
        }
        self.remote_cseq = Some(number);
        self.flow = flow;
        let target = only_contact(request.headers());
        if let Some(target) = target.filter(|target| target.as_str().len() <= DIALOG_BYTES_MAX) {
            self.remote_target = target;
        }
        Ok(())
    }

    /// RFC 3261 12.2.1.1: a new request within the dialog.
    pub(crate) fn request(&mut self, method: Method) -> Draft {
        self.local_cseq = self.local_cseq.saturating_add(1);
        let cseq = format!("{} {method}", self.local_cseq);
        let mut routes: Vec<&[u8]> = self.routes.iter().map(|route| &*route.value).collect();
        let target = format!("<{}>", self.remote_target);
        let request_uri = match self.routes.first() {
            // A strict router wants its own address in the Request-URI, and the target at the end.
            Some(first) if !first.is_loose => {
                routes.remove(0);
                routes.push(target.as_bytes());
                &first.uri
            }
            _ => &self.remote_target,
        };
        let mut draft = Draft::request(method, request_uri);
        for route in routes {
            draft.push(HeaderName::Route, route);
        }
        draft.push(HeaderName::From, &*self.local);
        draft.push(HeaderName::To, &*self.remote);
        draft.push(HeaderName::CallId, &*self.call_id);
        draft.push(HeaderName::CSeq, cseq);
        draft
    }

    /// Where a request within the dialog goes first.
    pub(crate) fn hop(&self) -> Hop {
        let uri = self.routes.first().map_or(&self.remote_target, |first| &first.uri);
        Hop { flow: self.flow, uri: uri.clone() }
    }
}

fn routes(headers: &Headers) -> Result<SmallVec<[Route; 1]>, Refusal> {
    let mut routes = SmallVec::new();
    for value in headers.elements(&HeaderName::RecordRoute) {
        let address = NameAddr::parse(value).map_err(|_| Refusal::NoWayBack)?;
        if routes.len() == ROUTES_MAX {
            return Err(Refusal::NoWayBack);
        }
        let is_loose = address.uri.param("lr").is_some();
        routes.push(Route { value: value.into(), uri: address.uri.to_uri(), is_loose });
    }
    Ok(routes)
}

/// The value of a header field that every message has.
fn value(headers: &Headers, name: &HeaderName) -> Vec<u8> {
    headers.get(name).map(std::borrow::Cow::into_owned).unwrap_or_default()
}

/// RFC 3261 8.1.1.8: exactly one Contact, a SIP or SIPS URI. Header components of it would end up in our
/// requests, so it must have none (M6).
fn only_contact(headers: &Headers) -> Option<Uri> {
    let mut elements = headers.elements(&HeaderName::Contact);
    let (first, second) = (elements.next()?, elements.next());
    let uri = NameAddr::parse(first).ok()?.uri;
    let is_usable =
        second.is_none() && matches!(uri.scheme(), Scheme::Sip | Scheme::Sips) && !uri.has_headers();
    is_usable.then(|| uri.to_uri())
}
