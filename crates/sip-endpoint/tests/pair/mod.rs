//! Two endpoints, alice and bob, and the flows between them, in virtual time.
//!
//! What one transmits goes through framing and parsing, cut at random places, to the other. A flow
//! takes no time; the clock moves only when a test says so.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use umbel_node::{
    CloseReason, Destination, Flow, FlowId, Origin, Output, PeerCertificate, PeerName, Transport, Unresolved,
};
use umbel_sip_endpoint::{Config, Endpoint, Event, Input, SentBy, ServerTransaction, Target};
use umbel_sip_message::{
    CSeq, Draft, Framed, HeaderName, Message, Method, Request, Response, StatusCode, Uri, frame, parse,
};
use umbel_time::{Instant, UnixTime};

pub const ALICE: usize = 0;
pub const BOB: usize = 1;
const NAMES: [&str; 2] = ["alice", "bob"];

pub struct Pair {
    pub now: Instant,
    pub endpoints: [Endpoint; 2],
    /// What each side was told, since the test last asked.
    pub events: [Vec<Event>; 2],
    /// "alice: INVITE", "bob: 200 INVITE": what was sent, in order.
    pub said: Vec<String>,
    /// The same, as bytes.
    pub sent: Vec<(usize, Bytes)>,
    /// What the resolver finds for every name; nothing is [`Unresolved::NotFound`].
    pub names: Vec<Destination>,
    /// Destinations that refuse connections.
    pub dead: BTreeSet<SocketAddr>,
    /// Opens that are not answered, until the test does.
    pub held: Option<Vec<(usize, FlowId, Destination)>>,
    /// How often each destination was asked for.
    pub opened: Vec<Destination>,
    /// What TLS peers show.
    pub certificates: [Option<Arc<PeerCertificate>>; 2],
    wires: BTreeMap<u64, [(usize, FlowId); 2]>,
    wire_of: BTreeMap<(usize, FlowId), u64>,
    accepted: u64,
    rng: ChaCha20Rng,
}

pub fn address(side: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, u8::try_from(side).unwrap() + 1], 5060))
}

pub fn tcp(side: usize) -> Destination {
    Destination { transport: Transport::Tcp, address: address(side), server_name: None }
}

pub fn tls(side: usize, name: &str) -> Destination {
    Destination { transport: Transport::Tls, address: address(side), server_name: Some(name.to_owned()) }
}

pub fn certificate(name: &str) -> Arc<PeerCertificate> {
    let mut fingerprint = [0; 32];
    fingerprint.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
    Arc::new(PeerCertificate {
        names: vec![PeerName::Dns(name.to_owned())],
        fingerprint,
        not_before: UnixTime::from_secs(0),
        not_after: UnixTime::from_secs(i64::from(i32::MAX)),
    })
}

/// A configuration that tells others where it listens.
pub fn config(side: usize) -> Config {
    let sent_by = SentBy { host: address(side).ip().to_string(), port: Some(address(side).port()) };
    Config { tcp: Some(sent_by.clone()), tls: Some(sent_by), ..Config::default() }
}

impl Pair {
    pub fn new(seed: u64) -> Self {
        Pair::with(seed, config(ALICE), config(BOB))
    }

    pub fn with(seed: u64, alice: Config, bob: Config) -> Self {
        let endpoint = |config, seed| Endpoint::new(config, ChaCha20Rng::seed_from_u64(seed));
        Pair {
            now: Instant::ZERO,
            endpoints: [endpoint(alice, seed ^ 0xA11CE), endpoint(bob, seed ^ 0xB0B)],
            events: [Vec::new(), Vec::new()],
            said: Vec::new(),
            sent: Vec::new(),
            names: vec![tcp(BOB)],
            dead: BTreeSet::new(),
            held: None,
            opened: Vec::new(),
            certificates: [None, None],
            wires: BTreeMap::new(),
            wire_of: BTreeMap::new(),
            accepted: 0,
            rng: ChaCha20Rng::seed_from_u64(seed),
        }
    }

    pub fn alice(&mut self) -> (&mut Endpoint, Instant) {
        (&mut self.endpoints[ALICE], self.now)
    }

    pub fn bob(&mut self) -> (&mut Endpoint, Instant) {
        (&mut self.endpoints[BOB], self.now)
    }

    /// Carries everything until both are silent.
    pub fn run(&mut self) {
        loop {
            let mut silent = true;
            for side in [ALICE, BOB] {
                while let Some(event) = self.endpoints[side].poll_event() {
                    self.events[side].push(event);
                }
                while let Some(output) = self.endpoints[side].poll_output() {
                    silent = false;
                    self.carry_out(side, output);
                }
            }
            if silent {
                return;
            }
        }
    }

