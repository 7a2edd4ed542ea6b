//! `UpdateItem`, `DeleteItem`, `MoveItem`, `CopyItem`, `MarkAllItemsAsRead`: what a mail program may change ([MS-OXWSCORE]).
//!
//! A message can be marked as heard or as new, deleted, and brought back; a notice can be marked and removed. All
//! else about them is what happened, and stays so. What is to be done comes out as operations for the store.

use umbel_store::{Address, Author, Item, ItemContent, Op};
use umbel_time::UnixTime;

use crate::ResponseCode;
use crate::xml::{Element, Namespace, Violation, Writer};

use super::batch::batch;
use super::field::Field;
use super::folder::Folder;
use super::index::Index;
use super::path::{Path, Property, PropertySet};
use super::print;
use super::reference::{self, FolderReference, ItemReference};

/// PidLidImapDeleted: how an IMAP gateway notes `\Deleted`. The gateway remembers it for as long as it needs to, so
/// that it is taken and not kept.
const IMAP_DELETED: i64 = 0x8570;
/// Most items that one request marks; of more, those that came first are marked.
pub const MARKED_MAX: usize = 10_000;

/// Where all of a mailbox stands, and who changes it when.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The items.
    pub index: &'a Index,
    /// Whose they are.
    pub owner: &'a Address,
    /// Now.
    pub at: UnixTime,
}

/// One change of `UpdateItem`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// Of which item.
    pub item: ItemReference,
    /// Marked as read or not, where that is to be changed.
    pub seen: Option<bool>,
    /// Nothing is changed that was changed since the client looked.
    pub never_overwrite: bool,
}

/// Where an item is moved to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveItem {
    /// The folder.
    pub to: FolderReference,
    /// What is moved.
    pub items: Vec<Result<ItemReference, ResponseCode>>,
    /// The ids are told.
    pub tell_ids: bool,
}

/// `MarkAllItemsAsRead`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkAll {
    /// As read, or as new.
    pub seen: bool,
    /// In these folders.
    pub folders: Vec<FolderReference>,
}

/// Reads `UpdateItem`.
pub(crate) fn read_update(operation: &Element) -> Result<Vec<Result<Update, ResponseCode>>, Violation> {
    let never_overwrite = match operation.required_attribute("ConflictResolution")? {
        "NeverOverwrite" => true,
        "AutoResolve" | "AlwaysOverwrite" => false,
        _ => return Err(operation.violation("The resolution of conflicts is not known.")),
    };
    let mut children = operation.children();
    // Where a copy would be saved that is sent: nothing is sent.
    children.optional(Namespace::Messages, "SavedItemFolderId");
    let changes = children.required(Namespace::Messages, "ItemChanges")?;
    children.end()?;
    let read = |change: &Element| {
        if !change.is(Namespace::Types, "ItemChange") {
            return Err(change.violation("The change of an item is expected here."));
        }
        let mut children = change.children();
        let item = children.take().ok_or_else(|| change.violation("The id of an item is missing."))?;
        let item = reference::item(item)?;
        let seen = read_updates(children.required(Namespace::Types, "Updates")?)?;
        children.end()?;
        Ok(item.and_then(|item| Ok(Update { item, seen: seen?, never_overwrite })))
    };
    reference::list(changes)?.iter().map(read).collect()
}

/// Whether the item is to be marked as read; the code of the answer where something else is to be changed.
fn read_updates(updates: &Element) -> Result<Result<Option<bool>, ResponseCode>, Violation> {
    let mut seen = None;
    for update in reference::list(updates)? {
        let [path, rest @ ..] = update.elements() else {
            return Err(update.violation("A path is expected here."));
        };
        let path = Path::required(path)?;
        let is_set = update.is(Namespace::Types, "SetItemField");
        match path {
            Path::Field(Field::IsRead) if is_set => {
                let message = rest.first().ok_or_else(|| update.violation("The new value is missing."))?;
                let value = message.child(Namespace::Types, "IsRead");
                seen = Some(value.ok_or_else(|| message.violation("The new value is missing."))?.boolean()?);
            }
            Path::Extended(ref extended)
                if extended.property == Property::Numbered(PropertySet::Common, IMAP_DELETED) => {}
            _ => return Ok(Err(ResponseCode::ErrorInvalidPropertySet)),
        }
    }
    Ok(Ok(seen))
}

