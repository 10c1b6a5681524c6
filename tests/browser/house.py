"""A household under way, people who register in it over HTTP, and other hands in its database."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser_client import Visitor
from tests.server import Server, running, start


@dataclass(kw_only=True)
class ServedHouse:
    """A server and its folder; it may be killed and started again at the same port."""

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
        """Serve the same folder at the same address, as after a power cut."""
        self.server = start(self.folder, "--port", str(self.server.port), extra=self.extra)

    def new_member(self, name: str | None = None, *, time_zone: str = "Europe/Paris") -> Visitor:
        """Register somebody over HTTP; pages about registering do it by hand."""
        return Visitor.join(self.server, name or f"Anna {secrets.token_hex(4)}", time_zone=time_zone)

    def sign_in(self, member: Visitor) -> Visitor:
        """The same person on one more device."""
        browser = member.another()
        browser.sign_in()
        return browser

    def execute(self, statement: str, *values: object) -> None:
        """Change a row from a process of its own, as only a test may."""
        with closing(sqlite3.connect(self.database, timeout=10)) as connection, connection:
            connection.execute(statement, values)

    def leave_idle(self, member: Visitor) -> None:
        """Make it long ago that this person did anything."""
        self._to_unlocks_of(member, "UPDATE accounts_unlock SET last_active = '2020-01-01 00:00:00'")

    def take_key(self, member: Visitor) -> None:
        """Lock this person's browsers behind the server's back: no bell rings."""
        self._to_unlocks_of(member, "DELETE FROM accounts_unlock")

    def _to_unlocks_of(self, member: Visitor, statement: str) -> None:
        theirs = "WHERE sign_in_id IN (SELECT id FROM accounts_signin WHERE person_id = ?)"
        self.execute(f"{statement} {theirs}", member.owner.replace("-", ""))

    def live_in(self, member: Visitor, time_zone: str) -> None:
        """Move this person to another time zone, as the settings would."""
        statement = "UPDATE accounts_person SET time_zone = ? WHERE id = ?"
        self.execute(statement, time_zone, member.owner.replace("-", ""))

    @contextmanager
    def busy_disk(self) -> Iterator[None]:
        """Hold the only right to write, as a backup or a full check would."""
        with closing(sqlite3.connect(self.database, timeout=10, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                connection.execute("ROLLBACK")


@contextmanager
def household(folder: Path, **extra: str) -> Iterator[ServedHouse]:
    """A household that anybody may join, ended with the block."""
    settings = {"LLAMORA_REGISTRATION": "open", **extra}
    with running(folder, extra=settings) as server:
        house = ServedHouse(folder=folder, server=server, extra=settings)
        try:
            yield house
        finally:
            if house.server is not server and house.server.process.poll() is None:
                house.server.stop()
