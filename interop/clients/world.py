"""What all scripts share: where the server is, who its users are, and how a script fails."""

import os
import sys
import time

URL = os.environ["UMBEL_URL"]
DOMAIN = os.environ["UMBEL_DOMAIN"]
EXCHANGE = f"{URL}/EWS/Exchange.asmx"
LEGACY = f"{URL}/EWS/UM2007Legacy.asmx"

# Alice's telephone answers after a moment; bob's is busy, and his extension is this.
BUSY = os.environ["UMBEL_BUSY_NUMBER"]
# Wrong passwords are given for carol, so that nobody who is needed gets locked out.
# No rule allows to call it.
OUTSIDE = "+15555550199"
# As long as an id of a call, and nobody's.
UNKNOWN_CALL = "0" * 32

# How long a telephone may take to do what it does.
PATIENCE = 90.0


def address(user):
    return f"{user}@{DOMAIN}"


def password(user):
    return f"{user}-password"


def equal(actual, expected, what):
    """Ends the script unless both are the same."""
    if actual != expected:
        sys.exit(f"{what}: {actual!r} instead of {expected!r}")
    print(f"  {what}: {actual!r}")


def eventually(expected, what, ask):
    """Asks again until the answer is the expected one; gives all that were heard on the way."""
    heard = []
    end = time.monotonic() + PATIENCE
    while True:
        answer = ask()
        if not heard or heard[-1] != answer:
            heard.append(answer)
        if answer == expected:
            print(f"  {what}: {heard!r}")
            return heard
        if time.monotonic() > end:
            sys.exit(f"{what}: {heard!r}, and never {expected!r}")
        time.sleep(0.1)
