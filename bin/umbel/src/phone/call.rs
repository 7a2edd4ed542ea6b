//! The brain of one call that the telephone makes: from the INVITE to the exit status.
//!
//! A value without clock, socket or file. It is told what the user agent and the media report, and is
//! then asked for what it wants done.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use umbel_media::{Clip, Keystroke, PlayId, RecordId, RecordLimits};
use umbel_node::Input;
use umbel_sdp::{Capabilities, PendingOffer};
use umbel_sip_message::HeaderName;
use umbel_time::Instant;
use umbel_ua::{Agent, CallKey, Command, Ending, Event, OfferedBy, Outgoing};

use super::parameters::parameters;

/// After the sound has been played.
const AFTER_SOUND: Duration = Duration::from_secs(1);
/// After the last key.
const AFTER_KEYS: Duration = Duration::from_secs(2);
/// How long we wait for an answer before giving up: beyond a ring time of a minute and Timer B.
const ANSWERED_WITHIN: Duration = Duration::from_secs(100);
/// The longest recording: more than the longest call.
const RECORD_MAX: Duration = Duration::from_secs(24 * 3_600);

const SOUND: PlayId = PlayId(1);
const RECORDING: RecordId = RecordId(1);

/// What the caller wants done in the call.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Where to, as whom, with which headers. The offer is filled in here.
    pub(crate) outgoing: Outgoing,
    pub(crate) capabilities: Capabilities,
    pub(crate) over_tls: bool,
    pub(crate) sound: Option<Clip>,
    /// Say it this long after the answer.
    pub(crate) sound_after: Duration,
    pub(crate) keys: Vec<Keystroke>,
    pub(crate) record: bool,
    /// Hang up this long after the answer.
    pub(crate) hang_up_after: Option<Duration>,
}

/// What the brain wants done.
#[derive(Debug)]
pub(crate) enum Want {
    /// SIP's outputs.
    Sip(umbel_node::Output<Infallible>),
    /// Something for the media session.
    Media(umbel_media::Command),
    /// Something to tell the user.
    Tell(News),
    /// Audio that was heard, for the recording.
    Keep(Bytes),
    /// The call is over, and this is what became of it.
    Over(Outcome),
}

/// What happened, for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Ringing { code: u16, reason: String },
    Answered { code: u16, reason: String, codec: umbel_media::Codec, encrypted: bool },
    PromptStarted,
    Keys { pressed: usize },
    Ended { code: u16, reason: String, lasted: Duration },
}

/// What became of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was up, and ended in order.
    Done,
    /// The other side refused it, or the session could not be agreed on.
    Refused { code: u16, reason: String },
    /// Nobody answered in time.
    NoAnswer,
    /// The server could not be reached, or was lost.
    Unreachable,
}

/// The call.
pub(crate) struct Call {
    agent: Agent,
    key: CallKey,
    call_id: String,
    rng: ChaCha20Rng,
    session: umbel_sdp::Session,
    pending: Option<PendingOffer>,
    plan: Plan,
    state: State,
    /// What is still to end before we hang up by ourselves.
    playing: bool,
    pressing: bool,
    /// There was sound to play.
    said_something: bool,
    hang_up_at: Option<Instant>,
    wants: VecDeque<Want>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The INVITE is on its way, since then.
    Calling(Instant),
    /// The call is up, since then.
    Up(Instant),
    Over,
}

impl Call {
    /// Places the call.
    pub(crate) fn place(now: Instant, agent: umbel_ua::Config, mut plan: Plan, mut rng: ChaCha20Rng) -> Self {
        let mut agent = Agent::new(agent, fork(&mut rng));
        let key = agent.fresh_call();
        let mut session = umbel_sdp::Session::new(plan.capabilities.clone(), plan.over_tls, &mut rng);
        let mut wants = VecDeque::new();
        let mut state = State::Calling(now);
        let pending = match session.offer(umbel_sdp::Direction::SendRecv, &mut rng) {
            Ok((offer, pending)) => {
                plan.outgoing.offer = offer;
                agent.command(now, Command::Invite { call: key, outgoing: Box::new(plan.outgoing.clone()) });
                Some(pending)
            }
            Err(refusal) => {
                wants.push_back(Want::Over(Outcome::Refused {
                    code: refusal.status(),
                    reason: refusal.to_string(),
                }));
                state = State::Over;
                None
            }
        };
        let call_id = agent.call_id(key).unwrap_or_default().to_owned();
        let mut call = Call {
            agent,
            key,
            call_id,
            rng,
            session,
            pending,
            plan,
            state,
            playing: false,
            pressing: false,
            said_something: false,
            hang_up_at: None,
            wants,
        };
        call.pump(now);
        call
    }

