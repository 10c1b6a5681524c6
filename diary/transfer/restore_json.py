"""Reads the JSON that an export wrote, value by value, so that a diary of any size needs little memory. Pure.

What is read is `diary.exporting`'s one object, its keys in whatever order and laid out as anybody likes:

    ("format", "llamora.diary")    a key of the object, with its value
    ("entries", {...})             once for each entry
    ("others.drafts", {...})       once for each row that belongs to no entry

Broken        the file is no JSON from some place on; what came before it has been yielded
NotOurs       the file is none that an export wrote, with a sentence for the person
"""

import json
import zlib
from collections.abc import Iterator
from typing import Any, Final, TextIO
from zipfile import BadZipFile

from diary.transfer.export_format import FORMAT, VERSION

CHUNK_CHARACTERS: Final = 1024 * 1024
# An entry with all its versions and replies is one value; a file that needs more for one is not read on.
MAX_VALUE_CHARACTERS: Final = 64 * 1024 * 1024
_WHITE_SPACE: Final = " \t\n\r"
_NUMBER_CHARACTERS: Final = ("", *"0123456789.eE+-")
_decoder = json.JSONDecoder()

ExportValue = tuple[str, Any]


class BrokenJson(Exception):  # noqa: N818 - what became of the reading
    """Raised where no JSON can be read any more; it holds nothing of the file."""


class NotAnExport(Exception):  # noqa: N818 - what the file is
    """Raised for a file that no export of a diary wrote."""


def read_values(file: TextIO) -> Iterator[ExportValue]:
    """Yield what the file holds; raise Broken, or NotOurs for another format or a later version."""
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
        raise NotAnExport("This is no diary that Llamora wrote out.")
    if key == "version" and value != VERSION:
        raise NotAnExport("A later Llamora wrote this. Bring this one up to date, and import it then.")
    return value


class _JsonSource:
    """A text read piece by piece, and a place in it."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._buffer, self._position, self._ended = "", 0, False

    def members(self) -> Iterator[str]:
        """Yield the keys of an object; whoever asks takes the value before the next."""
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
        """Yield what an array holds."""
        self._take("[")
        while not self._take_if("]"):
            yield self.value()
            if not self._take_if(","):
                self._take("]")
                return

    def value(self) -> Any:
        """Return the value that begins here, and go behind it."""
        self._peek()
        while True:
            try:
                value, end = _decoder.raw_decode(self._buffer, self._position)
            except (ValueError, RecursionError):
                # `from None`: the error carries the text.
                if not self._read_more():
                    raise BrokenJson from None
                continue
            # A number at the end of a piece may go on in the next.
            if self._buffer[end : end + 1] not in _NUMBER_CHARACTERS or not self._read_more():
                self._position = end
                return value

    def _take(self, sign: str) -> None:
        if not self._take_if(sign):
            raise BrokenJson

    def _take_if(self, sign: str) -> bool:
        found = self._peek() == sign
        self._position += found
        return found

    def _peek(self) -> str:
        """Return the sign at the next place that is no space; "" at the end."""
        while True:
            while self._position < len(self._buffer):
                if (sign := self._buffer[self._position]) not in _WHITE_SPACE:
                    return sign
                self._position += 1
            if not self._read_more():
                return ""

    def _read_more(self) -> bool:
        """Read on, twice as much each time a value is still not whole; return whether there was more."""
        held = self._buffer[self._position :]
        if self._ended or len(held) > MAX_VALUE_CHARACTERS:
            return False
        try:
            piece = self._file.read(max(CHUNK_CHARACTERS, len(held)))
        except (BadZipFile, zlib.error, EOFError):
            raise BrokenJson from None
        self._buffer, self._position, self._ended = held + piece, 0, not piece
        return bool(piece)
