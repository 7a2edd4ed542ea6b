//! `umbel mailbox`: counts, greetings, and everything out of one mailbox into a directory.

use std::path::Path;

use serde::Serialize;
use umbel_store::{Greeting, GreetingKind, Lock, MailboxSummary, PinState};

use super::message::{self, MessageDocument};
use super::{Admin, iso_8601, read_wav};
use crate::cli::{GreetingCommand, MailboxCommand};
use crate::exit::{Failure, at_path};
use crate::progress::Progress;
use crate::runtime::now;
use crate::store::author;
use crate::{output, refused};

pub(super) fn run(command: MailboxCommand, json: bool) -> Result<(), Failure> {
    match command {
        MailboxCommand::Show { place, address } => show(&mut Admin::open(&place, json)?, &address),
        MailboxCommand::List(place) => list(&mut Admin::open(&place, json)?),
        MailboxCommand::Greeting { place, address, command } => {
            greeting(&mut Admin::open(&place, json)?, &address, &command)
        }
        MailboxCommand::Export { place, address, directory } => {
            export(&mut Admin::open(&place, json)?, &address, &directory)
        }
    }
}

/// A mailbox as scripts see it.
#[derive(Serialize)]
struct MailboxDocument<'a> {
    address: &'a str,
    enabled: bool,
    new: u32,
    old: u32,
    deleted: u32,
    urgent_new: u32,
    urgent_old: u32,
    full: bool,
    bytes: u64,
    greeting: &'static str,
    greetings: Vec<&'static str>,
    pin: &'static str,
    locked: bool,
    locked_until: Option<String>,
}

impl<'a> MailboxDocument<'a> {
    fn of(mailbox: &'a MailboxSummary) -> Self {
        MailboxDocument {
            address: mailbox.address.as_str(),
            enabled: mailbox.enabled,
            new: mailbox.counts.new,
            old: mailbox.counts.old,
            deleted: mailbox.counts.deleted,
            urgent_new: mailbox.counts.urgent_new,
            urgent_old: mailbox.counts.urgent_old,
            full: mailbox.full,
            bytes: mailbox.bytes,
            greeting: mailbox.greeting.kind().as_str(),
            greetings: mailbox.greetings.iter().map(|greeting| greeting.kind.as_str()).collect(),
            pin: match mailbox.pin {
                PinState::Generated => "generated",
                PinState::Own => "own",
            },
            locked: mailbox.locked.is_some(),
            locked_until: match mailbox.locked {
                Some(Lock::Until(time)) => Some(iso_8601(time)),
                Some(Lock::ForGood) | None => None,
            },
        }
    }
}

/// How long a lock lasts, for people.
pub(super) fn lock_text(lock: Lock) -> String {
    match lock {
        Lock::Until(time) => format!("until {}", iso_8601(time)),
        Lock::ForGood => "until `umbel user unlock`".to_owned(),
    }
}

fn summary(admin: &mut Admin, text: &str) -> Result<MailboxSummary, Failure> {
    let user = admin.user(text)?;
    admin.store.mailbox(user.address(), now()).map_err(|error| refused::store(error, text))
}

fn show(admin: &mut Admin, text: &str) -> Result<(), Failure> {
    let mailbox = summary(admin, text)?;
    if admin.json {
        return output::json(&MailboxDocument::of(&mailbox));
    }
    let counts = mailbox.counts;
    let yes_or_no = |value: bool| if value { "yes" } else { "no" }.to_owned();
    output::facts(&[
        ("address", mailbox.address.to_string()),
        ("enabled", yes_or_no(mailbox.enabled)),
        ("new", format!("{} ({} urgent)", counts.new, counts.urgent_new)),
        ("old", format!("{} ({} urgent)", counts.old, counts.urgent_old)),
        ("deleted", counts.deleted.to_string()),
        ("full", yes_or_no(mailbox.full)),
        ("audio", format!("{} bytes", mailbox.bytes)),
        ("callers hear", mailbox.greeting.kind().as_str().to_owned()),
        ("greetings", greetings(&mailbox.greetings)),
        ("locked", mailbox.locked.map_or("no".to_owned(), lock_text)),
    ])
}

fn greetings(greetings: &[Greeting]) -> String {
    let names: Vec<&str> = greetings.iter().map(|greeting| greeting.kind.as_str()).collect();
    if names.is_empty() { "none recorded".to_owned() } else { names.join(", ") }
}

fn list(admin: &mut Admin) -> Result<(), Failure> {
    let mut mailboxes: Vec<MailboxSummary> = Vec::new();
    loop {
        let after = mailboxes.last().map(|mailbox| mailbox.address.clone());
        let page = admin
            .store
            .mailboxes(after.as_ref(), now())
            .map_err(|error| refused::store(error, "mailboxes"))?;
        if page.is_empty() {
            break;
        }
        mailboxes.extend(page);
    }
    if admin.json {
        return output::json_lines(&mailboxes.iter().map(MailboxDocument::of).collect::<Vec<_>>());
    }
    let rows: Vec<Vec<String>> = mailboxes
        .iter()
        .map(|mailbox| {
            vec![
                mailbox.address.to_string(),
                mailbox.counts.new.to_string(),
                mailbox.counts.old.to_string(),
                mailbox.counts.deleted.to_string(),
                mailbox.bytes.to_string(),
                mailbox.locked.map_or(String::new(), lock_text),
            ]
        })
        .collect();
    output::table(&["ADDRESS", "NEW", "OLD", "DELETED", "BYTES", "LOCKED"], &rows)
}

