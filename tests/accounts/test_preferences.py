"""Tests of the settings page: saved choices, and errors beside their fields."""

import re
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Person
from accounts.preferences.forms import SECTIONS, PreferencesForm
from accounts.preferences.time_zones import list_time_zones
from tests.accounts.pages import list_errors
from tests.page import read
from tests.people import Resident

GOOD = {"shown_name": "Liv", "time_zone": "America/New_York", "week_start": "6", "theme": "dark"}


def save_preferences(who: Resident, **fields: str) -> Any:
    return who.post("/settings/", **{**GOOD, **fields})


def test_choices_are_kept(owner: Resident) -> None:
    answer = save_preferences(owner)

    owner.person.refresh_from_db()
    person = owner.person
    assert answer["Location"] == "/settings/"
    assert (person.display_name, person.time_zone, person.week_start, person.theme) == (
        "Liv",
        "America/New_York",
        6,
        "dark",
    )
    page = owner.get("/settings/").content.decode()
    assert 'data-theme="dark"' in page
    assert "Saved." in page


@pytest.mark.parametrize(
    ("name", "is_daily", "sentences"),
    [
        ("", True, ["There is no backup of this household yet.", "The server makes one every day."]),
        ("", False, ["Daily backups are turned off."]),
        ("llamora-20260102T101500Z.tar", True, ["was made on", "2 January 2026", "something prevents it"]),
        ("llamora-20260102T101500Z-before-update.tar", False, ["2 January 2026", "are turned off."]),
    ],
)
def test_everybody_sees_how_old_the_newest_backup_is(
    owner: Resident, settings: Any, tmp_path: Path, name: str, is_daily: bool, sentences: list[str]
) -> None:
    settings.BACKUP_DIR, settings.BACKUP_DAILY = tmp_path, is_daily
    if name:
        (tmp_path / name).touch()

    page = " ".join(read(owner.get("/settings/").content.decode()).text.split())

    assert [sentence for sentence in sentences if sentence not in page] == []


def test_the_name_shown_is_not_the_name_to_sign_in_with(owner: Resident) -> None:
    save_preferences(owner)

    owner.person.refresh_from_db()
    assert owner.person.name == "Olive Ähre"
    assert save_preferences(owner, shown_name="").status_code == 302
    owner.person.refresh_from_db()
    assert owner.person.display_name == "Olive Ähre"


@pytest.mark.parametrize(
    "fields",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"time_zone": ""},
        {"theme": "neon"},
        {"week_start": "7"},
        {"week_start": "x"},
        {"shown_name": "a\u202eb"},
        {"shown_name": "x" * 65},
    ],
)
def test_nonsense_is_refused_beside_its_field(owner: Resident, fields: dict[str, str]) -> None:
    answer = save_preferences(owner, **fields)

    assert answer.status_code == 422
    assert len(list_errors(answer)) == 1
    owner.person.refresh_from_db()
    assert owner.person.theme == "system"


def test_a_zone_is_found_as_people_write_it(owner: Resident) -> None:
    save_preferences(owner, time_zone="America/New York")

    owner.person.refresh_from_db()
    assert owner.person.time_zone == "America/New_York"


def test_the_zones_are_there_to_search_in(owner: Resident) -> None:
    page = owner.get("/settings/").content.decode()

    assert 'list="time_zone-choices"' in page
    assert '<option value="Europe/Vienna"></option>' in page
    assert "Asia/Kathmandu" in list_time_zones()


def test_one_person_does_not_change_another(owner: Resident, housemate: Resident) -> None:
    save_preferences(owner)

    housemate.person.refresh_from_db()
    assert housemate.person.theme == "system"


def test_a_locked_vault_keeps_its_settings_closed(owner: Resident) -> None:
    owner.lock()

    assert owner.get("/settings/").status_code == 302


def test_dates_clock_and_keys_are_kept_and_left_as_they_were_by_an_older_page(owner: Resident) -> None:
    chosen = {"language": "fr", "clock": "12", "single_keys": "False", "enter_keeps": "True"}

    save_preferences(owner, **chosen)
    save_preferences(owner)

    owner.person.refresh_from_db()
    person = owner.person
    assert (person.language, person.clock, person.single_keys, person.enter_keeps) == ("fr", 12, False, True)
    page = owner.get("/settings/").content.decode()
    assert " data-no-shortcuts data-enter-saves" in page
    assert '<option value="fr" selected>Français</option>' in page


OF_TWO_VALUES = [
    "enter_keeps",
    "single_keys",
    "makes_openings",
    "reads_related_entries",
    "proposes_traces",
    "saves_recent_searches",
]


@pytest.mark.parametrize("field", OF_TWO_VALUES)
def test_a_choice_of_two_is_kept_until_it_is_chosen_otherwise(owner: Resident, field: str) -> None:
    for value in (True, False):
        assert save_preferences(owner, **{field: str(value)}).status_code == 302
        assert save_preferences(owner).status_code == 302
        assert save_preferences(owner, **{field: ""}).status_code == 302

        owner.person.refresh_from_db()
        assert getattr(owner.person, field) is value
    assert save_preferences(owner, **{field: "off"}).status_code == 422


def test_every_choice_is_in_one_section_of_the_page(owner: Resident) -> None:
    page = owner.get("/settings/").content.decode()

    drawn = re.findall(
        r'<section aria-labelledby="([a-z-]+)"|<(?:input|select|textarea)[^>]* name="(\w+)"', page
    )
    names = list(dict.fromkeys(name for _, name in drawn if name in PreferencesForm.base_fields))
    assert [section for section, _ in drawn if section][: len(SECTIONS)] == [one.id for one in SECTIONS]
    # The test's server offers one model alone.
    assert names == [name for one in SECTIONS for name in one.names if name != "model"]


def test_a_refused_form_leaves_the_page_as_the_person_has_it(owner: Resident) -> None:
    page = save_preferences(
        owner, shown_name="Somebody", theme="dark", time_zone="Mars/Olympus"
    ).content.decode()

    assert 'data-theme="system"' in page
    assert "</span>Olive" in page


def test_saving_settings_leaves_what_is_no_setting(owner: Resident) -> None:
    form = PreferencesForm(GOOD, instance=owner.person)
    assert form.is_valid()
    Person.objects.filter(id=owner.id).update(is_active=False)

    with owner.unlocked():
        form.save()

    owner.person.refresh_from_db()
    assert (owner.person.theme, owner.person.is_active) == ("dark", False)


@pytest.mark.parametrize("path", ["/openings/", "/traces/choices/", "/search/for-answers/"])
def test_pages_of_one_choice_lead_to_its_section_and_change_nothing(owner: Resident, path: str) -> None:
    before = Person.objects.filter(id=owner.id).values().get()

    for answer in (owner.get(path), owner.post(path, openings="off", want="off", recalls="off")):
        assert (answer.status_code, answer["Location"]) == (302, "/settings/#your-day")
    assert Person.objects.filter(id=owner.id).values().get() == before
    assert 'id="your-day"' in owner.get("/settings/").content.decode()


@pytest.mark.parametrize("field", ["language", "clock", "single_keys", "enter_keeps"])
def test_nonsense_about_dates_and_keys_is_refused(owner: Resident, field: str) -> None:
    assert save_preferences(owner, **{field: "../x"}).status_code == 422
