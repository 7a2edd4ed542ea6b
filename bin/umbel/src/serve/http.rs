//! The web front as the program runs it: on a thread of its own, beside the roles.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use umbel_net::{Clock, Tls};
use umbel_play_on_phone::{CallState, PhoneCallId, Played, Refusal};
use umbel_store::{AuditRecord, Event, MessageId, Op, Reply};
use umbel_store_sqlite::StoreWorker;
use umbel_um::Order;
use umbel_web::{
    Certificate, Desk, Front, Metrics, Ordered, PhoneCallDocument, PhoneCalls, Random, Readiness,
    ServerConfig, Settings, Standing, StoreHandle,
};

use crate::config::Config;
use crate::control::{Answer, PhoneCall};
use crate::exit::{Exit, Failure};
use crate::runtime;

/// The part of readiness that is about the front.
const PART: &str = "web";
/// How long the front's thread may take to end.
const ENDED_WITHIN: Duration = Duration::from_secs(6);

/// The certificate that is shown, and that a reload replaces.
type Shown = Arc<RwLock<Arc<ServerConfig>>>;

/// A front that has its address, and answers nobody yet.
pub(super) struct Bound {
    pub(super) address: SocketAddr,
    shown: Option<Shown>,
    start: oneshot::Sender<Desk>,
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
    thread: JoinHandle<()>,
}

/// A front that answers.
pub(crate) struct Web {
    pub(crate) desk: Desk,
    address: SocketAddr,
    shown: Option<Shown>,
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
    thread: JoinHandle<()>,
}

/// The calls that were asked for, placed by the unified messaging server where it runs here.
pub(super) fn phone_calls(random: &Random, um: Option<mpsc::Sender<Order>>) -> PhoneCalls {
    PhoneCalls::new(random.clone(), move |ordered| {
        let order = match ordered {
            Ordered::Play(request) => Order::PlayOnPhone(request),
            Ordered::Disconnect(id) => Order::Disconnect(id),
        };
        um.as_ref().is_some_and(|um| um.try_send(order).is_ok())
    })
}

/// What web handlers need of the configuration. `address` is where the front is.
fn settings(config: &Config, address: SocketAddr) -> Settings {
    let scheme = if config.http.tls { "https" } else { "http" };
    let public_url = match address.ip().is_unspecified() {
        true => format!("{scheme}://{}:{}", config.domain, address.port()),
        false => format!("{scheme}://{address}"),
    };
    Settings {
        domain: config.domain.clone(),
        public_url,
        telephone_access_numbers: config.pilots().to_vec(),
        language: config.language.clone(),
        mail_from: match &config.mail {
            Some(mail) => mail.from.clone(),
            None => format!("voicemail@{}", config.domain),
        },
        dialling: config.dialling.clone(),
    }
}

/// What the front shows to whoever connects, where it speaks TLS.
pub(super) fn certificate(config: &Config, clock: Clock) -> Result<Option<Arc<ServerConfig>>, Failure> {
    if !config.http.tls {
        return Ok(None);
    }
    let certificates = crate::tls::read(config, clock)?;
    Tls::for_web(&certificates, clock).map(Some).map_err(crate::refused::tls)
}

/// Starts the front's thread and takes its address.
pub(super) async fn bind(
    config: &Config,
    clock: Clock,
    readiness: Readiness,
    metrics: Metrics,
) -> Result<Bound, Failure> {
    let shown = certificate(config, clock)?.map(|shown| Arc::new(RwLock::new(shown)));
    let tls = shown.clone().map(|shown| -> Certificate {
        Arc::new(move || Arc::clone(&shown.read().unwrap_or_else(PoisonError::into_inner)))
    });
    let address = config.http.listen;
    let (report, reported) = oneshot::channel();
    let (start, started) = oneshot::channel();
    let (stop, stopped) = oneshot::channel();
    let (tell, ended) = oneshot::channel();
    readiness.set(PART, Standing::Missing("not started yet".to_owned()));
    let live = async move {
        let bound = match Front::bind(address, tls).await {
            Ok(front) => front.address().map(|address| (front, address)),
            Err(error) => Err(error),
        };
        let front = match bound {
            Ok((front, address)) => {
                let _ = report.send(Ok(address));
                front
            }
            Err(error) => {
                let _ = report.send(Err(error));
                return Ok(());
            }
        };
        // Something else went wrong at the start, and the front is not wanted any more.
        let Ok(desk) = started.await else { return Ok(()) };
        readiness.set(PART, Standing::Ready);
        let mut gone = Gone { readiness, metrics, is_meant: false };
        front.serve(desk, async { drop(stopped.await) }).await;
        gone.is_meant = true;
        let _ = tell.send(());
        Ok(())
    };
    let thread = std::thread::Builder::new().name("web".to_owned()).spawn(move || {
        let outcome: Result<(), Failure> = runtime::run(live);
        if let Err(failure) = outcome {
            tracing::error!(error = %failure.message, "the web front cannot run");
        }
    });
    let thread = thread.map_err(|error| {
        Failure::new(Exit::TemporaryFailure, "no-threads", format!("the thread of [http]: {error}"))
    })?;
    let address = match reported.await {
        Ok(Ok(address)) => address,
        Ok(Err(error)) => return Err(refused(address, &error)),
        Err(_) => return Err(Failure::new(Exit::Failed, "internal", "the web front broke at its start")),
    };
    Ok(Bound { address, shown, start, stop, ended, thread })
}

