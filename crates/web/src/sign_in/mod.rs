//! Who asks: by address and password with every request (RFC 7617).
//!
//! The mailbox is always that of who signed in, never one that the request names (SEC-97).

mod basic;

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use umbel_store::{Address, Attempt, Lookup, Op, Password, Reply, User, Verdict};

use crate::Desk;
use crate::api::ApiError;
use crate::front::Client;
use basic::Credentials;

/// RFC 7617 2: passwords are read as UTF-8.
const CHALLENGE: &str = "Basic realm=\"Umbel\", charset=\"UTF-8\"";

/// Who signed in, by password. An argument of a handler: without it, whoever asks is asked who they are.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The user, as the store knew it when the request came.
    pub user: Arc<User>,
}

impl SignedIn {
    /// Whose mailbox it is.
    pub fn address(&self) -> &Address {
        self.user.address()
    }
}

/// Why nobody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSignedIn {
    /// No credentials, or wrong ones: nobody is told which, nor whether there is such a user (SEC-103).
    Unknown,
    /// Credentials would travel in clear.
    InClear,
    /// Too many wrong ones came from there; how many seconds to wait.
    TooMany(u64),
    /// The store does not answer.
    Unavailable,
}

impl IntoResponse for NotSignedIn {
    fn into_response(self) -> Response {
        match self {
            NotSignedIn::Unknown => {
                let error = ApiError::new(
                    StatusCode::UNAUTHORIZED,
                    "unauthorized",
                    "sign in with address and password",
                );
                ([(WWW_AUTHENTICATE, CHALLENGE)], error).into_response()
            }
            NotSignedIn::InClear => ApiError::new(
                StatusCode::FORBIDDEN,
                "tls-required",
                "passwords are not taken over plain HTTP from other machines; set [http] tls = true",
            )
            .into_response(),
            NotSignedIn::TooMany(seconds) => {
                let error = ApiError::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too-many-attempts",
                    "too many wrong passwords from this address; try again later",
                );
                ([(RETRY_AFTER, seconds.to_string())], error).into_response()
            }
            NotSignedIn::Unavailable => {
                let error = ApiError::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "the store does not answer now",
                );
                ([(RETRY_AFTER, "1")], error).into_response()
            }
        }
    }
}

impl FromRequestParts<Desk> for SignedIn {
    type Rejection = NotSignedIn;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, NotSignedIn> {
        let client = *parts.extensions.get::<Client>().ok_or(NotSignedIn::Unavailable)?;
        if !client.is_private() {
            return Err(NotSignedIn::InClear);
        }
        match basic::read(&parts.headers, &desk.settings().domain) {
            Credentials::Absent | Credentials::Unreadable => Err(NotSignedIn::Unknown),
            Credentials::Basic(address, password) => desk.sign_in(client, address, password).await,
        }
    }
}

impl Desk {
    /// Lets in whoever knows the password, and nobody else.
    pub(crate) async fn sign_in(
        &self,
        client: Client,
        address: Address,
        password: Password,
    ) -> Result<SignedIn, NotSignedIn> {
        let attempt = Attempt {
            mailbox: address.clone(),
            secret: password,
            caller: client.remote.ip().to_string(),
            call_id: None,
            at: self.now(),
        };
        match self.store.ask(Op::CheckPassword(Box::new(attempt))).await {
            Reply::Checked(Verdict::Right { .. }) => {}
            Reply::Checked(Verdict::CallerLocked { until }) => {
                return Err(NotSignedIn::TooMany(until.since(self.now()).as_secs().max(1)));
            }
            Reply::Checked(_) => return Err(NotSignedIn::Unknown),
            _ => return Err(NotSignedIn::Unavailable),
        }
        match self.store.ask(Op::FindUser(Lookup::Address(address))).await {
            Reply::User(Some(user)) => Ok(SignedIn { user: Arc::new(*user) }),
            Reply::User(None) => Err(NotSignedIn::Unknown),
            _ => Err(NotSignedIn::Unavailable),
        }
    }
}
