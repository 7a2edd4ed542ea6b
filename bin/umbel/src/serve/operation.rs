//! Health, readiness and metrics of the running server.

use tokio::sync::oneshot;
use umbel_web::{Admin, Metrics, Readiness};

use crate::config::Config;
use crate::exit::{Exit, Failure};

/// The figures and parts that operators see.
pub(super) fn observation() -> (Metrics, Readiness) {
    let readiness = Readiness::new(["store", "prompts", "listeners", "web"]);
    (Metrics::new(env!("CARGO_PKG_VERSION")), readiness)
}

/// Starts answering `/healthz`, `/readyz` and `/metrics`; it ends when what is returned is dropped.
pub(super) async fn start(
    config: &Config,
    readiness: &Readiness,
    metrics: &Metrics,
) -> Result<oneshot::Sender<()>, Failure> {
    let address = config.admin_listen;
    let admin = Admin::bind(address).await.map_err(|error| {
        let (exit, code) = match error.kind() {
            std::io::ErrorKind::PermissionDenied => (Exit::NoPermission, "permission"),
            _ => (Exit::Unavailable, "address-in-use"),
        };
        Failure::new(
            exit,
            code,
            format!(
                "[http] admin-listen: {address}: {error}; stop the program that uses it, or give another port"
            ),
        )
    })?;
    let (running, ended) = oneshot::channel();
    let serving = admin.serve(readiness.clone(), metrics.clone(), async move {
        let _: Result<(), _> = ended.await;
    });
    tokio::task::spawn_local(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "health, readiness and metrics are no longer answered");
        }
    });
    Ok(running)
}
