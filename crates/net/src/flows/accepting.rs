//! Listeners, and what happens between accepting a connection and having a flow.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::str::FromStr;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use umbel_node::{CloseReason, Flow, FlowId, Origin, PeerCertificate, Transport};

use super::shared::{Shared, count};
use super::stream::Stream;
use crate::Tls;
use crate::tls::{Purpose, Standing};

/// Connections that the operating system holds until we accept them.
const BACKLOG: i32 = 1_024;

/// Before accepting again, when the process has no more descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How a connection's silent peer is found dead: asked after a minute, given up after three.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(60))
    .with_interval(Duration::from_secs(30))
    .with_retries(4);

/// Where to accept connections, and of which kind. Written `tcp:127.0.0.1:5060`, `tls:[::1]:5061`.
///
/// An IPv6 address accepts IPv6 only, `[::]` too: so that a peer has one address, not two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// The transport protocol.
    pub transport: Transport,
    /// The address; port 0 lets the operating system choose one.
    pub address: SocketAddr,
}

/// A text that names no listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected tcp: or tls:, an address and a port, like tls:192.0.2.1:5061 or tcp:[::]:5060")]
pub struct NoListener;

impl FromStr for Listener {
    type Err = NoListener;

    fn from_str(text: &str) -> Result<Self, NoListener> {
        let (transport, address) = text.split_once(':').ok_or(NoListener)?;
        let transport = match transport {
            "tcp" => Transport::Tcp,
            "tls" => Transport::Tls,
            _ => return Err(NoListener),
        };
        Ok(Listener { transport, address: address.parse().map_err(|_| NoListener)? })
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport.uri_parameter(), self.address)
    }
}

/// Why a listener cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else has it.
    #[error("{0}: the address is in use; stop the program that uses it, or give another port")]
    InUse(Listener),
    /// We may not have it.
    #[error("{0}: permission denied; give a port above 1023, or let the program bind low ones")]
    NotPermitted(Listener),
    /// TLS without a certificate.
    #[error("{0}: no certificate to show; set [tls] certificate and private-key")]
    NoTls(Listener),
    /// Another reason, as the operating system words it.
    #[error("{listener}: cannot listen: {reason}")]
    Other {
        /// The listener.
        listener: Listener,
        /// What the operating system says.
        reason: io::Error,
    },
}

pub(super) fn listen(shared: &Rc<Shared>, listener: &Listener) -> Result<SocketAddr, ListenError> {
    let tls = match (listener.transport, &shared.tls) {
        (Transport::Tcp, _) => None,
        (Transport::Tls, Some(tls)) if tls.shows_certificate() => Some(tls.clone()),
        (Transport::Tls, _) => return Err(ListenError::NoTls(*listener)),
    };
    let (socket, address) = bind(listener.address).map_err(|reason| match reason.kind() {
        io::ErrorKind::AddrInUse => ListenError::InUse(*listener),
        io::ErrorKind::PermissionDenied => ListenError::NotPermitted(*listener),
        _ => ListenError::Other { listener: *listener, reason },
    })?;
    shared.add_listener(shared.spawn(accept(Rc::clone(shared), socket, tls)));
    Ok(address)
}

fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // On Unix: over connections of an earlier run that linger, not over another listener.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from_std(socket.into())?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

async fn accept(shared: Rc<Shared>, listener: TcpListener, tls: Option<Tls>) {
    loop {
        match listener.accept().await {
            Ok((socket, remote)) => accepted(&shared, socket, remote, tls.as_ref()),
            // The connection is gone, not the listener.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                let quietest = shared.admission.borrow().quietest(shared.clock.now());
                if let Some(connection) = quietest.and_then(|id| shared.connection(id)) {
                    connection.cut(CloseReason::Idle);
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn accepted(shared: &Rc<Shared>, socket: TcpStream, remote: SocketAddr, tls: Option<&Tls>) {
    // A connection that is gone already has no address.
    let Ok(local) = socket.local_addr() else { return };
    prepare(&socket);
    let id = shared.next_accepted_id();
    let flow = |transport, peer| Flow { transport, local, remote, origin: Origin::Accepted, peer };
    match tls {
        None => shared.take_in(id, Stream::Plain(socket), flow(Transport::Tcp, None)),
        Some(tls) => {
            let task = greet(Rc::clone(shared), tls.clone(), socket, id, flow(Transport::Tls, None));
            let task = shared.spawn(task);
            shared.handshake_begins(id, remote.ip(), task);
        }
    }
}

/// Small messages leave at once, and dead peers are found.
pub(super) fn prepare(socket: &TcpStream) {
    // Where the operating system refuses, the connection works all the same.
    let _ = socket.set_nodelay(true);
    let _ = SockRef::from(socket).set_tcp_keepalive(&KEEPALIVE);
}

/// The handshake with somebody who connected, in its own task and with a time limit (SEC-57).
async fn greet(shared: Rc<Shared>, tls: Tls, socket: TcpStream, id: FlowId, flow: Flow) {
    let Some(server) = tls.in_force().server.clone() else {
        // A reload has taken away what we could show.
        shared.handshake_ends(id);
        return count(&shared.counts.handshakes_failed);
    };
    let handshake = TlsAcceptor::from(server).accept(socket);
    let handshake = tokio::time::timeout(shared.limits.handshake, handshake).await;
    shared.handshake_ends(id);
    let remote = flow.remote.ip();
    let (socket, session) = match handshake {
        Ok(Ok(stream)) => stream.into_inner(),
        Ok(Err(error)) => {
            tracing::info!(%remote, %error, "TLS handshake failed");
            return count(&shared.counts.handshakes_failed);
        }
        Err(_) => {
            tracing::info!(%remote, "TLS handshake not finished in time");
            return count(&shared.counts.handshakes_failed);
        }
    };
    let stream = Stream::tls(socket, session.into());
    // A resumed session brings its peer from an earlier one, which may have ceased to be valid since
    // (SEC-09); so whoever it is, is judged here and not in the handshake.
    let peer = match tls.judge(stream.peer_chain().as_deref(), Purpose::Client) {
        Standing::Verified(peer) => Some(peer),
        Standing::Unknown => None,
        Standing::Refused(refusal) => {
            tracing::info!(%remote, %refusal, "TLS session refused");
            return count(&shared.counts.handshakes_failed);
        }
    };
    log_peer(&flow, peer.as_deref());
    shared.take_in(id, stream, Flow { peer, ..flow });
}

fn log_peer(flow: &Flow, peer: Option<&PeerCertificate>) {
    tracing::debug!(remote = %flow.remote, names = ?peer.map(|peer| &peer.names), "TLS session");
}