    /// Something happened on a connection, or the time of [`Call::poll_timeout`] has come.
    pub(crate) fn handle(&mut self, now: Instant, input: Input<Infallible>) {
        self.agent.handle(now, input);
        self.pump(now);
        self.give_up_when_due(now);
    }

    /// Something happened in the media session.
    pub(crate) fn media(&mut self, now: Instant, event: umbel_media::Event) {
        use umbel_media::Event as Media;
        match event {
            Media::FirstPacketReceived => self.wants.push_back(Want::Tell(News::PromptStarted)),
            Media::PlayEnded { id: SOUND, .. } => {
                self.playing = false;
                self.hang_up_when_done(now, AFTER_SOUND);
            }
            Media::DigitsSent => {
                self.pressing = false;
                let pressed =
                    self.plan.keys.iter().filter(|stroke| matches!(stroke, Keystroke::Press(_))).count();
                self.wants.push_back(Want::Tell(News::Keys { pressed }));
                self.hang_up_when_done(now, AFTER_KEYS);
            }
            Media::Recorded { chunk, .. } => self.wants.push_back(Want::Keep(chunk)),
            Media::RtpLost => self.hang_up(now),
            // Keys of the other side, and the ends of what we began and stopped ourselves.
            _ => {}
        }
    }

    /// The user wants it to end.
    pub(crate) fn hang_up(&mut self, now: Instant) {
        if self.state != State::Over {
            self.hang_up_at = None;
            self.agent.command(now, Command::HangUp { call: self.key });
            self.pump(now);
        }
    }

    /// Whether every request has its response.
    pub(crate) fn is_settled(&self) -> bool {
        self.agent.is_settled()
    }

    /// The Call-ID, for what is told of the call.
    pub(crate) fn call_id(&self) -> &str {
        &self.call_id
    }

