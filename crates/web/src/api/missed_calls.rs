//! Calls that left no message (MISS-1): listed newest first, marked, removed. Play on Phone leaves none (POP-12).

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use umbel_store::{Item, ItemContent, MessageId, Op, Reply};

use super::ApiError;
use super::body::{Asked, Body};
use super::item::ItemDocument;
use super::messages::{Heard, page_limit};
use crate::{Desk, SignedIn};

#[derive(Serialize)]
pub(super) struct Page {
    missed_calls: Vec<ItemDocument>,
    /// Where the next page begins; none where this is the last.
    next: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    state: Option<Heard>,
    limit: Option<usize>,
    before: Option<u64>,
}

/// `GET missed-calls`
pub(super) async fn list(
    State(desk): State<Desk>,
    owner: SignedIn,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Page>, ApiError> {
    let limit = page_limit(wanted.limit, wanted.before)?;
    let index = desk.shelf.indexes.of(owner.address(), &desk.store).await;
    let index = index.map_err(|reply| ApiError::store(&desk.random, &reply))?;
    let before = wanted.before.unwrap_or(u64::MAX);
    let is_wanted = |item: &&Item| {
        item.entered < before && wanted.state.is_none_or(|state| matches!(state, Heard::Old) == item.seen)
    };
    let calls = index.items().filter(is_wanted).filter_map(|item| match &item.content {
        ItemContent::MissedCall(call) => Some((item, call)),
        ItemContent::Message(_) => None,
    });
    let mut calls: Vec<_> = calls.collect();
    calls.sort_unstable_by_key(|(item, _)| std::cmp::Reverse(item.entered));
    let more = calls.len() > limit;
    let page = calls.into_iter().take(limit);
    let missed_calls: Vec<_> =
        page.map(|(item, call)| ItemDocument::of_missed_call(item, call.clone())).collect();
    let next = missed_calls.last().filter(|_| more).map(|call| call.number);
    Ok(Json(Page { missed_calls, next }))
}

/// A missed call of the owner's. Another's is as unknown as one that never was (SEC-99).
async fn find(desk: &Desk, owner: &SignedIn, id: &str) -> Result<(MessageId, ItemDocument), ApiError> {
    let id: MessageId = id.parse().map_err(|_| ApiError::not_found())?;
    let index = desk.shelf.indexes.of(owner.address(), &desk.store).await;
    let index = index.map_err(|reply| ApiError::store(&desk.random, &reply))?;
    match index.item(id) {
        Some(item @ Item { content: ItemContent::MissedCall(call), .. }) => {
            Ok((id, ItemDocument::of_missed_call(item, call.clone())))
        }
        _ => Err(ApiError::not_found()),
    }
}

/// `GET missed-calls/{id}`
pub(super) async fn show(
    State(desk): State<Desk>,
    owner: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<impl Serialize>, ApiError> {
    find(&desk, &owner, &id).await.map(|(_, call)| Json(call))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    state: Heard,
}

/// `PATCH missed-calls/{id}`: looked at, or not. The telephone tells of it all the same, until it has.
pub(super) async fn change(
    State(desk): State<Desk>,
    owner: SignedIn,
    Path(id): Path<String>,
    Body(change): Body<Change>,
) -> Result<Json<impl Serialize>, ApiError> {
    let (call, _) = find(&desk, &owner, &id).await?;
    let seen = matches!(change.state, Heard::Old);
    done(&desk, Op::MarkMissedCall { mailbox: owner.address().clone(), id: call, seen }).await?;
    find(&desk, &owner, &id).await.map(|(_, call)| Json(call))
}

/// `DELETE missed-calls/{id}`: for good, for the telephone too.
pub(super) async fn remove(
    State(desk): State<Desk>,
    owner: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let (id, _) = find(&desk, &owner, &id).await?;
    done(&desk, Op::RemoveMissedCall { mailbox: owner.address().clone(), id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn done(desk: &Desk, op: Op) -> Result<(), ApiError> {
    match desk.store.ask(op).await {
        Reply::Done => Ok(()),
        other => Err(ApiError::store(&desk.random, &other)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};
    use umbel_store::conformance::{deposit, id};
    use umbel_store::{Caller, MissedCall, MissedCallId};

    use super::*;
    use crate::testing::{Answer, NOON, World, address};

    const PATH: &str = "/api/v1/missed-calls";

    fn miss(world: &World, call: &str) {
        let notice = MissedCall {
            id: MissedCallId(0),
            mailbox: address("alice"),
            caller: Caller { id: "+15550100".to_owned(), name: Some("Bob".to_owned()), verified: true },
            subject: "Lunch".to_owned(),
            at: NOON,
            call_id: call.to_owned(),
        };
        assert!(world.store(|store| store.note_missed_call(&notice)).unwrap());
    }

    fn calls(answer: &Answer) -> Vec<String> {
        let document = answer.json();
        let calls = document["missed_calls"].as_array().unwrap();
        calls.iter().map(|call| call["call_id"].as_str().unwrap().to_owned()).collect()
    }

    async fn ids(world: &World) -> Vec<String> {
        let document = world.get("alice", PATH).await.json();
        let calls = document["missed_calls"].as_array().unwrap();
        calls.iter().map(|call| call["id"].as_str().unwrap().to_owned()).collect()
    }

    /// MISS-1
    #[tokio::test]
    async fn missed_calls_are_listed_newest_first_without_the_messages_among_them() {
        let world = World::new();
        for call in ["a", "b"] {
            miss(&world, call);
        }
        world.store(|store| deposit(store, id(1), &address("alice"))).unwrap();
        miss(&world, "c");
        let all = world.get("alice", PATH).await;
        assert_eq!(
            (calls(&all), all.json()["next"].clone()),
            (["c", "b", "a"].map(str::to_owned).to_vec(), Value::Null)
        );
        let first = world.get("alice", &format!("{PATH}?limit=2")).await;
        assert_eq!(calls(&first), ["c", "b"]);
        let next = first.json()["next"].as_u64().unwrap();
        let rest = world.get("alice", &format!("{PATH}?limit=2&before={next}")).await;
        assert_eq!((calls(&rest), rest.json()["next"].clone()), (vec!["a".to_owned()], Value::Null));
        assert!(calls(&world.get("bob", PATH).await).is_empty());
        for query in ["limit=0", "limit=501", "state=deleted", "before=-1", "before=9007199254740992", "x=y"]
        {
            let answer = world.get("alice", &format!("{PATH}?{query}")).await;
            assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "bad-request"));
        }
    }

    #[tokio::test]
    async fn a_missed_call_has_the_names_that_a_message_has() {
        let world = World::new();
        miss(&world, "a");
        let [id] = <[String; 1]>::try_from(ids(&world).await).unwrap();
        let expected = json!({
            "id": id, "mailbox": "alice@example.test", "number": 1, "caller": "+15550100",
            "caller_name": "Bob", "caller_verified": true, "subject": "Lunch",
            "received": "2026-09-21T14:13:20Z", "state": "new", "call_id": "a",
        });
        assert_eq!(world.get("alice", &format!("{PATH}/{id}")).await.json(), expected);
    }

    #[tokio::test]
    async fn a_missed_call_is_looked_at_and_removed() {
        let world = World::new();
        miss(&world, "a");
        miss(&world, "b");
        let newest = format!("{PATH}/{}", ids(&world).await[0]);
        let marked = world.json("alice", "PATCH", &newest, &json!({"state": "old"})).await;
        assert_eq!((marked.status, marked.json()["state"].clone()), (StatusCode::OK, json!("old")));
        assert_eq!(calls(&world.get("alice", &format!("{PATH}?state=new")).await), ["a"]);
        assert_eq!(calls(&world.get("alice", &format!("{PATH}?state=old")).await), ["b"]);
        let marked = world.json("alice", "PATCH", &newest, &json!({"state": "new"})).await;
        assert_eq!(marked.json()["state"], "new");
        assert_eq!(world.delete("alice", &newest).await.status, StatusCode::NO_CONTENT);
        assert_eq!(calls(&world.get("alice", PATH).await), ["a"]);
        assert_eq!(world.delete("alice", &newest).await.status, StatusCode::NOT_FOUND, "again");
    }

    /// SEC-99: another's is answered as what never was; so is a message.
    #[tokio::test]
    async fn the_missed_call_of_somebody_else_is_not_there() {
        let world = World::new();
        miss(&world, "a");
        world.store(|store| deposit(store, id(1), &address("bob"))).unwrap();
        let alices = ids(&world).await[0].clone();
        for user in ["bob", "carol"] {
            for method in ["GET", "PATCH", "DELETE"] {
                let ask = async |id: &str| {
                    world.json(user, method, &format!("{PATH}/{id}"), &json!({"state": "old"})).await
                };
                let (foreign, absent) = (ask(&alices).await, ask(&id(9).to_string()).await);
                assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{user} {method}");
                assert_eq!(foreign.body, absent.body);
                assert_eq!(ask(&id(1).to_string()).await.status, StatusCode::NOT_FOUND, "a message");
            }
        }
        assert_eq!(world.get("alice", &format!("{PATH}/{alices}")).await.json()["state"], "new");
    }
}
