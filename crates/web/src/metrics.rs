//! What happens, in figures: `umbel_…`, in base units, with labels from closed sets (SEC-124).

mod http;
mod mail;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use http::HttpFigures;
pub(crate) use http::Route;
pub use mail::MailFigures;

/// The figures of the program. Copies share them, also between threads.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    calls_active: Family<OfKind, Gauge>,
    calls: Family<OfCall, Counter>,
    sip_requests: Family<OfRequest, Counter>,
    sip_responses: Family<OfResponse, Counter>,
    rtp_packets: Family<OfDirection, Counter>,
    rtp_packets_lost: Counter,
    messages_recorded: Counter,
    recorded_seconds: Counter<f64, AtomicU64>,
    lamps_told: Counter,
    lamps_failed: Counter,
    lamp_subscriptions: Gauge,
    pin_failures: Counter,
    pins_skipped: Counter,
    certificate_expiry: Gauge,
    queue_depth: Family<OfQueue, Gauge>,
    media_sessions: Gauge,
    connections_open: Gauge,
    handshakes_open: Gauge,
    connections_accepted: Counter,
    connections_refused: Counter,
    handshakes_failed: Counter,
    malformed: Counter,
    panics: Counter,
    /// How many of them were told by the owner of connections.
    connection_panics: Arc<AtomicU64>,
    registrations: Gauge,
    requests_passed_on: Gauge,
    refusals: Family<OfCode, Counter>,
    authentication_failures: Counter,
    servers_down: Gauge,
    log_lines_left_out: Counter,
    http: HttpFigures,
    mail: MailFigures,
}

/// What a call is to the unified messaging server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// Somebody leaves a message.
    CallAnswering,
    /// Somebody listens to their own.
    SubscriberAccess,
    /// A message is played on a telephone that we called.
    PlayOnPhone,
    /// It ended before that was known.
    Unclassified,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallOutcome {
    /// It was answered, and ended in order.
    Completed,
    /// One side refused it.
    Refused,
    /// The caller gave up before it was answered.
    Cancelled,
    /// Nobody answered.
    Unanswered,
    /// It broke.
    Failed,
}

/// Which way a message or packet went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To us.
    In,
    /// From us.
    Out,
}

/// What a SIP message travelled on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SipTransport {
    /// In clear.
    Tcp,
    /// Through TLS.
    Tls,
}

