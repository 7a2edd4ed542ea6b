//! The worker: order, batches, locks, and what it does when there is too much.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use umbel_store::conformance::{
    GOOD_PIN, NOON, WRONG_PIN, add, address, admin, attempt, begin, finish, id, speech,
};
use umbel_store::{
    Address, AuditRecord, Author, Decision, Event, Folder, Importance, MessageId, MessageState, NewPin, Op,
    PinOutcome, Reply, Ruling, Saved, StoreError, Ticket, Transport, UserEntry, Verdict,
};

use crate::testing::options;
use crate::{Cost, Inbox, Options, Purpose, SqliteStore, StoreWorker, TicketInbox};

/// Longest time any of these things may take on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// A worker on a store of its own, and its replies in the order in which they came.
struct World {
    worker: StoreWorker,
    inbox: TicketInbox,
    replies: Receiver<(Ticket, Reply)>,
    dir: tempfile::TempDir,
}

fn world(users: &[&str], cost: Cost) -> World {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = SqliteStore::open(Options { cost, ..options(dir.path()) }).unwrap();
    for user in users {
        add(&mut store, user);
    }
    let (sender, replies) = channel();
    let worker = StoreWorker::spawn(store).unwrap();
    let inbox = worker.ticket_inbox(move |ticket, reply| sender.send((ticket, reply)).unwrap());
    World { inbox, worker, replies, dir }
}

impl World {
    fn submit(&self, ticket: u64, op: Op) {
        self.inbox.submit(Ticket(ticket), op).unwrap();
    }

    fn next(&self) -> (u64, Reply) {
        let (Ticket(number), reply) = self.replies.recv_timeout(LONG).expect("a reply comes");
        (number, reply)
    }

    /// The reply to one operation, when no other is under way.
    fn run(&self, op: Op) -> Reply {
        self.submit(9_999, op);
        let (ticket, reply) = self.next();
        assert_eq!(ticket, 9_999);
        reply
    }

    fn reopen(self) -> (SqliteStore, tempfile::TempDir) {
        self.worker.stop();
        (SqliteStore::open(options(self.dir.path())).unwrap().0, self.dir)
    }
}

fn append(id: MessageId, bytes: usize) -> Op {
    Op::Append { id, chunk: speech(bytes).into() }
}

fn cheap() -> Cost {
    crate::testing::CHEAP
}

