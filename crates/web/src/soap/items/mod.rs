//! Folders and items over HTTP: asks the store, and prints what [`umbel_ews::item`] says.

mod changes;
mod indexes;
mod sounds;

use umbel_ews::envelope;
use umbel_ews::fault::Fault;
use umbel_ews::item::index::Index;
use umbel_ews::item::mailbox::Mailbox;
use umbel_ews::item::{Operation, change, convert_id, find_item, folders, sync};
use umbel_ews::xml::Writer;
use umbel_store::User;

use crate::Desk;

pub(crate) use indexes::Indexes;
pub(crate) use sounds::Sounds;

/// What items need to have at hand: indexes, and turns at reading sounds.
#[derive(Clone, Default)]
pub(crate) struct Shelf {
    pub(crate) indexes: Indexes,
    pub(crate) sounds: Sounds,
}

/// Answers an operation for who signed in, whose mailbox it is (SEC-97).
pub(super) async fn answer(desk: &Desk, user: &User, operation: Operation) -> Result<String, Fault> {
    let mailbox = mailbox(desk, user);
    match operation {
        Operation::ConvertId(request) => {
            Ok(print(|writer| convert_id::convert_id(writer, request, &mailbox)))
        }
        Operation::FindItem(Err(code)) => Ok(print(|writer| find_item::refuse_find_item(writer, code))),
        Operation::FindFolder(Err(code)) => Ok(print(|writer| folders::refuse_find_folder(writer, code))),
        Operation::GetItem((shape, items)) => sounds::get_item(desk, mailbox, &shape, &items).await,
        Operation::GetAttachment(attachments) => sounds::get_attachment(desk, &mailbox, &attachments).await,
        Operation::UpdateItem(updates) => changes::update(desk, &mailbox, updates).await,
        Operation::DeleteItem(items) => changes::delete(desk, &mailbox, items).await,
        Operation::MoveItem(request) => changes::move_items(desk, &mailbox, request).await,
        Operation::CopyItem(request) => {
            let refuse = |writer: &mut Writer, index: &Index| {
                let why = |item| match (item, request.to) {
                    (Ok(item), Ok(_)) => change::copy_to(item, index),
                    (Err(code), _) | (_, Err(code)) => code,
                };
                change::not_copied(writer, request.items.into_iter().map(why).collect());
            };
            look(desk, &mailbox, refuse).await
        }
        Operation::MarkAllItemsAsRead(request) => changes::mark_all(desk, &mailbox, request).await,
        Operation::FindItem(Ok(request)) => {
            look(desk, &mailbox, |writer, index| find_item::find_item(writer, &request, index, &mailbox))
                .await
        }
        Operation::GetFolder(shape, ids) => {
            look(desk, &mailbox, |writer, index| folders::get_folder(writer, &shape, ids, index, &mailbox))
                .await
        }
        Operation::FindFolder(Ok(request)) => {
            look(desk, &mailbox, |writer, index| folders::find_folder(writer, request, index, &mailbox)).await
        }
        Operation::SyncFolderHierarchy(request) => {
            let print = |writer: &mut Writer, index: &Index| {
                folders::sync_folder_hierarchy(writer, request, index, &mailbox);
            };
            look(desk, &mailbox, print).await
        }
        Operation::SyncFolderItems(request) => {
            look(desk, &mailbox, |writer, index| sync::sync_folder_items(writer, &request, index, &mailbox))
                .await
        }
    }
}

/// What mails and items tell of the owner; the clock is the server's where none is set.
fn mailbox(desk: &Desk, user: &User) -> Mailbox {
    let settings = &user.settings;
    let zone = settings.time_zone.as_deref().and_then(|name| jiff::tz::TimeZone::get(name).ok());
    Mailbox {
        owner: settings.address.clone(),
        name: settings.name.clone(),
        mail_to: settings.email.clone().unwrap_or_else(|| settings.address.to_string()),
        mail_from: desk.settings().mail_from.clone(),
        zone: zone.unwrap_or_else(jiff::tz::TimeZone::system),
    }
}

fn print(body: impl FnOnce(&mut Writer)) -> String {
    envelope::exchange(body)
}

/// An answer that needs nothing but a look at the mailbox.
async fn look(
    desk: &Desk,
    mailbox: &Mailbox,
    body: impl FnOnce(&mut Writer, &Index),
) -> Result<String, Fault> {
    let index = desk.shelf.indexes.of(&mailbox.owner, &desk.store).await;
    let index = index.map_err(|reply| desk.fault_of(&reply))?;
    Ok(print(|writer| body(writer, &index)))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod thunderbird_tests;
