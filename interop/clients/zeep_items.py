"""zeep: the ids of the messages of a mailbox, found as a mail program finds them."""

import base64

import requests
import zeep
from requests.auth import HTTPBasicAuth
from zeep.transports import Transport

import zeep_validation
from world import EXCHANGE, URL, address, password

NAMESPACE = "http://schemas.microsoft.com/exchange/services/2006/messages"


def service(user, secret=None):
    """The Exchange web services: their description has no address, so that one is put in here."""
    session = requests.Session()
    session.auth = HTTPBasicAuth(address(user), secret or password(user))
    description = f"{URL}/EWS/Services.wsdl"
    client = zeep.Client(description, transport=Transport(session=session), plugins=[zeep_validation.exchange()])
    return client.create_service(f"{{{NAMESPACE}}}ExchangeServiceBinding", EXCHANGE)


def found(user):
    """The messages in the inbox, each with both of its ids."""
    path = {"FieldURI": {"FieldURI": "item:StoreEntryId"}}
    answer = service(user).FindItem(
        Traversal="Shallow",
        ItemShape={"BaseShape": "IdOnly", "AdditionalProperties": {"_value_1": [path]}},
        ParentFolderIds={"_value_1": [{"DistinguishedFolderId": {"Id": "inbox"}}]},
    )
    messages = answer.body.ResponseMessages._value_1[0]["FindItemResponseMessage"]
    if messages.ResponseClass != "Success":
        raise SystemExit(f"FindItem: {messages}")
    return [entry["Message"] for entry in messages.RootFolder.Items._value_1]


def item_ids(user):
    return [message.ItemId.Id for message in found(user)]


def entry_ids(user):
    return [base64.b64encode(message.StoreEntryId).decode() for message in found(user)]
