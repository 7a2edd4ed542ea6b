//! The telephone's event loop: one call, its connection and its sound.

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use umbel_net::{Clock, Flows, Tls};
use umbel_node::{CloseReason, Input};

use super::call::{Call, News, Outcome, Plan, Want};
use super::report::{Event, Reporter};
use super::sound::Recording;
use crate::exit::{Exit, Failure};
use crate::runtime;
use crate::serve::media_worker::{MediaConfig, MediaWorkers};

/// Media events that wait for the loop.
const EVENTS_MAX: usize = 4_096;
/// Where the telephone looks for a pair of ports: away from a server's default range.
const RTP_PORTS: (u16, u16) = (30_000, 39_999);
/// Expedited forwarding (RFC 3246).
const DSCP: u8 = 46;
/// When the call is over, what is still to be sent gets this long.
const FAREWELL: std::time::Duration = std::time::Duration::from_secs(2);

/// Everything a call needs from the world.
pub(super) struct Job {
    pub(super) plan: Plan,
    pub(super) agent: umbel_ua::Config,
    pub(super) tls: Option<Tls>,
    pub(super) clock: Clock,
    pub(super) record: Option<PathBuf>,
    pub(super) json: bool,
}

/// Makes the call; returns when it is over.
pub(super) fn run(job: Job) -> Result<(), Failure> {
    runtime::run(call(job))
}

/// The world around the brain.
struct Loop {
    call: Call,
    flows: Flows,
    clock: Clock,
    media: MediaWorkers<()>,
    record: Option<PathBuf>,
    recording: Option<Recording>,
    reporter: Reporter,
    /// Why the connection could not be had, where it could not.
    connection: Option<CloseReason>,
}

async fn call(mut job: Job) -> Result<(), Failure> {
    let clock = job.clock;
    let (events, mut told) = mpsc::channel(EVENTS_MAX);
    let mut media = media(&job, events)?;
    let here = media.open(()).map_err(|error| {
        Failure::new(Exit::TemporaryFailure, "no-ports", format!("no ports for the sound: {error}"))
    })?;
    job.plan.capabilities.port = here.port();
    let resolver = umbel_net::seed().ok().and_then(|seed| umbel_net::Resolver::system(seed).ok());
    let config = umbel_net::Config { tls: job.tls.take(), resolver, ..Default::default() };
    let mut world = Loop {
        call: Call::place(clock.now(), job.agent, job.plan, runtime::generator()?),
        flows: Flows::new(config, clock),
        clock,
        media,
        record: job.record,
        recording: None,
        reporter: Reporter::new(job.json),
        connection: None,
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
        let wake = world.call.poll_timeout();
        tokio::select! {
            input = world.flows.next() => world.take(input),
            Some(event) = told.recv() => world.call.media(clock.now(), event),
            () = clock.sleep_until(wake) => world.take(Input::Timeout),
            _ = interrupt.recv() => {
                if std::mem::replace(&mut interrupted, true) {
                    break Outcome::Done;
                }
                world.call.hang_up(clock.now());
            }
            _ = terminate.recv() => world.call.hang_up(clock.now()),
        }
        if world.reporter.is_closed() {
            world.call.hang_up(clock.now());
        }
    };
    world.settle().await?;
    world.end(&mut told).await?;
    if interrupted {
        return Err(Failure::new(Exit::Interrupted, "interrupted", "interrupted"));
    }
    world.verdict(outcome)
}

impl Loop {
    fn take(&mut self, input: Input<std::convert::Infallible>) {
        if let Input::Closed { reason, .. } = &input {
            self.connection = Some(*reason);
        }
        self.call.handle(self.clock.now(), input);
    }

    /// Does what the brain wants done; gives the outcome when the call is over.
    fn perform(&mut self) -> Result<Option<Outcome>, Failure> {
        let mut over = None;
        while let Some(want) = self.call.poll_want() {
            match want {
                Want::Sip(output) => {
                    self.flows.perform(output);
                }
                Want::Media(command) => self.media.order((), command),
                Want::Keep(chunk) => {
                    if let Some(recording) = &mut self.recording {
                        recording.keep(&chunk)?;
                    }
                }
                Want::Tell(news) => self.tell(news)?,
                Want::Over(outcome) => over = Some(outcome),
            }
        }
        self.flows.flush();
        Ok(over)
    }

    /// Lets the last requests get their answers: a BYE that nobody read would leave the other side talking.
    async fn settle(&mut self) -> Result<(), Failure> {
        let farewell = tokio::time::sleep(FAREWELL);
        tokio::pin!(farewell);
        while !self.call.is_settled() {
            let wake = self.call.poll_timeout();
            tokio::select! {
                input = self.flows.next() => self.take(input),
                () = self.clock.sleep_until(wake) => self.take(Input::Timeout),
                () = &mut farewell => return Ok(()),
            }
            self.perform()?;
        }
        Ok(())
    }

