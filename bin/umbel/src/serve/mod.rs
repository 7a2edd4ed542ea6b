//! `umbel serve`: the composition root of the servers, which `umbel demo` starts as well.

mod control;
mod descriptors;
mod event_loop;
mod first_start;
pub(crate) mod http;
mod mailing;
pub(crate) mod media_worker;
mod operation;
mod prompts;
mod proxy_loop;
mod proxy_watch;
mod registrations;
mod reload;
mod role_thread;
mod settings;
mod supervisor;
mod um_loop;
mod upkeep;
mod watch;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use umbel_net::{Clock, Limits, Listener, LogLimit, Tls};
use umbel_ocexum::{Network, TrustedTransport};
use umbel_play_on_phone::Rule;
use umbel_proxy::Proxy;
use umbel_store_sqlite::{Recovery, SqliteStore, StoreWorker};
use umbel_um::{MediaKey, Order, Um};
use umbel_web::{Metrics, PhoneCalls, Random, Readiness, Standing};

use crate::cli::Place;
use crate::config::{Authentication, Config};
use crate::exit::{Exit, Failure};
use crate::runtime::now;
use crate::tap::Wires;
use crate::tls::Own;
use crate::{output, runtime, store};
use control::Control;
use mailing::Mailing;
use media_worker::{MediaConfig, MediaWorkers};
use prompts::Loaded;
use proxy_loop::ProxyLoop;
use proxy_watch::ProxyWatch;
use registrations::Keeping;
use role_thread::{Bound, Connections, Running};
use supervisor::{Roles, Supervisor, supervise};
use um_loop::UmLoop;
use upkeep::Upkeep;
use watch::{Totals, UmWatch, Watch};

pub(crate) use first_start::{Made, put as put_first_users};
pub(crate) use prompts::load as load_prompts;

/// Runs the roles until it is told to stop.
pub(crate) fn run(place: &Place) -> Result<(), Failure> {
    let config = Config::at(place)?;
    let log = crate::log::start();
    runtime::run(async {
        let servers = Servers::start(config, log, None).await?;
        if servers.supervisor.config.source.is_none() {
            output::write(servers.hints().as_bytes())?;
        }
        servers.are_ready();
        servers.until_stopped().await
    })
}

/// Settings that are allowed, and that whoever set them should be reminded of.
pub(crate) fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    // SEC-33
    if config.tls.trusted_transport == TrustedTransport::AnyTls {
        warnings.push("trusted-transport = \"any-tls\": whoever connects over TLS may open mailboxes without a PIN by their From".to_owned());
    }
    if !config.tls.trusted_networks.is_empty() {
        let networks: Vec<String> = config.tls.trusted_networks.iter().map(ToString::to_string).collect();
        warnings.push(format!("plain TCP from {} may open mailboxes without a PIN", networks.join(", ")));
    }
    if config.server.as_ref().is_some_and(|server| server.authentication == Authentication::None) {
        warnings.push("authentication = \"none\": whoever connects may register and call as any user; for closed networks and load tests only".to_owned());
    }
    if config.um.iter().flat_map(|um| &um.gateways).any(Network::is_everything) {
        warnings.push("[um] gateways names all addresses: whatever anybody writes into From is believed to be the caller's number".to_owned());
    }
    if config.dialling.rules().any(Rule::allows_all) {
        warnings.push("[dialling] allow = [\"*\"]: Play on Phone and calling back may dial every number, also those that cost much".to_owned());
    }
    let web = &config.http;
    if !web.tls && !web.listen.ip().is_loopback() {
        warnings.push(format!("[http] listen = \"{}\" without tls: nobody can sign in from other machines, since passwords are not taken in clear", web.listen));
    }
    warnings.extend(others_may_enter(&config.data));
    warnings
}

/// SEC-121: the files in it are ours alone; their names, sizes and times are not, where the directory is open.
fn others_may_enter(data: &Path) -> Option<String> {
    let mode = std::fs::metadata(data).ok()?.permissions().mode() & 0o7777;
    let what = || format!("others can look into {} (mode {mode:04o}); run chmod 700 on it", data.display());
    (mode & 0o077 != 0).then(what)
}

