"""The ASGI application: requests run in three thread pools, the WebSocket on the event loop.

A whole request (middleware, view, queries, template) runs in one thread, with that thread's database
connection, which stays open between requests.

    page pool   ordinary requests and, after them, calls of programs, fair between addresses; while a page is
                being answered, but at most for MOST_HELD_SECONDS (`llamora.threads.pages_first`), no call
                begins, and a running one pauses at `llamora.api.call.yield_to_pages`
    answer pool calls of programs that wait for the model, fair between addresses
    slow pool   requests that derive a key, rate a password, wait for a job or handle a whole diary; fair
                between addresses, so that many requests from one address do not delay a sign-in from another;
                some of its threads run only requests from addresses that have not failed lately

In each pool one request is active at a time; while it waits, another one runs
(`llamora.threads.fair_executor`). So any number of requests of the slow pool uses at most one processor. If
too many requests from one address are waiting, the next request is refused at once.
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
from django.http import HttpRequest
from django.http.response import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import get_resolver, set_script_prefix

if not apps.ready:
    django.setup()

from accounts.http.headers import get_plain_page_headers
from accounts.sessions.scope import find_recognised_browser
from accounts.throttling.client_ip import normalize_ip
from accounts.throttling.throttle import throttle
from llamora.api.errors import PROGRAM_PATHS, ApiError
from llamora.routing import websocket_application  # its models need the apps
from llamora.threads import FairExecutor, Hold, unanswered_pages
from llamora.threads.pages_first import MOST_HELD_SECONDS

logger = logging.getLogger("llamora.asgi")
T = TypeVar("T")
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

# A quarter is for those who have not failed: a guesser's request holds its thread while it waits.
SLOW_THREADS, RESERVED_SLOW_THREADS = 16, 4
MAX_WAITING_PER_ADDRESS = 48
# Seconds that an address waits before each slow request, for each unsuccessful one beyond the free ones.
FREE_ATTEMPTS, PAUSE_STEP, MAX_PAUSE = 8, 0.1, 2.0
RETRY_SECONDS = 2
UNREADABLE = "This request could not be read. Nothing was changed."
TOO_MANY_REQUESTS = "Too many requests. Wait a few seconds, then try again."
# Calls of programs, which come after pages; those that wait for a model have threads of their own.
PROGRAM_THREADS, ANSWER_THREADS = 8, 16
PROGRAM_RANK = 1
# Of one address: a household's programs may all be on one machine.
MAX_WAITING_CALLS = 256
ANSWER_PATH = "/api/chat"
SLOW_PATHS = (
    *("/sign-in/", "/register/", "/unlock/", "/recover/", "/strength/", "/settings/"),
    *("/replies/", "/export/"),
)


def is_of_program(scope: Scope) -> bool:
    """Return whether a request is a call of a program (API or MCP), which expects errors as JSON."""
    return str(scope["path"]).startswith(PROGRAM_PATHS)


def is_slow(scope: Scope) -> bool:
    """Return whether a request runs in the slow pool, the threads for requests that take long."""
    # In capitals, as Django reads it.
    method, path = str(scope["method"]).upper(), str(scope["path"])
    return method == "POST" and path.startswith(SLOW_PATHS)


class RequestFailed(Exception):  # noqa: N818 - named for what a reader of the log sees
    """Raised instead of an exception of a request or WebSocket. Its message is only that exception's type."""


