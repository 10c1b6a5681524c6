"""The lexicons of everybody who is unlocked in this process: made when first asked for, forgotten at lock.

One that was begun before a name changed, or before its owner locked, is used once and not held: each change
and each lock begins another turn, and only a lexicon of the turn it was begun in is held.
"""

import threading
import time
from collections import Counter
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.models import Unlock
from llamora.crypto import EnvelopeError
from traces.lexicon import Lexicon
from traces.models import Trace

SWEEP_SECONDS: Final = 20.0


def names_of(owner_id: UUID) -> dict[UUID, str]:
    """Open the names of a person's traces; one that does not open has none."""
    names: dict[UUID, str] = {}
    for trace in Trace.objects.of(owner_id).only("id", "owner_id", "name"):
        try:
            names[trace.id] = str(trace.name)
        except EnvelopeError:
            continue
    return names


def _is_unlocked(owner_id: UUID) -> bool:
    since = timezone.now() - timedelta(minutes=settings.IDLE_MINUTES)
    return Unlock.objects.filter(sign_in__person_id=owner_id, last_active__gt=since).exists()


class Lexicons:
    """Lexicons by person."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[UUID, Lexicon] = {}
        self._used_at: dict[UUID, float] = {}
        self._turns: Counter[UUID] = Counter()
        self._sweeper: threading.Thread | None = None

    def of(self, owner_id: UUID) -> Lexicon:
        """Return a person's lexicon; needs their keyring in force where it is not held yet."""
        with self._lock:
            held, turn = self._held.get(owner_id), self._turns[owner_id]
            self._used_at[owner_id] = time.monotonic()
        if held is not None:
            return held
        made = Lexicon(names_of(owner_id))
        with self._lock:
            if self._turns[owner_id] == turn:
                self._held[owner_id] = made
            self._start_sweeper()
        # A lock that came meanwhile deleted its row before it told anybody: one of the two sees the other.
        if not _is_unlocked(owner_id):
            self.forget(owner_id)
        return made

    def holds(self, owner_id: UUID) -> bool:
        """Return whether a person's names are in memory."""
        with self._lock:
            return owner_id in self._held

    def forget(self, owner_id: UUID) -> None:
        """Drop a person's lexicon, and one that is being made."""
        with self._lock:
            self._turns[owner_id] += 1
            self._held.pop(owner_id, None)
            self._used_at.pop(owner_id, None)

    def sweep(self, *, now: float | None = None) -> None:
        """Forget names not asked for within the idle limit, which rings no bell; `now` is monotonic."""
        since = (time.monotonic() if now is None else now) - 60 * settings.IDLE_MINUTES
        with self._lock:
            unused = [owner_id for owner_id, used_at in self._used_at.items() if used_at < since]
        for owner_id in unused:
            self.forget(owner_id)

    def _start_sweeper(self) -> None:
        if self._sweeper is None:
            self._sweeper = threading.Thread(target=self._sweep_on, name="traces-sweep", daemon=True)
            self._sweeper.start()

    def _sweep_on(self) -> None:
        pause = threading.Event()
        while not pause.wait(SWEEP_SECONDS):
            self.sweep()


lexicons = Lexicons()