/// Reads `DeleteItem`.
pub(crate) fn read_delete(
    operation: &Element,
) -> Result<Vec<Result<ItemReference, ResponseCode>>, Violation> {
    match operation.required_attribute("DeleteType")? {
        // However it is deleted, a message can be brought back for some days (DEC-37).
        "HardDelete" | "SoftDelete" | "MoveToDeletedItems" => {}
        _ => return Err(operation.violation("The way of deleting is not known.")),
    }
    let mut children = operation.children();
    let items = reference::items(children.required(Namespace::Messages, "ItemIds")?)?;
    children.end()?;
    Ok(items)
}

/// Reads `MoveItem` and `CopyItem`, which asks the same way.
pub(crate) fn read_move(operation: &Element, owner: &Address) -> Result<MoveItem, Violation> {
    let m = Namespace::Messages;
    let mut children = operation.children();
    let to = children.required(m, "ToFolderId")?;
    let to = match reference::list(to)? {
        [one] => reference::folder(one, owner)?,
        _ => return Err(to.violation("Exactly one folder is expected here.")),
    };
    let items = reference::items(children.required(m, "ItemIds")?)?;
    let tell_ids = children.optional(m, "ReturnNewItemIds").map(Element::boolean).transpose()?;
    children.end()?;
    Ok(MoveItem { to, items, tell_ids: tell_ids.unwrap_or(true) })
}

/// Reads `MarkAllItemsAsRead`.
pub(crate) fn read_mark_all(operation: &Element, owner: &Address) -> Result<MarkAll, Violation> {
    let m = Namespace::Messages;
    let mut children = operation.children();
    let seen = children.required(m, "ReadFlag")?.boolean()?;
    // Nobody is sent a receipt.
    children.required(m, "SuppressReadReceipts")?.boolean()?;
    let folders = reference::folders(children.required(m, "FolderIds")?, owner)?;
    children.end()?;
    Ok(MarkAll { seen, folders })
}

fn find(index: &Index, reference: ItemReference) -> Result<&Item, ResponseCode> {
    index.item(reference.id).ok_or(ResponseCode::ErrorItemNotFound)
}

/// What an update asks of the store; nothing where it is so already.
pub fn update(update: &Update, standing: Standing<'_>) -> Result<Option<Op>, ResponseCode> {
    let item = find(standing.index, update.item)?;
    let is_stale = update.item.change_key.is_some_and(|key| key.0 != item.changed);
    if update.never_overwrite && is_stale {
        return Err(ResponseCode::ErrorIrresolvableConflict);
    }
    let seen = update.seen.filter(|seen| *seen != item.seen);
    Ok(seen.map(|seen| mark(item, seen, standing.owner)))
}

fn mark(item: &Item, seen: bool, owner: &Address) -> Op {
    let mailbox = owner.clone();
    match item.content {
        ItemContent::Message(_) => Op::MarkHeard { mailbox, id: item.id, heard: seen },
        ItemContent::MissedCall(_) => Op::MarkMissedCall { mailbox, id: item.id, seen },
    }
}

/// What it takes to delete an item.
pub fn delete(reference: ItemReference, standing: Standing<'_>) -> Result<Op, ResponseCode> {
    let Standing { index, owner, at } = standing;
    let item = find(index, reference)?;
    let (mailbox, id) = (owner.clone(), item.id);
    match &item.content {
        ItemContent::MissedCall(_) => Ok(Op::RemoveMissedCall { mailbox, id }),
        ItemContent::Message(message) if message.deleted.is_none() => {
            Ok(Op::DeleteMessage { mailbox, id, author: Author::OwnerByWeb, at })
        }
        // It is swept when its time has come, and not before.
        ItemContent::Message(_) => Err(ResponseCode::ErrorCannotDeleteObject),
    }
}

