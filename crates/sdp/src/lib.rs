//! Session description, offer and answer (RFC 8866, RFC 3264, RFC 4568).
//!
//! [`Session`] is our side of one call's description over all its offers and answers: it chooses the
//! audio line, the codec, telephone-event and the keys, and keeps what an earlier round has settled, so
//! that an encrypted session never becomes a plain one. What it arrives at is a [`Negotiated`]; what it
//! cannot serve is a [`Refusal`]. Nobody else reads or writes SDP.

mod address;
mod audio_line;
mod capabilities;
mod codec;
mod crypto;
mod description;
mod negotiated;
mod refusal;
mod security;
mod session;

pub use capabilities::{Capabilities, Srtp};
pub use codec::{AudioFormat, Codec};
pub use crypto::{Keys, MasterKey, Suite};
pub use description::{Description, MEDIA_LINES_MAX};
pub use negotiated::{Direction, Negotiated};
pub use refusal::Refusal;
pub use session::{PendingOffer, Session};
