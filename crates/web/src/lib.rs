//! HTTP: health, readiness and metrics for those who operate the program.
//!
//! Nothing here bears a caller, a mailbox or a token (SEC-124): labels come from closed sets, and the
//! reasons for not being ready are about parts of the program.

mod admin;
mod connections;
mod metrics;
mod readiness;

pub use admin::Admin;
pub use metrics::{CallKind, CallOutcome, Connections, Direction, Metrics, SipTransport};
pub use readiness::{Readiness, Standing};
