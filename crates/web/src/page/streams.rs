//! Places for responses that go on: how many there may be, and that they end with the program.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use tokio::sync::watch;
use umbel_store::Address;

use crate::SignedIn;
use crate::api::ApiError;

/// Streams of all users; one more is refused.
const STREAMS_MAX: usize = 4_096;
/// Streams of one user, of all browsers together; one more is refused.
pub(super) const STREAMS_PER_USER_MAX: usize = 32;

/// The streams that are open. Copies share them.
#[derive(Clone)]
pub(crate) struct Streams {
    open: Arc<Mutex<BTreeMap<Address, usize>>>,
    closing: Arc<watch::Sender<bool>>,
}

/// One open stream; gives its place back when it ends.
#[derive(Debug)]
pub(super) struct Place {
    open: Arc<Mutex<BTreeMap<Address, usize>>>,
    user: Address,
}

impl Default for Streams {
    fn default() -> Self {
        Streams { open: Arc::default(), closing: Arc::new(watch::Sender::new(false)) }
    }
}

impl Streams {
    /// A place for one more.
    pub(super) fn enter(&self, signed_in: &SignedIn) -> Result<Place, ApiError> {
        let mut open = lock(&self.open);
        let user = signed_in.address();
        let all: usize = open.values().sum();
        if all >= STREAMS_MAX || open.get(user).is_some_and(|count| *count >= STREAMS_PER_USER_MAX) {
            let message = "too many event streams are open; ask without them";
            return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too-many-streams", message));
        }
        *open.entry(user.clone()).or_default() += 1;
        Ok(Place { open: Arc::clone(&self.open), user: user.clone() })
    }

    /// Changes when the program is to end.
    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// All streams end, so that the listener need not wait for them.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        if let Some(count) = open.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.user);
            }
        }
    }
}

fn lock(open: &Mutex<BTreeMap<Address, usize>>) -> MutexGuard<'_, BTreeMap<Address, usize>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}
