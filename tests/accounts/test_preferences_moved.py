"""Tests of the migrations that move preferences of other apps to the person, in both directions."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import call_command

from llamora.fields import new_id
from llamora.ops.backup.verify_secret import using_database_file

APPS = {"diary": "0004", "traces": "0003", "search": "0002", "accounts": "0008"}
TABLES = {
    "diary_preferences": [(0,)],
    "traces_choices": [(0,)],
    "search_searchpreference": [(0, 1)],
}


def read_choices(database: sqlite3.Connection, person: str) -> list[tuple[int, ...]]:
    columns = "makes_openings, proposes_traces, saves_recent_searches, reads_related_entries"
    return database.execute(f"SELECT {columns} FROM accounts_person WHERE id = ?", [person]).fetchall()


# These migrations are of the past: they change no more.
@pytest.mark.slow
def test_choices_are_copied_and_copied_back(transactional_db: None, tmp_path: Path) -> None:
    path, (chooser, other) = tmp_path / "older.sqlite3", (new_id().hex, new_id().hex)
    with using_database_file(path):
        for app, migration in APPS.items():
            call_command("migrate", app, migration, verbosity=0)
    with closing(sqlite3.connect(path)) as database, database:
        for id_ in (chooser, other):
            insert_person(database, id_)
        database.execute("INSERT INTO diary_preferences (owner_id, makes_openings) VALUES (?, 0)", [chooser])
        database.execute("INSERT INTO traces_choices (owner_id, makes_proposals) VALUES (?, 0)", [chooser])
        database.execute(
            "INSERT INTO search_searchpreference (owner_id, keeps_recent, recalls_for_answers) "
            "VALUES (?, 0, 1)",
            [chooser],
        )

    with using_database_file(path):
        call_command("migrate", verbosity=0)
    with closing(sqlite3.connect(path)) as database:
        assert read_choices(database, chooser) == [(0, 0, 0, 1)]
        assert read_choices(database, other) == [(1, 1, 1, 1)]

    with using_database_file(path):
        for app, migration in APPS.items():
            call_command("migrate", app, migration, verbosity=0)
    with closing(sqlite3.connect(path)) as database:
        for table, choices in TABLES.items():
            rows = database.execute(f"SELECT * FROM {table}").fetchall()
            assert [row[0] for row in rows] == [chooser]
            assert [row[1:] for row in rows] == choices


def insert_person(database: sqlite3.Connection, id_: str) -> None:
    """Insert a person into the table as it was before the migration."""
    columns = database.execute("PRAGMA table_info(accounts_person)").fetchall()
    values: dict[str, object] = {}
    for _, name, kind, is_required, *_ in columns:
        if is_required:
            values[name] = 1 if kind in ("bool", "smallint unsigned") else id_
    values["created_at"] = "2026-11-20 10:00:00"
    database.execute(
        f"INSERT INTO accounts_person ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
        list(values.values()),
    )
