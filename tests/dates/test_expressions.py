"""Tests of `resolve`: two thousand expressions in seven languages; names like "Monday" as past or future."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, timezone
from pathlib import Path

import pytest

from llamora.dates import LANGUAGES, When, resolve

ANCHOR = datetime(2024, 5, 15, 14, 30, tzinfo=timezone(timedelta(hours=2)))


def describe(when: When | None) -> str:
    """Return a value as `expressions.txt` writes it."""
    if when is None:
        return "none"
    about = "about " if when.is_approximate and when.precision == "year" else ""
    if when.kind == "duration":
        return f"for {when.amount:g} {when.unit}"
    if when.kind == "recurrence":
        hours = "-".join(f"{each:%H:%M}" for each in (when.start, when.end) if isinstance(each, time))
        return ", ".join(part for part in (when.rule, when.part, hours) if part)
    if when.part:
        assert when.days is not None
        return f"{when.part} {when.days[0]}"
    ends = [_write(each) for each in (when.start, when.end)]
    return about + (ends[0] if ends[0] == ends[1] else "..".join(ends))


def _write(value: object) -> str:
    if isinstance(value, datetime):
        own = value.tzinfo is UTC or value.utcoffset() == timedelta()
        return f"{value:%Y-%m-%dT%H:%M}" + ("Z" if own else "")
    return str(value)


def read_expressions() -> Iterator[tuple[str, str, str]]:
    """Yield the language, expression and value of every case."""
    value = ""
    folder = Path(__file__).parent
    texts = [(folder / name).read_text() for name in ("expressions.txt", "more_expressions.txt")]
    for line in "\n".join(texts).splitlines():
        if line and not line.startswith("#"):
            if line[2:4] != ": ":
                value = line
                continue
            for expression in line[4:].split(" | "):
                yield line[:2], expression.strip(), value


CASES = list(read_expressions())


@pytest.mark.parametrize("language", LANGUAGES)
def test_expressions_mean_what_a_reader_expects(language: str) -> None:
    cases = [(text, value) for code, text, value in CASES if code == language]

    found = {text: (describe(resolve(text, ANCHOR, language=language)), value) for text, value in cases}

    assert len(cases) > 300
    assert {text: pair for text, pair in found.items() if pair[0] != pair[1]} == {}
