//! Record-Route: how the requests of a dialog come back to us, and where they go from here
//! (RFC 3261 16.4, 16.6 step 4, 16.7 step 8, RFC 5658; flow tokens as in RFC 5626 5.1).
//!
//! Dialogs are not kept. What we must know of one is in the URI that a side sends back, and each side has
//! one of its own: the callee that of the request, the caller that of the response, where it is another.
//!
//! ```text
//!   sip:<flow>.<routes>.<target>.<seal>@host:port;transport=tls;lr
//! ```
//!
//! The first three say how the *other* side is reached: by which flow, past which servers, at which
//! remote target. The seal is over them, the Call-ID and the tags. So only the two sides of a dialog that we
//! passed on can have us pass on more, and only to each other (SEC-52, SEC-54).

use std::fmt::Write;

use umbel_node::{FlowId, Transport};
use umbel_sip_endpoint::SentBy;
use umbel_sip_message::{Draft, HeaderName, Headers, Response, Scheme, Uri, UriRef};

use crate::Config;
use crate::locality;
use crate::seal::{Purpose, Seal};

/// A side of a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Side {
    /// Who began it.
    Caller,
    /// Who answered.
    Callee,
}

impl Side {
    pub(crate) fn other(self) -> Self {
        match self {
            Side::Caller => Side::Callee,
            Side::Callee => Side::Caller,
        }
    }
}

/// Where a request would go: a name for what decides that in a URI (RFC 3263 4), such that nobody else can
/// make up another URI of the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(u64);

impl Place {
    /// `None` for what nothing can be sent to.
    pub(crate) fn of(seal: &Seal, uri: UriRef<'_>) -> Option<Self> {
        let place = host_and_port(uri)?;
        Some(Place(seal.number(Purpose::Place, &[place.as_bytes()])))
    }

    /// Where whoever wrote these headers is to be reached, by the first Contact (RFC 3261 12.1.1, 12.1.2, 12.2.1.2).
    pub(crate) fn of_contact(seal: &Seal, headers: &Headers) -> Option<Self> {
        let contacts = headers.contacts().ok()?;
        Place::of(seal, contacts.first()?.uri)
    }
}

fn host_and_port(uri: UriRef<'_>) -> Option<String> {
    if !matches!(uri.scheme(), Scheme::Sip | Scheme::Sips) {
        return None;
    }
    let mut place = uri.param("maddr").flatten().unwrap_or(uri.host()).to_ascii_lowercase();
    if let Some(port) = uri.port() {
        let _ = write!(place, " {port}");
    }
    Some(place)
}

/// The servers on a way, in their order; nothing where there are none.
fn servers<'a>(seal: &Seal, routes: impl Iterator<Item = UriRef<'a>>) -> Option<u64> {
    let places: Vec<_> = routes.map(|route| host_and_port(route).unwrap_or_default()).collect();
    let parts: Vec<_> = places.iter().map(String::as_bytes).collect();
    (!parts.is_empty()).then(|| seal.number(Purpose::Servers, &parts))
}

/// How a side is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way {
    flow: Option<FlowId>,
    servers: Option<u64>,
    target: Option<Place>,
}

impl Way {
    fn new(seal: &Seal, flow: Option<FlowId>, servers: Option<u64>, headers: &Headers) -> Self {
        Way { flow, servers, target: Place::of_contact(seal, headers) }
    }

    /// The URI user part, for the other side.
    fn token(self, seal: &Seal, towards: Side, ends: Ends<'_>) -> String {
        let numbers = [self.flow.map(|FlowId(id)| id), self.servers, self.target.map(|Place(place)| place)];
        let mut token = String::with_capacity(96);
        for (number, nth) in numbers.into_iter().zip(0..) {
            if nth > 0 {
                token.push('.');
            }
            if let Some(number) = number {
                let _ = write!(token, "{number:x}");
            }
        }
        let digits = seal.digits(purpose(towards), &sealed(&token, ends));
        token.push('.');
        token.extend(digits.map(char::from));
        token
    }

