"""Tests of the entries of earlier years, on the day page and on their own page, with 29 February."""

from datetime import date

import pytest
from django.db import connection

from diary.calendar.on_this_day import PAGE_SIZE
from diary.models import Entry
from diary.rendering.excerpts import get_first_words
from tests.diary.damage import flip_a_bit
from tests.diary.test_archive import archive, list_queries
from tests.page import read
from tests.people import Resident


def test_earlier_years_stand_beside_the_day(owner: Resident, housemate: Resident) -> None:
    owner.write("Snow on the *canal*", day=date(2019, 3, 5))
    owner.write("Second that day", day=date(2019, 3, 5))
    owner.write("Up betimes", day=date(1660, 3, 5))
    owner.write("A day later", day=date(2018, 3, 6))
    owner.write("A year later", day=date(2021, 3, 5))
    housemate.write("Not mine", day=date(2017, 3, 5))

    aside = read(owner.get("/d/2020-03-05/")).one("aside.on-this-day").html
    assert "Snow on the canal" in aside
    assert "and 1 more" in aside
    assert aside.index("2019") < aside.index("1660")
    assert 'href="/d/1660-03-05/"' in aside
    assert 'href="/on-this-day/03-05/"' in aside
    for absent in ("Second that day", "A day later", "A year later", "Not mine"):
        assert absent not in aside


def test_a_day_without_earlier_years_has_nothing_beside_it(owner: Resident) -> None:
    owner.write("Today")

    assert "On this day in" not in owner.get("/").content.decode()
    assert 'class="on-this-day"' not in owner.get("/").content.decode()


def test_what_was_deleted_or_moved_away_is_not_remembered(owner: Resident) -> None:
    gone, moved = owner.write("Gone", day=date(2018, 3, 5)), owner.write("Moved", day=date(2019, 3, 5))
    owner.post(f"/entries/{gone.id}/delete/")
    owner.post(f"/entries/{moved.id}/move/", day="2019-03-06")

    assert 'class="on-this-day"' not in owner.get("/d/2020-03-05/").content.decode()
    assert "Moved" in owner.get("/d/2020-03-06/").content.decode()


def test_a_few_years_stand_in_the_margin_and_all_on_the_page(owner: Resident) -> None:
    for year in range(2010, 2020):
        owner.write(f"In {year}.", day=date(year, 3, 5))

    margin = owner.get("/d/2020-03-05/").content.decode()
    page = owner.get("/on-this-day/03-05/").content.decode()

    assert [f"In {year}." in margin for year in (2019, 2016, 2015)] == [True, True, False]
    assert all(f"In {year}." in page for year in range(2010, 2020))


def test_many_entries_on_one_day_do_not_hide_the_years_before(owner: Resident) -> None:
    with owner.unlocked():
        Entry.objects.bulk_create(
            Entry(owner_id=owner.id, day=date(2019, 3, 5), text=f"Entry {n}") for n in range(60)
        )
    owner.write("Long before", day=date(2001, 3, 5))

    page = owner.get("/d/2020-03-05/").content.decode()

    assert "and 59 more" in page
    assert "Long before" in page


def test_many_entries_of_a_place_do_not_hide_the_years_before_on_its_page(owner: Resident) -> None:
    with owner.unlocked():
        Entry.objects.bulk_create(
            Entry(owner_id=owner.id, day=date(2019, 3, 5), text=f"Entry {n}") for n in range(PAGE_SIZE)
        )
    owner.write("Long before", day=date(2001, 3, 5))

    first, second, beyond = (
        owner.get(f"/on-this-day/03-05/{page}").content.decode() for page in ("", "?page=2", "?page=99")
    )

    assert first.count("<article") == PAGE_SIZE
    assert '<a rel="next" href="?page=2">Earlier entries</a>' in first
    assert "Later entries" not in first
    assert "Long before" in second
    assert '<a rel="prev" href="?page=1">Later entries</a>' in second
    assert "Earlier entries" not in second
    assert beyond.count("Long before") == 1


