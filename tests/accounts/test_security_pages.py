"""Tests of the pages for a new password, a new recovery code and a new key."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.middleware import POLL_HEADER
from accounts.models import FormerKey, KeySlot, SignIn, Vault
from accounts.rotation import background
from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from accounts.sessions.services import open_session
from accounts.throttling.throttle import PAIR
from llamora.crypto import encode_header
from llamora.fields.fence import drop_triggers
from tests.accounts.pages import confirm_code, get_shown_code, list_errors
from tests.people import NEW_PASSWORD, PASSWORD, Resident

PATHS = {
    "/settings/password/": {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD},
    "/settings/recovery-code/": {},
    "/settings/key/": {},
    "/settings/somebody-had-my-key/": {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD},
    "/settings/leave/": {},
}
every_path = pytest.mark.parametrize("path", PATHS)


@pytest.fixture(autouse=True)
def _no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the thread that finishes a rotation; the tests finish it themselves."""
    monkeypatch.setattr(background, "start_rotation_thread", lambda keyring: True)


def submit(who: Resident, path: str, *, current: str = PASSWORD, **fields: str) -> Any:
    return who.post(path, current=current, **{**PATHS[path], **fields})


def sign_in(name: str, password: str) -> bool:
    return bool(Client().post("/sign-in/", {"name": name, "password": password}).status_code == 302)


def recover(name: str, code: str) -> bool:
    fields = {"name": name, "code": code, "password": "a third thing entirely", "password_again": ""}
    fields["password_again"] = fields["password"]
    return bool(Client().post("/recover/", fields).status_code == 200)


def list_key_rows(who: Resident) -> list[bytes]:
    return [bytes(slot.box) for slot in KeySlot.objects.filter(owner=who.person).order_by("id")]


@every_path
def test_looking_changes_nothing(owner: Resident, path: str) -> None:
    before = list_key_rows(owner)

    assert owner.get(path).status_code == 200
    assert list_key_rows(owner) == before
    assert owner.is_unlocked()


@every_path
def test_the_password_is_asked_for_again(owner: Resident, path: str) -> None:
    before = list_key_rows(owner)

    wrong, missing = submit(owner, path, current="not this one"), submit(owner, path, current="")

    assert (wrong.status_code, missing.status_code) == (422, 422)
    assert list_errors(wrong) == ["Wrong password."]
    assert list_key_rows(owner) == before


@every_path
def test_a_password_that_was_replaced_does_nothing(owner: Resident, path: str) -> None:
    submit(owner, "/settings/password/")
    before = list_key_rows(owner)

    assert submit(owner, path, current=PASSWORD).status_code == 422
    assert list_key_rows(owner) == before


class FixedClock:
    """A clock that does not advance."""

    def monotonic(self) -> float:
        return 1_000.0


@every_path
def test_wrong_passwords_are_slowed_down(owner: Resident, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr("accounts.throttling.throttle.PATIENCE", 0.0)
    # On a busy machine the second that is to be waited passes while the next try is under way.
    monkeypatch.setattr("accounts.throttling.throttle.time", FixedClock())
    before = list_key_rows(owner)

    answers = [submit(owner, path, current=f"wrong {number}") for number in range(PAIR.free + 1)]
    right = submit(owner, path)

    assert [answer.status_code for answer in answers[:-1]] == [422] * PAIR.free
    assert {answers[-1].status_code, right.status_code} == {429}
    assert int(right["Retry-After"]) >= 1
    assert "try again" in list_errors(right)[0]
    assert list_key_rows(owner) == before


@every_path
def test_the_page_of_somebody_else_does_nothing(owner: Resident, housemate: Resident, path: str) -> None:
    before = list_key_rows(owner)

    answer = owner.client.post(path, {"owner": str(housemate.id), "current": PASSWORD, **PATHS[path]})

    assert answer.status_code == 409
    assert list_key_rows(owner) == before


@every_path
def test_without_the_token_of_a_page_nothing_is_done(owner: Resident, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = owner.client.cookies
    before = list_key_rows(owner)

    answer = client.post(path, {"owner": str(owner.id), "current": PASSWORD, **PATHS[path]})

    assert answer.status_code == 403
    assert list_key_rows(owner) == before


@every_path
def test_a_locked_diary_shows_none_of_it(owner: Resident, path: str) -> None:
    owner.lock()

    assert owner.get(path)["Location"].startswith("/unlock/?next=")
    assert submit(owner, path)["Location"].startswith("/unlock/")
    assert Client().get(path)["Location"].startswith("/sign-in/?next=")


def test_a_new_password_opens_and_the_old_one_does_not(owner: Resident) -> None:
    answer = submit(owner, "/settings/password/")

    assert answer["Location"] == "/settings/"
    assert "password is changed" in owner.get("/settings/").content.decode()
    assert not sign_in("Olive Ähre", PASSWORD)
    assert sign_in("Olive Ähre", NEW_PASSWORD)


def test_a_new_password_ends_the_other_sessions(owner: Resident, housemate: Resident) -> None:
    other = owner.sign_in_elsewhere()

    submit(owner, "/settings/password/")

    assert owner.is_unlocked()
    assert not other.is_unlocked()
    assert housemate.is_unlocked()


@pytest.mark.django_db(transaction=True)
def test_a_new_password_rotates_the_key_as_well(owner: Resident) -> None:
    submit(owner, "/settings/password/")

    assert Vault.objects.get(owner=owner.person).epoch == 2
    assert owner.is_unlocked()
    assert sign_in("Olive Ähre", NEW_PASSWORD)
    assert recover("Olive Ähre", owner.recovery_code)


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "short", "password_again": "short"},
        {"password": "olive ähre olive", "password_again": "olive ähre olive"},
        {"password_again": "something else entirely"},
    ],
)
def test_a_poor_password_is_refused_beside_its_field(owner: Resident, fields: dict[str, str]) -> None:
    before = list_key_rows(owner)

    answer = submit(owner, "/settings/password/", **fields)

    assert answer.status_code == 422
    assert len(list_errors(answer)) == 1
    assert list_key_rows(owner) == before


