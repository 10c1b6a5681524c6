"""Tests of the page that lists a person's signed-in browsers and signs them out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import SignIn, Unlock
from accounts.sessions import limits
from accounts.sessions import services as sessions_services
from accounts.sessions.services import open_session
from tests.people import PASSWORD, SESSION, Resident
from tests.sign_in_updates import update_sign_ins

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_the_page_names_every_browser_of_ones_own_and_nobody_elses(
    owner: Resident, housemate: Resident
) -> None:
    other = owner.sign_in_elsewhere(user_agent=FIREFOX)

    page = owner.get("/settings/browsers/").content.decode()

    assert "Firefox on Linux" in page
    assert str(other.get_sign_in().id) in page
    assert str(housemate.get_sign_in().id) not in page
    assert page.count("Last seen") == 2


def test_the_settings_say_how_many_browsers_are_signed_in(owner: Resident) -> None:
    alone = owner.get("/settings/").content.decode()
    owner.sign_in_elsewhere()
    beside_another = owner.get("/settings/").content.decode()

    assert "Only this browser is signed in." in alone
    assert "2 browsers are signed in." in beside_another


def test_one_is_ended_and_the_others_stay(owner: Resident) -> None:
    second, third = owner.sign_in_elsewhere(), owner.sign_in_elsewhere()

    answer = owner.post(f"/settings/browsers/{second.get_sign_in().id}/end/")

    assert answer["Location"] == "/settings/browsers/"
    assert [who.is_unlocked() for who in (owner, second, third)] == [True, False, True]


def test_all_others_are_ended_at_once(owner: Resident, housemate: Resident) -> None:
    others = [owner.sign_in_elsewhere(), owner.sign_in_elsewhere()]

    owner.post("/settings/browsers/end-others/")

    assert owner.is_unlocked()
    assert not any(who.is_unlocked() for who in others)
    assert housemate.is_unlocked()


def test_somebody_elses_browser_is_not_there(owner: Resident, housemate: Resident) -> None:
    answer = owner.post(f"/settings/browsers/{housemate.get_sign_in().id}/end/")

    assert answer.status_code == 404
    assert housemate.is_unlocked()


def test_following_a_link_ends_nothing(owner: Resident) -> None:
    other = owner.sign_in_elsewhere()

    for path in (f"/settings/browsers/{other.get_sign_in().id}/end/", "/settings/browsers/end-others/"):
        assert owner.get(path)["Location"] == "/settings/browsers/"

    assert other.is_unlocked()


@pytest.mark.parametrize("script", [False, True])
def test_the_forms_need_the_token_of_a_page(owner: Resident, script: bool) -> None:
    other = owner.sign_in_elsewhere()
    client = Client(enforce_csrf_checks=True)
    client.cookies = owner.client.cookies

    answer = client.post("/settings/browsers/end-others/", {"owner": str(owner.id)})

    assert answer.status_code == 403
    assert other.is_unlocked()


def set_stay_days(who: Resident, stay_days: str) -> Any:
    client = Client()
    answer = client.post("/sign-in/", {"name": who.person.name, "password": PASSWORD, "stay_days": stay_days})
    assert answer.status_code in (302, 422)
    return answer


@pytest.mark.parametrize(("stay_days", "days"), [("1", 1), ("7", 7), ("30", 30)])
def test_a_browser_stays_signed_in_for_as_long_as_was_chosen(
    owner: Resident, stay_days: str, days: int
) -> None:
    answer = set_stay_days(owner, stay_days)

    row = SignIn.objects.order_by("-created_at")[0]
    assert answer.cookies[SESSION]["max-age"] == days * 86400
    assert limits.is_expired(row, row.created_at + timedelta(days=days, seconds=5))
    assert not limits.is_expired(row, row.created_at + timedelta(days=days, seconds=-5))


def test_without_a_choice_the_browsers_own_end_is_the_end(owner: Resident) -> None:
    assert set_stay_days(owner, "").cookies[SESSION]["max-age"] == ""


@pytest.mark.parametrize("stay_days", ["365", "-1", "x", "31"])
def test_nobody_stays_longer_than_the_household_allows(owner: Resident, stay_days: str) -> None:
    assert set_stay_days(owner, stay_days).status_code == 422


def test_a_shorter_limit_of_the_household_is_the_longest_choice(settings: Any) -> None:
    settings.SIGN_IN_DAYS = 5

    assert limits.list_sign_in_days() == [1, 5]


def test_a_sign_in_past_its_days_is_nobodys(owner: Resident) -> None:
    update_sign_ins(ends_at=timezone.now() - timedelta(seconds=1))

    assert open_session(owner.get_cookie()).person is None


def test_the_sweep_ends_what_is_past_its_days(owner: Resident, housemate: Resident) -> None:
    update_sign_ins(where={"person": owner.person}, ends_at=timezone.now() - timedelta(seconds=1))

    assert sessions_services.end_expired_sessions() == 1
    assert list(SignIn.objects.values_list("person_id", flat=True)) == [housemate.id]


def set_idle_minutes(who: Resident, minutes: int) -> None:
    before = timezone.now() - timedelta(minutes=minutes)
    Unlock.objects.filter(sign_in=who.get_sign_in()).update(last_active=before)


def test_a_person_locks_sooner_than_the_household(owner: Resident, housemate: Resident) -> None:
    owner.set_preferences(idle_minutes=15)
    set_idle_minutes(owner, 16)
    set_idle_minutes(housemate, 16)

    assert (owner.is_unlocked(), housemate.is_unlocked()) == (False, True)


def test_the_sweep_locks_by_each_persons_own_limit(owner: Resident, housemate: Resident) -> None:
    owner.set_preferences(idle_minutes=15)
    set_idle_minutes(owner, 16)
    set_idle_minutes(housemate, 16)

    assert sessions_services.end_expired_sessions() == 1
    assert Unlock.objects.get().sign_in.person_id == housemate.id


def test_nobody_stays_unlocked_longer_than_the_household(owner: Resident, settings: Any) -> None:
    settings.IDLE_MINUTES = 10
    owner.set_preferences(idle_minutes=240)
    set_idle_minutes(owner, 11)

    assert not owner.is_unlocked()


def test_use_moves_a_short_limit_in_time(owner: Resident) -> None:
    owner.set_preferences(idle_minutes=5)
    set_idle_minutes(owner, 2)

    assert owner.is_unlocked()
    assert Unlock.objects.get(sign_in=owner.get_sign_in()).last_active > timezone.now() - timedelta(minutes=1)


def test_a_limit_is_chosen_under_settings(owner: Resident) -> None:
    fields = {"shown_name": "", "time_zone": "UTC", "week_start": "0", "theme": "system"}

    assert owner.post("/settings/", **fields, idle_minutes="15", text_size="large").status_code == 302
    assert owner.post("/settings/", **fields, idle_minutes="9999").status_code == 422

    owner.person.refresh_from_db()
    assert (owner.person.idle_minutes, owner.person.text_size) == (15, "large")
    assert 'data-text-size="large"' in owner.get("/settings/").content.decode()


def test_when_is_said_in_the_words_and_on_the_clock_of_the_person(owner: Resident) -> None:
    owner.person.language, owner.person.clock = "de", 12
    owner.person.save()
    SignIn.objects.update(last_active=datetime(2026, 3, 5, 13, 2, tzinfo=UTC))

    page = owner.get("/settings/browsers/").content.decode()

    assert "5. März 2026, 2:02 pm" in page
