//! The web front: one listener for the mailbox page, the API and SOAP.

mod client;
mod path;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tower::ServiceExt;

use crate::{Desk, api, page, soap};

pub use client::Client;
pub use path::AsWritten;

/// How long answers that are under way may take at the end.
const FAREWELL: Duration = Duration::from_secs(5);
/// RFC 9112: how long a request's header may take (SEC-107).
const HEADER_WITHIN: Duration = Duration::from_secs(10);

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
        let app = app(desk);
        let (stop, stopping) = watch::channel(());
        let mut connections = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = self.listener.accept() => {
                    let Ok((stream, remote)) = accepted else { continue };
                    connections.spawn(connection(stream, remote, self.tls.clone(), app.clone(), stopping.clone()));
                }
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.listener);
        drop(stop);
        let ended = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(FAREWELL, ended).await;
    }
}

fn app(desk: Desk) -> Router {
    api::routes().merge(soap::routes()).merge(page::routes()).with_state(desk)
}

async fn connection(
    stream: TcpStream,
    remote: SocketAddr,
    tls: Option<Certificate>,
    app: Router,
    stopping: watch::Receiver<()>,
) {
    let Ok(local) = stream.local_addr() else { return };
    let _ = stream.set_nodelay(true);
    let client = Client { remote, local, is_encrypted: tls.is_some() };
    match tls {
        None => speak(stream, client, app, stopping).await,
        Some(certificate) => {
            let accepting = TlsAcceptor::from(certificate()).accept(stream);
            if let Ok(Ok(stream)) = tokio::time::timeout(HEADER_WITHIN, accepting).await {
                speak(stream, client, app, stopping).await;
            }
        }
    }
}

async fn speak<S>(stream: S, client: Client, app: Router, mut stopping: watch::Receiver<()>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(client);
        path::without_case(&mut request);
        app.clone().oneshot(request.map(Body::new))
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_WITHIN);
    let serving = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    tokio::select! {
        _ = serving.as_mut() => return,
        _ = stopping.changed() => serving.as_mut().graceful_shutdown(),
    }
    let _ = serving.await;
}
