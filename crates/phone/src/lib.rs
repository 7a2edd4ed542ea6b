//! The brain of a telephone: the protocol client of [MS-OCEXUM], to build a softphone on.
//!
//! [`Telephone`] is a value without clock, sockets, files or threads. It registers and stays registered
//! (RFC 3261 10, RFC 5626), places and takes calls, calls its owner's voice mail and asks to skip the PIN
//! exactly when it may ([MS-OCEXUM] 3.1.1), knows a Play-On-Phone call when one comes (3.2), and tells what
//! waits in the mailbox (RFC 3842).
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
//! A telephone that registers and answers whoever calls, against a server that is played here:
//!
//! ```
//! use std::time::Duration;
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//! use umbel_node::{Destination, Flow, Input, Node, Origin, Output, Transport};
//! use umbel_phone::{Answering, Config, News, Order, Registration, Telephone, Wish};
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
//! let mut registered = false;
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
//!         Output::Transmit { id, bytes } => {
//!             let Ok(Message::Request(register)) = parse(bytes) else { panic!("it sends requests") };
//!             let mut ok = Draft::reply(&register, StatusCode::OK);
//!             ok.to_tag("server");
//!             let message = ok.into_message().expect("our response is one");
//!             telephone.handle(now, Input::Received { id, message });
//!         }
//!         Output::Wish(Wish::Tell(News::Registration { change, .. })) => {
//!             registered = matches!(change, Registration::Registered { .. });
//!         }
//!         Output::Wish(_) | Output::Close { .. } => {}
//!     }
//! }
//! assert!(registered);
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
pub use telephone::{ANSWERED_WITHIN, Telephone};
pub use umbel_event_notification::{Counts, MessageSummary};
pub use umbel_ua::CallKey;
