//! The telephone's side of [MS-OCEXUM] 3.1.1, seen on the wire: what it sends, and what it does with what comes.

use std::net::SocketAddr;

use rand_core::SeedableRng;
use umbel_node::{Destination, Flow, FlowId, Origin, Output, Transport};
use umbel_sdp::{Codec, Srtp};
use umbel_sip_message::{Draft, Message, Method, Request, StatusCode, Uri, parse};
use umbel_ua::{Contacts, Way};

use super::*;

/// A telephone, and a server that we play.
struct Stage {
    call: Call,
    now: Instant,
    flow: Option<FlowId>,
    sent: Vec<Request>,
    news: Vec<News>,
    media: Vec<umbel_media::Command>,
    outcome: Option<Outcome>,
}

fn uri(text: &str) -> Uri {
    text.parse().expect("a URI")
}

fn plan(headers: Vec<(HeaderName, String)>) -> Plan {
    Plan {
        outgoing: Outgoing {
            target: uri("sip:alice@example.test;opaque=app:voicemail"),
            from: uri("sip:alice@example.test"),
            from_name: None,
            to: uri("sip:alice@example.test;opaque=app:voicemail"),
            way: Way::Proxy(uri("sip:127.0.0.1:5066;transport=tls")),
            headers,
            offer: Bytes::new(),
            credentials: None,
        },
        capabilities: Capabilities {
            codecs: vec![Codec::G722, Codec::Pcmu],
            srtp: Srtp::Offered,
            address: [127, 0, 0, 1].into(),
            port: 30_000,
        },
        over_tls: true,
        sound: None,
        sound_after: Duration::ZERO,
        keys: vec![Keystroke::Press(umbel_media::Digit::POUND)],
        record: false,
        hang_up_after: None,
    }
}

impl Stage {
    fn new(headers: Vec<(HeaderName, String)>) -> Self {
        Stage::with(plan(headers))
    }

    fn with(plan: Plan) -> Self {
        let contact = uri("sip:alice@127.0.0.1:40000;transport=tls");
        let agent = umbel_ua::Config {
            contacts: Contacts { tcp: None, tls: Some(contact) },
            automata: false,
            ..Default::default()
        };
        let call = Call::place(Instant::ZERO, agent, plan, ChaCha20Rng::from_seed([7; 32]));
        let (now, flow) = (Instant::ZERO, None);
        let mut stage = Stage { call, now, flow, sent: vec![], news: vec![], media: vec![], outcome: None };
        stage.play();
        stage
    }

    /// Does what the telephone wants, until it wants no more.
    fn play(&mut self) {
        let server: SocketAddr = ([127, 0, 0, 1], 5066).into();
        while let Some(want) = self.call.poll_want() {
            match want {
                Want::Sip(Output::Resolve { query, .. }) => {
                    let to = Destination {
                        transport: Transport::Tls,
                        address: server,
                        server_name: Some("127.0.0.1".to_owned()),
                    };
                    self.call.handle(self.now, Input::Resolved { query, found: Ok(vec![to]) });
                }
                Want::Sip(Output::Open { id, .. }) => {
                    self.flow = Some(id);
                    let local: SocketAddr = ([127, 0, 0, 1], 40_000).into();
                    let flow = Flow {
                        transport: Transport::Tls,
                        local,
                        remote: server,
                        origin: Origin::Opened,
                        peer: None,
                    };
                    self.call.handle(self.now, Input::Opened { id, flow });
                }
                Want::Sip(Output::Transmit { bytes, .. }) => match parse(bytes) {
                    Ok(Message::Request(request)) => self.sent.push(request),
                    other => panic!("the telephone sent {other:?}"),
                },
                Want::Sip(_) | Want::Keep(_) => {}
                Want::Media(command) => self.media.push(command),
                Want::Tell(news) => self.news.push(news),
                Want::Over(outcome) => self.outcome = Some(outcome),
            }
        }
    }

    fn last(&self, method: &Method) -> &Request {
        let found = self.sent.iter().rev().find(|request| request.method() == method);
        found.unwrap_or_else(|| {
            panic!("no {method} among {:?}", self.sent.iter().map(Request::method).collect::<Vec<_>>())
        })
    }

    /// Answers the last request of this method.
    fn respond(&mut self, method: &Method, status: StatusCode, sdp: Option<&str>) {
        let mut draft = Draft::reply(self.last(method), status);
        draft.to_tag("server");
        if let Some(sdp) = sdp {
            draft.push(HeaderName::Contact, "<sip:127.0.0.1:5066;transport=tls>;automata");
            draft.body("application/sdp", Bytes::copy_from_slice(sdp.as_bytes()));
        }
        let message = parse(draft.print()).expect("our response is one");
        let id = self.flow.expect("the flow is up");
        self.call.handle(self.now, Input::Received { id, message });
        self.play();
    }

    /// The server's answer to the telephone's offer, on the codec of payload type 0.
    fn answer(&mut self) {
        let answer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                      m=audio 20000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";
        self.respond(&Method::Invite, StatusCode::OK, Some(answer));
    }
}

