//! Octets to messages over real connections: order, framing, keep-alives, and what is no message.

use crate::support::{Host, call_id, connect, options, read_exactly, read_to_end, request, run, send, soon};
use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use umbel_net::limits::ARRIVALS_MAX;
use umbel_net::{Limits, Listener};
use umbel_node::{CloseReason, Input, Origin, Transport};

#[test]
fn a_message_comes_with_the_flow_it_came_on() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let mut peer = connect(&host).await;
        send(&mut peer, options("one")).await;
        let (id, flow) = host.opened().await;
        assert_eq!(id.0 % 2, 0, "the shell names accepted flows by even numbers");
        assert_eq!(flow.transport, Transport::Tcp);
        assert_eq!(flow.origin, Origin::Accepted);
        assert_eq!(flow.local, host.address);
        assert_eq!(flow.remote, peer.local_addr().unwrap());
        assert_eq!(flow.peer, None);
        let (from, message) = host.received().await;
        assert_eq!((from, call_id(&message).as_str()), (id, "one"));
    });
}

#[test]
fn messages_in_one_segment_keep_their_order() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let mut peer = connect(&host).await;
        let all: String = (0..30).map(|n| request(&format!("c{n}"), "v=0\r\n")).collect();
        send(&mut peer, all).await;
        host.opened().await;
        for n in 0..30 {
            assert_eq!(call_id(&host.received().await.1), format!("c{n}"));
        }
    });
}

// SEC-17
#[test]
fn a_message_may_come_one_octet_at_a_time() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let mut peer = connect(&host).await;
        host.opened().await;
        let text = request("slow", "v=0\r\n") + &options("next");
        for octet in text.as_bytes() {
            send(&mut peer, [*octet]).await;
            // The connection's task sees each octet alone.
            tokio::task::yield_now().await;
        }
        assert_eq!(&host.received().await.1.body()[..], b"v=0\r\n");
        assert_eq!(call_id(&host.received().await.1), "next");
    });
}

#[test]
fn a_message_longer_than_one_read_is_put_together() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let mut peer = connect(&host).await;
        let body = "x".repeat(200_000);
        send(&mut peer, request("long", &body) + &options("after")).await;
        host.opened().await;
        assert_eq!(host.received().await.1.body().len(), 200_000);
        assert_eq!(call_id(&host.received().await.1), "after");
    });
}

// SEC-58
#[test]
fn a_ping_is_answered_with_a_pong() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let mut peer = connect(&host).await;
        send(&mut peer, "\r\n\r\n").await;
        host.opened().await;
        send(&mut peer, options("after")).await;
        host.received().await;
        assert_eq!(read_exactly(&mut peer, 2).await, b"\r\n");
    });
}

#[test]
fn what_is_transmitted_in_a_turn_leaves_with_the_flush_in_order() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let mut peer = connect(&host).await;
        let (id, _) = host.opened().await;
        for part in ["one ", "two ", "three"] {
            host.flows.transmit(id, Bytes::from(part));
        }
        host.flows.flush();
        assert_eq!(read_exactly(&mut peer, 13).await, b"one two three");
    });
}

#[test]
fn a_malformed_message_is_told_and_the_connection_goes_on_where_framing_is_kept() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let mut peer = connect(&host).await;
        let no_call_id = options("x").replace("Call-ID: x\r\n", "");
        send(&mut peer, no_call_id + &options("next")).await;
        let (id, _) = host.opened().await;
        let (from, what) = host.malformed().await;
        assert_eq!(from, id);
        assert!(what.reply.unwrap().starts_with(b"SIP/2.0 400 "));
        assert!(!what.close);
        assert_eq!(call_id(&host.received().await.1), "next");
    });
}

// SEC-61. Two lengths are two opinions about where the next message begins.
#[test]
fn nothing_is_read_after_framing_is_lost() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let mut peer = connect(&host).await;
        let smuggled = options("smuggled");
        let outer = options("outer").replace(
            "Content-Length: 0\r\n",
            &format!("Content-Length: {}\r\nContent-Length: 0\r\n", smuggled.len()),
        );
        send(&mut peer, outer + &smuggled).await;
        let (id, _) = host.opened().await;
        let (_, what) = host.malformed().await;
        assert!(what.close);
        host.flows.transmit(id, what.reply.unwrap());
        host.flows.close(id);
        assert_eq!(host.closed().await, (id, CloseReason::ByUs));
        let answer = String::from_utf8(read_to_end(&mut peer).await).unwrap();
        assert!(answer.starts_with("SIP/2.0 400 "), "{answer}");
        assert!(answer.contains("Call-ID: outer"), "{answer}");
    });
}

