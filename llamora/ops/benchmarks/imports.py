"""Measurements of `import_diary`, and creation of the archive with which pages are measured."""

import json
from datetime import date, timedelta
from pathlib import Path

from llamora.ops.benchmarks.client import PASSWORD
from llamora.ops.benchmarks.figures import BenchmarkReport, Figure, stopwatch
from llamora.ops.benchmarks.household import BenchmarkHousehold

ARCHIVE_DAYS = 20_000
WORDS = (
    "walked to the river and back before the rain came; tea with the neighbours, then letters until dark. "
    "The boy is better. Bread, lamp oil, two candles. I must write to my sister about the winter. "
)


def write_archive(path: Path, *, entries: int, ends: date) -> None:
    """Write a diary of `entries` entries, about 590 characters each, one per day, the last on `ends`."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(entries):
            text = f"Entry {number}. " + (WORDS * 3)[number % 97 : number % 97 + 570]
            day = ends - timedelta(days=number % ARCHIVE_DAYS)
            file.write(json.dumps({"date": day.isoformat(), "text": text}) + "\n")


def measure(
    report: BenchmarkReport, served: BenchmarkHousehold, *, name: str, entries: int, ends: date
) -> None:
    """Import an archive for `name` and add the rate, without the command's start-up time."""
    archive, password = served.folder / f"archive-{entries}.jsonl", served.folder / "password"
    write_archive(archive, entries=entries, ends=ends)
    password.write_text(PASSWORD)
    password.chmod(0o600)
    command = ("import_diary", str(archive), "--user", name, "--password-file", str(password))
    with stopwatch() as start_up:
        served.manage(*command, "--dry-run")
    with stopwatch() as elapsed:
        printed = served.manage(*command)
    if str(entries) not in printed.replace(",", ""):
        raise RuntimeError("The import did not report every entry.")
    report.add(Figure(name=f"import {entries:,} entries", value=entries / elapsed(), unit="entries/s"))
    report.add(Figure(name="  of which start-up, reading and key", value=start_up(), unit="s"))
