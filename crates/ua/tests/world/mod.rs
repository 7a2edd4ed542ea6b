//! A small world for tests: agents and scripted peers on links, one clock, and a ladder of what passed.
//!
//! Every message takes one millisecond. Nothing sleeps; two runs with one seed are the same.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::missing_panics_doc)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use umbel_node::{
    CloseReason, Destination, Flow, FlowId, Input, Origin, Output, PeerCertificate, PeerName, Transport,
    Unresolved,
};
use umbel_sip_message::{HeaderName, Message, Request, Response, StatusCode, Uri, parse};
use umbel_time::{Instant, UnixTime};
use umbel_ua::{Agent, CallKey, Command, Config, Ending, Event, ExtraHeaders, OfferedBy, Outgoing, Way};

pub const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n";
pub const ANSWER: &str = "v=0\r\no=- 2 1 IN IP4 192.0.2.2\r\ns=-\r\n";
const LATENCY: Duration = Duration::from_millis(1);

/// Something with an address.
struct Place {
    name: &'static str,
    address: SocketAddr,
    mind: Mind,
    /// The next flow id that this place would choose for a flow it opens, where it is scripted.
    next_flow: u64,
    /// Its end of each link that is up, and who is at the other end under which name.
    links: BTreeMap<FlowId, (usize, FlowId)>,
    /// What its TLS certificate says.
    certificate: Option<Arc<PeerCertificate>>,
    events: Vec<(Instant, Event)>,
}

enum Mind {
    Agent(Box<Agent>),
    /// What it received is kept for the test to look at, and to answer.
    Script(Vec<(FlowId, Message)>),
}

pub struct World {
    pub now: Instant,
    places: Vec<Place>,
    /// By time, then by order of sending.
    on_the_way: BTreeMap<(Instant, u64), (usize, Arrival)>,
    sent: u64,
    next_accepted: u64,
    ladder: String,
    /// Whether messages are lost (links stay up, the peer is silent).
    deaf: Vec<&'static str>,
    pub transport: Transport,
}

enum Arrival {
    Opened(FlowId, Flow),
    Bytes(FlowId, Bytes),
    Closed(FlowId, CloseReason),
    Resolved(umbel_node::QueryId, Result<Vec<Destination>, Unresolved>),
}

pub fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

