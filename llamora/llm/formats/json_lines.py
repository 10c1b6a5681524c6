"""Splitter of JSON lines, fed with bytes as they arrive; Ollama streams one object per line.

a byte order mark at the beginning   is skipped
\\n or \\r\\n                          end a line; empty lines are skipped
data: before an object               is skipped, since some gateways convert lines to events
HTML from the first byte on          another program
"""

from llamora.llm.errors import MalformedResponse, WrongAddress
from llamora.llm.sse import LONGEST_LINE

_BEFORE_BEGINNING = b" \t\r\n\xef\xbb\xbf"


class LineSplitter:
    """Incremental splitter of a body into its lines."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_begun = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that this chunk completes, in order."""
        if not self._is_begun:
            chunk = self._begin(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            raise MalformedResponse
        return _strip_lines(lines)

    def close(self) -> list[bytes]:
        """Return the last line if it has no line end."""
        rest, self._rest = self._rest, b""
        return _strip_lines([rest])

    def _begin(self, chunk: bytes) -> bytes:
        start = chunk.lstrip(_BEFORE_BEGINNING)
        self._is_begun = bool(start)
        if start.startswith(b"<"):
            raise WrongAddress
        return start


def _strip_lines(lines: list[bytes]) -> list[bytes]:
    stripped = (line.strip().removeprefix(b"data:").lstrip() for line in lines)
    return [line for line in stripped if line]
