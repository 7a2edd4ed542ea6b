//! Opening a data directory: who may, who may not, and what is made there.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use umbel_store::conformance::{
    GOOD_PIN, NOON, add, address, admin, attempt, begin, deposit, id, pin, speech,
};
use umbel_store::{
    AuditTrail, CallKind, CallOutcome, CallRecord, Decision, Directory, Lookup, Mailboxes, NewPin, Password,
    PinOutcome, Recordings, Ruling, Secrets, Transport, UserEntry, Verdict,
};
use umbel_store_sqlite::{Cost, OpenError, Options, Purpose, SqliteStore};

fn options(data: &Path, purpose: Purpose) -> Options {
    let cost = Cost { memory_kib: 8, passes: 1 };
    Options { cost, reserve_bytes: 1 << 20, ..Options::new(data, purpose, NOON) }
}

fn open(data: &Path, purpose: Purpose) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(options(data, purpose)).map(|(store, _)| store)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn everything_is_made_for_its_owner_only() {
    // SEC-121
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("a").join("data");
    let mut store = open(&data, Purpose::Server).unwrap();
    let alice = add(&mut store, "alice");
    deposit(&mut store, id(1), &alice).unwrap();
    store.begin(&begin(id(2), &alice)).unwrap();
    assert_eq!(mode(&data), 0o700);
    let mut files = 0;
    for directory in [data.clone(), data.join("audio")] {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let expected = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode(&path), expected, "{}", path.display());
            files += 1;
        }
    }
    assert!(files >= 8, "database, its logs, key, lock, reserve, audio: {files}");
}

#[test]
fn a_second_server_is_refused_and_administration_is_not() {
    // REL-12
    let dir = tempfile::tempdir().unwrap();
    let mut server = open(dir.path(), Purpose::Server).unwrap();
    assert!(matches!(open(dir.path(), Purpose::Server), Err(OpenError::InUse { .. })));
    let mut other = open(dir.path(), Purpose::Administration).unwrap();
    let alice = add(&mut other, "alice");
    assert!(server.find_user(&Lookup::Address(alice.clone())).unwrap().is_some());
    deposit(&mut server, id(1), &alice).unwrap();
    assert_eq!(other.counts(&alice).unwrap().new, 1);
    assert!(other.message_audio(&alice, id(1)).is_ok_and(|audio| !audio.damaged));
    drop(server);
    drop(other);
    assert!(open(dir.path(), Purpose::Server).is_ok());
}

#[test]
fn a_command_may_be_the_first_to_open_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = open(dir.path(), Purpose::Administration).unwrap();
    let alice = add(&mut first, "alice");
    drop(first);
    let mut server = open(dir.path(), Purpose::Server).unwrap();
    assert!(server.find_user(&Lookup::Address(alice)).unwrap().is_some());
}

#[test]
fn administration_leaves_running_recordings_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = open(dir.path(), Purpose::Server).unwrap();
    let alice = add(&mut server, "alice");
    server.begin(&begin(id(1), &alice)).unwrap();
    server.append(id(1), &speech(24_000)).unwrap();
    let (_, recovery) = SqliteStore::open(options(dir.path(), Purpose::Administration)).unwrap();
    assert!(recovery.recovered.is_empty() && recovery.dropped.is_empty());
    assert!(server.append(id(1), &speech(8_000)).is_ok());
}

#[test]
fn a_key_that_others_can_read_stops_the_start() {
    // SEC-121
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), Purpose::Server).unwrap());
    fs::set_permissions(dir.path().join("secret.key"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(open(dir.path(), Purpose::Server), Err(OpenError::KeyReadable { .. })));
}

#[test]
fn a_directory_that_others_can_write_into_stops_the_start() {
    // SEC-121: they could put a key and a database of theirs there.
    let dir = tempfile::tempdir().unwrap();
    let mode = |mode| fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
    for others_write in [0o777, 0o1777, 0o702] {
        mode(others_write);
        assert!(matches!(open(dir.path(), Purpose::Server), Err(OpenError::DirectoryWritable { .. })));
    }
    mode(0o755);
    assert!(open(dir.path(), Purpose::Server).is_ok());
}

#[test]
fn a_store_without_its_key_or_with_another_does_not_open() {
    // SEC-87: without the key the hashes are worth nothing, to a thief and to us.
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path(), Purpose::Server).unwrap();
    let alice = add(&mut store, "alice");
    drop(store);
    let key = dir.path().join("secret.key");
    let right = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert!(matches!(open(dir.path(), Purpose::Server), Err(OpenError::KeyMissing { .. })));
    assert!(!key.exists(), "no new key is made for an old store");
    fs::write(&key, [1; 32]).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(open(dir.path(), Purpose::Server), Err(OpenError::KeyMissing { .. })));
    fs::write(&key, right).unwrap();
    let mut store = open(dir.path(), Purpose::Server).unwrap();
    let verdict = store.check_pin(&attempt(&alice, GOOD_PIN, NOON)).unwrap();
    assert_eq!(verdict, Verdict::Right { must_change: false });
}

