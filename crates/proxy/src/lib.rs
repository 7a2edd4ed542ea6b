//! The protocol server's brain: registrar, location, authentication, routing rules, forking.

pub mod authentication;
pub mod forwarding;
pub mod location;
pub mod refusal;
pub mod routing;
mod seal;
