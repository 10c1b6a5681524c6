"""Tests of the limits on request bodies, and of an access log without query strings."""

import json
import socket
from base64 import urlsafe_b64encode
from collections.abc import Iterator

import pytest

from accounts.http.headers import get_default_headers
from llamora.ops.server.body_limits import LARGE_BODY, SMALL_BODY
from tests.server import Server, run_server

MARKER = "marrowbone-" * 10
MEMBER = "X-Household: olive\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    extra = {"DJANGO_SETTINGS_MODULE": "tests.ops.serving.settings"}
    with run_server(tmp_path_factory.mktemp("household"), extra=extra) as server:
        yield server


def exchange(server: Server, sent: bytes, *, timeout: float = 10) -> bytes:
    """Send raw bytes, and return the response until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as connection:
        connection.sendall(sent)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def post(path: str, length: int | None, *, more: str = "", body: bytes = b"") -> bytes:
    size = "" if length is None else f"Content-Length: {length}\r\n"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{size}{more}\r\n"
    return head.encode() + body


def list_temporary_files(server: Server) -> list[str]:
    """Return the temporary files that this server opened, from the log of `tests.ops.serving`."""
    return [line for line in server.log().splitlines() if line.startswith("TEMPORARY FILE")]


def test_a_body_without_a_length_is_refused_unread(server: Server) -> None:
    chunked = post("/sized/", None, more="Transfer-Encoding: chunked\r\n", body=b"5\r\nhello\r\n0\r\n\r\n")

    answer = exchange(server, chunked)

    assert answer.startswith(b"HTTP/1.1 411 ")
    assert b"Connection: close" in answer
    assert b"without its length" in answer


def parse_headers(answer: bytes) -> dict[str, str]:
    lines = answer.partition(b"\r\n\r\n")[0].decode().splitlines()[1:]
    return dict(line.split(": ", 1) for line in lines)


@pytest.mark.parametrize(
    "sent",
    [
        post("/sized/", None, more="Transfer-Encoding: chunked\r\n", body=b"0\r\n\r\n"),
        post("/sized/", LARGE_BODY + 1),
        b"GET /%ff%fe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n",
    ],
    ids=["no length", "too large", "path that is no text", "forged host"],
)
def test_what_never_becomes_a_page_has_the_headers_of_one(server: Server, sent: bytes) -> None:
    answer = exchange(server, sent)

    assert answer.startswith(b"HTTP/1.1 4")
    assert get_default_headers().items() <= parse_headers(answer).items()
    assert "default-src 'none'" in parse_headers(answer)["Content-Security-Policy"]


def test_a_body_over_the_limit_is_refused_before_any_of_it_came(server: Server) -> None:
    answer = exchange(server, post("/sized/", LARGE_BODY + 1))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"too large" in answer
    assert answer.count(b"HTTP/1.1") == 1


def test_a_refusal_is_read_by_a_client_that_sends_everything_first(server: Server) -> None:
    answer = exchange(server, post("/sized/", 3 * LARGE_BODY, body=b"x" * 3 * LARGE_BODY))

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_refused_body_is_not_taken_for_the_next_request(server: Server) -> None:
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

    answer = exchange(
        server,
        post("/sized/", LARGE_BODY + 1, body=smuggled + b" " * (LARGE_BODY + 1 - len(smuggled)) + smuggled),
    )

    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_client_that_waits_for_permission_is_not_told_to_go_on(server: Server) -> None:
    answer = exchange(server, post("/sized/", LARGE_BODY + 1, more="Expect: 100-continue\r\n"))

    assert b"100 Continue" not in answer
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("path", ["/sign-in/?next=/d/2026-11-20/", "/sized/", "/d/2026-11-20/"])
def test_a_stranger_is_refused_more_than_a_form_before_any_of_it_came(server: Server, path: str) -> None:
    answer = exchange(server, post(path, SMALL_BODY + 1))

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"isn't signed in" in answer


def test_a_stranger_may_send_a_form(server: Server) -> None:
    answer = exchange(server, post("/sized/", SMALL_BODY, body=b"x" * SMALL_BODY))

    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_script_of_somebody_who_was_signed_out_is_told_to_sign_in(server: Server) -> None:
    cookie = f"Cookie: llamora_session={urlsafe_b64encode(bytes(48)).decode()}\r\n"

    answer = exchange(server, post("/sized/", SMALL_BODY + 1, more=cookie + "HX-Request: true\r\n"))

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert parse_headers(answer)["HX-Trigger"] == "llamora:signed-out"
    assert parse_headers(answer)["HX-Reswap"] == "none"


def test_a_client_that_waits_for_permission_is_told_to_go_on_when_it_may(server: Server) -> None:
    waits = post("/sized/", SMALL_BODY + 1, more=MEMBER + "Expect: 100-continue\r\n")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(waits)
        permission = connection.recv(1000)
        connection.sendall(b"x" * (SMALL_BODY + 1))

        assert permission.startswith(b"HTTP/1.1 100 ")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_a_long_body_that_comes_with_the_request_before_it_is_read(server: Server) -> None:
    """It may be complete before it is known who sent it."""
    first = b"POST /slowly/?seconds=0.5 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    second = post("/sized/", SMALL_BODY + 1, more=MEMBER, body=b"x" * (SMALL_BODY + 1))

    answer = exchange(server, first + second)

    assert answer.count(b"HTTP/1.1 200 ") == 2
    assert b'"size": 65537' in answer


@pytest.mark.parametrize("size", [10, 99_999, 100_000, 1_000_000, LARGE_BODY])
def test_a_body_up_to_the_limit_arrives_whole_and_leaves_no_file(server: Server, size: int) -> None:
    text = (MARKER.encode() * (size // len(MARKER) + 1))[:size]
    before = list_temporary_files(server)

    answer = exchange(server, post("/sized/", size, more=MEMBER, body=text))

    assert json.loads(answer.partition(b"\r\n\r\n")[2])["size"] == size
    assert list_temporary_files(server) == before


def test_a_form_with_a_file_leaves_no_file_either(server: Server) -> None:
    line = b"--edge\r\nContent-Disposition: form-data; name="
    body = line + b'"text"\r\n\r\n' + MARKER.encode() * 2000 + b"\r\n"
    body += line + b'"file"; filename="diary.txt"\r\n\r\n' + MARKER.encode() * 20000 + b"\r\n--edge--\r\n"
    before = list_temporary_files(server)

    answer = exchange(
        server,
        post(
            "/sized/",
            len(body),
            more=f"{MEMBER}Content-Type: multipart/form-data; boundary=edge\r\n",
            body=body,
        ),
    )

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert list_temporary_files(server) == before


@pytest.mark.parametrize("size", [0, 1000])
def test_a_temporary_file_would_have_been_seen(server: Server, size: int) -> None:
    """A control for the tests above: a temporary file, as Twisted creates for a body, is seen."""
    before = list_temporary_files(server)

    exchange(server, post(f"/spooled/?size={size}", 0))

    assert len(list_temporary_files(server)) > len(before)


def test_the_access_log_has_paths_without_what_was_asked(server: Server) -> None:
    request = (
        b"GET /healthz?looking=for-something-private HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    exchange(server, request)
    exchange(server, post("/sized/?private=yes", LARGE_BODY + 1))
    exchange(server, b"GET /a%20private%20word HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    log = server.log()

    assert "GET /healthz 200" in log
    assert "POST /sized/ 413" in log
    assert "GET (no such page) 404" in log
    assert "private" not in log
