//! HTTP: the mailbox page, the API and SOAP on one listener; health, readiness and metrics for those who
//! operate the program on another.
//!
//! On the operators' listener nothing bears a caller, a mailbox or a token (SEC-124): labels come from closed
//! sets, and the reasons for not being ready are about parts of the program.

mod admin;
mod api;
mod connections;
mod desk;
mod front;
mod metrics;
mod page;
mod phone_calls;
mod random;
mod readiness;
mod sign_in;
mod soap;
pub mod sound;
mod store_handle;
#[cfg(test)]
mod testing;
mod uploads;

pub use admin::Admin;
pub use api::PhoneCallDocument;
pub use desk::{Desk, Destination, ReadSetting, Setting, Settings, WallClock};
pub use front::{AsWritten, Certificate, Client, Front, ServerConfig};
pub use metrics::{CallKind, CallOutcome, Connections, Direction, MailFigures, Metrics, SipTransport};
pub use phone_calls::{Ordered, PhoneCalls};
pub use random::Random;
pub use readiness::{Readiness, Standing};
pub use sign_in::{Administrator, ByPassword, NotAdministrator, NotSignedIn, SignedIn};
pub use store_handle::{StoreHandle, Then};