class PageHandler(ASGIHandler):
    """ASGI handler that handles each request in one thread of a pool. Request bodies stay in memory."""

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        # Imports every view now: a fault in one stops the start, and no first page waits for it.
        get_resolver().url_patterns  # noqa: B018
        # One pool, so that a person's page waits for a part of one call of a program, and for no more.
        self.page_pool = FairExecutor(
            threads=settings.PAGE_THREADS + PROGRAM_THREADS,
            name="page",
            max_active=1,
            max_waiting=MAX_WAITING_CALLS,
            reserved_threads=settings.PAGE_THREADS,
        )
        self.answer_pool = FairExecutor(
            threads=ANSWER_THREADS, name="answer", max_active=1, max_waiting=MAX_WAITING_PER_ADDRESS
        )
        self.slow_pool = FairExecutor(
            threads=SLOW_THREADS,
            name="slow",
            max_active=1,
            max_waiting=MAX_WAITING_PER_ADDRESS,
            reserved_threads=RESERVED_SLOW_THREADS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        address, hold = _get_client_address(scope), None
        pool: Executor
        if is_of_program(scope):
            fair_pool = self.answer_pool if scope["path"] == ANSWER_PATH else self.page_pool
            if fair_pool.is_full(address):
                await self.send_response(_build_busy_response(), send)
                return
            pool = fair_pool.for_key(address, rank=PROGRAM_RANK)
        elif is_slow(scope):
            key, rank = await self._find_place(scope, body)
            if self.slow_pool.is_full(key):
                await self.send_response(_build_too_many_requests(), send)
                return
            pool = self.slow_pool.for_key(key, rank=rank)
        else:
            # Another key than that of the programs of this address, for whose calls it waits in no queue.
            pool = self.page_pool.for_key(f"pages of {address}")
            hold = self._hold_programs()
        try:
            response = await _run_in_pool(pool, partial(self.respond, scope, body))
            if not isinstance(response, StreamingHttpResponse):
                await self.send_response(response, send)
                return
        finally:
            if hold is not None:
                hold.release()
                unanswered_pages.end()
        try:
            await self._stream(response, pool, receive, send)
        finally:
            await _run_in_pool(pool, response.close)

    def _hold_programs(self) -> Hold:
        """Hold calls of programs back until a page is answered, at most for MOST_HELD_SECONDS.

        If the page takes longer, it still goes first between the parts of a call.
        """
        unanswered_pages.begin()
        hold = self.page_pool.hold_others()
        asyncio.get_running_loop().call_later(MOST_HELD_SECONDS, hold.release)
        return hold

    async def _find_place(self, scope: Scope, body: BytesIO) -> tuple[str, int]:
        """Return the key and the rank of a request in the slow pool.

        A recognised browser has its own key. A request from an address that has often failed is first
        delayed, without occupying a thread.
        """
        address = _get_client_address(scope)
        unsuccessful = throttle.count_unsuccessful(address)
        if not unsuccessful and not self.slow_pool.is_full(address):
            return address, 0
        recognise = partial(find_recognised_browser, scope, body.getvalue())
        if browser := await _run_in_pool(self.page_pool, recognise):
            return browser, 0
        await asyncio.sleep(min(MAX_PAUSE, PAUSE_STEP * max(0, unsuccessful - FREE_ATTEMPTS)))
        return address, unsuccessful

    async def read_body(self, receive: Receive) -> BytesIO:
        """Return the body from memory; the server has limited its size (`llamora.ops.server`)."""
        parts = []
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                raise RequestAborted
            parts.append(event.get("body", b""))
            if not event.get("more_body", False):
                return BytesIO(b"".join(parts))

    def respond(self, scope: Scope, body: BytesIO) -> HttpResponseBase:
        """Run the request in this thread. Unless the response is a stream, close it. Return the response.

        The content of a closed response can still be sent.
        """
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=type(self), scope=scope)
        response = self._build_response(scope, body)
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if not response.streaming:
            response.close()
        return response

    def _build_response(self, scope: Scope, body: BytesIO) -> HttpResponseBase:
        request, refusal = self.create_request(scope, body)
        if request is not None:
            response = self.get_response(request)
            if not response.streaming:
                _break_cycles(request)
            return response
        return _build_plain_response(UNREADABLE, status=refusal.status_code if refusal else 400, headers={})

    async def _stream(
        self, response: StreamingHttpResponse, pool: Executor, receive: Receive, send: Send
    ) -> None:
        """Send a streamed response part by part until it ends or the client disconnects."""
        disconnected = asyncio.ensure_future(receive())
        try:
            await send(_build_response_start(response))
            parts = _iter_parts(response, pool)
            while (part := await _get_next_part(parts, response, disconnected)) is not None:
                await send({"type": "http.response.body", "body": part, "more_body": True})
            if not disconnected.done():
                await send({"type": "http.response.body"})
        finally:
            disconnected.cancel()

    def close(self) -> None:
        """Refuse new requests, cancel waiting ones, and wait for running ones."""
        for wait in (False, True):
            for pool in (self.page_pool, self.answer_pool, self.slow_pool):
                pool.shutdown(wait=wait, cancel_futures=not wait)


