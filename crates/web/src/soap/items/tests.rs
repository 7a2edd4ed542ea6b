//! Folders and items as mail programs meet them: over HTTP, on a store in memory.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use umbel_ews::item::folder::Folder;
use umbel_ews::item::id::{FolderId, ObjectId};
use umbel_ews::xml::{self, Element, Namespace};
use umbel_store::conformance::{begin, deposit, finish, id, speech};
use umbel_store::{AudioFormat, Begin, Caller, MessageId, MessageState, MissedCall, MissedCallId};

use crate::testing::{Answer, NOON, World, address};

/// alice has messages 1 and 2 and a missed call, bob message 3.
fn world() -> World {
    let world = World::new();
    world.store(|store| {
        deposit(store, id(1), &address("alice")).unwrap();
        deposit(store, id(2), &address("alice")).unwrap();
        deposit(store, id(3), &address("bob")).unwrap();
        let missed = MissedCall {
            id: MissedCallId(0),
            mailbox: address("alice"),
            caller: Caller { id: "+15550100".into(), name: Some("Bob".into()), verified: true },
            subject: String::new(),
            at: NOON,
            call_id: "call-7".into(),
        };
        assert_eq!(store.note_missed_call(&missed), Ok(true));
    });
    world
}

async fn ask(world: &World, user: &str, operation: &str) -> Answer {
    let (m, t) = (Namespace::Messages.name(), Namespace::Types.name());
    let body = format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns='{m}' xmlns:m='{m}' xmlns:t='{t}'>\
         <s:Body>{operation}</s:Body></s:Envelope>"
    );
    let request = world.request(user, "POST", "/EWS/Exchange.asmx");
    world
        .send(request.header("Content-Type", "text/xml; charset=utf-8").body(Body::from(body)).unwrap())
        .await
}

/// The messages of an answer.
async fn messages(world: &World, user: &str, operation: &str) -> Vec<Element> {
    let answer = ask(world, user, operation).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let root = xml::read(&answer.body).unwrap().root().clone();
    let names: Vec<_> = root.elements().iter().map(Element::name).collect();
    assert_eq!(names, ["Header", "Body"], "clients need both");
    root.elements()[1].elements()[0].elements()[0].elements().to_vec()
}

fn code(message: &Element) -> &str {
    message.child(Namespace::Messages, "ResponseCode").map_or("", Element::text)
}

async fn codes(world: &World, user: &str, operation: &str) -> Vec<String> {
    messages(world, user, operation).await.iter().map(|message| code(message).to_owned()).collect()
}

fn item_id(id: MessageId) -> String {
    format!("<t:ItemId Id='{}'/>", ObjectId::Item(id).text())
}

fn attachment_id(id: MessageId) -> String {
    format!("<t:AttachmentId Id='{}'/>", ObjectId::Attachment(id).text())
}

fn find(folder: &str, shape: &str) -> String {
    format!(
        "<FindItem Traversal='Shallow'><ItemShape><t:BaseShape>{shape}</t:BaseShape></ItemShape><ParentFolderIds>\
         <t:DistinguishedFolderId Id='{folder}'/></ParentFolderIds></FindItem>"
    )
}

fn get(shape: &str, ids: &str) -> String {
    format!("<GetItem><ItemShape>{shape}</ItemShape><ItemIds>{ids}</ItemIds></GetItem>")
}

fn get_attachment(ids: &str) -> String {
    format!("<GetAttachment><AttachmentIds>{ids}</AttachmentIds></GetAttachment>")
}

fn mark(id: &str, read: bool) -> String {
    format!(
        "<UpdateItem ConflictResolution='AutoResolve' MessageDisposition='SaveOnly'><ItemChanges><t:ItemChange>{id}\
         <t:Updates><t:SetItemField><t:FieldURI FieldURI='message:IsRead'/><t:Message><t:IsRead>{read}</t:IsRead>\
         </t:Message></t:SetItemField></t:Updates></t:ItemChange></ItemChanges></UpdateItem>"
    )
}

fn delete(ids: &str) -> String {
    format!("<DeleteItem DeleteType='HardDelete'><ItemIds>{ids}</ItemIds></DeleteItem>")
}

