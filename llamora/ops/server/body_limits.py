"""Limits on request bodies, checked before a body is read; bodies stay in memory.

Twisted writes bodies of 100 kB and more, and every chunked body, to a temporary file, where the text of a
diary would be unencrypted. Here the length of the body is checked once the headers have been read:

    no body, or within the limit of its path    read into memory
    over the limit                              refused with 413
    a body without a length (chunked)           refused with 411
"""

import time
from io import BytesIO
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from django.utils.html import escape

from accounts.http.headers import get_plain_page_headers
from accounts.http.redacted_logging import find_route

SMALL_BODY, LARGE_BODY = 1024 * 1024, 4 * 1024 * 1024
# The paths that can be reached without signing in.
SMALL_PATHS = (
    "/sign-in/",
    "/sign-out/",
    "/register/",
    "/strength/",
    "/unlock/",
    "/lock/",
    "/recover/",
    "/healthz",
)
LINGER_SECONDS = 5.0
HTML_TYPE = "text/html; charset=utf-8"

REFUSALS = {
    411: (
        "Length Required",
        "The browser sent this without its length, so nothing was saved.",
    ),
    413: (
        "Content Too Large",
        "This is too large, so nothing was saved.",
    ),
}
REFUSAL_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>%(title)s</title><p>%(body)s</p></html>'
)


def body_limit(path: str) -> int:
    """Return the largest size in bytes of a body sent to this path."""
    return SMALL_BODY if path.startswith(SMALL_PATHS) else LARGE_BODY


class DiaryRequest(WebRequest):  # type: ignore[misc]  # daphne is untyped
    """A request whose body stays in memory."""

    refused_status = 0

    def __init__(self, channel: Any, queued: object = False) -> None:
        # Django reads the form; Twisted would read it too, for nobody.
        super().__init__(channel, queued, parsePOSTFormSubmission=False)

    def process(self) -> Any:
        """Handle a complete request; the path prefix of the pages is nothing that a client may choose."""
        self.requestHeaders.removeHeader(b"daphne-root-path")
        return super().process()

    def __repr__(self) -> str:
        # Daphne logs it when a request takes long to end; Twisted's own has the path and the query in it.
        return f"<request {find_route((self.path or b'').decode('latin1'))}>"

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """Accept or refuse the body by its length, before it is read."""
        self.content = BytesIO()
        target = self.channel._path.decode("latin1").partition("?")[0]
        if length is None:
            self._refuse(411)
        elif length > body_limit(target):
            self._refuse(413)

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """Send an error page with our headers, which daphne's own error page lacks.

        If a response has begun, abort its connection; otherwise the client would take the response for
        complete.
        """
        if self._response_started:
            if self.channel is not None:
                self.channel.transport.abortConnection()
            return
        page = REFUSAL_PAGE % {"title": f"{status} {status_text.decode('ascii')}", "body": escape(body)}
        headers = [(name.encode(), value.encode()) for name, value in get_plain_page_headers().items()]
        start = {"type": "http.response.start", "status": status}
        self.handle_reply({**start, "headers": [(b"Content-Type", HTML_TYPE.encode()), *headers]})
        self.handle_reply({"type": "http.response.body", "body": page.encode()})

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Store a chunk of the body, or drop it if the body was refused."""
        if not self.refused_status:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802 - Twisted's name
        """Pass on a complete request, unless it was refused."""
        if not self.refused_status:
            super().requestReceived(command, path, version)

    def _refuse(self, status: int) -> None:
        """Respond at once; then read and drop the rest of the body for a moment.

        If the connection were closed with unread bytes, the kernel would reset it, and the browser would show
        a connection error instead of our page.
        """
        self.refused_status = status
        self.requestHeaders.removeHeader(b"expect")
        reason, sentence = REFUSALS[status]
        page = (REFUSAL_PAGE % {"title": reason, "body": sentence}).encode()
        headers = {
            "Server": self.server.server_name,
            "Connection": "close",
            "Content-Type": HTML_TYPE,
            "Content-Length": str(len(page)),
            **get_plain_page_headers(),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} {reason}\r\n{lines}\r\n"
        transport = self.channel.transport
        transport.write(head.encode() + page)
        transport.loseWriteConnection()
        self.channel.callLater(LINGER_SECONDS, transport.abortConnection)
        self._log_refusal(status, len(page))

    def _log_refusal(self, status: int, size: int) -> None:
        self.request_start = time.time()
        peer = self.channel.getPeer()
        details = {
            "path": self.channel._path.decode("latin1"),
            "status": status,
            "method": self.channel._command.decode("latin1"),
            "client": f"{getattr(peer, 'host', '')}:{getattr(peer, 'port', '')}",
            "time_taken": 0.0,
            "size": size,
        }
        self.server.log_action("http", "complete", details)


class DiaryHTTPFactory(HTTPFactory):  # type: ignore[misc]  # daphne is untyped
    """Factory whose connections use DiaryRequest."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's name
        """Return the protocol of a new connection."""
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = DiaryRequest
        return protocol
