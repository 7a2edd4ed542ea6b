//! What an idle connection costs (DEC-40, REL-44). Alone in its process, so that nothing else counts.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::net::TcpStream;

use umbel_net::{Clock, Config, Flows, Listener};
use umbel_node::{Input, Transport};

/// Ours, not the kernel's; measured about 2 KiB.
const BYTES_MAX: usize = 6 * 1024;

fn resident_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// Each connection takes two descriptors here.
fn connections_possible() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let soft = line.split_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX);
    ((soft - 100) / 2).min(3_000)
}

#[test]
fn an_idle_connection_holds_less_than_six_kibibytes() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default()).unwrap();
    runtime.block_on(async {
        let mut flows = Flows::new(Config::default(), Clock::start());
        let any = Listener { transport: Transport::Tcp, address: "127.0.0.1:0".parse().unwrap() };
        let address = flows.listen(&any).unwrap();
        let count = connections_possible();
        // Of few, pages that are only begun would be most of the cost.
        if count < 400 {
            let _ = std::io::stderr().write_all(b"skipped: too few open files are allowed here\n");
            return;
        }
        let mut peers = Vec::with_capacity(count);
        let before = resident_bytes();
        for _ in 0..count {
            let mut peer = TcpStream::connect(address).unwrap();
            // Each has been in use: a ping, and the answer to it.
            peer.write_all(b"\r\n\r\n").unwrap();
            peers.push(peer);
            let opened = flows.next::<()>().await;
            assert!(matches!(opened, Input::Opened { .. }));
        }
        // The last ping is answered, so all are.
        let last = peers.last().unwrap();
        last.set_nonblocking(true).unwrap();
        while last.peek(&mut [0; 2]).is_err() {
            tokio::task::yield_now().await;
        }
        let each = resident_bytes().saturating_sub(before) / count;
        assert!(each <= BYTES_MAX, "{each} octets each, of {count}");
    });
}
