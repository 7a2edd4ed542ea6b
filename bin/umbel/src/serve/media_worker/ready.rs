//! Which sockets have something to read: asked of the system once for all of them.
//!
//! A socket that still has something is found again, so that nobody need read on until there is nothing. (An `epoll`
//! told of edges only would save no call: each packet would be asked for twice. And one `poll` over all sockets costs
//! more than reading the packets: three of four have none.)

use std::io;

use umbel_media::Channel;

use super::ports::Pair;

#[cfg(target_os = "linux")]
pub(super) use by_epoll::Ready;
#[cfg(not(target_os = "linux"))]
pub(super) use one_by_one::Ready;

#[cfg(target_os = "linux")]
mod by_epoll {
    use std::mem::MaybeUninit;

    use rustix::event::{Timespec, epoll};
    use rustix::fd::OwnedFd;

    use super::*;

    /// Sockets that are found in one look; the others are the first to be found in the next.
    const FOUND_MAX: usize = 1_024;
    const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

    /// The sockets of all calls.
    pub(in super::super) struct Ready {
        epoll: OwnedFd,
    }

    impl Ready {
        pub(in super::super) fn new() -> io::Result<Self> {
            Ok(Ready { epoll: epoll::create(epoll::CreateFlags::CLOEXEC)? })
        }

        /// Watches the sockets of the call in this place, until they are closed.
        pub(in super::super) fn enter(&mut self, slot: usize, pair: &Pair) -> io::Result<()> {
            for (socket, number) in [(&pair.sound, 2 * slot), (&pair.control, 2 * slot + 1)] {
                let data = epoll::EventData::new_u64(number as u64);
                epoll::add(&self.epoll, socket, data, epoll::EventFlags::IN)?;
            }
            Ok(())
        }

        /// Closing a socket takes it out.
        pub(in super::super) fn leave(&mut self, _slot: usize) {}

        /// The sockets that have something now, by the place of their call.
        pub(in super::super) fn look(&mut self, found: &mut Vec<(usize, Channel)>) {
            let mut events = [MaybeUninit::uninit(); FOUND_MAX];
            match epoll::wait(&self.epoll, &mut events, Some(&AT_ONCE)) {
                Ok((events, _)) => found.extend(events.iter().map(|event| {
                    let number = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
                    (number / 2, if number.is_multiple_of(2) { Channel::Rtp } else { Channel::Rtcp })
                })),
                // A signal came; what is there is still there in 5 ms.
                Err(error) => tracing::debug!(%error, "looking for packets"),
            }
        }
    }
}

/// Where there is no `epoll`, each socket is asked by itself.
#[cfg(not(target_os = "linux"))]
mod one_by_one {
    use std::collections::BTreeSet;

    use super::*;

    /// The sockets of all calls.
    pub(in super::super) struct Ready {
        slots: BTreeSet<usize>,
    }

    impl Ready {
        pub(in super::super) fn new() -> io::Result<Self> {
            Ok(Ready { slots: BTreeSet::new() })
        }

        /// Watches the sockets of the call in this place.
        pub(in super::super) fn enter(&mut self, slot: usize, _pair: &Pair) -> io::Result<()> {
            self.slots.insert(slot);
            Ok(())
        }

        /// Watches them no more.
        pub(in super::super) fn leave(&mut self, slot: usize) {
            self.slots.remove(&slot);
        }

        /// The sockets that may have something, by the place of their call.
        pub(in super::super) fn look(&mut self, found: &mut Vec<(usize, Channel)>) {
            found.extend(self.slots.iter().flat_map(|slot| [(*slot, Channel::Rtp), (*slot, Channel::Rtcp)]));
        }
    }
}
