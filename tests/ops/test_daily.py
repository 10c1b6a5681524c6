"""Tests of the daily backup and pruning of `up`, and of `manage.py prune` and `stats`."""

import asyncio
import io
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Person, SignIn
from diary.entries.services import edit_entry
from diary.models import Entry, Version
from llamora.database import backup_files
from llamora.ops import background, pruning
from llamora.ops.backup import create, restore
from tests.clock.records import settle_clock
from tests.fakes.waiting import PATIENCE, until, wait_for
from tests.people import Resident, new_resident
from tests.sign_in_updates import update_sign_ins

NOW = datetime(2026, 11, 20, 10, 15, tzinfo=UTC)


@pytest.fixture
def own_folder(tmp_path: Path, settings: Any) -> Path:
    settings.DATA_DIR, settings.BACKUP_DIR = tmp_path, tmp_path / "backups"
    return tmp_path


@pytest.fixture
def olive(transactional_db: None, own_folder: Path) -> Resident:
    return new_resident("Olive")


def run_background_task(seconds: float, *, after: Callable[[], bool] = lambda: True) -> float:
    """Run the background task as `up` does and cancel it; return the duration of the cancellation."""

    async def main() -> float:
        task = asyncio.ensure_future(background.run_daily_rounds())
        await until(after)
        await asyncio.sleep(seconds)
        began = time.monotonic()
        task.cancel()
        await asyncio.wait([task])
        return time.monotonic() - began

    return asyncio.run(main())


def list_backups(folder: Path) -> list[str]:
    return sorted(os.listdir(folder / "backups")) if (folder / "backups").is_dir() else []


