//! Whether a request is one that we can serve: RFC 3261 8.2.

use umbel_sip_message::{HeaderName, MediaType, Request, Scheme};

use crate::capabilities::Served;
use crate::refusal::Refusal;

/// RFC 3261 8.2.2.1: we know SIP, SIPS and telephone numbers.
pub(crate) fn scheme(request: &Request) -> Result<(), Refusal> {
    match request.request_uri().scheme() {
        Scheme::Sip | Scheme::Sips | Scheme::Tel => Ok(()),
        Scheme::Other => Err(Refusal::UnsupportedScheme),
    }
}

/// RFC 3261 8.2.2.3: what a request requires of us, we must know.
pub(crate) fn require(request: &Request, served: Served) -> Result<(), Refusal> {
    let method = request.method();
    let required = request.headers().require();
    let unknown: Vec<&str> = required.filter(|tag| !served.supports(method, tag)).collect();
    if unknown.is_empty() { Ok(()) } else { Err(Refusal::BadExtension { unsupported: unknown.join(", ") }) }
}

/// RFC 3261 8.2.3: a body must be a session description, and not be packed.
pub(crate) fn body(request: &Request) -> Result<(), Refusal> {
    if request.body().is_empty() {
        return Ok(());
    }
    encoding(request)?;
    let kind = request.headers().content_type().ok().flatten();
    match kind {
        Some(kind) if kind.is("application", "sdp") => Ok(()),
        // RFC 3261 20.11: `handling=optional` lets us leave aside what we cannot read.
        Some(_) | None if is_optional(request) => Ok(()),
        Some(_) | None => Err(Refusal::UnsupportedBody),
    }
}

/// RFC 3261 20.1, 21.4.7: what we answer with must be acceptable; where nothing is said, a session
/// description is.
pub(crate) fn accept(request: &Request) -> Result<(), Refusal> {
    let headers = request.headers();
    let takes_description = |range: &[u8]| {
        MediaType::parse(range).is_ok_and(|range| {
            [("application", "sdp"), ("application", "*"), ("*", "*")]
                .iter()
                .any(|(kind, subtype)| range.is(kind, subtype))
        })
    };
    let said = headers.has(&HeaderName::Accept);
    if !said || headers.elements(&HeaderName::Accept).any(takes_description) {
        Ok(())
    } else {
        Err(Refusal::NotAcceptable)
    }
}

/// SEC-63: no compressed or encoded bodies.
pub(crate) fn encoding(request: &Request) -> Result<(), Refusal> {
    let encodings = &HeaderName::ContentEncoding;
    let plain = request.headers().elements(encodings).all(|name| name.eq_ignore_ascii_case(b"identity"));
    if plain { Ok(()) } else { Err(Refusal::UnsupportedBody) }
}

fn is_optional(request: &Request) -> bool {
    let disposition = request.headers().get_text(&HeaderName::ContentDisposition).unwrap_or_default();
    let mut params = disposition.split(';').skip(1).map(|param| param.split('=').map(str::trim));
    params.any(|mut param| {
        param.next().is_some_and(|name| name.eq_ignore_ascii_case("handling"))
            && param.next().is_some_and(|value| value.eq_ignore_ascii_case("optional"))
    })
}
