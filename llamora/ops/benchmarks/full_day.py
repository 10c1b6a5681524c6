"""Measurements of a day with many entries and replies, and of a month, in a diary of many years."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from llamora.ops.benchmarks.client import BrowserClient
from llamora.ops.benchmarks.figures import BenchmarkReport, Figure, measure_milliseconds, median
from llamora.ops.benchmarks.household import BenchmarkHousehold
from llamora.ops.benchmarks.imports import WORDS

ENTRIES, REPLIES, ROUNDS = 60, 40, 40
DAY = date(1950, 7, 14)  # before any day of the large archive, which goes back `imports.ARCHIVE_DAYS`


def write_day(path: Path) -> None:
    """Write an export of one day: sixty entries of about 590 characters, forty of them with a reply."""
    dawn = datetime.combine(DAY, time(6), tzinfo=UTC)
    entries = [_build_entry(number, dawn + timedelta(minutes=5 * number)) for number in range(ENTRIES)]
    path.write_text(
        json.dumps({"format": "llamora.diary", "version": 1, "entries": entries}), encoding="utf-8"
    )


def _build_entry(number: int, at: datetime) -> dict[str, Any]:
    text = f"Entry {number}. " + (WORDS * 3)[number:][:570]
    replies = [{"kind": "respond", "state": "done", "text": text, "created_at": at.isoformat()}]
    entry = {"day": DAY.isoformat(), "text": text, "created_at": at.isoformat()}
    return entry | {"replies": replies if number < REPLIES else []}


def measure(report: BenchmarkReport, served: BenchmarkHousehold, *, name: str, password: Path) -> None:
    """Import a day of many entries, and add the timings of its page and of its month to the report."""
    file = served.folder / "diary.json"
    write_day(file)
    served.manage("import_diary", str(file), "--user", name, "--password-file", str(password))
    person = BrowserClient(port=served.port, name=name)
    person.sign_in()
    body = person.get(f"/d/{DAY}/").body
    if (body.count('class="entry"'), body.count('class="reply"')) != (ENTRIES, REPLIES):
        raise RuntimeError("The day was not imported whole.")
    plain = median(measure_milliseconds(lambda: person.get("/healthz"), ROUNDS))
    _measure_page(report, person, f"a day of {ENTRIES} entries and {REPLIES} replies", f"/d/{DAY}/", plain)
    _measure_page(report, person, "a month of the calendar", f"/calendar/{DAY:%Y-%m}/", plain)


def _measure_page(report: BenchmarkReport, person: BrowserClient, name: str, path: str, plain: float) -> None:
    if person.get(path).status != 200:
        raise RuntimeError(f"{path} did not answer.")
    duration = median(measure_milliseconds(lambda: person.get(path), ROUNDS))
    report.add(Figure(name=name, value=duration, unit="ms", ratio=duration / plain, baseline="/healthz"))
