"""Words that somebody puts into a request, wherever that may be, stand in no line of the log."""

import asyncio
import logging
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from accounts.http.redacted_logging import RedactedFormatter, find_route, log_uncaught_errors
from tests.browser_client import Visitor
from tests.leaks.household import AttackedHouse

WORD = "marrowbone"
# %s is the word. What is answered matters less than that nothing of it is logged.
PATHS = [
    "/%s",
    "/%s/",
    "/admin/%s",
    "/admin/%s/",
    "/admin/accounts/person/%s/change/",
    "/admin/accounts/%s/",
    "/admin/login/%s?next=/%s/",
    "/static/%s.css",
    "/static/../%s",
    "/d/%s/",
    "/d/2026-03-05/%s/",
    "/d/2026-03-05/?%s=1",
    "/search/?q=%s",
    "/traces/%s/",
    "/entries/%s/edit/",
    "/years/2026/%s",
    "/healthz/%s",
    "/live/%s",
    "/live/?%s",
    "/%%ff%s/",
    "//%s/",
    "http://%s/d/2026-03-05/",
    "*%s",
]
HEADERS = [
    "Host: %s",
    "Host: %s:99999",
    "Origin: http://%s",
    "Referer: https://%s/search/?q=%s",
    "Cookie: __Host-llamora=%s; llamora=%s; llamora_csrf=%s",
    "X-CSRFToken: %s",
    "User-Agent: %s",
    "Accept-Language: %s",
    "Content-Type: multipart/form-data; boundary=%s",
    "Content-Type: text/plain; charset=%s",
    "Content-Length: %s",
    "Transfer-Encoding: %s",
    "X-Forwarded-For: %s",
    "Upgrade: %s",
    "Expect: %s",
    "Range: bytes=%s",
    "%s",
    "%s: %s",
    " %s",
]


def exchange(who: Visitor, head: str, body: bytes = b"") -> bytes:
    """Send exactly these bytes; answer what comes back."""
    with socket.create_connection(("127.0.0.1", who.server.port), timeout=10) as connection:
        connection.settimeout(2)
        connection.sendall(head.encode("latin-1") + body)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except (TimeoutError, ConnectionResetError):
            pass
    return answer


def head_of(who: Visitor, method: str, path: str, *headers: str) -> str:
    cookie = "; ".join(f"{name}={value}" for name, value in who.cookies.items())
    lines = [f"{method} {path} HTTP/1.1", "Connection: close", f"Cookie: {cookie}", *headers]
    if not any(line.startswith("Host") for line in headers):
        lines.append("Host: localhost")
    return "\r\n".join([*lines, "", ""])


def lines_with_word(house: AttackedHouse, since: int) -> list[str]:
    return [line for line in house.server.log()[since:].splitlines() if WORD in line.lower()]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("who", ["stranger", "owner", "administrator"])
def test_no_word_of_a_path_is_logged(house: AttackedHouse, who: str, method: str) -> None:
    since, visitor = len(house.server.log()), getattr(house, who)

    for path in PATHS:
        exchange(
            visitor,
            head_of(visitor, method, path.replace("%s", WORD).replace("%%", "%"), "Content-Length: 0"),
        )

    assert f" {method} /admin/" in house.server.log()[since:]
    assert lines_with_word(house, since) == []


@pytest.mark.parametrize("header", HEADERS)
def test_no_word_of_a_header_is_logged(house: AttackedHouse, header: str) -> None:
    since = len(house.server.log())
    visitor, line = house.owner, header.replace("%s", WORD)

    for method in ("GET", "POST"):
        exchange(visitor, head_of(visitor, method, "/d/2026-03-05/", line))

    assert lines_with_word(house, since) == []


def test_no_word_of_a_method_or_a_form_is_logged(house: AttackedHouse) -> None:
    since, owner = len(house.server.log()), house.owner

    exchange(owner, head_of(owner, WORD.upper(), "/d/2026-03-05/"))
    exchange(owner, f"{WORD}\r\n\r\n")
    form = "&".join(f"{WORD}{number}={WORD}" for number in range(2000)).encode()
    for body in (
        form,
        b"\xff" + WORD.encode(),
        f"day={WORD}&text={WORD}&entry={WORD}&revision={WORD}".encode(),
    ):
        for path in ("/d/2026-03-05/", "/sign-in/", "/settings/", "/search/recent/", "/d/2026-03-05/draft/"):
            length = f"Content-Length: {len(body)}"
            token = f"X-CSRFToken: {owner.cookies['llamora_csrf']}"
            exchange(
                owner,
                head_of(
                    owner, "POST", path, length, token, "Content-Type: application/x-www-form-urlencoded"
                ),
                body,
            )

    assert "(other) /d/" in house.server.log()[since:]
    assert lines_with_word(house, since) == []


