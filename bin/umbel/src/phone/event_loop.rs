//! The telephone's event loop: its brain, its connection and its sound.

use std::collections::BTreeSet;
use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use umbel_net::{Clock, Flows, HandshakeFailure, Tls};
use umbel_node::{CloseReason, FlowId, Input};
use umbel_phone::{CallKey, Config, News, NoSockets, Order, Progress, Wish};
use umbel_sip_message::Message;
use umbel_time::Instant;
use umbel_wav::Format;

use super::card::Card;
use super::directed::{Director, Want};
use super::errand::{Errand, Goal, Outcome};
use super::face::{Face, Typed};
use super::report::Reporter;
use super::script::Script;
use super::sound::Recordings;
use super::terminal::Terminal;
use super::verdict::{self, Trouble};
use crate::exit::{Exit, Failure};
use crate::runtime;
use crate::serve::media_worker::{MediaConfig, MediaWorkers};

/// Media events that wait for the loop.
const EVENTS_MAX: usize = 4_096;
/// Where the telephone looks for a pair of ports: away from a server's default range.
const RTP_PORTS: (u16, u16) = (30_000, 39_999);
/// Expedited forwarding (RFC 3246).
const DSCP: u8 = 46;
/// When all is over, what is still to be sent and to be kept gets this long.
const FAREWELL: std::time::Duration = std::time::Duration::from_secs(2);

/// Everything a run needs.
pub(super) struct Job {
    pub(super) telephone: Config,
    pub(super) goal: Goal,
    pub(super) script: Script,
    pub(super) tls: Option<Tls>,
    pub(super) clock: Clock,
    pub(super) record: Option<PathBuf>,
    /// A person's microphone and loudspeaker, where they are wanted.
    pub(super) card: Option<Card>,
    pub(super) json: bool,
    /// A person's terminal, where one looks on.
    pub(super) terminal: Option<Terminal>,
    /// Another part of the program, where one directs it.
    pub(super) director: Option<Director>,
}

/// Does the errand and tells of it; returns when it is over.
pub(super) fn run(job: Job) -> Result<(), Failure> {
    runtime::run(async {
        let reporter = Reporter::new(job.json, job.terminal.is_some());
        let recordings = Recordings::new(job.record.clone());
        let (outcome, world) = errand(job, reporter, recordings).await?;
        verdict::of(outcome, world.trouble())
    })
}

/// The same without a word; gives what became of it, and what was heard.
pub(super) fn run_quietly(job: Job) -> Result<(Outcome, (Format, Vec<u8>)), Failure> {
    let mut result = None;
    runtime::run(async {
        let (outcome, world) = errand(job, Reporter::silent(), Recordings::in_memory()).await?;
        if outcome == Outcome::Unreachable {
            return verdict::of(outcome, world.trouble());
        }
        result = Some((outcome, world.recordings.heard()));
        Ok(())
    })?;
    result.ok_or_else(|| Failure::new(Exit::Failed, "no-outcome", "the call has no outcome"))
}

/// The same for a director, who is told everything.
pub(super) fn run_directed(job: Job) -> Result<(), Failure> {
    runtime::run(async {
        let (outcome, world) = errand(job, Reporter::silent(), Recordings::new(None)).await?;
        match outcome {
            Outcome::Unreachable | Outcome::NotRegistered(_) | Outcome::NoRoom => {
                verdict::of(outcome, world.trouble())
            }
            // What became of calls is among the news.
            _ => Ok(()),
        }
    })
}

/// The world around the brain.
struct Loop {
    errand: Errand,
    flows: Flows,
    clock: Clock,
    media: MediaWorkers<CallKey>,
    recordings: Recordings,
    reporter: Reporter,
    /// What a person says and hears.
    card: Option<Card>,
    /// Why the card, or the file of what is heard, is not to be had any more.
    lost: Option<Failure>,
    /// What a person sees, and where.
    face: Option<(Face, Terminal)>,
    director: Option<Director>,
    /// Why the connection could not be had, where it could not.
    connection: Option<CloseReason>,
    /// Why its handshake failed, where it did.
    handshake: Option<HandshakeFailure>,
    /// Whether something came that was no SIP.
    garbled: bool,
    /// Whose password we have, where we have one; and whose was asked for instead.
    realm: Option<String>,
    other_realm: Option<String>,
    /// The flows that are not idle, because a registration or a call goes along them.
    kept: BTreeSet<FlowId>,
}

