//! Bounds on the HTTP connections of a listener.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// A listener that accepts a bounded number of connections; more wait in the operating system.
pub(crate) struct Bounded {
    listener: TcpListener,
    free: Arc<Semaphore>,
    silence: Duration,
}

impl Bounded {
    /// At most `connections` at once, each closed after `silence` without a word from its peer.
    pub(crate) fn new(listener: TcpListener, connections: usize, silence: Duration) -> Self {
        Bounded { listener, free: Arc::new(Semaphore::new(connections)), silence }
    }
}

impl Listener for Bounded {
    type Io = Patient;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Patient, SocketAddr) {
        // Nobody closes the semaphore; if somebody did, accepting would be over.
        let Ok(place) = Arc::clone(&self.free).acquire_owned().await else {
            return std::future::pending().await;
        };
        let (stream, remote) = Listener::accept(&mut self.listener).await;
        let deadline = Box::pin(tokio::time::sleep(self.silence));
        (Patient { stream, deadline, silence: self.silence, _place: place }, remote)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection with a limit on its peer's silence, which gives its place back when it ends.
pub(crate) struct Patient {
    stream: TcpStream,
    deadline: Pin<Box<Sleep>>,
    silence: Duration,
    _place: OwnedSemaphorePermit,
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(read) => {
                let deadline = Instant::now() + self.silence;
                self.deadline.as_mut().reset(deadline);
                Poll::Ready(read)
            }
            Poll::Pending => match self.deadline.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
