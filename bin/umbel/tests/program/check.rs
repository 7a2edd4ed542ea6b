//! `umbel check`: each kind of wrong thing by its name, and the configuration in force.

use std::net::{Ipv4Addr, TcpListener};

use serde_json::Value;

use crate::site::{Site, umbel};

fn finding<'a>(findings: &'a [Value], subject: &str) -> &'a Value {
    findings.iter().find(|finding| finding["subject"] == subject).unwrap_or_else(|| panic!("{findings:?}"))
}

#[test]
fn all_is_well_on_a_new_site_and_beside_its_server() {
    let site = Site::with_users();
    for running in [false, true] {
        let _server = running.then(|| site.serve());
        let findings = site.umbel(&["check", "--json"]).documents();
        assert!(findings.iter().all(|finding| finding["good"] == true), "{findings:?}");
        for subject in ["configuration", "certificates", "address", "media", "prompts", "store", "users"] {
            assert!(finding(&findings, subject)["detail"].is_string());
        }
        let state = if running { "running server" } else { "free" };
        assert!(finding(&findings, "address")["detail"].as_str().unwrap().contains(state), "{findings:?}");
        let text = site.umbel(&["check"]).succeeded();
        assert!(text.contains("users") && !text.contains("WRONG"), "{text}");
    }
}

#[test]
fn an_address_in_use_is_named() {
    let site = Site::with_users();
    let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, site.tcp)).unwrap();
    let address = format!("tcp:127.0.0.1:{}", site.tcp);
    let ran = site.umbel(&["check"]).failed(69, &["1 of"]);
    let line = ran.out.lines().find(|line| line.contains("WRONG")).unwrap();
    assert!(line.contains(&address), "{line}");
    let mut server = site.start(&mut site.command(&["serve"]));
    assert_eq!(server.ended().code(), Some(69), "{}", server.log());
    assert!(server.log().contains(&format!("127.0.0.1:{}", site.tcp)), "{}", server.log());
}

#[test]
fn an_administration_address_in_use_is_named() {
    let site = Site::with_users();
    let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, site.admin)).unwrap();
    let mut server = site.start(&mut site.command(&["serve"]));
    assert_eq!(server.ended().code(), Some(69), "{}", server.log());
    assert!(server.log().contains("admin-listen"), "{}", server.log());
}

