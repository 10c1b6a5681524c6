"""Where a diary is written in: the days of a month or year, and the nearest ones across a gap of any length.

All of it is read from one index; a text is never loaded, and no question takes longer in a longer diary.
"""

import secrets
from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import models
from django.urls import reverse

from accounts.languages import words_of
from accounts.models import Person
from diary import days
from diary.days import Month, Year
from diary.made import Opening
from diary.models import Draft, Entry
from llamora.database import Prepared

_A_MONTH = timedelta(days=31)


def written_days(owner_id: UUID, *, first: date, last: date) -> set[date]:
    """Return the days with entries between two days, both included."""
    return set(_written_within(owner_id=owner_id, first=first, last=last))


_written_within: Prepared[date] = Prepared(
    lambda owner_id, first, last: (
        Entry.objects.of(owner_id)
        .filter(day__range=(first, last))
        .order_by()
        .values_list("day", flat=True)
        .distinct()
    )
)


def opened_days(owner_id: UUID, *, first: date, last: date) -> set[date]:
    """Return the days with an opening that still says something, between two days, both included."""
    return set(_opened_within(owner_id=owner_id, first=first, last=last))


_opened_within: Prepared[date] = Prepared(
    lambda owner_id, first, last: Opening.objects.filter(
        owner_id=owner_id, day__range=(first, last), is_dismissed=False
    ).values_list("day", flat=True)
)


def months(person: Person) -> list[tuple[int, str]]:
    """Return the months by number and name."""
    return list(enumerate(map(words_of(person.language).month, range(1, 13)), start=1))


def nearest_before(owner_id: UUID, day: date) -> date | None:
    """Return the last written day before a day."""
    return next(iter(_latest_before(owner_id=owner_id, day=day)), None)


_latest_before: Prepared[date] = Prepared(
    lambda owner_id, day: (
        Entry.objects.of(owner_id).filter(day__lt=day).order_by("-day").values_list("day", flat=True)[:1]
    )
)


def nearest_after(owner_id: UUID, day: date) -> date | None:
    """Return the first written day after a day."""
    after = Entry.objects.of(owner_id).filter(day__gt=day).order_by("day")
    return after.values_list("day", flat=True).first()


def last_day(owner_id: UUID, *, now_day: date) -> date:
    """Return the last day there is to leaf to: today, or a later one that was begun further east."""
    return max(_begun_ahead(owner_id=owner_id, day=now_day), default=now_day)


_begun_ahead: Prepared[date] = Prepared(
    lambda owner_id, day: (
        Entry.objects.of(owner_id)
        .filter(day__gt=day)
        .order_by()
        .values_list("day", flat=True)
        .union(Draft.objects.filter(owner_id=owner_id, entry=None, day__gt=day).values_list("day", flat=True))
    )
)


def a_written_day(owner_id: UUID) -> date | None:
    """Return one of the written days, each as likely as any other."""
    written = Entry.objects.of(owner_id).order_by("day").values_list("day", flat=True).distinct()
    count = written.count()
    return written[secrets.randbelow(count)] if count else None


def year_view(person: Person, number: int, *, now: datetime) -> Year:
    """Return a year as its page shows it; the years beside it are the nearest that hold something."""
    first, last = date(number, 1, 1), date(number, 12, 31)
    counts = _counts(person.id, first=first, last=last)
    now_day = days.today(person.time_zone, now=now)
    before, after = nearest_before(person.id, first), nearest_after(person.id, last)
    is_past = number < now_day.year
    opened = opened_days(person.id, first=first, last=last)
    firsts = [date(number, month, 1) for month in range(1, 13)]
    return Year(
        number=number,
        months=[_small_month(person, month, counts, now_day, opened=opened) for month in firsts],
        days=len(counts),
        entries=sum(counts.values()),
        previous=before.year if before else None,
        next=after.year if after else now_day.year if is_past else None,
    )


def _counts(owner_id: UUID, *, first: date, last: date) -> dict[date, int]:
    """Return how many entries each written day between two days has."""
    within = Entry.objects.of(owner_id).filter(day__range=(first, last)).order_by()
    return dict(within.values_list("day").annotate(models.Count("id")))


def _small_month(
    person: Person, first: date, written: Collection[date], now_day: date, *, opened: Collection[date]
) -> Month:
    pattern = reverse("day", args=[first])
    return days.month_of(
        first,
        written=written,
        now_day=now_day,
        selected=None,
        week_start=person.week_start,
        words=words_of(person.language),
        opened=opened,
        address=lambda iso: pattern.replace(first.isoformat(), iso),
    )


def month_view(person: Person, day: date, *, selected: date | None, now: datetime) -> Month:
    """Return the month a day lies in, as this person's calendar shows it."""
    first, last = days.month_bounds(day)
    # The months beside it come along: where they hold something, nobody asks what lies beyond.
    around = written_days(person.id, first=_month_before(first), last=_month_after(last))
    now_day = days.today(person.time_zone, now=now)
    is_over = last < now_day
    is_near = min(around, default=first) < first
    earlier = None if is_near else nearest_before(person.id, first)
    is_before = is_near or earlier is not None
    pattern = reverse("day", args=[day])
    return days.month_of(
        day,
        written=around,
        now_day=now_day,
        selected=selected,
        week_start=person.week_start,
        words=words_of(person.language),
        opened=opened_days(person.id, first=first, last=last),
        # One reversal for the month: thirty of them are a fifth of the page's time.
        address=lambda iso: pattern.replace(day.isoformat(), iso),
        until=max(around, default=now_day),
        bounded=not is_before,
        earlier=earlier,
        later=nearest_after(person.id, last) if is_over and max(around, default=last) <= last else None,
    )


def _month_before(first: date) -> date:
    return first - _A_MONTH if first > date.min else first


def _month_after(last: date) -> date:
    return last + _A_MONTH if last < date.max else last