fn move_to(folder: &str, ids: &str) -> String {
    format!(
        "<MoveItem><ToFolderId><t:DistinguishedFolderId Id='{folder}'/></ToFolderId><ItemIds>{ids}</ItemIds></MoveItem>"
    )
}

/// The items of a folder, by the ids that clients see.
async fn listed(world: &World, user: &str, folder: &str) -> Vec<String> {
    let found = messages(world, user, &find(folder, "IdOnly")).await;
    let root = found[0].child(Namespace::Messages, "RootFolder").unwrap();
    let ids = root.elements()[0].elements().iter();
    ids.map(|item| item.elements()[0].attribute("Id").unwrap().to_owned()).collect()
}

fn sound_of(message: &Element) -> Vec<u8> {
    let file = &message.child(Namespace::Messages, "Attachments").unwrap().elements()[0];
    STANDARD.decode(file.child(Namespace::Types, "Content").unwrap().text()).unwrap()
}

#[tokio::test]
async fn a_message_is_found_looked_at_and_heard() {
    let world = world();
    let inbox = listed(&world, "alice", "inbox").await;
    assert_eq!(inbox.len(), 3);
    let voicemail = listed(&world, "alice", "voicemail").await;
    assert_eq!(voicemail, [id(2), id(1)].map(|id| ObjectId::Item(id).text()), "the newest first");
    for folder in ["deleteditems", "sentitems", "drafts", "msgfolderroot"] {
        assert_eq!(listed(&world, "alice", folder).await, [""; 0], "{folder}");
    }

    let shape = "<t:BaseShape>Default</t:BaseShape>";
    let found = messages(&world, "alice", &get(shape, &item_id(id(1)))).await;
    let item = &found[0].child(Namespace::Messages, "Items").unwrap().elements()[0];
    let file = &item.child(Namespace::Types, "Attachments").unwrap().elements()[0];
    let attachment = file.elements()[0].attribute("Id").unwrap();
    assert_eq!(item.child(Namespace::Types, "IsRead").unwrap().text(), "false");

    // DEC-32: G.711 as it was left, in a WAV file.
    let ids = format!("<t:AttachmentId Id='{attachment}'/>");
    let wav = sound_of(&messages(&world, "alice", &get_attachment(&ids)).await[0]);
    let read = umbel_wav::read(&wav, umbel_wav::Limits::default()).unwrap();
    assert_eq!((read.encoding, read.rate), (umbel_wav::Encoding::Pcmu, 8_000));
    assert!(wav.ends_with(&speech(16_000)));
    let size = file.child(Namespace::Types, "Size").unwrap().text();
    assert_eq!(size, wav.len().to_string());
}

#[tokio::test]
async fn the_whole_mail_has_the_sound_in_it() {
    let world = world();
    let shape = "<t:BaseShape>IdOnly</t:BaseShape><t:IncludeMimeContent>true</t:IncludeMimeContent>\
                 <t:AdditionalProperties><t:FieldURI FieldURI='item:Size'/></t:AdditionalProperties>";
    let found = messages(&world, "alice", &get(shape, &item_id(id(1)))).await;
    let item = &found[0].child(Namespace::Messages, "Items").unwrap().elements()[0];
    let mail = STANDARD.decode(item.child(Namespace::Types, "MimeContent").unwrap().text()).unwrap();
    assert_eq!(item.child(Namespace::Types, "Size").unwrap().text(), mail.len().to_string());
    let text = String::from_utf8(mail).unwrap();
    assert!(text.contains("X-CallingTelephoneNumber: +15550100\r\n"), "{text}");
    let sound = text.split("base64\r\n\r\n").last().unwrap().split("\r\n--").next().unwrap();
    let wav = STANDARD.decode(sound.replace("\r\n", "")).unwrap();
    assert!(wav.ends_with(&speech(16_000)));
}

