//! `SyncFolderItems`: what became of a folder since one looked last ([MS-OXWSSYNC]).
//!
//! A state is a place in the count of the mailbox's changes. A first synchronisation tells what is in the folder in
//! the order in which it came, page by page, and then what has changed since it began. So every item is told once,
//! whatever happens meanwhile.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use umbel_store::{Address, Item, MessageId};

use crate::ResponseCode;
use crate::xml::{Element, Namespace, Violation, Writer};

use super::batch::batch;
use super::folder::Folder;
use super::id::ObjectId;
use super::index::Index;
use super::mailbox::Mailbox;
use super::print;
use super::reference::{self, FolderReference};
use super::shape::ItemShape;

/// Most changes in one answer, whatever is asked for; as [MS-OXWSSYNC] has it.
pub const CHANGES_MAX: u32 = 512;

/// The form of our states.
const FORM: u8 = 1;

/// Where a client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It was told of what had come up to `entered`, out of what was there when the count was `began`.
    Beginning { began: u64, entered: u64 },
    /// It was told of everything up to this count.
    Following { up_to: u64 },
}

/// What a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change<'a> {
    /// There is a new item.
    Create(&'a Item),
    /// An item was marked as read or as new.
    ReadFlag(&'a Item),
    /// An item is not there any more.
    Delete(MessageId),
}

/// `SyncFolderItems`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncFolderItems {
    /// What is wanted of each.
    pub shape: ItemShape,
    /// Which folder.
    pub folder: FolderReference,
    /// What the client was given last.
    pub state: Option<String>,
    /// Items of which it does not want to hear.
    pub ignore: Vec<MessageId>,
    /// So many changes at most.
    pub most: u32,
}

/// Reads `SyncFolderItems`.
pub(crate) fn read(operation: &Element, owner: &Address) -> Result<SyncFolderItems, Violation> {
    let m = Namespace::Messages;
    let mut children = operation.children();
    let shape = ItemShape::read(children.required(m, "ItemShape")?, true)?;
    let folder = children.required(m, "SyncFolderId")?;
    let folder = match reference::list(folder)? {
        [one] => reference::folder(one, owner)?,
        _ => return Err(folder.violation("Exactly one folder is expected here.")),
    };
    let state = children.optional(m, "SyncState").map(|state| state.text().trim().to_owned());
    let ignore = match children.optional(m, "Ignore") {
        Some(ignore) if !ignore.elements().is_empty() => reference::items(ignore)?,
        _ => Vec::new(),
    };
    let most = children.required(m, "MaxChangesReturned")?;
    let number = most.simple()?.trim().parse::<u32>().ok().filter(|number| *number > 0);
    let number = number.ok_or_else(|| most.violation("The value is not a number that is possible here."))?;
    // There are no hidden items, so the scope makes no difference.
    children.optional(m, "SyncScope");
    children.end()?;
    Ok(SyncFolderItems {
        shape,
        folder,
        state: state.filter(|state| !state.is_empty()),
        ignore: ignore.into_iter().filter_map(|reference| Some(reference.ok()?.id)).collect(),
        most: number.min(CHANGES_MAX),
    })
}

/// Answers `SyncFolderItems`.
pub fn sync_folder_items(writer: &mut Writer, request: &SyncFolderItems, index: &Index, mailbox: &Mailbox) {
    let answer = request.folder.and_then(|folder| {
        let state = request.state.as_deref().map(|text| State::read(text, folder, index)).transpose()?;
        let mut page = page(index, folder, state, usize::try_from(request.most).unwrap_or(usize::MAX));
        page.changes.retain(|change| !request.ignore.contains(&change.id()));
        Ok((folder, page))
    });
    let (whole, message) = ("m:SyncFolderItemsResponse", "m:SyncFolderItemsResponseMessage");
    batch(writer, whole, message, [answer], |within, (folder, page)| {
        within.text("m:SyncState", &page.state.text(folder, index));
        within.boolean("m:IncludesLastItemInRange", page.is_last);
        within.element("m:Changes", &[], |changes| {
            for change in &page.changes {
                print_change(changes, change, &request.shape, mailbox);
            }
        });
    });
}

fn print_change(writer: &mut Writer, change: &Change<'_>, shape: &ItemShape, mailbox: &Mailbox) {
    match change {
        Change::Create(item) => {
            writer.element("t:Create", &[], |create| print::item(create, item, shape, mailbox, None));
        }
        Change::ReadFlag(item) => writer.element("t:ReadFlagChange", &[], |change| {
            print::item_id(change, item);
            change.boolean("t:IsRead", item.seen);
        }),
        Change::Delete(id) => writer.element("t:Delete", &[], |delete| {
            delete.empty("t:ItemId", &[("Id", &ObjectId::Item(*id).text())]);
        }),
    }
}

impl Change<'_> {
    fn id(&self) -> MessageId {
        match self {
            Change::Create(item) | Change::ReadFlag(item) => item.id,
            Change::Delete(id) => *id,
        }
    }
}