pub fn body(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

pub fn certificate(names: &[&str]) -> Arc<PeerCertificate> {
    let fingerprint = names.iter().flat_map(|name| name.bytes()).fold([0_u8; 32], |mut sum, byte| {
        sum[usize::from(byte) % 32] = sum[usize::from(byte) % 32].wrapping_add(1);
        sum
    });
    Arc::new(PeerCertificate {
        names: names.iter().map(|name| PeerName::Dns((*name).to_owned())).collect(),
        fingerprint,
        not_before: UnixTime::from_secs(0),
        not_after: UnixTime::from_secs(1 << 40),
    })
}

impl World {
    pub fn new() -> Self {
        World {
            now: Instant::ZERO,
            places: Vec::new(),
            on_the_way: BTreeMap::new(),
            sent: 0,
            next_accepted: 0,
            ladder: String::new(),
            deaf: Vec::new(),
            transport: Transport::Tcp,
        }
    }

    /// Two agents, alice at 192.0.2.1 and bob at 192.0.2.2, with default settings.
    pub fn of_two() -> Self {
        let mut world = World::new();
        world.agent("alice", Config::default());
        world.agent("bob", Config::default());
        world
    }

    fn place(&mut self, name: &'static str, mind: Mind) {
        let number = self.places.len() + 1;
        self.places.push(Place {
            name,
            address: format!("192.0.2.{number}:5060").parse().unwrap(),
            mind,
            next_flow: 1_000_001,
            links: BTreeMap::new(),
            certificate: None,
            events: Vec::new(),
        });
    }

    pub fn agent(&mut self, name: &'static str, mut config: Config) {
        let number = self.places.len() + 1;
        config.contacts.tcp.get_or_insert_with(|| uri(&format!("sip:192.0.2.{number}:5060;transport=tcp")));
        config.contacts.tls.get_or_insert_with(|| uri(&format!("sip:192.0.2.{number}:5061;transport=tls")));
        let rng = ChaCha20Rng::from_seed([u8::try_from(number).unwrap(); 32]);
        self.place(name, Mind::Agent(Box::new(Agent::new(config, rng))));
    }

    pub fn script(&mut self, name: &'static str) {
        self.place(name, Mind::Script(Vec::new()));
    }

    pub fn certify(&mut self, name: &str, names: &[&str]) {
        let index = self.index(name);
        self.places[index].certificate = Some(certificate(names));
    }

    /// From now on what is sent to this place is lost on the way.
    pub fn deafen(&mut self, name: &'static str) {
        self.deaf.push(name);
    }

    pub fn undeafen(&mut self, name: &str) {
        self.deaf.retain(|deaf| *deaf != name);
    }

    fn index(&self, name: &str) -> usize {
        self.places.iter().position(|place| place.name == name).unwrap()
    }

    pub fn agent_of(&mut self, name: &str) -> &mut Agent {
        let index = self.index(name);
        match &mut self.places[index].mind {
            Mind::Agent(agent) => agent,
            Mind::Script(_) => panic!("{name} is scripted"),
        }
    }

    // What agents are told to do.

    pub fn command(&mut self, name: &str, command: Command) {
        let now = self.now;
        self.agent_of(name).command(now, command);
        let index = self.index(name);
        self.drain(index);
    }

    /// An ordinary call from an agent to the place of that name.
    pub fn call(&mut self, from: &str, to: &str) -> CallKey {
        let outgoing = self.outgoing(from, to);
        self.call_with(from, outgoing)
    }

    pub fn call_with(&mut self, from: &str, outgoing: Outgoing) -> CallKey {
        let call = self.agent_of(from).fresh_call();
        self.command(from, Command::Invite { call, outgoing: Box::new(outgoing) });
        call
    }

    pub fn outgoing(&self, from: &str, to: &str) -> Outgoing {
        let host = self.places[self.index(to)].address;
        let transport = self.transport.uri_parameter();
        Outgoing {
            target: uri(&format!("sip:{to}@{host};transport={transport}")),
            from: uri(&format!("sip:{from}@example.com")),
            from_name: None,
            to: uri(&format!("sip:{to}@example.com")),
            way: Way::Direct,
            headers: Vec::new(),
            offer: body(OFFER),
            credentials: None,
        }
    }

    pub fn answer(&mut self, name: &str) {
        let call = self.last_call(name);
        self.command(name, Command::Answer { call, body: body(ANSWER), headers: Vec::new() });
    }

    pub fn ring(&mut self, name: &str) {
        let call = self.last_call(name);
        self.command(name, Command::Ring { call });
    }

    pub fn refuse(&mut self, name: &str, status: StatusCode) {
        let call = self.last_call(name);
        self.command(name, Command::Refuse { call, status, headers: ExtraHeaders::new() });
    }

    pub fn hang_up(&mut self, name: &str) {
        let call = self.last_call(name);
        self.command(name, Command::HangUp { call });
    }

    pub fn accept(&mut self, name: &str) {
        let call = self.last_call(name);
        self.command(name, Command::Accept { call, body: body(ANSWER) });
    }

    pub fn reoffer(&mut self, name: &str) {
        let call = self.last_call(name);
        self.command(name, Command::Reoffer { call, body: body(OFFER) });
    }

    /// The call that the place heard of last, or placed last.
    pub fn last_call(&self, name: &str) -> CallKey {
        let events = &self.places[self.index(name)].events;
        events.iter().rev().find_map(|(_, event)| call_of(event)).unwrap_or(CallKey(1))
    }

    // What scripts do.

    /// A link from a scripted place to an agent; gives the scripted end.
    pub fn connect(&mut self, from: &str, to: &str) -> FlowId {
        let (from, to) = (self.index(from), self.index(to));
        let id = FlowId(self.places[from].next_flow);
        self.places[from].next_flow += 2;
        let destination =
            Destination { transport: self.transport, address: self.places[to].address, server_name: None };
        self.open(from, id, &destination);
        self.run_for(LATENCY);
        id
    }

    /// Sends text on the link; bare line ends become CRLF, and Content-Length is seen to.
    pub fn send(&mut self, from: &str, flow: FlowId, text: &str) {
        let index = self.index(from);
        self.transmit(index, flow, wire(text));
    }

    /// What a scripted place received since it was last asked.
    pub fn received(&mut self, name: &str) -> Vec<(FlowId, Message)> {
        let index = self.index(name);
        match &mut self.places[index].mind {
            Mind::Script(received) => std::mem::take(received),
            Mind::Agent(_) => panic!("{name} is no script"),
        }
    }

    /// The last response that a scripted place received.
    pub fn response(&mut self, name: &str) -> Response {
        let received = self.received(name);
        let responses = received.into_iter().rev();
        responses.filter_map(|(_, message)| message.into_response()).next().expect("no response came")
    }

    /// The last request that a scripted place received, and on which link.
    pub fn request(&mut self, name: &str) -> (FlowId, Request) {
        let received = self.received(name);
        let requests = received.into_iter().rev();
        let mut requests = requests.filter_map(|(flow, message)| Some((flow, message.into_request()?)));
        requests.next().expect("no request came")
    }

    /// Breaks every link of this place.
    pub fn break_links(&mut self, name: &str) {
        let index = self.index(name);
        let links = std::mem::take(&mut self.places[index].links);
        self.note(&format!("{name}: all connections break"));
        for (id, (other, other_id)) in links {
            self.places[other].links.remove(&other_id);
            self.put(index, Duration::ZERO, Arrival::Closed(id, CloseReason::Broken));
            self.put(other, Duration::ZERO, Arrival::Closed(other_id, CloseReason::Broken));
        }
        self.run_for(Duration::ZERO);
    }

    // Time.

    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let arrival = self.on_the_way.keys().next().map(|(at, _)| *at);
            let timeouts = self.places.iter().enumerate().filter_map(|(index, place)| match &place.mind {
                Mind::Agent(agent) => Some((agent.poll_timeout()?, index)),
                Mind::Script(_) => None,
            });
            let timeout = timeouts.min();
            let next = match (arrival, timeout) {
                (Some(arrival), Some((timeout, _))) => arrival.min(timeout),
                (Some(at), None) | (None, Some((at, _))) => at,
                (None, None) => break,
            };
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            if arrival == Some(next) {
                let ((_, _), (to, arrival)) = self.on_the_way.pop_first().unwrap();
                self.arrive(to, arrival);
            } else if let Some((_, index)) = timeout {
                self.tell(index, Input::Timeout);
            }
        }
        self.now = end;
    }

    pub fn settle(&mut self) {
        self.run_for(Duration::from_millis(20));
    }

    // The ladder.

    pub fn note(&mut self, text: &str) {
        writeln!(self.ladder, "{} {text}", self.now).unwrap();
    }

    /// Compares what passed since the last comparison; both sides without indentation.
    #[track_caller]
    pub fn expect(&mut self, ladder: &str) {
        let trim = |text: &str| -> String {
            text.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(|line| format!("{line}\n"))
                .collect()
        };
        let (expected, seen) = (trim(ladder), trim(&std::mem::take(&mut self.ladder)));
        assert!(expected == seen, "expected:\n{expected}\nseen:\n{seen}");
    }

    /// What passed since the last comparison, without the times.
    pub fn passed(&mut self) -> Vec<String> {
        let ladder = std::mem::take(&mut self.ladder);
        ladder.lines().filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect()
    }

    pub fn forget_ladder(&mut self) {
        self.ladder.clear();
    }

    pub fn events(&mut self, name: &str) -> Vec<Event> {
        let index = self.index(name);
        self.places[index].events.drain(..).map(|(_, event)| event).collect()
    }

    /// How the only call that this place heard the end of ended.
    #[track_caller]
    pub fn ending(&self, name: &str) -> Ending {
        let events = &self.places[self.index(name)].events;
        let mut endings = events.iter().filter_map(|(_, event)| match event {
            Event::Ended { ending, .. } => Some(ending.clone()),
            _ => None,
        });
        let ending = endings.next().expect("no call ended");
        assert!(endings.next().is_none(), "more than one end");
        ending
    }

    /// I5: after all timers have run out nothing is left of any call.
    #[track_caller]
    pub fn expect_rest(&mut self) {
        self.run_for(Duration::from_secs(70));
        let names: Vec<&str> = self.places.iter().map(|place| place.name).collect();
        for name in names {
            if matches!(self.places[self.index(name)].mind, Mind::Agent(_)) {
                assert!(self.agent_of(name).is_idle(), "something is left at {name}");
            }
        }
    }

    // Inside.

    fn put(&mut self, to: usize, after: Duration, arrival: Arrival) {
        self.sent += 1;
        self.on_the_way.insert((self.now + after, self.sent), (to, arrival));
    }

    fn open(&mut self, from: usize, id: FlowId, to: &Destination) {
        let host = to.address.ip();
        let Some(other) = self.places.iter().position(|place| place.address.ip() == host) else {
            self.put(from, LATENCY, Arrival::Closed(id, CloseReason::ConnectFailed));
            return;
        };
        self.next_accepted += 2;
        let other_id = FlowId(self.next_accepted);
        let near: SocketAddr =
            format!("{}:{}", self.places[from].address.ip(), 40_000 + self.next_accepted).parse().unwrap();
        let far = to.address;
        let verified = |place: &Place| place.certificate.clone().filter(|_| to.transport == Transport::Tls);
        let flow =
            |local, remote, origin, peer| Flow { transport: to.transport, local, remote, origin, peer };
        let ours = flow(near, far, Origin::Opened, verified(&self.places[other]));
        let theirs = flow(far, near, Origin::Accepted, verified(&self.places[from]));
        self.places[from].links.insert(id, (other, other_id));
        self.places[other].links.insert(other_id, (from, id));
        self.put(other, LATENCY, Arrival::Opened(other_id, theirs));
        self.put(from, LATENCY, Arrival::Opened(id, ours));
    }

    fn transmit(&mut self, from: usize, flow: FlowId, bytes: Bytes) {
        let Some((to, other)) = self.places[from].links.get(&flow).copied() else { return };
        let (from, to_name) = (self.places[from].name, self.places[to].name);
        let lost = self.deaf.contains(&to_name);
        let arrow = if lost { "-x" } else { "->" };
        let line = format!("{from} {arrow} {to_name}: {}", summary(&bytes));
        self.note(&line);
        if !lost {
            self.put(to, LATENCY, Arrival::Bytes(other, bytes));
        }
    }

    fn arrive(&mut self, to: usize, arrival: Arrival) {
        match arrival {
            Arrival::Opened(id, flow) => self.tell(to, Input::Opened { id, flow }),
            Arrival::Closed(id, reason) => self.tell(to, Input::Closed { id, reason }),
            Arrival::Resolved(query, found) => self.tell(to, Input::Resolved { query, found }),
            Arrival::Bytes(id, bytes) => {
                if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                    return;
                }
                match parse(bytes) {
                    Ok(message) => self.tell(to, Input::Received { id, message }),
                    Err(what) => self.tell(to, Input::Malformed { id, what }),
                }
            }
        }
    }

    fn tell(&mut self, to: usize, input: Input<std::convert::Infallible>) {
        let now = self.now;
        match &mut self.places[to].mind {
            Mind::Agent(agent) => agent.handle(now, input),
            Mind::Script(received) => {
                if let Input::Received { id, message } = input {
                    received.push((id, message));
                }
            }
        }
        self.drain(to);
    }

    fn drain(&mut self, index: usize) {
        loop {
            let Mind::Agent(agent) = &mut self.places[index].mind else { return };
            if let Some(event) = agent.poll_event() {
                let line = format!("{}: {}", self.places[index].name, describe(&event));
                self.note(&line);
                let now = self.now;
                self.places[index].events.push((now, event));
                continue;
            }
            match agent.poll_output() {
                Some(Output::Open { id, to }) => self.open(index, id, &to),
                Some(Output::Transmit { id, bytes }) => self.transmit(index, id, bytes),
                Some(Output::Close { id }) => {
                    if let Some((other, other_id)) = self.places[index].links.remove(&id) {
                        self.places[other].links.remove(&other_id);
                        self.put(other, LATENCY, Arrival::Closed(other_id, CloseReason::ByPeer));
                    }
                    self.put(index, LATENCY, Arrival::Closed(id, CloseReason::ByUs));
                }
                Some(Output::Resolve { query, uri }) => {
                    let found = destinations(&uri);
                    self.put(index, Duration::ZERO, Arrival::Resolved(query, found));
                }
                Some(Output::Wish(never)) => match never {},
                None => return,
            }
        }
    }
}

