"""Tests that notes are sealed again by a rotation."""

import pytest

from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from diary.models import Origin
from diary.notes.drafts import SubmittedNoteDraft, find_note_draft, save_note_draft
from diary.notes.persona import read_persona
from diary.notes.queries import find_note, list_note_versions, list_notes
from diary.notes.services import save_note
from tests.diary.notes.writing import change_columns
from tests.people import register_resident

pytestmark = pytest.mark.django_db(transaction=True)


def test_notes_are_found_and_read_under_the_new_key_and_a_damaged_one_stops_nothing() -> None:
    olive = register_resident("Olive")
    keyring = olive.open_keyring()
    note = save_note(keyring, "SOUL.md", "Be brief.", origin=Origin.OWN)
    save_note(keyring, "SOUL.md", "Be kind.", note_id=note.id, based_on=1, origin=Origin.OWN)
    file = save_note(keyring, "knowledge/plan.bin", b"\xff\x00plan", origin=Origin.IMPORTED, came_in=True)
    hurt = save_note(keyring, "hurt.md", "hurt", origin=Origin.OWN)
    change_columns(hurt, created_at="2020-01-01 00:00:00")
    save_note_draft(keyring, SubmittedNoteDraft(text="Roses", revision=0))

    rotation_services.resume_rotation(begin_rotation(olive.open_slot()).keyring)
    keyring = olive.open_keyring()

    assert keyring.epoch == 2
    assert read_persona(keyring) == "Be kind."
    found = find_note(keyring, "knowledge/plan.bin")
    assert found is not None
    assert (found.id, found.data, found.is_damaged) == (file.id, b"\xff\x00plan", False)
    assert [version.text for version in list_note_versions(keyring, note.id)] == ["Be brief."]
    draft = find_note_draft(keyring)
    assert draft is not None
    assert draft.text == "Roses"
    assert [line.id for line in list_notes(keyring) if line.is_damaged] == [hurt.id]
