//! What the operator sees of the protocol server: log lines and figures.

use std::collections::BTreeSet;
use std::net::IpAddr;

use umbel_proxy::refusal::Refusal;
use umbel_proxy::{Proxy, Refused};
use umbel_sip_message::Uri;
use umbel_web::{Metrics, Readiness, Standing};

/// The part of readiness that says whether those we send calls to answer.
const SERVERS: &str = "servers";

/// Counts and reports what the protocol server does.
pub(super) struct ProxyWatch {
    metrics: Metrics,
    readiness: Readiness,
    /// Voice mail servers and gateways that do not answer.
    down: BTreeSet<String>,
}

impl ProxyWatch {
    pub(super) fn new(metrics: Metrics, readiness: Readiness) -> Self {
        ProxyWatch { metrics, readiness, down: BTreeSet::new() }
    }

    /// Takes over what is to be seen once a second.
    pub(super) fn figures(&self, proxy: &Proxy, registrations_waiting: usize) {
        self.metrics.registrations(proxy.registered_count());
        self.metrics.requests_passed_on(proxy.call_count());
        self.metrics.queue_depth("registrations", registrations_waiting);
    }

    /// SEC-66 bounds the lines; the figures count all. Anybody can bring one about, so that it wakes nobody.
    pub(super) fn refused(&self, refused: Refused) {
        let Refused { refusal, method, source, peer, call_id } = refused;
        let (code, rule) = (refusal.answer().status.as_u16(), refusal.why());
        self.metrics.refused(code);
        if matches!(refusal, Refusal::WrongPassword | Refusal::Guesser) {
            self.metrics.authentication_failed();
        }
        let peer = peer.unwrap_or_default();
        tracing::info!(%source, peer, method, call_id, code, rule, "refused");
    }

    pub(super) fn guesser(source: IpAddr, name: &str) {
        tracing::warn!(%source, name, "somebody guesses passwords, and waits for answers now");
    }

    /// Calls go elsewhere while a server is down; that is no reason to send none here.
    pub(super) fn server(&mut self, uri: &Uri, is_up: bool) {
        if is_up {
            self.down.remove(uri.as_str());
            tracing::info!(%uri, "answers");
        } else {
            self.down.insert(uri.as_str().to_owned());
            tracing::warn!(%uri, "does not answer; calls are sent there last until it does");
        }
        self.show_servers();
    }

    /// Servers that are not in the settings any more are nobody's concern.
    pub(super) fn reloaded(&mut self, settings: &umbel_proxy::Config) {
        let of_routes = settings.routes.iter().flat_map(|route| &route.to);
        let servers: BTreeSet<&str> = settings.voice_mail.iter().chain(of_routes).map(Uri::as_str).collect();
        self.down.retain(|uri| servers.contains(uri.as_str()));
        self.show_servers();
    }

    fn show_servers(&self) {
        self.metrics.servers_down(self.down.len());
        let standing = match self.down.first() {
            Some(first) => Standing::Degraded(format!("{first} does not answer")),
            None => Standing::Ready,
        };
        self.readiness.set(SERVERS, standing);
    }
}
