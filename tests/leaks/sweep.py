"""A sweep: the search for a marker, in every encoding, in all places where a household leaves data.

found = sweep(marker, places)        ->  ["the log: UTF-8", "entry.text of row 3: gzip > base64 ..."]
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from tests.leaks.encodings import list_encoded_forms
from tests.leaks.unpack import iter_unpacked
from tests.server import Server, run_command


class Place(NamedTuple):
    """Bytes, and the place where they were found."""

    name: str
    data: bytes


def sweep(marker: str, places: Iterable[Place]) -> list[str]:
    """Return the places that contain the marker, and its encodings."""
    forms = list_encoded_forms(marker)
    found = []
    for place in places:
        found += [
            f"{place.name}: {form}{_find_origin(place.data, forms[form])}"
            for form in _forms_in(place.data, forms)
        ]
        for packing, data in iter_unpacked(place.data):
            found += [f"{place.name}: {packing} > {form}" for form in _forms_in(data, forms)]
    return found


def _find_origin(data: bytes, form: bytes) -> str:
    """Return the origin in the text after the marker, if it is readable."""
    start = data.find(form)
    return f" {data[start + len(form) : start + len(form) + 24]!r}" if start >= 0 else ""


def _forms_in(data: bytes, forms: dict[str, bytes]) -> list[str]:
    urlsafe = data.replace(b"-", b"+").replace(b"_", b"/") if b"-" in data or b"_" in data else data
    lower = data.lower()
    return [
        name
        for name, form in forms.items()
        if form in data
        or (name.startswith("base64") and form in urlsafe)
        or (name.startswith(("hex", "percent", "escape", "UTF-8")) and form.lower() in lower)
    ]


# --- places ------------------------------------------------------------------------------------------


def list_files(folder: Path) -> Iterator[Place]:
    """Yield every file of a folder: databases, write-ahead logs, temporary files, secrets."""
    for path in sorted(folder.rglob("*")):
        yield Place(f"the name {path.name}", path.name.encode())
        try:
            if path.is_file() and not path.is_symlink():
                yield Place(str(path), path.read_bytes())
        except FileNotFoundError:
            continue


def list_column_values(database: Path) -> Iterator[Place]:
    """Yield every value of every row."""
    with closing(sqlite3.connect(database, timeout=20)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
            rows = connection.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in rows.description]
            for number, row in enumerate(rows):
                for name, value in zip(names, row, strict=True):
                    yield Place(f"{table}.{name} of row {number}", _bytes_of(value))


def _bytes_of(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def list_processes(server: Server) -> Iterator[Place]:
    """Yield the arguments and environments of the server and its child processes."""
    for pid in (server.pid, *list_child_pids(server.pid)):
        for name in ("cmdline", "environ"):
            # Only root reads the environment of a server.
            with suppress(PermissionError):
                yield Place(f"{name} of process {pid}", Path(f"/proc/{pid}/{name}").read_bytes())


def list_child_pids(pid: int) -> list[int]:
    """Return the ids of all descendants of a process."""
    parents: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parent = int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents.setdefault(parent, []).append(int(entry))
    direct = parents.get(pid, [])
    return direct + [further for child in direct for further in list_child_pids(child)]


def list_open_files(server: Server) -> Iterator[Place]:
    """Yield the open files of the server and its children, including files without a name."""
    for pid in (server.pid, *list_child_pids(server.pid)):
        folder = Path(f"/proc/{pid}/fd")
        for link in folder.iterdir() if os.access(folder, os.R_OK) else ():
            try:
                if link.is_file():
                    yield Place(f"open file {os.readlink(link)} of process {pid}", link.read_bytes())
            except OSError:
                continue


def list_dump_values(server: Server) -> Iterator[Place]:
    """Yield the output of `dumpdata`, as a text and by value."""
    done = run_command(server.folder, "dumpdata", "--all", extra=server.environment)
    yield Place("dumpdata", done.stdout.encode() + done.stderr.encode())
    for row in json.loads(done.stdout):
        for name, value in row["fields"].items():
            yield Place(f"dumpdata {row['model']}.{name}", _bytes_of(value))


def list_household_places(server: Server, *, also: Iterable[Path] = ()) -> Iterator[Place]:
    """Yield all places in which a household leaves data on its machine."""
    for folder in (server.folder, *also):
        yield from list_files(folder)
    yield from list_column_values(server.data_dir / "llamora.sqlite3")
    yield from list_processes(server)
    yield from list_open_files(server)
    yield Place("the log", server.log_path.read_bytes())