fn destinations(uri: &Uri) -> Result<Vec<Destination>, Unresolved> {
    let tls = uri.transport().is_some_and(|transport| transport.eq_ignore_ascii_case("tls"));
    let transport = if tls { Transport::Tls } else { Transport::Tcp };
    let ip = uri.host().parse().map_err(|_| Unresolved::NotFound)?;
    let port = uri.port().unwrap_or(transport.default_port());
    Ok(vec![Destination { transport, address: SocketAddr::new(ip, port), server_name: None }])
}

/// Text as it is written in tests, as it goes on the wire.
pub fn wire(text: &str) -> Bytes {
    let text: String = text.trim_start().lines().map(|line| format!("{}\r\n", line.trim_start())).collect();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text.trim_end(), ""));
    Bytes::from(format!("{}\r\nContent-Length: {}\r\n\r\n{body}", head.trim_end(), body.len()))
}

/// A message on one line of the ladder: what it is, and whether it bears a session description.
fn summary(bytes: &Bytes) -> String {
    let Ok(message) = parse(bytes.clone()) else {
        return if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            "keep-alive".into()
        } else {
            "?".into()
        };
    };
    let sdp = if message.body().is_empty() { "" } else { " +" };
    let sdp = match message.headers().content_type().ok().flatten() {
        Some(kind) if kind.is("application", "sdp") => " sdp",
        _ => sdp,
    };
    let cseq = message.headers().cseq().number;
    match &message {
        Message::Request(request) => format!("{} {cseq}{sdp}", request.method()),
        Message::Response(response) => {
            format!("{} ({} {cseq}){sdp}", response.status().as_u16(), response.headers().method())
        }
    }
}

