"""Measurements of pages and saves before, during and after the calls of fifty programs.

Programs, server and reader share the cores of the machine; the programs have a low priority. A token may be
used a hundred times a minute, and each program calls twice a second: so they call for half a minute, and no
call may be refused with 429. A call that is refused counts as failed.

For the baseline, the same programs call a trivial server, because the programs themselves use the processor.

The cost of a call is the CPU time of all server threads while programs call, minus that of the pages read
meanwhile. So it includes work after the call, such as indexing an entry that a program wrote.
"""

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.conf import settings

from llamora.ops.benchmarks.client import BrowserClient
from llamora.ops.benchmarks.figures import (
    BenchmarkReport,
    Figure,
    measure_milliseconds,
    median,
    p95,
    stopwatch,
)
from llamora.ops.benchmarks.household import BenchmarkHousehold
from llamora.ops.benchmarks.imports import WORDS
from llamora.ops.benchmarks.pages import ORDINARY, OTHER_DAY, expect_status
from llamora.ops.benchmarks.programs import call_process, plain_process

PROGRAMS, SECONDS, ROUNDS = 50, 30.0, 60
_SETTLE_SECONDS = 3.0
_PAUSE, _SAVE_EVERY = 0.1, 5
_TOKEN = re.compile(r"llamora_[0-9a-z_]{86}")


@dataclass
class _Writer:
    """A person who reads today's page and saves an entry now and then; durations in ms."""

    browser: BrowserClient
    day: str
    pages: list[float] = field(default_factory=list)
    saves: list[float] = field(default_factory=list)
    failures: int = 0
    # Of the server, meanwhile, in seconds.
    processor_seconds: float = 0.0
    is_done: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        while not self.is_done.wait(_PAUSE):
            self.pages.append(self._measure("page"))
            if len(self.pages) % _SAVE_EVERY == 0:
                self.saves.append(self._measure("save"))

    def _measure(self, kind: str) -> float:
        with stopwatch() as elapsed:
            try:
                text = f"Entry {len(self.saves)}."
                answer = self.browser.get("/") if kind == "page" else self.browser.save(text, day=self.day)
                self.failures += answer.status != 200
            except OSError:
                self.failures += 1
        return elapsed() * 1000


def measure(
    report: BenchmarkReport,
    served: BenchmarkHousehold,
    *,
    name: str,
    today: date,
    programs: int = PROGRAMS,
    seconds: float = SECONDS,
) -> None:
    """Add to the report the times of pages, of saving and of API calls, while programs call the API.

    `programs` is the number of programs, each with a token (at most the limit for a person).
    """
    person = BrowserClient(port=served.port, name=name)
    person.sign_in()
    read_day, saved_day, programs_day = ((today - OTHER_DAY * number).isoformat() for number in (1, 2, 3))
    _write_diary(person, today=today, read_day=read_day)
    tokens = [_make_token(person, number) for number in range(programs)]
    plain = median(measure_milliseconds(lambda: person.get("/healthz"), ROUNDS))
    with _writing(served, person, saved_day) as before:
        time.sleep(seconds)
    days = (read_day, programs_day)
    with _writing(served, person, saved_day) as beside, _serve_plainly() as plain_port:
        _run_programs(plain_port, tokens, seconds=seconds, days=days)
    with _writing(served, person, saved_day) as during:
        found = _run_programs(served.port, tokens, seconds=seconds, days=days)
    time.sleep(_SETTLE_SECONDS)
    with _writing(served, person, saved_day) as after:
        time.sleep(seconds)
    who = f"{programs} programs call {call_process.CALLS_A_SECOND} times a second"
    _add_pages(report, before, title="before", plain=plain, compared=None)
    _add_pages(report, beside, title=f"{who} another process", plain=plain, compared=before)
    _add_pages(report, during, title=who, plain=plain, compared=before)
    _add_pages(report, after, title="afterwards", plain=plain, compared=before)
    _add_calls(report, found, plain=plain, seconds=seconds)
    _add_processor_time(report, before, during, calls=sum(map(len, found["durations"].values())))


def _write_diary(person: BrowserClient, *, today: date, read_day: str) -> None:
    """Write entries for today and for the day that programs read, and others for their searches to find."""
    days = [(today - OTHER_DAY * 4 - timedelta(days=number)).isoformat() for number in range(40)]
    # The page says whose diary it is.
    person.get("/")
    texts = [(text, day) for day in (today.isoformat(), read_day) for text in ORDINARY]
    for text, day in [*texts, *((f"{number}. {WORDS}", day) for number, day in enumerate(days))]:
        expect_status(person.save(text, day=day), 200)
    # Opens the index, as the first search does.
    person.post("/search/", q="river")


