//! What each fuzz target checks. The same functions are run over the corpora by ordinary tests.

pub mod dial_string;
pub mod sip;
pub mod soap;
