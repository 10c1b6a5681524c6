"""Reports of saves that the database lost: one file for each loss, shown until it is acknowledged.

<data>/losses/
  20261129T141003Z.json   0600   {"since": "...", "until": "...", "noticed": "...", "commits": n,
                                  "concerns_everyone": false, "days": {"<short id>": ["2026-11-29"]},
                                  "copy": "<path>" or "", "acknowledged": ["<short id>", "administrator"]}

They are files, because they are written before SQLite opens the database. A report is shown to each person
concerned and to administrators until they acknowledge it. `verify`, `doctor` and `/healthz` report it until
an administrator has acknowledged it.
"""

import json
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from accounts.models import Person
from accounts.preferences.time_zones import load_time_zone
from llamora.database import backup_files
from llamora.database.commit_log import shorten_id
from llamora.database.losses import Loss
from llamora.pluralize import pluralize

FOLDER: Final = "losses"
# The command that says what a backup has of a day and the diary has not.
COMPARISON: Final = "manage.py restore FILE --user NAME --day DAY --dry-run"
_ADMINISTRATOR: Final = "administrator"
_ONE_MINUTE = timedelta(minutes=1)

_log = logging.getLogger(__name__)
_lock = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class LossReport(Loss):
    """A loss: when it was detected, where the copy of the damaged files is, and who has acknowledged it."""

    path: Path
    noticed: datetime
    copy: str = ""
    acknowledged: Sequence[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether no administrator has acknowledged the report."""
        return _ADMINISTRATOR not in self.acknowledged

    def concerns(self, person: Person) -> bool:
        """Return whether saves of a person may be missing."""
        return self.concerns_everyone or _get_short_id(person) in self.days

    def get_days(self, person: Person) -> Sequence[date]:
        """Return the days of the diary from which saved data of a person was lost, as far as known."""
        return self.days.get(_get_short_id(person), [])


def get_folder() -> Path:
    """Return the folder of the reports."""
    return Path(settings.DATA_DIR) / FOLDER


# --- Reading and writing ---------------------------------------------------------------------------------


def list_reports() -> list[LossReport]:
    """Return all reports, earliest first; an unreadable file is logged and left out."""
    try:
        paths = sorted(path for path in get_folder().iterdir() if path.suffix == ".json")
    except OSError:
        return []
    return [report for path in paths if (report := _read_report(path)) is not None]


def _read_report(path: Path) -> LossReport | None:
    try:
        found = json.loads(path.read_text())
        return LossReport(
            path=path,
            since=datetime.fromisoformat(found["since"]),
            until=datetime.fromisoformat(found["until"]),
            noticed=datetime.fromisoformat(found["noticed"]),
            commits=int(found["commits"]),
            concerns_everyone=bool(found["concerns_everyone"]),
            copy=str(found["copy"]),
            acknowledged=[str(name) for name in found["acknowledged"]],
            days={owner: [date.fromisoformat(day) for day in days] for owner, days in found["days"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        _log.warning("The report %s of lost saves can't be read: %s.", path.name, type(error).__name__)
        return None


def find_report(loss: Loss) -> LossReport | None:
    """Return the report of a loss if it was written already, else None.

    A start of the server that was interrupted may have written it.
    """
    same = (loss.since, loss.until, loss.commits)
    return next(
        (found for found in list_reports() if (found.since, found.until, found.commits) == same), None
    )


def save_report(loss: Loss, *, copy: Path | None, now: datetime) -> LossReport:
    """Write the report of a loss to a new file, and return the report."""
    folder = get_folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{backup_files.format_timestamp(now)}.json"
    report = LossReport(**vars(loss), path=path, noticed=now, copy=str(copy or ""))
    _write_report(report)
    return report


def _write_report(report: LossReport) -> None:
    stored: Mapping[str, Any] = {name: value for name, value in asdict(report).items() if name != "path"}
    draft = report.path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(stored, file, indent=1, default=lambda value: value.isoformat())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(report.path)


# --- Who is shown which ----------------------------------------------------------------------------------


def list_reports_for(person: Person) -> list[LossReport]:
    """Return the reports to show to a person who has not acknowledged them.

    These are the reports that concern the person, and for an administrator all that no administrator has
    acknowledged.
    """
    return [
        report
        for report in list_reports()
        if _get_short_id(person) not in report.acknowledged
        and (report.concerns(person) or (person.is_staff and report.is_open))
    ]


def acknowledge_reports(person: Person) -> None:
    """Record that a person has read the reports shown to them; raise OSError if a file cannot be written."""
    with _lock:
        for report in list_reports_for(person):
            names = [_get_short_id(person), *([_ADMINISTRATOR] if person.is_staff else [])]
            _write_report(replace(report, acknowledged=sorted({*report.acknowledged, *names})))


def list_open_reports() -> list[LossReport]:
    """Return the reports that no administrator has acknowledged."""
    return [report for report in list_reports() if report.is_open]


def remove_acknowledged_reports(*, before: datetime) -> int:
    """Delete old reports of losses that everybody has acknowledged, and return how many were deleted.

    A report is old if its loss was noticed before the moment `before`.
    """
    people = list(Person.objects.all())
    done = [
        report
        for report in list_reports()
        if report.noticed < before
        and not report.is_open
        and all(_get_short_id(person) in report.acknowledged for person in people if report.concerns(person))
    ]
    for report in done:
        report.path.unlink(missing_ok=True)
    return len(done)


def _get_short_id(person: Person) -> str:
    return shorten_id(person.id).hex()


# --- Words -----------------------------------------------------------------------------------------------


def describe_loss(loss: Loss, *, zone: str) -> str:
    """Return sentences that say when the lost saves were made and how many are known, in a time zone."""
    here = load_time_zone(zone)
    # Whole minutes that contain both times.
    since, until = loss.since.astimezone(here), (loss.until + _ONE_MINUTE).astimezone(here)
    ended = f"{until:%H:%M}" if since.date() == until.date() else f"{until:%Y-%m-%d %H:%M}"
    changes = pluralize(loss.commits, "confirmed change is", "confirmed changes are")
    return (
        f"What was saved between {since:%Y-%m-%d %H:%M} and {ended} ({zone}) may be missing: at least "
        f"{changes} not in the database. Its files were damaged or removed, or older files are in their "
        "place."
    )


def describe_extent(report: LossReport) -> str:
    """Return sentences that tell an administrator whose saves are missing, and where the copied files are."""
    whose = (
        "It is not known of all missing changes whose they are."
        if report.concerns_everyone
        else f"The missing changes concern {pluralize(len(report.days), 'person', 'people')}."
    )
    copy = (
        f"A copy of the damaged files is in {report.copy} and beside it, for thirty days."
        if report.copy
        else "There was not enough space for a copy of the damaged files."
    )
    return f"{whose} {copy}"


def describe_report(report: LossReport) -> str:
    """Return the whole report of a loss as sentences for the administrator."""
    return (
        f"{describe_loss(report, zone=settings.HOUSEHOLD_TIME_ZONE)} {describe_extent(report)} Compare with "
        f"the newest backup: {COMPARISON}. This is shown until an administrator has read it after signing in."
    )
