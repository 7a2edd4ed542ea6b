//! Both servers in one process, and telephones that register: `umbel phone` over real TLS.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::site::{Ran, Site, finished, program, signal, umbel};
use crate::sound::write_tone;
use crate::wait::until;

/// The tables of a site whose telephones register with the protocol server; the other one chooses its ports.
fn tables(site: &Site, server: &str) -> String {
    let Site { tcp, tls, admin, .. } = site;
    format!(
        "domain = \"example.test\"\n\
         [http]\nlisten = \"127.0.0.1:0\"\nadmin-listen = \"127.0.0.1:{admin}\"\n\
         [server]\nlisten = [\"tcp:127.0.0.1:{tcp}\", \"tls:127.0.0.1:{tls}\"]\n{server}\n\
         [um]\nlisten = [\"tcp:127.0.0.1:0\", \"tls:127.0.0.1:0\"]\n"
    )
}

/// With alice and bob, who have passwords, and a short greeting of alice's.
fn site(server: &str) -> Site {
    let site = Site::new();
    site.configure(&tables(&site, server));
    let rows = "address,extension,name,pin,password\n\
                alice@example.test,101,Alice,815624,alice's horse\n\
                bob@example.test,102,Bob,739206,bob's staple\n";
    site.umbel(&["user", "import", &site.write("users.csv", rows)]).succeeded();
    site.write("alice.password", "alice's horse\n");
    site.write("bob.password", "bob's staple\n");
    let greeting = write_tone(site.folder(), "greeting.wav", 8_000, 300);
    site.umbel(&["mailbox", "greeting", "alice", "set", "standard", greeting.to_str().unwrap()]).succeeded();
    site
}

/// The arguments of a user's telephone.
fn telephone(site: &Site, user: &str, command: &[&str]) -> Vec<String> {
    let file = |name: String| site.path(&name).into_os_string().into_string().unwrap();
    let common = [
        "--as".to_owned(),
        format!("{user}@example.test"),
        "--server".to_owned(),
        site.over_tls(),
        "--password-file".to_owned(),
        file(format!("{user}.password")),
        "--authority".to_owned(),
        file("data/authority.pem".to_owned()),
        "--json".to_owned(),
    ];
    let command = command.iter().map(|word| (*word).to_owned());
    ["phone".to_owned()].into_iter().chain(command).chain(common).collect()
}

