"""Tests of the sampling parameters on the settings page: saved, unchanged, refused, sealed."""

from typing import Any

import pytest
from django.db import connection

from accounts.keys import sealed_preferences
from accounts.models import Person
from tests.accounts.pages import list_errors
from tests.page import read
from tests.people import Resident

FIELDS = {
    "temperature": "1.1",
    "top_p": "0.9",
    "top_k": "40",
    "min_p": "0.05",
    "repeat_penalty": "1.1",
    "stop": "###\r\n\\nUser:",
    "more_sampling": '{"seed": 7, "mirostat": 2}',
}
SAVED = {
    "temperature": 1.1,
    "top_p": 0.9,
    "top_k": 40,
    "min_p": 0.05,
    "repeat_penalty": 1.1,
    "stop": ["###", "\nUser:"],
    "seed": 7,
    "mirostat": 2,
}
SECTION = 'section[aria-labelledby="sampling"]'


def post(who: Resident, **fields: str) -> Any:
    return who.post("/settings/", time_zone="UTC", week_start="0", theme="system", **fields)


def get_sampling(who: Resident) -> Any:
    return Person.objects.get(id=who.id).sampling


def test_parameters_are_saved_and_shown_and_stay_where_they_are_not_sent(owner: Resident) -> None:
    assert post(owner, **FIELDS).status_code == 302
    assert post(owner).status_code == 302

    assert get_sampling(owner) == SAVED
    page = read(owner.get("/settings/"))
    assert page.values('input[name="temperature"]', "value") == ["1.1"]
    assert page.one('textarea[name="stop"]').raw_text.strip() == "###\n\\nUser:"
    assert page.texts('textarea[name="more_sampling"]') == ['{"seed": 7, "mirostat": 2}']


def test_an_emptied_field_takes_its_parameter_away_and_no_other(owner: Resident) -> None:
    post(owner, **FIELDS)

    post(owner, temperature="", stop="", more_sampling='{"seed": 8}')

    without = {name: SAVED[name] for name in ("top_p", "top_k", "min_p", "repeat_penalty")}
    assert get_sampling(owner) == {**without, "seed": 8}
    post(owner, **dict.fromkeys(FIELDS, ""))
    assert get_sampling(owner) == {}


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("temperature", "3", "temperature must be a number from 0 to 2."),
        ("temperature", "warm", "temperature must be a number from 0 to 2."),
        ("temperature", "nan", "temperature must be a number from 0 to 2."),
        ("top_k", "1.5", "top_k must be a whole number from 0 to 1000."),
        ("stop", "a\nb\nc\nd\ne", "stop must be a list of up to 4 texts of up to 20 characters."),
        ("more_sampling", '{"n": 2}', '"n" can\'t be set. These can: seed, '),
        ("more_sampling", '{"seed": "7"}', "seed must be a whole number from 0 to 4294967295."),
        ("more_sampling", '{"temperature": 1}', "temperature has a field of its own. Leave it out here."),
        ("more_sampling", "seed=7", "Write the parameters as a JSON object"),
    ],
)
def test_nonsense_is_refused_beside_its_field_which_is_unfolded(
    owner: Resident, field: str, text: str, sentence: str
) -> None:
    answer = post(owner, **{**FIELDS, field: text})

    assert answer.status_code == 422
    (error,) = list_errors(answer)
    assert error.startswith(sentence)
    assert read(answer).has(f"{SECTION} details[open]")
    assert get_sampling(owner) == {}


def test_the_section_is_folded_where_nothing_is_wrong(owner: Resident) -> None:
    page = read(owner.get("/settings/"))

    assert page.has(f"{SECTION} details")
    assert not page.has(f"{SECTION} details[open]")


def test_parameters_are_not_used_because_the_database_says_so(owner: Resident) -> None:
    post(owner, temperature="0.5")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_person SET sampling = %s", ['{"temperature": 2}'])

    with owner.unlocked():
        assert sealed_preferences.load_person(owner.id).sampling == {"temperature": 0.5}
