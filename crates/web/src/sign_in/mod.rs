//! Who asks: by address and password with every request (RFC 7617).
//!
//! The mailbox is always that of who signed in, never one that the request names (SEC-97).

mod attempts;
mod basic;
mod remembered;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use tokio::sync::Notify;
use umbel_store::{Account, Address, Attempt, Op, Password, Pin, Reply, Role, SecretsMark, User, Verdict};

use crate::api::ApiError;
use crate::front::Client;
use crate::page::SessionKey;
use crate::{Desk, Random};
use attempts::{Admission, Attempts};
use basic::Credentials;
use remembered::Remembered;

/// How long an attempt waits for others of the same address.
const ADMITTED_WITHIN: Duration = Duration::from_secs(10);
/// RFC 7617 2: passwords are read as UTF-8.
const CHALLENGE: &str = "Basic realm=\"Umbel\", charset=\"UTF-8\"";

/// Who signed in, by password or in a session of the page's. An argument of a handler: without it, whoever asks is
/// asked who they are.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The user, as the store knew it when the request came.
    pub user: Arc<User>,
    /// The session, where there is one.
    pub(crate) session: Option<SessionKey>,
    /// Which secrets it was that let them in.
    pub(crate) secrets: SecretsMark,
}

impl SignedIn {
    fn by_password(account: Account) -> Self {
        SignedIn { user: Arc::new(account.user), session: None, secrets: account.secrets }
    }

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
    /// The session that is shown counts no more.
    SessionOver,
    /// Another site's page asks in the user's browser (SEC-98).
    CrossSite,
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
            // Without a challenge: the page asks, not the browser.
            NotSignedIn::SessionOver => {
                ApiError::new(StatusCode::UNAUTHORIZED, "session-over", "sign in again").into_response()
            }
            NotSignedIn::CrossSite => ApiError::new(
                StatusCode::FORBIDDEN,
                "cross-site",
                "this request does not come from the page of this server, or lacks its token",
            )
            .into_response(),
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
        if parts.headers.contains_key(AUTHORIZATION) {
            return ByPassword::from_request_parts(parts, desk).await.map(|ByPassword(signed_in)| signed_in);
        }
        let client = *parts.extensions.get::<Client>().ok_or(NotSignedIn::Unavailable)?;
        if !client.is_private() {
            return Err(NotSignedIn::InClear);
        }
        desk.signed_in_before(parts, client).await
    }
}

/// Who signed in by address and password, and by nothing that a browser sends by itself (SEC-98).
#[derive(Clone, Debug)]
pub struct ByPassword(pub SignedIn);

impl FromRequestParts<Desk> for ByPassword {
    type Rejection = NotSignedIn;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, NotSignedIn> {
        let client = *parts.extensions.get::<Client>().ok_or(NotSignedIn::Unavailable)?;
        if !client.is_private() {
            return Err(NotSignedIn::InClear);
        }
        match basic::read(&parts.headers, &desk.settings().domain) {
            Credentials::Absent | Credentials::Unreadable => Err(NotSignedIn::Unknown),
            Credentials::Basic(address, password) => {
                desk.sign_in(client, address, password).await.map(ByPassword)
            }
        }
    }
}

/// An administrator who signed in.
#[derive(Clone, Debug)]
pub struct Administrator(pub SignedIn);

/// Why it is no administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdministrator {
    /// It is nobody.
    NotSignedIn(NotSignedIn),
    /// It is somebody else (SEC-108).
    User,
}

impl IntoResponse for NotAdministrator {
    fn into_response(self) -> Response {
        match self {
            NotAdministrator::NotSignedIn(why) => why.into_response(),
            NotAdministrator::User => {
                ApiError::new(StatusCode::FORBIDDEN, "administrators-only", "only administrators may do this")
                    .into_response()
            }
        }
    }
}

impl FromRequestParts<Desk> for Administrator {
    type Rejection = NotAdministrator;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, NotAdministrator> {
        let signed_in =
            SignedIn::from_request_parts(parts, desk).await.map_err(NotAdministrator::NotSignedIn)?;
        match signed_in.user.settings.role {
            Role::Administrator => Ok(Administrator(signed_in)),
            Role::User => Err(NotAdministrator::User),
        }
    }
}

/// Knows who was let in, and who tried.
pub(crate) struct Doorkeeper {
    remembered: Mutex<Remembered>,
    attempts: Mutex<Attempts>,
    /// Rings when an attempt has ended.
    ended: Notify,
}

impl Doorkeeper {
    pub(crate) fn new(random: &Random) -> Self {
        Doorkeeper {
            remembered: Mutex::new(Remembered::new(random.octets())),
            attempts: Mutex::default(),
            ended: Notify::new(),
        }
    }

