"""Tests of requests with an ambiguous end, host or method, and of several requests on one connection."""

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest

from llamora.asgi import is_slow
from tests.browser.served_household import ServedHouse, run_household
from tests.browser_client import CSRF_COOKIE, FORM_TYPE, Visitor

HOST = "Host: localhost"
END = "Connection: close"
# What an attacker hides behind a request, and what would be answered with 200.
HIDDEN = f"GET /healthz HTTP/1.1\r\n{HOST}\r\n\r\n"
LENGTH = len(HIDDEN)
AMBIGUOUS = {
    "two lengths": f"Content-Length: 0\r\nContent-Length: {LENGTH}",
    "the same length twice": f"Content-Length: {LENGTH}\r\nContent-Length: {LENGTH}",
    "a list of lengths": f"Content-Length: 0, {LENGTH}",
    "a length with a sign": f"Content-Length: +{LENGTH}",
    "a negative length": "Content-Length: -1",
    "a length in hexadecimal": f"Content-Length: {LENGTH:#x}",
    "a length with an underscore": "Content-Length: 1_0",
    "a length of five thousand digits": f"Content-Length: {'9' * 5000}",
    "an empty length": "Content-Length:",
    "a length without a colon": "Content-Length",
    "a length and chunks": f"Content-Length: {LENGTH}\r\nTransfer-Encoding: chunked",
    "chunks and a length": f"Transfer-Encoding: chunked\r\nContent-Length: {LENGTH}",
    "chunks": "Transfer-Encoding: chunked",
    "chunks twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "chunks and no coding": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "no coding and a length": f"Transfer-Encoding: identity\r\nContent-Length: {LENGTH}",
    "no coding": "Transfer-Encoding: identity",
    "a list of codings": "Transfer-Encoding: gzip, chunked",
    "a coding nobody knows": "Transfer-Encoding: xchunked",
    "a space before the colon": "Transfer-Encoding : chunked",
    "a vertical tab": "Transfer-Encoding:\x0bchunked",
    "a length on a second line": f"Content-Length:\r\n {LENGTH}",
    "a coding on a second line": "Transfer-Encoding:\r\n\tchunked",
    "a header inside another": f"X-Note: one\r\n Content-Length: {LENGTH}",
    "a line that ends with LF": f"X-Note: one\nContent-Length: {LENGTH}",
    "a line that ends with CR": f"X-Note: one\rContent-Length: {LENGTH}",
    "a zero byte": "X-Note: \0",
    "two hosts": "Host: elsewhere.example",
    "the same host twice": HOST,
}


@dataclass(frozen=True)
class Answer:
    """One of the responses on a connection."""

    status: int
    text: str


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHouse]:
    with run_household(tmp_path_factory.mktemp("household")) as house:
        yield house


@pytest.fixture(scope="module")
def anna(house: ServedHouse) -> Visitor:
    anna = house.new_member()
    anna.save("Anna was at the weir")
    return anna


@pytest.fixture(scope="module")
def bea(house: ServedHouse) -> Visitor:
    bea = house.new_member()
    bea.save("Bea was at the mill")
    return bea


def exchange(house: ServedHouse, sent: str) -> list[Answer]:
    """Send everything at once, and return the responses until the server closes."""
    with socket.create_connection(("127.0.0.1", house.server.port), timeout=20) as connection:
        connection.sendall(sent.encode("latin1"))
        received = b""
        while piece := connection.recv(65536):
            received += piece
    _, *parts = re.split(r"HTTP/1\.[01] (?=[1-5][0-9]{2} )", received.decode("utf-8", "replace"))
    return [Answer(int(part[:3]), part) for part in parts]