async fn errand(
    mut job: Job,
    reporter: Reporter,
    recordings: Recordings,
) -> Result<(Outcome, Loop), Failure> {
    let clock = job.clock;
    let (events, mut told) = mpsc::channel(EVENTS_MAX);
    let resolver = umbel_net::seed().ok().and_then(|seed| umbel_net::Resolver::system(seed).ok());
    let config = umbel_net::Config { tls: job.tls.take(), resolver, ..Default::default() };
    let media = media(&job, events)?;
    let face = job.terminal.take().map(|terminal| (Face::new(job.goal.callee()), terminal));
    job.script.levels = face.is_some();
    let card = job.card.take();
    let realm = job.telephone.credentials.as_ref().map(|credentials| credentials.realm.clone());
    let mut world = Loop {
        errand: Errand::begin(clock.now(), job.telephone, job.goal, job.script, runtime::generator()?),
        flows: Flows::new(config, clock),
        clock,
        media,
        recordings,
        reporter,
        card,
        lost: None,
        face,
        director: job.director,
        connection: None,
        handshake: None,
        garbled: false,
        realm,
        other_realm: None,
        kept: BTreeSet::new(),
    };
    let no_signals =
        |error: std::io::Error| Failure::new(Exit::TemporaryFailure, "no-signals", error.to_string());
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupted = false;
    let outcome = loop {
        if let Some(outcome) = world.perform()? {
            break outcome;
        }
        let wake = world.poll_timeout();
        tokio::select! {
            input = world.flows.next() => world.take(input),
            key = typed(&mut world.face) => world.typed(key),
            (call, samples) = captured(&mut world.card) => world.captured(call, samples),
            Some((call, event)) = told.recv() => world.happened(call, event)?,
            want = wanted(&mut world.director) => world.directed(want),
            () = clock.sleep_until(wake) => world.take(Input::Timeout),
            _ = interrupt.recv() => {
                if std::mem::replace(&mut interrupted, true) {
                    break Outcome::Stopped;
                }
                world.errand.stop(clock.now());
            }
            _ = terminate.recv() => world.errand.stop(clock.now()),
        }
        if world.reporter.is_closed() {
            world.errand.stop(clock.now());
        }
    };
    // From here on there is nothing to be typed.
    (world.face, world.card) = (None, None);
    world.settle().await?;
    world.end(&mut told).await?;
    if world.reporter.is_closed() {
        return Err(Failure::new(Exit::OutputClosed, "output-closed", "the reader of the output is gone"));
    }
    if let Some(lost) = world.lost.take() {
        return Err(lost);
    }
    if interrupted {
        return Err(Failure::new(Exit::Interrupted, "interrupted", "interrupted"));
    }
    Ok((outcome, world))
}

impl Loop {
    fn take(&mut self, input: Input<Order>) {
        match &input {
            Input::Closed { reason, .. } => {
                (self.connection, self.handshake) = (Some(*reason), self.flows.handshake_failure());
            }
            Input::Opened { .. } => self.connection = None,
            // A message that could be answered is one, however wrong.
            Input::Malformed { what, .. } => self.garbled |= what.close,
            Input::Received { message: Message::Response(response), .. } => {
                let ours = self.realm.as_deref();
                self.other_realm = ours.and_then(|ours| verdict::other_realm(response, ours));
            }
            _ => {}
        }
        if let Some(director) = &mut self.director {
            director.tap.arrived(&input);
        }
        self.errand.handle(self.clock.now(), input);
    }

