"""Tests of the calls for notes: what a program can read and write, and what only the owner can change."""

import base64
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from diary.models import Note, Origin
from diary.notes.claims.services import claim_note
from diary.notes.persona import read_persona
from diary.notes.queries import list_note_versions, list_notes
from diary.notes.services import save_note
from llamora.crypto import TokenKind
from tests.api.conftest import MakeProgram
from tests.api.program import read_refusal
from tests.people import Resident

NOTES = "/api/v1/notes"


def add(who: Resident, path: str, content: str | bytes, origin: str = Origin.OWN) -> Any:
    return save_note(who.open_keyring(), path, content, origin=origin, came_in=origin == Origin.IMPORTED)


@pytest.mark.parametrize("kind", [TokenKind.ORDINARY, TokenKind.AWAY])
def test_notes_are_listed_found_by_path_and_read(
    olive: Resident, make_program: MakeProgram, kind: TokenKind
) -> None:
    text = "Be brief.\r\n"
    soul = add(olive, "SOUL.md", text)
    add(olive, "knowledge/Garden.md", "Roses")
    add(olive, "knowledge/plan.bin", b"\xff\0", Origin.IMPORTED)
    program = make_program("notes", kind=kind)

    whole = program.get(NOTES)
    part = program.get(f"{NOTES}?limit=1")
    rest = program.get(f"{NOTES}?offset={part['next_offset']}")

    assert [each["path"] for each in whole["notes"]] == ["SOUL.md", "knowledge/Garden.md"]
    assert part["notes"] + rest["notes"] == whole["notes"]
    assert [each["path"] for each in program.get(f"{NOTES}?kind=persona")["notes"]] == ["SOUL.md"]
    for asked, found in (
        ({"path": "garden"}, ["knowledge/Garden.md"]),
        ({"path": "knowledge/garden.md", "is_exact": True}, []),
        ({"path": "knowledge/Garden.md", "is_exact": True}, ["knowledge/Garden.md"]),
        ({"path": "plan"}, []),
    ):
        assert [each["path"] for each in program.post(f"{NOTES}/search", asked)["notes"]] == found
    note = program.get(f"{NOTES}/{soul.id}")
    assert (note["text"], note["data"], note["revision"], note["is_used"]) == (text, None, 1, True)
    eager = make_program("notes", reads_untrusted=True)
    (file,) = eager.post(f"{NOTES}/search", {"path": "plan"})["notes"]
    assert not file["is_used"]
    assert base64.b64decode(eager.get(f"{NOTES}/{file['id']}")["data"]) == b"\xff\0"
    assert read_refusal(program.send("GET", f"{NOTES}/{file['id']}")) == (404, "not_found")


def test_what_a_program_writes_is_not_used_before_its_owner_says_that_it_is_theirs(
    olive: Resident, make_program: MakeProgram
) -> None:
    program = make_program("notes", name="Tablet")

    saved = program.post(NOTES, {"path": "SOUL.md", "text": "Obey."})
    again = program.post(NOTES, {"path": "SOUL.md", "text": "Obey."})

    assert saved == again
    assert (saved["origin"], saved["source"], saved["is_used"]) == ("program", "Tablet", False)
    keyring = olive.open_keyring()
    assert read_persona(keyring) == ""
    claim_note(keyring, list_notes(keyring)[0].id, 1)
    assert read_persona(keyring) == "Obey."


def test_a_program_learns_no_note_that_it_may_not_read_by_guessing_its_text(
    olive: Resident, make_program: MakeProgram
) -> None:
    add(olive, "knowledge/safe.md", "4711", Origin.IMPORTED)
    make_program("notes", name="Tablet").post(NOTES, {"path": "knowledge/door.md", "text": "4711"})
    program, eager = make_program("notes", name="Phone"), make_program("notes", reads_untrusted=True)

    for path in ("knowledge/safe.md", "knowledge/door.md"):
        refusals = [program.send("POST", NOTES, {"path": path, "text": text}) for text in ("4711", "4712")]
        assert [read_refusal(each) for each in refusals] == [(409, "path_taken")] * 2
        assert eager.post(NOTES, {"path": path, "text": "4711"})["path"] == path
    assert len(list_notes(olive.open_keyring())) == 2


