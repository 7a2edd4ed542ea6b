//! A telephone for people in the world, with sound: the brain of `umbel phone`, and what is heard at its ear.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use umbel_media::{Clip, Command, Digit, Event, Keystroke, PlayId, RecordId, RecordLimits, Tone};
use umbel_node::{Input, Node, Output};
use umbel_phone::{CallKey, Config, Kind, News, Order, Progress, Telephone, Wish};
use umbel_time::Instant;

use crate::life::separate;
use crate::sound::{Sound, Sounds};
use crate::{Datagram, Errand, Inhabitant};

/// The first port for sound; each call has two.
const FIRST_PORT: u16 = 6_000;
/// Longer than any test listens.
const EAR: RecordLimits =
    RecordLimits { max: Duration::from_secs(3_600), silence: None, min: Duration::ZERO };

/// A telephone with sound.
pub struct Handset {
    telephone: Telephone,
    address: IpAddr,
    rng: ChaCha20Rng,
    sounds: Sounds<CallKey>,
    next_port: u16,
    call: Option<CallKey>,
    plays: u64,
    outputs: VecDeque<Output<Doing>>,
    /// All that was heard in calls, in the format of the codec.
    pub heard: Vec<u8>,
    /// Of which kind the calls were that came and rang.
    pub rang: Vec<Kind>,
    /// All news, in order.
    pub news: Vec<News>,
}

/// What a handset is told.
#[derive(Debug)]
pub enum Told {
    /// What its brain can be told.
    Phone(Box<Order>),
    /// Call the owner's voice mail, and ask to skip the PIN.
    CallVoiceMail,
    /// Answer the call that rings.
    Answer,
    /// Press keys, a second apart.
    Press(&'static str),
    /// Speak: a tone.
    Speak(Duration),
    /// Hold, or go on.
    Hold(bool),
    /// Hang up.
    HangUp,
    /// A packet came.
    Packet(Datagram),
}

/// What it does outside SIP.
#[derive(Debug)]
pub enum Doing {
    /// A packet leaves.
    Send(Datagram),
}

impl Handset {
    /// A telephone with these settings at this address.
    pub fn new(address: IpAddr, config: Config, mut rng: ChaCha20Rng) -> Handset {
        let telephone = Telephone::new(config, ChaCha20Rng::from_rng(&mut rng));
        Handset {
            telephone,
            address,
            rng,
            sounds: Sounds::new(),
            next_port: FIRST_PORT,
            call: None,
            plays: 0,
            outputs: VecDeque::new(),
            heard: Vec::new(),
            rang: Vec::new(),
            news: Vec::new(),
        }
    }

    /// Calls that go on.
    pub fn call_count(&self) -> usize {
        self.telephone.calls().count()
    }

    /// How the calls ended that are over: whether each went to the list of missed calls.
    pub fn missed(&self) -> Vec<bool> {
        let ended = self.news.iter().filter_map(|news| match news {
            News::Call { change: Progress::Ended(ended), .. } => Some(ended.missed),
            _ => None,
        });
        ended.collect()
    }

    fn told(&mut self, now: Instant, told: Told) {
        let order = match (told, self.call) {
            (Told::Phone(order), _) => *order,
            (Told::Packet(datagram), _) => {
                self.sounds.datagram(now, &datagram);
                return;
            }
            (Told::CallVoiceMail, _) => {
                let call = self.telephone.fresh_call();
                self.call = Some(call);
                Order::CallVoiceMail { call, skip_pin: true }
            }
            // There is no call any more.
            (_, None) => return,
            (Told::Answer, Some(call)) => Order::Answer { call },
            (Told::HangUp, Some(call)) => Order::HangUp { call },
            (Told::Hold(held), Some(call)) => Order::Hold { call, held },
            (Told::Press(keys), Some(call)) => {
                let press = |face: char| {
                    let event = "0123456789*#".find(face).and_then(|at| u8::try_from(at).ok());
                    let digit = event.and_then(Digit::from_event).expect("tests press keys");
                    [Keystroke::Press(digit), Keystroke::Wait(Duration::from_millis(800))]
                };
                let command = Command::SendDigits(keys.chars().flat_map(press).collect());
                Order::Sound { call, command }
            }
            (Told::Speak(length), Some(call)) => {
                self.plays += 1;
                let tone = Clip::Tone(Tone { duration: length, ..Tone::BEEP });
                let command =
                    Command::Play { id: PlayId(self.plays), clips: vec![tone], from: Duration::ZERO };
                Order::Sound { call, command }
            }
        };
        self.telephone.handle(now, Input::Order(order));
    }

