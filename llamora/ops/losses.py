"""Lost saves: at its start, the server detects them, copies the damaged files, and writes a report.

This runs before SQLite opens the database, because SQLite overwrites the damaged frames of the log, and
afterwards the commit log is restarted.
"""

import shutil
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from accounts.losses import reports
from accounts.losses.reports import LossReport
from llamora.database import backup_files, condition, truncate_wal
from llamora.database.commit_log import assign_household_number, begin_commit_log
from llamora.database.condition import FileState
from llamora.database.losses import Loss, find_loss, list_files
from llamora.ops import data_folder
from llamora.ops.backup import restore
from llamora.ops.errors import OperationRefused

# Of the newest losses; with all of a household that is damaged at each start, the disk would fill.
MOST_COPIES = 3
_COPY = "llamora-{}-damaged.sqlite3"
# What stays free beside a copy.
_SPARE_BYTES = 64 * 1024 * 1024


def examine_losses(database: Path, *, now: datetime) -> LossReport | None:
    """Detect lost saves; if there are any, copy the files and write a report.

    Call it before this process opens the database. Raise OperationRefused if the report cannot be written.
    """
    loss = find_loss(database)
    if loss is None:
        return None
    if found := reports.find_report(loss):
        return found
    try:
        return reports.save_report(loss, copy=_copy_damaged_files(database, now=now), now=now)
    except OSError as error:
        raise OperationRefused(
            f"{reports.describe_loss(loss, zone=settings.HOUSEHOLD_TIME_ZONE)} The report of it could not be "
            f"written: {error.strerror}. The database was not opened, so that nothing is overwritten. Free "
            "some space, and check that the data folder can be written to; then run this again."
        ) from None


def _copy_damaged_files(database: Path, *, now: datetime) -> Path | None:
    """Copy the database and its logs into the folder of replaced databases.

    Return the path of the copy, or None if the disk has no space for it or copying failed. Only the latest
    copies are retained.
    """
    folder = database.parent / restore.REPLACED_FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    for copied in sorted(folder.glob(_COPY.format("*")), reverse=True)[MOST_COPIES - 1 :]:
        for path in list_files(copied):
            path.unlink(missing_ok=True)
    target = folder / _COPY.format(backup_files.format_timestamp(now))
    files = list_files(database)
    if shutil.disk_usage(folder).free < sum(path.stat().st_size for path in files) + _SPARE_BYTES:
        return None
    try:
        for path in files:
            shutil.copyfile(path, target.with_name(path.name.replace(database.name, target.name)))
    except OSError:
        for path in list_files(target):
            path.unlink(missing_ok=True)
        return None
    return target


def begin_log(database: Path) -> str | None:
    """Truncate the write-ahead log and begin the commit log; return a sentence if that fails."""
    connection = connections[DEFAULT_DB_ALIAS]
    try:
        connection.ensure_connection()
        with connection.wrap_database_errors:
            assign_household_number(connection.connection)
            truncate_wal()
            begin_commit_log(database, connection.connection)
    except (DatabaseError, OSError) as error:
        return (
            f"The log of commits could not be begun ({type(error).__name__}), so the loss of a save may not "
            "be noticed. Check that the disk has free space and can be written to."
        )
    return None


def find_unreported_loss(database: Path) -> Loss | None:
    """Return a loss that no start of the server has reported yet, or None.

    For commands that run before the next start: opening the database would overwrite the evidence. While a
    server is running, there is nothing to find, because the server has checked.
    """
    if condition.examine_file(database).state is not FileState.OK:
        return None
    loss = find_loss(database)
    # Whether there is a server is asked last: an `up` that starts at this moment would be refused the lock.
    return (
        loss
        if loss and not data_folder.is_locked(settings.DATA_DIR) and not reports.find_report(loss)
        else None
    )


def report_before_replacement(database: Path, *, now: datetime) -> None:
    """Report a loss of saves, and copy the damaged files, before a restore replaces the database.

    Nothing is done if there was no loss, or if a start has reported it.
    """
    if find_unreported_loss(database):
        examine_losses(database, now=now)


def describe_unreported_loss(loss: Loss) -> str:
    """Return sentences about an unreported loss."""
    return (
        f"{reports.describe_loss(loss, zone=settings.HOUSEHOLD_TIME_ZONE)} The database was not opened, so "
        "that nothing is overwritten. Run manage.py up, which first copies the damaged files."
    )


def refuse_loss(database: Path) -> None:
    """Raise OperationRefused if a copy of a database has lost committed changes.

    The copies of the write-ahead log and the commit log show this.
    """
    if loss := find_loss(database):
        raise OperationRefused(reports.describe_loss(loss, zone=settings.HOUSEHOLD_TIME_ZONE))


def refuse_unreported_loss(database: Path) -> None:
    """Raise OperationRefused if there is an unreported loss, whose evidence must not be overwritten."""
    if loss := find_unreported_loss(database):
        raise OperationRefused(describe_unreported_loss(loss))


def refuse_unacknowledged_reports() -> None:
    """Raise OperationRefused if an administrator must still acknowledge a report of lost saves."""
    if found := reports.list_open_reports():
        raise OperationRefused(" ".join(reports.describe_report(report) for report in found))
