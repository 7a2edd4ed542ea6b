//! A unified messaging server in the world: the real brain, real media sessions, and the store in memory.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use umbel_media::{Clip, Command, Prompt};
use umbel_node::{Input, Node, Output};
use umbel_play_on_phone::{EventCause, News, PhoneCallId};
use umbel_store::memory::MemoryStore;
use umbel_store::{
    Address, AudioFormat, AuditTrail, Author, Begin, CallRecord, Caller, Decision, Directory, Finish, Folder,
    Importance, Mailboxes, MessageId, MissedCall, NewPin, Op, Pin, PinOutcome, Purpose, Recordings, Reply,
    Ruling, StoredAudio, UserChange, UserEntry, VoiceMessage, execute,
};
use umbel_store::{GreetingKind, MailboxSummary};
use umbel_time::{Instant, UnixTime};
use umbel_um::{Alarm, Config, MediaKey, NoSockets, Order, Prompts, Um, Wish};

use crate::life::{Life, separate};
use crate::sound::{Sound, Sounds};
use crate::{Datagram, Errand, Inhabitant, StoreIs};

/// What the wall clock shows when a world begins: 2026-03-02 09:00 UTC.
pub const MORNING: UnixTime = UnixTime::from_secs(1_772_442_000);
/// How long every prompt lasts.
const PROMPT: Duration = Duration::from_millis(200);
const FIRST_PORT: u16 = 20_000;

/// A server with all that it needs.
pub struct UnifiedMessaging {
    um: Um,
    config: Config,
    life: Life,
    store: MemoryStore,
    sounds: Sounds<MediaKey>,
    address: IpAddr,
    next_port: u16,
    rng: ChaCha20Rng,
    prompts: Arc<Mutex<Recorded>>,
    breaks_at: Arc<Mutex<Option<&'static str>>>,
    outputs: VecDeque<Output<Doing>>,
    /// How the store behaves.
    pub store_is: StoreIs,
    /// Whether there are sockets for media.
    pub has_sockets: bool,
    /// The names of all prompts that were played, in order; `*` for the tone, `+` for a recording.
    pub said: Vec<String>,
    /// What was told of calls that users asked for, and when.
    pub news: Vec<(Instant, PhoneCallId, News)>,
    /// Alarms that were raised.
    pub alarms: Vec<Alarm>,
    /// Whether draining is over.
    pub is_drained: bool,
    /// Every operation that the store was asked for, in order.
    pub ops: Vec<String>,
}

/// The prompts made so far, by name.
type Recorded = BTreeMap<&'static str, Arc<Prompt>>;

/// What the server does outside SIP, as the world carries it out.
#[derive(Debug)]
pub enum Doing {
    /// A packet leaves.
    Send(Datagram),
    /// The store has an answer.
    Answer(Duration, Box<Order>),
    /// Something to be seen in the ladder.
    Note(String),
}

/// What the server is told in the world.
#[derive(Debug)]
pub enum Told {
    /// By the event loop.
    Order(Box<Order>),
    /// By the store, in this life of the server.
    Stored(Life, Box<Order>),
    /// A packet came.
    Packet(Datagram),
    /// It ends and begins anew, with what is in its store.
    Restart,
}

impl From<Order> for Told {
    fn from(order: Order) -> Told {
        Told::Order(Box::new(order))
    }
}

impl UnifiedMessaging {
    /// A server at this address.
    pub fn new(address: IpAddr, mut config: Config, mut rng: ChaCha20Rng) -> Self {
        let prompts: Arc<Mutex<Recorded>> = Arc::default();
        let breaks_at: Arc<Mutex<Option<&'static str>>> = Arc::default();
        let shelf = Arc::clone(&prompts);
        let fault = Arc::clone(&breaks_at);
        config.prompts = Prompts::by(move |_, prompt| {
            let breaks_at = *fault.lock().expect("nobody panics while holding it");
            assert!(breaks_at != Some(prompt.0), "as the test wished");
            let mut shelf = shelf.lock().expect("nobody panics while holding it");
            Some(Arc::clone(shelf.entry(prompt.0).or_insert_with(|| Arc::new(spoken()))))
        });
        config.locality.hosts.insert(address.to_string());
        let store = MemoryStore::new(umbel_store::Config::default(), ChaCha20Rng::from_rng(&mut rng));
        let mut server = UnifiedMessaging {
            um: Um::new(config.clone(), MORNING, ChaCha20Rng::from_rng(&mut rng)),
            config,
            life: Life::default(),
            store,
            sounds: Sounds::new(),
            address,
            next_port: FIRST_PORT,
            rng,
            prompts,
            breaks_at,
            outputs: VecDeque::new(),
            store_is: StoreIs::default(),
            has_sockets: true,
            said: Vec::new(),
            news: Vec::new(),
            alarms: Vec::new(),
            is_drained: false,
            ops: Vec::new(),
        };
        server.settle(Instant::ZERO);
        server
    }

