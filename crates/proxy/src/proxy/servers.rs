//! Gateways and unified messaging servers: which are up, and in which order they are tried (PEER-11,
//! EUMR-7).
//!
//! OPTIONS every minute; two failures in a row mean that a server is down, one sign of life that it is
//! up. What calls find out counts as well, so that only the first ones wait for who is not there. Who is
//! down is tried last, not never: it may be up again before we know.

use std::collections::BTreeMap;
use std::time::Duration;

use umbel_node::Output;
use umbel_sip_endpoint::{ClientTransaction, Failure, Target};
use umbel_sip_message::{Draft, HeaderName, Method, StatusCode, Uri};
use umbel_time::Instant;

use super::branches::{Hop, Next};
use super::{Alarm, Proxy, Wish};
use crate::Config;

/// From one OPTIONS to the next. Longer than Timer F, so that there is never more than one.
const PERIOD: Duration = Duration::from_secs(60);
/// At the start they leave one after the other within this time.
const SPREAD: Duration = Duration::from_secs(1);
/// So many failures in a row, and it is down.
const FAILURES_MAX: u8 = 2;
/// Servers that are watched; those beyond are taken to be up.
const SERVERS_MAX: usize = 100;

/// Our own name for a server; none is used twice, so that a late answer is nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServerId(u64);

/// All servers that are watched.
#[derive(Debug, Default)]
pub(super) struct Servers {
    watched: BTreeMap<ServerId, Server>,
    pings: BTreeMap<ClientTransaction, ServerId>,
}

#[derive(Debug)]
struct Server {
    uri: Uri,
    failures: u8,
    /// As it was told; `None`: not yet.
    is_up: Option<bool>,
}

impl Server {
    /// Counts a sign of life or its absence; whether it is up, where that is news.
    fn step(&mut self, is_alive: bool) -> Option<bool> {
        self.failures = if is_alive { 0 } else { self.failures.saturating_add(1) };
        let is_up = match self.failures {
            0 => Some(true),
            failures if failures >= FAILURES_MAX => Some(false),
            _ => self.is_up,
        };
        let news = is_up.filter(|_| is_up != self.is_up);
        self.is_up = is_up;
        news
    }
}

impl Servers {
    fn is_down(&self, uri: &Uri) -> bool {
        self.watched.values().any(|server| server.is_up == Some(false) && server.uri == *uri)
    }

    /// How many there are, each with a timer.
    pub(super) fn watched(&self) -> usize {
        self.watched.len()
    }

    /// How many have been asked for a sign of life and have not given one yet.
    pub(super) fn asked(&self) -> usize {
        self.pings.len()
    }

    fn of(&self, uri: &Uri) -> Option<ServerId> {
        self.watched.iter().find(|(_, server)| server.uri == *uri).map(|(id, _)| *id)
    }
}

/// EUMR-7: those that take part, best first: where versions differ, only the highest does. No source says
/// how servers tell each other their versions, so that the operator does.
pub(super) fn voice_mail(config: &Config) -> impl Iterator<Item = &Uri> {
    let version = |uri: &Uri| config.voice_mail_versions.get(&uri.host().to_ascii_lowercase()).copied();
    let highest = config.voice_mail.iter().map(version).max().flatten();
    config.voice_mail.iter().filter(move |uri| version(uri) == highest)
}

impl Proxy {
    /// Watches the servers of the settings; those that stay keep their standing.
    pub(super) fn watch_servers(&mut self, now: Instant) {
        let of_routes = self.config.routes.iter().flat_map(|route| &route.to);
        let wanted: Vec<Uri> = voice_mail(&self.config).chain(of_routes).cloned().collect();
        let timers = &mut self.timers;
        self.servers.watched.retain(|id, server| {
            let stays = wanted.contains(&server.uri);
            if !stays {
                timers.disarm(&Alarm::Ping(*id));
            }
            stays
        });
        let mut new = Vec::new();
        for uri in wanted {
            if self.servers.of(&uri).is_none() && self.servers.watched.len() < SERVERS_MAX {
                let id = ServerId(self.number());
                self.servers.watched.insert(id, Server { uri, failures: 0, is_up: None });
                new.push(id);
            }
        }
        let step = SPREAD / u32::try_from(new.len().max(1)).unwrap_or(u32::MAX);
        for (id, nth) in new.into_iter().zip(0..) {
            self.timers.arm(Alarm::Ping(id), now + step * nth);
        }
    }

