//! Session timers: RFC 4028. A call whose peer has silently gone ends by itself.

use std::time::Duration;

use umbel_sip_message::Refresher;

/// RFC 4028 4: no session interval may be shorter, in seconds.
pub(crate) const MIN_SE: u32 = 90;

/// What a request says about session timers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// `Session-Expires`, in seconds.
    pub(crate) interval: Option<u32>,
    /// Its `refresher` parameter.
    pub(crate) refresher: Option<Refresher>,
    /// `Min-SE`, in seconds.
    pub(crate) min_se: Option<u32>,
    /// Whether `Supported` lists `timer`.
    pub(crate) supported: bool,
}

/// What a 2xx of ours states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    /// `Session-Expires`, in seconds.
    pub(crate) interval: u32,
    /// Its `refresher` parameter.
    pub(crate) refresher: Refresher,
    /// Whether `Require: timer` goes with it.
    pub(crate) require: bool,
}

/// The interval asked for is too small: 422 with Min-SE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooSmall {
    /// The smallest that we accept, in seconds.
    pub(crate) min_se: u32,
}

/// Decides what our 2xx to an INVITE or UPDATE states (RFC 4028 9).
///
/// `propose` is the interval that we want where the peer asks for none; `None` leaves the session
/// without a timer then.
pub(crate) fn grant(asked: Asked, propose: Option<u32>, min_se: u32) -> Result<Option<Granted>, TooSmall> {
    let min_se = min_se.max(MIN_SE);
    match (asked.interval, propose) {
        (Some(interval), _) if interval < min_se => Err(TooSmall { min_se }),
        (Some(interval), _) => {
            let refresher = match (asked.supported, asked.refresher) {
                // RFC 4028 9, table 2: a proxy asked on behalf of a caller who knows no timers.
                (false, _) => Refresher::Uas,
                (true, Some(refresher)) => refresher,
                // Who asked for a timer can be trusted to keep it.
                (true, None) => Refresher::Uac,
            };
            // RFC 4028 9: "MUST place a Require header field with the value 'timer'" iff uac.
            Ok(Some(Granted { interval, refresher, require: refresher == Refresher::Uac }))
        }
        // We want it, so we do the work; that needs no support from the peer.
        (None, Some(interval)) => {
            let interval = interval.max(asked.min_se.unwrap_or(0)).max(min_se);
            Ok(Some(Granted { interval, refresher: Refresher::Uas, require: false }))
        }
        (None, None) => Ok(None),
    }
}

/// A running session timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionTimer {
    interval: u32,
    we_refresh: bool,
}

/// What is due when the time given by [`SessionTimer::wait`] is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// We have to send a re-INVITE or UPDATE.
    Refresh,
    /// The peer should have: the session ends.
    Expire,
}

impl SessionTimer {
    /// After our 2xx.
    pub(crate) fn after_granting(granted: Granted) -> Self {
        SessionTimer { interval: granted.interval, we_refresh: granted.refresher == Refresher::Uas }
    }

    /// After a 2xx to a request of ours. Without `Session-Expires` the session has no timer
    /// (RFC 4028 7.2). An interval below the lawful minimum is taken for the minimum.
    pub(crate) fn after_response(interval: Option<u32>, refresher: Option<Refresher>) -> Option<Self> {
        let interval = interval?.max(MIN_SE);
        Some(SessionTimer { interval, we_refresh: refresher != Some(Refresher::Uas) })
    }

    /// The session interval, in seconds.
    pub(crate) fn interval(self) -> u32 {
        self.interval
    }

    /// The `refresher` parameter of a request that we send now: it keeps the roles as they are.
    pub(crate) fn refresher(self) -> Refresher {
        if self.we_refresh { Refresher::Uac } else { Refresher::Uas }
    }

    /// What is due first, and how long after the last refresh.
    pub(crate) fn wait(self) -> (Duration, Due) {
        if self.we_refresh {
            // RFC 4028 10: "It is RECOMMENDED that this refresh be sent once half the session
            // interval has elapsed."
            (Duration::from_secs(u64::from(self.interval)) / 2, Due::Refresh)
        } else {
            (self.expiry(), Due::Expire)
        }
    }

