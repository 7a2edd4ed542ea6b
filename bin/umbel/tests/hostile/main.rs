//! The running server among people who mean no good: the real binary, its real ports, and whatever a peer can send.
//!
//! What is expected of each input is what the tables of threats say (section 5, SEC-01 to SEC-82), not what the
//! server happens to do. All tests share one server, started by the first of them, so that what one of them
//! sends must not disturb another.

#![allow(clippy::unwrap_used, reason = "a test that cannot set up its world has failed")]

mod certificates;
mod examples;
mod floods;
mod framing;
mod http;
mod identity;
mod invite;
mod journey;
mod line;
#[path = "../shared/ports.rs"]
mod ports;
mod requests;
mod rtp;
mod sdp;
mod secrets;
mod server;
mod settings;
mod skip_pin;
mod spelling;
mod strangers;
mod torture;
mod transactions;
#[path = "../shared/wait.rs"]
mod wait;
