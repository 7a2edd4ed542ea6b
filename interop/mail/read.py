"""Reads a mail with Python's own library, strictly, and prints what is in it as JSON.

read.py MAIL FOLDER: attachments are written into FOLDER.
"""

import email.policy
import json
import pathlib
import sys

octets = pathlib.Path(sys.argv[1]).read_bytes()
mail = email.message_from_bytes(octets, policy=email.policy.default)
attachments = []
for part in mail.iter_attachments():
    file = pathlib.Path(sys.argv[2]) / "attached.wav"
    file.write_bytes(part.get_content())
    attachments.append({"name": part.get_filename(), "type": part.get_content_type(), "file": str(file)})
defects = [str(defect) for part in mail.walk() for defect in part.defects]
defects += [str(defect) for value in mail.values() for defect in getattr(value, "defects", ())]
print(json.dumps({
    "headers": [[name, str(value)] for name, value in mail.items()],
    "to": [address.addr_spec for address in mail["To"].addresses],
    "from": [address.addr_spec for address in mail["From"].addresses],
    "text": mail.get_body(preferencelist=("plain",)).get_content(),
    "attachments": attachments,
    "defects": defects,
    "lone": octets.replace(b"\r\n", b"").count(b"\n") + octets.replace(b"\r\n", b"").count(b"\r"),
}))
