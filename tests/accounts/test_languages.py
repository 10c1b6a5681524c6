"""Tests of dates in the language of a person."""

from datetime import date

import pytest
from django.conf import settings
from django.test import Client

from accounts.auth.services import first_run
from accounts.models import Person
from accounts.preferences import languages
from tests.people import PASSWORD

DAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("language", "full", "month_day"),
    [
        ("en-gb", "Friday 20 November 2026", "20 November"),
        ("en", "Friday November 20, 2026", "November 20"),
        ("fr", "Vendredi 20 novembre 2026", "20 novembre"),
        ("de", "Freitag 20. November 2026", "20. November"),
        ("pl", "Piątek 20 listopada 2026", "20 listopada"),
        ("ja", "金曜日 2026年11月20日", "11月20日"),
        ("no-such", "Friday 20 November 2026", "20 November"),
    ],
)
def test_a_day_is_written_as_its_language_writes_it(language: str, full: str, month_day: str) -> None:
    words = languages.get_date_words(language)

    assert (words.full(DAY), words.month_day(DAY)) == (full, month_day)


def test_a_month_by_itself_is_not_in_the_genitive() -> None:
    assert languages.get_date_words("pl").month_year(DAY) == "Listopad 2026"


def test_every_language_tells_its_weekdays_and_months_apart() -> None:
    for language, _ in settings.LANGUAGES:
        words = languages.get_date_words(language)

        assert len(set(words.initials)) == 7, language
        assert len(set(words.months)) == 12, language
        assert words.full(DAY), language
        assert 0 <= languages.get_week_start(language) <= 6


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("en-US,en;q=0.9", "en"),
        ("tlh, de-AT;q=0.5", "de"),
        ("", "en-gb"),
        ("*", "en-gb"),
        ("x" * 100_000, "en-gb"),
        ("\0 ; ,,q=", "en-gb"),
    ],
)
def test_a_browser_says_which_language_it_would_like(accepted: str, language: str) -> None:
    assert languages.guess_language(accepted) == language


@pytest.mark.parametrize(("language", "first"), [("en-gb", 0), ("en", 6), ("fa", 5), ("fr", 0)])
def test_a_week_begins_as_its_language_has_it(language: str, first: int) -> None:
    assert languages.get_week_start(language) == first


def test_who_registers_gets_the_dates_of_their_browser(db: None) -> None:
    form = {"name": "Nora", "password": PASSWORD, "password_again": PASSWORD, "time_zone": "Asia/Tokyo"}

    Client().post(
        "/register/", {**form, "token": first_run.get_setup_token()}, headers={"Accept-Language": "en-US"}
    )

    person = Person.objects.get()
    assert (person.language, person.week_start, person.clock) == ("en", 6, 24)


def test_choices_are_named_in_themselves() -> None:
    assert ("fr", "Français") in languages.list_languages()
    assert {code for code, _ in languages.list_languages()} == {code for code, _ in settings.LANGUAGES}


@pytest.mark.parametrize(
    ("time", "there"),
    [("00:05", "12:05 am"), ("09:30", "9:30 am"), ("12:00", "12:00 pm"), ("23:59", "11:59 pm"), ("", "")],
)
def test_a_clock_of_twelve_hours_says_which_half(time: str, there: str) -> None:
    assert languages.format_time(time, hours=12) == there
    assert languages.format_time(time, hours=24) == time
