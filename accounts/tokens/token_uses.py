"""Uses of access tokens: time of the last use, and numbers of entries read.

Most calls write nothing: the numbers are in memory, and are written at most once a minute for each token. If
the process is killed, the numbers that are not written yet are lost.
"""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Case, F, Value, When
from django.utils import timezone

from accounts.models import AccessToken
from llamora.database import NotWritten, write_transaction

WRITTEN_EVERY = 60.0
_log = logging.getLogger(__name__)


@dataclass
class _UnwrittenUse:
    """Uses of one token that are not written yet, and the time of the last write."""

    used_at: datetime
    read_count: int = 0
    read_on: date | None = None
    written: float = -WRITTEN_EVERY


class TokenUses:
    """Thread-safe counts of uses that are not written to the database yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uses: dict[UUID, _UnwrittenUse] = {}

    def record(self, token_id: UUID, *, read_count: int = 0) -> None:
        """Count a use of a token, and the number of entries that this use read.

        The counts of a token are written to the database at most once a minute.
        """
        now, moment = time.monotonic(), timezone.now()
        with self._lock:
            use = self._uses.setdefault(token_id, _UnwrittenUse(moment))
            use.used_at, use.read_count = moment, use.read_count + read_count
            use.read_on = moment.date() if read_count else use.read_on
            is_due = now - use.written >= WRITTEN_EVERY
            if is_due:
                use.written = now
        if is_due:
            self._write(token_id)

    def write_all(self) -> None:
        """Write all counts that are not written yet, so that a page can show them."""
        with self._lock:
            waiting = list(self._uses)
        for token_id in waiting:
            self._write(token_id)

    def clear(self) -> None:
        """Discard all counts that are not written yet."""
        with self._lock:
            self._uses.clear()

    def _write(self, token_id: UUID) -> None:
        with self._lock:
            use = self._uses.get(token_id)
            if use is None:
                return
            used_at, count, read_on = use.used_at, use.read_count, use.read_on
            use.read_count, use.read_on = 0, None
        try:
            _write_use(token_id, used_at=used_at, read_count=count, read_on=read_on)
        except NotWritten as error:
            _log.warning("The use of an access token could not be saved: %s", error.code)
            with self._lock:
                use.read_count, use.read_on = use.read_count + count, use.read_on or read_on


def _write_use(token_id: UUID, *, used_at: datetime, read_count: int, read_on: date | None) -> None:
    with write_transaction():
        rows = AccessToken.objects.filter(id=token_id)
        rows.update(last_used_at=used_at)
        if read_on is not None:
            is_same_day = When(last_read_on=read_on, then=F("read_days"))
            rows.update(
                read_count=F("read_count") + read_count,
                read_days=Case(is_same_day, default=F("read_days") + Value(1)),
                last_read_on=read_on,
            )


token_uses = TokenUses()
