"""The roof: pages in a few lasting threads, the live socket on the loop.

A whole request (middleware, view, queries, template) runs in one thread of a small pool, on that
thread's lasting database connection: no hop between loop and thread inside a page. Paths that
derive a key take a pool of their own, so that nobody's page waits behind somebody's sign-in, and take
turns there by address, so that nobody's sign-in waits behind somebody else's two hundred.
"""

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from io import BytesIO
from typing import Any, TypeVar

import django
from django.apps import apps
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.core.signals import request_started
from django.http.response import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import get_resolver, set_script_prefix

if not apps.ready:
    django.setup()

from accounts.addresses import normal_address
from accounts.headers import bare
from llamora.database import OneAtATime
from llamora.lanes import Lanes
from llamora.routing import sockets  # its models need the apps

logger = logging.getLogger("llamora.asgi")
T = TypeVar("T")
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

SLOW_THREADS = 16
RETRY_SECONDS = 2
UNREADABLE = "This request could not be read, so nothing was done."
CROWDED = "That was very often in a short time. Try again in a few seconds."
# Whatever derives a key, weighs a password, waits for a job to end or moves a whole diary.
SLOW_PATHS = (
    *("/sign-in/", "/register/", "/unlock/", "/recover/", "/strength/", "/settings/"),
    *("/replies/", "/import/", "/export/"),
)


def is_slow(scope: Scope) -> bool:
    """Tell whether a request belongs in the pool for slow work."""
    method, path = str(scope["method"]), str(scope["path"])
    return method == "POST" and path.startswith(SLOW_PATHS)


class Failed(Exception):  # noqa: N818 - named for what a reader of the log sees
    """A page or a socket ended in an error of the kind that is named."""


class Pages(ASGIHandler):
    """Serves each request whole, in one lasting thread; bodies stay in memory."""

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        # Every view is imported now: a fault in one stops the start, and no first page waits for it.
        get_resolver().url_patterns  # noqa: B018
        self.quick = OneAtATime(settings.PAGE_THREADS, name="page")
        self.slow = Lanes(threads=SLOW_THREADS, name="slow")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        pool: Executor = self.quick
        if is_slow(scope):
            address = _address(scope)
            if self.slow.is_full(address):
                await self.send_response(_crowded(), send)
                return
            pool = self.slow.of(address)
        response = await _in(pool, partial(self.answer, scope, body))
        if not isinstance(response, StreamingHttpResponse):
            await self.send_response(response, send)
            return
        try:
            await self._stream(response, pool, receive, send)
        finally:
            await _in(pool, response.close)

    async def read_body(self, receive: Receive) -> BytesIO:
        """Gather the body in memory; `llamora.management.requests` has bounded it."""
        parts = []
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                raise RequestAborted
            parts.append(event.get("body", b""))
            if not event.get("more_body", False):
                return BytesIO(b"".join(parts))

    def answer(self, scope: Scope, body: BytesIO) -> HttpResponseBase:
        """Make the response in this thread and, unless it streams, close its request here too."""
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=type(self), scope=scope)
        response = self._respond(scope, body)
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if not response.streaming:
            response.close()
        return response

    def _respond(self, scope: Scope, body: BytesIO) -> HttpResponseBase:
        request, refusal = self.create_request(scope, body)
        if request is not None:
            return self.get_response(request)
        return _bare(UNREADABLE, status=refusal.status_code if refusal else 400, headers={})

    async def _stream(
        self, response: StreamingHttpResponse, pool: Executor, receive: Receive, send: Send
    ) -> None:
        """Send a streamed response part by part until it ends or nobody listens any more."""
        gone = asyncio.ensure_future(receive())
        try:
            await send(_start_of(response))
            async for part in _parts(response, pool):
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body"})
        finally:
            gone.cancel()

    def close(self) -> None:
        """Take no more work, drop what has not begun, wait for what has."""
        for wait in (False, True):
            self.quick.shutdown(wait=wait, cancel_futures=not wait)
            self.slow.shutdown(wait=wait, cancel_futures=not wait)


def _address(scope: Scope) -> str:
    return normal_address((scope.get("client") or ("",))[0])


def _crowded() -> HttpResponse:
    """Answer one of a crowd without a thread; the sentence alone, with what every page is sent with."""
    return _bare(CROWDED, status=429, headers={"Retry-After": str(RETRY_SECONDS)})


def _bare(sentence: str, *, status: int, headers: Mapping[str, str]) -> HttpResponse:
    said = {**bare(), **headers}
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8", headers=said)


async def _in(pool: Executor, call: Callable[[], T]) -> T:
    """Run a call in the pool, in an empty context; a client that leaves ends the waiting, not the call."""
    work = asyncio.get_running_loop().run_in_executor(pool, contextvars.Context().run, call)
    return await asyncio.shield(work)


def _start_of(response: HttpResponseBase) -> dict[str, Any]:
    headers = [(name.encode("ascii"), value.encode("latin1")) for name, value in response.items()]
    cookies = [(b"Set-Cookie", cookie.OutputString().encode("ascii")) for cookie in response.cookies.values()]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers + cookies}


async def _parts(response: StreamingHttpResponse, pool: Executor) -> AsyncIterator[bytes]:
    """Yield what a response streams; a plain iterator is pulled in the pool, one part at a time."""
    if response.is_async:
        async for part in response:
            yield part
        return
    parts = iter(response)
    while (part := await _in(pool, partial(next, parts, None))) is not None:
        yield part


pages = Pages()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Hand a page to the threads and a socket to the loop (`up` has bound the jobs to it)."""
    try:
        await (sockets if scope["type"] == "websocket" else pages)(scope, receive, send)
    except Exception as error:
        # Daphne logs what an error says, and that may quote the diary: it gets the kind alone.
        logger.error("A %s failed.", scope["type"], exc_info=True)
        raise Failed(type(error).__name__) from None
