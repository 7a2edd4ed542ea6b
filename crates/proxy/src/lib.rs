//! The protocol server's brain: registrar, location, authentication, routing rules, forking.

pub mod authentication;
mod config;
pub mod forwarding;
pub mod identity;
mod locality;
pub mod location;
mod record_route;
pub mod refusal;
pub mod routing;
mod seal;

pub use config::{Clocks, Config, Required, Route, VoiceMailForm};
