//! TLS as the client: the server must be the one that we went to (SEC-69).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rcgen::{ExtendedKeyUsagePurpose, SanType};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use umbel_net::{Config, Limits, Tls};
use umbel_node::{CloseReason, Destination, FlowId, Input, PeerName, Transport};

use crate::support::{Authority, Host, Pair, Wanted, call_id, config, options, run, send, server, soon, tls};

const OURS: FlowId = FlowId(1);

/// A flow's name is never used again.
fn fresh_id() -> FlowId {
    static LAST: AtomicU64 = AtomicU64::new(1);
    FlowId(LAST.fetch_add(2, Ordering::Relaxed) + 2)
}

fn to(address: SocketAddr, name: &str) -> Destination {
    Destination { transport: Transport::Tls, address, server_name: Some(name.to_owned()) }
}

/// Opens a flow, under `name`, to a server that shows `shown`; gives what our node hears of it.
async fn open_to(host: &mut Host, shown: &Pair, name: &str) -> Input<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    host.flows.open(fresh_id(), to(listener.local_addr().unwrap(), name));
    let acceptor = TlsAcceptor::from(server(shown));
    let serve = async {
        let (socket, _) = listener.accept().await.unwrap();
        if let Ok(mut stream) = acceptor.accept(socket).await {
            let _ = stream.read(&mut [0; 1]).await;
        }
    };
    tokio::select! {
        heard = host.next() => heard,
        () = serve => host.next().await,
    }
}

/// Accepts one connection and keeps it.
async fn accepted(listener: TcpListener, shown: &Pair) -> TlsStream<TcpStream> {
    let (socket, _) = listener.accept().await.unwrap();
    TlsAcceptor::from(server(shown)).accept(socket).await.unwrap()
}

fn stage() -> (Authority, Host) {
    let authority = Authority::new("Example Authority");
    let own = authority.issue(&Wanted::named("um.example.test"));
    let host = Host::tls(Limits::default(), &tls(&authority, &own));
    (authority, host)
}

#[track_caller]
fn assert_failed(heard: &Input<()>) {
    assert!(matches!(heard, Input::Closed { reason: CloseReason::HandshakeFailed, .. }), "{heard:?}");
}

#[test]
fn a_server_that_bears_the_name_is_believed() {
    run(async {
        let (authority, mut host) = stage();
        let shown = authority.issue(&Wanted::named("proxy.example.test"));
        match open_to(&mut host, &shown, "Proxy.Example.Test").await {
            Input::Opened { flow, .. } => {
                let names = &flow.peer.unwrap().names;
                assert_eq!(names, &[PeerName::Dns("proxy.example.test".to_owned())]);
            }
            other => panic!("{other:?}"),
        }
    });
}

// SEC-69
#[test]
fn a_server_with_another_name_is_refused() {
    run(async {
        let (authority, mut host) = stage();
        let shown = authority.issue(&Wanted::named("other.example.test"));
        assert_failed(&open_to(&mut host, &shown, "proxy.example.test").await);
        // RFC 5922 7.2: SIP knows no wildcards.
        let shown = authority.issue(&Wanted::named("*.example.test"));
        assert_failed(&open_to(&mut host, &shown, "proxy.example.test").await);
        // Only a common name.
        let shown = authority.issue(&Wanted::named("x").alternatives(&[]));
        assert_failed(&open_to(&mut host, &shown, "common.name.test").await);
    });
}

// RFC 5922 7.1: with a SIP domain among the names, host names are not the identity.
#[test]
fn a_sip_domain_is_the_identity_where_there_is_one() {
    run(async {
        let (authority, mut host) = stage();
        let both = Wanted::named("x").alternatives(&[
            SanType::URI("sip:example.test".try_into().unwrap()),
            SanType::DnsName("proxy.example.test".try_into().unwrap()),
        ]);
        let shown = authority.issue(&both);
        let heard = open_to(&mut host, &shown, "example.test").await;
        assert!(matches!(heard, Input::Opened { .. }), "{heard:?}");
        host.closed().await;
        assert_failed(&open_to(&mut host, &shown, "proxy.example.test").await);
    });
}

#[test]
fn a_numeric_name_needs_the_address_in_the_certificate() {
    run(async {
        let (authority, mut host) = stage();
        let with = Wanted::named("x").alternatives(&[SanType::IpAddress([127, 0, 0, 1].into())]);
        let heard = open_to(&mut host, &authority.issue(&with), "127.0.0.1").await;
        assert!(matches!(heard, Input::Opened { .. }), "{heard:?}");
        host.closed().await;
        let without = authority.issue(&Wanted::named("proxy.example.test"));
        assert_failed(&open_to(&mut host, &without, "127.0.0.1").await);
    });
}

