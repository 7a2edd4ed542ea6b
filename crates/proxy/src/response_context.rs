//! One request on its way to several places: RFC 3261 16.7 to 16.10, with the rounds of [MS-SIPRE].
//!
//! A small machine: it knows branches by number and responses by status code, neither messages nor
//! flows nor the time. Its owner sends the requests, keeps the responses and runs the timers.
//!
//! ```text
//!              start                  Ring fires, or all branches failed
//!   +---------+     +---------+  with `later`   +---------+
//!   | (plan)  |---->| Ringing |---------------->| Widened |      the first ones keep ringing
//!   +---------+     +---------+                 +---------+
//!                        | else, `then` diverts  |
//!                        v                       v
//!                   +----------+  Forwarding fires, or all failed   +--------+
//!                   | Diverted |----------------------------------->| Ending |--> Answer
//!                   +----------+    (also: Cancelled, 6xx)          +--------+
//!        a 2xx from any branch, in any of them: Forward, cancel the others --> Over
//! ```

use std::time::Duration;

use umbel_sip_message::{DiversionReason, Reason, StatusCode};

use crate::forwarding::{Destination, Later, Ring, Then};
use crate::refusal::Refusal;

/// RFC 3261 16.6, step 11: "The timer MUST be larger than 3 minutes."
pub(crate) const TIMER_C: Duration = Duration::from_secs(181);
/// How long those who were told to stop have to say so, before the caller gets an answer without them.
pub(crate) const GRACE: Duration = Duration::from_secs(2);
/// SIPRE-31: how often one request changes its target.
pub(crate) const RETARGETS_MAX: u8 = 5;

/// One of the places that a request went to; numbered from 1 within its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BranchId(pub(crate) u32);

/// What runs while a request is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// How long this round rings: [MS-SIPRE]'s registered endpoints, primary user and secondary
    /// target timers, one after the other.
    Ring,
    /// [MS-SIPRE]'s call forwarding timer.
    Forwarding,
    /// RFC 3261 16.6, step 11.
    C(BranchId),
    /// See [`GRACE`].
    Grace,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A response, or what stands for one that did not come.
    Response(BranchId, StatusCode),
    /// A timer fired.
    Timer(Timer),
    /// The caller has given up.
    Cancelled,
}

/// What the owner is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Pass on the response that has just come.
    Forward,
    /// Pass on the best response kept, that of this branch.
    AnswerWith(BranchId),
    /// Refuse by ourselves.
    Refuse(Refusal),
    /// Cancel this branch.
    Cancel(BranchId, Reason),
    /// Ring these as well.
    Widen(Later),
    /// Send the request elsewhere, for this reason.
    Divert(Destination, DiversionReason),
    /// Send it to where this branch's response points (SIPRE-30).
    Follow(BranchId),
    /// Start or restart a timer.
    Arm(Timer, Duration),
    /// Stop a timer.
    Disarm(Timer),
}

/// Whose branch it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A registered endpoint of the callee, which may deflect the call.
    Endpoint,
    /// Somebody who rings beside the callee: an endpoint of another user, a number, another domain.
    Beside,
    /// Not a telephone of ours.
    Elsewhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Ringing,
    Widened,
    Diverted,
    Ending,
    Over,
}

#[derive(Clone, Copy, Debug)]
struct Branch {
    id: BranchId,
    kind: Kind,
    is_pending: bool,
    /// It belongs to a round that is over: only its success counts.
    is_cancelled: bool,
}

/// The machine.
#[derive(Clone, Debug)]
pub(crate) struct ResponseContext {
    stage: Stage,
    ring: Ring,
    /// An INVITE: it may ring for long, and can be cancelled.
    is_invite: bool,
    branches: Vec<Branch>,
    last: u32,
    /// Targets that are being looked up, so that it is not over yet.
    expected: u32,
    best: Option<(BranchId, StatusCode)>,
    /// What the caller gets where no better response comes.
    otherwise: Refusal,
    retargets: u8,
    is_answered: bool,
}

impl ResponseContext {
    pub(crate) fn new(is_invite: bool) -> Self {
        let ring = Ring {
            endpoints: false,
            ring_also: None,
            time: None,
            later: None,
            may_be_deflected: false,
            then: Then::GiveUp,
        };
        ResponseContext {
            stage: Stage::Ringing,
            ring,
            is_invite,
            branches: Vec::new(),
            last: 0,
            expected: 0,
            best: None,
            otherwise: Refusal::NoResponse,
            retargets: 0,
            is_answered: false,
        }
    }

