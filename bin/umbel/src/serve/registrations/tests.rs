//! Writing behind: batches, what is newest, a store that is away.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::time::Instant;

use umbel_store_sqlite::{Options, Purpose, SqliteStore, StoreWorker};
use umbel_time::UnixTime;

use super::text::tests::bindings;
use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

struct World {
    worker: StoreWorker,
    keeping: Keeping,
    /// What the registrar would say.
    bindings: BTreeMap<AddressOfRecord, Vec<Kept>>,
    folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = SqliteStore::open(options(&folder)).unwrap();
    let worker = StoreWorker::spawn(store).unwrap();
    World { keeping: Keeping::new(worker.inbox()), worker, folder, bindings: BTreeMap::new() }
}

fn options(folder: &tempfile::TempDir) -> Options {
    Options::new(folder.path(), Purpose::Server, UnixTime::from_secs(0))
}

fn address(number: usize) -> AddressOfRecord {
    format!("user{number:06}@example.test").parse().unwrap()
}

fn far() -> UnixTime {
    UnixTime::from_secs(4_000_000_000)
}

impl World {
    /// A registration.
    fn keep(&mut self, address: AddressOfRecord, bindings: Vec<Kept>) {
        self.bindings.insert(address.clone(), bindings);
        self.keeping.keep(address);
    }

    fn write_some(&mut self) {
        let World { keeping, bindings, .. } = self;
        keeping.write_some(|address| bindings.get(address).cloned().unwrap_or_default());
    }

    /// Writes on until the store has taken everything.
    fn written(&mut self) {
        let began = Instant::now();
        while self.keeping.waiting() > 0 {
            assert!(began.elapsed() < PATIENCE, "the store does not take registrations");
            self.write_some();
            std::thread::yield_now();
        }
    }

    fn ask(&self, op: Op) -> Reply {
        let (sender, reply) = channel();
        self.worker.inbox().ask(op, move |reply| sender.send(reply).unwrap()).unwrap();
        reply.recv_timeout(PATIENCE).unwrap()
    }

    fn kept(&self) -> Vec<KeptRegistration> {
        let op = Op::ListRegistrations { after: None, at: UnixTime::from_secs(0) };
        let Reply::Registrations(kept) = self.ask(op) else { panic!("no registrations") };
        kept
    }
}

#[test]
fn of_an_address_the_newest_state_is_kept() {
    let mut world = world();
    world.keep(address(1), bindings(far()));
    world.keep(address(1), bindings(far()).split_off(2));
    world.keep(address(2), bindings(far()));
    world.keep(address(2), Vec::new());
    assert_eq!(world.keeping.waiting(), 2);
    world.written();
    assert_eq!(world.kept(), [text::write(&address(1), &bindings(far()).split_off(2))]);
    world.keep(address(1), Vec::new());
    world.written();
    assert_eq!(world.kept(), []);
}

#[test]
fn one_batch_is_under_way_at_a_time_and_no_larger_than_allowed() {
    let mut world = world();
    let (release, wait) = channel::<()>();
    let (sender, entered) = channel();
    let hold = move |_| {
        sender.send(()).unwrap();
        let _ = wait.recv_timeout(PATIENCE);
    };
    world.worker.inbox().ask(Op::CheckHealth, hold).unwrap();
    entered.recv_timeout(PATIENCE).unwrap();
    for number in 0..BATCH_MAX + 1 {
        world.keep(address(number), bindings(far()));
    }
    for _ in 0..3 {
        world.write_some();
        assert_eq!((world.keeping.waiting.len(), world.keeping.being_written.len()), (1, BATCH_MAX));
    }
    release.send(()).unwrap();
    world.written();
    let op = Op::ListRegistrations { after: Some(address(BATCH_MAX - 1).to_string()), at: far() - PATIENCE };
    assert_eq!(world.ask(op), Reply::Registrations(vec![text::write(&address(BATCH_MAX), &bindings(far()))]));
}

/// A store that is away: what was not written is tried again, and what is newer counts.
#[test]
fn what_the_store_did_not_take_is_tried_again() {
    let mut world = world();
    let away = StoreWorker::spawn(
        SqliteStore::open(Options::new(
            tempfile::tempdir().unwrap().path(),
            Purpose::Server,
            UnixTime::from_secs(0),
        ))
        .unwrap()
        .0,
    )
    .unwrap();
    let here = std::mem::replace(&mut world.keeping.store, away.inbox());
    away.stop();
    world.keep(address(1), bindings(far()));
    world.keep(address(2), bindings(far()));
    world.write_some();
    assert_eq!(world.keeping.waiting(), 2, "nothing is lost");
    world.keep(address(1), Vec::new());
    world.write_some();
    world.keeping.store = here;
    world.written();
    assert_eq!(world.kept(), [text::write(&address(2), &bindings(far()))]);
}

#[test]
fn a_server_that_stops_leaves_everything_with_the_store() {
    let mut world = world();
    for number in 0..3 * BATCH_MAX {
        world.keep(address(number), bindings(far()));
    }
    world.write_some();
    let World { keeping, bindings, .. } = &mut world;
    keeping.write_all(|address| bindings.get(address).cloned().unwrap_or_default());
    assert_eq!(world.keeping.waiting(), 0);
    world.worker.stop();
    let (store, _) = SqliteStore::open(options(&world.folder)).unwrap();
    let worker = StoreWorker::spawn(store).unwrap();
    let (keeping, bindings) = (Keeping::new(worker.inbox()), BTreeMap::new());
    let world = World { keeping, worker, folder: world.folder, bindings };
    let last = address(3 * BATCH_MAX - 2).to_string();
    let op = Op::ListRegistrations { after: Some(last), at: UnixTime::from_secs(0) };
    assert!(matches!(world.ask(op), Reply::Registrations(left) if left.len() == 1));
}

/// REL-21: serving begins at once; everything comes back page by page, in the background.
#[test]
fn what_was_registered_is_told_again_page_by_page() {
    let mut world = world();
    let all = LIST_MAX + 5;
    for number in 0..all {
        world.keep(address(number), bindings(far()));
    }
    world.keep(address(all), bindings(UnixTime::from_secs(1)));
    world.written();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pages = runtime.block_on(async {
        let (orders, mut inbox) = mpsc::channel(64);
        restore(world.worker.inbox(), orders, Clock::start()).await;
        let mut pages = Vec::new();
        while let Some(Order::Restore(page)) = inbox.recv().await {
            pages.push(page);
        }
        pages
    });
    assert!(pages.iter().all(|page| page.len() <= RESTORED_AT_ONCE));
    assert_eq!(pages.iter().map(Vec::len).sum::<usize>(), all, "one had ended long ago");
    assert_eq!(pages[0][0], (address(0), bindings(far())));
}
