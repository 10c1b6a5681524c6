"""Streaming reader of the JSON of an export, value by value, so that a large diary needs little memory. Pure.

The file is the object of `diary.transfer.export_format`, with its keys in any order and any white space:

    ("format", "llamora.diary")    a key of the object, with its value
    ("entries", {...})             once for each entry
    ("others.drafts", {...})       once for each row that belongs to no entry

BrokenJson    the file is not JSON from some position on; earlier values have been yielded
NotAnExport   the file is no export; carries a sentence for the person
"""

import json
import re
import zlib
from collections.abc import Iterator
from typing import Any, Final, TextIO
from zipfile import BadZipFile

from diary import messages
from diary.transfer.export_format import FORMAT, VERSION

CHUNK_CHARACTERS: Final = 1024 * 1024
# An entry with all its versions and replies is one value; a file with a larger one is read no further.
MAX_VALUE_CHARACTERS: Final = 64 * 1024 * 1024
_WHITE_SPACE: Final = re.compile(r"[ \t\n\r]*")
_NUMBER_CHARACTERS: Final = ("", *"0123456789.eE+-")
_decoder = json.JSONDecoder()

ExportValue = tuple[str, Any]


class BrokenJson(Exception):  # noqa: N818 - ends the reading, and is no fault of ours
    """Raised at the position where the file stops being valid JSON. The error contains none of its text."""


class NotAnExport(Exception):  # noqa: N818 - an answer to the person, not a fault
    """Raised for a file that is not the export of a diary."""


def read_values(file: TextIO) -> Iterator[ExportValue]:
    """Yield the values of the file; raise BrokenJson, or NotAnExport for another format or version."""
    source = _JsonSource(file)
    for key in source.members():
        if key == "entries":
            yield from (("entries", value) for value in source.elements())
        elif key == "others":
            for kind in source.members():
                yield from ((f"others.{kind}", value) for value in source.elements())
        else:
            yield key, _check_header(key, source.value())


def _check_header(key: str, value: Any) -> Any:
    if key == "format" and value != FORMAT:
        raise NotAnExport(messages.NOT_AN_EXPORT)
    if key == "version" and value != VERSION:
        raise NotAnExport(messages.LATER_EXPORT)
    return value


class _JsonSource:
    """A text that is read chunk by chunk, and the current position in it."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._buffer, self._position, self._ended = "", 0, False

    def members(self) -> Iterator[str]:
        """Yield the keys of an object; the caller must read each value before the next key."""
        self._take("{")
        while not self._take_if("}"):
            key = self.value()
            if not isinstance(key, str):
                raise BrokenJson
            self._take(":")
            yield key
            if not self._take_if(","):
                self._take("}")
                return

    def elements(self) -> Iterator[Any]:
        """Yield the values of an array."""
        self._take("[")
        while not self._take_if("]"):
            yield self.value()
            if not self._take_if(","):
                self._take("]")
                return

    def value(self) -> Any:
        """Return the JSON value at the current position, and move the position to its end."""
        self._peek()
        while True:
            try:
                value, end = _decoder.raw_decode(self._buffer, self._position)
            except (ValueError, RecursionError):
                # `from None`: the error carries the text.
                if not self._read_more():
                    raise BrokenJson from None
                continue
            # A number at the end of a chunk may continue in the next.
            if self._buffer[end : end + 1] not in _NUMBER_CHARACTERS or not self._read_more():
                self._position = end
                return value

    def _take(self, character: str) -> None:
        if not self._take_if(character):
            raise BrokenJson

    def _take_if(self, character: str) -> bool:
        is_next = self._peek() == character
        self._position += is_next
        return is_next

    def _peek(self) -> str:
        """Return the next character that is not white space, or "" at the end."""
        while True:
            if gap := _WHITE_SPACE.match(self._buffer, self._position):
                self._position = gap.end()
            if self._position < len(self._buffer):
                return self._buffer[self._position]
            if not self._read_more():
                return ""

    def _read_more(self) -> bool:
        """Read more text, doubling the buffer while a value is incomplete; return False at the end."""
        rest = self._buffer[self._position :]
        if self._ended or len(rest) > MAX_VALUE_CHARACTERS:
            return False
        try:
            chunk = self._file.read(max(CHUNK_CHARACTERS, len(rest)))
        except (BadZipFile, zlib.error, EOFError):
            raise BrokenJson from None
        self._buffer, self._position, self._ended = rest + chunk, 0, not chunk
        return bool(chunk)
