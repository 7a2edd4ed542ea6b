//! One call: from the INVITE to the moment when nothing of it is left. Calls that we place begin in `outgoing`.
//!
//! ```text
//!   Arriving ──who is who──▶ Preparing ──sockets, mailbox──▶ Talking ──hung up, all saved──▶ Over
//!       │                        │  └─no offer─▶ AwaitingAnswer ─┘ACK
//!       └── refused ─────────────┴───────────────────────▶ Over
//! ```

mod arrival;
mod calling_back;
mod deposit;
mod envelope;
mod mailbox;
mod media;
mod outgoing;
mod playback;
mod preparation;
mod record;
mod recordings;
mod talk;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use umbel_ivr::Access;
use umbel_media::Event as MediaEvent;
use umbel_node::Transport;
use umbel_ocexum::{Failed, Identity, Trust, trust};
use umbel_play_on_phone::EventCause;
use umbel_sip_message::StatusCode;
use umbel_store::{
    CallKind, CallOutcome, MessageId, Op, PinOutcome, Reply, Ruling, Ticket, User, call_id_on_record,
};
use umbel_ua::{CallKey, Command, Ending, Invitation};

use crate::classify::{Classified, Rule, classify};
use crate::desk::{CallTimer, Desk};
use crate::keypad;
use crate::names::Named;
use crate::order::{Alarm, NoSockets};
use crate::particulars::Particulars;
use crate::play_on_phone::inquiry::{Allowed, Inquired, Inquiry};
use crate::play_on_phone::standing::Standing;
use crate::refusal::Refusal;

use arrival::Arrival;
use mailbox::{Mailbox, MailboxQuestion};
use media::{CallMedia, Settled, Sockets};
use outgoing::Ringing;
use playback::Fetch;
use preparation::{Offer, Plan, Preparation};
use record::Record;
use talk::{Calling, KeyWay, Talk};

pub use talk::heeds;

/// How long a caller waits for the store and for sockets before the call is answered without what is
/// missing, or refused.
const PREPARATION_PATIENCE: Duration = Duration::from_secs(2);

/// What the store was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Who has this name? The lower the rank, the better the answer.
    Who {
        /// The name.
        named: Named,
        /// Which of its look-ups.
        rank: usize,
    },
    /// Whether somebody may have us place a call.
    PhoneCall(Inquired),
    /// What is needed before the call can be answered.
    Preparation,
    /// For the conversation.
    Mailbox(MailboxQuestion),
    /// A recording to be heard.
    Clip(Fetch),
    /// A recording that is made.
    Deposit(MessageId),
}

impl Question {
    pub(crate) const fn mailbox() -> Question {
        Question::Mailbox(MailboxQuestion::Only)
    }
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    key: CallKey,
    record: Record,
    over_tls: bool,
    /// Who called; none where we did.
    remote: Option<IpAddr>,
    /// Whether nobody knows who called: no peer, no gateway, no trusted transport.
    is_strangers: bool,
    sockets: Sockets,
    stage: Stage,
    /// Whether the user agent still has it, or is about to.
    is_live: bool,
    /// What whoever asked for it knows, where we called.
    standing: Option<Box<Standing>>,
}

/// PEER-4: neither listed, nor a gateway, nor over a transport that counts.
pub(crate) fn is_stranger(trust: &Trust) -> bool {
    trust.identity == Identity::Unlisted && trust.transport.is_err()
}

#[derive(Debug, Default)]
enum Stage {
    /// Before the first of the others, or on the way from one to the next.
    #[default]
    Between,
    Arriving(Box<Arrival>),
    Preparing(Box<Preparation>),
    /// Answered with our offer: the ACK brings the answer.
    AwaitingAnswer(Box<(Preparation, CallMedia)>),
    /// Somebody asked for a call, and it is not known yet whether it may be placed.
    Inquiring(Box<Inquiry>),
    /// It is placed as soon as there are sockets.
    Dialling(Box<Allowed>),
    /// The INVITE has left.
    Ringing(Box<Ringing>),
    Talking(Box<(Talk, CallMedia)>),
    Over,
}

impl Call {
    /// A call that has just come in.
    pub(crate) fn new(invitation: &Invitation, desk: &Desk<'_>) -> Call {
        let flow = &invitation.transport;
        Call {
            key: desk.call,
            record: Record::new(call_id_on_record(&invitation.call_id).to_owned(), flow, desk.wall),
            over_tls: flow.transport == Transport::Tls,
            remote: Some(flow.remote.ip()),
            is_strangers: is_stranger(&trust(flow, &desk.config.trust, desk.wall)),
            sockets: Sockets::default(),
            stage: Stage::Between,
            is_live: true,
            standing: None,
        }
    }

