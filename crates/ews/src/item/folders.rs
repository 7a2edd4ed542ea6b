//! `GetFolder`, `FindFolder`, `SyncFolderHierarchy` ([MS-OXWSFOLD], [MS-OXWSSRCH], [MS-OXWSSYNC]).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use umbel_store::Address;
use umbel_time::UnixTime;

use crate::ResponseCode;
use crate::xml::{Element, Namespace, Violation, Writer};

use super::batch::batch;
use super::field::BaseShape;
use super::folder::Folder;
use super::id::{ChangeKey, FolderId, ObjectId};
use super::index::Index;
use super::mailbox::Mailbox;
use super::path::{Extended, Kind, Path, Property};
use super::print::effective_rights;
use super::reference::{self, FolderReference};
use super::restriction::{Restriction, Unsearchable};
use super::search::View;
use super::shape::FolderShape;
use super::value::{Sort, Value};
use super::view;
use crate::entry_id;

/// A sync state of the hierarchy: a form of its own, and since when there is this mailbox.
const HIERARCHY: u8 = 3;

/// `FindFolder`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindFolder {
    /// What is wanted of each.
    pub shape: FolderShape,
    /// At every depth.
    pub deep: bool,
    /// Which part of the list.
    pub view: View,
    /// Which folders.
    pub restriction: Option<Restriction>,
    /// Below which folders.
    pub parents: Vec<FolderReference>,
}

/// Reads `GetFolder`.
pub(crate) fn read_get(
    operation: &Element,
    owner: &Address,
) -> Result<(FolderShape, Vec<FolderReference>), Violation> {
    let mut children = operation.children();
    let shape = FolderShape::read(children.required(Namespace::Messages, "FolderShape")?)?;
    let folders = reference::folders(children.required(Namespace::Messages, "FolderIds")?, owner)?;
    children.end()?;
    Ok((shape, folders))
}

/// Reads `FindFolder`; the code of the answer where it cannot be done.
pub(crate) fn read_find(
    operation: &Element,
    owner: &Address,
) -> Result<Result<FindFolder, ResponseCode>, Violation> {
    let m = Namespace::Messages;
    let deep = match operation.required_attribute("Traversal")? {
        "Shallow" | "SoftDeleted" => false,
        "Deep" => true,
        _ => return Err(operation.violation("The traversal is not known.")),
    };
    let mut children = operation.children();
    let shape = FolderShape::read(children.required(m, "FolderShape")?)?;
    let view = view::read(&mut children)?;
    let restriction = children.optional(m, "Restriction");
    let restriction = restriction.map(|element| Restriction::read(element, sort)).transpose();
    let parents = reference::folders(children.required(m, "ParentFolderIds")?, owner)?;
    children.end()?;
    let restriction = match restriction {
        Ok(restriction) => restriction,
        Err(Unsearchable::Violation(violation)) => return Err(violation),
        Err(Unsearchable::Code(code)) => return Ok(Err(code)),
    };
    Ok(view.map(|view| FindFolder { shape, deep, view, restriction, parents }))
}

/// Answers `GetFolder`.
pub fn get_folder(
    writer: &mut Writer,
    shape: &FolderShape,
    folders: Vec<FolderReference>,
    index: &Index,
    mailbox: &Mailbox,
) {
    batch(writer, "m:GetFolderResponse", "m:GetFolderResponseMessage", folders, |message, folder| {
        message.element("m:Folders", &[], |within| print(within, folder, shape, index, mailbox));
    });
}

/// Answers `FindFolder`.
pub fn find_folder(writer: &mut Writer, find: FindFolder, index: &Index, mailbox: &Mailbox) {
    let FindFolder { shape, deep, view, restriction, parents } = find;
    batch(writer, "m:FindFolderResponse", "m:FindFolderResponseMessage", parents, |message, parent| {
        let below = Folder::ALL.into_iter().filter(|folder| match deep {
            true => folder.is_below(parent),
            false => *folder != Folder::Root && folder.parent() == parent,
        });
        let wanted = below.filter(|folder| {
            let holds =
                |restriction: &Restriction| restriction.holds(&|path| value(*folder, path, index, mailbox));
            restriction.as_ref().is_none_or(holds)
        });
        let page = view.page(wanted.collect());
        view.root(message, &page, |root| {
            root.element("t:Folders", &[], |within| {
                for folder in &page.entries {
                    print(within, *folder, &shape, index, mailbox);
                }
            });
        });
    });
}

/// The error of a `FindFolder` that cannot be done.
pub fn refuse_find_folder(writer: &mut Writer, code: ResponseCode) {
    batch(writer, "m:FindFolderResponse", "m:FindFolderResponseMessage", [Err::<(), _>(code)], |_, ()| {});
}

