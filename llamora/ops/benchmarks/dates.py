"""Measurements of finding time expressions in a text, in CPU time, against a search for a plain pattern."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from llamora.dates import LANGUAGES, scan
from llamora.ops.benchmarks.figures import BenchmarkReport, Figure, median

ROUNDS = 7
# About as many expressions as a day of a diary has; every paragraph is a different text.
_PARAGRAPH = (
    "Up betimes and at the office all the morning, where we sat till noon. My wife and I walked to the "
    "market on Tuesday, and bought {number} yards of cloth from the same man as last summer; he says "
    "the price will go up again in two weeks. I read a little, wrote letters to my brother and to "
    "cousin Roger, and thought about what my father told me, that nothing is ever finished, only put "
    "down. The rain came through the roof of the kitchen. We had a good dinner, a dish of marrow bones "
    "and a leg of mutton, and so to bed at half past ten. "
)
_PLAIN = re.compile(
    r"\b(?:\d{1,4}|yesterday|today|tomorrow|\w+day|January|May|June|December|week|month|year)\b"
)


def measure(report: BenchmarkReport) -> None:
    """Add the times of finding expressions in one language, in two and in all."""
    text = "\n\n".join(_PARAGRAPH.format(number=number) for number in range(60))
    anchor = datetime(2026, 11, 20, 12, tzinfo=UTC)
    plain = _time_per_thousand(lambda: _PLAIN.findall(text), len(text))
    for name, languages in (
        ("one language", ["en"]),
        ("two languages", ["en", "de"]),
        ("seven languages", list(LANGUAGES)),
    ):
        duration = _time_per_thousand(partial(scan, text, anchor, languages=languages), len(text))
        report.add(
            Figure(
                name=f"dates in 1,000 characters, {name}",
                value=duration,
                unit="ms",
                ratio=duration / plain,
                baseline="a plain pattern",
            )
        )


def _time_per_thousand(call: Callable[[], object], length: int) -> float:
    """Return the milliseconds of CPU time for a thousand characters."""
    call()
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        call()
        taken.append(time.process_time() - began)
    return median(taken) * 1e6 / length
