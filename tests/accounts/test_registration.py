"""Tests of registration: set-up links, names, passwords, and the recovery code."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.auth.services import first_run
from accounts.auth.services.registration import create_person
from accounts.errors import AccountsError
from accounts.models import KeySlot, Person, Vault
from llamora.crypto import in_force, parse_recovery_code
from tests.accounts.pages import confirm_code, get_shown_code, list_errors
from tests.people import HERE, NEW_PASSWORD, PASSWORD, SESSION, Resident


def form(**fields: str) -> dict[str, str]:
    return {
        "name": "Nora",
        "password": PASSWORD,
        "password_again": PASSWORD,
        "time_zone": "Asia/Tokyo",
        **fields,
    }


def register(client: Client, **fields: str) -> Any:
    return client.post("/register/", form(**fields))


@pytest.fixture
def token(db: None) -> str:
    return first_run.get_setup_token() or ""


def test_the_set_up_link_makes_the_administrator_who_is_then_inside(stranger: Client, token: str) -> None:
    page = stranger.get(f"/register/?set-up={token}")
    answer = register(stranger, token=token)

    assert page.status_code == answer.status_code == 200
    person = Person.objects.get()
    assert (person.name, person.is_staff, person.time_zone) == ("Nora", True, "Asia/Tokyo")
    assert stranger.get("/settings/").status_code == 200


def test_the_set_up_link_works_once(stranger: Client, token: str) -> None:
    register(stranger, token=token)

    again = Client().get(f"/register/?set-up={token}")
    posted = register(Client(), token=token, name="Second")

    assert again.status_code == posted.status_code == 403
    assert Person.objects.count() == 1


def test_a_wrong_token_is_told_how_to_come_in(stranger: Client, token: str) -> None:
    answer = stranger.get(f"/register/?set-up={token[:-1]}x")

    assert answer.status_code == 403
    assert "New diaries are by invitation" in answer.content.decode()


def test_the_bare_address_of_a_new_household_leads_to_the_set_up_link(stranger: Client, token: str) -> None:
    page = stranger.get("/", follow=True)

    body = page.content.decode()
    assert page.status_code == 200
    assert "Open the set-up link that Llamora printed" in body
    assert 'type="password"' not in body
    assert token not in body


def test_the_bare_address_of_a_household_leads_to_sign_in(owner: Resident, stranger: Client) -> None:
    body = stranger.get("/", follow=True).content.decode()

    assert 'type="password"' in body
    assert "set-up link" not in body


def test_two_who_open_the_link_at_once_make_one_administrator(administrator: Resident) -> None:
    with pytest.raises(AccountsError) as refused:
        create_person(name="Late", password=PASSWORD, time_zone="", is_administrator=True, address=HERE)

    assert refused.value.code == "set_up_done"
    assert not Person.objects.filter(name="Late").exists()


def test_open_registration_makes_no_administrators(
    stranger: Client, administrator: Resident, settings: Any
) -> None:
    settings.REGISTRATION = "open"

    answer = register(stranger)

    assert answer.status_code == 200
    assert not Person.objects.get(name="Nora").is_staff


@pytest.mark.parametrize(
    "name", ["olive ähre", "OLIVE ÄHRE", " Olive  Ähre ", "Olive A\u0308hre", "Olive\u200b Ähre"]
)
def test_a_name_is_taken_however_it_is_spelt(
    stranger: Client, owner: Resident, settings: Any, name: str
) -> None:
    settings.REGISTRATION = "open"

    answer = register(stranger, name=name)

    assert answer.status_code == 422
    assert Person.objects.count() == 2


@pytest.mark.parametrize("name", ["Ärzte", "李雷", "محمد", "Ólafur Þór", "अनन्या", "می‌خواهم", "X"])
def test_names_of_any_script_come_in(
    stranger: Client, administrator: Resident, settings: Any, name: str
) -> None:
    settings.REGISTRATION = "open"

    assert register(stranger, name=name).status_code == 200
    assert Person.objects.find_by_name(name) is not None


@pytest.mark.parametrize("name", ["", "   ", "...", "a" * 65, "a\u202eb", "tab\x07", "nul\x00", "😀"])
def test_names_that_cannot_be_read_are_refused_beside_the_field(
    stranger: Client, administrator: Resident, settings: Any, name: str
) -> None:
    settings.REGISTRATION = "open"

    answer = register(stranger, name=name)

    assert answer.status_code == 422
    assert len(list_errors(answer)) == 1
    assert Person.objects.count() == 1


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short", "at least 10 characters"),
        ("é" * 9, "at least 10 characters"),
        ("correct horse " * 19, "at most 256 characters"),
        ("password1234", "common passwords"),
        ("qwertyuiop", "common passwords"),
        ("noranoranora", "too easy"),
        ("1111111111111111", "too easy"),
    ],
)
def test_a_password_that_would_be_guessed_is_refused_in_a_sentence(
    stranger: Client, token: str, password: str, sentence: str
) -> None:
    answer = register(stranger, token=token, password=password, password_again=password)

    assert answer.status_code == 422
    assert [said for said in list_errors(answer) if sentence in said]
    assert password not in answer.content.decode()
    assert Person.objects.count() == 0


@pytest.mark.parametrize(
    "password",
    [
        "ağustos böceği öter",
        "  spaces at both ends  ",
        "深い海の底の静けさと光と影",
        "x" * 3 + "Kaleidoskop!" * 20,
    ],
)
def test_good_passwords_of_any_script_are_kept_exactly(stranger: Client, token: str, password: str) -> None:
    page = register(stranger, token=token, password=password, password_again=password)
    confirm_code(stranger, page)

    assert Client().post("/sign-in/", {"name": "nora", "password": password}).status_code == 302
    assert Client().post("/sign-in/", {"name": "nora", "password": password.strip() + "."}).status_code == 422


def test_the_two_passwords_must_be_the_same(stranger: Client, token: str) -> None:
    answer = register(stranger, token=token, password_again=NEW_PASSWORD)

    assert list_errors(answer) == ["The passwords don't match."]


def test_a_browser_that_names_no_zone_gets_that_of_the_house(
    stranger: Client, token: str, settings: Any
) -> None:
    settings.HOUSEHOLD_TIME_ZONE = "Europe/Riga"

    register(stranger, token=token, time_zone="Mars/Olympus")

    assert Person.objects.get().time_zone == "Europe/Riga"


def test_the_recovery_code_is_shown_once_and_stored_nowhere(stranger: Client, token: str) -> None:
    code = get_shown_code(register(stranger, token=token))

    secret = parse_recovery_code(code)
    dumped = "\n".join(str(row) for row in connection.connection.iterdump())
    for form_of_it in (code, secret, code.lower()):
        assert form_of_it not in dumped
        assert form_of_it.encode().hex().upper() not in dumped.upper()
    assert code not in str(stranger.get("/settings/").content)


def test_a_vault_has_keys_of_its_own_and_two_key_slots(owner: Resident, housemate: Resident) -> None:
    vault = Vault.objects.get(owner=owner.person)

    with in_force(owner.keyring):
        private, digest = vault.private_key, vault.digest_key
    assert len(private) == len(digest) == len(bytes(vault.public_key)) == 32
    assert sorted(KeySlot.objects.filter(owner=owner.person).values_list("kind", flat=True)) == [
        "password",
        "recovery",
    ]
    assert bytes(Vault.objects.get(owner=housemate.person).public_key) != bytes(vault.public_key)


@pytest.mark.django_db(transaction=True)
def test_two_registrations_of_one_name_at_once_end_in_a_sentence() -> None:
    refused: list[str] = []

    def enrol(address: str) -> None:
        try:
            create_person(
                name="Nora", password=PASSWORD, time_zone="", is_administrator=False, address=address
            )
        except AccountsError as error:
            refused.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=enrol, args=(f"192.0.2.{n}",)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Both may have derived at once, or the queue let only one do so.
    assert len(refused) == 1
    assert refused[0] in ("name_taken", "busy")
    assert Person.objects.count() == Vault.objects.count() == 1


def test_the_answer_with_the_code_is_not_to_be_stored(stranger: Client, token: str) -> None:
    answer = register(stranger, token=token)

    assert answer["Cache-Control"] == "no-store"
    assert SESSION in answer.cookies


UNCONFIRMED = "You have not confirmed the current one."


@pytest.mark.django_db(transaction=True)
def test_whoever_closes_the_page_of_the_code_gets_another_one(stranger: Client, token: str) -> None:
    """As after a new code in the settings: nobody knows whether it was ever on a screen."""
    lost = get_shown_code(register(stranger, token=token))

    in_settings = stranger.get("/settings/").content.decode()
    page = Client().post("/sign-in/", {"name": "Nora", "password": PASSWORD})

    assert UNCONFIRMED in in_settings
    assert "This is a new code." in page.content.decode()
    new = get_shown_code(page)
    assert new != lost
    recovering = {"name": "Nora", "password": NEW_PASSWORD, "password_again": NEW_PASSWORD}
    assert Client().post("/recover/", {**recovering, "code": lost}).status_code == 422
    assert Client().post("/recover/", {**recovering, "code": new}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_whoever_confirms_the_code_goes_on_with_it(stranger: Client, token: str) -> None:
    page = register(stranger, token=token)

    confirm_code(stranger, page)
    stranger.post("/lock/")
    unlocked = stranger.post("/unlock/", {"password": PASSWORD})

    assert (unlocked.status_code, unlocked["Location"]) == (302, "/")
    assert UNCONFIRMED not in stranger.get("/settings/").content.decode()
    assert Vault.objects.get().epoch == 1


def test_a_person_signed_in_is_not_asked_to_register(owner: Resident, settings: Any) -> None:
    settings.REGISTRATION = "open"

    assert owner.get("/register/")["Location"] == "/"


def test_registering_where_somebody_is_signed_in_ends_their_session(owner: Resident, settings: Any) -> None:
    settings.REGISTRATION = "open"
    before = owner.get_sign_in()

    register(owner.client)

    assert not Person.objects.get(name="Olive Ähre").sign_ins.filter(id=before.id).exists()
    assert owner.get_sign_in().person.name == "Nora"


def test_people_of_one_household_share_no_key(owner: Resident, housemate: Resident) -> None:
    assert owner.data_key != housemate.data_key
    assert owner.recovery_code != housemate.recovery_code