fn run(site: &Site, user: &str, command: &[&str]) -> Ran {
    let arguments = telephone(site, user, command);
    umbel(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A telephone that runs beside the test; taken away when dropped.
struct Beside(Option<Child>);

impl Beside {
    fn start(site: &Site, user: &str, command: &[&str]) -> Self {
        let mut program = program();
        program.args(telephone(site, user, command)).stdout(Stdio::piped()).stderr(Stdio::piped());
        let telephone = Beside(Some(program.spawn().unwrap()));
        until("the registration", || (site.figure("umbel_registrations") >= 1.0).then_some(()));
        telephone
    }

    fn finished(mut self) -> Ran {
        finished(self.0.take().unwrap())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[track_caller]
fn event<'a>(events: &'a [Value], name: &str) -> &'a Value {
    events.iter().find(|event| event["event"] == name).unwrap_or_else(|| panic!("no {name} in {events:?}"))
}

/// REG-2, 16 of RFC 3261: both prove who they are, and the call goes along alice's own connection.
#[test]
fn a_registered_telephone_is_called_and_answers() {
    let site = site("");
    let _server = site.serve();
    let alice = Beside::start(&site, "alice", &["answer", "--after", "0s", "--for", "1s", "--within", "50s"]);
    let call = run(&site, "bob", &["call", "alice@example.test", "--for", "1s"]).documents();
    event(&call, "answered");
    event(&alice.finished().documents(), "answered");
    assert!(site.umbel(&["message", "list", "--json"]).succeeded().is_empty(), "no voice mail was in this");
}

/// EUMR-1, EUMR-2: what nobody answers goes on to voice mail over TLS, and the server is believed there.
#[test]
fn an_unanswered_call_becomes_a_message() {
    let site = site("ring-time = \"2s\"");
    let server = site.serve();
    // Long enough that much of it is said after the tone, however late that comes.
    let said = write_tone(site.folder(), "said.wav", 16_000, 8_000);
    let _alice = Beside::start(&site, "alice", &["register", "--for", "55s"]);
    let play = ["call", "101@example.test", "--play", said.to_str().unwrap(), "--play-after", "2s"];
    let call = run(&site, "bob", &play).documents();
    let message = site.only_message();
    assert_eq!(message["mailbox"], "alice@example.test");
    assert_eq!(message["caller"], "bob@example.test");
    assert_eq!(message["caller_verified"], true, "{}", server.log());
    let why = site.umbel(&["why", event(&call, "answered")["call_id"].as_str().unwrap()]).succeeded();
    assert!(why.contains("a listed peer showed its certificate over TLS"), "{why}");
}

/// SENS-6, DEC-21: 480 at ring time; the unified messaging server never hears of the call.
#[test]
fn an_unanswered_call_that_must_not_be_diverted_ends_with_480() {
    let site = site("ring-time = \"2s\"");
    let _server = site.serve();
    let _alice = Beside::start(&site, "alice", &["register", "--for", "55s"]);
    let header = ["call", "alice@example.test", "--header", "Ms-Sensitivity: private-no-diversion"];
    let ran = run(&site, "bob", &header);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.out.contains("480"), "{ran:?}");
    let metrics = until("the figures", || site.get("/metrics"));
    assert!(
        !metrics.contains("role=\"um\",direction=\"in\",transport=\"tls\",method=\"INVITE\""),
        "{metrics}"
    );
    assert_eq!(site.umbel(&["message", "list", "--json"]).succeeded(), "");
    // Forwarding does not change that, and counts without a restart; without the header it is followed.
    site.umbel(&["user", "set", "alice", "forward-immediate=voicemail"]).succeeded();
    assert!(run(&site, "bob", &header).out.contains("480"));
    event(&run(&site, "bob", &["call", "alice@example.test", "--for", "1s"]).documents(), "answered");
}

/// CMD-12, DEC-15: the owner proves it to her server, and the server is a peer by our own certificate.
#[test]
fn the_owner_opens_her_mailbox_through_her_server_without_a_pin() {
    let site = site("");
    let _server = site.serve();
    let call = run(&site, "alice", &["voicemail", "--for", "2s"]).documents();
    let call_id = event(&call, "answered")["call_id"].as_str().unwrap().to_owned();
    assert_eq!(site.pin(&call_id), "skipped");
    // Another certificate of the same authority makes nobody a peer.
    let peers = site.path("peers");
    site.umbel(&["certificate", "issue", "server.example.test", peers.to_str().unwrap()]).succeeded();
    let certificate = peers.join("server.example.test.pem").into_os_string().into_string().unwrap();
    let key = peers.join("server.example.test-key.pem").into_os_string().into_string().unwrap();
    let mut bob =
        telephone(&site, "bob", &["call", "sip:alice@example.test;opaque=app:voicemail", "--for", "2s"]);
    bob.extend(["--certificate", &certificate, "--private-key", &key].map(str::to_owned));
    bob.extend(["--header", "P-Asserted-Identity: <sip:alice@example.test>"].map(str::to_owned));
    bob.extend(["--header", "Ms-Exchange-Command: skip-pin"].map(str::to_owned));
    let call = umbel(&bob.iter().map(String::as_str).collect::<Vec<_>>()).documents();
    let call_id = event(&call, "answered")["call_id"].as_str().unwrap().to_owned();
    assert_ne!(site.pin(&call_id), "skipped");
}

/// SEC-48: refused, said in the log with its rule and without the password, and counted.
#[test]
fn a_wrong_password_is_refused_logged_and_counted() {
    let site = site("");
    let server = site.serve();
    site.write("alice.password", "bob's staple\n");
    let ran = run(&site, "alice", &["register", "--for", "1s"]);
    assert_ne!(ran.status, Some(0), "{ran:?}");
    server.says("SEC-48: wrong password");
    assert!(!server.log().contains("staple"), "{}", server.log());
    assert!(site.figure("umbel_authentication_failures_total") >= 1.0);
    assert!(site.figure("umbel_refusals_total{code=\"403\"}") >= 1.0);
    assert_eq!(site.figure("umbel_registrations"), 0.0);
}

/// REL-23: who is registered is found again after a restart, in order or not.
#[test]
fn registrations_are_there_after_a_restart() {
    let site = site("");
    let mut server = site.serve();
    let alice = Beside::start(&site, "alice", &["register", "--for", "55s"]);
    // Her telephone goes without a word.
    drop(alice);
    server.signal("TERM");
    assert_eq!(server.ended().code(), Some(0), "{}", server.log());
    let mut server = site.serve();
    until("her registration", || (site.figure("umbel_registrations") == 1.0).then_some(()));
    // Written behind: the second after is enough.
    until("nothing to be written", || {
        (site.figure("umbel_queue_depth{queue=\"registrations\"}") == 0.0).then_some(())
    });
    signal(&server.child, "KILL");
    let _ = server.ended();
    let _server = site.serve();
    until("her registration", || (site.figure("umbel_registrations") == 1.0).then_some(()));
}

/// REL-24, REL-32: new settings count from the next call on; a bad configuration changes nothing.
#[test]
fn settings_of_the_protocol_server_are_reloaded() {
    let site = site("");
    let server = site.serve();
    let _alice = Beside::start(&site, "alice", &["register", "--for", "55s"]);
    site.configure(&tables(&site, "ring-time = \"0s\""));
    site.umbel(&["reload"]).failed(78, &["ring-time must be between"]);
    site.configure("[um]\nlisten = [\"tcp:127.0.0.1:0\"]\n");
    server.signal("HUP");
    server.says("has no [server] table");
    site.configure(&tables(&site, "ring-time = \"1s\"\nvoicemail = []\nadvertise = \"localhost\""));
    let done = site.umbel(&["reload", "--json"]).document();
    assert_eq!(done["after_restart"], serde_json::json!([]));
    let ran = run(&site, "bob", &["call", "alice@example.test"]);
    assert!(ran.out.contains("480"), "without voice mail nobody answers: {ran:?}");
    assert_eq!(site.figure("umbel_registrations"), 1.0, "she is still registered");
}

/// REL-23: asked to stop, both servers end in order while telephones are registered.
#[test]
fn both_servers_end_in_order() {
    let site = site("");
    let mut server = site.serve();
    let _alice = Beside::start(&site, "alice", &["register", "--for", "55s"]);
    server.signal("TERM");
    assert_eq!(server.ended().code(), Some(0), "{}", server.log());
    for role in ["\"role\":\"um\"", "\"role\":\"server\""] {
        let stopped = |line: &str| line.contains("\"stopped\"") && line.contains(role);
        assert!(server.log().lines().any(stopped), "{role}: {}", server.log());
    }
}

/// REL-23: voice mail waits for calls that ring, as their callers may want to leave a message.
#[test]
fn a_call_that_rings_when_the_servers_are_asked_to_stop_may_still_leave_a_message() {
    let site = site("ring-time = \"3s\"");
    let mut server = site.serve();
    let said = write_tone(site.folder(), "said.wav", 16_000, 2_000);
    let _alice = Beside::start(&site, "alice", &["register", "--for", "55s"]);
    let play = ["call", "101@example.test", "--play", said.to_str().unwrap(), "--play-after", "2s"];
    let mut bob = program();
    let mut bob = bob.args(telephone(&site, "bob", &play)).stdout(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(bob.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(told.any(|line| line.contains("\"ringing\"")));
    server.signal("TERM");
    assert!(told.any(|line| line.contains("\"answered\"")), "{}", server.log());
    told.for_each(drop);
    assert!(bob.wait().unwrap().success());
    assert_eq!(server.ended().code(), Some(0), "{}", server.log());
    assert_eq!(site.only_message()["mailbox"], "alice@example.test");
}

#[test]
fn what_the_protocol_server_needs_is_checked_by_name() {
    let site = site("");
    let details = |findings: &[Value], subject: &str| -> Vec<String> {
        let of_subject = findings.iter().filter(|finding| finding["subject"] == subject);
        of_subject.map(|finding| finding["detail"].as_str().unwrap().to_owned()).collect()
    };
    let findings = site.umbel(&["check", "--json"]).documents();
    assert_eq!(details(&findings, "voice mail"), ["our own unified messaging server"]);
    let server = format!("tls:127.0.0.1:{} is free", site.tls);
    assert!(details(&findings, "address").contains(&server), "{findings:?}");
    // A port where nobody listens, and one where somebody does.
    let listening = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let there = format!("sip:{};transport=tls", listening.local_addr().unwrap());
    let nobody = format!("sip:127.0.0.1:{};transport=tcp", site.admin);
    site.configure(&tables(&site, &format!("voicemail = [\"{there}\", \"{nobody}\"]")));
    let ran = site.umbel(&["check"]).failed(69, &["1 of"]);
    assert!(ran.out.contains(&format!("{there} takes connections")), "{ran:?}");
    assert!(ran.out.contains(&format!("[server] voicemail {nobody}")), "{ran:?}");
}

/// SEC-33: whoever opens the doors is reminded.
#[test]
fn authentication_that_is_switched_off_is_warned_of() {
    let site = site("authentication = \"none\"");
    let server = site.serve();
    let findings = site.umbel(&["check", "--json"]).documents();
    let configuration = findings.iter().find(|finding| finding["subject"] == "configuration").unwrap();
    assert!(
        configuration["detail"].as_str().unwrap().contains("authentication = \"none\""),
        "{configuration}"
    );
    until("the warning", || server.log().contains("for closed networks and load tests only").then_some(()));
}
