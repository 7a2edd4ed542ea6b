//! A call that we place because somebody asked for it ([MS-OCEXUM] 3.2).
//!
//! ```text
//!   Inquiring ──allowed──▶ Dialling ──sockets, INVITE──▶ Ringing ──2xx──▶ Talking ──BYE, all saved──▶ Over
//!       └──refused──▶ Over    └── no sockets ──▶ Over       └── refused, 60 s, hung up ──▶ Over
//! ```

use std::net::SocketAddr;
use std::time::Duration;

use umbel_ivr::{Conversation, play_on_phone as script};
use umbel_node::Transport;
use umbel_play_on_phone::{CallState, EventCause, PhoneCallId, Played, Refusal, Request};
use umbel_sip_message::{StatusCode, Uri};
use umbel_store::{CallKind, CallOutcome, Importance, Op, PinOutcome, Routing, Ruling, call_id_on_record};
use umbel_ua::{CallKey, Command, Ending};

use super::mailbox::Mailbox;
use super::media::{CallMedia, Sockets};
use super::record::Record;
use super::talk::{Calling, Talk};
use super::{Call, PREPARATION_PATIENCE, Stage};
use crate::config::ConfirmPlayback;
use crate::desk::{CallTimer, Desk};
use crate::play_on_phone::Sent;
use crate::play_on_phone::inquiry::{Allowed, Inquiry};
use crate::play_on_phone::invite::{Invite, invite};
use crate::play_on_phone::standing::Standing;

/// How long whoever answers a call of ours on hold has to take it off: a telephone that is rung by a third party
/// (RFC 3725 4.4) needs a moment.
const ON_HOLD_MAX: Duration = Duration::from_secs(30);
/// What a call of ours ends with that nobody answered in time.
const REQUEST_TERMINATED: u16 = 487;

/// A call that rings somewhere.
#[derive(Debug)]
pub(crate) struct Ringing {
    media: CallMedia,
    allowed: Allowed,
    /// Whom From and To name.
    party: umbel_sip_message::AddressOfRecord,
}

impl Call {
    /// A call that was just asked for.
    pub(crate) fn asked(request: &Request, proxy: &Uri, desk: &Desk<'_>) -> Call {
        let over_tls = crate::play_on_phone::invite::goes_over_tls(proxy);
        let transport = if over_tls { Transport::Tls } else { Transport::Tcp };
        Call {
            key: desk.call,
            record: Record::outgoing(transport, proxy.host().to_owned(), desk.wall),
            over_tls,
            remote: None,
            is_strangers: false,
            sockets: Sockets::default(),
            stage: Stage::Between,
            is_live: true,
            standing: Some(Box::new(Standing::new(request))),
        }
    }

    /// Looks into the request.
    pub(crate) fn inquire(&mut self, request: &Request, desk: &mut Desk<'_>) {
        match Inquiry::begin(request, desk) {
            Ok(inquiry) => {
                desk.arm(CallTimer::Preparation, PREPARATION_PATIENCE);
                self.stage = Stage::Inquiring(Box::new(inquiry));
                self.decide(desk);
            }
            Err(refusal) => self.do_not_place(refusal, desk),
        }
    }

    /// The same was asked again.
    pub(crate) fn repeated(&mut self, id: PhoneCallId, desk: &mut Desk<'_>) {
        if let Some(standing) = &mut self.standing {
            standing.repeated(id, desk);
        }
    }

