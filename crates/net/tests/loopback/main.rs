//! The flows against real sockets on loopback.
//!
//! Nothing here sleeps to let time pass: tests wait for what must happen, and time limits are set so
//! short that it happens soon.

#![allow(clippy::unwrap_used)]

mod bounds;
mod floods;
mod messages;
mod opening;
mod resolving;
mod support;
mod tls_accepted;
mod tls_opened;
mod tls_reload;
