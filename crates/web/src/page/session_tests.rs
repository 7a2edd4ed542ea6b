//! Sessions, over HTTP: how they begin, what they may, and all that ends them.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use umbel_store::{NewPin, Password, Pin, UserChange};

use super::session_table::{IDLE_MAX, LIFE_MAX};
use crate::Client;
use crate::testing::{Answer, NOON, PASSWORD, World, address, author};

const OURS: &str = "http://127.0.0.1:8080";
/// Something that only who signed in hears of: that there is no such call.
const PRIVATE: &str = "/api/v1/play-on-phone/00000000000000000000000000000000/events";

/// A browser that signed in.
struct Browser {
    cookie: String,
    csrf: String,
}

fn sign_in_request() -> axum::http::request::Builder {
    Request::post("/api/v1/session")
        .header("Host", "127.0.0.1:8080")
        .header("Origin", OURS)
        .header("Content-Type", "application/json")
}

fn credentials(user: &str, password: &str) -> Body {
    Body::from(json!({ "address": user, "password": password }).to_string())
}

async fn try_to_sign_in(world: &World, user: &str, password: &str) -> Answer {
    world.send(sign_in_request().body(credentials(user, password)).unwrap()).await
}

fn browser(answer: &Answer) -> Browser {
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    Browser { cookie, csrf: answer.json()["csrf"].as_str().unwrap().to_owned() }
}

async fn sign_in(world: &World, user: &str) -> Browser {
    let answer = try_to_sign_in(world, user, PASSWORD).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    browser(&answer)
}

impl Browser {
    async fn get(&self, world: &World, path: &str) -> Answer {
        let request = Request::get(path).header("Host", "127.0.0.1:8080").header("Cookie", &self.cookie);
        world.send(request.body(Body::empty()).unwrap()).await
    }

    async fn is_signed_in(&self, world: &World) -> bool {
        match self.get(world, PRIVATE).await.status.as_u16() {
            404 => true,
            401 => false,
            other => panic!("{other}"),
        }
    }

    async fn sign_out(&self, world: &World, token: Option<&str>, origin: Option<&str>) -> Answer {
        let mut request = Request::delete("/api/v1/session")
            .header("Host", "127.0.0.1:8080")
            .header("Cookie", &self.cookie);
        if let Some(token) = token {
            request = request.header("X-CSRF-Token", token);
        }
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        world.send(request.body(Body::empty()).unwrap()).await
    }
}

/// SEC-102, DEC-36
#[tokio::test]
async fn the_right_password_begins_a_session_with_another_id_each_time() {
    let world = World::new();
    let answer = try_to_sign_in(&world, "alice@example.test", PASSWORD).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json()["address"], "alice@example.test");
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("umbel-session=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"));
    let (first, second) = (browser(&answer), sign_in(&world, "alice").await);
    assert!(first.cookie != second.cookie && first.csrf != second.csrf);
    assert!(!first.cookie.contains(&first.csrf));
    assert!(first.is_signed_in(&world).await && second.is_signed_in(&world).await);
    let shown = first.get(&world, "/api/v1/session").await;
    assert_eq!(shown.json(), json!({ "address": "alice@example.test", "csrf": first.csrf }));
}

/// SEC-102
#[tokio::test]
async fn an_id_that_was_planted_is_not_taken_and_the_former_session_ends() {
    let world = World::new();
    let former = sign_in(&world, "bob").await;
    let planted = format!("umbel-session={}", "ab".repeat(32));
    for shown in [&planted, &former.cookie] {
        let request = sign_in_request().header("Cookie", shown);
        let answer = world.send(request.body(credentials("alice", PASSWORD)).unwrap()).await;
        assert_eq!(answer.status, 201);
        assert!(!answer.header("set-cookie").starts_with(shown.as_str()));
    }
    assert!(!Browser { cookie: planted, csrf: String::new() }.is_signed_in(&world).await);
    assert!(!former.is_signed_in(&world).await);
}

/// SEC-98, SEC-102: a page that was open before somebody signed in anew in another tab shows the new cookie with its old
/// token. It changes nothing with that, and is told the new one only where it asks from our own site.
#[tokio::test]
async fn a_page_of_before_is_refused_with_its_old_token_and_goes_on_with_that_of_the_new_session() {
    let world = World::new();
    let former = sign_in(&world, "alice").await;
    let request = sign_in_request().header("Cookie", &former.cookie);
    let answer = world.send(request.body(credentials("alice", PASSWORD)).unwrap()).await;
    let anew = browser(&answer);
    let refused = anew.sign_out(&world, Some(&former.csrf), Some(OURS)).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "cross-site"));
    for (name, value) in [("Sec-Fetch-Site", "cross-site"), ("Origin", "http://evil.test")] {
        let request = Request::get("/api/v1/session")
            .header("Host", "127.0.0.1:8080")
            .header("Cookie", &anew.cookie)
            .header(name, value);
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.text().contains(&anew.csrf)), (403, false), "{name}");
    }
    let told = anew.get(&world, "/api/v1/session").await.json();
    assert_eq!(told, json!({ "address": "alice@example.test", "csrf": anew.csrf }));
    assert_eq!(anew.sign_out(&world, told["csrf"].as_str(), Some(OURS)).await.status, 204);
}

