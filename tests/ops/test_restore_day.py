"""Tests of `manage.py restore --day`: one day or one entry from a backup, and nothing else."""

import io
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from diary.entries.services import delete_entry, edit_entry, move_entry
from diary.models import Entry, Origin, Reply, Version
from llamora.crypto import in_force
from llamora.ops.backup.create import BackupReport
from tests.ops.backups import BackupFolders
from tests.people import NEW_PASSWORD, Resident, register_resident

DAY, OTHER_DAY = date(2024, 1, 2), date(2024, 1, 3)


@pytest.fixture
def place(tmp_path: Path) -> BackupFolders:
    return BackupFolders(folder=tmp_path)


@pytest.fixture
def owner(transactional_db: None) -> Resident:
    return register_resident("Olive", signed_in=True)


@pytest.fixture
def password_file(tmp_path: Path, owner: Resident) -> Path:
    path = tmp_path / "password"
    path.write_text(owner.password + "\n")
    return path


def write(owner: Resident, text: str, *, day: date = DAY) -> Entry:
    with in_force(owner.open_keyring()):
        entry: Entry = Entry.objects.create(owner_id=owner.id, day=day, text=text, utc_offset=3600)
    return entry


def restore_day(backup: BackupReport, password_file: Path | None, **options: Any) -> str:
    output = io.StringIO()
    options = {"user": "Olive", "day": str(DAY), "password_file": password_file} | options
    call_command("restore", backup.path, stdout=output, stderr=output, **options)
    return output.getvalue()


def list_texts(owner: Resident, *, day: date = DAY) -> list[str]:
    with in_force(owner.open_keyring()):
        return [entry.text for entry in Entry.objects.for_owner(owner.id).on_day(day)]


def list_versions(owner: Resident, entry: UUID) -> list[str]:
    with in_force(owner.open_keyring()):
        return [version.text for version in Version.objects.filter(entry_id=entry)]


def test_what_was_lost_changed_or_deleted_since_is_as_it_was(
    owner: Resident, place: BackupFolders, password_file: Path
) -> None:
    lost, changed, deleted, same = (write(owner, text) for text in ("lost", "changed", "deleted", "same"))
    with in_force(owner.open_keyring()):
        Reply.objects.create(owner_id=owner.id, entry=lost, text="A reply to it.")
    write(owner, "another day", day=OTHER_DAY)
    backup = place.create_backup()
    Entry.objects.filter(id=lost.id).delete()
    with in_force(owner.open_keyring()):
        edit_entry(owner_id=owner.id, entry_id=changed.id, text="ruined", revision=1)
        delete_entry(owner_id=owner.id, entry_id=deleted.id)
    write(owner, "written since")
    Entry.objects.filter(day=OTHER_DAY).delete()

    output = restore_day(backup, password_file)

    assert list_texts(owner) == ["lost", "changed", "deleted", "same", "written since"]
    assert list_versions(owner, changed.id) == ["ruined", "changed"]
    assert list_versions(owner, same.id) == []
    assert list_texts(owner, day=OTHER_DAY) == []
    with in_force(owner.open_keyring()):
        found = Entry.objects.get(id=lost.id)
        assert (found.origin, found.utc_offset, found.text) == (Origin.OWN, 3600, "lost")
        assert [reply.text for reply in found.replies.all()] == ["A reply to it."]
    assert "Entry 1, 2" in output
    assert "4 characters: is missing now." in output
    assert "3 entries were restored." in output
    assert "lost" not in output


def test_a_second_time_changes_nothing(owner: Resident, place: BackupFolders, password_file: Path) -> None:
    lost = write(owner, "lost")
    backup = place.create_backup()
    Entry.objects.filter(id=lost.id).delete()
    restore_day(backup, password_file)

    output = restore_day(backup, password_file)

    assert "is the same now." in output
    assert "0 entries were restored." in output
    assert list_texts(owner) == ["lost"]