    /// Reads what it says of itself, and looks up whom it names.
    pub(crate) fn invited(&mut self, invitation: &Invitation, desk: &mut Desk<'_>) {
        match self.read(invitation, desk) {
            Ok(arrival) => {
                desk.arm(CallTimer::Preparation, PREPARATION_PATIENCE);
                self.stage = Stage::Arriving(Box::new(arrival));
                self.arrive(desk);
            }
            Err(refusal) => self.refuse(&refusal, desk),
        }
    }

    /// The value of Call-ID.
    pub(crate) fn call_id(&self) -> &str {
        self.record.call_id()
    }

    /// Whether the user agent still has it.
    pub(crate) fn is_live(&self) -> bool {
        self.is_live
    }

    /// Whether nobody knows who called.
    pub(crate) fn is_strangers(&self) -> bool {
        self.is_strangers
    }

    /// Whether nothing of it is left to do.
    pub(crate) fn is_over(&self) -> bool {
        !self.is_live && matches!(self.stage, Stage::Over)
    }

    fn read(&mut self, invitation: &Invitation, desk: &mut Desk<'_>) -> Result<Arrival, Refusal> {
        let trust = trust(&invitation.transport, &desk.config.trust, desk.wall);
        self.record.set_peer(&trust);
        if is_stranger(&trust) && desk.config.refuse_unlisted {
            return Err(Refusal::Unlisted);
        }
        if desk.tray.phone_calls.has_come_back(invitation) {
            return Err(Refusal::OurOwnCall);
        }
        let mut particulars = Particulars::read(invitation, &trust, &desk.config.locality)?;
        if desk.config.trust.is_own(&invitation.transport) {
            particulars.doubt_who_is_not_vouched_for();
        }
        self.record.set_parties(particulars.parties.clone(), particulars.command.is_some());
        let offer = invitation.offer.clone().map(Offer);
        Ok(Arrival::new(particulars, trust, offer, desk))
    }

    /// Goes on once everybody has been looked up.
    fn arrive(&mut self, desk: &mut Desk<'_>) {
        let Stage::Arriving(arrival) = &mut self.stage else { return };
        let people = match arrival.people() {
            None => return,
            Some(Err(refusal)) => return self.refuse(&refusal, desk),
            Some(Ok(people)) => people,
        };
        let preference = desk.config.diversion_preference;
        let classified = classify(&arrival.particulars, &arrival.trust, &people, preference);
        let Stage::Arriving(arrival) = std::mem::take(&mut self.stage) else { return };
        match classified {
            Err(refusal) => self.refuse(&refusal, desk),
            Ok(classified) => {
                let attempting = self.attempting(&arrival);
                let plan = self.plan(classified, &arrival.trust, desk);
                let Arrival { particulars, offer, .. } = *arrival;
                let calling = Calling {
                    caller: particulars.caller_among(&people),
                    subject: particulars.subject,
                    importance: particulars.importance,
                };
                self.sockets.open(desk);
                let preparation = Preparation::begin(plan, calling, attempting, offer, desk);
                self.stage = Stage::Preparing(Box::new(preparation));
            }
        }
    }

    /// DEC-6: whom wrong PINs are counted against. Only a believed peer's word names a caller.
    fn attempting(&self, arrival: &Arrival) -> String {
        let caller = &arrival.particulars.caller;
        if caller.verified && !caller.id.is_empty() {
            return caller.id.clone();
        }
        self.remote.map(|remote| remote.to_string()).unwrap_or_default()
    }