    /// Rings by a plan: at first, and again when the call was forwarded to somebody with another.
    pub(crate) fn ring(&mut self, ring: Ring) -> Vec<Action> {
        self.stage = Stage::Ringing;
        let actions = match ring.time {
            Some(time) if self.is_invite => vec![Action::Arm(Timer::Ring, time)],
            _ => Vec::new(),
        };
        self.ring = ring;
        self.best = None;
        self.otherwise = Refusal::NotRegistered;
        actions
    }

    /// Sends the request to one place and no other, with no plan: in place of all that was.
    pub(crate) fn divert(&mut self) {
        self.stage = Stage::Diverted;
        self.best = None;
        self.otherwise = Refusal::NoAnswer;
    }

    /// A new branch. The request is about to leave on it.
    pub(crate) fn add(&mut self, kind: Kind) -> (BranchId, Vec<Action>) {
        self.last += 1;
        if self.otherwise == Refusal::NotRegistered {
            self.otherwise = Refusal::NoAnswer;
        }
        let id = BranchId(self.last);
        self.branches.push(Branch { id, kind, is_pending: true, is_cancelled: false });
        let actions = if self.is_invite { vec![Action::Arm(Timer::C(id), TIMER_C)] } else { Vec::new() };
        (id, actions)
    }

    /// A target is being looked up: what becomes of it is told by [`ResponseContext::settle`].
    pub(crate) fn expect(&mut self) {
        self.expected += 1;
    }

    /// The branches of a target that was expected have been added, or there are none.
    pub(crate) fn settle(&mut self) {
        self.expected = self.expected.saturating_sub(1);
    }

    /// All targets of this round have been added: what if there was none?
    pub(crate) fn check(&mut self) -> Vec<Action> {
        if self.is_exhausted() { self.exhausted() } else { Vec::new() }
    }

    /// Whether one more change of target is allowed, and counts it (SIPRE-31).
    pub(crate) fn may_retarget(&mut self) -> bool {
        self.retargets += 1;
        self.retargets <= RETARGETS_MAX
    }

    /// Ends without an answer from anybody: for those who cannot be reached at all.
    pub(crate) fn give_up(&mut self, refusal: Refusal) -> Vec<Action> {
        self.otherwise = refusal;
        self.best = None;
        self.end(&Reason::sip(480, "Temporarily Unavailable"))
    }

    /// Whether it still rings, and would go elsewhere if nobody answered.
    pub(crate) fn could_be_diverted(&self) -> bool {
        matches!(self.stage, Stage::Ringing | Stage::Widened) && self.is_invite && self.diverts()
    }

    /// Whether this response wants to push the call elsewhere, and the call must not be.
    pub(crate) fn refuses_deflection(&self, id: BranchId, status: StatusCode) -> bool {
        let is_endpoint = |branch: &&Branch| branch.id == id && branch.kind == Kind::Endpoint;
        let is_rung = matches!(self.stage, Stage::Ringing | Stage::Widened);
        let is_pushed = status.is_redirection() && self.branches.iter().find(is_endpoint).is_some();
        is_pushed && is_rung && !self.ring.may_be_deflected
    }

    pub(crate) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// Whether nobody else is to be asked any more: the caller has gone, or is about to be answered.
    pub(crate) fn is_ending(&self) -> bool {
        matches!(self.stage, Stage::Ending | Stage::Over)
    }

    /// Whether somebody has taken a call: successes may still come.
    pub(crate) fn is_answered(&self) -> bool {
        self.is_answered
    }

    /// How many branches there are, pending or not.
    pub(crate) fn len(&self) -> usize {
        self.branches.len()
    }

    pub(crate) fn step(&mut self, input: Input) -> Vec<Action> {
        match input {
            Input::Response(id, status) if status.is_provisional() => self.provisional(id, status),
            Input::Response(id, status) => self.finally(id, status),
            Input::Timer(Timer::Ring) => self.rung(),
            // SIPRE-24.
            Input::Timer(Timer::Forwarding) if !self.is_over() => self.give_up(Refusal::NoAnswer),
            // RFC 3261 16.8. Whoever has not even said 180 does not get a CANCEL before it does.
            Input::Timer(Timer::C(id)) if !self.is_over() => {
                vec![
                    Action::Cancel(id, Reason::sip(408, "Request Timeout")),
                    Action::Arm(Timer::C(id), GRACE * 20),
                ]
            }
            Input::Timer(Timer::Grace) if self.stage == Stage::Ending => self.answer(),
            // RFC 3261 16.10.
            Input::Cancelled if !self.is_over() => {
                self.otherwise = Refusal::Cancelled;
                self.best = None;
                self.end(&Reason::sip(487, "Request Terminated"))
            }
            // Late news about something already left behind.
            Input::Timer(_) | Input::Cancelled => Vec::new(),
        }
    }

