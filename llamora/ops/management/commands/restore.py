"""`manage.py restore`: replaces the household's database with a backup, or restores one day of a person."""

from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from diary import days
from diary.transfer.day_restoration import EntryState
from llamora.ops import losses
from llamora.ops.backup import create, restore, restore_day, verify_secret
from llamora.ops.errors import OperationRefused
from llamora.pluralize import pluralize
from llamora.process_memory import protect_process_memory


class Command(BaseCommand):
    """The command that replaces the database with the one in a backup, or restores one day of a person."""

    help = (
        "Replace the household's database with a backup, or with a database that an earlier restore "
        "replaced. The backup is checked first. With --user everything of that person is also decrypted, "
        "with their password or recovery code. The old database stays in the data folder under `replaced` "
        "for thirty days. Everyone has to sign in again, with the password they had when the backup was "
        "made. Refuses while the server runs, and if the backup is damaged, newer than this program, or "
        "can't be decrypted; then nothing is changed. With --day only the entries that --user wrote for that "
        "day are restored, or with --entry one of them, also while the server runs: missing ones are added, "
        "those in the bin are taken out of it, and a text that was changed since becomes an earlier version."
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
        parser.add_argument("--day", help="restore only this day of --user, written as 2026-11-20")
        parser.add_argument("--entry", type=int, help="restore only the entry of this number on that day")
        parser.add_argument(
            "--dry-run", action="store_true", help="with --day, list its entries and change nothing"
        )

    def handle(
        self,
        *args: Any,
        file: Path,
        user: str | None,
        password_file: Path | None,
        day: str | None = None,
        entry: int | None = None,
        dry_run: bool = False,
        **options: Any,
    ) -> None:
        """Restore, and print where the old database and the settings are."""
        protect_process_memory()
        if day is not None:
            self._restore_day(file, user, day, number=entry, password_file=password_file, is_preview=dry_run)
            return
        if entry is not None or dry_run:
            raise CommandError("--entry and --dry-run belong to --day, which names the day to restore.")
        if password_file is not None and user is None:
            raise CommandError("--password-file needs --user, the name of the person whose password it has.")
        check_secret = partial(self._check_secret, name=user, password_file=password_file) if user else None
        try:
            database = create.get_household_files().database
            losses.report_before_replacement(database, now=timezone.now())
            report = restore.restore_backup(
                file.absolute(),
                database=database,
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

    def _restore_day(
        self,
        file: Path,
        user: str | None,
        day: str,
        *,
        number: int | None,
        password_file: Path | None,
        is_preview: bool,
    ) -> None:
        if user is None:
            raise CommandError("--day needs --user, the name of the person whose day it is.")
        try:
            request = restore_day.DayRequest(
                backup=file.absolute(),
                data_dir=create.get_household_files().database.parent,
                name=user,
                day=days.parse_day(day),
                number=number,
                password_file=password_file,
            )
        except ValueError:
            raise CommandError("--day is a date such as 2026-11-20.") from None
        try:
            report = restore_day.restore_day(request, now=timezone.now(), is_preview=is_preview)
        except OperationRefused as refusal:
            raise CommandError(str(refusal)) from None
        except OSError as error:
            raise CommandError(f"The day could not be restored: {error.strerror}.") from None
        self._print_day(report, is_preview=is_preview)

    def _print_day(self, report: restore_day.DayReport, *, is_preview: bool) -> None:
        for compared in report.entries:
            at = compared.parsed.columns["created_at"].astimezone(ZoneInfo(report.person.time_zone))
            length = pluralize(len(compared.parsed.columns["text"]), "character", "characters")
            self.stdout.write(
                f"Entry {compared.parsed.number}, {at:%Y-%m-%d %H:%M}, {length}: {compared.state.value}."
            )
        if report.unreadable:
            self.stderr.write(
                f"{pluralize(report.unreadable, 'entry', 'entries')} of that day can't be read in the backup."
            )
        if is_preview:
            self.stdout.write("Nothing was changed.")
            return
        changed = sum(compared.state is not EntryState.SAME for compared in report.entries)
        self.stdout.write(f"{pluralize(changed, 'entry was', 'entries were')} restored.")

    def _check_secret(self, *, name: str, password_file: Path | None) -> None:
        found = verify_secret.verify_with_secret(name=name, password_file=password_file)
        if found.damaged:
            raise OperationRefused(
                f"{len(found.damaged):,} of {found.envelopes:,} encrypted texts of {name} "
                "can't be decrypted, so "
                "nothing was changed. Try an earlier backup, or leave --user out to restore it as it is."
            )
        self.stdout.write(f"All {found.envelopes:,} encrypted texts of {name} can be decrypted.")