def _make_token(person: BrowserClient, number: int) -> str:
    """Make a token on the page of programs, as a person does, and return its text."""
    fields = {"name": f"program {number}", "kind": "ordinary", "lifetime_days": "30", "writes_own_text": "on"}
    fields["current"] = person.password
    page = expect_status(
        person.submit("/settings/programs/", {**fields, "scopes": ["diary:read", "diary:write"]}), 200
    )
    found = _TOKEN.search(page.body)
    if found is None:
        raise RuntimeError("The page of programs shows no token.")
    return found[0]


@contextmanager
def _writing(served: BenchmarkHousehold, browser: BrowserClient, day: str) -> Iterator[_Writer]:
    writer, used = _Writer(browser, day), served.processor_seconds()
    thread = threading.Thread(target=writer.work)
    thread.start()
    try:
        yield writer
    finally:
        writer.is_done.set()
        thread.join()
        writer.processor_seconds = served.processor_seconds() - used


@contextmanager
def _serve_plainly() -> Iterator[int]:
    """Run the process that answers every call at once; yield its port."""
    command = [sys.executable, "-m", plain_process.__name__]
    with subprocess.Popen(
        command, cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        # Leaving ends its standard input, and waits for it.


def _run_programs(
    port: int, tokens: list[str], *, seconds: float, days: tuple[str, str]
) -> dict[str, dict[str, list[float]]]:
    """Run the programs for `seconds`; return the durations by kind of call, and the errors by kind."""
    command = [sys.executable, "-m", call_process.__name__, str(port), str(seconds), *days]
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, input="\n".join(tokens), capture_output=True, text=True, check=True
    )
    found: dict[str, dict[str, list[float]]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _add_pages(
    report: BenchmarkReport, writer: _Writer, *, title: str, plain: float, compared: _Writer | None
) -> None:
    """Add the figures of a person; their p95 is compared with the previous one, if any."""
    middle = median(writer.pages)
    name = f"today's page of a person who writes, {title}"
    report.add(Figure(name=name, value=middle, unit="ms", ratio=middle / plain, baseline="/healthz"))
    for part, own, others in (
        ("  p95 of those pages", writer.pages, compared and compared.pages),
        ("  p95 of their saves", writer.saves, compared and compared.saves),
    ):
        ratio = p95(own) / p95(others) if others else None
        report.add(Figure(name=part, value=p95(own), unit="ms", ratio=ratio, baseline="before"))
    report.add(Figure(name="  pages and saves that failed", value=writer.failures, unit=""))


def _add_calls(
    report: BenchmarkReport, found: dict[str, dict[str, list[float]]], *, plain: float, seconds: float
) -> None:
    count = sum(len(values) for values in found["durations"].values())
    report.add(Figure(name="calls of programs", value=count / seconds, unit="calls/s"))
    for kind, values in found["durations"].items():
        ratio = median(values) / plain
        report.add(
            Figure(name=f"  {kind}", value=median(values), unit="ms", ratio=ratio, baseline="/healthz")
        )
        report.add(Figure(name="    p95", value=p95(values), unit="ms"))
    errors = sum(found["errors"].values())  # type: ignore[arg-type]  # numbers here
    report.add(Figure(name="  calls that failed", value=errors, unit=f"of {count}"))
    for kind, number in found["errors"].items():
        report.add(Figure(name=f"    {kind}", value=number, unit=""))  # type: ignore[arg-type]  # likewise


def _add_processor_time(report: BenchmarkReport, before: _Writer, during: _Writer, *, calls: int) -> None:
    """Add the CPU time of a call and of a page, which depends little on other work of the machine."""
    page = before.processor_seconds / len(before.pages)
    call = (during.processor_seconds - page * len(during.pages)) / calls
    report.add(
        Figure(
            name="  the server's time for a page, with its part of a save",
            value=page * 1000,
            unit="ms of CPU",
        )
    )
    report.add(
        Figure(
            name="  the server's time for a call",
            value=call * 1000,
            unit="ms of CPU",
            ratio=call / page if page else None,
            baseline="that of a page",
        )
    )
