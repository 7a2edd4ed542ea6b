//! A protocol server in the world: the real brain, the store in memory, and what is kept of bindings.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use umbel_node::{Input, Node, Output};
use umbel_proxy::location::Kept;
use umbel_proxy::{Config, Order, Proxy, Wish};
use umbel_sip_message::AddressOfRecord;
use umbel_store::memory::MemoryStore;
use umbel_store::{
    Address, AuditTrail, Author, Decision, Directory, Password, Secrets, UserChange, UserEntry, execute,
};
use umbel_time::{Instant, UnixTime};

use crate::life::{Life, separate};
use crate::unified_messaging::MORNING;
use crate::{Errand, Inhabitant, StoreIs};

/// A server with all that it needs.
pub struct ProtocolServer {
    proxy: Proxy,
    config: Config,
    store: MemoryStore,
    /// How often its users have changed, as far as the server was told.
    changes: u64,
    kept: BTreeMap<AddressOfRecord, Vec<Kept>>,
    rng: ChaCha20Rng,
    life: Life,
    outputs: VecDeque<Output<Answer>>,
    /// How the store behaves.
    pub store_is: StoreIs,
    /// What the operator was told.
    pub told: Vec<String>,
}

/// What the store says, and after how long.
#[derive(Debug)]
pub struct Answer(Duration, Order);

/// What the server is told in the world.
#[derive(Debug)]
pub enum Told {
    /// By the event loop.
    Order(Box<Order>),
    /// By the store, in this life of the server.
    Stored(Life, Box<Order>),
    /// It ends and begins anew, and is given the bindings that were kept.
    Restart,
}

impl ProtocolServer {
    /// A server without users.
    pub fn new(config: Config, mut rng: ChaCha20Rng) -> Self {
        let store = MemoryStore::new(umbel_store::Config::default(), ChaCha20Rng::from_rng(&mut rng));
        let proxy = Proxy::new(config.clone(), MORNING, ChaCha20Rng::from_rng(&mut rng));
        ProtocolServer {
            proxy,
            config,
            store,
            changes: 0,
            kept: BTreeMap::new(),
            rng,
            life: Life::default(),
            outputs: VecDeque::new(),
            store_is: StoreIs::default(),
            told: Vec::new(),
        }
    }

    /// Adds a user with an extension and a password.
    pub fn add_user(&mut self, address: &str, extension: &str, password: &str) {
        let mut entry = UserEntry::new(parse(address));
        entry.changes = vec![UserChange::Extension(Some(extension.to_owned()))];
        entry.password = Password::new(password);
        self.store.add_user(&entry, &Author::Store, MORNING).expect("tests add good users");
    }

    /// Changes a user.
    pub fn change_user(&mut self, address: &str, changes: &[UserChange]) {
        self.store
            .change_user(&parse(address), changes, &Author::Store, MORNING)
            .expect("tests make good changes");
    }

    /// Changes a user as another process does: nobody tells the server.
    pub fn change_user_elsewhere(&mut self, address: &str, changes: &[UserChange]) {
        self.change_user(address, changes);
        self.changes = self.count_changes();
    }

    /// Gives a user another password as another process does.
    pub fn set_password_elsewhere(&mut self, address: &str, password: &str) {
        let password = Password::new(password).expect("tests use good passwords");
        let set = self.store.set_password(&parse(address), &password, &Author::Store, MORNING);
        set.expect("the user is there");
        self.changes = self.count_changes();
    }

    fn count_changes(&mut self) -> u64 {
        self.store.user_changes().expect("the store in memory always answers")
    }

    /// Sets one rule of a user, in the words of `umbel user set`.
    pub fn set_rule(&mut self, address: &str, rule: &str, value: &str) {
        let value = Some(value.to_owned());
        self.change_user(address, &[UserChange::Routing { key: rule.to_owned(), value }]);
    }

    /// All decisions on a call.
    pub fn decisions(&mut self, call_id: &str) -> Vec<Decision> {
        self.store.decisions(call_id).expect("the store in memory always answers")
    }

