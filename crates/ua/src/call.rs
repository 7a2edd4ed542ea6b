//! One call: its invitation, its dialog, and what changes within it.

mod answering;
mod changing;
mod placing;
mod referring;
mod replacing;
mod requests;
mod session;

use bytes::Bytes;
use umbel_node::FlowId;
use umbel_sip_endpoint::{ServerTransaction, Target};
use umbel_sip_message::{Draft, HeaderName, Headers, Method, Request, StatusCode};
use umbel_time::Instant;

use crate::asked::Purpose;
use crate::dialog::Dialog;
use crate::evidence::Evidence;
use crate::negotiation::Negotiation;
use crate::repetition::Repetition;
use crate::session_timer::SessionTimer;
use crate::shared::{CallTimer, Shared};
use crate::tag::LocalTag;
use crate::{CallKey, Ending, Event};

pub(crate) use placing::dismiss;

use answering::Incoming;
use changing::{Change, Theirs, Wishes};
use placing::Placing;

/// A call from its INVITE to its end.
///
/// Every method is given what the calls share. The call is over once [`Call::ending`] is set; the
/// agent then tells of it and forgets the call, so that the end is told once, and last.
pub(crate) struct Call {
    key: CallKey,
    local_tag: LocalTag,
    role: Role,
    /// The dialog with the peer that is, or will be, in the session. None for a call that we place
    /// until it is answered.
    dialog: Option<Dialog>,
    /// Where we heard of the peer last, and whether it leads to the dialog's next hop.
    path: Path,
    negotiation: Negotiation,
    /// What we described our side with last; a refresh by re-INVITE says it again.
    local_description: Bytes,
    /// A response of ours that is repeated until somebody acknowledges it.
    unacknowledged: Option<Box<Unacknowledged>>,
    /// A change that the peer asked for, which waits for an order.
    theirs: Option<Box<Theirs>>,
    /// A change that we asked for, which waits for a response.
    ours: Option<Change>,
    /// Changes that we want to ask for as soon as we may.
    wishes: Wishes,
    session: Option<SessionTimer>,
    peer_takes_update: bool,
    /// Whether the peer is still to be told what came of a REFER.
    referred: bool,
    /// Whether we wait to hear what came of a REFER of ours.
    refers: bool,
    ending: Option<Ending>,
}

enum Role {
    Answering(Incoming),
    Placing(Box<Placing>),
}

struct Path {
    flow: Option<FlowId>,
    evidence: Option<Evidence>,
    /// Whether requests within the dialog may go along the flow itself.
    leads_to_next_hop: bool,
}

/// A response that is sent again and again until its PRACK or ACK.
struct Unacknowledged {
    transaction: ServerTransaction,
    draft: Draft,
    repetition: Repetition,
    what: Awaited,
    /// The number of the INVITE.
    cseq: u32,
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// The PRACK of a reliable 180.
    Prack,
    /// The ACK of the 2xx that answered the call.
    Ack,
    /// The ACK of a 2xx to a re-INVITE.
    AckOfReinvite,
}

impl Call {
    /// Where we heard of the peer last, while that flow is up.
    pub(crate) fn flow(&self) -> Option<FlowId> {
        self.path.flow
    }

    /// The Call-ID, known from the start for calls that we place, and with the dialog for others.
    pub(crate) fn call_id(&self) -> Option<&str> {
        match &self.role {
            Role::Placing(placing) => Some(placing.call_id()),
            Role::Answering(_) => self.dialog.as_ref().map(Dialog::call_id),
        }
    }

    pub(crate) fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// None for a call that we place until it is answered.
    pub(crate) fn dialog(&self) -> Option<&Dialog> {
        self.dialog.as_ref()
    }

    pub(crate) fn local_tag(&self) -> LocalTag {
        self.local_tag
    }

    /// Whether both sides agree that there is a session, so that either may change it.
    fn is_established(&self) -> bool {
        match &self.role {
            Role::Answering(incoming) => incoming.is_confirmed(),
            Role::Placing(placing) => placing.is_confirmed(),
        }
    }

    fn end(&mut self, ending: Ending) {
        // Exactly one end: the machines give one, and this keeps the first in any case.
        self.ending.get_or_insert(ending);
    }

    /// RFC 3261 15: ends the call, however far it is.
    pub(crate) fn hang_up(&mut self, now: Instant, shared: &mut Shared) {
        match self.role {
            Role::Answering(_) => self.answering(now, shared, crate::invite::uas::Input::HangUp),
            Role::Placing(_) => self.placing(now, shared, crate::invite::uac::Input::HangUp),
        }
    }

    /// The dialog is lost for this reason; the peer is told, in case it is still there.
    fn lose(&mut self, now: Instant, shared: &mut Shared, ending: Ending) {
        match self.role {
            Role::Answering(_) => self.answering(now, shared, crate::invite::uas::Input::Lost(ending)),
            Role::Placing(_) => self.placing(now, shared, crate::invite::uac::Input::Lost(ending)),
        }
    }

    /// One of the call's timers fired.
    pub(crate) fn timer(&mut self, now: Instant, shared: &mut Shared, timer: CallTimer) {
        match timer {
            CallTimer::Repeat => self.repeat(now, shared),
            CallTimer::Retry => self.retry(now, shared),
            CallTimer::Refresh => self.refresh(now, shared),
            CallTimer::Expire => self.lose(now, shared, Ending::SessionExpired),
        }
    }