/// What it takes to move an item; nothing where it is there already.
pub fn move_to(
    reference: ItemReference,
    to: Folder,
    standing: Standing<'_>,
) -> Result<Option<Op>, ResponseCode> {
    let Standing { index, owner, at } = standing;
    let item = find(index, reference)?;
    match (Folder::home(item), to) {
        (home, to) if home == to => Ok(None),
        (_, Folder::DeletedItems) => delete(reference, standing).map(Some),
        (Folder::DeletedItems, Folder::Inbox) => {
            let (mailbox, id) = (owner.clone(), item.id);
            Ok(Some(Op::RestoreMessage { mailbox, id, author: Author::OwnerByWeb, at }))
        }
        _ => Err(ResponseCode::ErrorMoveCopyFailed),
    }
}

/// Why an item is not copied: there is one of each, as on the telephone. A program that copies to a folder and then
/// deletes, in place of moving, stops before it deletes.
pub fn copy_to(reference: ItemReference, index: &Index) -> ResponseCode {
    find(index, reference).err().unwrap_or(ResponseCode::ErrorMoveCopyFailed)
}

/// What it takes to mark all items of a folder, in the order in which they came.
pub fn mark_all(folder: Folder, seen: bool, standing: Standing<'_>) -> Vec<Op> {
    let mut items: Vec<_> = standing.index.in_folder(folder).filter(|item| item.seen != seen).collect();
    items.sort_unstable_by_key(|item| item.entered);
    items.truncate(MARKED_MAX);
    items.into_iter().map(|item| mark(item, seen, standing.owner)).collect()
}

/// Answers `UpdateItem`. Each item as it is after its change.
pub fn updated(writer: &mut Writer, items: Vec<Result<Item, ResponseCode>>) {
    batch(writer, "m:UpdateItemResponse", "m:UpdateItemResponseMessage", items, |message, item| {
        changed_item(message, Some(&item));
        message.element("m:ConflictResults", &[], |results| results.number("t:Count", 0));
    });
}

/// Answers `DeleteItem`.
pub fn deleted(writer: &mut Writer, items: Vec<Result<(), ResponseCode>>) {
    batch(writer, "m:DeleteItemResponse", "m:DeleteItemResponseMessage", items, |_, ()| {});
}

/// Answers `MoveItem`. Each item as it is where it is now; none where it is no more, or nobody wants to know.
pub fn moved(writer: &mut Writer, items: Vec<Result<Option<Item>, ResponseCode>>) {
    batch(writer, "m:MoveItemResponse", "m:MoveItemResponseMessage", items, |message, item| {
        changed_item(message, item.as_ref());
    });
}

/// Answers `CopyItem`.
pub fn not_copied(writer: &mut Writer, items: Vec<ResponseCode>) {
    let items = items.into_iter().map(Err::<(), _>);
    batch(writer, "m:CopyItemResponse", "m:CopyItemResponseMessage", items, |_, ()| {});
}

/// Answers `MarkAllItemsAsRead`.
pub fn marked_all(writer: &mut Writer, folders: Vec<Result<(), ResponseCode>>) {
    let (whole, one) = ("m:MarkAllItemsAsReadResponse", "m:MarkAllItemsAsReadResponseMessage");
    batch(writer, whole, one, folders, |_, ()| {});
}

fn changed_item(writer: &mut Writer, item: Option<&Item>) {
    writer.element("m:Items", &[], |items| {
        if let Some(item) = item {
            items.element("t:Message", &[], |message| print::item_id(message, item));
        }
    });
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
