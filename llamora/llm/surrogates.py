"""Joiner of characters that a model server sent in two halves, in two events of its stream.

Models write bytes, and servers end an event after any byte. Half a character arrives either as raw bytes
(decoded to U+DC80..U+DCFF, Python's `surrogateescape`) or, from servers written in JavaScript, as half
of a UTF-16 pair. Half a character must not be shown or encrypted: if its other half never arrives, it
becomes U+FFFD. Control characters, which small models write, are removed.
"""

import codecs
import re

_PAIR = re.compile("([\ud800-\udbff])([\udc00-\udfff])")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_HALF = re.compile("[\ud800-\udfff]")


def _join_pair(pair: re.Match[str]) -> str:
    return pair.group().encode("utf-16-le", "surrogatepass").decode("utf-16-le")


class SurrogateJoiner:
    """Joiner that returns whole characters, and buffers half a character until the other half arrives."""

    def __init__(self) -> None:
        self._half = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._bytes_waiting = False

    def feed(self, text: str) -> str:
        """Return the text with split characters joined. Half a character at the end waits for more text."""
        if not self._half and not self._bytes_waiting and (text.isascii() or not _HALF.search(text)):
            return _CONTROL.sub("", text)
        text = _PAIR.sub(_join_pair, self._half + text)
        self._half = ""
        if "\ud800" <= text[-1:] <= "\udbff":
            self._half, text = text[-1], text[:-1]
        return _CONTROL.sub("", self._decode(text))

    def _decode(self, text: str) -> str:
        raw = re.sub("[\ud800-\udc7f\udd00-\udfff]", "\ufffd", text).encode("utf-8", "surrogateescape")
        whole = self._decoder.decode(raw)
        self._bytes_waiting = bool(self._decoder.getstate()[0])
        return whole
