"""Settings of a served household that print every address that its process connects to or looks up."""

import sys
from typing import Any

from tests.served_settings import *  # noqa: F403

WATCHED = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}


def _print_connection(event: str, given: tuple[Any, ...]) -> None:
    if event in WATCHED:
        print("OUTGOING", event, given[-1 if event == "socket.connect" else 0], file=sys.stderr)


sys.addaudithook(_print_connection)
print("Connections are watched.", file=sys.stderr)