    fn read(token: &str) -> Option<Self> {
        let mut numbers = token.split('.').map(|number| u64::from_str_radix(number, 16).ok());
        let (flow, servers, target) = (numbers.next()?, numbers.next()?, numbers.next()?);
        Some(Way { flow: flow.map(FlowId), servers, target: target.map(Place) })
    }
}

/// Whose dialog it is: its Call-ID, its caller's tag, its callee's. Who answers a request that begins one,
/// and with which tag, nobody knows yet.
type Ends<'a> = [&'a str; 3];

fn sealed<'a>(way: &'a str, [call_id, caller, callee]: Ends<'a>) -> [&'a [u8]; 4] {
    [way, call_id, caller, callee].map(str::as_bytes)
}

fn purpose(towards: Side) -> Purpose {
    match towards {
        Side::Caller => Purpose::TowardsCaller,
        Side::Callee => Purpose::TowardsCallee,
    }
}

/// Whether this is a token of ours for that dialog; and what it was made of.
fn is_ours<'a>(seal: &Seal, token: &'a str, towards: Side, ends: Ends<'_>) -> Option<&'a str> {
    let (way, by) = token.rsplit_once('.')?;
    seal.is_over(purpose(towards), &sealed(way, ends), by).then_some(way)
}

/// Record-Route values for a request that came along this flow and goes from one transport to another, the
/// topmost first: the way to who has sent it, for whoever answers.
///
/// RFC 5658 3: two, where the transports differ, so that each side sees one that it can use.
pub(crate) fn record_routes(
    config: &Config,
    seal: &Seal,
    request: &Headers,
    flow: FlowId,
    (from, to): (Transport, Transport),
) -> Vec<String> {
    // The callee sends past them in the order of writing (RFC 3261 12.1.1).
    let before = request.record_route().unwrap_or_default();
    let before = servers(seal, behind_us(config, before.iter().map(|route| route.uri)));
    let ends = [request.call_id(), request.from().tag().unwrap_or_default(), ""];
    let token = Way::new(seal, Some(flow), before, request).token(seal, Side::Caller, ends);
    let value = |transport: Transport| {
        let SentBy { host, port } = config.sent_by(transport)?;
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("<sip:{token}@{host}{port};transport={};lr>", transport.uri_parameter()))
    };
    if from == to {
        return value(from).into_iter().collect();
    }
    match (value(to), value(from)) {
        (Some(to), Some(from)) => vec![to, from],
        (one, other) => one.or(other).into_iter().collect(),
    }
}

/// RFC 3261 16.7, step 8: what the response bears of us becomes the way to whoever has answered. All that
/// others have recorded stays as it is, and so does what we have recorded when the request was here before:
/// that is for when the response comes by there.
///
/// `flow` is the callee's, if the request went along one.
pub(crate) fn rewrite(
    draft: &mut Draft,
    (config, seal): (&Config, &Seal),
    response: &Response,
    flow: Option<FlowId>,
) {
    let headers = response.headers();
    let Ok(routes) = headers.record_route() else { return };
    let (from, to) = (headers.from().tag().unwrap_or_default(), headers.to().tag().unwrap_or_default());
    let ends = [headers.call_id(), from, ""];
    let is_it = |token: &&str| is_ours(seal, token, Side::Caller, ends).is_some();
    let found = routes.iter().zip(0..).find_map(|(route, nth)| Some((nth, route.uri.user().filter(is_it)?)));
    let Some((nth, before)) = found else { return };
    // The caller sends past them from the last to the first (RFC 3261 12.1.2).
    let beyond = servers(seal, behind_us(config, routes.iter().take(nth).rev().map(|route| route.uri)));
    let ends = [headers.call_id(), from, to];
    let after = Way::new(seal, flow, beyond, headers).token(seal, Side::Callee, ends);
    draft.remove(&HeaderName::RecordRoute);
    for value in headers.elements(&HeaderName::RecordRoute) {
        match std::str::from_utf8(value) {
            Ok(text) if text.contains(before) => {
                draft.push(HeaderName::RecordRoute, text.replace(before, &after));
            }
            _ => {
                draft.push(HeaderName::RecordRoute, value);
            }
        }
    }
}

