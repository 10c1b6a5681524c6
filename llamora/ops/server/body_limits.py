"""Limits on request bodies, checked before a body is read; bodies stay in memory.

Twisted writes bodies of 100 kB and more, and every chunked body, to a temporary file, where the text of a
diary would be unencrypted. Here the length of the body is checked once the headers have been read:

    no body, or up to 64 KiB         read into memory
    up to 4 MiB                      read if the request has a valid credential (`accounts.sessions.scope`)
    the same without a credential    refused with 401
    longer                           refused with 413
    a body without a length          refused with 411
    over the memory limit            this or another body is refused with 503 (`body_budget`)
    not complete in time             refused with 408 (`connections`)
"""

import asyncio
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

import msgspec
from daphne.http_protocol import WebRequest
from django.conf import settings
from django.utils.html import escape

from accounts.http.error_responses import SIGNED_OUT
from accounts.http.headers import get_plain_page_headers
from accounts.http.redacted_logging import find_route
from accounts.sessions.scope import find_owner_of_credential
from accounts.throttling.client_ip import normalize_ip
from llamora.api.errors import PROGRAM_PATHS, build_refusal_of_body
from llamora.ops.server import proxies
from llamora.ops.server.body_budget import Body, BodyBudget

SMALL_BODY, LARGE_BODY = 64 * 1024, 4 * 1024 * 1024
# For all, and for one address or one person.
SMALL_BODIES, SMALL_BODIES_OF_ONE = 8 * 1024 * 1024, 1024 * 1024
LARGE_BODIES, LARGE_BODIES_OF_ONE = 64 * 1024 * 1024, 4 * LARGE_BODY
HTML_TYPE = "text/html; charset=utf-8"
# The number that nginx logs where a client has gone before there is a response.
CLIENT_LEFT = 499

REFUSALS = {
    400: (
        "Bad Request",
        "This request does not name one host, so it was not read.",
    ),
    401: (
        "Sign in first",
        "This is longer than Llamora reads from someone who isn't signed in. Nothing was saved: go back, and "
        "sign in on another tab first.",
    ),
    408: (
        "Request Timeout",
        "This did not arrive in time. Nothing was saved; go back and try again.",
    ),
    411: (
        "Length Required",
        "The browser sent this without its length, so nothing was saved.",
    ),
    413: (
        "Content Too Large",
        "This is too large, so nothing was saved.",
    ),
    429: (
        "Too Many Requests",
        "Too many connections are open from here. Close other tabs, then try again.",
    ),
    503: (
        "Service Unavailable",
        "Too much was sent at once. Nothing was saved; wait a few seconds, then try again.",
    ),
}
_MORE_HEADERS = {
    401: {"HX-Trigger": SIGNED_OUT, "HX-Reswap": "none"},
    429: {"Retry-After": "5"},
    503: {"Retry-After": "5"},
}
# Where the page's own message for a status would say something else; `request.js` shows a marked sentence.
_MARKS = {408: " data-error", 429: " data-error", 503: " data-error"}
REFUSAL_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width">'
    "<title>%(title)s</title><p%(mark)s>%(body)s</p></html>"
)


class BodyBudgets:
    """Memory budgets for short bodies, which anybody may send, and for long ones of authenticated senders."""

    def __init__(self) -> None:
        self.small = BodyBudget(most=SMALL_BODIES, most_per_holder=SMALL_BODIES_OF_ONE)
        self.large = BodyBudget(most=LARGE_BODIES, most_per_holder=LARGE_BODIES_OF_ONE)


