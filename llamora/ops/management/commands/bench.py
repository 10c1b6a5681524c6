"""`manage.py bench`: measurements of Llamora on this machine."""

import json
import tempfile
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from llamora.ops.benchmarks import (
    attacks,
    dates,
    full_day,
    hostile_days,
    imports,
    keys,
    pages,
    sealing,
    search,
    streams,
)
from llamora.ops.benchmarks.client import BrowserClient
from llamora.ops.benchmarks.facts import served as served_facts
from llamora.ops.benchmarks.figures import BenchmarkReport, Figure
from llamora.ops.benchmarks.household import serve_household
from llamora.ops.benchmarks.programs import calls
from llamora.ops.benchmarks.programs import imports as program_imports

GROUPS = (
    "sealing",
    "dates",
    "pages",
    "imports",
    "rotation",
    "tokens",
    "api",
    "search",
    "facts",
    "streams",
    "attacks",
    "hostile",
)
TOKENS, STEADY_TOKENS, STEADY_RATE, PEOPLE = 2000, 250, 50, 16


class Command(BaseCommand):
    """The command that measures speed in a temporary household, and leaves the real one alone."""

    help = (
        "Measure how quick Llamora is on this machine: encryption, finding dates, pages, saving, signing "
        "in, imports, key changes, search, facts, replies, and pages beside fifty programs, under attack or "
        "beside days made to be slow. Uses a temporary household and never touches your data. Prints "
        "medians, and for comparison some figures of a simple program and of the best similar project. "
        "Measuring replies needs the development packages."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: the figures to measure, and the file to write them to."""
        parser.add_argument("--json", type=Path, help="also write the figures to this JSON file")
        parser.add_argument(
            "--only",
            choices=GROUPS,
            action="append",
            help="measure only this group; can be given several times",
        )
        parser.add_argument(
            "--entries", type=int, default=50_000, help="number of entries in the large generated diary"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, print the figures, and write them to a file if one is given."""
        if options["json"]:
            # It takes minutes until there are figures: a wrong path is refused before.
            options["json"].touch()
        report = BenchmarkReport(write=self.stdout.write)
        groups = options["only"] or list(GROUPS)
        if "sealing" in groups:
            sealing.measure(report)
        if "dates" in groups:
            dates.measure(report)
        if {"pages", "imports"} & set(groups):
            self._measure_household(report, entries=options["entries"], with_pages="pages" in groups)
        if "rotation" in groups:
            keys.measure_rotation(report, entries=options["entries"])
        # Those of programs have them too.
        if "tokens" in groups and "api" not in groups:
            keys.measure_tokens(report)
        if "api" in groups:
            self._measure_programs(report)
        if "search" in groups:
            search.measure(report, entries=options["entries"])
        if "facts" in groups:
            search.measure_facts(report, entries=options["entries"])
            served_facts.measure(report, numbers=search.list_fact_counts(options["entries"]))
        if "streams" in groups:
            self._measure_streams(report, tokens=TOKENS, rate=0)
            self._measure_streams(report, tokens=STEADY_TOKENS, rate=STEADY_RATE)
        if "attacks" in groups:
            self._measure_attacks(report)
        if "hostile" in groups:
            self._measure_hostile_days(report)
        if options["json"]:
            options["json"].write_text(json.dumps(report.as_json(), indent=2) + "\n")

    def _measure_household(self, report: BenchmarkReport, *, entries: int, with_pages: bool) -> None:
        today = datetime.now(UTC).date()
        with tempfile.TemporaryDirectory(prefix="llamora-bench-") as folder:
            with serve_household(Path(folder), "--no-model"):
                pass  # the first start makes everything; the figure is that of an ordinary one
            with serve_household(Path(folder), "--no-model") as served:
                report.add(
                    Figure(name="start to first page", value=served.seconds_to_answer, unit="s", peer=1.35)
                )
                report.add(Figure(name="memory after start", value=served.memory_mib(), unit="MiB", peer=280))
                BrowserClient(port=served.port).register("anna", set_up=served.set_up)
                if with_pages:
                    pages.measure(report, served, name="anna", today=today)
                imports.measure(report, served, name="anna", entries=entries, ends=today)
                if with_pages:
                    pages.measure_large_diary(report, served, name="anna", entries=entries)
                    full_day.measure(report, served, name="anna", password=Path(folder) / "password")

    def _measure_programs(self, report: BenchmarkReport) -> None:
        with (
            tempfile.TemporaryDirectory(prefix="llamora-bench-") as folder,
            serve_household(Path(folder), "--no-model") as served,
        ):
            BrowserClient(port=served.port).register("anna", set_up=served.set_up)
            calls.measure(report, served, name="anna", today=datetime.now(UTC).date())
        keys.measure_tokens(report)
        program_imports.measure(report)

    def _measure_attacks(self, report: BenchmarkReport) -> None:
        with (
            tempfile.TemporaryDirectory(prefix="llamora-bench-") as folder,
            serve_household(Path(folder), "--no-model") as served,
        ):
            BrowserClient(port=served.port).register("anna", set_up=served.set_up)
            attacks.measure(report, served, name="anna")

    def _measure_hostile_days(self, report: BenchmarkReport) -> None:
        with (
            tempfile.TemporaryDirectory(prefix="llamora-bench-") as folder,
            serve_household(Path(folder), "--no-model") as served,
        ):
            hostile_days.measure(report, served, today=datetime.now(UTC).date())

    def _measure_streams(self, report: BenchmarkReport, *, tokens: int, rate: float) -> None:
        today = datetime.now(UTC).date()
        with (
            tempfile.TemporaryDirectory(prefix="llamora-bench-") as folder,
            streams.serve_scripted_model(tokens=tokens, rate=rate) as port,
            serve_household(
                Path(folder),
                LLAMORA_MODEL_URL=f"http://127.0.0.1:{port}",
                LLAMORA_MODEL_PARALLEL=str(PEOPLE),
                LLAMORA_MODEL_REPLY_TOKENS=str(tokens),
            ) as served,
        ):
            browsers = [BrowserClient(port=served.port) for _ in range(PEOPLE)]
            for number, browser in enumerate(browsers):
                browser.register(f"person {number}", set_up="" if number else served.set_up)
            streams.measure(report, served, browsers, port=port, tokens=tokens, rate=rate, today=today)
