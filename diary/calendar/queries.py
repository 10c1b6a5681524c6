"""Where a diary is written in: the days of a month or year, and the nearest ones across a gap of any length.

All of it is read from one index; a text is never loaded, and no question takes longer in a longer diary.
"""

import secrets
from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import models
from django.urls import reverse

from accounts.models import Person
from accounts.preferences.languages import get_date_words
from diary import days
from diary.days import CalendarMonth, CalendarYear
from diary.models import Draft, Entry, Opening
from llamora.database import CachedQuery

_MAX_MONTH_LENGTH = timedelta(days=31)


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
    """Return the days with an opening that still says something, between two days, both included."""
    return set(_days_with_opening_query(owner_id=owner_id, first=first, last=last))


_days_with_opening_query: CachedQuery[date] = CachedQuery(
    lambda owner_id, first, last: Opening.objects.filter(
        owner_id=owner_id, day__range=(first, last), is_dismissed=False
    ).values_list("day", flat=True)
)


def month_choices(person: Person) -> list[tuple[int, str]]:
    """Return the months by number and name."""
    return list(enumerate(map(get_date_words(person.language).month, range(1, 13)), start=1))


def find_nearest_day_before(owner_id: UUID, day: date) -> date | None:
    """Return the last written day before a day."""
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
    """Return the first written day after a day."""
    after = Entry.objects.for_owner(owner_id).filter(day__gt=day).order_by("day")
    return after.values_list("day", flat=True).first()


def get_last_day(owner_id: UUID, *, now_day: date) -> date:
    """Return the last day there is to leaf to: today, or a later one that was begun further east."""
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
    """Return one of the written days, each as likely as any other."""
    written = Entry.objects.for_owner(owner_id).order_by("day").values_list("day", flat=True).distinct()
    count = written.count()
    return written[secrets.randbelow(count)] if count else None


def build_year_view(person: Person, number: int, *, now: datetime) -> CalendarYear:
    """Return a year as its page shows it; the years beside it are the nearest that hold something."""
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
    """Return how many entries each written day between two days has."""
    within = Entry.objects.for_owner(owner_id).filter(day__range=(first, last)).order_by()
    return dict(within.values_list("day").annotate(models.Count("id")))


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
    """Return the month a day lies in, as this person's calendar shows it."""
    first, last = days.month_bounds(day)
    # The months beside it come along: where they hold something, nobody asks what lies beyond.
    around = days_with_entries(person.id, first=_month_before(first), last=_month_after(last))
    now_day = days.today(person.time_zone, now=now)
    is_over = last < now_day
    is_near = min(around, default=first) < first
    earlier = None if is_near else find_nearest_day_before(person.id, first)
    is_before = is_near or earlier is not None
    pattern = reverse("day", args=[day])
    return days.build_month(
        day,
        written=around,
        now_day=now_day,
        selected=selected,
        week_start=person.week_start,
        words=get_date_words(person.language),
        opened=days_with_opening(person.id, first=first, last=last),
        # One reversal for the month: thirty of them are a fifth of the page's time.
        address=lambda iso: pattern.replace(day.isoformat(), iso),
        until=max(around, default=now_day),
        bounded=not is_before,
        earlier=earlier,
        later=find_nearest_day_after(person.id, last)
        if is_over and max(around, default=last) <= last
        else None,
    )


def _month_before(first: date) -> date:
    return first - _MAX_MONTH_LENGTH if first > date.min else first


def _month_after(last: date) -> date:
    return last + _MAX_MONTH_LENGTH if last < date.max else last