    fn tell(&mut self, news: News) -> Result<(), Failure> {
        let call_id = self.call.call_id();
        match &news {
            News::Ringing { code, reason } => {
                self.reporter.tell(&Event::Ringing { call_id, code: *code, reason });
            }
            News::Answered { code, reason, codec, encrypted } => {
                let name = codec_name(*codec);
                self.reporter.tell(&Event::Answered {
                    call_id,
                    code: *code,
                    reason,
                    codec: name,
                    encrypted: *encrypted,
                });
                if let Some(path) = &self.record {
                    self.recording = Some(Recording::begin(path, *codec)?);
                }
            }
            News::PromptStarted => {
                self.reporter.tell(&Event::PromptStarted { call_id, code: None, reason: None });
            }
            News::Keys { pressed } => {
                self.reporter.tell(&Event::Key { call_id, code: None, reason: None, pressed: *pressed });
            }
            News::Ended { code, reason, lasted } => {
                self.reporter.tell(&Event::Ended {
                    call_id,
                    code: *code,
                    reason,
                    seconds: lasted.as_secs_f64(),
                });
            }
        }
        Ok(())
    }

    /// Takes what was heard last, closes the file and the connection.
    async fn end(&mut self, told: &mut mpsc::Receiver<umbel_media::Event>) -> Result<(), Failure> {
        self.media.order((), umbel_media::Command::Close);
        self.media.close(());
        let farewell = tokio::time::sleep(FAREWELL);
        tokio::pin!(farewell);
        while let Some(recording) = &mut self.recording {
            tokio::select! {
                event = told.recv() => match event {
                    Some(umbel_media::Event::Recorded { chunk, .. }) => recording.keep(&chunk)?,
                    Some(umbel_media::Event::RecordingEnded { .. }) | None => break,
                    Some(_) => {}
                },
                () = &mut farewell => break,
            }
        }
        if let Some(recording) = self.recording.take() {
            recording.finish()?;
        }
        let flows = std::mem::replace(&mut self.flows, Flows::new(umbel_net::Config::default(), self.clock));
        flows.shut_down(FAREWELL).await;
        Ok(())
    }

    /// The exit status.
    fn verdict(&self, outcome: Outcome) -> Result<(), Failure> {
        if self.reporter.is_closed() {
            return Err(Failure::new(
                Exit::OutputClosed,
                "output-closed",
                "the reader of the output is gone",
            ));
        }
        match outcome {
            Outcome::Done => Ok(()),
            Outcome::Refused { code, reason } => {
                Err(Failure::new(Exit::Failed, "refused", format!("the call was refused: {code} {reason}")))
            }
            Outcome::NoAnswer => Err(Failure::new(Exit::Failed, "no-answer", "nobody answered")),
            Outcome::Unreachable => Err(match self.connection {
                Some(CloseReason::HandshakeFailed) => Failure::new(
                    Exit::Config,
                    "certificate",
                    "the TLS handshake failed: check --authority against the server's certificate, and our own certificate's dates and usage",
                ),
                Some(CloseReason::ConnectFailed) => Failure::new(
                    Exit::Unavailable,
                    "server-not-reachable",
                    "the server does not take connections; check --server",
                ),
                _ => Failure::new(
                    Exit::Unavailable,
                    "server-not-reachable",
                    "the server could not be reached, or was lost",
                ),
            }),
        }
    }
}

fn media(job: &Job, events: mpsc::Sender<umbel_media::Event>) -> Result<MediaWorkers<()>, Failure> {
    let config = MediaConfig {
        address: job.plan.capabilities.address,
        ports: RTP_PORTS,
        dscp: DSCP,
        threads: Some(1),
    };
    let deliver = move |(), event| {
        events
            .try_send(event)
            .or_else(|refused| if events.is_closed() { Ok(()) } else { Err(refused.into_inner()) })
    };
    MediaWorkers::start(&config, job.clock, runtime::generator()?, deliver).map_err(|error| {
        Failure::new(Exit::TemporaryFailure, "no-threads", format!("the media thread: {error}"))
    })
}

const fn codec_name(codec: umbel_media::Codec) -> &'static str {
    match codec {
        umbel_media::Codec::Pcmu => "PCMU",
        umbel_media::Codec::Pcma => "PCMA",
        umbel_media::Codec::G722 => "G722",
        #[cfg(feature = "opus")]
        umbel_media::Codec::Opus => "opus",
    }
}
