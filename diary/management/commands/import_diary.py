"""Import an export, or a file of JSON lines, into a diary."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone

from accounts import error_messages
from accounts.errors import AccountsError
from accounts.keys import key_slots
from accounts.management import secret_prompt
from accounts.models import Person
from diary import days
from diary.management.progress import ProgressBar
from diary.transfer.line_imports import ImportReport, import_lines, preview_lines
from diary.transfer.line_reader import UnsupportedEncoding, read_lines
from diary.transfer.restore import DiaryRestoreReport, importable_row_kinds, preview_restore, restore_export
from diary.transfer.restore_files import get_json_size, is_export, open_export_json, read_entries, scan_export
from diary.transfer.restore_json import NotAnExport, read_values
from llamora.crypto import Keyring
from llamora.database import NotWritten

SO_FAR = "What was imported so far stays; the same command goes on from there."
BROKEN = "The file cannot be read on after entry {seen:,}; what stands behind it is not here."


def _get_person(name: str) -> Person:
    try:
        person = Person.objects.find_by_name(name)
    except OperationalError:
        raise CommandError("There is no household here yet. Run manage.py up first.") from None
    if person is None:
        raise CommandError("Nobody in this household has that name.")
    return person


def _unlock(person: Person, file: Path | None) -> key_slots.OpenedSlot:
    try:
        return secret_prompt.open_slot_with_prompt(name=person.name, password_file=file)
    except (EOFError, KeyboardInterrupt):
        raise CommandError("No password was given, so nothing was imported.") from None


@contextmanager
def _unlock_for_import(
    person: Person, options: dict[str, Any], *, total: int
) -> Iterator[tuple[Keyring, ProgressBar]]:
    """Yield the person's keyring and a progress bar; raise CommandError for errors that end the import."""
    try:
        with (
            closing(_unlock(person, options["password_file"]).keyring) as keyring,
            ProgressBar(sys.stderr, total=total) as bar,
        ):
            yield keyring, bar
    except AccountsError as error:
        raise CommandError(error_messages.get_error_message(error)) from None
    except NotWritten as error:
        raise CommandError(f"{error_messages.get_not_written_message(error)} {SO_FAR}") from None
    except KeyboardInterrupt:
        raise CommandError(f"Stopped. {SO_FAR}") from None


def _import_lines(path: Path, person: Person, options: dict[str, Any]) -> ImportReport:
    with path.open("rb") as file:
        until = days.today(person.time_zone, now=timezone.now())
        lines = read_lines(file, until=until, limit=settings.MAX_TEXT)
        if options["dry_run"]:
            return preview_lines(lines)
        with _unlock_for_import(person, options, total=path.stat().st_size) as (keyring, bar):
            return import_lines(
                person=person,
                keyring=keyring,
                lines=lines,
                progress=lambda seen: bar.show(file.tell(), f"{seen:,} lines"),
            )


def _restore_export(path: Path, person: Person, options: dict[str, Any]) -> DiaryRestoreReport:
    now = timezone.now()
    with open_export_json(path) as (text, _):
        overview = scan_export(read_values(text), wanted=importable_row_kinds())
    with open_export_json(path) as (text, file):
        entries = read_entries(read_values(text), now=now, limit=settings.MAX_TEXT)
        if options["dry_run"]:
            return preview_restore(overview, entries)
        with _unlock_for_import(person, options, total=get_json_size(path)) as (keyring, bar):
            return restore_export(
                person=person,
                keyring=keyring,
                overview=overview,
                entries=entries,
                now=now,
                progress=lambda seen: bar.show(file.tell(), f"{seen:,} entries"),
            )


class Command(BaseCommand):
    """Imports an export, or JSON lines, into one person's diary."""

    help = (
        "Import what export_diary wrote (its folder, its zip, or the diary.json in it), or a file of JSON "
        'lines, {"date": "2026-11-20", "text": "..."} each, into the diary of --user. '
        "Asks for their password or recovery code. What is there already is passed over, so the same "
        "file can be imported again, also after it was broken off; each bad entry or line is named by its "
        "number, and the rest is imported. "
        "Refuses an unknown user, a wrong secret, an export of a later version, and a file of which nothing "
        "can be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the file, the name of the person, and the options."""
        parser.add_argument("file", type=Path, help="an export, or a file of JSON lines in UTF-8")
        parser.add_argument("--user", required=True, help="the name of the person whose diary it becomes")
        parser.add_argument(
            "--password-file",
            type=Path,
            help="read the password or recovery code from the first line of this file",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what is in the file and write nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file, and print counts."""
        person, path = _get_person(options["user"]), options["file"]
        try:
            report = (_restore_export if is_export(path) else _import_lines)(path, person, options)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}.") from None
        except (UnsupportedEncoding, NotAnExport) as error:
            raise CommandError(str(error)) from None
        self._print_report(report, is_preview=options["dry_run"])

    def _print_report(self, report: ImportReport, *, is_preview: bool) -> None:
        unit = "Entry" if isinstance(report, DiaryRestoreReport) else "Line"
        for rejected in report.rejected:
            self.stderr.write(f"{unit} {rejected.number} {rejected.reason.value}.")
        if isinstance(report, DiaryRestoreReport):
            self._print_restored_rows(report)
        elif not report.accepted:
            raise CommandError("There is no line in this file that could be imported.")
        for year, count in sorted(report.by_year.items()):
            self.stdout.write(f"{year:04}: {count:,}")
        if report.accepted:
            self.stdout.write(f"From {report.first} to {report.last}: {report.accepted:,} entries.")
        if report.rejected:
            units = "entries" if isinstance(report, DiaryRestoreReport) else "lines"
            self.stdout.write(f"{len(report.rejected):,} bad {units} are named above.")
        if is_preview:
            self.stdout.write("Nothing was written.")
        else:
            self.stdout.write(f"Imported {report.added:,}; {report.known:,} were there already.")
        if isinstance(report, DiaryRestoreReport) and report.is_broken:
            raise CommandError(BROKEN.format(seen=report.accepted + len(report.rejected)))

    def _print_restored_rows(self, report: DiaryRestoreReport) -> None:
        for fault in report.faults:
            self.stderr.write(fault)
        for counts, sentence in ((report.rows, "With them: {}."), (report.skipped, "Not taken back: {}.")):
            kinds = [f"{count:,} {kind.replace('_', ' ')}" for kind, count in sorted(counts.items()) if count]
            if kinds:
                self.stdout.write(sentence.format(", ".join(kinds)))
