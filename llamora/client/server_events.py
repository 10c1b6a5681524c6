"""Parser of server-sent events (WHATWG HTML 9.2.6), fed with bytes that may be split anywhere.

A line ends in \\r, \\n or \\r\\n; a byte order mark at the beginning is skipped; a blank line ends an event.
At the end of the stream, an event without a blank line is incomplete and is dropped. `id` and `retry` are
ignored, because streams are never resumed.
"""

from typing import NamedTuple

MAX_EVENT_BYTES = 4 << 20


class EventTooLong(ValueError):  # noqa: N818 - it states what is the case
    """Raised for an event of more than 4 MiB."""


class ServerEvent(NamedTuple):
    """An event: its name (`message` if the stream gives none) and its data."""

    name: str
    data: str


class ServerEventParser:
    """Incremental parser of a stream of events.

    >>> parser = ServerEventParser()
    >>> parser.feed(b"event: token\\nda")
    []
    >>> parser.feed(b'ta: {"text": "Rain"}\\n\\n')
    [ServerEvent(name='token', data='{"text": "Rain"}')]
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0  # bytes of the rest that have no end of a line
        self._size = 0  # bytes of the event's lines so far
        self._is_begun = False
        self._ends_in_cr = False
        self._name = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Return the events that this chunk completes; raise EventTooLong."""
        if self._ends_in_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._ends_in_cr = False
        if chunk.endswith(b"\r"):
            self._ends_in_cr = True
        self._rest += chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if not self._is_begun and not self._begin():
            return []
        events = []
        start = 0
        while (end := self._rest.find(b"\n", max(start, self._searched))) >= 0:
            if (event := self._read_line(bytes(self._rest[start:end]))) is not None:
                events.append(event)
            start = end + 1
        del self._rest[:start]
        self._searched = len(self._rest)
        if self._size + len(self._rest) > MAX_EVENT_BYTES:
            raise EventTooLong
        return events

    def _begin(self) -> bool:
        """Skip a byte order mark; return whether enough has arrived to know that there is none."""
        mark = b"\xef\xbb\xbf"
        if len(self._rest) < len(mark) and mark.startswith(self._rest):
            return False
        if self._rest.startswith(mark):
            del self._rest[: len(mark)]
        self._is_begun = True
        return True

    def _read_line(self, line: bytes) -> ServerEvent | None:
        """Add a line to the event; return the event if the line is blank and ends one with data."""
        if not line:
            event = ServerEvent(self._name or "message", "\n".join(self._data)) if self._data else None
            self._name, self._data, self._size = "", [], 0
            return event
        self._size += len(line)
        if self._size > MAX_EVENT_BYTES:
            raise EventTooLong
        name, _, value = line.decode(errors="replace").partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._name = value
        return None
