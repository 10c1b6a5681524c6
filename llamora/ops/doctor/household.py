"""Checks of vaults, key slots, rotations and sessions, and of replies without a job; they need no key."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, F, Max, Q
from django.utils import timezone

from accounts.auth.services.invitations import get_open_invitations
from accounts.keys import key_slots, row_shapes, token_slots
from accounts.models import AccessToken, FormerKey, KeySlot, Person, SignIn, Unlock
from accounts.sessions import limits
from diary.models import InboxBox, LateDraft, Reply
from llamora.crypto import HIGHEST
from llamora.database.credential_register import FOLDER
from llamora.inference.job import LIVE_STATES
from llamora.ops import data_folder
from llamora.ops.doctor.check_result import CheckResult, bad, ok, warn
from llamora.pluralize import pluralize


def check_people() -> Iterator[CheckResult]:
    """Report a household without an administrator, and people without a vault or a second key slot."""
    everybody = Person.objects.annotate(slot_count=Count("slots"))
    if not everybody:
        yield ok("people", "There is no diary here yet. Open the set-up link that `up` prints.")
        return
    yield ok("people", f"{pluralize(len(everybody), 'person has', 'people have')} a diary here.")
    if not any(person.is_staff for person in everybody):
        yield bad(
            "people", "There is no administrator. Whoever opens the set-up link that `up` prints becomes one."
        )
    elif not any(person.is_staff and person.is_active for person in everybody):
        yield bad(
            "people", "No administrator can sign in: all are turned off. Run: manage.py users --enable NAME"
        )
    if lost := Person.objects.filter(vault__isnull=True).count():
        people = pluralize(lost, "person has", "people have")
        yield bad("people", f"{people} no key and can't sign in. Restore a backup, or delete them.")
    if single := sum(person.slot_count < 2 for person in everybody):
        yield warn(
            "ways to unlock",
            f"{pluralize(single, 'person has', 'people have')} only one way to unlock. If it is lost, nobody "
            "can read the diary again. They can create a new recovery code in Settings.",
        )
    if behind := KeySlot.objects.exclude(epoch=F("owner__vault__epoch")).count():
        yield warn(
            "ways to unlock",
            f"{behind} no longer work. Their owners can choose a new password or recovery code in Settings.",
        )


def check_access_tokens() -> Iterator[CheckResult]:
    """Report access tokens that no longer work, and those that wait until their owners allow them again."""
    if behind := AccessToken.objects.exclude(epoch=F("owner__vault__epoch")).count():
        yield warn(
            "access tokens",
            f"{behind} no longer work: they did not get the key of their owners' diaries, because they were "
            "changed on the disk. Their owners revoke them in Settings, Programs.",
        )
    if waiting := token_slots.count_suspended():
        yield ok(
            "access tokens",
            f"{waiting} wait after a restore, or because the folder {FOLDER} was lost, until their owners "
            "let them work again, in Settings, Programs.",
        )


def check_key_derivations() -> Iterator[CheckResult]:
    """Report key slots whose derivation costs more than the settings and the ceiling allow."""
    most = key_slots.get_cost_ceiling()
    costly = KeySlot.objects.filter(Q(memory_kib__gt=most.memory_kib) | Q(time__gt=most.time))
    if not (count := costly.count()):
        yield ok("key derivations", "Each way to unlock costs no more memory and time than is allowed.")
        return
    found = costly.aggregate(memory=Max("memory_kib"), time=Max("time"))
    yield bad(
        "key derivations",
        f"{pluralize(count, 'way to unlock costs', 'ways to unlock cost')} more memory or time than the "
        f"settings allow, so they do not work. If they were made with higher settings, set "
        f"LLAMORA_ARGON2_MEMORY_KIB={found['memory']} and LLAMORA_ARGON2_TIME={found['time']} again, "
        f"at most {HIGHEST.memory_kib} and {HIGHEST.time}; otherwise the database was changed: restore "
        "a backup.",
    )


def check_damaged_rows() -> Iterator[CheckResult]:
    """Report rows of keys and sessions that are damaged or were manipulated."""
    counts = {model._meta.verbose_name: row_shapes.count_damaged_rows(model) for model in row_shapes.TABLES}
    found = ", ".join(f"{count} of {name}" for name, count in counts.items() if count)
    if found:
        yield bad("keys and sessions", f"Damaged rows: {found}. They open nothing. Restore a backup.")
    else:
        yield ok("keys and sessions", "Every row has the shape that Llamora writes.")


def check_invitations() -> Iterator[CheckResult]:
    """Report invitations that are still open."""
    if count := get_open_invitations().count():
        yield ok(
            "invitations", f"{count} can still be used. To withdraw them, run: manage.py invite --withdraw"
        )


def check_key_changes() -> Iterator[CheckResult]:
    """Report unfinished rotations."""
    if unfinished := FormerKey.objects.count():
        yield warn(
            "key changes",
            f"{unfinished} are not finished, so an old key still exists, encrypted with the new one. They "
            "continue when their owners next unlock, or with manage.py rotate_dek NAME.",
        )
    else:
        yield ok("key changes", "All are finished.")


def check_sessions() -> Iterator[CheckResult]:
    """Report the number of sessions, and expired sessions that still exist."""
    # The server ends them once a minute; those past their limits for longer were overlooked.
    now = timezone.now()
    before = now - timedelta(minutes=5)
    late = (limits.get_expired_sign_ins(now) & limits.get_expired_sign_ins(before)).count()
    idle = len({*limits.list_idle_unlocks(now)} & {*limits.list_idle_unlocks(before)})
    signed_in = pluralize(SignIn.objects.count(), "browser is", "browsers are")
    message = f"{signed_in} signed in, {Unlock.objects.count():,} unlocked."
    if late + idle:
        yield warn(
            "sessions",
            f"{message} {late + idle} have expired and unlock nothing. Run manage.py prune to delete them.",
        )
    else:
        yield ok("sessions", message)


def check_replies() -> Iterator[CheckResult]:
    """Report replies that are marked as running although no job is writing them."""
    live = Reply.objects.filter(state__in=LIVE_STATES)
    if data_folder.is_locked(settings.DATA_DIR):
        # A reply may wait behind others, but no longer than all before it may take.
        live = live.filter(
            created_at__lt=timezone.now() - timedelta(seconds=8 * settings.MODEL_REPLY_SECONDS)
        )
    if orphaned := live.count():
        yield warn("replies", f"{orphaned} were not finished. The next start of `up` marks them as stopped.")
    else:
        yield ok("replies", "All are finished.")


def check_late_drafts() -> Iterator[CheckResult]:
    """Report drafts that wait for their owners to unlock their vaults."""
    if waiting := LateDraft.objects.count():
        yield ok(
            "late drafts",
            f"{waiting} were sent after a lock. They are saved when their owners next unlock, except those "
            "that can't be checked, which their owners see and delete.",
        )


def check_inbox() -> Iterator[CheckResult]:
    """Report texts for the Inbox that wait for their owners to unlock their vaults."""
    if waiting := InboxBox.objects.count():
        yield ok(
            "inbox",
            f"{waiting} were sent by programs after a lock. Their owners find them in the Inbox when they "
            "next unlock, those that can't be checked apart from the others.",
        )
