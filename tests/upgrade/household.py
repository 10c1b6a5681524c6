"""The household that faa336b made: unpacked, served by the present tree, and visited by its people.

It was made on one day, and some of what is in it stays for thirty days, or is good for seven. So the moments
that decide it are moved on to now, in the database of then, before anything of the present looks at it. They
are plain columns, which no envelope is bound to; days, and the moments of writing, stay as they were.
"""

import io
import json
import shutil
import sqlite3
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.browser_client import CSRF_COOKIE, FORM_TYPE, Visitor
from tests.conftest import shared_folder
from tests.server import Server, environment_of, manage, running, start
from tests.upgrade.pages import Page

ARCHIVE = Path(__file__).with_name("household-faa336b.tar.xz")
NAMES = ("Agnes", "Bruno", "Clara", "Dora")
# Anybody may register; nothing is pruned or backed up meanwhile.
SERVED = {"LLAMORA_BACKUP_DAILY": "false", "LLAMORA_REGISTRATION": "open"}
EMBEDDER = shared_folder() / "models" / "all-MiniLM-L6-v2-int8"
BY_MEANING = {
    "LLAMORA_SEARCH_MODEL": "sentence-transformers/all-MiniLM-L6-v2",
    "LLAMORA_SEARCH_MODEL_PATH": str(EMBEDDER),
}
PASSES = {
    "diary_entry": ("deleted_at",),
    "diary_version": ("replaced_at",),
    "diary_latedraft": ("made_at",),
    "traces_trace": ("deleted_at",),
    "traces_change": ("made_at",),
    "accounts_invitation": ("created_at", "expires_at", "used_at"),
    "accounts_signin": ("created_at", "last_active", "ends_at"),
    "accounts_unlock": ("created_at", "last_active"),
}


def until(is_so: Callable[[], Any], *, seconds: float = 60) -> Any:
    """Wait for something, and answer it."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)
    return found


def re_dated(database: Path, *, made_at: datetime) -> None:
    """Have what passes with time be as old as it was when the household was packed."""
    later = datetime.now(UTC) - made_at
    with closing(sqlite3.connect(database)) as house:
        for table, columns in PASSES.items():
            for column in columns:
                found = house.execute(
                    f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL"
                ).fetchall()
                moved = [(_moved(moment, later), row) for row, moment in found]
                house.executemany(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", moved)
        house.commit()


def _moved(moment: str, later: timedelta) -> str:
    return (datetime.fromisoformat(moment) + later).isoformat(" ")


@dataclass(kw_only=True)
class Household:
    """What was packed, where it is served, and who has come in."""

    folder: Path
    extra: dict[str, str] = field(default_factory=dict)
    server: Server = field(init=False, repr=False)
    expected: dict[str, Any] = field(init=False, repr=False)
    browsers: dict[str, Visitor] = field(default_factory=dict, repr=False)
    names_before: set[str] = field(init=False)

    @property
    def database(self) -> Path:
        return self.folder / "data" / "llamora.sqlite3"

    @property
    def at_first(self) -> Path:
        """The database as it was when the server had started, before anybody asked for anything."""
        return self.folder / "at_first.sqlite3"

    @property
    def made_at(self) -> datetime:
        return datetime.fromisoformat(self.expected["made_at"])

    @cached_property
    def backup(self) -> Path:
        (found,) = (self.folder / "backups").iterdir()
        return found

    def unpack(self) -> None:
        """Put everything in its place, closed to others as it was."""
        environment_of(self.folder)
        with tarfile.open(ARCHIVE) as tar:
            tar.extractall(self.folder, filter="data")
        for path in self.folder.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
        self.expected = json.loads((self.folder / "expected.json").read_text())

    @property
    def packed(self) -> Path:
        """The database as it was packed."""
        return self.folder / "packed.sqlite3"

    def serve(self) -> None:
        """Open it with the present tree, as old as it was when it was packed."""
        shutil.copy(self.database, self.packed)
        re_dated(self.database, made_at=self.made_at)
        self.names_before = self.names()
        self.server = start(self.folder, extra=self.extra, timeout=120)
        with closing(sqlite3.connect(self.database)) as now, closing(sqlite3.connect(self.at_first)) as copy:
            now.backup(copy)

    def stop(self) -> None:
        if self.server.process.poll() is None:
            self.server.stop(timeout=60)

    # --- as anybody sees it without a key ---------------------------------------------------------

    def rows(self, statement: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as house:
            return house.execute(statement, values).fetchall()

    def names(self) -> set[str]:
        """The names of tables and triggers."""
        found = self.rows("SELECT name FROM sqlite_master WHERE type IN ('table', 'trigger')")
        return {name for (name,) in found}

    def counts(self) -> dict[str, int]:
        tables = self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {name: self.rows(f'SELECT count(*) FROM "{name}"')[0][0] for (name,) in tables}

    def kept_indexes(self) -> set[str]:
        return {path.name for path in (self.folder / "data" / "search").rglob("*.sealed")}

    # --- its people -------------------------------------------------------------------------------

    def secrets(self, name: str) -> dict[str, str]:
        found: dict[str, str] = self.expected["people"][name]
        return found

    def exported(self, name: str) -> Any:
        """What the export of then says."""
        return json.loads((self.folder / "exports" / name / "diary.json").read_text(encoding="utf-8"))

    def browser(self, name: str) -> Visitor:
        """A browser in which somebody is signed in and unlocked, the same one while it stays so."""
        if name not in self.browsers or self.browsers[name].get("/keys/").status != 200:
            self.browsers[name] = self.signs_in(name)
        return self.browsers[name]

    def signs_in(self, name: str) -> Visitor:
        secrets = self.secrets(name)
        browser = Visitor(server=self.server, name=name, owner=secrets["id"], password=secrets["password"])
        answer = browser.sign_in()
        assert answer.status == 302, f"{name}'s password was answered with {answer.status}"
        return browser

    def page(self, name: str, path: str) -> Page:
        answer = self.browser(name).get(path)
        assert answer.status == 200, f"{path} answered {answer.status}"
        return Page.read(answer.body, path=path)

    def exports(self, name: str) -> Any:
        """What the export of now says, as the page gives it."""
        return exported_by(self.browser(name))

    # --- commands ---------------------------------------------------------------------------------

    def secret_file(self, secret: str) -> str:
        path = self.folder / "secret"
        path.write_text(secret + "\n")
        path.chmod(0o600)
        return str(path)

    def manage(self, *arguments: str, of: str = "", by: str = "password") -> str:
        """Run a command to its end, with somebody's secret where it asks for one."""
        if of:
            arguments = (*arguments, "--password-file", self.secret_file(self.secrets(of)[by]))
        ran = manage(self.folder, *arguments, extra=self.extra, timeout=300)
        assert ran.returncode == 0, f"{arguments[0]}: {ran.stdout}{ran.stderr}"
        return ran.stdout


