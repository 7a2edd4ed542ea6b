//! The process is killed in mid recording, again and again (REL-01, REL-02, REL-06).

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use umbel_store::conformance::{NOON, add, address, begin, finish, id};
use umbel_store::{Folder, Mailboxes, MessageId, Op, Reply, Ticket};
use umbel_store_sqlite::{Cost, Options, Purpose, SqliteStore, StoreWorker};

const KILLS: u128 = 20;
/// Recordings that run at once.
const AT_ONCE: u128 = 20;
/// Saved messages of one life, at least, before it is ended.
const SAVED_PER_LIFE: usize = 20;
const DATA: &str = "UMBEL_TEST_KILL_DATA";
const LIFE: &str = "UMBEL_TEST_KILL_LIFE";

fn options(data: &Path) -> Options {
    let mut options = Options::new(data, Purpose::Server, NOON);
    options.cost = Cost { memory_kib: 8, passes: 1 };
    options.reserve_bytes = 1 << 20;
    options.config.messages_max = 100_000;
    options
}

/// What the caller of message `number` says: no two say the same.
fn said(number: u128, bytes: usize) -> Vec<u8> {
    let seed = usize::try_from(number % 65_521).unwrap();
    (0..bytes).map(|n| u8::try_from((n / 3 + seed * 7 + n % 11 * seed) % 256).unwrap()).collect()
}

/// Octets of message `number`: from a quarter of a second to four seconds.
fn length(number: u128) -> usize {
    2_000 + usize::try_from(number * 7_919 % 30_000).unwrap()
}

/// The life of a server: records until it is killed, and says which messages were saved.
fn live(data: &Path, life: u128) {
    let (store, _) = SqliteStore::open(options(data)).unwrap();
    let (sender, replies) = channel();
    let worker = StoreWorker::spawn(store).unwrap();
    let inbox = worker.ticket_inbox(move |ticket, reply| sender.send((ticket, reply)).unwrap());
    let start = |number: u128| {
        inbox.submit(Ticket(0), Op::Begin(Box::new(begin(id(number), &address("alice"))))).unwrap();
        for chunk in said(number, length(number)).chunks(4_000) {
            let chunk = bytes::Bytes::copy_from_slice(chunk).into();
            inbox.submit(Ticket(0), Op::Append { id: id(number), chunk }).unwrap();
        }
        inbox.submit(Ticket(u64::try_from(number).unwrap()), Op::Finish(finish(id(number)))).unwrap();
    };
    let mut next = life * 100_000 + 1;
    for _ in 0..AT_ONCE {
        start(next);
        next += 1;
    }
    for (Ticket(number), reply) in &replies {
        match reply {
            Reply::Saved(_) => {
                println!("saved {number}");
                std::io::stdout().flush().unwrap();
                start(next);
                next += 1;
            }
            Reply::Done => {}
            other => panic!("{number}: {other:?}"),
        }
    }
}

/// Not a test by itself: the process that is killed.
#[test]
fn child() {
    if let (Ok(data), Ok(life)) = (std::env::var(DATA), std::env::var(LIFE)) {
        live(Path::new(&data), life.parse().unwrap());
    }
}

/// Lets a server live until it has saved something and a little longer; gives what it called saved.
fn live_and_kill(data: &Path, life: u128) -> BTreeSet<u128> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(DATA, data)
        .env(LIFE, life.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (sender, receiver) = channel();
    let reader = std::thread::spawn(move || {
        // libtest may have written the beginning of the first line.
        for line in lines.by_ref().map_while(Result::ok) {
            if let Some((_, number)) = line.split_once("saved ") {
                sender.send(number.parse::<u128>().unwrap()).unwrap();
            }
        }
    });
    let mut saved = BTreeSet::new();
    while saved.len() < SAVED_PER_LIFE {
        saved.insert(receiver.recv_timeout(Duration::from_secs(60)).expect("the child saves messages"));
    }
    // Another moment each time, somewhere between begin, append, sync and commit.
    let end = Instant::now() + Duration::from_micros(u64::try_from(life * life * 397 % 40_000).unwrap());
    while Instant::now() < end {
        saved.extend(receiver.try_iter());
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    saved.extend(receiver.try_iter());
    saved
}

#[test]
fn nothing_that_was_called_saved_is_lost_or_double_after_twenty_kills() {
    let dir = tempfile::tempdir().unwrap();
    {
        let (mut store, _) = SqliteStore::open(options(dir.path())).unwrap();
        add(&mut store, "alice");
    }
    let mut saved = BTreeSet::new();
    for life in 1..=KILLS {
        saved.extend(live_and_kill(dir.path(), life));
    }
    assert!(saved.len() >= 400, "{} messages were saved", saved.len());

    let (mut store, _) = SqliteStore::open(options(dir.path())).unwrap();
    let alice = address("alice");
    let mut after = None;
    let mut found: BTreeSet<MessageId> = BTreeSet::new();
    loop {
        let messages = store.messages(&alice, Folder::All, after).unwrap();
        let Some(last) = messages.last() else { break };
        after = Some(last.number);
        for message in messages {
            assert!(found.insert(message.id), "{} is there twice", message.id);
            let number = u128::from_be_bytes(*message.id.as_bytes());
            assert!(!(message.incomplete && saved.contains(&number)), "{number} was called saved");
            let audio = store.message_audio(&alice, message.id).unwrap();
            assert!(!audio.damaged, "{number}");
            let whole = said(number, length(number));
            assert!(whole.starts_with(&audio.data), "{number} says something else");
            assert!(message.incomplete || audio.data.len() == whole.len(), "{number} is not whole");
        }
    }
    for number in &saved {
        assert!(found.contains(&id(*number)), "{number} was called saved and is gone");
    }
    // REL-06: every file that is left plays; those that never were messages are listed nowhere.
    for entry in std::fs::read_dir(dir.path().join("audio")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.strip_suffix(".wav").and_then(|hex| hex.parse().ok()).is_some_and(|id| found.contains(&id)) {
            let sound = umbel_wav::read(&std::fs::read(entry.path()).unwrap(), umbel_wav::Limits::default());
            assert!(!sound.unwrap().truncated, "{name}");
        }
    }
}
