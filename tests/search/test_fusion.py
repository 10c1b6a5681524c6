"""Tests of fusing rankings: phrases first, then combined ranks, then the day."""

from datetime import date
from uuid import UUID

from search.fusion import fuse

A, B, C, D = (UUID(int=number) for number in range(4))
DAYS = {A: date(2020, 1, 1), B: date(2021, 1, 1), C: date(2022, 1, 1), D: date(2023, 1, 1)}


def order(**rankings: list[UUID]) -> list[UUID]:
    empty: dict[str, list[UUID]] = {"phrases": [], "strict": [], "loose": [], "meaning": []}
    return [ranked.id for ranked in fuse(**{**empty, **rankings}, days=DAYS)]


def test_a_phrase_stands_before_everything() -> None:
    assert order(phrases=[D], strict=[A, B, D], meaning=[A, B, C])[0] == D


def test_found_twice_stands_before_found_once() -> None:
    assert order(strict=[A, B], meaning=[C, B]) == [B, C, A]


def test_only_equals_are_ordered_by_day() -> None:
    assert order(strict=[A], meaning=[B]) == [B, A]
    assert order(strict=[A, D]) == [A, D]


def test_each_hit_says_why() -> None:
    fused = fuse(phrases=[A], strict=[A, B], loose=[D], meaning=[B, C], days=DAYS)

    assert {ranked.id: ranked.why for ranked in fused} == {
        A: ("phrase",),
        B: ("words", "meaning"),
        C: ("meaning",),
        D: ("words",),
    }


def test_what_has_gone_meanwhile_is_left_out() -> None:
    assert [
        ranked.id for ranked in fuse(phrases=[], strict=[A, UUID(int=9)], loose=[], meaning=[], days=DAYS)
    ] == [A]
