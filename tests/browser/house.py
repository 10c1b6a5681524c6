"""A household under way, people who register in it over HTTP, and other hands in its database."""

import itertools
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPHandler, OpenerDirector, Request, build_opener

from tests.server import Server, running, start

PASSWORD = "seven slow herons over the weir"
_CODE = re.compile(r"data-recovery-code[^>]*>(.*?)</p>", re.DOTALL)
_OWNER = re.compile(r'name="owner" value="([0-9a-f-]+)"')


@dataclass(frozen=True)
class Member:
    """Somebody of the household, and the session they came in with."""

    name: str
    id: str
    recovery_code: str
    cookies: dict[str, str] = field(repr=False)
    password: str = PASSWORD


@dataclass(kw_only=True)
class House:
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

    def new_member(self, name: str | None = None, *, time_zone: str = "Europe/Paris") -> Member:
        """Register somebody over HTTP; pages about registering do it by hand."""
        name = name or f"Anna {secrets.token_hex(4)}"
        form = {
            "name": name,
            "password": PASSWORD,
            "password_again": PASSWORD,
            "time_zone": time_zone,
        }
        page, cookies = self._fill_in("/register/", form)
        code, owner = _CODE.search(page), _OWNER.search(page)
        if not code or not owner:
            raise AssertionError(f"nobody was registered: {page[-600:]}")
        return Member(name, owner[1], " ".join(re.findall(r"<span>(\w+)</span>", code[1])), cookies)

    def sign_in(self, member: Member) -> Member:
        """The same person on one more device."""
        _, cookies = self._fill_in("/sign-in/", {"name": member.name, "password": member.password})
        return Member(member.name, member.id, member.recovery_code, cookies)

    def _fill_in(self, path: str, form: dict[str, str]) -> tuple[str, dict[str, str]]:
        jar = CookieJar()
        opener = build_opener(HTTPCookieProcessor(jar), _FromElsewhere())
        _read(opener, self.url(path))
        token = {"csrfmiddlewaretoken": next(cookie.value or "" for cookie in jar)}
        page = _read(opener, self.url(path), urlencode(form | token).encode())
        return page, {cookie.name: cookie.value or "" for cookie in jar}

    def execute(self, statement: str, *values: object) -> None:
        """Change a row from a process of its own, as only a test may."""
        with closing(sqlite3.connect(self.database, timeout=10)) as connection, connection:
            connection.execute(statement, values)

    def leave_idle(self, member: Member) -> None:
        """Make it long ago that this person did anything."""
        self._to_unlocks_of(member, "UPDATE accounts_unlock SET last_active = '2020-01-01 00:00:00'")

    def take_key(self, member: Member) -> None:
        """Lock this person's browsers behind the server's back: no bell rings."""
        self._to_unlocks_of(member, "DELETE FROM accounts_unlock")

    def _to_unlocks_of(self, member: Member, statement: str) -> None:
        theirs = "WHERE sign_in_id IN (SELECT id FROM accounts_signin WHERE person_id = ?)"
        self.execute(f"{statement} {theirs}", member.id.replace("-", ""))

    def live_in(self, member: Member, time_zone: str) -> None:
        """Move this person to another time zone, as the settings would."""
        statement = "UPDATE accounts_person SET time_zone = ? WHERE id = ?"
        self.execute(statement, time_zone, member.id.replace("-", ""))

    @contextmanager
    def busy_disk(self) -> Iterator[None]:
        """Hold the only right to write, as a backup or a full check would."""
        with closing(sqlite3.connect(self.database, timeout=10, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                connection.execute("ROLLBACK")


class _FromElsewhere(HTTPHandler):
    """Each person comes from an address of their own: one address may not register many in a row."""

    numbers = itertools.count(2)

    def __init__(self) -> None:
        super().__init__()
        number = next(self.numbers)
        self.address = f"127.0.{number // 250}.{number % 250 + 2}"

    def http_open(self, request: Request) -> HTTPResponse:
        connection = partial(HTTPConnection, source_address=(self.address, 0))
        return self.do_open(connection, request)


def _read(opener: OpenerDirector, url: str, data: bytes | None = None) -> str:
    with opener.open(url, data, timeout=30) as response:
        text: str = response.read().decode()
        return text


@contextmanager
def household(folder: Path, **extra: str) -> Iterator[House]:
    """A household that anybody may join, ended with the block."""
    settings = {"LLAMORA_REGISTRATION": "open", **extra}
    with running(folder, extra=settings) as server:
        house = House(folder=folder, server=server, extra=settings)
        try:
            yield house
        finally:
            if house.server is not server and house.server.process.poll() is None:
                house.server.stop()
