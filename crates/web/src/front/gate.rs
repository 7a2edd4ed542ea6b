//! The octets of a connection, on their way to the HTTP library: in time, within bounds, and of one meaning.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::framing::{Framing, Refused};

/// How long a request line and header fields may take (SEC-107).
pub(super) const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection may be silent between requests, and how long nobody may take what we send.
const SILENCE_MAX: Duration = Duration::from_secs(75);
/// How long we go on reading after our last word: closing at once would take that word back on the way.
/// Whoever is still sending, on a machine that is busy, is to get to reading it.
const LINGER: Duration = Duration::from_secs(3);
/// How much is read at once.
const READ_BYTES: usize = 8 * 1024;

/// Whether a request is being answered on a connection: then nobody is told anything else.
#[derive(Clone, Debug, Default)]
pub(super) struct Busy(Arc<AtomicBool>);

impl Busy {
    /// An answer is under way until what is returned is dropped.
    pub(super) fn begin(&self) -> Answering {
        self.0.store(true, Ordering::Relaxed);
        Answering(self.clone())
    }

    fn is_answering(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// An answer that is under way.
#[derive(Debug)]
pub(super) struct Answering(Busy);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Relaxed);
    }
}

/// A connection that is looked at while it is read.
pub(super) struct Gate<S> {
    stream: S,
    busy: Busy,
    framing: Framing,
    /// What may be read, and how much of it was.
    ready: Vec<u8>,
    given: usize,
    /// When the other end has been silent for too long.
    deadline: Pin<Box<Sleep>>,
    /// Whether the deadline is that of a head.
    is_within_head: bool,
    /// Whether somebody waits for the other end to take what we send.
    is_writing: bool,
    /// What is being told the other end instead of letting it go on.
    refusal: Option<(&'static [u8], usize)>,
    is_lingering: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Gate<S> {
    pub(super) fn new(stream: S, busy: Busy) -> Self {
        Gate {
            stream,
            busy,
            framing: Framing::new(),
            ready: Vec::new(),
            given: 0,
            deadline: Box::pin(tokio::time::sleep(SILENCE_MAX)),
            is_within_head: false,
            is_writing: false,
            refusal: None,
            is_lingering: false,
        }
    }

    fn wait_at_most(&mut self, duration: Duration) {
        self.deadline.as_mut().reset(Instant::now() + duration);
    }

    fn give(&mut self, buffer: &mut ReadBuf<'_>) {
        let left = self.ready.get(self.given..).unwrap_or_default();
        let given = left.len().min(buffer.remaining());
        buffer.put_slice(left.get(..given).unwrap_or_default());
        self.given += given;
        if self.given >= self.ready.len() {
            self.ready.clear();
            self.given = 0;
        }
    }

    /// Takes in what came; `false` where it is refused.
    fn take(&mut self, came: &[u8]) -> bool {
        if let Err(refused) = self.framing.take(came, &mut self.ready) {
            self.refusal = Some((answer(refused), 0));
            return false;
        }
        let is_within_head = self.framing.is_within_head();
        match (std::mem::replace(&mut self.is_within_head, is_within_head), is_within_head) {
            // A head has as long as a head has, however its octets trickle.
            (true, true) => {}
            (false, true) => self.wait_at_most(HEAD_WITHIN),
            (_, false) => self.wait_at_most(SILENCE_MAX),
        }
        true
    }

    /// Tells the refusal, then waits for the other end to have read it.
    fn poll_refuse(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some((text, told)) = self.refusal.filter(|(text, told)| *told < text.len()) {
            let rest = text.get(told..).unwrap_or_default();
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
            self.refusal = Some((text, told + written.max(1)));
        }
        ready!(self.poll_linger(context))?;
        Poll::Ready(Err(io::ErrorKind::InvalidData.into()))
    }

    /// Says that nothing more comes, and reads on for a moment.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        if !std::mem::replace(&mut self.is_lingering, true) {
            self.wait_at_most(LINGER);
        }
        let mut scratch = [0; READ_BYTES];
        loop {
            if self.deadline.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}

/// What is said to whoever is not let through.
fn answer(refused: Refused) -> &'static [u8] {
    match refused {
        Refused::Malformed => {
            b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\nCache-Control: no-store\r\n\r\n"
        }
        Refused::HeadTooLarge => {
            b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\nCache-Control: no-store\r\n\r\n"
        }
    }
}

const TOO_SLOW: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\nCache-Control: no-store\r\n\r\n";

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Gate<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let gate = self.get_mut();
        let mut scratch = [0; READ_BYTES];
        loop {
            if !gate.ready.is_empty() {
                gate.give(buffer);
                return Poll::Ready(Ok(()));
            }
            if gate.refusal.is_some() {
                // Whoever answers reads again when the answer has gone.
                return if gate.busy.is_answering() { Poll::Pending } else { gate.poll_refuse(context) };
            }
            let mut came = ReadBuf::new(&mut scratch);
            match Pin::new(&mut gate.stream).poll_read(context, &mut came) {
                Poll::Ready(Ok(())) if came.filled().is_empty() => return Poll::Ready(Ok(())),
                // What was good before the refused octets may still be read.
                Poll::Ready(Ok(())) => drop(gate.take(came.filled())),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    ready!(gate.deadline.as_mut().poll(context));
                    if gate.busy.is_answering() && !gate.is_writing {
                        // It is for us to speak.
                        gate.wait_at_most(SILENCE_MAX);
                        continue;
                    }
                    if !gate.is_within_head {
                        return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                    }
                    gate.refusal = Some((TOO_SLOW, 0));
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Gate<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let gate = self.get_mut();
        match Pin::new(&mut gate.stream).poll_write(context, octets) {
            Poll::Ready(written) => {
                gate.is_writing = false;
                if !gate.is_within_head {
                    gate.wait_at_most(SILENCE_MAX);
                }
                Poll::Ready(written)
            }
            Poll::Pending => {
                if !std::mem::replace(&mut gate.is_writing, true) {
                    gate.wait_at_most(SILENCE_MAX);
                }
                ready!(gate.deadline.as_mut().poll(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_linger(context)
    }
}
