"""Tests that expired sessions end while nobody uses the diary."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import SignIn, Unlock
from accounts.signals import vault_locked
from diary.models import Entry
from llamora.ops import background
from tests.fakes.waiting import PATIENCE, wait_for
from tests.people import Resident, new_resident


@pytest.fixture
def record_locks() -> Iterator[list[Any]]:
    """Record the people of `vault_locked` signals."""
    heard: list[Any] = []

    def hears(person_id: Any, **_: Any) -> None:
        heard.append(person_id)

    vault_locked.connect(hears)
    yield heard
    vault_locked.disconnect(hears)


@pytest.fixture
def olive(transactional_db: None) -> Resident:
    return new_resident("Olive")


def run_sweep(is_done: Callable[[], bool]) -> None:
    """Sweep until it has done what it should; it never ends by itself."""

    async def main() -> None:
        sweeping = asyncio.ensure_future(background.sweep_sessions())
        # In a thread, since the condition may ask the database.
        await asyncio.to_thread(wait_for, is_done)
        assert not sweeping.done()
        sweeping.cancel()

    asyncio.run(main())


def test_an_idle_vault_is_locked_and_those_above_hear_of_it(
    olive: Resident, record_locks: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "SWEEP_SECONDS", 0.05)
    long_ago = timezone.now() - timedelta(minutes=settings.IDLE_MINUTES + 1)
    Unlock.objects.update(last_active=long_ago)

    run_sweep(lambda: bool(record_locks))

    assert not Unlock.objects.exists()
    assert SignIn.objects.count() == 1
    assert record_locks == [olive.id]


def test_a_trigger_that_we_did_not_create_is_removed_while_the_server_runs(
    olive: Resident, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(background, "SWEEP_SECONDS", 0.05)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TRIGGER planted BEFORE INSERT ON diary_entry BEGIN SELECT RAISE(IGNORE); END")

    run_sweep(lambda: "that Llamora did not create. Deleted." in caplog.text)

    olive.write("Tea with Anna.")
    assert Entry.objects.count() == 1


def test_a_round_that_fails_does_not_end_the_rounds(
    olive: Resident, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(background, "SWEEP_SECONDS", 0.05)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_unlock RENAME TO elsewhere")
    try:
        run_sweep(lambda: caplog.text.count("could not be deleted") > 2)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO accounts_unlock")

    assert caplog.text.count("could not be deleted") > 2


def test_a_database_file_that_is_replaced_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "SWEEP_SECONDS", 0.01)
    database, other = tmp_path / "llamora.sqlite3", tmp_path / "other.sqlite3"
    database.write_bytes(b"first")
    other.write_bytes(b"first")
    monkeypatch.setitem(connection.settings_dict, "NAME", str(database))

    async def main() -> str:
        watching = asyncio.ensure_future(background.watch_database_file())
        await asyncio.sleep(0.1)
        assert not watching.done()
        database.write_bytes(b"what a program writes in place")
        await asyncio.sleep(0.1)
        assert not watching.done()
        other.replace(database)
        return await asyncio.wait_for(watching, PATIENCE)

    message = asyncio.run(main())

    assert f"{database} was replaced or removed while Llamora ran" in message