    /// What was wrong with the way to the server.
    fn trouble(&self) -> Trouble {
        Trouble {
            connection: self.connection,
            handshake: self.handshake,
            garbled: self.garbled,
            realm: self.other_realm.clone(),
        }
    }

    /// Something happened in the sound of a call.
    fn happened(&mut self, call: CallKey, event: umbel_media::Event) -> Result<(), Failure> {
        match event {
            umbel_media::Event::Levels { theirs, ours } => {
                if let Some((face, _)) = &mut self.face {
                    face.levels(call, theirs, ours);
                }
            }
            umbel_media::Event::Heard { samples } => {
                if let Some(card) = &mut self.card {
                    card.heard(call, &samples);
                }
            }
            event => {
                // What was heard last comes after the call is over.
                if let Err(lost) = self.recordings.take(call, &event) {
                    self.give_up(lost);
                }
                self.take(Input::Order(Order::Media { call, event }));
            }
        }
        Ok(())
    }

    /// The microphone has captured something.
    fn captured(&mut self, call: CallKey, samples: umbel_media::Samples) {
        let command = umbel_media::Command::Speak(samples);
        self.errand.order(self.clock.now(), Order::Sound { call, command });
    }

    /// Who cannot speak or keep what is heard does not keep the other side waiting: everything is ended in order.
    fn give_up(&mut self, lost: Failure) {
        self.recordings.abandon();
        self.lost.get_or_insert(lost);
        self.errand.stop(self.clock.now());
    }

    /// The card belongs to the call that is up, and is closed after it.
    fn share_card(&mut self, news: &News) {
        let Some(card) = &mut self.card else { return };
        match news {
            News::Call { call, change: Progress::Answered(_), .. } => {
                if let Err(lost) = card.begin(*call) {
                    self.give_up(lost);
                }
            }
            News::Call { call, change: Progress::Ended(_), .. } => card.end(*call),
            _ => {}
        }
    }

    /// Does what the brain wants done; gives the outcome when it is over.
    fn perform(&mut self) -> Result<Option<Outcome>, Failure> {
        while let Some(output) = self.errand.poll(self.clock.now()) {
            if let Some(director) = &mut self.director {
                director.tap.leaves(&output);
            }
            if let Some(wish) = self.flows.perform(output) {
                self.grant(wish)?;
            }
        }
        self.flows.flush();
        self.keep_flows_in_use();
        if let Some((face, terminal)) = &mut self.face {
            terminal.show(face.line(self.clock.now(), terminal.width()));
        }
        Ok(self.errand.outcome().cloned())
    }

    fn grant(&mut self, wish: Wish) -> Result<(), Failure> {
        match wish {
            Wish::OpenMedia { call } => {
                let at = self.media.open(call).map_err(|error| {
                    tracing::warn!(%error, "no ports for the sound of a call");
                    NoSockets
                });
                self.take(Input::Order(Order::MediaOpened { call, at }));
            }
            Wish::Media { call, command } => self.media.order(call, command),
            Wish::CloseMedia { call } => self.media.close(call),
            Wish::Tell(news) => self.tell(&news)?,
        }
        Ok(())
    }

    fn tell(&mut self, news: &News) -> Result<(), Failure> {
        if let News::Call { call, change: Progress::Answered(answered), .. } = news {
            let begun = self.recordings.begin(*call, answered.codec);
            if let Err(lost) = begun {
                self.give_up(lost);
            }
        }
        self.share_card(news);
        if let Some((face, terminal)) = &mut self.face {
            face.told(self.clock.now(), news);
            terminal.clear();
        }
        if let Some(director) = &mut self.director {
            director.told(self.clock.now(), news);
        }
        self.reporter.tell(news, self.errand.key_count());
        Ok(())
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let face = self.face.as_ref().and_then(|(face, _)| face.poll_timeout(self.clock.now()));
        [self.errand.poll_timeout(), face].into_iter().flatten().min()
    }

