// node-ews: it fetches our description and schemas and builds all that it sends from them.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EWS from "node-ews";

import { BUSY, OUTSIDE, UNKNOWN_CALL, URL, address, equal, eventually, password, rejection } from "./world.mjs";

const VERSION = { "t:RequestServerVersion": { attributes: { Version: "Exchange2010" } } };

function client(user, secret = password(user)) {
  const temp = mkdtempSync(join(tmpdir(), "node-ews-"));
  return new EWS({ username: address(user), password: secret, host: URL, auth: "basic", temp });
}

const run = (ews, operation, parameters) => ews.run(operation, parameters, VERSION);
const play = (ews, item, number) =>
  run(ews, "PlayOnPhone", { ItemId: { attributes: { Id: item } }, DialString: number });
const about = (ews, operation, call) => run(ews, operation, { PhoneCallId: { attributes: { Id: call } } });

async function messages(ews) {
  const answer = await run(ews, "FindItem", {
    attributes: { Traversal: "Shallow" },
    ItemShape: { BaseShape: "IdOnly" },
    ParentFolderIds: { DistinguishedFolderId: { attributes: { Id: "inbox" } } },
  });
  const [found] = [answer.ResponseMessages.FindItemResponseMessage].flat();
  return [found.RootFolder.Items.Message].flat().map((message) => message.ItemId.attributes.Id);
}

const code = (answer) => [answer.attributes.ResponseClass, answer.ResponseCode];

async function state(ews, call) {
  const told = (await about(ews, "GetPhoneCallInformation", call)).PhoneCallInformation;
  return [told.PhoneCallState, told.ConnectionFailureCause];
}

const wrong = await rejection("a wrong password", play(client("carol", "wrong"), "x", "1"));
equal(wrong.response.statusCode, 401, "a wrong password");

const alice = client("alice");
const bob = client("bob");
const [item] = await messages(alice);
const [foreign] = await messages(bob);

const configuration = await run(alice, "GetServiceConfiguration", {
  RequestedConfiguration: { ConfigurationName: "UnifiedMessagingConfiguration" },
});
const [first] = [configuration.ResponseMessages.ServiceConfigurationResponseMessageType].flat();
const telephone = first.UnifiedMessagingConfiguration;
equal([telephone.UmEnabled, telephone.PlayOnPhoneEnabled].map(String), ["true", "true"], "GetServiceConfiguration");

equal(code(await play(alice, "nothing", "101")), ["Error", "ErrorInvalidIdMalformed"], "an id that is none");
equal(code(await play(alice, foreign, "101")), ["Error", "ErrorItemNotFound"], "bob's message");
equal(code(await play(alice, item, OUTSIDE)), ["Error", "ErrorPhoneNumberNotDialable"], "a number outside");
for (const operation of ["GetPhoneCallInformation", "DisconnectPhoneCall"]) {
  const answer = await about(alice, operation, UNKNOWN_CALL);
  equal(code(answer), ["Error", "ErrorInvalidPhoneCallId"], `${operation} of an unknown call`);
}

let answer = await play(alice, item, address("alice"));
equal(code(answer), ["Success", "NoError"], "PlayOnPhone");
let call = answer.PhoneCallId.attributes.Id;
await eventually(["Connected", "None"], "GetPhoneCallInformation", () => state(alice, call));
equal(code(await play(alice, item, "102")), ["Error", "ErrorUnifiedMessagingRequestFailed"], "a second call");
equal(
  code(await about(bob, "GetPhoneCallInformation", call)),
  ["Error", "ErrorInvalidPhoneCallId"],
  "bob, about alice's call",
);
equal(code(await about(alice, "DisconnectPhoneCall", call)), ["Success", "NoError"], "DisconnectPhoneCall");
await eventually(["Disconnected", "None"], "after it", () => state(alice, call));
answer = await play(alice, item, BUSY);
call = answer.PhoneCallId.attributes.Id;
await eventually(["Disconnected", "UserBusy"], "a busy telephone", () => state(alice, call));
