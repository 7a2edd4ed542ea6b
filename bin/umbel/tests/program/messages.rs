//! `umbel message` and `umbel mailbox`, with messages that were put straight into the store.

use std::time::Duration;

use serde_json::{Value, json};
use umbel_store::{
    Address, AudioFormat, Begin, Caller, Finish, Importance, MessageId, Purpose, Recordings, Saved,
};
use umbel_store_sqlite::{Options, Purpose as Opened, SqliteStore};
use umbel_time::UnixTime;

use crate::site::Site;
use crate::sound::read;

/// 2026-03-01 12:00:00 UTC
const NOON: UnixTime = UnixTime::from_secs(1_772_366_400);

/// A message of two seconds of G.711 for alice.
fn deposit(site: &Site, number: u8, subject: &str) -> String {
    let options = Options::new(site.path("data"), Opened::Server, NOON);
    let (mut store, _) = SqliteStore::open(options).unwrap();
    let id = MessageId::from_bytes([number; 16]);
    let begin = Begin {
        id,
        mailbox: Address::new("alice", "example.test").unwrap(),
        purpose: Purpose::Message {
            caller: Caller { id: "+15550100".into(), name: Some("Bob\u{202e}".into()), verified: false },
            subject: subject.to_owned(),
            importance: Importance::Normal,
        },
        format: AudioFormat::Pcmu,
        call_id: format!("call-{number}@example.test"),
        at: NOON,
    };
    store.begin(&begin).unwrap();
    store.append(id, &[0x80; 16_000]).unwrap();
    let finish = Finish { id, importance: Importance::High, keep: Some(Duration::from_secs(2)), at: NOON };
    assert!(matches!(store.finish(&finish).unwrap(), Saved::Message(_)));
    id.to_string()
}

#[test]
fn a_message_is_listed_and_shown_by_the_names_of_the_contract() {
    let site = Site::with_users();
    let id = deposit(&site, 1, "Lunch");
    let expected = json!({
        "id": id, "mailbox": "alice@example.test", "caller": "+15550100", "caller_verified": false,
        "subject": "Lunch", "importance": "high", "received": "2026-03-01T12:00:00Z",
        "duration_seconds": 2.0, "state": "new", "incomplete": false, "call_id": "call-1@example.test",
    });
    let listed = site.only_message();
    for document in [listed, site.umbel(&["message", "show", &id, "--json"]).document()] {
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&document[key], value, "{key}");
        }
        assert!(document["caller_name"].is_string());
    }
    for mailbox in ["alice@example.test", "alice", "101"] {
        let text = site.umbel(&["message", "list", mailbox]).succeeded();
        assert!(text.contains(&id) && text.contains("high") && text.contains("(unverified)"), "{text}");
        // SEC-123
        assert!(!text.contains('\u{202e}'), "{text}");
    }
    assert_eq!(site.umbel(&["message", "list", "bob", "--json"]).succeeded(), "");
    site.umbel(&["message", "list", "nobody"]).failed(1, &["no user nobody"]);
    assert!(site.umbel(&["message", "show", &id]).succeeded().contains("call-1@example.test"));
}

#[test]
fn a_message_is_deleted_and_restored_once_or_twice() {
    let site = Site::with_users();
    let id = deposit(&site, 1, "");
    let mailbox = || site.umbel(&["mailbox", "show", "alice", "--json"]).document();
    for _ in 0..2 {
        assert_eq!(site.umbel(&["message", "delete", &id, "--json"]).document()["state"], "deleted");
    }
    assert_eq!([&mailbox()["new"], &mailbox()["deleted"]], [&json!(0), &json!(1)]);
    for _ in 0..2 {
        assert_eq!(site.umbel(&["message", "restore", &id, "--json"]).document()["state"], "new");
    }
    assert_eq!([&mailbox()["new"], &mailbox()["deleted"]], [&json!(1), &json!(0)]);
    let unknown = "0".repeat(id.len());
    for verb in ["show", "delete", "restore"] {
        for id in [unknown.as_str(), "../../etc/passwd", ""] {
            site.umbel(&["message", verb, id]).failed(1, &["there is no message"]);
        }
    }
}

// DEC-32, REL-06
#[test]
fn a_message_is_exported_as_sixteen_bits_at_the_recorded_rate() {
    let site = Site::with_users();
    let id = deposit(&site, 1, "");
    let file = site.path("out.wav");
    site.umbel(&["message", "export", &id, file.to_str().unwrap()]).succeeded();
    let sound = read(&file);
    assert_eq!((sound.rate, sound.encoding, sound.truncated), (8_000, umbel_wav::Encoding::Pcm16, false));
    assert_eq!(sound.samples.len(), 16_000);
    let output = site.command(&["message", "export", &id, "-"]).output().unwrap();
    assert_eq!(output.stdout, std::fs::read(&file).unwrap());
    let nowhere = site.path("no/folder.wav");
    site.umbel(&["message", "export", &id, nowhere.to_str().unwrap()]).failed(1, &["no/folder.wav"]);
    site.umbel(&["message", "export", "nothing", "x.wav"]).failed(1, &["there is no message nothing"]);
}

#[test]
fn a_mailbox_is_exported_whole_without_what_was_deleted() {
    let site = Site::with_users();
    let kept = [deposit(&site, 1, "one"), deposit(&site, 2, "two")];
    let deleted = deposit(&site, 3, "three");
    site.umbel(&["message", "delete", &deleted]).succeeded();
    let folder = site.path("export");
    let done = site.umbel(&["mailbox", "export", "alice", folder.to_str().unwrap(), "--json"]).document();
    assert_eq!(done["messages"], 2);
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 4, "{names:?}");
    for (id, number) in kept.iter().zip(1..) {
        let name = format!("{number:05}-{id}");
        assert_eq!(read(&folder.join(format!("{name}.wav"))).samples.len(), 16_000);
        let document: Value =
            serde_json::from_slice(&std::fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap();
        assert_eq!((&document["id"], &document["incomplete"]), (&json!(id), &json!(false)));
    }
    let mailboxes = site.umbel(&["mailbox", "list", "--json"]).documents();
    assert_eq!(mailboxes.len(), 2);
    assert_eq!((&mailboxes[0]["address"], &mailboxes[0]["new"]), (&json!("alice@example.test"), &json!(2)));
}

// REL-05: damage is shown, never passed over.
#[test]
fn a_message_whose_audio_changed_on_disk_is_exported_with_a_warning_and_marked() {
    let site = Site::with_users();
    let id = deposit(&site, 1, "");
    let audio = std::fs::read_dir(site.path("data/audio")).unwrap().map(|file| file.unwrap().path());
    let file = audio.into_iter().find(|path| path.extension().is_some_and(|ext| ext == "wav")).unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let out = site.path("out.wav");
    let ran = site.umbel(&["message", "export", &id, out.to_str().unwrap()]);
    assert!(ran.err.contains("checksum"), "{ran:?}");
    ran.succeeded();
    assert_eq!(site.only_message()["damaged"], true);
}
