//! What is told over streams: to whom, when, and until when.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::pin::pin;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::Request;
use axum::response::Response;
use serde_json::{Value, json};
use tower::ServiceExt;
use umbel_play_on_phone::{CallState, EventCause, News, PhoneCallId, Played, Status};
use umbel_store::{AudioFormat, Begin, Caller, Finish, Importance, MessageId, NewPin, Pin, Purpose};

use crate::Client;
use crate::testing::{NOON, PASSWORD, World, address, author};

/// One's own page, open in a browser.
struct Listener {
    body: Body,
    read: String,
}

impl Listener {
    /// The next event: its name (of a plain message none) and data; `None` at the end. Comments are passed over.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                if let Some(data) = field("data: ") {
                    let data = serde_json::from_str(&data).unwrap();
                    return Some((field("event: ").unwrap_or_default(), data));
                }
                continue;
            }
            let frame = std::future::poll_fn(|context| pin!(&mut self.body).poll_frame(context)).await?;
            let octets = frame.unwrap().into_data().unwrap();
            self.read.push_str(std::str::from_utf8(&octets).unwrap());
        }
    }
}

async fn respond(world: &World, mut request: Request<Body>) -> Response {
    let client = Client {
        remote: "127.0.0.1:50000".parse().unwrap(),
        local: "127.0.0.1:8080".parse().unwrap(),
        is_encrypted: false,
    };
    request.extensions_mut().insert(client);
    crate::front::app(world.desk.clone()).oneshot(request).await.unwrap()
}

/// By password, without a session.
async fn listen(world: &World, user: &str, path: &str) -> Listener {
    let response = respond(world, world.request(user, "GET", path).body(Body::empty()).unwrap()).await;
    listener(response)
}

fn listener(response: Response) -> Listener {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-store");
    Listener { body: response.into_body(), read: String::new() }
}

