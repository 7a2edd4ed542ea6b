//! `GetItem` and `GetAttachment`: what needs the sound of messages.
//!
//! Sounds are read one by one, and made into files and mails on a thread for work that takes long, not on the one
//! that all connections share.

use std::sync::Arc;

use tokio::sync::Semaphore;
use umbel_ews::ResponseCode;
use umbel_ews::fault::Fault;
use umbel_ews::item::get_item::{self, Found, SOUND_BYTES_MAX};
use umbel_ews::item::mailbox::Mailbox;
use umbel_ews::item::message;
use umbel_ews::item::reference::ItemReference;
use umbel_ews::item::shape::ItemShape;
use umbel_mail::attachment;
use umbel_store::{Item, MessageId, Op, Reply, StoreError, StoredAudio, VoiceMessage};

use super::print;
use crate::Desk;
use crate::soap::answer::code;

/// Requests whose sounds are read at once; further ones wait. Each holds a sound of the longest recording.
const READERS_MAX: usize = 4;

/// Turns at reading sounds. Copies share them.
#[derive(Clone)]
pub(crate) struct Sounds(Arc<Semaphore>);

impl Default for Sounds {
    fn default() -> Self {
        Sounds(Arc::new(Semaphore::new(READERS_MAX)))
    }
}

/// How much sound an answer may still hold.
struct Room {
    left: u64,
    is_first: bool,
}

impl Room {
    fn new() -> Self {
        Room { left: SOUND_BYTES_MAX, is_first: true }
    }

    /// Takes room for the sound of a message; the first always fits.
    fn take(&mut self, message: &VoiceMessage) -> Result<(), ResponseCode> {
        let bytes = attachment::wav_bytes(message);
        if bytes > self.left && !self.is_first {
            return Err(ResponseCode::ErrorBatchProcessingStopped);
        }
        self.left = self.left.saturating_sub(bytes);
        self.is_first = false;
        Ok(())
    }
}

/// Answers `GetItem`.
pub(super) async fn get_item(
    desk: &Desk,
    mailbox: Mailbox,
    shape: &ItemShape,
    references: &[Result<ItemReference, ResponseCode>],
) -> Result<String, Fault> {
    let index = desk.shelf.indexes.of(&mailbox.owner, &desk.store).await;
    let index = index.map_err(|reply| desk.fault_of(&reply))?;
    let found: Vec<Result<Item, ResponseCode>> = get_item::found(references, &index).collect();
    drop(index);
    let mut answers = Vec::with_capacity(found.len());
    if shape.wants_mime() {
        let _turn = desk.shelf.sounds.0.acquire().await;
        let mut room = Room::new();
        for item in found {
            answers.push(match item {
                Ok(item) => with_mail(desk, &mailbox, item, &mut room).await,
                Err(code) => Err(code),
            });
        }
    } else {
        answers.extend(found.into_iter().map(|item| item.map(|item| Found { item, mime: None })));
    }
    Ok(print(|writer| get_item::get_item(writer, shape, answers, &mailbox)))
}

async fn with_mail(
    desk: &Desk,
    mailbox: &Mailbox,
    item: Item,
    room: &mut Room,
) -> Result<Found, ResponseCode> {
    let audio = match message::voice_message(&item) {
        Some(message) => {
            room.take(message)?;
            sound(desk, mailbox, item.id).await?
        }
        None => None,
    };
    let mailbox = mailbox.clone();
    let compose = move || {
        let wav = audio.map(|audio| attachment::wav(&audio));
        let mime = message::mime(&item, &mailbox, wav.as_deref());
        Found { item, mime: Some(mime) }
    };
    tokio::task::spawn_blocking(compose).await.map_err(|_| ResponseCode::ErrorInternalServerError)
}

/// Answers `GetAttachment`.
pub(super) async fn get_attachment(
    desk: &Desk,
    mailbox: &Mailbox,
    attachments: &[Result<MessageId, ResponseCode>],
) -> Result<String, Fault> {
    let index = desk.shelf.indexes.of(&mailbox.owner, &desk.store).await;
    let index = index.map_err(|reply| desk.fault_of(&reply))?;
    let found: Vec<Result<VoiceMessage, ResponseCode>> =
        get_item::found_attachments(attachments, &index).collect();
    drop(index);
    let _turn = desk.shelf.sounds.0.acquire().await;
    let mut room = Room::new();
    let mut answers = Vec::with_capacity(found.len());
    for message in found {
        answers.push(match message {
            Ok(message) => with_file(desk, mailbox, message, &mut room).await,
            Err(code) => Err(code),
        });
    }
    Ok(print(|writer| get_item::get_attachment(writer, answers)))
}

async fn with_file(
    desk: &Desk,
    mailbox: &Mailbox,
    message: VoiceMessage,
    room: &mut Room,
) -> Result<(VoiceMessage, Vec<u8>), ResponseCode> {
    room.take(&message)?;
    let audio = sound(desk, mailbox, message.id).await?.ok_or(ResponseCode::ErrorCorruptData)?;
    let wav = tokio::task::spawn_blocking(move || attachment::wav(&audio)).await;
    Ok((message, wav.map_err(|_| ResponseCode::ErrorInternalServerError)?))
}

/// The sound of a message; `None` where it is lost (REL-05).
async fn sound(desk: &Desk, mailbox: &Mailbox, id: MessageId) -> Result<Option<StoredAudio>, ResponseCode> {
    match desk.store.ask(Op::FetchMessage { mailbox: mailbox.owner.clone(), id }).await {
        Reply::Audio(audio) => Ok(Some(audio)),
        Reply::Failed(StoreError::AudioMissing) => Ok(None),
        Reply::Failed(error) => Err(code(error).unwrap_or(ResponseCode::ErrorInternalServerError)),
        _ => Err(ResponseCode::ErrorInternalServerError),
    }
}
