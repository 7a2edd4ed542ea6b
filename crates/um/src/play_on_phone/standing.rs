//! What has been told to whoever asked for a call: one first news, then how it stands, and its end last.

use umbel_play_on_phone::{CallState, EventCause, News, PhoneCallId, Played, Refusal, Request, Status};
use umbel_store::Address;

use crate::desk::Desk;
use crate::order::Wish;

/// Requests that wait to hear whether the call that they repeat is placed. A further one is refused.
const REPEATS_MAX: usize = 16;

/// One call that somebody asked for, as the one who asked knows it.
#[derive(Debug)]
pub(crate) struct Standing {
    id: PhoneCallId,
    owner: Address,
    played: Played,
    /// The same request, made again before it was decided.
    repeats: Vec<PhoneCallId>,
    told: Told,
    status: Status,
    /// Why it ended, once somebody knows.
    cause: Option<EventCause>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Placed,
    Over,
}

impl Standing {
    pub(crate) fn new(request: &Request) -> Standing {
        Standing {
            id: request.id,
            owner: request.owner.clone(),
            played: request.played,
            repeats: Vec::new(),
            told: Told::Nothing,
            status: Status::connecting(),
            cause: None,
        }
    }

    pub(crate) fn owner(&self) -> &Address {
        &self.owner
    }

    pub(crate) fn played(&self) -> Played {
        self.played
    }

    /// The same was asked again.
    pub(crate) fn repeated(&mut self, id: PhoneCallId, desk: &mut Desk<'_>) {
        match self.told {
            Told::Nothing if self.repeats.len() < REPEATS_MAX => self.repeats.push(id),
            Told::Nothing => tell(id, News::Refused(Refusal::Unavailable), desk),
            Told::Placed | Told::Over => tell(id, News::Repeats(self.id), desk),
        }
    }

    /// It may be placed, and is about to be.
    pub(crate) fn placed(&mut self, desk: &mut Desk<'_>) {
        self.told = Told::Placed;
        tell(self.id, News::Placed, desk);
        for id in std::mem::take(&mut self.repeats) {
            tell(id, News::Repeats(self.id), desk);
        }
    }

    /// There will be no call.
    pub(crate) fn refuse(&mut self, refusal: Refusal, desk: &mut Desk<'_>) {
        if self.told == Told::Nothing {
            self.told = Told::Over;
            let repeats = std::mem::take(&mut self.repeats);
            for id in std::iter::once(self.id).chain(repeats) {
                tell(id, News::Refused(refusal), desk);
            }
            desk.tray.phone_calls.ended(&self.owner, self.id);
        }
    }

    /// A response came: the telephone rings, or is answered.
    pub(crate) fn stands(&mut self, state: CallState, response: (u16, String), desk: &mut Desk<'_>) {
        // What rang does not stop ringing because another telephone is only being looked for.
        let state = match (self.status.state, state) {
            (CallState::Alerted, CallState::Connecting) => CallState::Alerted,
            (_, state) => state,
        };
        let status = Status { state, cause: EventCause::None, response: Some(response) };
        if self.told == Told::Placed && status != self.status {
            self.status = status;
            tell(self.id, News::Standing(self.status.clone()), desk);
        }
    }

    /// The final response, which is told with the end.
    pub(crate) fn answered(&mut self, response: (u16, String)) {
        self.status.response = Some(response);
    }

    /// Why it is about to end; what was known first counts.
    pub(crate) fn blame(&mut self, cause: EventCause) {
        self.cause.get_or_insert(cause);
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.status.state == CallState::Connected
    }

    /// It is over, and that is told once.
    pub(crate) fn over(&mut self, desk: &mut Desk<'_>) {
        match self.told {
            Told::Nothing => self.refuse(Refusal::Unavailable, desk),
            Told::Placed => {
                self.told = Told::Over;
                self.status.state = CallState::Disconnected;
                self.status.cause = self.cause.unwrap_or(EventCause::None);
                tell(self.id, News::Standing(self.status.clone()), desk);
                desk.tray.phone_calls.ended(&self.owner, self.id);
            }
            Told::Over => {}
        }
    }
}

/// Tells whoever asked.
pub(crate) fn tell(id: PhoneCallId, news: News, desk: &mut Desk<'_>) {
    desk.wish(Wish::PhoneCall { id, news });
}
