//! Calls that were asked for: news in every order, bounds, and whose they are.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::sync::atomic::{AtomicBool, Ordering};

use umbel_store::MessageId;

use super::*;

/// A unified messaging server of which the test knows what it was asked.
struct Stage {
    calls: PhoneCalls,
    orders: Arc<Mutex<Vec<Ordered>>>,
    runs: Arc<AtomicBool>,
}

fn stage() -> Stage {
    let (orders, runs) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(true)));
    let (to, is_there) = (Arc::clone(&orders), Arc::clone(&runs));
    let order = move |order| {
        to.lock().unwrap().push(order);
        is_there.load(Ordering::Relaxed)
    };
    Stage { calls: PhoneCalls::new(Random::new([7; 32]), order), orders, runs }
}

fn alice() -> Address {
    "alice@example.test".parse().unwrap()
}

fn bob() -> Address {
    "bob@example.test".parse().unwrap()
}

fn standing(state: CallState) -> Status {
    Status { state, cause: EventCause::None, response: None }
}

const PLAYED: Played = Played::Message(MessageId::from_bytes([1; 16]));

impl Stage {
    /// Asks, and gives the id that the server was asked with.
    async fn ask(&self) -> (tokio::task::JoinHandle<First>, PhoneCallId) {
        let before = self.orders.lock().unwrap().len();
        let calls = self.calls.clone();
        let asking = tokio::spawn(async move { calls.play(alice(), PLAYED, None).await });
        loop {
            if let Some(Ordered::Play(request)) = self.orders.lock().unwrap().get(before) {
                return (asking, request.id);
            }
            tokio::task::yield_now().await;
        }
    }

    async fn placed(&self) -> PhoneCallId {
        let (asking, id) = self.ask().await;
        self.calls.news(id, News::Placed);
        assert_eq!(asking.await.unwrap(), Ok(id));
        id
    }

    fn last_order(&self) -> Option<Ordered> {
        self.orders.lock().unwrap().last().cloned()
    }
}

#[tokio::test]
async fn a_call_that_is_placed_is_followed_to_its_end() {
    let stage = stage();
    let id = stage.placed().await;
    assert_eq!(stage.calls.status(&alice(), id), Some(standing(CallState::Connecting)));
    let mut follow = stage.calls.follow(&alice(), id).unwrap();
    stage.calls.news(id, News::Standing(standing(CallState::Alerted)));
    follow.changed().await.unwrap();
    assert_eq!(*follow.borrow_and_update(), standing(CallState::Alerted));
    let busy = Status {
        state: CallState::Disconnected,
        cause: EventCause::UserBusy,
        response: Some((486, "Busy Here".to_owned())),
    };
    stage.calls.news(id, News::Standing(busy.clone()));
    follow.changed().await.unwrap();
    assert_eq!(*follow.borrow(), busy);
    assert_eq!(stage.calls.status(&alice(), id), Some(busy));
}

/// SEC-46, REL-39: whoever lost the answer and asks again hears of the call that was busy at once.
#[tokio::test(start_paused = true)]
async fn what_failed_at_once_is_not_dialled_twice_by_a_repeated_request() {
    let stage = stage();
    let id = stage.placed().await;
    let busy = Status { cause: EventCause::UserBusy, ..standing(CallState::Disconnected) };
    stage.calls.news(id, News::Standing(busy.clone()));
    tokio::time::advance(REPEATED_WITHIN - Duration::from_millis(1)).await;
    assert_eq!(stage.calls.play(alice(), PLAYED, None).await, Ok(id));
    assert_eq!(stage.orders.lock().unwrap().len(), 1);
    assert_eq!(stage.calls.status(&alice(), id), Some(busy.clone()));
    // Another's, or to another place, is another request.
    for (owner, number) in [(bob(), None), (alice(), Some("102".to_owned()))] {
        let calls = stage.calls.clone();
        let asking = tokio::spawn(async move { calls.play(owner, PLAYED, number).await });
        tokio::task::yield_now().await;
        let Some(Ordered::Play(request)) = stage.last_order() else { panic!("an order") };
        stage.calls.news(request.id, News::Refused(Refusal::NoGateway));
        assert_eq!(asking.await.unwrap(), Err(Refusal::NoGateway));
    }
    // Who looks at the telephone and tries again has a new call.
    tokio::time::advance(Duration::from_millis(1)).await;
    let again = stage.placed().await;
    assert_ne!(again, id);
    // What was heard may be heard again at once.
    stage.calls.news(again, News::Standing(standing(CallState::Disconnected)));
    assert_ne!(stage.placed().await, again);
}

#[tokio::test]
async fn news_before_the_order_returns_are_not_lost() {
    // The server's thread may be faster than ours.
    let calls: Arc<Mutex<Option<PhoneCalls>>> = Arc::default();
    let to = Arc::clone(&calls);
    let order = move |order| {
        if let (Ordered::Play(request), Some(calls)) = (order, to.lock().unwrap().clone()) {
            calls.news(request.id, News::Placed);
            calls.news(request.id, News::Standing(standing(CallState::Alerted)));
        }
        true
    };
    let phone_calls = PhoneCalls::new(Random::new([7; 32]), order);
    *calls.lock().unwrap() = Some(phone_calls.clone());
    let id = phone_calls.play(alice(), PLAYED, None).await.unwrap();
    assert_eq!(phone_calls.status(&alice(), id), Some(standing(CallState::Alerted)));
}