    pub(crate) fn poll_want(&mut self) -> Option<Want> {
        self.wants.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let own = match self.state {
            State::Calling(since) => Some(since + ANSWERED_WITHIN),
            State::Up(_) => self.hang_up_at,
            State::Over => None,
        };
        match (own, self.agent.poll_timeout()) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    fn give_up_when_due(&mut self, now: Instant) {
        let due = match self.state {
            State::Calling(since) => Some(since + ANSWERED_WITHIN),
            State::Up(_) => self.hang_up_at,
            State::Over => None,
        };
        if due.is_some_and(|due| due <= now) {
            self.hang_up(now);
            // Asked once is enough: from here on, the agent's own timers end the call.
            if let State::Calling(_) = self.state {
                self.state = State::Calling(now + ANSWERED_WITHIN);
            }
        }
    }

    fn pump(&mut self, now: Instant) {
        loop {
            while let Some(event) = self.agent.poll_event() {
                self.event(now, event);
            }
            match self.agent.poll_output() {
                Some(output) => self.wants.push_back(Want::Sip(output)),
                None => return,
            }
        }
    }

    fn event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Progress { status, .. } if status.as_u16() > 100 => {
                let reason = status.reason().to_owned();
                self.wants.push_back(Want::Tell(News::Ringing { code: status.as_u16(), reason }));
            }
            Event::Answered { response, answer, .. } => {
                let code = response.status().as_u16();
                let reason = String::from_utf8_lossy(response.reason()).into_owned();
                self.answered(now, code, reason, answer.as_deref());
            }
            Event::Offered { call, offer, by } => self.offered(now, call, offer.as_deref(), by),
            Event::Ended { ending, .. } => self.ended(now, ending),
            _ => {}
        }
    }

    fn answered(&mut self, now: Instant, code: u16, reason: String, answer: Option<&[u8]>) {
        let negotiated = match (self.pending.take(), answer) {
            (Some(pending), Some(answer)) => self.session.complete(pending, answer),
            // RFC 3261 13.2.1: an offer in the INVITE is answered in the 2xx.
            _ => Err(umbel_sdp::Refusal::AnswerMismatch),
        };
        let negotiated = match negotiated {
            Ok(negotiated) => negotiated,
            Err(refusal) => {
                self.wants.push_back(Want::Over(Outcome::Refused {
                    code: refusal.status(),
                    reason: refusal.to_string(),
                }));
                return self.hang_up(now);
            }
        };
        let parameters = parameters(&negotiated);
        self.state = State::Up(now);
        self.wants.push_back(Want::Tell(News::Answered {
            code,
            reason,
            codec: parameters.codec,
            encrypted: parameters.srtp.is_some(),
        }));
        self.wants.push_back(Want::Media(umbel_media::Command::Update(parameters)));
        self.begin(now);
    }

    /// The call is up: do what was planned for it.
    fn begin(&mut self, now: Instant) {
        self.hang_up_at = self.plan.hang_up_after.map(|time| now + time);
        if self.plan.record {
            let limits = RecordLimits { max: RECORD_MAX, silence: None, min: Duration::ZERO };
            self.wants.push_back(Want::Media(umbel_media::Command::Record { id: RECORDING, limits }));
        }
        if let Some(clip) = self.plan.sound.take() {
            self.playing = true;
            self.said_something = true;
            let mut clips = vec![Clip::Silence(self.plan.sound_after), clip];
            clips.retain(|clip| !clip.duration().is_zero());
            let play = umbel_media::Command::Play { id: SOUND, clips, from: Duration::ZERO };
            self.wants.push_back(Want::Media(play));
        }
        if !self.plan.keys.is_empty() {
            self.pressing = true;
            self.wants.push_back(Want::Media(umbel_media::Command::SendDigits(self.plan.keys.clone())));
        }
    }

    /// Who only presses keys wants to hear what comes of them: for as long as was asked for, or for a moment.
    fn hang_up_when_done(&mut self, now: Instant, after: Duration) {
        let listens_on = !self.said_something && self.plan.hang_up_after.is_some();
        if !self.playing && !self.pressing && !listens_on {
            let soon = now + after;
            self.hang_up_at = Some(self.hang_up_at.map_or(soon, |earlier| earlier.min(soon)));
        }
    }

    /// The other side changes the session: hold, another codec, another address.
    fn offered(&mut self, now: Instant, call: CallKey, offer: Option<&[u8]>, _by: OfferedBy) {
        let answer = match offer {
            Some(offer) => self.session.answer(offer, &mut self.rng).map(|(body, negotiated)| {
                self.wants.push_back(Want::Media(umbel_media::Command::Update(parameters(&negotiated))));
                body
            }),
            None => {
                self.session.offer(umbel_sdp::Direction::SendRecv, &mut self.rng).map(|(body, pending)| {
                    self.pending = Some(pending);
                    body
                })
            }
        };
        let command = match answer {
            Ok(body) => Command::Accept { call, body },
            Err(refusal) => Command::Reject {
                call,
                status: umbel_sip_message::StatusCode::NOT_ACCEPTABLE_HERE,
                headers: vec![(HeaderName::Warning, format!("399 umbel \"{refusal}\""))],
            },
        };
        self.agent.command(now, command);
    }

    fn ended(&mut self, now: Instant, ending: Ending) {
        let since = match self.state {
            State::Over => return,
            State::Up(since) => Some(since),
            State::Calling(_) => None,
        };
        self.state = State::Over;
        let (code, reason) = match &ending {
            Ending::Refused(refused) => (refused.status.as_u16(), refused.reason.clone()),
            Ending::ByPeer => (200, "the other side hung up".to_owned()),
            Ending::ByUs | Ending::Cancelled | Ending::Abandoned => (200, "hung up".to_owned()),
            Ending::NoResponse | Ending::NoAck => (408, "no response".to_owned()),
            Ending::SessionExpired => (408, "the session expired".to_owned()),
            Ending::TransportFailed => (503, "the connection failed".to_owned()),
        };
        let outcome = match (since, ending) {
            (Some(_), Ending::TransportFailed | Ending::NoResponse | Ending::SessionExpired) => {
                Outcome::Unreachable
            }
            (Some(_), _) => Outcome::Done,
            (None, Ending::Refused(_)) => Outcome::Refused { code, reason: reason.clone() },
            (None, Ending::TransportFailed) => Outcome::Unreachable,
            (None, _) => Outcome::NoAnswer,
        };
        let lasted = since.map_or(Duration::ZERO, |since| now.since(since));
        self.wants.push_back(Want::Tell(News::Ended { code, reason, lasted }));
        self.wants.push_back(Want::Over(outcome));
    }
}

/// A generator for another room, from the same seed.
fn fork(rng: &mut ChaCha20Rng) -> ChaCha20Rng {
    use rand_core::{Rng, SeedableRng};
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    ChaCha20Rng::from_seed(seed)
}

#[cfg(test)]
#[path = "call_tests.rs"]
mod tests;