fn skip_pin() -> Vec<(HeaderName, String)> {
    vec![(HeaderName::MsExchangeCommand, "skip-pin".to_owned())]
}

/// OCEXUM-2.2.1-1, CMD-11: the header stands in the INVITE, once, and in nothing else of the call.
#[test]
fn the_command_stands_in_the_invite_alone() {
    let mut stage = Stage::new(skip_pin());
    let invite = stage.last(&Method::Invite);
    assert_eq!(invite.headers().get(&HeaderName::MsExchangeCommand).as_deref(), Some(&b"skip-pin"[..]));
    assert_eq!(invite.headers().count(&HeaderName::MsExchangeCommand), 1);
    assert_eq!(invite.request_uri().as_str(), "sip:alice@example.test;opaque=app:voicemail");
    assert_eq!(invite.headers().from().uri.as_str(), "sip:alice@example.test");
    assert_eq!(invite.headers().to().uri.as_str(), "sip:alice@example.test;opaque=app:voicemail");
    stage.answer();
    stage.call.hang_up(stage.now);
    stage.play();
    for method in [Method::Ack, Method::Bye] {
        assert_eq!(stage.last(&method).headers().count(&HeaderName::MsExchangeCommand), 0, "{method}");
    }
    assert_eq!(stage.outcome, Some(Outcome::Done));
}

/// The other direction: without being asked to, it sends none.
#[test]
fn without_the_command_no_request_has_the_header() {
    let mut stage = Stage::new(Vec::new());
    stage.answer();
    stage.call.hang_up(stage.now);
    stage.play();
    assert!(stage.sent.iter().all(|request| request.headers().count(&HeaderName::MsExchangeCommand) == 0));
}

/// DIAG-3: a client adds no `ms-diagnostics-public`.
#[test]
fn no_request_has_diagnostics() {
    let stage = Stage::new(skip_pin());
    let printed = String::from_utf8_lossy(stage.last(&Method::Invite).as_bytes()).to_ascii_lowercase();
    assert!(!printed.contains("ms-diagnostics"), "{printed}");
}

#[test]
fn keys_are_pressed_once_answered_and_two_seconds_later_it_hangs_up() {
    let mut stage = Stage::new(Vec::new());
    assert!(stage.media.is_empty(), "nothing is pressed while it rings");
    stage.answer();
    assert!(matches!(
        stage.media.as_slice(),
        [umbel_media::Command::Update(_), umbel_media::Command::SendDigits(_)]
    ));
    stage.call.media(stage.now, umbel_media::Event::DigitsSent);
    stage.play();
    assert_eq!(stage.news.last(), Some(&News::Keys { pressed: 1 }));
    let due = stage.call.poll_timeout().expect("it will hang up");
    assert_eq!(due, stage.now + AFTER_KEYS);
    stage.now = due;
    stage.call.handle(due, Input::Timeout);
    stage.play();
    assert_eq!(stage.last(&Method::Bye).method(), &Method::Bye);
    assert_eq!(stage.outcome, Some(Outcome::Done));
    assert!(!stage.call.is_settled(), "the BYE has no response yet");
    stage.respond(&Method::Bye, StatusCode::OK, None);
    assert!(stage.call.is_settled());
}

/// `--keys` with `--for`: whoever presses a key and asks for twenty seconds wants to hear what comes of it.
#[test]
fn with_a_time_to_stay_the_keys_do_not_end_the_call() {
    let stay = Duration::from_secs(20);
    let mut stage = Stage::with(Plan { hang_up_after: Some(stay), ..plan(Vec::new()) });
    stage.answer();
    stage.call.media(stage.now, umbel_media::Event::DigitsSent);
    assert_eq!(stage.call.hang_up_at, Some(stage.now + stay));
}

/// `--play` with `--for`: when all is said there is nothing to wait for.
#[test]
fn with_a_time_to_stay_the_sound_still_ends_the_call() {
    let sound = Some(Clip::Silence(Duration::from_secs(3)));
    let keys = Vec::new();
    let mut stage =
        Stage::with(Plan { hang_up_after: Some(Duration::from_secs(20)), sound, keys, ..plan(Vec::new()) });
    stage.answer();
    let ended = umbel_media::Event::PlayEnded { id: SOUND, position: Duration::from_secs(3), finished: true };
    stage.call.media(stage.now, ended);
    assert_eq!(stage.call.hang_up_at, Some(stage.now + AFTER_SOUND));
}

#[test]
fn a_refusal_is_the_outcome_with_its_code() {
    let mut stage = Stage::new(Vec::new());
    stage.respond(&Method::Invite, StatusCode::NOT_FOUND, None);
    assert_eq!(stage.outcome, Some(Outcome::Refused { code: 404, reason: "Not Found".to_owned() }));
    assert!(stage.media.is_empty());
}

#[test]
fn a_server_that_cannot_be_reached_is_said_so() {
    let mut stage = Stage::new(Vec::new());
    let id = stage.flow.expect("it was opened");
    stage.call.handle(stage.now, Input::Closed { id, reason: umbel_node::CloseReason::Broken });
    stage.play();
    assert_eq!(stage.outcome, Some(Outcome::Unreachable));
}