    fn provisional(&mut self, id: BranchId, status: StatusCode) -> Vec<Action> {
        if !self.is_pending(id) || !self.is_invite || status == StatusCode::TRYING {
            return Vec::new();
        }
        let mut actions = vec![Action::Arm(Timer::C(id), TIMER_C)];
        // RFC 3261 16.7, step 5. Who is told to stop is not heard any more.
        if matches!(self.stage, Stage::Ringing | Stage::Widened | Stage::Diverted) {
            self.otherwise = Refusal::NoAnswer;
            actions.push(Action::Forward);
        }
        actions
    }

    fn finally(&mut self, id: BranchId, status: StatusCode) -> Vec<Action> {
        if status.is_success() {
            return self.succeeded(id);
        }
        let Some(branch) = self.branches.iter_mut().find(|branch| branch.id == id && branch.is_pending)
        else {
            return Vec::new();
        };
        branch.is_pending = false;
        let Branch { kind, is_cancelled, .. } = *branch;
        let mut actions = vec![Action::Disarm(Timer::C(id))];
        if self.is_over() {
            return actions;
        }
        if is_cancelled {
            if self.stage == Stage::Ending && self.is_exhausted() {
                actions.extend(self.answer());
            }
            return actions;
        }
        let is_deflection = status.is_redirection() && kind == Kind::Endpoint;
        if is_deflection
            && matches!(self.stage, Stage::Ringing | Stage::Widened)
            && self.ring.may_be_deflected
            && self.is_invite
        {
            actions.extend(self.cancel_pending(&Reason::sip(302, "Moved Temporarily")));
            self.divert();
            actions.extend([Action::Disarm(Timer::Ring), Action::Follow(id)]);
            return actions;
        }
        // SENS-15: it is a failed branch and nothing more. SIPRE-30: the caller sees no redirection by a
        // telephone, nor by anybody whom it did not call.
        if !status.is_redirection() || (kind == Kind::Elsewhere && self.retargets == 0) {
            self.keep(id, status);
        }
        // RFC 3261 16.7, step 5: "SHOULD cancel all client pending transactions".
        if status.class() == 6 && self.stage != Stage::Ending {
            let busy_everywhere = status.as_u16() == 600 && self.stage != Stage::Diverted && self.diverts();
            if !busy_everywhere {
                actions.extend(self.end(&Reason::sip(status.as_u16(), status.reason())));
                return actions;
            }
            // SIPRE-27.
            actions.extend(self.expire(DiversionReason::UserBusy));
            return actions;
        }
        if self.is_exhausted() {
            actions.extend(self.exhausted());
        }
        actions
    }

    /// RFC 3261 16.7, steps 5 and 10: every 2xx is passed on, and the others are cancelled.
    fn succeeded(&mut self, id: BranchId) -> Vec<Action> {
        for branch in self.branches.iter_mut().filter(|branch| branch.id == id) {
            branch.is_pending = false;
        }
        let mut actions = vec![Action::Forward, Action::Disarm(Timer::C(id))];
        self.is_answered = self.is_invite;
        if !self.is_over() {
            // STD-3.
            actions.extend(self.cancel_pending(&Reason::sip(200, "Call completed elsewhere")));
            actions.extend(self.over());
        }
        actions
    }

    /// The round has lasted long enough.
    fn rung(&mut self) -> Vec<Action> {
        match (self.stage, &self.ring.later) {
            (Stage::Ringing, Some(later)) => {
                let later = later.clone();
                self.stage = Stage::Widened;
                // The first ones keep ringing.
                vec![Action::Arm(Timer::Ring, later.time), Action::Widen(later)]
            }
            (Stage::Ringing | Stage::Widened, _) => self.expire(DiversionReason::NoAnswer),
            _ => Vec::new(),
        }
    }

