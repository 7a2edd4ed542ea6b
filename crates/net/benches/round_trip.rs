//! What a message costs on its way up and its answer on the way down, peer included, on one thread.

#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, LocalRuntime};
use tokio_rustls::TlsConnector;
use umbel_net::{Authority, Clock, Config, Flows, Listener, Tls, TlsConfig};
use umbel_node::{Input, Transport};

/// Messages in one segment, as a busy trunk sends them.
const BATCH: usize = 32;

const ANSWER: &[u8] = b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";

const REQUEST: &str = "OPTIONS sip:example.test SIP/2.0\r\n\
    Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK776asdhds\r\n\
    Max-Forwards: 70\r\n\
    From: \"Alice\" <sip:alice@example.test>;tag=1928301774\r\n\
    To: <sip:example.test>\r\n\
    Call-ID: a84b4c76e66710@192.0.2.1\r\n\
    CSeq: 63104 OPTIONS\r\n\
    Contact: <sip:alice@192.0.2.1;transport=tcp>\r\n\
    Accept: application/sdp\r\n\
    Content-Length: 0\r\n\r\n";

trait Peer: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Peer for T {}

async fn stage(transport: Transport) -> (Flows, Box<dyn Peer>) {
    let clock = Clock::start();
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::load_or_create(directory.path(), clock.unix_time()).unwrap();
    let identity = authority.identity(&["um.test".to_owned()], &[], clock.unix_time()).unwrap();
    let tls = TlsConfig {
        identity: Some(Arc::new(identity)),
        client_authorities: vec![authority.certificate().clone()],
        server_authorities: vec![authority.certificate().clone()],
        system_authorities: false,
        revocations: Vec::new(),
    };
    let tls = Tls::new(&tls, clock).unwrap();
    let mut flows = Flows::new(Config { tls: Some(tls), ..Config::default() }, clock);
    let address = flows.listen(&Listener { transport, address: "127.0.0.1:0".parse().unwrap() }).unwrap();
    let socket = TcpStream::connect(address).await.unwrap();
    socket.set_nodelay(true).unwrap();
    let peer: Box<dyn Peer> = match transport {
        Transport::Tcp => Box::new(socket),
        Transport::Tls => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(authority.certificate().clone()).unwrap();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = rustls::ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            let name = ServerName::try_from("um.test").unwrap();
            Box::new(TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap())
        }
    };
    let opened = flows.next::<()>().await;
    assert!(matches!(opened, Input::Opened { .. }));
    (flows, peer)
}

async fn exchange(
    flows: &mut Flows,
    peer: &mut Box<dyn Peer>,
    requests: &[u8],
    count: usize,
    answers: &mut [u8],
) {
    peer.write_all(requests).await.unwrap();
    peer.flush().await.unwrap();
    let mut answered = 0;
    while answered < count {
        // One turn of the loop.
        let mut input = Some(flows.next::<()>().await);
        while let Some(Input::Received { id, .. }) = input {
            flows.transmit(id, Bytes::from_static(ANSWER));
            answered += 1;
            input = flows.try_next();
        }
    }
    flows.flush();
    peer.read_exact(answers).await.unwrap();
}

fn runtime() -> LocalRuntime {
    Builder::new_current_thread().enable_all().build_local(Default::default()).unwrap()
}

fn round_trips(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("round trip");
    for transport in [Transport::Tcp, Transport::Tls] {
        for count in [1, BATCH] {
            let runtime = runtime();
            let (mut flows, mut peer) = runtime.block_on(stage(transport));
            let requests = REQUEST.repeat(count);
            let mut answers = vec![0; ANSWER.len() * count];
            group.throughput(Throughput::Elements(count as u64));
            group.bench_function(format!("{}, {count} at once", transport.via_token()), |bencher| {
                bencher.iter(|| {
                    runtime.block_on(exchange(
                        &mut flows,
                        &mut peer,
                        requests.as_bytes(),
                        count,
                        &mut answers,
                    ));
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, round_trips);
criterion_main!(benches);
