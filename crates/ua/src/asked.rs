//! Our requests that await a response, and what it takes to send one of them again.

use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use umbel_sip_endpoint::Target;
use umbel_sip_message::{Draft, HeaderName, Method, Response, StatusCode};

use crate::digest_client::DigestClient;
use crate::tag::LocalTag;
use crate::{CallKey, Credentials, Ticket};

/// RFC 4028 7.3: so often a request follows a 422 with a longer interval.
const INTERVALS_MAX: u8 = 2;

/// A request of ours.
pub(crate) struct Asked {
    pub(crate) purpose: Purpose,
    pub(crate) again: Option<Box<Again>>,
}

impl Asked {
    /// Whether its final response has come, and only copies of it are still expected.
    pub(crate) fn is_answered(&self) -> bool {
        match &self.purpose {
            Purpose::Invite { winner, .. } => winner.is_some(),
            Purpose::Reinvite { answered, .. } => *answered,
            // The others are forgotten with their response.
            _ => false,
        }
    }
}

/// What a request of ours is for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// A call that we place. Kept after a 2xx for as long as others may come.
    Invite {
        call: CallKey,
        /// The tag of the fork that answered first.
        winner: Option<Box<str>>,
    },
    /// A change of a session. Kept after its 2xx, whose copies get an ACK each.
    Reinvite { call: CallKey, answered: bool },
    /// The same by UPDATE.
    Update { call: CallKey },
    /// The receipt of a reliable provisional response.
    Prack { call: CallKey },
    /// Something beside the session.
    Info { call: CallKey },
    /// The wish that the peer calls somebody else.
    Refer { call: CallKey },
    /// What has become of a REFER, in a call or after it.
    Notify { call: CallKey },
    /// The end of a call, which is over already.
    Bye,
    /// Ordered by [`crate::Command::Request`].
    Request(Ticket),
    /// A sign of life from this gateway.
    Ping(usize),
    /// The registration with this tag.
    Register(LocalTag),
}

/// A request that may have to be sent again, and why it was before.
pub(crate) struct Again {
    draft: Draft,
    target: Target,
    digest: Option<DigestClient>,
    intervals: u8,
}

impl Again {
    /// Keeps what may be needed: everything for requests that can be asked for a longer session
    /// interval, else only where there are credentials.
    pub(crate) fn keep(
        purpose: &Purpose,
        draft: &Draft,
        target: &Target,
        credentials: Option<&Arc<Credentials>>,
    ) -> Option<Box<Self>> {
        let negotiates =
            matches!(purpose, Purpose::Invite { .. } | Purpose::Reinvite { .. } | Purpose::Update { .. });
        if !negotiates && credentials.is_none() {
            return None;
        }
        let digest = credentials.cloned().map(DigestClient::new);
        Some(Box::new(Again { draft: draft.clone(), target: target.clone(), digest, intervals: 0 }))
    }

    /// Changes the request so that the server that answered it like this may take it; says whether
    /// there is anything to change.
    pub(crate) fn satisfy(&mut self, response: &Response, rng: &mut ChaCha20Rng) -> bool {
        match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                self.authorize(response, rng)
            }
            StatusCode::SESSION_INTERVAL_TOO_SMALL => self.lengthen(response),
            _ => false,
        }
    }

    fn authorize(&mut self, response: &Response, rng: &mut ChaCha20Rng) -> bool {
        let (Some(digest), Some(method), Some(uri)) =
            (&mut self.digest, self.draft.method(), self.draft.request_uri())
        else {
            return false;
        };
        match digest.answer(response.status(), response.headers(), method, uri.as_str(), rng) {
            Some((name, value)) => {
                // CMD-12: all other fields, those of the caller included, stay as they were.
                self.draft.set(name, value);
                true
            }
            None => false,
        }
    }

    /// RFC 4028 7.3: "MUST retry with a Session-Expires that is at least the Min-SE of the 422",
    /// which is copied.
    fn lengthen(&mut self, response: &Response) -> bool {
        let Some(min_se) = response.headers().min_se().ok().flatten() else { return false };
        if self.intervals == INTERVALS_MAX || !self.draft.has(&HeaderName::SessionExpires) {
            return false;
        }
        self.intervals += 1;
        self.draft.set(HeaderName::SessionExpires, min_se.to_string());
        self.draft.set(HeaderName::MinSe, min_se.to_string());
        true
    }

    /// The request under the next number (RFC 3261 8.1.3.5: same Call-ID, To and From).
    pub(crate) fn renumbered(&mut self, number: u32) -> (Draft, Target) {
        let method = self.draft.method().unwrap_or(&Method::Options);
        let cseq = format!("{number} {method}");
        self.draft.set(HeaderName::CSeq, cseq);
        (self.draft.clone(), self.target.clone())
    }

    /// RFC 3261 22.1: the ACK repeats the credentials of its INVITE.
    pub(crate) fn authorization(&self) -> Vec<(HeaderName, String)> {
        let names = [HeaderName::Authorization, HeaderName::ProxyAuthorization];
        let value = |name: HeaderName| {
            let value = self.draft.header(&name)?;
            Some((name, String::from_utf8_lossy(value).into_owned()))
        };
        names.into_iter().filter_map(value).collect()
    }

    /// Whether the request carries credentials that were asked for.
    pub(crate) fn is_authorized(&self) -> bool {
        self.digest.as_ref().is_some_and(DigestClient::has_answered)
    }
}
