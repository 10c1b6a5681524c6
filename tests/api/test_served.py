"""Tests of the API on a real server: refused requests, log lines, and waiting times."""

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from django.conf import settings

from llamora.ops.server.body_limits import LARGE_BODY, SMALL_BODY
from tests.browser_client import Visitor, set_up_token
from tests.server import Server, run_server

ENTRIES = "/api/v1/entries"
MARKER = "marrowbone"


@dataclass(kw_only=True)
class Served:
    """A served household with Olive's unlocked diary, and her token that writes entries as her own."""

    server: Server
    olive: Visitor
    token: str = field(repr=False)

    def call(self, method: str, path: str, *, token: str | None = None, **options: Any) -> httpx.Response:
        sent = self.token if token is None else token
        headers = {"Authorization": f"Bearer {sent}"} if sent else {}
        headers |= options.pop("headers", {})
        return httpx.request(method, self.server.url(path), headers=headers, timeout=60, **options)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with run_server(tmp_path_factory.mktemp("household")) as server:
        olive = Visitor(server=server)
        olive.register("Olive", set_up=set_up_token(server))
        yield Served(server=server, olive=olive, token=make_token(olive, "diary:read", "diary:write"))


def make_token(who: Visitor, *scopes: str) -> str:
    """Make a token on the page, as a person does, and return its text."""
    fields = {"name": "Kitchen tablet", "kind": "ordinary", "lifetime_days": "0", "writes_own_text": "on"}
    page = who.post("/settings/programs/", **fields, scopes=list(scopes), current=who.password)
    (token,) = set(re.findall(r"llamora_[0-9a-z_]{86}", page.body))
    return token


def exchange(served: Served, head: str, body: bytes = b"") -> bytes:
    with socket.create_connection(("127.0.0.1", served.server.port), timeout=20) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + body)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def read_code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code, answer.json()["error_code"]


def test_the_longest_text_is_saved_and_read(served: Served) -> None:
    text = "é" * settings.MAX_TEXT

    saved = served.call("POST", ENTRIES, json={"text": text, "day": "2026-01-01"})
    read = served.call("GET", f"{ENTRIES}/{saved.json()['id']}")

    assert (saved.status_code, read.status_code) == (201, 200)
    assert read.json()["text"] == text


@pytest.mark.parametrize("size", [LARGE_BODY + 1, 10 * 1024 * 1024])
def test_what_is_too_large_is_refused_unread(served: Served, size: int) -> None:
    head = (
        f"POST {ENTRIES} HTTP/1.1\nHost: localhost\nAuthorization: Bearer {served.token}\n"
        f"Content-Length: {size}\n\n"
    )

    answer = exchange(served, head)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error_code"] == "too_large"


@pytest.mark.parametrize(
    ("token", "status", "code"), [("", 401, "invalid_token"), ("llamora_" + "0" * 86, 401, "invalid_token")]
)
def test_nobody_without_a_token_sends_much(served: Served, token: str, status: int, code: str) -> None:
    head = (
        f"POST {ENTRIES} HTTP/1.1\nHost: localhost\nAuthorization: Bearer {token}\n"
        f"Content-Length: {SMALL_BODY + 1}\n\n"
    )

    answer = exchange(served, head)

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error_code"] == code


def test_a_body_without_a_length_is_refused_in_json(served: Served) -> None:
    head = f"POST {ENTRIES} HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\nConnection: close\n\n"

    answer = exchange(served, head, b"0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 411 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error_code"] == "length_required"


BAD = {
    "no JSON": (b"{", 400, "malformed_json"),
    "nothing": (b"", 400, "malformed_json"),
    "no UTF-8": (b'{"text": "\xff"}', 400, "malformed_json"),
    "a half pair": (b'{"text": "\\ud800"}', 400, "malformed_json"),
    "deep": (b'{"text": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", 400, "malformed_json"),
    "wide": (b'{"text": [' + b"1," * 30_000 + b"1]}", 422, "invalid_field"),
    "a list": (b"[1]", 422, "invalid_field"),
    "null": (b"null", 422, "invalid_field"),
    "NUL": (b'{"text": "a\\u0000b"}', 422, "invalid_field"),
    "a number": (b'{"text": 12}', 422, "invalid_field"),
    "unknown": (b'{"text": "a", "%s": 1}' % MARKER.encode(), 422, "invalid_field"),
    "a huge number": (b'{"text": "a", "day": ' + b"9" * 5000 + b"}", 400, "malformed_json"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_a_sentence_and_never_itself(served: Served, name: str) -> None:
    body, status, code = BAD[name]

    answer = served.call("POST", ENTRIES, content=body, headers={"Content-Type": "application/json"})

    assert read_code(answer) == (status, code)
    assert MARKER not in answer.text
    assert answer.json()["message"].endswith(".")


def test_another_type_of_body_is_refused(served: Served) -> None:
    answer = served.call("POST", ENTRIES, content=b"text=a")

    assert read_code(answer) == (415, "unsupported_media_type")


def test_a_forged_host_gets_no_answer_of_a_diary(served: Served) -> None:
    assert served.call("GET", ENTRIES, headers={"Host": "elsewhere.example"}).status_code == 403


def test_a_browsers_cookie_opens_nothing(served: Served) -> None:
    cookies = served.olive.cookies

    assert read_code(served.call("GET", ENTRIES, token="", cookies=cookies)) == (401, "invalid_token")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/entries?access_token={}",
        "/api/v1/entries?token=abc",
        "/api/v1/entries/{}",
        "/api/{}/x",
        "/health?key={}",
    ],
)
def test_a_token_in_an_address_is_refused_and_never_logged(served: Served, path: str) -> None:
    answer = served.call("GET", path.format(served.token))

    assert read_code(answer) == (403, "token_in_url")
    assert served.token not in answer.text
    assert served.token[8:34] not in served.server.log()


def test_the_log_has_no_token_and_no_text(served: Served) -> None:
    served.call("POST", ENTRIES, json={"text": MARKER})
    served.call("POST", ENTRIES, json={"text": MARKER, MARKER: 1})
    served.call("GET", f"{ENTRIES}?day={MARKER}")
    served.call("GET", f"{ENTRIES}/{MARKER}")

    log = served.server.log()
    assert "POST /api/v1/entries 201" in log
    assert MARKER not in log
    assert served.token[:40] not in log