fn describe(event: &Event) -> String {
    let with = |body: &Option<Bytes>| if body.is_some() { " sdp" } else { "" };
    match event {
        Event::Invited { invitation, .. } => format!("Invited{}", with(&invitation.offer)),
        Event::TurnedAway { status, .. } => format!("TurnedAway {}", status.as_u16()),
        Event::Confirmed { answer, .. } => format!("Confirmed{}", with(answer)),
        Event::Progress { status, body, reliable, .. } => {
            let reliable = if *reliable { " reliably" } else { "" };
            format!("Progress {}{reliable}{}", status.as_u16(), with(body))
        }
        Event::Answered { answer, .. } => format!("Answered{}", with(answer)),
        Event::Offered { offer, by: OfferedBy::Reinvite, .. } => format!("Offered{}", with(offer)),
        Event::Offered { offer, by: OfferedBy::Update, .. } => format!("Offered by UPDATE{}", with(offer)),
        Event::Negotiated { .. } => "Negotiated".into(),
        Event::Unchanged { status, .. } => format!("Unchanged {}", status.as_u16()),
        Event::Info { content_type, .. } => format!("Info {content_type}"),
        Event::Received { received, .. } => format!("Received {}", received.request.method()),
        Event::Referred { .. } => "Referred".into(),
        Event::Referring { status, last, .. } => {
            format!("Referring {}{}", status.as_u16(), if *last { ", last" } else { "" })
        }
        Event::Notified { .. } => "Notified".into(),
        Event::Ended { ending: Ending::Refused(refused), .. } => {
            format!("Ended Refused {}", refused.status.as_u16())
        }
        Event::Ended { ending, .. } => format!("Ended {ending:?}"),
        Event::Completed { outcome, .. } => match outcome {
            umbel_ua::Outcome::Final(response) => format!("Completed {}", response.status().as_u16()),
            other => format!("Completed {other:?}"),
        },
        Event::Gateway { standing, .. } => format!("Gateway {standing:?}"),
        Event::Registration(news) => format!("Registration {news:?}"),
    }
}

