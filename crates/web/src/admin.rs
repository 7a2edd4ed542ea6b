//! `/healthz`, `/readyz` and `/metrics`, on a listener of their own.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;

use crate::connections::Bounded;
use crate::{Metrics, Readiness};

/// Connections at once; a scraper and a balancer need two.
const CONNECTIONS_MAX: usize = 64;

/// A scraper asks every minute or so on the same connection.
const SILENCE_MAX: Duration = Duration::from_secs(150);

const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS_TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The listener for those who operate the program.
///
/// It asks nobody who he is, so it belongs on loopback or a network of its own (SEC-124).
pub struct Admin {
    listener: TcpListener,
    silence: Duration,
}

impl Admin {
    /// Takes the address.
    ///
    /// # Errors
    ///
    /// As the operating system has it: in use, or not permitted.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Admin { listener: TcpListener::bind(address).await?, silence: SILENCE_MAX })
    }

    /// The address, with the port chosen where none was asked for.
    ///
    /// # Errors
    ///
    /// Where the operating system does not know it.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `shutdown` comes.
    ///
    /// # Errors
    ///
    /// Where the listener breaks.
    pub async fn serve(
        self,
        readiness: Readiness,
        metrics: Metrics,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let listener = Bounded::new(self.listener, CONNECTIONS_MAX, self.silence);
        axum::serve(listener, app(readiness, metrics)).with_graceful_shutdown(shutdown).await
    }
}

fn app(readiness: Readiness, metrics: Metrics) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz).with_state(readiness))
        .route("/metrics", get(figures).with_state(metrics))
        .layer(map_response(guarded))
}

/// That this is answered is all there is to say.
async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(readiness): State<Readiness>) -> impl IntoResponse {
    let report = readiness.report();
    let ready = report.status != "not ready";
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(report))
}

async fn figures(State(metrics): State<Metrics>, headers: HeaderMap) -> Response {
    let accepts = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let open_metrics = accepts.contains("application/openmetrics-text");
    let kind = if open_metrics { OPEN_METRICS_TEXT } else { PROMETHEUS_TEXT };
    match metrics.text(open_metrics) {
        Ok(text) => ([(CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// SEC-106
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;

    use super::*;
    use crate::Standing;

    struct Stage {
        address: SocketAddr,
        readiness: Readiness,
        metrics: Metrics,
        stop: oneshot::Sender<()>,
        served: tokio::task::JoinHandle<io::Result<()>>,
    }

    impl Stage {
        async fn new(silence: Duration) -> Stage {
            let mut admin = Admin::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
            admin.silence = silence;
            let address = admin.address().unwrap();
            let (readiness, metrics) = (Readiness::new(["store"]), Metrics::new("0.1.0"));
            let (stop, stopped) = oneshot::channel();
            let shutdown = async move { drop(stopped.await) };
            let served = tokio::spawn(admin.serve(readiness.clone(), metrics.clone(), shutdown));
            Stage { address, readiness, metrics, stop, served }
        }

        async fn ask(&self, request_line: &str, headers: &str) -> String {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            let request =
                format!("{request_line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
            // Whoever is hung up on has no answer.
            let _ = stream.write_all(request.as_bytes()).await;
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer).await;
            answer
        }

        async fn get(&self, path: &str) -> String {
            self.ask(&format!("GET {path}"), "").await
        }
    }

    #[tokio::test]
    async fn health_is_ok_while_the_program_lives() {
        let stage = Stage::new(SILENCE_MAX).await;
        let answer = stage.get("/healthz").await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("ok\n"), "{answer}");
    }

    #[tokio::test]
    async fn readiness_is_503_with_the_reason_until_all_is_there() {
        let stage = Stage::new(SILENCE_MAX).await;
        stage.readiness.set("store", Standing::Missing("data/umbel.db: read-only".to_owned()));
        let answer = stage.get("/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains(r#""part":"store""#) && answer.contains("read-only"), "{answer}");
        stage.readiness.set("store", Standing::Ready);
        let answer = stage.get("/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#""status":"ready""#), "{answer}");
        stage.readiness.set("store", Standing::Degraded("slow".to_owned()));
        let answer = stage.get("/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#""status":"degraded""#), "{answer}");
    }

    #[tokio::test]
    async fn metrics_come_in_the_format_that_is_asked_for() {
        let stage = Stage::new(SILENCE_MAX).await;
        stage.metrics.pin_failed();
        let plain = stage.get("/metrics").await;
        assert!(plain.contains("content-type: text/plain; version=0.0.4"), "{plain}");
        assert!(plain.contains("umbel_pin_failures_total 1\n") && !plain.contains("# EOF"), "{plain}");
        let open = stage.ask("GET /metrics", "Accept: application/openmetrics-text; version=1.0.0\r\n").await;
        assert!(open.contains("content-type: application/openmetrics-text"), "{open}");
        assert!(open.ends_with("# EOF\n"), "{open}");
    }

    // SEC-106
    #[tokio::test]
    async fn answers_are_not_stored_or_guessed_at() {
        let stage = Stage::new(SILENCE_MAX).await;
        for path in ["/healthz", "/readyz", "/metrics", "/nowhere"] {
            let answer = stage.get(path).await;
            assert!(answer.contains("cache-control: no-store\r\n"), "{answer}");
            assert!(answer.contains("x-content-type-options: nosniff\r\n"), "{answer}");
        }
    }

    #[tokio::test]
    async fn other_paths_and_methods_are_refused() {
        let stage = Stage::new(SILENCE_MAX).await;
        assert!(stage.get("/").await.starts_with("HTTP/1.1 404 "));
        assert!(stage.ask("POST /metrics", "Content-Length: 0\r\n").await.starts_with("HTTP/1.1 405 "));
    }

    #[tokio::test]
    async fn silent_clients_are_closed_and_their_places_given_to_others() {
        let stage = Stage::new(Duration::from_millis(50)).await;
        let mut silent = Vec::new();
        for _ in 0..=CONNECTIONS_MAX {
            silent.push(TcpStream::connect(stage.address).await.unwrap());
        }
        // Its turn comes when the first of them are closed. On a busy machine it may be silent for too long itself.
        let began = std::time::Instant::now();
        while !stage.get("/healthz").await.starts_with("HTTP/1.1 200 ") {
            assert!(began.elapsed() < Duration::from_secs(60), "nobody is served");
        }
        for stream in &mut silent {
            assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
        }
    }

    #[tokio::test]
    async fn it_stops_when_it_is_told_to() {
        let stage = Stage::new(SILENCE_MAX).await;
        stage.stop.send(()).unwrap();
        stage.served.await.unwrap().unwrap();
        assert!(TcpStream::connect(stage.address).await.is_err());
    }
}
