"""The HTTP server: daphne in this process, with our request class, a bound socket, and a shutdown within 3 s.

signal -> accept no new connections -> jobs save their text, requests finish   (1.8 s at most)
       -> other requests are cancelled -> threads end, the database is closed
       -> the process exits, after 2.6 s even if threads still run
"""

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

# A second UTF-8 validator in C costs 40 ms at each start, and our frames are short.
os.environ.setdefault("AUTOBAHN_USE_NVX", "0")

# First of all: it installs the asyncio reactor, which everything of Twisted's then uses.
from daphne.server import Server  # isort:skip
import daphne.http_protocol
import daphne.server
import daphne.ws_protocol
from daphne.http_protocol import WebRequest
from django.conf import settings
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.logger import globalLogBeginner

from llamora.ops.server import access_log, proxies
from llamora.ops.server.body_limits import LARGE_BODY, BodyBudgets
from llamora.ops.server.connections import MAX_CONNECTIONS, Connections
from llamora.ops.server.http_channel import DiaryHTTPFactory, DiaryWebSocketFactory

logger = logging.getLogger("llamora.server")
# Twisted replaces this module by an object without a type.
reactor: Any = installed_reactor

ServerHook = Callable[[], Awaitable[None]]
GRACE_SECONDS, DEADLINE_SECONDS = 1.8, 2.6
SWEEP_SECONDS = 1.0
OTHER_DESCRIPTORS = 128
# How long a thread that wants to run waits for another one. A page exchanges the interpreter with the event
# loop, and would wait ten times as long by Python's own choice.
SWITCH_SECONDS = 0.0005
_SCHEMES = {"http": ("https", "http"), "websocket": ("wss", "ws")}
MAX_FRAME_BYTES = 64 * 1024  # ids go through the socket, text by POST


