//! The lamp of a contact that has not subscribed, and is told unasked.

use std::time::Duration;

use umbel_event_notification::Pace;
use umbel_node::FlowId;
use umbel_sip_message::{StatusCode, Uri};

use crate::location::Binding;

/// How long a telephone that has just registered may take to subscribe before it is told unasked.
pub(crate) const SUBSCRIBES_WITHIN: Duration = Duration::from_secs(2);
/// How long a NOTIFY waits that could not be delivered.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(10);
/// How often in a row; then the contact is left alone until it registers over another flow, or until
/// there is something new.
pub(crate) const RETRIES_MAX: u8 = 3;

/// What is known of a contact's lamp.
#[derive(Clone, Debug)]
pub(crate) struct Lamp {
    pub(crate) contact: Uri,
    /// The flow that it registered over.
    pub(crate) flow: Option<FlowId>,
    /// RFC 3327: other telephones may be behind the same flow.
    pub(crate) is_behind_edge: bool,
    pub(crate) pace: Pace,
    /// It has just registered and may be about to subscribe.
    pub(crate) is_settling: bool,
    /// It does not want to be told unasked; for as long as the binding lives.
    pub(crate) has_refused: bool,
    pub(crate) retries: u8,
}

impl Lamp {
    /// The lamp of a contact that has just registered.
    pub(crate) fn of(binding: &Binding) -> Self {
        Lamp {
            contact: binding.contact.clone(),
            flow: binding.flow,
            is_behind_edge: !binding.path.is_empty(),
            pace: Pace::default(),
            is_settling: true,
            has_refused: false,
            retries: 0,
        }
    }

    /// The same contact over another flow: the telephone may have been switched off, and know nothing.
    pub(crate) fn moved_to(self, flow: Option<FlowId>) -> Self {
        Lamp { flow, pace: Pace::default(), is_settling: true, retries: 0, ..self }
    }
}

/// What the answer to a NOTIFY that nobody had asked for means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was taken.
    Taken,
    /// Not now.
    Later,
    /// Never: the telephone knows nothing of this event, or of NOTIFYs without a subscription.
    Never,
}

/// Judges an answer. What is about the moment may pass; what is about the request does not.
pub(crate) fn judge(status: StatusCode) -> Verdict {
    match status.as_u16() {
        200..=299 => Verdict::Taken,
        408 | 480 | 486 | 500 | 502..=599 | 600 => Verdict::Later,
        _ => Verdict::Never,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn refusals_are_of_the_moment_or_for_good() {
        let judge = |code: u16| judge(StatusCode::new(code).unwrap());
        assert_eq!(judge(200), Verdict::Taken);
        for code in [408, 480, 486, 500, 503, 600] {
            assert_eq!(judge(code), Verdict::Later, "{code}");
        }
        for code in [400, 403, 405, 415, 481, 489, 501, 603] {
            assert_eq!(judge(code), Verdict::Never, "{code}");
        }
    }
}
