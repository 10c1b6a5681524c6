"""Queries for the calendar: days with entries in a month or year, and the nearest to a given day.

All of them use one index and load no text, so that they are as quick in a long diary as in a short one.
"""

import secrets
from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import models
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.models import Person
from accounts.preferences.languages import get_date_words
from diary import days
from diary.days import CalendarMonth, CalendarYear
from diary.models import Draft, Entry, Opening
from llamora.database import CachedQuery

_MAX_MONTH_LENGTH = timedelta(days=31)
_RENDERED_MONTHS = 128


def days_with_entries(owner_id: UUID, *, first: date, last: date) -> set[date]:
    """Return the days with entries between two days, both included."""
    return set(_days_with_entries_query(owner_id=owner_id, first=first, last=last))


_days_with_entries_query: CachedQuery[date] = CachedQuery(
    lambda owner_id, first, last: (
        Entry.objects.for_owner(owner_id)
        .filter(day__range=(first, last))
        .order_by()
        .values_list("day", flat=True)
        .distinct()
    )
)


def days_with_opening(owner_id: UUID, *, first: date, last: date) -> set[date]:
    """Return the days with an opening that was not dismissed, between two days, both included."""
    return set(_days_with_opening_query(owner_id=owner_id, first=first, last=last))


_days_with_opening_query: CachedQuery[date] = CachedQuery(
    lambda owner_id, first, last: Opening.objects.filter(
        owner_id=owner_id, day__range=(first, last), is_dismissed=False
    ).values_list("day", flat=True)
)


def list_month_choices(person: Person) -> list[tuple[int, str]]:
    """Return the number and name of each month, for a form."""
    return list(enumerate(map(get_date_words(person.language).month, range(1, 13)), start=1))


def find_nearest_day_before(owner_id: UUID, day: date) -> date | None:
    """Return the last day with entries before a day."""
    return next(iter(_nearest_before_query(owner_id=owner_id, day=day)), None)


_nearest_before_query: CachedQuery[date] = CachedQuery(
    lambda owner_id, day: (
        Entry.objects.for_owner(owner_id)
        .filter(day__lt=day)
        .order_by("-day")
        .values_list("day", flat=True)[:1]
    )
)


def find_nearest_day_after(owner_id: UUID, day: date) -> date | None:
    """Return the first day with entries after a day."""
    return next(iter(_nearest_after_query(owner_id=owner_id, day=day)), None)


_nearest_after_query: CachedQuery[date] = CachedQuery(
    lambda owner_id, day: (
        Entry.objects.for_owner(owner_id)
        .filter(day__gt=day)
        .order_by("day")
        .values_list("day", flat=True)[:1]
    )
)


def get_last_day(owner_id: UUID, *, now_day: date) -> date:
    """Return the last day that pages link to: today, or a later day that has entries or a draft.

    Such a day has begun further east, where the person was when they wrote.
    """
    return max(_days_ahead_query(owner_id=owner_id, day=now_day), default=now_day)


_days_ahead_query: CachedQuery[date] = CachedQuery(
    lambda owner_id, day: (
        Entry.objects.for_owner(owner_id)
        .filter(day__gt=day)
        .order_by()
        .values_list("day", flat=True)
        .union(Draft.objects.filter(owner_id=owner_id, entry=None, day__gt=day).values_list("day", flat=True))
    )
)


def find_random_day(owner_id: UUID) -> date | None:
    """Return a random day with entries; every such day is equally likely."""
    dates = Entry.objects.for_owner(owner_id).order_by("day").values_list("day", flat=True).distinct()
    count = dates.count()
    return dates[secrets.randbelow(count)] if count else None


def build_year_view(person: Person, number: int, *, now: datetime) -> CalendarYear:
    """Return the view of a year: its twelve months, and the nearest other years that have entries."""
    first, last = date(number, 1, 1), date(number, 12, 31)
    counts = _count_entries_by_day(person.id, first=first, last=last)
    now_day = days.today(person.time_zone, now=now)
    before, after = find_nearest_day_before(person.id, first), find_nearest_day_after(person.id, last)
    is_past = number < now_day.year
    opened = days_with_opening(person.id, first=first, last=last)
    firsts = [date(number, month, 1) for month in range(1, 13)]
    return CalendarYear(
        number=number,
        months=[_build_small_month(person, month, counts, now_day, opened=opened) for month in firsts],
        days=len(counts),
        entries=sum(counts.values()),
        previous=before.year if before else None,
        next=after.year if after else now_day.year if is_past else None,
    )


def _count_entries_by_day(owner_id: UUID, *, first: date, last: date) -> dict[date, int]:
    """Return the number of entries by day between two days, both included; empty days are absent."""
    entries = Entry.objects.for_owner(owner_id).filter(day__range=(first, last)).order_by()
    return dict(entries.values_list("day").annotate(models.Count("id")))


def _build_small_month(
    person: Person, first: date, written: Collection[date], now_day: date, *, opened: Collection[date]
) -> CalendarMonth:
    pattern = reverse("day", args=[first])
    return days.build_month(
        first,
        written=written,
        now_day=now_day,
        selected=None,
        week_start=person.week_start,
        words=get_date_words(person.language),
        opened=opened,
        address=lambda iso: pattern.replace(first.isoformat(), iso),
    )


def build_month_view(person: Person, day: date, *, selected: date | None, now: datetime) -> CalendarMonth:
    """Return the view of the month that contains `day`."""
    first, last = days.month_bounds(day)
    # With the months beside it: where those have entries, nothing further away needs a query.
    nearby = days_with_entries(person.id, first=_month_before(first), last=_month_after(last))
    now_day = days.today(person.time_zone, now=now)
    is_over = last < now_day
    is_previous_written = min(nearby, default=first) < first
    earlier = None if is_previous_written else find_nearest_day_before(person.id, first)
    is_following_needed = is_over and max(nearby, default=last) <= last
    return _render_month(
        first,
        written=frozenset(nearby),
        now_day=now_day,
        selected=selected,
        week_start=person.week_start,
        language=person.language,
        opened=frozenset(days_with_opening(person.id, first=first, last=last)),
        until=max(nearby, default=now_day),
        bounded=not is_previous_written and earlier is None,
        earlier=earlier,
        later=find_nearest_day_after(person.id, last) if is_following_needed else None,
    )


@lru_cache(maxsize=_RENDERED_MONTHS)
def _render_month(first: date, *, language: str, **values: Any) -> CalendarMonth:
    """Return a month with its rows, cached, since most pages of a person show the same month.

    The cache contains only the days with entries, which are readable in the database too.
    """
    pattern, iso_first = reverse("day", args=[first]), first.isoformat()
    month = days.build_month(
        first,
        words=get_date_words(language),
        # One `reverse` for the month: thirty of them take a fifth of the page's time.
        address=lambda iso: pattern.replace(iso_first, iso),
        **values,
    )
    rows = render_to_string("diary/fragments/calendar_weeks.html", {"calendar": month})
    return replace(month, rows=SafeString(rows))


def _month_before(first: date) -> date:
    return first - _MAX_MONTH_LENGTH if first > date.min else first


def _month_after(last: date) -> date:
    return last + _MAX_MONTH_LENGTH if last < date.max else last
