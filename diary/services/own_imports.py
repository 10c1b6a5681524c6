"""Takes a diary back from the JSON that an export wrote, in batches, each one transaction.

Entries come first, each with what belongs to it; then what belongs to none. A file can be imported again,
also after it was broken off: what is there already adds nothing, and stays as it has become since.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from accounts.models import Person
from diary import beside
from diary.importing import BadLine
from diary.own_overview import Overview
from diary.own_rows import Given
from diary.services.imports import Report
from diary.services.own_entries import Desk, Fresh
from diary.services.own_others import KINDS, Others
from llamora.crypto import Keyring, in_force

# Fewer than of bare lines: an entry brings others along, and who saves beside an import waits for one batch.
BATCH = 100
LATER = "it was changed after what is here, and what is here stays"
Progress = Callable[[int], None]


@dataclass(kw_only=True)
class OwnReport(Report):
    """The same, with what was left out by itself, in sentences, and how many other rows came in, by kind."""

    faults: list[str] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)
    is_broken: bool = False

    def begins(self, overview: Overview) -> None:
        """Say what is known of the file beforehand."""
        self.is_broken, self.passed_over = overview.is_broken, overview.passed_over

    def names(self, given: Given, faults: Sequence[str]) -> None:
        """Name what of an entry cannot be taken."""
        self.faults += [f"Entry {given.number}: {fault}." for fault in faults]


def kinds_wanted() -> set[str]:
    """Return the kinds of rows of no entry that an import looks at."""
    return {*KINDS, *beside.kinds_imported()}


def preview_own(overview: Overview, entries: Iterable[Given | BadLine]) -> OwnReport:
    """Return what an import would find; writes nothing and needs no key."""
    report = OwnReport()
    report.begins(overview)
    for one in report.good_of(entries):
        report.names(one, one.faults)
    return report


def import_own(
    *,
    person: Person,
    keyring: Keyring,
    overview: Overview,
    entries: Iterable[Given | BadLine],
    now: datetime,
    progress: Progress = lambda _: None,
) -> OwnReport:
    """Import what is not there yet; `progress` is told after each batch how many entries were seen."""
    report = OwnReport()
    report.begins(overview)
    with in_force(keyring):
        takes = beside.taking(person.id, overview.rows)
        desk = Desk(person, takes=takes, now=now)
        good = report.good_of(entries)
        while batch := list(islice(good, BATCH)):
            for one in desk.changed_since(batch):
                report.names(one, [LATER])
            fresh = desk.bring_in(batch)
            report.known += len(batch) - len(fresh)
            for brought in fresh:
                _count(brought, report)
            progress(report.good + len(report.bad))
        others = Others(person.id, desk=desk, now=now, faults=report.faults)
        for kind in KINDS:
            report.rows[kind] += others.bring_in(kind, overview.rows.get(kind, ()))
    return report


def _count(one: Fresh, report: OwnReport) -> None:
    report.added += 1
    report.rows["replies"] += len(one.replies)
    report.rows["versions"] += len(one.versions)
    report.names(one.given, one.faults)
