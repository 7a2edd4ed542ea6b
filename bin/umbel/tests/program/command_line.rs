//! How commands are used, and what wrong use gets: the command-line table of the threats file, with the exit
//! statuses of the contract.

use std::io::Read;
use std::process::Stdio;

use crate::site::{Ran, Site, finished, program, signal, umbel};
use crate::wait::until;

#[test]
fn help_and_version_are_answers() {
    for arguments in [["--help"].as_slice(), &["user", "--help"], &["user", "import", "--help"]] {
        assert!(umbel(arguments).succeeded().contains("Usage: umbel"));
    }
    assert_eq!(umbel(&["--version"]).succeeded(), format!("umbel {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn an_unknown_command_or_option_is_wrong_use() {
    for arguments in [
        ["bogus"].as_slice(),
        &["user", "list", "--bogus"],
        &["user", "list", "--config"],
        &["user"],
        &[],
        &["message", "show"],
        &["user", "list", "--config", "a", "--data", "b"],
    ] {
        let ran = umbel(arguments).failed(64, &["help"]);
        assert_eq!(ran.out, "", "{arguments:?}");
    }
    let message = umbel(&["user", "list", "--bogus", "--json"]).failed_as_json(64, "usage");
    assert!(message.contains("--bogus"), "{message}");
}

// What the plan names and this version lacks says so, and is no slip of the pen.
#[test]
fn what_is_not_in_this_version_says_so_and_what_to_do_instead() {
    for arguments in [
        ["backup", "somewhere"].as_slice(),
        &["restore", "somewhere", "--config", "umbel.toml"],
        &["import", "asterisk", "/var/spool/asterisk/voicemail", "--dry-run"],
    ] {
        let ran = umbel(arguments).failed(1, &["not in this version"]);
        assert!(!ran.err.contains("similar"), "{ran:?}");
        assert!(!umbel(&["--help"]).succeeded().contains(&format!("  {} ", arguments[0])));
    }
    umbel(&["--json", "backup", "somewhere"]).failed_as_json(1, "not-in-this-version");
}

// SEC-120
#[test]
fn a_secret_as_an_argument_is_refused_and_not_repeated() {
    let site = Site::with_users();
    for arguments in [
        ["user", "add", "carol@example.test", "--pin", "604817"].as_slice(),
        &["user", "add", "carol@example.test", "--pin=604817"],
        &["user", "add", "carol@example.test", "--password", "604817"],
        &["user", "set", "alice@example.test", "pin=604817"],
        &["user", "set", "alice@example.test", "password=604817"],
        &["user", "set", "alice@example.test", "--pin", "604817"],
    ] {
        for json in [false, true] {
            let mut command = site.command(arguments);
            let ran = Ran::of(if json { command.arg("--json") } else { &mut command }.output().unwrap());
            assert!(!ran.err.contains("604817") && !ran.out.contains("604817"), "{ran:?}");
            let ran = ran.failed(64, &["-file"]);
            if json {
                ran.failed_as_json(64, "usage");
            }
        }
    }
    let phone = ["phone", "voicemail", "--as", "alice@example.test", "--server", "tcp:127.0.0.1:1"];
    for option in ["--pin", "--password"] {
        let ran = umbel(&[phone.as_slice(), &[option, "604817"]].concat()).failed(64, &["--pin-file"]);
        assert!(!ran.err.contains("604817"), "{ran:?}");
    }
    site.umbel(&["user", "show", "carol@example.test"]).failed(1, &["carol@example.test"]);
}

#[test]
fn completions_and_manual_pages_are_written_for_packagers() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(umbel(&["completions", shell]).succeeded().contains("umbel"), "{shell}");
    }
    umbel(&["completions", "tcsh"]).failed(64, &["tcsh"]);
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man");
    umbel(&["man", pages.to_str().unwrap()]).succeeded();
    for page in ["umbel.1", "umbel-user-import.1", "umbel-phone-call.1"] {
        let text = std::fs::read_to_string(pages.join(page)).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
}

#[test]
fn a_reader_that_goes_away_ends_a_command_quietly() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = program();
    child.args(["completions", "bash"]).stdout(writer).stderr(Stdio::piped());
    let ran = finished(child.spawn().unwrap());
    assert_eq!((ran.status, ran.err.as_str()), (Some(141), ""));
}

#[test]
fn control_c_ends_a_telephone_as_interrupted() {
    let site = Site::with_users();
    let _server = site.serve();
    let mut command = program();
    command.args(["phone", "call", "alice@example.test", "--as", "bob@example.test", "--json"]);
    command.args(["--server", &site.over_tcp()]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut said = String::new();
    until("the telephone to be answered", || {
        let mut bytes = [0; 4_096];
        let count = out.read(&mut bytes).unwrap();
        said.push_str(&String::from_utf8_lossy(&bytes[..count]));
        said.contains("\"answered\"").then_some(())
    });
    signal(&child, "INT");
    out.read_to_string(&mut said).unwrap();
    finished(child).failed_as_json(130, "interrupted");
    assert!(said.contains("\"ended\""), "{said}");
}

#[test]
fn a_server_that_is_not_there_cannot_be_reached() {
    let site = Site::new();
    let phone = ["phone", "call", "101", "--as", "bob@example.test", "--server", &site.over_tcp()];
    umbel(&phone).failed(69, &["--server"]);
    umbel(&[phone.as_slice(), &["--json"]].concat()).failed_as_json(69, "server-not-reachable");
    site.umbel(&["reload"]).failed(69, &["umbel serve"]);
    site.umbel(&["reload", "--json"]).failed_as_json(69, "server-not-running");
}

/// Whoever asks in the wrong folder learns that it is the wrong one, and leaves nothing behind.
#[test]
fn where_nothing_was_ever_served_commands_say_so_and_make_nothing() {
    let site = Site::new();
    let data = site.path("nowhere");
    let in_there = |arguments: &[&str]| {
        let mut command = program();
        command.args(arguments).arg("--data").arg(&data);
        Ran::of(command.output().unwrap())
    };
    let commands: [&[&str]; 6] = [
        &["user", "list"],
        &["user", "show", "alice"],
        &["mailbox", "list"],
        &["message", "list"],
        &["calls"],
        &["why", "nothing@nowhere"],
    ];
    for command in commands {
        in_there(command).failed(1, &["nowhere", "--data", "umbel serve"]);
        assert!(!data.exists(), "{command:?}");
    }
    in_there(&["user", "add", "alice@example.test"]).succeeded();
    assert!(in_there(&["user", "list"]).succeeded().contains("alice@example.test"));
}
