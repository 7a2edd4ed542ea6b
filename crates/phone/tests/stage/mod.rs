//! A telephone, a server that the test plays, and a clock that the test turns.
#![allow(dead_code, unreachable_pub, clippy::missing_panics_doc)]

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use umbel_node::{CloseReason, Destination, Flow, FlowId, Input, Node, Origin, Output, Transport};
use umbel_phone::{CallKey, Config, Dial, Ended, News, NoSockets, Order, Progress, Registration};
use umbel_phone::{Telephone, Wish};
use umbel_sip_message::{Draft, HeaderName, Message, Method, Request, Response, StatusCode, Uri, parse};
use umbel_time::Instant;
use umbel_ua::Credentials;

pub const OWNER: &str = "sip:alice@example.test";
pub const OWN_VOICE_MAIL: &str = "sip:alice@example.test;opaque=app:voicemail";
/// A description of somebody with PCMU and keys.
pub const DESCRIPTION: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
                               m=audio 20000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";

pub fn uri(text: &str) -> Uri {
    text.parse().expect("a URI")
}

pub struct Stage {
    pub telephone: Telephone,
    pub now: Instant,
    transport: Transport,
    /// Whether new connections come up.
    pub listening: bool,
    /// Whether sockets for sound are to be had.
    pub sockets: bool,
    /// Whether they are a long time coming: the test says when.
    pub slow_sockets: bool,
    /// The connections that are up, oldest first.
    pub flows: Vec<FlowId>,
    pub requests: Vec<Request>,
    pub responses: Vec<Response>,
    /// Octets that are no message: keep-alives.
    pub pings: usize,
    pub news: Vec<News>,
    pub media: Vec<umbel_media::Command>,
    /// Sockets that were opened and not closed.
    pub open_sockets: Vec<CallKey>,
}

/// A telephone of alice with a password, over this transport.
pub fn config(transport: Transport) -> Config {
    let word = transport.uri_parameter();
    let server = format!("sip:192.0.2.1:5061;transport={word}");
    let contact = format!("sip:alice@192.0.2.10:40000;transport={word}");
    let mut config = Config::new(uri(OWNER), uri(&server), uri(&contact));
    config.credentials = Some(Credentials {
        realm: "example.test".to_owned(),
        username: "alice".to_owned(),
        password: "secret".to_owned(),
    });
    config.instance = Some("urn:uuid:00000000-0000-4000-8000-000000000001".to_owned());
    config
}

impl Stage {
    pub fn new(transport: Transport, config: Config) -> Self {
        Stage {
            telephone: Telephone::new(config, ChaCha20Rng::from_seed([7; 32])),
            now: Instant::ZERO,
            transport,
            listening: true,
            sockets: true,
            slow_sockets: false,
            flows: vec![],
            requests: vec![],
            responses: vec![],
            pings: 0,
            news: vec![],
            media: vec![],
            open_sockets: vec![],
        }
    }

    /// Over TLS, registered with the password.
    pub fn registered() -> Self {
        Stage::registered_with(config(Transport::Tls))
    }

    pub fn registered_with(config: Config) -> Self {
        let mut stage = Stage::new(Transport::Tls, config);
        stage.register(true);
        stage
    }

    /// Registers; the server asks for the password where `challenged` says so.
    pub fn register(&mut self, challenged: bool) {
        self.order(Order::Register);
        if challenged {
            self.challenge(&Method::Register, "example.test");
        }
        self.accept_registration();
    }

    pub fn accept_registration(&mut self) {
        let contact = self.last(&Method::Register).headers().get_text(&HeaderName::Contact);
        let contact = contact.expect("a contact").into_owned();
        self.answer_with(&Method::Register, StatusCode::OK, |draft| {
            draft.push(HeaderName::Contact, format!("{contact};expires=3600"));
        });
    }

    pub fn order(&mut self, order: Order) {
        self.input(Input::Order(order));
    }

    pub fn input(&mut self, input: Input<Order>) {
        self.telephone.handle(self.now, input);
        self.play();
    }

