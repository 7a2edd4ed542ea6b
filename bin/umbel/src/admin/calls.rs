//! `umbel calls`: calls now, and the last ones.

use umbel_store::{CallRecord, LIST_MAX};

use super::{Admin, iso_8601};
use crate::exit::Failure;
use crate::{output, refused};

/// How many are shown unless all are asked for.
const SHOWN: usize = 20;

pub(super) fn run(admin: &mut Admin, all: bool) -> Result<(), Failure> {
    let limit = if all { LIST_MAX } else { SHOWN };
    let calls = admin.store.calls(limit).map_err(|error| refused::store(error, "calls"))?;
    if admin.json {
        return output::json_lines(&calls.iter().map(document).collect::<Vec<_>>());
    }
    let rows: Vec<Vec<String>> = calls
        .iter()
        .map(|call| {
            vec![
                iso_8601(call.started),
                length(call),
                call.kind.as_str().to_owned(),
                call.outcome.as_str().to_owned(),
                call.pin.as_str().to_owned(),
                call.from.clone(),
                call.to.clone(),
                call.call_id.clone(),
            ]
        })
        .collect();
    output::table(&["STARTED", "LENGTH", "KIND", "OUTCOME", "PIN", "FROM", "TO", "CALL-ID"], &rows)
}

fn document(call: &CallRecord) -> serde_json::Value {
    serde_json::json!({
        "call_id": call.call_id,
        "kind": call.kind.as_str(),
        "from": call.from,
        "to": call.to,
        "started": iso_8601(call.started),
        "ended": call.ended.map(iso_8601),
        "transport": call.transport.as_str(),
        "peer": call.peer,
        "pin": call.pin.as_str(),
        "outcome": call.outcome.as_str(),
    })
}

fn length(call: &CallRecord) -> String {
    call.ended.map_or("now".to_owned(), |ended| format!("{} s", ended.since(call.started).as_secs()))
}
