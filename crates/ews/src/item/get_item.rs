//! `GetItem` and `GetAttachment` ([MS-OXWSCORE], [MS-OXWSATT]).

use umbel_store::{Item, MessageId, VoiceMessage};

use crate::ResponseCode;
use crate::xml::{Element, Namespace, Violation, Writer};

use super::batch::batch;
use super::index::Index;
use super::mailbox::Mailbox;
use super::message;
use super::print;
use super::reference::{self, ItemReference};
use super::shape::ItemShape;

/// Octets of sound that one answer holds, counted before they are written in base64. The first is always there; of
/// the others, what does not fit is asked for again.
pub const SOUND_BYTES_MAX: u64 = 16 << 20;

/// Items by their ids, and what is wanted of each.
pub type GetItem = (ItemShape, Vec<Result<ItemReference, ResponseCode>>);

/// Reads `GetItem`.
pub(crate) fn read(operation: &Element) -> Result<GetItem, Violation> {
    let mut children = operation.children();
    let shape = ItemShape::read(children.required(Namespace::Messages, "ItemShape")?, false)?;
    let items = reference::items(children.required(Namespace::Messages, "ItemIds")?)?;
    children.end()?;
    Ok((shape, items))
}

/// Reads `GetAttachment`: the messages that the attachments belong to.
pub(crate) fn read_attachments(
    operation: &Element,
) -> Result<Vec<Result<MessageId, ResponseCode>>, Violation> {
    let mut children = operation.children();
    // What it says is of attached items.
    children.optional(Namespace::Messages, "AttachmentShape");
    let attachments = reference::attachments(children.required(Namespace::Messages, "AttachmentIds")?)?;
    children.end()?;
    Ok(attachments)
}

/// The items that are meant, out of those that there are.
pub fn found<'a>(
    references: &'a [Result<ItemReference, ResponseCode>],
    index: &'a Index,
) -> impl Iterator<Item = Result<Item, ResponseCode>> {
    references.iter().map(|reference| {
        let reference = reference.as_ref().map_err(|code| *code)?;
        index.item(reference.id).cloned().ok_or(ResponseCode::ErrorItemNotFound)
    })
}

/// The messages whose attachments are meant.
pub fn found_attachments<'a>(
    attachments: &'a [Result<MessageId, ResponseCode>],
    index: &'a Index,
) -> impl Iterator<Item = Result<VoiceMessage, ResponseCode>> {
    attachments.iter().map(|attachment| {
        let message = index.item((*attachment)?).and_then(message::voice_message);
        message.cloned().ok_or(ResponseCode::ErrorInvalidAttachmentId)
    })
}

/// An item, and its whole mail where that is wanted and could be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The item.
    pub item: Item,
    /// The mail.
    pub mime: Option<Vec<u8>>,
}

/// Answers `GetItem`. Each item with its whole mail, where that is wanted.
pub fn get_item(
    writer: &mut Writer,
    shape: &ItemShape,
    items: Vec<Result<Found, ResponseCode>>,
    mailbox: &Mailbox,
) {
    batch(writer, "m:GetItemResponse", "m:GetItemResponseMessage", items, |message, found| {
        message.element("m:Items", &[], |within| {
            print::item(within, &found.item, shape, mailbox, found.mime.as_deref());
        });
    });
}

/// Answers `GetAttachment`. Each message with its sound.
pub fn get_attachment(writer: &mut Writer, sounds: Vec<Result<(VoiceMessage, Vec<u8>), ResponseCode>>) {
    let (whole, one) = ("m:GetAttachmentResponse", "m:GetAttachmentResponseMessage");
    batch(writer, whole, one, sounds, |answer, (message, wav)| {
        answer.element("m:Attachments", &[], |within| print::sound(within, &message, Some(&wav)));
    });
}
