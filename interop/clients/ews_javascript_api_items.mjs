// ews-javascript-api: finds, reads, hears, marks and deletes, by Microsoft's own logic. What it hears is left in the file
// that UMBEL_HEARD names, to be compared with what was said.

import { writeFileSync } from "node:fs";

import ews from "ews-javascript-api";

import { EXCHANGE, address, equal, password, rejection } from "./world.mjs";

const { BasePropertySet, ConflictResolutionMode, DeleteMode, EmailMessage, EmailMessageSchema, ExchangeService } = ews;
const { ExchangeVersion, ExtendedPropertyDefinition, Folder, ItemId, ItemSchema, ItemView, MapiPropertyType } = ews;
const { PropertySet, SearchFilter, ServiceError, SortDirection, Uri, WebCredentials, WellKnownFolderName } = ews;

const duration = new ExtendedPropertyDefinition(0x6801, MapiPropertyType.Integer);

function client(user, secret = password(user)) {
  const service = new ExchangeService(ExchangeVersion.Exchange2013);
  service.Credentials = new WebCredentials(address(user), secret);
  service.Url = new Uri(EXCHANGE);
  return service;
}

async function find(service, folder, filter) {
  const view = new ItemView(10);
  view.PropertySet = new PropertySet(BasePropertySet.IdOnly, [ItemSchema.ItemClass, EmailMessageSchema.IsRead, duration]);
  view.OrderBy.Add(ItemSchema.DateTimeReceived, SortDirection.Descending);
  return filter ? service.FindItems(folder, filter, view) : service.FindItems(folder, view);
}

async function counts(service, folder) {
  const bound = await Folder.Bind(service, folder);
  return [bound.TotalCount, bound.UnreadCount];
}

const wrong = await rejection("a wrong password", find(client("carol", "wrong"), WellKnownFolderName.Inbox));
equal(String(wrong.message ?? wrong).includes("401"), true, "a wrong password is a 401");

const alice = client("alice");
const voice = new SearchFilter.ContainsSubstring(ItemSchema.ItemClass, "IPM.Note.Microsoft.Voicemail");
const found = await find(alice, WellKnownFolderName.Inbox, voice);
equal(found.TotalCount, 1, "voice messages");
const missed = new SearchFilter.IsEqualTo(ItemSchema.ItemClass, "IPM.Note.Microsoft.Missed.Voice");
equal((await find(alice, WellKnownFolderName.Inbox, missed)).TotalCount, 0, "missed calls");
equal(found.Items[0].ItemClass, "IPM.Note.Microsoft.Voicemail.UM.CA", "the class");
const told = {};
equal(found.Items[0].TryGetProperty(duration, told) && Number(told.outValue) > 0, true, "the length");

const message = await EmailMessage.Bind(alice, found.Items[0].Id, PropertySet.FirstClassProperties);
equal(message.From.Address, address("bob"), "the caller");
const [sound] = message.Attachments.Items;
await sound.Load();
const heard = Buffer.from(sound.Base64Content, "base64");
equal(heard.length, sound.Size, "the size of the sound");
writeFileSync(process.env.UMBEL_HEARD, heard);

message.IsRead = true;
await message.Update(ConflictResolutionMode.AlwaysOverwrite);
equal(await counts(alice, WellKnownFolderName.Inbox), [1, 0], "marked as read");

const bob = client("bob");
const foreign = (await find(bob, WellKnownFolderName.Inbox)).Items[0].Id;
for (const [what, ask] of [
  ["bob's message", () => EmailMessage.Bind(alice, new ItemId(foreign.UniqueId))],
  ["to delete it", () => alice.DeleteItem(new ItemId(foreign.UniqueId), DeleteMode.HardDelete)],
]) {
  const error = await rejection(what, ask());
  equal(ServiceError[error.ErrorCode], "ErrorItemNotFound", what);
}
equal(await counts(bob, WellKnownFolderName.Inbox), [1, 1], "it is still there");

await message.Delete(DeleteMode.MoveToDeletedItems);
equal(await counts(alice, WellKnownFolderName.Inbox), [0, 0], "deleted");
equal(await counts(alice, WellKnownFolderName.DeletedItems), [1, 0], "among the deleted ones");
