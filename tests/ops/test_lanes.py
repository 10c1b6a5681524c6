"""Slow work takes turns by address, and a crowd from one place is refused without a thread."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from accounts.http.headers import get_default_headers
from llamora.asgi import PageHandler
from llamora.threads.fair_executor import MAX_WAITING, FairExecutor
from tests.ops.test_pages import Client, pages, scope

__all__ = ["pages"]


@pytest.fixture
def lanes() -> Iterator[FairExecutor]:
    lanes = FairExecutor(threads=1, name="lane", longest=5)
    yield lanes
    lanes.shutdown(wait=True, cancel_futures=True)


class Gate:
    """Keeps the only thread until it is opened."""

    def __init__(self, lanes: FairExecutor) -> None:
        self.opened, self.entered = threading.Event(), threading.Event()
        lanes.submit_for_key("gate", self._wait)
        assert self.entered.wait(5)

    def _wait(self) -> None:
        self.entered.set()
        self.opened.wait(10)


def test_one_address_waits_for_itself_and_not_in_front_of_others(lanes: FairExecutor) -> None:
    order: list[str] = []
    gate = Gate(lanes)
    crowd = [lanes.submit_for_key("crowd", lambda: order.append("crowd")) for _ in range(5)]

    late = lanes.submit_for_key("owner", lambda: order.append("owner"))
    gate.opened.set()
    late.result(5)
    for one in crowd:
        one.result(5)

    assert order.index("owner") <= 1


def test_within_one_address_the_first_goes_first(lanes: FairExecutor) -> None:
    order: list[int] = []
    gate = Gate(lanes)
    calls = [lanes.submit_for_key("crowd", lambda number=number: order.append(number)) for number in range(4)]  # type: ignore[misc]

    gate.opened.set()
    for call in calls:
        call.result(5)

    assert order == [0, 1, 2, 3]


def test_a_lane_is_full_at_its_limit_and_others_are_not(lanes: FairExecutor) -> None:
    gate = Gate(lanes)

    for _ in range(5):
        lanes.submit_for_key("crowd", lambda: None)

    assert lanes.is_full("crowd")
    assert not lanes.is_full("owner")
    gate.opened.set()


def test_an_error_reaches_its_asker_and_the_next_one_still_runs(lanes: FairExecutor) -> None:
    def breaks() -> None:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - it has no words
        lanes.for_key("owner").submit(breaks).result(5)
    assert lanes.for_key("owner").submit(lambda: 7).result(5) == 7


def test_what_was_given_up_is_never_run(lanes: FairExecutor) -> None:
    gate, ran = Gate(lanes), []
    call = lanes.submit_for_key("owner", lambda: ran.append(1))

    call.cancel()
    gate.opened.set()
    lanes.for_key("owner").submit(lambda: None).result(5)

    assert ran == []


def test_closing_drops_what_waits() -> None:
    lanes = FairExecutor(threads=1, name="lane")
    gate = Gate(lanes)
    call = lanes.submit_for_key("owner", lambda: None)

    lanes.shutdown(wait=False, cancel_futures=True)
    gate.opened.set()
    lanes.shutdown(wait=True)

    assert call.cancelled()


async def post_slowly(pages: PageHandler, address: str) -> int:
    client = Client()
    asked = scope("/sign-in/slowly/", method="POST") | {"client": [address, 1]}
    await pages(asked, client.incoming.get, client.send)
    return int(client.sent[0]["status"])


@pytest.mark.django_db(transaction=True)
async def test_a_crowd_from_one_address_is_refused_and_others_get_in(pages: PageHandler) -> None:
    crowd = [asyncio.create_task(post_slowly(pages, "192.0.2.1")) for _ in range(MAX_WAITING * 3)]
    await asyncio.sleep(0.05)

    began = time.monotonic()
    status = await post_slowly(pages, "192.0.2.2")
    took = time.monotonic() - began
    statuses = await asyncio.gather(*crowd)

    assert status == 200
    assert took < 2.0
    assert statuses.count(429) >= MAX_WAITING
    assert 200 in statuses


async def test_the_refusal_says_when_and_is_kept_by_nobody(
    pages: PageHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages.slow_pool, "is_full", lambda address: True)
    client = Client()

    await pages(scope("/sign-in/", method="POST"), client.incoming.get, client.send)

    headers = dict(client.sent[0]["headers"])
    assert client.sent[0]["status"] == 429
    assert headers[b"Retry-After"] == b"2"
    assert {name: headers[name.encode()].decode() for name in get_default_headers()} == get_default_headers()
    assert headers[b"Content-Security-Policy"].startswith(b"default-src 'none'")
    assert b"Try again" in client.body
