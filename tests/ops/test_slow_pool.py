"""Tests of the pool for slow requests: fair between addresses, one active request, limited queue."""

import asyncio
import json
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from accounts.http.headers import get_default_headers
from accounts.throttling.throttle import throttle
from llamora.asgi import MAX_WAITING_PER_ADDRESS, RESERVED_SLOW_THREADS, SLOW_THREADS, PageHandler
from tests.fakes.waiting import until
from tests.ops.test_pages import Client, build_scope, pages
from tests.people import HERE, new_resident

__all__ = ["pages"]


async def post_slowly(pages: PageHandler, address: str, *, cookie: bytes = b"", query: str = "") -> int:
    client = Client()
    asked = build_scope("/sign-in/slowly/", method="POST", query=query) | {"client": [address, 1]}
    asked["headers"] += [(b"cookie", cookie)] if cookie else []
    await pages(asked, client.incoming.get, client.send)
    return int(client.sent[0]["status"])


@pytest.mark.django_db(transaction=True)
async def test_a_crowd_from_one_address_is_refused_and_others_get_in(
    pages: PageHandler, tmp_path: Path
) -> None:
    crowd = [
        asyncio.create_task(post_slowly(pages, "192.0.2.1", query=f"until={tmp_path / f'end-{number}'}"))
        for number in range(MAX_WAITING_PER_ADDRESS * 3)
    ]
    await until(lambda: sum(one.done() for one in crowd) >= MAX_WAITING_PER_ADDRESS)

    other = asyncio.create_task(post_slowly(pages, "192.0.2.2", query="seconds=0"))
    for _ in range(20):
        await asyncio.sleep(0)
    # One thread is free, for which all of them wait.
    (tmp_path / "end-0").touch()
    status = await other
    is_crowd_still_waiting = not all(one.done() for one in crowd)
    for number in range(len(crowd)):
        (tmp_path / f"end-{number}").touch()
    statuses = await asyncio.gather(*crowd)

    assert status == 200
    assert is_crowd_still_waiting
    assert statuses.count(429) >= MAX_WAITING_PER_ADDRESS
    assert 200 in statuses


@pytest.mark.django_db(transaction=True)
async def test_requests_that_wait_for_no_derivation_are_made_one_at_a_time(pages: PageHandler) -> None:
    clients = [Client() for _ in range(12)]
    asked = [
        build_scope("/register/active/", method="POST") | {"client": [f"192.0.2.{n}", 1]} for n in range(12)
    ]

    await asyncio.gather(
        *(pages(each, c.incoming.get, c.send) for each, c in zip(asked, clients, strict=True))
    )

    assert {json.loads(client.body)["active"] for client in clients} == {1}


async def test_the_refusal_says_when_and_is_kept_by_nobody(
    pages: PageHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages.slow_pool, "is_full", lambda address: True)
    client = Client()

    await pages(build_scope("/sign-in/", method="POST"), client.incoming.get, client.send)

    headers = dict(client.sent[0]["headers"])
    assert client.sent[0]["status"] == 429
    assert headers[b"Retry-After"] == b"2"
    assert {name: headers[name.encode()].decode() for name in get_default_headers()} == get_default_headers()
    assert headers[b"Content-Security-Policy"].startswith(b"default-src 'none'")
    assert b"try again" in client.body


@pytest.mark.django_db(transaction=True)
async def test_a_signed_in_browser_gets_in_where_a_crowd_has_its_address(
    pages: PageHandler, tmp_path: Path
) -> None:
    end_of_crowd = tmp_path / "end"
    owner = await sync_to_async(new_resident)("Olive")
    cookie = f"llamora_session={owner.get_cookie().encode()}".encode()
    # Those that have a thread first: one that takes a waiting request leaves a place for another one.
    crowd = [
        asyncio.create_task(
            post_slowly(pages, HERE, query=f"until={end_of_crowd}&begun={tmp_path / f'begun-{number}'}")
        )
        for number in range(SLOW_THREADS)
    ]
    await until(lambda: len(list(tmp_path.glob("begun-*"))) == SLOW_THREADS)
    crowd += [
        asyncio.create_task(post_slowly(pages, HERE, query=f"until={end_of_crowd}"))
        for _ in range(MAX_WAITING_PER_ADDRESS)
    ]
    await until(lambda: pages.slow_pool.is_full(HERE))

    stranger = await post_slowly(pages, HERE)
    recognised = asyncio.create_task(post_slowly(pages, HERE, cookie=cookie))
    await asyncio.wait([recognised], timeout=0.3)
    end_of_crowd.touch()
    await asyncio.gather(*crowd)

    assert (stranger, await recognised) == (429, 200)


@pytest.mark.django_db(transaction=True)
async def test_an_address_that_failed_goes_after_those_that_did_not(
    pages: PageHandler, tmp_path: Path
) -> None:
    end = tmp_path / "end"

    def list_begun() -> list[Path]:
        return list(tmp_path.glob("begun-*"))

    for number in range(SLOW_THREADS):
        fail_once(f"guesser {number}")

    guesses = [
        asyncio.create_task(
            post_slowly(pages, f"guesser {n}", query=f"until={end}&begun={tmp_path / f'begun-{n}'}")
        )
        for n in range(SLOW_THREADS)
    ]
    most = SLOW_THREADS - RESERVED_SLOW_THREADS
    await until(lambda: len(list_begun()) == most)
    owner = await post_slowly(pages, "owner", query="seconds=0")
    begun_before = len(list_begun())
    end.touch()

    # Those that had begun are not ended for it; of those that found no free thread, all begin later.
    assert (owner, begun_before) == (200, most)
    assert await asyncio.gather(*guesses) == [200] * SLOW_THREADS


def fail_once(address: str) -> None:
    with throttle.attempt("sign-in", address=address) as attempt:
        attempt.fail()
