//! The script of `docs/telephone.md`, run as it is written there.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::site::{Ran, Site};
use crate::sound::{read, seconds_of, write_tone_of};
use crate::telephone::quiet;

const HELLO: u32 = 440;
const REPLY: u32 = 1_000;

/// The part of the page between the mark and the end of its block.
fn script() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/telephone.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("<!-- script -->\n```sh\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

fn events(site: &Site, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(site.path(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn event<'a>(events: &'a [Value], name: &str) -> &'a Value {
    events.iter().find(|event| event["event"] == name).unwrap_or_else(|| panic!("no {name} in {events:?}"))
}

/// OCEXUM-3.1.1-1, CMD-11, HDR-1
#[test]
fn the_script_of_the_page_does_what_the_page_says() {
    let _quiet = quiet();
    let site = Site::with_telephones("");
    let _server = site.serve();
    write_tone_of(site.folder(), "hello.wav", HELLO, 4_000);
    write_tone_of(site.folder(), "reply.wav", REPLY, 4_000);
    let program = Path::new(env!("CARGO_BIN_EXE_umbel")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([program].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-eu", "-c", &script()]).current_dir(site.folder()).env("PATH", path);
    shell.env("SERVER", format!("tls:127.0.0.1:{}", site.server_tls));
    shell.env("AUTHORITY", site.path("data/authority.pem"));
    let shown = Ran::of(shell.output().unwrap()).succeeded();
    assert_eq!(shown.matches("\"answered\"").count(), 4, "{shown}");
    assert_eq!(shown.matches("\"ended\"").count(), 4, "{shown}");

    for (file, theirs) in [("alice-heard.wav", REPLY), ("bob-heard.wav", HELLO), ("mailbox.wav", HELLO)] {
        let seconds = seconds_of(&read(&site.path(file)), theirs);
        // A machine that is busy makes gaps in it.
        assert!(seconds > 0.5, "{file}: {seconds} s of what was said for 4 s");
    }
    let bob = events(&site, "bob.jsonl");
    assert_eq!(event(&bob, "ringing")["from"], "sip:alice@example.test");
    let mailbox = events(&site, "mailbox.jsonl");
    let call_id = event(&mailbox, "answered")["call_id"].as_str().unwrap();
    assert_eq!(site.pin(call_id), "skipped");
    assert_eq!(site.only_message()["subject"], "Lunch");
}
