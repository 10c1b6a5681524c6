"""Scripts of a model server: the response to one call, and the bytes of the response."""

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any

_PROSE = """
you walked a long way today and the rain kept company until tea was warm again . , so quiet evening light
on water felt slow near garden where birds were calling home , perhaps tomorrow brings other weather .
"""
_WORDS = _PROSE.split()
_BURST = 16


async def _wait_for(event: Event) -> None:
    # Not in a thread: one that waits longer than its test would have the run wait for it.
    while not event.is_set():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


def make_words(count: int) -> list[str]:
    """Return this number of tokens of prose, always the same, without repetition."""
    pick = random.Random(7).choice
    return [pick(_WORDS) + ("\n\n" if place % 60 == 59 else " ") for place in range(count)]


# For a test that ends the reply itself: on no machine it ends before.
SECONDS_OF_UNENDING = 100


def make_unending(rate: int = 100) -> "Script":
    """Return a script that goes on longer than any test takes, without repetition."""
    return Script(tokens=make_words(SECONDS_OF_UNENDING * rate), rate=rate)


@dataclass(frozen=True, kw_only=True)
class Script:
    """The response to one call of `/v1/chat/completions`. Counts are tokens, times are seconds."""

    tokens: Sequence[str] = tuple(make_words(40))
    thoughts: Sequence[str] = ()
    thought_field: str = "reasoning_content"
    rate: float = 0.0  # tokens a second; 0 is as fast as possible
    first_after: float = 0.0
    headers_after: float = 0.0
    first_when: Event | None = None  # no token is sent until it is set
    rest_after: int = 1  # with `rest_when`, so many tokens are sent before it is set
    rest_when: Event | None = None  # the tokens after those are not sent until it is set
    end_when: Event | None = None  # the end is not sent until it is set
    status: int = 200
    error: str = "something failed"
    finish_reason: str = "stop"
    chunk_size: int = 0  # cut the bytes into pieces this small, to split characters
    malformed_after: int | None = None
    error_after: int | None = None
    drop_after: int | None = None
    silent_after: int | None = None
    no_end: bool = False
    endless: bool = False  # the tokens again and again
    raw: bytes | None = None  # exactly these bytes as the stream's body
    response: bytes | None = (
        None  # exactly these bytes as the whole response, before the connection is closed
    )


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    payload = {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "fake",
        "choices": [choice],
    }
    return b"data: " + json.dumps(payload, ensure_ascii=False).encode() + b"\n\n"


def _frame_chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


_FRAMES: dict[tuple[str, str], bytes] = {}


class WireWriter:
    """Writer of the events of a reply as bytes, in the format of OpenAI; subclasses have other formats."""

    content_type = "text/event-stream"
    done = b"data: [DONE]\n\n"
    malformed = b'data: {"choices":[{"delta":{"content":"hal\n\n'

    def begin(self) -> bytes:
        """Return what comes before the first token."""
        return b""

    def write_text(self, text: str) -> bytes:
        """Return the event of a token."""
        return _event({"content": text})

    def write_thought(self, text: str, *, field: str) -> bytes:
        """Return the event of a token of thinking, in a field of this name."""
        return _event({field: text})

    def write_end(self, reason: str, count: int) -> bytes:
        """Return the end of a reply with so many tokens."""
        usage = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": count}}
        return _event({}, reason) + b"data: " + json.dumps(usage).encode() + b"\n\n" + self.done

    def write_error(self, status: int, message: str) -> bytes:
        """Return the event of an error."""
        return b"data: " + json.dumps({"error": {"code": status, "message": message}}).encode() + b"\n\n"

    def build_refusal(self, status: int, message: str) -> Any:
        """Return the body of a response that refuses a request."""
        return {"error": {"code": status, "message": message}}


OPENAI_WRITER = WireWriter()


def _token(writer: WireWriter, name: str, text: str) -> bytes:
    """Return a token's event in its own HTTP chunk, as llama.cpp sends it; cached for benchmarks."""
    frame = _FRAMES.get((name, text)) if writer is OPENAI_WRITER else None
    if frame is None:
        event = writer.write_text(text) if name == "content" else writer.write_thought(text, field=name)
        frame = _frame_chunk(event)
        if writer is OPENAI_WRITER:
            _FRAMES[name, text] = frame
    return frame


