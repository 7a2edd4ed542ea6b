//! A telephone on a thread of its own that another part of the program directs, as a person would: `umbel demo`.

use std::collections::BTreeMap;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;
use umbel_media::Event as Sound;
use umbel_net::Clock;
use umbel_phone::{Answered, CallKey, News, Order, Progress};
use umbel_sip_message::{HeaderName, Uri};
use umbel_time::Instant;

use super::errand::Goal;
use super::{event_loop, options, report, script};
use crate::cli::PhoneOptions;
use crate::exit::{Exit, Failure};
use crate::tap::{Tap, Wires};

/// Wants that wait for the telephone; its director waits with one more.
const WANTS_MAX: usize = 64;
/// News that wait for the director; what comes on top is not told.
const NEWS_MAX: usize = 4_096;

/// The unified messaging server's name on the wires: its role's.
const VOICE_MAIL: &str = "um";

/// What the telephone is there for.
pub(crate) enum Duty {
    /// To be registered and reachable, until it is put down.
    Registered,
    /// One call, without being registered.
    Call { target: Uri, headers: Vec<(HeaderName, String)> },
}

/// What the director wants of it.
#[derive(Debug)]
pub(crate) enum Want {
    /// This, as a person would with a key.
    Order(Order),
    /// That it calls this one.
    Call(Uri),
    /// That it calls its owner's voice mail, and asks to skip the PIN where it may.
    CallVoiceMail,
    /// That it tells all that was heard in this call so far, the last bit too.
    Heard(CallKey),
}

/// What happened at the telephone, and when.
pub(crate) type Told = (Instant, News);

/// The telephone's end of the line to its director.
pub(super) struct Director {
    /// `None` once it is gone.
    pub(super) wants: Option<mpsc::Receiver<Want>>,
    tells: mpsc::Sender<Told>,
    pub(super) tap: Tap,
    /// The calls that are up.
    up: BTreeMap<CallKey, Answered>,
}

impl Director {
    /// Something happened.
    pub(super) fn told(&mut self, now: Instant, news: &News) {
        if let News::Call { call, change, .. } = news {
            self.changed(*call, change);
        }
        // A director that does not listen has missed it.
        let _ = self.tells.try_send((now, news.clone()));
    }

    fn changed(&mut self, call: CallKey, change: &Progress) {
        match change {
            Progress::Answered(answered) => {
                self.up.insert(call, answered.clone());
            }
            Progress::Ended(_) => {
                self.up.remove(&call);
            }
            // HDR-3: of the others in the tour, voice mail alone is an automatic system.
            Progress::Sound(event) => {
                let Some(answered) = self.up.get(&call).filter(|answered| answered.automatic) else { return };
                let packets = if answered.encrypted { "SRTP" } else { "RTP" };
                let codec = report::codec_name(answered.codec);
                match event {
                    Sound::FirstPacketReceived => self.tap.hears(VOICE_MAIL, format!("{packets}, {codec}")),
                    Sound::PlayEnded { position, .. } => {
                        let seconds = position.as_secs_f64();
                        self.tap
                            .has_said(VOICE_MAIL, format!("{packets}, {codec}: {seconds:.1} s of speech"));
                    }
                    Sound::DigitsSent => self.tap.has_said(VOICE_MAIL, format!("{packets}, telephone-event")),
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

/// The director's end: a telephone that is picked up, and put down by [`Handset::put_down`].
pub(crate) struct Handset {
    wants: mpsc::Sender<Want>,
    news: mpsc::Receiver<Told>,
    told: Vec<Told>,
    thread: Option<JoinHandle<Result<(), Failure>>>,
}

impl Handset {
    /// Starts the telephone. Every call that it has is recorded; what is heard is among the news.
    pub(crate) fn pick_up(
        name: &'static str,
        options: &PhoneOptions,
        duty: Duty,
        clock: Clock,
        wires: &Wires,
    ) -> Result<Handset, Failure> {
        let goal = match duty {
            Duty::Registered => Goal::Register { stay: None },
            Duty::Call { target, headers } => Goal::Call { target, headers, registers: false },
        };
        let mut job = options::job(options, false, goal)?;
        job.clock = clock;
        job.script.record = true;
        let (wants, wanted) = mpsc::channel(WANTS_MAX);
        let (tells, news) = mpsc::channel(NEWS_MAX);
        job.director =
            Some(Director { wants: Some(wanted), tells, tap: wires.tap(name, clock), up: BTreeMap::new() });
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || event_loop::run_directed(job))
            .map_err(|error| {
                Failure::new(Exit::TemporaryFailure, "no-threads", format!("a telephone: {error}"))
            })?;
        Ok(Handset { wants, news, told: Vec::new(), thread: Some(thread) })
    }

    /// Wants something. A telephone that has ended wants nothing any more; its news say so.
    pub(crate) async fn want(&self, want: Want) {
        let _ = self.wants.send(want).await;
    }

    /// How much it has told so far.
    pub(crate) fn mark(&mut self) -> usize {
        while let Ok(told) = self.news.try_recv() {
            self.told.push(told);
        }
        self.told.len()
    }

    /// What it has told since that mark.
    pub(crate) fn since(&mut self, mark: usize) -> &[Told] {
        self.mark();
        self.told.get(mark..).unwrap_or_default()
    }

    /// Waits until `look` finds something in what is told since that mark. `None` where it does not within
    /// `patience`; the failure of a telephone that ends meanwhile.
    pub(crate) async fn until<T>(
        &mut self,
        mark: usize,
        patience: Duration,
        mut look: impl FnMut(&[Told]) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let deadline = tokio::time::sleep(patience);
        tokio::pin!(deadline);
        loop {
            if let Some(found) = look(self.since(mark)) {
                return Ok(Some(found));
            }
            tokio::select! {
                told = self.news.recv() => match told {
                    Some(told) => self.told.push(told),
                    None => return self.ended().map(|()| look(self.since(mark))),
                },
                () = &mut deadline => return Ok(None),
            }
        }
    }

    /// Hangs up, withdraws the registration, and waits until that is done.
    pub(crate) async fn put_down(mut self) -> Result<(), Failure> {
        let (none, _) = mpsc::channel(1);
        drop(std::mem::replace(&mut self.wants, none));
        while self.news.recv().await.is_some() {}
        self.ended()
    }

    /// The thread has dropped its end of the line, which is the last thing that it does.
    fn ended(&mut self) -> Result<(), Failure> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            None => Ok(()),
            // A panic has been reported where it happened.
            Some(Err(_)) => Err(Failure::new(
                Exit::Failed,
                "internal",
                "a fault of this program ended a telephone; please report it",
            )),
        }
    }
}

impl Want {
    /// What it is to the brain; `fresh` names a call that is placed.
    pub(super) fn orders(self, fresh: CallKey) -> Vec<Order> {
        match self {
            Want::Order(order) => vec![order],
            Want::Call(target) => {
                vec![Order::Call(Box::new(umbel_phone::Dial { call: fresh, target, headers: Vec::new() }))]
            }
            Want::CallVoiceMail => vec![Order::CallVoiceMail { call: fresh, skip_pin: true }],
            Want::Heard(call) => {
                script::turn_the_tape().map(|command| Order::Sound { call, command }).into_iter().collect()
            }
        }
    }
}
