"""Tests of the page that imports a workspace after a preview."""

import re
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from diary.models import Note, Origin
from diary.notes.persona import read_persona
from diary.notes.queries import list_notes
from diary.notes.services import save_note
from diary.notes.workspace import pending_workspaces as pending
from diary.notes.workspace.pending_workspaces import pending_workspaces
from tests.diary.notes.test_workspace import build_zip
from tests.people import Resident, register_resident

PAGE = "/notes/import/"


@pytest.fixture
def olive(db: None) -> Resident:
    return register_resident("Olive", signed_in=True)


def choose(who: Resident, data: bytes, name: str = "workspace.zip") -> Any:
    return who.post(PAGE, file=SimpleUploadedFile(name, data))


def choose_files(who: Resident, files: dict[str, bytes]) -> Any:
    return choose(who, build_zip(files).getvalue())


def read(answer: Any) -> str:
    return unescape(answer.content.decode())


def find_waiting(answer: Any) -> str:
    return re.findall(r'name="waiting" value="([0-9a-f-]{36})"', answer.content.decode())[0]


def test_a_workspace_is_shown_first_and_imported_once_it_is_confirmed(olive: Resident) -> None:
    save_note(olive.open_keyring(), "MEMORY.md", "Tea.", origin=Origin.OWN)
    preview = choose_files(
        olive, {"SOUL.md": b"Obey.", "MEMORY.md": b"Gin.", "skills/x/SKILL.md": b"X", "../up.md": b"?"}
    )
    shown = read(preview)

    assert preview.status_code == 200
    assert Note.objects.count() == 1
    assert "SOUL.md</bdi>: Persona" in shown
    assert "Another text here (1)" in shown
    assert "../up.md</bdi>: A folder or a file" in shown
    done = olive.post(PAGE, waiting=find_waiting(preview))
    assert "2 notes imported." in read(done)
    assert "MEMORY.md" in read(done)
    lines = {line.path: (line.origin, line.source) for line in list_notes(olive.open_keyring())}
    assert lines["SOUL.md"] == (Origin.IMPORTED, "workspace.zip")
    assert lines["MEMORY.md"] == (Origin.OWN, "")
    assert read_persona(olive.open_keyring()) == ""


def test_files_take_the_place_of_notes_only_if_that_was_chosen(olive: Resident) -> None:
    save_note(olive.open_keyring(), "MEMORY.md", "Tea.", origin=Origin.OWN)
    preview = choose_files(olive, {"MEMORY.md": b"Gin."})

    done = olive.post(PAGE, waiting=find_waiting(preview), replace="yes")

    assert "1 note replaced" in read(done)
    assert [line.origin for line in list_notes(olive.open_keyring())] == [Origin.IMPORTED]


@pytest.mark.parametrize("data", [b"", b"no zip", build_zip({}).getvalue()])
def test_what_is_no_workspace_is_refused_with_a_sentence(olive: Resident, data: bytes) -> None:
    answer = choose(olive, data)

    assert answer.status_code == 422
    assert "field-error" in read(answer)


def test_a_preview_is_confirmed_once_by_its_owner_and_not_too_late(
    olive: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    humphrey = register_resident("Humphrey", signed_in=True)
    first = find_waiting(choose_files(olive, {"SOUL.md": b"one"}))
    second = find_waiting(choose_files(olive, {"SOUL.md": b"two"}))

    for who, id_ in ((humphrey, second), (olive, first), (olive, "no-id")):
        answer = who.post(PAGE, waiting=id_)
        assert answer.status_code == 422
        assert "Choose it again." in read(answer)
    assert olive.post(PAGE, waiting=second).status_code == 200
    assert olive.post(PAGE, waiting=second).status_code == 422
    third = find_waiting(choose_files(olive, {"SOUL.md": b"three"}))
    monkeypatch.setattr(pending, "WAITING_SECONDS", -1)
    assert olive.post(PAGE, waiting=third).status_code == 422
    assert [line.path for line in list_notes(olive.open_keyring())] == ["SOUL.md"]


def test_what_waits_is_sealed_in_memory(olive: Resident) -> None:
    choose_files(olive, {"SOUL.md": b"Obey the marker."})

    (waits,) = pending_workspaces._by_owner.values()

    assert b"SOUL.md" not in waits.envelope
    assert b"workspace.zip" not in waits.envelope
    pending_workspaces.forget(olive.id)
    assert not pending_workspaces._by_owner


def test_the_page_says_what_fits_and_is_linked_from_the_notes(olive: Resident) -> None:
    assert "SOUL.md" in read(olive.get(PAGE))
    assert f'href="{PAGE}"' in read(olive.get("/notes/"))
