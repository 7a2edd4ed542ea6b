//! Calls of which one breaks: what becomes of it, and of the others.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;

use bytes::Bytes;
use umbel_media::{Command as MediaCommand, Event as MediaEvent, RecordId, RecordingEnd};
use umbel_node::{Flow, Origin, Transport};
use umbel_sip_message::{Message, Method, parse};
use umbel_store::memory::MemoryStore;
use umbel_store::{Author, Directory, Mailboxes, NewPin, Pin, UserEntry, VoiceMessage, execute};

use super::*;

const FLOW: FlowId = FlowId(2);
const SECOND: Bytes = Bytes::from_static(&[0x55; 8_000]);

/// A server whose media and store answer at once.
struct Server {
    um: Um,
    store: MemoryStore,
    now: Instant,
    sent: Vec<Message>,
    alarms: Vec<Alarm>,
    /// Recordings that run.
    recording: BTreeMap<MediaKey, RecordId>,
    closed: Vec<MediaKey>,
}

impl Server {
    fn new() -> Server {
        let mut config = Config::default();
        config.locality.domain = "example.test".to_owned();
        let rng = || ChaCha20Rng::seed_from_u64(1);
        let mut store = MemoryStore::new(umbel_store::Config::default(), rng());
        for user in ["alice", "bob"] {
            let mut entry = UserEntry::new(format!("{user}@example.test").parse().unwrap());
            entry.pin = Some(NewPin::Own(Pin::new("274950").unwrap()));
            store.add_user(&entry, &Author::Store, UnixTime::from_secs(0)).unwrap();
        }
        let mut server = Server {
            um: Um::new(config, UnixTime::from_secs(1_772_442_000), rng()),
            store,
            now: Instant::from_millis(1),
            sent: Vec::new(),
            alarms: Vec::new(),
            recording: BTreeMap::new(),
            closed: Vec::new(),
        };
        let flow = Flow {
            transport: Transport::Tcp,
            local: "192.0.2.1:5060".parse().unwrap(),
            remote: "192.0.2.9:40000".parse().unwrap(),
            origin: Origin::Accepted,
            peer: None,
        };
        server.input(Input::Opened { id: FLOW, flow });
        server
    }

    fn input(&mut self, input: Input<Order>) {
        self.um.handle(self.now, input);
        self.perform();
    }

    fn perform(&mut self) {
        while let Some(output) = self.um.poll_output() {
            match output {
                Output::Transmit { bytes, .. } => self.sent.push(parse(bytes).unwrap()),
                Output::Wish(wish) => self.grant(wish),
                Output::Open { .. } | Output::Close { .. } | Output::Resolve { .. } => {}
            }
        }
    }

    fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::OpenMedia { key } => {
                let at =
                    SocketAddr::new("192.0.2.1".parse().unwrap(), 20_000 + 2 * u16::try_from(key.0).unwrap());
                self.um.handle(self.now, Input::Order(Order::MediaOpened { key, at: Ok(at) }));
            }
            Wish::Media { key, command: MediaCommand::Play { id, .. } } => {
                self.media(key, MediaEvent::PlayEnded { id, position: Duration::ZERO, finished: true });
            }
            Wish::Media { key, command: MediaCommand::Record { id, .. } } => {
                self.recording.insert(key, id);
            }
            Wish::Media { key, command: MediaCommand::StopRecording { .. } } => self.end(key),
            Wish::Media { .. } => {}
            Wish::CloseMedia { key } => {
                self.end(key);
                self.closed.push(key);
            }
            Wish::Store { ticket, op } => {
                let reply = execute(&mut self.store, op);
                self.um.handle(self.now, Input::Order(Order::Stored { ticket, reply }));
            }
            Wish::Alarm(alarm) => self.alarms.push(alarm),
            Wish::PhoneCall { .. } => {}
            Wish::Gateway { .. } | Wish::Drained => {}
        }
    }

    fn media(&mut self, key: MediaKey, event: MediaEvent) {
        self.um.handle(self.now, Input::Order(Order::Media { key, event }));
    }

    fn end(&mut self, key: MediaKey) {
        if let Some(id) = self.recording.remove(&key) {
            let (duration, speech) = (Duration::from_secs(2), Duration::from_secs(2));
            let (end, trailing_silence) = (RecordingEnd::Stopped, Duration::ZERO);
            let ended =
                MediaEvent::RecordingEnded { id, end, duration, speech, trailing_silence, long_enough: true };
            self.media(key, ended);
        }
    }

    /// A second of sound comes.
    fn speak(&mut self, key: MediaKey) {
        let id = self.recording[&key];
        self.media(key, MediaEvent::Recorded { id, chunk: SECOND });
        self.perform();
    }

    /// A caller comes as far as the recording.
    fn call(&mut self, number: u32, user: &str) -> MediaKey {
        self.say("INVITE", number, user, &format!("<sip:{user}@example.test>"));
        let answer = self.sent.iter().rev().find(|sent| is_answer_to(sent, number)).unwrap();
        let to = String::from_utf8(answer.headers().get(&HeaderName::To).unwrap().into_owned()).unwrap();
        self.say("ACK", number, user, &to);
        *self.recording.keys().next_back().unwrap()
    }

    fn say(&mut self, method: &str, number: u32, user: &str, to: &str) {
        let offer = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
             m=audio 4000 RTP/AVP 0\r\n";
        let body = if method == "INVITE" { offer } else { "" };
        let text = format!(
            "{method} sip:{user}@example.test SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK{number}{method}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:erin@elsewhere.test>;tag=e{number}\r\nTo: {to}\r\n\
             Call-ID: call-{number}\r\nCSeq: 1 {method}\r\nContact: <sip:erin@192.0.2.9;transport=tcp>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.input(Input::Received { id: FLOW, message: parse(text.into()).unwrap() });
    }

    /// Something goes wrong in the call of this name.
    fn break_call(&mut self, key: MediaKey) {
        self.um.with(self.now, CallKey(key.0), |_, _| panic!("on purpose"));
        self.um.turn(self.now);
        self.perform();
    }

    fn messages(&mut self, user: &str) -> Vec<VoiceMessage> {
        let mailbox = format!("{user}@example.test").parse().unwrap();
        self.store.messages(&mailbox, umbel_store::Folder::All, None).unwrap()
    }

    /// The calls that we hung up.
    fn byes(&self) -> Vec<&str> {
        let byes = self
            .sent
            .iter()
            .filter(|sent| matches!(sent, Message::Request(request) if *request.method() == Method::Bye));
        byes.map(|bye| bye.headers().call_id()).collect()
    }
}

fn is_answer_to(sent: &Message, number: u32) -> bool {
    matches!(sent, Message::Response(response) if response.status().is_success())
        && sent.headers().call_id() == format!("call-{number}")
}

/// REL-25: "that call ends; the recording so far is kept", and no other call notices.
#[test]
fn a_panic_ends_one_call_and_keeps_what_it_recorded() {
    let mut server = Server::new();
    let broken = server.call(1, "alice");
    let whole = server.call(2, "bob");
    for key in [broken, whole] {
        server.speak(key);
        server.speak(key);
    }
    server.break_call(broken);
    assert_eq!(server.byes(), ["call-1"]);
    assert_eq!(server.closed, [broken]);
    let what = "on purpose";
    assert_eq!(server.alarms, [Alarm::CallBroke { call_id: "call-1".to_owned(), what }]);
    let kept = server.messages("alice");
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].duration, Duration::from_secs(2));

    server.speak(whole);
    assert!(server.recording.contains_key(&whole));
    server.um.with(server.now, CallKey(whole.0), Call::hang_up);
    server.um.turn(server.now);
    server.perform();
    assert_eq!(server.messages("bob").len(), 1);
    assert!(server.um.is_at_rest());
    assert_eq!(server.alarms.len(), 1);
}

/// What a panic says may have been put together from what nobody must see.
#[test]
fn of_a_panic_only_constants_of_the_program_are_told() {
    let digits = "135790".to_owned();
    assert_eq!(isolated(|| panic!("no such PIN: {digits}")), Err("an invariant does not hold"));
    assert_eq!(isolated(|| ()), Ok(()));
}
