//! TLS as the server: who the peer is, by certificate and by nothing else.

use std::time::Duration;

use bytes::Bytes;
use rcgen::{ExtendedKeyUsagePurpose, SanType};
use tokio::io::AsyncReadExt;
use umbel_net::{Config, Limits, Listener};
use umbel_node::{Flow, PeerCertificate, PeerName, Transport};

use crate::support::{
    Authority, Host, Pair, Wanted, call_id, client, client_of_version, config, connect, connect_tls, options,
    read_exactly, read_to_end, run, run_within, send, soon, tls,
};

/// An authority, a host that believes it, and what peers may show.
struct Stage {
    authority: Authority,
    host: Host,
}

impl Stage {
    fn new() -> Stage {
        Stage::with(Limits::default())
    }

    fn with(limits: Limits) -> Stage {
        let authority = Authority::new("Example Authority");
        let own = authority.issue(&Wanted::named("um.example.test"));
        let host = Host::tls(limits, &tls(&authority, &own));
        Stage { authority, host }
    }

    /// The flow of a peer that shows `own`, after a message on it.
    async fn flow_of(&mut self, own: Option<&Pair>) -> Flow {
        let mut peer = connect_tls(&self.host, &client(&self.authority, own)).await.unwrap();
        send(&mut peer, options("hello")).await;
        let (id, flow) = self.host.opened().await;
        assert_eq!(call_id(&self.host.received().await.1), "hello");
        self.host.flows.transmit(id, Bytes::from("answer"));
        self.host.flows.flush();
        assert_eq!(read_exactly(&mut peer, 6).await, b"answer");
        drop(peer);
        assert_eq!(self.host.closed().await.0, id);
        flow
    }

    async fn peer_of(&mut self, wanted: &Wanted) -> Option<PeerCertificate> {
        let own = self.authority.issue(wanted);
        self.flow_of(Some(&own)).await.peer.map(|peer| (*peer).clone())
    }

    async fn names_of(&mut self, wanted: &Wanted) -> Vec<PeerName> {
        self.peer_of(wanted).await.map(|peer| peer.names).unwrap_or_default()
    }

    /// That a peer which shows `own` gets no flow.
    async fn refuses(&mut self, own: &Pair) {
        self.refuses_client(&client(&self.authority, Some(own))).await;
    }

    async fn refuses_client(&mut self, config: &std::sync::Arc<rustls::ClientConfig>) {
        let before = self.host.flows.stats().handshakes_failed;
        // In TLS 1.3 a client has finished before the server looks at its certificate.
        if let Ok(mut peer) = connect_tls(&self.host, config).await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut peer, options("refused").as_bytes()).await;
            assert_eq!(read_to_end(&mut peer).await, b"");
        }
        self.host.until(|flows| flows.stats().handshakes_failed == before + 1).await;
        assert!(self.host.flows.try_next::<()>().is_none(), "no flow, no message");
    }
}

fn dns(name: &str) -> PeerName {
    PeerName::Dns(name.to_owned())
}

// SEC-03. Whether the name is on a list is for others to say.
#[test]
fn a_peer_with_a_certificate_of_our_authority_is_named_by_it() {
    run(async {
        let mut stage = Stage::new();
        let peer = stage.peer_of(&Wanted::named("Proxy.Example.Test")).await.unwrap();
        assert_eq!(peer.names, [dns("proxy.example.test")]);
        let now = umbel_net::Clock::start().unix_time();
        assert!(peer.not_before < now && now < peer.not_after);
        assert_ne!(peer.fingerprint, [0; 32]);
    });
}

// SEC-02
#[test]
fn a_peer_without_a_certificate_is_nobody() {
    run(async {
        let flow = Stage::new().flow_of(None).await;
        assert_eq!(flow.peer, None);
        assert_eq!(flow.transport, Transport::Tls);
    });
}

// SEC-04, DEC-5
#[test]
fn a_certificate_of_an_unknown_authority_counts_as_none() {
    run(async {
        let mut stage = Stage::new();
        let strangers = Authority::new("Stranger");
        let own = strangers.issue(&Wanted::named("proxy.example.test"));
        assert_eq!(stage.flow_of(Some(&own)).await.peer, None);
        // And what else is wrong with it is not our business.
        let own = strangers.issue(&Wanted::named("proxy.example.test").valid(-7_200, -3_600));
        assert_eq!(stage.flow_of(Some(&own)).await.peer, None);
    });
}

