//! The comparisons of the tour: what was seen, what it should be, and whether it is.
//!
//! Pure functions, so that tests can hand them the wrong thing and see them fail.

use serde::Serialize;
use umbel_likeness::{SAME, find, find_despite_stalls};
use umbel_node::Transport;
use umbel_sip_message::{HeaderName, Message, Method, StatusCode};
use umbel_store::{Decision, PinOutcome, Ruling};

use crate::tap::{Seen, What};

/// One comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Check {
    /// What should be.
    pub(super) what: String,
    /// What is.
    pub(super) found: String,
    pub(super) held: bool,
}

impl Check {
    pub(super) fn new(what: impl Into<String>, found: impl Into<String>, held: bool) -> Self {
        Check { what: what.into(), found: found.into(), held }
    }

    /// The same, found at the `nth` attempt; nobody need be told of the first.
    #[must_use]
    pub(super) fn at_attempt(mut self, nth: usize) -> Self {
        if nth > 1 {
            self.found = format!("{}, at attempt {nth}", self.found);
        }
        self
    }
}

/// Whether what was heard holds what was said.
pub(super) fn holds(what: &str, said: &[i16], heard: &[i16]) -> Check {
    let found = find_despite_stalls(said, heard);
    Check::new(what, alike(found.likeness), found.is_same())
}

/// Whether what was heard lacks what was not to be said. Silence proves nothing: there must be sound.
pub(super) fn lacks(what: &str, said: &[i16], heard: &[i16]) -> Check {
    let found = find(said, heard);
    let is_silent = heard.iter().all(|sample| sample.unsigned_abs() < QUIET);
    match is_silent {
        true => Check::new(what, "nothing at all was heard", false),
        false => Check::new(what, format!("the likest place is {}", alike(found.likeness)), !found.is_same()),
    }
}

/// What is quieter is silence.
const QUIET: u16 = 330;

fn alike(likeness: f64) -> String {
    format!("{likeness:.2} alike, the same from {SAME:.2}")
}

/// Whether the PIN was treated like this, and by which rule.
pub(super) fn pin(what: &str, decisions: &[Decision], expected: PinOutcome) -> Check {
    let latest = decisions.iter().rev().find_map(|decision| match decision.ruling {
        Ruling::Pin(outcome) => Some((outcome, decision.rule.as_str())),
        _ => None,
    });
    match latest {
        Some((outcome, rule)) => {
            Check::new(what, format!("umbel why: {}, by {rule}", outcome.as_str()), outcome == expected)
        }
        None => Check::new(what, "no decision is on record", false),
    }
}

/// Whether every message of the step went over TLS, and there were some.
pub(super) fn all_over_tls(seen: &[Seen]) -> Check {
    let over: Vec<Transport> = seen
        .iter()
        .filter_map(|seen| match seen.what {
            What::Message { over, .. } => Some(over),
            What::Sound(_) | What::Web(_) => None,
        })
        .collect();
    let tls = over.iter().filter(|over| **over == Transport::Tls).count();
    let found = format!("{tls} of {} messages over TLS", over.len());
    Check::new("nothing went in clear", found, tls > 0 && tls == over.len())
}

/// The requests of a method that one element sent to another.
pub(super) fn requests(
    seen: &[Seen],
    from: &str,
    to: &str,
    method: &Method,
) -> Vec<umbel_sip_message::Request> {
    let messages = between(seen, from, to);
    messages.filter_map(|message| message.into_request().filter(|found| found.method() == method)).collect()
}

/// The final or provisional responses to INVITE that one element sent to another.
pub(super) fn answers(seen: &[Seen], from: &str, to: &str) -> Vec<StatusCode> {
    let messages = between(seen, from, to).filter_map(Message::into_response);
    messages
        .filter(|response| *response.headers().method() == Method::Invite)
        .map(|response| response.status())
        .collect()
}

fn between<'a>(seen: &'a [Seen], from: &'a str, to: &'a str) -> impl Iterator<Item = Message> + 'a {
    let ways = seen.iter().filter(move |seen| seen.from == from && seen.to == to);
    ways.filter_map(|seen| match &seen.what {
        What::Message { bytes, .. } => umbel_sip_message::parse(bytes.clone()).ok(),
        What::Sound(_) | What::Web(_) => None,
    })
}

/// Whether her telephone rang in vain: it was invited, rang, never answered, and was told to stop.
pub(super) fn rang_in_vain(seen: &[Seen], telephone: &str) -> Check {
    let invited = requests(seen, "server", telephone, &Method::Invite).len();
    let cancelled = requests(seen, "server", telephone, &Method::Cancel).len();
    let answers = answers(seen, telephone, "server");
    let rang = answers.contains(&StatusCode::RINGING);
    let answered = answers.iter().any(|status| status.is_success());
    let found = match (rang, answered) {
        (true, false) => format!("180 from her telephone, no 200, {cancelled} CANCEL to it"),
        (true, true) => "her telephone was answered".to_owned(),
        (false, _) => format!("{invited} INVITE to her telephone, and it did not ring"),
    };
    let held = invited > 0 && rang && !answered && cancelled > 0;
    Check::new("her telephone rang, and nobody answered", found, held)
}

