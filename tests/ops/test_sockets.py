"""Tests of refused socket handshakes on a real server."""

from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from llamora.ops.server.http_channel import MAX_WAITING_FRAMES
from tests.server import Server, run_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    extra = {"DJANGO_SETTINGS_MODULE": "tests.ops.serving.settings"}
    with run_server(tmp_path_factory.mktemp("household"), extra=extra) as server:
        yield server


def get_refusal(url: str, origin: str | None) -> int:
    with pytest.raises(InvalidStatus) as refused, connect(url, origin=origin):  # type: ignore[arg-type]
        pass
    return refused.value.response.status_code


@pytest.mark.parametrize("origin", [None, "null", "http://elsewhere.example", "http://127.0.0.1:1"])
def test_a_foreign_page_is_refused_at_the_handshake(server: Server, origin: str | None) -> None:
    assert get_refusal(f"ws://127.0.0.1:{server.port}/held/", origin) == 403


def test_a_socket_that_does_not_exist_is_refused_the_same_way(server: Server) -> None:
    assert get_refusal(f"ws://127.0.0.1:{server.port}/nowhere/", server.base_url) == 403


def test_what_an_error_says_stays_out_of_the_log(server: Server) -> None:
    assert get_refusal(f"ws://127.0.0.1:{server.port}/failing/", server.base_url) == 500

    log = server.log()

    assert "ERROR llamora.asgi: A request failed (websocket)." in log
    assert "ValueError" in log
    assert "marrowbone" not in log


def test_a_frame_over_the_limit_ends_the_socket(server: Server) -> None:
    with connect(f"ws://127.0.0.1:{server.port}/held/", origin=server.base_url) as socket:  # type: ignore[arg-type]
        socket.send("x" * 60_000)
        assert len(socket.recv(timeout=5)) == 60_000

        socket.send("x" * 70_000)

        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=5)


def test_a_client_that_sends_faster_than_it_is_answered_is_closed(server: Server) -> None:
    with connect(f"ws://127.0.0.1:{server.port}/deaf/", origin=server.base_url) as socket:  # type: ignore[arg-type]
        for _ in range(MAX_WAITING_FRAMES + 1):
            socket.send("x" * 1000)

        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=20)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
