//! `umbel mail`: the mails that wait to be sent, and those that failed.

use umbel_store::{MailNumber, QueuedMail};

use super::{Admin, iso_8601};
use crate::cli::MailCommand;
use crate::control::{self, Request};
use crate::exit::Failure;
use crate::runtime::now;
use crate::{output, refused};

pub(super) fn run(command: MailCommand, json: bool) -> Result<(), Failure> {
    match command {
        MailCommand::List(place) => list(&mut Admin::open(&place, json)?),
        MailCommand::Retry { place, number } => retry(&mut Admin::open(&place, json)?, number),
    }
}

fn list(admin: &mut Admin) -> Result<(), Failure> {
    let mut mails: Vec<QueuedMail> = Vec::new();
    loop {
        let after = mails.last().map(|mail| mail.number);
        let page = admin.store.queued_mails(after).map_err(|error| refused::store(error, "mail"))?;
        if page.is_empty() {
            break;
        }
        mails.extend(page);
    }
    if admin.json {
        return output::json_lines(&mails.iter().map(document).collect::<Vec<_>>());
    }
    let rows: Vec<Vec<String>> = mails
        .iter()
        .map(|mail| {
            vec![
                mail.number.0.to_string(),
                mail.mailbox.to_string(),
                mail.kind.as_str().to_owned(),
                iso_8601(mail.queued),
                mail.due.map_or("failed".to_owned(), iso_8601),
                mail.attempts.to_string(),
                mail.reason.clone().unwrap_or_default(),
            ]
        })
        .collect();
    output::table(&["NUMBER", "MAILBOX", "KIND", "QUEUED", "DUE", "TRIES", "REASON"], &rows)
}

/// Makes them due, and tells a running server, which may be waiting for a mail server that was away.
fn retry(admin: &mut Admin, number: Option<u64>) -> Result<(), Failure> {
    let only = number.map(MailNumber);
    let retried = admin.store.retry_mails(only, now()).map_err(|error| refused::store(error, "mail"))?;
    if let (0, Some(number)) = (retried, number) {
        return Err(Failure::not_found(format!(
            "mail {number}: there is none of this number to be tried again"
        )));
    }
    if control::is_answered(&admin.config.data) {
        control::ask(&admin.config.data, Request::SendMails)?;
    }
    if admin.json {
        return output::json(&serde_json::json!({ "done": "retried", "mails": retried }));
    }
    output::line(format!("{retried} mails are tried again"))
}

fn document(mail: &QueuedMail) -> serde_json::Value {
    serde_json::json!({
        "number": mail.number.0,
        "mailbox": mail.mailbox,
        "kind": mail.kind.as_str(),
        "queued": iso_8601(mail.queued),
        "due": mail.due.map(iso_8601),
        "state": if mail.due.is_some() { "waiting" } else { "failed" },
        "tries": mail.attempts,
        "reason": mail.reason,
    })
}
