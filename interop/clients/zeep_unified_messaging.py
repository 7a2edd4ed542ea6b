"""zeep: the eleven operations of the unified messaging service, by what its WSDL says."""

import requests
import zeep
from requests.auth import HTTPBasicAuth
from zeep.transports import Transport

import zeep_validation
from world import BUSY, LEGACY, OUTSIDE, UNKNOWN_CALL, address, equal, eventually, password
from zeep_items import entry_ids

MESSAGES = "{http://schemas.microsoft.com/exchange/services/2006/messages}"


def service(user, secret=None):
    session = requests.Session()
    session.auth = HTTPBasicAuth(address(user), secret or password(user))
    # Strict: whatever the answers hold that the schema does not say is an error.
    plugins = [zeep_validation.unified_messaging()]
    return zeep.Client(f"{LEGACY}?wsdl", transport=Transport(session=session), plugins=plugins).service


def fault(code, what, ask):
    """The exception of a fault, as a client sees it: its code, and its type in the detail."""
    try:
        answer = ask()
    except zeep.exceptions.Fault as told:
        equal(told.code.split(":")[-1], code, what)
        if code.endswith("Exception"):
            equal(told.detail.findtext(f"{MESSAGES}ExceptionType"), code, f"{what}, in the detail")
        return
    raise SystemExit(f"{what}: {answer!r} instead of a fault {code}")


def settings(alice):
    equal(alice.IsUMEnabled(), True, "IsUMEnabled")
    first = alice.GetUMProperties()
    equal(first.OofStatus, False, "OofStatus")
    equal(first.MissedCallNotificationEnabled, True, "MissedCallNotificationEnabled")
    equal(bool(first.TelephoneAccessNumbers), True, "TelephoneAccessNumbers are told")
    alice.SetOofStatus(True)
    alice.SetMissedCallNotificationEnabled(False)
    alice.SetPlayOnPhoneDialString("101")
    alice.SetTelephoneAccessFolderEmail("AAAAAG1hcGktZW50cnk=")
    second = alice.GetUMProperties()
    equal(
        (second.OofStatus, second.MissedCallNotificationEnabled, second.PlayOnPhoneDialString),
        (True, False, "101"),
        "what was set",
    )
    equal(second.TelephoneAccessFolderEmail, "AAAAAG1hcGktZW50cnk=", "TelephoneAccessFolderEmail")
    alice.SetOofStatus(False)
    alice.SetMissedCallNotificationEnabled(True)
    alice.SetPlayOnPhoneDialString("")
    alice.SetTelephoneAccessFolderEmail("")
    third = alice.GetUMProperties()
    equal((third.OofStatus, third.PlayOnPhoneDialString or ""), (False, ""), "what was taken away")


def state(alice, call):
    info = alice.GetCallInfo(call)
    return info.CallState, info.EventCause


def calls(alice, item, foreign):
    fault("InvalidObjectIdException", "an id that is none", lambda: alice.PlayOnPhone("no base 64!", "101"))
    fault("InvalidObjectIdException", "bob's message", lambda: alice.PlayOnPhone(foreign, "101"))
    for number in [OUTSIDE, "", "101;phone-context=x", "sip:alice@elsewhere.test", "1" * 129]:
        fault("DialingRulesException", f"to dial {number[:30]!r}", lambda: alice.PlayOnPhone(item, number))
    fault("InvalidCallIdException", "an unknown call", lambda: alice.GetCallInfo(UNKNOWN_CALL))
    fault("InvalidCallIdException", "to end an unknown call", lambda: alice.Disconnect(UNKNOWN_CALL))

    call = alice.PlayOnPhone(item, address("alice"))
    heard = eventually(("Connected", "None"), "PlayOnPhone", lambda: state(alice, call))
    equal(set(heard) <= {("Connecting", "None"), ("Connected", "None")}, True, "nothing else on the way")
    fault("ErrorUnifiedMessagingRequestFailed", "a second call", lambda: alice.PlayOnPhone(item, "102"))
    fault("InvalidCallIdException", "bob, about alice's call", lambda: service("bob").GetCallInfo(call))
    alice.Disconnect(call)
    eventually(("Disconnected", "None"), "Disconnect", lambda: state(alice, call))
    alice.Disconnect(call)

    call = alice.PlayOnPhone(item, BUSY)
    eventually(("Disconnected", "UserBusy"), "a busy telephone", lambda: state(alice, call))

    call = alice.PlayOnPhoneGreeting("NormalCustom", "101")
    eventually(("Connected", "None"), "PlayOnPhoneGreeting", lambda: state(alice, call))
    alice.Disconnect(call)
    eventually(("Disconnected", "None"), "Disconnect", lambda: state(alice, call))


def main():
    try:
        service("carol", "wrong").IsUMEnabled()
        raise SystemExit("a wrong password was taken")
    except zeep.exceptions.TransportError as refused:
        equal(refused.status_code, 401, "a wrong password")
    alice = service("alice")
    settings(alice)
    calls(alice, entry_ids("alice")[0], entry_ids("bob")[0])
    # Where no mail is set up, the PIN stays, and that is said.
    fault("ErrorUnifiedMessagingRequestFailed", "ResetPIN", alice.ResetPIN)


main()
