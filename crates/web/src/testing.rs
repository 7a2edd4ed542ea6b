//! For tests of handlers: a desk on a store in memory, and requests by hand.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tower::ServiceExt;
use umbel_play_on_phone::{DiallingRules, News, PhoneCallId, Refusal};
use umbel_store::memory::MemoryStore;
use umbel_store::{Address, Author, NewPin, Op, Password, Pin, Store, UserChange, UserEntry, execute};
use umbel_time::UnixTime;

use crate::front::without_case;
use crate::{
    Client, Desk, Destination, Metrics, Ordered, PhoneCalls, Random, Setting, Settings, StoreHandle,
};

/// Some noon, from which all times are counted.
pub(crate) const NOON: UnixTime = UnixTime::from_secs(1_790_000_000);

/// The password of everybody.
pub(crate) const PASSWORD: &str = "correct horse";

/// A desk with alice, bob and the administrator carol.
pub(crate) struct World {
    pub(crate) desk: Desk,
    pub(crate) store: Arc<Mutex<MemoryStore>>,
    /// Passwords that were compared, each at the cost of Argon2.
    pub(crate) compared: Arc<Mutex<usize>>,
    /// What the unified messaging server was asked. It places every call, unless `refuses`.
    pub(crate) orders: Arc<Mutex<Vec<Ordered>>>,
    pub(crate) refuses: Arc<Mutex<Option<Refusal>>>,
    /// What the wall's clock shows.
    pub(crate) now: Arc<Mutex<UnixTime>>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The stable code of an error.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

pub(crate) fn address(user: &str) -> Address {
    Address::new(user, "example.test").unwrap()
}

pub(crate) fn author() -> Author {
    Author::Administrator("test".to_owned())
}

impl World {
    pub(crate) fn new() -> Self {
        World::of(umbel_store::Config::default())
    }

    /// The same where mails are sent.
    pub(crate) fn with_mail() -> Self {
        World::of(umbel_store::Config { mail: true, ..umbel_store::Config::default() })
    }

