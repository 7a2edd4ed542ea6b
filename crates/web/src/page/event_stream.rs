//! Server-sent events: a response that goes on (WHATWG HTML 9.2).

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use serde::Serialize;
use tokio::sync::mpsc;

/// Events that wait for a slow reader; whoever writes waits too, and then tells the latest only.
const EVENTS_WAITING_MAX: usize = 4;
/// How often a silent stream says that it lives, which also shows whether somebody listens.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);
/// What the browser waits before it opens a broken stream again.
const RETRY_MILLISECONDS: u32 = 2_000;

/// Where events are written.
pub(super) struct EventSink(mpsc::Sender<Bytes>);

/// Nobody listens any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Left;

struct EventBody(mpsc::Receiver<Bytes>);

/// A response, and where its events are written. It ends when the sink is dropped.
pub(super) fn open() -> (EventSink, Response) {
    let (sender, receiver) = mpsc::channel(EVENTS_WAITING_MAX);
    let _ = sender.try_send(Bytes::from(format!("retry: {RETRY_MILLISECONDS}\n\n")));
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    (EventSink(sender), (headers, Body::new(EventBody(receiver))).into_response())
}

impl EventSink {
    /// Tells an event; without a `name` it is a plain message.
    pub(super) async fn tell(&self, name: Option<&str>, data: &impl Serialize) -> Result<(), Left> {
        // What we write has neither maps with odd keys nor numbers that JSON lacks.
        let data = serde_json::to_string(data).map_err(|_| Left)?;
        let name = name.map(|name| format!("event: {name}\n")).unwrap_or_default();
        self.write(format!("{name}data: {data}\n\n")).await
    }

    /// Says that the stream lives.
    pub(super) async fn beat(&self) -> Result<(), Left> {
        self.write(":\n\n".to_owned()).await
    }

    /// Waits until nobody listens.
    pub(super) async fn left(&self) {
        self.0.closed().await;
    }

    async fn write(&self, text: String) -> Result<(), Left> {
        self.0.send(Bytes::from(text)).await.map_err(|_| Left)
    }
}

impl HttpBody for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let written = ready!(self.0.poll_recv(context));
        Poll::Ready(written.map(|octets| Ok(Frame::data(octets))))
    }
}
