//! What all handlers of the front share.

use std::sync::{Arc, PoisonError, RwLock};

use umbel_play_on_phone::DiallingRules;
use umbel_store::UserChange;
use umbel_time::UnixTime;

use crate::page::{MailboxNews, Sessions, Streams};
use crate::sign_in::Doorkeeper;
use crate::soap::Shelf;
use crate::uploads::Uploads;
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
    /// The address that mails of ours come from.
    pub mail_from: String,
    /// Which numbers outside may be called.
    pub dialling: DiallingRules,
}

/// The wall's clock.
pub type WallClock = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// Reads one setting of a user: a column of the import or a routing rule, its value in words, and the domain that
/// completes extensions. The same words mean the same in commands, in lists and here.
pub type ReadSetting = fn(&str, &str, &str) -> Result<Setting, String>;

/// A setting that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// What it changes.
    pub change: UserChange,
    /// Whom calls would be sent on to.
    pub sends_to: Vec<Destination>,
}

/// Whom a routing rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Somebody in our domain, or a number: the user part, without escapes.
    Here(String),
    /// Somebody at another host.
    Elsewhere,
}

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
    pub(crate) read_setting: ReadSetting,
    pub(crate) uploads: Uploads,
    pub(crate) doorkeeper: Arc<Doorkeeper>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) mailbox_news: Arc<MailboxNews>,
    pub(crate) streams: Streams,
    pub(crate) shelf: Shelf,
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
        read_setting: ReadSetting,
    ) -> Self {
        let doorkeeper = Arc::new(Doorkeeper::new(&random));
        let settings = Arc::new(RwLock::new(Arc::new(settings)));
        Desk {
            store,
            phone_calls,
            random,
            metrics,
            read_setting,
            uploads: Uploads::default(),
            doorkeeper,
            sessions: Arc::default(),
            mailbox_news: Arc::default(),
            streams: Streams::default(),
            shelf: Shelf::default(),
            settings,
            clock,
        }
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
