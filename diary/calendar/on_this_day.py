"""On this day: the entries of other years with the same month and day, found with a database index.

A day page shows the first lines of entries from a few earlier years; a separate page shows all entries, page
by page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from uuid import UUID

from django.core.paginator import Page, Paginator

from accounts.models import Person
from diary import days
from diary.entries.presenters import EntryView, build_entry_view
from diary.models import Entry
from diary.rendering.excerpts import get_first_words
from llamora.database import CachedQuery

YEARS_IN_MARGIN = 4
# On a day of the year with more entries than this, only the latest years are shown on a day page.
_MAX_ENTRIES_EXAMINED = 200
PAGE_SIZE = 200


@dataclass(frozen=True, kw_only=True)
class PastYearExcerpt:
    """Excerpt of a day in an earlier year, for a day page: date, first words, number of further entries."""

    day: date
    words: str
    more: int


@dataclass(frozen=True, kw_only=True)
class YearOnThisDay:
    """The entries of one date, as the page "on this day" lists them year by year.

    The page of 28 February also shows 29 February.
    """

    day: date
    entries: list[EntryView]


def list_past_years(owner_id: UUID, day: date) -> list[PastYearExcerpt]:
    """Return excerpts of the entries on this day in earlier years, the latest first, for a day page."""
    rows = [
        (id_, past_day)
        for month_day in days.get_month_days_for_day_page(day)
        for id_, past_day, _ in _earlier_query(owner_id=owner_id, month_day=month_day, day=day)
    ]
    rows.sort(key=lambda row: row[1], reverse=True)
    ids_by_day = [[id_ for id_, _ in group] for _, group in groupby(rows, key=lambda row: row[1])]
    counts_by_first_id = {ids[0]: len(ids) for ids in ids_by_day[:YEARS_IN_MARGIN]}
    if not counts_by_first_id:
        return []
    return [
        PastYearExcerpt(
            day=entry.day,
            words=get_first_words(entry.open_or("text", "…")),
            more=counts_by_first_id[entry.id] - 1,
        )
        for entry in _load_entries([*counts_by_first_id])
    ]


def _load_entries(ids: Sequence[UUID]) -> list[Entry]:
    """Return up to `YEARS_IN_MARGIN` entries, the latest first."""
    # The last id again in the places that are left: the SQL is the same for any number.
    last = len(ids) - 1
    return _entries_query(**{f"id_{place}": ids[min(place, last)] for place in range(YEARS_IN_MARGIN)})


_entries_query: CachedQuery[Entry] = CachedQuery(
    lambda **ids: Entry.objects.filter(id__in=ids.values()).order_by("-day")
)


# The revision is selected because the index of days does not contain it: if that index held all columns,
# SQLite would scan every day of the person in it.
_earlier_query: CachedQuery[tuple[UUID, date, int]] = CachedQuery(
    lambda owner_id, month_day, day: (
        Entry.objects.for_owner(owner_id)
        .on_this_day(month_day)
        .filter(day__lt=day)
        .values_list("id", "day", "revision")[:_MAX_ENTRIES_EXAMINED]
    )
)


def get_page(person: Person, month_day: str, *, number: str | None) -> Page[Entry]:
    """Return a page of the entries on a day of the year (MM-DD), the latest first."""
    entries = Entry.objects.for_owner(person.id).on_this_day(*days.get_month_days_for_on_this_day(month_day))
    return Paginator(entries, PAGE_SIZE).get_page(number)


def build_years(person: Person, page: Page[Entry]) -> list[YearOnThisDay]:
    """Decrypt and render the entries of a page, and return them by year."""
    return [
        YearOnThisDay(day=day, entries=[build_entry_view(entry, zone=person.time_zone) for entry in entries])
        for day, entries in groupby(page, key=lambda entry: entry.day)
    ]
