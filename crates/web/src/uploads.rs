//! Sound files on their way in: how much at once, how slowly, and how many are decoded together.
//!
//! Room is taken as the octets come, and not when somebody says that they will: so whoever sends slowly holds what has
//! come, and keeps nobody else out.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use umbel_store::Address;

use crate::api::ApiError;
use crate::sound;

/// Room for all files together, in KiB; a file that finds none is to be sent again later.
const ROOM_KIB: usize = 64 * 1024;
/// Files that are decoded at once: each is some twenty mebibytes, and as many again when it is decoded.
const DECODED_MAX: usize = 2;
/// How long a file waits for its turn to be decoded; beyond it, it is to be sent again later.
const TURN_WITHIN: Duration = Duration::from_secs(30);
/// How long a file may take to come.
const WITHIN: Duration = Duration::from_secs(120);
/// Before so much time has passed nobody is called slow.
const GRACE: Duration = Duration::from_secs(10);
/// Octets in a second that have to come on average: as fast as it was spoken into a telephone.
const OCTETS_A_SECOND_MIN: u64 = 16 * 1024;

/// The files that are on their way. Copies share them.
#[derive(Clone)]
pub(crate) struct Uploads {
    room: Arc<Semaphore>,
    decoders: Arc<Semaphore>,
    /// Who is sending: one file each.
    senders: Arc<Mutex<BTreeSet<Address>>>,
}

/// A file that has come whole, and its turn to be decoded. The room is given back when it is dropped.
pub(crate) struct Received {
    pub(crate) octets: Vec<u8>,
    _room: Option<OwnedSemaphorePermit>,
    _turn: OwnedSemaphorePermit,
}

/// Why a file is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotReceived {
    /// The same user is sending another one.
    Another,
    /// There is no room, or too many wait to be decoded.
    Overloaded,
    TooLarge,
    TooSlow,
    /// The connection ended before the file did.
    Unfinished,
}

impl IntoResponse for NotReceived {
    fn into_response(self) -> Response {
        let later = |what: &'static str| {
            let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", what);
            ([(RETRY_AFTER, "5")], error).into_response()
        };
        match self {
            NotReceived::Another => later("another sound of yours is on its way; try again later"),
            NotReceived::Overloaded => later("others are sending sound now; try again later"),
            NotReceived::TooLarge => {
                let message = format!("a sound file has at most {} octets", sound::file_bytes_max());
                ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message).into_response()
            }
            NotReceived::TooSlow => {
                ApiError::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "the sound came too slowly")
                    .into_response()
            }
            NotReceived::Unfinished => ApiError::bad_request("the body did not end").into_response(),
        }
    }
}

impl Default for Uploads {
    fn default() -> Self {
        Uploads {
            room: Arc::new(Semaphore::new(ROOM_KIB)),
            decoders: Arc::new(Semaphore::new(DECODED_MAX)),
            senders: Arc::default(),
        }
    }
}

impl Uploads {
    /// Takes in a file of `owner`'s, and waits for its turn to be decoded.
    pub(crate) async fn receive(&self, owner: &Address, body: Body) -> Result<Received, NotReceived> {
        let _sender = self.sender(owner).ok_or(NotReceived::Another)?;
        let (octets, room) = self.read(body).await?;
        let turn = timeout(TURN_WITHIN, Arc::clone(&self.decoders).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(NotReceived::Overloaded) };
        Ok(Received { octets, _room: room, _turn: turn })
    }

    async fn read(&self, mut body: Body) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), NotReceived> {
        let longest = sound::file_bytes_max();
        if body.size_hint().lower() > longest as u64 {
            return Err(NotReceived::TooLarge);
        }
        let began = Instant::now();
        let (mut octets, mut room) = (Vec::new(), None);
        loop {
            let next = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
            let frame = match timeout_at(due(began, octets.len()), next).await {
                Err(_) => return Err(NotReceived::TooSlow),
                Ok(None) => return Ok((octets, room)),
                Ok(Some(Err(_))) => return Err(NotReceived::Unfinished),
                Ok(Some(Ok(frame))) => frame,
            };
            let Ok(data) = frame.into_data() else { continue };
            let length = octets.len().saturating_add(data.len());
            if length > longest {
                return Err(NotReceived::TooLarge);
            }
            self.make_room(&mut room, length)?;
            octets.extend_from_slice(&data);
        }
    }

    /// Room for so many octets, with what is held already.
    fn make_room(&self, room: &mut Option<OwnedSemaphorePermit>, length: usize) -> Result<(), NotReceived> {
        let held = room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let wanted = length.div_ceil(1024).saturating_sub(held);
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
        let more = Arc::clone(&self.room).try_acquire_many_owned(wanted);
        let more = more.map_err(|_| NotReceived::Overloaded)?;
        match room {
            Some(room) => room.merge(more),
            None => *room = Some(more),
        }
        Ok(())
    }

    fn sender(&self, owner: &Address) -> Option<Sender> {
        let is_first = lock(&self.senders).insert(owner.clone());
        is_first.then(|| Sender { senders: Arc::clone(&self.senders), owner: owner.clone() })
    }
}

/// By when the next octets have to be here, where so many have come.
fn due(began: Instant, octets: usize) -> Instant {
    let earned = Duration::from_millis((octets as u64).saturating_mul(1_000) / OCTETS_A_SECOND_MIN);
    began + GRACE.saturating_add(earned).min(WITHIN)
}

/// That somebody is sending, until it is dropped.
struct Sender {
    senders: Arc<Mutex<BTreeSet<Address>>>,
    owner: Address,
}

impl Drop for Sender {
    fn drop(&mut self) {
        lock(&self.senders).remove(&self.owner);
    }
}

