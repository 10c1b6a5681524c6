"""`manage.py prune`: deletion of expired data."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from accounts import error_messages
from llamora.database import NotWritten, condition
from llamora.ops import pruning


class Command(BaseCommand):
    """The command that deletes expired data now; a running server does it once a day."""

    help = (
        "Delete what has expired: old sessions; entries in the bin, earlier versions and replaced databases "
        "after thirty days; backups beyond LLAMORA_BACKUP_KEEP_DAYS and LLAMORA_BACKUP_KEEP_WEEKS; search "
        "indexes of deleted people; and files that crashed programs left. Then empty the database's log, "
        "which may still contain deleted data. Works without anyone's password and while the server runs. "
        "Refuses if Llamora is not set up."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Prune, and print the numbers of removed rows and files."""
        try:
            report = pruning.prune(now=timezone.now())
        except NotWritten as error:
            raise CommandError(error_messages.get_not_written_message(error)) from None
        except DatabaseError as error:
            raise CommandError(condition.describe_database_error(error)) from None
        self.stdout.write(f"Deleted: {report}.")
        if not report.is_log_truncated:
            self.stdout.write("The database was in use, so its log will be emptied the next time.")