/// Where a request within a dialog goes on to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Onward<'a> {
    /// To which side.
    pub(crate) side: Side,
    /// The tag of who began the dialog.
    pub(crate) caller: Option<&'a str>,
    way: Way,
}

impl Onward<'_> {
    /// The flow of that side; `None` where that is reached by its URI.
    pub(crate) fn flow(&self) -> Option<FlowId> {
        self.way.flow
    }

    /// Whether these are the servers on the way to that side. They never change (RFC 3261 12.2).
    pub(crate) fn is_past(&self, seal: &Seal, routes: &[Uri]) -> bool {
        servers(seal, routes.iter().map(Uri::as_ref)) == self.way.servers
    }

    /// Whether that side was there when the dialog began.
    pub(crate) fn began_at(&self, place: Place) -> bool {
        self.way.target == Some(place)
    }
}

/// What a Route of ours says about a request within a dialog. `None` for a Route that we did not make
/// for this dialog, and for this side of it.
pub(crate) fn onward<'a>(seal: &Seal, route: UriRef<'_>, headers: &'a Headers) -> Option<Onward<'a>> {
    let token = route.user()?;
    let (from, to) = (headers.from().tag(), headers.to().tag());
    let (by_from, by_to) = (from.unwrap_or_default(), to.unwrap_or_default());
    let towards = |side: Side, ends: Ends<'_>| is_ours(seal, token, side, ends);
    if let Some(way) = towards(Side::Callee, [headers.call_id(), by_from, by_to]) {
        Some(Onward { side: Side::Callee, caller: from, way: Way::read(way)? })
    } else {
        let way = towards(Side::Caller, [headers.call_id(), by_to, ""])?;
        Some(Onward { side: Side::Caller, caller: to, way: Way::read(way)? })
    }
}

/// The Routes that are left when those that are ours, or look so, are taken off: see [`pop_own`].
fn behind_us<'a>(
    config: &Config,
    routes: impl Iterator<Item = UriRef<'a>>,
) -> impl Iterator<Item = UriRef<'a>> {
    routes.skip_while(|route| locality::is_ours(*route, config))
}

