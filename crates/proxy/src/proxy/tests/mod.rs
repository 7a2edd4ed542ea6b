//! Scripted telephones and servers around one proxy, in virtual time.
//!
//! An [`Office`] has users in a store, telephones on flows of their own, and hosts that can be reached
//! by name. Tests say who sends what; what the proxy sends is compared as a short ladder, without 100s
//! and without ACKs of refusals. Telephones that are told to stop do so by themselves.
#![allow(clippy::unwrap_used)]

mod abuse;
mod admission;
mod calls;
mod dialogs;
mod diverting;
mod explaining;
mod exploring;
mod gruus;
mod known_users;
mod late_answers;
mod message_waiting;
mod missed_calls;
mod no_diversion;
mod recording;
mod registering;
mod remote_targets;
mod servers;
mod voice_mail;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use umbel_node::{CloseReason, Flow, Origin, PeerCertificate, PeerName, Transport};
use umbel_sip_endpoint::SentBy;
use umbel_sip_message::digest::{Challenge, Credentials, Ha1, NonceCount};
use umbel_sip_message::{Message, Method, Response, Uri};
use umbel_store::memory::MemoryStore;
use umbel_store::{Author, Directory, Password, UserChange, UserEntry, execute};

use super::*;

const PASSWORD: &str = "secret word";
pub(super) const UM_NAME: &str = "um.example.test";

/// The world of a test.
pub(super) struct Office {
    pub(super) proxy: Proxy,
    pub(super) store: MemoryStore,
    /// How often the users of the store have changed, as far as the proxy was told.
    changes: u64,
    pub(super) now: Instant,
    /// Flows by name of who is at their other end, and back.
    flows: BTreeMap<String, FlowId>,
    names: BTreeMap<FlowId, String>,
    /// Hosts that have a name, and their addresses.
    hosts: BTreeMap<&'static str, IpAddr>,
    pub(super) down: BTreeSet<&'static str>,
    /// What was sent since the last look.
    ladder: Vec<String>,
    /// The last request of each kind, and the last response, at each end.
    requests: BTreeMap<(String, String), Request>,
    responses: BTreeMap<String, Response>,
    /// Record-Route of the last response that had one, as a caller sends it back.
    routes: BTreeMap<String, String>,
    pub(super) kept: BTreeMap<AddressOfRecord, Vec<Kept>>,
    pub(super) locked: Vec<String>,
    pub(super) store_fails: bool,
    /// What everybody answers challenges with.
    pub(super) password: &'static str,
    /// What was asked of the store.
    pub(super) asked: Vec<String>,
    pub(super) refused: Vec<Refused>,
    /// News of servers, and who does not answer pings.
    pub(super) standing: Vec<String>,
    pub(super) deaf: BTreeSet<&'static str>,
    /// Who has answered already when a CANCEL comes.
    pub(super) too_late: BTreeSet<&'static str>,
    /// Pings that were heard: when, and by whom.
    pub(super) pings: Vec<(Instant, String)>,
    calls: u32,
    last_flow: u64,
}