class HouseholdServer(Server):  # type: ignore[misc]  # daphne is untyped
    """A server of one household on a socket that is already bound."""

    def __init__(
        self, application: Any, *, listener: socket.socket, on_start: ServerHook, on_stop: ServerHook
    ) -> None:
        super().__init__(
            application,
            endpoints=["the bound socket"],
            action_logger=access_log.log_action,
            http_timeout=None,
            request_buffer_size=LARGE_BODY + 1,
            websocket_timeout=-1,
            websocket_max_message_size=MAX_FRAME_BYTES,
            websocket_max_frame_size=MAX_FRAME_BYTES,
            server_name="llamora",
        )
        self.listener, self.on_start, self.on_stop = listener, on_start, on_stop
        self.connections: dict[Any, dict[str, Any]] = {}
        self.open_connections = Connections(most=_count_possible_connections())
        self.bodies = BodyBudgets()
        self.background: set[asyncio.Future[None]] = set()

    def run(self) -> None:
        """Serve until a signal stops the process."""
        observers: Any = [_log_failure]  # any callable will do; the type names an interface
        globalLogBeginner.beginLoggingTo(observers, redirectStandardIO=False, discardBuffer=True)
        asyncio.set_event_loop(reactor._asyncioEventloop)
        measure_by_monotonic_clock()
        sys.setswitchinterval(SWITCH_SECONDS)
        self._make_factories()
        self.port = reactor.adoptStreamPort(self.listener.fileno(), self.listener.family, self.http_factory)
        self.listener.close()
        reactor.callLater(1, self.application_checker)
        reactor.callLater(2, self.timeout_checker)
        reactor.callLater(SWEEP_SECONDS, self._sweep_connections)
        reactor.callWhenRunning(self._on_started)
        reactor.addSystemEventTrigger("before", "shutdown", self._on_stopping)
        reactor.run()

    def _make_factories(self) -> None:
        self.http_factory = DiaryHTTPFactory(self)
        self.ws_factory = DiaryWebSocketFactory(self, server=self.server_name)
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,  # `llamora.routing` refuses it like any other that is not ours
            openHandshakeTimeout=self.websocket_handshake_timeout,
            maxMessagePayloadSize=self.websocket_max_message_size,
            maxFramePayloadSize=self.websocket_max_frame_size,
        )

    def _sweep_connections(self) -> None:
        self.open_connections.sweep()
        reactor.callLater(SWEEP_SECONDS, self._sweep_connections)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Start the application with the client's address instead of the proxy's; called by daphne."""
        peer, port = scope["client"] or ("", 0)
        client = proxies.find_client(peer, scope["headers"], trusted=settings.TRUSTED_PROXIES)
        scope["headers"] = proxies.strip_proxy_headers(scope["headers"])
        scope["client"] = protocol.client_addr = [client.address, port if client.address == peer else 0]
        secure, plain = _SCHEMES[scope["type"]]
        scope["scheme"] = secure if client.is_secure else plain
        return super().create_application(protocol, scope)

    def _on_started(self) -> None:
        # A closed terminal ends the server like any other signal; what nohup or a shell ignores stays so.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: reactor.callFromThread(_stop_reactor))
        task = asyncio.ensure_future(_run_logged(self.on_start(), "starting"))
        self.background.add(task)
        task.add_done_callback(self.background.discard)

    def _on_stopping(self) -> Any:
        _exit_after(DEADLINE_SECONDS)
        # It ends by then anyway.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        return Deferred.fromFuture(asyncio.ensure_future(_run_logged(self._close(), "closing")))

    async def _close(self) -> None:
        self.port.stopListening()
        await asyncio.wait(
            [asyncio.ensure_future(work) for work in (self._run_stop_hook(), self._drain())],
            timeout=GRACE_SECONDS,
        )
        left = [*self.background, *self._list_running_applications(Any)]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=0.2)

    async def _run_stop_hook(self) -> None:
        await _run_logged(self.on_stop(), "closing the jobs")

    async def _drain(self) -> None:
        """Wait until running requests have got a response; do not wait for streams and WebSockets."""
        if pages := self._list_running_applications(WebRequest):
            await asyncio.wait(pages, timeout=1)

    def _list_running_applications(self, kind: Any) -> list[asyncio.Future[None]]:
        found = []
        for protocol, details in self.connections.items():
            task = details.get("application_instance")
            if task and not task.done() and (kind is Any or isinstance(protocol, kind)):
                found.append(task)
        return found


def measure_by_monotonic_clock() -> None:
    """Make Twisted and daphne use the monotonic clock instead of the wall clock.

    If the wall clock were set back by an hour, timers that are running would wait an hour longer.
    """
    reactor.seconds = time.monotonic
    for module in (daphne.server, daphne.http_protocol, daphne.ws_protocol):
        module.time = SimpleNamespace(time=time.monotonic)


def _count_possible_connections() -> int:
    """Return how many connections may be open: files and sockets of other kinds need some descriptors."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if limit < 0 else max(64, min(MAX_CONNECTIONS, limit - OTHER_DESCRIPTORS))


def _stop_reactor() -> None:
    """Stop the reactor; do nothing if an earlier signal has already stopped it."""
    with suppress(ReactorNotRunning):
        reactor.stop()


async def _run_logged(work: Awaitable[None], activity: str) -> None:
    """Await a hook; log an error by its type only and do not raise it."""
    try:
        await work
    except Exception as error:
        logger.error("%s: %s", activity, type(error).__name__)  # noqa: TRY400 - a traceback can quote what was written


def _log_failure(event: dict[str, Any]) -> None:
    if failure := event.get("log_failure"):
        logger.error("twisted: %s", failure.type.__name__)


def _exit_after(seconds: float) -> None:
    """Exit the process after this time even if threads still run; transactions protect their writes."""

    def exit_now() -> None:
        logger.warning(
            "A task did not stop in time and was abandoned. Everything that was confirmed is saved."
        )
        sys.stdout.flush()
        os._exit(0)

    timer = threading.Timer(seconds, exit_now)
    timer.daemon = True
    timer.start()
