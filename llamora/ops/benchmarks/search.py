"""Measurements of search in diaries of several sizes, each in its own household."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from llamora.ops.benchmarks.figures import BenchmarkReport, Figure
from llamora.ops.benchmarks.household import serve_household

# The best peer's figures at 50,000 entries, of those that a person notices.
_PEERS = {"planted phrases first, of 200": 28, "every kind, p95": 413}


def list_diary_sizes(entries: int) -> list[int]:
    """Return four numbers of entries, for diaries to measure, from `entries` / 50 to 2 * `entries`.

    They are `entries` / 50 and `entries` / 5, each at least 200, then `entries` and twice `entries`.
    """
    return [max(200, entries // 50), max(200, entries // 5), entries, 2 * entries]


def measure(report: BenchmarkReport, *, entries: int) -> None:
    """Add to the report the figures of search in diaries of several sizes, up to twice `entries`."""
    for size in list_diary_sizes(entries):
        with tempfile.TemporaryDirectory(prefix="llamora-bench-") as folder:
            with serve_household(Path(folder), "--no-model") as served:
                environment = dict(served.environment)
            for figure in _run_benchmark(environment, size):
                peer = _PEERS.get(figure["name"]) if size == entries else None
                name = f"search {size:,}: {figure['name']}"
                report.add(Figure(**{**figure, "name": name}, peer=peer))


def list_fact_counts(entries: int) -> list[int]:
    """Return two numbers of facts, for diaries to measure: a fifth of `entries`, and twice `entries`.

    The first is at least 200, and the second at least 400.
    """
    return [max(200, entries // 5), max(400, 2 * entries)]


def measure_facts(report: BenchmarkReport, *, entries: int) -> None:
    """Add to the report the figures of search in two diaries with few entries and many facts.

    Each diary has a tenth of `entries` entries, at least 200. `list_fact_counts` gives the numbers of facts.
    """
    for facts in list_fact_counts(entries):
        with tempfile.TemporaryDirectory(prefix="llamora-bench-") as folder:
            with serve_household(Path(folder), "--no-model") as served:
                environment = dict(served.environment)
            for figure in _run_benchmark(environment, max(200, entries // 10), "--facts", str(facts)):
                report.add(Figure(**{**figure, "name": f"{facts:,} facts: {figure['name']}"}))


def _run_benchmark(environment: dict[str, str], entries: int, *options: str) -> Iterator[dict[str, Any]]:
    """Run `bench_search` in a process and yield its figures as it prints them."""
    command = [sys.executable, "manage.py", "bench_search", "--entries", str(entries), *options, "--json"]
    with subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout or ():
            yield json.loads(line)
    if process.returncode:
        raise RuntimeError(f"bench_search ended with {process.returncode}.")