def test_no_word_of_a_handshake_is_logged(house: AttackedHouse) -> None:
    since, owner = len(house.server.log()), house.owner

    for path in ("/live/", f"/live/{WORD}/", f"/{WORD}?{WORD}"):
        exchange(
            owner,
            head_of(
                owner,
                "GET",
                path,
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                f"Sec-WebSocket-Protocol: {WORD}",
                f"Origin: http://{WORD}",
            ),
        )

    assert lines_with_word(house, since) == []


# --- What libraries would write ----------------------------------------------------------------------------


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What the handler of the household would write, line by line."""
    found: list[str] = []

    class Memory(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(self.format(record))

    handler = Memory()
    handler.setFormatter(RedactedFormatter("{levelname} {name}: {message}", style="{"))
    names = (
        "asyncio",
        "daphne.http_protocol",
        "django.request",
        "django.security.csrf",
        "llamora.x",
        "other",
    )
    for name in names:
        logging.getLogger(name).addHandler(handler)
    yield found
    for name in names:
        logging.getLogger(name).removeHandler(handler)


def test_values_in_the_messages_of_libraries_are_left_out(lines: list[str]) -> None:
    logging.getLogger("other").error("Application %r of %s was killed.", WORD, f"/{WORD}/")
    logging.getLogger("other").error("Item %(name)s", {"name": WORD})
    logging.getLogger("other").error("%d items, 100%% %s", 3, WORD)
    logging.getLogger("daphne.http_protocol").error(f"Traceback: ValueError: {WORD}")

    assert lines[0] == "ERROR other: Application … of … was killed."
    assert lines[1] == "ERROR other: Item …"
    assert lines[2] == "ERROR other: … items, 100% …"
    assert lines[3].startswith("ERROR daphne.http_protocol: (at test_attacks_log.py:")
    assert WORD not in "".join(lines)


def test_our_own_messages_are_written_whole(lines: list[str]) -> None:
    logging.getLogger("llamora.x").error("%d sessions, %s", 3, "kind")

    assert lines == ["ERROR llamora.x: 3 sessions, kind"]


@pytest.mark.parametrize("name", ["django.request", "django.security.csrf"])
def test_an_address_in_a_message_of_django_becomes_its_route(lines: list[str], name: str) -> None:
    request: HttpRequest = RequestFactory().get(f"/admin/{WORD}/")

    logging.getLogger(name).error("Failed (%s): %s", WORD, request.path, extra={"request": request})

    assert lines == [f"ERROR {name}: Failed (…): /admin/(?P<url>.*)"]


async def test_an_error_that_nobody_waited_for_shows_its_type_only(lines: list[str]) -> None:
    loop = asyncio.get_running_loop()

    def fail(_words: str) -> None:
        raise ValueError(WORD)

    loop.call_soon(fail, WORD)
    await asyncio.sleep(0.01)

    assert "ValueError" in "".join(lines)
    assert "in fail" in "".join(lines)
    assert WORD not in "".join(lines)


def test_an_error_that_ends_a_thread_shows_its_type_only(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    log_uncaught_errors()

    class Cruel:
        def __del__(self) -> None:
            raise ValueError(WORD)

    def fail() -> None:
        raise KeyError(WORD)

    thread = threading.Thread(target=fail, name=WORD)
    thread.start()
    thread.join()
    cruel: Any = Cruel()
    del cruel

    written = "".join(RedactedFormatter().format(record) for record in caplog.records)
    assert "KeyError" in written
    assert "ValueError" in written
    assert WORD not in written + capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/d/2026-03-05/?q=1", "/d/<day:day>/"),
        (f"/admin/{WORD}/", "/admin/(?P<url>.*)"),
        ("/live/", "/live/"),
        (f"/live/{WORD}", "(no such page)"),
        (f"/static/{WORD}", "/static/"),
        (f"/{WORD}", "(no such page)"),
        (f"/{WORD}\r\n2026 all is well", "(no such page)"),
        ("", "(no such page)"),
    ],
)
def test_a_path_is_known_by_its_route(path: str, route: str) -> None:
    assert find_route(path) == route
