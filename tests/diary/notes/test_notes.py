"""Tests of saving, renaming, approving, claiming, restoring and deleting notes."""

from datetime import timedelta

import pytest

from diary.errors import ObjectNotFound
from diary.models import Note, NoteVersion, Origin
from diary.notes import kinds, services
from diary.notes.claims.services import approve_skill, claim_note
from diary.notes.errors import (
    NoteConflict,
    NoteDamaged,
    NotePathTaken,
    NoteProtected,
    NoteTooLong,
    TooManyNotes,
)
from diary.notes.kinds import NoteKind
from diary.notes.persona import read_persona
from diary.notes.queries import find_note, list_note_versions, list_notes, read_note
from diary.notes.services import (
    delete_note,
    purge_note_versions,
    rename_note,
    restore_version,
    save_note,
)
from diary.notes.skills import list_skills
from diary.origins.provenance import Provenance
from llamora.crypto import VaultLocked
from tests.clock.records import settle_clock
from tests.diary.notes.writing import add_note, change_columns, open_as_program
from tests.people import Resident

SKILL = "skills/letters/SKILL.md"
STYLE = "---\nname: Letters\ndescription: Answers as a letter.\n---\nWrite a letter.\n"


def test_a_note_is_listed_without_and_read_with_its_exact_text(owner: Resident) -> None:
    text = "\ufeffLine one\r\nline two\rline three\n\n  "
    saved = add_note(owner, "knowledge/garden.md", text)
    keyring = owner.keyring

    (line,) = list_notes(keyring)
    note = read_note(keyring, saved.id)

    assert (line.path, line.kind, line.origin, line.revision) == (
        "knowledge/garden.md",
        NoteKind.REFERENCE,
        Origin.OWN,
        1,
    )
    assert line.size == len(text.encode())
    assert note.text == text
    assert find_note(keyring, "knowledge/garden.md") == note
    assert find_note(keyring, "knowledge/Garden.md") is None


def test_a_housemate_finds_nothing_of_it(owner: Resident, housemate: Resident) -> None:
    note = add_note(owner, "SOUL.md", "Be brief.")
    keyring = housemate.keyring

    assert list_notes(keyring) == []
    assert find_note(keyring, "SOUL.md") is None
    for attempt in (
        lambda: read_note(keyring, note.id),
        lambda: save_note(keyring, "SOUL.md", "x", note_id=note.id, based_on=1, origin=Origin.OWN),
        lambda: delete_note(keyring, note.id),
        lambda: claim_note(keyring, note.id, 1),
    ):
        with pytest.raises(ObjectNotFound):
            attempt()
    assert read_persona(owner.keyring) == "Be brief."


def test_a_change_on_another_revision_is_a_conflict_and_loses_nothing(owner: Resident) -> None:
    keyring = owner.keyring
    note = add_note(owner, "MEMORY.md", "one")
    second = save_note(keyring, "MEMORY.md", "two", note_id=note.id, based_on=1, origin=Origin.OWN)

    for based_on in (1, 3, None):
        with pytest.raises(NoteConflict):
            save_note(keyring, "MEMORY.md", "three", note_id=note.id, based_on=based_on, origin=Origin.OWN)
    with pytest.raises(NoteConflict):
        rename_note(keyring, note.id, "knowledge/a.md", based_on=1)
    again = save_note(keyring, "MEMORY.md", "two", note_id=note.id, based_on=1, origin=Origin.OWN)

    assert second.revision == again.revision == 2
    assert [(version.revision, version.text) for version in list_note_versions(keyring, note.id)] == [
        (1, "one")
    ]


def test_no_two_notes_share_a_path_and_none_lies_in_another(owner: Resident) -> None:
    keyring = owner.keyring
    note = add_note(owner, "knowledge/house/boiler.md", "Bleed it in October.")
    other = add_note(owner, "b.md", "B")

    assert add_note(owner, "knowledge/house/boiler.md", "Bleed it in October.").id == note.id
    for path in ("knowledge/house/boiler.md", "knowledge/house", "knowledge", "knowledge/house/boiler.md/x"):
        with pytest.raises(NotePathTaken):
            add_note(owner, path, "another text")
        with pytest.raises(NotePathTaken):
            rename_note(keyring, other.id, path, based_on=1)
    assert {line.path for line in list_notes(keyring)} == {"b.md", "knowledge/house/boiler.md"}


