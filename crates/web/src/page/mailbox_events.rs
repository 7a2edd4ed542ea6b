//! `/api/v1/events`: how many messages there are, told whenever the mailbox changes.
//!
//! One task asks the store what changed, for all who listen; it lives while somebody does.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval};
use umbel_store::{Address, Counts, Op, Reply};

use super::SessionKey;
use super::event_stream::{self, EventSink, HEARTBEAT, Left};
use crate::api::ApiError;
use crate::{Desk, SignedIn};

/// How soon a change is told.
const ASKED_EVERY: Duration = Duration::from_secs(1);
/// Pages of one session that are told. Browsers open six connections to a server: with more pages than that,
/// none would be left to fetch a message.
const LISTENERS_PER_SESSION_MAX: usize = 2;
/// No change has this number, so nothing but the latest number is answered.
const NOTHING_AFTER: u64 = i64::MAX.unsigned_abs();

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/api/v1/events", get(listen))
}

/// Whose mailboxes are listened to.
#[derive(Default)]
pub(crate) struct MailboxNews(Mutex<Listened>);

#[derive(Default)]
struct Listened {
    mailboxes: BTreeMap<Address, watch::Sender<Option<Counts>>>,
    is_watched: bool,
    /// The pages of each session, oldest first.
    pages: BTreeMap<SessionKey, VecDeque<Arc<Notify>>>,
}

/// What is told.
#[derive(Serialize)]
struct Told {
    new: u32,
    old: u32,
    deleted: u32,
}

impl From<Counts> for Told {
    fn from(counts: Counts) -> Self {
        Told { new: counts.new, old: counts.old, deleted: counts.deleted }
    }
}

/// Tells the counts now, and whenever they change.
async fn listen(State(desk): State<Desk>, signed_in: SignedIn) -> Result<Response, ApiError> {
    let place = desk.streams.enter(&signed_in)?;
    let (sink, response) = event_stream::open();
    tokio::spawn(async move {
        let _place = place;
        let superseded = desk.mailbox_news.enter(signed_in.session);
        // Whoever left needs no farewell.
        let _ = tell(&desk, &sink, &signed_in, &superseded).await;
        desk.mailbox_news.leave(signed_in.session, &superseded);
    });
    Ok(response)
}

async fn tell(desk: &Desk, sink: &EventSink, signed_in: &SignedIn, superseded: &Notify) -> Result<(), Left> {
    let address = signed_in.address();
    let mut changes = subscribe(desk, address).await;
    // Asked for after listening began, so that nothing between is missed.
    if let Reply::Counts(counts) = desk.store.ask(Op::CountMessages(address.clone())).await {
        sink.tell(Some("counts"), &Told::from(counts)).await?;
    }
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeat.reset();
    let mut closing = desk.streams.closing();
    loop {
        let counts = tokio::select! {
            changed = changes.changed() => match changed {
                Ok(()) => *changes.borrow_and_update(),
                Err(_) => return Ok(()),
            },
            _ = heartbeat.tick() => None,
            () = superseded.notified() => return sink.tell(Some("superseded"), &()).await,
            _ = closing.changed() => return Ok(()),
            () = sink.left() => return Err(Left),
        };
        // Nothing is told to a session that is over, nor to whom a password let in that counts no more (SEC-102).
        if !desk.sign_in_lasts(signed_in).await {
            return sink.tell(Some("signed-out"), &()).await;
        }
        match counts {
            Some(counts) => sink.tell(Some("counts"), &Told::from(counts)).await?,
            None => sink.beat().await?,
        }
    }
}

/// Changes of this mailbox from now on.
async fn subscribe(desk: &Desk, address: &Address) -> watch::Receiver<Option<Counts>> {
    let mut after = None;
    if !desk.mailbox_news.listened().is_watched {
        // The store's silence is made good for by the watching task, which then learns of all changes.
        let op = Op::ListChangedMailboxes { after: NOTHING_AFTER };
        if let Reply::MailboxChanges(changes) = desk.store.ask(op).await {
            after = Some(changes.latest);
        }
    }
    let mut listened = desk.mailbox_news.listened();
    let receiver = listened.mailboxes.entry(address.clone()).or_default().subscribe();
    if !listened.is_watched {
        listened.is_watched = true;
        tokio::spawn(watch_mailboxes(desk.clone(), after.unwrap_or(0)));
    }
    receiver
}

/// Asks the store what changed after the change of number `after`, until nobody listens.
async fn watch_mailboxes(desk: Desk, mut after: u64) {
    let mut turns = interval(ASKED_EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut closing = desk.streams.closing();
    loop {
        tokio::select! {
            _ = turns.tick() => {}
            _ = closing.changed() => return,
        }
        if !desk.mailbox_news.goes_on() {
            return;
        }
        let reply = desk.store.ask(Op::ListChangedMailboxes { after }).await;
        // A store that has too much to do is asked again at the next turn.
        let Reply::MailboxChanges(changes) = reply else { continue };
        after = changes.changed.last().map_or(changes.latest.max(after), |last| last.number);
        let listened = desk.mailbox_news.listened();
        for change in &changes.changed {
            if let Some(sender) = listened.mailboxes.get(&change.address) {
                sender.send_replace(Some(change.counts));
            }
        }
    }
}

impl MailboxNews {
    fn listened(&self) -> MutexGuard<'_, Listened> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets mailboxes that nobody listens to any more; whether others are left.
    fn goes_on(&self) -> bool {
        let mut listened = self.listened();
        listened.mailboxes.retain(|_, sender| sender.receiver_count() > 0);
        listened.is_watched = !listened.mailboxes.is_empty();
        listened.is_watched
    }

    /// One more page of a session; where there are too many, the oldest is told to stop.
    fn enter(&self, session: Option<SessionKey>) -> Arc<Notify> {
        let superseded = Arc::new(Notify::new());
        if let Some(session) = session {
            let mut listened = self.listened();
            let pages = listened.pages.entry(session).or_default();
            if pages.len() >= LISTENERS_PER_SESSION_MAX
                && let Some(oldest) = pages.pop_front()
            {
                oldest.notify_one();
            }
            pages.push_back(Arc::clone(&superseded));
        }
        superseded
    }

    fn leave(&self, session: Option<SessionKey>, page: &Arc<Notify>) {
        let Some(session) = session else { return };
        let mut listened = self.listened();
        if let Some(pages) = listened.pages.get_mut(&session) {
            pages.retain(|each| !Arc::ptr_eq(each, page));
            if pages.is_empty() {
                listened.pages.remove(&session);
            }
        }
    }
}
