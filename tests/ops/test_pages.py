"""Tests of the page pool of `llamora.asgi`: one thread for a whole request."""

import asyncio
import gc
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from llamora.asgi import PROGRAM_RANK, PageHandler, is_slow
from tests.fakes.waiting import PATIENCE, until
from tests.ops.serving.urls import SEEN


@pytest.fixture
def pages() -> Iterator[PageHandler]:
    middleware = ["django.middleware.common.CommonMiddleware"]
    with override_settings(ROOT_URLCONF="tests.ops.serving.urls", MIDDLEWARE=middleware, PAGE_THREADS=2):
        pages = PageHandler()
        yield pages
        pages.close()


def build_scope(
    path: str, *, method: str = "GET", query: str = "", address: str = "127.0.0.1"
) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost")],
        "client": [address, 1],
        "server": ["localhost", 1],
    }


class Client:
    """The client of one ASGI request."""

    def __init__(self, body: bytes = b"") -> None:
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.incoming.put_nowait({"type": "http.request", "body": body, "more_body": False})
        self.sent: list[dict[str, Any]] = []

    async def send(self, event: Any) -> None:
        self.sent.append(event)

    def leave(self) -> None:
        self.incoming.put_nowait({"type": "http.disconnect"})

    @property
    def body(self) -> bytes:
        return b"".join(event.get("body", b"") for event in self.sent)


async def get(pages: PageHandler, path: str, **more: Any) -> Any:
    client = Client(more.pop("body", b""))
    await pages(build_scope(path, **more), client.incoming.get, client.send)
    return json.loads(client.body)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/sign-in/", True),
        ("POST", "/unlock/", True),
        ("POST", "/register/", True),
        ("POST", "/recover/", True),
        ("POST", "/replies/0193-/stop/", True),
        ("POST", "/export/", True),
        ("GET", "/sign-in/", False),
        ("POST", "/d/2026-11-20/", False),
    ],
)
def test_only_what_derives_or_waits_is_slow(*, method: str, path: str, expected: bool) -> None:
    assert is_slow(build_scope(path, method=method)) is expected


@pytest.mark.django_db(transaction=True)
async def test_pages_share_few_threads_and_their_lasting_connections(pages: PageHandler) -> None:
    answers = [await get(pages, "/where/") for _ in range(12)]

    assert {answer["thread"] for answer in answers} <= {"page_0", "page_1"}
    assert len({answer["connection"] for answer in answers}) <= 2


@pytest.mark.django_db(transaction=True)
async def test_a_page_leaves_nothing_to_the_next_in_its_thread(pages: PageHandler) -> None:
    answers = [await get(pages, "/where/") for _ in range(6)]

    assert {answer["left"] for answer in answers} == {"nothing"}


async def test_a_request_is_freed_with_its_response(pages: PageHandler) -> None:
    """Without the cycle collector, so that no form stays in memory until it runs."""
    added = ["django_htmx.middleware.HtmxMiddleware", "django.contrib.messages.middleware.MessageMiddleware"]
    with override_settings(MIDDLEWARE=added):
        pages.load_middleware(is_async=False)
    SEEN.clear()
    gc.disable()
    try:
        answer = await get(pages, "/message/")
        await until(lambda: SEEN[0]() is None)
    finally:
        gc.enable()

    assert answer == {"is_script": False}


@pytest.mark.django_db(transaction=True)
async def test_a_page_does_not_wait_behind_many_sign_ins(pages: PageHandler) -> None:
    waiting = [
        asyncio.create_task(
            pages(
                build_scope("/sign-in/slowly/", method="POST", query="seconds=0.5"),
                client.incoming.get,
                client.send,
            )
        )
        for client in [Client() for _ in range(8)]
    ]
    await asyncio.sleep(0.05)

    answer = await get(pages, "/where/")
    answered = [task.done() for task in waiting]
    await asyncio.gather(*waiting)

    assert answer["thread"].startswith("page")
    assert not any(answered)


async def test_a_page_waits_for_one_of_many_from_another_address(pages: PageHandler) -> None:
    order: list[str] = []
    others, own = "127.7.7.7", "127.7.7.8"
    may_begin = threading.Event()

    async def ask(address: str) -> None:
        await get(pages, "/sized/", address=address)
        order.append(address)

    blocking = pages.page_pool.submit(may_begin.wait, PATIENCE)
    asking = [asyncio.create_task(ask(address)) for address in (*[others] * 8, own)]
    await until(lambda: sum(map(len, pages.page_pool._waiting.values())) == len(asking))
    may_begin.set()
    await asyncio.gather(*asking)

    assert blocking.result()
    assert own in order[:3]


