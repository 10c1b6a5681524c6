"""Tests of the command `users`: list people, disable and enable them."""

import io

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Person, SignIn
from tests.people import Resident, new_resident


@pytest.fixture
def administrator(db: None) -> Resident:
    administrator = new_resident("Kay")
    Person.objects.filter(id=administrator.id).update(is_staff=True)
    return administrator


@pytest.fixture
def owner(administrator: Resident) -> Resident:
    return new_resident("Olive")


def run_users(**options: str) -> str:
    out = io.StringIO()
    call_command("users", stdout=out, **options)
    return out.getvalue()


def test_everybody_is_listed_with_what_shows_without_a_key(administrator: Resident, owner: Resident) -> None:
    lines = run_users().splitlines()

    assert lines[0].startswith("Kay, administrator: 0 ways to unlock, 1 browser signed in, since 20")
    assert lines[1].startswith("Olive: ")


@pytest.mark.parametrize("command", ["users", "stats"])
def test_a_name_that_was_changed_in_the_database_writes_no_line_and_moves_no_cursor(
    administrator: Resident, command: str
) -> None:
    Person.objects.filter(id=administrator.id).update(name="Olive\x1b[2J\nKay: all is well.\r\x9b1A\u202e")
    out = io.StringIO()

    call_command(command, stdout=out)

    text = out.getvalue()
    assert text.startswith("Olive\ufffd[2J\ufffdKay: all is well.\ufffd\ufffd1A\ufffd")
    assert not any(line.startswith("Kay") for line in text.splitlines())
    assert all(sign.isprintable() or sign in "\n\ufffd" for sign in text)


def test_whoever_is_switched_off_is_let_in_no_more_and_keeps_everything(
    administrator: Resident, owner: Resident
) -> None:
    owner.write("Still here")

    assert run_users(disable="olive") == "Turned off; 1 browser was signed out.\n"

    assert owner.get("/").status_code == 302
    assert not SignIn.objects.filter(person_id=owner.id).exists()
    assert "Olive, turned off" in run_users()
    assert SignIn.objects.filter(person_id=administrator.id).exists()
    run_users(enable="OLIVE")
    assert "turned off" not in run_users()
    assert owner.list_texts() == ["Still here"]


def test_the_last_administrator_is_not_switched_off(administrator: Resident, owner: Resident) -> None:
    with pytest.raises(CommandError, match="only administrator"):
        run_users(disable="Kay")

    assert Person.objects.filter(name="Kay", is_active=True).exists()
    assert SignIn.objects.filter(person_id=administrator.id).exists()


def test_one_of_two_administrators_is(administrator: Resident, owner: Resident) -> None:
    Person.objects.update(is_staff=True)

    run_users(disable="Kay")

    assert not Person.objects.get(name="Kay").is_active


def test_a_name_that_nobody_has_is_refused(administrator: Resident) -> None:
    for option in ("disable", "enable"):
        with pytest.raises(CommandError, match="has that name"):
            run_users(**{option: "Stranger"})
