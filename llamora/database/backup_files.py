"""Names of backup files, which contain the time of the backup, and the selection of outdated ones.

<folder>/llamora-20261120T101500Z.tar                 one backup; it gets this name only when it is complete
                                                      on the disk
<folder>/llamora-20261120T101500Z-before-update.tar   the same, made before the database was updated
<folder>/.llamora-*.part/                             a backup in progress, or one that was interrupted
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

FRESH_AGE = timedelta(hours=48)
# A backup whose name is later than now by more than this was made while the clock was wrong.
_LEEWAY = timedelta(minutes=5)
_TIMESTAMP_FORMAT = "%Y%m%dT%H%M%SZ"
_FILE_NAME = re.compile(r"llamora-(\d{8}T\d{6}Z)(-before-update)?\.tar")
# Long enough to find out that an update was a mistake, and as long as the bin.
UPDATE_RETENTION = timedelta(days=30)


@dataclass(frozen=True, order=True)
class BackupFile:
    """One backup file, the time of the backup, and whether it was made before an update of the database."""

    made_at: datetime
    path: Path
    is_before_update: bool = False


def format_timestamp(moment: datetime) -> str:
    """Return a time in the form used in file names."""
    return moment.astimezone(UTC).strftime(_TIMESTAMP_FORMAT)


def backup_file_name(moment: datetime, *, before_update: bool = False) -> str:
    """Return the file name for a backup made at this time."""
    return f"llamora-{format_timestamp(moment)}{'-before-update' if before_update else ''}.tar"


def list_backups(folder: Path) -> list[BackupFile]:
    """Return the backups in a folder, oldest first; other files are ignored."""
    if not folder.is_dir():
        return []
    return sorted(backup for path in folder.iterdir() if (backup := _parse_file_name(path)))


def _parse_file_name(path: Path) -> BackupFile | None:
    match = _FILE_NAME.fullmatch(path.name)
    if match is None:
        return None
    try:
        made_at = datetime.strptime(match[1], _TIMESTAMP_FORMAT)
    except ValueError:
        return None
    return BackupFile(made_at.replace(tzinfo=UTC), path, is_before_update=bool(match[2]))


def select_past(backups: Iterable[BackupFile], *, now: datetime) -> list[BackupFile]:
    """Return the backups without those dated in the future, whose real age is unknown."""
    return [backup for backup in backups if backup.made_at <= now + _LEEWAY]


def get_backup_state(folder: Path, *, now: datetime, wanted: bool) -> str:
    """Return the state of the backups as one word: fresh, old, future, none or off.

    The word is for monitoring. It is future if all backups are dated in the future. Without backups, it is
    none if there should be some (`wanted`), else off.
    """
    backups = list_backups(folder)
    if not backups:
        return "none" if wanted else "off"
    past = select_past(backups, now=now)
    if not past:
        return "future"
    return "fresh" if now - past[-1].made_at < FRESH_AGE else "old"


def select_outdated(
    backups: Iterable[BackupFile],
    *,
    now: datetime,
    days: int,
    weeks: int,
    updates_before: datetime | None = None,
) -> list[BackupFile]:
    """Return all backups except those to retain.

    The newest one is retained, those of the last 24 hours, the newest of each of the latest `days` days with
    backups, and the newest of each of the latest `weeks` weeks. Backups made before an update of the database
    are retained if they are newer than `updates_before`, by default thirty days ago. Backups dated in the
    future are retained, and are ignored when the newest is determined.
    """
    newest_first = sorted(select_past(backups, now=now), reverse=True)
    updates_before = updates_before or now - UPDATE_RETENTION
    retained = {
        backup
        for backup in newest_first
        if backup.made_at > (updates_before if backup.is_before_update else now - timedelta(days=1))
    }
    retained |= set(_select_newest_per_period(newest_first, period_format="%Y-%m-%d", most=days))
    retained |= set(_select_newest_per_period(newest_first, period_format="%G-%V", most=weeks))
    return [backup for backup in newest_first[1:] if backup not in retained]


def _select_newest_per_period(
    newest_first: list[BackupFile], *, period_format: str, most: int
) -> list[BackupFile]:
    by_period: dict[str, BackupFile] = {}
    for backup in newest_first:
        by_period.setdefault(backup.made_at.strftime(period_format), backup)
    return list(by_period.values())[:most]
