//! The brain of a telephone: the protocol client of [MS-OCEXUM], to build a softphone on.
//!
//! [`Telephone`] is a value without clock, sockets, files or threads. It registers and stays registered
//! (RFC 3261 10, RFC 5626), places and takes calls, calls its owner's voice mail and asks to skip the PIN
//! exactly when it may ([MS-OCEXUM] 3.1.1), knows a Play-On-Phone call when one comes (3.2), tells what
//! waits in the mailbox (RFC 3842), and takes transfers from both ends: it is sent on (RFC 3515), and lets
//! somebody take the other side's place (RFC 3891).
//!
//! It is a [`umbel_node::Node`]: feed it what happens with [`umbel_node::Node::handle`], do what it asks for in
//! [`umbel_node::Node::poll_output`], wake it at [`umbel_node::Node::poll_timeout`]. Three things come from
//! outside:
//!
//! | | what does it | in this project |
//! |---|---|---|
//! | connections | TCP and TLS, names, the clock | `umbel_net::Flows` |
//! | sound | a `umbel_media::Session` a call, on a pair of UDP sockets | the program's media worker |
//! | a face | shows [`News`], gives [`Order`]s | `umbel phone` |
//!
//! Sound goes like this: [`Wish::OpenMedia`] asks for the sockets and [`Order::MediaOpened`] answers; the first
//! [`Wish::Media`] of a call is an `umbel_media::Command::Update` with what was agreed on, which makes its session;
//! what the session tells comes back as [`Order::Media`]; [`Wish::CloseMedia`] ends it. [`Order::Sound`] plays,
//! records and presses keys. For a person, `Command::Listen` and `Command::Levels` have the session give out what is
//! heard and how loud it is, and `Command::Speak` says what a microphone captures. `umbel_media::Parameters::of` is
//! the one mapping from a negotiated session description to a session.
//!
//! Every call ends with [`Progress::Ended`], exactly once and last. Orders for calls that are over mean nothing, so a
//! face needs no locks against what happens meanwhile.
//!
//! `bin/umbel/examples/softphone.rs` is a whole one with connections and sound, in some two hundred lines:
//! `cargo run -p umbel --example softphone -- alice@example.test 127.0.0.1:5060 alice.password`.
//!
//! Here is the brain alone. It registers and answers whoever calls, against a server that is played:
//!
//! ```
//! use std::time::Duration;
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//! use umbel_node::{Destination, Flow, Input, Node, Origin, Output, Transport};
//! use umbel_phone::{Answering, Config, Kind, News, Order, Progress, Registration, Telephone, Wish};
//! use umbel_sip_message::{Draft, Message, StatusCode, parse};
//! use umbel_time::Instant;
//!
//! let uri = |text: &str| text.parse().expect("a URI");
//! let mut config = Config::new(
//!     uri("sip:alice@example.test"),
//!     uri("sip:192.0.2.1:5060;transport=tcp"),
//!     uri("sip:alice@192.0.2.10:40000;transport=tcp"),
//! );
//! config.answering = Answering::After { ringing: Duration::from_secs(2), play_on_phone: false };
//! // In earnest: a seed from the operating system.
//! let mut telephone = Telephone::new(config, ChaCha20Rng::from_seed([1; 32]));
//! let now = Instant::ZERO;
//!
//! telephone.handle(now, Input::Order(Order::Register));
//! let (mut registered, mut answered, mut called) = (false, false, false);
//! // The event loop: do what it wants, tell it what came of that.
//! while let Some(output) = telephone.poll_output() {
//!     match output {
//!         Output::Resolve { query, .. } => {
//!             let server = Destination {
//!                 transport: Transport::Tcp,
//!                 address: ([192, 0, 2, 1], 5060).into(),
//!                 server_name: None,
//!             };
//!             telephone.handle(now, Input::Resolved { query, found: Ok(vec![server]) });
//!         }
//!         Output::Open { id, to } => {
//!             let local = ([192, 0, 2, 10], 40000).into();
//!             let (transport, remote) = (to.transport, to.address);
//!             let flow = Flow { transport, local, remote, origin: Origin::Opened, peer: None };
//!             telephone.handle(now, Input::Opened { id, flow });
//!         }
//!         Output::Transmit { id, bytes } => match parse(bytes) {
//!             Ok(Message::Request(register)) => {
//!                 let mut ok = Draft::reply(&register, StatusCode::OK);
//!                 ok.to_tag("server");
//!                 let message = ok.into_message().expect("our response is one");
//!                 telephone.handle(now, Input::Received { id, message });
//!             }
//!             // What bob hears, and keep-alives.
//!             Ok(Message::Response(_)) | Err(_) => {}
//!         },
//!         Output::Wish(Wish::Tell(News::Registration { change, .. })) => {
//!             registered = matches!(change, Registration::Registered { .. });
//!         }
//!         // In earnest: bind a pair of UDP sockets here.
//!         Output::Wish(Wish::OpenMedia { call }) => {
//!             let at = Ok(([192, 0, 2, 10], 30_000).into());
//!             telephone.handle(now, Input::Order(Order::MediaOpened { call, at }));
//!         }
//!         Output::Wish(Wish::Tell(News::Call { change: Progress::Invited(incoming), .. })) => {
//!             assert_eq!((incoming.kind, incoming.caller.as_str()), (Kind::Call, "sip:bob@example.test"));
//!             // In earnest: sleep until `poll_timeout`.
//!             telephone.handle(now + Duration::from_secs(2), Input::Timeout);
//!         }
//!         Output::Wish(Wish::Tell(News::Call { change: Progress::Answered(_), .. })) => answered = true,
//!         Output::Wish(_) | Output::Close { .. } => {}
//!     }
//!     // Registered: bob calls. It rings for two seconds, and is answered.
//!     if registered && !called {
//!         called = true;
//!         let id = telephone.flows_in_use().next().expect("the connection of the registration");
//!         let description = "v=0\r\no=- 1 1 IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\n\
//!             m=audio 20000 RTP/AVP 0\r\n";
//!         let invite = format!(
//!             "INVITE sip:alice@192.0.2.10:40000;transport=tcp SIP/2.0\r\n\
//!             Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 69\r\n\
//!             From: <sip:bob@example.test>;tag=b\r\nTo: <sip:alice@example.test>\r\nCall-ID: 1\r\n\
//!             CSeq: 1 INVITE\r\nContact: <sip:bob@192.0.2.1;transport=tcp>\r\n\
//!             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{description}",
//!             description.len(),
//!         );
//!         let message = parse(invite.into()).expect("a message");
//!         telephone.handle(now, Input::Received { id, message });
//!     }
//! }
//! assert!(registered && answered);
//! assert!(telephone.poll_timeout().is_some(), "it will refresh the registration");
//! ```

mod call;
mod config;
mod diagnosis;
mod incoming;
mod order;
mod skip_pin;
mod telephone;
mod transfer;

pub use config::{Answering, Config, Redirection};
pub use diagnosis::meaning;
pub use incoming::{Incoming, Kind};
pub use order::{
    Answered, Dial, Ended, How, MessageWaiting, News, NoSockets, Order, Progress, Refusal, Registration, Wish,
};
pub use telephone::{ANSWERED_WITHIN, REDIRECTIONS_MAX, RINGS_WITHIN, Telephone};
pub use umbel_event_notification::{Counts, MessageSummary};
pub use umbel_ua::CallKey;
