"""Attacks on the live socket: only same-origin tabs of the owner's unlocked browser get frames."""

import json
import random
from contextlib import suppress
from threading import Event
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from llamora.ops.server.http_channel import TOO_MANY_FRAMES
from tests.browser_client import SESSION_COOKIE, Visitor, read_frames_until
from tests.fakes.script import Script, make_words
from tests.fakes.waiting import PATIENCE
from tests.leaks.household import DAY, AttackedHouse

ANOTHER_DAY = "2026-03-09"


def watch(socket: ClientConnection, owner: str, *, day: str = DAY) -> None:
    socket.send(json.dumps({"type": "watch", "day": day, "owner": owner}))


def read_frames(socket: ClientConnection, *, seconds: float = 0.7) -> list[dict[str, Any]]:
    """Return the frames until none arrives for some seconds, but not the line about the model.

    Raise if the server closes.
    """
    frames = []
    while True:
        try:
            frame = json.loads(socket.recv(timeout=seconds))
            if frame["type"] != "part":
                frames.append(frame)
        except TimeoutError:
            return frames


def get_close_code(socket: ClientConnection, *, seconds: float = 5) -> int | None:
    """Return the code with which the server closes the socket."""
    try:
        while True:
            socket.recv(timeout=seconds)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def read_last_frame(socket: ClientConnection) -> dict[str, Any]:
    """Return the last frame before the server closes the socket."""
    frame = ""
    try:
        while True:
            frame = str(socket.recv(timeout=5))
    except ConnectionClosed:
        found: dict[str, Any] = json.loads(frame)
        return found


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "http://elsewhere.example",
        "http://127.0.0.1",
        "http://localhost:{port}",
    ],
)
def test_a_page_of_another_address_gets_no_socket(house: AttackedHouse, origin: str | None) -> None:
    said = origin and origin.format(port=house.server.port)

    with pytest.raises(InvalidStatus) as refused, house.owner.socket(origin=said):
        pass

    assert refused.value.response.status_code == 403


def test_nobody_and_somebody_locked_are_told_by_a_code(house: AttackedHouse) -> None:
    browser = house.owner.another()
    browser.sign_in()
    browser.post("/lock/")

    for who in (house.stranger, browser):
        with who.socket() as socket:
            assert get_close_code(socket) == 4401


def test_a_page_of_somebody_else_is_closed(house: AttackedHouse) -> None:
    with house.housemate.socket() as socket:
        watch(socket, house.owner.owner)

        assert get_close_code(socket) == 4403


def test_a_housemate_hears_nothing_of_the_owners_reply(house: AttackedHouse) -> None:
    is_asked = Event()
    house.model.add_scripts(Script(tokens=make_words(150), first_when=is_asked))
    entry = house.owner.write("Asked aloud.", day=ANOTHER_DAY)
    with house.owner.socket() as own, house.housemate.socket() as other:
        watch(own, house.owner.owner, day=ANOTHER_DAY)
        watch(other, house.housemate.owner, day=ANOTHER_DAY)
        reply = house.owner.respond(entry)
        other.send(json.dumps({"type": "again", "reply": reply}))
        other.send(json.dumps({"type": "again", "reply": house.ids(house.owner)["reply"]}))

        is_asked.set()
        told = [frame.get("reply") for frame in read_frames_until(own, "end")]
        assert told.count(reply) > 1
        assert read_frames(other) == []


def test_a_copied_cookie_hears_nothing_more_after_the_lock(house: AttackedHouse) -> None:
    # Their only browser: the reply itself ends with the last lock.
    browser = Visitor.join(house.server, "Sandra")
    house.model.add_scripts(Script(tokens=make_words(4000), rate=100))
    entry = browser.write("Asked, then locked.", day=ANOTHER_DAY)
    with browser.socket() as own, browser.copy().socket() as thief:
        for socket in (own, thief):
            watch(socket, browser.owner, day=ANOTHER_DAY)
        browser.post(f"/entries/{entry}/respond/", script=True)
        while json.loads(thief.recv(timeout=PATIENCE))["type"] != "delta":
            continue

        browser.post("/lock/")

        for socket in (own, thief):
            assert read_last_frame(socket)["type"] == "locked"
            assert socket.close_code == 4401
        # What came at the lock ended; the model still speaks, and nobody hears it.
        assert house.model.wait_for_hang_up()
    with browser.copy().socket() as late:
        assert get_close_code(late) == 4401


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "42",
        "[1]",
        "null",
        '"watch"',
        "{}",
        '{"type": "watch"}',
        '{"type": "again", "reply": 42}',
        '{"type": "again", "reply": "not-an-id"}',
        '{"type": "watch", "day": "2026-02-30", "owner": "x"}',
        '{"type": "lock"}',
        "[" * 30_000,
        '{"type": "\\ud800"}',
        b"\xff\xfe\x00",
        random.Random(7).randbytes(500),
    ],
    ids=repr,
)
def test_a_frame_that_no_page_sends_ends_the_socket_and_nothing_else(
    house: AttackedHouse, frame: str | bytes
) -> None:
    with house.owner.socket() as socket:
        socket.send(frame)

        assert get_close_code(socket) in (4400, 1007)

    assert house.owner.get("/healthz").status == 200
    assert "Traceback" not in house.server.log()


def test_a_thousand_frames_at_once_slow_nobody(house: AttackedHouse) -> None:
    with house.owner.socket() as socket:
        # Frames that come faster than they are read end their socket.
        with suppress(ConnectionClosed):
            for number in range(1000):
                socket.send(json.dumps({"type": "again", "reply": f"01930000-0000-7000-8000-{number:012}"}))
        assert house.housemate.get("/").status == 200
        with suppress(ConnectionClosed):
            assert read_frames(socket, seconds=0.3) == []
        assert socket.close_code in (None, TOO_MANY_FRAMES)
    assert house.owner.get("/").status == 200


def test_a_cookie_in_the_address_counts_for_nothing(house: AttackedHouse) -> None:
    stranger: Visitor = house.stranger
    address = (
        f"ws://127.0.0.1:{house.server.port}/live/?{SESSION_COOKIE}={house.owner.cookies[SESSION_COOKIE]}"
    )
    with connect(address, origin=stranger.server.base_url) as socket:  # type: ignore[arg-type]  # a new type of str
        assert get_close_code(socket) == 4401