def exported_by(browser: Visitor) -> Any:
    """What somebody's export says; a zip does not go through a text."""
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"Content-Type": FORM_TYPE, "X-CSRFToken": browser.cookies[CSRF_COOKIE], "Cookie": cookies}
    fields = urlencode({"owner": browser.owner, "current": browser.password})
    place = ("127.0.0.1", browser.server.port)
    with closing(
        HTTPConnection(*place, timeout=60, source_address=(browser.source_address, 0))
    ) as connection:
        connection.request("POST", "/export/", fields, headers)
        answer = connection.getresponse()
        assert answer.status == 200, f"/export/ answered {answer.status}"
        with zipfile.ZipFile(io.BytesIO(answer.read())) as archive:
            return json.loads(archive.read("diary.json"))


@contextmanager
def in_memory() -> Iterator[Path]:
    """A folder for the run secret, in memory as on a real machine."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="llamora-test-", dir=memory if memory.is_dir() else None)
    yield Path(folder)
    shutil.rmtree(folder)


@contextmanager
def served(folder: Path, *, from_backup: bool = False) -> Iterator[Household]:
    """The data folder of then under the present tree; or the backup of then, put in place by it."""
    with in_memory() as run:
        household = Household(folder=folder, extra=SERVED | {"LLAMORA_RUNTIME_DIR": str(run)})
        household.unpack()
        if EMBEDDER.is_dir() and not from_backup:
            household.extra |= BY_MEANING
        if from_backup:
            shutil.rmtree(folder / "data")
            household.manage("restore", str(household.backup), "--user", "Agnes", of="Agnes")
        household.serve()
        try:
            yield household
        finally:
            household.stop()


@contextmanager
def new(folder: Path) -> Iterator[Server]:
    """A household of the present tree, in which nobody is yet."""
    with running(folder, extra=SERVED, timeout=120) as server:
        yield server