async def test_a_client_that_leaves_does_not_end_what_it_asked_for(
    pages: PageHandler, tmp_path: Path
) -> None:
    mark, client = tmp_path / "mark", Client()
    query = f"seconds=0.2&mark={mark}"
    task = asyncio.create_task(pages(build_scope("/slowly/", query=query), client.incoming.get, client.send))
    await asyncio.sleep(0.05)

    task.cancel()
    await until(lambda: mark.exists() and mark.read_text() == "done")

    assert task.cancelled()


async def test_what_waits_for_a_thread_is_done_though_its_client_left(
    pages: PageHandler, tmp_path: Path
) -> None:
    first = [Client(), Client()]
    busy = [asyncio.create_task(pages(build_scope("/slowly/"), c.incoming.get, c.send)) for c in first]
    mark, client = tmp_path / "mark", Client()
    query = f"seconds=0&mark={mark}"
    task = asyncio.create_task(pages(build_scope("/slowly/", query=query), client.incoming.get, client.send))
    await asyncio.sleep(0.05)

    task.cancel()
    await asyncio.gather(*busy)

    await until(lambda: mark.exists() and mark.read_text() == "done")


async def test_a_stream_ends_when_nobody_listens(pages: PageHandler) -> None:
    from tests.ops.serving.urls import STREAMED

    STREAMED.clear()
    client = Client()
    task = asyncio.create_task(pages(build_scope("/stream/"), client.incoming.get, client.send))
    await until(lambda: client.body.startswith(b"part\n"))
    client.leave()
    await asyncio.wait_for(task, PATIENCE)

    # Of a thousand, which take a minute.
    assert 1 <= len(STREAMED) < 900


async def test_a_large_body_stays_in_memory(pages: PageHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a body went to a temporary file")

    for name in ("SpooledTemporaryFile", "TemporaryFile", "NamedTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)

    answer = await get(pages, "/sized/", method="POST", body=b"x" * 3_000_000)

    assert answer["size"] == 3_000_000


async def test_a_client_that_leaves_before_its_body_came_is_forgotten(pages: PageHandler) -> None:
    client = Client()
    client.incoming = asyncio.Queue()
    client.leave()

    await pages(build_scope("/sized/", method="POST"), client.incoming.get, client.send)

    assert client.sent == []


class ClientBesideAProgram(Client):
    """A client of a page; a program's call arrives when the response begins."""

    def __init__(self, pages: PageHandler) -> None:
        super().__init__()
        self.pages = pages
        self.program: asyncio.Future[str] | None = None

    async def send(self, event: Any) -> None:
        await super().send(event)
        if self.program is None:
            pool, call = self.pages.page_pool, lambda: "done"
            self.program = asyncio.wrap_future(pool.submit_for_key("program", call, rank=PROGRAM_RANK))
            await self.look()

    async def look(self) -> None:
        raise NotImplementedError


async def test_no_program_runs_before_a_page_is_sent(
    pages: PageHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamora.asgi.MOST_HELD_SECONDS", PATIENCE)
    hold_others = pages.page_pool.hold_others
    order: list[str] = []

    class WatchedHold:
        def __init__(self) -> None:
            self.hold = hold_others()
            order.append("held")

        def release(self) -> None:
            order.append("released")
            self.hold.release()

    class Notes(ClientBesideAProgram):
        async def look(self) -> None:
            order.append("begun")

        async def send(self, event: Any) -> None:
            await super().send(event)
            order.append(str(event["type"]))

    # A program that is not held may run a little later all the same: what holds it is watched instead.
    monkeypatch.setattr(pages.page_pool, "hold_others", WatchedHold)
    client = Notes(pages)
    await pages(build_scope("/sized/"), client.incoming.get, client.send)

    assert order == ["held", "begun", "http.response.start", "http.response.body", "released"]
    assert client.program is not None
    assert await client.program == "done"


@pytest.mark.parametrize(("path", "most"), [("/stream/", PATIENCE), ("/sized/", 0.001)])
async def test_neither_a_stream_nor_a_slow_page_holds_programs(
    pages: PageHandler, monkeypatch: pytest.MonkeyPatch, path: str, most: float
) -> None:
    monkeypatch.setattr("llamora.asgi.MOST_HELD_SECONDS", most)
    done: list[str] = []

    class Waits(ClientBesideAProgram):
        async def look(self) -> None:
            assert self.program is not None
            done.append(await asyncio.wait_for(self.program, PATIENCE / 2))

    client = Waits(pages)
    query = "parts=2&pause=0" if path == "/stream/" else ""
    await pages(build_scope(path, query=query), client.incoming.get, client.send)

    assert done == ["done"]
