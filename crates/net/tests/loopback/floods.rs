//! Many bad connections at once, and one good peer among them: REL-44, REL-45.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use umbel_net::{Config, Limits, Listener};
use umbel_node::{Input, Transport};

use crate::support::{
    Authority, Host, Wanted, client, connect, connect_tls_to, options, read_exactly, run, send, soon, tls,
};

const ANSWER: &[u8] = b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Drives the host as a loop does: good messages are answered, bad ones get what they deserve.
async fn serve(mut host: Host) {
    loop {
        match host.flows.next::<()>().await {
            Input::Received { id, .. } => host.flows.transmit(id, Bytes::from_static(ANSWER)),
            Input::Malformed { id, what } => {
                if let Some(reply) = what.reply {
                    host.flows.transmit(id, reply);
                }
                if what.close {
                    host.flows.close(id);
                }
            }
            _ => {}
        }
    }
}

/// Requests of a good peer, one after the other, each answered.
async fn is_served(peer: &mut (impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin)) {
    for n in 0..20 {
        send(peer, options(&format!("good{n}"))).await;
        assert_eq!(read_exactly(peer, ANSWER.len()).await, ANSWER);
    }
}

// REL-44, in small
#[test]
fn among_idle_half_open_and_slow_connections_others_are_served() {
    run(async {
        let authority = Authority::new("Example Authority");
        let own = authority.issue(&Wanted::named("um.example.test"));
        let config = Config { tls: Some(tls(&authority, &own)), ..Config::default() };
        let host = Host::with(config, Transport::Tls);
        let any = Listener { transport: Transport::Tcp, address: "127.0.0.1:0".parse().unwrap() };
        let plain = host.flows.listen(&any).unwrap();
        let mut held = Vec::new();
        for _ in 0..100 {
            held.push(connect(&host).await); // a handshake that never begins
            held.push(soon(tokio::net::TcpStream::connect(plain)).await.unwrap()); // idle
            let mut slow = soon(tokio::net::TcpStream::connect(plain)).await.unwrap();
            send(&mut slow, "INVITE sip:example.test SIP/2.0\r\nVia: ").await;
            held.push(slow);
        }
        let address = host.address;
        let good = async {
            let mut sealed = connect_tls_to(address, &client(&authority, None)).await.unwrap();
            is_served(&mut sealed).await;
            let mut open = soon(tokio::net::TcpStream::connect(plain)).await.unwrap();
            is_served(&mut open).await;
        };
        tokio::select! {
            () = good => {}
            () = serve(host) => {}
        }
    });
}

// REL-45, in small
#[test]
fn among_floods_of_malformed_messages_others_are_served() {
    run(async {
        let mut host = Host::tcp(Limits { farewell: Duration::from_millis(10), ..Limits::default() });
        let address = host.address;
        let mut good = connect(&host).await;
        host.opened().await;
        for _ in 0..4 {
            tokio::task::spawn_local(async move {
                let broken = options("x").replace("Call-ID: x\r\n", "").repeat(50);
                let lost = options("x").replace("Content-Length: 0", "Content-Length: 1, 2");
                while let Ok(mut peer) = tokio::net::TcpStream::connect(address).await {
                    let _ = peer.write_all((broken.clone() + &lost).as_bytes()).await;
                }
            });
        }
        tokio::select! {
            () = is_served(&mut good) => {}
            () = serve(host) => {}
        }
    });
}