// SEC-04
#[test]
fn a_certificate_that_only_claims_our_authority_is_refused() {
    run(async {
        let mut stage = Stage::new();
        let forger = Authority::new("Example Authority");
        let own = forger.issue(&Wanted::named("proxy.example.test"));
        stage.refuses(&own).await;
    });
}

// SEC-05
#[test]
fn certificates_out_of_their_time_are_refused() {
    run(async {
        let mut stage = Stage::new();
        let named = || Wanted::named("proxy.example.test");
        let expired = stage.authority.issue(&named().valid(-7_200, -3_600));
        stage.refuses(&expired).await;
        let early = stage.authority.issue(&named().valid(3_600, 7_200));
        stage.refuses(&early).await;
        assert!(stage.peer_of(&named().valid(-3_600, 3_600)).await.is_some());
    });
}

// SEC-05
#[test]
fn a_revoked_certificate_is_refused_and_others_are_not() {
    run(async {
        let authority = Authority::new("Example Authority");
        let own = authority.issue(&Wanted::named("um.example.test"));
        let good = authority.issue(&Wanted::named("good.example.test"));
        let revoked = authority.issue(&Wanted::named("revoked.example.test"));
        let mut config = config(&authority, &own);
        config.revocations = vec![authority.revoke(&[&revoked])];
        let tls = umbel_net::Tls::new(&config, umbel_net::Clock::start()).unwrap();
        let host = Host::tls(Limits::default(), &tls);
        let mut stage = Stage { authority, host };
        stage.refuses(&revoked).await;
        assert_eq!(stage.flow_of(Some(&good)).await.peer.unwrap().names, [dns("good.example.test")]);
    });
}

// SEC-06
#[test]
fn a_certificate_for_another_use_is_refused() {
    run(async {
        let mut stage = Stage::new();
        let server_only = Wanted::named("proxy.example.test").for_use(&[ExtendedKeyUsagePurpose::ServerAuth]);
        let own = stage.authority.issue(&server_only);
        stage.refuses(&own).await;
        let client_only = Wanted::named("proxy.example.test").for_use(&[ExtendedKeyUsagePurpose::ClientAuth]);
        assert!(stage.peer_of(&client_only).await.is_some());
    });
}

// SEC-06: client authentication must be among the usages, and here there are none.
#[test]
fn a_certificate_for_no_particular_use_is_not_believed() {
    run(async {
        let mut stage = Stage::new();
        assert_eq!(stage.peer_of(&Wanted::named("proxy.example.test").for_use(&[])).await, None);
    });
}

// PEER-3, RFC 5922 7.1
#[test]
fn a_common_name_is_no_name() {
    run(async {
        let mut stage = Stage::new();
        let peer = stage.peer_of(&Wanted::named("x").alternatives(&[])).await.unwrap();
        assert_eq!(peer.names, []);
    });
}

// PEER-3, RFC 5922 7.1, 7.2
#[test]
fn wildcards_and_users_are_no_names_and_sip_domains_are() {
    run(async {
        let mut stage = Stage::new();
        let wanted = Wanted::named("x").alternatives(&[
            SanType::DnsName("*.example.test".try_into().unwrap()),
            SanType::DnsName("proxy.example.test".try_into().unwrap()),
            SanType::URI("sip:Example.Test".try_into().unwrap()),
            SanType::URI("sip:alice@example.test".try_into().unwrap()),
            SanType::URI("https://web.example.test/".try_into().unwrap()),
            SanType::Rfc822Name("mail@example.test".try_into().unwrap()),
        ]);
        let expected = [dns("proxy.example.test"), PeerName::SipDomain("example.test".to_owned())];
        assert_eq!(stage.names_of(&wanted).await, expected);
    });
}

// SEC-09
#[test]
fn a_resumed_session_keeps_the_peer() {
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        run(async {
            let mut stage = Stage::new();
            let own = stage.authority.issue(&Wanted::named("proxy.example.test"));
            // One configuration, so that the second connection resumes the first one's session.
            let config = client_of_version(&stage.authority, Some(&own), &[version]);
            for resumed in [false, true] {
                let mut peer = connect_tls(&stage.host, &config).await.unwrap();
                send(&mut peer, options("hello")).await;
                let (id, flow) = stage.host.opened().await;
                stage.host.received().await;
                stage.host.flows.transmit(id, Bytes::from("answer"));
                stage.host.flows.flush();
                // Tickets come before the answer.
                read_exactly(&mut peer, 6).await;
                let kind = peer.get_ref().1.handshake_kind().unwrap();
                assert_eq!(kind == rustls::HandshakeKind::Resumed, resumed, "{kind:?}");
                assert_eq!(flow.peer.unwrap().names, [dns("proxy.example.test")]);
                drop(peer);
                stage.host.closed().await;
            }
        });
    }
}