#[test]
fn addresses_that_are_not_ours_are_named() {
    let site = Site::new();
    site.configure("[um]\nlisten = [\"tcp:192.0.2.1:5065\"]\nrtp-address = \"192.0.2.1\"\n");
    let ran = site.umbel(&["check"]).failed(69, &["checks found something wrong"]);
    assert!(ran.out.contains("tcp:192.0.2.1:5065") && ran.out.contains("rtp-address 192.0.2.1"), "{ran:?}");
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let site = Site::new();
    let issue = |name: &str| {
        site.umbel(&["certificate", "issue", name, site.path("peers").to_str().unwrap()]).succeeded();
    };
    issue("one.example.test");
    issue("other.example.test");
    let identity = |certificate: &str, key: &str| {
        let lines = format!("certificate = \"peers/{certificate}\"\nprivate-key = \"peers/{key}\"\n");
        site.configure(&site.configuration(&lines, ""));
        site.umbel(&["check"])
    };
    identity("one.example.test.pem", "one.example.test-key.pem").succeeded();
    for (certificate, key, status, word) in [
        ("one.example.test.pem", "other.example.test-key.pem", 78, "one.example.test.pem"),
        ("gone.pem", "one.example.test-key.pem", 78, "gone.pem"),
        ("one.example.test.pem", "gone.pem", 78, "gone.pem"),
    ] {
        let ran = identity(certificate, key).failed(status, &["1 of"]);
        assert!(ran.out.contains("certificates") && ran.out.contains(word), "{ran:?}");
        let mut server = site.start(&mut site.command(&["serve"]));
        assert_eq!(server.ended().code(), Some(status), "{}", server.log());
    }
    site.write("peers/broken.pem", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n");
    let ran = identity("broken.pem", "one.example.test-key.pem").failed(78, &[]);
    assert!(ran.out.contains("broken.pem"), "{ran:?}");
    for key in ["client-authorities", "client-revocations"] {
        site.configure(&site.configuration(&format!("{key} = \"gone.pem\""), ""));
        let ran = site.umbel(&["check"]).failed(78, &[]);
        assert!(ran.out.contains("gone.pem"), "{key}: {ran:?}");
    }
}

#[test]
fn prompts_that_cannot_be_read_are_named() {
    let site = Site::new();
    site.configure(&format!("prompts = \"sounds\"\n{}", site.configuration("", "")));
    let ran = site.umbel(&["check"]).failed(78, &["1 of"]);
    assert!(ran.out.contains("prompts") && ran.out.contains("sounds"), "{ran:?}");
    // What a pack lacks, or cannot be read of it, is filled from ours.
    std::fs::create_dir(site.path("sounds")).unwrap();
    site.write("sounds/vm-goodbye.wav", "no sound");
    let findings = site.umbel(&["check", "--json"]).documents();
    assert!(finding(&findings, "prompts")["detail"].as_str().unwrap().contains("0 of them"), "{findings:?}");
}

#[test]
fn a_wrong_configuration_is_named_with_file_line_and_column() {
    let site = Site::new();
    for (text, place, word) in [
        ("domain = \n", "umbel.toml:1:10: ", ""),
        ("\n[um]\nmax-callz = 3\n", "umbel.toml:3:1: ", "did you mean `max-call`?"),
        ("[um]\nmax-calls = \"many\"\n", "umbel.toml:2:13: ", "invalid type"),
        ("[pin]\nmin-length = 3\n", "umbel.toml:2:14: ", "4 to 24"),
        ("store = \"postgres://db/umbel\"\n", "umbel.toml:1:9: ", "later version"),
        ("[server]\nring-time = \"0s\"\n", "umbel.toml:2:13: ", "ring-time must be between"),
        ("[tls]\ntrusted-networks = [\"10.0.0.0/8\"]\n", "umbel.toml:2:20: ", "accept-cleartext-trust"),
    ] {
        site.configure(text);
        for command in ["check", "serve", "reload"] {
            let ran = site.umbel(&[command]).failed(78, &[place, word]);
            assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
        }
        assert!(site.umbel(&["user", "list", "--json"]).failed_as_json(78, "configuration").contains(place));
    }
    umbel(&["check", "--config", "/nowhere/umbel.toml"]).failed(78, &["/nowhere/umbel.toml"]);
    site.configure("domain = \"example.test\"\n");
    site.umbel(&["serve"]).failed(78, &["neither a [server] nor a [um] table"]);
}

#[test]
fn the_configuration_in_force_is_printed_and_can_be_used() {
    let site = Site::new();
    let printed = site.umbel(&["check", "--print-config"]).succeeded();
    assert!(printed.contains("# ") && printed.contains(&format!("tcp:127.0.0.1:{}", site.tcp)), "{printed}");
    site.configure(&printed);
    assert_eq!(site.umbel(&["check", "--print-config"]).succeeded(), printed);
    let defaults = umbel(&["check", "--print-config"]).succeeded();
    for line in
        ["listen = [\"tcp:127.0.0.1:5065\", \"tls:127.0.0.1:5066\"]", "max-length = \"5m\"", "min-length = 6"]
    {
        assert!(defaults.contains(line), "{line} in\n{defaults}");
    }
}

// SEC-33
#[test]
fn settings_that_trust_more_than_usual_are_warned_of() {
    let site = Site::with("trusted-transport = \"any-tls\"", "");
    let findings = site.umbel(&["check", "--json"]).documents();
    let detail = finding(&findings, "configuration")["detail"].as_str().unwrap();
    assert!(detail.contains("warning") && detail.contains("any-tls"), "{detail}");
}

#[test]
fn a_user_whose_calls_a_pilot_takes_is_named() {
    let site = Site::with_users();
    site.configure(&site.configuration("", "pilots = [\"5000\", \"102\"]\n"));
    let ran = site.umbel(&["check"]).failed(78, &["1 of"]);
    let line = ran.out.lines().find(|line| line.contains("WRONG")).unwrap();
    assert!(line.contains("bob@example.test: 102 is a pilot"), "{line}");
    site.configure(&site.configuration("", "pilots = [\"5000\"]\n"));
    site.umbel(&["check"]).succeeded();
}
