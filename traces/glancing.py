"""A trace in short, for who rests on its chip: how often, when last, the latest entries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

from diary.excerpts import first_lines
from diary.models import Entry
from llamora.crypto import EnvelopeError
from traces.models import KeptTrace, Trace

LATEST: Final = 3
LENGTH: Final = 80


@dataclass(frozen=True, kw_only=True)
class Line:
    """An entry in short."""

    id: UUID
    day: date
    words: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Glance:
    """What there is to a trace in short."""

    id: UUID
    count: int
    last: date | None
    latest: Sequence[Line]


def glance_of(trace: Trace) -> Glance:
    """Return a trace in short; opens no more than its latest entries."""
    kept = KeptTrace.objects.of(trace.owner_id).filter(trace=trace)
    found = Entry.objects.of(trace.owner_id).filter(id__in=kept.order_by().values("entry_id"))
    latest = [_line(entry) for entry in found.order_by("-day", "-created_at", "-id")[:LATEST]]
    last = latest[0].day if latest else None
    return Glance(id=trace.id, count=kept.count(), last=last, latest=latest)


def _line(entry: Entry) -> Line:
    try:
        words = first_lines(entry.text, length=LENGTH)
    except EnvelopeError:
        words = "…"
    return Line(id=entry.id, day=entry.day, words=words)
