"""Tests of the cases in the shared folder: expressions chosen by a reader, alone and in sentences."""

import json
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from llamora.dates import When, resolve, scan


def read_cases(shared: Path, name: str) -> list[dict[str, Any]]:
    """Return the cases of a file, or skip the test that needs them."""
    path = shared / "cases" / name
    if not path.exists():
        pytest.skip(f"there are no cases at {path}")
    return [json.loads(line) for line in path.read_text().splitlines()]


def get_anchor(case: dict[str, Any]) -> datetime:
    """Return the moment at which a case was written."""
    return datetime.fromisoformat(case["now"]).replace(tzinfo=ZoneInfo(case["zone"]))


def is_expected(when: When | None, want: dict[str, Any]) -> bool:
    """Return whether a value is the one that a case expects."""
    if when is None or want["kind"] in ("reject", "ambiguous"):
        return when is None and want["kind"] in ("reject", "ambiguous")
    begin, end = (_write(each) for each in (when.start, when.end))
    match want["kind"]:
        case "day":
            return (when.kind, begin) == ("day", want["date"]) and when.precision == want.get(
                "precision", when.precision
            )
        case "instant":
            return (when.kind, begin) == ("instant", want["at"])
        case "week" | "month" | "year":
            return (when.kind, when.precision, begin, end) == ("span", want["kind"], want["from"], want["to"])
        case "span" | "range":
            return (when.kind, begin, end) == ("span", want["from"], want["to"])
        case "part_of_day":
            return (when.precision, when.part, begin[:10]) == ("part_of_day", want["part"], want["date"])
        case "recurring":
            hours = (want.get("from", ""), want.get("to", ""))
            return (when.kind, when.rule, when.part, begin, end) == (
                "recurrence",
                want["rule"],
                want.get("part", ""),
                *hours,
            )
        case _:
            return (when.kind, when.amount, when.unit) == ("duration", want["amount"], want["unit"])


def _write(value: date | datetime | time | None) -> str:
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return value.isoformat() if value else ""


@pytest.mark.parametrize("language", ["en", None])
def test_each_expression_means_what_is_expected(shared: Path, language: str | None) -> None:
    cases = read_cases(shared, "dates.jsonl")

    wrong = [
        (case["now"], case["says"], found)
        for case in cases
        if not is_expected(
            found := resolve(case["says"], get_anchor(case), language=language), want=case["want"]
        )
    ]

    assert len(cases) >= 100
    assert wrong == []


def test_each_sentence_holds_what_is_expected(shared: Path) -> None:
    for case in read_cases(shared, "dates_in_text.jsonl"):
        found = scan(case["text"], get_anchor(case), languages=["en"])

        assert len(found) == len(case["want"]), case["text"]
        for mention, want in zip(found, case["want"], strict=True):
            assert is_expected(mention.when, want), (case["text"], mention)
