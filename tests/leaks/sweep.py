"""Looks for a marker in every form, in every place where words could have been left.

found = sweep(marker, places)        ->  ["the log: UTF-8", "entry.text of row 3: gzip > base64 ..."]
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tests.leaks.forms import forms_of
from tests.leaks.unpack import unpacked
from tests.server import Server, manage


class Place(NamedTuple):
    """Bytes, and where they were."""

    name: str
    data: bytes


def sweep(marker: str, places: Iterable[Place]) -> list[str]:
    """Return where the marker lies, and in what form."""
    forms = forms_of(marker)
    found = []
    for place in places:
        found += [
            f"{place.name}: {form}{_after(place.data, forms[form])}" for form in _forms_in(place.data, forms)
        ]
        for packing, data in unpacked(place.data):
            found += [f"{place.name}: {packing} > {form}" for form in _forms_in(data, forms)]
    return found


def _after(data: bytes, form: bytes) -> str:
    """Which of the marker's writers it was, where that can be read."""
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


def files(folder: Path) -> Iterator[Place]:
    """Every file under a folder as it lies there: databases, logs of databases, temporary ones, secrets."""
    for path in sorted(folder.rglob("*")):
        yield Place(f"the name {path.name}", path.name.encode())
        try:
            if path.is_file() and not path.is_symlink():
                yield Place(str(path), path.read_bytes())
        except FileNotFoundError:
            continue


def columns(database: Path) -> Iterator[Place]:
    """Every value of every row, as its column holds it."""
    with closing(sqlite3.connect(database, timeout=20)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
            rows = connection.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in rows.description]
            for number, row in enumerate(rows):
                for name, value in zip(names, row, strict=True):
                    yield Place(f"{table}.{name} of row {number}", _bytes_of(value))


def _bytes_of(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def processes(server: Server) -> Iterator[Place]:
    """What anybody on the machine can see of the server and of its children."""
    for pid in (server.pid, *children_of(server.pid)):
        for name in ("cmdline", "environ"):
            yield Place(f"{name} of process {pid}", Path(f"/proc/{pid}/{name}").read_bytes())


def children_of(pid: int) -> list[int]:
    """Every process that a process started, and those that these did."""
    parents: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parent = int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents.setdefault(parent, []).append(int(entry))
    direct = parents.get(pid, [])
    return direct + [further for child in direct for further in children_of(child)]


def open_files(server: Server) -> Iterator[Place]:
    """What the server and its children hold open, files without a name included."""
    for pid in (server.pid, *children_of(server.pid)):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if link.is_file():
                    yield Place(f"open file {os.readlink(link)} of process {pid}", link.read_bytes())
            except OSError:
                continue


def dump(server: Server) -> Iterator[Place]:
    """What `dumpdata` writes for a backup, as text and value by value."""
    done = manage(server.folder, "dumpdata", "--all", extra=server.environment)
    yield Place("dumpdata", done.stdout.encode() + done.stderr.encode())
    for row in json.loads(done.stdout):
        for name, value in row["fields"].items():
            yield Place(f"dumpdata {row['model']}.{name}", _bytes_of(value))


def household(server: Server, *, also: Iterable[Path] = ()) -> Iterator[Place]:
    """Everything that a household leaves on its machine."""
    for folder in (server.folder, *also):
        yield from files(folder)
    yield from columns(server.data_dir / "llamora.sqlite3")
    yield from processes(server)
    yield from open_files(server)
    yield Place("the log", server.log_path.read_bytes())
