//! Mails that tell of messages, missed calls, greetings and PINs. Nothing here reads a clock, a socket or the
//! store: whoever sends is handed the octets of a mail that is the same each time it is composed.
//!
//! [`compose`] makes whole mails, [`attachment`] the sound that goes along; [`courier`] says when each is tried.

pub mod attachment;
pub mod compose;
pub mod courier;
mod document;
mod field;
pub mod letter;
mod text;
mod when;

pub use compose::Addressing;
