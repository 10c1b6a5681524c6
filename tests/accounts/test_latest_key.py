"""Tests that a browser detects an old database, and that its person can sign in after restoring a backup."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.errors import InvalidToken
from accounts.models import KeySlot, Vault
from accounts.rotation.background import stop_rotation_threads
from accounts.rotation.sealed_tables import list_sealed_tables
from accounts.rotation.services import resume_rotation
from llamora.crypto import TokenKind
from tests.fakes.waiting import PATIENCE
from tests.page import read
from tests.people import NEW_PASSWORD, PASSWORD, Resident, register_resident
from tests.tokens import make_token, use_token

pytestmark = pytest.mark.django_db(transaction=True)
SENTENCE = "This diary was set back to how it was"


@pytest.fixture
def olive() -> Iterator[Resident]:
    yield register_resident("Olive", entries=3)
    stop_rotation_threads(timeout=PATIENCE)


def copy_rows(owner: Resident) -> Callable[[], None]:
    """Copy every row of a person that a key seals; return a function that puts all of it back."""
    tables = [table.name.strip('"') for table in list_sealed_tables()] + [KeySlot._meta.db_table]
    copies: dict[str, list[Any]] = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}" WHERE owner_id = %s', [owner.id.hex])
            copies[table] = cursor.fetchall()

    def put_back() -> None:
        with connection.constraint_checks_disabled(), connection.cursor() as cursor:
            # The vault first: the others are compared with its epoch.
            for table in sorted(tables, key=lambda name: name != Vault._meta.db_table):
                cursor.execute(f'DELETE FROM "{table}" WHERE owner_id = %s', [owner.id.hex])
                for row in copies[table]:
                    marks = ", ".join(["%s"] * len(row))
                    cursor.execute(f'INSERT INTO "{table}" VALUES ({marks})', row)

    return put_back


def set_back(olive: Resident) -> None:
    """Let a browser see a later key, then put everything back as it was before."""
    olive.sign_in()
    put_back = copy_rows(olive)
    answer = olive.post(
        "/settings/password/", current=PASSWORD, password=NEW_PASSWORD, password_again=NEW_PASSWORD
    )
    assert answer.status_code == 302
    stop_rotation_threads(timeout=PATIENCE)
    olive.password = NEW_PASSWORD
    resume_rotation(olive.open_keyring())
    olive.post("/sign-out/")
    put_back()
    olive.password = PASSWORD


def sign_in(olive: Resident, **fields: str) -> Any:
    return olive.client.post("/sign-in/", {"name": "Olive", "password": PASSWORD, **fields})


def test_a_browser_that_saw_a_later_key_asks_whether_a_backup_was_restored(olive: Resident) -> None:
    set_back(olive)

    page = sign_in(olive)

    assert page.status_code == 422
    assert SENTENCE in page.content.decode()
    assert read(page).one('[name="backup_restored"]').attributes["type"] == "checkbox"
    assert not olive.is_unlocked()


def test_who_restored_a_backup_is_let_in_and_not_asked_again(olive: Resident) -> None:
    set_back(olive)

    assert sign_in(olive, backup_restored="on").status_code == 302

    assert olive.read_all() == olive.written
    olive.post("/sign-out/")
    assert sign_in(olive).status_code == 302


def test_a_browser_that_saw_no_later_key_does_not_ask(olive: Resident) -> None:
    set_back(olive)

    assert Client().post("/sign-in/", {"name": "Olive", "password": PASSWORD}).status_code == 302


def test_a_locked_browser_asks_too(olive: Resident) -> None:
    olive.sign_in()
    name, value = next((n, c.value) for n, c in olive.client.cookies.items() if "latest" in n)
    put_back = copy_rows(olive)
    answer = olive.post("/settings/key/", current=PASSWORD)
    assert answer.status_code == 302
    stop_rotation_threads(timeout=PATIENCE)
    resume_rotation(olive.open_keyring())
    olive.lock()
    assert olive.client.cookies[name].value != value
    put_back()

    page = olive.client.post("/unlock/", {"password": PASSWORD})

    assert SENTENCE in page.content.decode()
    assert olive.client.post("/unlock/", {"password": PASSWORD, "backup_restored": "on"}).status_code == 302
    assert olive.is_unlocked()


def test_a_cookie_of_another_household_or_person_asks_nothing(olive: Resident) -> None:
    olive.sign_in()
    name, value = next((n, c.value) for n, c in olive.client.cookies.items() if "latest" in n)
    olive.post("/sign-out/")
    for forged in (f"9{value[1:]}", "9.00.00", "", ".", "a.b.c", "9" * 400):
        olive.client.cookies[name] = forged

        assert sign_in(olive).status_code == 302
        olive.post("/sign-out/")


def test_the_box_is_not_shown_without_reason(olive: Resident) -> None:
    assert "backup_restored" not in Client().get("/sign-in/").content.decode()
    assert "backup_restored" not in sign_in(olive, password="wrong all the same").content.decode()


def test_the_cookie_names_nobody_and_no_script_reads_it(olive: Resident) -> None:
    olive.sign_in()

    name, cookie = next((n, c) for n, c in olive.client.cookies.items() if "latest" in n)

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert "Olive" not in name + cookie.value
    assert olive.id.hex not in name + cookie.value


def test_who_restored_a_backup_confirms_their_access_tokens_again(olive: Resident) -> None:
    olive.sign_in()
    text = make_token(olive, TokenKind.DROP)
    set_back(olive)
    use_token(text)

    assert sign_in(olive, backup_restored="on").status_code == 302

    with pytest.raises(InvalidToken):
        use_token(text)
