//! The operations of this part, read.

use umbel_store::{Address, MessageId};

use crate::ResponseCode;
use crate::envelope::{Envelope, Service};
use crate::fault::Fault;
use crate::xml::{Namespace, Violation};

use super::change::{self, MarkAll, MoveItem, Update};
use super::convert_id::{self, ConvertId};
use super::find_item::{self, FindItem};
use super::folders::{self, FindFolder, SyncFolderHierarchy};
use super::get_item::{self, GetItem};
use super::reference::{FolderReference, ItemReference};
use super::shape::FolderShape;
use super::sync::{self, SyncFolderItems};

/// An operation. Where it is a `Result`, the error is the answer to all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the specification's own names")]
pub enum Operation {
    GetFolder(FolderShape, Vec<FolderReference>),
    FindFolder(Result<FindFolder, ResponseCode>),
    SyncFolderHierarchy(SyncFolderHierarchy),
    FindItem(Result<Box<FindItem>, ResponseCode>),
    GetItem(GetItem),
    GetAttachment(Vec<Result<MessageId, ResponseCode>>),
    ConvertId(ConvertId),
    SyncFolderItems(SyncFolderItems),
    UpdateItem(Vec<Result<Update, ResponseCode>>),
    DeleteItem(Vec<Result<ItemReference, ResponseCode>>),
    MoveItem(MoveItem),
    CopyItem(MoveItem),
    MarkAllItemsAsRead(MarkAll),
}

/// Reads an operation of this part; `None` where it is none. Nothing has been done when it is refused.
pub fn read(envelope: &Envelope, owner: &Address) -> Option<Result<Operation, Fault>> {
    let operation = envelope.operation();
    let read = match operation.name() {
        "GetFolder" => {
            folders::read_get(operation, owner).map(|(shape, ids)| Operation::GetFolder(shape, ids))
        }
        "FindFolder" => folders::read_find(operation, owner).map(Operation::FindFolder),
        "SyncFolderHierarchy" => folders::read_sync(operation, owner).map(Operation::SyncFolderHierarchy),
        "FindItem" => find_item::read(operation, owner).map(|find| Operation::FindItem(find.map(Box::new))),
        "GetItem" => get_item::read(operation).map(Operation::GetItem),
        "GetAttachment" => get_item::read_attachments(operation).map(Operation::GetAttachment),
        "ConvertId" => convert_id::read(operation, owner).map(Operation::ConvertId),
        "SyncFolderItems" => sync::read(operation, owner).map(Operation::SyncFolderItems),
        "UpdateItem" => change::read_update(operation).map(Operation::UpdateItem),
        "DeleteItem" => change::read_delete(operation).map(Operation::DeleteItem),
        "MoveItem" => change::read_move(operation, owner).map(Operation::MoveItem),
        "CopyItem" => change::read_move(operation, owner).map(Operation::CopyItem),
        "MarkAllItemsAsRead" => change::read_mark_all(operation, owner).map(Operation::MarkAllItemsAsRead),
        _ => return None,
    };
    let in_messages = || match operation.namespace() {
        Namespace::Messages => Ok(()),
        _ => Err(operation.violation("There is no such operation here.")),
    };
    let read = read.and_then(|read| in_messages().map(|()| read));
    Some(read.map_err(|violation: Violation| envelope.refuse(Service::Exchange, violation)))
}
