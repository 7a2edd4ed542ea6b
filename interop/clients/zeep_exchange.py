"""zeep: the telephone's operations of the Exchange web services, by what their WSDL and schemas say."""

import zeep

from world import BUSY, OUTSIDE, UNKNOWN_CALL, address, equal, eventually
from zeep_items import item_ids, service


def body(answer):
    """An answer without its header, which tells the version of the server every time."""
    equal(answer.header.ServerVersion.Version, "Exchange2016", "ServerVersionInfo")
    return answer.body


def refused(code, what, answer):
    answer = body(answer)
    equal((answer.ResponseClass, answer.ResponseCode), ("Error", code), what)


def done(what, answer):
    answer = body(answer)
    equal((answer.ResponseClass, answer.ResponseCode), ("Success", "NoError"), what)
    return answer


def play(alice, item, number, **headers):
    return alice.PlayOnPhone(ItemId={"Id": item}, DialString=number, **headers)


def state(alice, call):
    told = alice.GetPhoneCallInformation(PhoneCallId={"Id": call}).body.PhoneCallInformation
    equal((told.SIPResponseText, told.SIPResponseCode), (None, None), "no SIP response is told")
    return told.PhoneCallState, told.ConnectionFailureCause


def calls(alice, item, foreign):
    refused("ErrorInvalidIdMalformed", "an id that is none", play(alice, "nothing", "101"))
    refused("ErrorInvalidIdEmpty", "an empty id", play(alice, "", "101"))
    refused("ErrorItemNotFound", "bob's message", play(alice, foreign, "101"))
    for number in [OUTSIDE, "", "101?x=y"]:
        refused("ErrorPhoneNumberNotDialable", f"to dial {number!r}", play(alice, item, number))
    unknown = {"Id": UNKNOWN_CALL}
    refused("ErrorInvalidPhoneCallId", "an unknown call", alice.GetPhoneCallInformation(PhoneCallId=unknown))
    refused("ErrorInvalidPhoneCallId", "to end it", alice.DisconnectPhoneCall(PhoneCallId=unknown))

    version = {"RequestVersion": {"Version": "Exchange2010"}}
    call = done("PlayOnPhone", play(alice, item, address("alice"), _soapheaders=version)).PhoneCallId.Id
    eventually(("Connected", "None"), "GetPhoneCallInformation", lambda: state(alice, call))
    refused("ErrorUnifiedMessagingRequestFailed", "a second call", play(alice, item, "102"))
    bob = service("bob")
    refused("ErrorInvalidPhoneCallId", "bob, about alice's call", bob.DisconnectPhoneCall(PhoneCallId={"Id": call}))
    done("DisconnectPhoneCall", alice.DisconnectPhoneCall(PhoneCallId={"Id": call}))
    eventually(("Disconnected", "None"), "after it", lambda: state(alice, call))

    call = done("PlayOnPhone", play(alice, item, BUSY)).PhoneCallId.Id
    eventually(("Disconnected", "UserBusy"), "a busy telephone", lambda: state(alice, call))


def questions(alice):
    answer = alice.GetServiceConfiguration(
        RequestedConfiguration={"ConfigurationName": ["UnifiedMessagingConfiguration", "MailTips"]}
    )
    telephone, tips = done("GetServiceConfiguration", answer).ResponseMessages.ServiceConfigurationResponseMessageType
    configuration = telephone.UnifiedMessagingConfiguration
    equal((configuration.UmEnabled, configuration.PlayOnPhoneEnabled), (True, True), "UnifiedMessagingConfiguration")
    equal(tips.ResponseCode, "ErrorInvalidOperation", "MailTips")

    answer = body(alice.ResolveNames(UnresolvedEntry=address("alice"), ReturnFullContactData=False))
    message = answer.ResponseMessages._value_1[0]["ResolveNamesResponseMessage"]
    equal(message.ResolutionSet.Resolution[0].Mailbox.EmailAddress, address("alice"), "ResolveNames")
    answer = body(alice.ResolveNames(UnresolvedEntry="bob", ReturnFullContactData=False))
    message = answer.ResponseMessages._value_1[0]["ResolveNamesResponseMessage"]
    equal(message.ResponseCode, "ErrorNameResolutionNoResults", "ResolveNames of another")

    answer = body(alice.GetServerTimeZones(ReturnFullTimeZoneData=True))
    message = answer.ResponseMessages._value_1[0]["GetServerTimeZonesResponseMessage"]
    equal([zone.Id for zone in message.TimeZoneDefinitions.TimeZoneDefinition], ["UTC"], "GetServerTimeZones")


def headers(alice, item):
    impersonation = {"Impersonation": {"ConnectingSID": {"PrimarySmtpAddress": address("bob")}}}
    try:
        play(alice, item, "101", _soapheaders=impersonation)
        raise SystemExit("somebody acted for another")
    except zeep.exceptions.Fault as told:
        equal(told.code.split(":")[-1], "ErrorImpersonateUserDenied", "impersonation")


def main():
    try:
        service("carol", "wrong").GetServerTimeZones()
        raise SystemExit("a wrong password was taken")
    except zeep.exceptions.TransportError as refusal:
        equal(refusal.status_code, 401, "a wrong password")
    alice = service("alice")
    item = item_ids("alice")[0]
    questions(alice)
    headers(alice, item)
    calls(alice, item, item_ids("bob")[0])


main()
