"""Time limits of sessions: how long a browser stays signed in, and how long an unlocked vault may be idle.

The household's settings are the upper limits; a person may only choose shorter ones. Times are compared with
the wall clock. If the clock is set while the machine runs, stored times are moved by the same step
(`move_times`). A time in the future was written while the clock was wrong, and counts as expired.
"""

import math
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from accounts.keys.row_shapes import read_bytes
from accounts.keys.sealed_preferences import get_idle_minutes
from accounts.models import Invitation, Person, SignIn, Unlock
from accounts.sessions.sign_in_marks import build_sign_in_mark
from accounts.sessions.unlock_register import RegisteredUnlock, find_last_activity
from llamora.clock.services import LEEWAY, compute_end
from llamora.database import credential_register

TOUCH_INTERVAL = timedelta(minutes=2)
_DAYS = (1, 7, 30)
_MINUTES = (5, 15, 30, 60, 120, 240)


def list_sign_in_days() -> list[int]:
    """Return the choices at sign-in for the number of days to stay signed in.

    The last choice is the household's limit.
    """
    longest: int = settings.SIGN_IN_DAYS
    return [*(days for days in _DAYS if days < longest), longest]


def list_idle_minutes() -> list[int]:
    """Return the idle limits to choose from, in minutes; all are shorter than the household's limit."""
    return [minutes for minutes in _MINUTES if minutes < settings.IDLE_MINUTES]


def get_end_time(days: int | None) -> datetime | None:
    """Return the expiry time of a sign-in created now for this many days; None if `days` is None."""
    return None if days is None else timezone.now() + timedelta(days=days)


def is_expired(row: SignIn, now: datetime) -> bool:
    """Return whether a sign-in has expired."""
    is_current = _get_oldest_start(now) <= row.created_at <= now + LEEWAY
    return not is_current or (row.ends_at is not None and row.ends_at < now)


def get_expired_sign_ins(now: datetime) -> QuerySet[SignIn]:
    """Return the sign-ins that have expired."""
    is_current = Q(created_at__gte=_get_oldest_start(now), created_at__lte=now + LEEWAY)
    return SignIn.objects.filter(~is_current | Q(ends_at__lt=now))


def get_time_left(row: SignIn) -> timedelta:
    """Return the time until a sign-in expires, in whole seconds."""
    latest = compute_end(row.created_at, timedelta(days=settings.SIGN_IN_DAYS))
    seconds = (min(latest, row.ends_at or latest) - timezone.now()).total_seconds()
    return timedelta(seconds=max(0, math.ceil(seconds)))


def get_idle_limit(person: Person) -> timedelta:
    """Return how long a person's vault may be idle before it is locked."""
    longest: int = settings.IDLE_MINUTES
    return timedelta(minutes=min(get_idle_minutes(person) or longest, longest))


def is_idle(row: Unlock, person: Person, now: datetime) -> bool:
    """Return whether an unlocked vault has been idle for longer than the limit.

    The register in memory is checked in addition to the row, because anyone who can write to the database can
    change the row.
    """
    oldest = now - get_idle_limit(person)
    if not oldest <= row.last_active <= now + LEEWAY:
        return True
    activity = find_last_activity(
        RegisteredUnlock(person.id, row.sign_in_id, read_bytes(row.salt, longest=64))
    )
    return activity is not None and activity < oldest


def list_idle_unlocks(now: datetime) -> list[Unlock]:
    """Return the Unlock rows that have been idle for too long."""
    rows = Unlock.objects.select_related("sign_in__person")
    return [row for row in rows if is_idle(row, row.sign_in.person, now)]


def get_touch_interval(person: Person) -> timedelta:
    """Return the shortest interval between two writes of `last_active`.

    It is so long that most requests write nothing.
    """
    return min(TOUCH_INTERVAL, get_idle_limit(person) / 4)


def move_times(step: timedelta) -> None:
    """Move the times of sign-ins, unlocks and invitations by `step`, the change of the wall clock.

    If the clock was set forward, the times of unlocked vaults are not moved, because a virtual machine that
    was paused looks the same. These vaults lock, and a password opens them again.
    """
    columns: list[tuple[type[Model], tuple[str, ...]]] = [
        (SignIn, ("created_at", "last_active", "ends_at")),
        (Invitation, ("created_at", "expires_at")),
    ]
    if step < timedelta():
        columns.append((Unlock, ("created_at", "last_active")))
    for model, names in columns:
        for row in model._default_manager.all():
            # A damaged time, or one at the end of all years, is over as it is.
            with suppress(TypeError, ValueError, OverflowError):
                before = build_sign_in_mark(row) if isinstance(row, SignIn) else ""
                for name in names:
                    if (moment := getattr(row, name)) is not None:
                        setattr(row, name, moment + step)
                row.save(update_fields=names)
                if isinstance(row, SignIn) and credential_register.is_registered(before):
                    credential_register.register_mark(build_sign_in_mark(row))
                    credential_register.remove_marks_on_commit([before])


def _get_oldest_start(now: datetime) -> datetime:
    return now - timedelta(days=settings.SIGN_IN_DAYS)