    /// Lets this much time go by.
    pub fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(due) = self.telephone.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.input(Input::Timeout);
        }
        self.now = until;
    }

    /// Does what the telephone wants, until it wants no more.
    fn play(&mut self) {
        while let Some(output) = self.telephone.poll_output() {
            match output {
                Output::Resolve { query, .. } => {
                    let to = Destination {
                        transport: self.transport,
                        address: ([192, 0, 2, 1], 5_061).into(),
                        server_name: Some("192.0.2.1".to_owned()),
                    };
                    self.telephone.handle(self.now, Input::Resolved { query, found: Ok(vec![to]) });
                }
                Output::Open { id, to } if self.listening => {
                    self.flows.push(id);
                    let local: SocketAddr = ([192, 0, 2, 10], 40_000).into();
                    let (transport, remote) = (to.transport, to.address);
                    let flow = Flow { transport, local, remote, origin: Origin::Opened, peer: None };
                    self.telephone.handle(self.now, Input::Opened { id, flow });
                }
                Output::Open { id, .. } => {
                    let reason = CloseReason::ConnectFailed;
                    self.telephone.handle(self.now, Input::Closed { id, reason });
                }
                Output::Transmit { bytes, .. } => match parse(bytes) {
                    Ok(Message::Request(request)) => self.requests.push(request),
                    Ok(Message::Response(response)) => self.responses.push(response),
                    Err(_) => self.pings += 1,
                },
                Output::Close { .. } => {}
                Output::Wish(wish) => self.grant(wish),
            }
        }
    }

    fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::OpenMedia { call } => {
                let port = 30_000 + u16::try_from(self.open_sockets.len()).expect("few calls") * 2;
                let at = if self.sockets { Ok(([192, 0, 2, 10], port).into()) } else { Err(NoSockets) };
                self.open_sockets.push(call);
                if self.slow_sockets {
                    return;
                }
                self.telephone.handle(self.now, Input::Order(Order::MediaOpened { call, at }));
            }
            Wish::Media { command, .. } => self.media.push(command),
            Wish::CloseMedia { call } => self.open_sockets.retain(|open| *open != call),
            Wish::Tell(news) => self.news.push(news),
        }
    }

    /// The connection of the registration breaks.
    pub fn cut(&mut self) {
        let id = self.flows.pop().expect("a connection");
        self.input(Input::Closed { id, reason: CloseReason::Broken });
    }

    #[track_caller]
    pub fn last(&self, method: &Method) -> &Request {
        let found = self.requests.iter().rev().find(|request| request.method() == method);
        found.unwrap_or_else(|| panic!("no {method} among {:?}", self.methods()))
    }

    pub fn methods(&self) -> Vec<String> {
        self.requests.iter().map(|request| request.method().to_string()).collect()
    }

    /// The status of the last response to an INVITE, and it.
    #[track_caller]
    pub fn last_response(&self) -> (u16, &Response) {
        let response = self.responses.last().expect("a response");
        (response.status().as_u16(), response)
    }

    /// Answers the last request of this method.
    pub fn answer(&mut self, method: &Method, status: StatusCode) {
        self.answer_with(method, status, |_| {});
    }

    pub fn answer_with(&mut self, method: &Method, status: StatusCode, more: impl FnOnce(&mut Draft)) {
        let mut draft = Draft::reply(self.last(method), status);
        draft.to_tag("server");
        more(&mut draft);
        self.receive(draft);
    }

    /// Asks for the password of this realm.
    pub fn challenge(&mut self, method: &Method, realm: &str) {
        let invite = *method == Method::Invite;
        let (status, name) = if invite {
            (StatusCode::PROXY_AUTHENTICATION_REQUIRED, HeaderName::ProxyAuthenticate)
        } else {
            (StatusCode::UNAUTHORIZED, HeaderName::WwwAuthenticate)
        };
        self.answer_with(method, status, |draft| {
            for algorithm in ["SHA-256", "MD5"] {
                let challenge =
                    format!("Digest realm=\"{realm}\", nonce=\"n1\", algorithm={algorithm}, qop=\"auth\"");
                draft.push(name.clone(), challenge);
            }
        });
    }

    /// Accepts the last INVITE with this description.
    pub fn accept(&mut self, description: &str) {
        let body = Bytes::copy_from_slice(description.as_bytes());
        self.answer_with(&Method::Invite, StatusCode::OK, |draft| {
            draft.push(HeaderName::Contact, "<sip:192.0.2.1:5061;transport=tls>;automata");
            draft.body("application/sdp", body);
        });
    }

    /// A message arrives on the newest connection.
    pub fn receive(&mut self, draft: Draft) {
        let id = *self.flows.last().expect("a connection");
        self.receive_on(id, draft);
    }

    pub fn receive_on(&mut self, id: FlowId, draft: Draft) {
        let message = parse(draft.print()).expect("our message is one");
        self.input(Input::Received { id, message });
    }

    /// A call that the telephone places.
    pub fn call(&mut self, target: &str) -> CallKey {
        let call = self.telephone.fresh_call();
        self.order(Order::Call(Box::new(Dial { call, target: uri(target), headers: vec![] })));
        call
    }

    pub fn call_voice_mail(&mut self, skip_pin: bool) -> CallKey {
        let call = self.telephone.fresh_call();
        self.order(Order::CallVoiceMail { call, skip_pin });
        call
    }

    /// What was told of calls, in a word each.
    pub fn told(&self) -> Vec<&'static str> {
        let words = self.news.iter().filter_map(|news| match news {
            News::Call { change, .. } => Some(match change {
                Progress::Ringing { .. } => "ringing",
                Progress::Invited(_) => "invited",
                Progress::Answered(_) => "answered",
                Progress::Held { held: true } => "held",
                Progress::Held { held: false } => "resumed",
                Progress::Redirected { .. } => "redirected",
                Progress::Transferred { .. } => "transferred",
                Progress::Replaced { .. } => "replaced",
                Progress::Sound(_) => "sound",
                Progress::Ended(_) => "ended",
            }),
            News::Registration { .. } | News::MessageWaiting { .. } => None,
        });
        words.collect()
    }

    #[track_caller]
    pub fn ended(&self) -> &Ended {
        let ended = self.news.iter().rev().find_map(|news| match news {
            News::Call { change: Progress::Ended(ended), .. } => Some(&**ended),
            _ => None,
        });
        ended.unwrap_or_else(|| panic!("no call has ended: {:?}", self.news))
    }

    pub fn registrations(&self) -> Vec<Registration> {
        let changes = self.news.iter().filter_map(|news| match news {
            News::Registration { change, .. } => Some(*change),
            News::Call { .. } | News::MessageWaiting { .. } => None,
        });
        changes.collect()
    }

    /// Somebody calls the telephone along its connection.
    pub fn invite(&mut self, invite: &Invite) {
        let draft = invite.draft();
        self.receive(draft);
    }

    /// The caller's next request: the method of `invite` changed, in the dialog where it has one.
    pub fn caller(&mut self, invite: &Invite, method: Method, more: impl FnOnce(&mut Draft)) {
        let mut draft = invite.within(method, self.responses.last());
        more(&mut draft);
        self.receive(draft);
    }
}