fn lock(senders: &Mutex<BTreeSet<Address>>) -> std::sync::MutexGuard<'_, BTreeSet<Address>> {
    senders.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::task::{Context, Poll};

    use axum::body::Bytes;
    use hyper::body::Frame;
    use tokio::time::Sleep;

    use super::*;
    use crate::testing::address;

    /// A body of so many octets a second, each second's at once; `left` of them.
    struct Trickle {
        octets_a_second: usize,
        left: usize,
        pause: Pin<Box<Sleep>>,
    }

    fn trickle(octets_a_second: usize, left: usize) -> Body {
        let pause = Box::pin(tokio::time::sleep(Duration::from_secs(1)));
        Body::new(Trickle { octets_a_second, left, pause })
    }

    impl HttpBody for Trickle {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            std::task::ready!(self.pause.as_mut().poll(context));
            let next = Instant::now() + Duration::from_secs(1);
            self.pause.as_mut().reset(next);
            let now = self.left.min(self.octets_a_second);
            self.left -= now;
            Poll::Ready((now > 0).then(|| Ok(Frame::data(Bytes::from(vec![0; now])))))
        }
    }

    const RATE: usize = 16 * 1024;

    async fn outcome(uploads: &Uploads, user: &str, body: Body) -> Result<usize, NotReceived> {
        uploads.receive(&address(user), body).await.map(|received| received.octets.len())
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_keeps_up_with_the_slowest_rate_is_heard_to_the_end() {
        let uploads = Uploads::default();
        assert_eq!(outcome(&uploads, "alice", trickle(RATE, 60 * RATE)).await, Ok(60 * RATE));
        assert_eq!(uploads.room.available_permits(), ROOM_KIB);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_sends_more_slowly_is_given_up_long_before_the_end() {
        let (uploads, began) = (Uploads::default(), Instant::now());
        let half = trickle(RATE / 2, 600 * RATE);
        assert_eq!(outcome(&uploads, "alice", half).await, Err(NotReceived::TooSlow));
        // After the grace of ten seconds at half the rate as many again are used up.
        assert!((18..=21).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
        let began = Instant::now();
        assert_eq!(outcome(&uploads, "alice", trickle(1, 600)).await, Err(NotReceived::TooSlow));
        assert_eq!(began.elapsed().as_secs(), GRACE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn no_file_takes_longer_than_two_minutes() {
        let (uploads, began) = (Uploads::default(), Instant::now());
        let steady = trickle(RATE + 1024, 600 * RATE);
        assert_eq!(outcome(&uploads, "alice", steady).await, Err(NotReceived::TooSlow));
        assert_eq!(began.elapsed(), WITHIN);
    }

    /// What used to be two places for everybody's files.
    #[tokio::test(start_paused = true)]
    async fn slow_ones_keep_nobody_out() {
        let uploads = Uploads::default();
        let slow: Vec<_> = (0..50)
            .map(|n| {
                let (uploads, user) = (uploads.clone(), format!("slow{n}"));
                tokio::spawn(async move { outcome(&uploads, &user, trickle(RATE, 60 * RATE)).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert_eq!(outcome(&uploads, "alice", Body::from(vec![0; 1 << 20])).await, Ok(1 << 20));
        for each in slow {
            assert_eq!(each.await.unwrap(), Ok(60 * RATE));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_sends_one_file_at_a_time() {
        let uploads = Uploads::default();
        let first = {
            let uploads = uploads.clone();
            tokio::spawn(async move { outcome(&uploads, "alice", trickle(RATE, 10 * RATE)).await })
        };
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(outcome(&uploads, "alice", Body::from("x")).await, Err(NotReceived::Another));
        assert_eq!(outcome(&uploads, "bob", Body::from("x")).await, Ok(1));
        assert_eq!(first.await.unwrap(), Ok(10 * RATE));
        assert_eq!(outcome(&uploads, "alice", Body::from("x")).await, Ok(1));
    }

    /// SEC-105: at the bound, and one octet over it, said beforehand or not.
    #[tokio::test(start_paused = true)]
    async fn a_file_has_a_bound_and_so_have_all_together() {
        let (uploads, most) = (Uploads::default(), sound::file_bytes_max());
        assert_eq!(outcome(&uploads, "alice", Body::from(vec![0; most])).await, Ok(most));
        assert_eq!(
            outcome(&uploads, "alice", Body::from(vec![0; most + 1])).await,
            Err(NotReceived::TooLarge)
        );
        let unsaid = trickle(most / 2 + 1, most + 1);
        assert_eq!(outcome(&uploads, "alice", unsaid).await, Err(NotReceived::TooLarge));
        let mut held = Vec::new();
        while (held.len() + 1) * most <= ROOM_KIB * 1024 {
            held.push(uploads.read(Body::from(vec![0; most])).await.ok().unwrap());
        }
        assert!(held.len() >= 2);
        let refused = outcome(&uploads, "alice", Body::from(vec![0; most])).await;
        assert_eq!(refused, Err(NotReceived::Overloaded));
        held.clear();
        assert_eq!(uploads.room.available_permits(), ROOM_KIB);
    }

    #[tokio::test(start_paused = true)]
    async fn two_are_decoded_at_once_and_a_third_waits_for_its_turn() {
        let uploads = Uploads::default();
        let alice = uploads.receive(&address("alice"), Body::from("x")).await.ok().unwrap();
        let bob = uploads.receive(&address("bob"), Body::from("x")).await.ok().unwrap();
        let began = Instant::now();
        assert_eq!(outcome(&uploads, "carol", Body::from("x")).await, Err(NotReceived::Overloaded));
        assert_eq!(began.elapsed(), TURN_WITHIN);
        drop(alice);
        assert_eq!(outcome(&uploads, "carol", Body::from("x")).await, Ok(1));
        drop(bob);
    }
}
