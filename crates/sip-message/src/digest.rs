//! Digest access authentication: RFC 7616 and RFC 8760, qop `auth`. Pure arithmetic: nonces come from
//! whoever calls.

mod algorithm;
mod challenge;
mod credentials;
mod fields;
#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, Ha1};
pub use challenge::Challenge;
pub use credentials::{Credentials, NonceCount};
