// ews-javascript-api: Microsoft's own logic. It names the telephone's operations without doing them, so they are made
// here of its own request and response classes, which read answers and raise errors as for all others.

import ews from "ews-javascript-api";
import { ServiceResponse } from "ews-javascript-api/js/Core/Responses/ServiceResponse.js";
import { SimpleServiceRequestBase } from "ews-javascript-api/js/Core/Requests/SimpleServiceRequestBase.js";

import { BUSY, EXCHANGE, OUTSIDE, UNKNOWN_CALL, address, equal, eventually, password, rejection } from "./world.mjs";

const { ExchangeService, ExchangeVersion, ItemView, ServiceError, Uri, WebCredentials } = ews;
const { WellKnownFolderName, XmlNamespace } = ews;

class Told extends ServiceResponse {
  ReadElementsFromXmlJsObject(read) {
    this.told = read;
  }
}

class Telephone extends SimpleServiceRequestBase {
  constructor(service, operation, write) {
    super(service);
    Object.assign(this, { operation, write });
  }
  GetMinimumRequiredServerVersion() {
    return ExchangeVersion.Exchange2010;
  }
  GetXmlElementName() {
    return this.operation;
  }
  GetResponseXmlElementName() {
    return `${this.operation}Response`;
  }
  WriteElementsToXml(writer) {
    this.write(writer);
  }
  ParseResponse(body) {
    const response = new Told();
    response.LoadFromXmlJsObject(body, this.Service);
    return response;
  }
  async Execute() {
    const response = await this.InternalExecute();
    response.ThrowIfNecessary();
    return response.told;
  }
}

const named = (name, id) => (writer) => {
  writer.WriteStartElement(XmlNamespace.Messages, name);
  writer.WriteAttributeValue("Id", id);
  writer.WriteEndElement();
};

const play = (service, item, number) =>
  new Telephone(service, "PlayOnPhone", (writer) => {
    named("ItemId", item)(writer);
    writer.WriteElementValue(XmlNamespace.Messages, "DialString", number);
  }).Execute();

const about = (service, operation, call) => new Telephone(service, operation, named("PhoneCallId", call)).Execute();

function client(user, secret = password(user)) {
  const service = new ExchangeService(ExchangeVersion.Exchange2010);
  service.Credentials = new WebCredentials(address(user), secret);
  service.Url = new Uri(EXCHANGE);
  return service;
}

async function first(service) {
  const found = await service.FindItems(WellKnownFolderName.Inbox, new ItemView(10));
  return found.Items[0].Id.UniqueId;
}

async function state(service, call) {
  const { PhoneCallInformation: told } = await about(service, "GetPhoneCallInformation", call);
  return [told.PhoneCallState, told.ConnectionFailureCause];
}

async function refused(code, what, promise) {
  const error = await rejection(what, promise);
  equal(ServiceError[error.ErrorCode], code, what);
}

const wrong = await rejection("a wrong password", first(client("carol", "wrong")));
equal(String(wrong.message ?? wrong).includes("401"), true, "a wrong password is a 401");

const alice = client("alice");
const bob = client("bob");
const item = await first(alice);
const foreign = await first(bob);

await refused("ErrorInvalidIdMalformed", "an id that is none", play(alice, "nothing", "101"));
await refused("ErrorItemNotFound", "bob's message", play(alice, foreign, "101"));
await refused("ErrorPhoneNumberNotDialable", "a number outside", play(alice, item, OUTSIDE));
for (const operation of ["GetPhoneCallInformation", "DisconnectPhoneCall"]) {
  await refused("ErrorInvalidPhoneCallId", `${operation} of an unknown call`, about(alice, operation, UNKNOWN_CALL));
}

let call = (await play(alice, item, address("alice"))).PhoneCallId.Id;
equal(alice.ServerInfo.MajorVersion, 15, "the server's version");
await eventually(["Connected", "None"], "GetPhoneCallInformation", () => state(alice, call));
await refused("ErrorUnifiedMessagingRequestFailed", "a second call", play(alice, item, "102"));
await refused("ErrorInvalidPhoneCallId", "bob, about alice's call", about(bob, "GetPhoneCallInformation", call));
await about(alice, "DisconnectPhoneCall", call);
await eventually(["Disconnected", "None"], "after DisconnectPhoneCall", () => state(alice, call));

call = (await play(alice, item, BUSY)).PhoneCallId.Id;
await eventually(["Disconnected", "UserBusy"], "a busy telephone", () => state(alice, call));
