//! A registration and a call as the brain sees them, messages read and printed, sockets left out: for
//! benchmarks and for figures that may not rise unseen.
#![allow(clippy::unwrap_used, missing_docs, reason = "what only tests and benchmarks use")]

use std::net::SocketAddr;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use umbel_node::{Flow, FlowId, Input, Node, Origin, Output, Transport};
use umbel_proxy::{Config, Order, Proxy, Required, Wish};
use umbel_sip_endpoint::SentBy;
use umbel_sip_message::{HeaderName, Message, parse};
use umbel_store::{Address, Lookup, Op, Reply, Settings, User};
use umbel_time::{Instant, UnixTime};

const ALICE: FlowId = FlowId(2);
const BOB: FlowId = FlowId(4);

/// One proxy, two telephones, a store that knows everybody.
pub(crate) struct Office {
    pub(crate) proxy: Proxy,
    now: Instant,
    count: u64,
}

impl Office {
    pub(crate) fn new() -> Self {
        let mut config = Config::new("example.test");
        config.tcp = Some(SentBy { host: "192.0.2.100".into(), port: None });
        config.authentication = Required::None;
        let proxy = Proxy::new(config, UnixTime::from_secs(0), ChaCha20Rng::seed_from_u64(1));
        let mut office = Office { proxy, now: Instant::ZERO, count: 0 };
        for (id, last) in [(ALICE, 1), (BOB, 2)] {
            let local = SocketAddr::from(([192, 0, 2, 100], 5_060));
            let remote = SocketAddr::from(([192, 0, 2, last], 40_000));
            let flow =
                Flow { transport: Transport::Tcp, local, remote, origin: Origin::Accepted, peer: None };
            office.proxy.handle(office.now, Input::Opened { id, flow });
        }
        office.register();
        office
    }

    /// Takes a message in and gives those that leave.
    fn say(&mut self, id: FlowId, text: String) -> Vec<Message> {
        let message = parse(Bytes::from(text)).unwrap();
        self.proxy.handle(self.now, Input::Received { id, message });
        let mut left = Vec::new();
        while let Some(output) = self.proxy.poll_output() {
            match output {
                Output::Transmit { bytes, .. } => left.push(parse(bytes).unwrap()),
                Output::Wish(Wish::Store { ticket, op }) => {
                    let reply = match op {
                        Op::FindUser(Lookup::Address(address)) => Reply::User(Some(Box::new(user(address)))),
                        Op::CountUserChanges => Reply::UserChanges(1),
                        _ => Reply::Done,
                    };
                    self.proxy.handle(self.now, Input::Order(Order::Stored { ticket, reply }));
                }
                _ => {}
            }
        }
        left
    }

    /// A telephone registers anew.
    pub(crate) fn register(&mut self) {
        self.count += 1;
        let count = self.count;
        let text = format!(
            "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKr{count}\r\n\
             From: <sip:bob@example.test>;tag=1\r\nTo: <sip:bob@example.test>\r\nCall-ID: r\r\nCSeq: {count} REGISTER\r\n\
             Max-Forwards: 70\r\nContact: <sip:bob@192.0.2.2>;expires=3600\r\nContent-Length: 0\r\n\r\n"
        );
        assert_eq!(self.say(BOB, text).len(), 1);
    }

    /// Time passes: forty seconds are enough for what has ended to be forgotten.
    pub(crate) fn pass(&mut self, seconds: u64) {
        self.now += std::time::Duration::from_secs(seconds);
        self.proxy.handle(self.now, Input::Timeout);
        while self.proxy.poll_output().is_some() {}
    }

    /// INVITE, 180, 200, ACK, BYE, 200.
    pub(crate) fn call(&mut self) {
        self.count += 1;
        if self.count.is_multiple_of(64) {
            self.register();
        }
        let invited = self.say(ALICE, self.by_alice("INVITE", "", ""));
        let [Message::Request(invite)] = invited.as_slice() else { panic!("{}", invited.len()) };
        assert_eq!(self.say(BOB, answer(&Message::Request(invite.clone()), "180 Ringing")).len(), 1);
        let answered = self.say(BOB, answer(&Message::Request(invite.clone()), "200 OK"));
        let [Message::Response(success)] = answered.as_slice() else { panic!("{}", answered.len()) };
        let route =
            String::from_utf8_lossy(&success.headers().get(&HeaderName::RecordRoute).unwrap()).into_owned();
        let route = format!("Route: {route}\r\n");
        assert_eq!(self.say(ALICE, self.by_alice("ACK", ";tag=b", &route)).len(), 1);
        let bye = self.say(ALICE, self.by_alice("BYE", ";tag=b", &route));
        assert_eq!(self.say(BOB, answer(&bye[0], "200 OK")).len(), 1);
    }

    fn by_alice(&self, method: &str, tag: &str, lines: &str) -> String {
        let count = self.count;
        format!(
            "{method} sip:bob@example.test SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK{method}{count}\r\n{lines}\
             From: <sip:alice@example.test>;tag=a\r\nTo: <sip:bob@example.test>{tag}\r\nCall-ID: c{count}\r\n\
             CSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:alice@192.0.2.1>\r\nContent-Length: 0\r\n\r\n"
        )
    }
}

fn user(address: Address) -> User {
    User {
        settings: Settings::new(address),
        pin: umbel_store::PinState::Own,
        has_password: true,
        greeting: umbel_store::ActiveGreeting::default(),
        added: UnixTime::from_secs(0),
    }
}

fn answer(request: &Message, status: &str) -> String {
    let mut text = format!("SIP/2.0 {status}\r\n");
    for name in
        [HeaderName::Via, HeaderName::RecordRoute, HeaderName::From, HeaderName::CallId, HeaderName::CSeq]
    {
        for value in request.headers().all(&name) {
            text += &format!("{name}: {}\r\n", String::from_utf8_lossy(&value));
        }
    }
    text + "To: <sip:bob@example.test>;tag=b\r\nContact: <sip:bob@192.0.2.2>\r\nContent-Length: 0\r\n\r\n"
}
