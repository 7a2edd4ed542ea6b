//! Secrets by the API: what the old one opens, what a wrong one closes.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use umbel_store::conformance::attempt;
use umbel_store::{Author, Event, Pin, Verdict};

use crate::testing::{Answer, NOON, PASSWORD, World, address, author};

const PIN: &str = "274950";
const OTHER_PIN: &str = "618305";
const OTHER_PASSWORD: &str = "battery staple";

async fn put(world: &World, user: &str, what: &str, current: &str, new: &str) -> Answer {
    let body = json!({"current": current, "new": new});
    world.json(user, "PUT", &format!("/api/v1/me/{what}"), &body).await
}

async fn me_with(world: &World, password: &str) -> StatusCode {
    let credentials = STANDARD.encode(format!("alice@example.test:{password}"));
    let request = Request::get("/api/v1/me").header("Authorization", format!("Basic {credentials}"));
    world.send(request.body(Body::empty()).unwrap()).await.status
}

fn opens(world: &World, digits: &str) -> bool {
    let verdict = world.store(|store| store.check_pin(&attempt(&address("alice"), digits, NOON))).unwrap();
    matches!(verdict, Verdict::Right { .. })
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}

/// SEC-83, DEC-14
#[tokio::test]
async fn whoever_knows_the_pin_chooses_another() {
    let world = World::new();
    let changed = put(&world, "alice", "pin", PIN, OTHER_PIN).await;
    assert_eq!((changed.status, changed.body.len()), (StatusCode::NO_CONTENT, 0), "{}", changed.text());
    assert!(opens(&world, OTHER_PIN) && !opens(&world, PIN));
    let trail = world.store(|store| store.audit_records(&address("alice"))).unwrap();
    let line = trail.iter().rfind(|line| line.event == Event::PinChanged { generated: false }).unwrap();
    assert_eq!(line.author, Some(Author::OwnerByWeb));
    assert_eq!(world.get("alice", "/api/v1/me").await.json()["pin_state"], "own");
    // The rules are those of the telephone.
    for weak in ["1234", "111111", "123456", PIN, OTHER_PIN] {
        let answer = put(&world, "alice", "pin", OTHER_PIN, weak).await;
        assert_eq!(code(&answer), (422, "weak-pin".to_owned()), "{weak}");
    }
    for (current, new) in [("", OTHER_PIN), ("27495x", OTHER_PIN), (OTHER_PIN, "six"), (OTHER_PIN, "")] {
        let answer = put(&world, "alice", "pin", current, new).await;
        assert_eq!(code(&answer), (422, "invalid".to_owned()), "{current} {new}");
    }
    assert!(opens(&world, OTHER_PIN), "what is no PIN at all is no guess, and nothing was changed");
}

/// SEC-85: a stolen session guesses no more than a telephone does.
#[tokio::test]
async fn guesses_of_the_current_pin_lock_the_telephones_door() {
    let world = World::new();
    for _ in 0..5 {
        let wrong = put(&world, "alice", "pin", "000000", OTHER_PIN).await;
        assert_eq!(code(&wrong), (403, "wrong-pin".to_owned()));
        assert_eq!(wrong.header("www-authenticate"), "", "the browser is not to ask");
    }
    let locked = put(&world, "alice", "pin", PIN, OTHER_PIN).await;
    assert_eq!(code(&locked), (429, "locked".to_owned()));
    let seconds: u64 = locked.header("retry-after").parse().unwrap();
    assert_eq!(seconds, 15 * 60 + 1);
    let by_telephone = attempt(&address("alice"), PIN, NOON);
    let verdict = world.store(|store| store.check_pin(&by_telephone)).unwrap();
    assert!(matches!(verdict, Verdict::Locked(_)), "{verdict:?}");
    world.store(|store| store.unlock(&address("alice"), &author(), NOON)).unwrap();
    assert_eq!(put(&world, "alice", "pin", PIN, OTHER_PIN).await.status, StatusCode::NO_CONTENT);
}

/// SEC-102, DEC-34, DEC-35
#[tokio::test]
async fn a_new_password_counts_from_the_next_request_on_for_the_web_and_for_telephones() {
    let world = World::new();
    let hashes = || world.store(|store| store.digest_hashes(&address("alice"))).unwrap();
    let before = hashes();
    assert_eq!(me_with(&world, PASSWORD).await, StatusCode::OK, "remembered from here on");
    let changed = put(&world, "alice", "password", PASSWORD, OTHER_PASSWORD).await;
    assert_eq!((changed.status, changed.body.len()), (StatusCode::NO_CONTENT, 0), "{}", changed.text());
    assert_eq!(me_with(&world, PASSWORD).await, StatusCode::UNAUTHORIZED);
    assert_eq!(me_with(&world, OTHER_PASSWORD).await, StatusCode::OK);
    assert!(before.is_some() && hashes().is_some() && before != hashes());
    assert!(opens(&world, PIN), "the PIN is another matter");
}

