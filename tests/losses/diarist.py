"""Somebody of a served household, seen only through its port: with a browser's cookies, without its manners.

olive = Diarist.join(server, "Olive")
olive.keep("Words", key=...), olive.draft("Words"), olive.text_of(entry_id), olive.ask("GET", "/any/path/")
"""

import html
import itertools
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Self
from urllib.parse import urlencode
from uuid import uuid4

from websockets.sync.client import ClientConnection, connect

from tests.server import Server

PASSWORD = "seven slow herons over the weir"
CSRF, SESSION = "llamora_csrf", "llamora_session"
IDLE_SECONDS = 20
FORM = "application/x-www-form-urlencoded"
_OWNER = re.compile(r'name="owner" value="([0-9a-f-]{36})"')
_CODE = re.compile(r"data-recovery-code[^>]*>(.*?)</p>", re.DOTALL)
_GROUP = re.compile(r"<span>(\w{4})</span>")
_BOX = re.compile(r'<textarea[^>]*name="text"[^>]*>\r?\n?(.*?)</textarea>', re.DOTALL)
_KEPT = re.compile(r'<textarea[^>]*id="unsaved-text"[^>]*>\r?\n?(.*?)</textarea>', re.DOTALL)
_ENTRY = re.compile(r'<article class="entry" id="entry-([0-9a-f-]{36})"')
_addresses = itertools.count()


@dataclass(frozen=True)
class Answer:
    """What came back; header names in lower case, those of cookies apart."""

    status: int
    headers: Mapping[str, str]
    body: str
    set_cookies: tuple[str, ...] = ()

    @property
    def entries(self) -> list[str]:
        """The ids of the entries shown."""
        return _ENTRY.findall(self.body)

    @property
    def box(self) -> str:
        """The text in the answer's own box, as a person sees it there."""
        found = _BOX.search(self.body)
        assert found, f"no box in an answer of {self.status}"
        return html.unescape(found[1]).replace("\r\n", "\n")

    def box_or_kept(self) -> str:
        """The text given back: in the composer's box, or in the one of a page that could not keep it."""
        found = _BOX.search(self.body) or _KEPT.search(self.body)
        assert found, f"no text given back in an answer of {self.status}"
        return html.unescape(found[1]).replace("\r\n", "\n")


def fresh_address() -> str:
    """An address of one's own: one place may not register or guess many times in a row."""
    number = next(_addresses)
    return f"127.77.{number // 250}.{number % 250 + 2}"


