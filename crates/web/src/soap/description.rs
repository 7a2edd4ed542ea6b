//! The descriptions of the services: for everybody, without signing in.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{Request, Uri};
use axum::response::{IntoResponse, Response};
use umbel_ews::description;

use super::base_url::base_url;
use crate::{Client, Desk};

/// `?wsdl`, in any case, alone or first.
pub(super) fn is_asked_for(uri: &Uri) -> bool {
    let word = uri.query().unwrap_or("").split(['&', '=']).next().unwrap_or("");
    word.eq_ignore_ascii_case("wsdl")
}

/// The Exchange web services.
pub(super) async fn services() -> Response {
    file(description::services())
}

/// Their messages.
pub(super) async fn messages() -> Response {
    file(description::MESSAGES.to_owned())
}

/// Their types.
pub(super) async fn types() -> Response {
    file(description::TYPES.to_owned())
}

/// The unified messaging service, at the address that the client used.
pub(super) async fn unified_messaging(State(desk): State<Desk>, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    let client = parts.extensions.get::<Client>().copied();
    unified_messaging_at(&base_url(&parts, client, &desk.settings().public_url))
}

/// The unified messaging service, at this address.
pub(super) fn unified_messaging_at(base_url: &str) -> Response {
    file(description::unified_messaging(base_url))
}

fn file(text: String) -> Response {
    ([(CONTENT_TYPE, "text/xml; charset=utf-8"), (CACHE_CONTROL, "no-cache")], text).into_response()
}