    fn of(config: umbel_store::Config) -> Self {
        let mut store = MemoryStore::new(config, ChaCha20Rng::from_seed([1; 32]));
        for (user, extension) in [("alice", "101"), ("bob", "102"), ("carol", "103")] {
            let mut entry = UserEntry::new(address(user));
            entry.pin = Some(NewPin::Own(Pin::new("274950").unwrap()));
            entry.password = Password::new(PASSWORD);
            entry.changes = vec![UserChange::Extension(Some(extension.to_owned()))];
            if user == "carol" {
                entry.changes.push(UserChange::Role(umbel_store::Role::Administrator));
            }
            umbel_store::Directory::add_user(&mut store, &entry, &author(), NOON).unwrap();
        }
        let store = Arc::new(Mutex::new(store));
        let compared = Arc::new(Mutex::new(0));
        let handle = {
            let (store, compared) = (Arc::clone(&store), Arc::clone(&compared));
            StoreHandle::new(move |op, then| {
                if matches!(op, Op::CheckPassword(_)) {
                    *compared.lock().unwrap() += 1;
                }
                then(execute(&mut *store.lock().unwrap(), op));
                Ok(())
            })
        };
        let random = Random::new([2; 32]);
        let (orders, refuses) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(None)));
        let phone_calls = phone_calls(&random, &orders, &refuses);
        let now = Arc::new(Mutex::new(NOON));
        let clock = {
            let now = Arc::clone(&now);
            Arc::new(move || *now.lock().unwrap())
        };
        let settings = Settings {
            domain: "example.test".to_owned(),
            public_url: "http://127.0.0.1:8080".to_owned(),
            telephone_access_numbers: vec!["voicemail".to_owned()],
            language: "en".to_owned(),
            mail_from: "um@mail.example.test".to_owned(),
            dialling: DiallingRules::new(["+1555*".parse().unwrap()]),
        };
        let desk =
            Desk::new(handle, phone_calls, settings, random, Metrics::new("0.1.0"), clock, read_setting);
        World { desk, store, compared, orders, refuses, now }
    }

    /// Does something to the store directly, as a command would.
    pub(crate) fn store<T>(&self, act: impl FnOnce(&mut dyn Store) -> T) -> T {
        act(&mut *self.store.lock().unwrap())
    }

    /// A request whose credentials are those of `user`, with the right password.
    pub(crate) fn request(&self, user: &str, method: &str, path: &str) -> axum::http::request::Builder {
        let credentials = STANDARD.encode(format!("{user}@example.test:{PASSWORD}"));
        Request::builder().method(method).uri(path).header("Authorization", format!("Basic {credentials}"))
    }

    /// Sends a request as from this machine.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let client = Client {
            remote: "127.0.0.1:50000".parse().unwrap(),
            local: "127.0.0.1:8080".parse().unwrap(),
            is_encrypted: false,
        };
        self.send_from(client, request).await
    }

    pub(crate) async fn send_from(&self, client: Client, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(client);
        without_case(&mut request);
        let response = crate::front::app(self.desk.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, user: &str, path: &str) -> Answer {
        self.send(self.request(user, "GET", path).body(Body::empty()).unwrap()).await
    }

    /// Sends JSON.
    pub(crate) async fn json(
        &self,
        user: &str,
        method: &str,
        path: &str,
        body: &serde_json::Value,
    ) -> Answer {
        let request = self.request(user, method, path).header("Content-Type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn delete(&self, user: &str, path: &str) -> Answer {
        self.send(self.request(user, "DELETE", path).body(Body::empty()).unwrap()).await
    }
}

/// A unified messaging server that places every call, unless it refuses.
fn phone_calls(
    random: &Random,
    orders: &Arc<Mutex<Vec<Ordered>>>,
    refuses: &Arc<Mutex<Option<Refusal>>>,
) -> PhoneCalls {
    let itself: Arc<Mutex<Option<PhoneCalls>>> = Arc::default();
    let (calls, orders, refuses) = (Arc::clone(&itself), Arc::clone(orders), Arc::clone(refuses));
    let tell = move |id: PhoneCallId, news: News| {
        let calls = calls.lock().unwrap().clone();
        calls.unwrap().news(id, news);
    };
    let order = move |order: Ordered| {
        if let Ordered::Play(request) = &order {
            match *refuses.lock().unwrap() {
                Some(refusal) => tell(request.id, News::Refused(refusal)),
                None => tell(request.id, News::Placed),
            }
        }
        orders.lock().unwrap().push(order);
        true
    };
    let phone_calls = PhoneCalls::new(random.clone(), order);
    *itself.lock().unwrap() = Some(phone_calls.clone());
    phone_calls
}

/// Some of the words of the program's, which are tested there.
fn read_setting(column: &str, value: &str, _domain: &str) -> Result<Setting, String> {
    let optional = (!value.is_empty()).then(|| value.to_owned());
    let mut sends_to = Vec::new();
    let change = match column {
        "name" => Ok(UserChange::Name(value.to_owned())),
        "extension" => Ok(UserChange::Extension(optional)),
        "enabled" => Ok(UserChange::Enabled(value == "yes")),
        "email" => Ok(UserChange::Email(optional)),
        "time_zone" => Ok(UserChange::TimeZone(optional)),
        "role" if value == "administrator" => Ok(UserChange::Role(umbel_store::Role::Administrator)),
        "missed_call_notices" => Ok(UserChange::MissedCallNotices(value == "yes")),
        "forward-immediate" => {
            sends_to.extend(optional.as_ref().map(|user| match user.contains('@') {
                true => Destination::Elsewhere,
                false => Destination::Here(user.clone()),
            }));
            Ok(UserChange::Routing { key: column.to_owned(), value: optional })
        }
        _ => Err(format!("there is no setting `{column}`")),
    };
    change.map(|change| Setting { change, sends_to })
}