def build(request: str, *headers: str, host: str = HOST, who: Visitor | None = None, body: str = "") -> str:
    """Return a request, such as `GET /`, with the cookies of somebody."""
    lines = [f"{request} HTTP/1.1", *([host] if host else []), *headers]
    lines += [f"Cookie: {who.cookie_header}"] if who else []
    lines += [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", body])


def build_save(who: Visitor, text: str) -> str:
    token = f"X-CSRFToken: {who.cookies[CSRF_COOKIE]}"
    body = urlencode({"owner": who.owner, "text": text, "key": "01900000-0000-7000-8000-000000000001"})
    return build(f"POST {find_day(who)}", token, f"Content-Type: {FORM_TYPE}", who=who, body=body)


def find_day(who: Visitor) -> str:
    found = re.search(r'data-day="([0-9-]+)"', who.get("/").body)
    assert found
    return f"/d/{found[1]}/"


def list_owners(answers: list[Answer]) -> list[str]:
    """Return whose page each response is, or "" where it is nobody's."""
    found = [re.search(r'data-owner="([0-9a-f-]{36})"', answer.text) for answer in answers]
    return [owner[1] if owner else "" for owner in found]


# --- The end of a request --------------------------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize("headers", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_a_request_that_can_be_read_in_two_ways_is_refused_with_all_behind_it(
    house: ServedHouse, anna: Visitor, headers: str
) -> None:
    answers = exchange(house, build("POST /sign-in/", *headers.split("\r\n"), who=anna) + HIDDEN * 2)

    assert [answer.status for answer in answers] in ([400], [411])


def test_the_first_of_several_lines_may_not_begin_with_a_space(house: ServedHouse) -> None:
    answers = exchange(house, build("GET /healthz", host=f" {HOST}") + HIDDEN)

    assert [answer.status for answer in answers] == [400]


@pytest.mark.parametrize(
    "body",
    [
        '5;note="\r\n"\r\nhello\r\n0\r\n\r\n',
        "0;\r\n\r\n",
        "0\r\nContent-Length: 9\r\n\r\n",
        "zz\r\n",
        "-1\r\n",
    ],
    ids=["extension", "empty extension", "trailer", "no number", "negative"],
)
def test_chunks_of_any_kind_get_one_refusal(house: ServedHouse, body: str) -> None:
    answers = exchange(house, build("POST /sign-in/", "Transfer-Encoding: chunked") + body + HIDDEN)

    assert [answer.status for answer in answers] == [411]


def test_a_body_behind_a_get_is_no_request(house: ServedHouse, anna: Visitor) -> None:
    with_body = build("GET /", who=anna, body=HIDDEN)

    answers = exchange(house, with_body + build("GET /no-such-page/", END))

    assert [answer.status for answer in answers] == [200, 404]
    assert list_owners(answers) == [anna.owner, ""]


def test_a_body_that_is_shorter_than_it_says_takes_nothing_from_the_next_connection(
    house: ServedHouse, anna: Visitor, bea: Visitor
) -> None:
    cut = build("POST /lock/", "Content-Length: 4000", who=anna)
    with socket.create_connection(("127.0.0.1", house.server.port), timeout=20) as waiting:
        waiting.sendall(cut.encode())
        answers = exchange(house, build("GET /", END, who=bea))

    assert list_owners(answers) == [bea.owner]
    assert anna.get("/").status == 200


# --- Several requests at once ----------------------------------------------------------------------------


def test_requests_of_several_people_at_once_are_answered_in_order_and_each_with_their_own(
    house: ServedHouse, anna: Visitor, bea: Visitor
) -> None:
    asked = [anna, bea, None, bea, anna, None, anna]

    answers = exchange(
        house, "".join(build("GET /", who=who) for who in asked) + build("GET /", END, who=bea)
    )

    assert list_owners(answers) == [who.owner if who else "" for who in [*asked, bea]]
    for answer, owner in zip(answers, list_owners(answers), strict=True):
        assert ("Anna was at the weir" in answer.text) == (owner == anna.owner)
        assert ("Bea was at the mill" in answer.text) == (owner == bea.owner)


