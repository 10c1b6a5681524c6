"""Measurements of one person's pages and sign-ins while another saves texts that are costly to render.

Hostile days are days with such texts; the other person opens them, too.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from types import MappingProxyType
from typing import Final

from llamora.ops.benchmarks.attacks import sign_in_afresh
from llamora.ops.benchmarks.client import BrowserClient
from llamora.ops.benchmarks.figures import BenchmarkReport, Figure, measure_milliseconds, median, p95
from llamora.ops.benchmarks.household import BenchmarkHousehold
from llamora.ops.benchmarks.pages import ORDINARY, expect_status, read_pages_alongside

ENTRIES, LENGTH, ROUNDS, QUIET_SECONDS = 12, 99_000, 5, 3.0
# A day on which nobody wrote.
QUIET_DAY: Final = date(2001, 1, 1)
_HEAD = "a|" * 12_000 + "\n" + "-|" * 12_000 + "\n"
_ROWS = "a|" * 63 + "\n" + "-|" * 63 + "\n" + "|\n" * 300 + "\n"
TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "wide tables": _HEAD + "|\n" * (LENGTH // 2),
        "many tables": _ROWS * (LENGTH // len(_ROWS) + 1),
        "marks": ("*[" * 700 + "\n\n") * (LENGTH // 1402),
        "lists": "- *a*\n" * (LENGTH // 6),
    }
)


def measure(report: BenchmarkReport, served: BenchmarkHousehold, *, today: date) -> None:
    """Add to the report how long one person waits while another opens days that are costly to render.

    Also add the memory that these days take.
    """
    writer, reader = BrowserClient(port=served.port), BrowserClient(port=served.port)
    writer.register("writer", set_up=served.set_up)
    reader.register("reader")
    for text in ORDINARY:
        expect_status(reader.save(text, day=today.isoformat()), 200)
    writer.get("/")
    with read_pages_alongside(served, "reader") as waits:
        time.sleep(QUIET_SECONDS)
    quiet = p95(waits)
    days = {name: today - timedelta(days=40 + number) for number, name in enumerate(TEXTS)}
    with read_pages_alongside(served, "reader") as waits:
        for name, day in days.items():
            for number in range(ENTRIES):
                text = f"{number}\n\n{TEXTS[name]}"[:LENGTH]
                expect_status(writer.save(text, day=day.isoformat()), 200)
    _add_waits(report, waits, quiet, "hostile entries are saved")
    openings: list[float] = []
    before = served.settled_memory_mib()
    with read_pages_alongside(served, "reader") as waits:
        for _ in range(ROUNDS):
            for day in days.values():
                openings += measure_milliseconds(partial(_open, writer, day), 1)
    _add_waits(report, waits, quiet, "hostile days are opened")
    report.add(Figure(name="a hostile day, at first", value=max(openings[: len(days)]), unit="ms"))
    report.add(Figure(name="a hostile day, again", value=median(openings[len(days) :]), unit="ms"))
    usual = median(sign_in_afresh(reader, "127.91.1", times=3).durations)
    with _opening_afresh(writer, list(days.values())) as opened:
        sign_ins = sign_in_afresh(reader, "127.91.2")
    sign_ins.add_to(report, occasion="while hostile days are opened", usual=usual)
    report.add(Figure(name="  hostile days opened meanwhile, at first", value=opened[0], unit="days"))
    _add_memory(report, served, writer, before=before)


def _add_memory(
    report: BenchmarkReport, served: BenchmarkHousehold, writer: BrowserClient, *, before: float
) -> None:
    """Add the memory that is not released: with the hostile days opened, after a lock, and after an unlock.

    After the unlock, the index of the same texts is in memory, but no hostile day was opened. So the first
    figure minus the last is what opening the days leaves in memory.
    """
    opened = served.settled_memory_mib()
    expect_status(writer.post("/lock/"), 302)
    locked = served.settled_memory_mib()
    expect_status(writer.sign_in(), 302)
    _open(writer, QUIET_DAY)
    unlocked = served.settled_memory_mib()
    for name, value in (
        ("memory after hostile days were opened", opened - before),
        ("  and after their diary was locked", locked - before),
        ("  and unlocked again, with no such day opened", unlocked - before),
    ):
        report.add(Figure(name=name, value=value, unit="MiB"))
    left = Figure(name="  left by the days alone", value=opened - unlocked, unit="MiB")
    report.add(left)


@contextmanager
def _opening_afresh(writer: BrowserClient, days: list[date]) -> Iterator[list[int]]:
    """Open the days repeatedly during the `with` block; yield a list with the number of days opened so far.

    The diary is locked before each round, so that its texts are formatted again and not read from a cache.
    """
    opened, is_done = [0], threading.Event()

    def open_days() -> None:
        while not is_done.is_set():
            expect_status(writer.post("/lock/"), 302)
            expect_status(writer.sign_in(), 302)
            for day in days:
                _open(writer, day)
                opened[0] += 1

    thread = threading.Thread(target=open_days)
    thread.start()
    try:
        yield opened
    finally:
        is_done.set()
        thread.join()


def _open(writer: BrowserClient, day: date) -> None:
    expect_status(writer.get(f"/d/{day}/"), 200)


def _add_waits(report: BenchmarkReport, waits: list[float], quiet: float, occasion: str) -> None:
    report.add(
        Figure(
            name=f"p95 of another's page while {occasion}",
            value=p95(waits),
            unit="ms",
            ratio=p95(waits) / quiet,
            baseline="while nobody else is there",
            peer=150,
        )
    )
    report.add(Figure(name=f"longest of those, of {len(waits)}", value=max(waits), unit="ms"))
