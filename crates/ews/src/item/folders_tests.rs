//! Folders as mail programs and gateways ask for them.

use super::super::testing::{
    alice, code, index, mailbox, message_item, messages, missed_item, parse, printed,
};
use super::*;

fn bob() -> Address {
    Address::new("bob", "example.test").expect("an address")
}

fn here() -> Index {
    let heard = umbel_store::Item { seen: true, ..message_item(2) };
    index(vec![message_item(1), heard, missed_item(3)], vec![], 7)
}

fn get(shape: &str, ids: &str) -> Element {
    let request = parse(&format!(
        "<GetFolder><FolderShape>{shape}</FolderShape><FolderIds>{ids}</FolderIds></GetFolder>"
    ));
    let (shape, folders) = read_get(&request, &alice()).expect("a request");
    printed(|writer| get_folder(writer, &shape, folders, &here(), &mailbox()))
}

fn find(traversal: &str, within: &str, parent: &str) -> Element {
    let request = parse(&format!(
        "<FindFolder Traversal='{traversal}'><FolderShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>\
         <t:FieldURI FieldURI='folder:DisplayName'/></t:AdditionalProperties></FolderShape>{within}\
         <ParentFolderIds><t:DistinguishedFolderId Id='{parent}'/></ParentFolderIds></FindFolder>"
    ));
    let find = read_find(&request, &alice()).expect("a request").expect("one that can be done");
    printed(|writer| find_folder(writer, find, &here(), &mailbox()))
}

fn names(answer: &Element) -> Vec<String> {
    let root = messages(answer)[0].child(Namespace::Messages, "RootFolder").expect("a root");
    let folders = root.elements()[0].elements().iter();
    folders
        .map(|folder| folder.child(Namespace::Types, "DisplayName").expect("a name").text().to_owned())
        .collect()
}

const IDS: &str = "<t:BaseShape>IdOnly</t:BaseShape>";

#[test]
fn every_folder_that_clients_ask_for_is_there() {
    for folder in Folder::ALL {
        let answer = get(IDS, &format!("<t:DistinguishedFolderId Id='{}'/>", folder.distinguished()));
        let message = messages(&answer)[0];
        assert_eq!(code(message), "NoError", "{folder:?}");
        let found = &message.child(Namespace::Messages, "Folders").expect("folders").elements()[0];
        assert_eq!(format!("t:{}", found.name()), folder.element());
        let id = found.elements()[0].attribute("Id").expect("an id");
        let again = get(IDS, &format!("<t:FolderId Id='{id}'/>"));
        assert_eq!(again, answer, "the id that was told names the same folder");
    }
}

#[test]
fn a_folder_has_its_counts_and_its_class_in_the_order_of_the_schema() {
    let answer = get("<t:BaseShape>AllProperties</t:BaseShape>", "<t:DistinguishedFolderId Id='voicemail'/>");
    let folder = &messages(&answer)[0].child(Namespace::Messages, "Folders").expect("folders").elements()[0];
    let parts: Vec<_> = folder.elements().iter().map(|part| (part.name(), part.text())).collect();
    assert_eq!(folder.name(), "SearchFolder");
    assert_eq!(
        parts,
        [
            ("FolderId", ""),
            ("ParentFolderId", ""),
            ("FolderClass", "IPF.Note.Microsoft.Voicemail"),
            ("DisplayName", "Voice Mail"),
            ("TotalCount", "2"),
            ("ChildFolderCount", "0"),
            ("EffectiveRights", ""),
            ("DistinguishedFolderId", "voicemail"),
            ("UnreadCount", "1"),
        ]
    );
}

