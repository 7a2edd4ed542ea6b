//! Ports for servers under test, so that tests, suites and whole runs of them can be beside each other.
//!
//! A server's configuration names its ports before it binds them, so somebody else could take them meanwhile. All
//! who look for ports in this way therefore take groups, each with a sign on it; and the groups are below what
//! systems give to connections and to whoever asks for any port, which look for no signs.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Groups begin here.
const FIRST: u16 = 10_000;
/// One past the last port: from there on are the blocks of the suites of other people's programs.
const END: u16 = 14_000;
/// Ports in a group, with the one that bears the sign.
const GROUP: u16 = 6;

/// Ports that are one server's own until this is dropped.
pub(crate) struct Ports {
    pub(crate) numbers: [u16; GROUP as usize - 1],
    /// On the last port of the group: a sign to other tests and processes that it is taken.
    _sign: TcpListener,
}

impl Ports {
    /// Takes a group that nobody has, and whose ports nobody uses. Each process begins elsewhere, and each of its
    /// groups behind the one before.
    #[track_caller]
    pub(crate) fn take() -> Ports {
        const GROUPS: u16 = (END - FIRST) / GROUP;
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let start = u16::try_from(std::process::id() % u32::from(GROUPS)).unwrap();
        crate::wait::until("free ports", || {
            let turn = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % GROUPS;
            let first = FIRST + turn * GROUP;
            let listen = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok();
            let sign = listen(first + GROUP - 1)?;
            let numbers = std::array::from_fn(|n| first + u16::try_from(n).unwrap());
            numbers.iter().all(|port| listen(*port).is_some()).then_some(Ports { numbers, _sign: sign })
        })
    }
}

#[test]
fn two_groups_have_no_port_in_common() {
    let (one, other) = (Ports::take(), Ports::take());
    assert!(one.numbers.iter().all(|port| !other.numbers.contains(port)));
}
