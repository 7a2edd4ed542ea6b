//! Two agents with one connection between them and nothing else: for counting what a call costs.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::new_without_default
)]

use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use umbel_node::{Destination, Flow, FlowId, Input, Origin, Output, Transport};
use umbel_sip_message::{Uri, parse};
use umbel_time::Instant;
use umbel_ua::{Agent, Command, Config, Event, Outgoing, Way};

/// What one telephone in use writes, about as long as they are.
const OFFER: &str = "v=0\r\no=- 3724394400 3724394405 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 9 8 0 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n";
const FLOWS: [FlowId; 2] = [FlowId(1), FlowId(2)];

/// Somebody who watches one side work.
pub trait Watch {
    /// `side` is about to do something.
    fn before(&mut self, side: usize);
    /// It has done it.
    fn after(&mut self, side: usize);
}

impl Watch for () {
    fn before(&mut self, _: usize) {}
    fn after(&mut self, _: usize) {}
}

/// Caller and called party.
pub struct Wire {
    now: Instant,
    agents: [Agent; 2],
}

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

impl Wire {
    pub fn new() -> Self {
        let agent = |side: u8| {
            let mut config = Config::default();
            config.contacts.tcp = Some(uri(&format!("sip:192.0.2.{}:5060;transport=tcp", side + 1)));
            config.endpoint.transactions_max = 1_000_000;
            config.endpoint.unanswered_per_flow_max = 1_000_000;
            Agent::new(config, ChaCha20Rng::from_seed([side; 32]))
        };
        let mut wire = Wire { now: Instant::ZERO, agents: [agent(0), agent(1)] };
        let addresses = ["192.0.2.1:40000".parse().unwrap(), "192.0.2.2:5060".parse().unwrap()];
        for side in 0..2 {
            let flow = Flow {
                transport: Transport::Tcp,
                local: addresses[side],
                remote: addresses[1 - side],
                origin: if side == 0 { Origin::Opened } else { Origin::Accepted },
                peer: None,
            };
            wire.agents[side].handle(wire.now, Input::Opened { id: FLOWS[side], flow });
        }
        wire
    }

    /// INVITE, 200, ACK, BYE, 200; then a millisecond goes by.
    pub fn call(&mut self, watch: &mut impl Watch) {
        let call = self.agents[0].fresh_call();
        let outgoing = Outgoing {
            target: uri("sip:bob@192.0.2.2:5060;transport=tcp"),
            from: uri("sip:alice@example.com"),
            from_name: None,
            to: uri("sip:bob@example.com"),
            way: Way::Flow(FLOWS[0]),
            headers: Vec::new(),
            offer: Bytes::from_static(OFFER.as_bytes()),
            credentials: None,
        };
        self.command(0, Command::Invite { call, outgoing: Box::new(outgoing) }, watch);
        self.pass(watch);
        self.command(0, Command::HangUp { call }, watch);
        self.pass(watch);
        assert_eq!(self.agents.each_ref().map(Agent::call_count), [0, 0]);
        self.now += Duration::from_millis(1);
        for side in 0..2 {
            if self.agents[side].poll_timeout().is_some_and(|at| at <= self.now) {
                watch.before(side);
                self.agents[side].handle(self.now, Input::Timeout);
                watch.after(side);
            }
        }
    }

    fn command(&mut self, side: usize, command: Command, watch: &mut impl Watch) {
        watch.before(side);
        self.agents[side].command(self.now, command);
        watch.after(side);
    }

    /// Until nobody has anything more to say.
    fn pass(&mut self, watch: &mut impl Watch) {
        let mut busy = true;
        while busy {
            busy = false;
            for side in 0..2 {
                while let Some(event) = self.agents[side].poll_event() {
                    busy = true;
                    if let Event::Invited { call, .. } = event {
                        let body = Bytes::from_static(OFFER.as_bytes());
                        self.command(side, Command::Answer { call, body, headers: Vec::new() }, watch);
                    }
                }
                while let Some(output) = self.agents[side].poll_output() {
                    busy = true;
                    self.perform(side, output, watch);
                }
            }
        }
    }

    fn perform(&mut self, side: usize, output: Output<std::convert::Infallible>, watch: &mut impl Watch) {
        match output {
            Output::Transmit { bytes, .. } => {
                let other = 1 - side;
                watch.before(other);
                let message = parse(bytes).unwrap();
                self.agents[other].handle(self.now, Input::Received { id: FLOWS[other], message });
                watch.after(other);
            }
            Output::Resolve { query, uri } => {
                let address = format!("{}:5060", uri.host()).parse().unwrap();
                let destination = Destination { transport: Transport::Tcp, address, server_name: None };
                self.agents[side].handle(self.now, Input::Resolved { query, found: Ok(vec![destination]) });
            }
            Output::Open { .. } | Output::Close { .. } | Output::Wish(_) => panic!("only the one connection"),
        }
    }
}
