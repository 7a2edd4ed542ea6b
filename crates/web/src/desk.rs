//! What all handlers of the front share.

use std::sync::{Arc, PoisonError, RwLock};

use umbel_time::UnixTime;

use crate::{Metrics, PhoneCalls, Random, StoreHandle};

/// What the configuration says that web handlers need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The one domain whose addresses are ours.
    pub domain: String,
    /// Where people and programs reach the front, without a slash at the end: `http://127.0.0.1:8080`.
    pub public_url: String,
    /// What to dial for the own mailbox: user parts and numbers.
    pub telephone_access_numbers: Vec<String>,
    /// The language of who has chosen none.
    pub language: String,
}

/// The wall's clock.
pub type WallClock = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// What all handlers of the front share. Copies share it.
#[derive(Clone)]
pub struct Desk {
    /// Users, messages, greetings.
    pub store: StoreHandle,
    /// The calls that were asked for.
    pub phone_calls: PhoneCalls,
    /// Ids and keys.
    pub random: Random,
    /// What is counted.
    pub metrics: Metrics,
    settings: Arc<RwLock<Arc<Settings>>>,
    clock: WallClock,
}

impl Desk {
    /// A desk for these.
    pub fn new(
        store: StoreHandle,
        phone_calls: PhoneCalls,
        settings: Settings,
        random: Random,
        metrics: Metrics,
        clock: WallClock,
    ) -> Self {
        let settings = Arc::new(RwLock::new(Arc::new(settings)));
        Desk { store, phone_calls, random, metrics, settings, clock }
    }

    /// What the configuration says now.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The configuration was read again.
    pub fn set_settings(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// What the wall's clock shows.
    pub fn now(&self) -> UnixTime {
        (self.clock)()
    }
}