    /// Adds a user with an extension and a PIN, or with one that we generate and that is given back.
    pub fn add_user(
        &mut self,
        address: &str,
        extension: &str,
        pin: Option<&str>,
        changes: &[UserChange],
    ) -> Option<Pin> {
        let mut entry = UserEntry::new(parse(address));
        entry.changes = vec![UserChange::Extension(Some(extension.to_owned()))];
        entry.changes.extend_from_slice(changes);
        entry.pin = Some(match pin {
            Some(digits) => NewPin::Own(Pin::new(digits).expect("tests use digits")),
            None => NewPin::Generate,
        });
        self.store.add_user(&entry, &Author::Store, MORNING).expect("tests add good users").generated
    }

    /// Changes a user.
    pub fn change_user(&mut self, address: &str, changes: &[UserChange]) {
        self.store
            .change_user(&parse(address), changes, &Author::Store, MORNING)
            .expect("tests make good changes");
    }

    /// Gives a mailbox a standard greeting of a second.
    pub fn record_greeting(&mut self, address: &str) {
        let audio = StoredAudio {
            format: AudioFormat::Pcmu,
            data: Bytes::from_static(&[0x10; 8_000]),
            damaged: false,
        };
        self.store
            .set_greeting(&parse(address), GreetingKind::Standard, &audio, &Author::Store, MORNING)
            .expect("the store in memory takes greetings");
    }

    /// From now on, the call that is to say this prompt panics.
    pub fn break_at(&mut self, prompt: &'static str) {
        *self.breaks_at.lock().expect("nobody panics while holding it") = Some(prompt);
    }

    /// What is known of a mailbox.
    pub fn mailbox(&mut self, address: &str) -> MailboxSummary {
        self.store.mailbox(&parse(address), MORNING).expect("tests ask for users that are there")
    }

    /// Fills a mailbox to its limit.
    pub fn fill(&mut self, address: &str) {
        let limit = umbel_store::Config::default().messages_max;
        for number in 0..limit {
            let id = MessageId::from_bytes(u128::from(number).to_be_bytes());
            let purpose = Purpose::Message {
                caller: Caller::default(),
                subject: String::new(),
                importance: Importance::Normal,
            };
            let begin = Begin {
                id,
                mailbox: parse(address),
                purpose,
                format: AudioFormat::Pcmu,
                call_id: format!("fill-{number}"),
                at: MORNING,
            };
            self.store.begin(&begin).expect("the store in memory has room");
            self.store.append(id, &[0; 80]).expect("the store in memory has room");
            let finish = Finish { id, importance: Importance::Normal, keep: None, at: MORNING };
            self.store.finish(&finish).expect("the mailbox is not full yet");
        }
    }

    /// Puts a message of this sound (G.711 µ-law) into a mailbox; `number` names it.
    pub fn leave_message(&mut self, address: &str, number: u8, audio: &[u8]) -> MessageId {
        self.leave_message_of(address, number, ("+15555550123", true), audio)
    }

    /// The same, by this caller, for whom somebody vouches or nobody.
    pub fn leave_message_of(
        &mut self,
        address: &str,
        number: u8,
        (caller, verified): (&str, bool),
        audio: &[u8],
    ) -> MessageId {
        let id = MessageId::from_bytes([number; 16]);
        let caller = Caller { id: caller.to_owned(), name: None, verified };
        let purpose = Purpose::Message { caller, subject: String::new(), importance: Importance::Normal };
        let begin = Begin {
            id,
            mailbox: parse(address),
            purpose,
            format: AudioFormat::Pcmu,
            call_id: format!("left-{number}"),
            at: MORNING,
        };
        self.store.begin(&begin).expect("the store in memory has room");
        self.store.append(id, audio).expect("the store in memory has room");
        let finish = Finish { id, importance: Importance::Normal, keep: None, at: MORNING };
        self.store.finish(&finish).expect("the mailbox is not full");
        id
    }

    /// What was told of one call, in order.
    pub fn news_of(&self, id: PhoneCallId) -> Vec<News> {
        self.news.iter().filter(|(_, other, _)| *other == id).map(|(_, _, news)| news.clone()).collect()
    }

    /// The messages of a mailbox, by number, deleted ones too.
    pub fn messages(&mut self, address: &str) -> Vec<VoiceMessage> {
        self.store.messages(&parse(address), Folder::All, None).expect("tests ask for users that are there")
    }

