"""HTTP and WebSocket connections, registered with their states and deadlines."""

import re
import socket
from contextlib import suppress
from typing import Any

from daphne.http_protocol import HTTPFactory
from daphne.server import WebSocketFactory
from daphne.ws_protocol import WebSocketProtocol
from django.conf import settings
from twisted.web.http import HTTPChannel

from accounts.throttling.client_ip import normalize_ip
from llamora.ops.server import proxies
from llamora.ops.server.body_limits import InMemoryRequest
from llamora.ops.server.connections import Connection, ConnectionState
from llamora.threads import unanswered_pages

# Frames of one client that wait for the application; ids go through the socket, so there are few.
MAX_WAITING_FRAMES = 64
TOO_MANY_FRAMES = 1008
# A peer that has vanished without a word is noticed after two minutes.
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
# Python reads no number of more than some thousand digits.
_MAX_LENGTH_DIGITS = 19


# How a call of a program begins.
_CALL = re.compile(rb"[A-Z]{3,7} /(?:api/|mcp)")
# So much of a call waits for the end of a page.
_MOST_WAITING = 64 * 1024


# Half of Twisted's types are missing, and its transports have more than their interface says.
_Channel: Any = HTTPChannel


class DiaryChannel(_Channel):  # type: ignore[misc]
    """An HTTP connection that reports its state to `Connections`.

    If a program calls while people's pages are being answered, its call is read after those are answered.
    """

    connection: Connection
    # The beginning of a call that is not read yet.
    _unread = b""

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Register the connection."""
        super().connectionMade()
        self._set_keepalive()
        self._connections = self.factory.server.open_connections
        self.connection = self._connections.open(self, self._count_as(self._peer()))
        # The WebSocket that may take this connection over finds it here.
        self.transport.diary_connection = self.connection

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 - Twisted's name
        """Remove the connection from the open ones."""
        # Nobody waits for the answer.
        self._unread = b""
        self._connections.close(self.connection)
        super().connectionLost(reason)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Read the bytes of a request. While people wait for pages, delay the reading of a program's call.

        After a refusal, the bytes are dropped.
        """
        if self.connection.state is ConnectionState.REFUSED:
            return
        if self.connection.state is ConnectionState.IDLE:
            self._connections.change(self.connection, ConnectionState.HEAD)
        if self._unread:
            self._unread += data
            if len(self._unread) > _MOST_WAITING:
                self._read_waiting()
        elif unanswered_pages.exist and _CALL.match(data):
            self._unread = data
            unanswered_pages.run_after(self._read_waiting)
        else:
            super().dataReceived(data)

    def _read_waiting(self) -> None:
        """Read a program's call that had to wait for pages, unless it was read already."""
        data, self._unread = self._unread, b""
        if data and self.connection.state is not ConnectionState.REFUSED:
            super().dataReceived(data)

    # A proxy may read one request where we read two, if the end of the first can be read in two ways. So what
    # leaves a choice is refused, and the connection is closed.

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 - Twisted's name
        """Read a line of a head; refuse a header that continues on a second line."""
        if line[:1] in (b" ", b"\t"):
            self._respondToBadRequestAndDisconnect()
        else:
            super().lineReceived(line)

    def _maybeChooseTransferDecoder(self, header: bytes, data: bytes) -> bool:  # noqa: N802 - Twisted's name
        """Choose how a body is read; refuse a length or coding that others may read differently."""
        if (header == b"Transfer-Encoding" and data.lower() != b"chunked") or (
            header == b"Content-Length" and len(data) > _MAX_LENGTH_DIGITS
        ):
            return bool(self._failChooseTransferDecoder())
        return bool(super()._maybeChooseTransferDecoder(header, data))

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802 - Twisted's name
        """Refuse bytes that are not a valid request, unless this client was already refused."""
        if self.connection.state is not ConnectionState.REFUSED:
            super()._respondToBadRequestAndDisconnect()

    def allContentReceived(self) -> None:  # noqa: N802 - Twisted's name
        """Begin to respond."""
        if self.connection.state is not ConnectionState.REFUSED:
            self._connections.change(self.connection, ConnectionState.ANSWERING)
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:  # noqa: N802 - Twisted's name
        """Send the rest of the response, and wait for the next request."""
        self._send_at_once()
        self._connections.change(self.connection, ConnectionState.IDLE)
        super().requestDone(request)

    def _send_at_once(self) -> None:
        """Send what the kernel takes; the event loop sends the rest, and handles errors.

        The event loop would send it in its next round, in which it may first answer calls of programs.
        """
        transport = self.transport
        if transport.connected and not (transport.disconnecting or transport.disconnected):
            transport.doWrite()

    def count_towards_limit(self, client: str) -> bool:
        """Count this connection towards its client's limit; return False if the client has too many."""
        self._connections.move(self.connection, self._count_as(client))
        return not self.connection.is_surplus

    def expect_body(self, length: int) -> None:
        """Set the deadline of a body."""
        self._connections.change(self.connection, ConnectionState.BODY, size=length)

    def linger(self) -> None:
        """Limit the time that the connection of a refused client stays open."""
        self._connections.change(self.connection, ConnectionState.REFUSED)

    def pause_reading(self) -> None:
        """Stop reading from the socket, so that the client stops sending."""
        self._networkProducer.pauseProducing()

    def resume_reading(self) -> None:
        """Resume reading from the socket."""
        self._networkProducer.resumeProducing()

    def send_continue(self) -> None:
        """Send 100 Continue to a client that waits for it."""
        self._send100Continue()

    def end(self, *, is_overdue: bool) -> None:
        """Close the connection; if a body is overdue, first refuse it with a sentence."""
        if is_overdue and self.connection.state is ConnectionState.BODY and self.requests:
            self.requests[-1].refuse_late()
        else:
            self.transport.abortConnection()

    def measure_output(self) -> tuple[int, ...] | None:
        """Return numbers that change when bytes are sent to the client, or None if all bytes are sent."""
        written, sent = len(self.transport.dataBuffer), self.transport.offset
        # What is written while the rest waits lies in a second buffer, and does not change these.
        return (id(self.transport.dataBuffer), written, sent) if written > sent else None

    def _peer(self) -> str:
        return str(getattr(self.getPeer(), "host", ""))

    def _count_as(self, client: str) -> str:
        """Return the address for which a connection counts; "", which has no limit, for a trusted proxy."""
        return "" if proxies.is_trusted(client, settings.TRUSTED_PROXIES) else normalize_ip(client)

    def _set_keepalive(self) -> None:
        with suppress(OSError, AttributeError):
            self.transport.setTcpKeepAlive(1)
            for name, value in _KEEPALIVE:
                self.transport.socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class DiaryHTTPFactory(HTTPFactory):  # type: ignore[misc]  # daphne is untyped
    """Factory of the channels of HTTP connections."""

    protocol = DiaryChannel

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        # The deadlines are those of `Connections`; Twisted's begins anew with every byte.
        self.timeOut = None

    def log(self, request: Any) -> None:
        """Log nothing, because this line would contain path and query; see the access log."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's name
        """Return the protocol of a new connection."""
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = InMemoryRequest
        return protocol


class DiaryWebSocketProtocol(WebSocketProtocol):  # type: ignore[misc]  # daphne is untyped
    """A WebSocket connection, still counted as the HTTP connection from which it was upgraded."""

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Mark the connection, which was registered for HTTP until now, as a WebSocket."""
        super().connectionMade()
        connections = self.factory.server_class.open_connections
        connections.change(self.transport.diary_connection, ConnectionState.SOCKET)

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 - Twisted's name
        """Remove the connection from the open ones."""
        self.factory.server_class.open_connections.close(self.transport.diary_connection)
        super().connectionLost(reason)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803 - autobahn's names
        """Pass on a frame, unless the client sends faster than it is answered."""
        if self.application_queue.qsize() >= MAX_WAITING_FRAMES:
            self.sendCloseFrame(code=TOO_MANY_FRAMES)
            self.muted = True
            return
        super().onMessage(payload, isBinary)


class DiaryWebSocketFactory(WebSocketFactory):  # type: ignore[misc]  # daphne is untyped
    """Factory of WebSocket protocols."""

    protocol = DiaryWebSocketProtocol
