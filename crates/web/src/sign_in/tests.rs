//! Who is let in, at what cost, and who is not.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use umbel_store::{Password, UserChange};

use super::*;
use crate::testing::{Answer, NOON, PASSWORD, World, address, author};

const ME: &str = "/api/v1/me";

async fn try_with(world: &World, user: &str, password: &str) -> Answer {
    let credentials = STANDARD.encode(format!("{user}@example.test:{password}"));
    let request = Request::builder().uri(ME).header("Authorization", format!("Basic {credentials}"));
    world.send(request.body(Body::empty()).unwrap()).await
}

fn compared(world: &World) -> usize {
    *world.compared.lock().unwrap()
}

/// SEC-97
#[tokio::test]
async fn without_credentials_everybody_is_asked_for_them() {
    let world = World::new();
    let answer = world.send(Request::get(ME).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("www-authenticate"), CHALLENGE);
    assert_eq!(answer.code(), "unauthorized");
    assert_eq!(compared(&world), 0);
}

/// SEC-103: a wrong password, an unknown user, a disabled and a locked one: nobody is told which.
#[tokio::test]
async fn whoever_is_not_let_in_is_not_told_why() {
    let world = World::new();
    world.store(|store| {
        store.change_user(&address("bob"), &[UserChange::Enabled(false)], &author(), NOON).unwrap();
    });
    let wrong = try_with(&world, "alice", "wrong").await;
    let unknown = try_with(&world, "nobody", PASSWORD).await;
    let disabled = try_with(&world, "bob", PASSWORD).await;
    for answer in [&unknown, &disabled] {
        assert_eq!((answer.status, &answer.body), (wrong.status, &wrong.body));
        assert_eq!(answer.headers, wrong.headers);
    }
    assert_eq!((wrong.status, compared(&world)), (StatusCode::UNAUTHORIZED, 3), "each costs Argon2");
    for _ in 0..4 {
        try_with(&world, "alice", "wrong").await;
    }
    let locked = try_with(&world, "alice", PASSWORD).await;
    assert_eq!((locked.status, &locked.body), (wrong.status, &wrong.body));
}

/// DEC-34
#[tokio::test(start_paused = true)]
async fn a_right_password_costs_argon2_once_in_five_minutes_and_a_wrong_one_always() {
    let world = World::new();
    for _ in 0..10 {
        assert_eq!(try_with(&world, "alice", PASSWORD).await.status, StatusCode::OK);
    }
    assert_eq!(compared(&world), 1);
    for n in 2..=4 {
        assert_eq!(try_with(&world, "alice", "wrong").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(compared(&world), n);
    }
    tokio::time::advance(Duration::from_secs(301)).await;
    assert_eq!(try_with(&world, "alice", PASSWORD).await.status, StatusCode::OK);
    assert_eq!(compared(&world), 5);
}

/// DEC-34: forgotten on change, lock, disabling and removal, whoever did it.
#[tokio::test]
async fn a_remembered_password_is_forgotten_at_once() {
    let world = World::new();
    let ok = async || try_with(&world, "alice", PASSWORD).await.status == StatusCode::OK;
    let alice = address("alice");
    assert!(ok().await);
    world.store(|store| {
        store.set_password(&alice, &Password::new("other").unwrap(), &author(), NOON).unwrap();
    });
    assert!(!ok().await);
    world.store(|store| {
        store.set_password(&alice, &Password::new(PASSWORD).unwrap(), &author(), NOON).unwrap();
    });
    assert!(ok().await);
    for _ in 0..5 {
        try_with(&world, "alice", "wrong").await;
    }
    assert!(!ok().await, "locked");
    world.store(|store| store.unlock(&alice, &author(), NOON).unwrap());
    assert!(ok().await);
    let enable = |on| {
        world.store(|store| drop(store.change_user(&alice, &[UserChange::Enabled(on)], &author(), NOON)));
    };
    enable(false);
    assert!(!ok().await, "disabled");
    enable(true);
    world.store(|store| store.remove_user(&alice, &author(), NOON).unwrap());
    assert!(!ok().await, "removed");
}

/// SEC-103
#[tokio::test(start_paused = true)]
async fn after_twenty_wrong_passwords_a_minute_an_address_waits() {
    let world = World::new();
    let elsewhere = Client {
        remote: "192.0.2.9:50000".parse().unwrap(),
        local: "192.0.2.1:8443".parse().unwrap(),
        is_encrypted: true,
    };
    let here = Client { remote: "127.0.0.1:50000".parse().unwrap(), ..elsewhere };
    for n in 0..20 {
        let password = Password::new("wrong").unwrap();
        let outcome = world.desk.sign_in(elsewhere, address(&format!("nobody{n}")), password).await;
        assert_eq!(outcome.unwrap_err(), NotSignedIn::Unknown);
    }
    let request = || world.request("alice", "GET", ME).body(Body::empty()).unwrap();
    let answer = world.send_from(elsewhere, request()).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "too-many-attempts"));
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=61).contains(&seconds), "{seconds}");
    assert_eq!(compared(&world), 20, "nothing was compared");
    assert_eq!(world.send_from(here, request()).await.status, StatusCode::OK);
    tokio::time::advance(Duration::from_secs(seconds)).await;
    assert_eq!(world.send_from(elsewhere, request()).await.status, StatusCode::OK);
}

