//! A unified messaging server whose store, sockets and protocol server answer at once: the way of a request for a call
//! to its INVITE, and back to where it began.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::net::SocketAddr;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use umbel_node::{Destination, Flow, FlowId, Input, Node, Origin, Output, Transport};
use umbel_play_on_phone::{PhoneCallId, Played, Request};
use umbel_sip_message::{Draft, Message, Method, Response, StatusCode, parse};
use umbel_store::memory::MemoryStore;
use umbel_store::{
    AudioFormat, Author, Begin, Caller, Directory, Finish, Importance, MessageId, Purpose, Recordings,
    UserEntry, execute,
};
use umbel_time::{Instant, UnixTime};
use umbel_um::{Config, Order, Um, Wish};

const MORNING: UnixTime = UnixTime::from_secs(1_772_442_000);
const ALICE: &str = "alice@example.test";

/// The server and what is around it.
pub struct Wire {
    um: Um,
    store: MemoryStore,
    now: Instant,
    flow: Option<FlowId>,
    message: MessageId,
    asked: u128,
    invite: Option<Bytes>,
}

impl Wire {
    /// A server with one user and one message.
    pub fn new() -> Wire {
        let rng = || ChaCha20Rng::seed_from_u64(1);
        let mut config = Config::default();
        config.locality.domain = "example.test".to_owned();
        config.play_on_phone.outbound_proxy = Some("sip:192.0.2.9;transport=tcp".parse().unwrap());
        let mut store = MemoryStore::new(umbel_store::Config::default(), rng());
        store.add_user(&UserEntry::new(ALICE.parse().unwrap()), &Author::Store, MORNING).unwrap();
        let id = MessageId::from_bytes([1; 16]);
        let purpose = Purpose::Message {
            caller: Caller::default(),
            subject: String::new(),
            importance: Importance::Normal,
        };
        let (mailbox, format) = (ALICE.parse().unwrap(), AudioFormat::Pcmu);
        store
            .begin(&Begin { id, mailbox, purpose, format, call_id: "left".to_owned(), at: MORNING })
            .unwrap();
        store.append(id, &[0x91; 8_000]).unwrap();
        store.finish(&Finish { id, importance: Importance::Normal, keep: None, at: MORNING }).unwrap();
        let um = Um::new(config, MORNING, rng());
        let mut wire =
            Wire { um, store, now: Instant::from_millis(1), flow: None, message: id, asked: 0, invite: None };
        wire.perform();
        wire
    }

    /// A user asks; gives the INVITE.
    pub fn ask(&mut self) -> Bytes {
        self.asked += 1;
        let request = Request {
            id: PhoneCallId::from_bytes(self.asked.to_be_bytes()),
            owner: ALICE.parse().unwrap(),
            played: Played::Message(self.message),
            dial_string: None,
        };
        self.invite = None;
        self.input(Input::Order(Order::PlayOnPhone(Box::new(request))));
        self.invite.clone().unwrap()
    }

    /// The telephone is busy, and the call is over.
    pub fn refuse(&mut self, invite: Bytes) {
        let Ok(Message::Request(invite)) = parse(invite) else { panic!("an INVITE") };
        let mut draft = Draft::reply(&invite, StatusCode::BUSY_HERE);
        draft.to_tag("busy");
        let response: Response = match parse(draft.print()) {
            Ok(Message::Response(response)) => response,
            _ => panic!("a response"),
        };
        let id = self.flow.unwrap();
        self.input(Input::Received { id, message: Message::Response(response) });
        // Timer D on a reliable transport is zero; the hour passes slowly enough.
        self.now += std::time::Duration::from_secs(40);
        self.input(Input::Timeout);
    }

    /// Whether nothing of any call is left.
    pub fn is_at_rest(&self) -> bool {
        self.um.is_at_rest()
    }

    fn input(&mut self, input: Input<Order>) {
        self.um.handle(self.now, input);
        self.perform();
    }

    fn perform(&mut self) {
        while let Some(output) = self.um.poll_output() {
            match output {
                Output::Resolve { query, .. } => {
                    let address = SocketAddr::from(([192, 0, 2, 9], 5060));
                    let to = Destination { transport: Transport::Tcp, address, server_name: None };
                    self.um.handle(self.now, Input::Resolved { query, found: Ok(vec![to]) });
                }
                Output::Open { id, to } => {
                    self.flow = Some(id);
                    let local = SocketAddr::from(([192, 0, 2, 1], 40_000));
                    let (transport, remote) = (to.transport, to.address);
                    let flow = Flow { transport, local, remote, origin: Origin::Opened, peer: None };
                    self.um.handle(self.now, Input::Opened { id, flow });
                }
                Output::Transmit { bytes, .. } => {
                    if bytes.starts_with(Method::Invite.to_string().as_bytes()) {
                        self.invite = Some(bytes);
                    }
                }
                Output::Close { .. } => {}
                Output::Wish(Wish::OpenMedia { key }) => {
                    let at = Ok(SocketAddr::from(([192, 0, 2, 1], 20_000)));
                    self.um.handle(self.now, Input::Order(Order::MediaOpened { key, at }));
                }
                Output::Wish(Wish::Store { ticket, op }) => {
                    let reply = execute(&mut self.store, op);
                    self.um.handle(self.now, Input::Order(Order::Stored { ticket, reply }));
                }
                Output::Wish(_) => {}
            }
        }
    }
}
