//! The web front: one listener for the mailbox page, the API and SOAP.
//!
//! ```text
//! accept ─▶ TLS ─▶ gate ─▶ hyper ─▶ answer ─▶ routes
//!          10 s    framing, time    body first, 256 KiB; security headers
//! ```

mod answer;
mod client;
mod framing;
mod gate;
mod path;
mod places;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
pub use tokio_rustls::rustls::ServerConfig;

use crate::{Desk, api, page, soap};
use answer::Tracked;
use gate::{Busy, Gate, HEAD_WITHIN};
use places::{Place, Places};

pub use client::Client;
pub use path::AsWritten;
#[cfg(test)]
pub(crate) use path::without_case;

/// How long answers that are under way may take at the end.
const FAREWELL: Duration = Duration::from_secs(5);
/// Requests on one connection; the answer to the last one ends it.
const REQUESTS_MAX: u32 = 1_000;
/// Header fields of a request; beyond it 431.
const FIELDS_MAX: usize = 100;
/// How long to wait before accepting again where the system is out of descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// The certificate that is shown now; asked anew for each connection.
pub type Certificate = Arc<dyn Fn() -> Arc<ServerConfig> + Send + Sync>;

/// The listener of the web front.
pub struct Front {
    listener: TcpListener,
    tls: Option<Certificate>,
}

impl Front {
    /// Takes the address.
    ///
    /// # Errors
    ///
    /// As the operating system has it: in use, or not permitted.
    pub async fn bind(address: SocketAddr, tls: Option<Certificate>) -> io::Result<Self> {
        Ok(Front { listener: TcpListener::bind(address).await?, tls })
    }

    /// The address, with the port chosen where none was asked for.
    ///
    /// # Errors
    ///
    /// Where the operating system does not know it.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `shutdown` comes.
    pub async fn serve(self, desk: Desk, shutdown: impl Future<Output = ()>) {
        let front = answer::Front::new(app(desk.clone()), desk.clone());
        let (stop, stopping) = watch::channel(());
        let places = Places::default();
        let mut connections = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            desk.metrics.web_connections(connections.len());
            tokio::select! {
                () = &mut shutdown => break,
                accepted = self.listener.accept() => {
                    let Ok((stream, remote)) = accepted else {
                        tokio::time::sleep(ACCEPT_AGAIN).await;
                        continue;
                    };
                    let Some(place) = places.take(remote.ip()) else {
                        desk.metrics.web_connection_refused();
                        continue;
                    };
                    let connection = Connection { front: front.clone(), stopping: stopping.clone(), place };
                    connections.spawn(connection.run(stream, remote, self.tls.clone()));
                }
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.listener);
        desk.streams.close();
        drop((stop, stopping));
        let ended = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(FAREWELL, ended).await;
    }
}

/// All there is behind the listener.
pub(crate) fn app(desk: Desk) -> Router {
    api::routes().merge(soap::routes()).merge(page::routes()).with_state(desk)
}

/// What a connection is served with.
struct Connection {
    front: answer::Front,
    stopping: watch::Receiver<()>,
    place: Place,
}

/// What the HTTP library waits for.
type Answer = Pin<Box<dyn Future<Output = Result<Response<Tracked>, Infallible>> + Send>>;

impl Connection {
    async fn run(self, stream: TcpStream, remote: SocketAddr, tls: Option<Certificate>) {
        let Ok(local) = stream.local_addr() else { return };
        let _ = stream.set_nodelay(true);
        let client = Client { remote, local, is_encrypted: tls.is_some() };
        match tls {
            None => self.speak(stream, client).await,
            Some(certificate) => {
                let accepting = TlsAcceptor::from(certificate()).accept(stream);
                if let Ok(Ok(stream)) = tokio::time::timeout(HEAD_WITHIN, accepting).await {
                    self.speak(stream, client).await;
                }
            }
        }
    }

    async fn speak<S>(self, stream: S, client: Client)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Connection { front, mut stopping, place: _place } = self;
        let (busy, asked) = (Busy::default(), AtomicU32::new(0));
        let gate = Gate::new(stream, busy.clone());
        let service = service_fn(move |request: Request<Incoming>| -> Answer {
            let is_last = asked.fetch_add(1, Ordering::Relaxed) + 1 >= REQUESTS_MAX;
            let answer = front.clone().answer(client, request, busy.begin(), is_last);
            Box::pin(async move { Ok(answer.await) })
        });
        let mut http = http1::Builder::new();
        // The gate watches the time.
        http.header_read_timeout(None).max_headers(FIELDS_MAX).half_close(true);
        let serving = http.serve_connection(TokioIo::new(gate), service);
        tokio::pin!(serving);
        tokio::select! {
            _ = serving.as_mut() => return,
            _ = stopping.changed() => serving.as_mut().graceful_shutdown(),
        }
        let _ = serving.await;
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
