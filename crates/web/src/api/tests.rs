//! The API on a store in memory: what each answers, and to whom.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use axum::body::Body;
use axum::http::StatusCode;
use serde_json::{Value, json};
use umbel_play_on_phone::{News, PhoneCallId, Played, Refusal, Status};
use umbel_store::conformance::{self, deposit, id};
use umbel_store::{Caller, Decision, Finish, Importance, PinOutcome, Purpose, Ruling, Transport};

use crate::Ordered;
use crate::testing::{Answer, NOON, World, address, author};

/// Leaves messages of these ids for alice.
fn leave(world: &World, numbers: impl IntoIterator<Item = u128>) {
    for number in numbers {
        world.store(|store| deposit(store, id(number), &address("alice")).unwrap());
    }
}

fn ids(answer: &Answer) -> Vec<String> {
    let document = answer.json();
    let messages = document["messages"].as_array().unwrap();
    messages.iter().map(|message| message["id"].as_str().unwrap().to_owned()).collect()
}

fn path(number: u128, rest: &str) -> String {
    format!("/api/v1/messages/{}{rest}", id(number))
}

#[tokio::test]
async fn messages_are_listed_newest_first_page_by_page() {
    let world = World::new();
    leave(&world, 1..=5);
    let all = world.get("alice", "/api/v1/messages").await;
    let expected: Vec<String> = (1..=5).rev().map(|number| id(number).to_string()).collect();
    assert_eq!((ids(&all), all.json()["next"].clone()), (expected.clone(), Value::Null));
    let first = world.get("alice", "/api/v1/messages?limit=2").await;
    assert_eq!(ids(&first), expected[..2]);
    let next = first.json()["next"].as_u64().unwrap();
    let rest = world.get("alice", &format!("/api/v1/messages?limit=3&before={next}")).await;
    assert_eq!((ids(&rest), rest.json()["next"].clone()), (expected[2..].to_vec(), Value::Null));
    assert_eq!(ids(&world.get("bob", "/api/v1/messages").await), Vec::<String>::new());
}

/// Leaves a message that somebody else left about something else.
fn leave_from(world: &World, number: u128, caller: &str, subject: &str, importance: Importance) {
    let mut begin = conformance::begin(id(number), &address("alice"));
    let caller = Caller { id: "erin@example.test".into(), name: Some(caller.into()), verified: false };
    begin.purpose = Purpose::Message { caller, subject: subject.into(), importance };
    let finish = Finish { importance, ..conformance::finish(id(number)) };
    world.store(|store| {
        store.begin(&begin).unwrap();
        store.append(id(number), &conformance::speech(8_000)).unwrap();
        store.finish(&finish).unwrap();
    });
}

