//! Which folders and items a request names, and what is wrong with those that it cannot mean.

use umbel_store::{Address, MessageId};

use crate::ResponseCode;
use crate::xml::{Element, Namespace, Violation};

use super::folder::Folder;
use super::id::{ChangeKey, ObjectId};

/// Most folders, items or attachments that one request names; a request with more is refused.
pub const IDS_MAX: usize = 1_000;
/// The most folders that one request names: each may be asked for all that a shape can hold.
pub const FOLDERS_MAX: usize = 64;

/// A folder that is named, or the code of the answer.
pub type FolderReference = Result<Folder, ResponseCode>;

/// An item that is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemReference {
    /// Which one.
    pub id: MessageId,
    /// Which state of it the client saw, where it says so.
    pub change_key: Option<ChangeKey>,
}

/// The elements of a list, not too many.
pub(crate) fn list(element: &Element) -> Result<&[Element], Violation> {
    match element.elements() {
        [] => Err(element.violation("At least one element is expected here.")),
        elements if elements.len() > IDS_MAX => Err(element.violation("Too many elements are given.")),
        elements => Ok(elements),
    }
}

/// Reads a list of folders: `m:FolderIds`, `m:ParentFolderIds`.
pub(crate) fn folders(element: &Element, owner: &Address) -> Result<Vec<FolderReference>, Violation> {
    let references = list(element)?;
    if references.len() > FOLDERS_MAX {
        return Err(element.violation("Too many folders are named."));
    }
    references.iter().map(|reference| folder(reference, owner)).collect()
}

/// Reads `t:FolderId`, `t:DistinguishedFolderId`.
pub(crate) fn folder(element: &Element, owner: &Address) -> Result<FolderReference, Violation> {
    if element.namespace() != Namespace::Types {
        return Err(element.violation("The id of a folder is expected here."));
    }
    let id = element.required_attribute("Id")?;
    match element.name() {
        "FolderId" => Ok(folder_by_id(id, owner)),
        "DistinguishedFolderId" => Ok(distinguished(element, id, owner)),
        _ => Err(element.violation("The id of a folder is expected here.")),
    }
}

fn folder_by_id(text: &str, owner: &Address) -> FolderReference {
    match object(text)? {
        ObjectId::Folder(id) => id.folder_of(owner).ok_or(ResponseCode::ErrorFolderNotFound),
        ObjectId::Item(_) => Err(ResponseCode::ErrorCannotUseItemIdForFolderId),
        ObjectId::Attachment(_) => Err(ResponseCode::ErrorInvalidId),
    }
}

/// SEC-97: a request may name the mailbox of who signed in, and no other.
fn distinguished(element: &Element, word: &str, owner: &Address) -> FolderReference {
    let mailbox = element.child(Namespace::Types, "Mailbox");
    let address = mailbox.and_then(|mailbox| mailbox.child(Namespace::Types, "EmailAddress"));
    let is_own = address.is_none_or(|address| address.text().trim().eq_ignore_ascii_case(owner.as_str()));
    if !is_own {
        return Err(ResponseCode::ErrorNonExistentMailbox);
    }
    Folder::from_distinguished(word.trim()).ok_or(ResponseCode::ErrorFolderNotFound)
}

/// Reads a list of items: `m:ItemIds`.
pub(crate) fn items(element: &Element) -> Result<Vec<Result<ItemReference, ResponseCode>>, Violation> {
    list(element)?.iter().map(item).collect()
}

/// Reads `t:ItemId`; ids of recurring items lead nowhere.
pub(crate) fn item(element: &Element) -> Result<Result<ItemReference, ResponseCode>, Violation> {
    if element.namespace() != Namespace::Types {
        return Err(element.violation("The id of an item is expected here."));
    }
    match element.name() {
        "ItemId" => {
            let id = element.required_attribute("Id")?;
            Ok(item_by_id(id, element.attribute("ChangeKey")))
        }
        "OccurrenceItemId" | "RecurringMasterItemId" | "RecurringMasterItemIdRanges" => {
            Ok(Err(ResponseCode::ErrorItemNotFound))
        }
        _ => Err(element.violation("The id of an item is expected here.")),
    }
}

fn item_by_id(text: &str, change_key: Option<&str>) -> Result<ItemReference, ResponseCode> {
    let id = match object(text)? {
        ObjectId::Item(id) => id,
        ObjectId::Folder(_) => return Err(ResponseCode::ErrorCannotUseFolderIdForItemId),
        ObjectId::Attachment(_) => return Err(ResponseCode::ErrorInvalidId),
    };
    // An empty one is none; some clients send it.
    let change_key = match change_key.filter(|text| !text.is_empty()) {
        Some(text) => Some(ChangeKey::read(text).map_err(|_| ResponseCode::ErrorInvalidChangeKey)?),
        None => None,
    };
    Ok(ItemReference { id, change_key })
}

/// Reads a list of attachments: `m:AttachmentIds`. The message that each belongs to.
pub(crate) fn attachments(element: &Element) -> Result<Vec<Result<MessageId, ResponseCode>>, Violation> {
    let read = |element: &Element| {
        if !element.is(Namespace::Types, "AttachmentId") {
            return Err(element.violation("The id of an attachment is expected here."));
        }
        Ok(match ObjectId::read(element.required_attribute("Id")?) {
            Ok(ObjectId::Attachment(id)) => Ok(id),
            _ => Err(ResponseCode::ErrorInvalidAttachmentId),
        })
    };
    list(element)?.iter().map(read).collect()
}

pub(crate) fn object(text: &str) -> Result<ObjectId, ResponseCode> {
    if text.is_empty() {
        return Err(ResponseCode::ErrorInvalidIdEmpty);
    }
    ObjectId::read(text).map_err(|_| ResponseCode::ErrorInvalidIdMalformed)
}
