//! `umbel message`: voice messages, without their audio but for the export.

use std::path::Path;

use serde::Serialize;
use umbel_store::{Folder, MessageId, Store, VoiceMessage};

use super::{Admin, StoredAudioExt, iso_8601};
use crate::cli::MessageCommand;
use crate::exit::{Failure, at_path};
use crate::runtime::now;
use crate::store::author;
use crate::{output, refused};

pub(super) fn run(command: MessageCommand, json: bool) -> Result<(), Failure> {
    match command {
        MessageCommand::List { place, address } => list(&mut Admin::open(&place, json)?, address.as_deref()),
        MessageCommand::Show { place, id } => show(&mut Admin::open(&place, json)?, &id),
        MessageCommand::Delete { place, id } => {
            let mut admin = Admin::open(&place, json)?;
            let message = find(&mut admin, &id)?;
            let store = &mut admin.store;
            store
                .delete_message(&message.mailbox, message.id, &author(), now())
                .map_err(|error| refused::store(error, &id))?;
            done(&mut admin, &id, "deleted; it can be restored for 14 days")
        }
        MessageCommand::Restore { place, id } => {
            let mut admin = Admin::open(&place, json)?;
            let message = find(&mut admin, &id)?;
            let store = &mut admin.store;
            store
                .restore_message(&message.mailbox, message.id, &author(), now())
                .map_err(|error| refused::store(error, &id))?;
            done(&mut admin, &id, "restored")
        }
        MessageCommand::Export { place, id, file } => {
            let mut admin = Admin::open(&place, json)?;
            let message = find(&mut admin, &id)?;
            let bytes = sound(&mut admin, &message)?;
            if file == Path::new("-") {
                return output::write(&bytes);
            }
            std::fs::write(&file, bytes).map_err(|error| at_path("write", &file, &error))?;
            if json { output::json(&MessageDocument::of(&message)) } else { Ok(()) }
        }
    }
}

/// A message as scripts see it.
#[derive(Serialize)]
pub(super) struct MessageDocument<'a> {
    id: String,
    mailbox: &'a str,
    number: u64,
    caller: &'a str,
    caller_name: Option<&'a str>,
    caller_verified: bool,
    subject: &'a str,
    importance: &'static str,
    received: String,
    duration_seconds: f64,
    state: &'static str,
    incomplete: bool,
    damaged: bool,
    call_id: &'a str,
}

impl<'a> MessageDocument<'a> {
    pub(super) fn of(message: &'a VoiceMessage) -> Self {
        MessageDocument {
            id: message.id.to_string(),
            mailbox: message.mailbox.as_str(),
            number: message.number,
            caller: &message.caller.id,
            caller_name: message.caller.name.as_deref(),
            caller_verified: message.caller.verified,
            subject: &message.subject,
            importance: message.importance.as_str(),
            received: iso_8601(message.received),
            duration_seconds: message.duration.as_secs_f64(),
            state: message.state.as_str(),
            incomplete: message.incomplete,
            damaged: message.damaged,
            call_id: &message.call_id,
        }
    }
}

/// All messages of a mailbox, page by page.
pub(super) fn all(admin: &mut Admin, mailbox: &umbel_store::Address) -> Result<Vec<VoiceMessage>, Failure> {
    all_of(admin.store.as_mut(), mailbox)
}

/// The same, of a store.
pub(crate) fn all_of(
    store: &mut dyn Store,
    mailbox: &umbel_store::Address,
) -> Result<Vec<VoiceMessage>, Failure> {
    let mut messages: Vec<VoiceMessage> = Vec::new();
    loop {
        let after = messages.last().map(|message| message.number);
        let page = store
            .messages(mailbox, Folder::All, after)
            .map_err(|error| refused::store(error, mailbox.as_str()))?;
        if page.is_empty() {
            return Ok(messages);
        }
        messages.extend(page);
    }
}

/// The audio of a message as a file.
pub(crate) fn sound(admin: &mut Admin, message: &VoiceMessage) -> Result<Vec<u8>, Failure> {
    let id = message.id.to_string();
    let audio = admin
        .store
        .message_audio(&message.mailbox, message.id)
        .map_err(|error| refused::store(error, &id))?;
    if audio.damaged {
        let message = format!("{id}: the audio differs from its checksum; what is there is written");
        output::warn(admin.json, "damaged", &message);
    }
    audio.pcm16_wav()
}

fn list(admin: &mut Admin, address: Option<&str>) -> Result<(), Failure> {
    let mailboxes = match address {
        Some(text) => vec![admin.user(text)?.address().clone()],
        None => super::user::all(admin)?.iter().map(|user| user.address().clone()).collect(),
    };
    let mut messages = Vec::new();
    for mailbox in &mailboxes {
        messages.extend(all(admin, mailbox)?);
    }
    if admin.json {
        return output::json_lines(&messages.iter().map(MessageDocument::of).collect::<Vec<_>>());
    }
    let rows: Vec<Vec<String>> = messages
        .iter()
        .map(|message| {
            vec![
                message.id.to_string(),
                message.mailbox.to_string(),
                state(message),
                iso_8601(message.received),
                format!("{:.1} s", message.duration.as_secs_f64()),
                message.importance.as_str().to_owned(),
                caller(message),
                message.subject.clone(),
            ]
        })
        .collect();
    output::table(&["ID", "MAILBOX", "STATE", "RECEIVED", "LENGTH", "IMPORTANCE", "CALLER", "SUBJECT"], &rows)
}

fn state(message: &VoiceMessage) -> String {
    let mut text = message.state.as_str().to_owned();
    for (holds, word) in [(message.incomplete, " incomplete"), (message.damaged, " damaged")] {
        text.push_str(if holds { word } else { "" });
    }
    text
}

fn caller(message: &VoiceMessage) -> String {
    let name = message.caller.name.as_ref().map(|name| format!("{name} ")).unwrap_or_default();
    let unverified = if message.caller.verified { "" } else { " (unverified)" };
    format!("{name}<{}>{unverified}", message.caller.id)
}

fn find(admin: &mut Admin, text: &str) -> Result<VoiceMessage, Failure> {
    let none = || Failure::not_found(format!("there is no message {text}; `umbel message list` shows all"));
    let id: MessageId = text.parse().map_err(|_| none())?;
    admin.store.find_message(id).map_err(|error| refused::store(error, text))?.ok_or_else(none)
}

fn show(admin: &mut Admin, id: &str) -> Result<(), Failure> {
    let message = find(admin, id)?;
    if admin.json {
        return output::json(&MessageDocument::of(&message));
    }
    output::facts(&[
        ("id", message.id.to_string()),
        ("mailbox", message.mailbox.to_string()),
        ("state", state(&message)),
        ("caller", caller(&message)),
        ("received", iso_8601(message.received)),
        ("length", format!("{:.1} s", message.duration.as_secs_f64())),
        ("importance", message.importance.as_str().to_owned()),
        ("subject", message.subject.clone()),
        ("format", format!("{}, {} bytes", message.format.as_str(), message.bytes)),
        ("Call-ID", message.call_id.clone()),
    ])
}

fn done(admin: &mut Admin, id: &str, what: &str) -> Result<(), Failure> {
    let message = find(admin, id)?;
    if admin.json {
        output::json(&MessageDocument::of(&message))
    } else {
        output::line(format!("{id} {what}"))
    }
}
