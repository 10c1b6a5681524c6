"""Tests of the parser of server-sent events, with the bytes split anywhere."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamora.client.server_events import MAX_EVENT_BYTES, EventTooLong, ServerEvent, ServerEventParser

STREAM = (
    '\ufeff: a comment\r\nevent: start\r\ndata: {"sources": []}\r\n\r\n'
    "id: 7\revent: token\rdata: Grüße 🪁\r\r"
    "data:no blank\ndata:  two blanks\ndata\nretry: 10\n\n"
    "event: nothing\n\n"
    "data: \n\n"
    "event: done\ndata: never ended"
).encode()
EVENTS = [
    ServerEvent("start", '{"sources": []}'),
    ServerEvent("token", "Grüße 🪁"),
    ServerEvent("message", "no blank\n two blanks\n"),
    ServerEvent("message", ""),
]


def parse(chunks: list[bytes]) -> list[ServerEvent]:
    parser = ServerEventParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


def test_a_whole_stream() -> None:
    assert parse([STREAM]) == EVENTS


def test_every_byte_on_its_own() -> None:
    assert parse([STREAM[place : place + 1] for place in range(len(STREAM))]) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_any_split(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[start:end] for start, end in pairwise(edges)]

    assert parse(chunks) == EVENTS


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_any_bytes_are_read_the_same_however_they_are_split(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)

    assert parse(chunks) == parse([whole]) == parse([whole[place : place + 1] for place in range(len(whole))])


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 1000 + b"\n", b"x" * 1000])
def test_an_event_without_an_end_is_refused(piece: bytes) -> None:
    parser = ServerEventParser()

    with pytest.raises(EventTooLong):
        list(map(parser.feed, [piece] * (MAX_EVENT_BYTES // 900)))
