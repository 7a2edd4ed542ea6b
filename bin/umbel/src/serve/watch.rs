//! What the operator sees of the running server: log lines and figures.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use umbel_media::Counters;
use umbel_net::Stats;
use umbel_node::{FlowId, Input, Output, Transport};
use umbel_sip_message::Message;
use umbel_store::{CallOutcome, CallRecord, Op, PinOutcome, Reply, Ruling, Saved, Verdict};
use umbel_um::{Alarm, LampFigures};
use umbel_web::{Connections, Direction, Metrics, SipTransport};

use crate::tap::Tap;

/// The connections' figures, by role: each loop counts its own.
#[derive(Clone, Default)]
pub(super) struct Totals(Arc<Mutex<BTreeMap<&'static str, Stats>>>);

/// Counts the messages that one role's connections carry.
pub(super) struct Watch {
    role: &'static str,
    metrics: Metrics,
    totals: Totals,
    transports: BTreeMap<FlowId, SipTransport>,
    /// For who shows what is sent.
    tap: Option<Tap>,
}

impl Watch {
    pub(super) fn new(role: &'static str, metrics: Metrics, totals: Totals, tap: Option<Tap>) -> Self {
        Watch { role, metrics, totals, transports: BTreeMap::new(), tap }
    }

    pub(super) fn arrived<O>(&mut self, input: &Input<O>) {
        if let Some(tap) = &mut self.tap {
            tap.arrived(input);
        }
        match input {
            Input::Opened { id, flow } => {
                self.transports.insert(*id, transport(flow.transport));
            }
            Input::Closed { id, .. } => {
                self.transports.remove(id);
            }
            Input::Received { id, message } => self.received(*id, message),
            _ => {}
        }
    }

    fn received(&mut self, id: FlowId, message: &Message) {
        let Some(transport) = self.transports.get(&id).copied() else { return };
        let method = message.headers().cseq().method.as_str();
        match message {
            Message::Request(_) => self.metrics.sip_request(self.role, Direction::In, transport, method),
            Message::Response(response) => {
                let code = response.status().as_u16();
                self.metrics.sip_response(self.role, Direction::In, transport, method, code);
            }
        }
    }

    pub(super) fn leaves<W>(&mut self, output: &Output<W>) {
        if let Some(tap) = &mut self.tap {
            tap.leaves(output);
        }
        if let Output::Transmit { id, bytes } = output {
            self.transmitted(*id, bytes);
        }
    }

    fn transmitted(&mut self, id: FlowId, bytes: &Bytes) {
        let Some(transport) = self.transports.get(&id).copied() else { return };
        let first =
            bytes.split(|byte| *byte == b' ').map(|word| std::str::from_utf8(word).unwrap_or_default());
        let mut words = first.take(2);
        match (words.next(), words.next().and_then(|code| code.parse().ok())) {
            (Some("SIP/2.0"), Some(code)) => {
                let method = answered_method(bytes);
                self.metrics.sip_response(self.role, Direction::Out, transport, method, code);
            }
            (Some(method), None) if !method.is_empty() => {
                self.metrics.sip_request(self.role, Direction::Out, transport, method);
            }
            _ => {}
        }
    }

    /// Takes over what connections have counted.
    pub(super) fn figures(&mut self, connections: &Stats) {
        let mut totals = self.totals.0.lock().unwrap_or_else(PoisonError::into_inner);
        totals.insert(self.role, *connections);
        let sum = |figure: fn(&Stats) -> u64| totals.values().map(figure).sum::<u64>();
        let now = |figure: fn(&Stats) -> usize| totals.values().map(figure).sum::<usize>();
        self.metrics.connections(&Connections {
            open: now(|stats| stats.flows),
            handshakes: now(|stats| stats.handshakes),
            accepted: sum(|stats| stats.accepted),
            refused: sum(|stats| stats.refused),
            handshakes_failed: sum(|stats| stats.handshakes_failed),
            malformed: sum(|stats| stats.malformed),
            panics: sum(|stats| stats.panics),
        });
        self.metrics.queue_depth("arrivals", now(|stats| stats.arrivals_queued));
    }
}

/// Counts and reports what the unified messaging server does.
pub(super) struct UmWatch {
    metrics: Metrics,
    /// What the media had counted when it was last taken over.
    media: Counters,
    /// What message waiting had counted.
    lamps: LampFigures,
    /// The calls that are up, by their Call-ID, and what they are. A greeting may become a log-in meanwhile.
    active: BTreeMap<String, umbel_web::CallKind>,
}

impl UmWatch {
    pub(super) fn new(metrics: Metrics) -> Self {
        let (media, lamps) = (Counters::default(), LampFigures::default());
        UmWatch { metrics, media, lamps, active: BTreeMap::new() }
    }

    pub(super) fn stored(&mut self, reply: &Reply) {
        match reply {
            Reply::Saved(Saved::Message(message)) => self.metrics.message_recorded(message.duration),
            Reply::Checked(Verdict::Wrong { .. }) => self.metrics.pin_failed(),
            _ => {}
        }
    }

    pub(super) fn stores(&mut self, op: &Op) {
        match op {
            Op::RecordCall(record) => self.recorded(record),
            Op::Decide(decisions) => {
                let skipped =
                    decisions.iter().filter(|decision| decision.ruling == Ruling::Pin(PinOutcome::Skipped));
                skipped.for_each(|_| self.metrics.pin_skipped());
            }
            _ => {}
        }
    }

    /// A call's record is written when it begins, when it is known what it is, and when it ends.
    fn recorded(&mut self, record: &CallRecord) {
        let kind = kind(record.kind);
        let before = match record.ended {
            None => self.active.insert(record.call_id.clone(), kind),
            Some(_) => {
                self.metrics.call_ended(kind, outcome(record.outcome));
                self.active.remove(&record.call_id)
            }
        };
        for kind in [kind].into_iter().chain(before) {
            let count = self.active.values().filter(|active| **active == kind).count();
            self.metrics.calls_active(kind, count);
        }
    }

    /// Takes over what message waiting has counted.
    pub(super) fn lamps(&mut self, lamps: LampFigures) {
        let counted = std::mem::replace(&mut self.lamps, lamps);
        let told = lamps.told.saturating_sub(counted.told);
        self.metrics.lamps(told, lamps.failed.saturating_sub(counted.failed));
        self.metrics.lamp_subscriptions(lamps.subscriptions);
        self.metrics.queue_depth("lamps", lamps.waiting);
    }

    /// Takes over what media have counted; `calls` have sockets for their sound.
    pub(super) fn figures(&mut self, media: &Counters, calls: usize) {
        self.metrics.media_sessions(calls);
        // The media count from their start on; the figures want what is new.
        let counted = std::mem::replace(&mut self.media, *media);
        self.metrics.rtp_packets(Direction::In, media.accepted.saturating_sub(counted.accepted));
        self.metrics.rtp_packets(Direction::Out, media.sent.saturating_sub(counted.sent));
        self.metrics.rtp_packets_lost(media.missing.saturating_sub(counted.missing));
    }

    pub(super) fn alarm(&mut self, alarm: &Alarm) {
        match alarm {
            // SEC-34
            Alarm::ManySkippedPins { peer, mailboxes } => {
                tracing::warn!(
                    %peer,
                    mailboxes,
                    "one peer opens many mailboxes without a PIN; take it out of trusted-peers if that is not meant"
                );
            }
            // REL-25
            Alarm::CallBroke { call_id, what } => {
                self.metrics.panicked();
                tracing::error!(%call_id, what, "a fault of this program ended a call; please report it");
            }
            Alarm::RecordingNotSaved { call_id } => {
                tracing::error!(%call_id, "a recording could not be saved; what is on the disk of it is recovered at the next start");
            }
        }
    }

    pub(super) fn gateway(&mut self, gateway: &umbel_sip_message::Uri, standing: umbel_ua::Standing) {
        tracing::info!(%gateway, ?standing, "gateway");
    }
}

/// The method that a response answers; nothing where its CSeq is not found.
fn answered_method(response: &[u8]) -> &str {
    let name = b"cseq:";
    let is_cseq = |line: &&[u8]| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let line = response.split(|byte| *byte == b'\n').take_while(|line| *line != b"\r").find(is_cseq);
    let word = line.and_then(|line| line.trim_ascii().rsplit(u8::is_ascii_whitespace).next());
    word.and_then(|word| std::str::from_utf8(word).ok()).unwrap_or_default()
}

fn transport(transport: Transport) -> SipTransport {
    match transport {
        Transport::Tcp => SipTransport::Tcp,
        Transport::Tls => SipTransport::Tls,
    }
}

fn kind(kind: umbel_store::CallKind) -> umbel_web::CallKind {
    use umbel_store::CallKind;
    match kind {
        CallKind::CallAnswering | CallKind::MissedCall => umbel_web::CallKind::CallAnswering,
        CallKind::SubscriberAccess | CallKind::UnauthenticatedPilot => umbel_web::CallKind::SubscriberAccess,
        CallKind::PlayOnPhone => umbel_web::CallKind::PlayOnPhone,
        // The protocol server has figures of its own.
        CallKind::Call | CallKind::None => umbel_web::CallKind::Unclassified,
    }
}

fn outcome(outcome: CallOutcome) -> umbel_web::CallOutcome {
    match outcome {
        CallOutcome::Refused => umbel_web::CallOutcome::Refused,
        CallOutcome::NotAnswered => umbel_web::CallOutcome::Unanswered,
        CallOutcome::Failed => umbel_web::CallOutcome::Failed,
        CallOutcome::Running
        | CallOutcome::Answered
        | CallOutcome::MessageLeft
        | CallOutcome::NothingLeft
        | CallOutcome::MailboxOpened
        | CallOutcome::AccessDenied
        | CallOutcome::Played => umbel_web::CallOutcome::Completed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_method_of_a_response_is_that_of_its_cseq() {
        let response = b"SIP/2.0 200 OK\r\nVia: x\r\ncSeq:  7   INVITE\r\n\r\nCSeq: 8 BYE\r\n";
        assert_eq!(answered_method(response), "INVITE");
        assert_eq!(answered_method(b"SIP/2.0 200 OK\r\n\r\nCSeq: 8 BYE\r\n"), "");
        assert_eq!(answered_method(b""), "");
    }
}
