//! The topmost Via of a message being written: put there by a client, stamped by a server.

use std::net::{IpAddr, SocketAddr};

use super::Draft;
use crate::grammar::Cursor;
use crate::header_name::HeaderName;
use crate::headers::Span;
use crate::via::Via;

impl Draft {
    /// RFC 3261 18.1.1: puts a Via on top. It asks for `rport` (RFC 3581 3), and with `alias` allows the
    /// flow to be used for requests in the other direction (RFC 5923 5).
    pub fn push_via(
        &mut self,
        transport: &str,
        host: &str,
        port: Option<u16>,
        branch: &str,
        alias: bool,
    ) -> &mut Self {
        let mut via = String::with_capacity(64 + host.len() + branch.len());
        via.extend(["SIP/2.0/", transport, " ", host]);
        if let Some(port) = port {
            via.extend([":", &port.to_string()]);
        }
        via.extend([";branch=", branch, ";rport"]);
        if alias {
            via.push_str(";alias");
        }
        self.push_front(HeaderName::Via, via)
    }

    /// RFC 3261 18.2.1 and RFC 3581 4: writes into the topmost Via where its request came from, if its
    /// sent-by does not say so already, or if it asks for that.
    ///
    /// What it says of itself by `received` and by the value of `rport` is replaced.
    pub fn stamp_via(&mut self, source: SocketAddr) -> &mut Self {
        let Some(index) = self.fields.iter().position(|line| self.is(line, &HeaderName::Via)) else {
            return self;
        };
        let Some(stamped) = self.fields.get(index).and_then(|line| stamp(self.value(line), source)) else {
            return self;
        };
        let line = self.write(&HeaderName::Via, &stamped.into());
        self.fields.splice(index..=index, [line]);
        self
    }
}

/// The line of a Via field with its first Via stamped; `None` where it is right as it is.
fn stamp(value: &[u8], source: SocketAddr) -> Option<Vec<u8>> {
    let mut cursor = Cursor::new(value);
    let via = Via::read(&mut cursor).ok()?;
    let ip = source.ip().to_canonical();
    let says_so = via.host().trim_matches(['[', ']']).parse() == Ok::<IpAddr, _>(ip);
    if says_so && via.rport().is_none() && via.received().is_none() {
        return None;
    }
    let params = via.params();
    let params_start = Span::within(value, params.as_octets()).start();
    let mut stamped = value.get(..params_start)?.to_vec();
    for param in params.iter() {
        let is = |name: &str| param.name().eq_ignore_ascii_case(name);
        if is("received") || is("rport") {
            continue;
        }
        stamped.push(b';');
        stamped.extend_from_slice(param.name().as_bytes());
        if let Some(value) = param.raw_value() {
            stamped.push(b'=');
            stamped.extend_from_slice(value);
        }
    }
    stamped.extend_from_slice(format!(";received={ip}").as_bytes());
    // RFC 3581 4: only who asked for the port can understand it.
    if via.rport().is_some() {
        stamped.extend_from_slice(format!(";rport={}", source.port()).as_bytes());
    }
    stamped.extend_from_slice(value.get(cursor.at()..)?);
    Some(stamped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{StatusCode, Uri};

    #[track_caller]
    fn check(via: &str, source: &str, stamped: &str) {
        let mut draft = Draft::response(StatusCode::OK);
        draft.push(HeaderName::Via, via).push(HeaderName::Via, "SIP/2.0/TCP second;rport");
        draft.stamp_via(source.parse().expect("an address"));
        let printed = String::from_utf8(draft.print().to_vec()).expect("text");
        let lines: Vec<_> = printed.lines().filter(|line| line.starts_with("Via")).collect();
        assert_eq!(lines, [format!("Via: {stamped}"), "Via: SIP/2.0/TCP second;rport".to_owned()]);
    }

    #[test]
    fn a_via_that_says_where_it_is_from_stays_as_it_is() {
        let via = "SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK1";
        check(via, "192.0.2.1:40000", via);
        let via = "SIP/2.0/TCP [2001:db8::1];branch=z9hG4bK1";
        check(via, "[2001:db8::1]:40000", via);
        let via = "SIP/2.0/TCP 192.0.2.1";
        check(via, "[::ffff:192.0.2.1]:40000", via);
    }

    // RFC 3261 18.2.1
    #[test]
    fn a_name_or_another_address_gets_received() {
        check(
            "SIP/2.0/TCP phone.example;branch=z9hG4bK1",
            "192.0.2.1:40000",
            "SIP/2.0/TCP phone.example;branch=z9hG4bK1;received=192.0.2.1",
        );
        check("SIP/2.0/TCP 10.0.0.1", "[2001:db8::1]:1", "SIP/2.0/TCP 10.0.0.1;received=2001:db8::1");
    }

    // RFC 3581 4: "received" too, "even if it is identical to the sent-by".
    #[test]
    fn who_asks_for_rport_gets_both() {
        check(
            "SIP/2.0/TCP 192.0.2.1:5060;rport;branch=z9hG4bK1",
            "192.0.2.1:40000",
            "SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK1;received=192.0.2.1;rport=40000",
        );
    }

    #[test]
    fn what_a_client_says_of_itself_is_replaced() {
        check(
            "SIP/2.0/TCP 192.0.2.1;received=10.9.9.9;rport=1;branch=z9hG4bK1",
            "192.0.2.7:40000",
            "SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1;received=192.0.2.7;rport=40000",
        );
    }

    #[test]
    fn only_the_first_of_several_vias_on_one_line_is_stamped() {
        check(
            "SIP / 2.0 / TCP a.example;x=\"1,2\";branch=z9hG4bK1, SIP/2.0/TCP b.example;rport",
            "192.0.2.1:40000",
            "SIP / 2.0 / TCP a.example;x=\"1,2\";branch=z9hG4bK1;received=192.0.2.1, SIP/2.0/TCP b.example;rport",
        );
    }

    #[test]
    fn a_new_via_is_on_top_and_asks_for_rport() {
        let uri: Uri = "sip:a.example".parse().expect("a URI");
        let mut draft = Draft::request(crate::Method::Options, &uri);
        draft.push(HeaderName::Via, "SIP/2.0/TCP second");
        draft.push_via("TLS", "um.example", Some(5071), "z9hG4bKabc", true);
        let printed = String::from_utf8(draft.print().to_vec()).expect("text");
        let lines: Vec<_> = printed.lines().filter(|line| line.starts_with("Via")).collect();
        let ours = "Via: SIP/2.0/TLS um.example:5071;branch=z9hG4bKabc;rport;alias";
        assert_eq!(lines, [ours, "Via: SIP/2.0/TCP second"]);
    }
}
