//! Time limits and bounds: SEC-57 to SEC-60, SEC-65.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use umbel_net::{Config, Limits};
use umbel_node::{CloseReason, FlowId, Input, Transport};

use crate::support::{Host, call_id, connect, options, read_to_end, request, run, run_within, send, soon};

const SHORT: Duration = Duration::from_millis(40);

/// Serves a second peer to show that the first one's troubles are its own.
async fn others_are_served(host: &mut Host) {
    let mut other = connect(host).await;
    send(&mut other, options("other")).await;
    let served = async {
        loop {
            if let Input::Received { message, .. } = host.flows.next::<()>().await
                && call_id(&message) == "other"
            {
                return;
            }
        }
    };
    soon(served).await;
}

// SEC-60
#[test]
fn a_header_that_takes_too_long_closes_the_connection() {
    run(async {
        let mut host = Host::tcp(Limits { header: SHORT, ..Limits::default() });
        let mut peer = connect(&host).await;
        send(&mut peer, "OPTIONS sip:example.test SIP/2.0\r\nVia:").await;
        let (id, _) = host.opened().await;
        assert_eq!(host.closed().await, (id, CloseReason::Idle));
        assert_eq!(read_to_end(&mut peer).await, b"");
        others_are_served(&mut host).await;
    });
}

// SEC-60. However often something of it comes.
#[test]
fn a_header_that_trickles_closes_the_connection_too() {
    run(async {
        let mut host = Host::tcp(Limits { header: SHORT, ..Limits::default() });
        let mut peer = connect(&host).await;
        let (id, _) = host.opened().await;
        let trickle = tokio::task::spawn_local(async move {
            send(&mut peer, "OPTIONS sip:example.test SIP/2.0\r\nSubject: ").await;
            let mut tick = tokio::time::interval(SHORT / 8);
            while tokio::io::AsyncWriteExt::write_all(&mut peer, b"a").await.is_ok() {
                tick.tick().await;
            }
        });
        assert_eq!(host.closed().await, (id, CloseReason::Idle));
        soon(trickle).await.unwrap();
    });
}

// SEC-60
#[test]
fn a_body_that_takes_too_long_closes_the_connection() {
    run(async {
        let mut host = Host::tcp(Limits { body: SHORT, ..Limits::default() });
        let mut peer = connect(&host).await;
        let text = request("slow", "0123456789");
        send(&mut peer, &text[..text.len() - 1]).await;
        let (id, _) = host.opened().await;
        assert_eq!(host.closed().await, (id, CloseReason::Idle));
        others_are_served(&mut host).await;
    });
}

#[test]
fn between_messages_neither_limit_runs() {
    run(async {
        let limits = Limits { header: SHORT, body: SHORT, idle: 6 * SHORT, ..Limits::default() };
        let mut host = Host::tcp(limits);
        let mut peer = connect(&host).await;
        // Before the limit begins, whatever stalls meanwhile.
        let begun = std::time::Instant::now();
        send(&mut peer, request("whole", "body")).await;
        host.opened().await;
        host.received().await;
        assert_eq!(host.closed().await.1, CloseReason::Idle);
        assert!(begun.elapsed() >= 5 * SHORT, "the idle limit closed it, not another");
    });
}

// SEC-58
#[test]
fn an_idle_connection_is_closed_unless_something_uses_it() {
    run_within(async |idle| {
        let mut host = Host::tcp(Limits { idle, ..Limits::default() });
        let begun = std::time::Instant::now();
        let mut used = connect(&host).await;
        let (used_id, _) = host.opened().await;
        host.flows.keep(used_id, true);
        if begun.elapsed() >= idle / 2 {
            // It may have been idle for too long before it was used.
            return None;
        }
        let _idle = connect(&host).await;
        let (idle_id, _) = host.opened().await;
        assert_eq!(host.closed().await, (idle_id, CloseReason::Idle));
        // Still there, although it is older.
        send(&mut used, options("used")).await;
        assert_eq!(host.received().await.0, used_id);
        host.flows.keep(used_id, false);
        assert_eq!(host.closed().await, (used_id, CloseReason::Idle));
        Some(())
    });
}

