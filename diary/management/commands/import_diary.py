"""The command `import_diary`: imports an export, or a file of JSON lines, into a diary."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from accounts import error_messages
from accounts.errors import AccountsError
from accounts.keys import key_slots
from accounts.management import secret_prompt
from accounts.models import Person
from diary import days, messages
from diary.management.progress import ProgressBar
from diary.transfer.diary_imports import DiaryImportReport, import_diary, importable_row_kinds, preview_import
from diary.transfer.export_reader import get_json_size, is_export, open_export_json, read_entries, scan_export
from diary.transfer.json_reader import NotAnExport, read_values
from diary.transfer.line_imports import ImportReport, import_lines, preview_lines
from diary.transfer.line_reader import UnsupportedEncoding, read_lines
from llamora.crypto import Keyring
from llamora.database import NotWritten, condition
from llamora.pluralize import pluralize


def _get_person(name: str) -> Person:
    try:
        person = Person.objects.find_by_name(name)
    except DatabaseError as error:
        raise CommandError(condition.describe_database_error(error)) from None
    if person is None:
        raise CommandError(messages.UNKNOWN_PERSON)
    return person


def _unlock(person: Person, file: Path | None) -> key_slots.OpenedSlot:
    try:
        return secret_prompt.open_diary_with_prompt(name=person.name, password_file=file)
    except (EOFError, KeyboardInterrupt):
        raise CommandError(messages.NO_PASSWORD) from None


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
        sentence = error_messages.get_not_written_message(error)
        raise CommandError(f"{sentence} {messages.IMPORT_CONTINUES}") from None
    except KeyboardInterrupt:
        raise CommandError(messages.IMPORT_STOPPED) from None


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
                source=path.resolve().name,
                progress=lambda seen: bar.show(file.tell(), f"{seen:,} lines"),
            )


def _import_export(path: Path, person: Person, options: dict[str, Any]) -> DiaryImportReport:
    now = timezone.now()
    with open_export_json(path) as (text, _):
        overview = scan_export(read_values(text), wanted=importable_row_kinds())
    with open_export_json(path) as (text, file):
        entries = read_entries(read_values(text), now=now, limit=settings.MAX_TEXT)
        if options["dry_run"]:
            return preview_import(overview, entries)
        with _unlock_for_import(person, options, total=get_json_size(path)) as (keyring, bar):
            return import_diary(
                person=person,
                keyring=keyring,
                overview=overview,
                entries=entries,
                now=now,
                source=path.resolve().name,
                progress=lambda seen: bar.show(file.tell(), f"{seen:,} entries"),
            )


def _get_units(report: ImportReport) -> tuple[str, str]:
    return ("entry", "entries") if isinstance(report, DiaryImportReport) else ("line", "lines")


class Command(BaseCommand):
    """Command that imports an export, or JSON lines, into one person's diary."""

    help = (
        "Import a file into the diary of --user. It is an export of Llamora (its folder, its zip or the "
        'diary.json in it), or has one JSON object on each line: {"date": "2026-11-20", "text": "..."}. '
        "Asks for that person's password or recovery code. An entry is never imported twice, so you can "
        "import the same file again, for instance after an interruption. Each entry or line that can't be "
        "imported is listed with its number, and the rest is imported."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: the file to import, the name of the person, and the options."""
        parser.add_argument(
            "file", type=Path, help="an export, or a UTF-8 file with one JSON object on each line"
        )
        parser.add_argument("--user", required=True, help="name of the person whose diary gets the entries")
        parser.add_argument(
            "--password-file",
            type=Path,
            help="read the password or recovery code from the first line of this file",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="show what would be imported, without importing it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file, and print counts."""
        person, path = _get_person(options["user"]), options["file"]
        try:
            report = (_import_export if is_export(path) else _import_lines)(path, person, options)
        except OSError as error:
            raise CommandError(messages.IMPORT_UNREADABLE.format(error=error.strerror)) from None
        except (UnsupportedEncoding, NotAnExport) as error:
            raise CommandError(str(error)) from None
        self._print_report(report, is_preview=options["dry_run"])

    def _print_report(self, report: ImportReport, *, is_preview: bool) -> None:
        unit = _get_units(report)[0].capitalize()
        for rejected in report.rejected:
            self.stderr.write(f"{unit} {rejected.number} {rejected.reason.value}.")
        if more := report.rejected_count - len(report.rejected):
            self.stderr.write(messages.IMPORT_MORE_REJECTED.format(count=more))
        if isinstance(report, DiaryImportReport):
            self._print_imported_rows(report)
        elif not report.accepted:
            raise CommandError(messages.IMPORT_NO_LINE)
        for year, count in sorted(report.by_year.items()):
            self.stdout.write(f"{year:04}: {count:,}")
        if report.accepted:
            entries = pluralize(report.accepted, "entry", "entries")
            self.stdout.write(
                messages.IMPORT_RANGE.format(first=report.first, last=report.last, count=entries)
            )
        if report.rejected_count:
            rejected_count = pluralize(report.rejected_count, *_get_units(report))
            self.stdout.write(messages.IMPORT_REJECTED.format(count=rejected_count))
        if is_preview:
            self.stdout.write(messages.IMPORT_PREVIEWED)
        else:
            self.stdout.write(messages.IMPORT_COUNTS.format(added=report.added, known=report.known))
        if isinstance(report, DiaryImportReport) and report.is_broken:
            raise CommandError(messages.IMPORT_BROKEN.format(seen=report.accepted + report.rejected_count))

    def _print_imported_rows(self, report: DiaryImportReport) -> None:
        for fault in report.faults:
            self.stderr.write(fault)
        for counts, sentence in (
            (report.rows, messages.IMPORT_ROWS),
            (report.skipped, messages.IMPORT_SKIPPED),
        ):
            kinds = [
                f"{count:,} {messages.get_row_kind_name(kind)}"
                for kind, count in sorted(counts.items())
                if count
            ]
            if kinds:
                self.stdout.write(sentence.format(", ".join(kinds)))
