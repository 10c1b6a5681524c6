"""The household that commit faa336b made: unpacked, served by the present code, and used by its people.

Some rows of the household expire after seven or thirty days. So the times that decide their expiry are
shifted to now in the old database, before the present code opens it. These times are plain columns to which
no envelope is bound; days and times of writing stay unchanged.
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
from tests.server import Server, build_environment, run_command, run_server, start
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


def wait_for(is_so: Callable[[], Any], *, seconds: float = 60) -> Any:
    """Wait until a call returns a true value, and return the value."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)
    return found


def shift_dates(database: Path, *, made_at: datetime) -> None:
    """Shift the dates in the database, so that rows are as old as when the household was packed."""
    later = datetime.now(UTC) - made_at
    with closing(sqlite3.connect(database)) as house:
        for table, columns in PASSES.items():
            for column in columns:
                found = house.execute(
                    f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL"
                ).fetchall()
                moved = [(_shift_moment(moment, later), row) for row, moment in found]
                house.executemany(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", moved)
        house.commit()


def _shift_moment(moment: str, later: timedelta) -> str:
    return (datetime.fromisoformat(moment) + later).isoformat(" ")


@dataclass(kw_only=True)
class Household:
    """The packed household, its server, and its signed-in browsers."""

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
        """The database after the start of the server, before any request."""
        return self.folder / "at_first.sqlite3"

    @property
    def made_at(self) -> datetime:
        return datetime.fromisoformat(self.expected["made_at"])

    @cached_property
    def backup(self) -> Path:
        (found,) = (self.folder / "backups").iterdir()
        return found

    def unpack(self) -> None:
        """Unpack all files with their permissions."""
        build_environment(self.folder)
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
        """Serve the household with the present code and shifted dates."""
        shutil.copy(self.database, self.packed)
        shift_dates(self.database, made_at=self.made_at)
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
        """Return the names of tables and triggers."""
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
        """Return the export that faa336b wrote."""
        return json.loads((self.folder / "exports" / name / "diary.json").read_text(encoding="utf-8"))

    def browser(self, name: str) -> Visitor:
        """Return a browser with a signed-in and unlocked person, cached by name."""
        if name not in self.browsers or self.browsers[name].get("/keys/").status != 200:
            self.browsers[name] = self.sign_in(name)
        return self.browsers[name]

    def sign_in(self, name: str) -> Visitor:
        secrets = self.secrets(name)
        browser = Visitor(server=self.server, name=name, owner=secrets["id"], password=secrets["password"])
        answer = browser.sign_in()
        assert answer.status == 302, f"{name}'s password was answered with {answer.status}"
        return browser

    def page(self, name: str, path: str) -> Page:
        answer = self.browser(name).get(path)
        assert answer.status == 200, f"{path} answered {answer.status}"
        return Page.read(answer.body, path=path)

    def export(self, name: str) -> Any:
        """Return the export of the present code, from the export page."""
        return get_export(self.browser(name))

    # --- commands ---------------------------------------------------------------------------------

    def secret_file(self, secret: str) -> str:
        path = self.folder / "secret"
        path.write_text(secret + "\n")
        path.chmod(0o600)
        return str(path)

    def manage(self, *arguments: str, of: str = "", by: str = "password") -> str:
        """Run a command, with a person's secret if needed."""
        if of:
            arguments = (*arguments, "--password-file", self.secret_file(self.secrets(of)[by]))
        ran = run_command(self.folder, *arguments, extra=self.extra, timeout=300)
        assert ran.returncode == 0, f"{arguments[0]}: {ran.stdout}{ran.stderr}"
        return ran.stdout


def get_export(browser: Visitor) -> Any:
    """Download a person's export and return its JSON."""
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
def create_memory_folder() -> Iterator[Path]:
    """Create a folder in memory for the run secret."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="llamora-test-", dir=memory if memory.is_dir() else None)
    yield Path(folder)
    shutil.rmtree(folder)


@contextmanager
def serve_household(folder: Path, *, from_backup: bool = False) -> Iterator[Household]:
    """Serve the old data folder, or the restored old backup, with the present code."""
    with create_memory_folder() as run:
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
def serve_new_household(folder: Path) -> Iterator[Server]:
    """Serve a new household without people."""
    with run_server(folder, extra=SERVED, timeout=120) as server:
        yield server
