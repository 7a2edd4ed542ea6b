//! A simulated world: nodes, flows between them, and one clock.
//!
//! A [`World`] holds anything that is a [`umbel_node::Node`], made an [`Inhabitant`], and lets it live
//! in virtual time: the earliest of what is under way and what nodes wait for happens next. Streams
//! arrive cut and joined at random places, stall and break; names lead where a table says; all of it
//! follows from a seed. Thirty-two seconds of Timer B take a microsecond.
//!
//! ```text
//! let mut world = World::new(7);
//! let um = world.add("um", address(1), UnifiedMessaging::new(…));
//! let alice = world.add("alice", address(2), Telephone::new(…));
//! world.listen_tls(um, 5061, certificate(&["um.example"]));
//! world.resolve("um.example", [tls(address(1), "um.example")]);
//! world.order(alice, telephone::Order::Dial("sip:alice@um.example".parse()?));
//! world.run_for(Duration::from_secs(90));
//! world.expect_ladder(include_str!("alice_listens.ladder"));
//! ```
//!
//! A ladder is a text beside the test; when it differs, the test prints where, and all that happened:
//!
//! ```text
//!   0.016  alice  um     INVITE sip:alice@um.example
//!   0.020  um     alice  200
//!   0.024  alice  um     ACK
//! ```
//!
//! `tests/two_endpoints.rs` is the example to begin with.

mod account;
mod address;
pub mod callee;
pub mod company;
pub mod handset;
mod inhabitant;
mod ladder;
mod life;
mod link;
mod names;
mod network;
pub mod office;
pub mod protocol_server;
pub mod seeds;
pub mod softphone;
mod sound;
mod store_is;
pub mod switchboard;
pub mod telephone;
pub mod unified_messaging;
mod world;

pub use account::Account;
pub use address::{address, certificate, tcp, tls};
pub use callee::Callee;
pub use company::Company;
pub use handset::Handset;
pub use inhabitant::{Datagram, Errand, Inhabitant};
pub use ladder::{Ladder, Rung, What};
pub use link::Weather;
pub use office::Office;
pub use protocol_server::ProtocolServer;
pub use softphone::Softphone;
pub use store_is::StoreIs;
pub use switchboard::Switchboard;
pub use telephone::Telephone;
pub use unified_messaging::UnifiedMessaging;
pub use world::{Place, World};
