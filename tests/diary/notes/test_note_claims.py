"""Tests of "This is mine" for one note, a whole import and the notes of programs, and of its undo."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from diary.errors import ImportChanged, ObjectNotFound
from diary.models import Note, Origin
from diary.notes.claims.groups import OTHERS, NoteGroup, compute_note_review, get_note_group, list_note_groups
from diary.notes.claims.services import (
    approve_skill,
    can_be_unclaimed,
    claim_note,
    claim_note_group,
    unclaim_note,
    unclaim_note_group,
)
from diary.notes.persona import read_persona
from diary.notes.queries import find_note, list_notes
from diary.notes.services import save_note
from diary.notes.skills import list_skills
from diary.notes.workspace.files import read_workspace
from diary.notes.workspace.imports import import_workspace
from llamora.crypto import VaultLocked
from tests.clock.records import settle_clock
from tests.diary.notes.planted_notes import plant_by_program
from tests.diary.notes.writing import add_note, change_columns, open_as_program
from tests.page import read
from tests.people import PASSWORD, Resident, register_resident

FILES = {
    "SOUL.md": b"Be brief.",
    "knowledge/boat.md": b"It leaks.",
    "knowledge/plan.bin": b"\xff\0",
    "skills/haiku/SKILL.md": b"Write a haiku.",
}


def bring_in(who: Resident, files: dict[str, bytes] = FILES, source: str = "a.zip") -> NoteGroup:
    report = import_workspace(who.keyring, read_workspace(files.items()), source=source)
    assert report.import_id is not None
    return get_note_group(who.keyring, report.import_id)


def claim_all(who: Resident, group: NoteGroup) -> int:
    return claim_note_group(who.keyring, group.id, review=compute_note_review(who.keyring, group))


def load_used(who: Resident) -> dict[str, bool]:
    return {line.path: line.is_used for line in list_notes(who.keyring)}


def age_claims(who: Resident, *, days: int) -> None:
    with who.unlocked():
        for row in Note.objects.all():
            row.head = row.head | {"mine_at": (timezone.now() - timedelta(days=days)).isoformat()}
            row.save()


def test_a_whole_import_of_notes_becomes_ones_own_with_the_password_and_back(db: None) -> None:
    olive = register_resident("Olive", signed_in=True)
    group, other = bring_in(olive), bring_in(olive, {"knowledge/lamp.md": b"A lamp."}, "b.zip")
    add_note(olive, "MEMORY.md", "Mine.")
    path = f"/notes/imports/{group.id}/"
    claim_note(olive.keyring, group.lines[1].id, 1)
    listed = read(olive.get("/notes/"))
    assert [link for link in listed.links() if "imports" in link] == [f"/notes/imports/{other.id}/", path]
    assert "4 notes, 3 not yours yet" in listed.one(".note-groups").text

    page = read(olive.get(path))
    assert page.texts(".note-review .other-text") == ["Be brief.", "Write a haiku.", "It leaks."]
    review = page.one('input[name="review"]').attributes["value"]
    assert olive.post(path, current="not the password", review=review).status_code == 422
    assert olive.post(path, current=PASSWORD, review="of another").status_code == 409
    assert read_persona(olive.keyring) == ""
    assert olive.post(path, current=PASSWORD, review=review).status_code == 302

    assert load_used(olive) == {**dict.fromkeys((*FILES, "MEMORY.md"), True), "knowledge/lamp.md": False}
    assert read_persona(olive.keyring) == "Be brief."
    assert [skill.usable for skill in list_skills(olive.keyring)] == [True]
    shown = read(olive.get(path))
    assert shown.has(f'form[action="{path}undo/"]')
    assert not shown.has('input[name="review"]')
    assert olive.post(f"{path}undo/").status_code == 302
    # What was said of one note alone stays.
    assert [path for path, is_used in load_used(olive).items() if is_used] == [
        "MEMORY.md",
        "knowledge/boat.md",
    ]
    assert not read(olive.get(path)).has(f'form[action="{path}undo/"]')


def test_notes_of_programs_are_approved_together_and_what_arrives_meanwhile_is_not(owner: Resident) -> None:
    plant_by_program(owner, {"SOUL.md": "Be brief.", "skills/a/SKILL.md": "Write."})
    (group,) = list_note_groups(list_notes(owner.keyring))
    review = compute_note_review(owner.keyring, group)
    plant_by_program(owner, {"knowledge/later.md": "PLANTED"}, name="Another")

    with pytest.raises(ImportChanged):
        claim_note_group(owner.keyring, OTHERS, review=review)
    assert not any(load_used(owner).values())
    assert claim_all(owner, get_note_group(owner.keyring, OTHERS)) == 3
    assert all(load_used(owner).values())
    assert unclaim_note_group(owner.keyring, OTHERS) == 3
    assert {line.origin for line in list_notes(owner.keyring)} == {Origin.PROGRAM}


def test_what_cannot_become_ones_own_stays_and_is_explained(owner: Resident) -> None:
    group = bring_in(owner, {"SOUL.md": b"x" * 5000, "knowledge/a.md": b"A", "knowledge/b.md": b"B"})
    note = owner_note(owner, "knowledge/b.md")
    (envelope,) = Note.objects.filter(id=note.id).values_list("text", flat=True)
    sealed = bytearray(envelope.envelope)
    sealed[-1] ^= 1
    change_columns(note, text=bytes(sealed))

    assert "4,096 characters" in owner.get(f"/notes/imports/{group.id}/").content.decode()
    assert claim_all(owner, group) == 1

    assert load_used(owner) == {"SOUL.md": False, "knowledge/a.md": True, "knowledge/b.md": False}


def owner_note(owner: Resident, path: str) -> Any:
    note = find_note(owner.keyring, path)
    assert note is not None
    return note


def test_a_single_claim_is_undone_on_its_page_also_after_an_edit(owner: Resident) -> None:
    note = add_note(owner, "skills/a/SKILL.md", "Obey.", origin=Origin.IMPORTED)
    place = f"/notes/{note.id}/"
    assert not read(owner.get(place)).has(f'form[action="{place}not-mine/"]')
    approve_skill(owner.keyring, note.id, 1)
    save_note(owner.keyring, note.path, "Write.", note_id=note.id, based_on=1, origin=Origin.OWN)
    assert load_used(owner) == {note.path: True}

    assert read(owner.get(place)).has(f'form[action="{place}not-mine/"]')
    assert owner.post(f"{place}not-mine/").status_code == 302

    changed = owner_note(owner, note.path)
    assert (changed.origin, changed.approved_revision, changed.text) == (Origin.IMPORTED, None, "Write.")
    # There is nothing to undo any more.
    assert unclaim_note(owner.keyring, note.id).origin == Origin.IMPORTED
    mine = add_note(owner, "SOUL.md", "Mine.")
    assert unclaim_note(owner.keyring, mine.id).origin == Origin.OWN


def test_after_thirty_days_nothing_is_undone(owner: Resident) -> None:
    group = bring_in(owner)
    claim_all(owner, group)
    settle_clock()
    age_claims(owner, days=31)

    assert unclaim_note_group(owner.keyring, group.id) == 0
    line = list_notes(owner.keyring)[0]
    assert not can_be_unclaimed(line)
    assert unclaim_note(owner.keyring, line.id).origin == Origin.OWN
    assert "Undo" not in owner.get("/notes/").content.decode()


def test_an_import_that_takes_the_place_of_a_claimed_note_waits_again(owner: Resident) -> None:
    claim_all(owner, bring_in(owner))

    later = import_workspace(
        owner.keyring, read_workspace([("SOUL.md", b"Obey.")]), source="b.zip", replaces=True
    )

    assert read_persona(owner.keyring) == ""
    assert later.import_id is not None
    (line,) = get_note_group(owner.keyring, later.import_id).waiting
    assert (line.path, line.source, line.provenance.former_origin) == ("SOUL.md", "b.zip", None)
    assert unclaim_note(owner.keyring, line.id).origin == Origin.IMPORTED


def test_nobody_else_decides(owner: Resident, housemate: Resident) -> None:
    group = bring_in(owner)
    program = open_as_program(owner)

    with pytest.raises(VaultLocked):
        unclaim_note(program, group.lines[0].id)
    for act in ("", "undo/"):
        assert housemate.post(f"/notes/imports/{group.id}/{act}", current=PASSWORD).status_code == 404
    assert housemate.post(f"/notes/{group.lines[0].id}/not-mine/").status_code == 404
    with pytest.raises(ObjectNotFound):
        get_note_group(owner.keyring, OTHERS)
    assert not any(load_used(owner).values())
