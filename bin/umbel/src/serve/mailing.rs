//! The thread that sends mails: what is due is asked of the store, composed, handed to the mail server, and noted.
//! Calls never wait for it, nor it for them (REL-41); when it is tried is `umbel_mail::courier`'s business.

use std::sync::Arc;
use std::time::Duration;

use rand_core::Rng;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep};
use umbel_mail::courier::{Action, Courier, Delivery, Input, Letter, kind};
use umbel_mail::letter;
use umbel_net::Clock;
use umbel_store::{DueMail, MailNumber, MailOutcome, Op, Reply, Settings, StoredAudio, Tidings};
use umbel_store_sqlite::Inbox;
use umbel_time::UnixTime;
use umbel_web::Metrics;

use crate::config::Mail;
use crate::exit::{Exit, Failure};
use crate::mail::Session;
use crate::runtime;

/// How often the figures of the queue are brought up to date.
const SHOWN_EVERY: Duration = Duration::from_secs(5);
/// How long noting what became of a mail waits until it is tried again: nothing else is sent meanwhile, or it would
/// be sent twice.
const NOTED_AGAIN: Duration = Duration::from_secs(5);
/// How long a stopping server waits for the mail that is on its way. What is cut off is sent again after the start.
const STOPPED_WITHIN: Duration = Duration::from_secs(5);

/// The running thread.
pub(super) struct Mailing {
    mail: watch::Sender<Mail>,
    poke: Arc<Notify>,
    stop: Option<oneshot::Sender<()>>,
    stopped: oneshot::Receiver<()>,
}

impl Mailing {
    pub(super) fn start(
        mail: Mail,
        domain: &str,
        store: Inbox,
        metrics: &Metrics,
        clock: Clock,
    ) -> Result<Mailing, Failure> {
        let (mail, watched) = watch::channel(mail);
        let (stop, stopping) = oneshot::channel();
        let (tell_stopped, stopped) = oneshot::channel();
        let poke = Arc::new(Notify::new());
        let mut rng = runtime::generator()?;
        let sender = Sender {
            mail: watched,
            hello: domain.to_owned(),
            store,
            metrics: metrics.clone(),
            clock,
            session: None,
            due: Vec::new(),
            shown: None,
            away: false,
        };
        let poked = Arc::clone(&poke);
        let run = move || {
            let ended = runtime::run(async move {
                sender.run(&mut rng, &poked, stopping).await;
                Ok(())
            });
            if let Err(failure) = ended {
                tracing::error!(error = %failure.message, "no mails are sent any more");
            }
            let _ = tell_stopped.send(());
        };
        std::thread::Builder::new().name("mail".to_owned()).spawn(run).map_err(|error| {
            Failure::new(Exit::TemporaryFailure, "no-threads", format!("the mail thread: {error}"))
        })?;
        Ok(Mailing { mail, poke, stop: Some(stop), stopped })
    }

    /// Uses other settings from the next connection on, and tries at once.
    pub(super) fn reload(&self, mail: Mail) {
        let changed = self.mail.send_if_modified(|now| {
            let differs = *now != mail;
            *now = mail;
            differs
        });
        if changed {
            self.try_now();
        }
    }

    /// Tries what waits, however long the server has been away.
    pub(super) fn try_now(&self) {
        self.poke.notify_one();
    }

    /// No further mail; the one on its way has a moment.
    pub(super) async fn stop(mut self) {
        drop(self.stop.take());
        if tokio::time::timeout(STOPPED_WITHIN, self.stopped).await.is_err() {
            tracing::warn!(
                "the mail server takes too long: the mail on its way is sent again after the start"
            );
        }
    }
}

/// What the thread owns.
struct Sender {
    mail: watch::Receiver<Mail>,
    /// The name we give ourselves to the server.
    hello: String,
    store: Inbox,
    metrics: Metrics,
    clock: Clock,
    session: Option<Session>,
    /// What the store gave last.
    due: Vec<DueMail>,
    /// When the figures were last brought up to date.
    shown: Option<Instant>,
    /// The server was away when it was tried last, and that was told.
    away: bool,
}

