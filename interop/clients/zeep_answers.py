"""zeep: what the services answer to every operation on folders and items, each validated by the published schemas.

That what is told is right is for other scripts; here it is that all of it is what we say we speak.
"""

import zeep

from world import address, equal
from zeep_items import item_ids, service

EVERYTHING = {"BaseShape": "AllProperties", "IncludeMimeContent": True}
INBOX = {"DistinguishedFolderId": {"Id": "inbox"}}
ROOT = {"DistinguishedFolderId": {"Id": "msgfolderroot"}}


def each(name, *ids):
    return {"_value_1": [{name: {"Id": id}} for id in ids]}


def extended(tag, kind):
    return {"ExtendedFieldURI": {"PropertyTag": tag, "PropertyType": kind}}


def messages(answer, name):
    """The messages of an answer that has one for each thing that was asked for."""
    return [entry[name] for entry in answer.body.ResponseMessages._value_1]


def codes(what, expected, answer, name):
    found = messages(answer, name)
    equal([message.ResponseCode for message in found], expected, what)
    return found


def folders(alice):
    shape = {"BaseShape": "AllProperties"}
    both = {"_value_1": [INBOX, {"DistinguishedFolderId": {"Id": "voicemail"}}, {"FolderId": {"Id": "nothing"}}]}
    expected = ["NoError", "NoError", "ErrorInvalidIdMalformed"]
    codes("GetFolder", expected, alice.GetFolder(FolderShape=shape, FolderIds=both), "GetFolderResponseMessage")
    found = alice.FindFolder(Traversal="Deep", FolderShape=shape, ParentFolderIds={"_value_1": [ROOT]})
    codes("FindFolder", ["NoError"], found, "FindFolderResponseMessage")
    changes = alice.SyncFolderHierarchy(FolderShape=shape)
    codes("SyncFolderHierarchy", ["NoError"], changes, "SyncFolderHierarchyResponseMessage")


def items(alice, item):
    more = {"_value_1": [extended("0x6801", "Integer"), extended("0x6802", "String"), extended("0x0E23", "Integer")]}
    shape = {**EVERYTHING, "AdditionalProperties": more}
    ids = each("ItemId", item, "nothing", "")
    expected = ["NoError", "ErrorInvalidIdMalformed", "ErrorInvalidIdEmpty"]
    message, *_ = codes("GetItem", expected, alice.GetItem(ItemShape=shape, ItemIds=ids), "GetItemResponseMessage")
    voice = message.Items._value_1[0]["Message"]
    equal(voice.ItemId.Id, item, "the item")
    view = {"MaxEntriesReturned": 10, "Offset": 0, "BasePoint": "Beginning"}
    order = {"FieldOrder": [{"FieldURI": {"FieldURI": "item:DateTimeReceived"}, "Order": "Descending"}]}
    found = alice.FindItem(
        Traversal="Shallow",
        ItemShape={"BaseShape": "AllProperties", "AdditionalProperties": more},
        IndexedPageItemView=view,
        SortOrder=order,
        ParentFolderIds={"_value_1": [INBOX]},
    )
    codes("FindItem", ["NoError"], found, "FindItemResponseMessage")
    changes = alice.SyncFolderItems(ItemShape={"BaseShape": "AllProperties"}, SyncFolderId=INBOX, MaxChangesReturned=10)
    codes("SyncFolderItems", ["NoError"], changes, "SyncFolderItemsResponseMessage")
    return voice


def attachments(alice, voice):
    sound = voice.Attachments._value_1[0]["FileAttachment"].AttachmentId.Id
    ids = {"AttachmentId": [{"Id": sound}, {"Id": "nothing"}]}
    found = messages(alice.GetAttachment(AttachmentIds=ids), "GetAttachmentResponseMessage")
    equal([message.ResponseClass for message in found], ["Success", "Error"], "GetAttachment")
    content = found[0].Attachments._value_1[0]["FileAttachment"].Content
    equal(content[:4], b"RIFF", "the sound")


def ids(alice, item):
    source = {"_value_1": [{"AlternateId": {"Format": "EwsId", "Id": item, "Mailbox": address("alice")}}]}
    converted = alice.ConvertId(DestinationFormat="EntryId", SourceIds=source)
    codes("ConvertId", ["NoError"], converted, "ConvertIdResponseMessage")


def changes(alice, item):
    path = {"FieldURI": {"FieldURI": "message:IsRead"}}
    for read in (True, False):
        update = {"SetItemField": {**path, "Message": {"IsRead": read}}}
        change = {"ItemChange": [{"ItemId": {"Id": item}, "Updates": {"_value_1": [update]}}]}
        answer = alice.UpdateItem(ConflictResolution="AlwaysOverwrite", MessageDisposition="SaveOnly", ItemChanges=change)
        codes("UpdateItem", ["NoError"], answer, "UpdateItemResponseMessage")
    deleted = {"DistinguishedFolderId": {"Id": "deleteditems"}}
    for target, what in ((deleted, "into the deleted ones"), (INBOX, "and back")):
        moved = alice.MoveItem(ToFolderId=target, ItemIds=each("ItemId", item), ReturnNewItemIds=True)
        codes(f"MoveItem {what}", ["NoError"], moved, "MoveItemResponseMessage")
    copied = alice.CopyItem(ToFolderId=deleted, ItemIds=each("ItemId", item))
    codes("CopyItem", ["ErrorMoveCopyFailed"], copied, "CopyItemResponseMessage")
    marked = alice.MarkAllItemsAsRead(ReadFlag=False, SuppressReadReceipts=True, FolderIds={"_value_1": [INBOX]})
    codes("MarkAllItemsAsRead", ["NoError"], marked, "MarkAllItemsAsReadResponseMessage")
    gone = alice.DeleteItem(DeleteType="MoveToDeletedItems", ItemIds=each("ItemId", "nothing"))
    codes("DeleteItem", ["ErrorInvalidIdMalformed"], gone, "DeleteItemResponseMessage")


def main():
    alice = service("alice")
    (item, *_) = item_ids("alice")
    folders(alice)
    voice = items(alice, item)
    attachments(alice, voice)
    ids(alice, item)
    changes(alice, item)
    try:
        alice.GetItem(ItemShape={"BaseShape": "IdOnly"}, ItemIds=each("ItemId", *["x"] * 9_000))
        raise SystemExit("a request of any length was read")
    except (zeep.exceptions.Fault, zeep.exceptions.TransportError) as refused:
        equal(isinstance(refused, zeep.exceptions.Fault) or refused.status_code == 413, True, "too many ids")


main()