#[test]
fn a_connection_without_framing_is_cut_even_if_the_node_says_nothing() {
    run(async {
        let farewell = std::time::Duration::from_millis(20);
        let mut host = Host::tcp(Limits { farewell, ..Limits::default() });
        let mut peer = connect(&host).await;
        send(&mut peer, "OPTIONS sip:example.test SIP/2.0\r\nContent-Length: -5\r\n\r\n").await;
        let (id, _) = host.opened().await;
        host.malformed().await;
        assert_eq!(host.closed().await, (id, CloseReason::ByUs));
    });
}

// SEC-07, SEC-57
#[test]
fn other_protocols_are_no_messages() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let client_hello: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
        let http: &[u8] = b"GET / HTTP/1.1\r\nHost: example.test\r\n\r\n";
        let proxy: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.2 5060 5060\r\n";
        for octets in [client_hello, http, proxy] {
            let mut peer = connect(&host).await;
            send(&mut peer, octets).await;
            if octets == proxy {
                send(&mut peer, options("behind")).await;
            }
            let (id, _) = host.opened().await;
            let (_, what) = host.malformed().await;
            assert!(what.close || what.reply.is_some(), "{what:?}");
            host.flows.close(id);
            assert_eq!(host.closed().await, (id, CloseReason::ByUs));
        }
    });
}

// SEC-61, SEC-62
#[test]
fn announcing_two_gigabytes_gets_refused_without_waiting_for_them() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let mut peers = Vec::new();
        for n in 0..50 {
            let mut peer = connect(&host).await;
            let huge = options(&format!("h{n}")).replace("Content-Length: 0", "Content-Length: 2000000000");
            send(&mut peer, huge).await;
            peers.push(peer);
        }
        let mut refused = 0;
        while refused < 50 {
            match host.next().await {
                Input::Malformed { id, what } => {
                    let reply = what.reply.unwrap();
                    assert!(
                        reply.starts_with(b"SIP/2.0 4") || reply.starts_with(b"SIP/2.0 513"),
                        "{reply:?}"
                    );
                    host.flows.transmit(id, reply);
                    host.flows.close(id);
                    refused += 1;
                }
                Input::Opened { .. } | Input::Closed { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        host.flows.flush();
        for peer in &mut peers {
            assert!(read_to_end(peer).await.starts_with(b"SIP/2.0 "));
        }
    });
}

#[test]
fn half_a_message_at_the_end_is_nothing() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let mut peer = connect(&host).await;
        send(&mut peer, options("whole") + "OPTIONS sip:exa").await;
        peer.shutdown().await.unwrap();
        let (id, _) = host.opened().await;
        assert_eq!(call_id(&host.received().await.1), "whole");
        assert_eq!(host.closed().await, (id, CloseReason::ByPeer));
    });
}

#[test]
fn connections_wait_while_the_event_loop_has_no_room() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let total = 2 * ARRIVALS_MAX + 100;
        let mut peer = connect(&host).await;
        let sender = tokio::task::spawn_local(async move {
            let all: String = (0..total).map(|n| options(&format!("m{n}"))).collect();
            peer.write_all(all.as_bytes()).await.unwrap();
            peer
        });
        host.until(|flows| flows.stats().arrivals_queued >= ARRIVALS_MAX).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(host.flows.stats().arrivals_queued, ARRIVALS_MAX);
        host.opened().await;
        for n in 0..total {
            assert_eq!(call_id(&host.received().await.1), format!("m{n}"));
        }
        soon(sender).await.unwrap();
    });
}

#[test]
fn a_busy_connection_does_not_keep_others_from_being_heard() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let mut busy = connect(&host).await;
        host.opened().await;
        tokio::task::spawn_local(async move {
            let batch = options("busy").repeat(1_000);
            while busy.write_all(batch.as_bytes()).await.is_ok() {}
        });
        host.received().await;
        let mut other = connect(&host).await;
        send(&mut other, options("other")).await;
        let heard = async {
            loop {
                if let Input::Received { message, .. } = host.flows.next::<()>().await
                    && call_id(&message) == "other"
                {
                    return;
                }
            }
        };
        soon(heard).await;
    });
}

#[test]
fn listeners_are_written_as_the_configuration_writes_them() {
    for text in ["tcp:127.0.0.1:5060", "tls:[::1]:5061"] {
        assert_eq!(text.parse::<Listener>().unwrap().to_string(), text);
    }
    // OCEXUM-2.1-3, SEC-67
    for text in
        ["udp:127.0.0.1:5060", "ws:127.0.0.1:80", "127.0.0.1:5060", "tcp:localhost", "tcp:127.0.0.1", ""]
    {
        assert!(text.parse::<Listener>().is_err(), "{text}");
    }
}