#[tokio::test]
async fn a_password_that_is_short_or_the_same_is_refused() {
    let world = World::new();
    for weak in ["seven77", "ééééééé", PASSWORD] {
        let answer = put(&world, "alice", "password", PASSWORD, weak).await;
        assert_eq!(code(&answer), (422, "weak-password".to_owned()), "{weak}");
    }
    assert_eq!(code(&put(&world, "alice", "password", PASSWORD, "").await), (422, "invalid".to_owned()));
    let long = "x".repeat(1_025);
    assert_eq!(code(&put(&world, "alice", "password", PASSWORD, &long).await), (422, "invalid".to_owned()));
    assert_eq!(me_with(&world, PASSWORD).await, StatusCode::OK);
    let eight = put(&world, "alice", "password", PASSWORD, "éééééééé").await;
    assert_eq!(eight.status, StatusCode::NO_CONTENT);
}

/// SEC-85, SEC-103
#[tokio::test]
async fn guesses_of_the_current_password_count_as_at_sign_in() {
    let world = World::new();
    for _ in 0..5 {
        let wrong = put(&world, "alice", "password", "guess", OTHER_PASSWORD).await;
        assert_eq!(code(&wrong), (403, "wrong-password".to_owned()));
    }
    // The web's door is locked: whoever is signed in is not any more.
    assert_eq!(put(&world, "alice", "password", PASSWORD, OTHER_PASSWORD).await.status, 401);
    tokio::time::pause();
    for n in 0..20 {
        let wrong = put(&world, "bob", "pin", "000000", OTHER_PIN).await;
        let expected = if n < 5 { (403, "wrong-pin".to_owned()) } else { (429, "locked".to_owned()) };
        assert_eq!(code(&wrong), expected, "{n}");
    }
    let waits = put(&world, "bob", "pin", PIN, OTHER_PIN).await;
    assert_eq!(code(&waits), (429, "too-many-attempts".to_owned()), "twenty a minute");
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(code(&put(&world, "bob", "pin", PIN, OTHER_PIN).await), (429, "locked".to_owned()));
}

/// A secret is in no answer, whatever is wrong with the request.
#[tokio::test]
async fn no_answer_repeats_a_secret() {
    let world = World::new();
    for (what, body) in [
        ("pin", json!({"current": PIN, "new": "123456"})),
        ("pin", json!({"current": "982134", "new": OTHER_PIN})),
        ("pin", json!({"current": 982_134, "new": OTHER_PIN})),
        ("pin", json!({"current": PIN, "new": OTHER_PIN, "also": OTHER_PIN})),
        ("password", json!({"current": "guess work", "new": OTHER_PASSWORD})),
        ("password", json!(["guess work", OTHER_PASSWORD])),
    ] {
        let answer = world.json("alice", "PUT", &format!("/api/v1/me/{what}"), &body).await;
        assert!(answer.status.is_client_error(), "{body}");
        for secret in ["274950", "982134", "123456", OTHER_PIN, "guess work", OTHER_PASSWORD] {
            assert!(!answer.text().contains(secret), "{body}: {}", answer.text());
        }
    }
}

/// [MS-OXWUMS] ResetPIN by other means; SEC-99, SEC-108
#[tokio::test]
async fn a_new_pin_is_mailed_at_the_owners_wish_and_at_the_administrators() {
    let own = "/api/v1/me/pin/reset";
    let bobs = "/api/v1/users/bob@example.test/pin/reset";
    let post = async |world: &World, user: &str, path: &str| world.json(user, "POST", path, &json!({})).await;
    let world = World::new();
    assert_eq!(code(&post(&world, "alice", own).await), (409, "mail-not-set-up".to_owned()));
    let world = World::with_mail();
    assert_eq!(code(&post(&world, "alice", own).await), (409, "no-mail-address".to_owned()));
    for user in ["alice", "bob"] {
        let email = json!({"email": format!("{user}@mail.example.test")});
        world.json("carol", "PATCH", &format!("/api/v1/users/{user}"), &email).await;
    }
    for _ in 0..3 {
        let reset = post(&world, "alice", own).await;
        assert_eq!((reset.status, reset.body.len()), (StatusCode::NO_CONTENT, 0), "{}", reset.text());
    }
    assert_eq!(code(&post(&world, "alice", own).await), (429, "too-many-pin-resets".to_owned()));
    assert!(!opens(&world, PIN));
    assert_eq!(code(&post(&world, "alice", bobs).await), (403, "administrators-only".to_owned()));
    assert_eq!(post(&world, "carol", bobs).await.status, StatusCode::NO_CONTENT);
    let nobodys = "/api/v1/users/nobody/pin/reset";
    assert_eq!(code(&post(&world, "carol", nobodys).await), (404, "not-found".to_owned()));
    let mails = world.store(|store| store.due_mails(NOON)).unwrap();
    let told = |user: &str| {
        let mail = mails.iter().find(|mail| mail.owner.address == address(user)).unwrap();
        match &mail.tidings {
            umbel_store::Tidings::NewPin { pin: Some(pin), .. } => Pin::clone(pin),
            other => panic!("{other:?}"),
        }
    };
    assert!(opens(&world, told("alice").reveal()));
    assert!(told("bob") != told("alice"));
}

