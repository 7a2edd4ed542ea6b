//! The protocol server's brain: registrar, location, authentication, routing rules, forking.

pub mod authentication;
mod config;
mod diversion;
pub mod forwarding;
pub mod identity;
mod locality;
pub mod location;
mod proxy;
mod record_route;
pub mod refusal;
mod response_context;
pub mod routing;
mod seal;

pub use config::{Clocks, Config, Required, Route, VoiceMailForm};
pub use proxy::{Order, Proxy, Wish};
