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

from diary.exporting import FORMAT, VERSION

PIECE: Final = 1024 * 1024
# An entry with all its versions and replies is one value; a file that needs more for one is not read on.
LONGEST: Final = 64 * 1024 * 1024
_SPACE: Final = " \t\n\r"
_OF_NUMBERS: Final = ("", *"0123456789.eE+-")
_decoder = json.JSONDecoder()

Value = tuple[str, Any]


class Broken(Exception):  # noqa: N818 - what became of the reading
    """Raised where no JSON can be read any more; it holds nothing of the file."""


class NotOurs(Exception):  # noqa: N818 - what the file is
    """Raised for a file that no export of a diary wrote."""


def values(file: TextIO) -> Iterator[Value]:
    """Yield what the file holds; raise Broken, or NotOurs for another format or a later version."""
    source = _Source(file)
    for key in source.members():
        if key == "entries":
            yield from (("entries", value) for value in source.elements())
        elif key == "others":
            for kind in source.members():
                yield from ((f"others.{kind}", value) for value in source.elements())
        else:
            yield key, _checked(key, source.value())


def _checked(key: str, value: Any) -> Any:
    if key == "format" and value != FORMAT:
        raise NotOurs("This is no diary that Llamora wrote out.")
    if key == "version" and value != VERSION:
        raise NotOurs("A later Llamora wrote this. Bring this one up to date, and import it then.")
    return value


class _Source:
    """A text read piece by piece, and a place in it."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._held, self._at, self._ended = "", 0, False

    def members(self) -> Iterator[str]:
        """Yield the keys of an object; whoever asks takes the value before the next."""
        self._take("{")
        while not self._take_if("}"):
            key = self.value()
            if not isinstance(key, str):
                raise Broken
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
        self._next()
        while True:
            try:
                value, end = _decoder.raw_decode(self._held, self._at)
            except (ValueError, RecursionError):
                # `from None`: the error carries the text.
                if not self._more():
                    raise Broken from None
                continue
            # A number at the end of a piece may go on in the next.
            if self._held[end : end + 1] not in _OF_NUMBERS or not self._more():
                self._at = end
                return value

    def _take(self, sign: str) -> None:
        if not self._take_if(sign):
            raise Broken

    def _take_if(self, sign: str) -> bool:
        found = self._next() == sign
        self._at += found
        return found

    def _next(self) -> str:
        """Return the sign at the next place that is no space; "" at the end."""
        while True:
            while self._at < len(self._held):
                if (sign := self._held[self._at]) not in _SPACE:
                    return sign
                self._at += 1
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Read on, twice as much each time a value is still not whole; return whether there was more."""
        held = self._held[self._at :]
        if self._ended or len(held) > LONGEST:
            return False
        try:
            piece = self._file.read(max(PIECE, len(held)))
        except (BadZipFile, zlib.error, EOFError):
            raise Broken from None
        self._held, self._at, self._ended = held + piece, 0, not piece
        return bool(piece)
