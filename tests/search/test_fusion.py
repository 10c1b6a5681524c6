"""Tests of fusing hits: phrases first, then words and meaning together, then the day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from search.fusion import fuse

A, B, C, D = (UUID(int=number) for number in range(4))
DAYS = {A: date(2020, 1, 1), B: date(2021, 1, 1), C: date(2022, 1, 1), D: date(2023, 1, 1)}


def order(**found: Sequence[UUID] | Mapping[UUID, float]) -> list[UUID]:
    nothing: dict[str, Any] = {name: [] for name in ("phrases", "strict", "loose", "meaning")}
    nothing |= {"shares": {}, "closeness": {}}
    return [ranked.id for ranked in fuse(**{**nothing, **found}, days=DAYS)]


def test_a_phrase_stands_before_everything() -> None:
    closeness = {A: 0.9, B: 0.9}

    assert order(phrases=[D], strict=[A, B, D], meaning=[A, B, C], closeness=closeness)[0] == D


def test_found_twice_stands_before_found_once() -> None:
    assert order(strict=[A, B], meaning=[C, B], closeness={C: 0.5, B: 0.4}) == [B, A, C]


def test_all_words_stand_before_some_of_them() -> None:
    assert order(strict=[A], loose=[B, C], shares={B: 0.6, C: 0.3}) == [A, B, C]


def test_a_text_about_the_question_stands_before_one_with_a_frequent_word_of_it() -> None:
    assert order(loose=[B], meaning=[C], shares={B: 0.2}, closeness={C: 0.5}) == [C, B]


def test_a_near_text_is_nearer_with_some_of_the_words() -> None:
    near = {"meaning": [B, C], "closeness": {B: 0.5, C: 0.45}}

    assert order(**near) == [B, C]
    assert order(**near, shares={C: 0.3}) == [C, B]


def test_the_order_of_the_word_index_decides_between_near_equals() -> None:
    assert order(strict=[A, D]) == [A, D]


def test_own_words_stand_before_the_same_words_of_a_reply_whatever_the_word_index_says() -> None:
    assert order(strict=[A, B, C], own=[C]) == [C, A, B]
    assert order(phrases=[A, B], own=[B]) == [B, A]
    assert order(loose=[A, B], shares={A: 0.5, B: 0.5}, own=[B]) == [B, A]


def test_own_words_do_not_stand_before_more_of_the_words() -> None:
    assert order(loose=[A, B], shares={A: 0.6, B: 0.5}, own=[B]) == [A, B]
    assert order(phrases=[A], strict=[A, B], own=[B]) == [A, B]


def test_equals_are_ordered_by_day() -> None:
    assert order(meaning=[A, C, B], closeness={A: 0.5, B: 0.5001, C: 0.5}) == [C, B, A]


def test_an_entry_with_the_trace_of_that_name_counts_like_one_with_the_word() -> None:
    assert order(traced=[A], loose=[B], shares={B: 0.5}) == [A, B]
    assert order(traced=[A], meaning=[C, A], closeness={A: 0.4, C: 0.5}) == [A, C]


def test_each_hit_says_why() -> None:
    fused = fuse(phrases=[A], strict=[A, B], loose=[D], meaning=[B, C], shares={}, closeness={}, days=DAYS)

    assert {ranked.id: ranked.why for ranked in fused} == {
        A: ("phrase",),
        B: ("words", "meaning"),
        C: ("meaning",),
        D: ("words",),
    }


def test_what_has_gone_meanwhile_is_left_out() -> None:
    assert order(strict=[A, UUID(int=9)]) == [A]
