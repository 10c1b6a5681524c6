"""Attacks with floods of headers, half requests and silent sockets: other people's pages stay fast."""

import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.leaks.household import AttackedHouse

CROWD = 100
HALF_REQUESTS = {
    "nothing": b"",
    "half a head": b"GET /sign-in/ HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "half a body": b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\nname=",
    "half a chunked body": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "half a handshake": b"GET /live/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n",
}


@contextmanager
def open_crowd(house: AttackedHouse, sent: bytes) -> Iterator[None]:
    """Open a hundred connections that send some bytes and then nothing."""
    with ExitStack() as stack:
        for _ in range(CROWD):
            connection = stack.enter_context(
                socket.create_connection(("127.0.0.1", house.server.port), timeout=5)
            )
            connection.sendall(sent)
        yield


def measure_pages(house: AttackedHouse, *, count: int = 15) -> list[float]:
    times = []
    for _ in range(count):
        began = time.perf_counter()
        assert house.owner.get("/").status == 200
        times.append(time.perf_counter() - began)
    return times


@pytest.mark.parametrize("what", HALF_REQUESTS)
def test_a_crowd_of_silent_connections_slows_nobody(house: AttackedHouse, what: str) -> None:
    before = statistics.median(measure_pages(house))

    with open_crowd(house, HALF_REQUESTS[what]):
        during = statistics.median(measure_pages(house))
        newcomer = house.stranger.get("/sign-in/")
    after = statistics.median(measure_pages(house))

    assert newcomer.status == 200
    # Before and after, since other programs come and go as well.
    assert during < 3 * max(before, after) + 0.05


def test_a_crowd_of_sockets_slows_nobody(house: AttackedHouse) -> None:
    before = statistics.median(measure_pages(house))

    with ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(house.owner.socket())
        during = statistics.median(measure_pages(house))
    after = statistics.median(measure_pages(house))

    assert during < 3 * max(before, after) + 0.05


@pytest.mark.parametrize(
    "head",
    [
        b"X-Long: " + b"x" * 200_000 + b"\r\n",
        b"".join(b"X-%d: y\r\n" % number for number in range(20_000)),
        b"Cookie: " + b"; ".join(b"c%d=x" % number for number in range(20_000)) + b"\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Cookie: llamora_session=\xff\xfe\r\n",
        b"X-Folded: a\r\n b\r\n",
        b": empty\r\n",
        b"No colon here\r\n",
    ],
    ids=lambda head: head[:30].decode("latin-1"),
)
def test_a_head_that_no_browser_sends_harms_nobody(house: AttackedHouse, head: bytes) -> None:
    request = b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + head + b"\r\nname="
    answer = b""
    with socket.create_connection(("127.0.0.1", house.server.port), timeout=2) as connection:
        try:
            connection.sendall(request)
            while piece := connection.recv(65536):
                answer += piece
        except OSError:
            pass

    assert answer == b"" or int(answer.split(b" ", 2)[1]) in (400, 403, 411, 413, 422, 431)
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert house.owner.get("/").status == 200
    assert "Traceback" not in house.server.log()
