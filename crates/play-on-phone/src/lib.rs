//! Play on Phone: what may be asked for, what may be dialled, and how such a call stands.
//!
//! [MS-OXWUMS] 3.1.4 names the operations, [MS-OCEXUM] 3.2 the call that follows. Whoever asks, by SOAP, by
//! the API, on the web page or by a command, hands a [`Request`] to the unified messaging server and hears
//! [`News`] of it; whether the call is placed is decided there alone.

//!
//! | module | question it answers |
//! |---|---|
//! | [`dialling`] | what is to be dialled? |
//! | [`rules`] | may it be? |
//! | [`admission`] | may it be now? |
//! | `call` | what does an answer of the telephone mean to whoever asked? |

pub mod admission;
mod call;
pub mod dialling;
mod refusal;
mod request;
pub mod rules;

pub use admission::{Admission, Admitted};
pub use call::{CallState, EventCause, News, Status};
pub use dialling::{Dialled, Number};
pub use refusal::Refusal;
pub use request::{NotACallId, PhoneCallId, Played, Request};
pub use rules::{DiallingRules, NotARule, Rule};