pub fn call_of(event: &Event) -> Option<CallKey> {
    match event {
        Event::Invited { call, .. }
        | Event::Confirmed { call, .. }
        | Event::Progress { call, .. }
        | Event::Answered { call, .. }
        | Event::Offered { call, .. }
        | Event::Negotiated { call, .. }
        | Event::Unchanged { call, .. }
        | Event::Info { call, .. }
        | Event::Referred { call, .. }
        | Event::Referring { call, .. }
        | Event::Ended { call, .. } => Some(*call),
        Event::Received { .. } | Event::TurnedAway { .. } => None,
        Event::Notified { .. } | Event::Completed { .. } | Event::Gateway { .. } | Event::Registration(_) => {
            None
        }
    }
}

/// The text of a header field of a message.
pub fn header(headers: &umbel_sip_message::Headers, name: &HeaderName) -> String {
    headers.get_text(name).unwrap_or_default().into_owned()
}

/// A response of a scripted peer, with the request's own fields; `extra` are more of them, and
/// perhaps a body. Without a tag of its own in `to_tag` the To stays as it came.
pub fn reply_as(request: &Request, status: &str, to_tag: &str, extra: &str) -> String {
    let copy = |name: HeaderName| header(request.headers(), &name);
    let tagged = request.headers().to().tag().is_some() || to_tag.is_empty();
    let tag = if tagged { String::new() } else { format!(";tag={to_tag}") };
    format!(
        "SIP/2.0 {status}
        Via: {}
        From: {}
        To: {}{tag}
        Call-ID: {}
        CSeq: {}
        {extra}",
        copy(HeaderName::Via),
        copy(HeaderName::From),
        copy(HeaderName::To),
        copy(HeaderName::CallId),
        copy(HeaderName::CSeq)
    )
}

pub fn reply(request: &Request, status: &str, extra: &str) -> String {
    reply_as(request, status, "s1", extra)
}
