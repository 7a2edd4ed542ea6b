//! SIP grammar: messages, URIs, headers, framing, digest arithmetic.
//!
//! The only reader and the only writer of SIP syntax. On a stream, [`Framer`] says where a message
//! ends, and [`parse`] reads it once: a [`Message`] is one shared buffer and a small table of where its
//! fields are. What is untouched is relayed byte for byte. A [`Draft`] is a message being written.
//!
//! Strict wherever two readers could disagree, lenient where the examples of the standards are.
//! Nothing here knows transactions, sockets, clocks or chance; nothing that a peer sends can panic.

mod cseq;
mod diagnostics;
pub mod digest;
mod diversion;
mod draft;
mod event;
mod fragment;
mod framing;
mod grammar;
mod header_name;
mod headers;
mod history_info;
pub mod limits;
mod list;
mod malformed;
mod media_type;
mod message;
mod method;
mod name_addr;
mod params;
mod parse;
mod reason;
mod reliability;
mod replaces;
mod retry_after;
mod session_timer;
mod status;
mod token;
mod uri;
mod via;

pub use cseq::CSeq;
pub use diagnostics::Diagnostics;
pub use diversion::{Diversion, DiversionReason};
pub use draft::{Draft, Value};
pub use event::{Event, SubscriptionState};
pub use fragment::{Fragment, FragmentStart, MISSED_CALL_FIELDS, SIPFRAG};
pub use framing::{Awaiting, Framed, Framer, KeepAlive, PING, PONG, frame};
pub use grammar::{ParseError, quoted_string};
pub use header_name::HeaderName;
pub use headers::{Allowed, Contacts, Field, Headers};
pub use history_info::{HistoryEntry, Source};
pub use malformed::Malformed;
pub use media_type::MediaType;
pub use message::{Message, Request, Response};
pub use method::Method;
pub use name_addr::NameAddr;
pub use params::{Param, Params};
pub use parse::parse;
pub use reason::Reason;
pub use reliability::RAck;
pub use replaces::Replaces;
pub use retry_after::RetryAfter;
pub use session_timer::{Refresher, SessionExpires};
pub use status::StatusCode;
pub use token::Token;
pub use uri::{AddressOfRecord, Scheme, Uri, UriParam, UriRef, decode, encode_parameter, encode_user};
pub use via::{MAGIC_COOKIE, Via};