/// SEC-103
#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_get_the_same_answer_and_no_challenge() {
    let world = World::new();
    let wrong = try_to_sign_in(&world, "alice", "wrong").await;
    let unknown = try_to_sign_in(&world, "nobody", "wrong").await;
    let elsewhere = try_to_sign_in(&world, "alice@elsewhere.test", PASSWORD).await;
    let nonsense = try_to_sign_in(&world, "a b@@", PASSWORD).await;
    for answer in [&wrong, &unknown, &elsewhere, &nonsense] {
        assert_eq!((answer.status.as_u16(), answer.text()), (401, wrong.text()));
        assert_eq!(answer.code(), "wrong-password");
        assert_eq!((answer.header("www-authenticate"), answer.header("set-cookie")), ("", ""));
    }
    assert_eq!(try_to_sign_in(&world, "alice", "").await.status, 401);
    let request = sign_in_request().body(Body::from("address=alice")).unwrap();
    assert_eq!(world.send(request).await.code(), "bad-request");
}

/// SEC-85, SEC-103: one counter for all doors of the web.
#[tokio::test]
async fn five_wrong_passwords_lock_the_page_and_the_api() {
    let world = World::new();
    for _ in 0..5 {
        assert_eq!(try_to_sign_in(&world, "alice", "wrong").await.status, 401);
    }
    assert_eq!(try_to_sign_in(&world, "alice", PASSWORD).await.status, 401);
    assert_eq!(world.get("alice", PRIVATE).await.status, 401);
    sign_in(&world, "bob").await;
    *world.now.lock().unwrap() = NOON + Duration::from_secs(15 * 60);
    sign_in(&world, "alice").await;
}

/// SEC-98
#[tokio::test]
async fn nobody_is_signed_in_from_another_site() {
    let world = World::new();
    for origin in [None, Some("http://evil.test"), Some("null")] {
        let mut request = Request::post("/api/v1/session").header("Host", "127.0.0.1:8080");
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        let answer = world.send(request.body(credentials("alice", PASSWORD)).unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "cross-site"), "{origin:?}");
        assert_eq!(answer.header("set-cookie"), "");
    }
    assert_eq!(*world.compared.lock().unwrap(), 0, "no password was looked at");
}

/// SEC-98, SEC-102
#[tokio::test]
async fn signing_out_needs_the_token_and_our_origin_and_ends_the_session_here() {
    let world = World::new();
    let alice = sign_in(&world, "alice").await;
    let other = sign_in(&world, "alice").await;
    for (token, origin) in [
        (None, Some(OURS)),
        (Some(other.csrf.as_str()), Some(OURS)),
        (Some(alice.csrf.as_str()), None),
        (Some(alice.csrf.as_str()), Some("http://evil.test")),
    ] {
        let answer = alice.sign_out(&world, token, origin).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "cross-site"), "{origin:?}");
        assert!(alice.is_signed_in(&world).await);
    }
    let answer = alice.sign_out(&world, Some(&alice.csrf), Some(OURS)).await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    assert!(!alice.is_signed_in(&world).await && other.is_signed_in(&world).await);
    let shown = alice.get(&world, "/api/v1/session").await;
    assert_eq!((shown.status.as_u16(), shown.json()), (200, json!({ "address": null, "csrf": null })));
}

/// SEC-97: whoever shows an old session is not asked for a password by the browser; whoever shows none is.
#[tokio::test]
async fn an_old_session_is_refused_without_a_challenge() {
    let world = World::new();
    let alice = sign_in(&world, "alice").await;
    *world.now.lock().unwrap() = NOON + IDLE_MAX;
    let answer = alice.get(&world, PRIVATE).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "session-over"));
    assert_eq!(answer.header("www-authenticate"), "");
    // Nor is the browser's cookie touched: it may be that of another tab by now.
    let shown = alice.get(&world, "/api/v1/session").await;
    assert_eq!((shown.json()["csrf"].is_null(), shown.header("set-cookie")), (true, ""));
    let nobody = world.send(Request::get(PRIVATE).body(Body::empty()).unwrap()).await;
    assert_eq!(nobody.status, 401);
    assert!(nobody.header("www-authenticate").starts_with("Basic "));
}

/// SEC-102
#[tokio::test]
async fn use_keeps_a_session_alive_up_to_twelve_hours() {
    let world = World::new();
    let alice = sign_in(&world, "alice").await;
    let step = IDLE_MAX.checked_sub(Duration::from_secs(1)).unwrap();
    let mut passed = Duration::ZERO;
    while passed + step < LIFE_MAX {
        passed += step;
        *world.now.lock().unwrap() = NOON + passed;
        assert!(alice.is_signed_in(&world).await);
    }
    *world.now.lock().unwrap() = NOON + LIFE_MAX;
    assert!(!alice.is_signed_in(&world).await);
}

