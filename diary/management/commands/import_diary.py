"""Brings a diary in from a file of JSON lines."""

import sys
from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone

from accounts import keys, sentences
from accounts.errors import AccountsError
from accounts.management import asking
from accounts.models import Person
from diary import days
from diary.importing import NotLines, read_lines
from diary.management.progress import ProgressBar
from diary.services.imports import Report, import_diary, preview
from llamora.database import NotWritten

SO_FAR = "What was imported so far stays; the same command goes on from there."


def _person(name: str) -> Person:
    try:
        person = Person.objects.by_name(name)
    except OperationalError:
        raise CommandError("There is no household here yet. Run manage.py up first.") from None
    if person is None:
        raise CommandError("Nobody in this household has that name.")
    return person


def _opened(person: Person, file: Path | None) -> keys.Opened:
    try:
        return asking.opened(name=person.name, password_file=file)
    except (EOFError, KeyboardInterrupt):
        raise CommandError("No password was given, so nothing was imported.") from None


class Command(BaseCommand):
    """Imports JSON lines into one person's diary."""

    help = (
        'Import a file of JSON lines, {"date": "2026-11-20", "text": "..."} each, into the diary of --user. '
        "Asks for their password or recovery code. Lines that are there already are passed over, so the same "
        "file can be imported again, also after it was broken off; each bad line is named by its number, and "
        "the rest is imported. "
        "Refuses an unknown user, a wrong secret, and a file of which no line can be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, whose diary it is, and how to go about it."""
        parser.add_argument("file", type=Path, help="a file of JSON lines in UTF-8")
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
        """Import, and say in counts what came of it."""
        person = _person(options["user"])
        try:
            with options["file"].open("rb") as file:
                report = self._run(file, person, options)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}.") from None
        except NotLines as error:
            raise CommandError(str(error)) from None
        self._tell(report, is_preview=options["dry_run"])

    def _run(self, file: BinaryIO, person: Person, options: dict[str, Any]) -> Report:
        until = days.today(person.time_zone, now=timezone.now())
        lines = read_lines(file, until=until, limit=settings.MAX_TEXT)
        if options["dry_run"]:
            return preview(lines)
        try:
            with (
                closing(_opened(person, options["password_file"]).keyring) as keyring,
                ProgressBar(sys.stderr, total=Path(options["file"]).stat().st_size) as bar,
            ):
                return import_diary(
                    person=person,
                    keyring=keyring,
                    lines=lines,
                    progress=lambda seen: bar.show(file.tell(), f"{seen:,} lines"),
                )
        except AccountsError as error:
            raise CommandError(sentences.refusal(error)) from None
        except NotWritten as error:
            raise CommandError(f"{sentences.not_written(error)} {SO_FAR}") from None
        except KeyboardInterrupt:
            raise CommandError(f"Stopped. {SO_FAR}") from None

    def _tell(self, report: Report, *, is_preview: bool) -> None:
        for bad in report.bad:
            self.stderr.write(f"Line {bad.number} {bad.reason.value}.")
        if not report.good:
            raise CommandError("There is no line in this file that could be imported.")
        for year, count in sorted(report.by_year.items()):
            self.stdout.write(f"{year:04}: {count:,}")
        self.stdout.write(f"From {report.first} to {report.last}: {report.good:,} entries.")
        if report.bad:
            self.stdout.write(f"{len(report.bad):,} bad lines are named above.")
        if is_preview:
            self.stdout.write("Nothing was written.")
        else:
            self.stdout.write(f"Imported {report.added:,}; {report.known:,} were there already.")