    fn settle(&mut self, now: Instant) {
        loop {
            while let Some(output) = self.telephone.poll_output() {
                match output {
                    Output::Open { id, to } => self.outputs.push_back(Output::Open { id, to }),
                    Output::Transmit { id, bytes } => self.outputs.push_back(Output::Transmit { id, bytes }),
                    Output::Close { id } => self.outputs.push_back(Output::Close { id }),
                    Output::Resolve { query, uri } => self.outputs.push_back(Output::Resolve { query, uri }),
                    Output::Wish(wish) => self.wish(now, wish),
                }
            }
            let (datagrams, happened) = self.sounds.poll();
            self.outputs.extend(datagrams.into_iter().map(|one| Output::Wish(Doing::Send(one))));
            if happened.is_empty() {
                break;
            }
            for (call, event) in happened {
                if let Event::Recorded { chunk, .. } = &event {
                    self.heard.extend_from_slice(chunk);
                }
                self.telephone.handle(now, Input::Order(Order::Media { call, event }));
            }
        }
    }

    fn wish(&mut self, now: Instant, wish: Wish) {
        match wish {
            Wish::OpenMedia { call } => {
                let at = SocketAddr::new(self.address, self.next_port);
                self.next_port += 2;
                self.sounds.insert(call, Sound::new(at, ChaCha20Rng::from_rng(&mut self.rng)));
                self.telephone.handle(now, Input::Order(Order::MediaOpened { call, at: Ok(at) }));
            }
            Wish::Media { call, command } => {
                let Some(sound) = self.sounds.get_mut(call) else { return };
                let begins = matches!(command, Command::Update(_)) && !sound.has_begun();
                sound.command(now, command);
                if begins {
                    sound.command(now, Command::Record { id: RecordId(1), limits: EAR });
                }
            }
            Wish::CloseMedia { call } => {
                let (datagrams, events) = self.sounds.close(now, call);
                self.outputs.extend(datagrams.into_iter().map(|one| Output::Wish(Doing::Send(one))));
                for event in events {
                    if let Event::Recorded { chunk, .. } = &event {
                        self.heard.extend_from_slice(chunk);
                    }
                }
            }
            Wish::Tell(news) => {
                if let News::Call { call, change, .. } = &news {
                    match change {
                        Progress::Invited(incoming) => {
                            self.call = Some(*call);
                            self.rang.push(incoming.kind);
                        }
                        Progress::Ended(_) if self.call == Some(*call) => self.call = None,
                        _ => {}
                    }
                }
                self.news.push(news);
            }
        }
    }
}

impl Node for Handset {
    type Order = Told;
    type Wish = Doing;

    fn handle(&mut self, now: Instant, input: Input<Told>) {
        match separate(input) {
            Err(told) => self.told(now, told),
            Ok(input) => {
                let is_timeout = matches!(input, Input::Timeout);
                self.telephone.handle(now, input);
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
        self.sounds.poll_timeout().into_iter().chain(self.telephone.poll_timeout()).min()
    }
}

impl Inhabitant for Handset {
    fn carry_out(&mut self, _: Instant, Doing::Send(datagram): Doing) -> Vec<Errand<Told>> {
        vec![Errand::Datagram(datagram)]
    }

    fn datagram(&mut self, _: Instant, datagram: Datagram) -> Option<Told> {
        Some(Told::Packet(datagram))
    }
}
