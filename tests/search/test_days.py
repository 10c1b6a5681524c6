"""Tests of days in plain words: as filters, inside questions, and on the page."""

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from llamora.dates import scan
from search.query.days import DayReader
from search.query.parser import list_filters, parse
from tests.page import normalize_spaces, read
from tests.people import Resident
from tests.search.indexing import open_index
from tests.search.test_pages import list_results

NOON = datetime(2024, 5, 15, 12, 0, tzinfo=timezone(timedelta(hours=2)))
READER = DayReader(NOON, language="de")
SUMMER = (date(2023, 6, 1), date(2023, 8, 31))


@pytest.mark.parametrize(
    ("typed", "since", "until"),
    [
        ("from:yesterday", date(2024, 5, 14), None),
        ("to:gestern", None, date(2024, 5, 14)),
        ("on:yesterday", date(2024, 5, 14), date(2024, 5, 14)),
        ('from:"last summer"', SUMMER[0], None),
        ("from:“last summer”", SUMMER[0], None),
        ('to:"letzten Sommer"', None, SUMMER[1]),
        ('on:"letzten Sommer"', *SUMMER),
        ("on:2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("on:1662", date(1662, 1, 1), date(1662, 12, 31)),
        ("on:Weihnachten", date(2023, 12, 25), date(2023, 12, 25)),
        ("on:5.4.2024", date(2024, 4, 5), date(2024, 4, 5)),
        ('from:"May 2023" to:"two weeks ago"', date(2023, 5, 1), date(2024, 5, 1)),
        ("from:2024-01 to:today", date(2024, 1, 1), date(2024, 5, 15)),
    ],
)
def test_a_filter_takes_days_in_words(typed: str, since: date | None, until: date | None) -> None:
    query = parse(typed, reader=READER)

    assert (query.since, query.until, query.terms, query.unread_days) == (since, until, (), ())


@pytest.mark.parametrize(
    "typed", ["from:yesturday", "on:fire", "to:2025-02-30", 'on:"a long time"', "from:weekly"]
)
def test_a_filter_without_a_day_is_named_and_searched_for(typed: str) -> None:
    query = parse(f"rain {typed}", reader=READER)

    assert query.unread_days == (typed.replace('"', ""),)
    assert len(query.terms) == 2
    assert not query.is_filtered


@pytest.mark.parametrize("typed", ["from:", "-from:yesterday", "rain", "10:30", "in:bed", '"from:yesterday"'])
def test_what_is_no_filter_of_days_is_not_named(typed: str) -> None:
    assert parse(typed, reader=READER).unread_days == ()


@pytest.mark.parametrize(
    ("typed", "days", "terms"),
    [
        ("rain last summer", SUMMER, ["rain"]),
        ("Regen letzten Sommer", SUMMER, ["regen"]),
        (
            "what did we eat in May 2023?",
            (date(2023, 5, 1), date(2023, 5, 31)),
            ["what", "did", "we", "eat", "in"],
        ),
        ("yesterday", (date(2024, 5, 14), date(2024, 5, 14)), []),
        (
            "Monday in May 2023",
            (date(2023, 5, 1), date(2023, 5, 31)),
            ["monday", "in"],
        ),
        ("dinner on 5 May 2023 -soup", (date(2023, 5, 5), date(2023, 5, 5)), ["dinner", "on"]),
    ],
)
def test_the_days_that_a_question_names_are_a_query_of_their_own(
    typed: str, days: tuple[date, date], terms: list[str]
) -> None:
    query = parse(typed, reader=READER)

    assert query.within is not None
    assert (query.within.since, query.within.until) == days
    assert [term.words[0] for term in query.within.terms] == terms
    assert not query.is_filtered
    assert query.without == query.within.without


@pytest.mark.parametrize(
    "typed",
    [
        "Christmas dinner",
        "on Monday",
        "in June",
        '"last summer"',
        "rain -yesterday",
        "yesterday or last summer",
        "rain last summer days:all",
        "rain last summer from:2020",
        "every Monday",
        "may march second",
        "at half past six",
        "trace:yesterday",
    ],
)
def test_no_days_come_first_where_a_question_does_not_surely_name_them(typed: str) -> None:
    assert parse(typed, reader=READER).within is None


@pytest.mark.parametrize(("typed", "looks"), [("rain and tea", 1), ("rain last summer", 2)])
def test_a_query_that_names_no_day_is_read_once(
    monkeypatch: pytest.MonkeyPatch, typed: str, looks: int
) -> None:
    scanned = []

    def count(text: str, *arguments: Any, **options: Any) -> Any:
        scanned.append(text)
        return scan(text, *arguments, **options)

    monkeypatch.setattr("search.query.days.scan", count)
    parse(typed, reader=READER)

    assert scanned == [typed] * looks


def test_a_filter_in_words_can_be_removed_like_any_other() -> None:
    found = list_filters('rain on:yesterday from:"last summer" from:nothing', reader=READER)

    assert [(each.name, each.value) for each in found] == [("on", "yesterday"), ("from", "last summer")]
    assert found[0].rest == 'rain from:"last summer" from:nothing'


def test_numbers_are_read_in_the_order_of_the_language() -> None:
    days = {
        language: parse("on:3/4/2024", reader=DayReader(NOON, language=language)).since
        for language in ("en", "en-gb", "de", "fr", "ja")
    }

    assert days == {
        "en": date(2024, 3, 4),
        **dict.fromkeys(("en-gb", "de", "fr", "ja"), date(2024, 4, 3)),
    }


def test_what_was_written_on_the_named_days_comes_first_and_the_rest_after_it(owner: Resident) -> None:
    inside = owner.write("A little rain, and mild.", day=date(2021, 7, 4))
    owner.write("Rain, rain, rain, nothing but rain.", day=date(2024, 2, 1))
    open_index(owner)

    answer = owner.post("/search/", q="rain summer 2021")
    everywhere = owner.post("/search/", q="rain summer 2021 days:all")

    days = [address.split("/")[2] for address, _ in list_results(answer)]
    assert days == [inside.day.isoformat(), "2024-02-01"]
    assert "Results from 1 June to 31 August 2021 come first." in normalize_spaces(answer.content.decode())
    (button,) = [each for each in read(answer).all("button") if "Search all days" in each.text]
    assert button.get("value") == "rain summer 2021 days:all"
    assert "come first" not in everywhere.content.decode()
    assert next(iter(list_results(everywhere)))[0].split("/")[2] == "2024-02-01"


def test_the_page_says_which_filter_names_no_day(owner: Resident) -> None:
    entry = owner.write("The rain fell from:yesturday on.")
    open_index(owner)

    answer = owner.post("/search/", q="rain from:yesturday")

    page = normalize_spaces(answer.content.decode())
    assert "“from:yesturday” names no day that Llamora knows" in page
    assert str(entry.id) in page


def test_today_is_that_of_the_person(owner: Resident) -> None:
    entry = owner.write("The rain fell.")
    open_index(owner)

    found = list_results(owner.post("/search/", q="on:today"))

    assert entry.day == owner.today
    assert len(found) == 1
