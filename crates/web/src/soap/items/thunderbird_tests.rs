//! Folders and items as Thunderbird meets them: requests that its own types print, answers that they read (`ews`, the
//! crate of its makers).

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::fmt::Debug;

use axum::body::Body;
use ews::delete_item::DeleteItem;
use ews::find_item::{FindItem, Traversal};
use ews::get_folder::GetFolder;
use ews::get_item::GetItem;
use ews::mark_all_read::MarkAllItemsAsRead;
use ews::move_item::MoveItem;
use ews::response::{ResponseClass, ResponseCode};
use ews::server_version::ExchangeServerVersion;
use ews::soap::{Envelope, Header};
use ews::sync_folder_hierarchy::{self, SyncFolderHierarchy};
use ews::sync_folder_items::{self, SyncFolderItems};
use ews::update_item::{
    ConflictResolution, ItemChange, ItemChangeDescription, ItemChangeInner, UpdateItem, Updates,
};
use ews::{
    BaseFolderId, BaseItemId, BasePoint, BaseShape, CopyMoveItemData, DeleteType, Folder, FolderShape,
    ItemId, ItemShape, Message, MessageDisposition, Operation, OperationResponse, PathToElement, RealItem,
    View,
};
use umbel_store::conformance::{deposit, id};

use crate::testing::{Answer, World, address};

/// alice has messages 1 and 2, bob message 3.
fn world() -> World {
    let world = World::new();
    world.store(|store| {
        for (number, user) in [(1, "alice"), (2, "alice"), (3, "bob")] {
            deposit(store, id(number), &address(user)).unwrap();
        }
    });
    world
}

async fn send(world: &World, body: Vec<u8>) -> Answer {
    let request = world.request("alice", "POST", "/EWS/Exchange.asmx");
    let request = request.header("Content-Type", "text/xml; charset=utf-8");
    world.send(request.body(Body::from(body)).unwrap()).await
}

