"""Tests of forty traces on years of a real diary: exact counts, and the speed of pages."""

import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import pytest

from tests.page import read
from tests.people import Resident
from tests.traces.pepys import NAMES, import_with_traces
from traces.models import Trace

ROUNDS = 40


@pytest.fixture
def entries_by_trace(owner: Resident, shared: Path) -> dict[str, set[UUID]]:
    """The entries of each trace, by name."""
    return import_with_traces(owner, shared)


def ids_by_name(owner: Resident) -> dict[str, UUID]:
    with owner.unlocked():
        return {str(trace.name): trace.id for trace in Trace.objects.for_owner(owner.id)}


def list_related(page: str) -> dict[str, int]:
    found = read(page).all(".related-trace")
    return {one.one("bdi").text: int(one.one(".entry-count").text.split()[0]) for one in found}


def test_what_occurs_together_is_what_is_counted_one_by_one(
    owner: Resident, entries_by_trace: dict[str, set[UUID]]
) -> None:
    ids = ids_by_name(owner)
    assert len(ids) == len(NAMES) == 40

    for name in ids:
        counted = {
            other: len(entries_by_trace[name] & entries_by_trace[other])
            for other in entries_by_trace
            if other != name
        }
        page = owner.get(f"/traces/{ids[name]}/").content.decode()
        assert list_related(page) == {other: count for other, count in counted.items() if count}
        assert f"{len(entries_by_trace[name])} entries, the first on" in page
    for pair in random.Random(4).sample(list(combinations(ids, 2)), 12):
        both = entries_by_trace[pair[0]] & entries_by_trace[pair[1]]
        page = owner.get(f"/traces/{ids[pair[0]]}/with/{ids[pair[1]]}/").content.decode()
        counted = {
            other: len(both & entries_by_trace[other]) for other in entries_by_trace if other not in pair
        }
        assert list_related(page) == {other: count for other, count in counted.items() if count}
        assert f"{len(both)} entr" in page or not both


def test_the_pictures_table_holds_the_same_counts(
    owner: Resident, entries_by_trace: dict[str, set[UUID]]
) -> None:
    page = owner.get("/traces/picture/").content.decode()

    pairs = Counter(
        {
            frozenset((a, b)): len(entries_by_trace[a] & entries_by_trace[b])
            for a, b in combinations(entries_by_trace, 2)
        }
    )
    rows = {row.one("th bdi").text: row.all("td") for row in read(page).all("tr") if row.has("th bdi")}
    assert {name: int(count.text) for name, (count, _) in rows.items()} == {
        name: len(entries) for name, entries in entries_by_trace.items()
    }
    for name, (_, beside) in rows.items():
        others = beside.texts("bdi")
        counts = re.findall(r"\d+", beside.without("bdi").text)
        for other, count in zip(others, counts, strict=True):
            assert int(count) == pairs[frozenset((name, other))]


def measure_page(owner: Resident, path: str) -> Iterator[tuple[float, float]]:
    """Yield the milliseconds of each round, as wall time and as CPU time of this thread."""
    for _ in range(ROUNDS):
        wall, own = time.perf_counter(), time.thread_time()
        answer: Any = owner.get(path)
        assert answer.status_code == 200
        yield (time.perf_counter() - wall) * 1000, (time.thread_time() - own) * 1000


@pytest.mark.slow
def test_how_long_pages_take(
    owner: Resident, entries_by_trace: dict[str, set[UUID]], capsys: pytest.CaptureFixture[str]
) -> None:
    ids = ids_by_name(owner)
    by_count = sorted(entries_by_trace, key=lambda name: len(entries_by_trace[name]))
    often, middle = ids[by_count[-1]], ids[by_count[len(by_count) // 2]]
    paths = {
        "index": "/traces/",
        "detail, most kept": f"/traces/{often}/",
        "detail, middling": f"/traces/{middle}/",
        "both": f"/traces/{often}/with/{middle}/",
        "picture": "/traces/picture/",
    }

    for name, path in paths.items():
        list(measure_page(owner, path))
        wall, own = zip(*measure_page(owner, path), strict=True)
        with capsys.disabled():
            print(f"{name:20} {median(wall):6.1f} ms by the clock, {median(own):6.1f} ms of its own thread")
