"""Tests of a database file whose pages are damaged, or that has values and references nobody wrote."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.test import Client

from accounts.error_messages import DATABASE_DAMAGED
from diary.models import Draft
from llamora.database import errors
from llamora.ops import background, pruning, startup
from llamora.ops.backup.verify_secret import using_database_file
from tests import data_folder_template
from tests.page import read
from tests.people import Resident, new_resident


@pytest.fixture(autouse=True)
def nothing_found() -> Iterator[None]:
    errors._found_at.clear()
    yield
    errors._found_at.clear()


@pytest.fixture
def other_file(tmp_path: Path) -> Iterator[Path]:
    """A migrated database file of its own, in use."""
    path = tmp_path / "other.sqlite3"
    data_folder_template.copy_database(path)
    with using_database_file(path):
        yield path


def overwrite_table(path: Path, table: str) -> None:
    """Overwrite the first page of a table, as a program does that copies an older file over this one."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("SELECT rootpage FROM sqlite_master WHERE name = %s", [table])
        (page,) = cursor.fetchone()
        cursor.execute("PRAGMA page_size")
        (size,) = cursor.fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(os.urandom(1) * size)


@pytest.mark.django_db(transaction=True)
def test_a_damaged_file_is_named_on_the_page_and_to_monitoring(
    other_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    olive = new_resident("Olive")
    entry = olive.write("Tea with Anna.")
    olive.client.raise_request_exception = False
    assert olive.get(f"/d/{entry.day}/").status_code == 200
    assert Client().get("/healthz").status_code == 200
    overwrite_table(other_file, "diary_entry")

    answer = olive.get(f"/d/{entry.day}/")

    assert answer.status_code == 503
    assert DATABASE_DAMAGED in read(answer).text
    assert "manage.py doctor" in caplog.text
    health = Client().get("/healthz")
    assert (health.status_code, health.json()["database"]) == (503, "damaged")


@pytest.mark.django_db(transaction=True)
def test_nothing_is_deleted_from_a_damaged_file(
    other_file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pruned: list[Any] = []
    monkeypatch.setattr(background, "is_backup_due", lambda: False)
    monkeypatch.setattr(pruning, "prune", lambda **_: pruned.append(1) or Mock(problems=[]))
    background.run_daily_round(threading.Event())
    assert pruned == [1]
    overwrite_table(other_file, "diary_entry")

    assert background.run_daily_round(threading.Event()) is None

    assert pruned == [1]
    assert "The database file is damaged: " in caplog.text
    assert Client().get("/healthz").json()["database"] == "damaged"


@pytest.mark.django_db(transaction=True)
def test_a_value_larger_than_any_of_ours_is_not_loaded(owner: Resident) -> None:
    entry = owner.write("Tea with Anna.")
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as database, database:
        database.execute("DROP TRIGGER fence_diary_entry_text_update")
        statement = "UPDATE diary_entry SET text = zeroblob(67108865) WHERE id = ?"
        database.execute(statement, [entry.id.hex])
    owner.client.raise_request_exception = False

    answer = owner.get(f"/d/{entry.day}/")

    assert (answer.status_code, DATABASE_DAMAGED in read(answer).text) == (503, True)
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as database, database:
        database.execute("UPDATE diary_entry SET text = x'00'")
    startup.restore_fence()


def plant_loose_draft(path: Path, *, id_: str) -> None:
    """Write a draft whose owner does not exist, as another program does that turns foreign keys off."""
    with closing(sqlite3.connect(path)) as database, database:
        for trigger in ("insert", "update"):
            database.execute(f"DROP TRIGGER IF EXISTS fence_diary_draft_text_{trigger}")
        columns = {name: kind for _, name, kind, *_ in database.execute("PRAGMA table_info(diary_draft)")}
        values = {name: id_ if "char(32)" in kind else 1 for name, kind in columns.items()}
        named = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        database.execute(f"INSERT INTO diary_draft ({named}) VALUES ({marks})", list(values.values()))


@pytest.mark.django_db(transaction=True)
def test_a_row_without_its_owner_prevents_no_update(other_file: Path) -> None:
    call_command("migrate", "diary", "0012", verbosity=0)
    plant_loose_draft(other_file, id_="01" * 16)

    startup.prepare_database(backup_first=False)

    assert Draft.objects.count() == 1
    assert not startup.has_unapplied_migrations()
    with pytest.raises(IntegrityError):
        connection.check_constraints()


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_loses_a_reference_is_refused(other_file: Path) -> None:
    database: Any = connection
    plant_loose_draft(other_file, id_="01" * 16)
    database.accept_dangling_rows()
    database.check_constraints()
    plant_loose_draft(other_file, id_="02" * 16)

    with pytest.raises(IntegrityError):
        database.check_constraints()
