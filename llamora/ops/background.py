"""Background work of the server that `manage.py up` starts, such as daily backups and pruning.

The other work is for the model server, expired sessions and the database file.

Each task is a coroutine on the server's event loop, with its slow part in a thread of its own. The tasks run
even while nobody uses the diary.
"""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections
from django.utils import timezone

from accounts.models import Person
from accounts.sessions import services as sessions_services
from accounts.tokens import services as tokens_services
from llamora.clock import services as clock
from llamora.database import NotWritten, backup_files, compaction, condition, reserve, truncate_wal
from llamora.database.errors import is_file_damaged, note_damage
from llamora.inference import model_server
from llamora.inference.config import ModelConfig
from llamora.inference.model_choice.downloads import downloads
from llamora.inference.registry import registry
from llamora.ops import pruning, startup
from llamora.ops.backup import create
from llamora.ops.backup.integrity import list_damaged_pages
from llamora.ops.backup.snapshot import BackupStopped, open_database
from llamora.ops.errors import OperationRefused
from llamora.threads import lower_priority

SWEEP_SECONDS = 60.0
MODEL_POLL_SECONDS = 0.1
# Not beside the first pages after a start, and after a failure not at once again.
FIRST_ROUND_SECONDS = 60.0
ROUND_SECONDS = 600.0
ONE_DAY = timedelta(hours=24)

sweep_logger = logging.getLogger("llamora.housekeeping")
backup_logger = logging.getLogger("llamora.backup")