    /// RFC 4028 10: "the side not performing refreshes … SHOULD send a BYE … slightly before the
    /// session expires. The minimum of 32 seconds and one third of the session interval is
    /// RECOMMENDED." The refresher, where no refresh succeeded, does the same.
    pub(crate) fn expiry(self) -> Duration {
        Duration::from_secs(u64::from(self.interval - (self.interval / 3).min(32)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PROPOSED: Option<u32> = Some(1_800);

    fn granted(asked: Asked) -> Option<(u32, Refresher, bool)> {
        grant(asked, PROPOSED, MIN_SE).unwrap().map(|g| (g.interval, g.refresher, g.require))
    }

    // PEER-16, RFC 4028 5: at the limit, one below, one above.
    #[test]
    fn ninety_seconds_are_enough_and_eighty_nine_are_not() {
        let asking = |interval| Asked { interval: Some(interval), supported: true, ..Asked::default() };
        assert_eq!(grant(asking(89), PROPOSED, MIN_SE), Err(TooSmall { min_se: 90 }));
        assert_eq!(granted(asking(90)), Some((90, Refresher::Uac, true)));
        assert_eq!(granted(asking(91)), Some((91, Refresher::Uac, true)));
    }

    // RFC 4028 9, table 2
    #[test]
    fn the_caller_chooses_who_refreshes() {
        let asking = |refresher| Asked { interval: Some(600), refresher, supported: true, min_se: None };
        assert_eq!(granted(asking(Some(Refresher::Uac))), Some((600, Refresher::Uac, true)));
        assert_eq!(granted(asking(Some(Refresher::Uas))), Some((600, Refresher::Uas, false)));
        assert_eq!(granted(asking(None)), Some((600, Refresher::Uac, true)));
    }

    // RFC 4028 9, table 2
    #[test]
    fn a_caller_without_session_timers_never_has_to_refresh() {
        let asked = Asked { interval: Some(600), refresher: Some(Refresher::Uac), ..Asked::default() };
        assert_eq!(granted(asked), Some((600, Refresher::Uas, false)));
    }

    // PEER-16
    #[test]
    fn without_a_wish_of_the_caller_we_propose_ours_and_refresh_ourselves() {
        assert_eq!(granted(Asked::default()), Some((1_800, Refresher::Uas, false)));
        let asked = Asked { min_se: Some(3_600), supported: true, ..Asked::default() };
        assert_eq!(granted(asked), Some((3_600, Refresher::Uas, false)));
        assert_eq!(grant(Asked::default(), None, MIN_SE), Ok(None));
    }

    // RFC 4028 10
    #[test]
    fn the_refresher_acts_at_half_time_and_the_other_shortly_before_the_end() {
        let ours = SessionTimer::after_response(Some(1_800), Some(Refresher::Uac)).unwrap();
        assert_eq!(ours.wait(), (Duration::from_secs(900), Due::Refresh));
        let theirs = SessionTimer::after_response(Some(1_800), Some(Refresher::Uas)).unwrap();
        assert_eq!(theirs.wait(), (Duration::from_secs(1_768), Due::Expire));
        let short = SessionTimer::after_response(Some(90), Some(Refresher::Uas)).unwrap();
        assert_eq!(short.wait(), (Duration::from_secs(60), Due::Expire));
    }

    #[test]
    fn a_session_interval_of_nothing_or_forever_does_no_harm() {
        assert_eq!(SessionTimer::after_response(None, None), None);
        assert_eq!(SessionTimer::after_response(Some(0), None).unwrap().interval(), 90);
        let forever = SessionTimer::after_response(Some(u32::MAX), Some(Refresher::Uas)).unwrap();
        assert_eq!(forever.wait().1, Due::Expire);
    }

    #[test]
    fn roles_stay_when_the_other_side_asks() {
        let granted = Granted { interval: 600, refresher: Refresher::Uac, require: true };
        let timer = SessionTimer::after_granting(granted);
        assert_eq!(timer.refresher(), Refresher::Uas);
    }
}
