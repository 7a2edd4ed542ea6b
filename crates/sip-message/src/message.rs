//! Messages as they were received: RFC 3261 7.

use std::fmt;

use bytes::Bytes;

use crate::headers::{Headers, Span};
use crate::method::Method;
use crate::status::StatusCode;
use crate::uri::{Layout, UriRef};

/// A request or a response.
#[derive(Clone, Debug)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Message {
    /// The header fields.
    pub fn headers(&self) -> &Headers {
        match self {
            Message::Request(request) => request.headers(),
            Message::Response(response) => response.headers(),
        }
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        match self {
            Message::Request(request) => request.body(),
            Message::Response(response) => response.body(),
        }
    }

    /// The whole message as it came.
    pub fn as_bytes(&self) -> &Bytes {
        &self.headers().message
    }

    /// The request, if it is one.
    pub fn into_request(self) -> Option<Request> {
        match self {
            Message::Request(request) => Some(request),
            Message::Response(_) => None,
        }
    }

    /// The response, if it is one.
    pub fn into_response(self) -> Option<Response> {
        match self {
            Message::Request(_) => None,
            Message::Response(response) => Some(response),
        }
    }
}

/// A request. Cloning shares the buffer.
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) uri: Span,
    pub(crate) uri_layout: Layout,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
}

impl Request {
    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The Request-URI.
    pub fn request_uri(&self) -> UriRef<'_> {
        UriRef::checked(self.uri.of(&self.headers.message), self.uri_layout)
    }

    /// The header fields.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The whole request as it came.
    pub fn as_bytes(&self) -> &Bytes {
        &self.headers.message
    }
}

impl fmt::Debug for Request {
    /// Start line and Call-ID: the rest may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.method, self.request_uri(), self.headers.call_id())
    }
}

/// A response. Cloning shares the buffer.
#[derive(Clone)]
pub struct Response {
    pub(crate) status: StatusCode,
    pub(crate) reason: Span,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
}

impl Response {
    /// The status code.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The reason phrase as it came, possibly empty; usually UTF-8.
    pub fn reason(&self) -> &[u8] {
        self.reason.of(&self.headers.message)
    }

    /// The header fields.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The whole response as it came.
    pub fn as_bytes(&self) -> &Bytes {
        &self.headers.message
    }
}

impl fmt::Debug for Response {
    /// Status, CSeq and Call-ID: the rest may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {} ({})", self.status, self.headers.cseq(), self.headers.call_id())
    }
}