/// What every role is started with.
struct Common {
    config: Config,
    clock: Clock,
    tls: Tls,
    own: Own,
    limits: Limits,
    metrics: Metrics,
    readiness: Readiness,
    totals: Totals,
    wires: Option<Wires>,
}

/// The roles of one process, and what they have in common, from their start to their end.
pub(crate) struct Servers {
    supervisor: Supervisor,
    control: Control,
    loaded: Loaded,
    worker: StoreWorker,
    readiness: Readiness,
    upkeep: JoinHandle<()>,
    /// Health, readiness and metrics are answered as long as it is there.
    operation: oneshot::Sender<()>,
    /// The users that this start made.
    made: Vec<Made>,
}

impl Servers {
    /// Starts every role that the configuration names, on the thread's [`tokio::task::LocalSet`]. Who shows what
    /// they send gives the wires to keep it on.
    pub(crate) async fn start(
        config: Config,
        log: LogLimit,
        wires: Option<Wires>,
    ) -> Result<Servers, Failure> {
        if config.server.is_none() && config.um.is_none() {
            return Err(Failure::config(
                "no role to run: the configuration has neither a [server] nor a [um] table; add one, or start without --config",
            ));
        }
        for warning in warnings(&config) {
            tracing::warn!("{warning}");
        }
        let clock = Clock::start();
        let (mut store, recovery) = store::open_for_server(&config)?;
        report_recovery(&recovery);
        let (tls, own) = crate::tls::start(&config, clock)?;
        let loaded = prompts::load(&config)?;
        let (metrics, readiness) = operation::observation();
        let limits = limits(&config);
        let common = Common {
            config,
            clock,
            tls,
            own,
            limits,
            metrics,
            readiness: readiness.clone(),
            totals: Totals::default(),
            wires,
        };
        let config = &common.config;
        let um = common.bind::<UmLoop>("um", config.um.as_ref().map(|um| um.listen.clone())).await?;
        let server = common
            .bind::<ProxyLoop>("server", config.server.as_ref().map(|server| server.listen.clone()))
            .await?;
        let control = Control::bind(&config.data)
            .map_err(|error| crate::exit::at_path("bind the control socket in", &config.data, &error))?;
        let operation = operation::start(config, &readiness, &common.metrics).await?;
        let web = http::bind(config, clock, readiness.clone(), common.metrics.clone()).await?;
        // Only now: a start that failed would have shown nobody the secrets of the users it made.
        let made = match config.source {
            None => first_start::users(config, &mut store, runtime::generator()?, now())?,
            Some(_) => Vec::new(),
        };
        let worker = store_worker(store)?;
        let upkeep = Upkeep {
            store: worker.inbox(),
            tls: common.tls.clone(),
            clock,
            readiness: readiness.clone(),
            metrics: common.metrics.clone(),
            log,
        };
        let upkeep = tokio::task::spawn_local(upkeep.run());
        let mailing = config
            .mail
            .as_ref()
            .map(|mail| Mailing::start(mail.clone(), &config.domain, worker.inbox(), &common.metrics, clock))
            .transpose()?;
        // Each is told where the other one is, which may have chosen a port.
        let there = server.as_ref().map(|server| server.listeners.clone()).unwrap_or_default();
        let random = Random::new(runtime::seed()?);
        let phone_calls = http::phone_calls(&random, um.as_ref().map(|um| um.orders.clone()));
        let um = um.map(|um| common.run_um(um, &there, &loaded, &worker, phone_calls.clone())).transpose()?;
        let has_answered = Arc::new(Notify::new());
        let server = server
            .map(|server| common.run_server(server, um.as_ref(), &worker, Arc::clone(&has_answered)))
            .transpose()?;
        let roles = Roles::new(server, um, has_answered);
        let web = web.start(config, clock, &worker, phone_calls, random, common.metrics.clone())?;
        let Common { config, tls, .. } = common;
        let stop = Arc::new(Notify::new());
        let supervisor =
            Supervisor { config, prompts: loaded.prompts.clone(), tls, clock, roles, web, mailing, stop };
        Ok(Servers { supervisor, control, loaded, worker, readiness, upkeep, operation, made })
    }