impl Sender {
    async fn run(mut self, rng: &mut impl Rng, poked: &Notify, mut stopping: oneshot::Receiver<()>) {
        let mut courier = Courier::default();
        let mut input = Input::TimeUp;
        loop {
            let (next, actions) = courier.step(self.clock.unix_time(), rng.next_u32(), input);
            courier = next;
            // Every step ends with one of the actions that bring an input; without, there is nothing to do but rest.
            input = Input::TimeUp;
            for action in actions {
                if stopping.try_recv() != Err(oneshot::error::TryRecvError::Empty) {
                    return self.hang_up().await;
                }
                match action {
                    Action::Look => input = self.look().await,
                    Action::Send(number) => input = Input::Came(self.send(number).await),
                    Action::Settle(number, outcome) => self.settle(number, outcome).await,
                    Action::Rest(wait) => {
                        self.hang_up().await;
                        input = tokio::select! {
                            () = self.rest(wait) => Input::TimeUp,
                            () = poked.notified() => Input::Poked,
                            _ = &mut stopping => return,
                        };
                    }
                }
            }
        }
    }

    /// Waits, and keeps the figures up to date meanwhile.
    async fn rest(&mut self, wait: Duration) {
        let ends = Instant::now() + wait;
        loop {
            if self.shown.is_none_or(|shown| shown.elapsed() >= SHOWN_EVERY) {
                self.show().await;
            }
            let left = ends.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            sleep(left.min(SHOWN_EVERY)).await;
        }
    }

    async fn show(&mut self) {
        self.shown = Some(Instant::now());
        if let Some(Reply::OutboxState(state)) = self.ask(Op::ShowOutbox).await {
            let now = self.clock.unix_time();
            let age = state.oldest.map(|oldest| now.since(oldest)).unwrap_or_default();
            self.metrics.mail().queue(state.waiting, state.failed, age);
        }
    }

    async fn look(&mut self) -> Input {
        let at = self.clock.unix_time();
        match self.ask(Op::ListDueMails { at }).await {
            Some(Reply::DueMails(due)) => {
                let letters = due.iter().map(|mail| Letter::of(mail, at)).collect();
                self.due = due;
                Input::Due(letters)
            }
            _ => Input::NoAnswer,
        }
    }

    async fn send(&mut self, number: MailNumber) -> Delivery {
        let Some(at) = self.due.iter().position(|mail| mail.number == number) else {
            return Delivery::PutOff("it is not in the queue any more".to_owned());
        };
        let mail = self.due.swap_remove(at);
        let audio = match self.audio(&mail).await {
            Ok(audio) => audio,
            Err(reason) => return Delivery::PutOff(reason),
        };
        let settings = self.mail.borrow().clone();
        let offset = utc_offset(&mail.owner, told_at(&mail));
        let (Some(octets), Some(to)) =
            (letter::octets(&settings.from, offset, &mail, audio.as_ref()), mail.owner.email.as_deref())
        else {
            return Delivery::Refused("it cannot be composed".to_owned());
        };
        let delivery = self.hand_over(&settings, to, &octets).await;
        self.tell(&mail, &delivery);
        delivery
    }

    /// Over the connection that there is, or over a new one. What the server hung up on while it was idle is sent
    /// again at once, over a new one.
    async fn hand_over(&mut self, settings: &Mail, to: &str, octets: &[u8]) -> Delivery {
        if self.mail.has_changed().unwrap_or(false) {
            self.mail.mark_unchanged();
            self.hang_up().await;
        }
        if let Some(mut session) = self.session.take() {
            let delivery = session.send(&settings.from, to, octets).await;
            self.keep(session);
            if !matches!(delivery, Delivery::Away(_)) {
                return delivery;
            }
        }
        match Session::open(settings, &self.hello).await {
            Ok(mut session) => {
                let delivery = session.send(&settings.from, to, octets).await;
                self.keep(session);
                delivery
            }
            Err(reason) => Delivery::Away(reason),
        }
    }

