"""The open connections: a deadline for each state, and limits on their number by address and in total.

    HEAD       a new connection, or a request whose headers are incomplete       10 s
    BODY       a request whose body is incomplete                                10 s, and 1 s for each 32 KiB
    ANSWERING  a response that the client does not read                          30 s
    IDLE       no request                                                        60 s
    REFUSED    a refused request; the rest of its body is dropped                 5 s
    SOCKET     a WebSocket, which daphne closes if pings are not answered

If there are too many connections, one is closed whose client the server is waiting for. In this order: a
refused one, an idle one, the one with the oldest incomplete headers, the one with the oldest incomplete body
of an unauthenticated client. If an address has exceeded its limit, one of its own connections is closed; if
the total is exceeded, one of the address with the most connections. A client that sends its request without
delay is never affected: at the limit of an address, headers are given a second to arrive.

If no connection can be closed, the new one is marked as surplus and its request is refused. But if the total
is exceeded because all connections are being answered or are WebSockets, the oldest one of the address with
the most connections is closed, unless the new one is from that address.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

MAX_CONNECTIONS, MAX_PER_ADDRESS = 1024, 128
HEAD_SECONDS, BODY_SECONDS, BODY_RATE = 10.0, 10.0, 32 * 1024
HEAD_GRACE_SECONDS = 1.0
STALL_SECONDS, IDLE_SECONDS, LINGER_SECONDS = 30.0, 60.0, 5.0


class ConnectionState(IntEnum):
    """State of a connection, as a number. If a connection must be closed, the lowest number is chosen."""

    REFUSED = 0
    IDLE = 1
    HEAD = 2
    BODY = 3
    ANSWERING = 4
    SOCKET = 5


_LASTS = {
    ConnectionState.REFUSED: LINGER_SECONDS,
    ConnectionState.IDLE: IDLE_SECONDS,
    ConnectionState.HEAD: HEAD_SECONDS,
}


class Channel(Protocol):
    """Interface of a connection's transport, to close it and to measure its unread output."""

    def end(self, *, is_overdue: bool) -> None:
        """Close the connection, because its deadline has passed or another one needs its place."""

    def measure_output(self) -> tuple[int, ...] | None:
        """Return a value that changes while the client reads the output, or None if all is read."""


@dataclass(eq=False)
class Connection:
    """An open connection. `address` is its client's address, or empty for a trusted proxy.

    For IPv6, it is the /64 network.
    """

    channel: Channel
    address: str = ""
    state: ConnectionState = ConnectionState.HEAD
    since: float = 0.0
    deadline: float = 0.0
    is_surplus: bool = False
    # The body of somebody who is signed in gives way to nobody's connection.
    is_member: bool = False
    output: tuple[int, ...] | None = field(default=None, repr=False)

    @property
    def is_closable(self) -> bool:
        """Whether the connection may be closed to make room: no complete request on it is being answered."""
        return self.state <= ConnectionState.BODY and not self.is_member


class Connections:
    """All open connections; used on the event loop's thread."""

    def __init__(
        self,
        *,
        most: int = MAX_CONNECTIONS,
        most_per_address: int = MAX_PER_ADDRESS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._most_per_address, self._clock = most, most_per_address, clock
        self._by_address: defaultdict[str, dict[Connection, None]] = defaultdict(dict)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def open(self, channel: Channel, address: str) -> Connection:
        """Register a new connection; another one is closed if there are too many."""
        connection = Connection(channel, address)
        self.change(connection, ConnectionState.HEAD)
        self._by_address[address][connection] = None
        self._count += 1
        has_room = [self._make_room(connection), self._make_room_among_all(connection)]
        connection.is_surplus = not all(has_room)
        return connection

    def close(self, connection: Connection) -> None:
        """Remove a connection that has ended, if it is still registered."""
        if self._by_address[connection.address].pop(connection, connection) is None:
            self._count -= 1
        if not self._by_address[connection.address]:
            del self._by_address[connection.address]

    def move(self, connection: Connection, address: str) -> None:
        """Count a proxy's connection under `address`, the client address of the present request."""
        if address == connection.address:
            return
        self.close(connection)
        connection.address = address
        self._by_address[address][connection] = None
        self._count += 1
        connection.is_surplus = not self._make_room(connection)

    def change(self, connection: Connection, state: ConnectionState, *, size: int = 0) -> None:
        """Set the state of a connection; `size` is the length of the body."""
        now = self._clock()
        connection.state, connection.since, connection.output = state, now, None
        if state == ConnectionState.BODY:
            connection.deadline = now + BODY_SECONDS + size / BODY_RATE
        else:
            connection.is_member = False
            connection.deadline = now + _LASTS.get(state, STALL_SECONDS)

    def sweep(self) -> None:
        """Close every connection whose deadline has passed."""
        now = self._clock()
        for connection in self._list_all():
            if self._is_overdue(connection, now):
                connection.channel.end(is_overdue=True)

    def _is_overdue(self, connection: Connection, now: float) -> bool:
        if connection.state == ConnectionState.SOCKET:
            return False
        if connection.state in (ConnectionState.ANSWERING, ConnectionState.IDLE):
            output = connection.channel.measure_output()
            is_working = output is None and connection.state is ConnectionState.ANSWERING
            if is_working or output != connection.output:
                # We owe something, or the client has taken something: its time begins anew.
                connection.output = output
                connection.deadline = now + (IDLE_SECONDS if output is None else STALL_SECONDS)
                return False
        return now >= connection.deadline

    def _make_room(self, newest: Connection) -> bool:
        """Close a connection of the address if it has too many; return False if it still has too many."""
        own = self._by_address[newest.address]
        if not newest.address or len(own) <= self._most_per_address:
            return True
        # A browser, or a crowd of them, opens several at once; their heads are only a moment away.
        begun = self._clock() - HEAD_GRACE_SECONDS
        slow = [each for each in own if each.state is not ConnectionState.HEAD or each.since <= begun]
        return self._end_one_of([slow], but=newest)

    def _make_room_among_all(self, newest: Connection) -> bool:
        """Close another connection if there are too many in total; return False if there still are."""
        if self._count <= self._most:
            return True
        groups = self._list_by_size()
        if self._end_one_of(groups, but=newest):
            return True
        # All are being answered, or are WebSockets: nobody may take all the places with those either.
        if len(groups[0]) <= len(self._by_address[newest.address]):
            return False
        self._end(min(groups[0], key=lambda each: each.since))
        return True

    def _end_one_of(self, groups: Iterable[Iterable[Connection]], *, but: Connection) -> bool:
        """Close one connection, of the first group that has a closable one; return False if no group has."""
        for group in groups:
            waiting = [each for each in group if each is not but and each.is_closable]
            if waiting:
                self._end(min(waiting, key=lambda each: (each.state, each.since)))
                return True
        return False

    def _end(self, connection: Connection) -> None:
        self.close(connection)
        connection.channel.end(is_overdue=False)

    def _list_by_size(self) -> list[list[Connection]]:
        return sorted((list(group) for group in self._by_address.values()), key=len, reverse=True)

    def _list_all(self) -> list[Connection]:
        return [connection for group in self._by_address.values() for connection in group]
