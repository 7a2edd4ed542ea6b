//! Pairs of UDP sockets: an even port for RTP and the next one for RTCP. RFC 3550 11.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use socket2::{Domain, Protocol, Socket, Type};

/// The two sockets of a call.
pub(super) struct Pair {
    pub(super) sound: UdpSocket,
    pub(super) control: UdpSocket,
    /// Of `sound`.
    pub(super) address: SocketAddr,
}

/// Why there are no sockets for a call.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoPorts {
    /// None of the pairs that were tried is free.
    #[error("no free pair of ports among {0} tried")]
    Taken(usize),
    /// The range has no pair in it.
    #[error("the range of ports has no even port followed by an odd one")]
    EmptyRange,
    /// The system refuses.
    #[error("a socket cannot be bound: {0}")]
    System(#[from] io::Error),
}

/// Where pairs are looked for.
pub(super) struct Ports {
    address: IpAddr,
    /// The lowest even port.
    first: u16,
    pairs: u16,
    dscp: u8,
    random: ChaCha20Rng,
}

impl Ports {
    /// DEC-45
    const TRIES_MAX: u16 = 64;

    pub(super) fn new(address: IpAddr, (low, high): (u16, u16), dscp: u8, random: ChaCha20Rng) -> Self {
        let first = low.saturating_add(low % 2);
        // From the lowest even port to the highest odd one.
        let pairs = (u32::from(high) + 1).saturating_sub(u32::from(first)) / 2;
        Ports { address, first, pairs: u16::try_from(pairs).unwrap_or(0), dscp, random }
    }

    /// Binds a pair: a random one, so that it cannot be foreseen (SEC-79), or the next that is free.
    pub(super) fn bind(&mut self) -> Result<Pair, NoPorts> {
        if self.pairs == 0 {
            return Err(NoPorts::EmptyRange);
        }
        let pairs = u32::from(self.pairs);
        let start = self.random.next_u32() % pairs;
        let tries = self.pairs.min(Self::TRIES_MAX);
        for further in 0..u32::from(tries) {
            let number = u16::try_from((start + further) % pairs).unwrap_or(0);
            let port = self.first.saturating_add(number.saturating_mul(2));
            match self.pair(port) {
                Ok(pair) => return Ok(pair),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(NoPorts::Taken(usize::from(tries)))
    }

    fn pair(&self, port: u16) -> io::Result<Pair> {
        let address = SocketAddr::new(self.address, port);
        let sound = self.socket(address)?;
        let control = self.socket(SocketAddr::new(self.address, port.saturating_add(1)))?;
        Ok(Pair { sound, control, address })
    }

    fn socket(&self, address: SocketAddr) -> io::Result<UdpSocket> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        // The code point is in the upper six bits: RFC 2474 3.
        let class = u32::from(self.dscp) << 2;
        if address.is_ipv6() {
            // An address has one form only.
            socket.set_only_v6(true)?;
            socket.set_tclass_v6(class)?;
        } else {
            socket.set_tos_v4(class)?;
        }
        socket.bind(&address.into())?;
        Ok(socket.into())
    }
}

/// The first and the last of so many ports that nobody has, beginning with an even one. Nobody is given them who asks
/// for any port: those begin further up; nor do servers with the usual settings take them.
#[cfg(test)]
pub(super) fn free_ports(count: u16) -> (u16, u16) {
    use std::sync::atomic::{AtomicU16, Ordering};

    const FIRST: u16 = 10_000;
    const GROUP: u16 = 8;
    const GROUPS: u16 = 500;
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    assert!(count <= GROUP);
    let process = u16::try_from(std::process::id() % u32::from(GROUPS)).unwrap_or_default();
    // No two of a process are the same.
    let start = process + TAKEN.fetch_add(1, Ordering::Relaxed);
    let is_free = |port| UdpSocket::bind(("127.0.0.1", port)).is_ok();
    let mut groups = (0..GROUPS).map(|turn| FIRST + (start + turn) % GROUPS * GROUP);
    let first = groups.find(|first| (*first..first + GROUP).all(is_free)).unwrap_or(FIRST);
    (first, first + count - 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use rand_core::SeedableRng as _;

    use super::*;

    fn ports(range: (u16, u16), address: &str) -> Ports {
        Ports::new(address.parse().unwrap(), range, 46, ChaCha20Rng::from_seed([5; 32]))
    }

    #[test]
    fn pairs_are_even_and_odd_within_the_range_and_hard_to_foresee() {
        // SEC-79
        let mut ports = ports((15_001, 15_999), "127.0.0.1");
        let pairs: Vec<Pair> = (0..20).map(|_| ports.bind().unwrap()).collect();
        let numbers: BTreeSet<u16> = pairs.iter().map(|pair| pair.address.port()).collect();
        assert_eq!(numbers.len(), 20);
        for pair in &pairs {
            let port = pair.sound.local_addr().unwrap().port();
            assert!(port.is_multiple_of(2) && (15_002..=15_998).contains(&port));
            assert_eq!(pair.control.local_addr().unwrap().port(), port + 1);
        }
        let steps: BTreeSet<i32> = pairs
            .windows(2)
            .map(|w| i32::from(w[1].address.port()) - i32::from(w[0].address.port()))
            .collect();
        assert!(steps.len() > 10, "not one after the other: {steps:?}");
    }

    #[test]
    fn a_full_range_says_so_and_a_freed_pair_is_found_again() {
        // DEC-45
        let (first, last) = free_ports(8);
        let mut ports = ports((first, last), "127.0.0.1");
        let mut pairs: Vec<Pair> = (0..4).map(|_| ports.bind().unwrap()).collect();
        assert!(matches!(ports.bind(), Err(NoPorts::Taken(4))));
        let freed = pairs.pop().unwrap().address;
        assert_eq!(ports.bind().unwrap().address, freed);
    }

    #[test]
    fn a_pair_of_which_one_port_is_taken_is_passed_over() {
        let (first, last) = free_ports(4);
        let mut ports = ports((first, last), "127.0.0.1");
        let other = UdpSocket::bind(("127.0.0.1", first + 1)).unwrap();
        for _ in 0..10 {
            assert_eq!(ports.bind().unwrap().address.port(), first + 2);
        }
        drop(other);
    }

    #[test]
    fn ranges_without_a_pair_and_addresses_of_others_are_refused() {
        for range in [(32_301, 32_302), (32_300, 32_300), (32_305, 32_304)] {
            assert!(matches!(ports(range, "127.0.0.1").bind(), Err(NoPorts::EmptyRange)), "{range:?}");
        }
        assert!(matches!(ports((32_300, 32_400), "192.0.2.1").bind(), Err(NoPorts::System(_))));
        assert_eq!(ports((65_534, 65_535), "127.0.0.1").bind().unwrap().address.port(), 65_534);
    }

    #[test]
    fn packets_are_marked_for_quick_passage() {
        for address in ["127.0.0.1", "::1"] {
            if address == "::1" && !super::super::tests::has_ipv6() {
                continue;
            }
            let pair = ports((32_400, 32_500), address).bind().unwrap();
            let socket = socket2::SockRef::from(&pair.sound);
            let class = if address == "::1" { socket.tclass_v6() } else { socket.tos_v4() };
            assert_eq!(class.unwrap(), 46 << 2, "{address}");
        }
    }
}
