//! What a message and its transaction know each other by: RFC 3261 17.1.3 and 17.2.3.
//!
//! The standard compares texts: branch, sent-by, method, and for clients of RFC 2543 half a dozen
//! more. We compare a keyed hash of 128 bits of the same texts, so that a transaction that only
//! waits for its timer costs a few words (DEC-41). The key is secret and new in each run: nobody
//! outside can look for two messages with the same hash.

use std::hash::{DefaultHasher, Hash, Hasher};

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use smallvec::SmallVec;
use umbel_node::{Flow, Transport};
use umbel_sip_message::{Headers, MAGIC_COOKIE, Method, Request};

/// The identity of a transaction, or of a request that may come merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key([u64; 2]);

/// Who is at the other end of a flow, as far as the matching of requests goes.
///
/// RFC 3261 17.2.3 matches a request wherever it comes from; we want it to come from the same
/// certificate, or without one from the same address. A client that has lost its connection is
/// still understood (REL-35), but a stranger who learnt a branch cannot cancel somebody's call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing(u64);

impl Standing {
    #[cfg(test)]
    pub(crate) const NONE: Standing = Standing(0);
}

/// Makes keys. One per endpoint.
pub(crate) struct Keys {
    secret: [u64; 4],
}

/// Texts of different meaning never hash alike.
#[derive(Hash)]
enum Domain {
    Standing,
    Branch,
    Rfc2543,
    Merged,
    Client,
    Tag,
}

impl Keys {
    pub(crate) fn new(rng: &mut ChaCha20Rng) -> Self {
        Keys { secret: std::array::from_fn(|_| rng.next_u64()) }
    }

    pub(crate) fn standing(&self, flow: &Flow) -> Standing {
        let secure = flow.transport == Transport::Tls;
        let Key([half, _]) = match &flow.peer {
            Some(certificate) => self.hash((Domain::Standing, secure, certificate.fingerprint)),
            None => self.hash((Domain::Standing, secure, flow.remote.ip())),
        };
        Standing(half)
    }

    /// RFC 3261 17.2.3: the key of the server transaction that this request creates or belongs to.
    ///
    /// `method` is that of the request, but INVITE for an ACK and a CANCEL.
    pub(crate) fn server(&self, standing: Standing, request: &Request, method: &Method) -> Key {
        let headers = request.headers();
        let via = headers.via();
        let host = lower_case(via.host());
        match via.branch().filter(|branch| is_unique(branch)) {
            Some(branch) => {
                self.hash((Domain::Branch, standing.0, branch, host, via.port(), method.as_str()))
            }
            // OCEXUM-4-1, DEC-2: no branch, or only the cookie. The To tag is left out, since an ACK
            // has the one of the response, an INVITE none, and all else is alike only in copies.
            None => {
                let uri = request.request_uri();
                let from_tag = headers.from().tag();
                let via = (lower_case(via.transport()), host, via.port());
                let number = headers.cseq().number;
                let dialog = (from_tag, headers.call_id(), number);
                self.hash((Domain::Rfc2543, standing.0, uri.as_str(), via, dialog, method.as_str()))
            }
        }
    }

    /// RFC 3261 8.2.2.2: what merged requests have in common; `None` within a dialog.
    pub(crate) fn merged(&self, headers: &Headers) -> Option<Key> {
        if headers.to().tag().is_some() {
            return None;
        }
        let cseq = headers.cseq();
        let from = headers.from();
        Some(self.hash((Domain::Merged, from.tag(), headers.call_id(), cseq.number, cseq.method.as_str())))
    }

    /// RFC 3261 17.1.3: the key of the client transaction with this branch and method.
    pub(crate) fn client(&self, branch: &str, method: &Method) -> Key {
        self.hash((Domain::Client, branch, method.as_str()))
    }

    /// RFC 3261 8.2.7: the To tag of a stateless answer, the same for each copy of the request.
    pub(crate) fn tag(&self, key: Key) -> String {
        let Key([half, _]) = self.hash((Domain::Tag, key.0));
        format!("{half:016x}")
    }

    fn hash(&self, texts: impl Hash) -> Key {
        let half = |secret: &[u64]| {
            let mut hasher = DefaultHasher::new();
            secret.hash(&mut hasher);
            texts.hash(&mut hasher);
            hasher.finish()
        };
        let (first, second) = self.secret.split_at(2);
        Key([half(first), half(second)])
    }
}

/// RFC 3261 7.3.1, 19.1.4: hosts and transports are compared without case.
fn lower_case(text: &str) -> SmallVec<[u8; 64]> {
    text.bytes().map(|octet| octet.to_ascii_lowercase()).collect()
}

/// A branch that follows RFC 3261; the cookie alone is what some clients of RFC 2543 copied.
fn is_unique(branch: &str) -> bool {
    let (cookie, rest) = branch.split_at_checked(MAGIC_COOKIE.len()).unwrap_or(("", ""));
    cookie.eq_ignore_ascii_case(MAGIC_COOKIE) && !rest.is_empty()
}
