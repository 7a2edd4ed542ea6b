//! One call as the bench and the count of allocations run it: INVITE, 200, ACK, BYE, 200 through two
//! endpoints, with printing on one side, framing and parsing on the other, and nothing else.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use umbel_node::{Flow, FlowId, Origin, Output, Transport};
use umbel_sip_endpoint::{Config, Endpoint, Event, Input, Target};
use umbel_sip_message::{
    CSeq, Draft, Framed, HeaderName, Method, Request, Response, StatusCode, Uri, frame, parse,
};
use umbel_time::Instant;

const SDP: &str = "v=0\r\no=alice 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 30000 RTP/AVP 9 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n";

const FLOW: FlowId = FlowId(2);

/// A caller, a callee, and a flow between them.
pub struct Wire {
    pub now: Instant,
    caller: Endpoint,
    callee: Endpoint,
    uri: Uri,
    calls: u64,
}

impl Wire {
    pub fn new() -> Self {
        let endpoint = |seed| Endpoint::new(Config::default(), ChaCha20Rng::seed_from_u64(seed));
        let mut wire = Wire {
            now: Instant::ZERO,
            caller: endpoint(1),
            callee: endpoint(2),
            uri: "sip:bob@192.0.2.2".parse().unwrap(),
            calls: 0,
        };
        let (local, remote): (SocketAddr, SocketAddr) =
            ("192.0.2.1:40001".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
        let transport = Transport::Tcp;
        let ours = Flow { transport, local, remote, origin: Origin::Accepted, peer: None };
        let theirs = Flow { local: remote, remote: local, ..ours.clone() };
        wire.caller.handle(wire.now, Input::Opened { id: FLOW, flow: ours });
        wire.callee.handle(wire.now, Input::Opened { id: FLOW, flow: theirs });
        while wire.caller.poll_event().is_some() || wire.callee.poll_event().is_some() {}
        wire
    }

    /// One whole call; the clock moves on by as much as 1,000 calls a second leave for one.
    pub fn call(&mut self) {
        self.calls += 1;
        let invite = self.invite();
        self.caller.request(self.now, invite, Target::Flow(FLOW));
        carry(self.now, &mut self.caller, &mut self.callee);
        self.answer();
        let Some(Event::Response { response, .. }) = self.caller.poll_event() else { panic!("a 200") };
        self.caller.send(self.now, in_dialog(&self.uri, Method::Ack, 1, &response), Target::Flow(FLOW));
        carry(self.now, &mut self.caller, &mut self.callee);
        let Some(Event::Ack { .. }) = self.callee.poll_event() else { panic!("an ACK") };
        self.caller.request(self.now, in_dialog(&self.uri, Method::Bye, 2, &response), Target::Flow(FLOW));
        carry(self.now, &mut self.caller, &mut self.callee);
        self.answer();
        let Some(Event::Response { .. }) = self.caller.poll_event() else { panic!("a 200") };
        self.pass(Duration::from_millis(1));
    }

    pub fn pass(&mut self, duration: Duration) {
        self.now += duration;
        for endpoint in [&mut self.caller, &mut self.callee] {
            if endpoint.poll_timeout().is_some_and(|at| at <= self.now) {
                endpoint.handle(self.now, Input::Timeout);
            }
        }
    }

    /// Transactions on both sides.
    pub fn transactions(&self) -> usize {
        self.caller.transaction_count() + self.callee.transaction_count()
    }

    fn answer(&mut self) {
        let Some(Event::Request { transaction, request, .. }) = self.callee.poll_event() else {
            panic!("a request")
        };
        let reply = reply(&request);
        self.callee.respond(self.now, transaction, reply);
        carry(self.now, &mut self.callee, &mut self.caller);
    }

    fn invite(&self) -> Draft {
        let mut draft = Draft::request(Method::Invite, &self.uri);
        draft
            .push(HeaderName::From, "\"Alice\" <sip:alice@example.com>;tag=9fxced76sl")
            .push(HeaderName::To, "<sip:bob@example.com>")
            .push(HeaderName::CallId, format_args!("3848276298220188511-{}@192.0.2.1", self.calls))
            .push(HeaderName::CSeq, &CSeq { number: 1, method: Method::Invite })
            .push(HeaderName::Contact, "<sip:alice@192.0.2.1;transport=tcp>")
            .push(HeaderName::Allow, "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO")
            .push(HeaderName::Supported, "timer, 100rel")
            .body("application/sdp", Bytes::from_static(SDP.as_bytes()));
        draft
    }
}

fn reply(request: &Request) -> Draft {
    let mut draft = Draft::reply(request, StatusCode::OK);
    draft.to_tag("314159");
    if *request.method() == Method::Invite {
        draft
            .push(HeaderName::Contact, "<sip:bob@192.0.2.2;transport=tcp>")
            .body("application/sdp", Bytes::from_static(SDP.as_bytes()));
    }
    draft
}

fn in_dialog(uri: &Uri, method: Method, number: u32, response: &Response) -> Draft {
    let mut draft = Draft::request(method.clone(), uri);
    let headers = response.headers();
    draft
        .copy(headers, &HeaderName::From)
        .copy(headers, &HeaderName::To)
        .copy(headers, &HeaderName::CallId)
        .push(HeaderName::CSeq, &CSeq { number, method });
    draft
}

fn carry(now: Instant, from: &mut Endpoint, to: &mut Endpoint) {
    while let Some(output) = from.poll_output() {
        let Output::Transmit { bytes, .. } = output else { panic!("only bytes leave here") };
        let Framed::Message { len } = frame(&bytes) else { panic!("a whole message") };
        assert_eq!(len, bytes.len());
        to.handle(now, Input::Received { id: FLOW, message: parse(bytes).unwrap() });
    }
}
