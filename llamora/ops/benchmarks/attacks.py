"""Measurements of one person's pages and sign-ins while a few addresses flood the server."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from django.conf import settings

from llamora.ops.benchmarks.client import BrowserClient
from llamora.ops.benchmarks.figures import (
    BenchmarkReport,
    Figure,
    median,
    p95,
    stopwatch,
)
from llamora.ops.benchmarks.household import BenchmarkHousehold

GUESSERS, SIGN_INS, SECONDS = 48, 8, 10.0
_PAUSE = 0.05


@dataclass
class _Reader:
    """A person who requests today's page repeatedly, with the duration of each page in ms."""

    browser: BrowserClient
    durations: list[float] = field(default_factory=list)
    failures: int = 0
    is_done: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        while not self.is_done.wait(_PAUSE):
            with stopwatch() as elapsed:
                try:
                    status = self.browser.get("/").status
                except OSError:
                    status = 0
            self.durations.append(elapsed() * 1000)
            self.failures += status != 200


@dataclass
class SignIns:
    """Results of one person's sign-ins from unknown browsers: durations in seconds, and number refused."""

    durations: list[float] = field(default_factory=list)
    refused: int = 0

    def add_to(self, report: BenchmarkReport, *, occasion: str, usual: float) -> None:
        """Add to the report the number of refused sign-ins and the duration of the longest sign-in."""
        count, longest = len(self.durations), max(self.durations)
        report.add(
            Figure(name=f"sign-ins refused of {count}, {occasion}", value=self.refused, unit="sign-ins")
        )
        report.add(
            Figure(
                name="  longest of them",
                value=longest,
                unit="s",
                ratio=longest / usual,
                baseline="sign-in",
                peer=2,
            )
        )


def sign_in_afresh(person: BrowserClient, network: str, *, times: int = SIGN_INS) -> SignIns:
    """Sign in several times, each from a new browser and a new address of `network`."""
    sign_ins = SignIns()
    for number in range(times):
        fresh = _build_browser(person, f"{network}.{number + 1}")
        with stopwatch() as elapsed:
            sign_ins.refused += fresh.sign_in().status != 302
        sign_ins.durations.append(elapsed())
        fresh.close()
    return sign_ins


def measure(report: BenchmarkReport, served: BenchmarkHousehold, *, name: str) -> None:
    """Measure one person's pages and sign-ins with and without attacks, and add the figures to the report.

    The two attacks are slow connections, and guesses of names from many addresses.
    """
    person = BrowserClient(port=served.port, name=name, source_address="127.90.0.1")
    person.sign_in()
    usual = _measure_quiet(report, person)
    _measure_held_connections(report, served, person)
    _measure_guesses(report, served, person, usual=usual)


def _measure_quiet(report: BenchmarkReport, person: BrowserClient) -> float:
    """Add the figures of a server that nobody attacks; return the median duration of a sign-in in seconds."""
    with _reading(person) as reader:
        usual = median(sign_in_afresh(person, "127.90.3", times=3).durations)
    report.add(Figure(name="sign-in, nobody attacks", value=usual, unit="s"))
    _add_pages(report, reader)
    return usual


def _build_browser(person: BrowserClient, source_address: str) -> BrowserClient:
    """Return a browser of the same person that the server has not seen before, without cookies."""
    return replace(person, cookies={}, source_address=source_address, local=threading.local())


def _measure_guesses(
    report: BenchmarkReport, served: BenchmarkHousehold, person: BrowserClient, *, usual: float
) -> None:
    before = served.settled_memory_mib()
    with _reading(person) as reader, _attack("guess", served, str(GUESSERS)):
        sign_ins = sign_in_afresh(person, "127.90.1")
        during = served.memory_mib()
    after = served.settled_memory_mib()
    sign_ins.add_to(report, occasion=f"while {GUESSERS} addresses guess names", usual=usual)
    _add_pages(report, reader)
    report.add(Figure(name="  memory more than before, meanwhile", value=during - before, unit="MiB"))
    report.add(Figure(name="  and afterwards", value=after - before, unit="MiB"))


def _measure_held_connections(
    report: BenchmarkReport, served: BenchmarkHousehold, person: BrowserClient
) -> None:
    before = served.settled_memory_mib()
    with _reading(person) as reader, _attack("hold", served):
        fresh = _build_browser(person, "127.90.2.1")
        with stopwatch() as elapsed:
            is_refused = fresh.sign_in().status != 302
        took = elapsed()
        time.sleep(SECONDS)
        during = served.memory_mib()
    after = served.settled_memory_mib()
    what = "while 60 half-sent bodies and 250 slow connections are held"
    report.add(Figure(name=f"sign-in {what}", value=took, unit="refused" if is_refused else "s"))
    _add_pages(report, reader)
    report.add(Figure(name="  memory more than before, meanwhile", value=during - before, unit="MiB"))
    report.add(Figure(name="  and afterwards", value=after - before, unit="MiB"))


def _add_pages(report: BenchmarkReport, reader: _Reader) -> None:
    report.add(Figure(name="  p95 of another's page", value=p95(reader.durations), unit="ms"))
    report.add(Figure(name="  pages refused", value=reader.failures, unit=f"of {len(reader.durations)}"))


@contextmanager
def _reading(browser: BrowserClient) -> Iterator[_Reader]:
    reader = _Reader(browser)
    thread = threading.Thread(target=reader.read)
    thread.start()
    try:
        yield reader
    finally:
        reader.is_done.set()
        thread.join()


@contextmanager
def _attack(kind: str, served: BenchmarkHousehold, *more: str) -> Iterator[None]:
    command = [sys.executable, "-m", "llamora.ops.benchmarks.attack_process", kind, str(served.port), *more]
    with subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield
        finally:
            process.kill()
