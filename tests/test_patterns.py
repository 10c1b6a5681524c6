"""Tests that every regular expression of the project takes linear time.

`re` holds the interpreter lock while it searches, so that one quadratic pattern blocks the pages of all
people.
"""

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.hostile import hostile_texts
from tests.test_architecture import PACKAGES

LENGTH, SHORTER = 16_000, 8
# Four times what a pattern takes whose time grows with the length, a half of what a quadratic one takes.
MOST_GROWTH, LEAST_SECONDS = 4 * SHORTER, 0.02
# Those that are used on short texts only, or on texts that nobody else writes.
REASONS = {
    "diary.rendering.excerpts._PAIRED_MARKS": "the beginning of a text, of 640 characters",
    "diary.transfer.export_reader._EXPORT_START": "a match at the beginning of 4096 bytes",
    "llamora.ops.benchmarks.pages._CONTROLLER": "our own modules",
    "llamora.ops.benchmarks.pages._IMPORTED": "our own modules",
    "llamora.ops.bundles._NOT_JOINED": "our own modules",
    "llamora.ops.pruning._INDEX_FILE_NAME": "names of files in the data folder, as a whole",
    "llamora.settings._LINE": "lines of the file .env, each as a whole",
}
# They install an event loop, or need one.
NOT_IMPORTED = {"llamora.asgi", "llamora.ops.server.http_server"}
_SPACES = (
    " \n",
    "\n ",
    "\t\n",
    " \n\t",
    "a\n ",
    "\r\n",
    "\u3000\n",
    "1\n",
    "\n1 ",
    "a_",
    "a1",
    "-1",
    "::",
    "a:",
    "<a",
    "0.",
)


@cache
def find_patterns() -> dict[str, re.Pattern[Any]]:
    """Return every compiled pattern of a module by its name."""
    found: dict[re.Pattern[Any], str] = {}
    for package in PACKAGES:
        path = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(path, f"{package}."):
            if ".migrations" in module.name or module.name in NOT_IMPORTED:
                continue
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, re.Pattern):
                    found.setdefault(value, f"{module.name}.{name}")
    return {name: pattern for pattern, name in found.items()}


@cache
def list_texts(length: int) -> list[str]:
    pieces = [(piece * length)[: length - 1] for piece in _SPACES]
    ends = [one + end for one in pieces for end in ("!", "\x00")]
    return [*(text for _, text in hostile_texts(length)), *ends]


def measure(pattern: re.Pattern[Any], text: str, *, times: int = 1) -> float:
    subject: Any = text.encode() if isinstance(pattern.pattern, bytes) else text
    taken = []
    for _ in range(times):
        began = time.thread_time()
        pattern.findall(subject)
        pattern.fullmatch(subject)
        taken.append(time.thread_time() - began)
    return min(taken)


def find_slow_texts(pattern: re.Pattern[Any], *, length: int = LENGTH) -> Iterator[str]:
    """Yield the beginnings of the texts for which the time grows faster than the length."""
    for long, short in zip(list_texts(length), list_texts(length // SHORTER), strict=True):
        if measure(pattern, long) < LEAST_SECONDS:
            continue
        if measure(pattern, long, times=3) > MOST_GROWTH * measure(pattern, short, times=3):
            yield long[:20]


@pytest.mark.parametrize("name", sorted(find_patterns().keys() - REASONS.keys()))
def test_a_pattern_takes_time_in_proportion_to_the_text(name: str) -> None:
    assert not [*find_slow_texts(find_patterns()[name])]


def test_the_exceptions_are_patterns() -> None:
    assert not REASONS.keys() - find_patterns().keys()


@pytest.mark.parametrize(
    ("bad", "length"),
    # The faster they are, the longer must be the text.
    [(r"[^\n]+(?:\n(?!\s*\n)[^\n]+)*", LENGTH), (r"\s+$", LENGTH // 2), (r"(\w+):", LENGTH // 4)],
)
def test_a_quadratic_pattern_would_be_found(bad: str, length: int) -> None:
    assert next(find_slow_texts(re.compile(bad), length=length), None) is not None
