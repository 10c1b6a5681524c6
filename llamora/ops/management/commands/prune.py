"""`manage.py prune`: deletion of expired data."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from llamora.clock.sentences import find_age_warning
from llamora.clock.services import find_elapsed_time
from llamora.ops import pruning


class Command(BaseCommand):
    """The command that deletes expired data now; a running server does it once a day."""

    help = (
        "Delete what has expired: old sessions; entries in the bin, earlier versions and replaced databases "
        "after thirty days; backups beyond LLAMORA_BACKUP_KEEP_DAYS and LLAMORA_BACKUP_KEEP_WEEKS; search "
        "indexes of deleted people and of former keys; and leftover files: those that crashed programs left, "
        "and reports of missing saves that everyone concerned has read. Then empty the database's log, "
        "which may still contain deleted data. Works without anyone's password and while the server runs. "
        "On a full disk it first deletes the reserve and files, to make space for the rest. Never deletes "
        "anything else. "
        "Ends with an error if something could not be deleted, and says what."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Prune, and print the numbers of removed rows and files."""
        report = pruning.prune(now=timezone.now())
        self.stdout.write(f"Deleted: {report}.")
        if not report.is_log_truncated:
            self.stdout.write("The database's log was not emptied. That is tried again the next time.")
        if report.problems:
            raise CommandError(f"Not everything was deleted. {' '.join(report.problems)}")
        if sentence := find_age_warning(find_elapsed_time(), now=timezone.now()):
            self.stdout.write(sentence)