class InMemoryRequest(WebRequest):  # type: ignore[misc]  # daphne is untyped
    """A request whose body is limited and stays in memory; Twisted would write it to a file."""

    channel: Any  # a DiaryChannel, or None once the client has gone
    refused_status = 0
    # Of a long body, while it is looked up whether its sender may: what is to be done when that is known.
    _is_being_checked = False
    _complete: Callable[[], None] | None = None
    _release: Callable[[], None] | None = None

    def __init__(self, channel: Any, queued: object = False) -> None:
        # Django reads the form; Twisted would read it too, for nobody.
        super().__init__(channel, queued, parsePOSTFormSubmission=False)
        self._body: Body | None = None
        self._asked = b"", b""

    def process(self) -> Any:
        """Handle a complete request, after removing a header that could forge a path prefix."""
        self.requestHeaders.removeHeader(b"daphne-root-path")
        if self.requestHeaders.hasHeader(b"upgrade"):
            # A WebSocket takes the connection over, and this request never ends.
            self.release()
        return super().process()

    def __repr__(self) -> str:
        # Daphne logs it when a request takes long to end; Twisted's own has the path and the query in it.
        return f"<request {find_route((self.path or b'').decode('latin1'))}>"

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """Accept or refuse the body by its length, before it is read."""
        self.content = BytesIO()
        # The channel forgets both when the body is complete.
        self._asked = self.channel._command, self.channel._path
        client = self._find_client()
        if not self.channel.count_towards_limit(client.address):
            self._refuse(429)
        elif not self._names_one_host():
            self._refuse(400)
        elif length is None:
            self._refuse(411)
        elif length > LARGE_BODY:
            self._refuse(413)
        elif length > SMALL_BODY:
            self.channel.expect_body(length)
            self._check_credentials(length, client)
        elif length:
            self.channel.expect_body(length)
            self._hold(length, budget=self.server.bodies.small, holder=normalize_ip(client.address))

    def _names_one_host(self) -> bool:
        """Return whether a request names one host; one of HTTP/1.0 may name none."""
        hosts = self.requestHeaders.getRawHeaders(b"host", [])
        return len(hosts) == 1 or (not hosts and self.channel._version == b"HTTP/1.0")

    def _find_client(self) -> proxies.Client:
        peer = str(getattr(self.channel.getPeer(), "host", ""))
        return proxies.find_client(peer, self._list_headers(), trusted=settings.TRUSTED_PROXIES)

    def _list_headers(self) -> list[proxies.Header]:
        headers = self.requestHeaders.getAllRawHeaders()
        return [(name, value) for name, values in headers for value in values]

    def _check_credentials(self, length: int, client: proxies.Client) -> None:
        """Stop reading until the credential of the request was looked up; then accept or refuse the body."""
        self._is_being_checked = True
        self.channel.pause_reading()
        waits = self.requestHeaders.getRawHeaders(b"expect")
        self.requestHeaders.removeHeader(b"expect")
        headers = [(name.lower(), value) for name, value in self._list_headers()]
        scope = {"headers": headers, "scheme": "https" if client.is_secure else "http"}
        looked_up = asyncio.ensure_future(find_owner_of_credential(scope))
        looked_up.add_done_callback(lambda done: self._accept_or_refuse(done, length, is_waiting=bool(waits)))

    def _accept_or_refuse(self, looked_up: "asyncio.Future[str]", length: int, *, is_waiting: bool) -> None:
        self._is_being_checked = False
        if self.channel is None:
            return  # the client has gone meanwhile
        self.channel.resume_reading()
        if self.refused_status:
            return
        holder = "" if looked_up.cancelled() or looked_up.exception() else looked_up.result()
        if not holder:
            # A script opens the dialog to sign in, and its page keeps what was typed.
            self._refuse(401)
            return
        self.channel.connection.is_member = True
        self._hold(length, budget=self.server.bodies.large, holder=holder)
        if self.refused_status:
            return
        if is_waiting:
            self.channel.send_continue()
        if complete := self._complete:
            complete()

    def _hold(self, length: int, *, budget: BodyBudget, holder: str) -> None:
        body = Body(holder=holder, size=length, refuse=lambda: self._refuse(503))
        if not budget.add(body):
            self._refuse(503)
            return
        self._body, self._release = body, lambda: budget.remove(body)

    def release(self) -> None:
        """Stop counting the body, because the request has been answered or refused."""
        # The body can refuse this request: with it, all that was sent would stay in memory as a cycle.
        self._body = None
        if release := self._release:
            self._release = None
            release()

    def finish(self) -> None:
        """End the response."""
        self.release()
        super().finish()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 - Twisted's name
        """Handle the loss of the connection before the end of the response, and log it."""
        self.release()
        if self.application_queue is not None and not self.refused_status:
            self._log_cut()
        super().connectionLost(reason)

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """Send an error page with our headers, which daphne's own error page lacks.

        If a response has begun, abort its connection; otherwise the client would take the response for
        complete.
        """
        if self._response_started:
            if self.channel is not None:
                self.channel.transport.abortConnection()
            return
        page = REFUSAL_PAGE % {
            "title": f"{status} {status_text.decode('ascii')}",
            "body": escape(body),
            "mark": "",
        }
        headers = [(name.encode(), value.encode()) for name, value in get_plain_page_headers().items()]
        start = {"type": "http.response.start", "status": status}
        self.handle_reply({**start, "headers": [(b"Content-Type", HTML_TYPE.encode()), *headers]})
        self.handle_reply({"type": "http.response.body", "body": page.encode()})

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Store a chunk of the body, or drop it if the body was refused."""
        if not self.refused_status:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802 - Twisted's name
        """Process a complete request, unless it was refused."""
        if self.refused_status:
            return
        if self._is_being_checked:
            # It came with the end of the request before it.
            self._complete = lambda: self.requestReceived(command, path, version)
            return
        if self._body is not None:
            self._body.is_complete = True
        super().requestReceived(command, path, version)

    def refuse_late(self) -> None:
        """Refuse a body that did not arrive in time."""
        self._refuse(408)

    def _refuse(self, status: int) -> None:
        """Respond at once; then read and drop the rest of the body for a moment.

        If the connection were closed with unread bytes, the kernel would reset it, and the browser would show
        a connection error instead of our page.
        """
        if self.refused_status or self.channel is None:
            return
        self.release()
        self.content = BytesIO()
        self.channel.linger()
        self.refused_status = status
        self.requestHeaders.removeHeader(b"expect")
        reason, sentence = REFUSALS[status]
        page = (REFUSAL_PAGE % {"title": reason, "body": sentence, "mark": _MARKS.get(status, "")}).encode()
        is_of_program = self._asked[1].startswith(tuple(path.encode() for path in PROGRAM_PATHS))
        if is_of_program:
            page = msgspec.json.encode(build_refusal_of_body(status).build_body())
        headers = {
            "Server": self.server.server_name,
            "Connection": "close",
            "Content-Type": "application/json" if is_of_program else HTML_TYPE,
            "Content-Length": str(len(page)),
            **get_plain_page_headers(),
            **_MORE_HEADERS.get(status, {}),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} {reason}\r\n{lines}\r\n"
        transport = self.channel.transport
        transport.write(head.encode() + page)
        transport.loseWriteConnection()
        self._log_refusal(status, len(page))

    def _log_cut(self) -> None:
        details = {
            "path": self.uri.decode("latin1"),
            "status": self.code if self._response_started else CLIENT_LEFT,
            "method": self.method.decode("latin1"),
            "client": f"{self._find_client().address}:0",
            "time_taken": self.duration(),
            "size": self.sentLength,
        }
        self.server.log_action("http", "cut short", details)

    def _log_refusal(self, status: int, size: int) -> None:
        self.request_start = time.monotonic()
        details = {
            "path": self._asked[1].decode("latin1"),
            "status": status,
            "method": self._asked[0].decode("latin1"),
            "client": f"{self._find_client().address}:0",
            "time_taken": 0.0,
            "size": size,
        }
        self.server.log_action("http", "complete", details)
