"""Measurements of the time to the first token and of tokens a second, through our server and without it.

The model server is the scripted one of the tests. It sends tokens as fast as they are read, or at a steady
rate, so that the figures measure our own code. "Socket to socket": from sending the request to the first
words on the page's WebSocket, compared with the first bytes of the same reply read from the model server
directly.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from llamora.ops.benchmarks.client import CSRF_COOKIE, BrowserClient
from llamora.ops.benchmarks.figures import BenchmarkReport, Figure, median
from llamora.ops.benchmarks.household import BenchmarkHousehold

COUNTS = (1, 4, 16)
# At fifty tokens a second a reply of this bench takes twenty seconds.
_LONGEST_REPLY = 300.0


@dataclass(frozen=True)
class StreamTiming:
    """The speed of one stream: seconds to the first words, and tokens per second after that."""

    first: float
    rate: float


@contextmanager
def serve_scripted_model(*, tokens: int, rate: float) -> Iterator[int]:
    """Start the scripted model server as a subprocess; yield its port."""
    command = [
        sys.executable,
        "-m",
        "tests.fakes.model_server",
        "--port",
        "0",
        "--tokens",
        str(tokens),
        "--rate",
        str(rate),
    ]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"(\d{4,5})\D*$", process.stdout.readline())
        if not found:
            raise RuntimeError("The model server did not say its port.")
        yield int(found[1])
    finally:
        process.terminate()
        process.wait(10)


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def stream_directly(port: int, *, tokens: int) -> StreamTiming:
    """Read one reply from the model server directly, and return its timing."""
    body = json.dumps(
        {"messages": [{"role": "user", "content": "hello"}], "stream": True, "max_tokens": tokens}
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.perf_counter()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    writer.write((head + body).encode())
    await _read_head(reader)
    seen = b""
    while b'"content":' not in seen:
        seen += await reader.read(65536)
    first = time.perf_counter()
    while b"[DONE]" not in seen:
        part = await reader.read(65536)
        if not part:
            break
        seen = seen[-16:] + part
    ended = time.perf_counter()
    writer.close()
    return StreamTiming(first - began, tokens / max(ended - first, 1e-6))


@dataclass
class BrowserTab:
    """One person's open page: its WebSocket, and a connection for each request."""

    browser: BrowserClient
    entry: str
    socket: Any

    @classmethod
    async def open(cls, served: BenchmarkHousehold, browser: BrowserClient, today: date) -> "BrowserTab":
        """Save an entry and open the WebSocket as the page does."""
        from websockets.asyncio.client import connect  # noqa: PLC0415 - of the development group
        from websockets.typing import Origin  # noqa: PLC0415 - likewise

        browser.get("/")
        saved = browser.save("The kettle sang before I did.", day=today.isoformat())
        if not saved.entry_ids:
            raise RuntimeError(f"Saving an entry answered {saved.status}.")
        base = f"127.0.0.1:{served.port}"
        socket = await connect(
            f"ws://{base}/live/",
            origin=Origin(f"http://{base}"),
            additional_headers={"Cookie": browser.cookie_header},
        )
        await socket.send(json.dumps({"type": "watch", "day": today.isoformat(), "owner": browser.owner}))
        return cls(browser, saved.entry_ids[0], socket)

    async def respond(self, *, tokens: int) -> StreamTiming:
        """Request a reply of `tokens` tokens and read it to its end; raise RuntimeError if none comes."""
        # The server closes a connection on which nothing is asked, as none was while the others stream.
        reader, writer = await asyncio.open_connection("127.0.0.1", self.browser.port)
        try:
            async with asyncio.timeout(_LONGEST_REPLY):
                return await self._respond(reader, writer, tokens=tokens)
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError):
            raise RuntimeError("A reply that was asked for did not come to its end.") from None
        finally:
            writer.close()

    async def _respond(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, tokens: int
    ) -> StreamTiming:
        body = urlencode({"owner": self.browser.owner})
        token = self.browser.cookies[CSRF_COOKIE]
        head = (
            f"POST /entries/{self.entry}/respond/ HTTP/1.1\r\nHost: 127.0.0.1:{self.browser.port}\r\n"
            f"Cookie: {self.browser.cookie_header}\r\n"
            f"X-CSRFToken: {token}\r\nHX-Request: true\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        began = time.perf_counter()
        writer.write((head + body).encode())
        first = 0.0
        while True:
            frame = json.loads(await self.socket.recv())
            if not first and _has_words(frame):
                first = time.perf_counter()
            if frame["type"] == "end":
                ended = time.perf_counter()
                break
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"[Cc]ontent-[Ll]ength: (\d+)", answer)
        await reader.readexactly(int(length[1]) if length else 0)
        return StreamTiming(first - began, tokens / max(ended - first, 1e-6))

    async def close(self) -> None:
        """Close the WebSocket."""
        await self.socket.close()


def _has_words(frame: dict[str, Any]) -> bool:
    if frame["type"] == "delta":
        return bool(frame.get("settled") or frame.get("tail"))
    return frame["type"] == "end" or "<p dir" in frame.get("html", "")


def measure(
    report: BenchmarkReport,
    served: BenchmarkHousehold,
    browsers: list[BrowserClient],
    *,
    port: int,
    tokens: int,
    rate: float,
    today: date,
) -> None:
    """Add to the report the delay of the first token, and the tokens per second, of parallel streams.

    The numbers of parallel streams are 1, 4 and 16.
    """
    asyncio.run(_measure_streams(report, served, browsers, port=port, tokens=tokens, rate=rate, today=today))


async def _measure_streams(
    report: BenchmarkReport,
    served: BenchmarkHousehold,
    browsers: list[BrowserClient],
    *,
    port: int,
    tokens: int,
    rate: float,
    today: date,
) -> None:
    tabs = [await BrowserTab.open(served, browser, today) for browser in browsers]
    await tabs[0].respond(tokens=tokens)
    pace = f"model at {rate:g} tokens/s" if rate else "model as fast as it can"
    for count in COUNTS:
        rounds = 1 if rate else (5 if count == 1 else 2)
        ours = [
            t
            for _ in range(rounds)
            for t in await asyncio.gather(*(tab.respond(tokens=tokens) for tab in tabs[:count]))
        ]
        plain = [
            t
            for _ in range(rounds)
            for t in await asyncio.gather(*(stream_directly(port, tokens=tokens) for _ in range(count)))
        ]
        _add_figures(report, f"{count} streams, {pace}", ours, plain, peers=(count == 16 and not rate))
    for tab in tabs:
        await tab.close()


def _add_figures(
    report: BenchmarkReport, label: str, ours: list[StreamTiming], plain: list[StreamTiming], *, peers: bool
) -> None:
    first, first_plain = median([t.first for t in ours]) * 1000, median([t.first for t in plain]) * 1000
    speed, speed_plain = median([t.rate for t in ours]), median([t.rate for t in plain])
    report.add(
        Figure(
            name=f"first token, {label}",
            value=first,
            unit="ms",
            ratio=first / first_plain,
            baseline="direct",
            peer=679 if peers else None,
        )
    )
    report.add(Figure(name="  added to the model's own", value=first - first_plain, unit="ms"))
    report.add(
        Figure(
            name="  each stream",
            value=speed,
            unit="tokens/s",
            ratio=speed / speed_plain,
            baseline="direct",
            peer=896 if peers else None,
        )
    )
    report.add(
        Figure(
            name="  slowest stream",
            value=min(t.rate for t in ours),
            unit="tokens/s",
            ratio=min(t.rate for t in ours) / speed_plain,
            baseline="direct",
        )
    )
