"""An HTTP client for one person of a served household; it uses only the server's port.

olive = Visitor.join(server, "Olive")
olive.save("Words"), olive.save_draft("Words"), olive.get_text(entry_id), olive.request("GET", "/any/path/")
"""

import itertools
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from llamora.ops.benchmarks.client import (
    CSRF_COOKIE,
    FORM_TYPE,
    PASSWORD,
    SESSION_COOKIE,
    BrowserClient,
    BrowserResponse,
)
from tests.page import HtmlNode, get_returned_text, read
from tests.server import Server

__all__ = [
    "CSRF_COOKIE",
    "FORM_TYPE",
    "PASSWORD",
    "SESSION_COOKIE",
    "BrowserResponse",
    "Visitor",
    "get_streamed_words",
    "read_frames_until",
    "set_up_token",
]
_addresses = itertools.count()


def fresh_address() -> str:
    """Return an unused source address, since registrations and failures are limited by address."""
    number = next(_addresses)
    return f"127.77.{number // 250}.{number % 250 + 2}"


def set_up_token(server: Server) -> str:
    """Return the token with which the first person of a household registers."""
    assert server.set_up_link
    return server.set_up_link.partition("set-up=")[2]


@dataclass(kw_only=True, eq=False)
class Visitor(BrowserClient):
    """An HTTP client with its own source address, which records every response."""

    server: Server
    source_address: str = field(default_factory=fresh_address)
    responses: list[BrowserResponse] = field(default_factory=list, repr=False)
    # Sent with every request, as by a proxy or by somebody who acts like one.
    more_headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.port = self.server.port

    @classmethod
    def join(
        cls,
        server: Server,
        name: str,
        *,
        set_up: str = "",
        password: str = PASSWORD,
        time_zone: str = "UTC",
    ) -> Self:
        """Register a person, signed in and unlocked."""
        browser = cls(server=server, password=password)
        browser.register(name, set_up=set_up, time_zone=time_zone)
        return browser

    def another(self) -> Self:
        """Return the same person on a browser of its own, not signed in."""
        return replace(self, cookies={}, source_address=fresh_address(), local=threading.local())

    def copy(self, server: Server | None = None) -> Self:
        """Return a browser with a copy of these cookies."""
        return replace(
            self, server=server or self.server, cookies=dict(self.cookies), local=threading.local()
        )

    def move_to(self, server: Server) -> None:
        """Use another server from now on, as after a restart."""
        self.close()
        self.server, self.port = server, server.port
        self.local = threading.local()

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> BrowserResponse:
        response = super().request(method, path, body, {**self.more_headers, **(headers or {})})
        self.responses.append(response)
        return response

    def unlock(self, password: str | None = None) -> BrowserResponse:
        return self.post("/unlock/", password=password or self.password)

    # --- the diary -----------------------------------------------------------------------------------

    @property
    def today(self) -> str:
        return datetime.now(UTC).date().isoformat()

    def save(
        self, text: str, *, day: str = "", key: str | None = None, draft_revision: int = 0
    ) -> BrowserResponse:
        """Save an entry as the page's script does, by default on today."""
        return super().save(text, day=day or self.today, key=key, draft_revision=draft_revision)

    def write(self, text: str, *, day: str = "") -> str:
        """Save an entry, and return its id."""
        response = self.save(text, day=day)
        assert response.status == 200, f"saving answered {response.status}"
        return response.entry_ids[0]

    def save_draft(self, text: str, *, revision: int = 0, day: str = "", **more: str) -> BrowserResponse:
        return self.post(
            f"/d/{day or self.today}/draft/", script=True, text=text, revision=str(revision), **more
        )

    def respond(self, entry_id: str) -> str:
        """Request a reply to an entry, and return the reply's id."""
        return read(self.post(f"/entries/{entry_id}/respond/", script=True)).ids("reply-")[0]

    def read_reply(self, reply_id: str) -> HtmlNode:
        """Return the current section of a reply."""
        return read(self.fetch(f"/replies/{reply_id}/"))

    def wait_for_words(self, reply_id: str, count: int, *, seconds: float = 30) -> None:
        """Wait until a reply has this number of words."""
        deadline = time.monotonic() + seconds
        while len(get_streamed_words(self.read_reply(reply_id))) < count:
            assert time.monotonic() < deadline, "the reply did not come"
            time.sleep(0.05)

    def get_text(self, entry_id: str) -> str:
        """Return the exact text of an entry, from its edit form."""
        return get_returned_text(self.fetch(f"/entries/{entry_id}/edit/"))

    def list_texts(self, *, day: str = "") -> list[str]:
        """Return the exact texts of a day, in the order of the page."""
        return [self.get_text(entry_id) for entry_id in self.get(f"/d/{day or self.today}/").entry_ids]

    def socket(self, *, origin: str | None = "", **headers: str) -> ClientConnection:
        """Open a live socket, by default from a page of the server itself."""
        sent = {"Cookie": self.cookie_header, **self.more_headers, **headers}
        # Given apart.
        sent.pop("Origin", None)
        from_page = self.server.base_url if origin == "" else origin
        return connect(
            f"ws://127.0.0.1:{self.server.port}/live/",
            origin=from_page if from_page is None else Origin(from_page),
            additional_headers={name: value for name, value in sent.items() if value},
            source_address=(self.source_address, 0),
            open_timeout=10,
            close_timeout=0.2,
        )

    @contextmanager
    def open_live_socket(self, day: str = "") -> Iterator[ClientConnection]:
        """Open the live socket and watch a day, by default today."""
        with self.socket() as socket:
            socket.send(json.dumps({"type": "watch", "day": day or self.today, "owner": self.owner}))
            yield socket


def get_streamed_words(section: HtmlNode) -> list[str]:
    """Return the words of a reply, without the rest of its section."""
    return " ".join(part.spaced_text for part in section.all("[data-settled], [data-tail]")).split()


def read_frames_until(socket: ClientConnection, kind: str, *, seconds: float = 20) -> list[dict[str, Any]]:
    """Return all frames up to the first frame of a kind."""
    frames: list[dict[str, Any]] = []
    while not frames or frames[-1]["type"] != kind:
        frames.append(json.loads(socket.recv(timeout=seconds)))
    return frames
