//! Whoever is called: a telephone that registers, a gateway, another server. What it does with calls is set
//! by the test, call by call.
//!
//! It says what a test wants said, like [`crate::Telephone`]; but it has no sound, and takes any number of
//! calls at once.

mod watching;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use umbel_node::{Destination, FlowId, Input, Node, Output};
use umbel_sip_message::{Draft, HeaderName, Message, Method, Request, Response, StatusCode};
use umbel_time::{Instant, Timers};

use crate::{Account, Inhabitant};
use watching::Watching;

/// How soon after a lost connection, or a registration that failed, the next is tried.
const REGISTERS_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// What it asks for when it registers.
const EXPIRES: Duration = Duration::from_secs(600);
/// Audio in clear that nobody will ever send.
const ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.254\r\ns=-\r\nc=IN IP4 192.0.2.254\r\nt=0 0\r\n\
    m=audio 9000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

/// Whoever is called.
pub struct Callee {
    address: IpAddr,
    /// Where requests within a call go to.
    contact: String,
    registration: Option<Registration>,
    watching: Watching,
    flow: Option<FlowId>,
    is_up: bool,
    last_flow: u64,
    last_tag: u64,
    calls: BTreeMap<Key, Call>,
    timers: Timers<Alarm>,
    outputs: VecDeque<Output<std::convert::Infallible>>,
    /// What it does with the next call.
    pub manner: Manner,
    /// INVITEs that came, without those within a call.
    pub invites: Vec<Request>,
    /// CANCELs that came.
    pub cancels: Vec<Request>,
    /// Final responses to its REGISTERs.
    pub registrations: Vec<u16>,
    /// What the lamp shows: new and old messages, as it was last told (RFC 3842).
    pub lamp: Option<(u32, u32)>,
    /// All that the lamp has ever shown.
    pub lamps: Vec<(u32, u32)>,
}

/// Via branch, which names a call until it has tags.
type Key = String;

struct Registration {
    server: Destination,
    user: String,
    domain: String,
    account: Account,
    cseq: u32,
    is_wanted: bool,
    /// It was told to unregister, and the server has not taken note yet.
    is_leaving: bool,
    is_proved: bool,
}

struct Call {
    flow: FlowId,
    invite: Request,
    tag: String,
    state: State,
    then: Then,
    cseq: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ringing,
    Answered,
    Over,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    Register,
    Subscribe,
    Decide(Key),
}

/// What somebody does with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Whether 180 is said at once.
    pub rings: bool,
    /// When it is decided.
    pub after: Duration,
    /// How it is decided.
    pub then: Then,
}

/// How it is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// Not at all.
    Nothing,
    /// It is answered.
    Answer,
    /// It is answered, and nobody there wants to hear anything.
    AnswerWith(Audio),
    /// It is refused.
    Refuse(StatusCode),
    /// It is pushed elsewhere: 302, 303, and where to.
    Deflect(StatusCode, String),
}

/// What somebody who answers wants to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audio {
    /// Nothing at all: port 0 (RFC 3264 6).
    Refused,
    /// Nothing now: `inactive`.
    Inactive,
    /// Nothing now, and to be heard all the same: `sendonly`.
    SendOnly,
}

impl Audio {
    fn answer(self) -> String {
        match self {
            Audio::Refused => ANSWER.replace("m=audio 9000", "m=audio 0"),
            Audio::Inactive => format!("{ANSWER}a=inactive\r\n"),
            Audio::SendOnly => format!("{ANSWER}a=sendonly\r\n"),
        }
    }
}

impl Manner {
    /// Rings, and is answered after so many seconds.
    pub fn answers_after(seconds: u64) -> Manner {
        Manner { rings: true, after: Duration::from_secs(seconds), then: Then::Answer }
    }

    /// Is answered without ringing: a voice mail server.
    pub fn answers() -> Manner {
        Manner { rings: false, after: Duration::ZERO, then: Then::Answer }
    }

    /// Rings as long as one lets it.
    pub fn rings() -> Manner {
        Manner { rings: true, after: Duration::ZERO, then: Then::Nothing }
    }

    /// Says nothing at all.
    pub fn silent() -> Manner {
        Manner { rings: false, after: Duration::ZERO, then: Then::Nothing }
    }

    /// Refuses at once: 486, 503.
    pub fn refuses(status: u16) -> Manner {
        let status = StatusCode::new(status).expect("tests use status codes");
        Manner { rings: false, after: Duration::ZERO, then: Then::Refuse(status) }
    }

    /// Rings, and is refused after so many seconds: 603.
    pub fn refuses_after(seconds: u64, status: u16) -> Manner {
        Manner { rings: true, after: Duration::from_secs(seconds), ..Manner::refuses(status) }
    }

