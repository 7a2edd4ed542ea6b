//! Opening a flow: connecting and, for TLS, the handshake under the name that we went to.

use std::rc::Rc;
use std::sync::Arc;

use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use umbel_node::{CloseReason, Destination, Flow, FlowId, Input, Origin, PeerCertificate, Transport};

use super::accepting::prepare;
use super::connection::Connection;
use super::conversation::{self, Guard};
use super::shared::Shared;
use super::stream::Stream;
use crate::tls::{Purpose, Standing};

/// Why a handshake of ours came to nothing: for whoever has to mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeFailure {
    /// The server's certificate is over, or not valid yet.
    OutOfDate,
    /// It names others than the one we went to.
    OtherName,
    /// No authority that we believe vouches for it.
    UnknownAuthority,
    /// It was revoked.
    Revoked,
    /// It is unfit in another way: its use, its signature, its form.
    Unfit,
    /// The server broke it off, as it may where it wants another certificate of ours or another version.
    ByPeer,
    /// What answers there does not speak TLS.
    NoTls,
    /// It took too long.
    TooSlow,
    /// Something else.
    Other,
}

impl HandshakeFailure {
    fn of(error: &std::io::Error) -> Self {
        use rustls::{CertificateError as Certificate, Error};
        let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<Error>()) else {
            return HandshakeFailure::Other;
        };
        match error {
            Error::InvalidCertificate(
                Certificate::Expired
                | Certificate::ExpiredContext { .. }
                | Certificate::NotValidYet
                | Certificate::NotValidYetContext { .. },
            ) => HandshakeFailure::OutOfDate,
            Error::InvalidCertificate(
                Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
            ) => HandshakeFailure::OtherName,
            Error::InvalidCertificate(Certificate::UnknownIssuer) => HandshakeFailure::UnknownAuthority,
            Error::InvalidCertificate(Certificate::Revoked) => HandshakeFailure::Revoked,
            Error::InvalidCertificate(_) => HandshakeFailure::Unfit,
            Error::AlertReceived(_) => HandshakeFailure::ByPeer,
            Error::InvalidMessage(_) => HandshakeFailure::NoTls,
            _ => HandshakeFailure::Other,
        }
    }
}

pub(super) fn open(shared: &Rc<Shared>, id: FlowId, to: Destination) {
    let connection = Rc::new(Connection::new(id));
    shared.add(&connection);
    shared.spawn(connect(Rc::clone(shared), connection, to));
}

async fn connect(shared: Rc<Shared>, connection: Rc<Connection>, to: Destination) {
    let guard = Guard::new(&shared, &connection);
    let reached = tokio::select! {
        reached = reach(&shared, &to) => reached,
        () = given_up(&connection) => Err(CloseReason::ByUs),
    };
    match reached {
        Ok((stream, flow, shown)) => {
            connection.is_up(stream, flow.clone(), shown);
            shared.admission.borrow_mut().admit(connection.id, flow.remote.ip(), true, shared.clock.now());
            shared.arrivals.push(Input::Opened { id: connection.id, flow });
            connection.write(shared.clock.now());
            conversation::hold(Rc::clone(&shared), Rc::clone(&connection)).await;
        }
        Err(reason) => guard.tell(reason),
    }
}

/// The node has changed its mind before the flow was up, or queued more than there is room for.
async fn given_up(connection: &Connection) {
    while !connection.is_closing() {
        connection.changed().await;
    }
}

async fn reach(shared: &Shared, to: &Destination) -> Result<(Stream, Flow, Option<[u8; 32]>), CloseReason> {
    let socket = timeout(shared.limits.connect, TcpStream::connect(to.address))
        .await
        .ok()
        .and_then(Result::ok)
        .ok_or(CloseReason::ConnectFailed)?;
    prepare(&socket);
    let local = socket.local_addr().map_err(|_| CloseReason::ConnectFailed)?;
    let (stream, peer, shown) = match to.transport {
        Transport::Tcp => (Stream::Plain(socket), None, None),
        Transport::Tls => secure(shared, to, socket).await?,
    };
    let flow = Flow { transport: to.transport, local, remote: to.address, origin: Origin::Opened, peer };
    Ok((stream, flow, shown))
}

async fn secure(
    shared: &Shared,
    to: &Destination,
    socket: TcpStream,
) -> Result<(Stream, Option<Arc<PeerCertificate>>, Option<[u8; 32]>), CloseReason> {
    let failed = CloseReason::HandshakeFailed;
    let tls = shared.tls.as_ref().ok_or(failed)?;
    let name = server_name(to).ok_or(failed)?;
    let in_force = tls.in_force();
    let handshake = TlsConnector::from(Arc::clone(&in_force.client)).connect(name, socket);
    let (socket, session) = match timeout(shared.limits.handshake, handshake).await {
        Ok(Ok(stream)) => stream.into_inner(),
        Ok(Err(error)) => {
            tracing::info!(remote = %to.address, %error, "TLS handshake failed");
            shared.handshake_failure.set(Some(HandshakeFailure::of(&error)));
            return Err(failed);
        }
        Err(_) => {
            tracing::info!(remote = %to.address, "TLS handshake not finished in time");
            shared.handshake_failure.set(Some(HandshakeFailure::TooSlow));
            return Err(failed);
        }
    };
    let stream = Stream::tls(socket, session.into());
    // Also where the session is a resumed one, for which the handshake looks at no certificate.
    match tls.judge(stream.peer_chain().as_deref(), Purpose::Server) {
        Standing::Verified(peer) => Ok((stream, Some(peer), in_force.shown())),
        Standing::Unknown | Standing::Refused(_) => {
            shared.handshake_failure.set(Some(HandshakeFailure::Unfit));
            Err(failed)
        }
    }
}

/// RFC 5922 7.3: the name that led here; the address only where that is what was asked for.
fn server_name(to: &Destination) -> Option<ServerName<'static>> {
    match &to.server_name {
        Some(name) => {
            let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
            ServerName::try_from(name.to_owned()).ok()
        }
        None => Some(ServerName::IpAddress(to.address.ip().into())),
    }
}
