"""`manage.py backup`: a backup of the whole household."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from llamora.ops.backup import create
from llamora.ops.errors import OperationRefused
from llamora.process_memory import protect_process_memory


class Command(BaseCommand):
    """The command that copies the household into one file, even while the server runs."""

    help = (
        "Copy the household into one file: the database without its sessions, the encrypted search indexes, "
        "the household's prompts and its settings. Diaries stay encrypted. Works while the server runs. "
        "The backup is checked, and deleted if it is damaged. Refuses if Llamora is not set up, "
        "the disk is too full or the database is damaged; then no file is left."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: the folder, and whether to include the server's secrets."""
        parser.add_argument(
            "--to",
            type=Path,
            default=settings.BACKUP_DIR,
            help="folder for the backup; by default LLAMORA_BACKUP_DIR",
        )
        parser.add_argument(
            "--with-secrets",
            action="store_true",
            help="add the server's secret key and its secret settings; they don't unlock any diary",
        )

    def handle(self, *args: Any, to: Path, with_secrets: bool, **options: Any) -> None:
        """Create the backup, and print its path."""
        protect_process_memory()
        try:
            made = create.create_backup(
                create.get_household_files(),
                folder=to.resolve(),
                now=timezone.now(),
                with_secrets=with_secrets,
            )
        except OperationRefused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(
            f"{made.path}: {made.size:,} bytes, {made.files:,} files, {made.envelopes:,} encrypted values."
        )
