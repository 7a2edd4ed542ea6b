//! New certificates, authorities and revocation lists while connections live: REL-30, REL-32, SEC-08.

use bytes::Bytes;
use rustls_pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use umbel_net::{Clock, Limits, Tls, TlsError};
use umbel_node::FlowId;

use crate::support::{
    Authority, Host, Pair, Wanted, call_id, client, config, connect_tls, options, read_to_end, run, send, tls,
};

struct Stage {
    authority: Authority,
    own: Pair,
    peer: Pair,
    tls: Tls,
    host: Host,
}

impl Stage {
    fn new() -> Stage {
        let authority = Authority::new("Example Authority");
        let own = authority.issue(&Wanted::named("um.example.test"));
        let peer = authority.issue(&Wanted::named("proxy.example.test"));
        let tls = tls(&authority, &own);
        let host = Host::tls(Limits::default(), &tls);
        Stage { authority, own, peer, tls, host }
    }

    async fn connects(&mut self) -> (TlsStream<TcpStream>, FlowId) {
        let config = client(&self.authority, Some(&self.peer));
        let stream = connect_tls(&self.host, &config).await.unwrap();
        let (id, flow) = self.host.opened().await;
        assert!(flow.peer.is_some());
        (stream, id)
    }
}

// SEC-05, REL-32
#[test]
fn a_revocation_counts_for_open_flows_and_their_calls_go_on() {
    run(async {
        let mut stage = Stage::new();
        let (mut stream, id) = stage.connects().await;
        let mut revoking = config(&stage.authority, &stage.own);
        revoking.revocations = vec![stage.authority.revoke(&[&stage.peer])];
        stage.tls.reload(&revoking).unwrap();
        stage.host.flows.reverify();
        assert_eq!(stage.host.reverified().await, (id, None));
        send(&mut stream, options("still-here")).await;
        assert_eq!(call_id(&stage.host.received().await.1), "still-here");

        // New handshakes are refused outright.
        let config_of_peer = client(&stage.authority, Some(&stage.peer));
        if let Ok(mut refused) = connect_tls(&stage.host, &config_of_peer).await {
            assert_eq!(read_to_end(&mut refused).await, b"");
        }
        assert_eq!(stage.host.flows.stats().accepted, 1);

        // And a list without it makes good again.
        stage.tls.reload(&config(&stage.authority, &stage.own)).unwrap();
        stage.host.flows.reverify();
        let (again, peer) = stage.host.reverified().await;
        assert_eq!(again, id);
        assert!(peer.is_some());
    });
}

// REL-32
#[test]
fn an_authority_that_is_taken_away_vouches_for_nobody() {
    run(async {
        let mut stage = Stage::new();
        let (_stream, id) = stage.connects().await;
        let mut without = config(&stage.authority, &stage.own);
        without.client_authorities = vec![Authority::new("Another Authority").certificate];
        stage.tls.reload(&without).unwrap();
        stage.host.flows.reverify();
        assert_eq!(stage.host.reverified().await, (id, None));
    });
}

#[test]
fn nothing_is_told_where_nothing_changed() {
    run(async {
        let mut stage = Stage::new();
        let (mut stream, _) = stage.connects().await;
        stage.tls.reload(&config(&stage.authority, &stage.own)).unwrap();
        stage.host.flows.reverify();
        send(&mut stream, options("next")).await;
        assert_eq!(call_id(&stage.host.received().await.1), "next");
    });
}

// REL-24
#[test]
fn a_configuration_that_cannot_be_used_leaves_the_old_one_in_force() {
    run(async {
        let mut stage = Stage::new();
        let mut broken = config(&stage.authority, &stage.own);
        broken.client_authorities = vec![CertificateDer::from(vec![1, 2, 3])];
        assert_eq!(stage.tls.reload(&broken), Err(TlsError::UnusableAuthority));
        let mut broken = config(&stage.authority, &stage.own);
        broken.revocations = vec![vec![1, 2, 3].into()];
        assert_eq!(stage.tls.reload(&broken), Err(TlsError::UnusableRevocationList));
        stage.connects().await;
    });
}

// REL-30
#[test]
fn replacing_the_certificate_under_load_fails_no_handshake_and_no_connection() {
    run(async {
        let mut stage = Stage::new();
        let (mut old, old_id) = stage.connects().await;
        let config_of_peer = client(&stage.authority, None);
        let mut shown = Vec::new();
        for _ in 0..20 {
            let renewed = stage.authority.issue(&Wanted::named("um.example.test"));
            for _ in 0..5 {
                // The reload falls into the middle of a handshake.
                let handshake = connect_tls(&stage.host, &config_of_peer);
                let reload = async { stage.tls.reload(&config(&stage.authority, &renewed)).unwrap() };
                let (stream, ()) = tokio::join!(handshake, reload);
                let certificate = stream.unwrap().get_ref().1.peer_certificates().unwrap()[0].clone();
                shown.push(certificate == renewed.chain[0]);
                let (id, _) = stage.host.opened().await;
                assert_eq!(stage.host.closed().await.0, id);
            }
        }
        assert_eq!(shown.len(), 100);
        assert!(
            shown.iter().filter(|new| **new).count() >= 80,
            "the new one is shown from the next handshake on"
        );
        send(&mut old, options("old")).await;
        assert_eq!(stage.host.received().await.0, old_id);
        stage.host.flows.transmit(old_id, Bytes::from("x"));
    });
}

// REL-31
#[test]
fn when_our_certificate_ends_is_known() {
    let authority = Authority::new("Example Authority");
    let own = authority.issue(&Wanted::named("um.example.test").valid(-60, 86_400));
    let ends = tls(&authority, &own).own_certificate_ends().unwrap();
    let left = ends.since(Clock::start().unix_time()).as_secs();
    assert!((86_390..=86_400).contains(&left), "{left}");
}

#[test]
fn a_certificate_that_is_taken_away_ends_new_handshakes_and_no_connection() {
    run(async {
        let mut stage = Stage::new();
        let (mut old, old_id) = stage.connects().await;
        let without = umbel_net::TlsConfig { identity: None, ..config(&stage.authority, &stage.own) };
        stage.tls.reload(&without).unwrap();
        let refused = connect_tls(&stage.host, &client(&stage.authority, None)).await;
        assert!(refused.is_err());
        assert_eq!(stage.host.flows.stats().handshakes, 0);
        send(&mut old, options("old")).await;
        assert_eq!(stage.host.received().await.0, old_id);
    });
}
