//! A caller in the world: it says exactly what a test tells it to, octet for octet, and hears and speaks
//! through a real media session.
//!
//! It is no user agent: it never corrects what a test wants said. That is what makes it useful here.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use umbel_media::{Clip, Command, Digit, Event, Keystroke, Parameters, PlayId, Prompt};
use umbel_node::{Destination, FlowId, Input, Node, Output, Transport};
use umbel_sdp::{Capabilities, Negotiated, PendingOffer, Session, Srtp};
use umbel_sip_message::{Draft, HeaderName, Message, Method, Request, Response, StatusCode};
use umbel_time::Instant;

use crate::sound::Sound;
use crate::{Account, Datagram, Errand, Inhabitant};

/// A telephone sends sound as long as a call lasts, silence included.
const FOR_EVER: Duration = Duration::from_secs(24 * 3_600);

/// A telephone, or any other peer that calls.
pub struct Telephone {
    address: IpAddr,
    server: Destination,
    rng: ChaCha20Rng,
    flow: Option<FlowId>,
    last_flow: u64,
    is_up: bool,
    waiting: Vec<Bytes>,
    calls: u64,
    call: Option<Call>,
    outputs: VecDeque<Output<Datagram>>,
    /// What answers a server that asks who it is, once for each call.
    pub account: Option<Account>,
    /// Whether it sends sound and hears any; one that has none is quick to simulate.
    pub has_sound: bool,
    /// Provisional responses to INVITEs, in order.
    pub progress: Vec<u16>,
    /// Final responses to INVITEs, in order; without challenges that were answered.
    pub answers: Vec<u16>,
    /// The last response to an INVITE.
    pub last_response: Option<Response>,
    /// How often the other side hung up.
    pub hung_up_on: usize,
    /// Packets of sound that came.
    pub packets: usize,
    /// When the first of them came.
    pub first_packet: Option<Instant>,
    /// What encrypts, what codec: the outcome of the last negotiation.
    pub negotiated: Option<Negotiated>,
}

/// One call of a telephone.
struct Call {
    id: String,
    from: String,
    to: String,
    remote_target: String,
    target: String,
    cseq: u32,
    branch: String,
    /// What the INVITE carries beside what all of them do, for the second try.
    lines: Vec<String>,
    body: String,
    hops: u8,
    has_proved: bool,
    /// CSeq of the INVITE that began it.
    invited_at: u32,
    /// The servers that stay in the path, nearest first (RFC 3261 12.1.2).
    routes: Vec<String>,
    is_answered: bool,
    is_over: bool,
    session: Session,
    pending: Option<PendingOffer>,
    sound: Sound,
    plays: u64,
}

impl Call {
    /// RFC 3261 12.1.2: with whom it is.
    fn meet(&mut self, response: &Response) {
        self.to = to_of(response);
        let headers = response.headers();
        if let Some(contact) = headers.contacts().ok().and_then(|c| c.first().map(|a| a.uri.to_string())) {
            self.remote_target = contact;
        }
        if !self.is_answered || self.cseq == self.invited_at {
            let routes = headers.all(&HeaderName::RecordRoute);
            self.routes = routes.map(|route| String::from_utf8_lossy(&route).into_owned()).collect();
            self.routes.reverse();
        }
        self.is_answered = true;
    }
}

/// How a call is placed.
#[derive(Clone, Debug)]
pub struct Invite {
    /// The Request-URI.
    pub target: String,
    /// The value of From, without its tag.
    pub from: String,
    /// The value of To; the target where none is given.
    pub to: Option<String>,
    /// Further header lines.
    pub lines: Vec<String>,
    /// Whether there is an offer.
    pub offer: Offer,
    /// When audio is encrypted.
    pub srtp: Srtp,
    /// Max-Forwards.
    pub hops: u8,
}

/// What an INVITE carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// An offer of ours.
    Ours,
    /// Nothing: the other side makes the offer.
    None,
    /// These octets, whatever they are.
    Text(String),
}

impl Invite {
    /// A call to `target` by `from`, with an offer of plain audio.
    pub fn new(target: &str, from: &str) -> Invite {
        Invite {
            target: target.to_owned(),
            from: format!("<sip:{from}>"),
            to: None,
            lines: Vec::new(),
            offer: Offer::Ours,
            srtp: Srtp::Off,
            hops: 70,
        }
    }

