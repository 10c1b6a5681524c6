"""Where an export lies: as a folder, as a zip, or as its `diary.json` alone. Nothing is ever unpacked."""

import io
import re
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final, TextIO

from diary.exporting import FORMAT, JSON_NAME
from diary.own_json import NotOurs

# What an export begins with, or with its keys in the order of the alphabet.
_BEGINS: Final = re.compile(
    rb'(?:\xef\xbb\xbf)?\s*\{\s*(?:"format"\s*:\s*"' + re.escape(FORMAT.encode()) + rb'"|"entries"\s*:)'
)
_HEAD: Final = 4096
# As an export packs, and as everything else packs by itself. Each other way says in words of its own, halfway
# through, that it is damaged.
_PACKED: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What zipfile says of one: also that it needs a password, and that a place in it lies before its beginning.
_DAMAGED: Final = (zipfile.BadZipFile, RuntimeError, ValueError, struct.error)
_UNREADABLE: Final = "This zip is damaged, or packed in a way that cannot be read."


def is_own(path: Path) -> bool:
    """Return whether this is, or should be, what an export wrote, and not lines of a date and a text."""
    if path.is_dir() or zipfile.is_zipfile(path):
        return True
    with path.open("rb") as file:
        return _BEGINS.match(file.read(_HEAD)) is not None


def size_of(path: Path) -> int:
    """Return how many bytes of JSON there are to read."""
    with _opened(path) as (_, size):
        return size


@contextmanager
def reading_own(path: Path) -> Iterator[tuple[TextIO, IO[bytes]]]:
    """Open the JSON, as text and as the bytes it comes from; raise NotOurs where there is none.

    Bytes that are no UTF-8 become halves of characters, which are refused where they stand: one of them
    must not cost everything behind it.
    """
    with _opened(path) as (file, _):
        yield io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline=""), file


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    if path.is_dir():
        path = path / JSON_NAME
        if not path.is_file():
            raise NotOurs(f"There is no {JSON_NAME} in this folder.")
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            yield file, path.stat().st_size
        return
    with _archive(path) as archive:
        found = _json_in(archive)
        with _member(archive, found) as member:
            yield member, found.file_size


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except _DAMAGED:
        raise NotOurs(_UNREADABLE) from None


def _json_in(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the one JSON in an archive, at its top or in the one folder it was packed with."""
    found = [info for info in archive.infolist() if PurePosixPath(info.filename).name == JSON_NAME]
    near = [info for info in found if len(PurePosixPath(info.filename).parts) <= 2]
    if len(near) != 1:
        raise NotOurs(f"There is no {JSON_NAME} in this zip, or more than one.")
    return near[0]


def _member(archive: zipfile.ZipFile, found: zipfile.ZipInfo) -> IO[bytes]:
    if found.compress_type not in _PACKED:
        raise NotOurs(_UNREADABLE)
    try:
        return archive.open(found)
    except _DAMAGED:
        raise NotOurs(_UNREADABLE) from None
