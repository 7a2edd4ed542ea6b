//! The brain of one command: what a run of the telephone is to achieve, and whether it did.
//!
//! A value around a [`Telephone`], without clock, socket or file: it gives the orders that a person would
//! give, and ends with an [`Outcome`].

use std::time::Duration;

use umbel_node::{Input, Node, Output};
use umbel_phone::{
    CallKey, Config, Dial, Ended, How, MessageWaiting, News, Order, Progress, Registration, Telephone, Wish,
};
use umbel_sip_message::{StatusCode, Uri};
use umbel_time::Instant;
use umbel_ua::ExtraHeaders;

use super::script::{Running, Script};

/// How long we wait to be told what waits in the mailbox: the SUBSCRIBE's Timer F, and as long for a NOTIFY.
const TOLD_WITHIN: Duration = Duration::from_secs(64);
/// How long hanging up and withdrawing the registration may take in the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// What is wanted.
#[derive(Clone, Debug)]
pub(super) enum Goal {
    /// A call; registered first where `registers` says so.
    Call { target: Uri, headers: ExtraHeaders, registers: bool },
    /// A call to one's own voice mail; registered first where `registers` says so.
    VoiceMail { skip_pin: bool, registers: bool },
    /// One call that comes within this time.
    Answer { within: Duration, answering: Wanted },
    /// To be reachable, for this long or until somebody says stop.
    Register { stay: Option<Duration> },
    /// To know what waits in the mailbox: once, or for this long with all changes.
    MessageWaiting { stay: Option<Duration> },
}

impl Goal {
    /// Whom we are going to call, as people say it.
    pub(super) fn callee(&self) -> Option<String> {
        match self {
            Goal::Call { target, .. } => Some(super::face::address(target)),
            Goal::VoiceMail { .. } => Some("voice mail".to_owned()),
            Goal::Answer { .. } | Goal::Register { .. } | Goal::MessageWaiting { .. } => None,
        }
    }
}

/// What somebody who answers wants to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// That the call is answered.
    Answered,
    /// That it rings in vain.
    Rung,
    /// That it is refused or sent on.
    Refused,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// What was asked for happened.
    Done,
    /// Stopped from outside, after what was asked for had happened.
    Stopped,
    /// Stopped from outside before that.
    Interrupted,
    /// We hung up before anybody answered.
    GivenUp,
    /// Keys were to be pressed, and the other side takes none.
    NoKeys,
    /// The other side, or a server, refused the call.
    Refused { status: StatusCode, reason: String, error_id: Option<u32> },
    /// The sessions could not be agreed on.
    NoSession { why: String },
    /// Nobody answered the call.
    NoAnswer,
    /// Nobody called us in time.
    NobodyCalled,
    /// Somebody did, and gave up before the call was answered.
    CallerGaveUp,
    /// Nobody told us what waits in the mailbox.
    NotTold,
    /// The server does not want us registered.
    NotRegistered(StatusCode),
    /// The server is in trouble, and does not register anybody now.
    NotNow(StatusCode),
    /// The server could not be reached, or was lost.
    Unreachable,
    /// It did not respond to our call.
    NoResponse,
    /// There were no sockets for the sound.
    NoRoom,
}

/// One run.
pub(super) struct Errand {
    telephone: Telephone,
    goal: Goal,
    script: Script,
    stage: Stage,
    /// The call that is up, and what is being done in it.
    running: Option<(CallKey, Running)>,
    /// A call that has sent us on or is replaced, and the call that came of it, until one of them is over.
    successor: Option<(CallKey, CallKey)>,
    /// The call that another one has sent us to last, or that replaced one.
    sent_to: Option<CallKey>,
    /// Whether the server has a registration of ours.
    registered: bool,
    /// Whether we were told what waits in the mailbox.
    told: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// The first registration is under way.
    Registering,
    /// We are reachable, until then.
    Reachable(Option<Instant>),
    /// Our call is under way.
    Calling(CallKey),
    /// All that is left is to say goodbye, until then at most.
    Leaving(Instant, Outcome),
    Over(Outcome),
}

