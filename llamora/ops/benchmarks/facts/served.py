"""Measurements of pages and calls of a person with many facts: list, typing, search, export, unlock.

Related-entry search is off: its model would embed the new facts for minutes, beside everything measured.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from llamora.ops.benchmarks.client import BrowserClient, BrowserResponse
from llamora.ops.benchmarks.figures import (
    BenchmarkReport,
    Figure,
    measure_milliseconds,
    median,
    p95,
    stopwatch,
)
from llamora.ops.benchmarks.household import BenchmarkHousehold, serve_household
from llamora.ops.benchmarks.pages import expect_status

_PROCESS: Final = "llamora.ops.benchmarks.facts.fact_process"
_NAME: Final = "anna"
_WORDS: Final = ("river", "garden", "bicycle", "orchard", "mother", "works", "allergic", "bridge")
_TOKEN: Final = re.compile(r"llamora_[0-9a-z_]{86}")
_ROUNDS, _UNLOCKS, _EXPORTS = 40, 7, 15
# Of more facts than these, few exports are measured.
_MANY, _FEW_EXPORTS = 20_000, 3
_OPENING: Final = 'id="facts-opening"'
_INDEX_OPENING: Final = "data-index-opening"
_PATIENCE_SECONDS: Final = 120


def measure(report: BenchmarkReport, *, numbers: Iterable[int]) -> None:
    """Create one household for each number of facts in `numbers`; add its figures to the report.

    Each number is 200 or more.
    """
    for number in numbers:
        with tempfile.TemporaryDirectory(prefix="llamora-bench-") as folder:
            with serve_household(Path(folder), "--no-model", LLAMORA_SEARCH_MODEL="off") as served:
                _measure_served(report, served, number)
                environment = dict(served.environment)
            for figure in _run_process(environment, "measure"):
                report.add(Figure(**{**figure, "name": f"{number:,} facts: {figure['name']}"}))


@dataclass(kw_only=True)
class _Figures:
    """The figures of one number of facts, with the ratio of each to a request for /healthz."""

    report: BenchmarkReport
    number: int
    plain: float = 0.0
    baseline: str = "/healthz"

    def add(self, name: str, values: list[float]) -> None:
        """Add the median and the 95th percentile of some durations in ms."""
        middle, name = median(values), f"{self.number:,} facts: {name}"
        ratio = middle / self.plain
        self.report.add(Figure(name=name, value=middle, unit="ms", ratio=ratio, baseline=self.baseline))
        self.report.add(Figure(name=f"{name}, p95", value=p95(values), unit="ms"))


def _measure_served(report: BenchmarkReport, served: BenchmarkHousehold, number: int) -> None:
    person = BrowserClient(port=served.port)
    person.register(_NAME, set_up=served.set_up)
    without = _measure_unlocks(person)
    for _ in _run_process(served.environment, "write", str(number)):
        pass
    # The first unlock indexes the facts.
    _unlock(person)
    _wait_until(lambda: "<mark" in _search(person, "river in:facts").body)
    unlocks = _Figures(report=report, number=number, plain=median(without), baseline="without facts")
    unlocks.add("unlock and search by words", _measure_unlocks(person))
    _wait_until_listed(person)
    plain = median(measure_milliseconds(lambda: person.get("/healthz"), _ROUNDS))
    figures = _Figures(report=report, number=number, plain=plain)
    figures.add(
        "list of facts", measure_milliseconds(lambda: expect_status(person.get("/facts/"), 200), _ROUNDS)
    )
    typed = [word[:length] for word in _WORDS for length in range(1, len(word) + 1)]
    figures.add("typing in the list", [_time_post(person, "/facts/", typed=each) for each in typed])
    figures.add("typing in search", [_type_in_search(person, each) for each in typed])
    program = _Program(served.port, _make_token(person, "facts:read"))
    figures.add("search by a program", [program.search(each) for each in typed])
    program = _Program(served.port, _make_token(person, "export", "facts:read"))
    rounds = _EXPORTS if number <= _MANY else _FEW_EXPORTS
    figures.add("export by a program", [program.export() for _ in range(rounds)])


def _time_post(person: BrowserClient, path: str, **fields: str) -> float:
    (taken,) = measure_milliseconds(lambda: expect_status(person.post(path, script=True, **fields), 200), 1)
    return taken


def _measure_unlocks(person: BrowserClient) -> list[float]:
    """Return the durations from an unlock to the results of a first search, in ms.

    The first is left out: the index of new facts may not have been saved before its lock.
    """
    durations: list[float] = []
    for _ in range(1 + _UNLOCKS):
        _wait_until_listed(person)
        expect_status(person.post("/lock/"), 302)
        durations += measure_milliseconds(lambda: _unlock(person), 1)
    return durations[1:]


def _unlock(person: BrowserClient) -> None:
    """Unlock, and search until the index is open."""
    expect_status(person.post("/unlock/", password=person.password), 302)
    _wait_until(lambda: _INDEX_OPENING not in _search(person, "river").body, pause=0.0)


def _search(person: BrowserClient, words: str) -> BrowserResponse:
    return expect_status(person.post("/search/", script=True, q=words), 200)


def _type_in_search(person: BrowserClient, words: str) -> float:
    with stopwatch() as elapsed:
        answer = _search(person, f"{words} in:facts")
    if _INDEX_OPENING in answer.body:
        raise RuntimeError("The index was not open.")
    return elapsed() * 1000


def _wait_until_listed(person: BrowserClient) -> None:
    _wait_until(lambda: _OPENING not in expect_status(person.get("/facts/"), 200).body)


def _wait_until(is_done: Callable[[], bool], *, pause: float = 0.1) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_done():
        if time.monotonic() > deadline:
            raise TimeoutError("The facts or their index were not opened.")
        time.sleep(pause)


def _make_token(person: BrowserClient, *scopes: str) -> str:
    """Make a token on the page of programs, as a person does, and return its text."""
    fields = {"name": scopes[0], "kind": "ordinary", "lifetime_days": "30", "current": person.password}
    page = expect_status(person.submit("/settings/programs/", {**fields, "scopes": list(scopes)}), 200)
    found = _TOKEN.search(page.body)
    if found is None:
        raise RuntimeError("The page of programs shows no token.")
    return found[0]


class _Program:
    """A program with a token, and the durations of its calls in ms, until the answer is read."""

    def __init__(self, port: int, token: str) -> None:
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)

    def search(self, words: str) -> float:
        """Search for facts."""
        return self._time("POST", "/api/v1/memory/search", json.dumps({"query": words}))

    def export(self) -> float:
        """Export all facts."""
        return self._time("GET", "/api/v1/memory/export", None)

    def _time(self, method: str, path: str, body: str | None) -> float:
        with stopwatch() as elapsed:
            self._connection.request(method, path, body, self._headers)
            answer = self._connection.getresponse()
            answer.read()
        if answer.status != 200:
            raise RuntimeError(f"A call answered {answer.status}.")
        return elapsed() * 1000


def _run_process(environment: Mapping[str, str], *arguments: str) -> Iterator[dict[str, Any]]:
    """Run the process of the facts in a household, and yield its figures as it prints them."""
    command = [sys.executable, "-m", _PROCESS, arguments[0], _NAME, *arguments[1:]]
    with subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env={**environment, "DJANGO_SETTINGS_MODULE": "llamora.settings"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        for line in process.stdout or ():
            yield json.loads(line)
    if process.returncode:
        raise RuntimeError(f"The measurement of facts ended with {process.returncode}.")
