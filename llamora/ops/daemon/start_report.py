"""Messages from a starting server to the command that waits for it: JSON lines through a pipe.

    {"sentence": "Llamora is at http://llamora.localhost:8765/"}
    {"refusal": "Port 8765 is already in use. ..."}
    {"ready": {"host": "127.0.0.1", "port": 8765}}      the last line; then the pipe is closed

The set-up link is sent only through the pipe, so that it is in no log.
"""

import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


class StartReporter:
    """Sender of the server's messages through the pipe. If the command has exited, messages are dropped."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def report_sentence(self, sentence: str) -> None:
        """Send a sentence for the person who starts the server."""
        self._send({"sentence": sentence})

    def report_refusal(self, refusal: str) -> None:
        """Send the reason why the server does not start."""
        self._send({"refusal": refusal})

    def report_ready(self, *, host: str, port: int) -> None:
        """Send the address at which the server answers, and close the pipe."""
        self._send({"ready": {"host": host, "port": port}})
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _send(self, message: dict[str, Any]) -> None:
        if self._descriptor is not None:
            with suppress(OSError):
                os.write(self._descriptor, json.dumps(message).encode() + b"\n")


@dataclass(kw_only=True)
class StartOutcome:
    """The result of a start: the server's address, or why it refused. After a crash, both are empty."""

    host: str = ""
    port: int = 0
    refusal: str = ""


def follow(lines: Iterable[bytes], *, say: Callable[[str], None]) -> StartOutcome:
    """Print the sentences of a server until it is ready or has ended, and return the outcome."""
    outcome = StartOutcome()
    for line in lines:
        try:
            message = json.loads(line)
        except ValueError:
            # A library printed it before the output went into the log.
            continue
        match message:
            case {"sentence": str(sentence)}:
                say(sentence)
            case {"refusal": str(refusal)}:
                outcome.refusal = refusal
            case {"ready": {"host": str(host), "port": int(port)}}:
                outcome.host, outcome.port = host, port
    return outcome
