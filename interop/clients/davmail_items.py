"""DavMail: a mailbox of voice messages by IMAP, through a gateway that knows only Exchange Web Services.

The gateway listens where UMBEL_IMAP says. The sound is left in the file that UMBEL_HEARD names, to be compared with
what was said. Ends with the message marked as read; with the argument `delete`, it is deleted and expunged.
"""

import email
import imaplib
import os
import sys

from world import address, equal, password


def connect(user, secret=None):
    host, port = os.environ["UMBEL_IMAP"].rsplit(":", 1)
    client = imaplib.IMAP4(host, int(port), timeout=180)
    client.login(address(user), secret or password(user))
    return client


def uids(client, *criteria):
    status, [found] = client.uid("SEARCH", None, *criteria)
    equal(status, "OK", f"SEARCH {' '.join(criteria)}")
    return found.split()


def main(delete):
    try:
        connect("carol", "wrong")
    except imaplib.IMAP4.error as told:
        print(f"  a wrong password: {told}")
    else:
        raise SystemExit("a wrong password opened a mailbox")

    client = connect("alice")
    client.select("INBOX")
    everything = uids(client, "ALL")
    equal(len(everything), 1, "messages")
    uid = everything[0].decode()
    if delete:
        client.uid("STORE", uid, "+FLAGS", "(\\Deleted)")
        client.expunge()
        equal(uids(client, "ALL"), [], "after EXPUNGE")
        client.select("Trash")
        equal(len(uids(client, "ALL")), 1, "in the trash")
        client.logout()
        return

    equal(uids(client, "UNSEEN"), everything, "new ones")
    status, answer = client.uid("FETCH", uid, "(RFC822.SIZE BODY.PEEK[])")
    equal(status, "OK", "FETCH")
    head, octets = next(part for part in answer if isinstance(part, tuple))
    equal(f"RFC822.SIZE {len(octets)} " in head.decode(), True, "the size that was told is the size of the mail")
    mail = email.message_from_bytes(octets)
    equal(mail["X-CallingTelephoneNumber"], address("bob"), "the caller")
    [sound] = [part for part in mail.walk() if part.get_content_type() == "audio/wav"]
    with open(os.environ["UMBEL_HEARD"], "wb") as file:
        file.write(sound.get_payload(decode=True))
    equal(uids(client, "UNSEEN"), everything, "still new")
    client.uid("STORE", uid, "+FLAGS", "(\\Seen)")
    equal(uids(client, "UNSEEN"), [], "marked as read")
    client.logout()


main("delete" in sys.argv[1:])
