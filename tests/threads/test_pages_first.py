"""Tests of work on the event loop that yields to requests for pages."""

import asyncio
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.web.http import HTTPChannel

from llamora.ops.server.connections import ConnectionState
from llamora.ops.server.http_channel import _MOST_WAITING, DiaryChannel
from llamora.threads import UnansweredPages
from tests.fakes.waiting import PATIENCE, until

CALL = b"GET /api/v1/entries HTTP/1.1\r\n"


@pytest.fixture(autouse=True)
def _no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llamora.threads.pages_first.MOST_HELD_SECONDS", PATIENCE)


async def have_rounds() -> None:
    """Let the event loop run what is ready, and what that makes ready."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_work_waits_for_the_last_of_two_pages() -> None:
    pages, done = UnansweredPages(), list[int]()
    pages.begin()
    pages.begin()
    for number in range(3):
        pages.run_after(partial(done.append, number))

    pages.end()
    await have_rounds()
    before = list(done)
    pages.end()
    await have_rounds()

    assert before == []
    assert done == [0, 1, 2]


async def test_a_page_that_arrives_goes_before_what_still_waits() -> None:
    pages, done = UnansweredPages(), list[int]()

    def work(number: int) -> None:
        done.append(number)
        if number == 0:
            pages.begin()

    pages.begin()
    for number in range(3):
        pages.run_after(partial(work, number))
    pages.end()
    await have_rounds()
    before = list(done)
    pages.end()
    await have_rounds()

    assert before == [0]
    assert done == [0, 1, 2]


async def test_work_does_not_wait_for_ever_for_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llamora.threads.pages_first.MOST_HELD_SECONDS", 0.01)
    pages, done = UnansweredPages(), list[int]()
    pages.begin()
    for number in range(3):
        pages.run_after(partial(done.append, number))

    await until(lambda: done == [0, 1, 2])

    assert pages.exist


async def test_work_that_fails_holds_up_nothing() -> None:
    pages, done, failed = UnansweredPages(), list[int](), list[Any]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context["exception"]))
    pages.begin()
    pages.run_after(lambda: done.append(1 // 0))
    pages.run_after(partial(done.append, 1))

    pages.end()
    await have_rounds()

    assert done == [1]
    assert [type(error) for error in failed] == [ZeroDivisionError]


# --- What a connection reads meanwhile ---------------------------------------------------------------------


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> UnansweredPages:
    pages = UnansweredPages()
    monkeypatch.setattr("llamora.ops.server.http_channel.unanswered_pages", pages)
    pages.begin()
    return pages


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    found: list[bytes] = []
    monkeypatch.setattr(HTTPChannel, "dataReceived", lambda _, data: found.append(data))
    return found


def open_channel() -> Any:
    channel: Any = DiaryChannel()
    channel.connection = SimpleNamespace(state=ConnectionState.HEAD)
    return channel


async def test_a_call_is_read_after_the_page(pages: UnansweredPages, read: list[bytes]) -> None:
    channel = open_channel()
    channel.dataReceived(CALL)
    channel.dataReceived(b"\r\n")
    open_channel().dataReceived(b"GET / HTTP/1.1\r\n")
    before = list(read)

    pages.end()
    await have_rounds()
    channel.dataReceived(CALL)

    assert before == [b"GET / HTTP/1.1\r\n"]
    assert read[1:] == [CALL + b"\r\n", CALL]


async def test_only_the_beginning_of_a_long_call_waits(pages: UnansweredPages, read: list[bytes]) -> None:
    channel = open_channel()
    channel.dataReceived(CALL)
    channel.dataReceived(b"x" * _MOST_WAITING)
    channel.dataReceived(b"y")

    pages.end()
    await have_rounds()

    assert read == [CALL + b"x" * _MOST_WAITING, b"y"]


async def test_a_call_that_was_refused_is_not_read(pages: UnansweredPages, read: list[bytes]) -> None:
    channel = open_channel()
    channel.dataReceived(CALL)
    channel.connection.state = ConnectionState.REFUSED

    pages.end()
    await have_rounds()

    assert read == []


# --- What a connection sends -------------------------------------------------------------------------------


@pytest.mark.parametrize(("is_closing", "expected"), [(False, ["sent", "done"]), (True, ["done"])])
def test_the_rest_of_a_response_is_sent_at_once(
    monkeypatch: pytest.MonkeyPatch, *, is_closing: bool, expected: list[str]
) -> None:
    found: list[str] = []
    monkeypatch.setattr(HTTPChannel, "requestDone", lambda *_: found.append("done"))
    channel = open_channel()
    channel._connections = SimpleNamespace(change=lambda *_: None)
    channel.transport = SimpleNamespace(
        connected=True,
        disconnecting=is_closing,
        disconnected=False,
        doWrite=lambda: found.append("sent"),
    )

    channel.requestDone(object())

    assert found == expected
