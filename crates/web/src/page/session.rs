//! `/api/v1/session`: signing in once for many requests of a browser, and out again (SEC-98, SEC-102, DEC-36).
//!
//! SOAP never asks here: it takes passwords alone.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{ACCEPT, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::{Deserialize, Serialize};
use umbel_store::{Account, Address, Op, Password, Reply};
use zeroize::Zeroizing;

use super::cookie::{Kind, Shown};
use super::session_table::{CsrfToken, Session, SessionId, SessionKey, SessionTable};
use super::{cookie, cross_site};
use crate::api::ApiError;
use crate::front::Client;
use crate::{Desk, NotSignedIn, SignedIn};

/// Our page says so of what nobody clicked for, such as messages that arrived: it is no use of the session.
static BACKGROUND: HeaderName = HeaderName::from_static("x-umbel-background");

/// The sessions, for all connections.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<SessionTable>);

impl Sessions {
    fn table(&self) -> MutexGuard<'_, SessionTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/api/v1/session", get(show).post(begin).delete(end))
}

/// What the page sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    address: String,
    password: String,
}

/// What the page is told: nothing of both where nobody is signed in.
#[derive(Serialize)]
struct Told<'a> {
    address: Option<&'a str>,
    csrf: Option<&'a str>,
}

/// Whether a session of before goes on; the page asks when it is loaded, and when its own token is refused.
async fn show(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Result<Response, NotSignedIn> {
    let nobody = Json(Told { address: None, csrf: None });
    let Shown::Id(id, _) = cookie::read(&headers, client) else { return Ok(nobody.into_response()) };
    if !cross_site::is_not_foreign(&headers, client) {
        return Err(NotSignedIn::CrossSite);
    }
    match desk.session_stands(id.key()).await {
        Ok((session, _)) => {
            desk.sessions.table().touch(id.key(), desk.now());
            let shown = Told { address: Some(session.user.as_str()), csrf: Some(session.csrf.text()) };
            Ok(Json(shown).into_response())
        }
        // The cookie is left alone: by now the browser may have another, from a tab in which somebody signed in.
        Err(NotSignedIn::SessionOver) => Ok(nobody.into_response()),
        Err(other) => Err(other),
    }
}

/// Begins a session, with a new id whatever was shown before (SEC-102).
async fn begin(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    // Nobody is signed in from another site, not even as somebody else (SEC-98).
    if !cross_site::is_own(&headers, client) {
        return Err(NotSignedIn::CrossSite.into_response());
    }
    let Ok(Credentials { address: typed, password }) = serde_json::from_slice(&body) else {
        return Err(ApiError::bad_request("an address and a password are wanted, as JSON").into_response());
    };
    let password = Zeroizing::new(password);
    let wrong = || {
        let message = "the address or the password is wrong, or too many were";
        ApiError::new(StatusCode::UNAUTHORIZED, "wrong-password", message).into_response()
    };
    let refused = |reason: NotSignedIn| match reason {
        // Without a challenge: the browser is not to ask in our page's place.
        NotSignedIn::Unknown => wrong(),
        other => other.into_response(),
    };
    let address = address(&typed, &desk.settings().domain).ok_or_else(wrong)?;
    let password = Password::new(password.as_str()).ok_or_else(wrong)?;
    if !client.is_private() {
        return Err(NotSignedIn::InClear.into_response());
    }
    // Looked at before the password is, so that one that is changed meanwhile does not let this one in.
    let before = desk.account(&address).await.map_err(refused)?;
    let SignedIn { user, .. } = desk.sign_in(client, address, password).await.map_err(refused)?;
    let account = before.ok_or_else(wrong)?;
    let id = SessionId::from_octets(desk.random.octets());
    let csrf = CsrfToken::from_octets(desk.random.octets());
    let answer = Json(Told { address: Some(user.address().as_str()), csrf: Some(csrf.text()) });
    let kind = if cross_site::is_page_secure(&headers, client) { Kind::Secure } else { Kind::Plain };
    let answer = (StatusCode::CREATED, [(SET_COOKIE, cookie::set(&id, kind))], answer).into_response();
    let now = desk.now();
    let session = Session::new(user.address().clone(), account.secrets, csrf, now);
    let mut table = desk.sessions.table();
    if let Shown::Id(former, _) = cookie::read(&headers, client) {
        table.end(former.key());
    }
    table.begin(&id, session, now);
    Ok(answer)
}

/// Ends the session, on both sides.
async fn end(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    signed_in: SignedIn,
) -> Response {
    if let Some(key) = signed_in.session {
        desk.sessions.table().end(key);
    }
    match cookie::read(&headers, client) {
        Shown::Id(_, kind) | Shown::Unreadable(kind) => {
            (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie::clear(kind))]).into_response()
        }
        Shown::Nothing => StatusCode::NO_CONTENT.into_response(),
    }
}