    /// Writes down what was decided, and makes a plan of it.
    fn plan(&mut self, classified: Classified, trust: &Trust, desk: &mut Desk<'_>) -> Plan {
        let (kind, pin, pin_rule, who_rule, plan) = match classified {
            Classified::CallAnswering { mailbox, rule } => {
                let pin_rule = Failed::DirectAccess.to_string();
                (
                    CallKind::CallAnswering,
                    PinOutcome::None,
                    pin_rule,
                    Some(rule),
                    Plan::CallAnswering(Box::new(mailbox)),
                )
            }
            Classified::SubscriberAccess { owner, waiver: Ok(waiver), rule } => {
                let plan = Plan::Access(Box::new(owner), Access::Waived(waiver));
                (
                    CallKind::SubscriberAccess,
                    PinOutcome::Skipped,
                    "P1 to P6 hold: the owner asked for it, over a trusted transport".to_owned(),
                    Some(rule),
                    plan,
                )
            }
            Classified::SubscriberAccess { owner, waiver: Err(failed), rule } => {
                let plan = Plan::Access(Box::new(owner), Access::Pin);
                (CallKind::SubscriberAccess, PinOutcome::Prompted, failed.to_string(), Some(rule), plan)
            }
            Classified::AnonymousPilot => {
                let pin_rule = Failed::Caller.to_string();
                (CallKind::UnauthenticatedPilot, PinOutcome::Prompted, pin_rule, None, Plan::AnonymousPilot)
            }
        };
        let mailbox = plan.user().map(User::address).cloned();
        self.record.set_kind(kind, mailbox.as_ref());
        self.record.set_pin(pin);
        let (trusted, trust_rule) = match trust.transport {
            Ok(basis) => (true, basis.to_string()),
            Err(missing) => (false, missing.to_string()),
        };
        let diverted =
            who_rule.is_some_and(Rule::is_diversion).then(|| mailbox.as_ref().map(ToString::to_string));
        let who_rule = who_rule.map_or("a pilot was called, by somebody without a mailbox", Rule::as_str);
        let at = desk.wall;
        let mut decisions = vec![
            self.record.decision(at, Ruling::Who(kind), who_rule),
            self.record.decision(at, Ruling::Trust(trusted), trust_rule),
            self.record.decision(at, Ruling::Pin(pin), pin_rule),
        ];
        if let Some(diverted) = diverted {
            let told = match trust.identity {
                Identity::Listed => "as a listed peer says",
                Identity::Gateway => "as a gateway says",
                Identity::Unlisted => {
                    "as a peer says that is not listed, so that a message may be left and nothing opened (DEC-18)"
                }
            };
            let rule = format!("{who_rule}, {told}");
            decisions.push(self.record.decision(at, Ruling::Diversion(diverted), rule));
        }
        desk.note(Op::Decide(decisions));
        self.record.keep(desk);
        if let (PinOutcome::Skipped, Some(mailbox)) = (pin, &mailbox) {
            self.record.audit_skip(mailbox, desk);
            if let Some(mailboxes) = desk.tray.skips.opened(desk.now, self.record.peer(), mailbox) {
                desk.alarm(Alarm::ManySkippedPins { peer: self.record.peer().to_owned(), mailboxes });
            }
        }
        plan
    }

    fn refuse(&mut self, refusal: &Refusal, desk: &mut Desk<'_>) {
        let retry_after = desk.retry_after();
        let headers = refusal.headers(retry_after, &desk.config.locality.domain);
        let status = refusal.status();
        desk.command(Command::Refuse { call: self.key, status, headers });
        self.record.set_outcome(CallOutcome::Refused);
        self.record.set_pin(PinOutcome::None);
        if refusal.is_worth_recording() || self.record.is_kept() {
            let at = desk.wall;
            let decisions = vec![
                self.record.decision(at, Ruling::Refusal(status.as_u16()), refusal.rule()),
                self.record.decision(at, Ruling::Pin(PinOutcome::None), refusal.rule()),
            ];
            desk.note(Op::Decide(decisions));
            self.record.close(desk);
        }
        self.stage = Stage::Over;
        self.leave(desk);
    }

    /// Sockets are bound, or not.
    pub(crate) fn media_opened(&mut self, at: Result<SocketAddr, NoSockets>, desk: &mut Desk<'_>) {
        match (at, &self.stage) {
            (Ok(at), Stage::Preparing(_)) => {
                self.sockets.opened(at, desk);
                self.answer_if_ready(desk);
            }
            (Err(NoSockets), Stage::Preparing(_)) => {
                self.sockets.unavailable();
                self.refuse(&Refusal::NoMedia, desk);
            }
            (Ok(at), Stage::Dialling(_)) => {
                self.sockets.opened(at, desk);
                self.dial(at, desk);
            }
            (Err(NoSockets), Stage::Dialling(_)) => {
                self.sockets.unavailable();
                self.could_not_dial(desk);
            }
            // The caller has given up in the meantime, and the sockets have been given back.
            (_, _) => {}
        }
    }