/// DEC-32
#[tokio::test]
async fn wideband_messages_are_told_as_g711() {
    let world = world();
    world.store(|store| {
        let wide = Begin { format: AudioFormat::Pcm16At16k, ..begin(id(9), &address("alice")) };
        store.begin(&wide).unwrap();
        store.append(id(9), &speech(64_000)).unwrap();
        store.finish(&finish(id(9))).unwrap();
    });
    let wav = sound_of(&messages(&world, "alice", &get_attachment(&attachment_id(id(9)))).await[0]);
    let read = umbel_wav::read(&wav, umbel_wav::Limits::default()).unwrap();
    assert_eq!((read.encoding, read.rate, read.samples.len()), (umbel_wav::Encoding::Pcmu, 8_000, 16_000));
}

/// MWI-1: what is marked by mail is marked on the telephone.
#[tokio::test]
async fn a_mark_is_in_the_mailbox_and_can_be_taken_back() {
    let world = world();
    let state = |world: &World| world.store(|store| store.find_message(id(1)).unwrap().unwrap().state);
    let answer = messages(&world, "alice", &mark(&item_id(id(1)), true)).await;
    assert_eq!((code(&answer[0]), state(&world)), ("NoError", MessageState::Old));
    let counts = world.store(|store| store.counts(&address("alice")).unwrap());
    assert_eq!((counts.new, counts.old), (1, 1));
    assert_eq!(codes(&world, "alice", &mark(&item_id(id(1)), false)).await, ["NoError"]);
    assert_eq!(state(&world), MessageState::New);
    let all = "<MarkAllItemsAsRead><ReadFlag>true</ReadFlag><SuppressReadReceipts>true</SuppressReadReceipts>\
               <FolderIds><t:DistinguishedFolderId Id='inbox'/></FolderIds></MarkAllItemsAsRead>";
    assert_eq!(codes(&world, "alice", all).await, ["NoError"]);
    let counts = world.store(|store| store.counts(&address("alice")).unwrap());
    assert_eq!((counts.new, counts.old), (0, 2));
    assert!(
        world.store(|store| store.items(&address("alice"), 0).unwrap().items.iter().all(|item| item.seen))
    );
}

/// DEC-37
#[tokio::test]
async fn a_deleted_message_is_among_the_deleted_ones_and_can_be_brought_back() {
    let world = world();
    assert_eq!(codes(&world, "alice", &delete(&item_id(id(1)))).await, ["NoError"]);
    assert_eq!(listed(&world, "alice", "deleteditems").await, [ObjectId::Item(id(1)).text()]);
    assert_eq!(listed(&world, "alice", "voicemail").await, [ObjectId::Item(id(2)).text()]);
    assert_eq!(codes(&world, "alice", &delete(&item_id(id(1)))).await, ["ErrorCannotDeleteObject"]);
    assert_eq!(codes(&world, "alice", &move_to("inbox", &item_id(id(1)))).await, ["NoError"]);
    assert_eq!(listed(&world, "alice", "deleteditems").await, [""; 0]);
    assert_eq!(codes(&world, "alice", &move_to("deleteditems", &item_id(id(2)))).await, ["NoError"]);
    assert_eq!(codes(&world, "alice", &move_to("drafts", &item_id(id(1)))).await, ["ErrorMoveCopyFailed"]);
}

/// Copied to the deleted ones and then deleted, as programs do that cannot move, a message would be deleted twice.
#[tokio::test]
async fn nothing_is_copied_and_nothing_is_lost_by_trying() {
    let world = world();
    let copy = |folder: &str, ids: &str| move_to(folder, ids).replace("MoveItem", "CopyItem");
    let ids = [item_id(id(1)), item_id(id(3)), item_id(id(9)), "<t:ItemId Id='!'/>".to_owned()].concat();
    assert_eq!(
        codes(&world, "alice", &copy("deleteditems", &ids)).await,
        ["ErrorMoveCopyFailed", "ErrorItemNotFound", "ErrorItemNotFound", "ErrorInvalidIdMalformed"]
    );
    let messages = messages(&world, "alice", &copy("inbox", &item_id(id(1)))).await;
    assert_eq!((messages[0].name(), code(&messages[0])), ("CopyItemResponseMessage", "ErrorMoveCopyFailed"));
    assert_eq!(codes(&world, "alice", &copy("nowhere", &item_id(id(1)))).await, ["ErrorFolderNotFound"]);
    assert_eq!(listed(&world, "alice", "voicemail").await.len(), 2);
}