/// A call that comes.
pub struct Invite {
    pub from: String,
    pub to: String,
    pub call_id: String,
    pub lines: Vec<(HeaderName, String)>,
    pub offer: Option<String>,
}

impl Invite {
    pub fn from(from: &str) -> Self {
        Invite {
            from: format!("<{from}>"),
            to: format!("<{OWNER}>"),
            call_id: "a-call".to_owned(),
            lines: vec![],
            offer: Some(DESCRIPTION.to_owned()),
        }
    }

    /// From = To, as [MS-OCEXUM] 3.2 has it.
    pub fn play_on_phone() -> Self {
        let mut invite = Invite::from(OWNER);
        invite.lines.push((HeaderName::MsSensitivity, "private-no-diversion".to_owned()));
        invite
    }

    fn request(&self, method: Method, number: u32) -> Draft {
        let mut draft = Draft::request(method.clone(), &uri("sip:alice@192.0.2.10:40000;transport=tls"));
        let branch = format!("z9hG4bK-{}-{number}", self.call_id);
        draft.push(HeaderName::Via, format!("SIP/2.0/TLS 192.0.2.1:5061;branch={branch}"));
        draft.push(HeaderName::MaxForwards, "68");
        draft.push(HeaderName::From, format!("{};tag=caller", self.from));
        draft.push(HeaderName::CallId, self.call_id.as_str());
        draft.push(HeaderName::CSeq, format!("{number} {method}"));
        draft
    }

    pub fn draft(&self) -> Draft {
        let mut draft = self.request(Method::Invite, 1);
        draft.push(HeaderName::To, self.to.as_str());
        draft.push(HeaderName::Contact, "<sip:192.0.2.1:5061;transport=tls>");
        for (name, value) in &self.lines {
            draft.push(name.clone(), value.as_str());
        }
        if let Some(offer) = &self.offer {
            draft.body("application/sdp", Bytes::copy_from_slice(offer.as_bytes()));
        }
        draft
    }

    fn within(&self, method: Method, answered: Option<&Response>) -> Draft {
        // RFC 3261 9.1, 17.1.1.3: CANCEL, and ACK of a refusal, are of the INVITE's own transaction.
        let number = if matches!(method, Method::Cancel | Method::Ack) { 1 } else { 2 };
        self.within_again(method, answered, number)
    }

    /// The same under this number.
    pub fn within_again(&self, method: Method, answered: Option<&Response>, number: u32) -> Draft {
        let cancels = method == Method::Cancel;
        let mut draft = self.request(method, number);
        let tag = answered.filter(|_| !cancels).and_then(|response| response.headers().to().tag());
        let tag = tag.map(|tag| format!(";tag={tag}")).unwrap_or_default();
        draft.push(HeaderName::To, format!("{}{tag}", self.to));
        draft
    }
}