#[test]
fn counters_outlive_a_restart() {
    // SEC-85
    let dir = tempfile::tempdir().unwrap();
    let alice = add(&mut open(dir.path(), Purpose::Server).unwrap(), "alice");
    for _ in 0..5 {
        let mut store = open(dir.path(), Purpose::Server).unwrap();
        store.check_pin(&attempt(&alice, "839164", NOON)).unwrap();
    }
    let mut store = open(dir.path(), Purpose::Server).unwrap();
    assert!(matches!(store.check_pin(&attempt(&alice, GOOD_PIN, NOON)), Ok(Verdict::Locked(_))));
}

#[test]
fn no_file_holds_a_pin_or_password_in_clear() {
    // SEC-87, SEC-88, SEC-109, DEC-35
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path(), Purpose::Server).unwrap();
    let mut entry = UserEntry::new(address("alice"));
    entry.pin = Some(NewPin::Own(pin("58203917")));
    entry.password = Password::new("correct horse battery");
    store.add_user(&entry, &admin(), NOON).unwrap();
    store.check_pin(&attempt(&entry.address, "77203918", NOON)).unwrap();
    let hashes = store.digest_hashes(&entry.address).unwrap().unwrap();
    drop(store);
    let secrets: [&[u8]; 5] =
        [b"58203917", b"77203918", b"correct horse battery", &hashes.md5.0, &hashes.sha256.0];
    for file in fs::read_dir(dir.path()).unwrap() {
        let path = file.unwrap().path();
        if !path.is_file() || path.ends_with("reserve") {
            continue;
        }
        let content = fs::read(&path).unwrap();
        for secret in secrets {
            let found = content.windows(secret.len()).any(|part| part == secret);
            assert!(!found, "{} holds a secret", path.display());
        }
    }
}

#[test]
fn names_from_outside_never_become_paths() {
    // SEC-104, SEC-118, SEC-119
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut store = open(&data, Purpose::Server).unwrap();
    for user in ["../../evil", "a/b", "';DROP/**/TABLE/**/user;--", "x\u{202e}y"] {
        let mailbox = add(&mut store, user);
        let number = u128::from(user.len() as u64);
        let mut start = begin(id(number), &mailbox);
        start.call_id = "../../../tmp/call".into();
        store.begin(&start).unwrap();
        store.append(id(number), &speech(800)).unwrap();
        store.finish(&umbel_store::conformance::finish(id(number))).unwrap();
        assert_eq!(store.counts(&mailbox).unwrap().new, 1, "{user}");
    }
    let audio: Vec<_> = fs::read_dir(data.join("audio")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(audio.len(), 4);
    for name in audio {
        let name = name.into_string().unwrap();
        let generated = name.strip_suffix(".wav").unwrap();
        assert!(generated.len() == 32 && generated.bytes().all(|b| b.is_ascii_hexdigit()), "{name}");
    }
    let beside: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(beside.len(), 1, "nothing was made outside the data directory");
}

#[test]
fn calls_that_a_killed_server_left_running_have_failed() {
    let dir = tempfile::tempdir().unwrap();
    let mut killed = open(dir.path(), Purpose::Server).unwrap();
    let record = |call_id: &str, ended, outcome| CallRecord {
        call_id: call_id.to_owned(),
        kind: CallKind::CallAnswering,
        from: "sip:bob@example.test".to_owned(),
        to: "sip:alice@example.test".to_owned(),
        started: NOON,
        ended,
        transport: Transport::Tcp,
        peer: None,
        pin: PinOutcome::None,
        outcome,
    };
    let later = NOON + Duration::from_secs(7);
    let over = record("over", Some(later), CallOutcome::MessageLeft);
    for call in [record("decided", None, CallOutcome::Running), record("fresh", None, CallOutcome::Running)] {
        killed.record_call(&call).unwrap();
    }
    killed.record_call(&over).unwrap();
    let decision = Decision {
        call_id: "decided".to_owned(),
        at: later,
        mailbox: None,
        transport: Transport::Tcp,
        peer: None,
        command_seen: false,
        ruling: Ruling::Pin(PinOutcome::None),
        rule: "nobody asked".to_owned(),
    };
    killed.decide(&[decision]).unwrap();
    // A command beside the server leaves its calls alone.
    let mut beside = open(dir.path(), Purpose::Administration).unwrap();
    assert_eq!(beside.calls(10).unwrap().iter().filter(|call| call.ended.is_none()).count(), 2);
    drop(killed);

    let (mut store, recovery) = SqliteStore::open(options(dir.path(), Purpose::Server)).unwrap();
    assert_eq!(recovery.calls_failed, 2);
    let calls = store.calls(10).unwrap();
    assert_eq!(
        calls,
        [
            record("decided", Some(later), CallOutcome::Failed),
            record("fresh", Some(NOON), CallOutcome::Failed),
            over,
        ]
    );
}
