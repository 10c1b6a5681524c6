"""An event loop in a thread that serves the live socket, and tabs on it, without a server process.

with run_serving_loop(fake.url) as live:
    tab = live.tab(owner, owner.today)          # connected, watching
    owner.post(f"/entries/{entry.id}/respond/", script=True)
    end = tab.wait_for("end")
"""

import asyncio
import json
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings

from accounts.sessions.cookies import get_cookie_name
from diary.models import Reply
from llamora.inference import model_server
from llamora.inference.registry import registry
from llamora.routing import websocket_application
from tests.fakes.waiting import PATIENCE
from tests.page import read
from tests.people import Resident

T = TypeVar("T")
ORIGIN = "http://testserver"


def split_reply_html(html: str) -> tuple[str, str]:
    """Return the settled HTML and the tail of a reply from its section."""
    section = read(html)
    # A reply that is over has no part that may still change.
    tails = [tail.inner_html for tail in section.all("[data-tail]")]
    return section.one("[data-settled]").inner_html, "".join(tails)


def get_reply_html(html: str) -> str:
    """Return the HTML of a reply's text from its section."""
    return "".join(split_reply_html(html))


@dataclass
class Tab:
    """A simulated tab: its received frames, and the HTML that a page would show of each reply."""

    loop: asyncio.AbstractEventLoop
    cookie: str
    origin: str = ORIGIN
    frames: list[dict[str, Any]] = field(default_factory=list)
    code: int | None = None
    accepted: bool = False
    # What the page shows of each reply: settled and tail.
    pages: dict[str, tuple[str, str]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    gaps: int = 0

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        self.held = threading.Event()
        self.held.set()
        self.task = asyncio.run_coroutine_threadsafe(self._run(), self.loop)

    async def _run(self) -> None:
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        headers = [(b"host", b"testserver"), (b"origin", self.origin.encode())]
        headers.append((b"cookie", self.cookie.encode()))
        scope = {"type": "websocket", "path": "/live/", "headers": headers, "scheme": "ws"}
        self.queue.put_nowait({"type": "websocket.connect"})
        await websocket_application(scope, self.queue.get, self._take)

    async def _take(self, event: dict[str, Any]) -> None:
        # A reader that does not read: `send` does not return.
        await asyncio.to_thread(self.held.wait)
        with self.changed:
            if event["type"] == "websocket.accept":
                self.accepted = True
            elif event["type"] == "websocket.close":
                self.code = event.get("code", 1000)
                self.queue.put_nowait({"type": "websocket.disconnect", "code": self.code})
            else:
                self._apply_frame(json.loads(event["text"]))
            self.changed.notify_all()

    def _apply_frame(self, frame: dict[str, Any]) -> None:
        """Process a frame as the page's script does."""
        self.frames.append(frame)
        reply, kind = frame.get("reply", ""), frame["type"]
        if kind in ("snapshot", "end"):
            self.pages[reply] = split_reply_html(frame["html"])
        elif kind == "delta":
            self.gaps += frame["seq"] != self.seen[reply] + 1
            self.pages[reply] = (self.pages[reply][0] + frame["settled"], frame["tail"])
        if reply:
            self.seen[reply] = frame["seq"]

    def get_html(self, reply: object) -> str:
        """Return the HTML of a reply's text in this tab."""
        return "".join(self.pages.get(str(reply), ("", "")))

    def send(self, frame: object) -> None:
        """Send a frame to the server."""
        text = frame if isinstance(frame, str) else json.dumps(frame)
        event = {"type": "websocket.receive", "text": text}
        self.loop.call_soon_threadsafe(lambda: self.queue.put_nowait(event))

    def watch(self, member: Resident, day: date) -> None:
        self.send({"type": "watch", "day": day.isoformat(), "owner": str(member.id)})

    def pause_reading(self) -> None:
        """Stop reading frames."""
        self.held.clear()

    def resume_reading(self) -> None:
        self.held.set()

    def list_frames(self, kind: str, reply: object = None) -> list[dict[str, Any]]:
        """Return the frames of a kind, of one reply or of all."""
        return [f for f in self.frames if f["type"] == kind and reply in (None, f.get("reply"))]

    def wait_for(
        self, kind: str, *, reply: object = None, count: int = 1, seconds: float = PATIENCE
    ) -> dict[str, Any]:
        """Wait for this number of frames of a kind; return the last."""
        name = None if reply is None else str(reply)
        with self.changed:
            came = self.changed.wait_for(lambda: len(self.list_frames(kind, name)) >= count, seconds)
        assert came, (
            f"no {kind} within {seconds} s, only {[f['type'] for f in self.frames]}, code {self.code}"
        )
        return self.list_frames(kind, name)[count - 1]

    def wait_for_close(self, *, seconds: float = PATIENCE) -> int | None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.code is not None, seconds)
        return self.code

    def close(self) -> None:
        """Close the socket as a closed tab does."""
        self.resume_reading()
        if not self.task.done():
            event = {"type": "websocket.disconnect", "code": 1001}
            self.loop.call_soon_threadsafe(lambda: self.queue.put_nowait(event))
        self.task.result(PATIENCE)


