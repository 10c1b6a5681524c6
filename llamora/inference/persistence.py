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
from llamora.inference.db_executor import DbExecutor
from llamora.inference.job import Job, JobOutcome, JobState, RowDeleted

logger = logging.getLogger("llamora.jobs")

PARTIAL_SECONDS = 1.0
# Seconds before each attempt at the last write.
ATTEMPTS = (0.0, 1.0, 4.0, 15.0, 40.0)

StateAndReason = tuple[JobState, str]


def classify_error(error: Exception) -> StateAndReason:
    """What an error other than the model's makes of a job."""
    match error:
        case CryptoError():
            return JobState.INTERRUPTED, "locked"
        case FenceRefused():
            return JobState.INTERRUPTED, "new_key"
        case RowDeleted():
            return JobState.STOPPED, ""
        case NotWritten():
            return JobState.FAILED, "not_written"
    return JobState.FAILED, "internal"


def log_error(job: Job, error: Exception, *, what: str) -> None:
    """Log an error by its kind alone: its words or its traceback could hold what was written."""
    kind = error.code if isinstance(error, NotWritten) else type(error).__name__
    logger.error("job %s: %s: %s", job.id, what, kind)


class JobPersister:
    """Writes for one job; `on_trouble` hears why the job cannot go on."""

    def __init__(self, job: Job, *, desk: DbExecutor, on_trouble: Callable[[JobState, str], None]) -> None:
        self._job, self._db, self._on_trouble = job, desk, on_trouble
        self._partials_stopped, self._retries_skipped = asyncio.Event(), asyncio.Event()
        self._row_settled = asyncio.Event()
        self._has_row = True

    def stop_partials(self) -> None:
        """No more partial texts are wanted."""
        self._partials_stopped.set()

    def skip_retries(self) -> None:
        """Try the last write once and no more."""
        self._retries_skipped.set()

    async def create_row(self) -> None:
        """Write the row; without one there is no job."""
        job = self._job
        try:
            await self._db.commit(job.task.create_row, keyring=job.keyring)
        except Exception as error:
            log_error(job, error, what="not begun")
            self._has_row = False
            self._on_trouble(*classify_error(error))
        finally:
            self._row_settled.set()

    async def save_partials(self) -> None:
        """Seal and write what came, every second in which something came."""
        kept = self._job.seq
        while not await _wait_at_most(self._partials_stopped, PARTIAL_SECONDS):
            seq = self._job.seq
            if seq == kept or not self._job.text:
                continue
            try:
                await self._save(JobOutcome(text=self._job.text, state=JobState.WRITING))
                kept = seq
            except Exception as error:
                if type(error) is not NotWritten:
                    self._on_trouble(*classify_error(error))
                log_error(self._job, error, what="partial text not written")

    async def save_outcome(self, outcome: JobOutcome) -> None:
        """Write the outcome and tell it; told as not kept while it cannot be written."""
        for pause in ATTEMPTS:
            hurried = (
                await _wait_at_most(self._retries_skipped, pause) if pause else self._retries_skipped.is_set()
            )
            kept = await self._try_save(outcome)
            self._job.finish(kept or outcome, is_kept=kept is not None)
            if kept or hurried:
                return

    async def _try_save(self, outcome: JobOutcome) -> JobOutcome | None:
        """What could be kept: all of it, or that nothing more can be; None when the disk took nothing."""
        try:
            await self._save(outcome)
        except RowDeleted:
            return outcome
        except (CryptoError, FenceRefused) as error:
            state, reason = classify_error(error)
            marked = JobOutcome(text=outcome.text, state=state, reason=reason)
            return marked if await self._try_set_state(marked) else None
        except Exception as error:
            log_error(self._job, error, what="not written")
            return None
        return outcome

    async def _try_set_state(self, outcome: JobOutcome) -> bool:
        """Write state and reason alone; what was sealed last stays as it is."""
        try:
            await self._db.commit(partial(self._job.task.set_state, outcome))
        except NotWritten:
            return False
        return True

    async def _save(self, outcome: JobOutcome) -> None:
        await self._row_settled.wait()
        if not self._has_row:
            raise RowDeleted
        await self._db.commit(partial(self._job.task.save, outcome), keyring=self._job.keyring)


async def _wait_at_most(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event for so long; answer whether it came."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