/// SEC-103, DEC-6: behind a proxy on this machine a guesser shuts nobody else out.
#[tokio::test(start_paused = true)]
async fn wrong_passwords_from_this_machine_shut_out_the_account_they_are_for() {
    let world = World::new();
    for n in 0..25 {
        let status = try_with(&world, "nobody", "wrong").await.status;
        let expected = if n < 20 { StatusCode::UNAUTHORIZED } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!(status, expected, "{n}");
    }
    assert_eq!(try_with(&world, "alice", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn passwords_are_not_taken_in_clear_from_other_machines() {
    let world = World::new();
    let client = |is_encrypted| Client {
        remote: "192.0.2.9:50000".parse().unwrap(),
        local: "192.0.2.1:8080".parse().unwrap(),
        is_encrypted,
    };
    let request = || world.request("alice", "GET", ME).body(Body::empty()).unwrap();
    let answer = world.send_from(client(false), request()).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "tls-required"));
    assert_eq!(answer.header("www-authenticate"), "", "nobody is asked for what is not taken");
    assert_eq!(compared(&world), 0);
    assert_eq!(world.send_from(client(true), request()).await.status, StatusCode::OK);
}

/// SEC-85: whoever is wrong thirty times an hour is not listened to. What asks from this machine may be a proxy
/// that speaks for many (DEC-6).
#[tokio::test(start_paused = true)]
async fn a_caller_that_is_locked_waits_and_this_machine_is_not_locked_as_a_whole() {
    let world = World::new();
    let elsewhere = Client {
        remote: "192.0.2.9:50000".parse().unwrap(),
        local: "192.0.2.1:8443".parse().unwrap(),
        is_encrypted: true,
    };
    let here = Client { remote: "127.0.0.1:50000".parse().unwrap(), ..elsewhere };
    for n in 0..30 {
        let nobody = || (address(&format!("nobody{n}")), Password::new("wrong").unwrap());
        for client in [elsewhere, here] {
            let (address, password) = nobody();
            let outcome = world.desk.sign_in(client, address, password).await;
            assert_eq!(outcome.unwrap_err(), NotSignedIn::Unknown, "{n}");
        }
        tokio::time::advance(Duration::from_secs(60)).await;
    }
    let alice = || (address("alice"), Password::new(PASSWORD).unwrap());
    let (address, password) = alice();
    let refused = world.desk.sign_in(elsewhere, address, password).await.unwrap_err();
    assert!(matches!(refused, NotSignedIn::TooMany(_)), "{refused:?}");
    let (address, password) = alice();
    assert!(world.desk.sign_in(here, address, password).await.is_ok());
}
