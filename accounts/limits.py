"""How long a browser stays signed in, and how long an unlocked vault may lie idle.

The household's settings are the outer limits; a person may choose shorter ones and never longer.
"""

import math
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Person, SignIn, Unlock

TOUCH_AFTER = timedelta(minutes=2)
_DAYS = (1, 7, 30)
_MINUTES = (5, 15, 30, 60, 120, 240)


def stays() -> list[int]:
    """Return the days a browser may be asked to stay signed in for; the last is the household's limit."""
    longest: int = settings.SIGN_IN_DAYS
    return [*(days for days in _DAYS if days < longest), longest]


def idle_choices() -> list[int]:
    """Return the minutes a person may choose from, all shorter than the household's limit."""
    return [minutes for minutes in _MINUTES if minutes < settings.IDLE_MINUTES]


def ends_at(days: int | None) -> datetime | None:
    """Return when a sign-in that is made now for so many days ends."""
    return None if days is None else timezone.now() + timedelta(days=days)


def is_over(row: SignIn, now: datetime) -> bool:
    """Return whether a sign-in is past its end."""
    return row.created_at < _oldest(now) or (row.ends_at is not None and row.ends_at < now)


def over(now: datetime) -> QuerySet[SignIn]:
    """Return the sign-ins that are past their end."""
    return SignIn.objects.filter(Q(created_at__lt=_oldest(now)) | Q(ends_at__lt=now))


def left(row: SignIn) -> timedelta:
    """Return how long a sign-in lasts from now, in whole seconds."""
    latest = row.created_at + timedelta(days=settings.SIGN_IN_DAYS)
    lasting = (min(latest, row.ends_at or latest) - timezone.now()).total_seconds()
    return timedelta(seconds=max(0, math.ceil(lasting)))


def idle_limit(person: Person) -> timedelta:
    """Return how long a person's vault stays unlocked without use."""
    house: int = settings.IDLE_MINUTES
    return timedelta(minutes=min(person.idle_minutes or house, house))


def is_idle(row: Unlock, person: Person, now: datetime) -> bool:
    """Return whether an unlocked vault has lain idle for too long."""
    return row.last_active < now - idle_limit(person)


def idle(now: datetime) -> list[Unlock]:
    """Return the unlocked rows that have lain idle for too long."""
    rows = Unlock.objects.select_related("sign_in__person")
    return [row for row in rows if is_idle(row, row.sign_in.person, now)]


def touch_after(person: Person) -> timedelta:
    """Return how seldom a use is written down: written on every request, it would make each page a write."""
    return min(TOUCH_AFTER, idle_limit(person) / 4)


def _oldest(now: datetime) -> datetime:
    return now - timedelta(days=settings.SIGN_IN_DAYS)
