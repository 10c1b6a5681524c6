"""Server-sent events (WHATWG HTML 9.2.6), parsed from raw bytes as they arrive.

Supports only the `data` fields, which model servers use; comments and other fields are skipped. Works on
bytes, so a character that is split between two reads is not damaged.
"""

from llamora.llm.errors import MalformedResponse

LONGEST_LINE = 1 << 20
_BLANK = (b"", b"\r")


class EventReader:
    """Incremental parser that returns the payloads of complete events."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the payloads that this chunk completes, in order."""
        cut = chunk.rfind(b"\n")
        if cut < 0:
            self._buffer_rest(self._rest + chunk)
            return []
        whole = self._rest + chunk[:cut]
        self._buffer_rest(chunk[cut + 1 :])
        return self._split_events(whole.split(b"\n"))

    def close(self) -> list[bytes]:
        """Return the payload of a last event that has no blank line after it, as some servers send it."""
        rest, self._rest = self._rest, b""
        return self._split_events([rest, b""])

    def _buffer_rest(self, rest: bytes) -> None:
        if len(rest) > LONGEST_LINE:
            raise MalformedResponse
        self._rest = rest

    def _split_events(self, lines: list[bytes]) -> list[bytes]:
        pending, events = self._lines, []
        for line in lines:
            if line.startswith(b"data:"):
                pending.append(line[5:])
            elif pending and line in _BLANK:
                events.append(pending[0] if len(pending) == 1 else b"\n".join(pending))
                pending.clear()
        return events