    /// A person typed this key.
    fn typed(&mut self, key: u8) {
        let now = self.clock.now();
        match self.face.as_mut().and_then(|(face, _)| face.typed(key)) {
            Some(Typed::Order(order)) => self.errand.order(now, order),
            Some(Typed::Stop) => self.errand.stop(now),
            None => {}
        }
    }

    /// A director wants this; one that is gone wants it to end.
    fn directed(&mut self, want: Option<Want>) {
        let now = self.clock.now();
        match want {
            Some(want) => {
                let fresh = self.errand.fresh_call();
                for order in want.orders(fresh) {
                    self.errand.order(now, order);
                }
            }
            None => {
                self.errand.stop(now);
                // There is nothing more to be wanted.
                if let Some(director) = &mut self.director {
                    director.wants = None;
                }
            }
        }
    }

    /// SEC-58: a connection that a registration or a call goes along is not idle, however quiet.
    fn keep_flows_in_use(&mut self) {
        let in_use: BTreeSet<FlowId> = self.errand.telephone().flows_in_use().collect();
        for id in in_use.difference(&self.kept) {
            self.flows.keep(*id, true);
        }
        for id in self.kept.difference(&in_use) {
            self.flows.keep(*id, false);
        }
        self.kept = in_use;
    }

    /// Lets the last requests get their answers: a BYE that nobody read would leave the other side talking.
    async fn settle(&mut self) -> Result<(), Failure> {
        let farewell = tokio::time::sleep(FAREWELL);
        tokio::pin!(farewell);
        while !self.errand.telephone().is_settled() {
            let wake = self.errand.poll_timeout();
            tokio::select! {
                input = self.flows.next() => self.errand.handle(self.clock.now(), input),
                () = self.clock.sleep_until(wake) => self.take(Input::Timeout),
                () = &mut farewell => return Ok(()),
            }
            self.perform()?;
        }
        Ok(())
    }

    /// Takes what was heard last, closes the file and the connection.
    async fn end(&mut self, told: &mut mpsc::Receiver<(CallKey, umbel_media::Event)>) -> Result<(), Failure> {
        let farewell = tokio::time::sleep(FAREWELL);
        tokio::pin!(farewell);
        while self.recordings.is_recording() {
            tokio::select! {
                event = told.recv() => match event {
                    Some((call, event)) => self.recordings.take(call, &event)?,
                    None => break,
                },
                () = &mut farewell => break,
            }
        }
        self.recordings.finish()?;
        let flows = std::mem::replace(&mut self.flows, Flows::new(umbel_net::Config::default(), self.clock));
        flows.shut_down(FAREWELL).await;
        Ok(())
    }
}

/// The next key that a person types. Without a person, never.
async fn typed(face: &mut Option<(Face, Terminal)>) -> u8 {
    match face {
        Some((_, terminal)) => terminal.key().await,
        None => std::future::pending().await,
    }
}

/// What the director wants next; nothing, where it is gone. Without one, never.
async fn wanted(director: &mut Option<Director>) -> Option<Want> {
    match director.as_mut().and_then(|director| director.wants.as_mut()) {
        Some(wants) => wants.recv().await,
        None => std::future::pending().await,
    }
}

/// What the microphone captures next. Without one, nothing.
async fn captured(card: &mut Option<Card>) -> (CallKey, umbel_media::Samples) {
    match card {
        Some(card) => card.captured().await,
        None => std::future::pending().await,
    }
}

fn media(
    job: &Job,
    events: mpsc::Sender<(CallKey, umbel_media::Event)>,
) -> Result<MediaWorkers<CallKey>, Failure> {
    let config =
        MediaConfig { address: job.telephone.rtp_address, ports: RTP_PORTS, dscp: DSCP, threads: Some(1) };
    let deliver = move |call, event| {
        events
            .try_send((call, event))
            .or_else(|refused| if events.is_closed() { Ok(()) } else { Err(refused.into_inner().1) })
    };
    MediaWorkers::start(&config, job.clock, runtime::generator()?, deliver).map_err(|error| {
        Failure::new(Exit::TemporaryFailure, "no-threads", format!("the media thread: {error}"))
    })
}