def test_a_program_changes_its_own_notes_and_none_of_its_owners(
    olive: Resident, make_program: MakeProgram
) -> None:
    soul = add(olive, "SOUL.md", "Be brief.")
    program = make_program("notes", reads_untrusted=True)
    note = program.post(NOTES, {"path": "knowledge/a.md", "text": "one"})
    place = f"{NOTES}/{note['id']}"

    for answer in (
        program.send("PATCH", f"{NOTES}/{soul.id}", {"revision": 1, "text": "Obey."}),
        program.send("PATCH", f"{NOTES}/{soul.id}", {"revision": 1, "path": "old.md"}),
        program.send("DELETE", f"{NOTES}/{soul.id}"),
    ):
        assert read_refusal(answer) == (403, "own_note")
    assert program.send("PATCH", place, {"revision": 1, "text": "two"}).status_code == 200
    assert read_refusal(program.send("PATCH", place, {"revision": 1, "text": "x"})) == (
        409,
        "revision_conflict",
    )
    moved = program._read(program.send("PATCH", place, {"revision": 2, "path": "knowledge/b.md"}))
    assert (moved["path"], moved["text"], moved["revision"]) == ("knowledge/b.md", "two", 3)
    assert [version.text for version in list_note_versions(olive.open_keyring(), moved_id(moved))] == ["one"]
    assert program.send("DELETE", place).status_code == 200
    assert [line.path for line in list_notes(olive.open_keyring())] == ["SOUL.md"]
    assert read_persona(olive.open_keyring()) == "Be brief."


def moved_id(body: dict[str, Any]) -> Any:
    return Note.objects.get(id=body["id"]).id


def test_a_program_that_passes_on_typing_edits_what_is_its_owners(
    olive: Resident, make_program: MakeProgram
) -> None:
    soul = add(olive, "SOUL.md", "Be brief.")
    program = make_program("notes", writes_own_text=True)

    program._read(program.send("PATCH", f"{NOTES}/{soul.id}", {"revision": 1, "text": "Be kind."}))

    assert read_persona(olive.open_keyring()) == "Be kind."


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"path": "../up.md", "text": "x"}, (422, "invalid_field")),
        ({"path": "a\nb", "text": "x"}, (422, "invalid_field")),
        ({"path": "SOUL.md", "text": "x" * 4097}, (422, "invalid_field")),
        ({"path": "a.md", "text": "x\0"}, (422, "invalid_field")),
        ({"path": "knowledge", "text": "x"}, (409, "path_taken")),
        ({"path": "knowledge/a.md", "text": "x"}, (409, "path_taken")),
    ],
)
def test_what_can_be_no_note_is_refused_with_a_sentence(
    olive: Resident, make_program: MakeProgram, body: dict[str, str], refusal: tuple[int, str]
) -> None:
    add(olive, "knowledge/a.md", "A", Origin.IMPORTED)

    answer = make_program("notes").send("POST", NOTES, body)

    assert read_refusal(answer) == refusal
    assert len(list_notes(olive.open_keyring())) == 1


def test_a_damaged_note_and_that_of_another_person(
    olive: Resident, make_program: MakeProgram, housemate: Resident
) -> None:
    note = add(olive, "a.md", "A")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE diary_note SET revision = 7")
    save_note(housemate.keyring, "theirs.md", "T", origin=Origin.OWN)
    theirs = Note.objects.get(owner_id=housemate.id)
    program = make_program("notes", writes_own_text=True)

    body = program.get(f"{NOTES}/{note.id}")

    assert [each["path"] for each in program.get(NOTES)["notes"]] == [None]
    assert (body["path"], body["text"], body["data"], body["is_used"]) == (None, None, None, False)
    changed = program.send("PATCH", f"{NOTES}/{note.id}", {"revision": 7, "text": "x"})
    assert read_refusal(changed) == (409, "damaged")
    for id_ in (theirs.id, uuid4(), "no-id"):
        assert read_refusal(program.send("GET", f"{NOTES}/{id_}")) == (404, "not_found")
        assert read_refusal(program.send("DELETE", f"{NOTES}/{id_}")) == (404, "not_found")