/// `SyncFolderHierarchy`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncFolderHierarchy {
    /// What is wanted of each.
    pub shape: FolderShape,
    /// Below which folder.
    pub folder: FolderReference,
    /// What the client was given last.
    pub state: Option<String>,
}

/// Reads `SyncFolderHierarchy`.
pub(crate) fn read_sync(operation: &Element, owner: &Address) -> Result<SyncFolderHierarchy, Violation> {
    let m = Namespace::Messages;
    let mut children = operation.children();
    let shape = FolderShape::read(children.required(m, "FolderShape")?)?;
    let folder = match children.optional(m, "SyncFolderId") {
        Some(element) => match reference::list(element)? {
            [one] => reference::folder(one, owner)?,
            _ => return Err(element.violation("Exactly one folder is expected here.")),
        },
        None => Ok(Folder::MessageRoot),
    };
    let state = children.optional(m, "SyncState").map(|state| state.text().trim().to_owned());
    children.end()?;
    Ok(SyncFolderHierarchy { shape, folder, state: state.filter(|state| !state.is_empty()) })
}

/// Answers `SyncFolderHierarchy`. Folders never come and never go: whoever has them has them all.
pub fn sync_folder_hierarchy(
    writer: &mut Writer,
    request: SyncFolderHierarchy,
    index: &Index,
    mailbox: &Mailbox,
) {
    let SyncFolderHierarchy { shape, folder, state } = request;
    let present = [&[HIERARCHY], &index.since().as_millis().to_be_bytes()[..]].concat();
    let present = STANDARD.encode(present);
    let answer = folder.and_then(|folder| match state {
        Some(state) if state != present => Err(ResponseCode::ErrorInvalidSyncStateData),
        Some(_) => Ok(Vec::new()),
        None => Ok(Folder::ALL.into_iter().filter(|other| other.is_below(folder)).collect()),
    });
    let (whole, message) = ("m:SyncFolderHierarchyResponse", "m:SyncFolderHierarchyResponseMessage");
    batch(writer, whole, message, [answer], |within, folders: Vec<Folder>| {
        within.text("m:SyncState", &present);
        within.boolean("m:IncludesLastFolderInRange", true);
        within.element("m:Changes", &[], |changes| {
            for folder in folders {
                changes.element("t:Create", &[], |create| print(create, folder, &shape, index, mailbox));
            }
        });
    });
}

/// Whether folders can be searched by a property, and of which sort it is.
fn sort(path: &Path) -> Option<Sort> {
    match path {
        Path::Other(uri) => match uri.as_str() {
            "folder:DisplayName" | "folder:FolderClass" | "folder:DistinguishedFolderId" => Some(Sort::Text),
            "folder:TotalCount" | "folder:ChildFolderCount" | "folder:UnreadCount" => Some(Sort::Number),
            _ => None,
        },
        path => super::message::sort(path).filter(|_| matches!(path, Path::Extended(_))),
    }
}

fn value(folder: Folder, path: &Path, index: &Index, mailbox: &Mailbox) -> Option<Value> {
    let number = |number: usize| Some(Value::Number(i64::try_from(number).unwrap_or(i64::MAX)));
    match path {
        Path::Field(_) => None,
        Path::Extended(extended) => extended_value(folder, extended, index, mailbox),
        Path::Other(uri) => match uri.as_str() {
            "folder:DisplayName" => Some(Value::Text(folder.display_name().to_owned())),
            "folder:FolderClass" => folder.class().map(|class| Value::Text(class.to_owned())),
            "folder:DistinguishedFolderId" => Some(Value::Text(folder.distinguished().to_owned())),
            "folder:TotalCount" => number(index.counts(folder).0),
            "folder:UnreadCount" => number(index.counts(folder).1),
            "folder:ChildFolderCount" => number(folder.children().count()),
            _ => None,
        },
    }
}