    /// With this header line.
    #[must_use]
    pub fn line(mut self, line: &str) -> Invite {
        self.lines.push(line.to_owned());
        self
    }

    /// With `Ms-Exchange-Command: skip-pin`.
    #[must_use]
    pub fn skip_pin(self) -> Invite {
        self.line("Ms-Exchange-Command: skip-pin")
    }

    /// With this instead of an offer of ours.
    #[must_use]
    pub fn offering(mut self, offer: Offer) -> Invite {
        self.offer = offer;
        self
    }

    /// With audio encrypted as this says.
    #[must_use]
    pub fn srtp(mut self, srtp: Srtp) -> Invite {
        self.srtp = srtp;
        self
    }
}

/// What a telephone can be told.
#[derive(Debug)]
pub enum Do {
    /// Place a call, in place of the last one.
    Call(Box<Invite>),
    /// Press these keys: 0-9, `*`, `#`, and `,` for a pause of half a second.
    Press(&'static str),
    /// Press one key by INFO.
    PressByInfo(char),
    /// Speak for this long, and be quiet after that.
    Speak(Duration),
    /// Offer a change of the session, with these further header lines.
    Reinvite(Offer, Vec<String>),
    /// Send a request within the call, with these header lines.
    Request(Method, Vec<String>),
    /// Hang up.
    HangUp,
    /// Give up before there is an answer.
    Cancel,
    /// Send these octets.
    Say(Bytes),
    /// Stop sending sound, as if the cable were cut.
    FallSilent,
    /// A packet came.
    Packet(Datagram),
}

impl Telephone {
    /// A telephone at this address that calls this server.
    pub fn new(address: IpAddr, server: Destination, rng: ChaCha20Rng) -> Telephone {
        Telephone {
            address,
            server,
            rng,
            flow: None,
            last_flow: 1,
            is_up: false,
            waiting: Vec::new(),
            calls: 0,
            call: None,
            outputs: VecDeque::new(),
            account: None,
            has_sound: true,
            progress: Vec::new(),
            answers: Vec::new(),
            last_response: None,
            hung_up_on: 0,
            packets: 0,
            first_packet: None,
            negotiated: None,
        }
    }

    /// The Call-ID of the last call.
    pub fn call_id(&self) -> String {
        self.call.as_ref().map(|call| call.id.clone()).unwrap_or_default()
    }

    /// The value of Replaces that names the last call to its other side (RFC 3891 3).
    pub fn replaces(&self) -> String {
        let tag = |party: &str| party.rsplit_once(";tag=").map(|(_, tag)| tag.to_owned()).unwrap_or_default();
        let call = self.call.as_ref();
        let named =
            call.map(|call| format!("{};to-tag={};from-tag={}", call.id, tag(&call.to), tag(&call.from)));
        named.unwrap_or_default()
    }

    /// Whether the last call is up.
    pub fn is_talking(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.is_answered && !call.is_over)
    }

    fn send(&mut self, bytes: Bytes) {
        match self.flow {
            Some(id) if self.is_up => self.outputs.push_back(Output::Transmit { id, bytes }),
            Some(_) => self.waiting.push(bytes),
            None => {
                self.last_flow += 2;
                let id = FlowId(self.last_flow);
                self.flow = Some(id);
                self.waiting.push(bytes);
                self.outputs.push_back(Output::Open { id, to: self.server.clone() });
            }
        }
    }

    fn place(&mut self, invite: Invite) {
        self.calls += 1;
        let number = self.calls;
        let port = 4_000 + u16::try_from(number % 1_000).unwrap_or(0) * 2;
        let at = SocketAddr::new(self.address, port);
        let capabilities = Capabilities {
            codecs: vec![umbel_sdp::Codec::Pcmu],
            srtp: invite.srtp,
            address: self.address,
            port,
        };
        let over_tls = self.server.transport == Transport::Tls;
        let mut session = Session::new(capabilities, over_tls, &mut self.rng);
        let mut pending = None;
        let body = match &invite.offer {
            Offer::Ours => {
                let (offer, waits) = session
                    .offer(umbel_sdp::Direction::SendRecv, &mut self.rng)
                    .expect("tests offer what can be offered");
                pending = Some(waits);
                String::from_utf8_lossy(&offer).into_owned()
            }
            Offer::None => String::new(),
            Offer::Text(text) => text.clone(),
        };
        let call = Call {
            id: format!("call-{number}@{}", self.address),
            from: format!("{};tag=t{number}", invite.from),
            to: invite.to.unwrap_or_else(|| format!("<{}>", invite.target)),
            remote_target: invite.target.clone(),
            target: invite.target,
            cseq: 1,
            branch: format!("z9hG4bK-{}-{number}", self.address),
            lines: invite.lines,
            body,
            hops: invite.hops,
            has_proved: false,
            invited_at: 1,
            routes: Vec::new(),
            is_answered: false,
            is_over: false,
            session,
            pending,
            sound: Sound::new(at, ChaCha20Rng::from_rng(&mut self.rng)),
            plays: 0,
        };
        let text = self.text(&call, "INVITE", &call.target, &call.branch, &call.lines, &call.body);
        self.call = Some(call);
        self.packets = 0;
        self.first_packet = None;
        self.send(text);
    }

