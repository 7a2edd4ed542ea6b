//! The protocol server's brain: registrar, location, authentication, routing rules, forking.
//!
//! A request passes through these rooms, from the outside in:
//!
//! ```text
//!   Proxy::handle        umbel_sip_endpoint: transactions, flows
//!     | admission        may it pass? RFC 3261 16.3, loops, whose From is it
//!     |   authentication digest: examine, ask the store, judge
//!     |   identity       which headers of this sender are believed
//!     | registrar ------ location: bindings
//!     | message_waiting  the lamp: subscriptions of telephones, and ours at voice mail
//!     | dialogs -------- record_route: sealed, so that no dialog need be kept
//!     | call             locality: what the Request-URI means; the store knows the user
//!     |   forwarding     plan: whom to ring and what then, under Ms-Sensitivity
//!     |   response_context   rounds, best response, timers
//!     |   branches       the request as it leaves; servers tried one after the other
//! ```
//!
//! Only [`forwarding::plan`] reads routing rules and `Ms-Sensitivity`. A call that must not be diverted
//! has a plan without diversion in it, and nothing further in can add one.
//!
//! The store and the clock on the wall are asked by [`Wish`] and answer by [`Order`].

pub mod authentication;
mod config;
mod diversion;
pub mod forwarding;
mod gruu;
pub mod identity;
mod known_users;
mod locality;
pub mod location;
mod message_waiting;
mod proxy;
mod record_route;
pub mod refusal;
mod response_context;
pub mod routing;
mod seal;

pub use config::{Clocks, Config, MailboxStates, Required, Route, VoiceMailForm};
pub use proxy::{Order, Proxy, Wish};
pub use refusal::Refused;
