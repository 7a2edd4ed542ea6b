//! The calls that were asked for: places them, knows how they stand, ends them.
//!
//! Whoever asks, by SOAP, by the API, on the page or by a command, asks here; the unified messaging server
//! decides ([`umbel_play_on_phone`]) and tells its news from its own thread.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use umbel_play_on_phone::{CallState, EventCause, News, PhoneCallId, Played, Refusal, Request, Status};
use umbel_store::Address;

use crate::Random;

/// Calls that are remembered, ended ones among them. Beyond it the one that ended first is forgotten; where
/// none has ended, no further one is placed.
const CALLS_MAX: usize = 4_096;
/// How long a call that has ended can be asked about.
const ENDED_KEPT: Duration = Duration::from_secs(5 * 60);
/// How long the first news may take. Later ones find a call that nobody wants any more, and it is ended.
const FIRST_NEWS_WITHIN: Duration = Duration::from_secs(5);

/// A telephone that is busy ends a call at once. Who asks for the same so soon after asking for it has lost the answer,
/// and hears of that call: nothing is dialled twice (SEC-46, REL-39).
const REPEATED_WITHIN: Duration = Duration::from_secs(1);

/// What is asked of the unified messaging server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ordered {
    /// Place this call.
    Play(Box<Request>),
    /// End that one.
    Disconnect(PhoneCallId),
}

/// The calls that were asked for. Copies share them, also between threads.
#[derive(Clone)]
pub struct PhoneCalls {
    inner: Arc<Inner>,
}

struct Inner {
    random: Random,
    order: Box<dyn Fn(Ordered) -> bool + Send + Sync>,
    calls: Mutex<BTreeMap<PhoneCallId, Call>>,
}

struct Call {
    owner: Address,
    played: Played,
    dial_string: Option<String>,
    asked: Instant,
    stage: Stage,
}

impl Call {
    /// Whether it came to nothing, and was asked for a moment ago.
    fn has_just_failed(&self) -> bool {
        matches!(&self.stage, Stage::Ended(sender, _) if sender.borrow().cause != EventCause::None)
            && self.asked.elapsed() < REPEATED_WITHIN
    }
}

enum Stage {
    /// The unified messaging server has not said yet whether it places it.
    Asked(oneshot::Sender<First>),
    /// Whoever asked has given up waiting for that.
    GivenUp,
    /// It is placed.
    Placed(watch::Sender<Status>),
    /// It is over.
    Ended(watch::Sender<Status>, Instant),
}

/// The first news of a call.
type First = Result<PhoneCallId, Refusal>;

impl PhoneCalls {
    /// `order` hands an order to the unified messaging server; `false` where that does not run here or takes no more.
    pub fn new(random: Random, order: impl Fn(Ordered) -> bool + Send + Sync + 'static) -> Self {
        PhoneCalls { inner: Arc::new(Inner { random, order: Box::new(order), calls: Mutex::default() }) }
    }

    /// Asks for a call, and waits until it is decided. The id of a request that repeats another is the other's.
    ///
    /// Whoever stops waiting does not take the request back: a connection that was lost tells nothing of its
    /// user's wish, who may ask again and then hears of this call.
    ///
    /// # Errors
    ///
    /// Why there is no call.
    pub async fn play(
        &self,
        owner: Address,
        played: Played,
        dial_string: Option<String>,
    ) -> Result<PhoneCallId, Refusal> {
        let id = PhoneCallId::from_bytes(self.inner.random.octets());
        let (tell, told) = oneshot::channel();
        {
            let mut calls = self.calls();
            let is_same =
                |call: &Call| call.owner == owner && call.played == played && call.dial_string == dial_string;
            let repeated = calls.iter().find(|(_, call)| is_same(call) && call.has_just_failed());
            if let Some((earlier, _)) = repeated {
                return Ok(*earlier);
            }
            make_room(&mut calls)?;
            let call = Call {
                owner: owner.clone(),
                played,
                dial_string: dial_string.clone(),
                asked: Instant::now(),
                stage: Stage::Asked(tell),
            };
            calls.insert(id, call);
        }
        if !(self.inner.order)(Ordered::Play(Box::new(Request { id, owner, played, dial_string }))) {
            self.calls().remove(&id);
            return Err(Refusal::Unavailable);
        }
        match tokio::time::timeout(FIRST_NEWS_WITHIN, told).await {
            Ok(first) => first.unwrap_or(Err(Refusal::Unavailable)),
            Err(_) => self.give_up(id),
        }
    }

    /// No news came in time.
    fn give_up(&self, id: PhoneCallId) -> First {
        let mut calls = self.calls();
        let call = calls.get_mut(&id).ok_or(Refusal::Unavailable)?;
        match &call.stage {
            // They came at the very moment.
            Stage::Placed(_) | Stage::Ended(..) => Ok(id),
            Stage::Asked(_) | Stage::GivenUp => {
                call.stage = Stage::GivenUp;
                Err(Refusal::Unavailable)
            }
        }
    }