/// Alice asks; Thunderbird's types say what the answer is.
async fn ask<O: Operation>(world: &World, operation: O) -> Vec<ResponseClass<Answered<O>>> {
    let version = ExchangeServerVersion::Exchange2013_SP1;
    let headers = vec![Header::RequestServerVersion { version }];
    let body = Envelope { headers, body: operation }.as_xml_document().unwrap();
    let answer = send(world, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let envelope = Envelope::<O::Response>::from_xml_document(&answer.body);
    let envelope = envelope.unwrap_or_else(|error| panic!("{error}\n{}", answer.text()));
    assert!(
        matches!(envelope.headers.as_slice(), [Header::ServerVersionInfo(_)]),
        "the version by which it knows what we can do: {}",
        answer.text()
    );
    envelope.body.into_response_messages()
}

type Answered<O> = <<O as Operation>::Response as OperationResponse>::Message;

/// The only answer, which is a good one.
#[track_caller]
fn only<T: Debug>(mut answers: Vec<ResponseClass<T>>) -> T {
    assert_eq!(answers.len(), 1, "{answers:?}");
    match answers.remove(0) {
        ResponseClass::Success(answer) => answer,
        other => panic!("{other:?}"),
    }
}

/// The only answer, which is a refusal.
#[track_caller]
fn refused<T: Debug>(mut answers: Vec<ResponseClass<T>>) -> ResponseCode {
    assert_eq!(answers.len(), 1, "{answers:?}");
    match answers.remove(0) {
        ResponseClass::Error(error) => {
            assert!(!error.message_text.is_empty(), "{error:?}");
            error.response_code
        }
        other => panic!("{other:?}"),
    }
}

fn folder(name: &str) -> BaseFolderId {
    BaseFolderId::new_distinguished(name)
}

fn shape(base_shape: BaseShape) -> ItemShape {
    ItemShape { base_shape, ..ItemShape::default() }
}

fn reference(item: &ItemId) -> BaseItemId {
    BaseItemId::ItemId { id: item.id.clone(), change_key: item.change_key.clone() }
}

fn message(item: &RealItem) -> &Message {
    match item {
        RealItem::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

fn item_id(item: &RealItem) -> ItemId {
    message(item).item_id.clone().unwrap()
}

/// What is in a folder.
async fn found(world: &World, name: &str, base_shape: BaseShape) -> Vec<RealItem> {
    let find = FindItem {
        traversal: Traversal::Shallow,
        item_shape: shape(base_shape),
        view: Some(View::IndexedPageItemView {
            max_entries_returned: Some(50),
            base_point: BasePoint::Beginning,
            offset: 0,
        }),
        parent_folder_ids: vec![folder(name)],
    };
    let root = only(ask(world, find).await).root_folder;
    assert_eq!(root.includes_last_item_in_range, Some(true));
    assert_eq!(root.total_items_in_view, Some(root.items.inner.len()));
    root.items.inner
}

fn sync(state: Option<String>, max_changes_returned: u16) -> SyncFolderItems {
    SyncFolderItems {
        item_shape: shape(BaseShape::IdOnly),
        sync_folder_id: folder("inbox"),
        sync_state: state,
        ignore: None,
        max_changes_returned,
        sync_scope: None,
    }
}

fn mark_read(item: &ItemId, is_read: bool) -> UpdateItem {
    let field_uri = PathToElement::FieldURI { field_URI: "message:IsRead".into() };
    let message = Message { is_read: Some(is_read), ..Message::default() };
    UpdateItem {
        message_disposition: MessageDisposition::SaveOnly,
        conflict_resolution: Some(ConflictResolution::AutoResolve),
        item_changes: vec![ItemChange {
            item_change: ItemChangeInner {
                item_id: reference(item),
                updates: Updates { inner: vec![ItemChangeDescription::SetItemField { field_uri, message }] },
            },
        }],
    }
}

fn delete(item: &ItemId, delete_type: DeleteType) -> DeleteItem {
    DeleteItem {
        delete_type,
        send_meeting_cancellations: None,
        affected_task_occurrences: None,
        suppress_read_receipts: Some(true),
        item_ids: vec![reference(item)],
    }
}

#[tokio::test]
async fn folders_are_synchronised_and_looked_at() {
    let world = world();
    let ask_for = |sync_state| SyncFolderHierarchy {
        folder_shape: FolderShape { base_shape: BaseShape::AllProperties },
        sync_folder_id: None,
        sync_state,
    };
    let first = only(ask(&world, ask_for(None)).await);
    assert!(first.includes_last_folder_in_range);
    let names: Vec<_> = first
        .changes
        .inner
        .iter()
        .map(|change| match change {
            sync_folder_hierarchy::Change::Create {
                folder:
                    Folder::Folder { display_name, .. }
                    | Folder::CalendarFolder { display_name, .. }
                    | Folder::ContactsFolder { display_name, .. },
            } => display_name.clone().unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(names.iter().any(|name| name == "Inbox"), "{names:?}");
    let again = only(ask(&world, ask_for(Some(first.sync_state))).await);
    assert!(again.changes.inner.is_empty(), "{again:?}");

    let get = |name| GetFolder {
        folder_shape: FolderShape { base_shape: BaseShape::Default },
        folder_ids: vec![folder(name)],
    };
    let inbox = only(ask(&world, get("inbox")).await).folders.inner;
    let [Folder::Folder { folder_id: Some(_), total_count, unread_count, .. }] = inbox.as_slice() else {
        panic!("{inbox:?}")
    };
    assert_eq!((*total_count, *unread_count), (Some(2), Some(2)));
    assert_eq!(refused(ask(&world, get("journal")).await), ResponseCode::ErrorFolderNotFound);
}

#[tokio::test]
async fn messages_are_found_and_got_with_all_that_it_shows() {
    let world = world();
    let ids: Vec<ItemId> = found(&world, "inbox", BaseShape::IdOnly).await.iter().map(item_id).collect();
    assert_eq!(ids.len(), 2);
    for base_shape in [BaseShape::Default, BaseShape::AllProperties] {
        assert_eq!(found(&world, "inbox", base_shape).await.len(), 2);
    }
    let mut item_shape = shape(BaseShape::AllProperties);
    item_shape.include_mime_content = Some(true);
    let got = ask(&world, GetItem { item_shape, item_ids: ids.iter().map(reference).collect() }).await;
    assert_eq!(got.len(), 2);
    for (answer, id) in got.into_iter().zip(&ids) {
        let items = only(vec![answer]).items.inner;
        let message = message(&items[0]);
        assert_eq!(message.item_id.as_ref(), Some(id));
        assert_eq!(message.item_class.as_deref(), Some("IPM.Note.Microsoft.Voicemail.UM.CA"));
        assert_eq!((message.is_read, message.has_attachments), (Some(false), Some(true)));
        assert!(message.subject.as_ref().is_some_and(|subject| !subject.is_empty()), "{message:?}");
        assert!(message.date_time_received.is_some() && message.from.is_some(), "{message:?}");
        assert!(message.size.is_some_and(|size| size > 0), "{message:?}");
        assert!(
            message.mime_content.as_ref().is_some_and(|mime| mime.content.len() > 1_000),
            "the whole mail"
        );
    }
}

/// What is new, what was marked and what is gone, in steps as small as a client asks for.
#[tokio::test]
async fn a_folder_is_kept_in_step_by_small_steps() {
    let world = world();
    let mut state = None;
    let mut seen = Vec::new();
    loop {
        let step = only(ask(&world, sync(state, 1)).await);
        for change in &step.changes.inner {
            let sync_folder_items::Change::Create { item } = change else { panic!("{change:?}") };
            seen.push(item_id(item));
        }
        state = Some(step.sync_state);
        if step.includes_last_item_in_range {
            break;
        }
    }
    assert_eq!(seen.len(), 2);

    only(ask(&world, mark_read(&seen[0], true)).await);
    let step = only(ask(&world, sync(state, 100)).await);
    let [sync_folder_items::Change::ReadFlagChange { item_id, is_read: true }] =
        step.changes.inner.as_slice()
    else {
        panic!("{step:?}")
    };
    assert_eq!(item_id.id, seen[0].id);

    only(ask(&world, delete(&seen[1], DeleteType::MoveToDeletedItems)).await);
    let step = only(ask(&world, sync(Some(step.sync_state), 100)).await);
    let [sync_folder_items::Change::Delete { item_id }] = step.changes.inner.as_slice() else {
        panic!("{step:?}")
    };
    assert_eq!(item_id.id, seen[1].id);
    let nothing = only(ask(&world, sync(Some(step.sync_state), 100)).await);
    assert!(nothing.changes.inner.is_empty() && nothing.includes_last_item_in_range, "{nothing:?}");

    let stale = refused(ask(&world, sync(Some("no state of ours".into()), 100)).await);
    assert_eq!(stale, ResponseCode::ErrorInvalidSyncStateData);
}

#[tokio::test]
async fn messages_are_marked_deleted_and_brought_back() {
    let world = world();
    let inbox = found(&world, "inbox", BaseShape::IdOnly).await;
    let item = item_id(&inbox[0]);
    for is_read in [true, false] {
        let updated = only(ask(&world, mark_read(&item, is_read)).await);
        assert_eq!(item_id(&updated.items.inner[0]).id, item.id);
        let listed = found(&world, "inbox", BaseShape::AllProperties).await;
        let now = listed.iter().find(|listed| item_id(listed).id == item.id).unwrap();
        assert_eq!(message(now).is_read, Some(is_read));
    }
    let all = |read_flag| MarkAllItemsAsRead {
        read_flag,
        suppress_read_receipts: true,
        folder_ids: vec![folder("inbox")],
    };
    only(ask(&world, all(true)).await);
    let listed = found(&world, "inbox", BaseShape::AllProperties).await;
    assert!(listed.iter().all(|listed| message(listed).is_read == Some(true)), "{listed:?}");

    only(ask(&world, delete(&item, DeleteType::MoveToDeletedItems)).await);
    assert_eq!(found(&world, "inbox", BaseShape::IdOnly).await.len(), 1);
    let deleted = found(&world, "deleteditems", BaseShape::IdOnly).await;
    assert_eq!(deleted.len(), 1);
    let back = MoveItem {
        inner: CopyMoveItemData {
            to_folder_id: folder("inbox"),
            item_ids: vec![reference(&item_id(&deleted[0]))],
            return_new_item_ids: Some(true),
        },
    };
    let moved = only(ask(&world, back).await);
    assert_eq!(moved.items.inner.len(), 1);
    assert_eq!(found(&world, "inbox", BaseShape::IdOnly).await.len(), 2);
}

/// IN-H7: another's message, one that never was, and what is no id at all.
#[tokio::test]
async fn what_is_not_hers_is_refused_as_it_understands() {
    let world = world();
    let another = umbel_ews::item::id::ObjectId::Item(id(3)).text();
    let never = umbel_ews::item::id::ObjectId::Item(id(9)).text();
    for (id, code) in [
        (another, ResponseCode::ErrorItemNotFound),
        (never, ResponseCode::ErrorItemNotFound),
        ("nonsense".to_owned(), ResponseCode::ErrorInvalidIdMalformed),
    ] {
        let item = ItemId { id, change_key: None };
        let get = GetItem { item_shape: shape(BaseShape::IdOnly), item_ids: vec![reference(&item)] };
        assert_eq!(refused(ask(&world, get).await), code);
        assert_eq!(refused(ask(&world, delete(&item, DeleteType::HardDelete)).await), code);
        assert_eq!(refused(ask(&world, mark_read(&item, true)).await), code);
    }
    assert_eq!(found(&world, "inbox", BaseShape::IdOnly).await.len(), 2);
}

#[tokio::test]
async fn a_fault_is_read_with_its_code_and_words() {
    let world = world();
    let body = "<soap:Envelope xmlns:soap='http://schemas.xmlsoap.org/soap/envelope/'><soap:Body>\
                <Unheard xmlns='http://schemas.microsoft.com/exchange/services/2006/messages'/>\
                </soap:Body></soap:Envelope>";
    let answer = send(&world, body.into()).await;
    assert_eq!(answer.status, 500, "{}", answer.text());
    let read = Envelope::<ews::get_item::GetItemResponse>::from_xml_document(&answer.body);
    let Err(ews::Error::RequestFault(fault)) = read else { panic!("{read:?}\n{}", answer.text()) };
    let detail = fault.detail.unwrap();
    assert!(!fault.faultstring.is_empty() && detail.message.is_some_and(|text| !text.is_empty()));
    // No schema has such an element.
    assert_eq!(detail.response_code, Some(ResponseCode::ErrorSchemaValidation));
}
