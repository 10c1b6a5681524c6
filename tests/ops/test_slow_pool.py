"""Tests of the pool for slow requests: fair between addresses, one active request, limited queue."""

import asyncio
import json

import pytest

from accounts.http.headers import get_default_headers
from llamora.asgi import MAX_WAITING_PER_ADDRESS, PageHandler
from tests.ops.test_pages import Client, build_scope, pages

__all__ = ["pages"]


async def post_slowly(pages: PageHandler, address: str) -> int:
    client = Client()
    asked = build_scope("/sign-in/slowly/", method="POST") | {"client": [address, 1]}
    await pages(asked, client.incoming.get, client.send)
    return int(client.sent[0]["status"])


@pytest.mark.django_db(transaction=True)
async def test_a_crowd_from_one_address_is_refused_and_others_get_in(pages: PageHandler) -> None:
    crowd = [asyncio.create_task(post_slowly(pages, "192.0.2.1")) for _ in range(MAX_WAITING_PER_ADDRESS * 3)]
    await asyncio.sleep(0.05)

    status = await post_slowly(pages, "192.0.2.2")
    is_crowd_still_waiting = not all(one.done() for one in crowd)
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
