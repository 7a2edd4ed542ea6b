//! Autodiscover ([MS-OXDSCLI], [MS-OXWSADISC]): where the services are, in both of its forms.
//!
//! The answer is always about who signed in. There are no redirections: whoever reached this reached all.

mod plain;
mod soap;

pub use plain::{Unanswerable, answer as plain_answer, read as read_plain, refusal as plain_refusal};
pub use soap::{UserSettings, answer as soap_answer, read as read_soap};

/// Where the services are and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directions {
    /// The name of who asks, for people.
    pub display_name: String,
    /// The address of who asks.
    pub address: String,
    /// Where the front is reached, without a slash at the end.
    pub base_url: String,
}

impl Directions {
    fn exchange(&self) -> String {
        format!("{}/EWS/Exchange.asmx", self.base_url)
    }

    fn unified_messaging(&self) -> String {
        format!("{}/EWS/UM2007Legacy.asmx", self.base_url)
    }

    /// The host of the base URL.
    fn server(&self) -> &str {
        let (_, rest) = self.base_url.split_once("://").unwrap_or(("", &self.base_url));
        let authority = rest.split('/').next().unwrap_or(rest);
        match authority.rsplit_once(':') {
            // What follows the last colon of an address in brackets may be part of it.
            Some((host, port)) if !port.contains(']') => host,
            _ => authority,
        }
    }
}

#[cfg(test)]
mod tests;
