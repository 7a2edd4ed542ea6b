//! What the loopback tests have in common: a host under test, peers made of plain sockets, and
//! certificates for every occasion.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use umbel_net::{Clock, Config, Flows, Identity, Limits, Listener, Tls, TlsConfig};
use umbel_node::{CloseReason, Flow, FlowId, Input, PeerCertificate, Transport};
use umbel_sip_message::{Malformed, Message};

/// After this long, what a test waits for will not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a test on one thread, as an event loop and its connections run.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default()).unwrap();
    runtime.block_on(test);
}

/// Runs a test that has to be quicker than a limit of the host's: with a short one first, and with ever longer ones
/// where `test` says that the machine stalled, by giving nothing.
pub(crate) fn run_within<F: Future<Output = Option<()>>>(test: impl Fn(Duration) -> F) {
    const SHORTEST: Duration = Duration::from_millis(40);
    const ROUNDS: u32 = 9;
    run(async {
        for limit in (0..ROUNDS).map(|round| SHORTEST * (1 << round)) {
            if test(limit).await.is_some() {
                return;
            }
        }
        panic!("each time something took longer than the limit");
    });
}

/// Waits, but not for ever.
#[track_caller]
pub(crate) fn soon<T>(what: impl Future<Output = T>) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        match tokio::time::timeout(PATIENCE, what).await {
            Ok(result) => result,
            Err(_) => panic!("{caller}: waited in vain"),
        }
    }
}

/// The flows under test, with a listener.
pub(crate) struct Host {
    pub(crate) flows: Flows,
    pub(crate) address: SocketAddr,
}

impl Host {
    /// A host that listens for TCP.
    pub(crate) fn tcp(limits: Limits) -> Host {
        Host::with(Config { limits, ..Config::default() }, Transport::Tcp)
    }

    /// A host that listens for TLS.
    pub(crate) fn tls(limits: Limits, tls: &Tls) -> Host {
        Host::with(Config { limits, tls: Some(tls.clone()), ..Config::default() }, Transport::Tls)
    }

    pub(crate) fn with(config: Config, transport: Transport) -> Host {
        let flows = Flows::new(config, Clock::start());
        let address = flows.listen(&Listener { transport, address: "127.0.0.1:0".parse().unwrap() }).unwrap();
        Host { flows, address }
    }

    #[track_caller]
    pub(crate) fn next(&mut self) -> impl Future<Output = Input<()>> {
        soon(self.flows.next())
    }

    pub(crate) async fn opened(&mut self) -> (FlowId, Flow) {
        match self.next().await {
            Input::Opened { id, flow } => (id, flow),
            other => panic!("instead of Opened: {other:?}"),
        }
    }

    pub(crate) async fn received(&mut self) -> (FlowId, Message) {
        match self.next().await {
            Input::Received { id, message } => (id, message),
            other => panic!("instead of Received: {other:?}"),
        }
    }

    pub(crate) async fn malformed(&mut self) -> (FlowId, Malformed) {
        match self.next().await {
            Input::Malformed { id, what } => (id, what),
            other => panic!("instead of Malformed: {other:?}"),
        }
    }

    pub(crate) async fn closed(&mut self) -> (FlowId, CloseReason) {
        match self.next().await {
            Input::Closed { id, reason } => (id, reason),
            other => panic!("instead of Closed: {other:?}"),
        }
    }

    pub(crate) async fn reverified(&mut self) -> (FlowId, Option<Arc<PeerCertificate>>) {
        match self.next().await {
            Input::Reverified { id, peer } => (id, peer),
            other => panic!("instead of Reverified: {other:?}"),
        }
    }

    /// Lets the connections work until `condition` holds, without taking what they bring.
    pub(crate) async fn until(&self, condition: impl Fn(&Flows) -> bool) {
        let work = async {
            let mut look = tokio::time::interval(Duration::from_millis(1));
            while !condition(&self.flows) {
                look.tick().await;
            }
        };
        soon(work).await;
    }
}

/// An OPTIONS request whose Call-ID says which one it is.
pub(crate) fn options(call_id: &str) -> String {
    request(call_id, "")
}