#[test]
fn a_server_that_nobody_we_know_vouches_for_is_refused() {
    run(async {
        let (_, mut host) = stage();
        let shown = Authority::new("Stranger").issue(&Wanted::named("proxy.example.test"));
        assert_failed(&open_to(&mut host, &shown, "proxy.example.test").await);
    });
}

#[test]
fn a_server_with_a_certificate_that_is_not_good_now_is_refused() {
    run(async {
        let (authority, mut host) = stage();
        let named = || Wanted::named("proxy.example.test");
        let bad = [
            named().valid(-7_200, -3_600),
            named().valid(3_600, 7_200),
            named().for_use(&[ExtendedKeyUsagePurpose::ClientAuth]),
        ];
        for wanted in bad {
            assert_failed(&open_to(&mut host, &authority.issue(&wanted), "proxy.example.test").await);
        }
    });
}

/// For people: the brain knows only that it failed.
#[test]
fn why_a_handshake_failed_is_known() {
    use umbel_net::HandshakeFailure::{OtherName, OutOfDate, UnknownAuthority};
    run(async {
        let (authority, mut host) = stage();
        assert_eq!(host.flows.handshake_failure(), None);
        let named = || Wanted::named("proxy.example.test");
        let stranger = Authority::new("Another Authority");
        for (shown, why) in [
            (authority.issue(&Wanted::named("other.example.test")), OtherName),
            (authority.issue(&named().valid(-7_200, -3_600)), OutOfDate),
            (authority.issue(&named().valid(3_600, 7_200)), OutOfDate),
            (stranger.issue(&named()), UnknownAuthority),
        ] {
            assert_failed(&open_to(&mut host, &shown, "proxy.example.test").await);
            assert_eq!(host.flows.handshake_failure(), Some(why));
        }
    });
}

#[test]
fn a_revoked_server_is_refused() {
    run(async {
        let authority = Authority::new("Example Authority");
        let own = authority.issue(&Wanted::named("um.example.test"));
        let shown = authority.issue(&Wanted::named("proxy.example.test"));
        let mut config = config(&authority, &own);
        config.revocations = vec![authority.revoke(&[&shown])];
        let tls = Tls::new(&config, umbel_net::Clock::start()).unwrap();
        let mut host = Host::tls(Limits::default(), &tls);
        assert_failed(&open_to(&mut host, &shown, "proxy.example.test").await);
    });
}

#[test]
fn a_server_that_never_finishes_its_handshake_is_given_up() {
    run(async {
        let authority = Authority::new("Example Authority");
        let own = authority.issue(&Wanted::named("um.example.test"));
        let limits = Limits { handshake: Duration::from_millis(40), ..Limits::default() };
        let mut host = Host::tls(limits, &tls(&authority, &own));
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        host.flows.open(OURS, to(silent.local_addr().unwrap(), "proxy.example.test"));
        let _held = soon(silent.accept()).await.unwrap();
        assert_failed(&host.next().await);
    });
}

#[test]
fn without_tls_no_flow_over_tls_is_opened() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let address = host.address;
        host.flows.open(OURS, to(address, "um.example.test"));
        let failed = async {
            loop {
                if let Input::Closed { id: OURS, reason } = host.flows.next::<()>().await {
                    return reason;
                }
            }
        };
        assert_eq!(soon(failed).await, CloseReason::HandshakeFailed);
    });
}

// PEER-2
#[test]
fn between_two_of_us_both_ends_are_verified() {
    run(async {
        let authority = Authority::new("Example Authority");
        let proxy = authority.issue(&Wanted::named("proxy.example.test"));
        let um = authority.issue(&Wanted::named("um.example.test"));
        let mut server = Host::tls(Limits::default(), &tls(&authority, &um));
        let config = Config { tls: Some(tls(&authority, &proxy)), ..Config::default() };
        let mut client = Host::with(config, Transport::Tls);
        client.flows.open(OURS, to(server.address, "um.example.test"));
        let name = |flow: &umbel_node::Flow| Arc::clone(flow.peer.as_ref().unwrap()).names.clone();
        let (_, at_client) = client.opened().await;
        let (at_server_id, at_server) = server.opened().await;
        assert_eq!(name(&at_client), [PeerName::Dns("um.example.test".to_owned())]);
        assert_eq!(name(&at_server), [PeerName::Dns("proxy.example.test".to_owned())]);
        client.flows.transmit(OURS, options("there").into());
        client.flows.flush();
        assert_eq!(call_id(&server.received().await.1), "there");
        server.flows.transmit(at_server_id, options("back").into());
        server.flows.flush();
        assert_eq!(call_id(&client.received().await.1), "back");
    });
}