def test_a_backup_is_made_and_the_next_not_before_a_day_is_over(
    olive: Resident, own_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(background, "FIRST_ROUND_SECONDS", 0.05)
    monkeypatch.setattr(background, "ROUND_SECONDS", 0.1)
    caplog.set_level("INFO")

    # Several rounds more.
    run_background_task(0.5, after=lambda: "A backup was made" in caplog.text)

    assert len(list_backups(own_folder)) == 1
    assert caplog.text.count("A backup was made") == 1
    assert "Olive" not in caplog.text


def test_the_first_diary_of_a_new_household_need_not_wait_for_its_backup(
    transactional_db: None,
    own_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(background, "FIRST_ROUND_SECONDS", 0.05)
    assert background.ROUND_SECONDS >= 600
    caplog.set_level("INFO")

    def register() -> None:
        wait_for(lambda: "Deleted because they had expired" in caplog.text)
        new_resident("Olive")
        connection.close()

    arrival = threading.Thread(target=register)
    arrival.start()
    run_background_task(0, after=lambda: "A backup was made" in caplog.text)
    arrival.join()

    assert len(list_backups(own_folder)) == 1


def test_nothing_is_done_in_the_first_minute(olive: Resident, own_folder: Path) -> None:
    run_background_task(0.3)

    assert list_backups(own_folder) == []
    assert background.FIRST_ROUND_SECONDS >= 60


def test_a_household_without_people_and_one_that_wants_none_has_none(
    transactional_db: None, own_folder: Path, settings: Any
) -> None:
    assert not background.is_backup_due()

    new_resident("Olive")
    assert background.is_backup_due()

    settings.BACKUP_DAILY = False
    assert not background.is_backup_due()


def test_a_day_after_the_last_it_is_time_again(olive: Resident, own_folder: Path) -> None:
    (own_folder / "backups").mkdir()
    for hours, due in ((23, False), (25, True)):
        name = backup_files.backup_file_name(timezone.now() - timedelta(hours=hours))
        (own_folder / "backups" / name).touch()
        assert background.is_backup_due() is due
        (own_folder / "backups" / name).unlink()


def test_the_end_of_the_server_does_not_wait_for_a_backup_and_leaves_nothing_of_it(
    olive: Resident, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llamora.ops.backup import snapshot

    monkeypatch.setattr(background, "FIRST_ROUND_SECONDS", 0.01)
    monkeypatch.setattr(snapshot, "STEP_PAGES", 1)
    monkeypatch.setattr(snapshot, "PAUSE_SECONDS", 0.3)

    took = run_background_task(0, after=lambda: list_backups(own_folder) != [])

    # The backup itself takes minutes at this pace.
    assert took < 20
    deadline = time.monotonic() + PATIENCE
    while list_backups(own_folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list_backups(own_folder) == []


def test_a_round_that_fails_is_said_in_the_log_and_ends_nothing(
    olive: Resident, own_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (own_folder / "backups").write_text("a file in the folder's place")

    background.run_daily_round(threading.Event())

    assert "can't be created" in caplog.text


def test_it_is_pruned_once_a_day_whatever_becomes_of_the_backup(
    olive: Resident, own_folder: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    settings.BACKUP_DIR = own_folder / "file"
    settings.BACKUP_DIR.write_text("a file in the folder's place")

    first = background.run_daily_round(threading.Event())
    again = background.run_daily_round(threading.Event(), first)
    settings.BACKUP_DAILY = False
    next_day = background.run_daily_round(threading.Event(), (first or 0) - 25 * 3600)

    assert "can't be created" in caplog.text
    assert first is not None
    assert again == first
    assert next_day is not None
    assert next_day > first
    assert caplog.text.count("Deleted because they had expired") == 2


def test_a_machine_that_refuses_to_lower_the_urgency_is_backed_up_all_the_same(
    olive: Resident, own_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    def refuses(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuses)
    monkeypatch.setattr(background, "FIRST_ROUND_SECONDS", 0.05)

    run_background_task(0, after=lambda: "A backup was made" in caplog.text)

    assert len(list_backups(own_folder)) == 1


def test_healthz_says_how_the_backups_stand(olive: Resident, own_folder: Path, settings: Any) -> None:
    def state() -> str:
        return str(Client().get("/healthz").json()["backup"])

    assert state() == "none"
    settings.BACKUP_DAILY = False
    assert state() == "off"
    taken = create.create_backup(create.get_household_files(), folder=settings.BACKUP_DIR, now=timezone.now())
    assert state() == "fresh"
    taken.path.rename(taken.path.with_name("llamora-20200101T000000Z.tar"))
    assert state() == "old"


# --- What stays and what goes ---------------------------------------------------------------------


def choose_retained(*moments: datetime) -> list[backup_files.BackupFile]:
    return [
        backup_files.BackupFile(moment, Path(backup_files.backup_file_name(moment))) for moment in moments
    ]


def test_of_a_year_of_days_seven_days_and_four_weeks_stay() -> None:
    year = choose_retained(*(NOW - timedelta(days=days) for days in range(365)))

    gone = backup_files.select_outdated(year, now=NOW, days=7, weeks=4)

    stay = sorted((NOW - each.made_at).days for each in set(year) - set(gone))
    # The 20th is a Friday: the newest of the weeks before are Sundays, 5, 12 and 19 days ago.
    assert stay == [0, 1, 2, 3, 4, 5, 6, 12, 19]


def test_of_a_day_the_newest_stays_and_of_the_last_day_all() -> None:
    hours = choose_retained(*(NOW - timedelta(hours=hours) for hours in range(0, 72, 4)))

    gone = backup_files.select_outdated(hours, now=NOW, days=7, weeks=0)

    stay = sorted(int((NOW - each.made_at).total_seconds() / 3600) for each in set(hours) - set(gone))
    assert stay == [0, 4, 8, 12, 16, 20, 36, 60]


def test_the_newest_stays_however_old_it_is() -> None:
    assert (
        backup_files.select_outdated(
            choose_retained(datetime(2001, 1, 1, tzinfo=UTC)), now=NOW, days=1, weeks=0
        )
        == []
    )


def test_a_backup_made_before_an_update_stays_for_thirty_days() -> None:
    def before_update(days: int) -> backup_files.BackupFile:
        moment = NOW - timedelta(days=days)
        name = backup_files.backup_file_name(moment, before_update=True)
        return backup_files.BackupFile(moment, Path(name), is_before_update=True)

    updates = [before_update(days) for days in (3, 29, 31)]

    gone = backup_files.select_outdated([*choose_retained(NOW), *updates], now=NOW, days=1, weeks=0)

    assert [(NOW - each.made_at).days for each in gone] == [31]


def test_other_files_are_never_counted_or_removed(own_folder: Path) -> None:
    folder = own_folder / "backups"
    folder.mkdir()
    for name in ("letter.tar", "llamora-20260230T000000Z.tar", "llamora-20260101T000000Z.tar.old"):
        (folder / name).touch()

    assert backup_files.list_backups(folder) == []


def test_a_download_that_ended_early_can_go_on_for_a_week(olive: Resident, own_folder: Path) -> None:
    settle_clock()
    now, models = timezone.now(), own_folder / "models"
    models.mkdir()
    for name, days in (("a.gguf.part", 8), ("a.gguf.part.json", 8), ("b.gguf.part", 6), ("c.gguf", 99)):
        (models / name).touch()
        moment = (now - timedelta(days=days)).timestamp()
        os.utime(models / name, times=(moment, moment))

    pruned = pruning.prune(now=now)

    assert pruned.strays == 2
    assert sorted(os.listdir(models)) == ["b.gguf.part", "c.gguf"]


def test_pruning_takes_what_is_past_its_time_and_nothing_else(olive: Resident, own_folder: Path) -> None:
    settle_clock()
    now = timezone.now()
    old, young, living = (olive.write(text) for text in ("old", "young", "living"))
    with olive.unlocked():
        for entry, days in ((old, 31), (young, 29)):
            entry.deleted_at = now - timedelta(days=days)
            entry.save(update_fields=["deleted_at"])
        edit_entry(owner_id=olive.id, entry_id=living.id, text="living twice", revision=1)
        Version.objects.update(replaced_at=now - timedelta(days=31))
        edit_entry(owner_id=olive.id, entry_id=living.id, text="living thrice", revision=2)
    update_sign_ins(created_at=now - timedelta(days=31))
    (own_folder / "backups").mkdir()
    for days in range(100):
        (own_folder / "backups" / backup_files.backup_file_name(now - timedelta(days=days))).touch()
    part = own_folder / "backups" / ".llamora-20260101T000000Z.tar.1.part"
    (own_folder / "restoring").mkdir()
    (own_folder / restore.REPLACED_FOLDER).mkdir()
    replaced = own_folder / restore.REPLACED_FOLDER / "llamora-20260101T000000Z.sqlite3"
    for path in (part, replaced):
        path.touch()
    for path in (part, replaced, own_folder / "restoring"):
        os.utime(path, times=(0, 0))

    pruned = pruning.prune(now=now)

    assert (pruned.sessions, pruned.entries, pruned.versions) == (1, 1, 1)
    assert (pruned.replaced, pruned.strays) == (1, 2)
    with olive.unlocked():
        assert [version.text for version in Version.objects.all()] == ["living twice"]
    assert pruned.backups == 100 - len(list_backups(own_folder))
    assert set(Entry.objects.values_list("id", flat=True)) == {young.id, living.id}
    assert not SignIn.objects.exists()
    assert sorted(os.listdir(own_folder)) == ["backups", "replaced"]


def test_indexes_of_those_who_left_and_of_destroyed_keys_go(olive: Resident, own_folder: Path) -> None:
    search, left = own_folder / "search" / str(olive.id), own_folder / "search" / str(uuid4())
    living = search / f"words-1-{uuid4()}.sealed"
    dead = [search / f"vectors-0-{uuid4()}.sealed", left / f"words-1-{uuid4()}.sealed"]
    for path in (living, *dead):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    assert pruning.prune(now=timezone.now()).indexes == 2

    assert living.exists()
    assert not any(path.exists() for path in dead)


def test_pruning_again_takes_nothing(olive: Resident, own_folder: Path) -> None:
    out = io.StringIO()

    call_command("prune", stdout=out)

    assert out.getvalue().startswith("Deleted: 0 expired sessions, 0 entries")
    assert pruning.prune(now=timezone.now()).total == 0


def test_stats_count_and_say_nothing_of_what_was_written(olive: Resident, own_folder: Path) -> None:
    for number in range(3):
        olive.write("A long evening by the canal", day=olive.today - timedelta(days=number // 2))
    out = io.StringIO()

    call_command("stats", stdout=out)

    said = out.getvalue()
    assert "Olive: 3 entries on 2 days" in said
    assert "10 encrypted values" in said
    assert "Database: " in said
    assert "canal" not in said
    assert Person.objects.count() == 1