// SEC-58
#[test]
fn traffic_keeps_a_connection_open() {
    run_within(async |limit| {
        let mut host = Host::tcp(Limits { idle: 12 * limit, ..Limits::default() });
        let mut pinging = connect(&host).await;
        let (pinging_id, _) = host.opened().await;
        let _silent = connect(&host).await;
        let (silent_id, _) = host.opened().await;
        let last = std::cell::Cell::new(std::time::Instant::now());
        let longest = std::cell::Cell::new(Duration::ZERO);
        let ping = async {
            let mut tick = tokio::time::interval(limit / 2);
            loop {
                tick.tick().await;
                longest.set(longest.get().max(last.replace(std::time::Instant::now()).elapsed()));
                send(&mut pinging, "\r\n\r\n").await;
            }
        };
        let closed = tokio::select! {
            () = ping => return None,
            closed = host.closed() => closed,
        };
        if longest.get().max(last.get().elapsed()) >= 6 * limit {
            // There was no traffic for a while.
            return None;
        }
        assert_eq!(closed, (silent_id, CloseReason::Idle));
        assert!(host.flows.try_next::<()>().is_none(), "{pinging_id} is open");
        Some(())
    });
}

// SEC-65
#[test]
fn a_peer_that_never_reads_is_closed_when_too_much_waits_for_it() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let _peer = connect(&host).await;
        let (id, _) = host.opened().await;
        let piece = Bytes::from(vec![b'x'; 64 * 1024]);
        let mut sent = 0;
        let reason = loop {
            host.flows.transmit(id, piece.clone());
            host.flows.flush();
            sent += piece.len();
            assert!(sent < 256 * 1024 * 1024, "no bound");
            tokio::task::yield_now().await;
            if let Some(Input::Closed { reason, .. }) = host.flows.try_next::<()>() {
                break reason;
            }
        };
        assert_eq!(reason, CloseReason::Stalled);
        others_are_served(&mut host).await;
    });
}

// SEC-65
#[test]
fn a_peer_that_stopped_reading_is_closed_after_the_limit() {
    run(async {
        let limits = Limits { queued_bytes: 64 * 1024 * 1024, stalled: SHORT, ..Limits::default() };
        let mut host = Host::tcp(limits);
        let _peer = connect(&host).await;
        let (id, _) = host.opened().await;
        host.flows.transmit(id, Bytes::from(vec![b'x'; 32 * 1024 * 1024]));
        assert_eq!(host.closed().await, (id, CloseReason::Stalled));
    });
}

#[test]
fn a_peer_that_reads_slowly_gets_everything() {
    run(async {
        let limits = Limits { queued_bytes: 64 * 1024 * 1024, ..Limits::default() };
        let mut host = Host::tcp(limits);
        let mut peer = connect(&host).await;
        let (id, _) = host.opened().await;
        let whole: Vec<u8> = (0..16 * 1024 * 1024_u32).map(|n| n.to_le_bytes()[1]).collect();
        for piece in whole.chunks(100_000) {
            host.flows.transmit(id, Bytes::copy_from_slice(piece));
        }
        host.flows.close(id);
        let reader = tokio::task::spawn_local(async move { read_to_end(&mut peer).await });
        assert_eq!(host.closed().await, (id, CloseReason::ByUs));
        assert!(soon(reader).await.unwrap() == whole, "everything, in order, before the end");
    });
}

#[test]
fn up_to_the_bound_nothing_is_refused() {
    run(async {
        let mut host = Host::tcp(Limits { queued_bytes: 1_000, ..Limits::default() });
        let mut peer = connect(&host).await;
        let (id, _) = host.opened().await;
        host.flows.transmit(id, Bytes::from(vec![b'x'; 1_000]));
        host.flows.close(id);
        assert_eq!(host.closed().await, (id, CloseReason::ByUs));
        assert_eq!(read_to_end(&mut peer).await.len(), 1_000);
    });
}

// SEC-59
#[test]
fn a_full_table_closes_the_connection_that_is_quiet_for_longest() {
    run(async {
        let limits = Limits { connections: 3, quiet: Duration::ZERO, ..Limits::default() };
        let mut host = Host::tcp(limits);
        let mut peers = Vec::new();
        let mut ids = Vec::new();
        for _ in 0..3 {
            peers.push(connect(&host).await);
            ids.push(host.opened().await.0);
        }
        // The first one is heard again, so the second is the quietest.
        send(&mut peers[0], options("here")).await;
        host.received().await;
        peers.push(connect(&host).await);
        let (new, _) = host.opened().await;
        assert_eq!(host.closed().await, (ids[1], CloseReason::Idle));
        assert_eq!(read_to_end(&mut peers[1]).await, b"");
        send(&mut peers[3], options("new")).await;
        assert_eq!(host.received().await.0, new);
    });
}