class DropError(Exception):
    """Raised when the script drops the connection."""


class ScriptedStream:
    """The sending of one scripted reply."""

    def __init__(
        self, script: Script, writer: asyncio.StreamWriter, wire: WireWriter = OPENAI_WRITER
    ) -> None:
        self._script, self._writer, self._wire = script, writer, wire

    async def run(self) -> None:
        script = self._script
        await asyncio.sleep(script.headers_after)
        if script.response is not None:
            await self._send_response(script.response)
            return
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {self._wire.content_type}\r\nTransfer-Encoding: chunked"
        self._writer.write(head.encode() + b"\r\n\r\n")
        await self._writer.drain()
        await asyncio.sleep(script.first_after)
        if script.first_when is not None:
            await _wait_for(script.first_when)
        if script.raw is not None:
            await self._raw(script.raw + (b"" if script.no_end else self._wire.done))
            return
        if script.chunk_size:
            whole = b"".join(self._wire.write_text(token) for token in script.tokens)
            await self._raw(self._wire.begin() + whole + self._wire.write_end("stop", len(script.tokens)))
            return
        if beginning := self._wire.begin():
            self._writer.write(_frame_chunk(beginning))
        thoughts = [_token(self._wire, script.thought_field, thought) for thought in script.thoughts]
        await self._frames(thoughts, start=0)
        await self._tokens()

    async def _send_response(self, response: bytes) -> None:
        size = self._script.chunk_size or len(response) or 1
        for start in range(0, len(response), size):
            self._writer.write(response[start : start + size])
            await self._writer.drain()
            await asyncio.sleep(0)
        if self._script.silent_after is not None:
            await asyncio.sleep(3600)
        self._writer.close()

    async def _raw(self, body: bytes) -> None:
        size = self._script.chunk_size or len(body)
        for start in range(0, len(body), size):
            self._writer.write(_frame_chunk(body[start : start + size]))
            await self._writer.drain()
            if self._script.chunk_size:
                await asyncio.sleep(0.0005)
        self._writer.write(b"0\r\n\r\n")

    async def _tokens(self) -> None:
        script, sent = self._script, 0
        frames = [_token(self._wire, "content", token) for token in script.tokens]
        if script.rest_when is not None:
            await self._frames(frames[: script.rest_after], start=0)
            await _wait_for(script.rest_when)
            sent, frames = script.rest_after, frames[script.rest_after :]
        while True:
            stop = self._next_fault(len(frames))
            await self._frames(frames[:stop], start=sent)
            sent += stop
            if stop < len(frames) or not script.endless:
                break
        await self._fault()
        if script.end_when is not None:
            await _wait_for(script.end_when)
        end = b"" if script.no_end else _frame_chunk(self._wire.write_end(script.finish_reason, sent))
        self._writer.write(end + b"0\r\n\r\n")

    def _next_fault(self, length: int) -> int:
        script = self._script
        marks = (script.malformed_after, script.error_after, script.drop_after, script.silent_after)
        return min([length, *(mark for mark in marks if mark is not None)])

    async def _fault(self) -> None:
        script = self._script
        if script.malformed_after is not None:
            self._writer.write(_frame_chunk(self._wire.malformed))
        if script.error_after is not None:
            status = script.status if script.status != 200 else 500
            self._writer.write(_frame_chunk(self._wire.write_error(status, script.error)))
        if script.drop_after is not None:
            await self._writer.drain()
            raise DropError
        if script.silent_after is not None:
            await asyncio.sleep(3600)

    async def _frames(self, frames: list[bytes], *, start: int) -> None:
        if self._script.rate:
            await self._send_paced(frames, start=start)
            return
        for place in range(0, len(frames), _BURST):
            self._writer.write(b"".join(frames[place : place + _BURST]))
            await self._writer.drain()
            # Yield to the other streams; `drain` alone does not while the socket takes everything.
            await asyncio.sleep(0)

    async def _send_paced(self, frames: list[bytes], *, start: int) -> None:
        clock = asyncio.get_running_loop().time
        begun = clock()
        for place, frame in enumerate(frames):
            due = begun + place / self._script.rate
            if due > (now := clock()):
                await asyncio.sleep(due - now)
            self._writer.write(frame)
            await self._writer.drain()