    /// Lets time pass, timer by timer.
    pub fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        self.run();
        while let Some((at, side)) = self.next_timer().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            let now = self.now;
            self.endpoints[side].handle(now, Input::Timeout);
            self.run();
        }
        self.now = until;
    }

    fn next_timer(&self) -> Option<(Instant, usize)> {
        [ALICE, BOB].iter().filter_map(|&side| Some((self.endpoints[side].poll_timeout()?, side))).min()
    }

    pub fn take_events(&mut self, side: usize) -> Vec<Event> {
        self.run();
        std::mem::take(&mut self.events[side])
    }

    /// The one request that came in since the test last asked.
    #[track_caller]
    pub fn request(&mut self, side: usize) -> (ServerTransaction, FlowId, Request) {
        let events = self.take_events(side);
        let mut requests = events.into_iter().filter_map(|event| match event {
            Event::Request { transaction, flow, request } => Some((transaction, flow, request)),
            _ => None,
        });
        let first = requests.next().expect("a request came");
        assert!(requests.next().is_none(), "one request came");
        first
    }

    /// Breaks all flows.
    pub fn break_flows(&mut self) {
        for (_, ends) in std::mem::take(&mut self.wires) {
            for (side, id) in ends {
                self.wire_of.remove(&(side, id));
                let now = self.now;
                self.endpoints[side].handle(now, Input::Closed { id, reason: CloseReason::Broken });
            }
        }
        self.run();
    }

    /// Connects two sides as the shell does when somebody opens a flow, or by hand.
    pub fn connect(&mut self, opener: usize, id: FlowId, to: &Destination) {
        let acceptor = 1 - opener;
        self.accepted += 1;
        let accepted = FlowId(self.accepted * 2);
        let port = 40_000 + u16::try_from(self.accepted).unwrap();
        let local = SocketAddr::new(address(opener).ip(), port);
        let peer = |side: usize| self.certificates[side].clone().filter(|_| to.transport == Transport::Tls);
        let (transport, remote) = (to.transport, to.address);
        let theirs =
            Flow { transport, local: remote, remote: local, origin: Origin::Accepted, peer: peer(opener) };
        let ours = Flow { transport, local, remote, origin: Origin::Opened, peer: peer(acceptor) };
        self.wires.insert(self.accepted, [(opener, id), (acceptor, accepted)]);
        self.wire_of.insert((opener, id), self.accepted);
        self.wire_of.insert((acceptor, accepted), self.accepted);
        let now = self.now;
        self.endpoints[acceptor].handle(now, Input::Opened { id: accepted, flow: theirs });
        self.endpoints[opener].handle(now, Input::Opened { id, flow: ours });
    }

    /// The flow of a side that is up, if there is one and no other.
    #[track_caller]
    pub fn only_flow(&self, side: usize) -> FlowId {
        let mut flows = self.wire_of.keys().filter(|(of, _)| *of == side);
        let (_, id) = flows.next().expect("a flow is up");
        assert!(flows.next().is_none(), "one flow is up");
        *id
    }

    pub fn flow_count(&self) -> usize {
        self.wires.len()
    }

    /// Somebody who is not an endpoint of ours sends these bytes over an existing flow.
    pub fn inject(&mut self, from: usize, bytes: &[u8]) {
        let id = self.only_flow(from);
        self.deliver(from, id, Bytes::copy_from_slice(bytes));
        self.run();
    }

    fn carry_out(&mut self, side: usize, output: Output<std::convert::Infallible>) {
        let now = self.now;
        match output {
            Output::Open { id, to } => {
                self.opened.push(to.clone());
                if let Some(held) = &mut self.held {
                    held.push((side, id, to));
                    return;
                }
                let nobody = to.address != address(1 - side) || self.dead.contains(&to.address);
                if nobody {
                    let reason = CloseReason::ConnectFailed;
                    self.endpoints[side].handle(now, Input::Closed { id, reason });
                } else {
                    self.connect(side, id, &to);
                }
            }
            Output::Transmit { id, bytes } => {
                self.said.push(format!("{}: {}", NAMES[side], title(&bytes)));
                self.sent.push((side, bytes.clone()));
                self.deliver(side, id, bytes);
            }
            Output::Close { id } => {
                self.said.push(format!("{}: closes", NAMES[side]));
                let Some(wire) = self.wire_of.get(&(side, id)).copied() else { return };
                for (end, id) in self.wires.remove(&wire).unwrap() {
                    self.wire_of.remove(&(end, id));
                    let reason = if end == side { CloseReason::ByUs } else { CloseReason::ByPeer };
                    self.endpoints[end].handle(now, Input::Closed { id, reason });
                }
            }
            Output::Resolve { query, .. } => {
                let found = match self.names.as_slice() {
                    [] => Err(Unresolved::NotFound),
                    names => Ok(names.to_vec()),
                };
                self.endpoints[side].handle(now, Input::Resolved { query, found });
            }
            Output::Wish(never) => match never {},
        }
    }

    /// Cuts at random places, puts together again, frames and parses.
    fn deliver(&mut self, from: usize, id: FlowId, mut bytes: Bytes) {
        let Some(wire) = self.wire_of.get(&(from, id)) else { return };
        let [one, other] = self.wires[wire];
        let (to, id) = if one == (from, id) { other } else { one };
        let mut buffer = BytesMut::new();
        let now = self.now;
        while !bytes.is_empty() {
            let length = usize::try_from(self.rng.next_u32() % 500).unwrap() + 1;
            buffer.extend_from_slice(&bytes.split_to(length.min(bytes.len())));
            loop {
                let input = match frame(&buffer) {
                    Framed::Incomplete => break,
                    Framed::KeepAlive { len, .. } => {
                        let _ = buffer.split_to(len);
                        continue;
                    }
                    Framed::Message { len } => match parse(buffer.split_to(len).freeze()) {
                        Ok(message) => Input::Received { id, message },
                        Err(what) => Input::Malformed { id, what },
                    },
                    Framed::Malformed(what) => {
                        buffer.clear();
                        Input::Malformed { id, what }
                    }
                };
                self.endpoints[to].handle(now, input);
            }
        }
    }

    /// Nothing is left that should not be.
    #[track_caller]
    pub fn assert_idle(&mut self) {
        self.run();
        for side in [ALICE, BOB] {
            assert_eq!(self.endpoints[side].transaction_count(), 0, "{} has transactions", NAMES[side]);
            assert_eq!(self.endpoints[side].poll_timeout(), None, "{} has timers", NAMES[side]);
        }
    }

    #[track_caller]
    pub fn assert_said(&mut self, expected: &[&str]) {
        self.run();
        assert_eq!(self.said, expected);
    }
}

