"""exchangelib: finds, reads, hears, marks, deletes and brings back, as a mail program does.

What it hears is left in the file that UMBEL_HEARD names, to be compared with what was said.
"""

import os

from exchangelib import BASIC, DELEGATE, Account, Configuration, Credentials, ExtendedProperty, Message
from exchangelib.errors import ErrorItemNotFound, UnauthorizedError

from world import EXCHANGE, address, equal, password


class Duration(ExtendedProperty):
    """PidTagVoiceMessageDuration, by its tag in decimal digits."""

    property_tag = 0x6801
    property_type = "Integer"


class CallingNumber(ExtendedProperty):
    distinguished_property_set_id = "InternetHeaders"
    property_name = "X-CallingTelephoneNumber"
    property_type = "String"


Message.register("duration", Duration)
Message.register("calling_number", CallingNumber)


def account(user, secret=None):
    credentials = Credentials(address(user), secret or password(user))
    config = Configuration(service_endpoint=EXCHANGE, credentials=credentials, auth_type=BASIC, max_connections=1)
    return Account(address(user), config=config, autodiscover=False, access_type=DELEGATE)


def counts(folder):
    folder.refresh()
    return folder.total_count, folder.unread_count


def main():
    try:
        raise SystemExit(f"a wrong password opened a mailbox: {account('carol', 'wrong').inbox.total_count}")
    except UnauthorizedError as told:
        print(f"  a wrong password: {told}")

    alice = account("alice")
    inbox, trash = alice.inbox, alice.trash
    changes = list(inbox.sync_items())
    equal([kind for kind, _ in changes], ["create"], "a first synchronisation")

    voice = "IPM.Note.Microsoft.Voicemail"
    found = list(inbox.filter(item_class__istartswith=voice, is_read=False).order_by("-datetime_received"))
    equal(len(found), 1, "new voice messages")
    equal(inbox.filter(item_class__istartswith=voice, is_read=True).count(), 0, "heard ones")
    equal(inbox.filter(subject__icontains="nobody says this").count(), 0, "a subject that none has")
    message = found[0]
    equal(message.item_class, "IPM.Note.Microsoft.Voicemail.UM.CA", "the class")
    equal(message.calling_number, address("bob"), "the caller")
    equal(message.duration > 0, True, "the length")
    equal(counts(inbox), (1, 1), "the inbox")
    equal(counts(alice.voice_mail), (1, 1), "the search folder of voice messages")

    [sound] = message.attachments
    equal(sound.content_type, "audio/WAV", "the type of the sound")
    heard = sound.content
    equal(len(heard), sound.size, "its size")
    equal(message.size, len(message.mime_content), "the size of the whole mail")
    with open(os.environ["UMBEL_HEARD"], "wb") as file:
        file.write(heard)

    message.is_read = True
    message.save(update_fields=["is_read"])
    equal(counts(inbox), (1, 0), "marked as read")
    changes = list(inbox.sync_items())
    equal([(kind, told[1]) for kind, told in changes], [("read_flag_change", True)], "what is told of it")

    message.move(trash)
    equal((counts(inbox)[0], counts(trash)[0]), (0, 1), "moved to the deleted ones")
    equal([kind for kind, _ in inbox.sync_items()], ["delete"], "what is told of it")
    trash.all()[0].move(inbox)
    equal((counts(inbox)[0], counts(trash)[0]), (1, 0), "brought back")
    # Whether a client still has it, the server does not know: it may be told to drop it first.
    equal([kind for kind, _ in inbox.sync_items()][-1], "create", "what is told of it")
    inbox.all()[0].delete()
    equal((counts(inbox)[0], counts(trash)[0]), (0, 1), "deleted")

    foreign = account("bob").inbox.all().only("subject")[0]
    [answer] = alice.fetch([(foreign.id, foreign.changekey)])
    equal(type(answer), ErrorItemNotFound, "bob's message")
    [answer] = alice.bulk_delete([(foreign.id, foreign.changekey)])
    equal(type(answer), ErrorItemNotFound, "to delete it")
    equal(account("bob").inbox.total_count, 1, "it is still there")


main()