#[test]
fn what_gateways_to_imap_read_of_a_folder_is_there() {
    let property = |tag: &str, kind: &str| {
        let shape = format!(
            "{IDS}<t:AdditionalProperties><t:ExtendedFieldURI PropertyTag='{tag}' PropertyType='{kind}'/>\
             </t:AdditionalProperties>"
        );
        let answer = get(&shape, "<t:DistinguishedFolderId Id='inbox'/>");
        let folder =
            &messages(&answer)[0].child(Namespace::Messages, "Folders").expect("folders").elements()[0];
        let property = folder.child(Namespace::Types, "ExtendedProperty")?;
        Some(property.elements()[1].text().to_owned())
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(property("0x3613", "String"), some("IPF.Note"));
    assert_eq!(property("0x3602", "Integer"), some("3"));
    assert_eq!(property("0x3603", "Integer"), some("2"));
    assert_eq!(property("0x360a", "Boolean"), some("false"));
    assert_eq!(property("0x6751", "Integer"), some("8"));
    assert_eq!(property("0x6752", "Integer"), some("7"));
    assert_eq!(property("0x10f3", "String"), some("Inbox"));
    // The mailbox is there since 13:40:13, and seven changes came.
    assert_eq!(property("0x670a", "SystemTime"), some("2026-11-21T13:40:20Z"));
    assert_eq!(property("0x3008", "SystemTime"), property("0x670a", "SystemTime"));
    assert_eq!(property("0x3613", "Integer"), None);
    assert_eq!(property("0x1234", "Integer"), None);
}

/// SEC-46, SEC-97
#[test]
fn folders_of_others_are_as_absent_as_none() {
    let foreign = ObjectId::Folder(FolderId::new(Folder::Inbox, &bob())).text();
    let item = ObjectId::Item(message_item(1).id).text();
    let named = |address: &str| {
        format!(
            "<t:DistinguishedFolderId Id='inbox'><t:Mailbox><t:EmailAddress>{address}</t:EmailAddress></t:Mailbox>\
             </t:DistinguishedFolderId>"
        )
    };
    for (reference, expected) in [
        (format!("<t:FolderId Id='{foreign}'/>"), "ErrorFolderNotFound"),
        (format!("<t:FolderId Id='{item}'/>"), "ErrorCannotUseItemIdForFolderId"),
        ("<t:FolderId Id='x'/>".to_owned(), "ErrorInvalidIdMalformed"),
        ("<t:FolderId Id=''/>".to_owned(), "ErrorInvalidIdEmpty"),
        ("<t:DistinguishedFolderId Id='publicfoldersroot'/>".to_owned(), "ErrorFolderNotFound"),
        (named("bob@example.test"), "ErrorNonExistentMailbox"),
        (named("nobody@example.test"), "ErrorNonExistentMailbox"),
        (named("Alice@Example.Test"), "NoError"),
    ] {
        assert_eq!(code(messages(&get(IDS, &reference))[0]), expected, "{reference}");
    }
}

#[test]
fn each_folder_of_a_request_has_its_answer_in_its_place() {
    let answer = get(
        IDS,
        "<t:DistinguishedFolderId Id='inbox'/><t:FolderId Id='x'/><t:DistinguishedFolderId Id='drafts'/>",
    );
    let codes: Vec<_> = messages(&answer).into_iter().map(code).collect();
    assert_eq!(codes, ["NoError", "ErrorInvalidIdMalformed", "NoError"]);
}

#[test]
fn folders_are_found_below_others() {
    assert_eq!(names(&find("Shallow", "", "root")), ["Top of Information Store", "Voice Mail"]);
    let mail =
        ["Inbox", "Deleted Items", "Sent Items", "Drafts", "Outbox", "Junk Email", "Calendar", "Contacts"];
    assert_eq!(names(&find("Deep", "", "msgfolderroot")), mail);
    assert_eq!(names(&find("Deep", "", "root")).len(), Folder::ALL.len() - 1);
    assert_eq!(names(&find("Shallow", "", "inbox")), [""; 0]);
}

#[test]
fn folders_are_found_by_name_and_by_class() {
    let restricted =
        |expression: &str| find("Deep", &format!("<Restriction>{expression}</Restriction>"), "root");
    let equal = |path: &str, value: &str| {
        restricted(&format!(
            "<t:IsEqualTo>{path}<t:FieldURIOrConstant><t:Constant Value='{value}'/></t:FieldURIOrConstant></t:IsEqualTo>"
        ))
    };
    let class = "<t:ExtendedFieldURI PropertyTag='0x3613' PropertyType='String'/>";
    assert_eq!(names(&equal(class, "IPF.Note.Microsoft.Voicemail")), ["Voice Mail"]);
    assert_eq!(names(&equal("<t:FieldURI FieldURI='folder:DisplayName'/>", "inbox")), ["Inbox"]);
    let paged = "<IndexedPageFolderView MaxEntriesReturned='1' Offset='1' BasePoint='Beginning'/>";
    assert_eq!(names(&find("Shallow", paged, "root")), ["Voice Mail"]);
}

#[test]
fn the_hierarchy_is_told_once() {
    let sync = |state: &str| {
        let request = parse(&format!(
            "<SyncFolderHierarchy><FolderShape>{IDS}</FolderShape>\
             <SyncFolderId><t:DistinguishedFolderId Id='msgfolderroot'/></SyncFolderId>{state}</SyncFolderHierarchy>"
        ));
        let request = read_sync(&request, &alice()).expect("a request");
        printed(|writer| sync_folder_hierarchy(writer, request, &here(), &mailbox()))
    };
    let first = sync("");
    let message = messages(&first)[0];
    let parts: Vec<_> = message.elements().iter().map(Element::name).collect();
    assert_eq!(parts, ["ResponseCode", "SyncState", "IncludesLastFolderInRange", "Changes"]);
    assert_eq!(message.elements()[3].elements().len(), 8);
    let state = message.elements()[1].text();
    let second = sync(&format!("<SyncState>{state}</SyncState>"));
    assert_eq!(messages(&second)[0].elements()[3].elements().len(), 0);
    let other = sync("<SyncState>AAAA</SyncState>");
    assert_eq!(code(messages(&other)[0]), "ErrorInvalidSyncStateData");
}
