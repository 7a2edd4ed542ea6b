//! `umbel mailbox greeting`, with the WAV table of the threats file.

use serde_json::json;

use crate::site::Site;
use crate::sound::{tone, wav, write_tone};

#[test]
fn greetings_are_set_listed_shown_and_removed() {
    let site = Site::with_users();
    let file = write_tone(site.folder(), "hello.wav", 16_000, 1_500);
    let file = file.to_str().unwrap();
    let greeting = |arguments: &[&str]| site.umbel(&[&["mailbox", "greeting", "alice"], arguments].concat());
    greeting(&["list", "--json"]).succeeded();
    for kind in ["standard", "out-of-office", "name"] {
        let done = greeting(&["set", kind, file, "--json"]).document();
        assert_eq!((&done["kind"], &done["done"]), (&json!(kind), &json!("set")));
        let shown = greeting(&["show", kind, "--json"]).document();
        assert_eq!(shown["kind"], kind);
        assert_eq!(shown["duration_seconds"], 1.5);
        assert_eq!(shown["active"], kind == "standard");
        assert!(shown["recorded"].as_str().unwrap().ends_with('Z'));
    }
    assert_eq!(greeting(&["list", "--json"]).documents().len(), 3);
    assert!(greeting(&["list"]).succeeded().contains("out-of-office  1.5 s"));
    greeting(&["remove", "name"]).succeeded();
    greeting(&["remove", "name"]).failed(1, &["alice", "no such greeting"]);
    greeting(&["show", "name"]).failed(1, &["alice has no name greeting"]);
    greeting(&["set", "holiday", file]).failed(64, &["standard, out-of-office and name"]);
    site.umbel(&["mailbox", "greeting", "nobody", "list"]).failed(1, &["no user nobody"]);
    let mailbox = site.umbel(&["mailbox", "show", "alice", "--json"]).document();
    assert_eq!(mailbox["greetings"], json!(["standard", "out-of-office"]));
}

#[test]
fn every_usual_form_of_wav_is_taken() {
    let site = Site::with_users();
    for (rate, length) in [(8_000, 0.4), (16_000, 0.4), (44_100, 0.4), (48_000, 0.4), (11_025, 0.4)] {
        let file = write_tone(site.folder(), "some.wav", rate, 400);
        site.umbel(&["mailbox", "greeting", "alice", "set", "name", file.to_str().unwrap()]).succeeded();
        let shown = site.umbel(&["mailbox", "greeting", "alice", "show", "name", "--json"]).document();
        let seconds = shown["duration_seconds"].as_f64().unwrap();
        assert!((seconds - length).abs() < 0.01, "{rate}: {seconds}");
    }
}

#[test]
fn what_is_no_usable_sound_is_refused_and_the_old_greeting_stays() {
    let site = Site::with_users();
    let good = write_tone(site.folder(), "good.wav", 8_000, 700);
    let set = |file: &str| site.umbel(&["mailbox", "greeting", "alice", "set", "standard", file, "--json"]);
    set(good.to_str().unwrap()).succeeded();

    let whole = wav(&tone(8_000, 300), 8_000);
    let changed = |at: usize, octets: &[u8]| {
        let mut file = whole.clone();
        file[at..at + octets.len()].copy_from_slice(octets);
        file
    };
    let long = wav(&vec![0; 8_000 * 601], 8_000);
    let large = vec![0; 20 * 1024 * 1024 + 1];
    for (what, bytes, code) in [
        ("not RIFF", b"hello".to_vec(), "unsupported-sound"),
        ("empty", Vec::new(), "unsupported-sound"),
        ("no format", changed(12, b"junk"), "unsupported-sound"),
        ("another coding", changed(20, &[0x55, 0]), "unsupported-sound"),
        ("a chunk beyond the file", changed(16, &[0xff, 0xff, 0xff, 0x7f]), "malformed-sound"),
        ("no channels", changed(22, &[0, 0]), "malformed-sound"),
        ("rate 0", changed(24, &[0, 0, 0, 0]), "malformed-sound"),
        ("rate above 192 kHz", changed(24, &192_001_u32.to_le_bytes()), "malformed-sound"),
        ("12 bits", changed(34, &[12, 0]), "malformed-sound"),
        ("longer than ten minutes", long, "sound-too-large"),
        ("larger than 20 MiB", large, "sound-too-large"),
    ] {
        let file = site.write("bad.wav", bytes);
        let ran = set(&file);
        assert_eq!(ran.status, Some(1), "{what}: {ran:?}");
        let message = ran.failed_as_json(1, code);
        assert!(message.contains("bad.wav"), "{what}: {message}");
    }
    set("nowhere.wav").failed_as_json(1, "not-found");
    let shown = site.umbel(&["mailbox", "greeting", "alice", "show", "standard", "--json"]).document();
    assert_eq!(shown["duration_seconds"], 0.7);
}

#[test]
fn a_file_that_ends_early_is_taken_as_far_as_it_goes_and_that_is_said() {
    let site = Site::with_users();
    let mut bytes = wav(&tone(8_000, 1_000), 8_000);
    bytes.truncate(44 + 8_001);
    let file = site.write("cut.wav", bytes);
    let ran = site.umbel(&["mailbox", "greeting", "alice", "set", "standard", &file]);
    assert!(ran.err.contains("cut.wav") && ran.err.contains("ends early"), "{ran:?}");
    ran.succeeded();
    let shown = site.umbel(&["mailbox", "greeting", "alice", "show", "standard", "--json"]).document();
    assert_eq!(shown["duration_seconds"], 0.5);
}