@dataclass(kw_only=True)
class Diarist:
    """One browser of one person (or of nobody yet)."""

    server: Server
    name: str = ""
    owner: str = ""
    code: str = ""
    password: str = PASSWORD
    address: str = field(default_factory=fresh_address)
    cookies: dict[str, str] = field(default_factory=dict, repr=False)
    heard: list[Answer] = field(default_factory=list, repr=False)
    local: threading.local = field(default_factory=threading.local, repr=False)

    @classmethod
    def join(cls, server: Server, name: str, *, set_up: str = "", password: str = PASSWORD) -> Self:
        """Register, and be signed in and unlocked."""
        browser = cls(server=server, name=name, password=password)
        browser.ask("GET", "/register/")
        fields = {"name": name, "password": password, "password_again": password, "time_zone": "UTC"}
        answer = browser.post("/register/", token=set_up, **fields)
        owner, code = _OWNER.search(answer.body), _CODE.search(answer.body)
        if owner is None or code is None:
            raise AssertionError(f"registering answered {answer.status}")
        browser.owner, browser.code = owner[1], "-".join(_GROUP.findall(code[1]))
        browser.ask("GET", "/")
        return browser

    def another(self) -> Self:
        """The same person on a browser of its own, not signed in."""
        return replace(self, cookies={}, address=fresh_address(), local=threading.local())

    def copied(self, server: Server | None = None) -> Self:
        """Whoever has a copy of this browser's cookies."""
        return replace(
            self, server=server or self.server, cookies=dict(self.cookies), local=threading.local()
        )

    def sign_in(self, **fields: str) -> Answer:
        self.ask("GET", "/sign-in/")
        return self.post("/sign-in/", name=self.name, **{"password": self.password, **fields})

    def unlock(self, password: str | None = None) -> Answer:
        return self.post("/unlock/", password=password or self.password)

    # --- asking ------------------------------------------------------------------------------------

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request over this thread's lasting connection; no answer at all is an error."""
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        connection = self._connection()
        try:
            connection.request(method, path, body, {**sent, **(headers or {})})
            response = connection.getresponse()
            answer = Answer(
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read().decode("utf-8", "replace"),
                tuple(response.headers.get_all("Set-Cookie") or ()),
            )
        except BaseException:
            self.hang_up()
            raise
        self._take(answer)
        self.heard.append(answer)
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def fetch(self, path: str) -> Answer:
        """Ask as the page's script does."""
        return self.ask("GET", path, headers={"HX-Request": "true"})

    def post(self, path: str, *, script: bool = False, **fields: str) -> Answer:
        """Send a form with everything in it that the page would put there."""
        headers = {"Content-Type": FORM, "X-CSRFToken": self.cookies.get(CSRF, "")}
        if script:
            headers["HX-Request"] = "true"
        given = {"owner": self.owner, **fields}
        return self.ask("POST", path, urlencode(given, errors="surrogatepass").encode(), headers)

    def hang_up(self) -> None:
        connection: HTTPConnection | None = self.local.__dict__.pop("connection", None)
        if connection:
            connection.close()

    def _connection(self) -> HTTPConnection:
        # The server lets go of who is silent for a minute, and that may be just now.
        is_stale = time.monotonic() - self.local.__dict__.get("used", 0.0) > IDLE_SECONDS
        if is_stale or self.local.__dict__.get("pid") != self.server.pid:
            self.hang_up()
        self.local.used = time.monotonic()
        held: HTTPConnection | None = self.local.__dict__.get("connection")
        if held is None:
            held = HTTPConnection("127.0.0.1", self.server.port, timeout=30, source_address=(self.address, 0))
            self.local.connection, self.local.pid = held, self.server.pid
        return held

    def _take(self, answer: Answer) -> None:
        for line in answer.set_cookies:
            name, _, value = line.split(";", 1)[0].partition("=")
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)

    # --- the diary -----------------------------------------------------------------------------------

    @property
    def day(self) -> str:
        return datetime.now(UTC).date().isoformat()

    def keep(self, text: str, *, key: str | None = None, day: str | None = None) -> Answer:
        """Keep an entry as the page's script does."""
        return self.post(
            f"/d/{day or self.day}/", script=True, text=text, key=key or str(uuid4()), revision="0"
        )

    def wrote(self, text: str, *, day: str | None = None) -> str:
        """Keep an entry, and answer its id."""
        answer = self.keep(text, day=day)
        assert answer.status == 200, f"keeping answered {answer.status}"
        return answer.entries[0]

    def draft(self, text: str, *, revision: int = 0, day: str | None = None, **more: str) -> Answer:
        return self.post(
            f"/d/{day or self.day}/draft/", script=True, text=text, revision=str(revision), **more
        )

    def text_of(self, entry_id: str) -> str:
        """The exact text of an entry, from the form that changes it."""
        return self.fetch(f"/entries/{entry_id}/edit/").box

    def texts(self, *, day: str | None = None) -> list[str]:
        """The exact texts of a day, in their order."""
        return [self.text_of(entry_id) for entry_id in self.get(f"/d/{day or self.day}/").entries]

    def socket(self, *, origin: str | None = "", **headers: str) -> ClientConnection:
        """A live socket, by default from a page of the server itself."""
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **headers}
        return connect(
            f"ws://127.0.0.1:{self.server.port}/live/",
            origin=self.server.base_url if origin == "" else origin,  # type: ignore[arg-type]  # a new type of str
            additional_headers={name: value for name, value in sent.items() if value},
            open_timeout=10,
            close_timeout=0.2,
        )
