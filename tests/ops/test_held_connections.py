"""Tests of half-sent bodies and slow connections: they block nobody and occupy no memory."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from llamora.ops.benchmarks import attack_process
from llamora.ops.server.body_limits import LARGE_BODIES_OF_ONE, LARGE_BODY, SMALL_BODIES, SMALL_BODY
from llamora.ops.server.connections import HEAD_GRACE_SECONDS, MAX_PER_ADDRESS
from tests.browser.served_household import ServedHouse, run_household
from tests.browser_client import Visitor, fresh_address
from tests.server import ROOT

MEBIBYTE = 1024


def memory(house: ServedHouse) -> int:
    """The server's resident memory in KiB."""
    status = Path(f"/proc/{house.server.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHouse]:
    with run_household(tmp_path_factory.mktemp("household")) as house:
        yield house


@pytest.fixture
def owner(house: ServedHouse) -> Visitor:
    return house.new_member()


@contextmanager
def held(house: ServedHouse) -> Iterator[None]:
    """Hold sixty half-sent bodies of 4 MiB and 250 slow connections during the block."""
    command = [sys.executable, "-m", attack_process.__name__, "hold", str(house.server.port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "begun\n"
            yield
        finally:
            process.kill()


def test_half_sent_bodies_and_slow_connections_keep_nobody_out(house: ServedHouse, owner: Visitor) -> None:
    owner.another().sign_in()  # a first derivation takes its memory, and keeps some
    before = memory(house)

    with held(house):
        stranger = owner.another()
        sign_in = stranger.sign_in().status
        pages = [owner.get("/").status for _ in range(20)]
        saved = owner.save("Saved meanwhile").status
        during = memory(house)

    assert (sign_in, saved) == (302, 200)
    assert pages == [200] * 20
    assert during - before < 100 * MEBIBYTE, "they held 270 MB"
    wait_until(lambda: memory(house) - before < 20 * MEBIBYTE)


def wait_until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.1)


def begin(house: ServedHouse, sent: bytes, *, address: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", house.server.port), 20, (address, 0))
    connection.sendall(sent)
    return connection


def read_to_the_end(connection: socket.socket) -> bytes:
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionError:
        pass
    return received


@pytest.fixture(scope="module")
def dripping(house: ServedHouse) -> Iterator[dict[str, socket.socket]]:
    """A head and a body that never end, sent at once: each is given up after ten seconds."""
    beginnings = {
        "head": b"GET / HTTP/1.1\r\nX-Slow: ",
        "body": b"POST /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 200\r\n\r\nname=",
    }
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(begin(house, sent, address=fresh_address()))
            for name, sent in beginnings.items()
        }


def test_a_head_that_drips_is_closed_in_the_end(dripping: dict[str, socket.socket]) -> None:
    connection = dripping["head"]
    connection.settimeout(0.5)
    for _ in range(200):
        try:
            connection.sendall(b"x")
            if connection.recv(100) == b"":
                return
        except TimeoutError:
            continue
        except OSError:
            return
    raise AssertionError("it was held")


def test_a_body_that_drips_is_refused_with_a_sentence(dripping: dict[str, socket.socket]) -> None:
    answer = read_to_the_end(dripping["body"])

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive in time" in answer


def test_an_address_with_too_many_connections_loses_its_own_and_nobody_elses(
    house: ServedHouse, owner: Visitor
) -> None:
    address = fresh_address()
    with ExitStack() as stack:
        connections = [
            stack.enter_context(begin(house, b"GET / HTTP/1.1\r\n", address=address))
            for _ in range(MAX_PER_ADDRESS)
        ]
        assert owner.get("/").status == 200  # so all of them have been accepted
        time.sleep(HEAD_GRACE_SECONDS + 0.5)
        connections.append(stack.enter_context(begin(house, b"GET / HTTP/1.1\r\n", address=address)))

        assert read_to_the_end(connections[0]) == b""
        assert owner.get("/").status == 200
        connections[-1].sendall(b"Host: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert read_to_the_end(connections[-1]).startswith(b"HTTP/1.1 302 ")


def test_somebody_of_the_household_may_send_a_long_body_and_a_stranger_may_not(
    house: ServedHouse, owner: Visitor
) -> None:
    text = "A long day. " * 7999 + "A long day."
    owner.get("/")

    assert owner.save(text).status == 200
    assert len(text) > SMALL_BODY
    assert owner.list_texts()[-1] == text
    stranger = Visitor(server=house.server)
    assert stranger.request("POST", "/sign-in/", b"x" * (SMALL_BODY + 1)).status == 401
    owner.post("/sign-out/")
    assert owner.request("POST", "/sign-in/", b"x" * (SMALL_BODY + 1)).status == 401


def test_a_locked_browser_may_send_a_long_draft(house: ServedHouse, owner: Visitor) -> None:
    owner.get("/")
    house.delete_unlocks(owner)

    response = owner.save_draft("What I was about to say. " * 4000)

    assert response.status not in (401, 408, 411, 413, 503), "the server read it"


def test_of_one_person_only_some_long_bodies_are_held_and_the_oldest_gives_way(
    house: ServedHouse, owner: Visitor
) -> None:
    head = (
        "POST /d/2026-01-01/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Length: {LARGE_BODY}\r\nCookie: {owner.cookie_header}\r\n\r\n"
    )
    most = LARGE_BODIES_OF_ONE // LARGE_BODY
    with ExitStack() as stack:
        half_sent = []
        for _ in range(most + 1):
            half_sent.append(stack.enter_context(begin(house, head.encode(), address=fresh_address())))
            half_sent[-1].sendall(b"x" * 100_000)
            # What was sent before a page was asked for is known once the page is there.
            owner.get("/")

        answer = read_to_the_end(half_sent[0])

        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Too much was sent at once" in answer
        assert owner.get("/").status == 200


def test_bodies_of_handshakes_are_not_counted_for_good(house: ServedHouse, owner: Visitor) -> None:
    """More of them than there is room for: a handshake is a request that never ends."""
    head = (
        "GET /live/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {'A' * 22}==\r\n"
        f"Content-Length: {SMALL_BODY}\r\n\r\n"
    )
    count = SMALL_BODIES // SMALL_BODY + 5
    with ExitStack() as stack:
        for number in range(count):
            sent = head.encode() + b"x" * SMALL_BODY
            stack.enter_context(begin(house, sent, address=f"127.91.0.{number // 8 + 1}"))

        assert owner.another().sign_in().status == 302


def test_a_live_socket_counts_as_a_connection_until_it_is_closed(house: ServedHouse, owner: Visitor) -> None:
    """More sockets than an address may have, one after the other: each leaves its place."""
    for _ in range(MAX_PER_ADDRESS + 10):
        with owner.socket() as live:
            assert live.close_code is None
    assert owner.get("/").status == 200