impl Office {
    /// Users alice (200), bob (201), carol (202) and dave, without telephones; two voice mail servers;
    /// a gateway; a peer that is listed.
    pub(super) fn new() -> Self {
        Office::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new("example.test");
        let sent_by = |port| Some(SentBy { host: "192.0.2.100".into(), port: Some(port) });
        (config.tcp, config.tls) = (sent_by(5_060), sent_by(5_061));
        config.voice_mail = ["sip:vm1.test;transport=tls", "sip:vm2.test;transport=tls"]
            .map(|uri| uri.parse().unwrap())
            .to_vec();
        config.routes = vec![crate::Route {
            prefix: "+1".into(),
            to: vec!["sip:gw.test;transport=tls".parse().unwrap()],
        }];
        config.trust.peers = vec![UM_NAME.parse().unwrap()];
        // Most tests are about calls; those of message waiting have voice mail asked.
        config.mailbox_states = crate::MailboxStates::Told;
        config.trust.gateways = vec!["198.51.100.0/24".parse().unwrap()];
        change(&mut config);
        let mut store = MemoryStore::new(umbel_store::Config::default(), ChaCha20Rng::seed_from_u64(1));
        for (name, extension) in [("alice", "200"), ("bob", "201"), ("carol", "202"), ("dave", "203")] {
            let mut entry = UserEntry::new(format!("{name}@example.test").parse().unwrap());
            entry.changes.push(UserChange::Extension(Some(extension.into())));
            entry.password = Password::new(PASSWORD);
            store.add_user(&entry, &author(), UnixTime::from_secs(0)).unwrap();
        }
        let wall = UnixTime::from_secs(1_700_000_000);
        let ip = |last: u8| IpAddr::from([203, 0, 113, last]);
        let hosts = [("vm1.test", ip(1)), ("vm2.test", ip(2)), ("gw.test", ip(3)), ("elsewhere.test", ip(4))];
        let mut office = Office {
            proxy: Proxy::new(config, wall, ChaCha20Rng::seed_from_u64(7)),
            store,
            changes: 0,
            now: Instant::ZERO,
            flows: BTreeMap::new(),
            names: BTreeMap::new(),
            hosts: hosts.into(),
            down: BTreeSet::new(),
            ladder: Vec::new(),
            requests: BTreeMap::new(),
            responses: BTreeMap::new(),
            routes: BTreeMap::new(),
            kept: BTreeMap::new(),
            locked: Vec::new(),
            store_fails: false,
            password: PASSWORD,
            asked: Vec::new(),
            refused: Vec::new(),
            standing: Vec::new(),
            deaf: BTreeSet::new(),
            too_late: BTreeSet::new(),
            pings: Vec::new(),
            calls: 0,
            last_flow: 0,
        };
        for (name, ip) in
            [("alice", 1), ("bob", 2), ("carol", 3), ("dave", 4), ("bob-too", 12), ("stranger", 66)]
        {
            office.connect(name, IpAddr::from([192, 0, 2, ip]), None);
        }
        office.connect("um", IpAddr::from([192, 0, 2, 50]), Some(UM_NAME));
        office.connect("gateway", IpAddr::from([198, 51, 100, 1]), None);
        office
    }

    /// An office where these have registered.
    pub(super) fn where_registered(names: &[&str]) -> Self {
        let mut office = Office::new();
        office.register_all(names);
        office
    }

    pub(super) fn register_all(&mut self, names: &[&str]) {
        for name in names {
            self.register(name, &format!("<sip:{name}@{}>", self.address(name)), "");
            self.expect(&format!("{name} < 200"));
        }
    }

    /// By another process: nobody is told.
    pub(super) fn set_elsewhere(&mut self, user: &str, rule: &str, value: &str) {
        self.set(user, rule, value);
        self.nobody_is_told();
    }

    /// What was done to users since the last look was done by another process.
    pub(super) fn nobody_is_told(&mut self) {
        self.changes = self.store.user_changes().unwrap();
    }

    pub(super) fn set(&mut self, user: &str, rule: &str, value: &str) {
        let address = format!("{user}@example.test").parse().unwrap();
        let change = UserChange::Routing { key: rule.into(), value: Some(value.into()) };
        self.store.change_user(&address, &[change], &author(), UnixTime::from_secs(0)).unwrap();
    }

    pub(super) fn connect(&mut self, name: &str, ip: IpAddr, certificate: Option<&str>) {
        self.last_flow += 2;
        let id = FlowId(self.last_flow);
        let peer = certificate.map(|name| {
            Arc::new(PeerCertificate {
                names: vec![PeerName::Dns(name.into())],
                fingerprint: [0; 32],
                not_before: UnixTime::from_secs(0),
                not_after: UnixTime::from_secs(i64::MAX / 2_000),
            })
        });
        let local = SocketAddr::from(([192, 0, 2, 100], 5_061));
        let remote = SocketAddr::new(ip, 40_000);
        let flow = Flow { transport: Transport::Tls, local, remote, origin: Origin::Accepted, peer };
        self.name_flow(name, id);
        self.tell(Input::Opened { id, flow });
    }

    pub(super) fn disconnect(&mut self, name: &str) {
        let id = self.flows.remove(name).unwrap();
        self.tell(Input::Closed { id, reason: CloseReason::ByPeer });
    }