/// What a mail program shows and what was mailed come from the same address: `[mail] from`.
#[tokio::test]
async fn the_mail_of_an_item_comes_from_where_mails_come_from() {
    let world = world();
    let shape = "<t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>\
                 <t:FieldURI FieldURI='item:InternetMessageHeaders'/></t:AdditionalProperties>";
    let answer = ask(&world, "alice", &get(shape, &item_id(id(1)))).await;
    let from = "<t:InternetMessageHeader HeaderName=\"From\">\"Voice Mail\" &lt;um@mail.example.test&gt;<";
    assert!(answer.text().contains(from), "{}", answer.text());
}

#[tokio::test]
async fn a_notice_of_a_missed_call_is_read_and_removed() {
    let world = world();
    let notice = world.store(|store| store.items(&address("alice"), 0).unwrap().items[2].id);
    assert_eq!(codes(&world, "alice", &mark(&item_id(notice), true)).await, ["NoError"]);
    assert_eq!(
        codes(&world, "alice", &get_attachment(&attachment_id(notice))).await,
        ["ErrorInvalidAttachmentId"]
    );
    assert_eq!(codes(&world, "alice", &delete(&item_id(notice))).await, ["NoError"]);
    assert_eq!(codes(&world, "alice", &delete(&item_id(notice))).await, ["ErrorItemNotFound"]);
    assert_eq!(listed(&world, "alice", "inbox").await.len(), 2);
    assert!(world.store(|store| store.missed_calls(&address("alice")).unwrap()).is_empty());
}

/// SEC-46, SEC-97, SEC-99: what is another's, and what is nowhere, get the same answer to the octet.
#[tokio::test]
async fn what_is_anothers_is_as_absent_as_what_never_was() {
    let world = world();
    let (bobs, nowhere) = (id(3), id(4));
    let shape = "<t:BaseShape>AllProperties</t:BaseShape><t:IncludeMimeContent>true</t:IncludeMimeContent>";
    for (operation, expected) in [
        (&(|of| get(shape, &item_id(of))) as &dyn Fn(MessageId) -> String, "ErrorItemNotFound"),
        (&|of| get_attachment(&attachment_id(of)), "ErrorInvalidAttachmentId"),
        (&|of| mark(&item_id(of), true), "ErrorItemNotFound"),
        (&|of| delete(&item_id(of)), "ErrorItemNotFound"),
        (&|of| move_to("deleteditems", &item_id(of)), "ErrorItemNotFound"),
    ] {
        let (foreign, absent) =
            (ask(&world, "alice", &operation(bobs)).await, ask(&world, "alice", &operation(nowhere)).await);
        assert_eq!(foreign.text(), absent.text());
        assert_eq!(codes(&world, "alice", &operation(bobs)).await, [expected]);
    }
    let state = world.store(|store| store.find_message(bobs).unwrap().unwrap().state);
    assert_eq!(state, MessageState::New, "nothing happened to it");
    assert_eq!(codes(&world, "bob", &mark(&item_id(bobs), true)).await, ["NoError"]);

    let inbox = ObjectId::Folder(FolderId::new(Folder::Inbox, &address("bob"))).text();
    let folder = |id: &str| {
        format!(
            "<GetFolder><FolderShape><t:BaseShape>Default</t:BaseShape></FolderShape><FolderIds>\
             <t:FolderId Id='{id}'/></FolderIds></GetFolder>"
        )
    };
    assert_eq!(codes(&world, "alice", &folder(&inbox)).await, ["ErrorFolderNotFound"]);
    assert_eq!(codes(&world, "bob", &folder(&inbox)).await, ["NoError"]);
    let nobody = ObjectId::Folder(FolderId::new(Folder::Inbox, &address("nobody"))).text();
    let answers = (ask(&world, "alice", &folder(&inbox)).await, ask(&world, "alice", &folder(&nobody)).await);
    assert_eq!(answers.0.text(), answers.1.text());
}