/// Alice's browser: its cookie.
async fn signed_in(world: &World) -> String {
    let body = json!({ "address": "alice", "password": PASSWORD }).to_string();
    let request = Request::post("/api/v1/session")
        .header("Host", "127.0.0.1:8080")
        .header("Origin", "http://127.0.0.1:8080")
        .body(Body::from(body))
        .unwrap();
    let response = respond(world, request).await;
    assert_eq!(response.status(), 201);
    response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

async fn listen_in_session(world: &World, cookie: &str) -> Listener {
    let request = Request::get("/api/v1/events").header("Host", "127.0.0.1:8080").header("Cookie", cookie);
    listener(respond(world, request.body(Body::empty()).unwrap()).await)
}

async fn call(world: &World) -> PhoneCallId {
    let played = Played::Message("00112233445566778899aabbccddeeff".parse().unwrap());
    world.desk.phone_calls.play(address("alice"), played, None).await.unwrap()
}

fn status(state: CallState, cause: EventCause, response: Option<(u16, &str)>) -> News {
    let response = response.map(|(code, reason)| (code, reason.to_owned()));
    News::Standing(Status { state, cause, response })
}

/// POP-1 and DEC-26, as a page sees them.
#[tokio::test]
async fn each_change_of_a_call_is_told_to_its_end() {
    let world = World::new();
    let id = call(&world).await;
    let mut told = listen(&world, "alice", &format!("/api/v1/play-on-phone/{id}/events")).await;
    let tell = |news| world.desk.phone_calls.news(id, news);
    let standing = |state: &str, cause: &str, code: Value, reason: Value| {
        let data = json!({
            "id": id.to_string(), "state": state, "cause": cause, "sip_code": code, "sip_reason": reason,
        });
        Some((String::new(), data))
    };
    assert_eq!(told.next().await, standing("Connecting", "None", Value::Null, Value::Null));
    tell(status(CallState::Alerted, EventCause::None, Some((180, "Ringing"))));
    assert_eq!(told.next().await, standing("Alerted", "None", json!(180), json!("Ringing")));
    tell(status(CallState::Disconnected, EventCause::UserBusy, Some((486, "Busy Here"))));
    assert_eq!(told.next().await, standing("Disconnected", "UserBusy", json!(486), json!("Busy Here")));
    assert_eq!(told.next().await, None);
    // Whoever comes late hears the end.
    let mut late = listen(&world, "alice", &format!("/api/v1/play-on-phone/{id}/events")).await;
    assert_eq!(late.next().await, standing("Disconnected", "UserBusy", json!(486), json!("Busy Here")));
    assert_eq!(late.next().await, None);
}

/// SEC-99
#[tokio::test]
async fn anothers_call_is_as_unknown_as_none() {
    let world = World::new();
    let id = call(&world).await;
    let foreign = world.get("bob", &format!("/api/v1/play-on-phone/{id}/events")).await;
    let none = world.get("bob", &format!("/api/v1/play-on-phone/{}/events", "0".repeat(32))).await;
    let nonsense = world.get("bob", "/api/v1/play-on-phone/../events").await;
    assert_eq!((foreign.status.as_u16(), foreign.text()), (404, none.text()));
    assert_eq!(nonsense.status, 404);
}

/// Leaves a message, as the unified messaging server does.
fn leave_message(world: &World, number: u8) -> MessageId {
    let id = MessageId::from_bytes([number; 16]);
    world.store(|store| {
        let begin = Begin {
            id,
            mailbox: address("alice"),
            purpose: Purpose::Message {
                caller: Caller { id: "102".into(), name: None, verified: true },
                subject: String::new(),
                importance: Importance::Normal,
            },
            format: AudioFormat::Pcmu,
            call_id: format!("call-{number}"),
            at: NOON,
        };
        store.begin(&begin).unwrap();
        store.append(id, &[0x55; 16_000]).unwrap();
        store.finish(&Finish { id, importance: Importance::Normal, keep: None, at: NOON }).unwrap();
    });
    id
}

fn counts(new: u32, old: u32, deleted: u32) -> Option<(String, Value)> {
    Some(("counts".to_owned(), json!({ "new": new, "old": old, "deleted": deleted })))
}

#[tokio::test(start_paused = true)]
async fn the_counts_are_told_at_once_and_whenever_the_mailbox_changes() {
    let world = World::new();
    let mut told = listen(&world, "alice", "/api/v1/events").await;
    let mut bob = listen(&world, "bob", "/api/v1/events").await;
    assert_eq!(told.next().await, counts(0, 0, 0));
    assert_eq!(bob.next().await, counts(0, 0, 0));
    let id = leave_message(&world, 1);
    assert_eq!(told.next().await, counts(1, 0, 0));
    world.store(|store| store.mark_heard(&address("alice"), id, true)).unwrap();
    assert_eq!(told.next().await, counts(0, 1, 0));
    world.store(|store| store.delete_message(&address("alice"), id, &author(), NOON)).unwrap();
    assert_eq!(told.next().await, counts(0, 0, 1));
    // Bob heard nothing of all that.
    let silence = tokio::time::timeout(Duration::from_secs(60), bob.next()).await;
    assert!(silence.is_err());
}

#[tokio::test(start_paused = true)]
async fn who_comes_when_all_others_have_left_hears_of_changes_too() {
    let world = World::new();
    let mut first = listen(&world, "alice", "/api/v1/events").await;
    assert_eq!(first.next().await, counts(0, 0, 0));
    drop(first);
    tokio::time::advance(Duration::from_secs(60)).await;
    leave_message(&world, 1);
    let mut second = listen(&world, "alice", "/api/v1/events").await;
    assert_eq!(second.next().await, counts(1, 0, 0));
    leave_message(&world, 2);
    assert_eq!(second.next().await, counts(2, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_third_page_of_a_browser_takes_the_place_of_the_first() {
    let world = World::new();
    let cookie = signed_in(&world).await;
    let mut first = listen_in_session(&world, &cookie).await;
    assert_eq!(first.next().await, counts(0, 0, 0));
    let mut second = listen_in_session(&world, &cookie).await;
    assert_eq!(second.next().await, counts(0, 0, 0));
    let mut third = listen_in_session(&world, &cookie).await;
    assert_eq!(third.next().await, counts(0, 0, 0));
    assert_eq!(first.next().await, Some(("superseded".to_owned(), Value::Null)));
    assert_eq!(first.next().await, None);
    leave_message(&world, 1);
    assert_eq!(second.next().await, counts(1, 0, 0));
    assert_eq!(third.next().await, counts(1, 0, 0));
}

/// SEC-102, SEC-111
#[tokio::test(start_paused = true)]
async fn a_session_that_is_over_is_told_so_and_nothing_else() {
    let world = World::new();
    let cookie = signed_in(&world).await;
    let mut told = listen_in_session(&world, &cookie).await;
    assert_eq!(told.next().await, counts(0, 0, 0));
    let pin = NewPin::Own(Pin::new("582913").unwrap());
    world.store(|store| store.set_pin(&address("alice"), &pin, &author(), NOON)).unwrap();
    leave_message(&world, 1);
    assert_eq!(told.next().await, Some(("signed-out".to_owned(), Value::Null)));
    assert_eq!(told.next().await, None);
}

/// SEC-102, DEC-34: a stream outlives no password either.
#[tokio::test(start_paused = true)]
async fn whose_password_counts_no_more_is_told_nothing_else() {
    let world = World::new();
    let mut told = listen(&world, "alice", "/api/v1/events").await;
    assert_eq!(told.next().await, counts(0, 0, 0));
    leave_message(&world, 1);
    assert_eq!(told.next().await, counts(1, 0, 0));
    let password = umbel_store::Password::new("another one, quite long").unwrap();
    world.store(|store| store.set_password(&address("alice"), &password, &author(), NOON)).unwrap();
    leave_message(&world, 2);
    assert_eq!(told.next().await, Some(("signed-out".to_owned(), Value::Null)));
    assert_eq!(told.next().await, None);
}

/// SEC-102: a page that is left open does not keep its session alive.
#[tokio::test(start_paused = true)]
async fn listening_is_no_use_of_a_session() {
    let world = World::new();
    let cookie = signed_in(&world).await;
    let mut told = listen_in_session(&world, &cookie).await;
    assert_eq!(told.next().await, counts(0, 0, 0));
    *world.now.lock().unwrap() = NOON + super::session_table::IDLE_MAX;
    assert_eq!(told.next().await, Some(("signed-out".to_owned(), Value::Null)));
}

/// SEC-111
#[tokio::test]
async fn another_site_cannot_listen() {
    let world = World::new();
    let cookie = signed_in(&world).await;
    let request = Request::get("/api/v1/events")
        .header("Host", "127.0.0.1:8080")
        .header("Origin", "http://evil.test")
        .header("Cookie", cookie);
    assert_eq!(respond(&world, request.body(Body::empty()).unwrap()).await.status(), 403);
}

#[tokio::test]
async fn streams_are_bounded_for_each_user_and_end_with_the_program() {
    let world = World::new();
    let mut streams = Vec::new();
    for _ in 0..super::streams::STREAMS_PER_USER_MAX {
        streams.push(listen(&world, "alice", "/api/v1/events").await);
    }
    let refused = world.get("alice", "/api/v1/events").await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (429, "too-many-streams"));
    let mut bob = listen(&world, "bob", "/api/v1/events").await;
    assert_eq!(bob.next().await, counts(0, 0, 0));
    world.desk.streams.close();
    assert_eq!(bob.next().await, None);
    for mut stream in streams {
        while stream.next().await.is_some() {}
    }
    // Their places are free again.
    world.desk.streams.enter(&sample(&world).await).unwrap();
}

async fn sample(world: &World) -> crate::SignedIn {
    let password = umbel_store::Password::new(PASSWORD).unwrap();
    let client = Client {
        remote: "127.0.0.1:50000".parse().unwrap(),
        local: "127.0.0.1:8080".parse().unwrap(),
        is_encrypted: false,
    };
    world.desk.sign_in(client, address("alice"), password).await.unwrap()
}