/// Whether a command reached voice mail as the telephone wrote it.
pub(super) fn command_arrived(seen: &[Seen], telephone: &str) -> Check {
    let value = |from: &str, to: &str| {
        let requests = requests(seen, from, to, &Method::Invite);
        requests.iter().rev().find_map(|request| {
            request.headers().get_text(&HeaderName::MsExchangeCommand).map(std::borrow::Cow::into_owned)
        })
    };
    let (written, arrived) = (value(telephone, "server"), value("server", "um"));
    let held = written.as_deref() == Some("skip-pin") && written == arrived;
    let show = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
    let found = format!("she wrote {}, voice mail got {}", show(written), show(arrived));
    Check::new("her command arrived as she wrote it", found, held)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use umbel_time::{Instant, UnixTime};

    use super::*;
    use crate::demo::hearing::line;

    fn sentence(name: &str) -> Vec<i16> {
        line(umbel_prompts::own(name).expect("there is one"))
    }

    fn message(from: &str, to: &str, over: Transport, start: &str, method: &str, more: &str) -> Seen {
        let text = format!(
            "{start}\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@example.test>;tag=1\r\n\
             To: <sip:b@example.test>\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\n{more}Content-Length: 0\r\n\r\n"
        );
        let what = What::Message { over, bytes: Bytes::from(text) };
        Seen { at: Instant::ZERO, from: from.to_owned(), to: to.to_owned(), what }
    }

    fn request(from: &str, to: &str, method: &str, more: &str) -> Seen {
        message(from, to, Transport::Tls, &format!("{method} sip:b@example.test SIP/2.0"), method, more)
    }

    fn response(from: &str, to: &str, status: &str) -> Seen {
        message(from, to, Transport::Tls, &format!("SIP/2.0 {status}"), "INVITE", "")
    }

    #[test]
    fn another_sentence_and_silence_are_not_what_was_said() {
        let (said, other) = (sentence("enter-pin"), sentence("leave-message"));
        let heard = [vec![0; 3_000], said.clone(), vec![0; 2_000]].concat();
        assert!(holds("", &said, &heard).held);
        for wrong in [other.clone(), vec![0; 40_000], Vec::new(), said[..said.len() / 2].to_vec()] {
            assert!(!holds("", &said, &wrong).held);
        }
        assert!(lacks("", &said, &other).held);
        for wrong in [heard, vec![0; 40_000], Vec::new()] {
            assert!(!lacks("", &said, &wrong).held, "it was said, or nothing was heard at all");
        }
    }

    fn decided(outcomes: &[PinOutcome]) -> Vec<Decision> {
        let decision = |outcome: &PinOutcome| Decision {
            call_id: "1".to_owned(),
            at: UnixTime::from_secs(0),
            mailbox: None,
            transport: umbel_store::Transport::Tls,
            peer: None,
            command_seen: true,
            ruling: Ruling::Pin(*outcome),
            rule: "P2".to_owned(),
        };
        outcomes.iter().map(decision).collect()
    }

    #[test]
    fn the_latest_decision_about_the_pin_counts_and_none_is_none() {
        use PinOutcome::{Prompted, Skipped};
        assert!(pin("", &decided(&[Skipped]), Skipped).held);
        assert!(!pin("", &decided(&[Skipped]), Prompted).held);
        assert!(!pin("", &decided(&[Skipped, Prompted]), Skipped).held);
        assert!(!pin("", &[], Skipped).held);
    }

    #[test]
    fn a_telephone_that_was_answered_or_never_rang_did_not_ring_in_vain() {
        let invite = || request("server", "alice", "INVITE", "");
        let ringing = || response("alice", "server", "180 Ringing");
        let cancel = || request("server", "alice", "CANCEL", "");
        assert!(rang_in_vain(&[invite(), ringing(), cancel()], "alice").held);
        let answered = response("alice", "server", "200 OK");
        assert!(!rang_in_vain(&[invite(), ringing(), cancel(), answered], "alice").held);
        assert!(!rang_in_vain(&[invite(), cancel()], "alice").held);
        assert!(!rang_in_vain(&[invite(), ringing()], "alice").held, "it rings on");
        assert!(!rang_in_vain(&[invite(), ringing(), cancel()], "bob").held, "another telephone");
        assert!(!rang_in_vain(&[], "alice").held);
    }

    #[test]
    fn a_command_that_was_dropped_changed_or_made_up_on_the_way_is_noticed() {
        let asks = |from, to, command: &str| request(from, to, "INVITE", command);
        let command = "Ms-Exchange-Command: skip-pin\r\n";
        let written = || asks("alice", "server", command);
        assert!(command_arrived(&[written(), asks("server", "um", command)], "alice").held);
        assert!(!command_arrived(&[written(), asks("server", "um", "")], "alice").held);
        let other = "Ms-Exchange-Command: Skip-Pin\r\n";
        assert!(!command_arrived(&[written(), asks("server", "um", other)], "alice").held);
        assert!(
            !command_arrived(&[asks("alice", "server", ""), asks("server", "um", command)], "alice").held
        );
        assert!(!command_arrived(&[], "alice").held);
    }

    #[test]
    fn one_message_in_clear_is_one_too_many() {
        let clear = message("bob", "server", Transport::Tcp, "BYE sip:b@example.test SIP/2.0", "BYE", "");
        let tls = || request("bob", "server", "BYE", "");
        assert!(all_over_tls(&[tls(), tls()]).held);
        assert!(!all_over_tls(&[tls(), clear]).held);
        assert!(!all_over_tls(&[]).held, "nothing proves nothing");
    }
}