/// What a message is called in [`Pair::said`].
pub fn title(bytes: &Bytes) -> String {
    match parse(bytes.clone()) {
        Ok(Message::Request(request)) => request.method().to_string(),
        Ok(Message::Response(response)) => {
            format!("{} {}", response.status().as_u16(), response.headers().method())
        }
        Err(what) => format!("malformed: {what}"),
    }
}

pub fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

pub fn to_bob() -> Target {
    Target::Uri(uri("sip:bob@bob.example"))
}

/// A request from alice to bob, outside a dialog; `call` is its Call-ID.
pub fn request(method: Method, call: &str) -> Draft {
    let mut draft = Draft::request(method.clone(), &uri("sip:bob@bob.example"));
    draft
        .push(HeaderName::From, "<sip:alice@alice.example>;tag=a1")
        .push(HeaderName::To, "<sip:bob@bob.example>")
        .push(HeaderName::CallId, call)
        .push(HeaderName::CSeq, &CSeq { number: 1, method })
        .push(HeaderName::Contact, "<sip:alice@192.0.2.1>");
    draft
}

pub fn invite(call: &str) -> Draft {
    request(Method::Invite, call)
}

/// The ACK to a 2xx (RFC 3261 13.2.2.4).
pub fn ack(response: &Response) -> Draft {
    in_dialog(Method::Ack, 1, response)
}

/// A request within the dialog that a response has made.
pub fn in_dialog(method: Method, number: u32, response: &Response) -> Draft {
    let mut draft = Draft::request(method.clone(), &uri("sip:bob@192.0.2.2"));
    draft
        .copy(response.headers(), &HeaderName::From)
        .copy(response.headers(), &HeaderName::To)
        .copy(response.headers(), &HeaderName::CallId)
        .push(HeaderName::CSeq, &CSeq { number, method });
    draft
}

pub fn reply(request: &Request, status: StatusCode) -> Draft {
    let mut draft = Draft::reply(request, status);
    if status != StatusCode::TRYING {
        draft.to_tag("b1");
    }
    draft
}

/// The responses among events.
pub fn responses(events: Vec<Event>) -> Vec<Response> {
    events
        .into_iter()
        .filter_map(|event| match event {
            Event::Response { response, .. } => Some(response),
            _ => None,
        })
        .collect()
}
