//! Who is it? Digest challenges and their answers: RFC 3261 22, RFC 7616, RFC 8760.
//!
//! A nonce says itself when we made it and is sealed, so that no state is kept for challenges; what is
//! kept is how often a nonce was used by somebody who knew a password. Password hashes are the
//! store's: whoever owns an [`Authentication`] asks for those of [`Candidate::address`] and hands
//! them to [`Authentication::judge`].
//!
//! ```text
//!   examine -> Challenge(stale)        401, 407
//!           -> Locked                  answered late, without a look at the password
//!           -> Candidate               ask the store, then
//!              judge -> Granted        by whom
//!                    -> Challenge      401, 407: right password, used-up nonce
//!                    -> Wrong          403: no such user, or another password; nobody can tell which
//! ```

mod guesses;
mod nonce;

use std::net::IpAddr;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use umbel_sip_message::digest::{Algorithm, Challenge, Credentials, Ha1};
use umbel_sip_message::{HeaderName, Method, Request};
use umbel_store::{Address, DigestHashes};
use umbel_time::Instant;

use crate::seal::hex;
use guesses::Guesses;
use nonce::{Nonces, Standing};

pub use guesses::{FAILURES_MAX, FAILURES_WINDOW, GUESSERS_MAX, LOCKED};
pub use nonce::NONCES_MAX;

/// SEC-47: how long a nonce lives.
pub const NONCE_LIFE: Duration = Duration::from_secs(300);

/// Challenges of one realm, and what became of them.
#[derive(Debug)]
pub struct Authentication {
    realm: String,
    algorithms: Vec<Algorithm>,
    nonces: Nonces,
    guesses: Guesses,
}

/// What the credentials of a request come to before the password is looked at.
#[derive(Debug)]
pub enum Examined {
    /// There are none for us, or their nonce is not good (any more).
    Challenge {
        /// RFC 7616 3.3: only the nonce is too old; the user need not be asked again.
        stale: bool,
    },
    /// SEC-49: too many wrong ones by this name from this address. The password is not looked at.
    Locked,
    /// To be judged with the hashes of its address.
    Candidate(Box<Candidate>),
}

/// Credentials with a good nonce.
#[derive(Debug)]
pub struct Candidate {
    /// Whose password it would be.
    pub address: Address,
    credentials: Credentials,
    source: IpAddr,
}

/// What the password comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It is the user.
    Granted(Address),
    /// The password is right, but the nonce was used before with this count or a higher one.
    Challenge {
        /// Always set here.
        stale: bool,
    },
    /// SEC-48: wrong, or nobody of that name.
    Wrong {
        /// SEC-49: this was the one too many by this name, which somebody should hear of.
        locks: Option<String>,
    },
}

impl Authentication {
    /// For the users of this domain. `algorithms` are offered in this order (RFC 8760 2.4); only those
    /// that the store has hashes for are.
    pub fn new(realm: &str, algorithms: &[Algorithm], rng: &mut ChaCha20Rng) -> Self {
        let kept = |algorithm: &Algorithm| matches!(algorithm, Algorithm::Sha256 | Algorithm::Md5);
        Authentication {
            realm: realm.to_owned(),
            algorithms: algorithms.iter().copied().filter(kept).collect(),
            nonces: Nonces::new(rng, NONCES_MAX),
            guesses: Guesses::default(),
        }
    }

    /// Changes what is offered from now on; nonces stay good.
    pub fn reconfigure(&mut self, realm: &str, algorithms: &[Algorithm]) {
        let kept = |algorithm: &Algorithm| matches!(algorithm, Algorithm::Sha256 | Algorithm::Md5);
        self.realm = realm.to_owned();
        self.algorithms = algorithms.iter().copied().filter(kept).collect();
    }

    /// The challenges of one 401 or 407: one for each algorithm, all with one nonce.
    pub fn challenges(&mut self, now: Instant, stale: bool) -> Vec<Challenge> {
        let nonce = self.nonces.make(now);
        let challenge = |&algorithm: &Algorithm| Challenge {
            realm: self.realm.clone(),
            nonce: nonce.clone(),
            opaque: None,
            stale,
            algorithm,
            qop_auth: true,
        };
        self.algorithms.iter().map(challenge).collect()
    }

