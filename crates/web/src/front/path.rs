//! Paths without regard to case, and the words of people as they wrote them.

use axum::http::Request;
use axum::http::uri::{PathAndQuery, Uri};

/// The path before its case was taken away; every request bears one as an extension. Call-IDs and user parts
/// are compared with case, and take theirs from here.
#[derive(Clone, Debug)]
pub struct AsWritten(Uri);

impl AsWritten {
    /// The segment of this number, without percent escapes: of `/api/v1/me`, 2 is `me`.
    pub fn segment(&self, number: usize) -> Option<String> {
        let segment = self.0.path().strip_prefix('/')?.split('/').nth(number)?;
        let decoded = percent_encoding::percent_decode_str(segment).decode_utf8().ok()?;
        Some(decoded.into_owned())
    }
}

/// Programs write `/EWS/Exchange.asmx` and `/ews/exchange.asmx`. Queries keep their case.
pub(crate) fn without_case<B>(request: &mut Request<B>) {
    let written = request.uri().clone();
    if written.path().bytes().any(|octet| octet.is_ascii_uppercase()) {
        let query = written.query().map(|query| format!("?{query}")).unwrap_or_default();
        let lower = format!("{}{query}", written.path().to_ascii_lowercase());
        let mut parts = written.clone().into_parts();
        parts.path_and_query = PathAndQuery::try_from(lower).ok();
        // Letters in lower case are as good in a path as those in upper case.
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    request.extensions_mut().insert(AsWritten(written));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn request(uri: &str) -> Request<()> {
        let mut request = Request::builder().uri(uri).body(()).unwrap();
        without_case(&mut request);
        request
    }

    #[test]
    fn paths_lose_their_case_and_queries_keep_it() {
        assert_eq!(request("/EWS/Exchange.asmx?WSDL").uri(), "/ews/exchange.asmx?WSDL");
        assert_eq!(request("/api/v1/me").uri(), "/api/v1/me");
    }

    #[test]
    fn segments_are_found_as_they_were_written() {
        let request = request("/API/v1/calls/aB%40host%2F1/why?x");
        let written = request.extensions().get::<AsWritten>().unwrap();
        assert_eq!(written.segment(3).as_deref(), Some("aB@host/1"));
        assert_eq!(written.segment(5), None);
        // Octets that are no text name nothing.
        let request = self::request("/api/v1/calls/%ff/why");
        assert_eq!(request.extensions().get::<AsWritten>().unwrap().segment(3), None);
    }
}