def test_a_new_code_is_shown_once_and_the_old_one_is_dead(owner: Resident) -> None:
    answer = submit(owner, "/settings/recovery-code/")

    code = get_shown_code(answer)
    assert code != owner.recovery_code
    assert "no-store" in answer["Cache-Control"]
    assert not recover("Olive Ähre", owner.recovery_code)
    assert recover("Olive Ähre", code)


def test_after_a_new_code_one_goes_on_to_the_settings(owner: Resident) -> None:
    page = submit(owner, "/settings/recovery-code/")

    assert confirm_code(owner.client, page)["Location"] == "/settings/"


def test_a_new_code_ends_the_other_sessions_and_rotates_the_key(owner: Resident) -> None:
    other = owner.sign_in_elsewhere()

    submit(owner, "/settings/recovery-code/")

    assert Vault.objects.get(owner=owner.person).epoch == 2

    assert (owner.is_unlocked(), other.is_unlocked()) == (True, False)


@pytest.mark.django_db(transaction=True)
def test_a_new_key_signs_the_others_out_and_stays_open_here(owner: Resident) -> None:
    other = owner.sign_in_elsewhere()

    answer = submit(owner, "/settings/key/")

    assert answer["Location"] == "/settings/key/"
    assert (owner.is_unlocked(), other.is_unlocked()) == (True, False)
    assert Vault.objects.get(owner=owner.person).epoch == 2
    assert sign_in("Olive Ähre", PASSWORD)


@pytest.mark.django_db(transaction=True)
def test_the_page_says_how_far_a_new_key_has_come(owner: Resident) -> None:
    submit(owner, "/settings/key/")

    under_way = owner.get("/settings/key/").content.decode()
    fragment = owner.get("/settings/key/progress/", script=True).content.decode()
    rotation_services.resume_rotation(open_session(owner.get_cookie()).keyring)
    done = owner.get("/settings/key/progress/", script=True).content.decode()

    assert "is being encrypted with the new key" in under_way
    assert 'hx-trigger="every 2s"' in fragment
    assert not FormerKey.objects.exists()
    assert "Done" in done
    assert "hx-trigger" not in done


@pytest.mark.django_db(transaction=True)
def test_asking_how_far_it_is_keeps_nobody_unlocked(owner: Resident) -> None:
    submit(owner, "/settings/key/")

    fragment = owner.get("/settings/key/progress/").content.decode()

    assert f'"{POLL_HEADER}": "1"' in fragment


@pytest.mark.django_db(transaction=True)
def test_somebody_had_my_key_replaces_everything(owner: Resident) -> None:
    other, old = owner.sign_in_elsewhere(), list_key_rows(owner)

    answer = submit(owner, "/settings/somebody-had-my-key/")

    code = get_shown_code(answer)
    assert confirm_code(owner.client, answer).status_code == 302
    assert (owner.is_unlocked(), other.is_unlocked()) == (True, False)
    assert not sign_in("Olive Ähre", PASSWORD)
    assert sign_in("Olive Ähre", NEW_PASSWORD)
    assert not recover("Olive Ähre", owner.recovery_code)
    assert recover("Olive Ähre", code)
    assert not set(old) & set(list_key_rows(owner))
    # Once for the reset, and once for the recovery just now.
    assert Vault.objects.get(owner=owner.person).epoch == 3


@pytest.mark.parametrize("path", ["/settings/key/", "/settings/somebody-had-my-key/"])
def test_whoever_copied_this_browsers_cookie_is_out_as_well(owner: Resident, path: str) -> None:
    copied = owner.get_cookie()

    submit(owner, path)

    assert open_session(copied).person is None
    assert owner.is_unlocked()
    assert owner.get_cookie().sign_in_id == copied.sign_in_id


def test_a_cookie_without_a_sign_in_proves_nothing(owner: Resident) -> None:
    SignIn.objects.filter(person=owner.person).delete()

    assert submit(owner, "/settings/recovery-code/")["Location"].startswith("/sign-in/")


@pytest.mark.django_db(transaction=True)
def test_the_page_of_the_key_counts_what_is_damaged(owner: Resident) -> None:
    assert "damaged" not in owner.get("/settings/key/").content.decode()
    drop_triggers(connection)
    begun = begin_rotation(owner.open_slot(), current_cookie=owner.get_cookie())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_browserkey SET secret = %s", [encode_header(2, 1) + bytes(150)])
    rotation_services.resume_rotation(begun.keyring)

    page = owner.get("/settings/key/").content.decode()

    assert "damaged and can't be decrypted." in " ".join(page.split())