    /// What a newcomer can do next, and the secrets of the users that were made.
    fn hints(&self) -> String {
        let supervisor = &self.supervisor;
        first_start::hints(&supervisor.config, &supervisor.roles, &supervisor.web.url(), &self.made)
    }

    /// Everything runs: says so, in the log and to who asks for readiness.
    pub(crate) fn are_ready(&self) {
        for (role, listeners) in self.supervisor.roles.listeners() {
            let listeners = listeners.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            tracing::info!(role, listeners, "serving");
        }
        tracing::info!(role = "http", listeners = self.supervisor.web.url(), "serving");
        tracing::info!(from_pack = self.loaded.from_pack, "prompts");
        self.loaded.prepare();
        for part in ["listeners", "prompts"] {
            self.readiness.set(part, Standing::Ready);
        }
    }

    /// The users that this start made, with secrets that are shown this once.
    pub(crate) fn take_made(&mut self) -> Vec<Made> {
        std::mem::take(&mut self.made)
    }

    /// Where the roles listen, as it was bound: the protocol server, and the unified messaging server.
    pub(crate) fn listeners(&self) -> [Vec<Listener>; 2] {
        let roles = &self.supervisor.roles;
        let server = roles.server.as_ref().map(|server| server.listeners.clone());
        let um = roles.um.as_ref().map(|um| um.listeners.clone());
        [server.unwrap_or_default(), um.unwrap_or_default()]
    }

    /// Where the web front is.
    pub(crate) fn web_url(&self) -> String {
        self.supervisor.web.url()
    }

    /// The clock that they all read.
    pub(crate) fn clock(&self) -> Clock {
        self.supervisor.clock
    }

    /// What tells them to stop in order, as SIGTERM does.
    pub(crate) fn stop(&self) -> Arc<Notify> {
        Arc::clone(&self.supervisor.stop)
    }

    /// Serves until every role has ended.
    pub(crate) async fn until_stopped(mut self) -> Result<(), Failure> {
        let ended = supervise(&mut self.supervisor, self.control).await;
        self.readiness.set("listeners", Standing::Missing("the server is stopping".to_owned()));
        self.upkeep.abort();
        self.supervisor.web.stop().await;
        if let Some(mailing) = self.supervisor.mailing.take() {
            mailing.stop().await;
        }
        self.worker.stop();
        drop(self.operation);
        ended
    }
}

/// The bounds on connections, for each role: together they stay within the descriptors that there are.
fn limits(config: &Config) -> Limits {
    let limits = Limits {
        connections: config.limits.connections,
        connections_per_address: config.limits.connections_per_address,
        ..Limits::default()
    };
    let roles = usize::from(config.server.is_some()) + usize::from(config.um.is_some());
    descriptors::within(limits, config.um.as_ref().map_or(0, |um| um.max_calls), roles)
}

