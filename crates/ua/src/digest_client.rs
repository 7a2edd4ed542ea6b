//! Answering digest challenges: RFC 3261 22.2 and 22.3, RFC 7616, RFC 8760.

use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use umbel_sip_message::digest::{self, Algorithm, Challenge, Ha1, NonceCount};
use umbel_sip_message::{HeaderName, Headers, Method, StatusCode};

use crate::Credentials;

/// SEC-50: so many challenges are answered for one request, by whatever servers on its way.
const CHALLENGES_MAX: u8 = 2;

/// The answers that one request has given. For requests that are written above and sent by
/// [`crate::Command::Send`]; those of the agent are answered by itself.
#[derive(Clone, Debug)]
pub struct DigestClient {
    credentials: Arc<Credentials>,
    challenges: u8,
    answered_server: bool,
    answered_proxy: bool,
}

impl DigestClient {
    /// For a request that has given none yet.
    pub fn new(credentials: Arc<Credentials>) -> Self {
        DigestClient { credentials, challenges: 0, answered_server: false, answered_proxy: false }
    }

    /// Whether any challenge was answered.
    pub(crate) fn has_answered(&self) -> bool {
        self.challenges > 0
    }

    /// What to add to the request when it is sent again; `None` where the challenge is not for us,
    /// or was answered before and we were not believed.
    pub fn answer(
        &mut self,
        status: StatusCode,
        headers: &Headers,
        method: &Method,
        uri: &str,
        rng: &mut ChaCha20Rng,
    ) -> Option<(HeaderName, String)> {
        let (asks, answers, answered) = match status {
            StatusCode::UNAUTHORIZED => {
                (HeaderName::WwwAuthenticate, HeaderName::Authorization, &mut self.answered_server)
            }
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                (HeaderName::ProxyAuthenticate, HeaderName::ProxyAuthorization, &mut self.answered_proxy)
            }
            _ => return None,
        };
        let challenge = preferred(headers, &asks, &self.credentials.realm)?;
        // RFC 7616 3.3: a stale nonce says that the password was right. Otherwise asking again
        // means that it was not, and guessing is not our business.
        if self.challenges == CHALLENGES_MAX || (*answered && !challenge.stale) {
            return None;
        }
        *answered = true;
        self.challenges += 1;
        let Credentials { realm, username, password } = &*self.credentials;
        let ha1 = Ha1::new(challenge.algorithm, username, realm, password);
        let cnonce = format!("{:016x}", rng.next_u64());
        let answer = digest::Credentials::answer(
            &challenge,
            (username, &ha1),
            (method, uri),
            (&cnonce, NonceCount(1)),
        );
        Some((answers, answer.to_string()))
    }
}

/// The challenge to answer: of our realm, by the best hash function offered (RFC 8760 2.4). A weak
/// one is answered only where nothing better is offered.
fn preferred(headers: &Headers, name: &HeaderName, realm: &str) -> Option<Challenge> {
    let challenges = headers.all(name).filter_map(|value| Challenge::parse(&value).ok().flatten());
    challenges.filter(|challenge| challenge.realm == realm).min_by_key(|challenge| rank(challenge.algorithm))
}

fn rank(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Sha256 => 0,
        Algorithm::Sha512_256 => 1,
        Algorithm::Md5 => 2,
    }
}