#[test]
fn a_server_that_speaks_no_tls_is_refused() {
    run(async {
        let (_, mut host) = stage();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        host.flows.open(OURS, to(listener.local_addr().unwrap(), "proxy.example.test"));
        let (mut plain, _) = soon(listener.accept()).await.unwrap();
        send(&mut plain, "SIP/2.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        assert_failed(&host.next().await);
    });
}

#[test]
fn without_a_certificate_we_can_connect_and_are_nobody_but_cannot_listen() {
    run(async {
        let authority = Authority::new("Example Authority");
        let um = authority.issue(&Wanted::named("um.example.test"));
        let mut server = Host::tls(Limits::default(), &tls(&authority, &um));
        let nobody = umbel_net::TlsConfig { identity: None, ..config(&authority, &um) };
        let nobody = Tls::new(&nobody, umbel_net::Clock::start()).unwrap();
        let mut client = Host::with(Config { tls: Some(nobody), ..Config::default() }, Transport::Tcp);
        client.flows.open(OURS, to(server.address, "um.example.test"));
        assert!(client.opened().await.1.peer.is_some());
        assert_eq!(server.opened().await.1.peer, None);
        let any = umbel_net::Listener { transport: Transport::Tls, address: "127.0.0.1:0".parse().unwrap() };
        assert!(matches!(client.flows.listen(&any), Err(umbel_net::ListenError::NoTls(_))));
    });
}

/// Whoever holds the key of our own certificate is we: no name and no authority need say so. Another
/// certificate under the same name is somebody else's.
#[test]
fn our_own_certificate_is_believed_under_any_name() {
    run(async {
        let (strangers, ours) = (Authority::new("Public Authority"), Authority::new("Example Authority"));
        let wanted = || Wanted::named("sip.example.test").for_use(&[ExtendedKeyUsagePurpose::ServerAuth]);
        let own = strangers.issue(&wanted());
        let mut host = Host::tls(Limits::default(), &tls(&ours, &own));
        match open_to(&mut host, &own, "127.0.0.1").await {
            Input::Opened { flow, .. } => {
                assert_eq!(flow.peer.unwrap().fingerprint, own.identity().fingerprint());
            }
            other => panic!("{other:?}"),
        }
        host.closed().await;
        assert_failed(&open_to(&mut host, &strangers.issue(&wanted()), "127.0.0.1").await);
        assert_failed(&open_to(&mut host, &strangers.issue(&wanted()), "sip.example.test").await);
    });
}

/// REL-30. The other side goes by the certificate that we showed it, and may be told to trust the new one only.
#[test]
fn a_connection_on_which_an_old_certificate_of_ours_was_shown_is_for_what_is_under_way() {
    run(async {
        let authority = Authority::new("Example Authority");
        let own = authority.issue(&Wanted::named("um.example.test"));
        let shown = authority.issue(&Wanted::named("proxy.example.test"));
        let tls = tls(&authority, &own);
        let mut host = Host::tls(Limits::default(), &tls);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let id = fresh_id();
        host.flows.open(id, to(listener.local_addr().unwrap(), "proxy.example.test"));
        let (mut theirs, (opened, flow)) = tokio::join!(accepted(listener, &shown), host.opened());
        assert_eq!((opened, flow.peer.is_some()), (id, true));

        // The same certificate again is no news; another one is.
        tls.reload(&config(&authority, &own)).unwrap();
        host.flows.reverify();
        send(&mut theirs, options("nothing-was-told")).await;
        assert_eq!(call_id(&host.received().await.1), "nothing-was-told");
        let renewed = authority.issue(&Wanted::named("um.example.test"));
        tls.reload(&config(&authority, &renewed)).unwrap();
        host.flows.reverify();
        assert_eq!(host.reverified().await, (id, None));
        send(&mut theirs, options("still-here")).await;
        assert_eq!(call_id(&host.received().await.1), "still-here");
    });
}
