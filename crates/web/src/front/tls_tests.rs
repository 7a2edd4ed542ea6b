//! The front over TLS: which certificate it shows, and to whom.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::sync::RwLock;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;
use crate::testing::World;

/// A certificate that vouches for itself, and what shows it.
fn certificate() -> (CertificateDer<'static>, Arc<ServerConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let shown = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (made.cert.der().clone(), Arc::new(shown))
}

/// Asks over TLS as somebody who believes this certificate alone; what is answered.
async fn ask(front: SocketAddr, believed: &CertificateDer<'static>) -> io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(believed.clone()).unwrap();
    let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(front).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(client)).connect(name, stream).await?;
    stream
        .write_all(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// REL-30, for the web front.
#[tokio::test]
async fn each_handshake_is_shown_the_certificate_of_the_moment() {
    let ((old, old_shown), (new, new_shown)) = (certificate(), certificate());
    let shown = Arc::new(RwLock::new(old_shown));
    let cell = Arc::clone(&shown);
    let tls: Certificate = Arc::new(move || Arc::clone(&cell.read().unwrap()));
    let front = Front::bind("127.0.0.1:0".parse().unwrap(), Some(tls)).await.unwrap();
    let address = front.address().unwrap();
    let world = World::new();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(front.serve(world.desk.clone(), async { drop(stopped.await) }));
    let answer = ask(address, &old).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("strict-transport-security: "), "{answer}");
    assert!(ask(address, &new).await.is_err(), "it is not shown yet");
    *shown.write().unwrap() = new_shown;
    assert!(ask(address, &new).await.unwrap().starts_with("HTTP/1.1 200 "));
    assert!(ask(address, &old).await.is_err());
    // Who speaks in clear to it hears nothing that could be taken for an answer.
    let mut clear = TcpStream::connect(address).await.unwrap();
    clear.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = clear.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
    drop(stop);
    serving.await.unwrap();
}
