//! What a mail server is talked to through: plain or encrypted, and no reply without end.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Most octets that a server may say before it is our turn again; who says more is hung up on. The longest honest
/// reply, the list of what a server can do, is a tenth of it.
pub(super) const REPLY_BYTES_MAX: usize = 8 << 10;

/// A connection to a mail server.
#[derive(Debug)]
pub(super) struct Stream {
    inner: Inner,
    /// A greeting that is read first: that of the server has been read already, when TLS began.
    greeting: &'static [u8],
    /// What was read since we wrote last.
    read: usize,
}

#[derive(Debug)]
enum Inner {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    pub(super) fn plain(socket: TcpStream) -> Self {
        Stream { inner: Inner::Plain(socket), greeting: b"", read: 0 }
    }

    pub(super) fn tls(stream: TlsStream<TcpStream>) -> Self {
        Stream { inner: Inner::Tls(Box::new(stream)), greeting: b"", read: 0 }
    }

    /// The same for somebody who waits for a greeting, though the server has greeted.
    pub(super) fn greeted(self) -> Self {
        Stream { greeting: b"220 greeted before\r\n", ..self }
    }
}

impl AsyncTokioStream for Stream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.inner {
            Inner::Plain(socket) => socket.peer_addr(),
            Inner::Tls(stream) => stream.get_ref().0.peer_addr(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        if !stream.greeting.is_empty() {
            let (now, later) = stream.greeting.split_at(stream.greeting.len().min(buf.remaining()));
            buf.put_slice(now);
            stream.greeting = later;
            return Poll::Ready(Ok(()));
        }
        if stream.read > REPLY_BYTES_MAX {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "the reply is too long")));
        }
        let before = buf.filled().len();
        let polled = match &mut stream.inner {
            Inner::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Inner::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        };
        stream.read += buf.filled().len() - before;
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let stream = self.get_mut();
        stream.read = 0;
        match &mut stream.inner {
            Inner::Plain(socket) => Pin::new(socket).poll_write(cx, buf),
            Inner::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Inner::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Inner::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
