"""The result of a check of `doctor`, and the function that runs a check."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.db import DatabaseError

from llamora.database import disk

CheckLevel = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One line of output: a subject, a level, and a sentence with instructions; without diary text."""

    level: CheckLevel
    subject: str
    message: str


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
        # SQLite's own words about its file; nothing of a row is in them.
        reason = disk.describe_problem(settings.DATA_DIR) or f"{error}. Run manage.py verify."
        yield bad(subject, f"The database can't be read: {reason}")
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        yield bad(subject, f"A row has a value of another kind ({type(error).__name__}). Restore a backup.")
    except OSError as error:
        yield bad(subject, f"This could not be checked: {error.strerror}.")