    fn name_flow(&mut self, name: &str, id: FlowId) {
        self.flows.insert(name.into(), id);
        self.names.insert(id, name.into());
    }

    /// Where a telephone is.
    pub(super) fn address(&self, name: &str) -> IpAddr {
        let id = self.flows.get(name).unwrap();
        self.proxy.endpoint.flow(*id).unwrap().remote.ip()
    }

    /// Time passes.
    pub(super) fn wait(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.proxy.poll_timeout().filter(|next| *next <= end) {
            self.now = next.max(self.now);
            self.tell(Input::Timeout);
        }
        self.now = end;
    }

    pub(super) fn order(&mut self, order: Order) {
        self.tell(Input::Order(order));
    }

    /// A message comes in, octet for octet.
    pub(super) fn say(&mut self, name: &str, text: &str) {
        let id = *self.flows.get(name).unwrap();
        let message = umbel_sip_message::parse(bytes::Bytes::from(text.to_owned())).unwrap();
        self.tell(Input::Received { id, message });
    }

    fn tell(&mut self, input: Input<Order>) {
        let changes = self.store.user_changes().unwrap();
        if std::mem::replace(&mut self.changes, changes) != changes {
            self.proxy.handle(self.now, Input::Order(Order::UsersChanged));
        }
        self.proxy.handle(self.now, input);
        while let Some(output) = self.proxy.poll_output() {
            match output {
                Output::Transmit { id, bytes } => self.hear(id, bytes),
                Output::Resolve { query, uri } => self.resolve(query, &uri),
                Output::Open { id, to } => self.open(id, &to),
                Output::Close { .. } => {}
                Output::Wish(Wish::Store { ticket, op }) => {
                    self.asked.push(format!("{op:?}"));
                    let reply = match self.store_fails {
                        true => Reply::Failed(umbel_store::StoreError::Busy),
                        false => execute(&mut self.store, op),
                    };
                    self.proxy.handle(self.now, Input::Order(Order::Stored { ticket, reply }));
                }
                Output::Wish(Wish::Keep(address)) => {
                    let bindings = self.proxy.kept(self.now, &address);
                    self.kept.insert(address, bindings);
                }
                Output::Wish(Wish::GuesserLocked { name, .. }) => self.locked.push(name),
                Output::Wish(Wish::Server { uri, is_up }) => {
                    self.standing.push(format!("{} {}", uri.host(), if is_up { "up" } else { "down" }));
                }
                Output::Wish(Wish::Refused(refused)) => self.refused.push(*refused),
            }
        }
    }

    fn resolve(&mut self, query: umbel_node::QueryId, uri: &Uri) {
        let address = self.hosts.get(uri.host()).copied().or_else(|| uri.host().parse().ok());
        let found = address.map(|ip| {
            let port = uri.port().unwrap_or(5_061);
            let to = SocketAddr::new(ip, port);
            vec![umbel_node::Destination { transport: Transport::Tls, address: to, server_name: None }]
        });
        let found = found.ok_or(umbel_node::Unresolved::NotFound);
        self.proxy.handle(self.now, Input::Resolved { query, found });
    }

    fn open(&mut self, id: FlowId, to: &umbel_node::Destination) {
        let host = self.hosts.iter().find(|(_, ip)| **ip == to.address.ip()).map(|(host, _)| *host);
        if host.is_some_and(|host| self.down.contains(host)) {
            return self.proxy.handle(self.now, Input::Closed { id, reason: CloseReason::ConnectFailed });
        }
        let name =
            host.map_or_else(|| to.address.to_string(), |host| host.trim_end_matches(".test").to_owned());
        self.name_flow(&name, id);
        let local = SocketAddr::from(([192, 0, 2, 100], 50_000));
        let flow =
            Flow { transport: to.transport, local, remote: to.address, origin: Origin::Opened, peer: None };
        self.proxy.handle(self.now, Input::Opened { id, flow });
    }