    /// Looks for credentials in a request from this address.
    pub fn examine(&mut self, now: Instant, request: &Request, source: IpAddr) -> Examined {
        let Some(credentials) = self.credentials(request) else {
            return Examined::Challenge { stale: false };
        };
        match self.nonces.standing(now, &credentials.nonce) {
            Standing::Fresh => {}
            Standing::Stale => return Examined::Challenge { stale: true },
            Standing::Forged => return Examined::Challenge { stale: false },
        }
        if self.guesses.is_locked(now, source, &credentials.username) {
            return Examined::Locked;
        }
        // A name that nobody can have is asked for like any other, so that it takes as long (SEC-48).
        let address =
            Address::new(&credentials.username, &self.realm).or_else(|_| Address::new("-", &self.realm));
        match address {
            Ok(address) => Examined::Candidate(Box::new(Candidate { address, credentials, source })),
            Err(_) => Examined::Challenge { stale: false },
        }
    }

    /// Compares with the hashes that the store has; `None` where it has none.
    pub fn judge(
        &mut self,
        now: Instant,
        candidate: Candidate,
        method: &Method,
        hashes: Option<&DigestHashes>,
    ) -> Judgement {
        if candidate.is_right(method, hashes) {
            return self.grant(now, candidate);
        }
        let Candidate { address, credentials, source } = candidate;
        let locks = self.guesses.failed(now, source, &credentials.username);
        Judgement::Wrong { locks: locks.then(|| address.user().to_owned()) }
    }

    /// Compares with hashes that somebody remembers: they may prove somebody right, and nobody wrong.
    pub fn recall(
        &mut self,
        now: Instant,
        candidate: Box<Candidate>,
        method: &Method,
        hashes: Option<&DigestHashes>,
    ) -> Result<Judgement, Box<Candidate>> {
        // SEC-48: whoever is not known is compared as well.
        if candidate.is_right(method, hashes) { Ok(self.grant(now, *candidate)) } else { Err(candidate) }
    }

    /// The password is right.
    fn grant(&mut self, now: Instant, candidate: Candidate) -> Judgement {
        let Candidate { address, credentials, source } = candidate;
        self.guesses.succeeded(source, &credentials.username);
        let count = credentials.qop_auth.as_ref().map_or(0, |(_, count)| count.0);
        // Only now: a stranger must not be able to use up a nonce of somebody else.
        if self.nonces.count(now, &credentials.nonce, count) {
            Judgement::Granted(address)
        } else {
            Judgement::Challenge { stale: true }
        }
    }

    /// The first credentials for our realm by a method that we offered. Unreadable ones are none.
    fn credentials(&self, request: &Request) -> Option<Credentials> {
        let headers = request.headers();
        let name = credentials_header(request.method());
        let mut all = headers.all(&name).filter_map(|value| Credentials::parse(&value).ok().flatten());
        all.find(|credentials| {
            credentials.realm == self.realm
                && self.algorithms.contains(&credentials.algorithm)
                && credentials.qop_auth.is_some()
                && is_about(&credentials.uri, request)
        })
    }
}

impl Candidate {
    /// SEC-48: for nobody's name a hash is computed all the same.
    fn is_right(&self, method: &Method, hashes: Option<&DigestHashes>) -> bool {
        let credentials = &self.credentials;
        credentials.verify(&ha1(credentials.algorithm, hashes), method) && hashes.is_some()
    }
}

/// RFC 3261 22.2, 22.3: a registrar is asked as a user agent, all else as a proxy.
pub fn credentials_header(method: &Method) -> HeaderName {
    match method {
        Method::Register => HeaderName::Authorization,
        _ => HeaderName::ProxyAuthorization,
    }
}

/// RFC 3261 22.4: the credentials' `uri` is the Request-URI. Some clients write it with other
/// parameters, so that user and host decide.
fn is_about(uri: &str, request: &Request) -> bool {
    let Ok(uri) = umbel_sip_message::UriRef::parse(uri) else { return false };
    let asked = request.request_uri();
    uri.scheme() == asked.scheme()
        && uri.user_decoded() == asked.user_decoded()
        && uri.host().eq_ignore_ascii_case(asked.host())
}

fn ha1(algorithm: Algorithm, hashes: Option<&DigestHashes>) -> Ha1 {
    let digits = match (algorithm, hashes) {
        (Algorithm::Md5, Some(hashes)) => hex(&hashes.md5.0),
        (Algorithm::Sha256, Some(hashes)) => hex(&hashes.sha256.0),
        (Algorithm::Md5, None) => hex(&[0; 16]),
        (Algorithm::Sha256 | Algorithm::Sha512_256, _) => hex(&[0; 32]),
    };
    Ha1::from_hex(algorithm, &digits)
}

#[cfg(test)]
#[path = "authentication/tests.rs"]
mod tests;
