"""Parser of server-sent events (WHATWG HTML 9.2.6), fed with raw bytes as they arrive.

Supports only the `data` fields, which model servers use; comments and other fields are skipped. Works on
bytes, so a character that is split between two reads is not damaged. Not all servers keep to the standard:

    a byte order mark at the beginning   is skipped
    \\r, \\n or \\r\\n                      end a line
    no blank line between two events     they are split where a line ends in } and the next begins with {
    error: {...}, or {...} alone         counts as data, since some servers send their errors like this
    JSON from the first byte on          a whole response instead of a stream is one payload
    HTML from the first byte on          another program
"""

from llamora.llm.errors import MalformedResponse, WrongAddress

LONGEST_LINE = 1 << 20
DONE = b"[DONE]"
# Blanks, and the bytes of a byte order mark.
_BEFORE_BEGINNING = b" \t\r\n\xef\xbb\xbf"


class EventReader:
    """Incremental parser of server-sent events, which returns the data of complete events."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []
        self._size = 0  # of the lines, if there are several
        self._is_begun = False
        self._ends_in_cr = False
        # The parts of a response that is JSON from its first byte on.
        self._whole: list[bytes] | None = None
        # Whether the next chunk can be split at its line ends as it is, as almost every chunk can.
        self._is_plain = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of the events that this chunk completes, in order."""
        if not self._is_plain or b"\r" in chunk:
            chunk = self._prepare(chunk)
        cut = chunk.rfind(b"\n")
        if cut < 0:
            self._buffer_rest(self._rest + chunk)
            return []
        whole = self._rest + chunk[:cut]
        self._buffer_rest(chunk[cut + 1 :])
        events = self._split_events(whole.split(b"\n"))
        if self._lines and self._lines[-1].strip() == DONE:
            # The end, whether or not a blank line follows it.
            events.append(self._join_lines())
        return events

    def close(self) -> list[bytes]:
        """Return the data of a last event without a blank line after it, as some servers send it."""
        if self._whole is not None:
            return [b"".join(self._whole)]
        rest, self._rest = self._rest, b""
        return self._split_events([rest, b""])

    def _prepare(self, chunk: bytes) -> bytes:
        """Return the bytes with \\n as their line ends, without those that belong to no event."""
        if not self._is_begun:
            chunk = self._begin(chunk)
        if self._whole is not None:
            self._whole.append(chunk)
            self._add_size(len(chunk))
            return b""
        if self._ends_in_cr:
            chunk = chunk.removeprefix(b"\n")
        self._ends_in_cr = chunk.endswith(b"\r")
        self._is_plain = self._is_begun and not self._ends_in_cr
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _begin(self, chunk: bytes) -> bytes:
        """Find out what the response is from its first bytes; return those that belong to the events."""
        start = chunk.lstrip(_BEFORE_BEGINNING)
        self._is_begun = bool(start)
        if start.startswith(b"{"):
            self._whole = []
        elif start.startswith(b"<"):
            raise WrongAddress
        return start

    def _buffer_rest(self, rest: bytes) -> None:
        if len(rest) > LONGEST_LINE:
            raise MalformedResponse
        self._rest = rest

    def _add_size(self, size: int) -> None:
        self._size += size
        if self._size > LONGEST_LINE:
            raise MalformedResponse

    def _split_events(self, lines: list[bytes]) -> list[bytes]:
        pending, events = self._lines, []
        for line in lines:
            if line.startswith(b"data:"):
                data = line[5:]
            elif not line:
                if pending:
                    events.append(pending.pop() if len(pending) == 1 else self._join_lines())
                continue
            elif line.startswith((b"{", b"error:")):
                data = line.removeprefix(b"error:")
            else:
                continue
            if pending and self._ends_event(data):
                events.append(self._join_lines())
            pending.append(data)
        return events

    def _ends_event(self, data: bytes) -> bool:
        """Return whether a line of data begins another event, although no blank line ended the one before."""
        self._add_size(len(data))
        before, data = self._lines[-1].strip(), data.strip()
        # Never inside one JSON text, which would need a comma here.
        return (before.endswith(b"}") and data.startswith(b"{")) or DONE in (before, data)

    def _join_lines(self) -> bytes:
        event = b"\n".join(self._lines)
        self._lines.clear()
        self._size = 0
        return event