class ServingLoop:
    """An event loop in a thread, with the jobs, the model discovery and the tabs."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.tabs: list[Tab] = []
        self._thread = threading.Thread(target=self.loop.run_forever, name="serving", daemon=True)

    def run(self, work: Coroutine[Any, Any, T], *, seconds: float = PATIENCE) -> T:
        """Run a coroutine on the serving loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def tab(self, member: Resident, day: date | None = None, *, origin: str = ORIGIN) -> Tab:
        """Open a tab in that person's browser, watching a day."""
        name = get_cookie_name(secure=False)
        morsel = member.client.cookies.get(name)
        tab = Tab(self.loop, f"{name}={morsel.value}" if morsel else "", origin)
        self.tabs.append(tab)
        with tab.changed:
            tab.changed.wait_for(lambda: tab.accepted or tab.code is not None, PATIENCE)
        if day is not None:
            tab.watch(member, day)
            # The line about the model is sent to a tab as soon as it watches a day.
            with tab.changed:
                watches = tab.changed.wait_for(
                    lambda: tab.list_frames("part") or tab.code is not None, PATIENCE
                )
            assert watches, "the tab does not watch the day"
        return tab

    def wait_until_idle(self) -> None:
        """Let the event loop run until its due callbacks have run."""
        for _ in range(20):
            self.run(asyncio.sleep(0.005))

    def begin(self) -> None:
        self._thread.start()
        self.run(_bind())

    def end(self) -> None:
        for tab in self.tabs:
            tab.close()
        self.run(registry.close(timeout=2))
        self.run(model_server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()


async def _bind() -> None:
    registry.bind_loop()


@contextmanager
def run_serving_loop(url: str = "", *, file: Path | None = None) -> Iterator[ServingLoop]:
    """Run a serving loop with the model server at `url`, or with one that runs a model file."""
    before = settings.MODEL_URL, settings.MODEL_FILE
    settings.MODEL_URL, settings.MODEL_FILE = url, str(file or "")
    live = ServingLoop()
    live.begin()
    try:
        # A page of an earlier test has looked for a model already, where there was none.
        live.run(model_server.stop())
        live.run(model_server.discover(patience=PATIENCE), seconds=2 * PATIENCE)
        yield live
    finally:
        live.end()
        settings.MODEL_URL, settings.MODEL_FILE = before


def start_reply(person: Resident, entry_id: object, **fields: str) -> str:
    """Request a reply; return its id."""
    answer = person.post(f"/entries/{entry_id}/respond/", script=True, **fields)
    assert answer.status_code == 200, answer.status_code
    return read(answer).ids("reply-")[0]


def load_reply(person: Resident, reply_id: str) -> tuple[str, str, str]:
    """Return the text, state and reason in a reply's row."""
    registry.wait_for_row(UUID(reply_id))
    with person.unlocked():
        row = Reply.objects.get(id=reply_id)
        return row.text, row.state, row.reason


def wait_for_reply_row(person: Resident, reply_id: str, *, seconds: float = PATIENCE) -> tuple[str, str, str]:
    """Wait until a reply has ended; return the text, state and reason in its row."""
    until = time.monotonic() + seconds
    while (row := load_reply(person, reply_id))[1] in ("waiting", "writing"):
        assert time.monotonic() < until, f"still {row[1]}"
        time.sleep(0.02)
    # The job ends a moment after its row, and until then a page shows what it knows.
    job = registry.get(UUID(reply_id), person.keyring.key_id)
    while job is not None and not job.is_over:
        assert time.monotonic() < until, "the row has ended and the job has not"
        time.sleep(0.005)
    return row


def wait_for_text(tab: Tab, reply: str, *, seconds: float = PATIENCE) -> None:
    """Wait until a tab shows text of a reply."""
    with tab.changed:
        assert tab.changed.wait_for(lambda: tab.get_html(reply) != "", seconds)


def wait_for_html(tab: Tab, reply: str, html: str, *, seconds: float = PATIENCE) -> None:
    """Wait until a tab shows exactly this HTML as a reply's text."""
    with tab.changed:
        came = tab.changed.wait_for(lambda: tab.get_html(reply) == html, seconds)
    assert came, tab.get_html(reply)


def get_reply(person: Resident, entry_id: object, **fields: object) -> str:
    """Request a reply, wait until it is done, and return its id."""
    page = person.post(f"/entries/{entry_id}/respond/", script=True, **fields).content.decode()
    reply = read(page).ids("reply-")[0]
    assert wait_for_reply_row(person, reply)[1] == "done"
    return reply
