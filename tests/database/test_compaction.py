"""Tests of compacting the database file: remains of deleted rows are gone, all other data is unchanged."""

import random
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from llamora.clock import services as clock
from llamora.database import compaction, request_compaction, write_transaction
from llamora.database.commit_log import read_number
from llamora.database.transactions import hold_write_lock
from llamora.ops import background
from llamora.ops.backup import create, snapshot
from tests.fakes.waiting import PATIENCE
from tests.people import Resident
from tests.traces.facts.fact_steps import add_fact
from traces.facts import services
from traces.facts.models import Fact

pytestmark = pytest.mark.django_db(transaction=True)


def ask(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def get_files() -> list[Path]:
    path = Path(connection.settings_dict["NAME"])
    return [path, path.with_name(f"{path.name}-wal")]


def read_values() -> set[bytes]:
    """Return a piece of each sealed value in the table that a test made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM made")
        return {bytes(body)[:24] for (body,) in cursor}


def test_no_part_of_a_replaced_or_deleted_value_is_left_in_the_file() -> None:
    pick = random.Random(5)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE made (id TEXT PRIMARY KEY NOT NULL, body BLOB)")
        try:
            written: set[bytes] = set()
            for number in range(1200):
                body = pick.randbytes(pick.randint(150, 1800))
                written.add(body[:24])
                name = f"{pick.randrange(150):04}"
                cursor.execute("INSERT OR REPLACE INTO made VALUES (%s, %s)", [name, body])
                if number % 3 == 0:
                    cursor.execute("DELETE FROM made WHERE id = %s", [f"{pick.randrange(150):04}"])
            left = read_values()

            assert compaction.compact_database()

            content = b"".join(path.read_bytes() for path in get_files())
            assert [piece for piece in written - left if piece in content] == []
            assert all(piece in content for piece in left)
            assert ask("PRAGMA freelist_count") == 0
        finally:
            cursor.execute("DROP TABLE made")


def test_the_file_is_the_same_household_with_the_same_commits(owner: Resident) -> None:
    fact = add_fact(owner, "You live in Bonn")
    before = [ask(f"PRAGMA {name}") for name in ("user_version", "application_id", "journal_mode")]

    assert compaction.compact_database()

    assert [ask(f"PRAGMA {name}") for name in ("user_version", "application_id", "journal_mode")] == before
    assert read_number(connection.connection) == before[0]
    assert ask("PRAGMA integrity_check") == "ok"
    with owner.unlocked():
        assert Fact.objects.get(id=fact.id).body["text"] == "You live in Bonn"


def test_to_forget_a_fact_compacts_the_file_without_waiting_for_it(owner: Resident) -> None:
    fact = add_fact(owner, "You live in Bonn")
    for number in range(40):
        add_fact(owner, f"You know Anna {number} " + "x" * 400)
    with owner.unlocked():
        for other in Fact.objects.for_owner(owner.id).exclude(id=fact.id):
            other.delete()
    assert ask("PRAGMA freelist_count") > 0

    with owner.unlocked():
        services.forget_fact(owner_id=owner.id, fact_id=fact.id)

    assert compaction.wait_for_compaction(PATIENCE)
    assert ask("PRAGMA freelist_count") == 0


def test_it_waits_for_writers_and_requests_are_met_together(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    compact = compaction.compact_database
    has_begun = threading.Event()

    def count() -> bool:
        calls.append(1)
        has_begun.set()
        return compact()

    monkeypatch.setattr(compaction, "compact_database", count)
    with hold_write_lock():
        request_compaction()
        assert has_begun.wait(PATIENCE)
        for _ in range(5):
            request_compaction()
        assert not compaction.wait_for_compaction(0.05)

    assert compaction.wait_for_compaction(PATIENCE)
    assert len(calls) == 2


def test_in_a_transaction_the_file_is_compacted_after_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bool] = []
    monkeypatch.setattr(
        compaction, "compact_database", lambda: bool(calls.append(connection.in_atomic_block)) or True
    )

    with write_transaction():
        request_compaction()
        assert compaction.wait_for_compaction(0)
        assert calls == []

    assert compaction.wait_for_compaction(PATIENCE)
    assert calls == [False]


def test_what_a_stopped_process_left_is_cleared_later_and_is_in_no_backup(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    database, *_ = get_files()
    with monkeypatch.context() as patch, write_transaction():
        patch.setattr(compaction, "_start", lambda: None)
        request_compaction()
    compacted: list[Path] = []
    monkeypatch.setattr(snapshot, "compact_copy", compacted.append)
    files = create.HouseholdFiles(data_dir=tmp_path, database=database, environment={})

    assert compaction.is_compaction_due()
    create.create_backup(files, folder=tmp_path / "backups", now=timezone.now())
    assert len(compacted) == 1
    background.run_daily_round(threading.Event(), pruned_at=clock.read_seconds())
    assert not compaction.is_compaction_due()
    create.create_backup(files, folder=tmp_path / "backups", now=timezone.now())
    assert len(compacted) == 1


def test_a_compaction_that_failed_is_tried_again_and_then_left_to_the_daily_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(compaction, "compact_database", lambda: bool(calls.append(1)))

    request_compaction()

    assert compaction.wait_for_compaction(PATIENCE)
    assert len(calls) == 3
    assert compaction.is_compaction_due()


def test_a_file_that_cannot_be_compacted_is_said_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
        try:
            assert not compaction.compact_database()
        finally:
            cursor.execute("PRAGMA query_only = OFF")

    assert "was not compacted" in caplog.text
