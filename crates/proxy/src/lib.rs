//! The protocol server's brain: registrar, location, authentication, routing rules, forking.

pub mod location;
