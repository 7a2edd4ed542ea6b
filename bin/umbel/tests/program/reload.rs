//! A new configuration while the server runs (REL-24, REL-30, REL-32).

use crate::site::{Site, umbel};
use crate::wait::until;

#[test]
fn a_good_configuration_is_taken_and_says_what_needs_a_restart() {
    let site = Site::with_users();
    let server = site.serve();
    let done = site.umbel(&["reload", "--json"]).document();
    assert_eq!((&done["done"], &done["after_restart"]), (&"reloaded".into(), &serde_json::json!([])));
    site.configure(&site.configuration("trusted-transport = \"any-tls\"", "dscp = 0\nmax-calls = 5"));
    let done = site.umbel(&["reload", "--json"]).document();
    assert_eq!(done["after_restart"], serde_json::json!(["[um] dscp"]));
    assert!(site.umbel(&["reload"]).succeeded().starts_with("reloaded"));
    drop(server);
}

/// The name of a Unix socket has little more than a hundred octets.
#[test]
fn a_server_whose_data_lie_deep_is_reached_all_the_same() {
    let site = Site::new();
    let deep = "a-rather-long-name-of-a-folder/".repeat(5);
    site.configure(&format!("data = \"{deep}data\"\n{}", site.configuration("", "")));
    let _server = site.serve();
    site.umbel(&["reload"]).succeeded();
}

#[test]
fn a_bad_configuration_is_refused_with_its_place_and_the_old_one_stays() {
    let site = Site::with_users();
    let server = site.serve();
    site.configure(&site.configuration("", "max-calls = 0"));
    site.umbel(&["reload"]).failed(78, &["umbel.toml:", "1 to 100000"]);
    // The command may read it well, and the server not: a file that is there for one of them only.
    site.configure(&site.configuration("client-authorities = \"gone.pem\"", ""));
    site.umbel(&["reload"]).failed(78, &["gone.pem", "the old configuration stays"]);
    server.signal("HUP");
    server.says("the new configuration is refused");
    assert!(site.get("/readyz").unwrap().starts_with("HTTP/1.1 200"));
    site.configure(&site.configuration("", ""));
    server.signal("HUP");
    server.says("configuration read again");
}

// REL-30: the new certificate is shown to whoever comes after the reload.
#[test]
fn a_new_certificate_is_shown_after_a_reload() {
    let site = Site::with_users();
    let peers = site.path("peers");
    let peers = peers.to_str().unwrap();
    site.umbel(&["certificate", "issue", "um.example.test", peers]).succeeded();
    let _server = site.serve();
    let call = || {
        let authority = site.path("data/authority.pem");
        umbel(&[
            "phone",
            "call",
            "nobody",
            "--as",
            "bob@example.test",
            "--server",
            &site.over_tls(),
            "--authority",
            authority.to_str().unwrap(),
            "--json",
        ])
    };
    // 404: the handshake went well.
    call().failed(1, &["404"]);
    // This one does not bear the name that the telephone calls.
    let lines = format!(
        "certificate = \"{peers}/um.example.test.pem\"\nprivate-key = \"{peers}/um.example.test-key.pem\"\n"
    );
    site.configure(&site.configuration(&lines, ""));
    site.umbel(&["reload"]).succeeded();
    until("the new certificate", || (call().status == Some(78)).then_some(()));
}
