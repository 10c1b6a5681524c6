"""Clients that save without pause until the server ends, and record which saves were confirmed."""

import itertools
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from uuid import uuid4

from tests.browser_client import BrowserResponse, Visitor

# Short ones, some longer than a page of the database, some longer than a frame of its log.
SIZES = (3, 40, 700, 40, 9000, 40, 3, 60_000)
# Four tabs without a pause would save hundreds of entries, and each is read back.
PAUSE = 0.03


@dataclass(frozen=True)
class Save:
    """A save in progress: the composer's key and the text."""

    key: str
    text: str = field(repr=False)


@dataclass
class Saver:
    """A tab of a person that saves entries, with a draft before each."""

    who: Visitor
    tab: str
    confirmed: list[Save] = field(default_factory=list)
    unanswered: list[Save] = field(default_factory=list)
    refused: list[tuple[Save, BrowserResponse]] = field(default_factory=list)
    drafts: list[str] = field(default_factory=list)
    unanswered_draft: str = ""
    revision: int = 0

    def save(self, text: str) -> BrowserResponse:
        """Save a draft on this tab's own day, then save the text as an entry of today."""
        self._draft(text[:5000])
        save = Save(str(uuid4()), text)
        try:
            answer = self.who.save(text, key=save.key)
        except (OSError, HTTPException):
            self.unanswered.append(save)
            raise
        if answer.status == 200:
            self.confirmed.append(save)
        else:
            self.refused.append((save, answer))
        return answer

    def _draft(self, text: str) -> None:
        self.unanswered_draft = text
        answer = self.who.save_draft(text, revision=self.revision, day=self.tab)
        if answer.status == 200:
            self.revision += 1
            self.drafts.append(text)
            self.unanswered_draft = ""

    def save_until(self, stop: threading.Event) -> None:
        for number in itertools.count():
            if stop.is_set():
                return
            try:
                self.save(make_text(self.tab, number))
                time.sleep(PAUSE)
            except (OSError, HTTPException):
                return


def make_text(tab: str, number: int) -> str:
    """Return a unique text of one of many sizes."""
    size = SIZES[number % len(SIZES)]
    return f"{tab} number {number} {secrets.token_hex(8)} é\n\n" + "rain < tea & 雨 " * (size // 16)


@contextmanager
def run_savers(savers: Sequence[Saver]) -> Iterator[threading.Event]:
    """Run all savers in parallel until the block or the server ends."""
    with run_together([saver.save_until for saver in savers]) as stop:
        yield stop


@contextmanager
def run_together(calls: Sequence[Callable[[threading.Event], None]]) -> Iterator[threading.Event]:
    """Run these calls in threads, until the block ends or each of them finds that the server has."""
    stop = threading.Event()
    with ThreadPoolExecutor(len(calls)) as pool:
        running = [pool.submit(call, stop) for call in calls]
        try:
            yield stop
        finally:
            stop.set()
            ended, _ = wait(running, timeout=20)
            assert len(ended) == len(running), "a client never got an answer"
            for call in running:
                call.result()
