//! What a stored and synced deposit costs: 16 KB of audio in two chunks, as a two-second call leaves it.
//!
//! `cargo bench -p umbel-store-sqlite` prints CPU time of this process (user and system, the kernel's
//! flusher threads excepted) and wall time, for deposits one after the other, for twenty a second's
//! worth at once, and for a hundred running recordings synced once a second.

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use umbel_store::{
    Address, AudioFormat, Author, Begin, CallKind, CallOutcome, CallRecord, Caller, Config, Decision,
    Directory, Finish, Importance, MessageId, Op, PinOutcome, Purpose, Reply, Ruling, Ticket, Transport,
    UserEntry,
};
use umbel_store_sqlite::{Options, Purpose as OpenFor, SqliteStore, StoreWorker, TicketInbox};
use umbel_time::UnixTime;

const MAILBOXES: usize = 200;
const NOW: UnixTime = UnixTime::from_secs(1_790_000_000);

fn main() {
    let parent = std::env::var_os("CARGO_TARGET_TMPDIR").unwrap_or_else(|| "/tmp".into());
    let dir = tempfile::tempdir_in(parent).unwrap();
    let worker = World::new(dir.path());
    worker.deposits("warm-up", 200, 1);
    worker.deposits("one at a time", 1_000, 1);
    worker.deposits("20 at once", 2_000, 20);
    worker.deposits("100 at once", 2_000, 100);
    worker.running(100, Duration::from_secs(5));
    large(&dir.path().join("large"));
}

/// REL-21: opening 10,000 mailboxes with 100,000 messages.
fn large(data: &Path) {
    let mut options = Options::new(data, OpenFor::Server, NOW);
    options.cost.memory_kib = 8;
    let (mut store, _) = SqliteStore::open(options.clone()).unwrap();
    let entry = |n: usize| UserEntry::new(Address::new(&format!("user{n}"), "example.test").unwrap());
    let entries: Vec<_> = (0..10_000).map(entry).collect();
    store.put_users(&entries, &Author::Store, NOW).unwrap();
    drop(store);
    let database = rusqlite::Connection::open(data.join("umbel.sqlite")).unwrap();
    let sql = "INSERT INTO message (user, number, id, caller, caller_verified, subject, importance, received, \
               format, bytes, call_id, file, checksum) \
               SELECT u.id, n.value, randomblob(16), '+15550100', 1, 'Lunch', 'normal', 1790000000000, 'pcmu', \
               16000, hex(randomblob(12)) || '@192.0.2.7', hex(randomblob(16)) || '.wav', randomblob(32) \
               FROM user u, generate_series(1, 10) n";
    let sql = sql.replace("generate_series(1, 10) n", "(VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)) n");
    database.execute_batch(&sql.replace("n.value", "n.column1")).unwrap();
    drop(database);
    let began = Instant::now();
    let (mut store, _) = SqliteStore::open(options).unwrap();
    println!("a store of 10,000 mailboxes and 100,000 messages is open after {:.2?}", began.elapsed());
    let began = Instant::now();
    let page = umbel_store::Mailboxes::mailboxes(&mut store, None, NOW).unwrap();
    println!("its first {} mailboxes are listed after {:.2?}", page.len(), began.elapsed());
}

struct World {
    _worker: StoreWorker,
    inbox: TicketInbox,
    replies: Receiver<(Ticket, Reply)>,
    next: std::cell::Cell<u128>,
}

fn mailbox(number: u128) -> Address {
    Address::new(&format!("user{}", number % MAILBOXES as u128), "example.test").unwrap()
}

