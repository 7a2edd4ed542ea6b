//! `FindItem` ([MS-OXWSSRCH]).

use umbel_store::Address;

use crate::ResponseCode;
use crate::xml::{Element, Namespace, Violation, Writer};

use super::batch::batch;
use super::index::Index;
use super::mailbox::Mailbox;
use super::message;
use super::path::Path;
use super::print;
use super::reference::{self, FolderReference};
use super::restriction::{Restriction, Unsearchable};
use super::search::{FieldOrder, View, search};
use super::shape::ItemShape;
use super::view;

/// Most fields that a list is sorted by; a request with more is refused.
pub const ORDERS_MAX: usize = 16;

/// `FindItem`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindItem {
    /// What is wanted of each.
    pub shape: ItemShape,
    /// Which part of the list.
    pub view: View,
    /// Which items.
    pub restriction: Option<Restriction>,
    /// In which order.
    pub orders: Vec<FieldOrder>,
    /// Items that are not hidden: there are no others here.
    pub nothing: bool,
    /// In which folders.
    pub folders: Vec<FolderReference>,
}

/// Reads `FindItem`; the code of the answer where it cannot be done.
pub(crate) fn read(
    operation: &Element,
    owner: &Address,
) -> Result<Result<FindItem, ResponseCode>, Violation> {
    match try_read(operation, owner) {
        Ok(find) => Ok(Ok(find)),
        Err(Unsearchable::Code(code)) => Ok(Err(code)),
        Err(Unsearchable::Violation(violation)) => Err(violation),
    }
}

fn try_read(operation: &Element, owner: &Address) -> Result<FindItem, Unsearchable> {
    let m = Namespace::Messages;
    let nothing = match operation.required_attribute("Traversal")? {
        "Shallow" => false,
        "SoftDeleted" | "Associated" => true,
        _ => return Err(operation.violation("The traversal is not known.").into()),
    };
    let mut children = operation.children();
    let shape = ItemShape::read(children.required(m, "ItemShape")?, true)?;
    let view = view::read(&mut children)?;
    let restriction = children.optional(m, "Restriction");
    let restriction = restriction.map(|element| Restriction::read(element, message::sort)).transpose()?;
    let orders = children.optional(m, "SortOrder").map(read_orders).transpose()?.unwrap_or_default();
    let folders = reference::folders(children.required(m, "ParentFolderIds")?, owner)?;
    let query = children.optional(m, "QueryString");
    children.end()?;
    if query.is_some_and(|query| !query.text().trim().is_empty()) {
        // Words of Advanced Query Syntax: who wants to search has restrictions.
        return Err(Unsearchable::Code(ResponseCode::ErrorInvalidOperation));
    }
    let view = view.map_err(Unsearchable::Code)?;
    Ok(FindItem { shape, view, restriction, orders, nothing, folders })
}

fn read_orders(element: &Element) -> Result<Vec<FieldOrder>, Unsearchable> {
    if element.elements().len() > ORDERS_MAX {
        return Err(element.violation("The list is sorted by too many fields.").into());
    }
    let read = |order: &Element| {
        if !order.is(Namespace::Types, "FieldOrder") {
            return Err(order.violation("An order is expected here.").into());
        }
        let descending = match order.required_attribute("Order")? {
            "Ascending" => false,
            "Descending" => true,
            _ => return Err(order.violation("The order is not known.").into()),
        };
        let [path] = order.elements() else {
            return Err(order.violation("Exactly one path is expected here.").into());
        };
        let path = Path::required(path)?;
        message::sort(&path).ok_or(Unsearchable::Code(ResponseCode::ErrorUnsupportedPathForQuery))?;
        Ok(FieldOrder { path, descending })
    };
    element.elements().iter().map(read).collect()
}

/// Answers `FindItem`.
pub fn find_item(writer: &mut Writer, find: &FindItem, index: &Index, mailbox: &Mailbox) {
    let folders = find.folders.iter().copied();
    batch(writer, "m:FindItemResponse", "m:FindItemResponseMessage", folders, |message, folder| {
        let items = index.in_folder(folder).filter(|_| !find.nothing);
        let found = search(items, find.restriction.as_ref(), &find.orders, mailbox);
        let page = find.view.page(found);
        find.view.root(message, &page, |root| {
            root.element("t:Items", &[], |items| {
                for item in &page.entries {
                    print::item(items, item, &find.shape, mailbox, None);
                }
            });
        });
    });
}

/// The error of a `FindItem` that cannot be done.
pub fn refuse_find_item(writer: &mut Writer, code: ResponseCode) {
    batch(writer, "m:FindItemResponse", "m:FindItemResponseMessage", [Err::<(), _>(code)], |_, ()| {});
}