fn kind(word: &str) -> Result<GreetingKind, Failure> {
    GreetingKind::from_word(word).ok_or_else(|| {
        Failure::usage(format!("there is no greeting `{word}`; there are standard, out-of-office and name"))
    })
}

fn greeting(admin: &mut Admin, text: &str, command: &GreetingCommand) -> Result<(), Failure> {
    match command {
        GreetingCommand::List => {
            let mailbox = summary(admin, text)?;
            let active = mailbox.greeting.kind();
            if admin.json {
                let documents: Vec<_> =
                    mailbox.greetings.iter().map(|greeting| greeting_document(greeting, active)).collect();
                return output::json_lines(&documents);
            }
            let rows: Vec<Vec<String>> =
                mailbox.greetings.iter().map(|greeting| greeting_row(greeting, active)).collect();
            output::table(&["KIND", "LENGTH", "RECORDED", "ACTIVE"], &rows)
        }
        GreetingCommand::Show { kind: word } => {
            let kind = kind(word)?;
            let mailbox = summary(admin, text)?;
            let found = mailbox.greetings.iter().find(|greeting| greeting.kind == kind);
            let greeting =
                found.ok_or_else(|| Failure::not_found(format!("{text} has no {word} greeting")))?;
            if admin.json {
                return output::json(&greeting_document(greeting, mailbox.greeting.kind()));
            }
            output::table(
                &["KIND", "LENGTH", "RECORDED", "ACTIVE"],
                &[greeting_row(greeting, mailbox.greeting.kind())],
            )
        }
        GreetingCommand::Set { kind: word, file } => {
            let kind = kind(word)?;
            let audio = read_wav(file, admin.json)?;
            let user = admin.user(text)?;
            admin
                .store
                .set_greeting(user.address(), kind, &audio, &author(), now())
                .map_err(|error| refused::store(error, text))?;
            done(admin, text, word, "set")
        }
        GreetingCommand::Remove { kind: word } => {
            let kind = kind(word)?;
            let user = admin.user(text)?;
            admin
                .store
                .remove_greeting(user.address(), kind, &author(), now())
                .map_err(|error| refused::store(error, text))?;
            done(admin, text, word, "removed")
        }
    }
}

fn greeting_document(greeting: &Greeting, active: GreetingKind) -> serde_json::Value {
    serde_json::json!({
        "kind": greeting.kind.as_str(),
        "duration_seconds": greeting.format.duration(greeting.bytes).as_secs_f64(),
        "recorded": iso_8601(greeting.recorded),
        "active": greeting.kind == active,
    })
}

fn greeting_row(greeting: &Greeting, active: GreetingKind) -> Vec<String> {
    vec![
        greeting.kind.as_str().to_owned(),
        format!("{:.1} s", greeting.format.duration(greeting.bytes).as_secs_f64()),
        iso_8601(greeting.recorded),
        if greeting.kind == active { "yes" } else { "" }.to_owned(),
    ]
}

fn done(admin: &Admin, address: &str, kind: &str, what: &str) -> Result<(), Failure> {
    if admin.json {
        output::json(&serde_json::json!({ "address": address, "kind": kind, "done": what }))
    } else {
        output::line(format!("{address}: {kind} greeting {what}"))
    }
}

/// Writes `NUMBER-ID.wav` and `NUMBER-ID.json` for each message that is not deleted.
fn export(admin: &mut Admin, text: &str, directory: &Path) -> Result<(), Failure> {
    let user = admin.user(text)?;
    std::fs::create_dir_all(directory).map_err(|error| at_path("make the directory", directory, &error))?;
    let messages = message::all(admin, user.address())?;
    let kept: Vec<_> = messages.iter().filter(|message| message.deleted.is_none()).collect();
    let progress = Progress::begin("writing messages", Some(kept.len()), admin.json);
    for message in &kept {
        let name = format!("{:05}-{}", message.number, message.id);
        let sound = message::sound(admin, message)?;
        let mut document = serde_json::to_vec_pretty(&MessageDocument::of(message)).unwrap_or_default();
        document.push(b'\n');
        for (suffix, bytes) in [("wav", sound), ("json", document)] {
            let file = directory.join(format!("{name}.{suffix}"));
            std::fs::write(&file, bytes).map_err(|error| at_path("write", &file, &error))?;
        }
        progress.step();
    }
    drop(progress);
    if admin.json {
        output::json(&serde_json::json!({ "address": user.address().as_str(), "messages": kept.len() }))
    } else {
        let number =
            if kept.len() == 1 { "1 message".to_owned() } else { format!("{} messages", kept.len()) };
        output::line(format!("{number} written to {}", directory.display()))
    }
}
