//! The web front beside the roles: who is let in, and what it is when others change things meanwhile.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::site::{Server, Site};

/// "alice@example.test:the password of alice"
const ALICE: &str = "YWxpY2VAZXhhbXBsZS50ZXN0OnRoZSBwYXNzd29yZCBvZiBhbGljZQ==";
/// "alice@example.test:another one of hers"
const ALICE_LATER: &str = "YWxpY2VAZXhhbXBsZS50ZXN0OmFub3RoZXIgb25lIG9mIGhlcnM=";

/// Where the front is: the port that it chose stands in the log.
fn address(server: &Server) -> SocketAddr {
    let log = server.log();
    let found = log.split("http://").nth(1).unwrap_or_else(|| panic!("no web front in\n{log}"));
    found.chars().take_while(|letter| !"\" \n".contains(*letter)).collect::<String>().parse().unwrap()
}

/// The status of `GET path` with these credentials.
fn get(front: SocketAddr, path: &str, credentials: &str) -> u16 {
    let mut stream = TcpStream::connect(front).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {credentials}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap_or_else(|| panic!("{answer}")).parse().unwrap()
}

/// DEC-34: a command of another process counts from the next request on.
#[test]
fn a_password_that_a_command_changes_is_another_at_once() {
    let site = Site::with_telephones("");
    let server = site.serve();
    let front = address(&server);
    let me = |credentials| get(front, "/API/v1/Me", credentials);
    assert_eq!((me(ALICE), me(ALICE), me(ALICE_LATER)), (200, 200, 401));
    let file = site.write("later.password", "another one of hers");
    site.umbel(&["user", "set", "alice@example.test", "--password-file", &file]).succeeded();
    assert_eq!((me(ALICE), me(ALICE_LATER)), (401, 200));
    site.umbel(&["user", "set", "alice@example.test", "enabled=no"]).succeeded();
    assert_eq!(me(ALICE_LATER), 401);
    site.umbel(&["user", "set", "alice@example.test", "enabled=yes"]).succeeded();
    assert_eq!(me(ALICE_LATER), 200);
    // What the store counts is kept across restarts, and what the front remembers is not.
    for _ in 0..5 {
        assert_eq!(me(ALICE), 401);
    }
    assert_eq!(me(ALICE_LATER), 401, "the web door is locked");
    site.umbel(&["user", "unlock", "alice@example.test"]).succeeded();
    assert_eq!(me(ALICE_LATER), 200);
}

#[test]
fn an_address_of_the_front_in_use_is_named() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let site = Site::new();
    let configuration = site.configuration("", "");
    site.configure(
        &configuration.replace("listen = \"127.0.0.1:0\"", &format!("listen = \"127.0.0.1:{port}\"")),
    );
    site.umbel(&["serve"]).failed(69, &["[http] listen", &port.to_string()]);
    site.umbel(&["check"]).failed(69, &[]);
}

#[test]
fn where_the_front_listens_changes_with_a_restart() {
    let site = Site::with_users();
    let server = site.serve();
    let configuration = site.configuration("", "");
    let elsewhere = configuration
        .replace("[http]\nlisten = \"127.0.0.1:0\"", "[http]\nlisten = \"127.0.0.2:0\"\ntls = true");
    site.configure(&elsewhere);
    let done = site.umbel(&["reload", "--json"]).document();
    assert_eq!(done["after_restart"], serde_json::json!(["[http] listen", "[http] tls"]));
    assert_eq!(get(address(&server), "/api/v1/openapi.json", ALICE), 200, "it goes on where it was");
    drop(server);
    let server = site.serve();
    assert!(server.log().contains("https://127.0.0.2:"), "{}", server.log());
}

#[test]
fn both_listeners_of_the_web_on_one_address_are_refused_with_the_line() {
    let site = Site::new();
    let admin = site.admin;
    let configuration = site.configuration("", "");
    site.configure(
        &configuration.replace("listen = \"127.0.0.1:0\"", &format!("listen = \"127.0.0.1:{admin}\"")),
    );
    site.umbel(&["check"]).failed(78, &["umbel.toml:3:10", "admin-listen"]);
}
