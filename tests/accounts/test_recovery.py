"""Tests of recovery with the code: the password, the code and their slots are replaced."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import KeySlot, SignIn
from llamora.crypto import in_force
from tests.accounts.conftest import CountingQueue
from tests.accounts.pages import confirm_code, get_shown_code, list_errors
from tests.people import NEW_PASSWORD, PASSWORD, Resident


def recover(
    client: Client, name: str, code: str, password: str = NEW_PASSWORD, again: str | None = None
) -> Any:
    fields = {"name": name, "code": code, "password": password, "password_again": again or password}
    return client.post("/recover/", fields)


def test_the_code_lets_somebody_in_with_a_new_password_and_a_new_code(
    owner: Resident, stranger: Client
) -> None:
    answer = recover(stranger, "olive ähre", owner.recovery_code)

    assert answer.status_code == 200
    assert get_shown_code(answer) != owner.recovery_code
    assert stranger.get("/settings/").status_code == 200
    assert confirm_code(stranger, answer).status_code == 302
    assert Client().post("/sign-in/", {"name": "olive ähre", "password": NEW_PASSWORD}).status_code == 302


def test_what_was_sealed_before_still_opens(owner: Resident, stranger: Client) -> None:
    vault = owner.person.vault
    with in_force(owner.keyring):
        before = vault.digest_key

    recover(stranger, "olive ähre", owner.recovery_code)

    vault.refresh_from_db()
    owner.password = NEW_PASSWORD
    with in_force(owner.open_keyring()):
        assert vault.digest_key == before


def test_the_old_password_the_old_code_and_the_old_sessions_are_dead(
    owner: Resident, stranger: Client
) -> None:
    recover(stranger, "olive ähre", owner.recovery_code)

    assert not owner.is_unlocked()
    assert Client().post("/sign-in/", {"name": "olive ähre", "password": PASSWORD}).status_code == 422
    assert recover(Client(), "olive ähre", owner.recovery_code).status_code == 422
    assert SignIn.objects.filter(person=owner.person).count() == 1


def test_the_new_code_works_as_well(owner: Resident) -> None:
    new_code = get_shown_code(recover(Client(), "olive ähre", owner.recovery_code))

    assert recover(Client(), "olive ähre", new_code, "nine lanterns at the quay").status_code == 200


@pytest.mark.parametrize(
    "typed", [str.lower, lambda c: c.replace("-", " "), lambda c: c.replace("0", "O").replace("1", "l")]
)
def test_a_code_is_read_as_people_write_it(owner: Resident, typed: Any) -> None:
    assert recover(Client(), "olive ähre", typed(owner.recovery_code)).status_code == 200


def test_a_code_that_is_none_is_told_apart_before_anything_is_derived(
    owner: Resident, stranger: Client, derivations: CountingQueue
) -> None:
    answer = recover(
        stranger, "olive ähre", owner.recovery_code[:-1] + ("0" if owner.recovery_code[-1] != "0" else "1")
    )

    assert answer.status_code == 422
    assert "incomplete or mistyped" in list_errors(answer)[0]
    assert derivations.costs == []


def test_unknown_names_and_wrong_codes_get_the_same_words_and_the_same_work(
    owner: Resident, housemate: Resident, derivations: CountingQueue
) -> None:
    answers = [
        recover(Client(REMOTE_ADDR=f"192.0.2.{n}"), name, housemate.recovery_code)
        for n, name in enumerate(["olive ähre", "nobody here"])
    ]

    assert {answer.status_code for answer in answers} == {422}
    assert len({tuple(list_errors(answer)) for answer in answers}) == 1
    assert len(derivations.costs) == 2


def test_a_weak_new_password_changes_nothing(owner: Resident, stranger: Client) -> None:
    before = set(KeySlot.objects.values_list("id", flat=True))

    answer = recover(stranger, "olive ähre", owner.recovery_code, "oliveähre1")

    assert answer.status_code == 422
    assert set(KeySlot.objects.values_list("id", flat=True)) == before
    assert owner.is_unlocked()


def test_a_housemate_loses_nothing(owner: Resident, housemate: Resident, stranger: Client) -> None:
    recover(stranger, "olive ähre", owner.recovery_code)

    assert housemate.is_unlocked()
    assert recover(Client(), "humphrey", housemate.recovery_code).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_no_byte_of_the_old_slots_is_left_in_the_database_or_its_log(
    owner: Resident, stranger: Client
) -> None:
    old = [bytes(slot.sealed_private) for slot in KeySlot.objects.filter(owner=owner.person)]
    path = Path(connection.settings_dict["NAME"])
    assert _find_in_file(old, path) > 0

    recover(stranger, "olive ähre", owner.recovery_code)

    assert _find_in_file(old, path) == 0


def _find_in_file(needles: list[bytes], path: Path) -> int:
    files = [path, path.with_name(path.name + "-wal")]
    data = b"".join(file.read_bytes() for file in files if file.exists())
    return sum(data.count(needle[:64]) for needle in needles)