@pytest.mark.parametrize(
    ("day", "remembered"),
    [("2024-02-29", True), ("2023-02-28", True), ("2024-02-28", False), ("2023-03-01", False)],
)
def test_29_february_is_remembered_every_year_and_never_twice(
    owner: Resident, day: str, remembered: bool
) -> None:
    owner.write("A day that comes seldom", day=date(2020, 2, 29))

    page = owner.get(f"/d/{day}/").content.decode()

    assert ("A day that comes seldom" in page) is remembered


def test_29_february_has_a_page_of_its_own(owner: Resident) -> None:
    owner.write("A day that comes seldom", day=date(2020, 2, 29))
    owner.write("The day before it", day=date(2020, 2, 28))

    page = owner.get("/on-this-day/02-29/").content.decode()

    assert "A day that comes seldom" in page
    assert "The day before it" not in page
    assert 'href="/on-this-day/02-28/"' in page
    assert 'href="/on-this-day/03-01/"' in page


def test_what_28_february_remembers_of_the_29th_is_on_the_page_it_leads_to(owner: Resident) -> None:
    owner.write("A day that comes seldom", day=date(2020, 2, 29))
    owner.write("The day before it", day=date(2020, 2, 28))
    owner.write("Later on", day=date(2022, 2, 28))
    owner.write("Not here", day=date(2020, 3, 1))

    day = owner.get("/d/2025-02-28/").content.decode()
    page = owner.get("/on-this-day/02-28/").content.decode()

    assert day.count('href="/on-this-day/02-28/"') == 3
    places = [page.index(words) for words in ("Later on", "A day that comes seldom", "The day before it")]
    assert places == sorted(places)
    assert "Saturday, 29 February" in page
    assert "Friday, 28 February" not in page
    assert "Not here" not in page
    assert 'href="/on-this-day/02-29/"' in page


def test_the_year_goes_round(owner: Resident) -> None:
    assert 'href="/on-this-day/12-31/"' in owner.get("/on-this-day/01-01/").content.decode()
    assert 'href="/on-this-day/01-01/"' in owner.get("/on-this-day/12-31/").content.decode()


@pytest.mark.parametrize("place", ["02-30", "13-01", "00-10", "2-1", "x"])
def test_an_impossible_place_is_a_404(owner: Resident, place: str) -> None:
    assert owner.get(f"/on-this-day/{place}/").status_code == 404


def test_the_page_leads_to_the_entry_in_its_day(owner: Resident) -> None:
    entry = owner.write("Here", day=date(2019, 3, 5))

    page = owner.get("/on-this-day/03-05/").content.decode()

    assert f'href="/d/2019-03-05/#entry-{entry.id}"' in page


def test_today_has_a_place_in_the_year(owner: Resident) -> None:
    assert owner.get("/on-this-day/")["Location"] == f"/on-this-day/{owner.today:%m-%d}/"


def test_a_damaged_entry_does_not_take_the_margin_with_it(owner: Resident) -> None:
    broken = owner.write("Broken", day=date(2019, 3, 5))
    owner.write("Whole", day=date(2018, 3, 5))
    flip_a_bit(broken)

    assert "Whole" in owner.get("/d/2020-03-05/").content.decode()
    assert "Whole" in owner.get("/on-this-day/03-05/").content.decode()


def test_earlier_years_are_found_by_an_index_alone(owner: Resident) -> None:
    archive(owner, 900)

    (sql,) = [sql for sql in list_queries(owner, "/") if "SUBSTR" in sql]

    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql)
        plan = " ".join(row[-1] for row in cursor.fetchall())
    assert "entry_by_place_in_year" in plan
    assert "SCAN" not in plan


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# A heading\n\n- one\n- **two**", "A heading one two"),
        ("> said _he_, `so`", "said he, so"),
        ("[a link](https://example.org) and 2 * 3 * 4", "a link and 2 * 3 * 4"),
        ("snake_case_name", "snake_case_name"),
        ("```\ncode\n```", "code"),
        ("", ""),
        ("word " * 100, "word " * 31 + "word…"),
        ("語" * 400, "語" * 160 + "…"),
    ],
)
def test_first_lines_are_words_without_signs(text: str, words: str) -> None:
    assert get_first_words(text) == words


def test_first_lines_of_a_long_text_cost_no_more_than_of_a_short_one() -> None:
    hostile = "*_`" * 300_000

    assert len(get_first_words(hostile)) <= 161
