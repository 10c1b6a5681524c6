"""The live socket of one tab: replies as they are written, and the word that the vault has closed.

`receive` only notes what the tab wants. One task of the socket's own sends, from what is new at that moment,
so a slow tab gets fewer and larger frames and nothing ever queues. The vault is asked for again before a tab
(re)joins and every half minute; a closed one ends the sending at once.

    4400 malformed frame    4401 not unlocked (any more)    4403 the page belongs to somebody else
"""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer

from accounts.doorbell import doorbell
from accounts.scope import look_again
from accounts.vault import NOBODY, RequestVault
from diary.frames import Again, Malformed, Watch, parse
from diary.streaming import Subscription
from diary.told import day_of, section_of
from llamora.inference.jobs import Job, registry

logger = logging.getLogger("diary.live")

MALFORMED, LOCKED, ANOTHER = 4400, 4401, 4403
LOOK_SECONDS = 30.0
# A vault looked at so lately is not looked at again.
FRESH_SECONDS = 1.0
# The tab that asked is shown the beginning by the answer to its own request.
MOMENT = 0.1


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    """One tab. `vault` is who it belongs to; `wanted` what it asked for and was not given yet."""

    def __init__(self) -> None:
        super().__init__()
        self.vault: RequestVault = NOBODY
        self.owner: UUID | None = None
        self.day: date | None = None
        self.asked: set[UUID] = set()
        self.subscriptions: dict[UUID, Subscription] = {}
        self.news = asyncio.Event()
        self.looked_at = 0.0
        self.is_ending = False
        self.tasks: list[asyncio.Task[None]] = []
        self.leave_registry: Callable[[], None] = lambda: None

    # --- what the tab does ---------------------------------------------------------------------

    async def connect(self) -> None:
        """Let in an unlocked person's tab; others are told why, after the handshake, by a code."""
        registry.bind_loop()
        self.vault = self.scope.get("vault", NOBODY)
        await self.accept()
        if self.vault.person is None or not self.vault.is_unlocked:
            await self.close(code=LOCKED)
            return
        self.owner = self.vault.person.id
        self.looked_at = asyncio.get_running_loop().time()
        self.leave_registry = registry.watch(self.owner, self.job_began)
        for work in (self.send_news(), self.hear_the_bell(), self.keep_looking()):
            self.tasks.append(asyncio.create_task(self.guarded(work)))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Note what the tab wants; bytes are as malformed as an empty text."""
        del bytes_data
        if self.is_ending or self.owner is None:
            return
        try:
            frame = parse(text_data or "")
        except Malformed:
            await self.end(MALFORMED)
            return
        if isinstance(frame, Watch) and frame.owner != self.owner:
            await self.end(ANOTHER)
        elif await self.still_unlocked():
            self.note(frame)

    async def disconnect(self, code: int) -> None:
        """Leave; the jobs go on."""
        del code
        self.drop_everything()
        for task in self.tasks:
            task.cancel()
        for task in self.tasks:
            with suppress(asyncio.CancelledError):
                await task

    # --- what it is to be told -----------------------------------------------------------------

    def note(self, frame: Watch | Again) -> None:
        """Take up a wish; the sending task does the rest."""
        if isinstance(frame, Again):
            self.take_up(frame.reply)
        else:
            self.let_go()
            self.day = frame.day
            for job in registry.of(frame.owner):
                self.follow(job)
        self.news.set()

    def take_up(self, section_id: UUID) -> None:
        """Have a section told from its beginning, and followed while a job writes it."""
        if subscription := self.subscriptions.get(section_id):
            subscription.again()
            return
        job = registry.get(section_id)
        if job is None or job.is_over or job.owner_id != self.owner or day_of(job) is None:
            self.asked.add(section_id)
        else:
            # A page shows it that is not of its day: its entry was moved since it was asked for.
            self.subscriptions[section_id] = Subscription(job, self.news.set)

    def job_began(self, job: Job) -> None:
        """Follow a job that has just begun; it is told with its first words, or after a moment."""
        if self.follow(job):
            asyncio.get_running_loop().call_later(MOMENT, self.news.set)

    def follow(self, job: Job) -> bool:
        """Follow a job if it is of the day this tab shows."""
        if self.is_ending or self.day is None or day_of(job) != self.day:
            return False
        if before := self.subscriptions.pop(job.id, None):
            before.close()
        self.subscriptions[job.id] = Subscription(job, self.news.set)
        return True

    async def send_news(self) -> None:
        """Send whatever is new, as often as there is something and the tab takes it."""
        while True:
            await self.news.wait()
            self.news.clear()
            for subscription in list(self.subscriptions.values()):
                if not self.is_ending and (frame := subscription.next_frame()) is not None:
                    await self.send_frame(frame)
                if subscription.is_over:
                    self.leave(subscription)
            while self.asked and not self.is_ending:
                await self.send_from_rows(self.asked.pop())

    def leave(self, subscription: Subscription) -> None:
        """Follow a job no more: it is over, or another took its place."""
        subscription.close()
        if self.subscriptions.get(subscription.reply_id) is subscription:
            del self.subscriptions[subscription.reply_id]

    async def send_frame(self, frame: dict[str, object]) -> None:
        """Send one frame."""
        await self.send(text_data=json.dumps(frame, ensure_ascii=False, separators=(",", ":")))

    async def send_from_rows(self, section_id: UUID) -> None:
        """Send a section that no job writes any more."""
        assert self.owner is not None
        find = partial(section_of, section_id, owner_id=self.owner)
        section = await registry.desk.do(find, keyring=self.vault.held)
        if section is not None and not self.is_ending:
            ids = {"reply": str(section_id), "place": section.place}
            await self.send_frame({"type": "end", **ids, "seq": 0, "html": section.html})

    # --- whether it may still be told ------------------------------------------------------------

    async def hear_the_bell(self) -> None:
        """Stop at once when this browser locks or signs out."""
        assert self.owner is not None
        async with doorbell.listen(self.owner) as rings:
            while True:
                ring = await rings.get()
                if ring.get("sign_in") == str(self.vault.sign_in_id):
                    await self.lock(str(ring["type"]))
                    return

    async def keep_looking(self) -> None:
        """Look every half minute whether the vault is still open: an idle limit rings no bell by itself."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not await self.still_unlocked():
                return

    async def still_unlocked(self) -> bool:
        """Look at the session's rows again; lock the tab when they do not open any more."""
        now = asyncio.get_running_loop().time()
        if now - self.looked_at < FRESH_SECONDS:
            return not self.is_ending
        seen = await registry.desk.do(partial(look_again, self.scope.get("session_cookie")))
        self.looked_at = now
        if seen.held is not None:
            seen.held.close()
        if seen.held is not None and seen.person is not None and seen.person.id == self.owner:
            return not self.is_ending
        await self.lock("signed_out" if seen.person is None else "locked")
        return False

    async def lock(self, kind: str) -> None:
        """Tell the tab that its vault has closed, and send nothing more."""
        if not self.is_ending:
            self.drop_everything()
            await self.send_frame({"type": kind})
            await self.close(code=LOCKED)

    async def end(self, code: int) -> None:
        """Close with a code."""
        if not self.is_ending:
            self.drop_everything()
            await self.close(code=code)

    def drop_everything(self) -> None:
        """Follow nothing any more and let go of the key."""
        self.is_ending = True
        self.leave_registry()
        self.let_go()
        if self.vault.held is not None:
            self.vault.held.close()

    def let_go(self) -> None:
        """Leave every job to others."""
        for subscription in self.subscriptions.values():
            subscription.close()
        self.subscriptions.clear()
        self.asked.clear()

    async def guarded(self, work: Any) -> None:
        """Await a task of this socket; a fault is logged by its kind alone and closes the socket."""
        try:
            await work
        except Exception as error:
            if self.is_ending:
                return
            logger.error("socket: %s", type(error).__name__)  # noqa: TRY400 - a traceback can quote words
            await self.end(1011)