/// Streams are opened again by the browser itself.
fn is_background(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).map(HeaderValue::as_bytes);
    headers.contains_key(&BACKGROUND) || accepted == Some(b"text/event-stream")
}

/// An address as people type it: the domain may be left out.
fn address(typed: &str, domain: &str) -> Option<Address> {
    let typed = typed.trim();
    match typed.contains('@') {
        true => typed.parse().ok(),
        false => Address::new(typed, domain).ok(),
    }
}

impl Desk {
    /// Who signed in before, for a request without a password. Use keeps the session alive.
    pub(crate) async fn signed_in_before(
        &self,
        parts: &Parts,
        client: Client,
    ) -> Result<SignedIn, NotSignedIn> {
        let id = match cookie::read(&parts.headers, client) {
            Shown::Nothing => return Err(NotSignedIn::Unknown),
            Shown::Unreadable(_) => return Err(NotSignedIn::SessionOver),
            Shown::Id(id, _) => id,
        };
        let (session, account) = self.session_stands(id.key()).await?;
        if !cross_site::may_act(&parts.method, &parts.headers, client, &session.csrf) {
            return Err(NotSignedIn::CrossSite);
        }
        if !is_background(&parts.headers) {
            self.sessions.table().touch(id.key(), self.now());
        }
        Ok(SignedIn { user: account.user.into(), session: Some(id.key()), secrets: account.secrets })
    }

    /// The session of this key and its user, if it still counts: new secrets, a lock and a disabled mailbox end it.
    async fn session_stands(&self, key: SessionKey) -> Result<(Session, Account), NotSignedIn> {
        let session = self.sessions.table().find(key, self.now()).cloned().ok_or(NotSignedIn::SessionOver)?;
        let account = self.account(&session.user).await?;
        let Some(account) = account.filter(|account| account.still_admits(session.secrets)) else {
            self.sessions.table().end(key);
            return Err(NotSignedIn::SessionOver);
        };
        Ok((session, account))
    }

    /// Whether the session of this key still counts, without using it. The store's silence ends nothing.
    pub(super) async fn session_lasts(&self, key: SessionKey) -> bool {
        !matches!(self.session_stands(key).await, Err(NotSignedIn::SessionOver))
    }

    /// Whether who signed in would still be let in, for what goes on after the request (SEC-102). The store's silence
    /// ends nothing.
    pub(super) async fn sign_in_lasts(&self, signed_in: &SignedIn) -> bool {
        if let Some(key) = signed_in.session {
            return self.session_lasts(key).await;
        }
        match self.account(signed_in.address()).await {
            Ok(account) => account.is_some_and(|account| account.still_admits(signed_in.secrets)),
            Err(_) => true,
        }
    }

    async fn account(&self, address: &Address) -> Result<Option<Account>, NotSignedIn> {
        match self.store.ask(Op::FindAccount { address: address.clone(), at: self.now() }).await {
            Reply::Account(account) => Ok(account.map(|account| *account)),
            _ => Err(NotSignedIn::Unavailable),
        }
    }
}
