"""Measurements of finding time expressions in a text, in CPU time, compared with a plain regex search."""

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
# A plan or a chronicle: ten expressions in a thousand characters, which is rare in a diary.
_DENSE = (
    "On Monday, May {day}, we met the builder about the roof, who came again at 5:{minute} pm, and the "
    "work is to be done by the end of next month. Two weeks ago it was not even certain that he had the "
    "slates; they were ordered in the summer of {year}, and from 9 to 11 yesterday his boy counted them "
    "in the yard. My brother writes that he was at Lincoln between March 3 and April {day}, and that "
    "the fair is held every Tuesday and Thursday, as it was last year, when we lost our way home across "
    "the fields behind the church. Half past seven tomorrow morning is early for such a ride, I told "
    "him, with the horse that we have; but he will go, and so I must, and we shall be back on the 3rd "
    "of June {year} if the weather holds, with the cheese for Anna, the letters for the lawyer and "
    "whatever else is still to be carried from that house before it is let to the new people, of whom "
    "nobody has heard anything but that they keep bees. "
)
_PLAIN = re.compile(
    r"\b(?:\d{1,4}|yesterday|today|tomorrow|\w+day|January|May|June|December|week|month|year)\b"
)


def measure(report: BenchmarkReport) -> None:
    """Add to the report how long it takes to find dates in a text, with one, two and all languages.

    One of the texts is full of dates.
    """
    text = "\n\n".join(_PARAGRAPH.format(number=number) for number in range(60))
    dense = "\n\n".join(
        _DENSE.format(day=number % 28 + 1, minute=number % 50 + 10, year=1980 + number % 40)
        for number in range(20)
    )
    anchor = datetime(2026, 11, 20, 12, tzinfo=UTC)
    plain = _time_per_thousand(lambda: _PLAIN.findall(text), len(text))
    for name, written, languages in (
        ("one language", text, ["en"]),
        ("two languages", text, ["en", "de"]),
        ("seven languages", text, list(LANGUAGES)),
        ("one language, ten dates", dense, ["en"]),
        ("two languages, ten dates", dense, ["en", "de"]),
    ):
        duration = _time_per_thousand(partial(scan, written, anchor, languages=languages), len(written))
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
