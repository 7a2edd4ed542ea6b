"""Every answer about folders and items, with all that it can hold, is what the schemas say that the server publishes."""

import requests
from lxml import etree

import zeep_validation
from world import EXCHANGE, address, equal, password

M = "http://schemas.microsoft.com/exchange/services/2006/messages"
T = "http://schemas.microsoft.com/exchange/services/2006/types"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
NAMES = {"m": M, "t": T, "s": SOAP}

ITEM_SHAPE = """<m:ItemShape><t:BaseShape>AllProperties</t:BaseShape><t:IncludeMimeContent>true</t:IncludeMimeContent>
<t:AdditionalProperties><t:FieldURI FieldURI="item:StoreEntryId"/><t:FieldURI FieldURI="item:TextBody"/>
<t:ExtendedFieldURI PropertyTag="0x6801" PropertyType="Integer"/>
<t:ExtendedFieldURI DistinguishedPropertySetId="InternetHeaders" PropertyName="X-CallID" PropertyType="String"/>
</t:AdditionalProperties></m:ItemShape>"""
FOLDER_SHAPE = """<m:FolderShape><t:BaseShape>AllProperties</t:BaseShape><t:AdditionalProperties>
<t:ExtendedFieldURI PropertyTag="0x3613" PropertyType="String"/>
<t:ExtendedFieldURI PropertyTag="0x670A" PropertyType="SystemTime"/></t:AdditionalProperties></m:FolderShape>"""
FOLDERS = ["root", "msgfolderroot", "inbox", "voicemail", "deleteditems", "sentitems", "drafts", "calendar", "contacts"]

valid = zeep_validation.exchange().schema


def ask(operation, codes):
    """The answer, which has to be valid, with these codes in its messages."""
    envelope = f"<s:Envelope xmlns:s='{SOAP}' xmlns:m='{M}' xmlns:t='{T}'><s:Body>{operation}</s:Body></s:Envelope>"
    answer = requests.post(
        EXCHANGE,
        data=envelope.encode(),
        headers={"Content-Type": "text/xml; charset=utf-8"},
        auth=(address("alice"), password("alice")),
    )
    root = etree.fromstring(answer.content, etree.XMLParser(huge_tree=True))
    body = root.find("s:Body", NAMES)[0]
    valid.assertValid(etree.fromstring(etree.tostring(body), etree.XMLParser(huge_tree=True)))
    equal([code.text for code in body.iterfind(".//m:ResponseCode", NAMES)], codes, etree.QName(body).localname)
    return body


def folder(name):
    return f"<t:DistinguishedFolderId Id='{name}'/>"


def main():
    ids = "".join(folder(name) for name in FOLDERS) + "<t:FolderId Id='x'/>"
    ask(
        f"<m:GetFolder>{FOLDER_SHAPE}<m:FolderIds>{ids}</m:FolderIds></m:GetFolder>",
        ["NoError"] * len(FOLDERS) + ["ErrorInvalidIdMalformed"],
    )
    ask(
        f"<m:FindFolder Traversal='Deep'>{FOLDER_SHAPE}<m:ParentFolderIds>{folder('root')}</m:ParentFolderIds></m:FindFolder>",
        ["NoError"],
    )
    ask(f"<m:SyncFolderHierarchy>{FOLDER_SHAPE}</m:SyncFolderHierarchy>", ["NoError"])

    def sync(state=""):
        return ask(
            f"<m:SyncFolderItems>{ITEM_SHAPE}<m:SyncFolderId>{folder('inbox')}</m:SyncFolderId>{state}"
            "<m:MaxChangesReturned>100</m:MaxChangesReturned></m:SyncFolderItems>",
            ["NoError"],
        )

    def later(body):
        return f"<m:SyncState>{body.findtext('.//m:SyncState', namespaces=NAMES)}</m:SyncState>"

    state = later(sync())
    found = ask(
        f"<m:FindItem Traversal='Shallow'>{ITEM_SHAPE}"
        "<m:FractionalPageItemView MaxEntriesReturned='10' Numerator='0' Denominator='1'/>"
        f"<m:ParentFolderIds>{folder('inbox')}{folder('drafts')}</m:ParentFolderIds></m:FindItem>",
        ["NoError", "NoError"],
    )
    item = found.find(".//t:ItemId", NAMES).get("Id")
    one, absent = f"<t:ItemId Id='{item}'/>", "<t:ItemId Id='x'/>"
    codes = ["NoError", "ErrorInvalidIdMalformed"]
    told = ask(f"<m:GetItem>{ITEM_SHAPE}<m:ItemIds>{one}{absent}</m:ItemIds></m:GetItem>", codes)
    attachment = told.find(".//t:AttachmentId", NAMES).get("Id")
    ask(
        f"<m:GetAttachment><m:AttachmentIds><t:AttachmentId Id='{attachment}'/><t:AttachmentId Id='x'/></m:AttachmentIds>"
        "</m:GetAttachment>",
        ["NoError", "ErrorInvalidAttachmentId"],
    )
    ask(
        f"<m:ConvertId DestinationFormat='HexEntryId'><m:SourceIds><t:AlternateId Format='EwsId' Id='{item}' Mailbox='x'/>"
        "<t:AlternateId Format='EwsId' Id='x' Mailbox='x'/></m:SourceIds></m:ConvertId>",
        codes,
    )
    updates = "<t:Updates><t:SetItemField><t:FieldURI FieldURI='message:IsRead'/><t:Message><t:IsRead>true</t:IsRead>"
    updates += "</t:Message></t:SetItemField></t:Updates>"
    ask(
        f"<m:UpdateItem ConflictResolution='AutoResolve'><m:ItemChanges><t:ItemChange>{one}{updates}</t:ItemChange>"
        f"<t:ItemChange>{absent}{updates}</t:ItemChange></m:ItemChanges></m:UpdateItem>",
        codes,
    )
    state = later(sync(state))
    ask(
        "<m:MarkAllItemsAsRead><m:ReadFlag>false</m:ReadFlag><m:SuppressReadReceipts>true</m:SuppressReadReceipts>"
        f"<m:FolderIds>{folder('inbox')}</m:FolderIds></m:MarkAllItemsAsRead>",
        ["NoError"],
    )
    for target in ["deleteditems", "inbox"]:
        ask(
            f"<m:MoveItem><m:ToFolderId>{folder(target)}</m:ToFolderId><m:ItemIds>{one}{absent}</m:ItemIds></m:MoveItem>",
            codes,
        )
    ask(
        f"<m:CopyItem><m:ToFolderId>{folder('inbox')}</m:ToFolderId><m:ItemIds>{one}{absent}</m:ItemIds></m:CopyItem>",
        ["ErrorMoveCopyFailed", codes[-1]],
    )
    ask(f"<m:DeleteItem DeleteType='HardDelete'><m:ItemIds>{one}{absent}</m:ItemIds></m:DeleteItem>", codes)
    sync(state)


main()
