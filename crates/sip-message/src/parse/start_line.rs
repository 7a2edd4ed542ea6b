//! Request-Line and Status-Line: RFC 3261 7.1 and 7.2.

use crate::grammar;
use crate::headers::Span;
use crate::limits;
use crate::malformed::Defect;
use crate::method::Method;
use crate::status::StatusCode;
use crate::uri::Layout;

/// What the first line says; it stands at the beginning of the frame.
pub(crate) enum StartLine {
    Request { method: Method, uri: Span, uri_layout: Layout },
    Response { status: StatusCode, reason: Span },
}

impl StartLine {
    pub(super) fn read(line: &[u8]) -> Result<Self, Defect> {
        if line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
            status_line(line)
        } else {
            request_line(line)
        }
    }
}

/// `Request-Line = Method SP Request-URI SP SIP-Version`
fn request_line(line: &[u8]) -> Result<StartLine, Defect> {
    let method_end =
        memchr::memchr(b' ', line).ok_or(Defect::of_message("request line without a blank", 0))?;
    let method = line.get(..method_end).unwrap_or_default();
    let method = Method::from_octets(method).ok_or(Defect::of_message("method is not a token", 0))?;
    let uri_start = method_end + 1;
    let uri_end = memchr::memrchr(b' ', line).filter(|&end| end >= uri_start);
    let uri_end = uri_end.ok_or(Defect::of_message("request line without a version", method_end))?;
    version(line.get(uri_end + 1..).unwrap_or_default(), uri_end + 1)?;

    let uri = line.get(uri_start..uri_end).unwrap_or_default();
    if uri.len() > limits::REQUEST_URI_MAX {
        let defect = Defect::of_message("Request-URI too long", uri_start + limits::REQUEST_URI_MAX);
        return Err(defect.with_status(StatusCode::REQUEST_URI_TOO_LONG));
    }
    let layout = Layout::of(uri).map_err(|error| Defect::of_message(error.what, uri_start + error.at))?;
    // RFC 3261 19.1.1, table 1; RFC 4475 3.1.2.11 (M6).
    if layout.headers < layout.end {
        return Err(Defect::of_message("header component in the Request-URI", uri_start));
    }
    Ok(StartLine::Request { method, uri: Span::new(uri_start, uri_end), uri_layout: layout })
}

/// `Status-Line = SIP-Version SP Status-Code SP Reason-Phrase`
fn status_line(line: &[u8]) -> Result<StartLine, Defect> {
    let version_end = memchr::memchr(b' ', line).unwrap_or(line.len());
    version(line.get(..version_end).unwrap_or_default(), 0)?;
    let at = version_end + 1;
    let bad = Defect::of_message("bad status code", at);
    // Exactly three digits: RFC 4475 3.1.2.19 has one that wraps around to a good one.
    let code = grammar::number(line.get(at..at + 3).ok_or(bad)?, 3);
    let code = code.and_then(|code| u16::try_from(code).ok()).and_then(StatusCode::new);
    let status = code.ok_or(bad)?;
    match line.get(at + 3) {
        Some(b' ') => Ok(StartLine::Response { status, reason: Span::new(at + 4, line.len()) }),
        // Seen in the field: no blank after the code when there is no phrase.
        None => Ok(StartLine::Response { status, reason: Span::new(line.len(), line.len()) }),
        Some(_) => Err(bad),
    }
}

/// `SIP-Version = "SIP" "/" 1*DIGIT "." 1*DIGIT`, without case, and only 2.0 of them.
fn version(text: &[u8], at: usize) -> Result<(), Defect> {
    if text.eq_ignore_ascii_case(b"SIP/2.0") {
        return Ok(());
    }
    let (name, number) = text.split_at_checked(4).unwrap_or_default();
    let mut parts = number.split(|&c| c == b'.');
    let digits = |part: Option<&[u8]>| {
        part.is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
    };
    let is_version = name.eq_ignore_ascii_case(b"SIP/") && digits(parts.next()) && digits(parts.next());
    if is_version && parts.next().is_none() {
        let defect = Defect::of_message("version other than 2.0", at);
        return Err(defect.with_status(StatusCode::VERSION_NOT_SUPPORTED));
    }
    Err(Defect::of_message("start line without a SIP version", at))
}
