//! Record-Route: how the requests of a dialog come back to us, and where they go from here
//! (RFC 3261 16.4, 16.6 step 4, RFC 5658; flow tokens as in RFC 5626 5.1).
//!
//! Dialogs are not kept. What we must know of one is in the URI that both sides send back:
//!
//! ```text
//!   sip:<caller's flow>.<callee's flow>.<seal>@host:port;transport=tls;lr
//! ```
//!
//! The seal is over both flows, the Call-ID and the caller's tag. So only the two sides of a dialog
//! that we passed on can have us pass on more (SEC-52, SEC-54), and From tag or To tag says which of
//! them is sending.

use umbel_node::{FlowId, Transport};
use umbel_sip_endpoint::SentBy;
use umbel_sip_message::{Headers, Uri, UriRef};

use crate::Config;
use crate::locality;
use crate::seal::{Purpose, Seal};

/// The flows of a dialog's two sides; `None` where that side is reached by its URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sides {
    pub(crate) caller: Option<FlowId>,
    pub(crate) callee: Option<FlowId>,
}

impl Sides {
    /// The URI user part for a dialog that this request may begin.
    fn token(self, seal: &Seal, headers: &Headers) -> String {
        let flow = |flow: Option<FlowId>| flow.map_or(String::new(), |FlowId(id)| format!("{id:x}"));
        let flows = format!("{}.{}", flow(self.caller), flow(self.callee));
        let tag = headers.from().tag().unwrap_or_default();
        let seal = seal.over(Purpose::RecordRoute, &parts(&flows, headers.call_id(), tag));
        format!("{flows}.{seal}")
    }
}

fn parts<'a>(flows: &'a str, call_id: &'a str, tag: &'a str) -> [&'a [u8]; 3] {
    [flows.as_bytes(), call_id.as_bytes(), tag.as_bytes()]
}

/// Record-Route values for a request that goes from one transport to another, the topmost first.
///
/// RFC 5658 3: two, where the transports differ, so that each side sees one that it can use.
pub(crate) fn record_routes(
    config: &Config,
    seal: &Seal,
    headers: &Headers,
    sides: Sides,
    (from, to): (Transport, Transport),
) -> Vec<String> {
    let token = sides.token(seal, headers);
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

/// Where a request within a dialog goes on to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Onward<'a> {
    /// The flow of the other side; `None` where that is reached by its URI.
    pub(crate) flow: Option<FlowId>,
    /// The tag of who began the dialog.
    pub(crate) caller: Option<&'a str>,
}

/// What a Route of ours says about a request within a dialog. `None` for a Route that we did not make
/// for this dialog.
pub(crate) fn onward<'a>(seal: &Seal, route: UriRef<'_>, headers: &'a Headers) -> Option<Onward<'a>> {
    let (flows, sealed) = route.user()?.rsplit_once('.')?;
    let is_by = |tag: Option<&str>| {
        let parts = parts(flows, headers.call_id(), tag.unwrap_or_default());
        seal.is_over(Purpose::RecordRoute, &parts, sealed)
    };
    let (caller, callee) = flows.split_once('.')?;
    let flow = |text: &str| u64::from_str_radix(text, 16).ok().map(FlowId);
    let (from, to) = (headers.from().tag(), headers.to().tag());
    if is_by(from) {
        Some(Onward { flow: flow(callee), caller: from })
    } else if is_by(to) {
        Some(Onward { flow: flow(caller), caller: to })
    } else {
        None
    }
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

    fn made(sides: Sides, transports: (Transport, Transport)) -> Vec<String> {
        record_routes(&config(), &seal(), request("caller", "x", "c1").headers(), sides, transports)
    }

    // SEC-52, SEC-54
    #[test]
    fn a_route_of_ours_leads_to_the_other_side_of_its_dialog_and_of_no_other() {
        let sides = Sides { caller: Some(FlowId(10)), callee: Some(FlowId(0xff)) };
        let routes = made(sides, (Transport::Tls, Transport::Tls));
        let route = NameAddr::parse(routes[0].as_bytes()).unwrap().uri;
        let onward = |request: &Request| onward(&seal(), route, request.headers()).map(|onward| onward.flow);
        assert_eq!(onward(&request("caller", "callee", "c1")), Some(Some(FlowId(0xff))));
        assert_eq!(onward(&request("callee", "caller", "c1")), Some(Some(FlowId(10))));
        assert_eq!(onward(&request("somebody", "else", "c1")), None);
        assert_eq!(onward(&request("caller", "callee", "c2")), None);
        let by_uri = made(Sides { callee: None, ..sides }, (Transport::Tls, Transport::Tls));
        let route = NameAddr::parse(by_uri[0].as_bytes()).unwrap().uri;
        let headers = request("caller", "x", "c1").headers().clone();
        let by_uri = Onward { flow: None, caller: Some("caller") };
        assert_eq!(super::onward(&seal(), route, &headers), Some(by_uri));
        let swapped: Uri = route.as_str().replacen("a.", "b.", 1).parse().unwrap();
        assert_eq!(super::onward(&seal(), swapped.as_ref(), request("caller", "x", "c1").headers()), None);
    }

    // RFC 5658 3
    #[test]
    fn two_routes_are_recorded_where_the_transport_changes() {
        let sides = Sides { caller: Some(FlowId(2)), callee: None };
        let one = made(sides, (Transport::Tcp, Transport::Tcp));
        assert_eq!(one.len(), 1);
        assert!(one[0].ends_with("@192.0.2.10:5060;transport=tcp;lr>"), "{one:?}");
        let two = made(sides, (Transport::Tcp, Transport::Tls));
        assert!(two[0].ends_with(":5061;transport=tls;lr>") && two[1].ends_with(":5060;transport=tcp;lr>"));
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
