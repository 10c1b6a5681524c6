"""The household, as far as it can be counted without a key."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, F
from django.utils import timezone

from accounts.auth.services import invitations as links
from accounts.models import FormerKey, KeySlot, Person, SignIn, Unlock
from accounts.sessions import limits
from diary.models import LateDraft, Reply
from llamora.inference.job import LIVE_STATES
from llamora.ops.doctor.check_result import CheckResult, bad, ok, warn
from llamora.ops.doctor.folder import is_served
from llamora.pluralize import pluralize


def people() -> Iterator[CheckResult]:
    """Count people, their vaults and their ways in."""
    everybody = Person.objects.annotate(ways=Count("slots"))
    if not everybody:
        yield ok("people", "Nobody is in the household yet; `up` prints the link for the first person.")
        return
    yield ok("people", f"{len(everybody)} in the household.")
    if not any(person.is_staff for person in everybody):
        yield bad("people", "Nobody keeps the household. Whoever comes by the link that `up` prints will.")
    elif not any(person.is_staff and person.is_active for person in everybody):
        yield bad("people", "No keeper can sign in: all are switched off. Run: manage.py users --enable NAME")
    if lost := Person.objects.filter(vault__isnull=True).count():
        yield bad("people", f"{lost} have no vault and cannot sign in. Restore a backup, or delete them.")
    if narrow := sum(person.ways < 2 for person in everybody):
        yield warn(
            "ways in",
            f"{narrow} have only one way in: a password or code forgotten would be the end of their diary. "
            "A new recovery code is made under Settings.",
        )
    if behind := KeySlot.objects.exclude(epoch=F("owner__vault__epoch")).count():
        yield warn(
            "ways in",
            f"{behind} are behind their vault and open nothing. Their owners make a new password or code.",
        )


def invitations() -> Iterator[CheckResult]:
    """Count links that would let somebody in."""
    if standing := links.get_open_invitations().count():
        yield ok("invitations", f"{standing} would let somebody in. manage.py invite --withdraw ends them.")


def rotations() -> Iterator[CheckResult]:
    """Count rotations that were broken off."""
    if unfinished := FormerKey.objects.count():
        yield warn(
            "rotations",
            f"{unfinished} are not finished: an old key is still there, sealed under the new one. They go on "
            "at their owners' next unlock, or with manage.py rotate_dek NAME.",
        )
    else:
        yield ok("rotations", "None is unfinished.")


def sessions() -> Iterator[CheckResult]:
    """Count who is signed in, and what should have ended."""
    # The server ends them once a minute; what is over for longer, nobody has ended.
    before = timezone.now() - timedelta(minutes=5)
    late, idle = limits.get_expired_sign_ins(before).count(), len(list(limits.list_idle_unlocks(before)))
    signed_in = pluralize(SignIn.objects.count(), "browser is", "browsers are")
    words = f"{signed_in} signed in, {Unlock.objects.count():,} unlocked."
    if late + idle:
        yield warn(
            "sessions",
            f"{words} {late + idle} are past their limits; they open nothing. manage.py prune ends them.",
        )
    else:
        yield ok("sessions", words)


def replies() -> Iterator[CheckResult]:
    """Count replies that are said to be under way while nobody can be writing them."""
    live = Reply.objects.filter(state__in=LIVE_STATES)
    if is_served():
        # One waits its turn behind others; so long that all before it could have run out is too long.
        live = live.filter(
            created_at__lt=timezone.now() - timedelta(seconds=8 * settings.MODEL_REPLY_SECONDS)
        )
    if orphaned := live.count():
        yield warn("replies", f"{orphaned} were left by a server that ended; its next start marks them so.")
    else:
        yield ok("replies", "None is left over.")


def late_drafts() -> Iterator[CheckResult]:
    """Count drafts that wait for their owners to unlock."""
    if waiting := LateDraft.objects.count():
        yield ok("late drafts", f"{waiting} wait for their owners' next unlock.")