async def sweep_sessions() -> None:
    """End expired sessions and access tokens once a minute, until this coroutine is cancelled."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="sweep")
    try:
        while True:
            # First at the start: a process that was killed may have left what it ended on the register.
            await asyncio.get_running_loop().run_in_executor(pool, _sweep_once)
            await asyncio.sleep(SWEEP_SECONDS)
    finally:
        pool.submit(connection.close)
        pool.shutdown(wait=False)


def _sweep_once() -> None:
    try:
        clock.observe()
        if changed := startup.restore_fence():
            sweep_logger.warning("%s", changed)
        if ended := sessions_services.end_expired_sessions():
            sweep_logger.info("%d expired sessions were deleted.", ended)
        tokens_services.end_expired_tokens()
    except (NotWritten, DatabaseError) as error:
        # An expired session opens nothing all the same; the next sweep tries again.
        sweep_logger.warning("Expired sessions could not be deleted: %s", type(error).__name__)


async def watch_database_file() -> str:
    """Check once a minute whether the database file was replaced; if so, return a message.

    The keys in memory belong to the file that was there at the start. With another file, rows would be read
    with the wrong keys, and some writes would go to the old file and some to the new one.
    """
    database = Path(connections[DEFAULT_DB_ALIAS].settings_dict["NAME"])
    first = _identify_file(database)
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        if _identify_file(database) != first:
            return (
                f"The database file {database} was replaced or removed while Llamora ran, so it stops now. "
                "What was saved since then may be only in the old file. To restore a backup, use: "
                "manage.py restore FILE"
            )


def _identify_file(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def bind_jobs() -> None:
    """Run jobs on the running event loop, and mark jobs of a crashed process as interrupted."""
    registry.bind_loop()


async def follow_model_state(*, no_model: bool, config: ModelConfig | None = None) -> AsyncIterator[str]:
    """Look for a model server; yield each new message about it, until it is ready or none is found.

    `config` replaces the settings of the model for this process.
    """
    await model_server.discover(no_model=no_model, config=config)
    message = ""
    while True:
        status = model_server.get_status()
        if status.message != message:
            yield (message := status.message)
        if status.state not in ("looking", "loading"):
            return
        await asyncio.sleep(MODEL_POLL_SECONDS)


async def stop_model() -> None:
    """Save the text of running jobs, mark them as interrupted, then stop the model's child process.

    A running download preserves its partial file, and can be resumed later.
    """
    downloads.cancel()
    try:
        await registry.close(timeout=1)
    finally:
        await model_server.stop()


async def run_daily_rounds() -> None:
    """Create a backup and prune once a day, until this coroutine is cancelled."""
    stopping = threading.Event()
    pool = ThreadPoolExecutor(1, thread_name_prefix="backup", initializer=lower_priority)
    pruned_at: float | None = None
    try:
        await asyncio.sleep(FIRST_ROUND_SECONDS)
        while True:
            loop = asyncio.get_running_loop()
            # Before the round: a diary that is begun during it may have come too late for its backup.
            pause = await loop.run_in_executor(pool, get_pause)
            pruned_at = await loop.run_in_executor(pool, run_daily_round, stopping, pruned_at)
            await asyncio.sleep(pause)
    finally:
        stopping.set()
        pool.submit(connection.close)
        pool.shutdown(wait=False)


def get_pause() -> float:
    """Return the seconds until the next round of background work.

    They are few until a person has registered, so that the first entries are backed up soon.
    """
    with _logging_errors():
        if not Person.objects.exists():
            return FIRST_ROUND_SECONDS
    return ROUND_SECONDS


def run_daily_round(stopping: threading.Event, pruned_at: float | None = None) -> float | None:
    """Create a backup and prune, each if a day has passed; return the time of the last pruning.

    The time is that of `clock.read_seconds`. Every round also creates a missing disk reserve, and compacts
    the database or truncates its log. If one step fails, the others still run.
    """
    with _logging_errors():
        if is_backup_due():
            _create_backup(stopping)
    with _logging_errors():
        now = clock.read_seconds()
        is_due = pruned_at is None or now - pruned_at >= ONE_DAY.total_seconds()
        # Nothing is deleted from a damaged file, and no backup of before the damage.
        if not stopping.is_set() and is_due and not _report_damaged_pages():
            report = pruning.prune(now=timezone.now())
            backup_logger.info("Deleted because they had expired: %s.", report)
            for problem in report.problems:
                backup_logger.error("%s", problem)
            pruned_at = now
    if not stopping.is_set():
        # Given up when the disk was full, and made again once there is space.
        reserve.create_reserve(settings.DATA_DIR, mebibytes=settings.RESERVE_MIB)
    with _logging_errors():
        # Rows that were edited or deleted stay in the log, sealed, until that is overwritten. A server that
        # was stopped right after something was forgotten left the rest of it in the database file as well.
        if not stopping.is_set() and not (compaction.is_compaction_due() and compaction.compact_database()):
            truncate_wal()
    return pruned_at


def _report_damaged_pages() -> bool:
    """Log damage that SQLite finds in the database file; return whether there is any."""
    path = condition.get_database_path()
    try:
        with closing(open_database(path)) as database:
            lines = list_damaged_pages(database, "PRAGMA quick_check(1)")
    except sqlite3.DatabaseError as error:
        if not is_file_damaged(error):
            raise
        lines = [str(error)]
    if lines:
        note_damage()
        backup_logger.error(
            "The database file is damaged: %s. Stop Llamora, then run manage.py doctor. %s",
            lines[0],
            condition.suggest_restore(),
        )
    return bool(lines)


def _create_backup(stopping: threading.Event) -> None:
    files = create.get_household_files()
    backup = create.create_backup(files, folder=settings.BACKUP_DIR, now=timezone.now(), stop=stopping.is_set)
    backup_logger.info("A backup was made: %s, %d bytes.", backup.path.name, backup.size)


@contextmanager
def _logging_errors() -> Iterator[None]:
    try:
        yield
    except BackupStopped:
        return
    except OperationRefused as refusal:
        # Its sentences are about files and counts.
        backup_logger.error("%s", refusal)  # noqa: TRY400 - a refusal has no traceback worth reading
    except (NotWritten, DatabaseError, sqlite3.DatabaseError, OSError) as error:
        backup_logger.error("The daily backup or clean-up failed: %s", type(error).__name__)  # noqa: TRY400 - kinds only


def is_backup_due() -> bool:
    """Return whether the newest backup is older than a day, in a household that has people.

    A backup dated in the future was made while the clock was wrong, so another one is due.
    """
    if not settings.BACKUP_DAILY or not Person.objects.exists():
        return False
    now = timezone.now()
    past = backup_files.select_past(backup_files.list_backups(settings.BACKUP_DIR), now=now)
    return not past or now - past[-1].made_at >= ONE_DAY
