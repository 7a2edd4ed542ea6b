//! What a server does by itself: asks the store how it is, sweeps, scrubs, and looks at its certificate.

use std::time::Duration;

use tokio::time::interval;
use umbel_net::{Clock, LogLimit, Tls};
use umbel_store::{Op, Reply};
use umbel_store_sqlite::Inbox;
use umbel_web::{Metrics, Readiness, Standing};

/// REL-17: a store that cannot be written is noticed within this time.
const HEALTH: Duration = Duration::from_secs(5);
/// How often what has been kept long enough is removed.
const SWEEP: Duration = Duration::from_secs(3_600);
/// How often some messages are compared with their checksums (REL-05), and how many.
const SCRUB: Duration = Duration::from_secs(60);
const SCRUBBED_AT_ONCE: usize = 20;
/// How often it is told how many lines the log left out.
const LEFT_OUT: Duration = Duration::from_secs(10);
/// How often the certificate's end is looked at, and from when on it is warned of (REL-31).
const CERTIFICATE: Duration = Duration::from_secs(12 * 3_600);
const CERTIFICATE_DAYS_WARNED: [u64; 5] = [30, 14, 7, 3, 1];

/// What is looked after, and who is told.
pub(super) struct Upkeep {
    pub(super) store: Inbox,
    pub(super) tls: Tls,
    pub(super) clock: Clock,
    pub(super) readiness: Readiness,
    pub(super) metrics: Metrics,
    pub(super) log: LogLimit,
}

impl Upkeep {
    /// Looks after the store, the certificate and the log for as long as it is polled.
    pub(super) async fn run(self) {
        let Upkeep { store, tls, clock, readiness, metrics, log } = self;
        let (mut health, mut sweep) = (interval(HEALTH), interval(SWEEP));
        let (mut scrub, mut certificate) = (interval(SCRUB), interval(CERTIFICATE));
        let mut left_out = interval(LEFT_OUT);
        let mut warned = None;
        loop {
            tokio::select! {
                _ = health.tick() => ask_health(&store, &readiness),
                _ = sweep.tick() => tell(&store, Op::Sweep { at: clock.unix_time() }),
                _ = scrub.tick() => tell(&store, Op::Scrub { count: SCRUBBED_AT_ONCE, at: clock.unix_time() }),
                _ = certificate.tick() => look_at_certificate(&tls, clock, &readiness, &metrics, &mut warned),
                _ = left_out.tick() => count_left_out(&log, &metrics),
            }
        }
    }
}

/// SEC-66: lines that say the same are counted.
fn count_left_out(log: &LogLimit, metrics: &Metrics) {
    let lines = log.take_left_out();
    if lines > 0 {
        metrics.log_lines_left_out(lines);
        tracing::warn!(lines, "lines were left out of the log");
    }
}

fn ask_health(store: &Inbox, readiness: &Readiness) {
    let shown = readiness.clone();
    let asked = store.ask(Op::CheckHealth, move |reply| {
        let standing = match reply {
            Reply::Health(health) if health.damaged => {
                Standing::Missing("the store is damaged; restore a backup".to_owned())
            }
            Reply::Health(health) if health.disk_full => {
                Standing::Missing("the disk is full; make room".to_owned())
            }
            Reply::Health(health) if !health.writable => {
                Standing::Missing("the store cannot be written".to_owned())
            }
            Reply::Health(_) => Standing::Ready,
            Reply::Failed(error) => Standing::Missing(error.to_string()),
            _ => Standing::Missing("the store gives no answer".to_owned()),
        };
        shown.set("store", standing);
    });
    if asked.is_err() {
        readiness.set("store", Standing::Missing("the store has too much to do".to_owned()));
    }
}

fn tell(store: &Inbox, op: Op) {
    // Where the store is busy, the next round will do.
    let _ = store.ask(op, |reply| match reply {
        Reply::Swept(report) if report != umbel_store::SweepReport::default() => {
            tracing::info!(?report, "swept");
        }
        Reply::Scrubbed(report) if report.damaged > 0 => {
            tracing::error!(?report, "messages differ from their checksums");
        }
        Reply::Failed(error) => tracing::warn!(%error, "upkeep of the store"),
        _ => {}
    });
}

fn look_at_certificate(
    tls: &Tls,
    clock: Clock,
    readiness: &Readiness,
    metrics: &Metrics,
    warned: &mut Option<u64>,
) {
    let Some(ends) = tls.own_certificate_ends() else { return };
    metrics.certificate_expires(ends.as_secs());
    let days = ends.since(clock.unix_time()).as_secs() / 86_400;
    let step = CERTIFICATE_DAYS_WARNED.into_iter().rfind(|step| days < *step);
    match step {
        Some(step) if *warned != Some(step) => {
            *warned = Some(step);
            tracing::warn!(days, "our certificate expires soon; renew it and reload");
            readiness.set("certificate", Standing::Degraded(format!("expires in {days} days")));
        }
        Some(_) => {}
        None => {
            *warned = None;
            readiness.set("certificate", Standing::Ready);
        }
    }
}