/// Figures of the connections, as their owner counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// Open now.
    pub open: usize,
    /// TLS handshakes under way now.
    pub handshakes: usize,
    /// Accepted since the start.
    pub accepted: u64,
    /// Closed at once for lack of room, since the start.
    pub refused: u64,
    /// Handshakes that came to nothing, since the start.
    pub handshakes_failed: u64,
    /// Octet sequences that were no message, since the start.
    pub malformed: u64,
    /// Connections that ended in a panic, since the start.
    pub panics: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    kind: CallKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfCall {
    kind: CallKind,
    outcome: CallOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRequest {
    role: &'static str,
    direction: Direction,
    transport: SipTransport,
    method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfResponse {
    role: &'static str,
    direction: Direction,
    transport: SipTransport,
    method: &'static str,
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfDirection {
    direction: Direction,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfCode {
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfQueue {
    queue: &'static str,
}

/// Writes a closed set of words as label values.
macro_rules! words {
    ($type:ty { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl EncodeLabelValue for $type {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
                let word = match self { $(Self::$variant => $word),+ };
                EncodeLabelValue::encode(&word, encoder)
            }
        }
    };
}

words!(CallKind {
    CallAnswering => "call-answering",
    SubscriberAccess => "subscriber-access",
    PlayOnPhone => "play-on-phone",
    Unclassified => "unclassified",
});
words!(CallOutcome {
    Completed => "completed",
    Refused => "refused",
    Cancelled => "cancelled",
    Unanswered => "unanswered",
    Failed => "failed",
});
words!(Direction { In => "in", Out => "out" });
words!(SipTransport { Tcp => "tcp", Tls => "tls" });

/// Peers may invent methods; here those are one.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 14] = [
        "INVITE",
        "ACK",
        "BYE",
        "CANCEL",
        "OPTIONS",
        "REGISTER",
        "UPDATE",
        "INFO",
        "PRACK",
        "REFER",
        "NOTIFY",
        "SUBSCRIBE",
        "MESSAGE",
        "PUBLISH",
    ];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("other")
}

impl Metrics {
    /// Figures that begin at zero, of this version of the program.
    pub fn new(version: &'static str) -> Self {
        let mut registry = Registry::with_prefix("umbel");
        registry.register("build", "The program", Info::new([("version", version)]));
        let mut metrics = Metrics {
            calls_active: add(&mut registry, "calls_active", "Calls now"),
            calls: add(&mut registry, "calls", "Calls that have ended"),
            sip_requests: add(&mut registry, "sip_requests", "SIP requests"),
            sip_responses: add(&mut registry, "sip_responses", "SIP responses"),
            rtp_packets: add(&mut registry, "rtp_packets", "RTP packets"),
            rtp_packets_lost: add(&mut registry, "rtp_packets_lost", "RTP packets that did not arrive"),
            messages_recorded: add(&mut registry, "messages_recorded", "Voice messages saved"),
            recorded_seconds: add_with_unit(
                &mut registry,
                "recorded",
                "Length of saved messages",
                Unit::Seconds,
            ),
            lamps_told: add(
                &mut registry,
                "message_waiting_notifications",
                "Notifications of messages waiting that were taken",
            ),
            lamps_failed: add(
                &mut registry,
                "message_waiting_failures",
                "Notifications of messages waiting that were not taken",
            ),
            lamp_subscriptions: add(
                &mut registry,
                "message_waiting_subscriptions",
                "Subscriptions to message waiting now",
            ),
            pin_failures: add(&mut registry, "pin_failures", "Wrong PINs"),
            pins_skipped: add(&mut registry, "pins_skipped", "Mailboxes opened without asking for the PIN"),
            certificate_expiry: add_with_unit(
                &mut registry,
                "certificate_expiry_timestamp",
                "When the certificate that we show expires, since 1970",
                Unit::Seconds,
            ),
            queue_depth: add(&mut registry, "queue_depth", "Entries that wait"),
            media_sessions: add(&mut registry, "media_sessions", "Calls with sockets for their sound, now"),
            connections_open: add(&mut registry, "connections_open", "SIP connections now"),
            handshakes_open: add(&mut registry, "handshakes_open", "TLS handshakes under way now"),
            connections_accepted: add(&mut registry, "connections_accepted", "SIP connections accepted"),
            connections_refused: add(&mut registry, "connections_refused", "SIP connections without room"),
            handshakes_failed: add(&mut registry, "handshakes_failed", "TLS handshakes that came to nothing"),
            malformed: add(&mut registry, "malformed_messages", "Octets that were no SIP message"),
            connection_panics: Arc::default(),
            panics: add(&mut registry, "panics", "Connections or calls that ended in a panic"),
            registrations: add(&mut registry, "registrations", "Addresses that are registered now"),
            requests_passed_on: add(
                &mut registry,
                "requests_passed_on",
                "Requests that the protocol server is passing on now",
            ),
            refusals: add(&mut registry, "refusals", "Requests that the protocol server refused by a rule"),
            authentication_failures: add(
                &mut registry,
                "authentication_failures",
                "Requests with a wrong password, or beyond the bound on those",
            ),
            servers_down: add(
                &mut registry,
                "servers_down",
                "Voice mail servers and gateways that do not answer now",
            ),
            log_lines_left_out: add(&mut registry, "log_lines_left_out", "Log lines beyond the bound"),
            http: HttpFigures::register(&mut registry),
            mail: MailFigures::register(&mut registry),
            registry: Arc::default(),
        };
        metrics.registry = Arc::new(registry);
        metrics
    }

    /// Notes how many calls of a kind there are now.
    pub fn calls_active(&self, kind: CallKind, count: usize) {
        self.calls_active.get_or_create(&OfKind { kind }).set(signed(count));
    }

    /// Counts a call that has ended.
    pub fn call_ended(&self, kind: CallKind, outcome: CallOutcome) {
        self.calls.get_or_create(&OfCall { kind, outcome }).inc();
    }

    /// Counts a SIP request of a role's.
    pub fn sip_request(
        &self,
        role: &'static str,
        direction: Direction,
        transport: SipTransport,
        method: &str,
    ) {
        let method = known_method(method);
        self.sip_requests.get_or_create(&OfRequest { role, direction, transport, method }).inc();
    }

    /// Counts a SIP response of a role's to a request with `method`.
    pub fn sip_response(
        &self,
        role: &'static str,
        direction: Direction,
        transport: SipTransport,
        method: &str,
        code: u16,
    ) {
        let method = known_method(method);
        self.sip_responses.get_or_create(&OfResponse { role, direction, transport, method, code }).inc();
    }

    /// Notes how many addresses are registered now.
    pub fn registrations(&self, addresses: usize) {
        self.registrations.set(signed(addresses));
    }

    /// Notes how many requests the protocol server is passing on now.
    pub fn requests_passed_on(&self, count: usize) {
        self.requests_passed_on.set(signed(count));
    }

    /// Counts a request that the protocol server refused by a rule.
    pub fn refused(&self, code: u16) {
        self.refusals.get_or_create(&OfCode { code }).inc();
    }

    /// Counts a wrong password.
    pub fn authentication_failed(&self) {
        self.authentication_failures.inc();
    }

    /// Notes how many voice mail servers and gateways do not answer now.
    pub fn servers_down(&self, count: usize) {
        self.servers_down.set(signed(count));
    }

    /// Notes how many calls have sockets for their sound now.
    pub fn media_sessions(&self, count: usize) {
        self.media_sessions.set(signed(count));
    }

    /// Counts RTP packets.
    pub fn rtp_packets(&self, direction: Direction, count: u64) {
        self.rtp_packets.get_or_create(&OfDirection { direction }).inc_by(count);
    }

    /// Counts RTP packets that did not arrive.
    pub fn rtp_packets_lost(&self, count: u64) {
        self.rtp_packets_lost.inc_by(count);
    }

    /// Counts a voice message that was saved, and its length.
    pub fn message_recorded(&self, length: Duration) {
        self.messages_recorded.inc();
        self.recorded_seconds.inc_by(length.as_secs_f64());
    }

    /// Counts notifications of messages waiting that nobody subscribed to.
    pub fn lamps(&self, told: u64, failed: u64) {
        self.lamps_told.inc_by(told);
        self.lamps_failed.inc_by(failed);
    }

    /// Notes how many subscriptions to message waiting there are now.
    pub fn lamp_subscriptions(&self, count: usize) {
        self.lamp_subscriptions.set(signed(count));
    }

    /// Counts a wrong PIN.
    pub fn pin_failed(&self) {
        self.pin_failures.inc();
    }

    /// Counts a mailbox that was opened without asking for its PIN.
    pub fn pin_skipped(&self) {
        self.pins_skipped.inc();
    }

    /// Notes when the certificate that we show expires, in seconds since 1970.
    pub fn certificate_expires(&self, unix_seconds: i64) {
        self.certificate_expiry.set(unix_seconds);
    }

    /// Notes how many entries of a queue wait now.
    pub fn queue_depth(&self, queue: &'static str, entries: usize) {
        self.queue_depth.get_or_create(&OfQueue { queue }).set(signed(entries));
    }

    /// Notes the figures of the connections, summed over all who own some.
    pub fn connections(&self, connections: &Connections) {
        self.connections_open.set(signed(connections.open));
        self.handshakes_open.set(signed(connections.handshakes));
        // Their owner counts, in cells of its own thread; here is what it has come to.
        let counted = [
            (&self.connections_accepted, connections.accepted),
            (&self.connections_refused, connections.refused),
            (&self.handshakes_failed, connections.handshakes_failed),
            (&self.malformed, connections.malformed),
        ];
        for (counter, count) in counted {
            counter.inner().store(count, Ordering::Relaxed);
        }
        let known = self.connection_panics.fetch_max(connections.panics, Ordering::Relaxed);
        self.panics.inc_by(connections.panics.saturating_sub(known));
    }

    /// Counts a call that ended in a panic.
    pub fn panicked(&self) {
        self.panics.inc();
    }

    /// Counts lines that the log left out (SEC-66).
    pub fn log_lines_left_out(&self, count: u64) {
        self.log_lines_left_out.inc_by(count);
    }

    /// The figures in the text format of Prometheus 0.0.4, which OpenMetrics extends.
    pub(crate) fn text(&self, open_metrics: bool) -> Result<String, fmt::Error> {
        let mut text = String::new();
        if open_metrics {
            text::encode(&mut text, &self.registry)?;
        } else {
            text::encode_registry(&mut text, &self.registry)?;
        }
        Ok(text)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// See [`MailFigures`].
    pub fn mail(&self) -> &MailFigures {
        &self.mail
    }
}

fn add<M>(registry: &mut Registry, name: &str, help: &str) -> M
where
    M: prometheus_client::registry::Metric + Clone + Default,
{
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

fn add_with_unit<M>(registry: &mut Registry, name: &str, help: &str, unit: Unit) -> M
where
    M: prometheus_client::registry::Metric + Clone + Default,
{
    let metric = M::default();
    registry.register_with_unit(name, help, unit, metric.clone());
    metric
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[track_caller]
    fn assert_has(metrics: &Metrics, line: &str) {
        let text = metrics.text(false).unwrap();
        assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
    }

    #[test]
    fn calls_are_counted_by_kind_and_outcome() {
        let metrics = Metrics::new("0.1.0");
        metrics.call_ended(CallKind::CallAnswering, CallOutcome::Completed);
        metrics.call_ended(CallKind::CallAnswering, CallOutcome::Completed);
        metrics.calls_active(CallKind::SubscriberAccess, 7);
        assert_has(&metrics, r#"umbel_calls_total{kind="call-answering",outcome="completed"} 2"#);
        assert_has(&metrics, r#"umbel_calls_active{kind="subscriber-access"} 7"#);
        assert_has(&metrics, r#"umbel_build_info{version="0.1.0"} 1"#);
    }

    #[test]
    fn messages_are_counted_by_method_code_and_transport() {
        let metrics = Metrics::new("0.1.0");
        metrics.sip_request("um", Direction::In, SipTransport::Tls, "INVITE");
        metrics.sip_response("server", Direction::Out, SipTransport::Tcp, "BYE", 481);
        let request =
            r#"umbel_sip_requests_total{role="um",direction="in",transport="tls",method="INVITE"} 1"#;
        assert_has(&metrics, request);
        let response = r#"umbel_sip_responses_total{role="server",direction="out",transport="tcp",method="BYE",code="481"} 1"#;
        assert_has(&metrics, response);
    }

    // SEC-124
    #[test]
    fn methods_that_peers_invent_do_not_become_labels() {
        let metrics = Metrics::new("0.1.0");
        for n in 0..100 {
            metrics.sip_request("um", Direction::In, SipTransport::Tcp, &format!("X{n}"));
        }
        metrics.sip_request("um", Direction::In, SipTransport::Tcp, "invite");
        assert_has(
            &metrics,
            r#"umbel_sip_requests_total{role="um",direction="in",transport="tcp",method="other"} 101"#,
        );
        assert!(!metrics.text(false).unwrap().contains("X7"));
    }

    #[test]
    fn the_protocol_server_has_figures_of_its_own() {
        let metrics = Metrics::new("0.1.0");
        metrics.registrations(5_000);
        metrics.requests_passed_on(3);
        metrics.refused(403);
        metrics.authentication_failed();
        metrics.servers_down(1);
        assert_has(&metrics, "umbel_registrations 5000");
        assert_has(&metrics, "umbel_requests_passed_on 3");
        assert_has(&metrics, r#"umbel_refusals_total{code="403"} 1"#);
        assert_has(&metrics, "umbel_authentication_failures_total 1");
        assert_has(&metrics, "umbel_servers_down 1");
    }

    #[test]
    fn units_are_base_units_and_in_the_names() {
        let metrics = Metrics::new("0.1.0");
        metrics.message_recorded(Duration::from_millis(2_500));
        metrics.certificate_expires(1_800_000_000);
        assert_has(&metrics, "umbel_recorded_seconds_total 2.5");
        assert_has(&metrics, "umbel_messages_recorded_total 1");
        assert_has(&metrics, "umbel_certificate_expiry_timestamp_seconds 1800000000");
    }

    #[test]
    fn the_figures_of_the_connections_are_taken_over() {
        let metrics = Metrics::new("0.1.0");
        let mut connections = Connections { open: 3, accepted: 10, panics: 1, ..Connections::default() };
        metrics.connections(&connections);
        connections.open = 2;
        connections.accepted = 12;
        metrics.panicked();
        metrics.connections(&connections);
        assert_has(&metrics, "umbel_connections_open 2");
        assert_has(&metrics, "umbel_connections_accepted_total 12");
        assert_has(&metrics, "umbel_panics_total 2");
    }

    #[test]
    fn every_figure_has_our_prefix() {
        let metrics = Metrics::new("0.1.0");
        metrics.queue_depth("arrivals", 5);
        metrics.rtp_packets(Direction::Out, 50);
        metrics.rtp_packets_lost(1);
        metrics.lamps(3, 2);
        metrics.lamp_subscriptions(4);
        metrics.pin_failed();
        metrics.pin_skipped();
        metrics.log_lines_left_out(9);
        let text = metrics.text(true).unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.starts_with("umbel_"), "{line}");
        }
        assert!(text.ends_with("# EOF\n"));
        assert_has(&metrics, r#"umbel_queue_depth{queue="arrivals"} 5"#);
        assert_has(&metrics, r#"umbel_rtp_packets_total{direction="out"} 50"#);
        assert_has(&metrics, "umbel_log_lines_left_out_total 9");
    }
}
