//! The name service over the wire: RFC 3263 against a server of the test's own.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;
use umbel_net::{Config, Limits, Resolver};
use umbel_node::{Destination, Input, QueryId, Transport, Unresolved};

use crate::support::{Host, call_id, connect, options, run, send, soon};

/// What a name service knows.
#[derive(Default)]
struct Zone(BTreeMap<(String, RecordType), Vec<RData>>);

impl Zone {
    fn with(mut self, name: &str, data: RData) -> Zone {
        self.0.entry((format!("{name}."), data.record_type())).or_default().push(data);
        self
    }

    fn address(self, name: &str, address: &str) -> Zone {
        let data = match address.parse().unwrap() {
            IpAddr::V4(v4) => RData::A(A(v4)),
            IpAddr::V6(v6) => RData::AAAA(AAAA(v6)),
        };
        self.with(name, data)
    }

    fn service(self, name: &str, priority: u16, port: u16, target: &str) -> Zone {
        self.with(name, RData::SRV(SRV::new(priority, 1, port, absolute(target))))
    }

    fn pointer(self, name: &str, order: u16, service: &str, replacement: &str) -> Zone {
        let naptr = NAPTR::new(
            order,
            1,
            b"s".as_slice().into(),
            service.as_bytes().into(),
            Box::default(),
            absolute(replacement),
        );
        self.with(name, RData::NAPTR(naptr))
    }

    /// Serves over a datagram socket until the test ends.
    async fn serve(self) -> Resolver {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let resolver = Resolver::asking(&[socket.local_addr().unwrap()], [7; 32]).unwrap();
        tokio::task::spawn_local(async move {
            let mut buffer = [0; 4096];
            while let Ok((count, from)) = socket.recv_from(&mut buffer).await {
                let answer = self.answer(&Message::from_vec(&buffer[..count]).unwrap());
                socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
            }
        });
        resolver
    }

    fn answer(&self, question: &Message) -> Message {
        let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
        answer.metadata.recursion_desired = question.metadata.recursion_desired;
        answer.metadata.recursion_available = true;
        for query in &question.queries {
            let name = query.name().to_utf8().to_lowercase();
            answer.queries.push(query.clone());
            match self.0.get(&(name.clone(), query.query_type())) {
                Some(found) => {
                    let record = |data: &RData| Record::from_rdata(query.name().clone(), 60, data.clone());
                    answer.answers.extend(found.iter().map(record));
                }
                None if self.0.keys().any(|(known, _)| *known == name) => {}
                None => answer.metadata.response_code = ResponseCode::NXDomain,
            }
        }
        answer
    }
}

fn absolute(name: &str) -> Name {
    Name::from_utf8(format!("{}.", name.trim_end_matches('.'))).unwrap()
}

async fn find(zone: Zone, uri: &str) -> Result<Vec<Destination>, Unresolved> {
    let resolver = zone.serve().await;
    soon(resolver.find(&uri.parse().unwrap(), Duration::from_secs(10))).await
}

fn tcp(address: &str) -> Destination {
    Destination { transport: Transport::Tcp, address: address.parse().unwrap(), server_name: None }
}

fn tls(address: &str, name: &str) -> Destination {
    let address = address.parse().unwrap();
    Destination { transport: Transport::Tls, address, server_name: Some(name.to_owned()) }
}

#[test]
fn pointers_services_and_addresses_are_followed() {
    run(async {
        let zone = Zone::default()
            .pointer("example.test", 1, "SIPS+D2T", "_sips._tcp.example.test")
            .pointer("example.test", 2, "SIP+D2T", "_sip._tcp.example.test")
            .pointer("example.test", 3, "SIP+D2U", "_sip._udp.example.test")
            .service("_sips._tcp.example.test", 20, 5071, "two.example.test")
            .service("_sips._tcp.example.test", 10, 5061, "one.example.test")
            .service("_sip._tcp.example.test", 10, 5060, "one.example.test")
            .service("_sip._udp.example.test", 10, 5060, "one.example.test")
            .address("one.example.test", "192.0.2.1")
            .address("one.example.test", "2001:db8::1")
            .address("two.example.test", "192.0.2.2");
        let expected = vec![
            tls("[2001:db8::1]:5061", "example.test"),
            tls("192.0.2.1:5061", "example.test"),
            tls("192.0.2.2:5071", "example.test"),
            tcp("[2001:db8::1]:5060"),
            tcp("192.0.2.1:5060"),
        ];
        assert_eq!(find(zone, "sip:alice@example.test").await, Ok(expected));
    });
}

