//! PINs and keys pressed reach no log and no file, however much is logged. SEC-88, REL-50

use std::path::Path;

use crate::invite::{Invite, sound};
use crate::line::{Line, serves, still_serves};
use crate::rtp::Talker;
use crate::server::{ALICE_PIN, Server};
use crate::wait::until;

/// As long as the right one.
const WRONG_PIN: &str = "000111000111";

#[test]
fn no_pin_is_found_in_the_log_or_the_store_however_much_is_logged() {
    let server = Server::start("", "trace");
    let digits = format!("{ALICE_PIN}#");
    // By INFO.
    let mut line = Line::tcp(&server);
    let call = Invite::own().call(&mut line);
    for (cseq, key) in (2..).zip(digits.chars()) {
        let body = format!("Signal={key}\r\nDuration=100\r\n");
        call.ask(&mut line, "INFO", cseq, "Content-Type: application/dtmf-relay", &body);
    }
    opened(&server, &call.invite.call_id);
    call.hang_up(&mut line);

    // By telephone-events, a wrong one first; and all at once in one INFO, which is no key.
    let (socket, offer) = sound();
    let call = Invite::own().offering(offer).call(&mut line);
    let mut talker = Talker::new(socket, call.rtp());
    talker.say(10);
    let failures = || server.figure("umbel_pin_failures_total");
    let before = failures();
    press(&mut talker, &format!("{WRONG_PIN}#"));
    // What is typed while a PIN is being judged is forgotten where it was wrong.
    until("the wrong PIN to be judged", || {
        talker.say(10);
        (failures() > before).then_some(())
    });
    press(&mut talker, &digits);
    opened(&server, &call.invite.call_id);
    let many = format!("Signal={ALICE_PIN}\r\n");
    call.ask(&mut line, "INFO", 2, "Content-Type: application/dtmf-relay", &many);
    call.hang_up(&mut line);
    // Where somebody puts it who should not, and in a request that is refused.
    Invite::own().with(format!("X-Pin: {ALICE_PIN}")).send(&mut line);
    line.send(format!("INVITE sip:alice@example.test SIP/2.0\r\nX: \x01\r\nX-Pin: {ALICE_PIN}\r\n\r\n"));
    serves(&mut Line::trusted(&server));
    still_serves(&server);

    let log = server.log();
    assert!(log.contains("DEBUG"), "not all is logged:\n{log}");
    for secret in [ALICE_PIN, WRONG_PIN, "Signal=", "argon2", "inline:"] {
        assert!(!log.contains(secret), "{secret} is in the log: {}", around(&log, secret));
    }
    for file in files(&server.path("data")) {
        let octets = std::fs::read(&file).unwrap_or_default();
        let found = octets.windows(ALICE_PIN.len()).any(|window| window == ALICE_PIN.as_bytes());
        assert!(!found, "the PIN is in {}", file.display());
    }
}

fn press(talker: &mut Talker, keys: &str) {
    keys.chars().for_each(|key| talker.press(key));
}

/// Waits until the call has opened the mailbox: until then, keys may still be on their way.
#[track_caller]
fn opened(server: &Server, call_id: &str) {
    until("the mailbox to be opened", || {
        let calls = server.documents(&["calls", "--all"]);
        let record = calls.into_iter().find(|record| record["call_id"] == call_id)?;
        (record["outcome"] == "mailbox-opened").then_some(())
    });
}

fn around(log: &str, secret: &str) -> String {
    log.lines().find(|line| line.contains(secret)).unwrap_or_default().to_owned()
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