impl Common {
    /// Binds the listeners of a role, where it is to be run.
    async fn bind<R: event_loop::Role + Send + 'static>(
        &self,
        name: &'static str,
        listen: Option<Vec<umbel_net::Listener>>,
    ) -> Result<Option<Bound<R>>, Failure> {
        let Some(listen) = listen else { return Ok(None) };
        let connections = Connections {
            limits: self.limits.clone(),
            tls: self.tls.clone(),
            trust: settings::trust(&self.config, &self.own),
            clock: self.clock,
        };
        role_thread::bind(name, listen, connections).await.map(Some)
    }

    fn watch(&self, role: &'static str) -> Watch {
        let tap = self.wires.as_ref().map(|wires| wires.tap(role, self.clock));
        Watch::new(role, self.metrics.clone(), self.totals.clone(), tap)
    }

    fn run_um(
        &self,
        bound: Bound<UmLoop>,
        server: &[Listener],
        loaded: &Loaded,
        worker: &StoreWorker,
        phone_calls: PhoneCalls,
    ) -> Result<Running<Order>, Failure> {
        let um = self.config.um.as_ref().expect("its listeners are bound");
        let listening = settings::Bound { um: &bound.listeners, server };
        let settings = settings::um(&self.config, um, listening, loaded.prompts.clone(), &self.own)?;
        let answers = bound.orders.clone();
        let role = UmLoop {
            um: Um::new(settings, self.clock.unix_time(), runtime::generator()?),
            media: media(um, self.clock, &bound.orders)?,
            // It waits where the loop is behind: the loop takes orders in every turn, and never waits for the
            // store. Where the loop is gone, nobody is left to be told.
            store: worker.ticket_inbox(move |ticket, reply| {
                let _ = answers.blocking_send(Order::Stored { ticket, reply });
            }),
            traffic: self.watch("um"),
            watch: UmWatch::new(self.metrics.clone()),
            phone_calls,
            is_drained: false,
        };
        bound.start("um", role)
    }

    fn run_server(
        &self,
        bound: Bound<ProxyLoop>,
        um: Option<&Running<Order>>,
        worker: &StoreWorker,
        has_answered: Arc<Notify>,
    ) -> Result<Running<umbel_proxy::Order>, Failure> {
        let server = self.config.server.as_ref().expect("its listeners are bound");
        let voice_mail = um.map(|um| um.listeners.as_slice()).unwrap_or_default();
        let settings = settings::server(&self.config, server, &bound.listeners, voice_mail, &self.own)?;
        let answers = bound.orders.clone();
        let role = ProxyLoop {
            proxy: Proxy::new(settings, self.clock.unix_time(), runtime::generator()?),
            // As above.
            store: worker.ticket_inbox(move |ticket, reply| {
                let _ = answers.blocking_send(umbel_proxy::Order::Stored { ticket, reply });
            }),
            user_changes: (worker.user_changes(), 0),
            traffic: self.watch("server"),
            watch: ProxyWatch::new(self.metrics.clone(), self.readiness.clone()),
            keeping: Keeping::new(worker.inbox()),
            clock: self.clock,
            draining_since: None,
            has_answered,
        };
        tokio::task::spawn_local(registrations::restore(worker.inbox(), bound.orders.clone(), self.clock));
        bound.start("server", role)
    }
}

/// The media threads; what sessions tell becomes orders to the loop, as far as calls heed it. An event that finds
/// no room is offered again by its worker.
fn media(
    um: &crate::config::Um,
    clock: Clock,
    orders: &tokio::sync::mpsc::Sender<Order>,
) -> Result<MediaWorkers<MediaKey>, Failure> {
    let config = MediaConfig { address: um.rtp_address, ports: um.rtp_ports, dscp: um.dscp, threads: None };
    let orders = orders.clone();
    let deliver = move |key, event| {
        if !umbel_um::heeds(&event) {
            return Ok(());
        }
        orders.try_send(Order::Media { key, event }).or_else(|refused| match refused.into_inner() {
            Order::Media { event, .. } if !orders.is_closed() => Err(event),
            // Nobody is left to be told.
            _ => Ok(()),
        })
    };
    MediaWorkers::start(&config, clock, runtime::generator()?, deliver).map_err(|error| {
        Failure::new(Exit::TemporaryFailure, "no-threads", format!("the media threads: {error}"))
    })
}

fn store_worker(store: SqliteStore) -> Result<StoreWorker, Failure> {
    StoreWorker::spawn(store).map_err(|error| {
        Failure::new(Exit::TemporaryFailure, "no-threads", format!("the store's threads: {error}"))
    })
}

fn report_recovery(recovery: &Recovery) {
    tracing::info!(?recovery, "the store is open");
}
