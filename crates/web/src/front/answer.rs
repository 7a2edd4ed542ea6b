//! One request: its body read first, its handler, and what every answer says to browsers and caches.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HOST, HeaderName, REFERRER_POLICY,
    RETRY_AFTER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, Request, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tower::ServiceExt;

use super::gate::Answering;
use super::{Client, path};
use crate::Desk;
use crate::api::{ApiError, is_upload};
use crate::metrics::Route;

/// Longest body of any request but an upload, whose handler reads it (SEC-95).
const BODY_BYTES_MAX: usize = 256 * 1024;
/// How long a body may take.
const BODY_WITHIN: Duration = Duration::from_secs(30);
/// Bodies that are held at once, in KiB; beyond it requests are to be made again later.
const BODIES_KIB_MAX: usize = 64 * 1024;

/// What the front's connections share.
#[derive(Clone)]
pub(super) struct Front {
    pub(super) app: Router,
    pub(super) desk: Desk,
    /// KiB of bodies that may still be held.
    bodies: Arc<Semaphore>,
}

impl Front {
    pub(super) fn new(app: Router, desk: Desk) -> Self {
        Front { app, desk, bodies: Arc::new(Semaphore::new(BODIES_KIB_MAX)) }
    }

    /// Answers one request. `is_last`: the connection ends with it.
    pub(super) async fn answer(
        self,
        client: Client,
        request: Request<Incoming>,
        answering: Answering,
        is_last: bool,
    ) -> Response<Tracked> {
        let began = Instant::now();
        let method = request.method().clone();
        let route = Route::of(request.uri().path());
        let mut response = self.handle(client, request).await;
        guard(&mut response, client);
        if is_last {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        self.desk.metrics.web_request(&method, route, response.status().as_u16(), began.elapsed());
        response.map(|body| Tracked { body, _answering: answering })
    }

    async fn handle(&self, client: Client, mut request: Request<Incoming>) -> Response {
        // RFC 9112 3.2
        let hosts = request.headers().get_all(HOST).iter().count();
        if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
            return closing(StatusCode::BAD_REQUEST, "bad-request", "a request names one host");
        }
        path::without_case(&mut request);
        request.extensions_mut().insert(client);
        let (parts, body) = request.into_parts();
        let (body, _held) = if is_upload(&parts.method, parts.uri.path()) {
            (Body::new(body), None)
        } else {
            match self.read(body, declared(&parts.headers)).await {
                // Some programs ask without credentials first, and again on the same connection: so the body is
                // read before anybody is refused.
                Ok((octets, held)) => (Body::from(octets), Some(held)),
                Err(refusal) => return refusal,
            }
        };
        let handling = self.app.clone().oneshot(Request::from_parts(parts, body));
        match caught(handling).await {
            Ok(Ok(response)) => response,
            Err(_) => {
                self.desk.metrics.panicked();
                ApiError::internal(&self.desk.random, &"a handler panicked").into_response()
            }
        }
    }

    /// The whole body, in time and within bounds.
    async fn read(
        &self,
        body: Incoming,
        declared: Option<u64>,
    ) -> Result<(Bytes, OwnedSemaphorePermit), Response> {
        let too_large = || {
            let message = format!("a body has at most {BODY_BYTES_MAX} octets");
            closing(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message)
        };
        let longest = BODY_BYTES_MAX as u64;
        let length = if body.is_end_stream() { 0 } else { declared.unwrap_or(longest) };
        if length > longest {
            return Err(too_large());
        }
        let kibibytes = u32::try_from(length.div_ceil(1024)).unwrap_or(u32::MAX);
        let held = Arc::clone(&self.bodies).try_acquire_many_owned(kibibytes).map_err(|_| {
            let mut response = closing(
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                "too much is being sent; try again later",
            );
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            response
        })?;
        let reading = axum::body::to_bytes(Body::new(body), BODY_BYTES_MAX);
        match tokio::time::timeout(BODY_WITHIN, reading).await {
            Ok(Ok(octets)) => Ok((octets, held)),
            Ok(Err(error)) if is_too_large(&error) => Err(too_large()),
            Ok(Err(_)) => Err(closing(StatusCode::BAD_REQUEST, "bad-request", "the body did not end")),
            Err(_) => Err(closing(StatusCode::REQUEST_TIMEOUT, "too-slow", "the body took too long")),
        }
    }
}

fn declared(headers: &axum::http::HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether reading ended at the bound, and not for a fault of the connection's.
fn is_too_large(error: &axum::Error) -> bool {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = source {
        if error.to_string().contains("length limit exceeded") {
            return true;
        }
        source = error.source();
    }
    false
}

/// A refusal after which the connection ends: what is left of the request is not read.
fn closing(status: StatusCode, code: &'static str, message: impl Into<String>) -> Response {
    let mut response = ApiError::new(status, code, message).into_response();
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// REL-25: a fault of ours ends one request.
async fn caught<F: Future>(future: F) -> Result<F::Output, Box<dyn Any + Send>> {
    let mut future = pin!(future);
    std::future::poll_fn(move |context| {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}

/// SEC-101, SEC-106: what every answer says, unless its handler has said something else.
fn guard(response: &mut Response, client: Client) {
    const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
    let always = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    let headers = response.headers_mut();
    for (name, value) in always {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if client.is_encrypted {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// A body that says when it has gone.
pub(super) struct Tracked {
    body: Body,
    _answering: Answering,
}

impl HttpBody for Tracked {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
