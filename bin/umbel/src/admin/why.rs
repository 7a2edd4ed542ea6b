//! `umbel why CALL-ID`: the decisions of one call, with the rule that decided.

use std::time::Duration;

use umbel_store::{Decision, PinOutcome, Routing, Ruling, call_id_on_record};

use super::{Admin, iso_8601};
use crate::cli::WhyField;
use crate::exit::Failure;
use crate::runtime::now;
use crate::{output, refused};

/// A decision is written within a second (SEC-32); whoever asks right after the call waits that long.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);
/// Of a call whose last decision is older than this, no other is on its way.
const LONG_AGO_SECS: i64 = 60;
/// How often the store is asked in that time.
const ASKED_EVERY: Duration = Duration::from_millis(50);

pub(super) fn run(admin: &mut Admin, call_id: &str, field: Option<WhyField>) -> Result<(), Failure> {
    match field {
        Some(WhyField::Pin) => {
            // Where the call goes is written first, and what its mailbox asked for when it is there.
            let decisions = decisions(admin, call_id, |decisions| pin(decisions).is_some())?;
            // A call that got no further than routing opened no mailbox.
            let pin = pin(&decisions).unwrap_or(PinOutcome::None).as_str();
            match admin.json {
                true => output::json(&serde_json::json!({ "call_id": call_id, "pin": pin })),
                false => output::line(pin),
            }
        }
        None => {
            let decisions = decisions(admin, call_id, |decisions| !decisions.is_empty())?;
            match admin.json {
                true => output::json_lines(&decisions.iter().map(document).collect::<Vec<_>>()),
                false => print(&decisions),
            }
        }
    }
}

/// What was decided last about the PIN.
fn pin(decisions: &[Decision]) -> Option<PinOutcome> {
    decisions.iter().rev().find_map(|decision| match decision.ruling {
        Ruling::Pin(outcome) => Some(outcome),
        _ => None,
    })
}

/// The decisions of one call that are on record by now.
pub(crate) fn of(admin: &mut Admin, call_id: &str) -> Result<Vec<Decision>, Failure> {
    let call_id = call_id_on_record(call_id);
    admin.store.decisions(call_id).map_err(|error| refused::store(error, call_id))
}

/// The decisions of a call, when they are enough, or when no more is to be expected.
fn decisions(
    admin: &mut Admin,
    call_id: &str,
    are_enough: impl Fn(&[Decision]) -> bool,
) -> Result<Vec<Decision>, Failure> {
    let mut waited = Duration::ZERO;
    loop {
        let found = of(admin, call_id)?;
        let is_over = waited >= WRITTEN_WITHIN;
        match found.last() {
            Some(last) if is_over || are_enough(&found) || is_long_ago(last) => return Ok(found),
            None if is_over => {
                return Err(Failure::not_found(format!(
                    "no call with the Call-ID {call_id} is on record; they are kept 90 days"
                )));
            }
            _ => {}
        }
        std::thread::sleep(ASKED_EVERY);
        waited += ASKED_EVERY;
    }
}

/// Whether what was decided together with it is on record by now, whatever the store had to do meanwhile.
fn is_long_ago(decision: &Decision) -> bool {
    now().as_secs() - decision.at.as_secs() > LONG_AGO_SECS
}

fn document(decision: &Decision) -> serde_json::Value {
    serde_json::json!({
        "call_id": decision.call_id,
        "at": iso_8601(decision.at),
        "mailbox": decision.mailbox.as_ref().map(umbel_store::Address::as_str),
        "transport": decision.transport.as_str(),
        "peer": decision.peer,
        "command_seen": decision.command_seen,
        "topic": decision.ruling.topic().as_str(),
        "ruling": verdict(&decision.ruling),
        "rule": decision.rule,
    })
}

/// What was decided, in a word or two.
fn verdict(ruling: &Ruling) -> String {
    match ruling {
        Ruling::Who(kind) => kind.as_str().to_owned(),
        Ruling::Trust(true) => "trusted".to_owned(),
        Ruling::Trust(false) => "not trusted".to_owned(),
        Ruling::Pin(outcome) => outcome.as_str().to_owned(),
        Ruling::Diversion(Some(from)) => format!("diverted from {from}"),
        Ruling::Diversion(None) => "not diverted".to_owned(),
        Ruling::Recording(end) => serde_json::to_value(end)
            .ok()
            .and_then(|word| word.as_str().map(str::to_owned))
            .unwrap_or_default(),
        Ruling::Refusal(status) => status.to_string(),
        Ruling::Routing(step) => step_of_the_way(step),
    }
}

fn step_of_the_way(step: &Routing) -> String {
    match step {
        Routing::Ring { may_be_diverted: true } => "rings".to_owned(),
        Routing::Ring { may_be_diverted: false } => "rings, and is not diverted".to_owned(),
        Routing::Rang { whom, telephones: 0 } => format!("no telephone of {whom} is there"),
        Routing::Rang { whom, telephones: 1 } => format!("rang {whom}"),
        Routing::Rang { whom, telephones } => format!("rang {whom} at {telephones} telephones"),
        Routing::Sent(to) => format!("sent to {to}"),
        Routing::Diverted(to) => format!("diverted to {to}"),
        Routing::NotDeflected => "not deflected".to_owned(),
        Routing::Answered(status) => format!("answered {status}"),
    }
}

fn print(decisions: &[Decision]) -> Result<(), Failure> {
    if let Some(first) = decisions.first() {
        output::facts(&[
            ("call", first.call_id.clone()),
            ("transport", first.transport.as_str().to_owned()),
            ("peer", first.peer.clone().unwrap_or_else(|| "no certificate".to_owned())),
            (
                "mailbox",
                decisions
                    .iter()
                    .find_map(|decision| decision.mailbox.as_ref())
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            ),
            ("skip-pin", if first.command_seen { "asked for" } else { "not asked for" }.to_owned()),
        ])?;
        output::line("")?;
    }
    let rows: Vec<Vec<String>> = decisions
        .iter()
        .map(|decision| {
            vec![
                iso_8601(decision.at),
                decision.ruling.topic().as_str().to_owned(),
                verdict(&decision.ruling),
                decision.rule.clone(),
            ]
        })
        .collect();
    output::table(&["WHEN", "ABOUT", "DECIDED", "BECAUSE"], &rows)
}
