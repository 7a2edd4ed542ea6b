//! Calls that were refused before it was known what they are: for those who ask why (SEC-32).

use std::time::Duration;

use umbel_node::{Flow, Transport};
use umbel_ocexum::{Policy, trust};
use umbel_sip_message::{HeaderName, Request, StatusCode};
use umbel_store::{Decision, Ruling, call_id_on_record};
use umbel_time::{Instant, UnixTime};

/// So many go on record in [`WINDOW`]. Anybody can bring them about, so the others do not (SEC-66).
const RECORDED_MAX: u32 = 10;
/// For how long that counts.
const WINDOW: Duration = Duration::from_secs(1);

/// How many have gone on record lately.
#[derive(Debug, Default)]
pub(crate) struct TurnedAway {
    since: Option<Instant>,
    recorded: u32,
}

impl TurnedAway {
    /// Whether one more goes on record.
    pub(crate) fn may_record(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| now.since(since) >= WINDOW) {
            (self.since, self.recorded) = (Some(now), 0);
        }
        self.recorded = self.recorded.saturating_add(1);
        self.recorded <= RECORDED_MAX
    }
}

/// What goes on record of it.
pub(crate) fn decision(
    (transport, policy): (&Flow, &Policy),
    request: &Request,
    at: UnixTime,
    (status, why): (StatusCode, &str),
) -> Decision {
    Decision {
        call_id: call_id_on_record(request.headers().call_id()).to_owned(),
        at,
        mailbox: None,
        transport: match transport.transport {
            Transport::Tcp => umbel_store::Transport::Tcp,
            Transport::Tls => umbel_store::Transport::Tls,
        },
        peer: trust(transport, policy, at).peer,
        command_seen: request.headers().has(&HeaderName::MsExchangeCommand),
        ruling: Ruling::Refusal(status.as_u16()),
        rule: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // SEC-66
    #[test]
    fn ten_a_second_go_on_record_and_the_next_second_ten_more() {
        let mut turned_away = TurnedAway::default();
        for second in [0, 1, 5] {
            let now = Instant::ZERO + Duration::from_secs(second);
            let recorded = (0..1_000).filter(|_| turned_away.may_record(now)).count();
            assert_eq!(recorded, 10, "{second}");
            let late = now + Duration::from_millis(999);
            assert!(!turned_away.may_record(late), "{second}");
        }
    }
}
