//! What is written down about a call: its decisions, and how it went.

use umbel_node::Flow;
use umbel_ocexum::Trust;
use umbel_store::{
    Address, AuditRecord, Author, CallKind, CallOutcome, CallRecord, Decision, Event, Op, PinOutcome, Ruling,
    Transport,
};
use umbel_time::UnixTime;

use crate::desk::Desk;

/// The record of one call, kept up to date in the store.
#[derive(Debug)]
pub(crate) struct Record {
    call: CallRecord,
    /// The name in the peer's certificate, if it has one.
    peer: Option<String>,
    mailbox: Option<Address>,
    command_seen: bool,
    /// The store has a record that says that the call is running.
    kept: bool,
}

impl Record {
    /// The record of a call that came over this flow.
    pub(crate) fn new(call_id: String, flow: &Flow, started: UnixTime) -> Record {
        let call = CallRecord {
            call_id,
            kind: CallKind::None,
            from: String::new(),
            to: String::new(),
            started,
            ended: None,
            transport: transport_of(flow.transport),
            peer: Some(flow.remote.ip().to_string()),
            pin: PinOutcome::None,
            outcome: CallOutcome::Running,
        };
        Record { call, peer: None, mailbox: None, command_seen: false, kept: false }
    }

    /// The record of a call that we place through this server.
    pub(crate) fn outgoing(transport: umbel_node::Transport, server: String, started: UnixTime) -> Record {
        let call = CallRecord {
            call_id: String::new(),
            kind: CallKind::PlayOnPhone,
            from: String::new(),
            to: String::new(),
            started,
            ended: None,
            transport: transport_of(transport),
            peer: Some(server),
            pin: PinOutcome::None,
            outcome: CallOutcome::Running,
        };
        Record { call, peer: None, mailbox: None, command_seen: false, kept: false }
    }

    /// The INVITE of ours has left, with this Call-ID.
    pub(crate) fn set_call_id(&mut self, call_id: String) {
        self.call.call_id = call_id;
    }

    /// The peer has a certificate.
    pub(crate) fn set_peer(&mut self, trust: &Trust) {
        if let Some(name) = &trust.peer {
            self.peer = Some(name.clone());
            self.call.peer = Some(name.clone());
        }
    }

    pub(crate) fn call_id(&self) -> &str {
        &self.call.call_id
    }

    /// The name in the peer's certificate, or its address.
    pub(crate) fn peer(&self) -> &str {
        self.call.peer.as_deref().unwrap_or_default()
    }

    pub(crate) fn started(&self) -> UnixTime {
        self.call.started
    }

    /// Who calls whom, as the message says, and whether it has an `Ms-Exchange-Command`.
    pub(crate) fn set_parties(&mut self, parties: (String, String), command_seen: bool) {
        (self.call.from, self.call.to) = parties;
        self.command_seen = command_seen;
    }

    /// What the call turned out to be, and about whose mailbox.
    pub(crate) fn set_kind(&mut self, kind: CallKind, mailbox: Option<&Address>) {
        self.call.kind = kind;
        self.mailbox = mailbox.cloned();
    }

    pub(crate) fn set_pin(&mut self, pin: PinOutcome) {
        self.call.pin = pin;
    }

    /// How it went so far; a message that was left is never forgotten again.
    pub(crate) fn set_outcome(&mut self, outcome: CallOutcome) {
        if self.call.outcome != CallOutcome::MessageLeft {
            self.call.outcome = outcome;
        }
    }

    /// Whether we called, to play something.
    pub(crate) fn is_play_on_phone(&self) -> bool {
        self.call.kind == CallKind::PlayOnPhone
    }

    /// Whether the call was to leave a message, and has not.
    pub(crate) fn awaits_message(&self) -> bool {
        self.call.kind == CallKind::CallAnswering && self.call.outcome != CallOutcome::MessageLeft
    }

    /// SEC-32: one decision, and the rule behind it.
    pub(crate) fn decision(&self, at: UnixTime, ruling: Ruling, rule: impl Into<String>) -> Decision {
        Decision {
            call_id: self.call.call_id.clone(),
            at,
            mailbox: self.mailbox.clone(),
            transport: self.call.transport,
            peer: self.peer.clone(),
            command_seen: self.command_seen,
            ruling,
            rule: rule.into(),
        }
    }

    /// Writes one decision down.
    pub(crate) fn decide(&self, ruling: Ruling, rule: impl Into<String>, desk: &mut Desk<'_>) {
        let decision = self.decision(desk.wall, ruling, rule);
        desk.note(Op::Decide(vec![decision]));
    }

    /// A call for somebody's mailbox becomes the owner's: the PIN is asked from now on.
    pub(crate) fn log_in(&mut self, rule: &str, desk: &mut Desk<'_>) {
        self.call.kind = CallKind::SubscriberAccess;
        self.call.pin = PinOutcome::Prompted;
        let at = desk.wall;
        let decisions = [Ruling::Who(CallKind::SubscriberAccess), Ruling::Pin(PinOutcome::Prompted)]
            .map(|ruling| self.decision(at, ruling, rule));
        desk.note(Op::Decide(decisions.to_vec()));
        self.keep(desk);
    }

    /// Whether the store knows of the call.
    pub(crate) fn is_kept(&self) -> bool {
        self.kept
    }

    /// Writes down how the call stands.
    pub(crate) fn keep(&mut self, desk: &mut Desk<'_>) {
        self.kept = true;
        desk.note(Op::RecordCall(Box::new(self.call.clone())));
    }

    /// The call is over; what became of its recordings may still be open. REL-27: never before it began, even
    /// if the clock was set back meanwhile.
    pub(crate) fn end(&mut self, at: UnixTime) {
        let started = self.call.started;
        self.call.ended.get_or_insert(at.max(started));
    }

    /// Writes down how the call ended.
    pub(crate) fn close(&mut self, desk: &mut Desk<'_>) {
        self.end(desk.wall);
        // A call of ours that was never placed.
        if self.call.call_id.is_empty() && self.is_play_on_phone() {
            return;
        }
        if self.call.outcome == CallOutcome::Running {
            self.call.outcome = match self.call.kind {
                CallKind::CallAnswering | CallKind::MissedCall => CallOutcome::NothingLeft,
                CallKind::SubscriberAccess | CallKind::UnauthenticatedPilot => CallOutcome::AccessDenied,
                CallKind::PlayOnPhone => CallOutcome::NotAnswered,
                CallKind::Call | CallKind::None => CallOutcome::Failed,
            };
        }
        if self.call.kind == CallKind::CallAnswering && self.call.outcome == CallOutcome::NothingLeft {
            self.call.kind = CallKind::MissedCall;
        }
        self.keep(desk);
    }

    /// CMD-10: a mailbox was opened without a PIN.
    pub(crate) fn audit_skip(&self, mailbox: &Address, desk: &mut Desk<'_>) {
        let record = AuditRecord {
            at: desk.wall,
            mailbox: mailbox.clone(),
            call_id: Some(self.call.call_id.clone()),
            door: Some(umbel_store::Door::Telephone),
            author: Some(Author::OwnerBySkip { call_id: self.call.call_id.clone() }),
            event: Event::SignInSkipped,
        };
        desk.note(Op::Audit(Box::new(record)));
    }
}

fn transport_of(transport: umbel_node::Transport) -> Transport {
    match transport {
        umbel_node::Transport::Tcp => Transport::Tcp,
        umbel_node::Transport::Tls => Transport::Tls,
    }
}
