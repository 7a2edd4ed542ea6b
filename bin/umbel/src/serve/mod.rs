//! `umbel serve`: the composition root of the servers.

mod control;
mod descriptors;
mod first_start;
pub(crate) mod media_worker;
mod operation;
mod prompts;
pub(crate) mod refused;
mod reload;
mod settings;
mod supervisor;
mod um_loop;
mod upkeep;
mod watch;

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;
use umbel_net::{Clock, Flows, Listener, LogLimit, Tls};
use umbel_ocexum::TrustedTransport;
use umbel_store_sqlite::{Recovery, SqliteStore, StoreWorker};
use umbel_um::{MediaKey, Order, Um};
use umbel_web::Standing;

use crate::admin::{configuration, now};
use crate::cli::Place;
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::{output, runtime, store};
use control::Control;
use media_worker::{MediaConfig, MediaWorkers};
use supervisor::{Supervisor, supervise};
use um_loop::{ORDERS_MAX, UmLoop};
use upkeep::Upkeep;
use watch::Watch;

pub(crate) use prompts::load as load_prompts;
pub(crate) use settings::store as store_settings;

/// After the last call, what connections still have to send gets this long.
const FAREWELL: Duration = Duration::from_secs(2);

/// Runs the roles until it is told to stop.
pub(crate) fn run(place: &Place) -> Result<(), Failure> {
    let config = configuration(place)?;
    let log = crate::log::start();
    runtime::run(serve(config, log))
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
    warnings
}

async fn serve(config: Config, log: LogLimit) -> Result<(), Failure> {
    let um = config.um.clone().ok_or_else(|| {
        Failure::config(
            "no role to run: the configuration has no [um] table; add one, or start without --config",
        )
    })?;
    for warning in warnings(&config) {
        tracing::warn!("{warning}");
    }
    let clock = Clock::start();
    let (mut store, recovery) = store::open_for_server(&config)?;
    report_recovery(&recovery);
    let pins = match config.source {
        None => first_start::users(&config, &mut store, now())?,
        Some(_) => Vec::new(),
    };
    let tls = crate::tls::start(&config, clock)?;
    let loaded = prompts::load(&config)?;
    let (orders, inbox) = mpsc::channel(ORDERS_MAX);
    let flows = flows(&config, um.max_calls, &tls, clock)?;
    let listeners = listen(&flows, &um.listen)?;
    let settings = settings::um(&config, &um, &listeners, loaded.prompts.clone())?;
    let control = Control::bind(&config.data)
        .map_err(|error| crate::exit::at_path("bind the control socket in", &config.data, &error))?;
    let worker = store_worker(store, &orders)?;
    let (metrics, readiness) = operation::observation();
    let operation = operation::start(&config, &readiness, &metrics).await?;
    let upkeep = Upkeep {
        store: worker.inbox(),
        tls: tls.clone(),
        clock,
        readiness: readiness.clone(),
        metrics: metrics.clone(),
        log,
    };
    let upkeep = tokio::task::spawn_local(upkeep.run());
    let mut um_loop = UmLoop {
        um: Um::new(settings, clock.unix_time(), runtime::generator()?),
        flows,
        clock,
        media: media(&um, clock, &orders)?,
        store: worker.inbox(),
        orders: inbox,
        watch: Watch::new(metrics),
        kept: BTreeSet::new(),
    };
    if config.source.is_none() {
        output::write(first_start::hints(&config, &listeners, &pins).as_bytes())?;
    }
    tracing::info!(
        listeners = %listeners.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        from_pack = loaded.from_pack,
        "serving"
    );
    loaded.prepare();
    let supervisor = Supervisor { config, listeners, prompts: loaded.prompts, tls, clock, orders };
    for part in ["listeners", "prompts"] {
        readiness.set(part, Standing::Ready);
    }
    let ended = supervise(supervisor, control, &mut um_loop).await;
    readiness.set("listeners", Standing::Missing("the server is stopping".to_owned()));
    upkeep.abort();
    let UmLoop { flows, orders, .. } = um_loop;
    flows.shut_down(FAREWELL).await;
    // Nobody takes answers any more, so that the store's thread does not wait for that.
    drop(orders);
    worker.stop();
    drop(operation);
    ended
}

fn flows(config: &Config, calls_max: u32, tls: &Tls, clock: Clock) -> Result<Flows, Failure> {
    let seed = runtime::seed()?;
    let resolver = umbel_net::Resolver::system(seed)
        .inspect_err(|error| tracing::warn!(%error, "names of other hosts cannot be found"))
        .ok();
    let limits = umbel_net::Limits {
        connections: config.limits.connections,
        connections_per_address: config.limits.connections_per_address,
        ..Default::default()
    };
    let limits = descriptors::within(limits, calls_max);
    let trusts = um_loop::trusted_by(settings::trust(config), clock);
    Ok(Flows::new(umbel_net::Config { limits, tls: Some(tls.clone()), resolver, trusts }, clock))
}

fn listen(flows: &Flows, wanted: &[Listener]) -> Result<Vec<Listener>, Failure> {
    let bind = |listener: &Listener| {
        let address = flows.listen(listener).map_err(|error| refused::listen(&error))?;
        Ok(Listener { transport: listener.transport, address })
    };
    wanted.iter().map(bind).collect()
}

/// The media threads; what sessions tell becomes orders to the loop. An event that finds no room is
/// offered again by its worker.
fn media(
    um: &crate::config::Um,
    clock: Clock,
    orders: &mpsc::Sender<Order>,
) -> Result<MediaWorkers<MediaKey>, Failure> {
    let config = MediaConfig { address: um.rtp_address, ports: um.rtp_ports, dscp: um.dscp, threads: None };
    let orders = orders.clone();
    let deliver = move |key, event| {
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

/// The store's thread; what it answers becomes an order to the loop. It waits where the loop is behind:
/// the loop takes orders in every turn, and never waits for the store.
fn store_worker(store: SqliteStore, orders: &mpsc::Sender<Order>) -> Result<StoreWorker, Failure> {
    let orders = orders.clone();
    let answer = move |ticket, reply| {
        // The loop is gone: nobody is left to be told.
        let _ = orders.blocking_send(Order::Stored { ticket, reply });
    };
    StoreWorker::spawn(store, answer).map_err(|error| {
        Failure::new(Exit::TemporaryFailure, "no-threads", format!("the store's threads: {error}"))
    })
}

fn report_recovery(recovery: &Recovery) {
    tracing::info!(?recovery, "the store is open");
}
