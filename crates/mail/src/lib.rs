//! Mails that tell of messages, missed calls, greetings and PINs. Nothing here reads a clock, a socket or the
//! store: whoever sends is handed the octets of a mail that is the same each time it is composed.
//!
//! [`compose`] makes whole mails; [`attachment`] makes the sound that goes along.

pub mod attachment;
pub mod compose;
mod document;
mod field;
mod text;
mod when;

pub use compose::Addressing;