impl State {
    fn text(self, folder: Folder, index: &Index) -> String {
        let (kind, one, other) = match self {
            State::Beginning { began, entered } => (1, began, entered),
            State::Following { up_to } => (2, up_to, 0),
        };
        let mut octets = vec![FORM, kind, folder.code()];
        octets.extend(index.since().as_millis().to_be_bytes());
        octets.extend(one.to_be_bytes());
        octets.extend(other.to_be_bytes());
        STANDARD.encode(octets)
    }

    /// A state of another folder, of another mailbox, from before what is remembered, or from the future of a store
    /// that was put back, is none: the client has to begin anew.
    fn read(text: &str, folder: Folder, index: &Index) -> Result<State, ResponseCode> {
        let state = Self::try_read(text, folder, index).ok_or(ResponseCode::ErrorInvalidSyncStateData)?;
        let known = match state {
            State::Beginning { began, .. } => began,
            State::Following { up_to } => up_to,
        };
        let is_known = (index.forgotten()..=index.up_to()).contains(&known);
        if is_known { Ok(state) } else { Err(ResponseCode::ErrorInvalidSyncStateData) }
    }

    fn try_read(text: &str, folder: Folder, index: &Index) -> Option<State> {
        let octets = STANDARD.decode(text).ok()?;
        let octets: [u8; 27] = octets.try_into().ok()?;
        let (head, rest) = octets.split_first_chunk::<3>()?;
        let (since, rest) = rest.split_first_chunk::<8>()?;
        let (one, rest) = rest.split_first_chunk::<8>()?;
        let (other, _) = rest.split_first_chunk::<8>()?;
        let [form, kind, code] = *head;
        let is_here =
            form == FORM && code == folder.code() && i64::from_be_bytes(*since) == index.since().as_millis();
        let (one, other) = (u64::from_be_bytes(*one), u64::from_be_bytes(*other));
        match kind {
            1 if is_here => Some(State::Beginning { began: one, entered: other }),
            2 if is_here => Some(State::Following { up_to: one }),
            _ => None,
        }
    }
}

/// What one answer tells, and where the client stands then.
struct Told<'a> {
    changes: Vec<Change<'a>>,
    state: State,
    is_last: bool,
}

fn page(index: &Index, folder: Folder, state: Option<State>, most: usize) -> Told<'_> {
    match state.unwrap_or(State::Beginning { began: index.up_to(), entered: 0 }) {
        State::Beginning { began, entered } => beginning(index, folder, began, entered, most),
        State::Following { up_to } => following(index, folder, up_to, most),
    }
}

/// What was there when the client began, in the order in which it came.
fn beginning(index: &Index, folder: Folder, began: u64, entered: u64, most: usize) -> Told<'_> {
    let mut rest: Vec<&Item> = index.in_folder(folder).collect();
    rest.retain(|item| item.entered > entered && item.entered <= began);
    rest.sort_unstable_by_key(|item| item.entered);
    let is_all = rest.len() <= most;
    rest.truncate(most);
    let state = match rest.last() {
        Some(last) if !is_all => State::Beginning { began, entered: last.entered },
        _ => State::Following { up_to: began },
    };
    let changes = rest.into_iter().map(Change::Create).collect();
    Told { changes, state, is_last: is_all && began == index.up_to() }
}

/// What happened after the count `after`.
fn following(index: &Index, folder: Folder, after: u64, most: usize) -> Told<'_> {
    let mut events: Vec<(u64, Vec<Change<'_>>)> = Vec::new();
    for item in index.items().filter(|item| item.changed > after) {
        // It may be with the client already, if it came before.
        let may_be_known = item.entered <= after;
        // That it is here or away is told at the place in the count where it came or went. Were it told where the
        // item changed last, a page that ends in between would take it as told.
        let (at, changes) = match (folder.holds(item), item.placed > after) {
            (true, false) => (item.changed, vec![Change::ReadFlag(item)]),
            // It went away and came back: whoever has it begins anew with it.
            (true, true) if may_be_known => {
                (item.placed, vec![Change::Delete(item.id), Change::Create(item)])
            }
            (true, true) => (item.placed, vec![Change::Create(item)]),
            (false, true) if may_be_known => (item.placed, vec![Change::Delete(item.id)]),
            (false, _) => continue,
        };
        events.push((at, changes));
    }
    let gone = index.gone().iter().filter(|gone| gone.changed > after && gone.entered <= after);
    events.extend(gone.map(|gone| (gone.changed, vec![Change::Delete(gone.id)])));
    events.sort_unstable_by_key(|(changed, _)| *changed);
    let mut told =
        Told { changes: Vec::new(), state: State::Following { up_to: index.up_to() }, is_last: true };
    let mut up_to = after;
    for (changed, changes) in events {
        // At least one of them, so that the client gets on.
        if !told.changes.is_empty() && told.changes.len() + changes.len() > most {
            return Told { state: State::Following { up_to }, is_last: false, ..told };
        }
        told.changes.extend(changes);
        up_to = changed;
    }
    told
}

#[cfg(test)]
#[path = "sync_tests.rs"]
mod tests;
