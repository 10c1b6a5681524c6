"""Keeps what a job comes to: its row, a partial text every second, and the outcome, whatever the disk does.

What a write raised, and what that makes of the job:

    CryptoError    interrupted, "locked"     its key is gone
    FenceRefused   interrupted, "new_key"    its key is out of date; what was sealed last stays
    Gone           stopped                   its row was deleted
    NotWritten     tried again               a disk may be full for a while
    others         failed, "internal"
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from llamora.crypto import CryptoError
from llamora.database import FenceRefused, NotWritten
from llamora.inference.desk import Desk
from llamora.inference.job import Gone, Job, Outcome, State

logger = logging.getLogger("llamora.jobs")

PARTIAL_SECONDS = 1.0
# Seconds before each attempt at the last write.
ATTEMPTS = (0.0, 1.0, 4.0, 15.0, 40.0)

Verdict = tuple[State, str]


def verdict_on(error: Exception) -> Verdict:
    """What an error other than the model's makes of a job."""
    match error:
        case CryptoError():
            return State.INTERRUPTED, "locked"
        case FenceRefused():
            return State.INTERRUPTED, "new_key"
        case Gone():
            return State.STOPPED, ""
        case NotWritten():
            return State.FAILED, "not_written"
    return State.FAILED, "internal"


def log(job: Job, error: Exception, *, what: str) -> None:
    """Log an error by its kind alone: its words or its traceback could hold what was written."""
    kind = error.code if isinstance(error, NotWritten) else type(error).__name__
    logger.error("job %s: %s: %s", job.id, what, kind)


class Keeper:
    """Writes for one job; `on_trouble` hears why the job cannot go on."""

    def __init__(self, job: Job, *, desk: Desk, on_trouble: Callable[[State, str], None]) -> None:
        self._job, self._desk, self._on_trouble = job, desk, on_trouble
        self._over, self._hurry = asyncio.Event(), asyncio.Event()
        self._row = asyncio.Event()
        self._has_row = True

    def over(self) -> None:
        """No more partial texts are wanted."""
        self._over.set()

    def hurry(self) -> None:
        """Try the last write once and no more."""
        self._hurry.set()

    async def root(self) -> None:
        """Write the row; without one there is no job."""
        job = self._job
        try:
            await self._desk.write(job.errand.root, keyring=job.keyring)
        except Exception as error:
            log(job, error, what="not begun")
            self._has_row = False
            self._on_trouble(*verdict_on(error))
        finally:
            self._row.set()

    async def partials(self) -> None:
        """Seal and write what came, every second in which something came."""
        kept = self._job.seq
        while not await _within(self._over, PARTIAL_SECONDS):
            seq = self._job.seq
            if seq == kept or not self._job.text:
                continue
            try:
                await self._keep(Outcome(text=self._job.text, state=State.WRITING))
                kept = seq
            except Exception as error:
                if type(error) is not NotWritten:
                    self._on_trouble(*verdict_on(error))
                log(self._job, error, what="partial text not written")

    async def last(self, outcome: Outcome) -> None:
        """Write the outcome and tell it; told as not kept while it cannot be written."""
        for pause in ATTEMPTS:
            hurried = await _within(self._hurry, pause) if pause else self._hurry.is_set()
            kept = await self._try(outcome)
            self._job.finish(kept or outcome, is_kept=kept is not None)
            if kept or hurried:
                return

    async def _try(self, outcome: Outcome) -> Outcome | None:
        """What could be kept: all of it, or that nothing more can be; None when the disk took nothing."""
        try:
            await self._keep(outcome)
        except Gone:
            return outcome
        except (CryptoError, FenceRefused) as error:
            state, reason = verdict_on(error)
            marked = Outcome(text=outcome.text, state=state, reason=reason)
            return marked if await self._could_mark(marked) else None
        except Exception as error:
            log(self._job, error, what="not written")
            return None
        return outcome

    async def _could_mark(self, outcome: Outcome) -> bool:
        """Write state and reason alone; what was sealed last stays as it is."""
        try:
            await self._desk.write(partial(self._job.errand.mark, outcome))
        except NotWritten:
            return False
        return True

    async def _keep(self, outcome: Outcome) -> None:
        await self._row.wait()
        if not self._has_row:
            raise Gone
        await self._desk.write(partial(self._job.errand.keep, outcome), keyring=self._job.keyring)


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event for so long; answer whether it came."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
