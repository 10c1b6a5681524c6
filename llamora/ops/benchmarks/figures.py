"""Figures of measurements, with baselines, and functions that measure."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number.

    `peer` is the same figure of the best comparable program, `ratio` the ratio of this one to the baseline.
    """

    name: str
    value: float
    unit: str
    ratio: float | None = None
    baseline: str = ""
    peer: float | None = None

    def as_line(self) -> str:
        """Return the figure as one line of a table."""
        parts = [f"{self.name:<52}{self.value:>12.4g} {self.unit:<10}"]
        if self.ratio is not None:
            parts.append(f"{self.ratio:.3g} x {self.baseline}")
        if self.peer is not None:
            parts.append(f"(best peer: {self.peer:g})")
        return "  ".join(parts)


@dataclass
class BenchmarkReport:
    """The figures, in the order in which they were measured."""

    figures: list[Figure] = field(default_factory=list)
    write: Callable[[str], None] = print

    def add(self, figure: Figure) -> None:
        """Add a figure and print it at once."""
        self.figures.append(figure)
        self.write(figure.as_line())

    def as_json(self) -> list[dict[str, object]]:
        """Return the figures as plain dicts."""
        return [asdict(figure) for figure in self.figures]


def measure_milliseconds(call: Callable[[], object], times: int) -> list[float]:
    """Call a function `times` times and return the duration of each call, in ms."""
    durations = []
    for _ in range(times):
        with stopwatch() as elapsed:
            call()
        durations.append(elapsed() * 1000)
    return durations


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Yield a function that returns the seconds since the `with` block began.

    After the block, the function returns how long the block took.
    """
    began, ended = time.perf_counter(), 0.0
    try:
        yield lambda: (ended or time.perf_counter()) - began
    finally:
        ended = time.perf_counter()


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, -(-95 * len(ranked) // 100) - 1)]