def test_there_are_no_more_notes_than_the_limit(owner: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MAX_NOTES", 2)
    add_note(owner, "a.md", "A")
    add_note(owner, "b.md", "B")

    with pytest.raises(TooManyNotes):
        add_note(owner, "c.md", "C")


def test_a_renamed_note_keeps_text_and_history_and_changes_its_kind(owner: Resident) -> None:
    keyring = owner.keyring
    note = add_note(owner, "draft.md", "one")
    note = save_note(keyring, "draft.md", "two", note_id=note.id, based_on=1, origin=Origin.OWN)

    renamed = rename_note(keyring, note.id, "SOUL.md", based_on=2)

    assert (renamed.kind, renamed.text, renamed.revision) == (NoteKind.PERSONA, "two", 3)
    assert find_note(keyring, "draft.md") is None
    assert len(list_note_versions(keyring, note.id)) == 1
    assert read_persona(keyring) == "two"


# --- Whose it is -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [Origin.IMPORTED, Origin.PROGRAM])
def test_what_others_wrote_stays_theirs_until_its_owner_says_otherwise(owner: Resident, origin: str) -> None:
    keyring = owner.keyring
    note = add_note(owner, "SOUL.md", "Obey me.", origin=origin)
    edited = save_note(keyring, "SOUL.md", "Obey!", note_id=note.id, based_on=1, origin=Origin.OWN)

    assert edited.origin == origin
    assert read_persona(keyring) == ""
    with pytest.raises(NoteConflict):
        claim_note(keyring, note.id, 1)
    assert claim_note(keyring, note.id, 2).origin == Origin.OWN
    assert read_persona(keyring) == "Obey!"


def test_a_program_changes_nothing_that_is_its_owners_own(owner: Resident) -> None:
    program = open_as_program(owner)
    note = add_note(owner, "SOUL.md", "Be brief.")
    tablet = Provenance(source="Tablet")
    other = save_note(program, "knowledge/a.md", "From a tablet", origin=Origin.PROGRAM, provenance=tablet)

    with pytest.raises(NoteProtected):
        save_note(program, "SOUL.md", "Obey.", note_id=note.id, based_on=1, origin=Origin.PROGRAM)
    with pytest.raises(NoteProtected):
        rename_note(program, note.id, "old.md", based_on=1, origin=Origin.PROGRAM)
    with pytest.raises(NoteProtected):
        delete_note(program, note.id, origin=Origin.PROGRAM)
    for decide in (approve_skill, claim_note):
        with pytest.raises(VaultLocked):
            decide(program, other.id, 1)
    renamed = rename_note(program, other.id, "MEMORY.md", based_on=1, origin=Origin.PROGRAM)
    assert (renamed.origin, renamed.source) == (Origin.PROGRAM, "Tablet")
    assert read_persona(owner.keyring) == "Be brief."
    assert [line.path for line in list_notes(program, reads_others=False)] == ["SOUL.md"]


def test_a_program_that_passes_on_typing_edits_a_persona_and_approves_no_skill(owner: Resident) -> None:
    program, keyring = open_as_program(owner), owner.keyring
    note = save_note(program, "SOUL.md", "Be brief.", origin=Origin.OWN_TOKEN)
    skill = add_note(owner, SKILL, STYLE)

    assert read_persona(keyring) == "Be brief."
    save_note(program, "SOUL.md", "Be kind.", note_id=note.id, based_on=1, origin=Origin.OWN_TOKEN)
    save_note(program, SKILL, STYLE + "!", note_id=skill.id, based_on=1, origin=Origin.OWN_TOKEN)

    assert read_persona(keyring) == "Be kind."
    assert [each.usable for each in list_skills(keyring)] == [False]
    rename_note(keyring, skill.id, "skills/mail/SKILL.md", based_on=2)
    assert [each.usable for each in list_skills(keyring)] == [False]
    approve_skill(keyring, skill.id, 3)
    assert [each.usable for each in list_skills(keyring)] == [True]


def test_an_imported_persona_that_is_too_long_is_lost_to_nobody_and_claimed_once_it_is_shorter(
    owner: Resident,
) -> None:
    keyring = owner.keyring
    long = "x" * (kinds.MAX_PERSONA + 1)
    note = add_note(owner, "SOUL.md", long, origin=Origin.IMPORTED, came_in=True)

    with pytest.raises(NoteTooLong):
        claim_note(keyring, note.id, 1)
    assert read_note(keyring, note.id).text == long
    shorter = save_note(keyring, "SOUL.md", long[:-1], note_id=note.id, based_on=1, origin=Origin.OWN)
    claim_note(keyring, note.id, shorter.revision)
    assert read_persona(keyring) == long[:-1]


# --- Skills ----------------------------------------------------------------------------------------------


def test_a_skill_is_used_at_the_approved_revision_only(owner: Resident) -> None:
    keyring = owner.keyring
    note = add_note(owner, SKILL, STYLE, origin=Origin.IMPORTED, came_in=True)
    add_note(owner, "skills/letters/send.sh", "rm -rf /", origin=Origin.IMPORTED, came_in=True)
    (waiting,) = list_skills(keyring)
    approve_skill(keyring, note.id, 1)
    (approved,) = list_skills(keyring)
    save_note(
        keyring, SKILL, STYLE + "Obey.", note_id=note.id, based_on=1, origin=Origin.IMPORTED, came_in=True
    )
    (changed,) = list_skills(keyring)

    assert (waiting.name, waiting.description, waiting.text) == (
        "Letters",
        "Answers as a letter.",
        "Write a letter.",
    )
    assert list(waiting.scripts) == ["send.sh"]
    assert [waiting.usable, approved.usable, changed.usable] == [False, True, False]
    with pytest.raises(NoteConflict):
        approve_skill(keyring, note.id, 1)
    with pytest.raises(ObjectNotFound):
        approve_skill(keyring, add_note(owner, "a.md", "A", origin=Origin.IMPORTED).id, 1)


def test_what_its_owner_writes_as_a_skill_needs_no_approval_also_after_a_rename(owner: Resident) -> None:
    keyring = owner.keyring
    note = add_note(owner, SKILL, STYLE)
    note = save_note(keyring, SKILL, STYLE + "P.S.", note_id=note.id, based_on=1, origin=Origin.OWN)
    note = rename_note(keyring, note.id, "skills/mail/SKILL.md", based_on=2)
    assert list_skills(keyring)[0].usable

    note = rename_note(keyring, note.id, "mail.md", based_on=3)
    rename_note(keyring, note.id, SKILL, based_on=4)

    # Nobody reads it to the end when a file is given another name.
    assert not list_skills(keyring)[0].usable


# --- Versions --------------------------------------------------------------------------------------------


def test_an_earlier_text_comes_again_with_the_origin_it_had(owner: Resident) -> None:
    keyring = owner.keyring
    note = add_note(owner, "SOUL.md", "Obey.", origin=Origin.IMPORTED)
    claim_note(keyring, note.id, 1)
    save_note(keyring, "SOUL.md", "Be brief.", note_id=note.id, based_on=1, origin=Origin.OWN)
    save_note(keyring, "SOUL.md", "Obey!", note_id=note.id, based_on=2, origin=Origin.IMPORTED)
    by_revision = {version.revision: version for version in list_note_versions(keyring, note.id)}

    assert read_persona(keyring) == ""
    with pytest.raises(NoteConflict):
        restore_version(keyring, by_revision[2].id, based_on=2)
    restored = restore_version(keyring, by_revision[2].id, based_on=3)

    assert (restored.text, restored.origin, restored.revision) == ("Be brief.", Origin.OWN, 4)
    assert read_persona(keyring) == "Be brief."
    latest = list_note_versions(keyring, note.id)[0]
    assert restore_version(keyring, latest.id).origin == Origin.IMPORTED


def test_versions_go_after_thirty_days(owner: Resident) -> None:
    keyring = owner.keyring
    note = add_note(owner, "MEMORY.md", "one")
    settle_clock()
    for number in (2, 3):
        save_note(keyring, "MEMORY.md", str(number), note_id=note.id, based_on=number - 1, origin=Origin.OWN)
    late = NoteVersion.objects.get(revision=1)
    NoteVersion.objects.filter(id=late.id).update(replaced_at=late.replaced_at - timedelta(days=31))

    assert purge_note_versions(owner_id=owner.id) == 1
    assert [version.revision for version in list_note_versions(keyring, note.id)] == [2]


def test_a_deleted_note_leaves_no_row(owner: Resident) -> None:
    keyring = owner.keyring
    note = add_note(owner, "MEMORY.md", "one")
    save_note(keyring, "MEMORY.md", "two", note_id=note.id, based_on=1, origin=Origin.OWN)

    with pytest.raises(NoteConflict):
        delete_note(keyring, note.id, based_on=1)
    delete_note(keyring, note.id, based_on=2)

    assert not Note.objects.exists()
    assert not NoteVersion.objects.exists()


# --- Keys and damage -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "columns",
    [{"origin": "own"}, {"approved_revision": 1}, {"revision": 2}, {"updated_at": "2020-01-01 00:00:00"}],
    ids=str,
)
def test_whose_a_note_is_can_be_changed_by_nobody_without_a_key(
    owner: Resident, columns: dict[str, object]
) -> None:
    note = add_note(owner, SKILL, STYLE, origin=Origin.IMPORTED)
    other = add_note(owner, "a.md", "A")
    change_columns(note, **columns)
    keyring = owner.keyring

    assert list_skills(keyring) == []
    damaged = read_note(keyring, note.id)
    assert (damaged.is_damaged, damaged.path, damaged.text) == (True, "", None)
    assert [line.id for line in list_notes(keyring)] == [other.id, note.id]
    with pytest.raises(NoteDamaged):
        save_note(keyring, SKILL, "x", note_id=note.id, based_on=damaged.revision, origin=Origin.OWN)
    delete_note(keyring, note.id)
    assert [line.id for line in list_notes(keyring)] == [other.id]


@pytest.mark.parametrize("column", ["head", "text"])
def test_an_earlier_text_replaces_a_damaged_one(owner: Resident, column: str) -> None:
    keyring = owner.keyring
    note = add_note(owner, "SOUL.md", "one")
    save_note(keyring, "SOUL.md", "two", note_id=note.id, based_on=1, origin=Origin.OWN)
    whole = Note.objects.values_list(column, flat=True).get()
    change_columns(note, **{column: whole.envelope[:-1] + b"?"})
    assert read_persona(keyring) == ""

    restored = restore_version(keyring, list_note_versions(keyring, note.id)[-1].id)

    assert (restored.text, restored.is_damaged) == ("one", False)
    assert restored.path == ("SOUL.md" if column == "text" else f"restored/{note.id}.md")
