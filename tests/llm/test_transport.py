"""Tests of the framing of HTTP bodies, and of servers that do not speak HTTP."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamora.llm.client import ModelServer
from llamora.llm.errors import ModelError
from llamora.llm.framing import Dechunker

TURNS = [{"role": "user", "content": "tea"}]


@given(st.lists(st.binary(min_size=1, max_size=300)), st.integers(1, 50))
def test_chunks_cut_anywhere_carry_the_same(parts: list[bytes], size: int) -> None:
    wire = b"".join(f"{len(part):X};x=1\r\n".encode() + part + b"\r\n" for part in parts) + b"0\r\n\r\n"
    reader = Dechunker()

    content = b"".join(reader.feed(wire[start : start + size]) for start in range(0, len(wire), size))

    assert content == b"".join(parts)
    assert reader.is_done


@pytest.mark.parametrize("wire", [b"xyz\r\n", b"-5\r\nhello", b"\r\n", b" \r\n", b"1" * 400])
def test_nonsense_for_a_chunk_size_is_refused(wire: bytes) -> None:
    with pytest.raises(ValueError, match=r"^$|invalid literal"):
        Dechunker().feed(wire)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200\r\nno colon\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ndata: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\ndata: [DONE]",
        b"HTTP/1.1 200 OK\r\n\r\ndata: ",
        b"x" * 100_000,
        b"",
    ],
)
async def test_a_server_that_speaks_otherwise_is_dropped(answer: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as other:
        server = ModelServer(f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}")

        with pytest.raises(ModelError) as caught:
            await anext(server.stream(TURNS, max_tokens=9))

    assert caught.value.code == "dropped"


async def test_a_body_that_ends_with_its_connection_is_read() -> None:
    body = b'data: {"choices":[{"delta":{"content":"tea"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + body)
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as other:
        server = ModelServer(f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}")

        parts = [part async for part in server.stream(TURNS, max_tokens=9)]

    assert [part[0] for part in parts] == ["tea", "stop"]


TEA = b'data: {"choices":[{"delta":{"content":"tea"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
SURPLUS = b'HTTP/1.1 200 OK\r\n\r\ndata: {"choices":[{"delta":{"content":"ANOTHER\'S"}}]}\n\n'
FRAMED = {
    "sized": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(TEA), TEA),
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
    % (len(TEA), TEA),
}


@pytest.mark.parametrize("pause", [None, 0.02])
@pytest.mark.parametrize("framed", FRAMED)
async def test_what_follows_a_response_is_not_read_as_the_next_one(framed: str, pause: float | None) -> None:
    """Whether it comes with the response or while the connection is idle."""
    later = list[asyncio.Event]()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        later.append(asyncio.Event())
        while await reader.readline():
            await reader.readuntil(b"}")
            writer.write(FRAMED[framed] + (SURPLUS * 100 if pause is None else b""))
            if pause is not None:
                await asyncio.sleep(pause)
                writer.write(SURPLUS)
            await writer.drain()
            later[-1].set()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as other:
        server = ModelServer(f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}")
        texts = []
        for _ in range(3):
            texts.append([part[0] async for part in server.stream(TURNS, max_tokens=9)])
            await later[-1].wait()
            await asyncio.sleep(0.01)
        await server.close()

    assert texts == [["tea", "stop"]] * 3


@pytest.mark.parametrize("key", ["a\r\nX-More: 1", "schl\u00fcssel", "a\x00"])
def test_a_key_that_is_no_header_is_refused_before_it_is_sent(key: str) -> None:
    with pytest.raises(ModelError) as caught:
        ModelServer("http://127.0.0.1:9", api_key=key)

    assert caught.value.code == "unauthorized"