def test_one_entry_is_chosen_by_the_number_that_the_preview_lists(
    owner: Resident, place: BackupFolders, password_file: Path
) -> None:
    entries = [write(owner, text) for text in ("first", "second")]
    backup = place.create_backup()
    Entry.objects.all().delete()

    preview = restore_day(backup, password_file, dry_run=True)
    assert "Entry 2, " in preview
    assert "6 characters: is missing now." in preview
    assert "Nothing was changed." in preview
    assert list_texts(owner) == []

    output = restore_day(backup, password_file, entry=2)

    assert "1 entry was restored." in output
    assert list_texts(owner) == ["second"]
    assert Entry.objects.get().id == entries[1].id
    with pytest.raises(CommandError, match="--entry is a number from 1 to 2"):
        restore_day(backup, password_file, entry=3)


def test_a_damaged_text_is_replaced(owner: Resident, place: BackupFolders, password_file: Path) -> None:
    entry = write(owner, "whole")
    backup = place.create_backup()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE diary_entry SET revision = 2 WHERE id = %s", [entry.id.hex])
    with in_force(owner.open_keyring()):
        assert Entry.objects.get().open_or("text", "damaged") == "damaged"

    output = restore_day(backup, password_file)

    assert "is damaged now." in output
    assert list_texts(owner) == ["whole"]


def test_an_entry_that_was_moved_since_stays_on_its_new_day(
    owner: Resident, place: BackupFolders, password_file: Path
) -> None:
    entry = write(owner, "moved")
    backup = place.create_backup()
    with in_force(owner.open_keyring()):
        move_entry(owner_id=owner.id, entry_id=entry.id, day=OTHER_DAY)

    restore_day(backup, password_file)

    assert list_texts(owner) == []
    assert list_texts(owner, day=OTHER_DAY) == ["moved"]


def test_after_a_new_password_both_are_asked_for(
    owner: Resident, place: BackupFolders, password_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = write(owner, "lost")
    backup = place.create_backup()
    fields = {"current": owner.password, "password": NEW_PASSWORD, "password_again": NEW_PASSWORD}
    assert owner.post("/settings/password/", **fields).status_code == 302
    Entry.objects.filter(id=lost.id).delete()
    with pytest.raises(CommandError, match="Leave --password-file out; then both are asked for"):
        restore_day(backup, password_file)
    prompts: list[str] = []
    answers = iter([owner.password, NEW_PASSWORD])

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        return next(answers)

    monkeypatch.setattr("accounts.management.secret_prompt.getpass.getpass", answer)

    restore_day(backup, None)

    assert prompts == [
        "Password or recovery code of Olive when the backup was made: ",
        "Password or recovery code of Olive: ",
    ]
    owner.password = NEW_PASSWORD
    assert list_texts(owner) == ["lost"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"day": "2024-02-30"}, "--day is a date such as 2026-11-20."),
        ({"day": "2024-01-09"}, "Olive has no entry of 2024-01-09 in this backup."),
        ({"user": None}, "--day needs --user"),
        ({"user": "Nobody"}, "Nobody in this household has that name."),
        ({"day": None, "entry": 1}, "--entry and --dry-run belong to --day"),
    ],
)
def test_a_wrong_request_gets_a_sentence_and_changes_nothing(
    owner: Resident, place: BackupFolders, password_file: Path, options: dict[str, Any], sentence: str
) -> None:
    write(owner, "there")
    backup = place.create_backup()

    with pytest.raises(CommandError, match=sentence):
        restore_day(backup, password_file, **options)

    assert list_texts(owner) == ["there"]


def test_a_damaged_backup_restores_nothing(
    owner: Resident, place: BackupFolders, password_file: Path
) -> None:
    lost = write(owner, "lost")
    backup = place.create_backup()
    Entry.objects.filter(id=lost.id).delete()
    content = bytearray(backup.path.read_bytes())
    content[len(content) // 2] ^= 1
    backup.path.write_bytes(content)

    with pytest.raises(CommandError, match="damaged"):
        restore_day(backup, password_file)

    assert list_texts(owner) == []
