//! `umbel play-on-phone`: a message on a telephone, by command.

use serde_json::Value;

use crate::site::{Ran, Server, Site};
use crate::sound::write_tone;
use crate::telephone::Telephone;
use crate::telephones::run;
use crate::wait::until;

/// Both servers, and a message for alice.
fn with_a_message() -> (Site, Server, String) {
    let site = Site::with_telephones("ring-time = \"10s\"");
    let server = site.serve();
    let said = write_tone(site.folder(), "said.wav", 8_000, 3_000);
    let voice_mail = "sip:alice@example.test;opaque=app:voicemail";
    let arguments =
        ["call", voice_mail, "--keys", "w1,#", "--play", said.to_str().unwrap(), "--play-after", "3s"];
    run(&site, "bob", &arguments).succeeded();
    let id = until("the message", || {
        let messages = site.umbel(&["message", "list", "alice", "--json"]).documents();
        messages.first().map(|message| message["id"].as_str().unwrap().to_owned())
    });
    (site, server, id)
}

fn alice(site: &Site, answering: &[&str]) -> Telephone {
    let mut telephone = Telephone::start(site, "alice", &[&["register"], answering].concat());
    telephone.tells("registered");
    telephone
}

/// What it told before it ended, whatever its status.
fn told(ran: &Ran) -> Vec<Value> {
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// DEC-23, DEC-26, POP-1, POP-3: answered, and followed to its end.
#[test]
fn a_message_is_played_on_its_owners_telephone_and_the_call_is_followed() {
    let (site, _server, id) = with_a_message();
    let _alice = alice(&site, &["--after", "0s", "--for", "2s"]);
    let documents = site.umbel(&["play-on-phone", &id, "--json"]).documents();
    let last = documents.last().unwrap();
    assert_eq!((&last["state"], &last["cause"]), (&"Disconnected".into(), &"None".into()), "{documents:?}");
    assert_eq!(last["mailbox"], "alice@example.test");
    assert!(documents.iter().any(|document| document["state"] == "Connected"), "{documents:?}");
    assert!(documents.iter().all(|document| document["id"] == last["id"]), "{documents:?}");
}

/// DEC-26: nobody answers, the line is busy; each is exit 1 and says why.
#[test]
fn a_call_that_nobody_takes_says_why() {
    let (site, _server, id) = with_a_message();
    let telephone = alice(&site, &["--never"]);
    let ran = site.umbel(&["play-on-phone", &id, "--json"]);
    let last = told(&ran).pop().unwrap();
    assert_eq!((&last["cause"], &last["sip_code"]), (&"NoAnswer".into(), &480.into()));
    assert!(ran.failed_as_json(1, "no-answer").contains("480"));
    telephone.interrupt();
    telephone.finished();
    let _busy = alice(&site, &["--busy"]);
    site.umbel(&["play-on-phone", &id]).failed(1, &["busy", "486"]);
    // Inside only: outside numbers are for those whom the dialling rules let.
    site.umbel(&["play-on-phone", &id, "+15550100", "--json"]).failed_as_json(1, "refused");
    let unknown = "00000000000000000000000000000000";
    site.umbel(&["play-on-phone", unknown, "--json"]).failed_as_json(1, "refused");
}

/// Ctrl-C hangs up, and another command is answered while a call is followed.
#[test]
fn interrupted_it_hangs_up_and_keeps_no_other_command_waiting() {
    let (site, _server, id) = with_a_message();
    let mut telephone = alice(&site, &["--never"]);
    let mut command = site.command(&["play-on-phone", &id]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let following = command.spawn().unwrap();
    telephone.tells("ringing");
    site.umbel(&["reload"]).succeeded();
    crate::site::signal(&following, "INT");
    let ran = crate::site::finished(following);
    assert_eq!(ran.status, Some(130), "{ran:?}");
    telephone.tells("ended");
}

#[test]
fn without_a_server_it_says_so() {
    let site = Site::with_users();
    site.umbel(&["play-on-phone", "0123", "--json"]).failed_as_json(69, "server-not-running");
}
