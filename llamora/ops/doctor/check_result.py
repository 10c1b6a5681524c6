"""One line of `doctor`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from django.db import DatabaseError

CheckLevel = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What was looked at, how it stands, and in a sentence what to do; never content, never a secret."""

    level: CheckLevel
    subject: str
    message: str


DoctorCheck = Callable[[], Iterator[CheckResult]]


def ok(subject: str, words: str) -> CheckResult:
    """Say that something is as it should be."""
    return CheckResult(level="ok", subject=subject, message=words)


def warn(subject: str, words: str) -> CheckResult:
    """Say what the keeper should know or do some time."""
    return CheckResult(level="warn", subject=subject, message=words)


def bad(subject: str, words: str) -> CheckResult:
    """Say what has to be put right."""
    return CheckResult(level="bad", subject=subject, message=words)


def run_check(check: DoctorCheck) -> Iterator[CheckResult]:
    """Run one check; one that cannot be carried out is a verdict too, and the others still follow."""
    subject = check.__name__.replace("_", " ")
    try:
        yield from check()
    except DatabaseError as error:
        # SQLite's own words about its file; nothing of a row is in them.
        yield bad(subject, f"The database does not answer: {error}. Run manage.py verify.")
    except OSError as error:
        yield bad(subject, f"This could not be looked at: {error.strerror}.")