// SEC-59
#[test]
fn where_all_are_in_use_the_new_connection_is_closed_at_once() {
    run(async {
        let limits = Limits { connections: 2, quiet: Duration::ZERO, ..Limits::default() };
        let mut host = Host::tcp(limits);
        let mut peers = Vec::new();
        for _ in 0..2 {
            peers.push(connect(&host).await);
            let (id, _) = host.opened().await;
            host.flows.keep(id, true);
        }
        let mut refused = connect(&host).await;
        host.until(|flows| flows.stats().refused == 1).await;
        assert_eq!(read_to_end(&mut refused).await, b"");
        assert_eq!(host.flows.stats().flows, 2);
    });
}

// SEC-59, DEC-6
#[test]
fn a_trusted_peer_gets_in_where_all_are_in_use() {
    run(async {
        let limits = Limits { connections: 2, quiet: Duration::ZERO, ..Limits::default() };
        let mut host = Host::with(Config { limits, ..Config::default() }, Transport::Tcp);
        let mut peers = Vec::new();
        for _ in 0..2 {
            peers.push(connect(&host).await);
            let (id, _) = host.opened().await;
            host.flows.keep(id, true);
        }
        host.flows.set_trusts(std::rc::Rc::new(|flow| flow.remote.ip().is_loopback()));
        let _trusted = connect(&host).await;
        host.opened().await;
        assert_eq!(host.flows.stats().flows, 3);
    });
}

#[test]
fn the_place_of_a_connection_that_has_ended_is_free() {
    run(async {
        let limits = Limits { connections: 1, ..Limits::default() };
        let mut host = Host::tcp(limits);
        for _ in 0..10 {
            let peer = connect(&host).await;
            let (id, _) = host.opened().await;
            drop(peer);
            assert_eq!(host.closed().await.0, id);
            host.until(|flows| flows.stats().flows == 0).await;
        }
        assert_eq!(host.flows.stats().refused, 0);
    });
}

#[test]
fn a_reset_connection_is_told_as_broken_or_closed() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let peer = connect(&host).await;
        let (id, _) = host.opened().await;
        peer.set_zero_linger().unwrap();
        drop(peer);
        assert_eq!(host.closed().await, (id, CloseReason::Broken));
    });
}

#[test]
fn what_concerns_a_flow_that_is_gone_is_ignored() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let gone = FlowId(4_000);
        host.flows.transmit(gone, Bytes::from("x"));
        host.flows.keep(gone, true);
        host.flows.close(gone);
        host.flows.flush();
        others_are_served(&mut host).await;
    });
}

#[test]
fn shutting_down_sends_what_is_queued_and_closes() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let mut peer = connect(&host).await;
        let (id, _) = host.opened().await;
        host.flows.transmit(id, Bytes::from("goodbye"));
        let address = host.address;
        soon(host.flows.shut_down(Duration::from_secs(10))).await;
        assert_eq!(read_to_end(&mut peer).await, b"goodbye");
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    });
}

#[test]
fn dropping_the_flows_cuts_their_connections() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let mut peer = connect(&host).await;
        host.opened().await;
        drop(host);
        assert_eq!(soon(peer.read(&mut [0; 1])).await.unwrap_or(0), 0);
    });
}

#[test]
fn a_taken_address_is_named() {
    run(async {
        let host = Host::tcp(Limits::default());
        let listener = umbel_net::Listener { transport: Transport::Tcp, address: host.address };
        let error = host.flows.listen(&listener).unwrap_err();
        assert!(matches!(error, umbel_net::ListenError::InUse(_)));
        assert!(error.to_string().contains(&host.address.to_string()), "{error}");
        let tls = umbel_net::Listener { transport: Transport::Tls, address: host.address };
        assert!(matches!(host.flows.listen(&tls), Err(umbel_net::ListenError::NoTls(_))));
    });
}