    /// The sound of a message.
    pub fn audio(&mut self, message: &VoiceMessage) -> StoredAudio {
        self.store.message_audio(&message.mailbox, message.id).expect("tests ask for messages that are there")
    }

    /// The calls that left no message.
    pub fn missed_calls(&mut self, address: &str) -> Vec<MissedCall> {
        self.store.missed_calls(&parse(address)).expect("tests ask for users that are there")
    }

    /// All decisions on a call.
    pub fn decisions(&mut self, call_id: &str) -> Vec<Decision> {
        self.store.decisions(call_id).expect("the store in memory always answers")
    }

    /// What `umbel why CALL-ID --field pin` says, and the rule behind it.
    pub fn why_pin(&mut self, call_id: &str) -> Option<(PinOutcome, String)> {
        self.decisions(call_id).iter().rev().find_map(|decision| match decision.ruling {
            Ruling::Pin(pin) => Some((pin, decision.rule.clone())),
            _ => None,
        })
    }

    /// The latest calls.
    pub fn calls(&mut self) -> Vec<CallRecord> {
        self.store.calls(1_000).expect("the store in memory always answers")
    }

    /// The store itself.
    pub fn store(&mut self) -> &mut MemoryStore {
        &mut self.store
    }

    /// Whether nothing is left of any call.
    pub fn is_at_rest(&self) -> bool {
        self.um.is_at_rest() && self.sounds.is_empty()
    }

    /// What is known of message waiting.
    pub fn lamp_figures(&self) -> umbel_um::LampFigures {
        self.um.lamp_figures()
    }

    /// Calls that go on, or whose recording is being saved.
    pub fn call_count(&self) -> usize {
        self.um.call_count()
    }

    /// Whether this prompt has been played since `said` was last cleared.
    pub fn has_said(&self, prompt: &str) -> bool {
        self.said.iter().any(|said| said == prompt)
    }

    fn restart(&mut self) {
        self.life = self.life.next();
        self.sounds.clear();
        self.um = Um::new(self.config.clone(), MORNING, ChaCha20Rng::from_rng(&mut self.rng));
    }

    fn settle(&mut self, now: Instant) {
        loop {
            while let Some(output) = self.um.poll_output() {
                self.output(now, output);
            }
            let (datagrams, happened) = self.sounds.poll();
            self.outputs.extend(datagrams.into_iter().map(|datagram| Output::Wish(Doing::Send(datagram))));
            if happened.is_empty() {
                break;
            }
            for (key, event) in happened {
                self.um.handle(now, Input::Order(Order::Media { key, event }));
            }
        }
    }

    fn output(&mut self, now: Instant, output: Output<Wish>) {
        match output {
            Output::Open { id, to } => {
                self.outputs.push_back(Output::Open { id: self.life.outer(id), to });
            }
            Output::Transmit { id, bytes } => {
                self.outputs.push_back(Output::Transmit { id: self.life.outer(id), bytes });
            }
            Output::Close { id } => self.outputs.push_back(Output::Close { id: self.life.outer(id) }),
            Output::Resolve { query, uri } => self.outputs.push_back(Output::Resolve { query, uri }),
            Output::Wish(wish) => self.wish(now, wish),
        }
    }

    fn wish(&mut self, now: Instant, wish: Wish) {
        match wish {
            Wish::OpenMedia { key } => {
                let at = if self.has_sockets { Ok(self.open(key)) } else { Err(NoSockets) };
                self.um.handle(now, Input::Order(Order::MediaOpened { key, at }));
            }
            Wish::Media { key, command } => {
                self.note(&command);
                if let Some(sound) = self.sounds.get_mut(key) {
                    sound.command(now, command);
                }
            }
            Wish::CloseMedia { key } => {
                let (datagrams, events) = self.sounds.close(now, key);
                self.outputs
                    .extend(datagrams.into_iter().map(|datagram| Output::Wish(Doing::Send(datagram))));
                for event in events {
                    self.um.handle(now, Input::Order(Order::Media { key, event }));
                }
            }
            Wish::Store { ticket, op } => self.ask(ticket, op),
            Wish::Alarm(alarm) => self.alarms.push(alarm),
            Wish::Gateway { gateway, standing } => {
                self.outputs.push_back(Output::Wish(Doing::Note(format!("{gateway} is {standing:?}"))));
            }
            Wish::PhoneCall { id, news } => self.tell(now, id, news),
            Wish::Drained => self.is_drained = true,
        }
    }

