//! Where a REFER sends us, and whether we go there: RFC 3515, RFC 3892, RFC 4488; SEC-20, SEC-42.

use umbel_sip_message::{HeaderName, Method, Request, Scheme, StatusCode, Uri, decode};
use umbel_ua::ExtraHeaders;

use crate::incoming::Kind;

/// A call that somebody wants us to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Referral {
    /// Whom to call.
    pub(crate) to: Uri,
    /// Replaces and Referred-By. Nothing else of a REFER gets into a call of ours.
    pub(crate) headers: ExtraHeaders,
    /// RFC 4488 4: what Refer-Sub says, where it is there: whether to tell what comes of it.
    pub(crate) subscribes: Option<bool>,
}

/// What we would have to do for this REFER, which came within a call of this kind.
///
/// SEC-20: Refer-To may ask for header fields in the new call. `Replaces` is the one that transfers need; with any
/// other the REFER is refused, `Ms-Exchange-Command` among them.
pub(crate) fn read(refer: &Request, kind: Kind) -> Result<Referral, StatusCode> {
    // SEC-42: the owner's voice mail is played to the owner, and sends nobody anywhere.
    if kind == Kind::PlayOnPhone {
        return Err(StatusCode::DECLINE);
    }
    let headers = refer.headers();
    // RFC 3515 2.4.2: "MUST contain exactly one Refer-To".
    let address = headers.address(&HeaderName::ReferTo).ok().flatten().ok_or(StatusCode::BAD_REQUEST)?;
    let uri = address.uri;
    if !matches!(uri.scheme(), Scheme::Sip | Scheme::Sips) {
        return Err(StatusCode::UNSUPPORTED_URI_SCHEME);
    }
    let calls = uri.param("method").is_none_or(|method| method == Some(Method::Invite.as_str()));
    if !calls {
        return Err(StatusCode::FORBIDDEN);
    }
    let mut more = ExtraHeaders::new();
    for (name, value) in uri.headers() {
        let name = decode(name).ok_or(StatusCode::BAD_REQUEST)?;
        if !name.eq_ignore_ascii_case(HeaderName::Replaces.as_str()) {
            return Err(StatusCode::FORBIDDEN);
        }
        let value = decode(value).ok_or(StatusCode::BAD_REQUEST)?;
        // RFC 3891 6.1: one of them, and what is not text of one line is none.
        if !more.is_empty() || value.is_empty() || !value.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
            return Err(StatusCode::BAD_REQUEST);
        }
        more.push((HeaderName::Replaces, value.into_owned()));
    }
    // RFC 3892 2.2: who sends us is said to whom we call. The address alone: its proof, where there is one, is a
    // body that we do not pass on.
    if let Ok(Some(referrer)) = headers.address(&HeaderName::ReferredBy)
        && !referrer.uri.has_headers()
    {
        more.push((HeaderName::ReferredBy, format!("<{}>", referrer.uri.to_uri())));
    }
    let to = uri.to_uri().without_headers().without_param("method");
    let subscribes =
        headers.get_text(&HeaderName::ReferSub).map(|value| !value.trim().eq_ignore_ascii_case("false"));
    Ok(Referral { to, headers: more, subscribes })
}
