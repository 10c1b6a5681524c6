"""Brings a diary in from what an export wrote, or from a file of JSON lines."""

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

from accounts import keys, sentences
from accounts.errors import AccountsError
from accounts.management import asking
from accounts.models import Person
from diary import days
from diary.importing import NotLines, read_lines
from diary.management.progress import ProgressBar
from diary.own_files import is_own, reading_own, size_of
from diary.own_json import NotOurs, values
from diary.own_overview import entries_in, look_over
from diary.services.imports import Report, import_diary, preview
from diary.services.own_imports import OwnReport, import_own, kinds_wanted, preview_own
from llamora.crypto import Keyring
from llamora.database import NotWritten

SO_FAR = "What was imported so far stays; the same command goes on from there."
BROKEN = "The file cannot be read on after entry {seen:,}; what stands behind it is not here."


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


@contextmanager
def _opened_for(
    person: Person, options: dict[str, Any], *, total: int
) -> Iterator[tuple[Keyring, ProgressBar]]:
    """Give the person's keyring and a bar; whatever ends the import is said in a sentence."""
    try:
        with (
            closing(_opened(person, options["password_file"]).keyring) as keyring,
            ProgressBar(sys.stderr, total=total) as bar,
        ):
            yield keyring, bar
    except AccountsError as error:
        raise CommandError(sentences.refusal(error)) from None
    except NotWritten as error:
        raise CommandError(f"{sentences.not_written(error)} {SO_FAR}") from None
    except KeyboardInterrupt:
        raise CommandError(f"Stopped. {SO_FAR}") from None


def _lines(path: Path, person: Person, options: dict[str, Any]) -> Report:
    with path.open("rb") as file:
        until = days.today(person.time_zone, now=timezone.now())
        lines = read_lines(file, until=until, limit=settings.MAX_TEXT)
        if options["dry_run"]:
            return preview(lines)
        with _opened_for(person, options, total=path.stat().st_size) as (keyring, bar):
            return import_diary(
                person=person,
                keyring=keyring,
                lines=lines,
                progress=lambda seen: bar.show(file.tell(), f"{seen:,} lines"),
            )


def _own(path: Path, person: Person, options: dict[str, Any]) -> OwnReport:
    now = timezone.now()
    with reading_own(path) as (text, _):
        overview = look_over(values(text), wanted=kinds_wanted())
    with reading_own(path) as (text, file):
        entries = entries_in(values(text), now=now, limit=settings.MAX_TEXT)
        if options["dry_run"]:
            return preview_own(overview, entries)
        with _opened_for(person, options, total=size_of(path)) as (keyring, bar):
            return import_own(
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
        """Take the file, whose diary it is, and how to go about it."""
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
        """Import, and say in counts what came of it."""
        person, path = _person(options["user"]), options["file"]
        try:
            report = (_own if is_own(path) else _lines)(path, person, options)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}.") from None
        except (NotLines, NotOurs) as error:
            raise CommandError(str(error)) from None
        self._tell(report, is_preview=options["dry_run"])

    def _tell(self, report: Report, *, is_preview: bool) -> None:
        what = "entry" if isinstance(report, OwnReport) else "line"
        for bad in report.bad:
            self.stderr.write(f"{what.capitalize()} {bad.number} {bad.reason.value}.")
        if isinstance(report, OwnReport):
            self._tell_own(report)
        elif not report.good:
            raise CommandError("There is no line in this file that could be imported.")
        for year, count in sorted(report.by_year.items()):
            self.stdout.write(f"{year:04}: {count:,}")
        if report.good:
            self.stdout.write(f"From {report.first} to {report.last}: {report.good:,} entries.")
        if report.bad:
            many = "entries" if isinstance(report, OwnReport) else "lines"
            self.stdout.write(f"{len(report.bad):,} bad {many} are named above.")
        if is_preview:
            self.stdout.write("Nothing was written.")
        else:
            self.stdout.write(f"Imported {report.added:,}; {report.known:,} were there already.")
        if isinstance(report, OwnReport) and report.is_broken:
            raise CommandError(BROKEN.format(seen=report.good + len(report.bad)))

    def _tell_own(self, report: OwnReport) -> None:
        for fault in report.faults:
            self.stderr.write(fault)
        for counts, words in ((report.rows, "With them: {}."), (report.passed_over, "Not taken back: {}.")):
            found = [f"{many:,} {kind.replace('_', ' ')}" for kind, many in sorted(counts.items()) if many]
            if found:
                self.stdout.write(words.format(", ".join(found)))