@pytest.mark.parametrize("path", ["/", "/static/icon.svg", "/healthz", "/no-such-page/", "/sign-in"])
def test_only_the_head_of_an_answer_to_head_comes_before_the_next_one(
    house: ServedHouse, anna: Visitor, path: str
) -> None:
    asked = [build(f"{method} {path}", who=anna) for method in ("HEAD", "GET", "HEAD")]

    head, page, again, last = exchange(house, "".join(asked) + build("GET /healthz", END))

    assert [head.status, again.status, last.status] == [page.status, page.status, 200]
    assert [one.text.partition("\r\n\r\n")[2] for one in (head, again)] == ["", ""]


def test_an_answer_without_a_body_ends_before_the_next_one(house: ServedHouse, anna: Visitor) -> None:
    since = "If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT"

    answers = exchange(house, build("GET /static/icon.svg", since) + build("GET /", END, who=anna))

    assert [answer.status for answer in answers] == [304, 200]
    assert answers[0].text.endswith("\r\n\r\n")


def test_a_save_between_pages_of_another_is_its_writers(
    house: ServedHouse, anna: Visitor, bea: Visitor
) -> None:
    text = "Anna wrote between two pages"

    answers = exchange(
        house,
        build("GET /", who=bea)
        + build_save(anna, text)
        + build("GET /", who=bea)
        + build("GET /", END, who=anna),
    )

    assert [answer.status for answer in answers] == [200, 302, 200, 200]
    assert [text in answer.text for answer in answers] == [False, False, False, True]


def test_nothing_behind_a_refused_request_is_answered(house: ServedHouse, anna: Visitor) -> None:
    refused = build("POST /sign-in/", "Content-Length: 99999999")

    answers = exchange(house, build("GET /", who=anna) + refused + build("GET /", who=anna))

    assert [answer.status for answer in answers] == [200, 413]


def test_nothing_behind_a_refused_socket_is_answered(house: ServedHouse, anna: Visitor) -> None:
    socket_headers = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    socket_headers += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Origin: http://elsewhere.example"]

    answers = exchange(house, build("GET /live/", *socket_headers, who=anna) + build("GET /", who=anna))

    assert [answer.status for answer in answers] == [403]


# --- The host and the method -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "Host: elsewhere.example",
        "Host: localhost, elsewhere.example",
        "Host: localhost elsewhere.example",
        "Host: elsewhere.example\r\nX-Forwarded-Host: localhost",
        "Host: localhost@elsewhere.example",
        "Host:",
        "",
    ],
    ids=["another", "a list", "a space", "forwarded", "a user", "empty", "none"],
)
def test_a_page_is_shown_to_one_host_of_ours_alone(house: ServedHouse, anna: Visitor, host: str) -> None:
    answers = exchange(house, build("GET /", END, host=host, who=anna))

    assert [answer.status for answer in answers] == [400]
    assert list_owners(answers) == [""]


@pytest.mark.parametrize("host", ["Host: elsewhere.example", HOST])
@pytest.mark.parametrize("start", ["http://localhost", "http://elsewhere.example", "//elsewhere.example"])
def test_a_host_in_the_path_shows_no_page_and_leads_nowhere(
    house: ServedHouse, anna: Visitor, start: str, host: str
) -> None:
    paths = ("/", "/sign-in", "/healthz")

    answers = [
        answer
        for path in paths
        for answer in exchange(house, build(f"GET {start}{path}", END, host=host, who=anna))
    ]

    assert {answer.status for answer in answers} <= {400, 404}
    assert len(answers) == len(paths)
    assert not any("location:" in answer.text.lower() for answer in answers)


def test_an_old_client_may_name_no_host_and_no_other_one(house: ServedHouse, anna: Visitor) -> None:
    plain = build("GET /", END, host="", who=anna).replace("HTTP/1.1", "HTTP/1.0")
    forged = build("GET /", END, host="Host: elsewhere.example", who=anna).replace("HTTP/1.1", "HTTP/1.0")

    assert list_owners(exchange(house, plain) + exchange(house, forged)) == [anna.owner, ""]


@pytest.mark.parametrize("method", ["POST", "post", "Post"])
def test_a_method_in_small_letters_passes_no_queue(method: str) -> None:
    """Django reads any of them as POST."""
    assert is_slow({"method": method, "path": "/sign-in/"})
