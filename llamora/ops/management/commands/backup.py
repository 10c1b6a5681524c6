"""`manage.py backup`: a backup of the whole household."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from llamora.ops.backup import create, target_disk
from llamora.ops.errors import OperationRefused
from llamora.process_memory import protect_process_memory


class Command(BaseCommand):
    """The command that copies the household into one file, even while the server runs."""

    help = (
        "Copy the household into one file: the database without its sessions, the encrypted search indexes, "
        "the household's prompts and its settings. Diaries stay encrypted. Works while the server runs. "
        "The backup is checked, and deleted if it is damaged. Refuses if Llamora is not set up, "
        "the disk is too full or the database is damaged, and a mount point on which no disk is mounted, "
        "unless --allow-unmounted is used; then no file is left."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: the folder, and whether to include the server's secrets."""
        parser.add_argument(
            "--to",
            type=Path,
            help="folder for the backup; by default LLAMORA_BACKUP_DIR",
        )
        parser.add_argument(
            "--allow-unmounted",
            action="store_true",
            help="write to a mount point although no disk is mounted there",
        )
        parser.add_argument(
            "--with-secrets",
            action="store_true",
            help="add the server's secret key and its secret settings; they don't unlock any diary",
        )

    def handle(
        self,
        *args: Any,
        to: Path | None,
        with_secrets: bool,
        allow_unmounted: bool = False,
        **options: Any,
    ) -> None:
        """Create the backup, and print its path and its disk."""
        protect_process_memory()
        folder = (to or settings.BACKUP_DIR).resolve()
        try:
            if not allow_unmounted:
                _check_mount(folder, is_named=to is not None)
            made = create.create_backup(
                create.get_household_files(),
                folder=folder,
                now=timezone.now(),
                with_secrets=with_secrets,
            )
        except OperationRefused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(
            f"{made.path}: {made.size:,} bytes, {made.files:,} files, {made.envelopes:,} encrypted values."
        )
        if disk := target_disk.find_disk(folder):
            same = (
                ", the disk of the diary itself" if disk == target_disk.find_disk(settings.DATA_DIR) else ""
            )
            self.stdout.write(f"It is on {disk.device}, mounted on {disk.folder}{same}.")


def _check_mount(folder: Path, *, is_named: bool) -> None:
    point = target_disk.find_missing_mount(folder, is_named=is_named)
    if point is None:
        return
    disk = target_disk.find_disk(folder)
    raise OperationRefused(
        f"No disk is mounted on {point}, so the backup would be written to "
        f"{disk.device if disk else 'another'}. Mount the disk, or use --allow-unmounted to write there all "
        "the same."
    )
