//! Ports that nobody uses, so that suites and servers can run side by side.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// Blocks begin here: above what services use, below what systems hand out by themselves.
const FIRST: u16 = 11_000;
/// One past the last port handed out.
const END: u16 = 32_000;
/// Ports in a block.
pub const BLOCK: u16 = 1_000;

/// Blocks handed out by this process.
static HANDED_OUT: AtomicU16 = AtomicU16::new(0);

/// The first of [`BLOCK`] ports; other calls in this process get others. Other processes start
/// elsewhere, by their id, and a block with a used first or last port is passed over.
///
/// # Panics
///
/// When no block is free.
pub fn block() -> u16 {
    let blocks = (END - FIRST) / BLOCK;
    let start = u16::try_from(std::process::id() % u32::from(blocks)).unwrap_or_default();
    for _ in 0..blocks {
        let turn = HANDED_OUT.fetch_add(1, Ordering::Relaxed);
        let first = FIRST + (start.wrapping_add(turn) % blocks) * BLOCK;
        if is_free(first) && is_free(first + 1) && is_free(first + BLOCK - 1) {
            return first;
        }
    }
    panic!("no block of {BLOCK} free ports between {FIRST} and {END}");
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
        && UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_blocks_do_not_overlap() {
        let (one, other) = (block(), block());
        assert!(one.abs_diff(other) >= BLOCK);
    }
}
