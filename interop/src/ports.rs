//! Ports that nobody uses, so that suites and servers can run side by side.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// Blocks begin here: above the ports of the program's own tests, below what systems hand out by themselves.
const FIRST: u16 = 14_000;
/// One past the last port handed out.
const END: u16 = 32_000;
/// Ports in a block.
pub const BLOCK: u16 = 1_000;

/// Ports that are one test's own until it is dropped.
#[derive(Debug)]
pub struct Block {
    /// The first of [`BLOCK`] ports, of which the last is not to be used.
    pub first: u16,
    /// On the last port: a sign to other processes that the block is taken.
    _sign: TcpListener,
}

impl Block {
    /// Takes a block that nobody has, and whose first ports nobody uses.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn take() -> Self {
        let blocks = (END - FIRST) / BLOCK;
        // Each begins behind the one before: ports that were used just now may not be free yet.
        static TAKEN: AtomicU16 = AtomicU16::new(0);
        let taken = TAKEN.fetch_add(1, Ordering::Relaxed) % blocks;
        let start = u16::try_from(std::process::id() % u32::from(blocks)).unwrap_or_default() + taken;
        for turn in 0..blocks {
            let first = FIRST + (start + turn) % blocks * BLOCK;
            let Ok(sign) = TcpListener::bind((Ipv4Addr::LOCALHOST, first + BLOCK - 1)) else { continue };
            if (first..first + 5).all(is_free) {
                return Block { first, _sign: sign };
            }
        }
        panic!("no block of {BLOCK} free ports between {FIRST} and {END}");
    }
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
        let (one, other) = (Block::take(), Block::take());
        assert!(one.first.abs_diff(other.first) >= BLOCK);
    }
}