    fn answer_if_ready(&mut self, desk: &mut Desk<'_>) {
        if let (Some(at), Stage::Preparing(preparation)) = (self.sockets.at(), &self.stage)
            && preparation.is_settled()
        {
            self.answer(at, desk);
        }
    }

    fn answer(&mut self, at: SocketAddr, desk: &mut Desk<'_>) {
        let Stage::Preparing(preparation) = std::mem::take(&mut self.stage) else { return };
        desk.disarm(CallTimer::Preparation);
        if !preparation.has_mailbox() {
            return self.refuse(&Refusal::NoStore, desk);
        }
        let call = self.key;
        let mut media = CallMedia::new(at, self.over_tls, desk);
        match preparation.offer.clone() {
            Some(Offer(offer)) => match media.answer(&offer, desk) {
                Ok((body, settled)) => {
                    desk.command(Command::Answer { call, body, headers: Vec::new() });
                    self.converse(*preparation, media, settled, desk);
                }
                Err(refusal) => return self.refuse(&Refusal::Session(refusal), desk),
            },
            // PEER-15: "offerless INVITE: U offers in 200".
            None => match media.offer(desk) {
                Ok(body) => {
                    desk.command(Command::Answer { call, body, headers: Vec::new() });
                    self.stage = Stage::AwaitingAnswer(Box::new((*preparation, media)));
                }
                Err(refusal) => return self.refuse(&Refusal::Session(refusal), desk),
            },
        }
        desk.arm(CallTimer::CallMax, desk.config.call_max);
    }

    fn converse(
        &mut self,
        preparation: Preparation,
        media: CallMedia,
        settled: Settled,
        desk: &mut Desk<'_>,
    ) {
        let skipped = matches!(preparation.plan, Plan::Access(_, Access::Waived(_)));
        let beginning = preparation.converse(desk);
        let call_id = self.record.call_id().to_owned();
        let mut mailbox = Mailbox::new(beginning.user.as_ref(), beginning.attempting, call_id);
        if skipped {
            mailbox.enter_by_skip();
        }
        let mut talk = Talk::new(beginning.conversation.0, mailbox, beginning.calling, settled.format, desk);
        if let Some((clip, audio)) = beginning.greeting {
            talk.greet(clip, audio, desk);
        }
        talk.hold(settled.held, desk);
        self.stage = Stage::Talking(Box::new((talk, media)));
        self.talk(desk, |talk, record, desk| talk.begin(beginning.conversation.1, record, desk));
    }

    /// The caller acknowledged the answer, with an answer of its own where ours was the offer.
    pub(crate) fn confirmed(&mut self, answer: Option<&[u8]>, desk: &mut Desk<'_>) {
        let Stage::AwaitingAnswer(waiting) = &mut self.stage else { return };
        match answer.map(|answer| waiting.1.complete(answer, desk)) {
            Some(Ok(settled)) => {
                let Stage::AwaitingAnswer(waiting) = std::mem::take(&mut self.stage) else { return };
                let (preparation, media) = *waiting;
                self.converse(preparation, media, settled, desk);
            }
            // RFC 3261 13.2.2.4 seen from here: an answer that cannot be used ends the call.
            Some(Err(_)) | None => {
                self.record.set_outcome(CallOutcome::Failed);
                self.hang_up(desk);
            }
        }
    }

    /// The peer wants to change the session.
    pub(crate) fn offered(&mut self, offer: Option<&[u8]>, desk: &mut Desk<'_>) {
        let call = self.key;
        let Stage::Talking(talking) = &mut self.stage else {
            // RFC 3261 14.2: the first exchange is not over.
            let status = umbel_sip_message::StatusCode::REQUEST_PENDING;
            return desk.command(Command::Reject { call, status, headers: Vec::new() });
        };
        let (talk, media) = &mut **talking;
        let answered = match offer {
            Some(offer) => media.answer(offer, desk).map(|(body, settled)| (body, Some(settled))),
            None => media.offer(desk).map(|body| (body, None)),
        };
        match answered {
            Ok((body, settled)) => {
                desk.command(Command::Accept { call, body });
                if let Some(settled) = settled {
                    talk.renegotiated(settled, desk);
                }
            }
            // SEC-74: the session stays as it was.
            Err(refusal) => {
                let refusal = Refusal::Session(refusal);
                let headers = refusal.headers(0, &desk.config.locality.domain);
                desk.command(Command::Reject { call, status: refusal.status(), headers });
            }
        }
    }

