"""Where backups lie and how old the newest is, told by their names alone.

<folder>/llamora-20261120T101500Z.tar   one backup; it has this name only once it is whole and on the disk
<folder>/.llamora-*.part/               one under way, or broken off
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

FRESH_AGE = timedelta(hours=48)
_TIMESTAMP_FORMAT = "%Y%m%dT%H%M%SZ"
_FILE_NAME = re.compile(r"llamora-(\d{8}T\d{6}Z)\.tar")


@dataclass(frozen=True, order=True)
class BackupFile:
    """One backup on the shelf."""

    made_at: datetime
    path: Path


def format_timestamp(moment: datetime) -> str:
    """Return a moment as it stands in the names of files."""
    return moment.astimezone(UTC).strftime(_TIMESTAMP_FORMAT)


def backup_file_name(moment: datetime) -> str:
    """Return the name of a backup made at that moment."""
    return f"llamora-{format_timestamp(moment)}.tar"


def list_backups(folder: Path) -> list[BackupFile]:
    """Return what is on the shelf, oldest first; other files are passed over."""
    if not folder.is_dir():
        return []
    return sorted(kept for path in folder.iterdir() if (kept := _parse_file_name(path)))


def _parse_file_name(path: Path) -> BackupFile | None:
    found = _FILE_NAME.fullmatch(path.name)
    try:
        return (
            BackupFile(datetime.strptime(found[1], _TIMESTAMP_FORMAT).replace(tzinfo=UTC), path)
            if found
            else None
        )
    except ValueError:
        return None


def get_backup_state(folder: Path, *, now: datetime, wanted: bool) -> str:
    """Return one word for a supervisor: fresh, old, none, or off."""
    on_shelf = list_backups(folder)
    if not on_shelf:
        return "none" if wanted else "off"
    return "fresh" if now - on_shelf[-1].made_at < FRESH_AGE else "old"


def select_outdated(kept: Iterable[BackupFile], *, now: datetime, days: int, weeks: int) -> list[BackupFile]:
    """Return what may go: all but the last day's, the newest of each day, and the newest of each week."""
    every = sorted(kept, reverse=True)
    stay = {each for each in every if now - each.made_at < timedelta(days=1)}
    stay |= set(_newest_per_period(every, by="%Y-%m-%d", most=days))
    stay |= set(_newest_per_period(every, by="%G-%V", most=weeks))
    return [each for each in every[1:] if each not in stay]


def _newest_per_period(newest_first: list[BackupFile], *, by: str, most: int) -> list[BackupFile]:
    found: dict[str, BackupFile] = {}
    for each in newest_first:
        found.setdefault(each.made_at.strftime(by), each)
    return list(found.values())[:most]
