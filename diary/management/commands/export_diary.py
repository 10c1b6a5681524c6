"""The command `export_diary`: exports a diary, decrypted, into a folder or a zip."""

import sys
from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from accounts import error_messages
from accounts.errors import AccountsError
from accounts.keys import key_slots
from accounts.management import secret_prompt
from diary import messages
from diary.management.progress import ProgressBar
from diary.models import Entry
from diary.transfer.export_targets import open_target
from diary.transfer.exports import ExportReport, export_diary
from llamora.database import NotWritten, condition
from llamora.pluralize import pluralize


class Command(BaseCommand):
    """Command that exports the whole diary of one person."""

    help = (
        "Export the whole diary of NAME into a new folder, or into a zip if --to ends in .zip: one Markdown "
        "file for each day, and one JSON file with everything. Asks for that person's password or recovery "
        "code. The export is not encrypted: anyone who has it can read it. Existing files are never "
        "overwritten. Texts that can't be opened are listed, and the rest is exported."
    )

    # Who wants their diary gets it, whatever the checks of the installation find.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: the name of the person, and the new folder or zip."""
        secret_prompt.add_arguments(parser)
        parser.add_argument(
            "--to", type=Path, help="a new folder or .zip file; by default diary-DATE.zip in this folder"
        )

    def handle(
        self, *args: Any, name: str, password_file: Path | None, to: Path | None, **options: Any
    ) -> None:
        """Export the diary, and print counts."""
        now = timezone.now()
        path = (to or Path(f"diary-{now:%Y-%m-%d}.zip")).absolute()
        if not path.parent.is_dir():
            raise CommandError(messages.EXPORT_NO_FOLDER.format(folder=path.parent))
        try:
            opened = secret_prompt.open_slot_with_prompt(name=name, password_file=password_file)
            with (
                closing(opened.keyring),
                open_target(path) as target,
                self._build_progress_bar(opened) as bar,
            ):
                report = export_diary(
                    person=opened.person,
                    keyring=opened.keyring,
                    target=target,
                    now=now,
                    progress=lambda done: bar.show(done, f"{done:,} entries"),
                )
        except AccountsError as error:
            raise CommandError(error_messages.get_error_message(error)) from None
        except NotWritten as error:
            raise CommandError(error_messages.get_not_written_message(error)) from None
        except DatabaseError as error:
            raise CommandError(condition.describe_database_error(error)) from None
        except FileExistsError:
            raise CommandError(messages.EXPORT_EXISTS.format(path=path)) from None
        except OSError as error:
            raise CommandError(messages.EXPORT_NOT_WRITTEN.format(error=error.strerror)) from None
        except (EOFError, KeyboardInterrupt):
            raise CommandError(messages.EXPORT_STOPPED) from None
        self._print_report(report, path)

    def _build_progress_bar(self, opened: key_slots.OpenedSlot) -> ProgressBar:
        return ProgressBar(sys.stderr, total=Entry.objects.filter(owner_id=opened.person.id).count())

    def _print_report(self, report: ExportReport, path: Path) -> None:
        rows = sorted(report.rows.items())
        others = "".join(f", {count:,} {messages.get_row_kind_name(kind)}" for kind, count in rows if count)
        entries = pluralize(report.entries, "entry", "entries")
        days = pluralize(report.days, "day", "days")
        self.stdout.write(f"{entries} on {days}{others}: {path}")
        self.stdout.write(messages.EXPORT_WARNING)
        for label, row_id, code in report.damaged:
            self.stderr.write(messages.EXPORT_DAMAGED.format(label=label, row=row_id, code=code))
        if report.damaged:
            count = pluralize(len(report.damaged), "value", "values")
            raise CommandError(messages.EXPORT_INCOMPLETE.format(count=count))
