//! Keeping the session alive, and noticing that nobody does: RFC 4028.

use umbel_sip_message::{Draft, HeaderName, Headers};
use umbel_time::Instant;

use super::Call;
use crate::refusal::Refusal;
use crate::session_timer::{Asked, Due, SessionTimer, grant};
use crate::shared::{CallTimer, Shared};

impl Call {
    /// RFC 4028 9: whether the interval that a request asks for is long enough.
    pub(crate) fn check_interval(shared: &Shared, headers: &Headers) -> Result<(), Refusal> {
        grant(asked(headers), None, shared.config.min_se)
            .map(|_| ())
            .map_err(|too_small| Refusal::IntervalTooSmall { min_se: too_small.min_se })
    }

    /// Writes into our 2xx what we grant, and begins to count.
    pub(super) fn grant_session(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        headers: &Headers,
        draft: &mut Draft,
    ) {
        // RFC 4028 9: within a session the interval in force stays proposed.
        let propose = self.session.map(SessionTimer::interval).or(shared.config.session_expires);
        // Requests with too small an interval were refused when they came.
        let granted = grant(asked(headers), propose, shared.config.min_se).ok().flatten();
        if let Some(granted) = granted {
            let expires = umbel_sip_message::SessionExpires {
                seconds: granted.interval,
                refresher: Some(granted.refresher),
            };
            draft.push(HeaderName::SessionExpires, expires.to_string());
            if granted.require {
                draft.push(HeaderName::Require, "timer");
            }
        }
        self.run_session_timer(now, shared, granted.map(SessionTimer::after_granting));
    }

    /// A 2xx to an INVITE or UPDATE of ours came (RFC 4028 7.2).
    pub(super) fn session_agreed(&mut self, now: Instant, shared: &mut Shared, headers: &Headers) {
        let expires = headers.session_expires().ok().flatten();
        let timer = SessionTimer::after_response(
            expires.map(|expires| expires.seconds),
            expires.and_then(|expires| expires.refresher),
        );
        self.run_session_timer(now, shared, timer);
    }

    /// What a re-INVITE or UPDATE of ours says of the session interval (RFC 4028 7.4).
    pub(super) fn propose_session(&self, shared: &Shared, draft: &mut Draft) {
        match self.session {
            Some(session) => {
                let expires = umbel_sip_message::SessionExpires {
                    seconds: session.interval(),
                    refresher: Some(session.refresher()),
                };
                draft.push(HeaderName::SessionExpires, expires.to_string());
            }
            None => {
                if let Some(interval) = shared.config.session_expires {
                    draft.push(HeaderName::SessionExpires, interval.to_string());
                }
            }
        }
    }

    fn run_session_timer(&mut self, now: Instant, shared: &mut Shared, session: Option<SessionTimer>) {
        self.session = session;
        shared.disarm(self.key, CallTimer::Refresh);
        shared.disarm(self.key, CallTimer::Expire);
        let Some(session) = session else { return };
        let (wait, due) = session.wait();
        if due == Due::Refresh {
            shared.arm(now, self.key, CallTimer::Refresh, wait);
        }
        shared.arm(now, self.key, CallTimer::Expire, session.expiry());
    }
}

fn asked(headers: &Headers) -> Asked {
    // What cannot be read asks for nothing.
    let expires = headers.session_expires().ok().flatten();
    Asked {
        interval: expires.map(|expires| expires.seconds),
        refresher: expires.and_then(|expires| expires.refresher),
        min_se: headers.min_se().ok().flatten(),
        supported: headers.has_token(&HeaderName::Supported, "timer"),
    }
}
