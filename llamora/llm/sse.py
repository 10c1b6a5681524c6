"""Server-sent events, read from raw bytes as they come.

Only what model servers send: `data` fields; comments and other fields are passed over (WHATWG HTML 9.2.6).
An event is cut at its blank line on bytes, so a character split between two reads is whole again here.
"""

from llamora.llm.errors import MalformedResponse

LONGEST_LINE = 1 << 20
_BLANK = (b"", b"\r")


class EventReader:
    """Collects bytes and gives back the payloads of the events that are complete."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """The payloads that this chunk completed, in order."""
        cut = chunk.rfind(b"\n")
        if cut < 0:
            self._hold(self._rest + chunk)
            return []
        whole = self._rest + chunk[:cut]
        self._hold(chunk[cut + 1 :])
        return self._events(whole.split(b"\n"))

    def close(self) -> list[bytes]:
        """What the server left without its blank line; some end on `data: [DONE]` and nothing more."""
        rest, self._rest = self._rest, b""
        return self._events([rest, b""])

    def _hold(self, rest: bytes) -> None:
        if len(rest) > LONGEST_LINE:
            raise MalformedResponse
        self._rest = rest

    def _events(self, lines: list[bytes]) -> list[bytes]:
        pending, events = self._lines, []
        for line in lines:
            if line.startswith(b"data:"):
                pending.append(line[5:])
            elif pending and line in _BLANK:
                events.append(pending[0] if len(pending) == 1 else b"\n".join(pending))
                pending.clear()
        return events