    fn text(
        &self,
        call: &Call,
        method: &str,
        target: &str,
        branch: &str,
        lines: &[String],
        body: &str,
    ) -> Bytes {
        let via = self.server.transport.via_token();
        let mut text = format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/{via} {};branch={branch}\r\nMax-Forwards: {}\r\n\
             From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {} {method}\r\nContact: <sip:{};transport={}>\r\n",
            self.address,
            call.hops,
            call.from,
            call.to,
            call.id,
            call.cseq,
            self.address,
            self.server.transport.uri_parameter(),
        );
        for route in call.routes.iter().filter(|_| call.is_answered) {
            text.push_str(&format!("Route: {route}\r\n"));
        }
        for line in lines {
            text.push_str(line);
            text.push_str("\r\n");
        }
        if !body.is_empty() && !lines.iter().any(|line| line.starts_with("Content-Type")) {
            text.push_str("Content-Type: application/sdp\r\n");
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        Bytes::from(text)
    }

    /// Sends a request within the call.
    fn request(&mut self, method: &str, lines: &[String], body: &str) {
        let Some(mut call) = self.call.take() else { return };
        if call.is_answered && !call.is_over {
            call.cseq += 1;
            let branch = format!("{}-{}", call.branch, call.cseq);
            let bytes = self.text(&call, method, &call.remote_target.clone(), &branch, lines, body);
            self.send(bytes);
        }
        self.call = Some(call);
    }

    fn received(&mut self, now: Instant, flow: FlowId, message: Message) {
        match message {
            Message::Request(request) => self.requested(flow, &request),
            Message::Response(response) => self.responded(now, response),
        }
    }

    fn requested(&mut self, flow: FlowId, request: &Request) {
        if *request.method() == Method::Ack {
            return;
        }
        let is_ours =
            self.call.as_ref().is_some_and(|call| call.id == request.headers().call_id() && !call.is_over);
        let status = if is_ours || *request.method() == Method::Options {
            StatusCode::OK
        } else {
            StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST
        };
        if is_ours && *request.method() == Method::Bye {
            self.hung_up_on += 1;
            if let Some(call) = &mut self.call {
                call.is_over = true;
                call.sound.command(Instant::ZERO, Command::Stop);
            }
        }
        self.outputs.push_back(Output::Transmit { id: flow, bytes: Draft::reply(request, status).print() });
    }

    fn responded(&mut self, now: Instant, response: Response) {
        let (method, status) = (response.headers().cseq().method.clone(), response.status());
        if method == Method::Invite && !status.is_final() {
            self.progress.push(status.as_u16());
        }
        if method != Method::Invite || !status.is_final() {
            return;
        }
        let Some(mut call) = self.call.take() else { return };
        if call.id == response.headers().call_id() {
            if self.prove(&mut call, &response) {
                self.call = Some(call);
                return;
            }
            self.answered(now, &mut call, &response);
            self.answers.push(status.as_u16());
            self.last_response = Some(response);
        }
        self.call = Some(call);
    }

