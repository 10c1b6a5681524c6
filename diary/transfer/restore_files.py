"""What a file that an export wrote holds, told before anything of it is imported.

It is read twice: an entry's traces stand before the rows that say when those were made, and a file that is
of another format must be refused whole.
"""

import io
import re
import struct
import zipfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Final, TextIO

from diary.transfer.export_format import FORMAT, JSON_NAME
from diary.transfer.line_reader import RejectedLine
from diary.transfer.restore_json import BrokenJson, ExportValue, NotAnExport
from diary.transfer.restore_rows import ExportRow, ParsedEntry, parse_entry

# MERGED diary.own_files: Where an export lies: as a folder, as a zip, or as its `diary.json` alone. Nothing
# is ever unpacked.

# What an export begins with, or with its keys in the order of the alphabet.
_EXPORT_START: Final = re.compile(
    rb'(?:\xef\xbb\xbf)?\s*\{\s*(?:"format"\s*:\s*"' + re.escape(FORMAT.encode()) + rb'"|"entries"\s*:)'
)
_HEAD_BYTES: Final = 4096
# As an export packs, and as everything else packs by itself. Each other way says in words of its own, halfway
# through, that it is damaged.
_COMPRESSIONS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What zipfile says of one: also that it needs a password, and that a place in it lies before its beginning.
_ZIP_ERRORS: Final = (zipfile.BadZipFile, RuntimeError, ValueError, struct.error)
_UNREADABLE_ZIP: Final = "This zip is damaged, or packed in a way that cannot be read."


def is_export(path: Path) -> bool:
    """Return whether this is, or should be, what an export wrote, and not lines of a date and a text."""
    if path.is_dir() or zipfile.is_zipfile(path):
        return True
    with path.open("rb") as file:
        return _EXPORT_START.match(file.read(_HEAD_BYTES)) is not None


def get_json_size(path: Path) -> int:
    """Return how many bytes of JSON there are to read."""
    with _open_json(path) as (_, size):
        return size


@contextmanager
def open_export_json(path: Path) -> Iterator[tuple[TextIO, IO[bytes]]]:
    """Open the JSON, as text and as the bytes it comes from; raise NotOurs where there is none.

    Bytes that are no UTF-8 become halves of characters, which are refused where they stand: one of them
    must not cost everything behind it.
    """
    with _open_json(path) as (file, _):
        yield io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline=""), file


@contextmanager
def _open_json(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    if path.is_dir():
        path = path / JSON_NAME
        if not path.is_file():
            raise NotAnExport(f"There is no {JSON_NAME} in this folder.")
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            yield file, path.stat().st_size
        return
    with _open_archive(path) as archive:
        found = _find_json(archive)
        with _open_member(archive, found) as member:
            yield member, found.file_size


def _open_archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except _ZIP_ERRORS:
        raise NotAnExport(_UNREADABLE_ZIP) from None


def _find_json(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the one JSON in an archive, at its top or in the one folder it was packed with."""
    found = [info for info in archive.infolist() if PurePosixPath(info.filename).name == JSON_NAME]
    near = [info for info in found if len(PurePosixPath(info.filename).parts) <= 2]
    if len(near) != 1:
        raise NotAnExport(f"There is no {JSON_NAME} in this zip, or more than one.")
    return near[0]


def _open_member(archive: zipfile.ZipFile, found: zipfile.ZipInfo) -> IO[bytes]:
    if found.compress_type not in _COMPRESSIONS:
        raise NotAnExport(_UNREADABLE_ZIP)
    try:
        return archive.open(found)
    except _ZIP_ERRORS:
        raise NotAnExport(_UNREADABLE_ZIP) from None


# What a kind is called is told to who imports: anything else would put words of the file on a terminal, or
# signs that it obeys, or what cannot be written there at all.
_KIND_NAME: Final = re.compile(r"[a-z_]{1,40}")


@dataclass(kw_only=True)
class ExportOverview:
    """How many entries there are, the rows that belong to none, and how many of them nobody takes back."""

    entries: int = 0
    rows: dict[str, list[ExportRow]] = field(default_factory=dict, repr=False)
    skipped: Counter[str] = field(default_factory=Counter)
    is_broken: bool = False


def scan_export(values: Iterable[ExportValue], *, wanted: Collection[str]) -> ExportOverview:
    """Return what a file holds, with its rows of the wanted kinds; raise NotOurs."""
    overview, seen = ExportOverview(), set()
    try:
        for key, value in values:
            seen.add(key)
            _count_value(overview, key, value, wanted=wanted)
    except BrokenJson:
        overview.is_broken = True
    if "format" not in seen:
        raise NotAnExport("This is no diary that Llamora wrote out.")
    return overview


def _count_value(overview: ExportOverview, key: str, value: object, *, wanted: Collection[str]) -> None:
    kind = key.removeprefix("others.")
    if key == "entries":
        overview.entries += 1
    elif kind == key:
        return
    elif kind in wanted and isinstance(value, dict):
        overview.rows.setdefault(kind, []).append(value)
    else:
        overview.skipped[kind if _KIND_NAME.fullmatch(kind) else "rows_of_other_kinds"] += 1


def read_entries(
    values: Iterable[ExportValue], *, now: datetime, limit: int
) -> Iterator[ParsedEntry | RejectedLine]:
    """Yield the entries of a file by their number in it, as far as it can be read."""
    number = 0
    try:
        for key, value in values:
            if key == "entries":
                number += 1
                yield parse_entry(number, value, now=now, limit=limit)
    except BrokenJson:
        return