    fn hear(&mut self, id: FlowId, bytes: bytes::Bytes) {
        let name = self.names.get(&id).cloned().unwrap_or_default();
        match umbel_sip_message::parse(bytes).unwrap() {
            Message::Request(request) => self.hear_request(name, request),
            Message::Response(response) => {
                if response.status() != umbel_sip_message::StatusCode::TRYING
                    && *response.headers().method() != Method::Cancel
                {
                    self.ladder.push(format!("{name} < {}", response.status().as_u16()));
                    let mut routes: Vec<_> = texts(response.headers(), &HeaderName::RecordRoute);
                    routes.reverse();
                    if !routes.is_empty() {
                        self.routes.insert(name.clone(), routes.join(", "));
                    }
                    self.responses.insert(name, response);
                }
            }
        }
    }

    fn hear_request(&mut self, name: String, request: Request) {
        let method = request.method().clone();
        // PEER-11: servers answer by themselves.
        if method == Method::Options && request.headers().from().uri.user().is_none() {
            self.pings.push((self.now, name.clone()));
            self.requests.insert((name.clone(), "OPTIONS".into()), request.clone());
            if !self.deaf.contains(&*name) {
                self.respond(&name, &request, "200 OK", "");
            }
            return;
        }
        let key = (name.clone(), method.to_string());
        let invite = self.requests.get(&(name.clone(), "INVITE".into())).cloned();
        let branch = |request: &Request| request.headers().via().branch().map(str::to_owned);
        let is_same = invite.as_ref().is_some_and(|invite| branch(invite) == branch(&request));
        if method == Method::Ack && is_same {
            return;
        }
        self.ladder.push(match method {
            Method::Cancel => format!("{name} < CANCEL"),
            _ => format!("{name} < {method} {}", request.request_uri()),
        });
        self.requests.insert(key, request.clone());
        if method == Method::Cancel
            && let Some(invite) = invite
        {
            self.respond(&name, &request, "200 OK", "");
            if !self.too_late.contains(&*name) {
                self.respond(&name, &invite, "487 Request Terminated", "");
            }
        }
    }

    /// What was sent since the last look: lines of `who < what`.
    #[track_caller]
    pub(super) fn expect(&mut self, ladder: &str) {
        let expected: Vec<_> = ladder.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let heard = std::mem::take(&mut self.ladder);
        assert_eq!(heard, expected, "at {}", self.now);
    }

    /// The last request of a method that somebody got.
    pub(super) fn request(&self, name: &str, method: &str) -> Request {
        self.requests.get(&(name.into(), method.into())).cloned().unwrap()
    }

    /// The last response that somebody got.
    pub(super) fn response(&self, name: &str) -> Response {
        self.responses.get(name).cloned().unwrap()
    }

    /// The Routes that a caller has learnt.
    pub(super) fn routes(&self, name: &str) -> String {
        self.routes.get(name).cloned().unwrap()
    }

    /// Somebody answers the last INVITE.
    pub(super) fn answer(&mut self, name: &str, status: &str) {
        self.answer_with(name, status, "");
    }

    pub(super) fn answer_with(&mut self, name: &str, status: &str, lines: &str) {
        let invite = self.request(name, "INVITE");
        self.respond(name, &invite, status, lines);
    }

    pub(super) fn respond(&mut self, name: &str, request: &Request, status: &str, lines: &str) {
        let headers = request.headers();
        let mut text = format!("SIP/2.0 {status}\r\n");
        for field in
            [HeaderName::Via, HeaderName::RecordRoute, HeaderName::From, HeaderName::CallId, HeaderName::CSeq]
        {
            for value in headers.all(&field) {
                text += &format!("{field}: {}\r\n", String::from_utf8_lossy(&value));
            }
        }
        let to = String::from_utf8_lossy(&headers.get(&HeaderName::To).unwrap()).into_owned();
        let tag = if headers.to().tag().is_some() { String::new() } else { format!(";tag={name}") };
        text += &format!(
            "To: {to}{tag}\r\nContact: <sip:{name}@192.0.2.200>\r\n{lines}Content-Length: 0\r\n\r\n"
        );
        // One Contact: that of the lines, if there is one.
        if lines.contains("Contact:") {
            text = text.replace(&format!("Contact: <sip:{name}@192.0.2.200>\r\n"), "");
        }
        self.say(name, &text);
    }