/// SEC-102: messages that arrive on a page that is left open do not keep its session alive.
#[tokio::test]
async fn what_nobody_clicked_for_is_no_use_of_a_session() {
    let world = World::new();
    let alice = sign_in(&world, "alice").await;
    *world.now.lock().unwrap() = NOON + IDLE_MAX / 2;
    for (name, value) in [("X-Umbel-Background", "yes"), ("Accept", "text/event-stream")] {
        let request = Request::get("/api/v1/me")
            .header("Host", "127.0.0.1:8080")
            .header("Cookie", &alice.cookie)
            .header(name, value);
        assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status, 200);
    }
    *world.now.lock().unwrap() = NOON + IDLE_MAX;
    assert!(!alice.is_signed_in(&world).await);
}

/// SEC-102
#[tokio::test]
async fn a_new_password_a_new_pin_a_lock_and_a_disabled_mailbox_end_all_sessions() {
    type Change = fn(&World);
    let password: Change = |world| {
        let password = Password::new("another").unwrap();
        world.store(|store| store.set_password(&address("alice"), &password, &author(), NOON)).unwrap();
    };
    let pin: Change = |world| {
        let pin = NewPin::Own(Pin::new("582913").unwrap());
        world.store(|store| store.set_pin(&address("alice"), &pin, &author(), NOON)).unwrap();
    };
    let disabled: Change = |world| {
        let changes = [UserChange::Enabled(false)];
        world.store(|store| store.change_user(&address("alice"), &changes, &author(), NOON)).unwrap();
    };
    let removed: Change = |world| {
        world.store(|store| store.remove_user(&address("alice"), &author(), NOON)).unwrap();
    };
    for change in [password, pin, disabled, removed] {
        let world = World::new();
        let (first, second) = (sign_in(&world, "alice").await, sign_in(&world, "alice").await);
        let bob = sign_in(&world, "bob").await;
        change(&world);
        assert!(!first.is_signed_in(&world).await && !second.is_signed_in(&world).await);
        assert!(bob.is_signed_in(&world).await);
    }
    let world = World::new();
    let alice = sign_in(&world, "alice").await;
    for _ in 0..5 {
        try_to_sign_in(&world, "alice", "wrong").await;
    }
    assert!(!alice.is_signed_in(&world).await);
    // It does not come back when the lock ends.
    *world.now.lock().unwrap() = NOON + Duration::from_secs(15 * 60);
    assert!(!alice.is_signed_in(&world).await);
}

/// DEC-36, SEC-102
#[tokio::test]
async fn in_clear_nobody_signs_in_from_elsewhere_and_under_tls_the_cookie_is_the_hosts() {
    let world = World::new();
    let far = Client {
        remote: "192.0.2.9:50000".parse().unwrap(),
        local: "192.0.2.7:8080".parse().unwrap(),
        is_encrypted: false,
    };
    let request = |origin: &str| {
        Request::post("/api/v1/session")
            .header("Host", "mail.example.test")
            .header("Origin", origin)
            .body(credentials("alice", PASSWORD))
            .unwrap()
    };
    let answer = world.send_from(far, request("http://mail.example.test")).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "tls-required"));
    let tls = Client { is_encrypted: true, ..far };
    let answer = world.send_from(tls, request("https://mail.example.test")).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(answer.header("set-cookie").starts_with("__Host-umbel-session="));
    assert!(answer.header("set-cookie").contains("; Secure;"));
}

/// SEC-97, SEC-98: a session is good for the API, for one's own mailbox, and to change something with the token.
#[tokio::test]
async fn a_session_reads_the_api_and_changes_with_the_token() {
    let world = World::new();
    let alice = sign_in(&world, "alice").await;
    assert_eq!(alice.get(&world, "/api/v1/me").await.json()["address"], "alice@example.test");
    let change = |token: Option<&str>| {
        let mut request = Request::patch("/api/v1/me")
            .header("Host", "127.0.0.1:8080")
            .header("Origin", OURS)
            .header("Content-Type", "application/json")
            .header("Cookie", &alice.cookie);
        if let Some(token) = token {
            request = request.header("X-CSRF-Token", token);
        }
        request.body(Body::from(json!({ "missed_call_notices": false }).to_string())).unwrap()
    };
    let refused = world.send(change(None)).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "cross-site"));
    assert_eq!(alice.get(&world, "/api/v1/me").await.json()["missed_call_notices"], true);
    assert_eq!(world.send(change(Some(&alice.csrf))).await.status, 200);
    assert_eq!(alice.get(&world, "/api/v1/me").await.json()["missed_call_notices"], false);
}

/// SEC-97: a wrong password beside a good session is a wrong password.
#[tokio::test]
async fn credentials_count_more_than_a_session() {
    let world = World::new();
    let alice = sign_in(&world, "alice").await;
    let request = Request::get("/api/v1/me")
        .header("Host", "127.0.0.1:8080")
        .header("Cookie", &alice.cookie)
        .header("Authorization", "Basic Ym9iOndyb25n");
    assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status, 401);
}