    /// Goes on once the store has said everything.
    pub(super) fn decide(&mut self, desk: &mut Desk<'_>) {
        let (Stage::Inquiring(inquiry), Some(standing)) = (&mut self.stage, &mut self.standing) else {
            return;
        };
        let Some(verdict) = inquiry.verdict(desk) else { return };
        let counted = |allowed: Allowed, desk: &mut Desk<'_>| {
            if allowed.is_outside {
                let owner = allowed.owner.address();
                desk.tray.phone_calls.admission.dial_outside(desk.now, owner)?;
            }
            Ok(allowed)
        };
        match verdict.and_then(|allowed| counted(allowed, desk)) {
            Ok(allowed) => {
                standing.placed(desk);
                self.stage = Stage::Dialling(Box::new(allowed));
                self.sockets.open(desk);
            }
            Err(refusal) => self.do_not_place(refusal, desk),
        }
    }

    /// There will be no call.
    pub(super) fn do_not_place(&mut self, refusal: Refusal, desk: &mut Desk<'_>) {
        if let Some(standing) = &mut self.standing {
            standing.refuse(refusal, desk);
        }
        self.end_unplaced(desk);
    }

    /// The user agent never heard of it.
    fn end_unplaced(&mut self, desk: &mut Desk<'_>) {
        self.is_live = false;
        self.leave(desk);
    }

    /// Sends the INVITE, now that it is known where audio is to go.
    pub(super) fn dial(&mut self, at: SocketAddr, desk: &mut Desk<'_>) {
        let Stage::Dialling(allowed) = std::mem::take(&mut self.stage) else { return };
        desk.disarm(CallTimer::Preparation);
        let mut media = CallMedia::new(at, self.over_tls, desk);
        let settings = &desk.config.play_on_phone;
        let made = media.offer(desk).ok().zip(settings.outbound_proxy.as_ref()).and_then(|(offer, proxy)| {
            invite(&allowed.target, allowed.owner.address(), proxy, offer, settings)
        });
        // The settings have changed meanwhile, and offer nothing that goes this way.
        let Some(Invite { outgoing, party }) = made else { return self.could_not_dial(desk) };
        let parties = (address(&outgoing.from), address(&outgoing.target));
        self.record.set_parties(parties, false);
        self.record.set_kind(CallKind::PlayOnPhone, Some(allowed.owner.address()));
        desk.arm(CallTimer::Ringing, settings.ring_max);
        let call = self.key;
        desk.command(Command::Invite { call, outgoing: Box::new(outgoing) });
        self.stage = Stage::Ringing(Box::new(Ringing { media, allowed: *allowed, party }));
    }

    /// Nothing can be sent.
    pub(super) fn could_not_dial(&mut self, desk: &mut Desk<'_>) {
        self.blame(EventCause::Other);
        self.end_unplaced(desk);
    }

    /// The INVITE has left, under these names.
    pub(crate) fn placed(&mut self, call_id: &str, from_tag: String, desk: &mut Desk<'_>) {
        let Stage::Ringing(ringing) = &self.stage else { return };
        let Some(standing) = &self.standing else { return };
        let sent = Sent { call_id: call_id.to_owned(), from_tag, party: ringing.party.clone() };
        desk.tray.phone_calls.sent(self.key, sent);
        self.record.set_call_id(call_id_on_record(call_id).to_owned());
        let what = match standing.played() {
            Played::Message(id) => format!("the owner asked for message {id} to be played on a telephone"),
            Played::Greeting(_) => "the owner asked for a greeting to be played on a telephone".to_owned(),
        };
        let Allowed { target, rule, .. } = &ringing.allowed;
        let at = desk.wall;
        let decisions = vec![
            self.record.decision(at, Ruling::Who(CallKind::PlayOnPhone), what),
            self.record.decision(at, Ruling::Pin(PinOutcome::None), NO_MENU),
            self.record.decision(at, Ruling::Routing(Routing::Sent(target.to_string())), rule.as_str()),
        ];
        desk.note(Op::Decide(decisions));
        self.record.keep(desk);
    }

    /// A provisional response. What it may bring of audio is not listened to: nobody has answered.
    pub(crate) fn progressed(&mut self, status: StatusCode, desk: &mut Desk<'_>) {
        let (Stage::Ringing(_), Some(standing)) = (&self.stage, &mut self.standing) else { return };
        let is_alerted = status == StatusCode::RINGING || status == StatusCode::SESSION_PROGRESS;
        let state = if is_alerted { CallState::Alerted } else { CallState::Connecting };
        standing.stands(state, (status.as_u16(), status.reason().to_owned()), desk);
    }

    /// Somebody answered.
    pub(crate) fn answered(&mut self, status: StatusCode, answer: Option<&[u8]>, desk: &mut Desk<'_>) {
        let Stage::Ringing(ringing) = std::mem::take(&mut self.stage) else { return };
        let Ringing { mut media, allowed, .. } = *ringing;
        desk.disarm(CallTimer::Ringing);
        self.outcome_is(status.as_u16(), "somebody answered", desk);
        self.record.set_outcome(CallOutcome::Answered);
        if let Some(standing) = &mut self.standing {
            standing.answered((status.as_u16(), status.reason().to_owned()));
        }
        let settled = match answer.map(|answer| media.complete(answer, desk)) {
            Some(Ok(settled)) if !settled.without_media => settled,
            // RFC 3261 13.2.2.4: an answer that cannot be used ends the call. One with port 0 wants none of what it
            // was called for (RFC 3264 6).
            Some(_) | None => {
                self.record.set_outcome(CallOutcome::Failed);
                self.blame(EventCause::Other);
                return self.hang_up(desk);
            }
        };
        let Some(standing) = &mut self.standing else { return };
        standing.stands(CallState::Connected, (status.as_u16(), status.reason().to_owned()), desk);
        let confirm = match desk.config.play_on_phone.confirm {
            ConfirmPlayback::Numbers => allowed.is_outside,
            ConfirmPlayback::Always => true,
            ConfirmPlayback::Never => false,
        };
        let mut settings = desk.config.conversation;
        settings.play_on_phone.shortest = desk.config.recording.min;
        let played = standing.played();
        let item = match played {
            Played::Message(id) => script::Item::Message(id),
            Played::Greeting(kind) => script::Item::Greeting(kind),
        };
        let (conversation, orders) = Conversation::play_on_phone(settings, item, confirm);
        let call_id = self.record.call_id().to_owned();
        let mut mailbox = Mailbox::new(Some(&allowed.owner), String::new(), call_id);
        mailbox.enter_on_phone(played);
        let nobody = Calling {
            caller: umbel_store::Caller { id: String::new(), name: None, verified: false },
            subject: String::new(),
            importance: Importance::Normal,
        };
        let mut talk = Talk::new(conversation, mailbox, nobody, settled.format, desk);
        talk.hold(settled.held, desk);
        if settled.held {
            desk.arm(CallTimer::OnHold, ON_HOLD_MAX);
        }
        self.stage = Stage::Talking(Box::new((talk, media)));
        desk.arm(CallTimer::CallMax, desk.config.call_max);
        self.talk(desk, |talk, record, desk| talk.begin(orders, record, desk));
    }

    /// POP-6: nobody answers.
    pub(super) fn ring_limit(&mut self, desk: &mut Desk<'_>) {
        if let Stage::Ringing(_) = &self.stage {
            self.outcome_is(REQUEST_TERMINATED, "nobody answered in our own time (POP-6): no answer", desk);
            self.blame(EventCause::NoAnswer);
            self.hang_up(desk);
        }
    }

    /// Answered on hold, and on hold still: nobody will hear anything. Whoever hears it first and puts it on hold
    /// then has as long as any caller (DEC-31).
    pub(super) fn was_never_heard(&mut self, desk: &mut Desk<'_>) {
        self.record.set_outcome(CallOutcome::Failed);
        self.blame(EventCause::Other);
        self.hang_up(desk);
    }

    /// Whoever asked wants it to end.
    pub(crate) fn disconnect(&mut self, desk: &mut Desk<'_>) {
        match self.stage {
            Stage::Inquiring(_) => self.do_not_place(Refusal::Unavailable, desk),
            Stage::Dialling(_) => self.end_unplaced(desk),
            _ => {
                self.blame(EventCause::None);
                self.hang_up(desk);
            }
        }
    }

    /// The user agent says how a call of ours ended.
    pub(super) fn learn_ending(&mut self, ending: &Ending, desk: &mut Desk<'_>) {
        let Some(standing) = &mut self.standing else { return };
        let is_ringing = matches!(self.stage, Stage::Ringing(_));
        match ending {
            Ending::Refused(refused) => {
                let (status, cause) =
                    (refused.status.as_u16(), EventCause::of_status(refused.status.as_u16()));
                standing.answered((status, refused.reason.clone()));
                standing.blame(cause);
                let rule = format!("the call was refused, which means {cause:?} (DEC-26)");
                self.outcome_is(status, rule, desk);
            }
            // RFC 3261 8.1.3.1: as 408.
            Ending::NoResponse if is_ringing => {
                standing.blame(EventCause::NoAnswer);
                let rule = "nobody said anything at all, which means NoAnswer (RFC 3261 8.1.3.1)";
                self.outcome_is(StatusCode::REQUEST_TIMEOUT.as_u16(), rule, desk);
            }
            Ending::TransportFailed if is_ringing => {
                standing.blame(EventCause::Other);
                let rule = "the server to call through could not be reached (RFC 3261 8.1.3.1)";
                self.outcome_is(StatusCode::SERVICE_UNAVAILABLE.as_u16(), rule, desk);
            }
            Ending::Abandoned => standing.blame(EventCause::Other),
            Ending::NoAck | Ending::SessionExpired | Ending::TransportFailed | Ending::NoResponse => {
                standing.blame(EventCause::Other);
            }
            Ending::ByPeer | Ending::ByUs | Ending::Cancelled | Ending::CompletedElsewhere => {}
        }
    }

    /// Why the call is about to end, for whoever asked for it.
    pub(super) fn blame(&mut self, cause: EventCause) {
        if let Some(standing) = &mut self.standing {
            standing.blame(cause);
        }
    }

    /// Writes down what came of the INVITE.
    fn outcome_is(&self, status: u16, rule: impl Into<String>, desk: &mut Desk<'_>) {
        self.record.decide(Ruling::Routing(Routing::Answered(status)), rule, desk);
    }

    /// REL-23, REL-39: we are about to stop, so that nobody answers any more.
    pub(super) fn blame_stop(&mut self) {
        if let Some(standing) = &mut self.standing {
            let connected = standing.is_connected();
            standing.blame(if connected { EventCause::None } else { EventCause::NoAnswer });
        }
    }

    /// Whether nobody has been called yet, so that a server that is about to stop need not begin.
    pub(crate) fn is_only_asked_for(&self) -> bool {
        matches!(self.stage, Stage::Inquiring(_) | Stage::Dialling(_))
    }

    /// Our name for it.
    pub(crate) fn key(&self) -> CallKey {
        self.key
    }
}

/// Why the PIN is not asked for.
const NO_MENU: &str = "Play on Phone plays what the owner asked for, and opens nothing else (POP-11)";

/// What people see of a URI.
fn address(uri: &Uri) -> String {
    match uri.user_decoded() {
        Some(user) => format!("{user}@{}", uri.host()),
        None => uri.host().to_owned(),
    }
}
