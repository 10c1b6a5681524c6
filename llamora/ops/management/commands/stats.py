"""`manage.py stats`: counts for each person, and sizes of files."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from llamora.database import condition
from llamora.ops import statistics
from llamora.pluralize import pluralize


class Command(BaseCommand):
    """The command that prints counts of each person's entries and values, but no text."""

    help = (
        "Count the entries, days, replies and encrypted bytes of each person, and the sizes of the files. "
        "Works without anyone's password: these numbers are not encrypted. Refuses if Llamora is not set up."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the counts and sizes."""
        try:
            people = list(statistics.iter_diary_statistics())
        except DatabaseError as error:
            raise CommandError(condition.describe_database_error(error)) from None
        for person in people:
            days = f", from {person.first} to {person.last}" if person.entries else ""
            self.stdout.write(
                f"{person.name}: {pluralize(person.entries, 'entry', 'entries')} "
                f"on {pluralize(person.days, 'day', 'days')}{days}; "
                f"{person.in_bin:,} in the bin, {pluralize(person.drafts, 'draft', 'drafts')}, "
                f"{pluralize(person.replies, 'reply', 'replies')}; "
                f"{pluralize(person.sealed_values, 'encrypted value', 'encrypted values')}, "
                f"{_format_size(person.sealed_bytes)}; "
                f"key version {person.epoch}, {pluralize(person.sign_ins, 'browser', 'browsers')} signed in."
            )
        for subject, size in statistics.iter_file_sizes():
            self.stdout.write(f"{subject}: {_format_size(size)}.")


def _format_size(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"