/// By tag: [MS-OXPROPS]; what IMAP gateways read of a folder is among them.
fn extended_value(folder: Folder, extended: &Extended, index: &Index, mailbox: &Mailbox) -> Option<Value> {
    let Property::Tag(tag) = extended.property else { return None };
    let text = |text: &str| Some((Value::Text(text.to_owned()), Kind::String));
    let number = |number: i64| Some((Value::Number(number), Kind::Integer));
    let count = |count: usize| number(i64::try_from(count).unwrap_or(i64::MAX));
    let changes = i64::try_from(index.up_to()).unwrap_or(i64::MAX);
    let id = ObjectId::Folder(FolderId::new(folder, &mailbox.owner));
    let found = match tag {
        // PidTagDisplayName, PidTagContainerClass
        0x3001 => text(folder.display_name()),
        0x3613 => folder.class().and_then(text),
        // PidTagFolderType: root, generic, search
        0x3601 => number(match folder {
            Folder::Root => 0,
            Folder::Voicemail => 2,
            _ => 1,
        }),
        // PidTagContentCount, PidTagContentUnreadCount
        0x3602 => count(index.counts(folder).0),
        0x3603 => count(index.counts(folder).1),
        // PidTagSubfolders
        0x360a => Some((Value::Flag(folder.children().next().is_some()), Kind::Boolean)),
        // PidTagAttributeHidden
        0x10f4 => Some((Value::Flag(false), Kind::Boolean)),
        // PidTagCreationTime
        0x3007 => Some((Value::Time(index.since()), Kind::SystemTime)),
        // PidTagLastModificationTime, PidTagLocalCommitTimeMax. Gateways only look whether it is another one than
        // before: it goes a second on with every change of the mailbox.
        0x3008 | 0x670a => {
            let at = index.since().as_secs().saturating_add(changes);
            Some((Value::Time(UnixTime::from_secs(at)), Kind::SystemTime))
        }
        // PidTagArticleNumberNext, PidTagImapLastArticleId: UIDs are counts of changes (0x0E23 of items).
        0x6751 => number(changes.saturating_add(1)),
        0x6752 => number(changes),
        // PidTagUrlCompName
        0x10f3 => text(folder.display_name()),
        // PidTagRecordKey, PidTagEntryId
        0x0ff9 => Some((Value::Octets(id.to_bytes().to_vec()), Kind::Binary)),
        0x0fff => Some((Value::Octets(entry_id::bytes(id)), Kind::Binary)),
        _ => None,
    };
    found.filter(|(_, kind)| *kind == extended.kind).map(|(value, _)| value)
}

fn is_wanted(shape: &FolderShape, uri: &str) -> bool {
    let in_base = match shape.base {
        BaseShape::IdOnly => uri == "folder:FolderId",
        BaseShape::Default => {
            let default = ["folder:FolderId", "folder:DisplayName", "folder:TotalCount"];
            default.contains(&uri) || ["folder:ChildFolderCount", "folder:UnreadCount"].contains(&uri)
        }
        BaseShape::AllProperties => true,
    };
    in_base || shape.fields.iter().any(|field| field == uri)
}

/// Prints a folder: only what the shape asks for, in the order of the schema.
fn print(writer: &mut Writer, folder: Folder, shape: &FolderShape, index: &Index, mailbox: &Mailbox) {
    let wants = |uri: &str| is_wanted(shape, uri);
    let id = |folder| ObjectId::Folder(FolderId::new(folder, &mailbox.owner)).text();
    let number = |within: &mut Writer, name, number: usize| {
        within.number(name, i64::try_from(number).unwrap_or(i64::MAX));
    };
    writer.element(folder.element(), &[], |within| {
        if wants("folder:FolderId") {
            let key = ChangeKey(index.up_to()).text();
            within.empty("t:FolderId", &[("Id", &id(folder)), ("ChangeKey", &key)]);
        }
        if wants("folder:ParentFolderId") {
            within.empty("t:ParentFolderId", &[("Id", &id(folder.parent()))]);
        }
        if let Some(class) = folder.class().filter(|_| wants("folder:FolderClass")) {
            within.text("t:FolderClass", class);
        }
        if wants("folder:DisplayName") {
            within.text("t:DisplayName", folder.display_name());
        }
        if wants("folder:TotalCount") {
            number(within, "t:TotalCount", index.counts(folder).0);
        }
        if wants("folder:ChildFolderCount") {
            number(within, "t:ChildFolderCount", folder.children().count());
        }
        for extended in &shape.extended {
            let Some(value) = extended_value(folder, extended, index, mailbox) else { continue };
            within.element("t:ExtendedProperty", &[], |property| {
                extended.print(property);
                property.text("t:Value", &value.print());
            });
        }
        if wants("folder:EffectiveRights") {
            effective_rights(within, false);
        }
        if wants("folder:DistinguishedFolderId") {
            within.text("t:DistinguishedFolderId", folder.distinguished());
        }
        // Calendars and contacts have none in the schema.
        if wants("folder:UnreadCount") && !matches!(folder, Folder::Calendar | Folder::Contacts) {
            number(within, "t:UnreadCount", index.counts(folder).1);
        }
    });
}

#[cfg(test)]
#[path = "folders_tests.rs"]
mod tests;