// SEC-05, SEC-09
#[test]
fn a_certificate_that_expires_is_believed_no_longer_neither_open_nor_resumed() {
    // A machine that stalls is given one that is valid for longer.
    run_within(async |limit| {
        let valid_for = 1 + i64::try_from(limit.as_millis() / 40).unwrap();
        let mut stage = Stage::new();
        let begun = std::time::Instant::now();
        let own = stage.authority.issue(&Wanted::named("proxy.example.test").valid(-10, valid_for));
        let config = client(&stage.authority, Some(&own));
        let mut peer = connect_tls(&stage.host, &config).await.ok()?;
        let _ = tokio::io::AsyncWriteExt::write_all(&mut peer, options("while-valid").as_bytes()).await;
        // What is valid until a second may be valid for one less.
        let is_late = || begun.elapsed().as_secs() + 1 >= valid_for.unsigned_abs();
        stage.host.until(|flows| is_late() || flows.stats().arrivals_queued > 1).await;
        if is_late() {
            return None;
        }
        let (id, flow) = stage.host.opened().await;
        assert!(flow.peer.is_some());
        stage.host.received().await;
        stage.host.flows.transmit(id, Bytes::from("answer"));
        stage.host.flows.flush();
        read_exactly(&mut peer, 6).await;

        assert_eq!(stage.host.reverified().await, (id, None));
        // The call goes on.
        send(&mut peer, options("after")).await;
        assert_eq!(call_id(&stage.host.received().await.1), "after");
        // A session that was verified once does not make it good.
        stage.refuses_client(&config).await;
        Some(())
    });
}

// SEC-57
#[test]
fn a_silent_client_stops_nobody_and_is_closed() {
    run(async {
        // Long enough for one who speaks, on whatever machine.
        let mut stage = Stage::with(Limits { handshake: Duration::from_secs(5), ..Limits::default() });
        let mut silent = Vec::new();
        for _ in 0..20 {
            silent.push(connect(&stage.host).await);
        }
        assert_eq!(stage.flow_of(None).await.peer, None);
        for peer in &mut silent {
            assert_eq!(read_to_end(peer).await, b"");
        }
        stage.host.until(|flows| flows.stats().handshakes == 0).await;
        assert_eq!(stage.host.flows.stats().handshakes_failed, 20);
    });
}

// SEC-57
#[test]
fn too_many_handshakes_end_the_oldest() {
    run(async {
        let mut stage = Stage::with(Limits { handshakes: 3, ..Limits::default() });
        let mut silent = Vec::new();
        for _ in 0..4 {
            silent.push(connect(&stage.host).await);
        }
        assert_eq!(read_to_end(&mut silent[0]).await, b"");
        stage.flow_of(None).await;
        assert_eq!(read_to_end(&mut silent[1]).await, b"");
        stage.host.until(|flows| flows.stats().handshakes == 2).await;
    });
}

// SEC-57
#[test]
fn plain_text_on_the_tls_port_is_closed() {
    run(async {
        let mut stage = Stage::new();
        let mut plain = connect(&stage.host).await;
        send(&mut plain, options("plain")).await;
        let answer = read_to_end(&mut plain).await;
        assert!(!answer.starts_with(b"SIP"), "not answered in clear");
        assert!(stage.host.flows.try_next::<()>().is_none());
        stage.flow_of(None).await;
    });
}

// SEC-68
#[test]
fn versions_before_1_2_are_refused() {
    run(async {
        let mut stage = Stage::new();
        for minor in [1, 2] {
            let mut old = connect(&stage.host).await;
            send(&mut old, client_hello(minor)).await;
            // RFC 5246 7.2.2: a fatal alert, protocol_version.
            assert_eq!(read_to_end(&mut old).await, [21, 3, 3, 0, 2, 2, 70]);
        }
        // The same words with the version of 1.2 are answered by a ServerHello.
        let mut new = connect(&stage.host).await;
        send(&mut new, client_hello(3)).await;
        let record = read_exactly(&mut new, 6).await;
        assert_eq!((record[0], record[5]), (22, 2));
        stage.flow_of(None).await;
    });
}