    /// The peer answered an offer that we made within the call.
    pub(crate) fn negotiated(&mut self, answer: &[u8], desk: &mut Desk<'_>) {
        let Stage::Talking(talking) = &mut self.stage else { return };
        let (talk, media) = &mut **talking;
        match media.complete(answer, desk) {
            Ok(settled) => {
                talk.renegotiated(settled, desk);
            }
            Err(_) => {
                self.blame(EventCause::Other);
                self.hang_up(desk);
            }
        }
    }

    /// The peer sent something beside the session (MED-4).
    pub(crate) fn info(&mut self, content_type: &str, body: &[u8], desk: &mut Desk<'_>) {
        if let Some(key) = keypad::key_in_info(content_type, body) {
            self.talk(desk, |talk, record, desk| talk.key(key, KeyWay::Info, record, desk));
        }
    }

    /// The media session told something.
    pub(crate) fn media(&mut self, event: MediaEvent, desk: &mut Desk<'_>) {
        if event == MediaEvent::RtpLost {
            // MED-8, DEC-31: the recording has ended before this.
            self.blame(EventCause::Other);
            return self.hang_up(desk);
        }
        self.talk(desk, |talk, record, desk| talk.media(event, record, desk));
    }

    /// The store replied.
    pub(crate) fn replied(&mut self, question: Question, reply: Reply, desk: &mut Desk<'_>) {
        match question {
            Question::Who { named, rank } => {
                if let Stage::Arriving(arrival) = &mut self.stage {
                    arrival.replied(named, rank, reply);
                    self.arrive(desk);
                } else if let Stage::Inquiring(inquiry) = &mut self.stage {
                    inquiry.found(named, rank, reply);
                    self.decide(desk);
                }
            }
            Question::PhoneCall(question) => {
                if let (Stage::Inquiring(inquiry), Some(standing)) = (&mut self.stage, &self.standing) {
                    inquiry.replied(question, reply, standing.owner());
                    self.decide(desk);
                }
            }
            Question::Preparation => {
                if let Stage::Preparing(preparation) = &mut self.stage {
                    preparation.replied(reply, desk);
                    self.answer_if_ready(desk);
                }
            }
            Question::Mailbox(question) => {
                self.talk(desk, |talk, record, desk| talk.mailbox_replied(question, reply, record, desk));
            }
            Question::Clip(fetch) => {
                self.talk(desk, |talk, record, desk| talk.clip_came(fetch, reply, record, desk));
            }
            Question::Deposit(id) => {
                self.talk(desk, |talk, record, desk| talk.deposit_replied(id, reply, record, desk));
            }
        }
    }

    /// The peer tells what came of sending it on.
    pub(crate) fn referring(&mut self, status: StatusCode, last: bool, desk: &mut Desk<'_>) {
        self.talk(desk, |talk, record, desk| talk.referring(status, last, record, desk));
    }

    /// A timer fired.
    pub(crate) fn timer(&mut self, timer: CallTimer, desk: &mut Desk<'_>) {
        match timer {
            CallTimer::Preparation => self.preparation_is_overdue(desk),
            // PEER-17
            CallTimer::CallMax => self.hang_up(desk),
            CallTimer::Ringing => self.ring_limit(desk),
            CallTimer::OnHold => self.was_never_heard(desk),
            CallTimer::Conversation
            | CallTimer::RecordingEnd
            | CallTimer::Saving
            | CallTimer::Retry(_)
            | CallTimer::Transfer => {
                self.talk(desk, |talk, record, desk| talk.timer(timer, record, desk));
            }
            // The server gave the question up, and told us as a reply.
            CallTimer::Reply(Ticket(_)) => {}
        }
    }

    /// REL-38: what is missing now is done without, if that is possible.
    fn preparation_is_overdue(&mut self, desk: &mut Desk<'_>) {
        match (&self.stage, self.sockets.at()) {
            (Stage::Arriving(_), _) => self.refuse(&Refusal::NoStore, desk),
            (Stage::Preparing(_), None) => self.refuse(&Refusal::NoMedia, desk),
            (Stage::Preparing(_), Some(at)) => self.answer(at, desk),
            (Stage::Inquiring(_), _) => {
                self.do_not_place(umbel_play_on_phone::Refusal::Unavailable, desk);
            }
            (Stage::Dialling(_), _) => self.could_not_dial(desk),
            (Stage::Between | Stage::AwaitingAnswer(_) | Stage::Ringing(_) | Stage::Talking(_), _) => {}
            (Stage::Over, _) => {}
        }
    }

