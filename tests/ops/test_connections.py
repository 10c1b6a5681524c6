"""Tests of the deadlines and limits of connections, with a clock that the test sets."""

import itertools
from dataclasses import dataclass, field

import pytest

from llamora.ops.server import connections as module
from llamora.ops.server.connections import Connection, Connections, ConnectionState

STATES = ConnectionState


@dataclass
class Clock:
    """A clock that a test sets."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeChannel:
    """A connection whose client takes as many bytes as the test says."""

    name: str
    ended: list[tuple[str, bool]]
    output: tuple[int, ...] | None = None

    def end(self, *, is_overdue: bool) -> None:
        self.ended.append((self.name, is_overdue))

    def measure_output(self) -> tuple[int, ...] | None:
        return self.output


@dataclass
class Server:
    """The limits of a server, and the connections that they end."""

    most: int = 100
    most_per_address: int = 100
    clock: Clock = field(default_factory=Clock)
    ended: list[tuple[str, bool]] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.connections = Connections(
            most=self.most, most_per_address=self.most_per_address, clock=self.clock
        )

    def connect(self, name: str = "", *, address: str = "a", state: STATES = STATES.HEAD) -> Connection:
        self.clock.now += 0.001
        channel = FakeChannel(name or f"number {next(self.numbers)}", self.ended)
        connection = self.connections.open(channel, address)
        if state != STATES.HEAD:
            self.connections.change(connection, state)
        return connection

    def wait(self, seconds: float) -> list[str]:
        """Let time pass, with a sweep each second, and return who was ended."""
        before = len(self.ended)
        for _ in range(int(seconds)):
            self.clock.now += 1
            self.connections.sweep()
        return [name for name, _ in self.ended[before:]]


@pytest.mark.parametrize(
    ("state", "seconds"),
    [
        (STATES.HEAD, module.HEAD_SECONDS),
        (STATES.IDLE, module.IDLE_SECONDS),
        (STATES.REFUSED, module.LINGER_SECONDS),
    ],
)
def test_a_client_has_so_long_and_no_longer(state: ConnectionState, seconds: float) -> None:
    server = Server()
    connection = server.connect("slow", state=state)

    assert server.wait(seconds - 1) == []
    assert server.wait(2)[:1] == ["slow"]
    assert connection.state == state


def test_a_body_has_longer_the_longer_it_is() -> None:
    server = Server()
    short, long = server.connect("short"), server.connect("long")
    server.connections.change(short, STATES.BODY, size=1000)
    server.connections.change(long, STATES.BODY, size=100 * module.BODY_RATE)

    assert server.wait(module.BODY_SECONDS - 1) == []
    assert set(server.wait(2)) == {"short"}
    server.connections.close(short)
    assert server.wait(98) == []
    assert server.wait(2)[:1] == ["long"]


def test_bytes_that_drip_win_no_time() -> None:
    """Nothing tells of them: only a whole head ends the deadline of a head."""
    server = Server()
    server.connect("dripping")

    assert server.wait(module.HEAD_SECONDS + 1)[:1] == ["dripping"]


@pytest.mark.parametrize("state", [STATES.ANSWERING, STATES.SOCKET])
def test_nobody_is_ended_while_the_server_works(state: ConnectionState) -> None:
    server = Server()
    server.connect(state=state)

    assert server.wait(3600) == []


@pytest.mark.parametrize("state", [STATES.ANSWERING, STATES.IDLE])
def test_a_client_that_takes_nothing_of_its_answer_is_ended(state: ConnectionState) -> None:
    server = Server()
    connection = server.connect("deaf", state=state)
    connection.channel.output = (1, 1000, 0)  # type: ignore[attr-defined]

    assert server.wait(module.STALL_SECONDS) == []
    assert server.wait(2)[:1] == ["deaf"]


def test_a_client_that_takes_its_answer_slowly_is_not() -> None:
    server = Server()
    connection = server.connect(state=STATES.IDLE)

    for sent in range(20):
        connection.channel.output = (1, 1000, sent)  # type: ignore[attr-defined]
        assert server.wait(module.STALL_SECONDS - 1) == []
    connection.channel.output = None  # type: ignore[attr-defined]

    assert server.wait(module.IDLE_SECONDS - 1) == []


def test_at_the_cap_of_an_address_its_oldest_slow_connection_gives_way() -> None:
    server = Server(most_per_address=3)
    server.connect("another's", address="b")
    for name in ("first", "second", "third", "fourth"):
        assert not server.connect(name).is_surplus
        server.clock.now += module.HEAD_GRACE_SECONDS

    assert server.ended == [("first", False)]
    assert len(server.connections) == 4


def test_in_this_order_they_give_way() -> None:
    server = Server(most_per_address=5)
    server.connect("answering", state=STATES.ANSWERING)
    for name, state in (("body", STATES.BODY), ("head", STATES.HEAD), ("idle", STATES.IDLE)):
        server.connect(name, state=state)
    server.connect("refused", state=STATES.REFUSED)
    server.clock.now += module.HEAD_GRACE_SECONDS

    newest = [server.connect("new", state=STATES.ANSWERING) for _ in range(5)]

    assert [name for name, _ in server.ended] == ["refused", "idle", "head", "body"]
    assert [connection.is_surplus for connection in newest] == [False] * 4 + [True]


def test_of_a_crowd_that_comes_at_once_nobody_is_closed_and_those_beyond_the_cap_are_refused() -> None:
    server = Server(most_per_address=3)

    crowd = [server.connect() for _ in range(5)]

    assert server.ended == []
    assert [connection.is_surplus for connection in crowd] == [False] * 3 + [True] * 2


def test_the_body_of_somebody_who_is_signed_in_does_not_give_way() -> None:
    server = Server(most_per_address=1)
    member = server.connect("member", state=STATES.BODY)
    member.is_member = True

    assert server.connect("stranger").is_surplus
    assert server.ended == []


def test_two_hundred_and_fifty_slow_connections_from_everywhere_keep_nobody_out() -> None:
    """Whatever they are: the one that sends its request at once is never the oldest."""
    server = Server(most=50)
    for n in range(250):
        server.connect(f"slow {n}", address=f"address {n % 100}")

        owner = server.connect("owner", address="owner")
        assert not owner.is_surplus
        server.connections.change(owner, STATES.ANSWERING)
        server.connections.close(owner)

    assert len(server.connections) <= 50
    assert "owner" not in [name for name, _ in server.ended]


def test_at_the_cap_of_all_the_address_with_the_most_gives_way() -> None:
    server = Server(most=6)
    server.connect("modest", address="b", state=STATES.IDLE)
    for n in range(5):
        server.connect(f"hoarded {n}", address="hoarder")

    server.connect("new", address="c")

    assert server.ended == [("hoarded 0", False)]


@pytest.mark.parametrize("state", [STATES.ANSWERING, STATES.SOCKET])
def test_nobody_takes_all_places_with_requests_that_last(state: ConnectionState) -> None:
    server = Server(most=10)
    server.connect("another's", address="b", state=state)
    for n in range(9):
        server.connect(f"lasting {n}", address=f"attacker {n % 2}", state=state)

    owner = server.connect("owner", address="owner")

    assert not owner.is_surplus
    assert [name for name, _ in server.ended] == ["lasting 0"]
    assert len(server.connections) == 10


def test_connections_beyond_both_caps_are_never_more_than_all_may_be() -> None:
    server = Server(most=20, most_per_address=5)
    for _ in range(5):
        server.connect(state=STATES.ANSWERING)

    crowd = [server.connect() for _ in range(100)]

    assert all(connection.is_surplus for connection in crowd)
    assert len(server.connections) == 20


def test_trusted_proxies_have_no_cap_of_their_own_and_their_clients_have() -> None:
    server = Server(most_per_address=2)
    through = [server.connect(address="") for _ in range(10)]
    assert not any(connection.is_surplus for connection in through)

    for connection in through[:3]:
        server.connections.move(connection, "phone")
        server.connections.change(connection, STATES.ANSWERING)

    assert [connection.is_surplus for connection in through[:3]] == [False, False, True]
    assert len(server.connections) == 10


def test_a_connection_is_forgotten_once() -> None:
    server = Server()
    connection = server.connect()
    server.connect()

    server.connections.close(connection)
    server.connections.close(connection)

    assert len(server.connections) == 1
