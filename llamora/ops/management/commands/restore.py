"""`manage.py restore`: replaces the household's database with a backup."""

from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from llamora.ops.backup import create, restore, verify_secret
from llamora.ops.errors import OperationRefused
from llamora.process_memory import protect_process_memory


class Command(BaseCommand):
    """The command that replaces the database with the one in a backup."""

    help = (
        "Replace the household's database with a backup, or with a database that an earlier restore "
        "replaced. The backup is checked first. With --user everything of that person is also decrypted, "
        "with their password or recovery code. The old database stays in the data folder under `replaced` "
        "for thirty days. Everyone has to sign in again, with the password they had when the backup was "
        "made. Refuses while the server runs, and if the backup is damaged, newer than this program, or "
        "can't be decrypted; then nothing is changed."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: the backup, and a person whose secret must open it."""
        parser.add_argument("file", type=Path, help="a file that `backup` made")
        parser.add_argument("--user", help="first decrypt everything of this person")
        parser.add_argument(
            "--password-file",
            type=Path,
            help="read their password or recovery code from the first line of this file",
        )

    def handle(
        self, *args: Any, file: Path, user: str | None, password_file: Path | None, **options: Any
    ) -> None:
        """Restore, and print where the old database and the settings are."""
        protect_process_memory()
        check_secret = partial(self._check_secret, name=user, password_file=password_file) if user else None
        try:
            report = restore.restore_backup(
                file.absolute(),
                database=create.get_household_files().database,
                key_file=settings.SECRET_KEY_FILE,
                now=timezone.now(),
                check_secret=check_secret,
            )
        except OperationRefused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"Restored, with {report.envelopes:,} encrypted values.")
        if report.set_aside_path:
            self.stdout.write(f"The old database was moved to {report.set_aside_path}.")
        if report.settings_path:
            self.stdout.write(f"The backup's settings are in {report.settings_path}; `.env` was not changed.")
        self.stdout.write(
            "Everyone has to sign in again, with the password or recovery code they had when the backup "
            "was made."
        )

    def _check_secret(self, *, name: str, password_file: Path | None) -> None:
        found = verify_secret.verify_with_secret(name=name, password_file=password_file)
        if found.damaged:
            raise OperationRefused(
                f"{len(found.damaged):,} of {found.envelopes:,} encrypted texts of {name} "
                "can't be decrypted, so "
                "nothing was changed. Try an earlier backup, or leave --user out to restore it as it is."
            )
        self.stdout.write(f"All {found.envelopes:,} encrypted texts of {name} can be decrypted.")