    /// Asks a server for a sign of life (RFC 3261 11), and will again.
    pub(super) fn ping(&mut self, now: Instant, id: ServerId) {
        let Some(server) = self.servers.watched.get(&id) else { return };
        let uri = server.uri.clone();
        self.timers.arm(Alarm::Ping(id), now + PERIOD);
        let mut draft = self.own_request(Method::Options, &uri, &uri);
        draft.push(HeaderName::Accept, "application/sdp");
        let client = self.endpoint.request(now, draft, Target::Uri(uri));
        self.servers.pings.insert(client, id);
    }

    /// A request that we begin ourselves, from the server itself.
    pub(super) fn own_request(&mut self, method: Method, uri: &Uri, to: &Uri) -> Draft {
        let host = self.host().to_owned();
        let (tag, call_id) = (self.tag(), self.tag() + &self.tag());
        let cseq = format!("1 {method}");
        let mut draft = Draft::request(method, uri);
        draft.push(HeaderName::From, format_args!("<sip:{host}>;tag={tag}"));
        draft.push(HeaderName::To, format_args!("<{to}>"));
        draft.push(HeaderName::CallId, call_id);
        draft.push(HeaderName::CSeq, cseq);
        draft
    }

    /// The server to which this OPTIONS of ours went.
    pub(super) fn pinged(&self, client: ClientTransaction) -> Option<&Uri> {
        self.servers.pings.get(&client).and_then(|id| self.servers.watched.get(id)).map(|server| &server.uri)
    }

    /// Whether the transaction was an OPTIONS of ours, which is now answered.
    pub(super) fn ping_responded(&mut self, client: ClientTransaction, status: StatusCode) -> bool {
        let Some(id) = self.servers.pings.get(&client).copied() else { return false };
        if status.is_final() {
            self.servers.pings.remove(&client);
            // 408: somebody else could not reach it. 503: it serves nobody. All else comes from a
            // program that runs.
            self.heard_of(id, !matches!(status.as_u16(), 408 | 503));
        }
        true
    }

    /// The same where nothing came.
    pub(super) fn ping_failed(&mut self, client: ClientTransaction) -> bool {
        let Some(id) = self.servers.pings.remove(&client) else { return false };
        self.heard_of(id, false);
        true
    }

    /// A call has found out about a server what a ping would have.
    pub(super) fn call_failed_at(&mut self, next: &Next, failure: Option<Failure>) {
        let is_about_it = !matches!(failure, Some(Failure::Cancelled | Failure::Limit));
        if let Next::Uri(uri) = next
            && is_about_it
            && let Some(id) = self.servers.of(uri)
        {
            self.heard_of(id, false);
        }
    }

    fn heard_of(&mut self, id: ServerId, is_alive: bool) {
        let Some(server) = self.servers.watched.get_mut(&id) else { return };
        if let Some(is_up) = server.step(is_alive) {
            let uri = server.uri.clone();
            self.outputs.push_back(Output::Wish(Wish::Server { uri, is_up }));
        }
    }

    /// The same for the servers themselves.
    pub(super) fn those_up_first(&self, mut servers: Vec<Uri>) -> Vec<Uri> {
        servers.sort_by_key(|server| self.servers.is_down(server));
        servers
    }

    /// Puts those that are down behind those that are not.
    pub(super) fn in_order(&self, mut hops: Vec<Hop>) -> Vec<Hop> {
        hops.sort_by_key(|hop| match &hop.next {
            Next::Uri(uri) => self.servers.is_down(uri),
            Next::Flow(_) => false,
        });
        hops
    }
}