#[tokio::test]
async fn each_thing_of_a_request_is_answered_in_its_place() {
    let world = world();
    let ids = format!("{}{}<t:ItemId Id='x'/>{}", item_id(id(1)), item_id(id(3)), item_id(id(2)));
    let expected = ["NoError", "ErrorItemNotFound", "ErrorInvalidIdMalformed", "NoError"];
    assert_eq!(codes(&world, "alice", &get("<t:BaseShape>IdOnly</t:BaseShape>", &ids)).await, expected);
    assert_eq!(codes(&world, "alice", &delete(&ids)).await, expected);
}

#[tokio::test]
async fn an_answer_holds_so_much_sound_and_the_rest_is_asked_for_again() {
    let world = world();
    world.store(|store| {
        // Ten minutes each: three are 15 MB, and four would be 20.
        for n in 20..24 {
            store.begin(&begin(id(n), &address("alice"))).unwrap();
            for _ in 0..5 {
                store.append(id(n), &speech(1_000_000)).unwrap();
            }
            store.finish(&finish(id(n))).unwrap();
        }
    });
    let ids: String = (20..24).map(|n| attachment_id(id(n))).collect();
    // Too long for our own reader, which reads requests.
    let answer = ask(&world, "alice", &get_attachment(&ids)).await;
    let codes = answer.text().split("<m:ResponseCode>").skip(1).map(|rest| rest.split('<').next().unwrap());
    let expected = ["NoError", "NoError", "NoError", "ErrorBatchProcessingStopped"];
    assert_eq!(codes.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn ids_are_converted_for_their_owner() {
    let world = world();
    let convert = |from: &str, id: &str, to: &str| {
        format!(
            "<ConvertId DestinationFormat='{to}'><SourceIds><t:AlternateId Format='{from}' Id='{id}' \
             Mailbox='alice@example.test'/></SourceIds></ConvertId>"
        )
    };
    let converted = |found: &[Element]| {
        let id = found[0].child(Namespace::Messages, "AlternateId").unwrap();
        assert_eq!(id.attribute_in(Namespace::SchemaInstance, "type"), Some("t:AlternateIdType"));
        assert_eq!(id.attribute("Mailbox"), Some("alice@example.test"));
        id.attribute("Id").unwrap().to_owned()
    };
    let ews = ObjectId::Item(id(1)).text();
    let entry = converted(&messages(&world, "alice", &convert("EwsId", &ews, "EntryId")).await);
    assert_eq!(entry, umbel_ews::entry_id::of_item(id(1)), "the UM service takes the same");
    for format in ["EntryId", "HexEntryId", "OwaId", "StoreId", "EwsLegacyId"] {
        let other = converted(&messages(&world, "alice", &convert("EntryId", &entry, format)).await);
        assert_eq!(converted(&messages(&world, "alice", &convert(format, &other, "EwsId")).await), ews);
    }
    // What one client asks merely to see the version.
    let dummy = ask(&world, "alice", &convert("EwsId", "DUMMY", "EntryId")).await;
    assert!(dummy.text().contains("ConvertIdResponseMessage ResponseClass=\"Error\""), "{}", dummy.text());
    assert!(dummy.text().contains("ErrorInvalidIdMalformed") && dummy.text().contains("ServerVersionInfo"));
}

/// SEC-97
#[tokio::test]
async fn nobody_looks_without_a_password() {
    let world = world();
    let body = find("inbox", "IdOnly");
    let request = axum::http::Request::builder().method("POST").uri("/ews/exchange.asmx");
    let answer = world.send(request.header("Content-Type", "text/xml").body(Body::from(body)).unwrap()).await;
    assert_eq!(answer.status, 401);
    assert!(!answer.text().contains("Voicemail"));
}

#[tokio::test]
async fn what_is_not_as_the_schema_says_is_refused_before_anything_is_done() {
    let world = world();
    for operation in [
        "<FindItem/>".to_owned(),
        find("inbox", "Everything"),
        delete(""),
        delete(&item_id(id(1))).replace("HardDelete", "Shred"),
        mark(&item_id(id(1)), true).replace("AutoResolve", "Perhaps"),
    ] {
        let answer = ask(&world, "alice", &operation).await;
        assert_eq!(answer.status, 500, "{operation}");
        assert!(answer.text().contains("ErrorSchemaValidation"), "{}", answer.text());
    }
    assert_eq!(world.store(|store| store.counts(&address("alice")).unwrap().new), 2);
}