/// A ClientHello (RFC 5246 7.4.1.2) of version 3.`minor`, offering what we would take.
fn client_hello(minor: u8) -> Vec<u8> {
    let extensions: &[&[u8]] = &[
        &[0, 10, 0, 4, 0, 2, 0, 29], // supported_groups: x25519
        &[0, 11, 0, 2, 1, 0],        // ec_point_formats: uncompressed
        &[0, 13, 0, 4, 0, 2, 4, 3],  // signature_algorithms: ecdsa_secp256r1_sha256
        &[0, 23, 0, 0],              // extended_master_secret
    ];
    let extensions = extensions.concat();
    let mut hello = vec![3, minor];
    hello.extend([7; 32]);
    hello.push(0);
    hello.extend([0, 2, 0xc0, 0x2b]); // TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    hello.extend([1, 0]);
    hello.extend([0, u8::try_from(extensions.len()).unwrap()]);
    hello.extend(extensions);
    let length = u8::try_from(hello.len()).unwrap();
    [vec![22, 3, 1, 0, length + 4, 1, 0, 0, length], hello].concat()
}

#[test]
fn a_peer_of_tls_1_2_is_served() {
    run(async {
        let mut stage = Stage::new();
        let own = stage.authority.issue(&Wanted::named("proxy.example.test"));
        let config = client_of_version(&stage.authority, Some(&own), &[&rustls::version::TLS12]);
        let mut peer = connect_tls(&stage.host, &config).await.unwrap();
        send(&mut peer, options("hello")).await;
        assert!(stage.host.opened().await.1.peer.is_some());
        stage.host.received().await;
    });
}

#[test]
fn large_messages_pass_both_ways() {
    run(async {
        let mut stage = Stage::new();
        let mut peer = connect_tls(&stage.host, &client(&stage.authority, None)).await.unwrap();
        let body = "x".repeat(250_000);
        send(&mut peer, crate::support::request("large", &body)).await;
        let (id, _) = stage.host.opened().await;
        assert_eq!(stage.host.received().await.1.body().len(), 250_000);
        stage.host.flows.transmit(id, Bytes::from(vec![b'y'; 250_000]));
        stage.host.flows.close(id);
        let reader = tokio::task::spawn_local(async move { read_to_end(&mut peer).await });
        stage.host.closed().await;
        assert_eq!(soon(reader).await.unwrap().len(), 250_000);
    });
}

#[test]
fn a_tls_connection_is_closed_with_a_goodbye() {
    run(async {
        let mut stage = Stage::new();
        let mut peer = connect_tls(&stage.host, &client(&stage.authority, None)).await.unwrap();
        let (id, _) = stage.host.opened().await;
        stage.host.flows.close(id);
        // Without the alert, reading would end in an error (RFC 8446 6.1).
        assert_eq!(soon(peer.read(&mut [0; 1])).await.unwrap(), 0);
    });
}

#[test]
fn tcp_and_tls_listeners_share_one_queue() {
    run(async {
        let authority = Authority::new("Example Authority");
        let own = authority.issue(&Wanted::named("um.example.test"));
        let tls = tls(&authority, &own);
        let mut host = Host::with(Config { tls: Some(tls), ..Config::default() }, Transport::Tls);
        let any = Listener { transport: Transport::Tcp, address: "127.0.0.1:0".parse().unwrap() };
        let plain = host.flows.listen(&any).unwrap();
        let _plain = soon(tokio::net::TcpStream::connect(plain)).await.unwrap();
        assert_eq!(host.opened().await.1.transport, Transport::Tcp);
        let _sealed = connect_tls(&host, &client(&authority, None)).await.unwrap();
        assert_eq!(host.opened().await.1.transport, Transport::Tls);
    });
}

/// Whoever shows our own certificate holds its key, and is we: no authority of peers need vouch for it, and it
/// may have been issued for servers only.
#[test]
fn our_own_certificate_is_known_whoever_issued_it() {
    run(async {
        let (strangers, ours) = (Authority::new("Public Authority"), Authority::new("Example Authority"));
        let wanted = || Wanted::named("um.example.test").for_use(&[ExtendedKeyUsagePurpose::ServerAuth]);
        let own = strangers.issue(&wanted());
        let host = Host::tls(Limits::default(), &tls(&ours, &own));
        let mut stage = Stage { authority: strangers, host };
        let peer = stage.flow_of(Some(&own)).await.peer.unwrap();
        assert_eq!(peer.fingerprint, own.identity().fingerprint());
        let other = stage.authority.issue(&wanted());
        assert_eq!(stage.flow_of(Some(&other)).await.peer, None);
    });
}
