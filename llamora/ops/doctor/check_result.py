"""The result of a check of `doctor`, and the functions that run a check and merge results."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.db import DatabaseError

from llamora.database import disk
from llamora.pluralize import pluralize

CheckLevel = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One line of output: a subject, a level, and a sentence with instructions; without diary text."""

    level: CheckLevel
    subject: str
    message: str
    # Nothing is known then: the check needs a disk that can be written to.
    is_prevented: bool = False


# A damage is said as that, whatever the disk is like.
_DISK_CODES = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY}

DoctorCheck = Callable[[], Iterator[CheckResult]]


def ok(subject: str, message: str) -> CheckResult:
    """Return a result without a problem."""
    return CheckResult(level="ok", subject=subject, message=message)


def warn(subject: str, message: str) -> CheckResult:
    """Return a result that the administrator should know about."""
    return CheckResult(level="warn", subject=subject, message=message)


def bad(subject: str, message: str) -> CheckResult:
    """Return a result that the administrator must act on."""
    return CheckResult(level="bad", subject=subject, message=message)


def run_check(check: DoctorCheck) -> Iterator[CheckResult]:
    """Run one check; if it raises an error, yield the error as a result, so that the other checks run."""
    subject = check.__name__.removeprefix("check_").replace("_", " ")
    try:
        yield from check()
    except (DatabaseError, sqlite3.Error) as error:
        problem = disk.describe_problem(settings.DATA_DIR)
        if problem and _get_primary_code(error) in _DISK_CODES:
            yield CheckResult(level="bad", subject=subject, message=problem, is_prevented=True)
        else:
            # SQLite's own words about its file; nothing of a row is in them.
            yield bad(subject, f"The database can't be read: {error}. Run manage.py verify.")
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        yield bad(subject, f"A row has a value of another kind ({type(error).__name__}). Restore a backup.")
    except OSError as error:
        yield bad(subject, f"This could not be checked: {error.strerror}.")


def _get_primary_code(error: Exception) -> int:
    return getattr(error.__cause__ or error, "sqlite_errorcode", 0) & 0xFF


def merge_prevented(results: Iterable[CheckResult]) -> Iterator[CheckResult]:
    """Yield results of checks. If a full or read-only disk prevented several checks, they share one result.

    `check_disk_space` reports the problem of the disk.
    """
    subjects = []
    for result in results:
        if result.is_prevented:
            subjects.append(result.subject)
        else:
            yield result
    if subjects:
        checks = pluralize(len(subjects), "check has", "checks have")
        yield bad("not checked", f"{checks} to wait until the disk can be written to: {', '.join(subjects)}.")
