//! The threads that carry the sound of all calls: sockets outside, `umbel_media` sessions inside.
//!
//! Each thread owns the sockets and sessions of many calls. It wakes every 5 ms to take what has come, rather
//! than for every packet, and in between for what has to leave; with no calls it sleeps. Nothing here reads
//! or writes files: what is recorded goes out as events.

mod inbox;
mod ports;
mod ready;
mod worker;

#[cfg(all(test, target_os = "linux"))]
mod cost;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use umbel_media::{Command, Counters, Event};
use umbel_net::Clock;

use inbox::Inbox;
use ports::{NoPorts, Ports};
use worker::{Order, Worker};

/// What media workers need to know.
#[derive(Clone, Debug)]
pub(crate) struct MediaConfig {
    /// Where sockets are bound.
    pub(crate) address: IpAddr,
    /// The lowest and the highest port.
    pub(crate) ports: (u16, u16),
    /// How the network is asked to treat our packets: RFC 2474. 46 is expedited forwarding.
    pub(crate) dscp: u8,
    /// How many threads; none: one for every two cores.
    pub(crate) threads: Option<usize>,
}

/// Takes what sessions tell. An event that cannot be taken now comes back, and is offered again.
pub(crate) trait Deliver<K>: FnMut(K, Event) -> Result<(), Event> + Clone + Send + 'static {}

impl<K, F: FnMut(K, Event) -> Result<(), Event> + Clone + Send + 'static> Deliver<K> for F {}

/// The media of all calls, by the caller's own names `K` for them.
///
/// Dropping this ends every session, with its farewell, and frees every socket.
pub(crate) struct MediaWorkers<K: Ord + Copy + Send + 'static> {
    ports: Ports,
    workers: Vec<Thread<K>>,
    /// Which worker has which call.
    calls: BTreeMap<K, usize>,
    totals: Arc<Mutex<Counters>>,
}

struct Thread<K> {
    inbox: Arc<Inbox<Order<K>>>,
    calls: usize,
    /// Taken when it is joined.
    handle: Option<JoinHandle<()>>,
}

impl<K: Ord + Copy + Send + 'static> MediaWorkers<K> {
    /// Starts the threads. `deliver` is called on them, and must not wait.
    pub(crate) fn start(
        config: &MediaConfig,
        clock: Clock,
        random: ChaCha20Rng,
        deliver: impl Deliver<K>,
    ) -> io::Result<Self> {
        Self::start_named("media", config, clock, random, deliver)
    }

    /// Starts threads with names that begin like this.
    fn start_named(
        name: &str,
        config: &MediaConfig,
        clock: Clock,
        mut random: ChaCha20Rng,
        deliver: impl Deliver<K>,
    ) -> io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = config.threads.unwrap_or(cores / 2).max(1);
        let totals = Arc::new(Mutex::new(Counters::default()));
        let workers = (0..threads).map(|number| {
            let inbox = Arc::new(Inbox::new());
            let random = ChaCha20Rng::from_rng(&mut random);
            let worker = Worker::new(inbox.clone(), clock, random, deliver.clone(), totals.clone())?;
            let handle =
                std::thread::Builder::new().name(format!("{name}-{number}")).spawn(move || worker.run())?;
            Ok(Thread { inbox, calls: 0, handle: Some(handle) })
        });
        let workers = workers.collect::<io::Result<Vec<_>>>()?;
        let ports = Ports::new(config.address, config.ports, config.dscp, ChaCha20Rng::from_rng(&mut random));
        Ok(MediaWorkers { ports, workers, calls: BTreeMap::new(), totals })
    }

    /// Binds the sockets of a call: gives the address for RTP; RTCP is on the next port.
    ///
    /// The session begins with the first [`Command::Update`].
    pub(crate) fn open(&mut self, key: K) -> Result<SocketAddr, NoPorts> {
        let pair = self.ports.bind()?;
        let address = pair.address;
        // A call opened twice is one whose end was forgotten.
        self.close(key);
        let (number, worker) = self
            .workers
            .iter_mut()
            .enumerate()
            .min_by_key(|(_, worker)| worker.calls)
            .expect("there is at least one worker");
        worker.calls += 1;
        worker.inbox.must_take(Order::Open { key, pair });
        self.calls.insert(key, number);
        Ok(address)
    }

    /// Gives an order to the session of a call. One for a call that is gone is ignored.
    ///
    /// A worker that is too far behind to take it loses the call: its media are closed, and the call is told that
    /// the line went dead.
    pub(crate) fn order(&mut self, key: K, command: Command) {
        let Some(worker) = self.calls.get(&key).and_then(|number| self.workers.get(*number)) else { return };
        if worker.inbox.offer(Order::Command { key, command }).is_err() {
            tracing::error!("a media worker takes no more orders: a call is given up");
            worker.inbox.must_take(Order::GiveUp { key });
        }
    }

    /// Ends the media of a call: the session says farewell, tells what it still has to tell, and its sockets are
    /// freed. Also before the session began.
    pub(crate) fn close(&mut self, key: K) {
        let Some(number) = self.calls.remove(&key) else { return };
        if let Some(worker) = self.workers.get_mut(number) {
            worker.calls -= 1;
            worker.inbox.must_take(Order::Close { key });
        }
    }

    /// How many calls have sockets.
    pub(crate) fn calls(&self) -> usize {
        self.calls.len()
    }

    /// What became of the packets of all calls that have ended.
    pub(crate) fn totals(&self) -> Counters {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord + Copy + Send + 'static> Drop for MediaWorkers<K> {
    fn drop(&mut self) {
        for worker in &self.workers {
            worker.inbox.must_take(Order::Stop);
        }
        for worker in &mut self.workers {
            if let Some(handle) = worker.handle.take()
                && handle.join().is_err()
            {
                tracing::error!("a media worker had panicked");
            }
        }
    }
}
