"""Tests that a planted trigger is removed before the first statement that it could change."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from diary.entries.services import save_entry
from diary.models import Entry
from llamora.database import NotWritten, read_snapshot, write_transaction
from llamora.fields import fence, new_id
from tests.page import read
from tests.people import NEW_PASSWORD, PASSWORD, Resident, register_resident

pytestmark = pytest.mark.django_db(transaction=True)

SKIPS = [
    "CREATE TRIGGER planted BEFORE INSERT ON diary_entry BEGIN SELECT RAISE(IGNORE); END",
    "CREATE TRIGGER planted AFTER INSERT ON diary_entry BEGIN DELETE FROM diary_entry WHERE id = NEW.id; END",
    # Under the name of one of ours.
    """DROP TRIGGER fence_diary_entry_text_insert;
    CREATE TRIGGER fence_diary_entry_text_insert BEFORE INSERT ON diary_entry
    BEGIN SELECT RAISE(IGNORE); END""",
]


@pytest.fixture(autouse=True)
def mended_fence() -> Iterator[None]:
    yield
    fence.install_triggers(connection, fenced=[Entry], vault_table="accounts_vault")


def plant(statements: str, *, resets_number: bool = False) -> None:
    """Change the schema from another connection, as another program does; perhaps hide it."""
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as database:
        (number,) = database.execute("PRAGMA schema_version").fetchone()
        database.executescript(statements)
        if resets_number:
            database.execute(f"PRAGMA schema_version = {number}")


def save(owner: Resident) -> None:
    with owner.unlocked():
        save_entry(owner_id=owner.id, day=owner.today, text="Tea.", key=new_id(), draft_revision=0)


def sign_in(name: str, password: str) -> Any:
    return Client().post("/sign-in/", {"name": name, "password": password})


def list_planted() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name = 'planted'")
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.parametrize("statements", SKIPS)
@pytest.mark.parametrize("is_new_connection", [False, True])
@pytest.mark.parametrize("resets_number", [False, True])
@pytest.mark.every_case
def test_a_save_is_not_lost_to_a_planted_trigger(
    owner: Resident,
    caplog: pytest.LogCaptureFixture,
    statements: str,
    is_new_connection: bool,
    resets_number: bool,
) -> None:
    save(owner)
    plant(statements, resets_number=resets_number)
    if is_new_connection:
        connection.close()

    save(owner)

    assert Entry.objects.count() == 2
    connection.close()
    save(owner)
    assert Entry.objects.count() == 3
    assert list_planted() == []
    assert "that Llamora did not create. Deleted." in caplog.text


def test_a_transaction_that_is_undone_leaves_the_next_one_to_remove_it(owner: Resident) -> None:
    plant(SKIPS[0])
    with write_transaction():
        assert list_planted() == []
        transaction.set_rollback(True)
    assert list_planted() == ["planted"]

    save(owner)

    assert Entry.objects.count() == 1


def test_a_snapshot_reads_and_removes_nothing(owner: Resident) -> None:
    save(owner)
    plant(SKIPS[0])

    with read_snapshot():
        assert Entry.objects.count() == 1

    assert list_planted() == ["planted"]


def test_a_check_that_fails_leaves_no_transaction_open(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> int:
        raise sqlite3.OperationalError("disk I/O error")

    plant(SKIPS[0])
    monkeypatch.setattr(fence, "drop_unknown_triggers_and_views", refuse)
    with pytest.raises((NotWritten, sqlite3.OperationalError)), write_transaction():
        pass
    monkeypatch.undo()

    assert not transaction.get_connection().connection.in_transaction
    save(owner)
    assert Entry.objects.count() == 1


def test_a_new_password_opens_whatever_trigger_was_planted() -> None:
    olive = register_resident("Olive", signed_in=True)
    for table in ("accounts_keyslot", "accounts_vault"):
        for event in ("INSERT", "UPDATE", "DELETE"):
            plant(
                f"CREATE TRIGGER planted_{table}_{event} BEFORE {event} ON {table} "
                "BEGIN SELECT RAISE(IGNORE); END"
            )
    passwords = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}

    answer = olive.post("/settings/password/", current=PASSWORD, **passwords)

    assert answer.status_code == 302, read(answer).text
    assert sign_in("Olive", NEW_PASSWORD).status_code == 302
    assert sign_in("Olive", PASSWORD).status_code == 422