/// Holds the write lock of the store as another program would.
fn hold_lock(data: &Path) -> rusqlite::Connection {
    let other = rusqlite::Connection::open(data.join("umbel.sqlite")).unwrap();
    other.busy_timeout(LONG).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[test]
fn a_deposit_is_saved_and_still_there_after_a_restart() {
    let world = world(&["alice"], cheap());
    let alice = address("alice");
    world.submit(1, Op::Begin(Box::new(begin(id(1), &alice))));
    world.submit(2, append(id(1), 8_000));
    world.submit(3, append(id(1), 8_000));
    world.submit(4, Op::Finish(finish(id(1))));
    for ticket in 1..=3 {
        assert_eq!(world.next(), (ticket, Reply::Done));
    }
    let (ticket, reply) = world.next();
    let Reply::Saved(Saved::Message(message)) = reply else { panic!("{reply:?}") };
    assert_eq!((ticket, message.bytes), (4, 16_000));
    let (mut store, _dir) = world.reopen();
    let audio = umbel_store::Mailboxes::message_audio(&mut store, &alice, id(1)).unwrap();
    assert!(!audio.damaged && audio.data == [speech(8_000), speech(8_000)].concat());
}

#[test]
fn each_operation_gets_one_reply_in_every_course() {
    let world = world(&["alice", "carol"], cheap());
    let alice = address("alice");
    let entry = Box::new(UserEntry::new(address("bob")));
    let record = AuditRecord {
        at: NOON,
        mailbox: alice.clone(),
        call_id: None,
        door: None,
        author: None,
        event: Event::SignInSkipped,
    };
    let ops = [
        Op::AddUser { entry, author: admin(), at: NOON },
        Op::CheckPin(Box::new(attempt(&address("carol"), GOOD_PIN, NOON))),
        Op::SetPin { address: alice.clone(), pin: NewPin::Generate, author: admin(), at: NOON },
        Op::SetPin { address: address("nobody"), pin: NewPin::Generate, author: admin(), at: NOON },
        Op::OpenMailbox { address: alice.clone(), at: NOON },
        Op::MarkHeard { mailbox: alice.clone(), id: id(7), heard: true },
        Op::Finish(finish(id(8))),
        Op::Audit(Box::new(record)),
        Op::Sweep { at: NOON },
        Op::CheckHealth,
    ];
    let count = ops.len() as u64;
    for (ticket, op) in (0..).zip(ops) {
        world.submit(ticket, op);
    }
    let mut replies = BTreeMap::new();
    for _ in 0..count {
        let (ticket, reply) = world.next();
        assert!(replies.insert(ticket, reply).is_none(), "ticket {ticket} was answered twice");
    }
    assert!(matches!(&replies[&0], Reply::PinSet(set) if set.generated.is_some()));
    assert_eq!(replies[&1], Reply::Checked(Verdict::Right { must_change: false }));
    assert!(matches!(replies[&2], Reply::PinSet(_)));
    assert!(matches!(replies[&3], Reply::Failed(StoreError::Refused(_))));
    assert!(matches!(replies[&4], Reply::Mailbox(_)));
    assert!(matches!(replies[&5], Reply::Failed(StoreError::Refused(_))), "one refusal spoils no batch");
    assert!(matches!(replies[&6], Reply::Failed(StoreError::Refused(_))));
    assert_eq!(replies[&7], Reply::Done);
    assert!(matches!(replies[&8], Reply::Swept(_)));
    assert!(matches!(replies[&9], Reply::Health(_)));
    assert!(world.replies.recv_timeout(Duration::from_millis(300)).is_err(), "nothing is answered twice");
}

#[test]
fn recordings_do_not_wait_for_argon2() {
    // DEC-43
    let slow = Cost { memory_kib: 64 * 1_024, passes: 3 };
    let world = world(&[], slow);
    for ticket in 0..8 {
        world.submit(ticket, Op::CheckPin(Box::new(attempt(&address("nobody"), WRONG_PIN, NOON))));
    }
    world.submit(100, append(id(1), 160));
    let first = world.next();
    assert_eq!(first.0, 100, "the chunk waited for {first:?}");
    for _ in 0..8 {
        assert_eq!(world.next().1, Reply::Checked(Verdict::Wrong { locked: None }));
    }
}

#[test]
fn guesses_at_once_get_no_more_than_their_due() {
    // SEC-85: the lock is looked at where the guess is judged, not where it came in.
    let world = world(&["alice"], cheap());
    for ticket in 0..100 {
        let mut guess = attempt(&address("alice"), if ticket == 99 { GOOD_PIN } else { WRONG_PIN }, NOON);
        guess.caller = format!("caller-{ticket}");
        world.submit(ticket, Op::CheckPin(Box::new(guess)));
    }
    let verdicts: Vec<_> = (0..100).map(|_| world.next().1).collect();
    let judged = verdicts.iter().filter(|reply| matches!(reply, Reply::Checked(Verdict::Wrong { .. })));
    assert_eq!(judged.count(), 5);
    let locked = verdicts.iter().filter(|reply| matches!(reply, Reply::Checked(Verdict::Locked(_))));
    assert!(locked.count() >= 94);
}

#[test]
fn while_another_program_holds_the_store_calls_go_on_and_saving_waits() {
    // REL-12, in a shorter form
    let world = world(&["alice"], cheap());
    let alice = address("alice");
    world.submit(1, Op::Begin(Box::new(begin(id(1), &alice))));
    world.submit(2, append(id(1), 16_000));
    assert_eq!((world.next().0, world.next().0), (1, 2));
    let other = hold_lock(world.dir.path());
    world.submit(3, Op::Finish(finish(id(1))));
    // A new call begins, speaks, and its owner looks: each is answered while the message waits to be saved.
    for number in 2..12 {
        assert_eq!(world.run(Op::Begin(Box::new(begin(id(number), &alice)))), Reply::Done);
        assert_eq!(world.run(append(id(number), 8_000)), Reply::Done);
        let listed = world.run(Op::ListMessages { mailbox: alice.clone(), folder: Folder::All, after: None });
        assert_eq!(listed, Reply::Messages(Vec::new()), "what is not committed is not there");
    }
    other.execute_batch("ROLLBACK").unwrap();
    let (ticket, reply) = world.next();
    assert!(ticket == 3 && matches!(reply, Reply::Saved(_)), "{reply:?}");
    for number in 2..12 {
        assert!(matches!(world.run(Op::Finish(finish(id(number)))), Reply::Saved(_)));
    }
    let (mut store, _dir) = world.reopen();
    let listed = umbel_store::Mailboxes::messages(&mut store, &alice, Folder::All, None).unwrap();
    assert_eq!(listed.len(), 11);
    assert!(listed.iter().all(|message| !message.incomplete));
}

#[test]
fn two_callers_and_the_owner_at_once_leave_every_message_in_its_place() {
    // REL-08, 3 x 50
    let world = world(&["alice"], cheap());
    let ask = |inbox: &Inbox, op: Op| -> Reply {
        let (sender, reply) = channel();
        inbox.ask(op, move |answer| sender.send(answer).unwrap()).unwrap();
        reply.recv_timeout(LONG).unwrap()
    };
    let caller = |inbox: Inbox, first: u128| {
        move || {
            for number in first..first + 50 {
                let begin = Op::Begin(Box::new(begin(id(number), &address("alice"))));
                assert_eq!(ask(&inbox, begin), Reply::Done);
                assert_eq!(ask(&inbox, append(id(number), 1_600)), Reply::Done);
                assert!(matches!(ask(&inbox, Op::Finish(finish(id(number)))), Reply::Saved(_)));
            }
        }
    };
    let owner = |inbox: Inbox| {
        move || -> BTreeMap<u64, MessageId> {
            let mailbox = address("alice");
            let mut seen = BTreeMap::new();
            let mut after = None;
            for _ in 0..50 {
                let list = Op::ListMessages { mailbox: mailbox.clone(), folder: Folder::All, after: None };
                let Reply::Messages(messages) = ask(&inbox, list) else { panic!("no list") };
                for message in &messages {
                    let before = seen.insert(message.number, message.id);
                    assert!(before.is_none_or(|id| id == message.id), "number {} moved", message.number);
                }
                if let Some(next) = messages.iter().find(|m| after.is_none_or(|n| m.number > n)) {
                    after = Some(next.number);
                    let (mailbox, id) = (mailbox.clone(), next.id);
                    let op = match next.number % 2 {
                        0 => Op::MarkHeard { mailbox, id, heard: true },
                        _ => Op::DeleteMessage { mailbox, id, author: Author::OwnerByWeb, at: NOON },
                    };
                    assert_eq!(ask(&inbox, op), Reply::Done);
                }
            }
            seen
        }
    };
    let seen = std::thread::scope(|scope| {
        let callers = [1, 1_001].map(|first| scope.spawn(caller(world.inbox.inbox().clone(), first)));
        let owner = scope.spawn(owner(world.inbox.inbox().clone()));
        for caller in callers {
            caller.join().unwrap();
        }
        owner.join().unwrap()
    });
    let list = Op::ListMessages { mailbox: address("alice"), folder: Folder::All, after: None };
    let Reply::Messages(messages) = ask(world.inbox.inbox(), list) else { panic!("no list") };
    let numbers: Vec<_> = messages.iter().map(|message| message.number).collect();
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
    for (number, id) in seen {
        assert!(messages.iter().any(|message| message.number == number && message.id == id));
    }
    let deleted = messages.iter().filter(|message| message.state == MessageState::Deleted);
    assert!(deleted.clone().all(|message| message.number % 2 == 1) && deleted.count() > 0);
}

#[test]
fn a_decision_can_be_read_by_another_program_within_a_second() {
    // SEC-32
    let world = world(&["alice"], cheap());
    let other = Options { purpose: Purpose::Administration, ..options(world.dir.path()) };
    let (mut other, _) = SqliteStore::open(other).unwrap();
    let decision = Decision {
        call_id: "call-1".into(),
        at: NOON,
        mailbox: Some(address("alice")),
        transport: Transport::Tls,
        peer: None,
        command_seen: true,
        ruling: Ruling::Pin(PinOutcome::Prompted),
        rule: "T2".into(),
    };
    world.submit(1, Op::Decide(vec![decision.clone()]));
    // It waits for others as long as a note may, and is committed before it is answered.
    const { assert!(super::inbox::NOTE_WAIT.as_millis() < 1_000) };
    assert_eq!(world.next(), (1, Reply::Done));
    assert_eq!(umbel_store::AuditTrail::decisions(&mut other, "call-1").unwrap(), [decision]);
}

#[test]
fn a_full_lane_gives_operations_back_and_the_other_lane_goes_on() {
    let world = world(&["alice"], cheap());
    let (release, wait) = channel::<()>();
    let (sender, entered) = channel();
    // The store thread is held up in an answer.
    let hold = move |_| {
        sender.send(()).unwrap();
        let _ = wait.recv_timeout(LONG);
    };
    world.inbox.inbox().ask(Op::CheckHealth, hold).unwrap();
    entered.recv_timeout(LONG).unwrap();
    let mut taken = 0_u64;
    let refused = loop {
        match world.inbox.submit(Ticket(taken), Op::CheckHealth) {
            Ok(()) => taken += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(taken, 4_096);
    assert_eq!(*refused.op, Op::CheckHealth);
    world.submit(50_000, append(id(1), 160));
    // The recording lane has a bound of its own, in octets: 64 chunks of a megabyte.
    let chunk = Bytes::from(vec![0x55; 1 << 20]);
    let mut chunks = 0;
    let put =
        |n| world.inbox.submit(Ticket(60_000 + n), Op::Append { id: id(1), chunk: chunk.clone().into() });
    while put(chunks).is_ok() {
        chunks += 1;
    }
    assert_eq!(chunks, 63);
    release.send(()).unwrap();
    let (first, _) = world.next();
    assert_eq!(first, 50_000, "recordings go first");
    for _ in 0..taken + chunks {
        world.next();
    }
}

#[test]
fn stopping_does_what_was_taken_in_and_takes_in_nothing_more() {
    // REL-23
    let world = world(&["alice"], Cost { memory_kib: 1_024, passes: 1 });
    let alice = address("alice");
    for number in 0..50_u128 {
        let tickets = u64::try_from(number).unwrap() * 10;
        world.submit(tickets, Op::Begin(Box::new(begin(id(number), &alice))));
        world.submit(tickets + 1, append(id(number), 4_000));
        world.submit(tickets + 2, Op::Finish(finish(id(number))));
    }
    world.submit(1_000, Op::CheckPin(Box::new(attempt(&alice, GOOD_PIN, NOON))));
    let World { worker, inbox, replies, dir } = world;
    worker.stop();
    assert!(inbox.submit(Ticket(1), Op::CheckHealth).is_err());
    drop(inbox);
    let replies: Vec<_> = replies.iter().collect();
    assert_eq!(replies.len(), 151);
    let saved = replies.iter().filter(|(_, reply)| matches!(reply, Reply::Saved(_))).count();
    assert_eq!(saved, 50);
    let (mut store, _) = SqliteStore::open(options(dir.path())).unwrap();
    assert_eq!(umbel_store::Mailboxes::counts(&mut store, &alice).unwrap().new, 50);
}

#[test]
fn what_was_still_running_when_the_worker_stopped_is_found_at_the_next_start() {
    // REL-02
    let world = world(&["alice"], cheap());
    let alice = address("alice");
    let mut start = begin(id(1), &alice);
    if let umbel_store::Purpose::Message { importance, .. } = &mut start.purpose {
        *importance = Importance::High;
    }
    assert_eq!(world.run(Op::Begin(Box::new(start))), Reply::Done);
    assert_eq!(world.run(append(id(1), 20_000)), Reply::Done);
    world.worker.stop();
    let (mut store, recovery) = SqliteStore::open(options(world.dir.path())).unwrap();
    assert_eq!(recovery.recovered, [id(1)]);
    let message = umbel_store::Mailboxes::find_message(&mut store, id(1)).unwrap().unwrap();
    assert!(message.incomplete && message.importance == Importance::High);
    assert_eq!((message.bytes, message.subject.as_str()), (20_000, "Lunch"));
    let events = umbel_store::AuditTrail::audit_records(&mut store, &alice).unwrap();
    assert!(events.iter().any(|record| record.event == Event::RecordingRecovered(id(1))));
}

#[test]
fn running_recordings_are_noted_and_synced_within_a_second_or_so() {
    // REL-02, DEC-43
    let world = world(&["alice"], cheap());
    let alice: Address = address("alice");
    for number in 0..10 {
        assert_eq!(world.run(Op::Begin(Box::new(begin(id(number), &alice)))), Reply::Done);
        assert_eq!(world.run(append(id(number), 8_000)), Reply::Done);
    }
    let other = rusqlite::Connection::open(world.dir.path().join("umbel.sqlite")).unwrap();
    other.busy_timeout(LONG).unwrap();
    let noted =
        || -> i64 { other.query_row("SELECT count(*) FROM recording", [], |row| row.get(0)).unwrap() };
    let began = Instant::now();
    while noted() < 10 {
        assert!(began.elapsed() < LONG, "recordings are not noted");
        std::thread::sleep(Duration::from_millis(50));
    }
    for number in 0..10 {
        assert!(matches!(world.run(Op::Finish(finish(id(number)))), Reply::Saved(_)));
    }
    assert_eq!(noted(), 0, "and forgotten when they are messages");
}

#[test]
fn users_are_known_to_have_changed_before_anybody_is_told_so() {
    // DEC-5
    let world = world(&["alice"], cheap());
    let changes = world.worker.user_changes();
    let mut last = changes.count();
    let alice = address("alice");
    let rule =
        umbel_store::UserChange::Routing { key: "forward_to".into(), value: Some("sip:b@c.test".into()) };
    let password = umbel_store::Password::new("correct horse").unwrap();
    let ops = [
        Op::ChangeUser { address: alice.clone(), changes: vec![rule], author: admin(), at: NOON },
        Op::SetPassword { address: alice.clone(), password, author: admin(), at: NOON },
        Op::RemoveUser { address: alice.clone(), author: admin(), at: NOON },
    ];
    for op in ops {
        let (sender, counts) = channel();
        let seen = changes.clone();
        // Counted where the answer is given, not later.
        let answer = move |reply| sender.send((reply, seen.count())).unwrap();
        world.inbox.inbox().ask(op.clone(), answer).unwrap();
        let (reply, count) = counts.recv_timeout(LONG).unwrap();
        assert!(!matches!(reply, Reply::Failed(_)), "{reply:?}");
        assert!(count > last, "{op:?}");
        last = count;
    }
    assert_eq!(world.run(Op::FindUser(umbel_store::Lookup::Address(alice))), Reply::User(None));
    assert_eq!(world.run(Op::CountUserChanges), Reply::UserChanges(last));
    assert_eq!(changes.count(), last);
}
