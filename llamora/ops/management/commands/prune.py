"""`manage.py prune`: deletion of expired data."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from accounts import error_messages
from llamora.database import NotWritten
from llamora.ops import pruning


class Command(BaseCommand):
    """The command that deletes expired data now; a running server does it once a day."""

    help = (
        "Remove what is past its time: sessions over their limits, entries thirty days in the bin, earlier "
        "versions and databases that were replaced thirty days ago, backups beyond LLAMORA_BACKUP_KEEP_DAYS "
        "and LLAMORA_BACKUP_KEEP_WEEKS, indexes of people who left, and what killed work left; then empty "
        "the write-ahead log, so that nothing of it is left. Needs nobody's key, and may run beside the "
        "server. Refuses where there is no household."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Prune, and print the numbers of removed rows and files."""
        try:
            report = pruning.prune(now=timezone.now())
        except NotWritten as error:
            raise CommandError(error_messages.get_not_written_message(error)) from None
        except DatabaseError:
            raise CommandError("There is no household here yet. Run manage.py up first.") from None
        self.stdout.write(f"Gone: {report}.")
        if not report.is_log_truncated:
            self.stdout.write("Someone was reading, so the write-ahead log is emptied at the next round.")