    /// The user agent says that the call is over.
    pub(crate) fn ended(&mut self, ending: &Ending, desk: &mut Desk<'_>) {
        self.is_live = false;
        self.learn_ending(ending, desk);
        desk.tray.phone_calls.gone(self.key);
        if matches!(ending, Ending::NoAck | Ending::TransportFailed | Ending::Abandoned) {
            self.record.set_outcome(CallOutcome::Failed);
        }
        if let Stage::Talking(talking) = &mut self.stage {
            talking.0.hang_up(&mut self.record, desk);
        }
        self.leave(desk);
    }

    /// We end the call.
    pub(crate) fn hang_up(&mut self, desk: &mut Desk<'_>) {
        desk.command(Command::HangUp { call: self.key });
        if let Stage::Talking(talking) = &mut self.stage {
            talking.0.hang_up(&mut self.record, desk);
        }
        self.leave(desk);
    }

    /// REL-23: we end the call, since we are about to stop.
    pub(crate) fn stop(&mut self, desk: &mut Desk<'_>) {
        self.blame_stop();
        if let Stage::Talking(talking) = &mut self.stage {
            talking.0.stop(&mut self.record, desk);
        }
        self.hang_up(desk);
    }

    /// REL-25: something of this call broke. It ends as when we hang up, except that its conversation is not
    /// told any more; what was recorded so far is kept.
    pub(crate) fn fail(&mut self, desk: &mut Desk<'_>) {
        self.record.set_outcome(CallOutcome::Failed);
        self.blame(EventCause::Other);
        match &mut self.stage {
            Stage::Talking(talking) => talking.0.fail(&self.record, desk),
            // The user agent passes over what does not fit: this once the call is answered, and the hanging up
            // once it is refused.
            Stage::Between | Stage::Arriving(_) | Stage::Preparing(_) | Stage::AwaitingAnswer(_) => {
                let (call, status) = (self.key, Refusal::Broken.status());
                desk.command(Command::Refuse { call, status, headers: Vec::new() });
            }
            // The user agent never heard of it.
            Stage::Inquiring(_) | Stage::Dialling(_) => self.is_live = false,
            Stage::Ringing(_) | Stage::Over => {}
        }
        self.hang_up(desk);
    }

    /// REL-25: not even that could be done. Gives back what does not end by itself.
    pub(crate) fn abandon(&mut self, desk: &mut Desk<'_>) {
        desk.command(Command::HangUp { call: self.key });
        self.sockets.close(desk);
        if let Some(standing) = &mut self.standing {
            standing.over(desk);
            desk.tray.phone_calls.gone(self.key);
        }
        desk.alarm(Alarm::RecordingNotSaved { call_id: self.call_id().to_owned() });
    }

    /// Nobody is at the other end any more: gives back what is not needed.
    fn leave(&mut self, desk: &mut Desk<'_>) {
        self.record.end(desk.wall);
        desk.disarm(CallTimer::Preparation);
        desk.disarm(CallTimer::CallMax);
        desk.disarm(CallTimer::Ringing);
        desk.disarm(CallTimer::OnHold);
        desk.disarm(CallTimer::Transfer);
        self.sockets.close(desk);
        if let Some(standing) = &mut self.standing {
            standing.over(desk);
        }
        match &self.stage {
            Stage::Talking(_) => self.settle(desk),
            Stage::Between
            | Stage::Arriving(_)
            | Stage::Preparing(_)
            | Stage::AwaitingAnswer(_)
            | Stage::Inquiring(_)
            | Stage::Dialling(_)
            | Stage::Ringing(_) => {
                self.stage = Stage::Over;
                self.record.close(desk);
            }
            Stage::Over => {}
        }
    }

    fn talk(&mut self, desk: &mut Desk<'_>, happen: impl FnOnce(&mut Talk, &mut Record, &mut Desk<'_>)) {
        if let Stage::Talking(talking) = &mut self.stage {
            happen(&mut talking.0, &mut self.record, desk);
            self.settle(desk);
        }
    }

    /// The conversation is over and all that was recorded is safe.
    fn settle(&mut self, desk: &mut Desk<'_>) {
        if matches!(&self.stage, Stage::Talking(talking) if talking.0.is_over()) {
            self.stage = Stage::Over;
            self.record.close(desk);
        }
    }
}
