//! The telephone at a person's terminal: a pseudo-terminal of `script`, which types and looks on.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::site::{Site, signal};
use crate::sound::write_tone_of;
use crate::telephone::{Telephone, common, quiet};
use crate::wait::until;

/// Ctrl-C, as a keyboard sends it.
const CTRL_C: &str = "\u{3}";

/// A terminal with one command on it; taken away when dropped.
struct Terminal {
    script: Child,
    out: PathBuf,
    /// What has been looked for and found.
    seen: usize,
}

impl Terminal {
    /// `umbel phone` as this user on a terminal of its own; the terminal's modes are printed before and after.
    fn start(site: &Site, user: &str, arguments: &[&str]) -> Terminal {
        let mut words: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        words.extend(common(site, user));
        let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let umbel = format!("'{}' phone {}", env!("CARGO_BIN_EXE_umbel"), words.join(" "));
        // The shell outlives a Ctrl-C, to say what became of it.
        let line =
            format!("trap : INT; echo before $(stty -g); {umbel}; echo status $?; echo after $(stty -g)");
        let out = site.path(&format!("{user}.terminal"));
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).current_dir(site.folder());
        command.env("SHELL", "/bin/sh").env("TERM", "xterm");
        command.stdin(Stdio::piped()).stdout(File::create(&out).unwrap());
        Terminal { script: command.spawn().unwrap(), out, seen: 0 }
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.out).unwrap_or_default()).into_owned()
    }

    /// Waits until this is written, after what was seen before.
    #[track_caller]
    fn shows(&mut self, text: &str) {
        self.seen = until(text, || {
            let screen = self.screen();
            let found = screen.get(self.seen..).and_then(|rest| rest.find(text));
            assert!(
                found.is_some() || self.script.try_wait().unwrap().is_none(),
                "it ended without {text:?}: {screen:?}"
            );
            found.map(|at| self.seen + at + text.len())
        });
    }

    fn types(&mut self, keys: &str) {
        let input = self.script.stdin.as_mut().unwrap();
        input.write_all(keys.as_bytes()).unwrap();
        input.flush().unwrap();
    }

    /// Waits for its end; gives all that was written, after it is seen that the terminal is as it was.
    #[track_caller]
    fn finished(mut self, status: u8) -> String {
        self.shows(&format!("status {status}"));
        self.shows("after ");
        until("the end of the terminal", || self.script.try_wait().unwrap());
        let screen = self.screen();
        let modes = |word: &str| {
            let mut lines = screen.lines().filter_map(|line| line.trim_end().strip_prefix(word));
            lines.next().unwrap_or_else(|| panic!("no {word:?} in {screen:?}")).to_owned()
        };
        assert_eq!(modes("before "), modes("after "), "{screen:?}");
        screen
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // `script` takes its command away with it.
        if self.script.try_wait().is_ok_and(|ended| ended.is_none()) {
            signal(&self.script, "TERM");
        }
        let _ = self.script.wait();
    }
}

/// The `script` of util-linux makes the terminals.
fn there_are_terminals() -> bool {
    let version = Command::new("script").arg("--version").output();
    let there = version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("util-linux"));
    if !there {
        let _ = std::io::stderr().write_all(b"skipped: there is no `script` of util-linux\n");
    }
    there
}

#[test]
fn a_person_types_keys_holds_and_hangs_up_and_no_key_is_echoed() {
    if !there_are_terminals() {
        return;
    }
    let _quiet = quiet();
    let site = Site::with_telephones("");
    let _server = site.serve();
    let mut bob = Telephone::start(&site, "bob", &["answer", "--after", "0s"]);
    bob.tells("registered");
    let mut alice = Terminal::start(&site, "alice", &["call", "bob"]);
    alice.shows("talking with bob@example.test  00:0");
    alice.types("815624#");
    alice.shows("  7 keys  ");
    until("the last key", || bob.events().into_iter().find(|event| event["key"] == "#"));
    alice.types("h");
    alice.shows("on hold by us with bob@example.test");
    assert_eq!(bob.tells("held")["held"], true);
    alice.types("q");
    alice.shows("ended after ");
    let screen = alice.finished(0);
    // Of three digits in a row, some Call-ID has them by chance.
    let echo: String = screen
        .lines()
        .filter(|line| {
            !line.contains("Call-ID") && !line.starts_with("before ") && !line.starts_with("after ")
        })
        .collect();
    assert!(!echo.contains("815") && !echo.contains("624"), "{screen:?}");
    let pressed = bob.finished().documents();
    let pressed: Vec<&str> = pressed.iter().filter_map(|event| event["key"].as_str()).collect();
    assert_eq!(pressed.concat(), "815624#");
}

#[test]
fn a_person_sees_how_loud_both_are() {
    if !there_are_terminals() {
        return;
    }
    let _quiet = quiet();
    let site = Site::with_telephones("");
    let _server = site.serve();
    for name in ["hello.wav", "reply.wav"] {
        write_tone_of(site.folder(), name, 440, 30_000);
    }
    let mut bob = Telephone::start(&site, "bob", &["answer", "--after", "0s", "--play", "reply.wav"]);
    bob.tells("registered");
    let mut alice = Terminal::start(&site, "alice", &["call", "bob", "--play", "hello.wav"]);
    // Both are loud, and then the other side is not heard any more.
    alice.shows("  in ####");
    alice.shows(" out ####");
    alice.types("h");
    alice.shows("on hold by us with bob@example.test");
    alice.shows("  in ........");
    alice.types("q");
    alice.finished(0);
}

#[test]
fn a_person_answers_one_call_declines_another_and_leaves_with_control_c() {
    if !there_are_terminals() {
        return;
    }
    let _quiet = quiet();
    let site = Site::with_telephones("");
    let _server = site.serve();
    let mut alice = Terminal::start(&site, "alice", &["register"]);
    alice.shows("ready  [q]uit");
    let mut bob = Telephone::start(&site, "bob", &["call", "alice"]);
    alice.shows("bob@example.test is calling  [a]nswer [d]ecline");
    alice.types("a");
    assert_eq!(bob.tells("answered")["automatic"], false);
    alice.shows("talking with bob@example.test");
    alice.types("q");
    assert_eq!(bob.finished().status, Some(0));
    alice.shows("ready  [q]uit");
    let bob = Telephone::start(&site, "bob", &["call", "alice"]);
    alice.shows("bob@example.test is calling");
    alice.types("d");
    bob.finished().failed_as_json(1, "refused");
    alice.shows("ready  [q]uit");
    alice.types(CTRL_C);
    alice.finished(130);
}

/// The terminal is given back where somebody else ends the telephone, too.
#[test]
fn a_telephone_that_is_terminated_gives_the_terminal_back() {
    if !there_are_terminals() {
        return;
    }
    let site = Site::with_telephones("");
    let _server = site.serve();
    let mut alice = Terminal::start(&site, "alice", &["register"]);
    alice.shows("ready  [q]uit");
    let children = |parent: u32| {
        let path = format!("/proc/{parent}/task/{parent}/children");
        let children = std::fs::read_to_string(path).unwrap_or_default();
        children.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<u32>>()
    };
    let shells = children(alice.script.id());
    let [telephone] = shells.iter().flat_map(|shell| children(*shell)).collect::<Vec<_>>()[..] else {
        panic!("one telephone under {shells:?}")
    };
    let ended = Command::new("kill").args(["-TERM", &telephone.to_string()]).status().unwrap();
    assert!(ended.success());
    alice.finished(0);
}