    /// Rings, and pushes the call elsewhere after so many seconds.
    pub fn deflects_after(seconds: u64, status: u16, to: &str) -> Manner {
        let status = StatusCode::new(status).expect("tests use status codes");
        let then = Then::Deflect(status, to.to_owned());
        Manner { rings: true, after: Duration::from_secs(seconds), then }
    }

    /// Points elsewhere at once.
    pub fn redirects(status: u16, to: &str) -> Manner {
        Manner { rings: false, ..Manner::deflects_after(0, status, to) }
    }
}

/// What a callee can be told.
#[derive(Debug)]
pub enum Do {
    /// Register, and stay registered.
    Register,
    /// Register no longer, and say so.
    Unregister,
    /// Subscribe to the own mailbox, and stay subscribed.
    Subscribe,
    /// Subscribe no longer, and say so.
    Unsubscribe,
    /// Hang up all calls.
    HangUp,
}

impl Callee {
    /// Somebody who is called at a URI and does not register.
    pub fn new(address: IpAddr, contact: &str, manner: Manner) -> Callee {
        Callee {
            address,
            contact: contact.to_owned(),
            registration: None,
            watching: Watching::default(),
            flow: None,
            is_up: false,
            last_flow: 1,
            last_tag: 0,
            calls: BTreeMap::new(),
            timers: Timers::new(),
            outputs: VecDeque::new(),
            manner,
            invites: Vec::new(),
            cancels: Vec::new(),
            registrations: Vec::new(),
            lamp: None,
            lamps: Vec::new(),
        }
    }

    /// A telephone of this user, registered at this server once it is told to.
    pub fn registered(
        address: IpAddr,
        manner: Manner,
        server: Destination,
        (user, domain): (&str, &str),
        account: Account,
    ) -> Callee {
        let registration = Registration {
            server,
            user: user.to_owned(),
            domain: domain.to_owned(),
            account,
            cseq: 0,
            is_wanted: false,
            is_leaving: false,
            is_proved: false,
        };
        let transport = registration.server.transport.uri_parameter();
        let contact = format!("sip:{user}@{address};transport={transport}");
        Callee { registration: Some(registration), ..Callee::new(address, &contact, manner) }
    }

    /// Calls that ring here.
    pub fn ringing(&self) -> usize {
        self.calls.values().filter(|call| call.state == State::Ringing).count()
    }

    /// Calls that were answered and go on.
    pub fn talking(&self) -> usize {
        self.calls.values().filter(|call| call.state == State::Answered).count()
    }

    /// Forgets the calls that are over, and those that it will never decide.
    pub fn forget_calls(&mut self) {
        for key in std::mem::take(&mut self.calls).into_keys() {
            self.timers.disarm(&Alarm::Decide(key));
        }
    }

    fn open(&mut self, to: Destination) {
        self.last_flow += 2;
        let id = FlowId(self.last_flow);
        self.flow = Some(id);
        self.is_up = false;
        self.outputs.push_back(Output::Open { id, to });
    }

    fn register(&mut self, expires: Duration, credentials: Option<&str>) {
        let Some(registration) = &mut self.registration else { return };
        let Some(id) = self.flow.filter(|_| self.is_up) else {
            let server = registration.server.clone();
            if self.flow.is_none() {
                self.open(server);
            }
            return;
        };
        registration.cseq += 1;
        let Registration { user, domain, cseq, server, .. } = registration;
        let (address, transport) = (self.address, server.transport);
        let mut text = format!(
            "REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/{} {address};branch=z9hG4bK-r-{address}-{cseq}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@{domain}>;tag=r{cseq}\r\nTo: <sip:{user}@{domain}>\r\n\
             Call-ID: register@{address}\r\nCSeq: {cseq} REGISTER\r\nSupported: path, outbound\r\n\
             Contact: <{}>;+sip.instance=\"<urn:x:{address}>\";reg-id=1\r\n\
             Expires: {}\r\n",
            transport.via_token(),
            self.contact,
            expires.as_secs(),
        );
        if let Some(credentials) = credentials {
            text.push_str(credentials);
            text.push_str("\r\n");
        }
        text.push_str("Content-Length: 0\r\n\r\n");
        self.outputs.push_back(Output::Transmit { id, bytes: Bytes::from(text) });
    }

    /// Whether the server is to hear of it.
    fn is_to_tell(&self) -> bool {
        let registration = self.registration.as_ref();
        registration.is_some_and(|registration| registration.is_wanted || registration.is_leaving)
    }