impl World {
    fn new(data: &Path) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let now = UnixTime::from_secs(i64::try_from(now.as_secs()).unwrap());
        let mut options = Options::new(data, OpenFor::Server, now);
        options.config = Config { messages_max: 100_000, ..Config::default() };
        options.cost.memory_kib = 8;
        let (mut store, _) = SqliteStore::open(options).unwrap();
        let entries: Vec<_> = (0..MAILBOXES as u128).map(|n| UserEntry::new(mailbox(n))).collect();
        store.put_users(&entries, &Author::Store, NOW).unwrap();
        let (sender, replies) = channel();
        let worker = StoreWorker::spawn(store).unwrap();
        let inbox = worker.ticket_inbox(move |ticket, reply| {
            let _ = sender.send((ticket, reply));
        });
        World { _worker: worker, inbox, replies, next: std::cell::Cell::new(1) }
    }

    fn submit(&self, ticket: u64, op: Op) {
        self.inbox.submit(Ticket(ticket), op).unwrap();
    }

    fn begin(&self, number: u128) -> MessageId {
        let id = MessageId::from_bytes(number.to_be_bytes());
        let caller = Caller { id: "+15550100".into(), name: Some("Bob".into()), verified: true };
        let purpose = Purpose::Message { caller, subject: String::new(), importance: Importance::Normal };
        let call_id = format!("{number:x}@192.0.2.7");
        let format = AudioFormat::Pcmu;
        let begin = Begin { id, mailbox: mailbox(number), purpose, format, call_id, at: NOW };
        self.submit(0, Op::Begin(Box::new(begin)));
        id
    }

    /// All that the UM server asks of the store for one deposit: audio, decision, call record.
    fn deposit(&self) {
        let number = self.next.replace(self.next.get() + 1);
        let call_id = format!("{number:x}@192.0.2.7");
        let id = self.begin(number);
        let second = Bytes::from(vec![0x55; 8_000]);
        let decision = Decision {
            call_id: call_id.clone(),
            at: NOW,
            mailbox: Some(mailbox(number)),
            transport: Transport::Tcp,
            peer: None,
            command_seen: false,
            ruling: Ruling::Pin(PinOutcome::None),
            rule: "call answering".into(),
        };
        let call = CallRecord {
            call_id,
            kind: CallKind::CallAnswering,
            from: "sip:+15550100@192.0.2.7".into(),
            to: mailbox(number).to_string(),
            started: NOW + Duration::from_millis(u64::try_from(number).unwrap()),
            ended: None,
            transport: Transport::Tcp,
            peer: None,
            pin: PinOutcome::None,
            outcome: CallOutcome::MessageLeft,
        };
        self.submit(0, Op::Append { id, chunk: second.clone().into() });
        self.submit(0, Op::Append { id, chunk: second.into() });
        self.submit(0, Op::Decide(vec![decision]));
        self.submit(0, Op::RecordCall(Box::new(call)));
        self.submit(1, Op::Finish(Finish { id, importance: Importance::Normal, keep: None, at: NOW }));
    }

    fn wait_saved(&self) {
        loop {
            match self.replies.recv().unwrap() {
                (Ticket(1), Reply::Saved(_)) => return,
                (_, Reply::Done) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn deposits(&self, title: &str, count: u32, at_once: u32) {
        let (cpu, wall) = (cpu(), Instant::now());
        let mut latest = Vec::new();
        for _ in 0..count / at_once {
            let began = Instant::now();
            for _ in 0..at_once {
                self.deposit();
            }
            for _ in 0..at_once {
                self.wait_saved();
            }
            latest.push(began.elapsed());
        }
        let (cpu, wall) = (self::cpu() - cpu, wall.elapsed());
        latest.sort_unstable();
        println!(
            "{title:>16}: {count} deposits, CPU {:.3} ms each, {:.0}/s; until all {at_once} were saved: median {:.2?}, p99 {:.2?}",
            cpu.as_secs_f64() * 1_000.0 / f64::from(count),
            f64::from(count) / wall.as_secs_f64(),
            latest[latest.len() / 2],
            latest[latest.len() * 99 / 100],
        );
    }

    /// Recordings that run for a while, each with a chunk a second.
    fn running(&self, count: u128, time: Duration) {
        let first = self.next.replace(self.next.get() + count);
        let ids: Vec<_> = (first..first + count).map(|number| self.begin(number)).collect();
        let second = Bytes::from(vec![0x55; 8_000]);
        let (cpu, began) = (cpu(), Instant::now());
        while began.elapsed() < time {
            for id in &ids {
                self.submit(0, Op::Append { id: *id, chunk: second.clone().into() });
                std::thread::sleep(Duration::from_secs(1) / u32::try_from(count).unwrap());
            }
        }
        let share = (self::cpu() - cpu).as_secs_f64() / began.elapsed().as_secs_f64();
        println!(
            "{count} running recordings, synced each second: {:.4} % of a core each",
            share * 100.0 / count as f64
        );
    }
}

/// User and system time of this process.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let fields: Vec<u64> = fields.split(' ').map(|field| field.parse().unwrap_or(0)).collect();
    // Fields 14 and 15 of proc(5), in ticks of 10 ms.
    Duration::from_millis((fields[11] + fields[12]) * 10)
}
