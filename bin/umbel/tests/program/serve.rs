//! The life of a server: start, commands beside it, figures, and its end.

use crate::site::{Site, program};
use crate::wait::until;

#[test]
fn the_embedded_defaults_make_two_users_once_and_say_what_to_try() {
    // Only the data directory is chosen, so the ports are the default ones: where they are taken, the
    // server says so, and has made nobody whose secrets it could not show.
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let site = Site::new();
    let mut server = site.start(program().args(["serve", "--data", data]));
    until("the hints or the end", || {
        let ended = server.child.try_wait().unwrap();
        assert!(ended.is_none_or(|status| status.code() == Some(69)), "{}", server.log());
        (ended.is_some() || server.log().contains("\"serving\"")).then_some(())
    });
    let is_serving = server.child.try_wait().unwrap().is_none();
    if is_serving {
        let text = server.log();
        for word in [
            "alice@example.test",
            "extension 102",
            "PIN ",
            "password ",
            "umbel phone register",
            "no-diversion",
        ] {
            assert!(text.contains(word), "{word} in\n{text}");
        }
    }
    drop(server);
    let output = program().args(["user", "list", "--json", "--data", data]).output().unwrap();
    let made = if is_serving { 2 } else { 0 };
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), made);
}

// REL-12
#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let site = Site::with_users();
    let _server = site.serve();
    site.umbel(&["serve"]).failed(73, &["another server is running"]);
    site.umbel(&["serve", "--json"]).failed_as_json(73, "store-in-use");
}

#[test]
fn administration_works_beside_a_running_server() {
    let site = Site::with_users();
    let _server = site.serve();
    let rows = "address,extension\ncarol@example.test,103\n";
    site.umbel(&["user", "import", &site.write("more.csv", rows)]).succeeded();
    site.umbel(&["user", "set", "carol", "name=Carol"]).succeeded();
    assert_eq!(site.umbel(&["user", "show", "103", "--json"]).document()["name"], "Carol");
    let file = crate::sound::write_tone(site.folder(), "hello.wav", 8_000, 400);
    site.umbel(&["mailbox", "greeting", "carol", "set", "name", file.to_str().unwrap()]).succeeded();
    site.umbel(&["user", "unlock", "carol"]).succeeded();
    site.umbel(&["user", "remove", "carol"]).succeeded();
    assert_eq!(site.umbel(&["calls", "--json"]).succeeded(), "");
    site.umbel(&["why", "nothing@nowhere", "--field", "pin"]).failed(1, &["nothing@nowhere"]);
}

// SEC-124
#[test]
fn health_readiness_and_figures_are_answered_without_names() {
    let site = Site::with_users();
    let _server = site.serve();
    assert!(site.get("/healthz").unwrap().starts_with("HTTP/1.1 200"));
    let metrics = site.get("/metrics").unwrap();
    assert!(metrics.contains("umbel_") && !metrics.contains("alice"), "{metrics}");
    // A connection that is open shows, and is counted when it was.
    let before = site.figure("umbel_connections_accepted_total");
    let _open = std::net::TcpStream::connect(("127.0.0.1", site.tcp)).unwrap();
    until("the connection to be counted", || {
        (site.figure("umbel_connections_accepted_total") > before).then_some(())
    });
}

// SEC-123: one JSON line an event where nobody watches a terminal.
#[test]
fn the_log_is_a_json_line_an_event() {
    let site = Site::with_users();
    let server = site.serve();
    let hints = |line: &&str| line.starts_with('{');
    let log = server.log();
    assert!(log.lines().filter(hints).count() > 0, "{log}");
    for line in log.lines().filter(hints) {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(event["timestamp"].is_string() && event["level"].is_string(), "{line}");
    }
}

// REL-23
#[test]
fn a_server_that_is_asked_to_stop_ends_in_order() {
    let site = Site::with_users();
    for (signal, status) in [("TERM", 0), ("INT", 130)] {
        let mut server = site.serve();
        server.signal(signal);
        assert_eq!(server.ended().code(), Some(status), "{signal}: {}", server.log());
        assert!(!site.path("data/control.sock").exists());
    }
}

#[test]
fn what_a_killed_server_left_is_no_obstacle() {
    let site = Site::with_users();
    let mut server = site.serve();
    server.signal("KILL");
    server.ended();
    site.umbel(&["reload"]).failed(69, &["umbel serve"]);
    let findings = site.umbel(&["check", "--json"]).documents();
    assert!(findings.iter().all(|finding| finding["good"] == true), "{findings:?}");
    let _server = site.serve();
    site.umbel(&["reload"]).succeeded();
}
