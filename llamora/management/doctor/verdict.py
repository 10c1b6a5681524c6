"""One line of `doctor`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from django.db import DatabaseError

Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was looked at, how it stands, and in a sentence what to do; never content, never a secret."""

    level: Level
    subject: str
    words: str


Check = Callable[[], Iterator[Verdict]]


def ok(subject: str, words: str) -> Verdict:
    """Say that something is as it should be."""
    return Verdict(level="ok", subject=subject, words=words)


def warn(subject: str, words: str) -> Verdict:
    """Say what the keeper should know or do some time."""
    return Verdict(level="warn", subject=subject, words=words)


def bad(subject: str, words: str) -> Verdict:
    """Say what has to be put right."""
    return Verdict(level="bad", subject=subject, words=words)


def carried_out(check: Check) -> Iterator[Verdict]:
    """Run one check; one that cannot be carried out is a verdict too, and the others still follow."""
    subject = check.__name__.replace("_", " ")
    try:
        yield from check()
    except DatabaseError as error:
        # SQLite's own words about its file; nothing of a row is in them.
        yield bad(subject, f"The database does not answer: {error}. Run manage.py verify.")
    except OSError as error:
        yield bad(subject, f"This could not be looked at: {error.strerror}.")
