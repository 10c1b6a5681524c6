"""Checks of the backups: their number, the age of the newest, and their disk."""

from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

from accounts.models import Person
from llamora.database import backup_files
from llamora.ops.doctor.check_result import CheckResult, ok, warn
from llamora.pluralize import pluralize


def check_backups() -> Iterator[CheckResult]:
    """Report the number and age of the backups, and their disk."""
    found = backup_files.list_backups(settings.BACKUP_DIR)
    if not found:
        yield _get_result_without_backups()
        return
    now, size = timezone.now(), sum(backup.path.stat().st_size for backup in found)
    past = backup_files.select_past(found, now=now)
    if future := len(found) - len(past):
        yield warn(
            "backups",
            f"{pluralize(future, 'is', 'are')} named in the future, made while the clock was wrong. A later "
            "backup is made all the same. Delete those by hand when there is one.",
        )
    if not past:
        return
    age = now - past[-1].made_at
    message = (
        f"{len(found)} in {settings.BACKUP_DIR}, {size // 2**20:,} MiB; "
        f"the newest is {age.total_seconds() / 3600:.0f} hours old. One is retained for each of the last "
        f"{settings.BACKUP_KEEP_DAYS} days and {settings.BACKUP_KEEP_WEEKS} weeks."
    )
    if age > backup_files.FRESH_AGE:
        yield warn(
            "backups", f"{message} Make one with manage.py backup. A running server makes one every day."
        )
    elif settings.BACKUP_DIR.stat().st_dev == settings.DATA_DIR.stat().st_dev:
        yield ok(
            "backups", f"{message} They are on the same disk as the diary: copy one to another now and then."
        )
    else:
        yield ok("backups", message)


def _get_result_without_backups() -> CheckResult:
    if not Person.objects.exists():
        return ok("backups", "There is nothing to back up yet.")
    if settings.BACKUP_DAILY:
        return warn(
            "backups", "There is no backup yet. The server makes the first one a minute after it starts."
        )
    return warn(
        "backups", "There is no backup, and LLAMORA_BACKUP_DAILY is off. Make one with manage.py backup."
    )
