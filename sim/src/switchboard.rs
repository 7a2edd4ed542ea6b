//! A peer with lamps: it is notified, subscribes, and tells of missed calls. A protocol server or a gateway, as a
//! unified messaging server sees them.

use std::collections::VecDeque;
use std::convert::Infallible;

use rand_chacha::ChaCha20Rng;
use umbel_node::{Input, Node, Output};
use umbel_sip_endpoint::{Config, Endpoint, Event, Target, separate, widen};
use umbel_sip_message::{Draft, HeaderName, Method, Request, Response, StatusCode, Uri};
use umbel_time::Instant;

use crate::Inhabitant;

/// A peer with lamps.
pub struct Switchboard {
    endpoint: Endpoint,
    outputs: VecDeque<Output<Infallible>>,
    cseq: u32,
    /// What NOTIFYs get; none: nothing at all.
    pub answers: Option<u16>,
    /// The NOTIFYs that came, and when.
    pub notified: Vec<(Instant, Request)>,
    /// The final responses to what it asked.
    pub responses: Vec<Response>,
}

/// What it can be told.
#[derive(Debug)]
pub enum Do {
    /// Send a request: what is missing for it to be one is added.
    Ask(Box<Draft>, Uri),
}

impl Switchboard {
    /// One that takes every NOTIFY.
    pub fn new(rng: ChaCha20Rng) -> Switchboard {
        Switchboard {
            endpoint: Endpoint::new(Config::default(), rng),
            outputs: VecDeque::new(),
            cseq: 0,
            answers: Some(200),
            notified: Vec::new(),
            responses: Vec::new(),
        }
    }

    /// The bodies of the NOTIFYs that came, oldest first, and when each did; forgets them.
    pub fn take_summaries(&mut self) -> Vec<(Instant, String)> {
        let body = |request: &Request| String::from_utf8_lossy(request.body()).into_owned();
        std::mem::take(&mut self.notified).iter().map(|(at, request)| (*at, body(request))).collect()
    }

    fn event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Request { transaction, request, .. } => {
                if *request.method() == Method::Notify {
                    self.notified.push((now, request.clone()));
                }
                if let Some(status) = self.answers.and_then(StatusCode::new) {
                    let mut response = Draft::reply(&request, status);
                    response.to_tag("switchboard");
                    self.endpoint.respond(now, transaction, response);
                }
            }
            Event::Response { response, .. } if response.status().is_final() => self.responses.push(response),
            _ => {}
        }
    }
}

impl Node for Switchboard {
    type Order = Do;
    type Wish = Infallible;

    fn handle(&mut self, now: Instant, input: Input<Do>) {
        match separate(input) {
            Ok(input) => self.endpoint.handle(now, input),
            Err(Do::Ask(mut request, to)) => {
                self.cseq += 1;
                let method = request.method().cloned().unwrap_or(Method::Options);
                request.push(HeaderName::CSeq, format!("{} {method}", self.cseq));
                self.endpoint.request(now, *request, Target::Uri(to));
            }
        }
        while let Some(event) = self.endpoint.poll_event() {
            self.event(now, event);
        }
        while let Some(output) = self.endpoint.poll_output() {
            self.outputs.push_back(widen(output));
        }
    }

    fn poll_output(&mut self) -> Option<Output<Infallible>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.endpoint.poll_timeout()
    }
}

impl Inhabitant for Switchboard {}