/// Takes the topmost Routes that are ours off a list. Gives the first of them, and how many are left.
pub(crate) fn pop_own<'a>(routes: &[UriRef<'a>], config: &Config) -> (Option<UriRef<'a>>, Vec<Uri>) {
    let own = routes.iter().take_while(|route| locality::is_ours(**route, config)).count();
    let rest = routes.iter().skip(own).map(UriRef::to_uri).collect();
    (routes.first().copied().filter(|_| own > 0), rest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;
    use umbel_sip_message::{NameAddr, Request};

    use super::*;

    fn config() -> Config {
        let mut config = Config::new("example.test");
        let sent_by = |port| Some(SentBy { host: "192.0.2.10".into(), port: Some(port) });
        (config.tcp, config.tls) = (sent_by(5_060), sent_by(5_061));
        config
    }

    fn seal() -> Seal {
        Seal::new(&mut ChaCha20Rng::seed_from_u64(1))
    }

    fn request(from_tag: &str, to_tag: &str, call_id: &str) -> Request {
        let text = format!(
            "BYE sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n\
             From: <sip:a@example.test>;tag={from_tag}\r\nTo: <sip:b@example.test>;tag={to_tag}\r\n\
             Call-ID: {call_id}\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n"
        );
        umbel_sip_message::parse(bytes::Bytes::from(text)).unwrap().into_request().unwrap()
    }

    fn response(to_tag: &str, record_route: &str, contact: &str) -> Response {
        let text = format!(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\nRecord-Route: {record_route}\r\n\
             From: <sip:a@example.test>;tag=caller\r\nTo: <sip:b@example.test>;tag={to_tag}\r\n\
             Call-ID: c1\r\nCSeq: 1 INVITE\r\nContact: <{contact}>\r\nContent-Length: 0\r\n\r\n"
        );
        umbel_sip_message::parse(bytes::Bytes::from(text)).unwrap().into_response().unwrap()
    }

    /// What a request bears of us.
    fn recorded(transports: (Transport, Transport)) -> Vec<String> {
        let invite = request("caller", "x", "c1");
        record_routes(&config(), &seal(), invite.headers(), FlowId(0xa), transports)
    }

    fn of_request() -> Uri {
        uri_of(&recorded((Transport::Tls, Transport::Tls))[0])
    }

    fn uri_of(value: &str) -> Uri {
        NameAddr::parse(value.as_bytes()).unwrap().uri.to_uri()
    }

    /// The Record-Route values of a response as they go on.
    fn rewritten(record_route: &str, flow: Option<FlowId>) -> Vec<String> {
        let response = response("callee", record_route, "sip:b@gw.test:5070");
        let mut draft = Draft::forward_response(&response);
        rewrite(&mut draft, (&config(), &seal()), &response, flow);
        let response = draft.into_response().unwrap();
        let values = response.headers().all(&HeaderName::RecordRoute);
        values.map(|value| String::from_utf8_lossy(&value).into_owned()).collect()
    }

    fn side(route: &Uri, request: &Request) -> Option<(Side, Option<FlowId>)> {
        onward(&seal(), route.as_ref(), request.headers()).map(|onward| (onward.side, onward.flow()))
    }

    // SEC-52, SEC-54
    #[test]
    fn a_route_of_ours_leads_to_the_other_side_of_its_dialog_and_of_no_other() {
        let to_caller = of_request();
        let to_callee = uri_of(&rewritten(&format!("<{to_caller}>"), Some(FlowId(0xff)))[0]);
        assert_eq!(to_callee.host(), to_caller.host());
        let (by_caller, by_callee) = (request("caller", "callee", "c1"), request("callee", "caller", "c1"));
        assert_eq!(side(&to_caller, &by_callee), Some((Side::Caller, Some(FlowId(0xa)))));
        assert_eq!(side(&to_callee, &by_caller), Some((Side::Callee, Some(FlowId(0xff)))));
        // Each has its own.
        assert_eq!(side(&to_caller, &by_caller), None);
        assert_eq!(side(&to_callee, &by_callee), None);
        for (from, to, call_id) in
            [("somebody", "else", "c1"), ("caller", "callee", "c2"), ("caller", "other", "c1")]
        {
            assert_eq!(side(&to_callee, &request(from, to, call_id)), None, "{from} {to} {call_id}");
        }
        assert_eq!(side(&to_caller, &request("callee", "other", "c1")), None);
        for changed in
            [to_callee.as_str().replacen("ff.", "fe.", 1), to_callee.as_str().replacen("ff.", ".", 1)]
        {
            assert_eq!(side(&changed.parse().unwrap(), &by_caller), None, "{changed}");
        }
    }

    // SEC-52
    #[test]
    fn a_route_of_ours_says_past_whom_and_to_where() {
        let ours = of_request();
        let place = |uri: &str| Place::of(&seal(), uri.parse::<Uri>().unwrap().as_ref());
        let values = rewritten(&format!("<sip:far.test;lr>, <sip:Near.test:5070;lr>, <{ours}>"), None);
        assert_eq!(values[..2], ["<sip:far.test;lr>", "<sip:Near.test:5070;lr>"]);
        let route = uri_of(&values[2]);
        let by_caller = request("caller", "callee", "c1");
        let onward = onward(&seal(), route.as_ref(), by_caller.headers()).unwrap();
        let is_past = |routes: &[&str]| {
            let routes: Vec<Uri> = routes.iter().map(|route| route.parse().unwrap()).collect();
            onward.is_past(&seal(), &routes)
        };
        assert!(is_past(&["sip:near.test:5070;lr=on", "sip:far.test;lr"]));
        assert!(!is_past(&["sip:far.test;lr", "sip:near.test:5070;lr"]));
        assert!(!is_past(&["sip:near.test:5070;lr"]) && !is_past(&[]));
        assert!(!is_past(&["sip:near.test:5070;lr", "sip:far.test;lr;maddr=192.0.2.66"]));
        for there in
            ["sip:b@gw.test:5070", "sip:x@GW.test:5070;transport=tls", "sip:x.test:5070;maddr=gw.test"]
        {
            assert!(onward.began_at(place(there).unwrap()), "{there}");
        }
        for elsewhere in [
            "sip:b@gw.test",
            "sip:b@gw.test:5071",
            "sip:b@evil.test:5070",
            "sip:b@gw.test:5070;maddr=evil.test",
        ] {
            assert!(!onward.began_at(place(elsewhere).unwrap()), "{elsewhere}");
        }
        assert_eq!((place("tel:+1555"), place("mailto:x")), (None, None));
    }

    // A server beside us that writes no port looks like us, and is taken off like us.
    #[test]
    fn a_server_that_looks_like_us_is_no_server_on_the_way() {
        let ours = of_request();
        let values = rewritten(&format!("<sip:far.test;lr>, <sip:192.0.2.10;lr>, <{ours}>"), None);
        let route = uri_of(&values[2]);
        let by_caller = request("caller", "callee", "c1");
        let onward = onward(&seal(), route.as_ref(), by_caller.headers()).unwrap();
        let sent: Vec<Uri> =
            [route.as_str(), "sip:192.0.2.10;lr", "sip:far.test;lr"].map(|uri| uri.parse().unwrap()).into();
        let (_, rest) = pop_own(&sent.iter().map(Uri::as_ref).collect::<Vec<_>>(), &config());
        assert_eq!(rest.len(), 1);
        assert!(onward.is_past(&seal(), &rest));
    }

    // RFC 3261 16.7, step 8: what is not ours stays as it is.
    #[test]
    fn what_others_have_recorded_is_left_alone() {
        for values in ["<sip:far.test;lr>", "<sip:x@192.0.2.10;lr>"] {
            assert_eq!(rewritten(values, None), [values]);
        }
    }

    // RFC 5658 3
    #[test]
    fn two_routes_are_recorded_where_the_transport_changes() {
        let one = recorded((Transport::Tcp, Transport::Tcp));
        assert_eq!(one.len(), 1);
        assert!(one[0].ends_with("@192.0.2.10:5060;transport=tcp;lr>"), "{one:?}");
        let two = recorded((Transport::Tcp, Transport::Tls));
        assert!(two[0].ends_with(":5061;transport=tls;lr>") && two[1].ends_with(":5060;transport=tcp;lr>"));
        let both = rewritten(&two.join(", "), None);
        let users: Vec<_> = both.iter().map(|value| uri_of(value).user().map(str::to_owned)).collect();
        assert!(users[0] == users[1] && users[0].as_deref() != of_request().user());
        assert!(both[0].ends_with(":5061;transport=tls;lr>") && both[1].ends_with(":5060;transport=tcp;lr>"));
    }

    #[test]
    fn own_routes_are_taken_off_and_others_left() {
        let texts =
            ["sip:x@192.0.2.10;lr", "sip:y@192.0.2.10:5061;lr", "sip:other.test;lr", "sip:192.0.2.10;lr"];
        let uris: Vec<Uri> = texts.iter().map(|text| text.parse().unwrap()).collect();
        let routes: Vec<_> = uris.iter().map(Uri::as_ref).collect();
        let (first, rest) = pop_own(&routes, &config());
        assert_eq!(first.unwrap().as_str(), texts[0]);
        assert_eq!(rest, uris[2..]);
        assert_eq!(pop_own(&routes[2..], &config()), (None, uris[2..].to_vec()));
    }
}
