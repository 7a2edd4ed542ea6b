//! A user's name and password, and what answers challenges (RFC 3261 22).

use umbel_sip_message::digest::{Challenge, Credentials, Ha1, NonceCount};
use umbel_sip_message::{HeaderName, Method, Response};

/// A user's name and password.
#[derive(Clone)]
pub struct Account {
    user: String,
    password: String,
    used: u32,
}

impl Account {
    /// Of this user.
    pub fn new(user: &str, password: &str) -> Account {
        Account { user: user.to_owned(), password: password.to_owned(), used: 0 }
    }

    /// The header line that answers the first challenge of a 401 or 407; `None` where there is none.
    pub(crate) fn answer(&mut self, challenged: &Response, method: &Method, uri: &str) -> Option<String> {
        let (asks, answers) = match challenged.status().as_u16() {
            401 => (HeaderName::WwwAuthenticate, HeaderName::Authorization),
            407 => (HeaderName::ProxyAuthenticate, HeaderName::ProxyAuthorization),
            _ => return None,
        };
        let mut values = challenged.headers().all(&asks);
        let challenge = values.find_map(|value| Challenge::parse(&value).ok().flatten())?;
        self.used += 1;
        let ha1 = Ha1::new(challenge.algorithm, &self.user, &challenge.realm, &self.password);
        let cnonce = format!("c{}", self.used);
        // Each challenge is answered once, so that the count is always the first.
        let proof = (cnonce.as_str(), NonceCount(1));
        let credentials = Credentials::answer(&challenge, (&self.user, &ha1), (method, uri), proof);
        Some(format!("{answers}: {credentials}"))
    }
}