fn refused(address: SocketAddr, error: &std::io::Error) -> Failure {
    let (exit, code) = match error.kind() {
        std::io::ErrorKind::PermissionDenied => (Exit::NoPermission, "permission"),
        _ => (Exit::Unavailable, "address-in-use"),
    };
    let what =
        format!("[http] listen: {address}: {error}; stop the program that uses it, or give another port");
    Failure::new(exit, code, what)
}

/// Says so, where the front ended and nobody told it to.
struct Gone {
    readiness: Readiness,
    metrics: Metrics,
    is_meant: bool,
}

impl Drop for Gone {
    fn drop(&mut self) {
        if !self.is_meant {
            self.metrics.panicked();
            self.readiness.set(PART, Standing::Missing("the web front broke; restart the server".to_owned()));
        }
    }
}

impl Bound {
    /// Lets the front answer.
    pub(super) fn start(
        self,
        config: &Config,
        clock: Clock,
        worker: &StoreWorker,
        phone_calls: PhoneCalls,
        random: Random,
        metrics: Metrics,
    ) -> Result<Web, Failure> {
        let Bound { address, shown, start, stop, ended, thread } = self;
        let inbox = worker.inbox();
        let store = StoreHandle::new(move |op, then| inbox.ask(op, then).map_err(|refused| *refused.op));
        let clock = Arc::new(move || clock.unix_time());
        let settings = settings(config, address);
        let desk =
            Desk::new(store, phone_calls, settings, random, metrics, clock, crate::admin::read_setting);
        let broke = |_| Failure::new(Exit::Failed, "internal", "the web front broke at its start");
        start.send(desk.clone()).map_err(broke)?;
        Ok(Web { desk, address, shown, stop, ended, thread })
    }
}

impl Web {
    /// Where the mailbox is, for people and logs.
    pub(crate) fn url(&self) -> String {
        self.desk.settings().public_url.clone()
    }

    /// The configuration was read again. `shown`: what the front shows from the next handshake on.
    pub(super) fn reload(&self, config: &Config, shown: Option<Arc<ServerConfig>>) {
        self.desk.set_settings(settings(config, self.address));
        if let (Some(cell), Some(shown)) = (&self.shown, shown) {
            *cell.write().unwrap_or_else(PoisonError::into_inner) = shown;
        }
    }

    /// Ends the front: answers that are under way may end in order.
    pub(super) async fn stop(self) {
        let Web { stop, ended, thread, .. } = self;
        drop(stop);
        if tokio::time::timeout(ENDED_WITHIN, ended).await.is_ok() {
            // A panic has been reported where it happened.
            let _ = thread.join();
        }
    }
}

/// `umbel play-on-phone`: plays a message on its owner's telephone, or on a number.
pub(super) async fn play(desk: Desk, message: String, number: Option<String>) -> Answer {
    let unknown = Refusal::UnknownItem;
    let Ok(id) = message.parse::<MessageId>() else { return not_placed(unknown) };
    let owner = match desk.store.ask(Op::FindMessage(id)).await {
        Reply::Message(Some(message)) => message.mailbox,
        Reply::Message(None) => return not_placed(unknown),
        _ => return not_placed(Refusal::Unavailable),
    };
    match desk.phone_calls.play(owner.clone(), Played::Message(id), number).await {
        Ok(call) => {
            // It was not the owner who asked: the owner can see who did.
            let record = AuditRecord {
                at: desk.now(),
                mailbox: owner.clone(),
                call_id: None,
                door: None,
                author: Some(crate::store::author()),
                event: Event::PlayedOnPhone(id),
            };
            if let Reply::Failed(error) = desk.store.ask(Op::Audit(Box::new(record))).await {
                tracing::error!(%error, mailbox = %owner, "who had a message played is not on record");
            }
            phone_call(&desk, owner.as_str(), &call.to_string())
        }
        Err(refusal) => not_placed(refusal),
    }
}

fn not_placed(refusal: Refusal) -> Answer {
    Answer::Refused { message: refusal.to_string() }
}

/// How a call stands.
pub(super) fn phone_call(desk: &Desk, mailbox: &str, id: &str) -> Answer {
    let known = mailbox.parse().ok().zip(id.parse::<PhoneCallId>().ok());
    let status = known.and_then(|(owner, id)| Some((id, desk.phone_calls.status(&owner, id)?)));
    match status {
        Some((id, status)) => {
            let is_over = status.state == CallState::Disconnected;
            let call = PhoneCallDocument::new(id, status);
            Answer::PhoneCall(PhoneCall { mailbox: mailbox.to_owned(), call, is_over })
        }
        None => Answer::Refused {
            message: "there is no such call, or it ended more than five minutes ago".to_owned(),
        },
    }
}

/// Ends a call, and says how it stood.
pub(super) fn hang_up(desk: &Desk, mailbox: &str, id: &str) -> Answer {
    if let Some((owner, id)) = mailbox.parse().ok().zip(id.parse::<PhoneCallId>().ok()) {
        desk.phone_calls.disconnect(&owner, id);
    }
    phone_call(desk, mailbox, id)
}