    /// Requests that are being passed on.
    pub fn call_count(&self) -> usize {
        self.proxy.call_count()
    }

    /// Addresses that are registered.
    pub fn registered_count(&self) -> usize {
        self.proxy.registered_count()
    }

    /// Whether nothing is going on.
    pub fn is_idle(&self) -> bool {
        self.proxy.is_idle()
    }

    /// Whether nothing at all is left of any call.
    pub fn is_at_rest(&self) -> bool {
        self.proxy.is_at_rest()
    }

    fn restart(&mut self, now: Instant) {
        self.life = self.life.next();
        let rng = ChaCha20Rng::from_rng(&mut self.rng);
        self.proxy = Proxy::new(self.config.clone(), MORNING, rng);
        let wall = wall(now);
        self.proxy.handle(now, Input::Order(Order::Clock(wall)));
        let kept = self.kept.clone().into_iter().collect();
        self.proxy.handle(now, Input::Order(Order::Restore(kept)));
    }

    fn settle(&mut self, now: Instant) {
        while let Some(output) = self.proxy.poll_output() {
            let output = match output {
                Output::Open { id, to } => Output::Open { id: self.life.outer(id), to },
                Output::Transmit { id, bytes } => Output::Transmit { id: self.life.outer(id), bytes },
                Output::Close { id } => Output::Close { id: self.life.outer(id) },
                Output::Resolve { query, uri } => Output::Resolve { query, uri },
                Output::Wish(wish) => match self.carry_out_now(now, wish) {
                    Some(answer) => Output::Wish(answer),
                    None => continue,
                },
            };
            self.outputs.push_back(output);
        }
    }

    fn carry_out_now(&mut self, now: Instant, wish: Wish) -> Option<Answer> {
        match wish {
            Wish::Store { ticket, op } => {
                if self.store_is.silent {
                    return None;
                }
                let reply = self.store_is.answers(op, |op| execute(&mut self.store, op));
                Some(Answer(self.store_is.slow, Order::Stored { ticket, reply }))
            }
            Wish::Keep(address) => {
                let bindings = self.proxy.kept(now, &address);
                if bindings.is_empty() {
                    self.kept.remove(&address);
                } else {
                    self.kept.insert(address, bindings);
                }
                None
            }
            // News for people.
            news => {
                self.told.push(format!("{news:?}"));
                None
            }
        }
    }
}

impl Node for ProtocolServer {
    type Order = Told;
    type Wish = Answer;

    fn handle(&mut self, now: Instant, input: Input<Told>) {
        let changes = self.count_changes();
        if std::mem::replace(&mut self.changes, changes) != changes {
            self.proxy.handle(now, Input::Order(Order::UsersChanged));
        }
        match self.life.inside(input).map(separate) {
            None => {}
            Some(Ok(input)) => self.proxy.handle(now, input),
            Some(Err(Told::Order(order))) => self.proxy.handle(now, Input::Order(*order)),
            Some(Err(Told::Stored(life, order))) if life == self.life => {
                self.proxy.handle(now, Input::Order(*order));
            }
            // The answer to a question of an earlier life.
            Some(Err(Told::Stored(..))) => {}
            Some(Err(Told::Restart)) => self.restart(now),
        }
        self.settle(now);
    }

    fn poll_output(&mut self) -> Option<Output<Answer>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.proxy.poll_timeout()
    }
}

impl Inhabitant for ProtocolServer {
    fn carry_out(&mut self, _: Instant, Answer(after, order): Answer) -> Vec<Errand<Told>> {
        vec![Errand::Order { after, order: Told::Stored(self.life, Box::new(order)) }]
    }
}

/// What the wall's clock shows.
fn wall(now: Instant) -> UnixTime {
    MORNING + now.since(Instant::ZERO)
}

fn parse(address: &str) -> Address {
    address.parse().expect("tests use good addresses")
}
