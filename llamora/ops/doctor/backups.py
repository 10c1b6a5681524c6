"""The backups: whether there are any, how old the newest is, and whether one broken disk takes all."""

from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

from accounts.models import Person
from llamora.database import backup_files
from llamora.ops.doctor.check_result import CheckResult, ok, warn


def backups() -> Iterator[CheckResult]:
    """Look at the shelf."""
    on_shelf = backup_files.list_backups(settings.BACKUP_DIR)
    if not on_shelf:
        yield _result_without_backups()
        return
    newest, size = on_shelf[-1], sum(kept.path.stat().st_size for kept in on_shelf)
    age = timezone.now() - newest.made_at
    words = (
        f"{len(on_shelf)} in {settings.BACKUP_DIR}, {size // 2**20:,} MiB; "
        f"the newest is {age.total_seconds() / 3600:.0f} hours old. Of each of the last "
        f"{settings.BACKUP_KEEP_DAYS} days and {settings.BACKUP_KEEP_WEEKS} weeks one is kept."
    )
    if age > backup_files.FRESH_AGE:
        yield warn("backups", f"{words} Take one with manage.py backup; while it serves, `up` does so daily.")
    elif settings.BACKUP_DIR.stat().st_dev == settings.DATA_DIR.stat().st_dev:
        yield ok("backups", f"{words} They are on the disk of the diary: copy one elsewhere now and then.")
    else:
        yield ok("backups", words)


def _result_without_backups() -> CheckResult:
    if not Person.objects.exists():
        return ok("backups", "There is nothing to back up yet.")
    if settings.BACKUP_DAILY:
        return warn("backups", "There is none yet. `up` takes the first a minute after its start.")
    return warn("backups", "There is none, and LLAMORA_BACKUP_DAILY is off. Take one with manage.py backup.")