    /// RFC 3261 22.2: the same again, with credentials. Whether that was done.
    fn prove(&mut self, call: &mut Call, response: &Response) -> bool {
        let line = match &mut self.account {
            Some(account) if !call.has_proved => account.answer(response, &Method::Invite, &call.target),
            _ => None,
        };
        let Some(line) = line else { return false };
        let was = std::mem::replace(&mut call.to, to_of(response));
        let ack = self.text(call, "ACK", &call.target, &call.branch, &[], "");
        call.to = was;
        call.has_proved = true;
        call.cseq += 1;
        call.invited_at = call.cseq;
        call.branch.push_str("-proved");
        let mut lines = call.lines.clone();
        lines.push(line);
        let again = self.text(call, "INVITE", &call.target, &call.branch, &lines, &call.body);
        self.send(ack);
        self.send(again);
        true
    }

    fn answered(&mut self, now: Instant, call: &mut Call, response: &Response) {
        let status = response.status();
        if !status.is_success() {
            let with_tag = to_of(response);
            let was = std::mem::replace(&mut call.to, with_tag);
            // RFC 3261 17.1.1.3: within the transaction.
            let branch =
                if call.is_answered { format!("{}-{}", call.branch, call.cseq) } else { call.branch.clone() };
            let target = if call.is_answered { call.remote_target.clone() } else { call.target.clone() };
            let bytes = self.text(call, "ACK", &target, &branch, &[], "");
            call.to = was;
            call.is_over = !call.is_answered;
            return self.send(bytes);
        }
        if call.is_answered && call.cseq == call.invited_at && call.to != to_of(response) {
            return self.leave_to_the_first(call, response);
        }
        let was_answered = call.is_answered;
        call.meet(response);
        let body = response.body();
        let mut ack_body = String::new();
        let negotiated = match call.pending.take() {
            _ if !self.has_sound => None,
            Some(pending) => call.session.complete(pending, body).ok(),
            None => match call.session.answer(body, &mut self.rng) {
                Ok((answer, negotiated)) if !was_answered => {
                    ack_body = String::from_utf8_lossy(&answer).into_owned();
                    Some(negotiated)
                }
                _ => None,
            },
        };
        if let Some(negotiated) = negotiated {
            if let Some(parameters) = Parameters::of(&negotiated, false) {
                call.sound.command(now, Command::Update(parameters));
            }
            if !was_answered {
                let clips = vec![Clip::Silence(FOR_EVER)];
                call.sound.command(now, Command::Play { id: PlayId(0), clips, from: Duration::ZERO });
            }
            self.negotiated = Some(negotiated);
        }
        let branch = format!("{}-ack-{}", call.branch, call.cseq);
        let bytes = self.text(call, "ACK", &call.remote_target.clone(), &branch, &[], &ack_body);
        self.send(bytes);
    }

    /// RFC 3261 13.2.2.4: somebody else has answered as well.
    fn leave_to_the_first(&mut self, call: &mut Call, response: &Response) {
        let first = (call.to.clone(), call.remote_target.clone(), call.routes.clone());
        let cseq = call.cseq;
        call.meet(response);
        let tag = response.headers().to().tag().unwrap_or_default().to_owned();
        let branch = |what: &str| format!("{}-{what}-{tag}", call.branch);
        let (ack, bye) = (branch("ack"), branch("bye"));
        let ack = self.text(call, "ACK", &call.remote_target, &ack, &[], "");
        call.cseq += 1;
        let bye = self.text(call, "BYE", &call.remote_target, &bye, &[], "");
        call.cseq = cseq;
        (call.to, call.remote_target, call.routes) = first;
        self.send(ack);
        self.send(bye);
    }

    fn act(&mut self, now: Instant, what: Do) {
        match what {
            Do::Call(invite) => self.place(*invite),
            Do::Press(keys) => self.sound(now, Command::SendDigits(keys.chars().map(keystroke).collect())),
            Do::PressByInfo(key) => {
                let lines = ["Content-Type: application/dtmf-relay".to_owned()];
                self.request("INFO", &lines, &format!("Signal={key}\r\nDuration=160\r\n"));
            }
            Do::Speak(length) => {
                let id = self.call.as_mut().map_or(0, |call| {
                    call.plays += 1;
                    call.plays
                });
                let clips = vec![Clip::Prompt(Arc::new(speech(length))), Clip::Silence(FOR_EVER)];
                self.sound(now, Command::Play { id: PlayId(id), clips, from: Duration::ZERO });
            }
            Do::Reinvite(offer, lines) => self.reinvite(offer, &lines),
            Do::Request(method, lines) => self.request(&method.to_string(), &lines, ""),
            Do::HangUp => {
                self.request("BYE", &[], "");
                if let Some(call) = &mut self.call {
                    call.is_over = true;
                }
                self.sound(now, Command::Stop);
            }
            Do::Cancel => {
                if let Some(call) = self.call.take() {
                    let bytes = self.text(&call, "CANCEL", &call.target, &call.branch, &[], "");
                    self.call = Some(call);
                    self.send(bytes);
                }
            }
            Do::Say(bytes) => self.send(bytes),
            Do::FallSilent => {
                if let Some(call) = &mut self.call {
                    call.sound =
                        Sound::new(SocketAddr::new(self.address, 1), ChaCha20Rng::from_rng(&mut self.rng));
                }
            }
            Do::Packet(datagram) => self.packet(now, &datagram),
        }
    }

