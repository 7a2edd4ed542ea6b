//! TCP and TLS connections, certificates, name resolution and the clock: the world's side of the
//! line that [`umbel_node`] draws.
//!
//! Nothing here decides anything about calls. An event loop owns its [`Flows`], drives a
//! [`umbel_node::Node`] with what they bring, and does what the node wants done.

mod authority;
mod clock;
mod flows;
mod identity;
pub mod limits;
mod log_limit;
mod resolver;
mod tls;

pub use authority::{Authority, AuthorityError, Issued};
pub use clock::{Alarm, Clock, seed};
pub use flows::{Config, Flows, HandshakeFailure, ListenError, Listener, NoListener, Stats, Trusts};
pub use identity::{FileError, Identity, load_certificates, load_revocations};
pub use limits::Limits;
pub use log_limit::{LINES_PER_SECOND, LogLimit};
pub use resolver::{NoResolver, Resolver};
pub use tls::{Tls, TlsConfig, TlsError};