// OCEXUM-2.1-2
#[test]
fn a_domain_with_udp_alone_is_not_found() {
    run(async {
        let zone = Zone::default()
            .service("_sip._udp.example.test", 10, 5060, "one.example.test")
            .address("one.example.test", "192.0.2.1")
            .address("example.test", "192.0.2.1");
        assert_eq!(find(zone, "sip:alice@example.test").await, Err(Unresolved::NotFound));
        let zone = Zone::default()
            .pointer("example.test", 1, "SIP+D2U", "_sip._udp.example.test")
            .service("_sip._udp.example.test", 10, 5060, "one.example.test")
            .address("example.test", "192.0.2.1");
        assert_eq!(find(zone, "sip:alice@example.test").await, Err(Unresolved::NotFound));
    });
}

#[test]
fn a_host_with_addresses_alone_is_tried_on_the_default_port() {
    run(async {
        let zone = || Zone::default().address("host.test", "192.0.2.5");
        assert_eq!(find(zone(), "sip:host.test").await, Ok(vec![tcp("192.0.2.5:5060")]));
        assert_eq!(find(zone(), "sips:host.test").await, Ok(vec![tls("192.0.2.5:5061", "host.test")]));
        assert_eq!(find(zone(), "sip:host.test:5099").await, Ok(vec![tcp("192.0.2.5:5099")]));
    });
}

#[test]
fn a_name_that_does_not_exist_is_not_found() {
    run(async {
        assert_eq!(find(Zone::default(), "sip:nobody.test:5060").await, Err(Unresolved::NotFound));
    });
}

#[test]
fn without_an_answer_in_time_it_is_unavailable() {
    run(async {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let resolver = Resolver::asking(&[silent.local_addr().unwrap()], [7; 32]).unwrap();
        let uri = "sip:example.test".parse().unwrap();
        let found = soon(resolver.find(&uri, Duration::from_millis(50))).await;
        assert_eq!(found, Err(Unresolved::Unavailable));
    });
}

// REL-28
#[test]
fn a_slow_name_service_does_not_hold_up_what_comes_in() {
    run(async {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server: SocketAddr = silent.local_addr().unwrap();
        let config = Config {
            limits: Limits { resolve: Duration::from_secs(5), ..Limits::default() },
            resolver: Some(Resolver::asking(&[server], [7; 32]).unwrap()),
            ..Config::default()
        };
        let mut host = Host::with(config, Transport::Tcp);
        for query in 0..20 {
            host.flows.resolve(QueryId(query), "sip:example.test".parse().unwrap());
        }
        let mut peer = connect(&host).await;
        send(&mut peer, options("meanwhile")).await;
        host.opened().await;
        assert_eq!(call_id(&host.received().await.1), "meanwhile");
        for _ in 0..20 {
            let found = host.next().await;
            assert!(
                matches!(found, Input::Resolved { found: Err(Unresolved::Unavailable), .. }),
                "{found:?}"
            );
        }
    });
}

#[test]
fn numeric_uris_need_no_name_service() {
    run(async {
        let config = Config { resolver: Some(Resolver::asking(&[], [7; 32]).unwrap()), ..Config::default() };
        let mut host = Host::with(config, Transport::Tcp);
        host.flows.resolve(QueryId(1), "sip:127.0.0.1:5066;transport=tls".parse().unwrap());
        match host.next().await {
            Input::Resolved { query, found } => {
                assert_eq!((query, found), (QueryId(1), Ok(vec![tls("127.0.0.1:5066", "127.0.0.1")])));
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn questions_under_way_are_bounded() {
    run(async {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let resolver = Resolver::asking(&[silent.local_addr().unwrap()], [7; 32]).unwrap();
        let mut host = Host::with(Config { resolver: Some(resolver), ..Config::default() }, Transport::Tcp);
        for query in 0..=umbel_net::limits::QUERIES_MAX as u64 {
            host.flows.resolve(QueryId(query), "sip:example.test".parse().unwrap());
        }
        // The one too many is answered at once, the others wait.
        match host.next().await {
            Input::Resolved { query, found } => {
                assert_eq!(query, QueryId(umbel_net::limits::QUERIES_MAX as u64));
                assert_eq!(found, Err(Unresolved::Unavailable));
            }
            other => panic!("{other:?}"),
        }
        assert!(host.flows.try_next::<()>().is_none());
    });
}