#[tokio::test]
async fn messages_are_found_by_caller_subject_and_importance() {
    let world = World::new();
    leave(&world, 1..=2);
    leave_from(&world, 3, "Érin O’Hara", "Budget 100%", Importance::High);
    leave_from(&world, 4, "Érin O’Hara", "Lunch", Importance::Low);
    let found = async |query: &str| {
        let answer = world.get("alice", &format!("/api/v1/messages?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
        ids(&answer)
    };
    let listed = |numbers: &[u128]| numbers.iter().map(|n| id(*n).to_string()).collect::<Vec<_>>();
    assert_eq!(found("search=lunch").await, listed(&[4, 2, 1]));
    assert_eq!(found("search=%C3%A9rin").await, listed(&[4, 3]), "whatever the case");
    assert_eq!(found("search=0100").await, listed(&[2, 1]), "by number");
    assert_eq!(found("search=erin%40+LUNCH").await, listed(&[4]), "every word");
    assert_eq!(found("search=100%25").await, listed(&[3]), "no sign stands for others");
    assert_eq!(found("search=bob%0Alunch").await, listed(&[2, 1]));
    assert_eq!(found("search=nobody").await, listed(&[]));
    assert_eq!(found("search=++").await, listed(&[4, 3, 2, 1]));
    assert_eq!(found("importance=high").await, listed(&[3]));
    assert_eq!(found("importance=low&search=lunch&state=new").await, listed(&[4]));
    assert_eq!(found(&format!("search={}", "x".repeat(256))).await, listed(&[]));
    let long = world.get("alice", &format!("/api/v1/messages?search={}", "x".repeat(257))).await;
    assert_eq!(long.status, StatusCode::BAD_REQUEST);
}

/// A page of what was found leads to the next one.
#[tokio::test]
async fn what_is_found_among_thousands_comes_in_pages() {
    let world = World::new();
    world.store(|store| {
        for number in 1..=2_500 {
            deposit(store, id(number), &address("alice")).unwrap();
            // A mailbox has a bound, and deleted messages do not count.
            store.delete_message(&address("alice"), id(number), &author(), NOON).unwrap();
        }
    });
    leave_from(&world, 2_501, "Erin", "late", Importance::Normal);
    let get = async |query: &str| {
        world.get("alice", &format!("/api/v1/messages?state=deleted&search=bob&{query}")).await
    };
    let mut all: Vec<String> = Vec::new();
    let mut answer = get("limit=500").await;
    loop {
        all.extend(ids(&answer));
        let Some(next) = answer.json()["next"].as_u64() else { break };
        answer = get(&format!("limit=500&before={next}")).await;
    }
    let expected: Vec<String> = (1..=2_500).rev().map(|number| id(number).to_string()).collect();
    assert_eq!(all, expected);
    assert_eq!(ids(&world.get("alice", "/api/v1/messages?search=late&limit=1").await).len(), 1);
}

#[tokio::test]
async fn queries_with_unknown_or_wrong_values_are_refused() {
    let world = World::new();
    for query in [
        "limit=0",
        "limit=501",
        "limit=x",
        "state=heard",
        "before=-1",
        "before=9007199254740992",
        "importance=urgent",
        "colour=red",
    ] {
        let answer = world.get("alice", &format!("/api/v1/messages?{query}")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_REQUEST, "bad-request"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_message_has_the_names_of_the_contract() {
    let world = World::new();
    leave(&world, [7]);
    let message = world.get("alice", &path(7, "")).await.json();
    let expected = json!({
        "id": id(7).to_string(), "mailbox": "alice@example.test", "number": 1,
        "caller": "+15550100", "caller_name": "Bob", "caller_verified": true,
        "subject": "Lunch", "importance": "normal", "received": "2026-09-21T14:13:20Z",
        "duration_seconds": 2.0, "state": "new", "incomplete": false, "damaged": false, "call_id": "call-1",
    });
    assert_eq!(message, expected);
}

#[tokio::test]
async fn a_message_is_heard_by_its_owners_word_and_by_nothing_else() {
    let world = World::new();
    leave(&world, [1]);
    let state = async || world.get("alice", &path(1, "")).await.json()["state"].clone();
    assert_eq!(world.get("alice", &path(1, "/audio")).await.status, StatusCode::OK);
    assert_eq!(state().await, "new");
    let heard = world.json("alice", "PATCH", &path(1, ""), &json!({"state": "old"})).await;
    assert_eq!((heard.status, heard.json()["state"].clone()), (StatusCode::OK, json!("old")));
    assert_eq!(state().await, "old");
    world.json("alice", "PATCH", &path(1, ""), &json!({"state": "new"})).await;
    assert_eq!(state().await, "new");
}

#[tokio::test]
async fn a_deleted_message_comes_back() {
    let world = World::new();
    leave(&world, [1]);
    assert_eq!(world.delete("alice", &path(1, "")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ids(&world.get("alice", "/api/v1/messages").await).len(), 0);
    assert_eq!(ids(&world.get("alice", "/api/v1/messages?state=deleted").await).len(), 1);
    let marked = world.json("alice", "PATCH", &path(1, ""), &json!({"state": "old"})).await;
    assert_eq!((marked.status, marked.code().as_str()), (StatusCode::CONFLICT, "deleted"));
    assert_eq!(world.delete("alice", &path(1, "")).await.status, StatusCode::NO_CONTENT, "again");
    let restored = world.json("alice", "POST", &path(1, "/restore"), &json!({})).await;
    assert_eq!((restored.status, restored.json()["state"].clone()), (StatusCode::OK, json!("new")));
}

/// SEC-99: what is another's is answered as what never was, by every operation.
#[tokio::test]
async fn the_message_of_somebody_else_is_not_there() {
    let world = World::new();
    leave(&world, [1]);
    for user in ["bob", "carol"] {
        for (method, rest) in [
            ("GET", ""),
            ("PATCH", ""),
            ("DELETE", ""),
            ("POST", "/restore"),
            ("GET", "/audio"),
            ("HEAD", "/audio"),
        ] {
            let body = json!({"state": "old"});
            let foreign = world.json(user, method, &path(1, rest), &body).await;
            let absent = world.json(user, method, &path(2, rest), &body).await;
            assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{user} {method} {rest}");
            assert_eq!((foreign.status, foreign.body), (absent.status, absent.body));
        }
    }
    assert_eq!(world.get("alice", &path(1, "")).await.json()["state"], "new");
}

/// SEC-104
#[tokio::test]
async fn what_is_no_id_names_nothing() {
    let world = World::new();
    for id in ["..%2f..%2fetc%2fpasswd", "1", "%00", "%ff", "zz", &"0".repeat(33), "."] {
        let answer = world.get("alice", &format!("/api/v1/messages/{id}")).await;
        assert!(
            matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST),
            "{id}: {}",
            answer.status
        );
    }
}

/// DEC-32
#[tokio::test]
async fn sound_is_sixteen_bit_wav_whole_or_in_part() {
    let world = World::new();
    leave(&world, [1]);
    let whole = world.get("alice", &path(1, "/audio")).await;
    assert_eq!((whole.status, whole.header("content-type")), (StatusCode::OK, "audio/wav"));
    let sound = umbel_wav::read(&whole.body, umbel_wav::Limits::default()).unwrap();
    assert_eq!((sound.rate, sound.encoding), (8_000, umbel_wav::Encoding::Pcm16));
    assert_eq!(sound.samples.len(), 16_000, "two seconds");
    let tag = whole.header("etag").to_owned();
    let ask = async |method: &str, name: &str, value: &str| {
        let request = world.request("alice", method, &path(1, "/audio")).header(name, value);
        world.send(request.body(Body::empty()).unwrap()).await
    };
    let part = ask("GET", "range", "bytes=10-19").await;
    assert_eq!((part.status, part.body.as_slice()), (StatusCode::PARTIAL_CONTENT, &whole.body[10..20]));
    assert_eq!(part.header("content-range"), format!("bytes 10-19/{}", whole.body.len()));
    let beyond = ask("GET", "range", "bytes=9999999-").await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.header("content-range"), format!("bytes */{}", whole.body.len()));
    let unchanged = ask("GET", "if-none-match", &tag).await;
    assert_eq!((unchanged.status, unchanged.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(ask("GET", "if-none-match", "\"x\"").await.status, StatusCode::OK);
    let head = ask("HEAD", "range", "bytes=0-").await;
    assert!(head.body.is_empty() && head.status.is_success());
    assert_eq!(head.header("accept-ranges"), "bytes");
}

fn wav(rate: u32, samples: usize) -> Vec<u8> {
    let length = u32::try_from(samples * 2).unwrap();
    let mut file =
        umbel_wav::header(umbel_wav::Format { encoding: umbel_wav::Encoding::Pcm16, rate }, length);
    file.resize(file.len() + samples * 2, 0);
    file
}

async fn upload(world: &World, kind: &str, named: &str, file: Vec<u8>) -> Answer {
    let request =
        world.request("alice", "PUT", &format!("/api/v1/greetings/{kind}")).header("Content-Type", named);
    world.send(request.body(Body::from(file)).unwrap()).await
}

#[tokio::test]
async fn greetings_are_uploaded_heard_chosen_and_removed() {
    let world = World::new();
    let path = "/api/v1/greetings/out-of-office";
    assert_eq!(world.get("alice", path).await.status, StatusCode::NOT_FOUND);
    let put = upload(&world, "out-of-office", "audio/wav", wav(16_000, 16_000)).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text());
    let list = world.get("alice", "/api/v1/greetings").await.json();
    assert_eq!(list["active"], "standard");
    assert_eq!(list["greetings"][0]["kind"], "out-of-office");
    assert_eq!(list["greetings"][0]["duration_seconds"], 1.0);
    let heard = world.get("alice", path).await;
    assert_eq!((heard.header("content-type"), heard.body.len()), ("audio/wav", wav(16_000, 16_000).len()));
    let chosen =
        world.json("alice", "PUT", "/api/v1/greetings/active", &json!({"greeting": "out-of-office"})).await;
    assert_eq!((chosen.status, chosen.json()["active"].clone()), (StatusCode::OK, json!("out-of-office")));
    assert_eq!(world.get("bob", path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.delete("alice", path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.delete("alice", path).await.status, StatusCode::NOT_FOUND);
}

/// SEC-105
#[tokio::test]
async fn what_is_no_sound_is_no_greeting() {
    let world = World::new();
    let refused = [
        ("text/plain", wav(8_000, 8_000), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("", wav(8_000, 8_000), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("audio/wav", b"hello".to_vec(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("audio/wav", wav(0, 8_000), StatusCode::BAD_REQUEST),
        ("audio/wav", wav(200_000, 8_000), StatusCode::BAD_REQUEST),
        ("audio/wav", wav(8_000, 10 * 60 * 8_000 + 8_000), StatusCode::PAYLOAD_TOO_LARGE),
        ("audio/wav", vec![0; crate::sound::file_bytes_max() + 1], StatusCode::PAYLOAD_TOO_LARGE),
    ];
    for (named, file, status) in refused {
        let answer = upload(&world, "standard", named, file).await;
        assert_eq!(answer.status, status, "{named} {}", answer.text());
    }
    assert_eq!(upload(&world, "no-such", "audio/wav", wav(8_000, 8_000)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("alice", "/api/v1/greetings").await.json()["greetings"], json!([]));
    let mut short = wav(8_000, 8_000);
    short.truncate(short.len() - 100);
    let answer = upload(&world, "standard", "audio/wav; x=y", short).await;
    assert_eq!((answer.status, answer.json()["truncated"].clone()), (StatusCode::OK, json!(true)));
}

#[tokio::test]
async fn a_call_is_asked_for_followed_and_ended() {
    let world = World::new();
    leave(&world, [1]);
    let wanted = json!({"message_id": id(1).to_string(), "number": "102"});
    let placed = world.json("alice", "POST", "/api/v1/play-on-phone", &wanted).await;
    assert_eq!(placed.status, StatusCode::CREATED, "{}", placed.text());
    let call = placed.json();
    assert_eq!(
        (&call["state"], &call["cause"], &call["sip_code"]),
        (&json!("Connecting"), &json!("None"), &Value::Null)
    );
    let request = match world.orders.lock().unwrap().as_slice() {
        [Ordered::Play(request)] => request.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(request.owner, address("alice"), "from the credentials");
    assert_eq!((request.played, request.dial_string.as_deref()), (Played::Message(id(1)), Some("102")));
    let path = format!("/api/v1/play-on-phone/{}", call["id"].as_str().unwrap());
    assert_eq!(placed.header("location"), path);
    let busy = Status {
        state: umbel_play_on_phone::CallState::Disconnected,
        cause: umbel_play_on_phone::EventCause::UserBusy,
        response: Some((486, "Busy Here".to_owned())),
    };
    world.desk.phone_calls.news(request.id, News::Standing(busy));
    let standing = world.get("alice", &path).await.json();
    assert_eq!(standing["state"], "Disconnected");
    assert_eq!((&standing["cause"], &standing["sip_code"]), (&json!("UserBusy"), &json!(486)));
    assert_eq!(standing["sip_reason"], "Busy Here");
    assert_eq!(world.delete("alice", &path).await.status, StatusCode::NO_CONTENT);
}

/// SEC-99
#[tokio::test]
async fn the_call_of_somebody_else_is_not_there() {
    let world = World::new();
    let wanted = json!({"greeting": "standard"});
    let call = world.json("alice", "POST", "/api/v1/play-on-phone", &wanted).await.json();
    let path = format!("/api/v1/play-on-phone/{}", call["id"].as_str().unwrap());
    for user in ["bob", "carol"] {
        assert_eq!(world.get(user, &path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.delete(user, &path).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(world.orders.lock().unwrap().len(), 1, "nothing was ended");
    let absent = format!("/api/v1/play-on-phone/{}", PhoneCallId::from_bytes([9; 16]));
    assert_eq!(world.get("alice", &absent).await.status, StatusCode::NOT_FOUND);
}

/// DEC-24, DEC-25
#[tokio::test]
async fn each_refusal_of_a_call_has_its_status_and_code() {
    let world = World::new();
    let wanted = json!({"message_id": id(1).to_string()});
    for (refusal, status, code) in [
        (Refusal::UnknownItem, 404, "unknown-item"),
        (Refusal::NotANumber, 422, "not-a-number"),
        (Refusal::NotAllowed, 403, "not-allowed"),
        (Refusal::CallInProgress, 409, "call-in-progress"),
        (Refusal::TooManyCalls, 429, "too-many-calls"),
        (Refusal::NotEnabled, 409, "not-enabled"),
        (Refusal::NoGateway, 409, "no-gateway"),
        (Refusal::Unavailable, 503, "unavailable"),
    ] {
        *world.refuses.lock().unwrap() = Some(refusal);
        let answer = world.json("alice", "POST", "/api/v1/play-on-phone", &wanted).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code));
    }
    let orders = world.orders.lock().unwrap().len();
    for wanted in [
        json!({}),
        json!({"message_id": id(1).to_string(), "greeting": "standard"}),
        json!({"greeting": "loud"}),
        json!({"message_id": id(1).to_string(), "owner": "bob@example.test"}),
        json!({"message_id": "x"}),
        json!({"message_id": id(1).to_string(), "number": "1".repeat(257)}),
    ] {
        let answer = world.json("alice", "POST", "/api/v1/play-on-phone", &wanted).await;
        assert!(answer.status.is_client_error(), "{wanted}");
    }
    assert_eq!(world.orders.lock().unwrap().len(), orders, "none of these was asked");
}

#[tokio::test]
async fn users_see_and_set_what_is_theirs() {
    let world = World::new();
    leave(&world, [1, 2]);
    let me = world.get("alice", "/api/v1/me").await.json();
    assert_eq!(
        (&me["address"], &me["extension"], &me["role"]),
        (&json!("alice@example.test"), &json!("101"), &json!("user"))
    );
    assert_eq!(
        (&me["counts"], &me["pin_state"]),
        (&json!({"new": 2, "old": 0, "deleted": 0}), &json!("own"))
    );
    let wanted = json!({"time_zone": "Europe/Berlin", "missed_call_notices": false, "routing": {"forward-immediate": "102"}});
    let changed = world.json("alice", "PATCH", "/api/v1/me", &wanted).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let me = changed.json();
    assert_eq!((&me["time_zone"], &me["missed_call_notices"]), (&json!("Europe/Berlin"), &json!(false)));
    assert_eq!(me["routing"], json!({"forward-immediate": "102"}));
    let cleared = world
        .json(
            "alice",
            "PATCH",
            "/api/v1/me",
            &json!({"time_zone": null, "routing": {"forward-immediate": null}}),
        )
        .await;
    assert_eq!((&cleared.json()["time_zone"], &cleared.json()["routing"]), (&Value::Null, &json!({})));
}

#[tokio::test]
async fn a_switch_is_true_or_false_and_a_text_is_a_text() {
    let world = World::new();
    for wanted in [
        json!({"time_zone": true}),
        json!({"missed_call_notices": "no"}),
        json!({"missed_call_notices": 0}),
        json!({"time_zone": ["Europe/Berlin"]}),
        json!({"routing": "forward-immediate"}),
        json!({"routing": {"forward-immediate": false}}),
    ] {
        let answer = world.json("alice", "PATCH", "/api/v1/me", &wanted).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_REQUEST, "bad-request"),
            "{wanted}"
        );
    }
}

/// SEC-90, SEC-44: a stolen password sends no calls to numbers that cost money.
#[tokio::test]
async fn users_send_calls_on_to_whom_they_might_call_and_administrators_anywhere() {
    let world = World::new();
    let set = async |user: &str, path: &str, to: &str| {
        world.json(user, "PATCH", path, &json!({"routing": {"forward-immediate": to}})).await
    };
    for to in ["102", "bob", "+15550100"] {
        assert_eq!(set("alice", "/api/v1/me", to).await.status, StatusCode::OK, "{to}");
    }
    for to in ["+19005550100", "15550100", "*72", "nobody", "bob@elsewhere.test"] {
        let refused = set("alice", "/api/v1/me", to).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "not-allowed"), "{to}");
    }
    let rules = world.get("alice", "/api/v1/me").await.json()["routing"].clone();
    assert_eq!(rules, json!({"forward-immediate": "+15550100"}), "nothing was changed");
    // What an administrator set stays, whoever sends it along.
    let alices = "/api/v1/users/alice@example.test";
    assert_eq!(set("carol", alices, "+19005550100").await.status, StatusCode::OK);
    assert_eq!(set("alice", "/api/v1/me", "+19005550100").await.status, StatusCode::OK);
    assert_eq!(set("alice", "/api/v1/me", "+19005550101").await.status, StatusCode::FORBIDDEN);
    assert_eq!(set("alice", "/api/v1/me", "").await.status, StatusCode::OK);
}

/// SEC-108
#[tokio::test]
async fn users_do_not_make_themselves_administrators() {
    let world = World::new();
    for (column, status) in
        [("role", 400), ("email", 400), ("name", 400), ("address", 400), ("pin", 400), ("enabled", 400)]
    {
        let answer = world.json("alice", "PATCH", "/api/v1/me", &json!({column: "administrator"})).await;
        assert_eq!(answer.status.as_u16(), status, "{column}");
    }
    let routing =
        world.json("alice", "PATCH", "/api/v1/me", &json!({"routing": {"role": "administrator"}})).await;
    assert_eq!(routing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(world.get("alice", "/api/v1/me").await.json()["role"], "user");
    for (method, path) in [
        ("GET", "/api/v1/users"),
        ("POST", "/api/v1/users"),
        ("GET", "/api/v1/users/bob@example.test"),
        ("PATCH", "/api/v1/users/bob@example.test"),
        ("DELETE", "/api/v1/users/bob@example.test"),
        ("GET", "/api/v1/calls"),
    ] {
        let answer = world.json("alice", method, path, &json!({})).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::FORBIDDEN, "administrators-only"),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn administrators_add_change_and_remove_users() {
    let world = World::new();
    let wanted = json!({"address": "Dave@example.test", "name": "Dave", "password": "a password"});
    let added = world.json("carol", "POST", "/api/v1/users", &wanted).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text());
    assert_eq!(added.json()["generated_pin"].as_str().map(str::len), Some(6));
    let path = "/api/v1/users/Dave@example.test";
    assert_eq!(added.header("location"), "/api/v1/users/Dave%40example%2Etest");
    assert_eq!(world.get("carol", added.header("location")).await.json()["name"], "Dave");
    // The user part compares with case (rule M8).
    assert_eq!(world.get("carol", "/api/v1/users/dave@example.test").await.status, StatusCode::NOT_FOUND);
    let again = world.json("carol", "POST", "/api/v1/users", &wanted).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::CONFLICT, "user-exists"));
    let changed = world.json("carol", "PATCH", path, &json!({"name": "David", "pin": "582913"})).await;
    assert_eq!(
        (changed.status, changed.json()["name"].clone()),
        (StatusCode::OK, json!("David")),
        "{}",
        changed.text()
    );
    assert_eq!(changed.json()["generated_pin"], Value::Null);
    let weak = world.json("carol", "PATCH", path, &json!({"pin": "1234"})).await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(world.get("carol", "/api/v1/users").await.json()["users"].as_array().unwrap().len(), 4);
    assert_eq!(world.delete("carol", path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get("carol", path).await.status, StatusCode::NOT_FOUND);
    let herself = world.delete("carol", "/api/v1/users/carol@example.test").await;
    assert_eq!((herself.status, herself.code().as_str()), (StatusCode::CONFLICT, "own-account"));
    for wanted in [
        json!({"name": "x"}),
        json!({"address": "x"}),
        json!({"address": "x@elsewhere.test"}),
        json!({"address": "x@example.test", "colour": "red"}),
        json!({"address": "x@example.test", "pin": "12a"}),
        json!({"address": "x@example.test", "name": 7}),
    ] {
        let answer = world.json("carol", "POST", "/api/v1/users", &wanted).await;
        assert!(answer.status.is_client_error(), "{wanted}");
    }
}

#[tokio::test]
async fn why_is_told_whose_mailbox_it_was_and_administrators() {
    let world = World::new();
    let decision = Decision {
        call_id: "aB@host/1".to_owned(),
        at: NOON,
        mailbox: Some(address("alice")),
        transport: Transport::Tls,
        peer: None,
        command_seen: true,
        ruling: Ruling::Pin(PinOutcome::Skipped),
        rule: "P1".to_owned(),
    };
    // SEC-97: somebody else was called under the same name, which callers choose.
    let bobs = Decision { mailbox: Some(address("bob")), rule: "P2".to_owned(), ..decision.clone() };
    let nobodys = Decision { mailbox: None, rule: "T1".to_owned(), ..decision.clone() };
    world.store(|store| store.decide(&[decision, bobs, nobodys]).unwrap());
    let path = "/api/v1/calls/aB%40host%2F1/why";
    for (user, rules) in [("alice", &["P1"][..]), ("bob", &["P2"]), ("carol", &["P1", "P2", "T1"])] {
        let answer = world.get(user, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{user}");
        let decisions = answer.json()["decisions"].as_array().unwrap().clone();
        let told: Vec<_> = decisions.iter().map(|decision| decision["rule"].as_str().unwrap()).collect();
        assert_eq!((&answer.json()["pin"], told.as_slice()), (&json!("skipped"), rules), "{user}");
    }
    assert_eq!(world.get("bob", "/api/v1/calls/other/why").await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        world.get("alice", "/api/v1/calls/ab%40host%2F1/why").await.status,
        StatusCode::NOT_FOUND,
        "case"
    );
}

#[tokio::test]
async fn bodies_of_another_kind_are_refused_with_the_field() {
    let world = World::new();
    leave(&world, [1]);
    let send = async |named: &str, body: &str| {
        let request = world.request("alice", "PATCH", &path(1, "")).header("Content-Type", named);
        world.send(request.body(Body::from(body.to_owned())).unwrap()).await
    };
    assert_eq!(send("text/plain", "{}").await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    for (body, names) in [
        ("{", "line 1"),
        ("[]", "invalid"),
        ("{\"state\":\"loud\"}", "state"),
        ("{\"state\":\"old\",\"x\":1}", "x"),
        ("{}", "state"),
    ] {
        let answer = send("application/json", body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_REQUEST, "bad-request"),
            "{body}"
        );
        assert!(answer.text().contains(names), "{body}: {}", answer.text());
    }
}

#[tokio::test]
async fn paths_are_without_case_and_unknown_ones_are_json_too() {
    let world = World::new();
    leave(&world, [1]);
    assert_eq!(world.get("alice", "/API/V1/Me").await.status, StatusCode::OK);
    assert_eq!(world.get("alice", &path(1, "").to_uppercase()).await.status, StatusCode::OK);
    let unknown = world.get("alice", "/api/v1/nothing").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (StatusCode::NOT_FOUND, "not-found"));
    let method = world.json("alice", "PUT", "/api/v1/me", &json!({})).await;
    assert_eq!(
        (method.status, method.code().as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed")
    );
    assert!(method.header("allow").contains("GET"), "{:?}", method.headers);
}