    fn wanted(&self) -> Duration {
        let is_wanted = self.registration.as_ref().is_some_and(|registration| registration.is_wanted);
        if is_wanted { EXPIRES } else { Duration::ZERO }
    }

    fn responded(&mut self, now: Instant, response: &Response) {
        if *response.headers().method() == Method::Subscribe && response.status().is_final() {
            return self.subscribed(now, response);
        }
        if *response.headers().method() != Method::Register || !response.status().is_final() {
            return;
        }
        let wanted = self.wanted();
        let Some(registration) = &mut self.registration else { return };
        if !registration.is_proved {
            let uri = format!("sip:{}", registration.domain);
            if let Some(line) = registration.account.answer(response, &Method::Register, &uri) {
                registration.is_proved = true;
                return self.register(wanted, Some(&line));
            }
        }
        registration.is_proved = false;
        self.registrations.push(response.status().as_u16());
        let is_done = response.status().is_success();
        registration.is_leaving &= !is_done;
        if !wanted.is_zero() || registration.is_leaving {
            let next = if is_done { EXPIRES / 2 } else { REGISTERS_AGAIN_AFTER };
            self.timers.arm(Alarm::Register, now + next);
            if is_done && self.watching.wants_to_begin() {
                self.subscribe(None);
            }
        }
    }

    fn requested(&mut self, now: Instant, flow: FlowId, request: Request) {
        let begins = request.headers().to().tag().is_none();
        match request.method() {
            Method::Invite if begins => self.invited(now, flow, request),
            Method::Cancel => self.cancelled(flow, request),
            Method::Ack => {}
            Method::Notify => self.notified(now, flow, &request),
            Method::Bye => {
                let call = self.calls.values_mut().find(|call| {
                    call.invite.headers().call_id() == request.headers().call_id()
                        && Some(call.tag.as_str()) == request.headers().to().tag()
                });
                let status = match call {
                    Some(call) if call.state == State::Answered => {
                        call.state = State::Over;
                        StatusCode::OK
                    }
                    _ => StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST,
                };
                self.say(flow, Draft::reply(&request, status));
            }
            _ => self.say(flow, Draft::reply(&request, StatusCode::OK)),
        }
    }

    fn invited(&mut self, now: Instant, flow: FlowId, invite: Request) {
        self.last_tag += 1;
        let key = branch(&invite);
        let Manner { rings, after, then } = self.manner.clone();
        let tag = format!("{}-{}", self.address, self.last_tag);
        let call = Call { flow, invite: invite.clone(), tag, state: State::Ringing, then, cseq: 0 };
        self.invites.push(invite);
        if rings {
            self.say(flow, reply(&call, StatusCode::RINGING));
        }
        let decides = call.then != Then::Nothing;
        self.calls.insert(key.clone(), call);
        if decides && after.is_zero() {
            self.decide(&key);
        } else if decides {
            self.timers.arm(Alarm::Decide(key), now + after);
        }
    }

    fn answer(&self, call: &Call, session: String) -> Draft {
        let mut draft = reply(call, StatusCode::OK);
        draft.copy(call.invite.headers(), &HeaderName::RecordRoute);
        draft.push(HeaderName::Contact, format_args!("<{}>", self.contact));
        draft.body("application/sdp", session);
        draft
    }

    fn decide(&mut self, key: &Key) {
        let Some(call) = self.calls.get(key).filter(|call| call.state == State::Ringing) else { return };
        let (draft, state) = match &call.then {
            Then::Nothing => return,
            Then::Answer => (self.answer(call, ANSWER.to_owned()), State::Answered),
            Then::AnswerWith(audio) => (self.answer(call, audio.answer()), State::Answered),
            Then::Refuse(status) => (reply(call, *status), State::Over),
            Then::Deflect(status, to) => {
                let mut draft = reply(call, *status);
                draft.push(HeaderName::Contact, format_args!("<{to}>"));
                (draft, State::Over)
            }
        };
        let flow = call.flow;
        if let Some(call) = self.calls.get_mut(key) {
            call.state = state;
        }
        self.say(flow, draft);
    }

    fn cancelled(&mut self, flow: FlowId, cancel: Request) {
        let key = branch(&cancel);
        self.timers.disarm(&Alarm::Decide(key.clone()));
        self.say(flow, Draft::reply(&cancel, StatusCode::OK));
        self.cancels.push(cancel);
        let Some(call) = self.calls.get_mut(&key).filter(|call| call.state == State::Ringing) else { return };
        call.state = State::Over;
        let draft = reply(call, StatusCode::REQUEST_TERMINATED);
        self.say(flow, draft);
    }