impl Errand {
    /// Begins.
    pub(super) fn begin(
        now: Instant,
        config: Config,
        goal: Goal,
        script: Script,
        rng: rand_chacha::ChaCha20Rng,
    ) -> Self {
        let telephone = Telephone::new(config, rng);
        let stage = Stage::Registering;
        let mut errand = Errand {
            telephone,
            goal,
            script,
            stage,
            running: None,
            successor: None,
            sent_to: None,
            registered: false,
            told: false,
        };
        let registers = match errand.goal {
            Goal::Call { registers, .. } | Goal::VoiceMail { registers, .. } => registers,
            Goal::Answer { .. } | Goal::Register { .. } | Goal::MessageWaiting { .. } => true,
        };
        if registers {
            errand.telephone.handle(now, Input::Order(Order::Register));
        } else {
            errand.call(now);
        }
        errand
    }

    /// Something happened.
    pub(super) fn handle(&mut self, now: Instant, input: Input<Order>) {
        self.telephone.handle(now, input);
        self.wake(now);
    }

    /// The next thing to do. News are among them, after we have acted on them.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Output<Wish>> {
        let output = self.telephone.poll_output()?;
        if let Output::Wish(Wish::Tell(news)) = &output {
            self.told(now, news);
        }
        Some(output)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let own = match &self.stage {
            Stage::Reachable(until) => *until,
            Stage::Leaving(until, _) => Some(*until),
            Stage::Registering | Stage::Calling(_) | Stage::Over(_) => None,
        };
        let script = self.done_with().map(|(_, at)| at);
        [own, script, self.telephone.poll_timeout()].into_iter().flatten().min()
    }

    /// What became of it, once it is over.
    pub(super) fn outcome(&self) -> Option<&Outcome> {
        match &self.stage {
            Stage::Over(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Somebody wants it to end.
    pub(super) fn stop(&mut self, now: Instant) {
        let is_done = match &self.goal {
            Goal::Register { .. } => !matches!(self.stage, Stage::Registering),
            Goal::MessageWaiting { .. } => self.told,
            Goal::Call { .. } | Goal::VoiceMail { .. } | Goal::Answer { .. } => self.running.is_some(),
        };
        self.leave(now, if is_done { Outcome::Stopped } else { Outcome::Interrupted });
    }

    /// A name for a call that somebody wants placed.
    pub(super) fn fresh_call(&mut self) -> CallKey {
        self.telephone.fresh_call()
    }

    /// A person wants this.
    pub(super) fn order(&mut self, now: Instant, order: Order) {
        self.handle(now, Input::Order(order));
    }

    /// The telephone, for what a face asks of it.
    pub(super) fn telephone(&self) -> &Telephone {
        &self.telephone
    }

    /// How many keys the script presses.
    pub(super) fn key_count(&self) -> usize {
        self.script.key_count()
    }

    fn call(&mut self, now: Instant) {
        let call = self.telephone.fresh_call();
        self.stage = Stage::Calling(call);
        let order = match &self.goal {
            Goal::Call { target, headers, .. } => {
                Order::Call(Box::new(Dial { call, target: target.clone(), headers: headers.clone() }))
            }
            Goal::VoiceMail { skip_pin, .. } => Order::CallVoiceMail { call, skip_pin: *skip_pin },
            Goal::Answer { .. } | Goal::Register { .. } | Goal::MessageWaiting { .. } => return,
        };
        self.telephone.handle(now, Input::Order(order));
    }

    fn told(&mut self, now: Instant, news: &News) {
        match news {
            News::Registration { change, .. } => self.registration(now, *change),
            News::Call { change: Progress::Answered(answered), .. }
                if !answered.takes_keys && self.wants_keys() =>
            {
                self.leave(now, Outcome::NoKeys);
            }
            News::Call { call, change: Progress::Answered(answered), .. } => {
                let sent = self.sent_to == Some(*call);
                let (running, commands) = if sent || !answered.takes_keys {
                    self.script.go_on(now)
                } else {
                    self.script.begin(now)
                };
                self.running = Some((*call, running));
                for command in commands {
                    self.telephone.handle(now, Input::Order(Order::Sound { call: *call, command }));
                }
            }
            News::Call { call, change: Progress::Sound(event), .. } => {
                if let Some((_, running)) = self.running.as_mut().filter(|(running, _)| running == call) {
                    running.heard(now, event);
                }
            }
            News::Call {
                call,
                change:
                    Progress::Transferred { call: successor, .. } | Progress::Replaced { call: successor, .. },
                ..
            } => {
                self.successor = Some((*call, *successor));
                self.sent_to = Some(*successor);
            }
            News::Call { call, change: Progress::Ended(ended), .. } => self.ended(now, *call, ended),
            News::Call { .. } => {}
            News::MessageWaiting { change, .. } => self.message_waiting(now, change),
        }
    }

    /// Whether the run is about keys that are pressed in the first call: who stays registered takes calls as they come.
    fn wants_keys(&self) -> bool {
        let first = self.sent_to.is_none() && !matches!(self.goal, Goal::Register { .. });
        first && self.script.key_count() > 0
    }

    fn message_waiting(&mut self, now: Instant, change: &MessageWaiting) {
        let Goal::MessageWaiting { stay } = &self.goal else { return };
        match (change, stay) {
            (MessageWaiting::Summary { .. }, Some(_)) => self.told = true,
            (MessageWaiting::Summary { .. }, None) => self.leave(now, Outcome::Done),
            // A server that refuses may still tell unasked; who said how long to wait is not disappointed yet.
            (MessageWaiting::Refused(status), None) => {
                let (status, reason) = (*status, status.reason().to_owned());
                self.leave(now, Outcome::Refused { status, reason, error_id: None });
            }
            (MessageWaiting::Ended, None) => self.leave(now, Outcome::NotTold),
            (MessageWaiting::Lost | MessageWaiting::Refused(_) | MessageWaiting::Ended, _) => {}
        }
    }

    fn registration(&mut self, now: Instant, change: Registration) {
        self.registered = matches!(change, Registration::Registered { .. });
        match (change, &self.stage) {
            (Registration::Registered { .. }, Stage::Registering) => match &self.goal {
                Goal::Answer { within, .. } => self.stage = Stage::Reachable(Some(now + *within)),
                Goal::Register { stay } => self.stage = Stage::Reachable(stay.map(|stay| now + stay)),
                Goal::MessageWaiting { stay } => {
                    self.stage = Stage::Reachable(Some(now + stay.unwrap_or(TOLD_WITHIN)));
                    self.telephone.handle(now, Input::Order(Order::WatchMailbox));
                }
                Goal::Call { .. } | Goal::VoiceMail { .. } => self.call(now),
            },
            // Who has never been registered is told so at once; later losses are mended by the telephone.
            (Registration::Lost { status: None }, Stage::Registering) => {
                self.stage = Stage::Over(Outcome::Unreachable);
            }
            (Registration::Lost { status: Some(status) }, Stage::Registering) => {
                self.stage = Stage::Over(Outcome::NotNow(status));
            }
            (Registration::Refused(status), Stage::Registering | Stage::Reachable(_)) => {
                self.leave(now, Outcome::NotRegistered(status));
            }
            (_, Stage::Leaving(..)) => self.over_when_settled(),
            _ => {}
        }
    }

    fn ended(&mut self, now: Instant, call: CallKey, ended: &Ended) {
        if self.running.as_ref().is_some_and(|(running, _)| *running == call) {
            self.running = None;
        }
        if let Some((from, to)) = self.successor.take_if(|(from, to)| call == *from || call == *to) {
            // Whoever could not be reached in its place: the call goes on as it was. Otherwise what was to happen
            // in it happens in the other one from now on.
            let is_wanted = match (&self.stage, &self.goal) {
                (Stage::Calling(ours), _) => *ours == from,
                (Stage::Reachable(_), Goal::Answer { .. }) => true,
                _ => false,
            };
            if is_wanted {
                if call == from {
                    self.stage = Stage::Calling(to);
                }
                return;
            }
        }
        match (&self.stage, &self.goal) {
            (Stage::Calling(ours), _) if *ours == call => self.leave(now, of_our_call(ended)),
            (Stage::Reachable(_), Goal::Answer { answering, .. }) => {
                if let Some(outcome) = of_answering(ended, *answering) {
                    self.leave(now, outcome);
                }
            }
            (Stage::Leaving(..), _) => self.over_when_settled(),
            _ => {}
        }
    }

    /// Ends what is going on, and then the run.
    fn leave(&mut self, now: Instant, outcome: Outcome) {
        if matches!(self.stage, Stage::Leaving(..) | Stage::Over(_)) {
            return;
        }
        self.stage = Stage::Leaving(now + FAREWELL, outcome);
        self.running = None;
        let calls: Vec<CallKey> = self.telephone.calls().collect();
        for call in calls {
            self.telephone.handle(now, Input::Order(Order::HangUp { call }));
        }
        self.telephone.handle(now, Input::Order(Order::UnwatchMailbox));
        if self.registered {
            self.telephone.handle(now, Input::Order(Order::Unregister));
        }
        self.over_when_settled();
    }

    fn over_when_settled(&mut self) {
        let settled = !self.registered && self.telephone.calls().next().is_none();
        if let (true, Stage::Leaving(_, outcome)) = (settled, &self.stage) {
            self.stage = Stage::Over(outcome.clone());
        }
    }

    fn wake(&mut self, now: Instant) {
        if let Some((call, at)) = self.done_with()
            && at <= now
        {
            self.running = None;
            self.telephone.handle(now, Input::Order(Order::HangUp { call }));
        }
        match &self.stage {
            Stage::Reachable(Some(until)) if *until <= now => self.time_is_up(now),
            Stage::Leaving(until, outcome) if *until <= now => self.stage = Stage::Over(outcome.clone()),
            _ => {}
        }
    }

    /// The call that is to be hung up, and when. Who is being sent on waits for what comes of it.
    fn done_with(&self) -> Option<(CallKey, Instant)> {
        let (call, running) = self.running.as_ref()?;
        let waits = self.successor.is_some_and(|(from, _)| from == *call);
        running.hang_up_at().filter(|_| !waits).map(|at| (*call, at))
    }

    fn time_is_up(&mut self, now: Instant) {
        match self.goal {
            // A call that came in time is seen to its end.
            Goal::Answer { .. } if self.telephone.calls().next().is_some() => {
                self.stage = Stage::Reachable(None);
            }
            Goal::Answer { .. } => self.leave(now, Outcome::NobodyCalled),
            Goal::MessageWaiting { .. } if !self.told => self.leave(now, Outcome::NotTold),
            Goal::MessageWaiting { .. }
            | Goal::Register { .. }
            | Goal::Call { .. }
            | Goal::VoiceMail { .. } => {
                self.leave(now, Outcome::Done);
            }
        }
    }
}

/// What became of a call that we placed.
fn of_our_call(ended: &Ended) -> Outcome {
    match (&ended.how, ended.lasted) {
        (How::NoSession { why, .. }, _) => Outcome::NoSession { why: why.clone() },
        (How::Lost, None) => Outcome::NoResponse,
        (How::Lost | How::NoConnection, _) => Outcome::Unreachable,
        (_, Some(_)) => Outcome::Done,
        (How::Refused { status, reason, error_id }, None) => {
            Outcome::Refused { status: *status, reason: reason.clone(), error_id: *error_id }
        }
        (How::NoRoom, None) => Outcome::NoRoom,
        (How::ByUs, None) => Outcome::GivenUp,
        (_, None) => Outcome::NoAnswer,
    }
}

/// What became of a call that came; `None` where another one is still waited for.
fn of_answering(ended: &Ended, wanted: Wanted) -> Option<Outcome> {
    match (&ended.how, ended.lasted, wanted) {
        (How::NoSession { why, .. }, ..) => Some(Outcome::NoSession { why: why.clone() }),
        (How::NoRoom, ..) => Some(Outcome::NoRoom),
        (How::Lost | How::NoConnection, Some(_), _) => Some(Outcome::Unreachable),
        (_, Some(_), _) => Some(Outcome::Done),
        (How::RefusedByUs(_), None, Wanted::Refused) => Some(Outcome::Done),
        // The line was in use, or this telephone was not there for this caller.
        (How::RefusedByUs(_), None, Wanted::Answered | Wanted::Rung) => None,
        (_, None, Wanted::Rung) => Some(Outcome::Done),
        (How::NoAnswer, None, Wanted::Answered | Wanted::Refused) => Some(Outcome::NoAnswer),
        (How::ByUs, None, Wanted::Answered) => Some(Outcome::GivenUp),
        (_, None, Wanted::Answered | Wanted::Refused) => Some(Outcome::CallerGaveUp),
    }
}

#[cfg(test)]
#[path = "errand_tests.rs"]
mod tests;
