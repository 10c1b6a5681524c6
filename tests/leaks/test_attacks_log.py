"""Attacks on the log: words in any part of a request occur in none of its lines."""

import socket

import pytest

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