    fn keep(&mut self, session: Session) {
        self.session = Some(session).filter(Session::is_usable);
    }

    async fn hang_up(&mut self) {
        if let Some(session) = self.session.take() {
            session.quit().await;
        }
    }

    /// To the log and the figures. Nothing of a caller or a mailbox.
    fn tell(&mut self, mail: &DueMail, delivery: &Delivery) {
        let (figures, number, kind) = (self.metrics.mail(), mail.number.0, kind(&mail.tidings).as_str());
        figures.server_up(!matches!(delivery, Delivery::Away(_)));
        match delivery {
            Delivery::Taken => {
                figures.sent();
                tracing::info!(number, kind, attempts = mail.attempts, "mail sent");
            }
            Delivery::Refused(reason) => {
                tracing::warn!(number, kind, reason, "the mail server refuses a mail; see `umbel mail list`");
            }
            Delivery::PutOff(reason) => {
                figures.put_off();
                tracing::info!(number, kind, reason, "the mail server puts a mail off");
            }
            // Once, until it is back: it may be away for a day.
            Delivery::Away(reason) if !self.away => {
                tracing::warn!(reason, "the mail server takes no mail; mails wait, and it is tried again");
            }
            Delivery::Away(_) => {}
        }
        self.away = matches!(delivery, Delivery::Away(_));
    }

    /// The sound of a message; none where it is lost (REL-05) or nothing has any.
    async fn audio(&self, mail: &DueMail) -> Result<Option<StoredAudio>, String> {
        let Tidings::Message(message) = &mail.tidings else { return Ok(None) };
        let op = Op::FetchMessage { mailbox: message.mailbox.clone(), id: message.id };
        match self.ask(op).await {
            Some(Reply::Audio(audio)) => Ok(Some(audio)),
            Some(Reply::Failed(umbel_store::StoreError::AudioMissing)) => Ok(None),
            Some(Reply::Failed(error)) => Err(error.to_string()),
            _ => Err("the store does not answer".to_owned()),
        }
    }

    /// Notes what became of a mail; nothing else is done before it is noted.
    async fn settle(&self, number: MailNumber, outcome: MailOutcome) {
        if matches!(outcome, MailOutcome::Failed { .. }) {
            self.metrics.mail().failed();
        }
        loop {
            let at = self.clock.unix_time();
            let op = Op::SettleMail { number, outcome: outcome.clone(), at };
            match self.ask(op).await {
                Some(Reply::Done) => return,
                Some(Reply::Failed(error)) => {
                    tracing::warn!(number = number.0, %error, "what became of a mail could not be noted yet");
                }
                _ => tracing::warn!(number = number.0, "the store does not answer"),
            }
            sleep(NOTED_AGAIN).await;
        }
    }

    /// Asks the store; `None` where it is gone, or has too much to do.
    async fn ask(&self, op: Op) -> Option<Reply> {
        let (tell, told) = oneshot::channel();
        let asked = self.store.ask(op, move |reply| {
            let _ = tell.send(reply);
        });
        asked.ok()?;
        told.await.ok()
    }
}

/// The time that a mail tells.
fn told_at(mail: &DueMail) -> UnixTime {
    match &mail.tidings {
        Tidings::Message(message) => message.received,
        Tidings::MissedCall(call) => call.at,
        Tidings::Greeting(_) | Tidings::Secret(_) => mail.queued,
        Tidings::NewPin { at, .. } => *at,
    }
}

/// How far the owner's clock was from UTC then, in seconds to the east; the server's own without a zone.
fn utc_offset(owner: &Settings, at: UnixTime) -> i32 {
    let zone = owner.time_zone.as_deref().and_then(|name| jiff::tz::TimeZone::get(name).ok());
    let zone = zone.unwrap_or_else(jiff::tz::TimeZone::system);
    let instant = jiff::Timestamp::from_second(at.as_secs()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    zone.to_offset(instant).seconds()
}