    /// A request by a user, who answers challenges. The first line of `lines` may begin with `From:`.
    pub(super) fn send(&mut self, name: &str, method: &str, uri: &str, lines: &str) {
        self.calls += 1;
        let text = self.text(name, method, uri, lines, 1, "");
        self.say(name, &text);
        let challenged = self.responses.get(name).filter(|_| {
            self.ladder
                .last()
                .is_some_and(|last| *last == format!("{name} < 401") || *last == format!("{name} < 407"))
        });
        let Some(challenged) = challenged.cloned() else { return };
        self.ladder.pop();
        let credentials = self.credentials(name, method, uri, &challenged, self.password);
        let text = self.text(name, method, uri, lines, 2, &credentials);
        self.say(name, &text);
    }

    /// The header line that answers a challenge.
    pub(super) fn credentials(
        &self,
        name: &str,
        method: &str,
        uri: &str,
        challenged: &Response,
        password: &str,
    ) -> String {
        let (asks, answers) = match method {
            "REGISTER" => (HeaderName::WwwAuthenticate, HeaderName::Authorization),
            _ => (HeaderName::ProxyAuthenticate, HeaderName::ProxyAuthorization),
        };
        let user = name.trim_end_matches("-too");
        let challenge = challenged.headers().all(&asks).next().unwrap();
        let challenge = Challenge::parse(&challenge).unwrap().unwrap();
        let ha1 = Ha1::new(challenge.algorithm, user, &challenge.realm, password);
        let signed = (&method.parse::<Method>().unwrap(), uri);
        let answer = Credentials::answer(&challenge, (user, &ha1), signed, ("c", NonceCount(1)));
        format!("{answers}: {answer}\r\n")
    }

    pub(super) fn text(
        &self,
        name: &str,
        method: &str,
        uri: &str,
        lines: &str,
        cseq: u32,
        more: &str,
    ) -> String {
        let user = name.trim_end_matches("-too");
        let (call, ip) = (self.calls, self.address(name));
        let (from, lines) = match lines.split_once("\r\n") {
            Some((from, rest)) if from.starts_with("From:") => (from.to_owned(), rest),
            _ => (format!("From: <sip:{user}@example.test>"), lines),
        };
        let to = if method == "REGISTER" { format!("sip:{user}@example.test") } else { uri.to_owned() };
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/TLS {ip};branch=z9hG4bK{call}.{cseq}\r\n{from};tag=t{call}\r\n\
             To: <{to}>\r\nCall-ID: call-{call}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n{more}{lines}Content-Length: 0\r\n\r\n"
        )
    }

    /// The Call-ID of the last request.
    pub(super) fn call_id(&self) -> String {
        format!("call-{}", self.calls)
    }

    pub(super) fn register(&mut self, name: &str, contact: &str, lines: &str) {
        let lines = format!("Contact: {contact}\r\n{lines}");
        self.send(name, "REGISTER", "sip:example.test", &lines);
    }

    pub(super) fn call(&mut self, name: &str, uri: &str) {
        self.call_with(name, uri, "");
    }

    pub(super) fn call_with(&mut self, name: &str, uri: &str, lines: &str) {
        let contact = format!("{lines}Contact: <sip:{name}@{}>\r\n", self.address(name));
        self.send(name, "INVITE", uri, &contact);
    }

    /// The caller gives up.
    pub(super) fn hang_up_early(&mut self, name: &str) {
        let call = self.calls;
        let cseq = 2;
        let ip = self.address(name);
        let text = format!(
            "CANCEL sip:x SIP/2.0\r\nVia: SIP/2.0/TLS {ip};branch=z9hG4bK{call}.{cseq}\r\nFrom: <sip:{name}@example.test>;tag=t{call}\r\n\
             To: <sip:x>\r\nCall-ID: call-{call}\r\nCSeq: {cseq} CANCEL\r\nContent-Length: 0\r\n\r\n"
        );
        self.say(name, &text);
    }
}

fn author() -> Author {
    Author::Store
}

/// The values of a header.
pub(super) fn values(request: &Request, name: &HeaderName) -> Vec<String> {
    texts(request.headers(), name)
}

fn texts(headers: &umbel_sip_message::Headers, name: &HeaderName) -> Vec<String> {
    headers.all(name).map(|value| String::from_utf8_lossy(&value).into_owned()).collect()
}
