"""`manage.py bench_search`: benchmarks of search. The command `bench` runs it in a temporary household."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from search import messages
from search.benchmarks import measure
from search.management.fact_benchmarks import measure_facts


class Command(BaseCommand):
    """Command that measures search with the generated diary of a temporary person."""

    help = (
        "Measure how quick search is in a generated diary: from unlock to the first result, each kind of "
        "query, and memory. Creates a temporary person in this household's database and deletes them "
        "afterwards. Never touches another diary. Refuses fewer than 200 entries."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the number of entries and the output format."""
        parser.add_argument(
            "--entries", type=int, default=10_000, help="number of entries in the generated diary"
        )
        parser.add_argument("--facts", type=int, default=0, help="measure facts instead, so many of them")
        parser.add_argument("--json", action="store_true", help="print each figure as a line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the benchmarks, and print each figure."""
        if options["entries"] < 200:
            raise CommandError(messages.TOO_FEW_ENTRIES)
        figures = (
            measure_facts(entries=options["entries"], facts=options["facts"])
            if options["facts"] > 0
            else measure(options["entries"])
        )
        for figure in figures:
            shown = f"{figure.name:<44}{figure.value:>10.4g} {figure.unit}"
            self.stdout.write(json.dumps(asdict(figure)) if options["json"] else shown)
            self.stdout.flush()
