//! Registrations over a restart: written behind, and told again in the background.
//!
//! They are soft state. What the store has not taken when the process dies is lost, and each telephone tells
//! it again at its next refresh.

mod text;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use umbel_net::Clock;
use umbel_proxy::Order;
use umbel_proxy::location::{ADDRESSES_MAX, Kept};
use umbel_sip_message::AddressOfRecord;
use umbel_store::{KeptRegistration, LIST_MAX, Op, Reply};
use umbel_store_sqlite::Inbox;

/// Addresses written in one transaction, of which there is one a second. A day's telephones that all register
/// at once (REL-47) are written in seconds, and recordings never wait for them for long.
const BATCH_MAX: usize = 2_000;
/// Addresses that wait to be written. Beyond, further ones are not kept, and it is said how many.
const WAITING_MAX: usize = ADDRESSES_MAX;
/// Addresses told in one order, and the pause after each, so that calls are served in between.
const RESTORED_AT_ONCE: usize = 50;
const BREATH: Duration = Duration::from_millis(2);
/// How long to wait for a store that takes nothing just now, when reading.
const AGAIN: Duration = Duration::from_secs(1);

/// What became of the latest batch.
#[derive(Clone, Default)]
struct Batch(Arc<AtomicU8>);

const DONE: u8 = 0;
const UNDER_WAY: u8 = 1;
const FAILED: u8 = 2;

/// Registrations on their way into the store: whose they are. What they are is asked when they are written, so that
/// a hundred thousand that wait are not held twice.
pub(super) struct Keeping {
    store: Inbox,
    waiting: BTreeSet<AddressOfRecord>,
    /// What the store is writing, in case it does not.
    being_written: BTreeSet<AddressOfRecord>,
    batch: Batch,
    /// Addresses for which there was no room.
    left_out: u64,
    /// It has been said that the store does not take them.
    is_away: bool,
}

impl Keeping {
    pub(super) fn new(store: Inbox) -> Self {
        Keeping {
            store,
            waiting: BTreeSet::new(),
            being_written: BTreeSet::new(),
            batch: Batch::default(),
            left_out: 0,
            is_away: false,
        }
    }

    /// The bindings of an address have changed.
    pub(super) fn keep(&mut self, address: AddressOfRecord) {
        if self.waiting.len() < WAITING_MAX || self.waiting.contains(&address) {
            self.waiting.insert(address);
        } else {
            self.left_out += 1;
        }
    }

    /// How many addresses wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len() + self.being_written.len()
    }

    /// Once a second: hands the next batch to the store, unless it is still busy with the latest one. `kept` says
    /// what the bindings of an address are now.
    pub(super) fn write_some(&mut self, kept: impl Fn(&AddressOfRecord) -> Vec<Kept>) {
        match self.batch.0.load(Ordering::Acquire) {
            UNDER_WAY => return,
            FAILED => self.take_back(),
            _ => {
                if std::mem::take(&mut self.is_away) {
                    tracing::info!("registrations are kept again");
                }
                self.being_written.clear();
            }
        }
        if self.left_out > 0 {
            tracing::warn!(
                addresses = std::mem::take(&mut self.left_out),
                "too many registrations wait for the store: these are not found after a restart until they are refreshed"
            );
        }
        self.submit(kept);
    }

    /// What there is goes to the store, which does what it has taken in before it stops.
    pub(super) fn write_all(&mut self, kept: impl Fn(&AddressOfRecord) -> Vec<Kept>) {
        if self.batch.0.load(Ordering::Acquire) == FAILED {
            self.take_back();
        }
        while !self.waiting.is_empty() && self.submit(&kept) {
            self.being_written.clear();
        }
    }

    /// Puts what was not written back.
    fn take_back(&mut self) {
        if !std::mem::replace(&mut self.is_away, true) {
            tracing::warn!("registrations are not kept: the store does not take them; they are tried again");
        }
        self.waiting.append(&mut self.being_written);
        self.batch.0.store(DONE, Ordering::Release);
    }

    /// Hands a batch to the store; whether it was taken.
    fn submit(&mut self, kept: impl Fn(&AddressOfRecord) -> Vec<Kept>) -> bool {
        while self.being_written.len() < BATCH_MAX
            && let Some(address) = self.waiting.pop_first()
        {
            self.being_written.insert(address);
        }
        if self.being_written.is_empty() {
            return true;
        }
        let written = |address: &AddressOfRecord| text::write(address, &kept(address));
        let op = Op::KeepRegistrations(self.being_written.iter().map(written).collect());
        let batch = self.batch.clone();
        batch.0.store(UNDER_WAY, Ordering::Release);
        let asked = self.store.ask(op, move |reply| {
            let outcome = if reply == Reply::Done { DONE } else { FAILED };
            batch.0.store(outcome, Ordering::Release);
        });
        if asked.is_err() {
            self.take_back();
        }
        asked.is_ok()
    }
}

/// Tells the registrar what was registered before, page by page, while calls are served already.
pub(super) async fn restore(store: Inbox, orders: mpsc::Sender<Order>, clock: Clock) {
    let mut after = None;
    let (mut restored, mut unreadable) = (0_usize, 0_usize);
    loop {
        let Some(page) = read(&store, after, clock).await else { return };
        let (count, last) = (page.len(), page.last().map(|kept| kept.address.clone()));
        let kept: Vec<_> = page.iter().filter_map(text::read).collect();
        restored += kept.len();
        unreadable += count - kept.len();
        for some in kept.chunks(RESTORED_AT_ONCE) {
            // Where the loop is gone, nobody wants them.
            if orders.send(Order::Restore(some.to_vec())).await.is_err() {
                return;
            }
            tokio::time::sleep(BREATH).await;
        }
        if count < LIST_MAX {
            break;
        }
        after = last;
    }
    if unreadable > 0 {
        tracing::warn!(
            unreadable,
            "registrations of another version: they come back when they are refreshed"
        );
    }
    tracing::info!(addresses = restored, "registrations from before the start");
}

/// One page, as soon as the store has time for it; none, where it cannot read.
async fn read(store: &Inbox, after: Option<String>, clock: Clock) -> Option<Vec<KeptRegistration>> {
    loop {
        let (tell, told) = oneshot::channel();
        let op = Op::ListRegistrations { after: after.clone(), at: clock.unix_time() };
        let asked = store.ask(op, move |reply| {
            let _ = tell.send(reply);
        });
        match asked {
            Ok(()) => match told.await {
                Ok(Reply::Registrations(page)) => return Some(page),
                Ok(reply) => {
                    tracing::warn!(?reply, "registrations from before the start cannot be read");
                    return None;
                }
                // The store has stopped.
                Err(_) => return None,
            },
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

#[cfg(test)]
mod tests;