    /// Takes what the unified messaging server tells of a call, on whatever thread.
    pub fn news(&self, id: PhoneCallId, news: News) {
        let unwanted = {
            let mut calls = self.calls();
            take(&mut calls, id, news)
        };
        if unwanted {
            // Where it is not taken, its telephone rings until it is answered or rings out.
            let _ = (self.inner.order)(Ordered::Disconnect(id));
        }
    }

    /// How a call stands; `None` where there is none of this id for this owner, or it ended long ago.
    pub fn status(&self, owner: &Address, id: PhoneCallId) -> Option<Status> {
        self.look(owner, id, |sender| sender.borrow().clone())
    }

    /// How a call stands, and goes on to stand until it is over.
    pub fn follow(&self, owner: &Address, id: PhoneCallId) -> Option<watch::Receiver<Status>> {
        self.look(owner, id, watch::Sender::subscribe)
    }

    /// Ends a call; `false` where there is none of this id for this owner. One that has ended stays so.
    pub fn disconnect(&self, owner: &Address, id: PhoneCallId) -> bool {
        {
            let calls = self.calls();
            match calls.get(&id).filter(|call| call.owner == *owner) {
                Some(Call { stage: Stage::Placed(_), .. }) => {}
                Some(Call { stage: Stage::Ended(_, at), .. }) => return at.elapsed() < ENDED_KEPT,
                _ => return false,
            }
        }
        // A server that takes no more orders is ending, and its calls with it.
        let _ = (self.inner.order)(Ordered::Disconnect(id));
        true
    }

    /// Another's id is unknown (SEC-99), and so is one that was never told.
    fn look<T>(
        &self,
        owner: &Address,
        id: PhoneCallId,
        see: impl FnOnce(&watch::Sender<Status>) -> T,
    ) -> Option<T> {
        let calls = self.calls();
        let call = calls.get(&id).filter(|call| call.owner == *owner)?;
        match &call.stage {
            Stage::Placed(sender) => Some(see(sender)),
            Stage::Ended(sender, at) => (at.elapsed() < ENDED_KEPT).then(|| see(sender)),
            Stage::Asked(_) | Stage::GivenUp => None,
        }
    }

    /// A thread that panicked while it held the lock left each call whole.
    fn calls(&self) -> MutexGuard<'_, BTreeMap<PhoneCallId, Call>> {
        self.inner.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets what ended long ago, and where that is not enough, what ended first.
fn make_room(calls: &mut BTreeMap<PhoneCallId, Call>) -> Result<(), Refusal> {
    if calls.len() < CALLS_MAX {
        return Ok(());
    }
    calls.retain(|_, call| !matches!(call.stage, Stage::Ended(_, at) if at.elapsed() >= ENDED_KEPT));
    if calls.len() < CALLS_MAX {
        return Ok(());
    }
    let ended = calls.iter().filter_map(|(id, call)| match call.stage {
        Stage::Ended(_, at) => Some((at, *id)),
        _ => None,
    });
    let (_, first) = ended.min().ok_or(Refusal::Unavailable)?;
    calls.remove(&first);
    Ok(())
}

/// Takes news in. Whether the call is placed and nobody wants it.
fn take(calls: &mut BTreeMap<PhoneCallId, Call>, id: PhoneCallId, news: News) -> bool {
    let Some(mut call) = calls.remove(&id) else { return false };
    call.stage = match (call.stage, news) {
        (Stage::Asked(tell), News::Placed) => {
            let _ = tell.send(Ok(id));
            let status = Status { state: CallState::Connecting, cause: EventCause::None, response: None };
            Stage::Placed(watch::Sender::new(status))
        }
        (Stage::Asked(tell), News::Repeats(earlier)) => {
            let known = calls.get(&earlier).is_some_and(|earlier| earlier.owner == call.owner);
            let _ = tell.send(if known { Ok(earlier) } else { Err(Refusal::Unavailable) });
            return false;
        }
        (Stage::Asked(tell), News::Refused(refusal)) => {
            let _ = tell.send(Err(refusal));
            return false;
        }
        (Stage::GivenUp, News::Placed) => return true,
        (Stage::GivenUp, News::Repeats(_) | News::Refused(_)) => return false,
        (Stage::Placed(sender), News::Standing(status)) => {
            let is_over = status.state == CallState::Disconnected;
            sender.send_replace(status);
            if is_over { Stage::Ended(sender, Instant::now()) } else { Stage::Placed(sender) }
        }
        // Nothing that is told twice, or late, changes how a call stands.
        (stage, _) => stage,
    };
    calls.insert(id, call);
    false
}

#[cfg(test)]
#[path = "phone_calls_tests.rs"]
mod tests;
