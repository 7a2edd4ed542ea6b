//! What mail programs may change, and what they may not.

use umbel_store::MessageId;

use super::super::id::{ChangeKey, FolderId, ObjectId};
use super::super::testing::{alice, code, index, message_item, messages, missed_item, parse, printed};
use super::*;

const AT: UnixTime = UnixTime::from_secs(1_800_000_000);

fn deleted_item(number: u32) -> Item {
    let mut item = message_item(number);
    if let ItemContent::Message(message) = &mut item.content {
        message.deleted = Some(AT);
    }
    item
}

fn here() -> Index {
    index(vec![message_item(1), missed_item(2), deleted_item(3)], vec![], 3)
}

fn with<T>(decide: impl FnOnce(Standing<'_>) -> T) -> T {
    let (index, owner) = (here(), alice());
    decide(Standing { index: &index, owner: &owner, at: AT })
}

fn id(number: u32) -> MessageId {
    message_item(number).id
}

fn reference(number: u32) -> ItemReference {
    ItemReference { id: id(number), change_key: None }
}

fn update_request(attributes: &str, item: &str, updates: &str) -> Vec<Result<Update, ResponseCode>> {
    let request = parse(&format!(
        "<UpdateItem {attributes}><ItemChanges><t:ItemChange>{item}<t:Updates>{updates}</t:Updates></t:ItemChange>\
         </ItemChanges></UpdateItem>"
    ));
    read_update(&request).expect("a request")
}

fn set_read(value: &str) -> String {
    format!(
        "<t:SetItemField><t:FieldURI FieldURI='message:IsRead'/><t:Message><t:IsRead>{value}</t:IsRead></t:Message>\
         </t:SetItemField>"
    )
}

fn item_id(number: u32, key: u64) -> String {
    format!("<t:ItemId Id='{}' ChangeKey='{}'/>", ObjectId::Item(id(number)).text(), ChangeKey(key).text())
}

#[test]
fn messages_and_notices_are_marked_as_read_and_as_new() {
    let one = |number, value| {
        let updates =
            update_request("ConflictResolution='AutoResolve'", &item_id(number, 1), &set_read(value));
        with(|standing| update(&updates[0].expect("an update"), standing))
    };
    assert_eq!(one(1, "true"), Ok(Some(Op::MarkHeard { mailbox: alice(), id: id(1), heard: true })));
    assert_eq!(one(1, "false"), Ok(None), "it is new");
    assert_eq!(one(2, "1"), Ok(Some(Op::MarkMissedCall { mailbox: alice(), id: id(2), seen: true })));
    assert_eq!(one(3, "true"), Ok(Some(Op::MarkHeard { mailbox: alice(), id: id(3), heard: true })));
    assert_eq!(one(9, "true"), Err(ResponseCode::ErrorItemNotFound));
}

#[test]
fn who_does_not_want_to_overwrite_needs_the_latest_change_key() {
    let one = |resolution: &str, key| {
        let attributes = format!("MessageDisposition='SaveOnly' ConflictResolution='{resolution}'");
        let updates = update_request(&attributes, &item_id(1, key), &set_read("true"));
        with(|standing| update(&updates[0].expect("an update"), standing)).map(|op| op.is_some())
    };
    assert_eq!(one("NeverOverwrite", 1), Ok(true));
    assert_eq!(one("NeverOverwrite", 0), Err(ResponseCode::ErrorIrresolvableConflict));
    assert_eq!(one("AutoResolve", 0), Ok(true));
    assert_eq!(one("AlwaysOverwrite", 0), Ok(true));
}

#[test]
fn nothing_else_can_be_changed() {
    let one = |updates: &str| update_request("ConflictResolution='AutoResolve'", &item_id(1, 1), updates)[0];
    let subject = "<t:SetItemField><t:FieldURI FieldURI='item:Subject'/><t:Message><t:Subject>x</t:Subject></t:Message>\
                   </t:SetItemField>";
    assert_eq!(one(subject), Err(ResponseCode::ErrorInvalidPropertySet));
    assert_eq!(one(&format!("{}{subject}", set_read("true"))), Err(ResponseCode::ErrorInvalidPropertySet));
    let unset = "<t:DeleteItemField><t:FieldURI FieldURI='message:IsRead'/></t:DeleteItemField>";
    assert_eq!(one(unset), Err(ResponseCode::ErrorInvalidPropertySet));
    let by_gateway = "<t:SetItemField><t:ExtendedFieldURI DistinguishedPropertySetId='Common' PropertyId='34160' \
                      PropertyType='Integer'/><t:Message/></t:SetItemField>";
    assert_eq!(one(by_gateway).map(|update| update.seen), Ok(None));
    assert_eq!(one(&format!("{by_gateway}{}", set_read("true"))).map(|update| update.seen), Ok(Some(true)));
}

/// DEC-37
#[test]
fn a_deleted_message_can_be_brought_back_and_a_notice_is_gone() {
    let owner = Author::OwnerByWeb;
    assert_eq!(
        with(|standing| delete(reference(1), standing)),
        Ok(Op::DeleteMessage { mailbox: alice(), id: id(1), author: owner.clone(), at: AT })
    );
    assert_eq!(
        with(|standing| delete(reference(2), standing)),
        Ok(Op::RemoveMissedCall { mailbox: alice(), id: id(2) })
    );
    assert_eq!(with(|standing| delete(reference(3), standing)), Err(ResponseCode::ErrorCannotDeleteObject));
    assert_eq!(with(|standing| delete(reference(9), standing)), Err(ResponseCode::ErrorItemNotFound));
    assert_eq!(
        with(|standing| move_to(reference(3), Folder::Inbox, standing)),
        Ok(Some(Op::RestoreMessage { mailbox: alice(), id: id(3), author: owner, at: AT }))
    );
}

#[test]
fn items_move_between_the_inbox_and_the_deleted_ones_alone() {
    let to = |number, folder| with(|standing| move_to(reference(number), folder, standing));
    assert!(matches!(to(1, Folder::DeletedItems), Ok(Some(Op::DeleteMessage { .. }))));
    assert!(matches!(to(2, Folder::DeletedItems), Ok(Some(Op::RemoveMissedCall { .. }))));
    assert_eq!(to(1, Folder::Inbox), Ok(None));
    assert_eq!(to(3, Folder::DeletedItems), Ok(None));
    for folder in [Folder::Drafts, Folder::Voicemail, Folder::Root, Folder::JunkEmail] {
        assert_eq!(to(1, folder), Err(ResponseCode::ErrorMoveCopyFailed), "{folder:?}");
    }
}

#[test]
fn all_items_of_a_folder_are_marked_at_once() {
    let marked = |folder, seen| with(|standing| mark_all(folder, seen, standing)).len();
    assert_eq!(marked(Folder::Inbox, true), 2);
    assert_eq!(marked(Folder::Voicemail, true), 1);
    assert_eq!(marked(Folder::Inbox, false), 0);
    let request = parse(
        "<MarkAllItemsAsRead><ReadFlag>true</ReadFlag><SuppressReadReceipts>true</SuppressReadReceipts>\
         <FolderIds><t:DistinguishedFolderId Id='inbox'/></FolderIds></MarkAllItemsAsRead>",
    );
    let expected = MarkAll { seen: true, folders: vec![Ok(Folder::Inbox)] };
    assert_eq!(read_mark_all(&request, &alice()), Ok(expected));
}

#[test]
fn ids_of_other_things_are_told_apart() {
    let folder = ObjectId::Folder(FolderId::new(Folder::Inbox, &alice())).text();
    let attachment = ObjectId::Attachment(id(1)).text();
    for (id, expected) in [
        (folder.as_str(), ResponseCode::ErrorCannotUseFolderIdForItemId),
        (attachment.as_str(), ResponseCode::ErrorInvalidId),
        ("x", ResponseCode::ErrorInvalidIdMalformed),
        ("", ResponseCode::ErrorInvalidIdEmpty),
    ] {
        let request = parse(&format!(
            "<DeleteItem DeleteType='HardDelete'><ItemIds><t:ItemId Id='{id}'/></ItemIds></DeleteItem>"
        ));
        assert_eq!(read_delete(&request).expect("a request"), [Err(expected)], "{id}");
    }
}

#[test]
fn a_request_names_so_many_items_and_no_more() {
    let request = |count: usize| {
        let ids = "<t:ItemId Id='x'/>".repeat(count);
        read_delete(&parse(&format!(
            "<DeleteItem DeleteType='SoftDelete'><ItemIds>{ids}</ItemIds></DeleteItem>"
        )))
    };
    assert!(request(reference::IDS_MAX).is_ok());
    assert!(request(reference::IDS_MAX + 1).is_err());
    assert!(request(0).is_err());
}

#[test]
fn answers_tell_the_new_change_key() {
    let item = Item { changed: 9, ..message_item(1) };
    let answer = printed(|writer| updated(writer, vec![Ok(item), Err(ResponseCode::ErrorItemNotFound)]));
    let [first, second] = messages(&answer)[..] else { panic!("two messages") };
    let parts: Vec<_> = first.elements().iter().map(Element::name).collect();
    assert_eq!(parts, ["ResponseCode", "Items", "ConflictResults"]);
    let told = &first.elements()[1].elements()[0].elements()[0];
    assert_eq!(told.attribute("ChangeKey"), Some(ChangeKey(9).text().as_str()));
    assert_eq!(code(second), "ErrorItemNotFound");
}