pub(crate) fn request(call_id: &str, body: &str) -> String {
    format!(
        "OPTIONS sip:example.test SIP/2.0\r\n\
         Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK{call_id}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:alice@example.test>;tag=1\r\n\
         To: <sip:example.test>\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: 1 OPTIONS\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(crate) fn call_id(message: &Message) -> String {
    message.headers().call_id().to_owned()
}

/// Connects a plain peer.
pub(crate) async fn connect(host: &Host) -> TcpStream {
    let stream = soon(TcpStream::connect(host.address)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

pub(crate) async fn send(peer: &mut (impl AsyncWriteExt + Unpin), text: impl AsRef<[u8]>) {
    soon(peer.write_all(text.as_ref())).await.unwrap();
    soon(peer.flush()).await.unwrap();
}

/// Everything that comes until the connection is closed, in whatever way.
pub(crate) async fn read_to_end(peer: &mut (impl AsyncReadExt + Unpin)) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = soon(peer.read(&mut buffer)).await {
        all.extend_from_slice(&buffer[..count]);
    }
    all
}

pub(crate) async fn read_exactly(peer: &mut (impl AsyncReadExt + Unpin), count: usize) -> Vec<u8> {
    let mut all = vec![0; count];
    soon(peer.read_exact(&mut all)).await.unwrap();
    all
}

/// A certificate authority of a test.
pub(crate) struct Authority {
    pub(crate) certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key.
pub(crate) struct Pair {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) serial: SerialNumber,
    certificate_pem: String,
    key_pem: String,
}

/// What a certificate says; begins as one that any authority would give an honest peer.
pub(crate) struct Wanted {
    pub(crate) params: CertificateParams,
}

impl Wanted {
    pub(crate) fn named(name: &str) -> Wanted {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.serial_number = Some(SerialNumber::from_slice(&umbel_net::seed().unwrap()[..8]));
        params.use_authority_key_identifier_extension = true;
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let mut wanted = Wanted { params };
        wanted.params.distinguished_name.push(DnType::CommonName, "common.name.test");
        wanted.valid(-3_600, 3_600)
    }

    /// Seconds from now.
    pub(crate) fn valid(mut self, from: i64, to: i64) -> Wanted {
        let now = Clock::start().unix_time().as_secs();
        let at = |seconds: i64| {
            rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from(now + seconds).unwrap())
        };
        self.params.not_before = at(from);
        self.params.not_after = at(to);
        self
    }

    pub(crate) fn for_use(mut self, usages: &[ExtendedKeyUsagePurpose]) -> Wanted {
        self.params.extended_key_usages = usages.to_vec();
        self
    }

    pub(crate) fn alternatives(mut self, names: &[SanType]) -> Wanted {
        self.params.subject_alt_names = names.to_vec();
        self
    }
}

impl Authority {
    pub(crate) fn new(name: &str) -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Authority { certificate, issuer: Issuer::new(params, key) }
    }

    pub(crate) fn issue(&self, wanted: &Wanted) -> Pair {
        let key = KeyPair::generate().unwrap();
        let certificate = wanted.params.signed_by(&key, &self.issuer).unwrap();
        Pair {
            chain: vec![certificate.der().clone()],
            serial: wanted.params.serial_number.clone().unwrap(),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        }
    }

    pub(crate) fn revoke(&self, revoked: &[&Pair]) -> CertificateRevocationListDer<'static> {
        let revoked = revoked.iter().map(|pair| RevokedCertParams {
            serial_number: pair.serial.clone(),
            revocation_time: rcgen::date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2026, 1, 1),
            next_update: rcgen::date_time_ymd(2096, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().der().clone()
    }
}

impl Pair {
    /// The pair as the program would load it.
    pub(crate) fn identity(&self) -> Arc<Identity> {
        let (directory, certificate, key) = self.files();
        let identity = Identity::load(&certificate, &key, Clock::start().unix_time()).unwrap();
        drop(directory);
        Arc::new(identity)
    }

    pub(crate) fn files(&self) -> (TempDir, PathBuf, PathBuf) {
        let directory = TempDir::new().unwrap();
        let (certificate, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
        std::fs::write(&certificate, &self.certificate_pem).unwrap();
        write_key(&key, &self.key_pem);
        (directory, certificate, key)
    }
}

pub(crate) fn write_key(file: &std::path::Path, pem: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(file, pem).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A TLS configuration in which `authority` vouches for everybody.
pub(crate) fn config(authority: &Authority, own: &Pair) -> TlsConfig {
    TlsConfig {
        identity: Some(own.identity()),
        client_authorities: vec![authority.certificate.clone()],
        server_authorities: vec![authority.certificate.clone()],
        system_authorities: false,
        revocations: Vec::new(),
    }
}

pub(crate) fn tls(authority: &Authority, own: &Pair) -> Tls {
    Tls::new(&config(authority, own), Clock::start()).unwrap()
}

/// A client of somebody else's making: believes `authority`, shows `own` if there is one.
pub(crate) fn client(authority: &Authority, own: Option<&Pair>) -> Arc<ClientConfig> {
    client_of_version(authority, own, &[&rustls::version::TLS13, &rustls::version::TLS12])
}

pub(crate) fn client_of_version(
    authority: &Authority,
    own: Option<&Pair>,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate.clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    Arc::new(match own {
        Some(pair) => builder.with_client_auth_cert(pair.chain.clone(), pair.key.clone_key()).unwrap(),
        None => builder.with_no_client_auth(),
    })
}

/// A server of somebody else's making, which asks nobody who he is.
pub(crate) fn server(own: &Pair) -> Arc<ServerConfig> {
    Arc::new(
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(own.chain.clone(), own.key.clone_key())
            .unwrap(),
    )
}

/// Connects to `host`, whose certificate says `um.example.test`.
pub(crate) async fn connect_tls(
    host: &Host,
    config: &Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    connect_tls_to(host.address, config).await
}

pub(crate) async fn connect_tls_to(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let socket = soon(TcpStream::connect(address)).await?;
    socket.set_nodelay(true)?;
    let name = ServerName::try_from("um.example.test").unwrap();
    soon(TlsConnector::from(Arc::clone(config)).connect(name, socket)).await
}
