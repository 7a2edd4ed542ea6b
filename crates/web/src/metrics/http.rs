//! What happens on the web front, in figures.

use std::time::Duration;

use axum::http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{Metrics, add, signed};

/// Which part of the front was asked: paths themselves are anybody's invention (SEC-124).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Route {
    Api,
    Soap,
    Page,
}

impl Route {
    pub(crate) fn of(path: &str) -> Self {
        let begins =
            |with: &str| path.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
        if begins("/api/") {
            Route::Api
        } else if begins("/ews/") || begins("/unifiedmessaging/") || begins("/autodiscover/") {
            Route::Soap
        } else {
            Route::Page
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Route::Api => "api",
            Route::Soap => "soap",
            Route::Page => "page",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfWebRequest {
    route: &'static str,
    method: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRoute {
    route: &'static str,
}

/// Seconds: from an answer out of memory to one that costs Argon2 on a busy machine.
#[derive(Clone)]
struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0])
    }
}

/// The figures of the web front.
#[derive(Clone)]
pub(super) struct HttpFigures {
    requests: Family<OfWebRequest, Counter>,
    durations: Family<OfRoute, Histogram, Seconds>,
    connections_open: Gauge,
    connections_refused: Counter,
    sign_ins_failed: Counter,
}

impl HttpFigures {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let durations = Family::new_with_constructor(Seconds);
        registry.register_with_unit(
            "http_request_duration",
            "From a request's header to the begin of its answer",
            Unit::Seconds,
            durations.clone(),
        );
        HttpFigures {
            requests: add(registry, "http_requests", "Requests at the web front"),
            durations,
            connections_open: add(registry, "http_connections_open", "Connections of the web front now"),
            connections_refused: add(
                registry,
                "http_connections_refused",
                "Connections to the web front without room",
            ),
            sign_ins_failed: add(registry, "http_sign_in_failures", "Wrong passwords at the web front"),
        }
    }
}

impl Metrics {
    /// Counts a request at the web front.
    pub(crate) fn web_request(&self, method: &Method, route: Route, status: u16, took: Duration) {
        let route = route.as_str();
        let status = match status {
            ..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            500.. => "5xx",
        };
        let method = match *method {
            Method::GET | Method::HEAD => "read",
            Method::POST | Method::PUT | Method::PATCH | Method::DELETE => "write",
            _ => "other",
        };
        self.http.requests.get_or_create(&OfWebRequest { route, method, status }).inc();
        self.http.durations.get_or_create(&OfRoute { route }).observe(took.as_secs_f64());
    }

    /// Notes how many connections the web front has now.
    pub(crate) fn web_connections(&self, count: usize) {
        self.http.connections_open.set(signed(count));
    }

    /// Counts a connection to the web front for which there was no room.
    pub(crate) fn web_connection_refused(&self) {
        self.http.connections_refused.inc();
    }

    /// Counts a wrong password at the web front.
    pub(crate) fn web_sign_in_failed(&self) {
        self.http.sign_ins_failed.inc();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// SEC-124
    #[test]
    fn what_is_asked_for_does_not_become_a_label() {
        let metrics = Metrics::new("0.1.0");
        for path in ["/API/v1/messages/0123", "/EWS/Exchange.asmx", "/alice@example.test", "/ews", "/"] {
            let method = Method::from_bytes(b"ALICE").unwrap();
            metrics.web_request(&method, Route::of(path), 404, Duration::from_millis(3));
        }
        metrics.web_request(&Method::GET, Route::Api, 200, Duration::from_millis(3));
        let text = metrics.text(false).unwrap();
        for line in [
            r#"umbel_http_requests_total{route="api",method="other",status="4xx"} 1"#,
            r#"umbel_http_requests_total{route="soap",method="other",status="4xx"} 1"#,
            r#"umbel_http_requests_total{route="page",method="other",status="4xx"} 3"#,
            r#"umbel_http_requests_total{route="api",method="read",status="2xx"} 1"#,
            r#"umbel_http_request_duration_seconds_count{route="api"} 2"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
        }
        assert!(!text.to_lowercase().contains("alice") && !text.contains("0123"));
    }
}
