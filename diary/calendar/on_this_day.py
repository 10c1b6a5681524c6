"""On this day: what earlier years say on a day's place in the year, found by an index on month and day.

In the margin stand the first lines of the first entry of a few years; a page of its own holds all of
them, leaf by leaf.
"""

from dataclasses import dataclass
from datetime import date
from itertools import groupby
from uuid import UUID

from django.core.paginator import Page, Paginator

from accounts.models import Person
from diary import days
from diary.entries import presenters as entries_presenters
from diary.entries.presenters import EntryView
from diary.models import Entry
from diary.rendering.excerpts import first_lines
from llamora.database import CachedQuery

YEARS_IN_MARGIN = 4
# A place in the year with more entries than this shows the latest years alone in the margin.
_MAX_ENTRIES_EXAMINED = 200
PAGE_SIZE = 200


@dataclass(frozen=True, kw_only=True)
class PastYearExcerpt:
    """An earlier year in the margin: its day, its first words, and how many entries more there are."""

    day: date
    words: str
    more: int


@dataclass(frozen=True, kw_only=True)
class YearOnThisDay:
    """A year on the page of a place in the year; a leap year can have two, 29 February beside the 28th."""

    day: date
    entries: list[EntryView]


def list_past_years(owner_id: UUID, day: date) -> list[PastYearExcerpt]:
    """Return what earlier years say on this day; one question of the index where they say nothing."""
    rows = [
        row for place in days.get_remembered_month_days(day) for row in _list_earlier(owner_id, place, day)
    ]
    rows.sort(key=lambda row: row[1], reverse=True)
    years = [(there, [id_ for id_, _ in group]) for there, group in groupby(rows, key=lambda row: row[1])]
    firsts = {ids[0]: len(ids) for _, ids in years[:YEARS_IN_MARGIN]}
    if not firsts:
        return []
    return [
        PastYearExcerpt(
            day=entry.day, words=first_lines(entry.open_or("text", "…")), more=firsts[entry.id] - 1
        )
        for entry in Entry.objects.filter(id__in=firsts).order_by("-day")
    ]


def _list_earlier(owner_id: UUID, place: str, day: date) -> list[tuple[UUID, date]]:
    return [(id_, there) for id_, there, _ in _earlier_query(owner_id=owner_id, place=place, day=day)]


# The revision is asked for because the index of days does not hold it: were all there, SQLite would rather
# read every day of the person in that one.
_earlier_query: CachedQuery[tuple[UUID, date, int]] = CachedQuery(
    lambda owner_id, place, day: (
        Entry.objects.for_owner(owner_id)
        .on_this_day(place)
        .filter(day__lt=day)
        .values_list("id", "day", "revision")[:_MAX_ENTRIES_EXAMINED]
    )
)


def get_page(person: Person, place: str, *, number: str | None) -> Page[Entry]:
    """Return what was ever written on a place in the year (MM-DD), the latest first, leaf by leaf."""
    entries = Entry.objects.for_owner(person.id).on_this_day(*days.get_shown_month_days(place))
    return Paginator(entries, PAGE_SIZE).get_page(number)


def build_years(person: Person, leaf: Page[Entry]) -> list[YearOnThisDay]:
    """Return the years on a leaf, opened and rendered."""
    return [
        YearOnThisDay(
            day=there,
            entries=[entries_presenters.build_entry_view(entry, zone=person.time_zone) for entry in group],
        )
        for there, group in groupby(leaf, key=lambda entry: entry.day)
    ]
