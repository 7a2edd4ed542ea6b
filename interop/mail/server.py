"""A mail server for the tests, by aiosmtpd: every mail that it takes becomes a file in a folder.

server.py PORT FOLDER [CERTIFICATE KEY USER PASSWORD]

With a certificate it wants STARTTLS and the password before it takes anything. While FOLDER/hold exists it takes
mails and does not say so. Each RCPT is appended to FOLDER/recipients.
"""

import asyncio
import pathlib
import signal
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

port, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])


class Keep:
    """Writes mails into the folder, in the order in which they come."""

    async def handle_RCPT(self, server, session, envelope, address, options):
        with open(folder / "recipients", "a") as recipients:
            recipients.write(address + "\n")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        number = len(list(folder.glob("*.eml"))) + 1
        unfinished = folder / "unfinished"
        unfinished.write_bytes(envelope.content)
        unfinished.rename(folder / f"{number}.eml")
        if (folder / "hold").exists():
            await asyncio.Event().wait()
        return "250 OK"


def knows(server, session, envelope, mechanism, data):
    known = mechanism in ("LOGIN", "PLAIN") and [data.login.decode(), data.password.decode()] == sys.argv[5:7]
    return AuthResult(success=known, handled=True)


settings = {}
if len(sys.argv) > 3:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    settings = dict(tls_context=context, require_starttls=True, auth_required=True, authenticator=knows)
controller = Controller(Keep(), hostname="127.0.0.1", port=port, **settings)
controller.start()
signal.sigwait([signal.SIGTERM, signal.SIGINT])
controller.stop()