#[tokio::test]
async fn a_refusal_is_told_and_leaves_no_call() {
    let stage = stage();
    let (asking, id) = stage.ask().await;
    stage.calls.news(id, News::Refused(Refusal::CallInProgress));
    assert_eq!(asking.await.unwrap(), Err(Refusal::CallInProgress));
    assert_eq!(stage.calls.status(&alice(), id), None);
    assert!(!stage.calls.disconnect(&alice(), id));
}

#[tokio::test]
async fn a_request_that_repeats_another_has_its_call() {
    let stage = stage();
    let first = stage.placed().await;
    let (asking, second) = stage.ask().await;
    assert_ne!(first, second);
    stage.calls.news(second, News::Repeats(first));
    assert_eq!(asking.await.unwrap(), Ok(first));
    assert_eq!(stage.calls.status(&alice(), second), None);
}

#[tokio::test]
async fn without_a_unified_messaging_server_no_call_can_be_placed() {
    let stage = stage();
    stage.runs.store(false, Ordering::Relaxed);
    assert_eq!(stage.calls.play(alice(), PLAYED, None).await, Err(Refusal::Unavailable));
    assert!(stage.calls.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_placed_too_late_is_ended() {
    let stage = stage();
    let (asking, id) = stage.ask().await;
    tokio::time::advance(FIRST_NEWS_WITHIN).await;
    assert_eq!(asking.await.unwrap(), Err(Refusal::Unavailable));
    assert_eq!(stage.calls.status(&alice(), id), None);
    stage.calls.news(id, News::Placed);
    assert_eq!(stage.last_order(), Some(Ordered::Disconnect(id)));
    assert!(stage.calls.calls().is_empty());
}

#[tokio::test]
async fn whoever_stops_waiting_does_not_take_the_request_back() {
    let stage = stage();
    let (asking, id) = stage.ask().await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    stage.calls.news(id, News::Placed);
    assert_eq!(stage.calls.status(&alice(), id), Some(standing(CallState::Connecting)));
}

/// SEC-99
#[tokio::test]
async fn the_call_of_somebody_else_is_unknown() {
    let stage = stage();
    let id = stage.placed().await;
    let orders = stage.orders.lock().unwrap().len();
    assert_eq!(stage.calls.status(&bob(), id), None);
    assert!(stage.calls.follow(&bob(), id).is_none());
    assert!(!stage.calls.disconnect(&bob(), id));
    assert_eq!(stage.orders.lock().unwrap().len(), orders, "nothing was ordered");
    assert!(stage.calls.disconnect(&alice(), id));
    assert_eq!(stage.last_order(), Some(Ordered::Disconnect(id)));
}

#[tokio::test(start_paused = true)]
async fn an_ended_call_can_be_asked_about_for_five_minutes() {
    let stage = stage();
    let id = stage.placed().await;
    stage.calls.news(id, News::Standing(standing(CallState::Disconnected)));
    let orders = stage.orders.lock().unwrap().len();
    tokio::time::advance(ENDED_KEPT - Duration::from_millis(1)).await;
    assert_eq!(stage.calls.status(&alice(), id), Some(standing(CallState::Disconnected)));
    assert!(stage.calls.disconnect(&alice(), id), "it is over, as was wanted");
    assert_eq!(stage.orders.lock().unwrap().len(), orders, "and there is nothing to order");
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(stage.calls.status(&alice(), id), None);
    assert!(!stage.calls.disconnect(&alice(), id));
}

#[tokio::test]
async fn late_news_do_not_wake_a_call_that_is_over() {
    let stage = stage();
    let id = stage.placed().await;
    stage.calls.news(id, News::Standing(standing(CallState::Disconnected)));
    stage.calls.news(id, News::Standing(standing(CallState::Connected)));
    stage.calls.news(id, News::Placed);
    assert_eq!(stage.calls.status(&alice(), id), Some(standing(CallState::Disconnected)));
    stage.calls.news(PhoneCallId::from_bytes([9; 16]), News::Placed);
    assert_eq!(stage.calls.calls().len(), 1, "what nobody asked for is no call");
}

#[tokio::test(start_paused = true)]
async fn a_full_table_forgets_what_ended_first_and_never_a_running_call() {
    let stage = stage();
    let first = stage.placed().await;
    stage.calls.news(first, News::Standing(standing(CallState::Disconnected)));
    tokio::time::advance(Duration::from_secs(1)).await;
    let second = stage.placed().await;
    stage.calls.news(second, News::Standing(standing(CallState::Disconnected)));
    for _ in 2..CALLS_MAX {
        stage.placed().await;
    }
    let third = stage.placed().await;
    assert_eq!(stage.calls.status(&alice(), first), None);
    assert!(stage.calls.status(&alice(), second).is_some());
    let _ = stage.placed().await;
    assert_eq!(stage.calls.status(&alice(), second), None);
    assert_eq!(stage.calls.play(alice(), PLAYED, None).await, Err(Refusal::Unavailable));
    assert!(stage.calls.status(&alice(), third).is_some());
}