    /// Waits until an attempt from there to be this account may be made.
    async fn admit(&self, from: IpAddr, account: &Address) -> Result<UnderWay<'_>, NotSignedIn> {
        let deadline = tokio::time::Instant::now() + ADMITTED_WITHIN;
        loop {
            let another_ended = self.ended.notified();
            let admission = lock(&self.attempts).begin(from, account);
            match admission {
                Admission::Go => {
                    let account = account.clone();
                    return Ok(UnderWay { doorkeeper: self, from, account, was_wrong: true });
                }
                Admission::TooMany { again_in } => {
                    return Err(NotSignedIn::TooMany(again_in.as_secs().saturating_add(1)));
                }
                Admission::Wait => tokio::time::timeout_at(deadline, another_ended)
                    .await
                    .map_err(|_| NotSignedIn::TooMany(1))?,
            }
        }
    }
}

/// An attempt that is being looked at. Whoever leaves before the answer counts as wrong.
struct UnderWay<'a> {
    doorkeeper: &'a Doorkeeper,
    from: IpAddr,
    account: Address,
    was_wrong: bool,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        lock(&self.doorkeeper.attempts).ended(self.from, &self.account, self.was_wrong);
        self.doorkeeper.ended.notify_waiters();
    }
}

/// Whoever panicked with the lock left a table whose entries are whole.
fn lock<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// Lets in whoever knows the password, and nobody else. A wrong one always costs Argon2, also where there is
    /// no such user (SEC-103); a right one once in five minutes (DEC-34).
    pub(crate) async fn sign_in(
        &self,
        client: Client,
        address: Address,
        password: Password,
    ) -> Result<SignedIn, NotSignedIn> {
        let account = match self.store.ask(Op::FindAccount { address: address.clone(), at: self.now() }).await
        {
            Reply::Account(account) => account,
            _ => return Err(NotSignedIn::Unavailable),
        };
        let tag = lock(&self.doorkeeper.remembered).tag(&address, &password);
        if let Some(account) = &account {
            let may = account.user.settings.enabled && account.locked.is_none();
            let mut remembered = lock(&self.doorkeeper.remembered);
            match may {
                true if remembered.holds(tag, account.secrets) => {
                    return Ok(SignedIn::by_password(Account::clone(account)));
                }
                true => {}
                false => remembered.forget(tag),
            }
        }
        self.check(client, address, password).await?;
        // It was right, so there is an account, or there was one a moment ago.
        let account = account.ok_or(NotSignedIn::Unknown)?;
        lock(&self.doorkeeper.remembered).remember(tag, account.secrets);
        Ok(SignedIn::by_password(*account))
    }

    async fn check(&self, client: Client, address: Address, password: Password) -> Result<(), NotSignedIn> {
        match self.try_password(client, address, password).await? {
            Verdict::Right { .. } => Ok(()),
            Verdict::CallerLocked { until } => {
                Err(NotSignedIn::TooMany(until.since(self.now()).as_secs().saturating_add(1)))
            }
            // That a door is locked is told nobody either: unknown users have none.
            Verdict::Wrong { .. } | Verdict::Locked(_) => Err(NotSignedIn::Unknown),
        }
    }

    /// Tries a password, as often as one address may be wrong.
    pub(crate) async fn try_password(
        &self,
        client: Client,
        mailbox: Address,
        password: Password,
    ) -> Result<Verdict, NotSignedIn> {
        self.attempt(client, "password", mailbox, password, |attempt| Op::CheckPassword(Box::new(attempt)))
            .await
    }

    /// Tries a PIN at the telephone's door, as often as one address may be wrong.
    pub(crate) async fn try_pin(
        &self,
        client: Client,
        mailbox: Address,
        pin: Pin,
    ) -> Result<Verdict, NotSignedIn> {
        self.attempt(client, "pin", mailbox, pin, |attempt| Op::CheckPin(Box::new(attempt))).await
    }

    async fn attempt<S>(
        &self,
        client: Client,
        kind: &'static str,
        mailbox: Address,
        secret: S,
        op: impl FnOnce(Attempt<S>) -> Op,
    ) -> Result<Verdict, NotSignedIn> {
        let from = client.remote.ip().to_canonical();
        let mut under_way = self.doorkeeper.admit(from, &mailbox).await?;
        // DEC-6: what asks from this machine may be a proxy that speaks for many.
        let caller = match from.is_loopback() {
            true => format!("{from} {mailbox}"),
            false => from.to_string(),
        };
        let attempt = Attempt { mailbox, secret, caller, call_id: None, at: self.now() };
        let reply = self.store.ask(op(attempt)).await;
        let Reply::Checked(verdict) = reply else {
            under_way.was_wrong = false;
            return Err(NotSignedIn::Unavailable);
        };
        if let Verdict::Right { .. } = verdict {
            under_way.was_wrong = false;
        } else {
            self.metrics.web_sign_in_failed();
            // In the form that log watchers know; never the name, which may be a password in the wrong field.
            tracing::warn!(kind, src_ip = %from, "authentication failure");
        }
        Ok(verdict)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
