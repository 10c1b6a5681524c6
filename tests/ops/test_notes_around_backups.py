"""Tests of a diary with notes through a backup, `verify`, and the deletion of its account."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.security import data_inventory
from accounts.security.deletion import delete_person
from diary.models import Note, NoteDraft, NoteVersion, Origin
from diary.notes.drafts import SubmittedNoteDraft, save_note_draft
from diary.notes.queries import NoteText, list_note_versions, list_notes, read_note
from diary.notes.services import save_note
from llamora.ops.backup import restore as backup_restore
from llamora.ops.backup.verify_secret import using_database_file
from tests.diary.notes.writing import change_columns
from tests.ops.backups import NOW, BackupFolders, read_all_files
from tests.people import Resident, register_resident

TEXT = "Be brief, and say something of the weir."


@pytest.fixture
def olive(transactional_db: None) -> Resident:
    """A person with a note of two revisions, a file, and a draft."""
    who = register_resident("Olive")
    keyring = who.open_keyring()
    note = save_note(keyring, "SOUL.md", "Be kind.", origin=Origin.OWN)
    save_note(keyring, "SOUL.md", TEXT, note_id=note.id, based_on=1, origin=Origin.OWN)
    save_note(keyring, "knowledge/plan.bin", b"\xff\x00plan", origin=Origin.IMPORTED, came_in=True)
    save_note_draft(keyring, SubmittedNoteDraft(text="Roses", revision=0))
    return who


def read_all(who: Resident) -> list[tuple[NoteText, list[str | None]]]:
    keyring = who.open_keyring()
    return [
        (read_note(keyring, line.id), [each.text for each in list_note_versions(keyring, line.id)])
        for line in list_notes(keyring)
    ]


def test_a_restored_backup_has_the_notes_and_verify_opens_them(
    olive: Resident, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, place = read_all(olive), BackupFolders(folder=tmp_path)
    taken = place.create_backup(with_secrets=True)
    stored = read_all_files(taken.path) if taken.path.is_dir() else taken.path.read_bytes()
    backup_restore.restore_backup(
        taken.path, database=place.target_database, key_file=place.key_file, now=NOW
    )
    password = tmp_path / "password"
    password.write_text(olive.password + "\n")

    call_command("verify", place.target_database, user="Olive", password_file=password)

    assert "No damage was found" in capsys.readouterr().out
    assert not [word for word in (TEXT, "SOUL.md", "plan.bin") if word.encode() in stored]
    with using_database_file(place.target_database):
        assert read_all(olive) == before


def test_verify_names_a_note_that_was_changed_without_a_key(
    olive: Resident, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    password = tmp_path / "password"
    password.write_text(olive.password + "\n")
    note = next(note for note, _ in read_all(olive) if note.origin == Origin.IMPORTED)
    change_columns(note, origin="own")

    with pytest.raises(CommandError) as ended:
        call_command("verify", user="Olive", password_file=password)

    said = capsys.readouterr()
    assert "diary.note" in said.out + said.err + str(ended.value)


def test_notes_are_counted_without_a_key_and_go_with_the_account(olive: Resident) -> None:
    counted = {str(row) for row in data_inventory.get_inventory(olive.id)}

    delete_person(olive.person)

    assert {"2 notes", "1 earlier version of a note", "1 draft of a note"} <= counted
    assert not any(model.objects.exists() for model in (Note, NoteVersion, NoteDraft))
