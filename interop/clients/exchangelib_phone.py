"""exchangelib: it has no operations for the telephone, so they are made here of its own request classes.

It finds out the server's version by itself, and what it does with errors is its own too: those that it takes for a
wrong version it repeats in other versions, which must not happen here.
"""

from exchangelib import BASIC, DELEGATE, Account, Configuration, Credentials
from exchangelib.errors import (
    ErrorInvalidIdMalformed,
    ErrorInvalidPhoneCallId,
    ErrorItemNotFound,
    ErrorPhoneNumberNotDialable,
    ErrorUnifiedMessagingRequestFailed,
    UnauthorizedError,
)
from exchangelib.services.common import EWSAccountService
from exchangelib.util import MNS, TNS, add_xml_child, create_element

from world import BUSY, EXCHANGE, OUTSIDE, UNKNOWN_CALL, address, equal, eventually, password


class Telephone(EWSAccountService):
    """An operation whose answer is one message without a wrapper around it."""

    ERRORS_TO_CATCH_IN_RESPONSE = ()

    def call(self, payload):
        return self._get_elements(payload=payload)

    @classmethod
    def _get_elements_in_container(cls, container):
        return [container]


class PlayOnPhone(Telephone):
    SERVICE_NAME = "PlayOnPhone"
    element_container_name = f"{{{MNS}}}PhoneCallId"

    def ask(self, item, number):
        payload = create_element("m:PlayOnPhone")
        payload.append(create_element("m:ItemId", attrs={"Id": item}))
        add_xml_child(payload, "m:DialString", number)
        return self.get(payload=payload).get("Id")


def about(name, call):
    payload = create_element(f"m:{name}")
    payload.append(create_element("m:PhoneCallId", attrs={"Id": call}))
    return payload


class GetPhoneCallInformation(Telephone):
    SERVICE_NAME = "GetPhoneCallInformation"
    element_container_name = f"{{{MNS}}}PhoneCallInformation"

    def ask(self, call):
        told = self.get(payload=about(self.SERVICE_NAME, call))
        return told.findtext(f"{{{TNS}}}PhoneCallState"), told.findtext(f"{{{TNS}}}ConnectionFailureCause")


class DisconnectPhoneCall(Telephone):
    SERVICE_NAME = "DisconnectPhoneCall"
    returns_elements = False

    def ask(self, call):
        return self.get(payload=about(self.SERVICE_NAME, call)).get("ResponseClass")


def account(user, secret=None):
    credentials = Credentials(address(user), secret or password(user))
    config = Configuration(service_endpoint=EXCHANGE, credentials=credentials, auth_type=BASIC, max_connections=1)
    return Account(address(user), config=config, autodiscover=False, access_type=DELEGATE)


def refused(kind, what, ask):
    try:
        answer = ask()
    except kind as told:
        print(f"  {what}: {type(told).__name__}: {told}")
        return
    raise SystemExit(f"{what}: {answer!r} instead of {kind.__name__}")


def main():
    refused(UnauthorizedError, "a wrong password", lambda: account("carol", "wrong").inbox.total_count)
    alice, bob = account("alice"), account("bob")
    equal(alice.version.build.major_version, 15, "the server's version")
    item = alice.inbox.all().only("subject")[0].id
    foreign = bob.inbox.all().only("subject")[0].id
    play, information, disconnect = (kind(account=alice) for kind in (PlayOnPhone, GetPhoneCallInformation, DisconnectPhoneCall))

    refused(ErrorInvalidIdMalformed, "an id that is none", lambda: play.ask("nothing", "101"))
    refused(ErrorItemNotFound, "bob's message", lambda: play.ask(foreign, "101"))
    refused(ErrorPhoneNumberNotDialable, "a number outside", lambda: play.ask(item, OUTSIDE))
    refused(ErrorInvalidPhoneCallId, "an unknown call", lambda: information.ask(UNKNOWN_CALL))
    refused(ErrorInvalidPhoneCallId, "to end it", lambda: disconnect.ask(UNKNOWN_CALL))

    call = play.ask(item, address("alice"))
    eventually(("Connected", "None"), "GetPhoneCallInformation", lambda: information.ask(call))
    refused(ErrorUnifiedMessagingRequestFailed, "a second call", lambda: play.ask(item, "102"))
    refused(ErrorInvalidPhoneCallId, "bob, about it", lambda: GetPhoneCallInformation(account=bob).ask(call))
    equal(disconnect.ask(call), "Success", "DisconnectPhoneCall")
    eventually(("Disconnected", "None"), "after it", lambda: information.ask(call))
    call = play.ask(item, BUSY)
    eventually(("Disconnected", "UserBusy"), "a busy telephone", lambda: information.ask(call))


main()