def _break_cycles(request: HttpRequest) -> None:
    """Remove from a request, after its response, what refers to it.

    As a cycle, a request with its form and keyring would stay in memory until a garbage collection.
    """
    for name in ("htmx", "_messages"):
        vars(request).pop(name, None)


def _get_client_address(scope: Scope) -> str:
    return normalize_ip((scope.get("client") or ("",))[0])


def _build_too_many_requests() -> HttpResponse:
    """Return the response to a request from an address with too many waiting requests."""
    return _build_plain_response(TOO_MANY_REQUESTS, status=429, headers={"Retry-After": str(RETRY_SECONDS)})


def _build_busy_response() -> HttpResponse:
    """Return the response to a call from an address with too many waiting calls."""
    response = ApiError(503, "busy", headers={"Retry-After": str(RETRY_SECONDS)}).build_response()
    for name, value in get_plain_page_headers().items():
        response.headers.setdefault(name, value)
    return response


def _build_plain_response(sentence: str, *, status: int, headers: Mapping[str, str]) -> HttpResponse:
    headers = {**get_plain_page_headers(), **headers}
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8", headers=headers)


async def _run_in_pool(pool: Executor, call: Callable[[], T]) -> T:
    """Run a call in the pool, in an empty context; it finishes even if the client disconnects."""
    result = asyncio.get_running_loop().run_in_executor(pool, contextvars.Context().run, call)
    return await asyncio.shield(result)


def _build_response_start(response: HttpResponseBase) -> dict[str, Any]:
    headers = [(name.encode("ascii"), value.encode("latin1")) for name, value in response.items()]
    cookies = [(b"Set-Cookie", cookie.OutputString().encode("ascii")) for cookie in response.cookies.values()]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers + cookies}


async def _get_next_part(
    parts: AsyncIterator[bytes], response: StreamingHttpResponse, disconnected: "asyncio.Future[Any]"
) -> bytes | None:
    """Return the next part, or None at the end or once the client has disconnected.

    An asynchronous iterator may take minutes for a part, so it is cancelled when the client disconnects. A
    part that a thread computes is always waited for, because the response can be closed only afterwards.
    """
    if disconnected.done():
        return None
    part = asyncio.ensure_future(anext(parts, None))
    if response.is_async:
        await asyncio.wait({part, disconnected}, return_when=asyncio.FIRST_COMPLETED)
        if not part.done():
            part.cancel()
            await asyncio.wait({part})
            return None
    found = await part
    return None if disconnected.done() else found


async def _iter_parts(response: StreamingHttpResponse, pool: Executor) -> AsyncIterator[bytes]:
    """Yield the parts of a streamed response; a synchronous iterator is advanced in the pool."""
    if response.is_async:
        async for part in response:
            yield part
        return
    parts = iter(response)
    while (part := await _run_in_pool(pool, partial(next, parts, None))) is not None:
        yield part


pages = PageHandler()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Handle a request in a thread, or a WebSocket on the event loop."""
    try:
        await (websocket_application if scope["type"] == "websocket" else pages)(scope, receive, send)
    except Exception as error:
        # Daphne logs an error's message, which may quote the diary: it is given the type alone.
        logger.error("A request failed (%s).", scope["type"], exc_info=True)
        raise RequestFailed(type(error).__name__) from None
