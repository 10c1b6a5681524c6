"""Once a day, while the household is served: a backup, and the removal of what is past its time."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from accounts.models import Person
from accounts.rotation.finishing import empty_write_ahead_log
from llamora.database import NotWritten, shelf
from llamora.management import pruning
from llamora.management.backup import taking
from llamora.management.backup.copying import Stopped
from llamora.management.refusals import Refusal
from llamora.urgency import go_last

# Not beside the first pages after a start, and after a failure not at once again.
AFTER_START = 60.0
EVERY = 600.0
A_DAY = timedelta(hours=24)

logger = logging.getLogger("llamora.backup")


async def keep_backups() -> None:
    """Take a backup whenever the last is a day old, and prune once a day, until this is cancelled."""
    stopping = threading.Event()
    pool = ThreadPoolExecutor(1, thread_name_prefix="backup", initializer=go_last)
    pruned_at: datetime | None = None
    try:
        await asyncio.sleep(AFTER_START)
        while True:
            loop = asyncio.get_running_loop()
            pruned_at = await loop.run_in_executor(pool, round_of, stopping, pruned_at)
            await asyncio.sleep(EVERY)
    finally:
        stopping.set()
        pool.submit(connection.close)
        pool.shutdown(wait=False)


def round_of(stopping: threading.Event, pruned_at: datetime | None = None) -> datetime | None:
    """Do what is due, each whatever became of the others; return when it was last pruned."""
    with _said_in_the_log():
        if is_due():
            _back_up(stopping)
    with _said_in_the_log():
        now = timezone.now()
        if not stopping.is_set() and (pruned_at is None or now - pruned_at >= A_DAY):
            logger.info("Past their time and gone: %s.", pruning.prune(now=now))
            pruned_at = now
    with _said_in_the_log():
        # What was edited or deleted meanwhile lies in the log, sealed, until that is overwritten.
        if not stopping.is_set():
            empty_write_ahead_log()
    return pruned_at


def _back_up(stopping: threading.Event) -> None:
    house = taking.this_house()
    taken = taking.take(house, folder=settings.BACKUP_DIR, now=timezone.now(), stop=stopping.is_set)
    logger.info("A backup was made: %s, %d bytes.", taken.path.name, taken.size)


@contextmanager
def _said_in_the_log() -> Iterator[None]:
    try:
        yield
    except Stopped:
        return
    except Refusal as refusal:
        # Its sentences are about files and counts.
        logger.error("%s", refusal)  # noqa: TRY400 - a refusal has no traceback worth reading
    except (NotWritten, DatabaseError, OSError) as error:
        logger.error("The daily round failed: %s", type(error).__name__)  # noqa: TRY400 - kinds only


def is_due() -> bool:
    """Tell whether a day has passed since the last backup of a household that has people."""
    if not settings.BACKUP_DAILY or not Person.objects.exists():
        return False
    on_shelf = shelf.backups(settings.BACKUP_DIR)
    return not on_shelf or timezone.now() - on_shelf[-1].made_at >= A_DAY
