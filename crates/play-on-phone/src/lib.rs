//! Play on Phone: what may be asked for, what may be dialled, and how such a call stands.
//!
//! [MS-OXWUMS] 3.1.4 names the operations, [MS-OCEXUM] 3.2 the call that follows. Whoever asks, by SOAP, by
//! the API, on the web page or by a command, hands a [`Request`] to the unified messaging server and hears
//! [`News`] of it; whether the call is placed is decided there alone.

mod call;
mod refusal;
mod request;

pub use call::{CallState, EventCause, News, Status};
pub use refusal::Refusal;
pub use request::{NotACallId, PhoneCallId, Played, Request};
