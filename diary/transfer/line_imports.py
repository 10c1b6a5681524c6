"""Import of JSON lines in batches, each in one transaction.

A killed import loses at most the current batch. Each imported entry has a sealed digest of its line. A line
is skipped if an entry with its digest is on its day already. So a second import, or one repeated after a
kill, continues where the first ended, even if entries were edited, moved, or deleted (but not yet purged).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice
from typing import Protocol, TypeVar
from uuid import UUID

from django.utils import timezone

from accounts.models import Person
from diary import days
from diary.entries.queries import get_digest_key
from diary.models import Entry, Origin
from diary.origins.provenance import Provenance
from diary.transfer.line_reader import ImportLine, RejectedLine
from llamora.crypto import Keyring, in_force, keyed_digest
from llamora.database import write_transaction
from llamora.fields import SealedModel
from llamora.fields.models import sealed_fields

BATCH_SIZE = 500
# A file of nothing but bad lines may have millions, and nobody reads so long a list.
MAX_LISTED = 10_000
Progress = Callable[[int], None]
_M = TypeVar("_M", bound=SealedModel)


class HasDay(Protocol):
    """Protocol of an object with a day, such as a line of the file."""

    @property
    def day(self) -> date:
        """The date in the diary on which this entry of a file is to be imported."""


_Good = TypeVar("_Good", bound=HasDay)


@dataclass(kw_only=True)
class ImportReport:
    """Report of an import: how many entries of a file were added, existed already, or were rejected.

    accepted     the number of entries that can be imported, including `known`, those that exist already
    rejected     the first entries that cannot be imported; `rejected_count` is the number of all these
    by_year      the number of accepted entries by the year of their day
    first, last  the first and last day of the accepted entries
    """

    accepted: int = 0
    added: int = 0
    known: int = 0
    rejected: list[RejectedLine] = field(default_factory=list)
    rejected_count: int = 0
    by_year: Counter[int] = field(default_factory=Counter)
    first: date | None = None
    last: date | None = None

    def count_accepted(self, line: HasDay) -> None:
        """Count an entry that can be imported, and record its day."""
        self.accepted += 1
        self.by_year[line.day.year] += 1
        self.first = min(self.first or line.day, line.day)
        self.last = max(self.last or line.day, line.day)

    def iter_accepted(self, candidates: Iterable[_Good | RejectedLine]) -> Iterator[_Good]:
        """Yield and count the entries that can be imported; record the other ones as rejected lines."""
        for one in candidates:
            if isinstance(one, RejectedLine):
                self.rejected_count += 1
                if len(self.rejected) < MAX_LISTED:
                    self.rejected.append(one)
            else:
                self.count_accepted(one)
                yield one


def preview_lines(lines: Iterable[ImportLine | RejectedLine]) -> ImportReport:
    """Return the report that an import would have, without importing anything.

    This needs no key.
    """
    report = ImportReport()
    for _ in report.iter_accepted(lines):
        pass
    return report


def import_lines(
    *,
    person: Person,
    keyring: Keyring,
    lines: Iterable[ImportLine | RejectedLine],
    source: str = "",
    progress: Progress = lambda _: None,
) -> ImportReport:
    """Import new lines; `progress` is called after each batch with the number of lines read.

    `source` is the name of the file or app that they are from.
    """
    report = ImportReport()
    with in_force(keyring):
        run = Provenance.create_import(source=source, at=timezone.now())
        imported = _ImportedLines(person, run=run)
        accepted = report.iter_accepted(lines)
        while batch := list(islice(accepted, BATCH_SIZE)):
            entries = imported.build_new_entries(batch)
            _create_entries(entries)
            report.added += len(entries)
            report.known += len(batch) - len(entries)
            progress(report.accepted + report.rejected_count)
    return report


class _ImportedLines:
    """The digests of the lines a person imported before, by day, loaded for the days in a file."""

    def __init__(self, person: Person, *, run: Provenance) -> None:
        self._provenance = run.to_json()
        self._owner_id: UUID = person.id
        self._zone = person.time_zone
        self._digest_key = get_digest_key(person.id)
        self._known: dict[date, set[bytes]] = {}
        self._positions: defaultdict[date, int] = defaultdict(int)

    def build_new_entries(self, batch: list[ImportLine]) -> list[Entry]:
        """Return sealed entries, not yet written, for the lines that were not imported before."""
        self._load_sources({line.day for line in batch})
        return [entry for line in batch if (entry := self._build_entry(line))]

    def _load_sources(self, wanted: set[date]) -> None:
        missing = wanted - self._known.keys()
        self._known.update((day, set()) for day in missing)
        imported = Entry.objects.filter(owner_id=self._owner_id, source__isnull=False).order_by()
        rows = imported.only("id", "owner_id", "day", "first_day", "source")
        # An entry that was moved since still belongs to the line of its first day.
        for row in (*rows.filter(day__in=missing), *rows.filter(first_day__in=missing)):
            if (line_day := row.first_day or row.day) in missing:
                self._known[line_day].add(row.source)

    def _build_entry(self, line: ImportLine) -> Entry | None:
        # Known lines count too: the order within a day is that of the file, also when an import is repeated.
        position = self._positions[line.day]
        self._positions[line.day] += 1
        source = compute_line_digest(self._digest_key, line.day, line.text)
        known = self._known[line.day]
        if source in known:
            return None
        known.add(source)
        moment = days.get_noon(line.day, self._zone, delay=timedelta(microseconds=position))
        return seal_row(
            Entry(
                owner_id=self._owner_id,
                day=line.day,
                text=line.text,
                source=source,
                origin=Origin.IMPORTED,
                provenance=self._provenance,
                created_at=moment,
                utc_offset=days.utc_offset(moment, self._zone),
            )
        )


def compute_line_digest(key: bytes, day: date, text: str) -> bytes:
    """Return the BLAKE2 digest of an imported line, by which a later import recognises the same line."""
    return keyed_digest(key, [day.isoformat().encode(), text.encode()])


def seal_row(row: _M) -> _M:
    """Seal a new row before the write lock is acquired, so that the lock is needed for less time."""
    for column in sealed_fields(type(row)):
        setattr(row, column.attname, column.pre_save(row, add=True))
    return row


def _create_entries(entries: list[Entry]) -> None:
    if entries:
        with write_transaction():
            Entry.objects.bulk_create(entries)
