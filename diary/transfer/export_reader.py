"""Reading of an export: a folder, a zip, or only its `diary.json`. Nothing is unpacked.

Callers read the file twice, `scan_export` before `read_entries`: the rows that date an entry's traces come
after the entries, and a file of another format must be refused before anything is imported.
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

from diary import messages
from diary.transfer.export_format import FORMAT, JSON_NAME
from diary.transfer.json_reader import BrokenJson, ExportValue, NotAnExport
from diary.transfer.line_reader import RejectedLine
from diary.transfer.row_parser import ExportRow, ParsedEntry, parse_entry

# How an export begins, also one whose keys were sorted.
_EXPORT_START: Final = re.compile(
    rb'(?:\xef\xbb\xbf)?\s*\{\s*(?:"format"\s*:\s*"' + re.escape(FORMAT.encode()) + rb'"|"entries"\s*:)'
)
_HEAD_BYTES: Final = 4096
_ZIP_START: Final = b"PK\x03\x04"
# What exports and other programs use by default. A damaged file in any other compression raises an error of
# its own kind halfway through.
_COMPRESSIONS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# A diary is packed to a tenth or so, spaces to a thousandth. A small one may be packed to anything.
_MAX_EXPANSION: Final = 200
_SMALL_BYTES: Final = 16 * 1024 * 1024
_MAX_JSON_BYTES: Final = 4 * 1024**3
# What zipfile raises, also for one with a password, or with an offset before its beginning.
_ZIP_ERRORS: Final = (zipfile.BadZipFile, RuntimeError, ValueError, struct.error)
# The names of kinds are shown to whoever imports. Any other name would put text of the file on a terminal, or
# control characters, or what cannot be printed there at all.
_KIND_NAME: Final = re.compile(r"[a-z_]{1,40}")
_MAX_KINDS: Final = 100


@dataclass(kw_only=True)
class ExportOverview:
    """Overview of an export: its number of entries, its rows that belong to no entry, and its skipped rows.

    `rows` and `skipped` are dicts by kind of row.
    """

    entries: int = 0
    rows: dict[str, list[ExportRow]] = field(default_factory=dict, repr=False)
    skipped: Counter[str] = field(default_factory=Counter)
    is_broken: bool = False


def is_export(path: Path) -> bool:
    """Return whether a file looks like an export rather than a file of JSON lines."""
    if path.is_dir() or _is_zip(path):
        return True
    with path.open("rb") as file:
        return _EXPORT_START.match(file.read(_HEAD_BYTES)) is not None


def _is_zip(path: Path) -> bool:
    """Return whether a file is meant to be a zip, also one whose end is missing."""
    with path.open("rb") as file:
        return file.read(len(_ZIP_START)) == _ZIP_START or zipfile.is_zipfile(file)


def get_json_size(path: Path) -> int:
    """Return the size in bytes of the `diary.json` of an export, unpacked if it is in a zip."""
    with _open_json(path) as (_, size):
        return size


@contextmanager
def open_export_json(path: Path) -> Iterator[tuple[TextIO, IO[bytes]]]:
    """Open the JSON of an export; yield a stream of text, and the stream of bytes that the text is read from.

    Raise NotAnExport. Bytes that are not UTF-8 become lone surrogates, which are refused in their value, so
    that one bad byte does not prevent the import of all later values.
    """
    with _open_json(path) as (file, _):
        yield io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline=""), file


@contextmanager
def _open_json(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    if path.is_dir():
        path = path / JSON_NAME
        if not path.is_file():
            raise NotAnExport(messages.NOT_IN_FOLDER.format(name=JSON_NAME))
    if not _is_zip(path):
        with path.open("rb") as file:
            yield file, path.stat().st_size
        return
    with _open_archive(path) as archive:
        info = _find_json(archive)
        _check_size(info, packed_bytes=min(info.compress_size, path.stat().st_size))
        with _open_member(archive, info) as member:
            yield member, info.file_size


def _open_archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except _ZIP_ERRORS:
        raise NotAnExport(messages.UNREADABLE_ZIP) from None


def _find_json(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the JSON of an archive, at the top level or one folder below; raise NotAnExport."""
    named = [info for info in archive.infolist() if PurePosixPath(info.filename).name == JSON_NAME]
    near_top = [info for info in named if len(PurePosixPath(info.filename).parts) <= 2]
    if len(near_top) != 1:
        raise NotAnExport(messages.NOT_IN_ZIP.format(name=JSON_NAME))
    return near_top[0]


def _check_size(info: zipfile.ZipInfo, *, packed_bytes: int) -> None:
    """Raise NotAnExport if the JSON is far larger than its packed bytes, according to the zip.

    A false size in the zip does no harm: zipfile reads at most that many bytes.
    """
    most = min(_MAX_JSON_BYTES, max(_SMALL_BYTES, packed_bytes * _MAX_EXPANSION))
    if info.file_size > most:
        raise NotAnExport(messages.ZIP_TOO_LARGE.format(name=JSON_NAME))


def _open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    if info.compress_type not in _COMPRESSIONS:
        raise NotAnExport(messages.UNREADABLE_ZIP)
    try:
        return archive.open(info)
    except _ZIP_ERRORS:
        raise NotAnExport(messages.UNREADABLE_ZIP) from None


def scan_export(values: Iterable[ExportValue], *, wanted: Collection[str]) -> ExportOverview:
    """Return the overview of a file, with its rows of the wanted kinds; raise NotAnExport."""
    overview, seen = ExportOverview(), set()
    try:
        for key, value in values:
            seen.add(key)
            _count_value(overview, key, value, wanted=wanted)
    except BrokenJson:
        overview.is_broken = True
    if "format" not in seen:
        raise NotAnExport(messages.NOT_AN_EXPORT)
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
        is_named = kind in overview.skipped or len(overview.skipped) < _MAX_KINDS
        overview.skipped[kind if is_named and _KIND_NAME.fullmatch(kind) else "rows_of_other_kinds"] += 1


def read_entries(
    values: Iterable[ExportValue], *, now: datetime, limit: int
) -> Iterator[ParsedEntry | RejectedLine]:
    """Yield the entries of a file, numbered from 1; stop at the first position that is not JSON."""
    number = 0
    try:
        for key, value in values:
            if key == "entries":
                number += 1
                yield parse_entry(number, value, now=now, limit=limit)
    except BrokenJson:
        return