    /// Where a request within the dialog goes: along the flow that we last heard the peer on where
    /// it leads to the next hop and is still up, else wherever the next hop is (REL-35).
    fn target(&self, shared: &Shared, dialog: &Dialog) -> Target {
        match self.path.flow {
            Some(flow) if self.path.leads_to_next_hop && shared.is_up(flow) => Target::Flow(flow),
            Some(_) | None => Target::Uri(dialog.next_hop().clone()),
        }
    }

    /// The Contact that fits the way to the peer.
    fn contact(&self, shared: &Shared) -> String {
        match &self.dialog {
            Some(dialog) => self.contact_for(shared, dialog),
            None => shared.contact(umbel_node::Transport::Tcp, self.path.flow),
        }
    }

    fn contact_for(&self, shared: &Shared, dialog: &Dialog) -> String {
        let transport = match &self.path.evidence {
            Some(evidence) => evidence.transport(),
            None => crate::shared::transport_of(dialog.next_hop()),
        };
        shared.contact(transport, self.path.flow)
    }

    /// RFC 3261 15.1.1: "The UAC MUST consider the session terminated … as soon as the BYE request
    /// is passed to the client transaction." So nobody waits for its response.
    fn send_bye(&mut self, now: Instant, shared: &mut Shared) {
        let Some(mut dialog) = self.dialog.take() else { return };
        let draft = dialog.request(Method::Bye);
        let target = self.target(shared, &dialog);
        let credentials = self.credentials();
        shared.ask(now, Purpose::Bye, draft, target, credentials.as_ref());
        self.dialog = Some(dialog);
    }

    fn credentials(&self) -> Option<std::sync::Arc<crate::Credentials>> {
        match &self.role {
            Role::Answering(_) => None,
            Role::Placing(placing) => placing.credentials(),
        }
    }

    /// Sends a response, and goes on sending it until it is acknowledged.
    fn send_until_acknowledged(&mut self, now: Instant, shared: &mut Shared, response: Unacknowledged) {
        shared.endpoint.respond(now, response.transaction, response.draft.clone());
        shared.arm(now, self.key, CallTimer::Repeat, response.repetition.wait());
        self.unacknowledged = Some(Box::new(response));
    }

    fn stop_repeating(&mut self, shared: &mut Shared) {
        if self.unacknowledged.take().is_some() {
            shared.disarm(self.key, CallTimer::Repeat);
        }
    }

    /// RFC 3261 13.3.1.4, RFC 3262 3: another copy, or the end of patience.
    fn repeat(&mut self, now: Instant, shared: &mut Shared) {
        let Some(response) = self.unacknowledged.as_mut() else { return };
        let (repetition, due) = response.repetition.step();
        match due {
            crate::repetition::Due::Again => {
                response.repetition = repetition;
                shared.endpoint.respond(now, response.transaction, response.draft.clone());
                shared.arm(now, self.key, CallTimer::Repeat, repetition.wait());
            }
            crate::repetition::Due::GiveUp => {
                let what = response.what;
                self.unacknowledged = None;
                match what {
                    Awaited::Prack | Awaited::Ack => {
                        self.answering(now, shared, crate::invite::uas::Input::Unacknowledged);
                    }
                    Awaited::AckOfReinvite => self.lose(now, shared, Ending::NoAck),
                }
            }
        }
    }

    /// An ACK arrived for a 2xx of ours (RFC 3261 13.3.1.4).
    pub(crate) fn acknowledged(&mut self, now: Instant, shared: &mut Shared, ack: &Request) {
        let awaited = self.unacknowledged.as_ref().is_some_and(|response| {
            response.what != Awaited::Prack && response.cseq == ack.headers().cseq().number
        });
        if awaited {
            self.two_hundred_arrived(now, shared, description(ack.headers(), ack.body()));
        }
    }

    /// The peer has our 2xx: by its ACK, or because it would not say what it says now otherwise.
    fn two_hundred_arrived(&mut self, now: Instant, shared: &mut Shared, body: Option<Bytes>) {
        let Some(response) = self.unacknowledged.as_ref() else { return };
        let what = response.what;
        self.stop_repeating(shared);
        // An answer is due in the ACK iff the 2xx had the offer (RFC 3261 13.2.1).
        let offered = self.negotiation == Negotiation::OfferSent;
        let answer = body.filter(|_| offered);
        if offered {
            self.negotiation.settle();
        }
        match (what, answer) {
            (Awaited::Ack, answer) => self.confirmed(now, shared, answer),
            (Awaited::AckOfReinvite, Some(answer)) => {
                shared.tell(Event::Negotiated { call: self.key, answer });
            }
            (Awaited::AckOfReinvite, None) | (Awaited::Prack, _) => {}
        }
        self.pursue(now, shared);
    }

    /// What the peer takes, from any message that says it.
    fn learn(&mut self, headers: &Headers) {
        if let Some(allowed) = headers.allow() {
            self.peer_takes_update = allowed.has(&Method::Update);
        }
    }
}

/// The session description in a message, if that is what its body is.
fn description(headers: &Headers, body: &Bytes) -> Option<Bytes> {
    let is_sdp = headers.content_type().ok().flatten().is_some_and(|kind| kind.is("application", "sdp"));
    (is_sdp && !body.is_empty()).then(|| body.clone())
}

/// A refusal has a status that refuses.
fn refusing(status: StatusCode) -> StatusCode {
    if status.is_final() && !status.is_success() { status } else { StatusCode::SERVER_INTERNAL_ERROR }
}

/// Adds the header fields that were ordered.
fn add(draft: &mut Draft, headers: &[(HeaderName, String)]) {
    for (name, value) in headers {
        draft.push(name.clone(), value.as_str());
    }
}
