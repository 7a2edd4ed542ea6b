//! What all services ask of a request before they look into it: that it is whole, who sends it, what it is said to be.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::FromRequestParts;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use umbel_ews::xml::BODY_BYTES_MAX;
use umbel_store::{Address, User};

use super::base_url::base_url;
use crate::{Client, Desk, SignedIn};

/// How long the body may take (SEC-107).
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// A request that may be read: whose it is, and its octets.
pub(super) struct Admitted {
    pub(super) user: Arc<User>,
    pub(super) body: Bytes,
    /// Where the client reached us.
    pub(super) base_url: String,
}

impl Admitted {
    /// Whose mailbox it is: of who signed in, never one that the request names (SEC-97).
    pub(super) fn mailbox(&self) -> &Address {
        self.user.address()
    }
}

/// What may stand in `Content-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// SOAP 1.1 (section 6.1.1): `text/xml` and nothing else.
    Soap,
    /// Plain XML.
    Xml,
}

/// Lets a request in, or says why not; the latter never with a SOAP body.
pub(super) async fn admit(desk: &Desk, request: Request<Body>, kind: Kind) -> Result<Admitted, Response> {
    let (mut parts, body) = request.into_parts();
    // Before anything is answered: many clients send each request first without credentials, and go on with
    // the same connection.
    let body = whole(body).await?;
    // SEC-98: a browser sends them along for any site; a password it does not.
    parts.headers.remove(COOKIE);
    let base_url = base_url(&parts, parts.extensions.get::<Client>().copied(), &desk.settings().public_url);
    let signed_in =
        SignedIn::from_request_parts(&mut parts, desk).await.map_err(IntoResponse::into_response)?;
    if !is(kind, &parts.headers) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response());
    }
    Ok(Admitted { user: signed_in.user, body, base_url })
}

/// Whoever looks at an address by GET signs in too.
pub(super) async fn admit_look(desk: &Desk, request: Request<Body>) -> Result<String, Response> {
    let (mut parts, _) = request.into_parts();
    parts.headers.remove(COOKIE);
    SignedIn::from_request_parts(&mut parts, desk).await.map_err(IntoResponse::into_response)?;
    Ok(base_url(&parts, parts.extensions.get::<Client>().copied(), &desk.settings().public_url))
}

/// SEC-95: no more is read than may be.
async fn whole(body: Body) -> Result<Bytes, Response> {
    match tokio::time::timeout(BODY_WITHIN, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(octets)) => Ok(octets),
        // Too long, or the connection broke, and then nobody reads this.
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE.into_response()),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT.into_response()),
    }
}

/// SEC-96
fn is(kind: Kind, headers: &HeaderMap) -> bool {
    let coded = headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(content_type), None) = (types.next(), types.next()) else { return false };
    let Ok(text) = content_type.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or("").to_ascii_lowercase();
    let known = match kind {
        Kind::Soap => media_type == "text/xml",
        Kind::Xml => media_type == "text/xml" || media_type == "application/xml",
    };
    let charset = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    });
    known && !coded && charset.is_none_or(|charset| ["utf-8", "utf8", "us-ascii"].contains(&charset.as_str()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(of: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in of {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    /// SEC-96
    #[test]
    fn it_is_xml_in_utf_8_or_not_looked_at() {
        for text in [
            "text/xml",
            "text/xml; charset=utf-8",
            "Text/XML;charset=\"UTF-8\"",
            "text/xml; x=y; charset=us-ascii",
            "text/xml; charset=utf8",
        ] {
            assert!(is(Kind::Soap, &headers(&[(CONTENT_TYPE, text)])), "{text}");
        }
        let xml = headers(&[(CONTENT_TYPE, "application/xml; charset=utf-8")]);
        assert!(is(Kind::Xml, &xml) && !is(Kind::Soap, &xml));
        for text in [
            "",
            "text/plain",
            "application/json",
            "application/soap+xml",
            "text/xml; charset=utf-16",
            "text/xml; charset=iso-8859-1",
            "text/xmlx",
        ] {
            assert!(!is(Kind::Soap, &headers(&[(CONTENT_TYPE, text)])), "{text}");
        }
        assert!(!is(Kind::Soap, &HeaderMap::new()));
        assert!(!is(Kind::Soap, &headers(&[(CONTENT_TYPE, "text/xml"), (CONTENT_TYPE, "text/xml")])));
        assert!(!is(Kind::Soap, &headers(&[(CONTENT_TYPE, "text/xml"), (CONTENT_ENCODING, "gzip")])));
        assert!(is(Kind::Soap, &headers(&[(CONTENT_TYPE, "text/xml"), (CONTENT_ENCODING, "identity")])));
    }
}