/// SEC-85, SEC-108
#[tokio::test]
async fn administrators_unlock_whom_wrong_secrets_locked_out() {
    let world = World::new();
    let path = |user: &str| format!("/api/v1/users/{user}/unlock");
    let post = async |user: &str, path: &str| world.json(user, "POST", path, &json!({})).await;
    for _ in 0..5 {
        assert_eq!(
            code(&put(&world, "bob", "pin", "111222", OTHER_PIN).await),
            (403, "wrong-pin".to_owned())
        );
    }
    assert_eq!(code(&put(&world, "bob", "pin", PIN, OTHER_PIN).await), (429, "locked".to_owned()));
    assert_eq!(code(&post("alice", &path("bob")).await), (403, "administrators-only".to_owned()));
    // Who is locked out is told to administrators, and nobody else is said to be.
    let bob = world.get("carol", "/api/v1/users/bob").await.json();
    let until = crate::api::time::iso_8601(NOON + std::time::Duration::from_secs(15 * 60));
    assert_eq!((&bob["locked"], &bob["locked_until"]), (&json!(true), &json!(until)));
    let all = world.get("carol", "/api/v1/users").await.json();
    for user in all["users"].as_array().unwrap() {
        assert_eq!(user["locked"], user["address"] == "bob@example.test", "{user}");
    }
    assert_eq!(world.get("bob", "/api/v1/me").await.json()["locked"], true);
    assert_eq!(world.get("alice", "/api/v1/me").await.json()["locked"], false);
    assert_eq!(code(&put(&world, "bob", "pin", PIN, OTHER_PIN).await), (429, "locked".to_owned()));
    assert_eq!(post("carol", &path("bob")).await.status, StatusCode::NO_CONTENT);
    let bob = world.get("carol", "/api/v1/users/bob").await.json();
    assert_eq!((&bob["locked"], &bob["locked_until"]), (&json!(false), &serde_json::Value::Null));
    assert_eq!(put(&world, "bob", "pin", PIN, OTHER_PIN).await.status, StatusCode::NO_CONTENT);
    assert_eq!(code(&post("carol", &path("nobody")).await), (404, "not-found".to_owned()));
}

/// SEC-85: a lock without an end is told as one.
#[tokio::test]
async fn a_lock_that_only_an_administrator_ends_has_no_time() {
    let world = World::new();
    for n in 1..=15_u64 {
        *world.now.lock().unwrap() = NOON + std::time::Duration::from_secs(n * 25 * 3_600);
        let wrong = umbel_store::Attempt {
            mailbox: address("bob"),
            secret: umbel_store::Pin::new("111222").unwrap(),
            caller: format!("+1555010{n}"),
            call_id: None,
            at: world.desk.now(),
        };
        world.store(|store| store.check_pin(&wrong)).unwrap();
    }
    let bob = world.get("carol", "/api/v1/users/bob").await.json();
    assert_eq!((&bob["locked"], &bob["locked_until"]), (&json!(true), &serde_json::Value::Null));
}

/// Calls to a pilot lead to voice mail, whoever is named like it.
#[tokio::test]
async fn nobody_is_named_like_a_pilot() {
    let world = World::new();
    let pilot = world.desk.settings().telephone_access_numbers[0].clone();
    let refused = (422, "name-is-pilot".to_owned());
    let new = |user: &str| json!({ "address": format!("{user}@example.test") });
    let post = async |body| world.json("carol", "POST", "/api/v1/users", &body).await;
    assert_eq!(code(&post(new(&pilot)).await), refused);
    assert_eq!(world.get("carol", &format!("/api/v1/users/{pilot}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(post(new(&format!("{pilot}0"))).await.status, StatusCode::CREATED);
    world.desk.set_settings(crate::Settings {
        telephone_access_numbers: vec!["5000".into(), "alice".into()],
        ..crate::Settings::clone(&world.desk.settings())
    });
    let set = async |body| world.json("carol", "PATCH", "/api/v1/users/alice", &body).await;
    assert_eq!(code(&set(json!({ "extension": "5000" })).await), refused);
    // Who bears such a name since the configuration was changed can still be switched off.
    assert_eq!(set(json!({ "extension": "5001", "enabled": false })).await.status, StatusCode::OK);
}