    fn hang_up(&mut self) {
        let talking = self.calls.iter_mut().filter(|(_, call)| call.state == State::Answered);
        let byes: Vec<_> = talking.filter_map(|(key, call)| Some((call.flow, bye(key, call)?))).collect();
        for (id, bytes) in byes {
            self.outputs.push_back(Output::Transmit { id, bytes });
        }
    }

    fn closed(&mut self, now: Instant, id: FlowId) {
        let gone: Vec<Key> =
            self.calls.iter().filter(|(_, call)| call.flow == id).map(|(key, _)| key.clone()).collect();
        for key in gone {
            self.timers.disarm(&Alarm::Decide(key.clone()));
            if let Some(call) = self.calls.get_mut(&key) {
                call.state = State::Over;
            }
        }
        if self.flow == Some(id) {
            self.flow = None;
            self.is_up = false;
            self.watching.is_over();
            if let Some(registration) = &mut self.registration {
                registration.is_proved = false;
                self.timers.arm(Alarm::Register, now + REGISTERS_AGAIN_AFTER);
            }
        }
    }

    fn say(&mut self, id: FlowId, draft: Draft) {
        self.outputs.push_back(Output::Transmit { id, bytes: draft.print() });
    }

    fn act(&mut self, what: &Do) {
        match what {
            Do::Register | Do::Unregister => {
                if let Some(registration) = &mut self.registration {
                    registration.is_wanted = matches!(what, Do::Register);
                    registration.is_leaving = !registration.is_wanted;
                    registration.is_proved = false;
                }
                self.timers.disarm(&Alarm::Register);
                self.register(self.wanted(), None);
            }
            Do::Subscribe | Do::Unsubscribe => {
                self.watching.is_wanted = matches!(what, Do::Subscribe);
                self.subscribe(None);
            }
            Do::HangUp => self.hang_up(),
        }
    }
}

impl Node for Callee {
    type Order = Do;
    type Wish = std::convert::Infallible;

    fn handle(&mut self, now: Instant, input: Input<Do>) {
        match input {
            Input::Order(what) => self.act(&what),
            Input::Opened { id, .. } if self.flow == Some(id) => {
                self.is_up = true;
                self.register(self.wanted(), None);
            }
            Input::Received { id, message: Message::Request(request) } => self.requested(now, id, request),
            Input::Received { message: Message::Response(response), .. } => self.responded(now, &response),
            Input::Closed { id, .. } => self.closed(now, id),
            Input::Timeout => {
                while let Some(alarm) = self.timers.expired(now) {
                    match alarm {
                        Alarm::Register if self.is_to_tell() => self.register(self.wanted(), None),
                        Alarm::Register => {}
                        Alarm::Subscribe if self.watching.is_wanted => self.subscribe(None),
                        Alarm::Subscribe => {}
                        Alarm::Decide(key) => self.decide(&key),
                    }
                }
            }
            Input::Opened { .. }
            | Input::Reverified { .. }
            | Input::Malformed { .. }
            | Input::Resolved { .. } => {}
        }
    }

    fn poll_output(&mut self) -> Option<Output<Self::Wish>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }
}

impl Inhabitant for Callee {}

fn branch(request: &Request) -> Key {
    request.headers().via().branch().unwrap_or_default().to_owned()
}

fn reply(call: &Call, status: StatusCode) -> Draft {
    let mut draft = Draft::reply(&call.invite, status);
    draft.to_tag(&call.tag);
    draft
}

/// RFC 3261 12.2.1.1: within the dialog, along the Record-Route as it came.
fn bye(key: &Key, call: &mut Call) -> Option<Bytes> {
    call.state = State::Over;
    call.cseq += 1;
    let headers = call.invite.headers();
    let target = headers.contacts().ok()?.first()?.uri.to_string();
    let value =
        |name: &HeaderName| String::from_utf8_lossy(&headers.get(name).unwrap_or_default()).into_owned();
    let via = value(&HeaderName::Via);
    let transport = via.split_whitespace().next().unwrap_or("SIP/2.0/TLS");
    let mut text = format!(
        "BYE {target} SIP/2.0\r\nVia: {transport} 192.0.2.254;branch={key}-bye\r\nMax-Forwards: 70\r\n"
    );
    for route in headers.all(&HeaderName::RecordRoute) {
        text.push_str(&format!("Route: {}\r\n", String::from_utf8_lossy(&route)));
    }
    text.push_str(&format!(
        "From: {};tag={}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {} BYE\r\nContent-Length: 0\r\n\r\n",
        value(&HeaderName::To),
        call.tag,
        value(&HeaderName::From),
        headers.call_id(),
        call.cseq,
    ));
    Some(Bytes::from(text))
}