    fn tell(&mut self, now: Instant, id: PhoneCallId, news: News) {
        let note = match &news {
            News::Placed => "call placed".to_owned(),
            News::Repeats(_) => "call repeats another".to_owned(),
            News::Refused(refusal) => format!("no call: {refusal:?}"),
            News::Standing(status) => match (status.cause, &status.response) {
                (EventCause::None, _) => format!("call {:?}", status.state),
                (cause, Some((code, _))) => format!("call {:?}: {cause:?}, {code}", status.state),
                (cause, None) => format!("call {:?}: {cause:?}", status.state),
            },
        };
        self.news.push((now, id, news));
        self.outputs.push_back(Output::Wish(Doing::Note(note)));
    }

    fn open(&mut self, key: MediaKey) -> SocketAddr {
        let at = SocketAddr::new(self.address, self.next_port);
        self.next_port = self.next_port.checked_add(2).unwrap_or(FIRST_PORT);
        self.sounds.insert(key, Sound::new(at, ChaCha20Rng::from_rng(&mut self.rng)));
        at
    }

    fn ask(&mut self, ticket: umbel_store::Ticket, op: Op) {
        self.ops.push(name(&op));
        if self.store_is.silent {
            return;
        }
        let reply = self.store_is.answers(op, |op| execute(&mut self.store, op));
        if matches!(reply, Reply::Saved(_)) {
            self.outputs.push_back(Output::Wish(Doing::Note("saved".to_owned())));
        }
        self.outputs.push_back(Output::Wish(Doing::Answer(
            self.store_is.slow,
            Box::new(Order::Stored { ticket, reply }),
        )));
    }

    /// Writes down what is played.
    fn note(&mut self, command: &Command) {
        let Command::Play { clips, .. } = command else { return };
        let names: Vec<String> = clips.iter().filter_map(|clip| self.heard(clip)).collect();
        self.said.extend(names.iter().cloned());
        let note = match names.as_slice() {
            [] => return,
            [first, second, third, _, ..] => format!("says {first} {second} {third} …"),
            few => format!("says {}", few.join(" ")),
        };
        self.outputs.push_back(Output::Wish(Doing::Note(note)));
    }

    fn heard(&self, clip: &Clip) -> Option<String> {
        match clip {
            Clip::Prompt(prompt) => {
                let prompts = self.prompts.lock().expect("nobody panics while holding it");
                prompts
                    .iter()
                    .find(|(_, known)| Arc::ptr_eq(known, prompt))
                    .map(|(name, _)| (*name).to_owned())
            }
            Clip::Message(_) | Clip::Greeting(_) => Some("+".to_owned()),
            Clip::Tone(_) => Some("*".to_owned()),
            Clip::Silence(_) => None,
        }
    }
}

impl Node for UnifiedMessaging {
    type Order = Told;
    type Wish = Doing;

    fn handle(&mut self, now: Instant, input: Input<Told>) {
        match self.life.inside(input).map(separate) {
            None => {}
            Some(Err(Told::Order(order))) => self.um.handle(now, Input::Order(*order)),
            Some(Err(Told::Stored(life, order))) if life == self.life => {
                self.um.handle(now, Input::Order(*order));
            }
            // The answer to a question of an earlier life.
            Some(Err(Told::Stored(..))) => {}
            Some(Err(Told::Packet(datagram))) => {
                self.sounds.datagram(now, &datagram);
            }
            Some(Err(Told::Restart)) => self.restart(),
            Some(Ok(input)) => {
                let is_timeout = matches!(input, Input::Timeout);
                self.um.handle(now, input);
                if is_timeout {
                    self.sounds.timeout(now);
                }
            }
        }
        self.settle(now);
    }

    fn poll_output(&mut self) -> Option<Output<Doing>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.sounds.poll_timeout().into_iter().chain(self.um.poll_timeout()).min()
    }
}

impl Inhabitant for UnifiedMessaging {
    fn carry_out(&mut self, _: Instant, doing: Doing) -> Vec<Errand<Told>> {
        vec![match doing {
            Doing::Send(datagram) => Errand::Datagram(datagram),
            Doing::Answer(after, order) => Errand::Order { after, order: Told::Stored(self.life, order) },
            Doing::Note(note) => Errand::Note(note),
        }]
    }

    fn datagram(&mut self, _: Instant, datagram: Datagram) -> Option<Told> {
        Some(Told::Packet(datagram))
    }
}

fn parse(address: &str) -> Address {
    address.parse().expect("tests use good addresses")
}

/// The name of an operation.
fn name(op: &Op) -> String {
    let debug = format!("{op:?}");
    debug.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

/// Every prompt sounds alike.
fn spoken() -> Prompt {
    let samples = 8 * usize::try_from(PROMPT.as_millis()).unwrap_or_default();
    let square: Vec<i16> = (0..samples).map(|at| if at % 20 < 10 { 4_000 } else { -4_000 }).collect();
    Prompt::new(&square, 8_000).expect("samples of an ordinary rate")
}
