"""Where backups lie and how old the newest is, told by their names alone.

<folder>/llamora-20261120T101500Z.tar   one backup; it has this name only once it is whole and on the disk
<folder>/.llamora-*.part/               one under way, or broken off
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

FRESH = timedelta(hours=48)
_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"llamora-(\d{8}T\d{6}Z)\.tar")


@dataclass(frozen=True, order=True)
class Kept:
    """One backup on the shelf."""

    made_at: datetime
    path: Path


def stamp(moment: datetime) -> str:
    """Return a moment as it stands in the names of files."""
    return moment.astimezone(UTC).strftime(_STAMP)


def name_of(moment: datetime) -> str:
    """Return the name of a backup made at that moment."""
    return f"llamora-{stamp(moment)}.tar"


def backups(folder: Path) -> list[Kept]:
    """Return what is on the shelf, oldest first; other files are passed over."""
    if not folder.is_dir():
        return []
    return sorted(kept for path in folder.iterdir() if (kept := _kept(path)))


def _kept(path: Path) -> Kept | None:
    found = _NAME.fullmatch(path.name)
    try:
        return Kept(datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC), path) if found else None
    except ValueError:
        return None


def state(folder: Path, *, now: datetime, wanted: bool) -> str:
    """Return one word for a supervisor: fresh, old, none, or off."""
    on_shelf = backups(folder)
    if not on_shelf:
        return "none" if wanted else "off"
    return "fresh" if now - on_shelf[-1].made_at < FRESH else "old"


def outdated(kept: Iterable[Kept], *, now: datetime, days: int, weeks: int) -> list[Kept]:
    """Return what may go: all but the last day's, the newest of each day, and the newest of each week."""
    every = sorted(kept, reverse=True)
    stay = {each for each in every if now - each.made_at < timedelta(days=1)}
    stay |= set(_newest_of_each(every, by="%Y-%m-%d", most=days))
    stay |= set(_newest_of_each(every, by="%G-%V", most=weeks))
    return [each for each in every[1:] if each not in stay]


def _newest_of_each(newest_first: list[Kept], *, by: str, most: int) -> list[Kept]:
    found: dict[str, Kept] = {}
    for each in newest_first:
        found.setdefault(each.made_at.strftime(by), each)
    return list(found.values())[:most]
