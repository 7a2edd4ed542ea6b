//! Which gateways are alive: PEER-11.

use std::collections::BTreeMap;

use umbel_sip_message::{Method, Uri};
use umbel_time::Instant;

use super::Agent;
use crate::asked::Purpose;
use crate::ping::{self, Pulse};
use crate::shared::Timer;
use crate::tag::LocalTag;
use crate::{Event, OutsideRequest, Way};

/// Gateways that are watched; those beyond are not.
pub const GATEWAYS_MAX: usize = 100;

#[derive(Default)]
pub(super) struct Gateways {
    watched: BTreeMap<usize, Gateway>,
    /// Numbers are not used twice, so that a late answer is nobody's.
    last: usize,
}

struct Gateway {
    uri: Uri,
    pulse: Pulse,
}

impl Agent {
    /// [`crate::Command::Watch`]: those that stay keep their standing.
    pub(super) fn watch(&mut self, now: Instant, gateways: Vec<Uri>) {
        let (stay, go): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut self.gateways.watched)
            .into_iter()
            .partition(|(_, gateway)| gateways.contains(&gateway.uri));
        for number in go.keys() {
            self.shared.timers.disarm(&Timer::Ping(*number));
        }
        self.gateways.watched = stay;
        for uri in gateways {
            let known = self.gateways.watched.values().any(|gateway| gateway.uri == uri);
            if known || self.gateways.watched.len() >= GATEWAYS_MAX {
                continue;
            }
            self.gateways.last += 1;
            let number = self.gateways.last;
            self.gateways.watched.insert(number, Gateway { uri, pulse: Pulse::default() });
            self.ping(now, number);
        }
    }

    /// Sends OPTIONS (RFC 3261 11.1), and will again.
    pub(super) fn ping(&mut self, now: Instant, number: usize) {
        let Some(gateway) = self.gateways.watched.get(&number) else { return };
        let uri = gateway.uri.clone();
        self.shared.timers.arm(Timer::Ping(number), now + ping::PERIOD);
        let tag = LocalTag::random(&mut self.shared.rng);
        let from = self.shared.identity(&uri);
        let request = OutsideRequest {
            method: Method::Options,
            target: uri.clone(),
            from,
            to: uri,
            way: Way::Direct,
            headers: Vec::new(),
            body: None,
            credentials: None,
        };
        crate::outside::send(now, &mut self.shared, Purpose::Ping(number), request, tag);
    }

    pub(super) fn pinged(&mut self, number: usize, outcome: ping::Outcome) {
        let Some(gateway) = self.gateways.watched.get_mut(&number) else { return };
        let (pulse, news) = gateway.pulse.step(outcome);
        gateway.pulse = pulse;
        if let Some(standing) = news {
            self.shared.tell(Event::Gateway { gateway: gateway.uri.clone(), standing });
        }
    }
}
