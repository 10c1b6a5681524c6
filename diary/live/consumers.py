"""The live socket of one tab: sends texts while the model generates them, and tells the tab to lock.

`receive` only records the requests of the tab. A task of the socket sends the current changes, so that a slow
tab gets fewer and larger frames, and nothing is queued. The vault is checked before each request and every
half minute; once it is locked, nothing more is sent.

    4400 malformed frame    4401 locked or signed out    4403 the page belongs to another person
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
from django.urls import path

from accounts.http.request import NOBODY, RequestVault
from accounts.sessions.scope import reload_vault
from accounts.sessions.user_events import user_events
from diary.generation.page_tasks import (
    PageSection,
    build_from_job,
    find_page_section,
    get_page_task,
)
from diary.live.protocol import MalformedFrame, RestartRequest, WatchRequest, parse_frame
from diary.live.streaming import Subscription
from diary.model_status_line import render_parts
from llamora.crypto import current_keyring
from llamora.inference.job import Job
from llamora.inference.registry import registry

logger = logging.getLogger("diary.live")

MALFORMED, LOCKED, WRONG_OWNER = 4400, 4401, 4403
CHECK_SECONDS = 30.0
# How often the line about the model is looked at.
MODEL_SECONDS = 1.0
# A vault that was checked so recently is not checked again.
FRESH_SECONDS = 1.0
# The tab that started a job shows its beginning from the answer to that request.
START_DELAY = 0.1


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    """The socket of one tab, with the vault of its owner and the sections that the tab has requested."""

    def __init__(self) -> None:
        super().__init__()
        self.vault: RequestVault = NOBODY
        self.owner: UUID | None = None
        self.subject: date | UUID | None = None
        self.requested: set[UUID] = set()
        self.subscriptions: dict[UUID, Subscription] = {}
        self.has_updates = asyncio.Event()
        self.is_watching = asyncio.Event()
        self.checked_at = 0.0
        self.is_ending = False
        self.tasks: list[asyncio.Task[None]] = []
        self.unwatch_registry: Callable[[], None] = lambda: None

    # --- events of the socket ------------------------------------------------------------------

    async def connect(self) -> None:
        """Accept the socket of a person whose diary is unlocked.

        Any other socket is closed after the handshake, with a close code that says why.
        """
        registry.bind_loop()
        self.vault = self.scope.get("vault", NOBODY)
        await self.accept()
        if self.vault.person is None or not self.vault.is_unlocked:
            await self.close(code=LOCKED)
            return
        self.owner = self.vault.person.id
        self.checked_at = asyncio.get_running_loop().time()
        self.unwatch_registry = registry.watch(self.vault.keyring.key_id, self.on_job_start)
        for work in (self.send_updates(), self.follow_model(), self.listen_for_lock(), self.poll_vault()):
            self.tasks.append(asyncio.create_task(self.run_guarded(work)))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Record what the tab requests.

        Close the socket if the message is binary, malformed or for another owner.
        """
        del bytes_data
        if self.is_ending or self.owner is None:
            return
        try:
            frame = parse_frame(text_data or "")
        except MalformedFrame:
            await self.close_with_code(MALFORMED)
            return
        if isinstance(frame, WatchRequest) and frame.owner != self.owner:
            await self.close_with_code(WRONG_OWNER)
        elif await self.check_unlocked():
            self.handle_frame(frame)

    async def disconnect(self, code: int) -> None:
        """Release the resources of the socket; the jobs continue."""
        del code
        self.stop_all()
        for task in self.tasks:
            task.cancel()
        for task in self.tasks:
            with suppress(asyncio.CancelledError):
                await task

    # --- sending ---------------------------------------------------------------------------------

    def handle_frame(self, frame: WatchRequest | RestartRequest) -> None:
        """Store what the tab requests with a frame. The asyncio task that sends to the tab then answers."""
        if isinstance(frame, RestartRequest):
            self.restart_section(frame.reply)
        else:
            self.unsubscribe_all()
            self.subject = frame.subject
            self.is_watching.set()
            for job in registry.list_jobs(self.vault.keyring.key_id):
                self.follow(job)
        self.has_updates.set()

    def restart_section(self, section_id: UUID) -> None:
        """Send a section from its beginning, and follow its job if one is running."""
        if subscription := self.subscriptions.get(section_id):
            subscription.restart()
            return
        job = registry.get(section_id, self.vault.keyring.key_id)
        task = get_page_task(job) if job else None
        if job is None or job.is_over or task is None:
            self.requested.add(section_id)
        else:
            # The page is another than the task's: the entry was moved since the job began.
            self.subscriptions[section_id] = Subscription(job, task, self.has_updates.set)

    def on_job_start(self, job: Job) -> None:
        """Follow a job that has just started.

        Its section is sent with the first text, or a moment later if there is no text by then.
        """
        if self.follow(job):
            asyncio.get_running_loop().call_later(START_DELAY, self.has_updates.set)

    def follow(self, job: Job) -> bool:
        """Follow a job if it belongs to the page of this tab."""
        task = get_page_task(job)
        if self.is_ending or self.subject is None or task is None or task.page_subject != self.subject:
            return False
        if previous := self.subscriptions.pop(job.id, None):
            previous.close()
        self.subscriptions[job.id] = Subscription(job, task, self.has_updates.set)
        return True

    async def send_updates(self) -> None:
        """Send changes as soon as there are changes and the tab can receive them."""
        while True:
            await self.has_updates.wait()
            self.has_updates.clear()
            for subscription in list(self.subscriptions.values()):
                if not self.is_ending and (frame := subscription.next_frame()) is not None:
                    await self.send_frame(frame)
                if subscription.is_over:
                    self.unsubscribe(subscription)
            while self.requested and not self.is_ending:
                await self.send_from_rows(self.requested.pop())

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop following a job that has ended."""
        subscription.close()
        if self.subscriptions.get(subscription.job_id) is subscription:
            del self.subscriptions[subscription.job_id]

    async def follow_model(self) -> None:
        """Send the status line of the model, and later each part of it that changes."""
        sent: dict[str, str] = {}
        await self.is_watching.wait()
        while True:
            assert self.vault.person is not None
            # The page of a conversation has no such line: it stands under the question.
            day = self.subject if isinstance(self.subject, date) else None
            for element_id, html in (render_parts(self.vault.person, day) if day else {}).items():
                if not self.is_ending and sent.get(element_id) != html:
                    sent[element_id] = html
                    ids = {"reply": element_id, "place": element_id}
                    await self.send_frame({"type": "part", **ids, "seq": 0, "html": html})
            await asyncio.sleep(MODEL_SECONDS)

    async def send_frame(self, frame: dict[str, object]) -> None:
        """Send one frame."""
        await self.send(text_data=json.dumps(frame, ensure_ascii=False, separators=(",", ":")))

    async def send_from_rows(self, section_id: UUID) -> None:
        """Send a section from its database row, if no running job writes it."""
        assert self.owner is not None
        find = partial(_find_own_section, section_id, owner_id=self.owner)
        section = await registry.db.run(find, keyring=self.vault.held)
        if section is not None and not self.is_ending:
            ids = {"reply": str(section_id), "place": section.element_id}
            await self.send_frame({"type": "end", **ids, "seq": 0, "html": section.html})

    # --- the vault ---------------------------------------------------------------------------------

    async def listen_for_lock(self) -> None:
        """Lock the tab as soon as its browser locks or signs out."""
        assert self.owner is not None
        async with user_events.listen(self.owner) as events:
            while True:
                event = await events.get()
                if event.get("sign_in") == str(self.vault.sign_in_id):
                    await self.lock(str(event["type"]))
                    return

    async def poll_vault(self) -> None:
        """Check the vault every half minute, since no event is sent when the idle limit passes."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if not await self.check_unlocked():
                return

    async def check_unlocked(self) -> bool:
        """Return whether the session still unlocks the vault; if not, lock the tab."""
        now = asyncio.get_running_loop().time()
        if now - self.checked_at < FRESH_SECONDS:
            return not self.is_ending
        vault = await registry.db.run(partial(reload_vault, self.scope.get("session_cookie")))
        self.checked_at = now
        if vault.held is not None and vault.person is not None and vault.person.id == self.owner:
            self.adopt_vault(vault)
            return not self.is_ending
        if vault.held is not None:
            vault.held.close()
        await self.lock("signed_out" if vault.person is None else "locked")
        return False

    def adopt_vault(self, vault: RequestVault) -> None:
        """Use the reloaded vault, which has a different key after a rotation."""
        former = self.vault.keyring
        if former.key_id == vault.keyring.key_id or self.is_ending:
            vault.keyring.close()
            return
        self.vault = vault
        former.close()
        self.unwatch_registry()
        self.unwatch_registry = registry.watch(vault.keyring.key_id, self.on_job_start)

    async def lock(self, kind: str) -> None:
        """Tell the tab that its vault is locked, and send nothing more."""
        if not self.is_ending:
            self.stop_all()
            await self.send_frame({"type": kind})
            await self.close(code=LOCKED)

    async def close_with_code(self, code: int) -> None:
        """Stop following jobs, and close the socket with this WebSocket close code."""
        if not self.is_ending:
            self.stop_all()
            await self.close(code=code)

    def stop_all(self) -> None:
        """Stop following all jobs, and close the keyring."""
        self.is_ending = True
        self.unwatch_registry()
        self.unsubscribe_all()
        if self.vault.held is not None:
            self.vault.held.close()

    def unsubscribe_all(self) -> None:
        """Stop following all jobs."""
        for subscription in self.subscriptions.values():
            subscription.close()
        self.subscriptions.clear()
        self.requested.clear()

    async def run_guarded(self, work: Any) -> None:
        """Await a task of this socket; on an error, close the socket and log only the error's type."""
        try:
            await work
        except Exception as error:
            if self.is_ending:
                return
            logger.error("A live connection failed: %s", type(error).__name__)  # noqa: TRY400 - a traceback can quote text
            await self.close_with_code(1011)


def _find_own_section(section_id: UUID, *, owner_id: UUID) -> PageSection | None:
    """Return a person's own section, or None for any other. Needs the owner's keyring in force."""
    job = registry.get(section_id, current_keyring().key_id)
    if job is not None:
        task = get_page_task(job)
        return build_from_job(job, task.render_section) if task else None
    return find_page_section(section_id, owner_id=owner_id)


websocket_urlpatterns = [path("live/", LiveConsumer.as_asgi())]
