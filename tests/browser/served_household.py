"""A served household: registers people over HTTP, and changes its database from outside."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser_client import Visitor
from tests.server import Server, run_server, start


@dataclass(kw_only=True)
class ServedHouse:
    """A server and its data folder; it can be killed and restarted on the same port."""

    folder: Path
    server: Server
    extra: dict[str, str]

    def url(self, path: str) -> str:
        return self.server.url(path)

    @property
    def database(self) -> Path:
        return self.server.data_dir / "llamora.sqlite3"

    def kill(self) -> None:
        self.server.kill()

    def start_again(self) -> None:
        """Restart the server with the same folder and port."""
        self.server = start(self.folder, "--port", str(self.server.port), extra=self.extra)

    def new_member(self, name: str | None = None, *, time_zone: str = "Europe/Paris") -> Visitor:
        """Register a person over HTTP."""
        return Visitor.join(self.server, name or f"Anna {secrets.token_hex(4)}", time_zone=time_zone)

    def sign_in(self, member: Visitor) -> Visitor:
        """Return the same person, signed in on another browser."""
        browser = member.another()
        browser.sign_in()
        return browser

    def execute(self, statement: str, *values: object) -> None:
        """Execute a statement on a separate database connection."""
        with closing(sqlite3.connect(self.database, timeout=10)) as connection, connection:
            connection.execute(statement, values)

    def make_inactive(self, member: Visitor) -> None:
        """Make the last activity of this person's browsers long ago."""
        self._execute_for_unlocks(member, "UPDATE accounts_unlock SET last_active = '2020-01-01 00:00:00'")

    def delete_unlocks(self, member: Visitor) -> None:
        """Delete the unlock rows of this person's browsers, without an event for the server."""
        self._execute_for_unlocks(member, "DELETE FROM accounts_unlock")

    def _execute_for_unlocks(self, member: Visitor, statement: str) -> None:
        theirs = "WHERE sign_in_id IN (SELECT id FROM accounts_signin WHERE person_id = ?)"
        self.execute(f"{statement} {theirs}", member.owner.replace("-", ""))

    def set_time_zone(self, member: Visitor, time_zone: str) -> None:
        """Set the person's time zone on the page of their settings; the row alone does not decide."""
        answer = member.post("/settings/", time_zone=time_zone, week_start="0", theme="system")
        assert answer.status == 302, answer.body

    @contextmanager
    def write_lock(self) -> Iterator[None]:
        """Take the database's write lock."""
        with closing(sqlite3.connect(self.database, timeout=10, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                connection.execute("ROLLBACK")


@contextmanager
def run_household(folder: Path, **extra: str) -> Iterator[ServedHouse]:
    """Run a household with open registration until the block ends."""
    settings = {"LLAMORA_REGISTRATION": "open", **extra}
    with run_server(folder, extra=settings) as server:
        house = ServedHouse(folder=folder, server=server, extra=settings)
        try:
            yield house
        finally:
            if house.server is not server and house.server.process.poll() is None:
                house.server.stop()