    fn reinvite(&mut self, offer: Offer, lines: &[String]) {
        let Some(call) = &mut self.call else { return };
        let body = match offer {
            Offer::Ours => match call.session.offer(umbel_sdp::Direction::SendRecv, &mut self.rng) {
                Ok((offer, pending)) => {
                    call.pending = Some(pending);
                    String::from_utf8_lossy(&offer).into_owned()
                }
                Err(_) => return,
            },
            Offer::None => String::new(),
            Offer::Text(text) => text,
        };
        self.request("INVITE", lines, &body);
    }

    fn packet(&mut self, now: Instant, datagram: &Datagram) {
        let Some(call) = &mut self.call else { return };
        if datagram.to.port().is_multiple_of(2) && call.sound.datagram(now, datagram) {
            self.packets += 1;
            self.first_packet.get_or_insert(now);
        }
    }

    fn sound(&mut self, now: Instant, command: Command) {
        if let Some(call) = &mut self.call {
            call.sound.command(now, command);
        }
    }
}

impl Node for Telephone {
    type Order = Do;
    type Wish = Datagram;

    fn handle(&mut self, now: Instant, input: Input<Do>) {
        match input {
            Input::Order(what) => self.act(now, what),
            Input::Opened { id, .. } if self.flow == Some(id) => {
                self.is_up = true;
                for bytes in std::mem::take(&mut self.waiting) {
                    self.outputs.push_back(Output::Transmit { id, bytes });
                }
            }
            Input::Received { id, message } => self.received(now, id, message),
            Input::Closed { id, .. } if self.flow == Some(id) => {
                self.flow = None;
                self.is_up = false;
            }
            Input::Timeout => {
                if let Some(call) = &mut self.call {
                    call.sound.timeout(now);
                }
            }
            Input::Opened { .. }
            | Input::Closed { .. }
            | Input::Reverified { .. }
            | Input::Malformed { .. }
            | Input::Resolved { .. } => {}
        }
        if let Some(call) = &mut self.call {
            let (datagrams, events) = call.sound.poll();
            // Nobody is told what a telephone hears.
            drop::<Vec<Event>>(events);
            if !call.is_over {
                self.outputs.extend(datagrams.into_iter().map(Output::Wish));
            }
        }
    }

    fn poll_output(&mut self) -> Option<Output<Datagram>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.call.as_ref().filter(|call| !call.is_over).and_then(|call| call.sound.poll_timeout())
    }
}

impl Inhabitant for Telephone {
    fn carry_out(&mut self, _: Instant, datagram: Datagram) -> Vec<Errand<Do>> {
        vec![Errand::Datagram(datagram)]
    }

    fn datagram(&mut self, _: Instant, datagram: Datagram) -> Option<Do> {
        Some(Do::Packet(datagram))
    }
}

fn to_of(response: &Response) -> String {
    let to = response.headers().to();
    let tag = to.tag().map(|tag| format!(";tag={tag}")).unwrap_or_default();
    format!("<{}>{tag}", to.uri)
}

fn keystroke(key: char) -> Keystroke {
    match Digit::try_from(key) {
        Ok(digit) => Keystroke::Press(digit),
        Err(_) => Keystroke::Wait(Duration::from_millis(500)),
    }
}

/// Something loud enough to be speech.
fn speech(length: Duration) -> Prompt {
    let count = 8 * usize::try_from(length.as_millis()).unwrap_or_default();
    let square: Vec<i16> = (0..count.max(8)).map(|at| if at % 16 < 8 { 6_000 } else { -6_000 }).collect();
    Prompt::new(&square, 8_000).expect("samples of an ordinary rate")
}