    /// Nobody is left who could answer.
    fn exhausted(&mut self) -> Vec<Action> {
        match self.stage {
            // SIPRE-26: at once, not when the timer fires.
            Stage::Ringing if self.ring.later.is_some() => self.rung(),
            Stage::Ringing | Stage::Widened => {
                let reason = match self.best.map(|(_, status)| status.as_u16()) {
                    Some(486 | 600) => DiversionReason::UserBusy,
                    Some(_) => DiversionReason::NoAnswer,
                    None => DiversionReason::Unavailable,
                };
                self.expire(reason)
            }
            Stage::Diverted | Stage::Ending => self.answer(),
            Stage::Over => Vec::new(),
        }
    }

    /// SIPRE-20 to SIPRE-22, SENS-11.
    fn expire(&mut self, reason: DiversionReason) -> Vec<Action> {
        // STD-3: missed, once.
        let missed = Reason::sip(480, "Temporarily Unavailable");
        match self.ring.then.clone() {
            Then::Divert(to) => {
                let mut actions = self.cancel_pending(&missed);
                self.divert();
                actions.extend([Action::Disarm(Timer::Ring), Action::Divert(to, reason)]);
                actions
            }
            Then::GiveUp if self.is_exhausted() => self.answer(),
            Then::GiveUp => {
                self.otherwise = Refusal::NoAnswer;
                // 5.6: one busy and the others silent is busy.
                self.best = self.best.filter(|(_, status)| matches!(status.as_u16(), 486 | 600 | 603));
                self.end(&missed)
            }
        }
    }

    fn end(&mut self, reason: &Reason) -> Vec<Action> {
        self.stage = Stage::Ending;
        let mut actions = self.cancel_pending(reason);
        actions.extend([Action::Disarm(Timer::Ring), Action::Disarm(Timer::Forwarding)]);
        if self.is_exhausted() {
            actions.extend(self.answer());
        } else {
            actions.push(Action::Arm(Timer::Grace, GRACE));
        }
        actions
    }

    fn answer(&mut self) -> Vec<Action> {
        let mut actions = match self.best {
            Some((id, _)) => vec![Action::AnswerWith(id)],
            None => vec![Action::Refuse(self.otherwise)],
        };
        actions.extend(self.over());
        actions
    }

    fn over(&mut self) -> Vec<Action> {
        self.stage = Stage::Over;
        [Timer::Ring, Timer::Forwarding, Timer::Grace].into_iter().map(Action::Disarm).collect()
    }

    fn cancel_pending(&mut self, reason: &Reason) -> Vec<Action> {
        let mut actions = Vec::new();
        for branch in self.branches.iter_mut().filter(|branch| branch.is_pending && !branch.is_cancelled) {
            branch.is_cancelled = true;
            if self.is_invite {
                actions.push(Action::Cancel(branch.id, reason.clone()));
            }
        }
        actions
    }

    /// RFC 3261 16.7, step 6.
    fn keep(&mut self, id: BranchId, status: StatusCode) {
        if self.best.is_none_or(|(_, best)| rank(status) < rank(best)) {
            self.best = Some((id, status));
        }
    }

    /// Whether the plan lets the call go elsewhere: never that of a call which may not be diverted.
    fn diverts(&self) -> bool {
        matches!(self.ring.then, Then::Divert(_))
    }

    fn is_pending(&self, id: BranchId) -> bool {
        self.branches.iter().any(|branch| branch.id == id && branch.is_pending)
    }

    /// Nobody is left who could answer; at the end, nobody who was told to stop and has not said so.
    fn is_exhausted(&self) -> bool {
        let waits_for_cancelled = self.stage == Stage::Ending;
        let waits_for = |branch: &Branch| branch.is_pending && (waits_for_cancelled || !branch.is_cancelled);
        self.expected == 0 && !self.branches.iter().any(waits_for)
    }
}

/// RFC 3261 16.7, step 6: 6xx before all others, else the lowest class; within it what the caller can
/// do something about.
fn rank(status: StatusCode) -> (u16, u16) {
    let class = if status.class() == 6 { 0 } else { status.class() };
    let within = match status.as_u16() {
        401 | 407 => 0,
        415 | 420 | 484 => 1,
        486 => 2,
        // Says least of all.
        408 | 487 => 999,
        code => 100 + code % 100,
    };
    (class, within)
}

#[cfg(test)]
#[path = "response_context_tests.rs"]
mod tests;
