"""Counts what there is, person by person."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from llamora.counted import counted
from llamora.management import counting


class Command(BaseCommand):
    """Says how much there is, and nothing of what it is."""

    help = (
        "Say how much there is: for each person entries, days, replies and sealed bytes, and for the "
        "household the sizes of its files. Needs nobody's key; what it says shows without one anyway. "
        "Refuses where there is no household."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, and say it."""
        try:
            people = list(counting.people())
        except DatabaseError:
            raise CommandError("There is no household here yet. Run manage.py up first.") from None
        for person in people:
            days = f", from {person.first} to {person.last}" if person.entries else ""
            self.stdout.write(
                f"{person.name}: {counted(person.entries, 'entry', 'entries')} "
                f"on {counted(person.days, 'day', 'days')}{days}; "
                f"{person.in_bin:,} in the bin, {counted(person.drafts, 'draft', 'drafts')}, "
                f"{counted(person.replies, 'reply', 'replies')}; "
                f"{counted(person.sealed_values, 'sealed value', 'sealed values')}, "
                f"{_size(person.sealed_bytes)}; "
                f"epoch {person.epoch}, {counted(person.sign_ins, 'browser', 'browsers')} signed in."
            )
        for subject, size in counting.files():
            self.stdout.write(f"{subject}: {_size(size)}.")


def _size(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"
