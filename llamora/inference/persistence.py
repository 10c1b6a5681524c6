"""Saving of a job: its row, its text once a second, and its outcome, with retries if the disk fails.

The state and reason of a job after a write error:

    CryptoError    interrupted, "locked"     the diary was locked, so the job's key is gone
    FenceRefused   interrupted, "new_key"    the data key was rotated; the last saved text remains
    RowDeleted     stopped                   its row was deleted
    NotWritten     failed, "not_written"     the row could not be created; later writes are retried instead,
                                             because the disk may be full only temporarily
    others         failed, "internal"
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
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
    """Return the state and reason of a job that ended with an error other than a ModelError."""
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
    """Log only the type of an error: its message or its traceback could contain diary text."""
    kind = error.code if isinstance(error, NotWritten) else type(error).__name__
    logger.error("Job %s %s: %s", job.id, what, kind)


class JobPersister:
    """Writer of one job to the database. If the job cannot continue, it calls `on_failure`."""

    def __init__(self, job: Job, *, db: DbExecutor, on_failure: Callable[[JobState, str], None]) -> None:
        self._job, self._db, self._on_trouble = job, db, on_failure
        self._partials_stopped, self._retries_skipped = asyncio.Event(), asyncio.Event()
        self._row_settled = asyncio.Event()
        self._has_row = True

    def stop_partials(self) -> None:
        """Make `save_partials` return."""
        self._partials_stopped.set()

    def skip_retries(self) -> None:
        """Limit the remaining attempts of `save_outcome` to one."""
        self._retries_skipped.set()

    async def create_row(self) -> None:
        """Create the row; end the job if that fails."""
        job = self._job
        try:
            await self._db.commit(job.task.create_row, keyring=job.keyring)
        except Exception as error:
            log_error(job, error, what="could not be started")
            self._has_row = job.task.has_existing_row
            self._on_trouble(*classify_error(error))
        finally:
            self._row_settled.set()

    async def save_partials(self) -> None:
        """Save the text so far once a second if there is new text, until `stop_partials` is called."""
        saved_seq = self._job.seq
        while not await _wait_at_most(self._partials_stopped, PARTIAL_SECONDS):
            seq = self._job.seq
            if seq == saved_seq or not self._job.text:
                continue
            try:
                await self._save(self._get_outcome_so_far())
                saved_seq = seq
            except Exception as error:
                if type(error) is not NotWritten:
                    self._on_trouble(*classify_error(error))
                log_error(self._job, error, what="could not be saved so far")

    def _get_outcome_so_far(self) -> JobOutcome:
        return JobOutcome(text=self._job.text, state=JobState.WRITING, author=self._job.author)

    async def save_outcome(self, outcome: JobOutcome) -> None:
        """Save the outcome and end the job; after a write error, mark the job as not saved and retry."""
        for pause in ATTEMPTS:
            skipped = self._retries_skipped
            is_last = await _wait_at_most(skipped, pause) if pause else skipped.is_set()
            saved = await self._try_save(outcome)
            self._job.finish(saved or outcome, is_saved=saved is not None)
            if saved or is_last:
                return

    async def _try_save(self, outcome: JobOutcome) -> JobOutcome | None:
        """Save the outcome; return it, or None if it could not be written.

        If the job's key is no longer valid, only a changed state is saved, and returned with its reason.
        """
        try:
            await self._save(outcome)
        except RowDeleted:
            return outcome
        except (CryptoError, FenceRefused) as error:
            state, reason = classify_error(error)
            changed = replace(outcome, state=state, reason=reason)
            return changed if await self._try_set_state(changed) else None
        except Exception as error:
            log_error(self._job, error, what="could not be saved")
            return None
        return outcome

    async def _try_set_state(self, outcome: JobOutcome) -> bool:
        """Save only state and reason and not the text; return whether that succeeded."""
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
    """Wait for an event, at most this many seconds; return whether it is set."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
