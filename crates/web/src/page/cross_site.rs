//! Whether a request comes from our own page, not from another site in the same browser (SEC-98, SEC-111).

use axum::http::header::{HOST, HeaderMap, ORIGIN};
use axum::http::{HeaderName, HeaderValue, Method, Uri};

use super::session_table::CsrfToken;
use crate::front::Client;

/// Where our page puts its token.
pub(super) static CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
/// Fetch metadata: whose document asks.
static FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether asking so changes nothing (RFC 9110 9.2.1).
pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether the request changes nothing, or bears the session's token and comes from our own origin.
pub(super) fn may_act(method: &Method, headers: &HeaderMap, client: Client, token: &CsrfToken) -> bool {
    if is_safe(method) {
        return is_not_foreign(headers, client);
    }
    let shown = headers.get(&CSRF_TOKEN).and_then(|value| value.to_str().ok());
    shown.is_some_and(|shown| token.is(shown)) && is_own(headers, client)
}

/// Whether the browser says that our own page asks. One that says nothing of where from is not believed.
pub(super) fn is_own(headers: &HeaderMap, client: Client) -> bool {
    headers.contains_key(ORIGIN) && is_not_foreign(headers, client)
}

/// Whether the browser does not say that another site asks. Browsers name the origin with all but plain reading
/// of one's own.
pub(super) fn is_not_foreign(headers: &HeaderMap, client: Client) -> bool {
    let site = headers.get(&FETCH_SITE).map(HeaderValue::as_bytes);
    let site_fits = matches!(site, None | Some(b"same-origin" | b"none"));
    let mut origins = headers.get_all(ORIGIN).iter();
    let origin_fits = match (origins.next(), origins.next()) {
        (None, _) => true,
        (Some(origin), None) => origin.to_str().is_ok_and(|origin| is_ours(origin, headers, client)),
        (Some(_), Some(_)) => false,
    };
    site_fits && origin_fits
}

/// Whether the page itself came over TLS: ours, or that of a proxy on this machine.
pub(super) fn is_page_secure(headers: &HeaderMap, client: Client) -> bool {
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    client.is_encrypted || origin.is_some_and(|origin| origin.starts_with("https://"))
}

/// Whether an origin is the very address that the request was sent to. What was secure for the browser may reach us
/// in clear, by a proxy on this machine; never the other way round.
fn is_ours(origin: &str, headers: &HeaderMap, client: Client) -> bool {
    let Ok(origin) = origin.parse::<Uri>() else { return false };
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return false };
    let (Some(said), Some(authority)) = (origin.scheme_str(), origin.authority()) else { return false };
    let fits = said == "https" || (said == "http" && !client.is_encrypted);
    fits && authority.as_str().eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const OURS: [(&str, &str); 2] = [("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8080")];

    fn client(is_encrypted: bool) -> Client {
        let (remote, local) = ("127.0.0.1:50000".parse().unwrap(), "127.0.0.1:8080".parse().unwrap());
        Client { remote, local, is_encrypted }
    }

    fn token() -> CsrfToken {
        CsrfToken::from_octets([7; 32])
    }

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let field = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        fields.iter().map(field).collect()
    }

    fn may(method: Method, fields: &[(&'static str, &str)]) -> bool {
        may_act(&method, &headers(fields), client(false), &token())
    }

    /// SEC-98
    #[test]
    fn changes_need_the_token_and_our_own_origin() {
        let token = token().text().to_owned();
        let shown = ("x-csrf-token", token.as_str());
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(may(method.clone(), &[OURS[0], OURS[1], shown]), "{method}");
            assert!(!may(method.clone(), &OURS), "{method} without the token");
            assert!(
                !may(method.clone(), &[OURS[0], OURS[1], ("x-csrf-token", "0")]),
                "{method}, wrong token"
            );
            assert!(!may(method.clone(), &[OURS[0], shown]), "{method} without an origin");
            for origin in ["http://127.0.0.1:8081", "ftp://127.0.0.1:8080", "http://evil.test", "null", ""] {
                assert!(
                    !may(method.clone(), &[OURS[0], ("origin", origin), shown]),
                    "{method} from {origin}"
                );
            }
            let cross = [OURS[0], OURS[1], shown, ("sec-fetch-site", "cross-site")];
            assert!(!may(method.clone(), &cross), "{method} across sites");
        }
    }

    /// SEC-111, SEC-112
    #[test]
    fn reading_needs_neither_but_another_site_cannot() {
        assert!(may(Method::GET, &[OURS[0]]));
        assert!(may(Method::GET, &[OURS[0], ("sec-fetch-site", "same-origin")]));
        // Typed into the address line.
        assert!(may(Method::GET, &[OURS[0], ("sec-fetch-site", "none")]));
        for site in ["cross-site", "same-site", "else"] {
            assert!(!may(Method::GET, &[OURS[0], ("sec-fetch-site", site)]), "{site}");
        }
        assert!(!may(Method::GET, &[OURS[0], ("origin", "http://evil.test")]));
        let twice = [OURS[0], OURS[1]];
        let mut twice = headers(&twice);
        twice.append(ORIGIN, HeaderValue::from_static("http://evil.test"));
        assert!(!is_not_foreign(&twice, client(false)));
    }

    #[test]
    fn under_tls_our_origin_is_https_and_a_proxy_on_this_machine_may_have_taken_it_off() {
        let from = |origin: &str| headers(&[("host", "Mail.example.test"), ("origin", origin)]);
        let (secure, plain) = (from("https://mail.example.test"), from("http://mail.example.test"));
        assert!(is_own(&secure, client(true)) && is_own(&secure, client(false)));
        assert!(is_own(&plain, client(false)) && !is_own(&plain, client(true)));
        assert!(
            !is_own(&headers(&[("origin", "https://mail.example.test")]), client(true)),
            "without a Host"
        );
        assert!(is_page_secure(&secure, client(false)) && is_page_secure(&plain, client(true)));
        assert!(!is_page_secure(&plain, client(false)) && !is_page_secure(&HeaderMap::new(), client(false)));
    }
}
