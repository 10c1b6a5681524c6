"""Tests of workspaces: imported and exported byte for byte, back into the same diary, and hostile ones."""

import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from diary.entries.queries import get_digest_key
from diary.models import Note, Origin
from diary.notes.claims.services import approve_skill, claim_note
from diary.notes.persona import read_persona
from diary.notes.queries import find_note, list_note_versions, list_notes
from diary.notes.services import delete_note, save_note
from diary.notes.skills import list_skills
from diary.notes.workspace import files, imports
from diary.notes.workspace.files import (
    FOLDER,
    NotAWorkspace,
    iter_workspace,
    read_folder,
    read_workspace,
    read_zip,
)
from diary.notes.workspace.imports import WorkspaceFileState, import_workspace, preview_workspace
from llamora.crypto import Keyring, Realm
from tests.diary.notes.workspaces import SKILL, build_workspace, write_files
from tests.diary.notes.writing import add_note
from tests.diary.transfers import export_to_folder, import_file
from tests.hostile import count_calls
from tests.people import Resident, register_resident


def read_files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def build_zip(files: Mapping[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return out


def get_signing_key(who: Resident) -> bytes:
    with who.unlocked():
        return get_digest_key(who.id)


def bring_in(keyring: Keyring, files: Mapping[str, bytes], **options: Any) -> Any:
    return import_workspace(keyring, read_workspace(files.items()), source="workspace", **options)


def test_a_workspace_of_forty_files_goes_in_and_comes_out_byte_for_byte(
    owner: Resident, tmp_path: Path
) -> None:
    files = build_workspace()
    given = write_files(tmp_path / "given", files)
    write_files(given, {".git/config": b"[core]"})

    report = import_workspace(owner.keyring, read_workspace(read_folder(given)), source="given")
    exported = export_to_folder(owner, tmp_path / "out")

    assert (report.added, report.refused) == (40, [])
    assert read_files(tmp_path / "out" / FOLDER) == files
    assert len(exported["others"]["notes"]) == 40
    assert {row["origin"] for row in exported["others"]["notes"]} == {Origin.IMPORTED}
    assert read_persona(owner.keyring) == ""
    assert [skill.usable for skill in list_skills(owner.keyring)] == [False]
    # Once its owner has read it, it is theirs, and its bytes are what they were.
    for line in list_notes(owner.keyring):
        decide = approve_skill if line.path.endswith("SKILL.md") else claim_note
        decide(owner.keyring, line.id, line.revision)
    assert read_persona(owner.keyring) == "# Soul\r\n\r\nBe brief."
    assert dict(iter_workspace(owner.keyring)) == files


def test_what_was_written_here_comes_back_as_it_was(owner: Resident, tmp_path: Path) -> None:
    keyring = owner.keyring
    soul = add_note(owner, "SOUL.md", "one\r\n")
    soul = save_note(keyring, "SOUL.md", "Be brief.\r\n", note_id=soul.id, based_on=1, origin=Origin.OWN)
    skill = add_note(owner, "skills/letters/SKILL.md", SKILL.decode())
    sent = add_note(owner, "knowledge/lamp.md", "Lamp", origin=Origin.PROGRAM, source="A lamp")
    export_to_folder(owner, tmp_path / "first")
    written = read_files(tmp_path / "first" / FOLDER)
    assert b"origin: own\n" in written["SOUL.md"]
    assert written["skills/letters/SKILL.md"].startswith(b"---\nid: ")
    assert written["skills/letters/SKILL.md"].endswith(SKILL.removeprefix(b"---\n"))
    for note in (soul, skill, sent):
        delete_note(keyring, note.id)

    report = import_workspace(keyring, read_workspace(read_folder(tmp_path / "first")), source="first")

    assert report.added == 3
    back = {line.path: line for line in list_notes(keyring)}
    for note in (soul, skill, sent):
        line = back[note.path]
        assert (line.id, line.revision, line.origin) == (note.id, note.revision, note.origin)
    assert read_persona(keyring) == "Be brief."
    assert list_skills(keyring)[0].usable
    export_to_folder(owner, tmp_path / "second")
    assert read_files(tmp_path / "second" / FOLDER) == written
    assert import_workspace(keyring, read_workspace(read_folder(tmp_path / "first")), source="").same == 3


def test_a_changed_file_and_that_of_another_diary_are_imported_ones(
    owner: Resident, housemate: Resident, tmp_path: Path
) -> None:
    note = add_note(owner, "SOUL.md", "Be brief.")
    ((path, data),) = iter_workspace(owner.keyring, signing_key=get_signing_key(owner))
    delete_note(owner.keyring, note.id)

    bring_in(owner.keyring, {path: data.replace(b"brief", b"cruel")})
    bring_in(housemate.keyring, {path: data})

    for who, text in ((owner, "Be cruel."), (housemate, "Be brief.")):
        found = find_note(who.keyring, "SOUL.md")
        assert found is not None
        assert (found.text, found.origin, found.source) == (text, Origin.IMPORTED, "workspace")
        assert read_persona(who.keyring) == ""


def test_a_note_with_another_text_stays_unless_it_is_to_be_replaced(owner: Resident) -> None:
    keyring = owner.keyring
    soul = add_note(owner, "SOUL.md", "Be brief.")
    files = {"SOUL.md": b"Obey.", "knowledge/a.md": b"A", "SOUL.md/x": b"?", "knowledge": b"?"}

    preview = preview_workspace(keyring, read_workspace(files.items()))
    first = bring_in(keyring, files)
    stayed = read_persona(keyring)
    second = bring_in(keyring, files, replaces=True)

    assert [each.state for each in preview][:2] == [WorkspaceFileState.CHANGED, WorkspaceFileState.NEW]
    assert (first.added, first.left, stayed) == (1, ["SOUL.md"], "Be brief.")
    assert [path for path, _ in first.refused] == ["SOUL.md/x", "knowledge"]
    assert (second.replaced, second.same) == (1, 1)
    assert read_persona(keyring) == ""
    assert [version.text for version in list_note_versions(keyring, soul.id)] == ["Be brief."]


def test_a_preview_lets_the_pages_of_others_in_between_files(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[str] = []
    for module in (files, imports):
        monkeypatch.setattr(module, "let_others_run", lambda: turns.append("of others"))

    preview_workspace(owner.keyring, read_workspace([(f"knowledge/{n}.md", b"Tea") for n in range(3)]))

    assert len(turns) == 2 * 3


def test_an_earlier_export_that_replaces_a_program_s_text_is_its_owners_again(owner: Resident) -> None:
    keyring = owner.keyring
    note = add_note(owner, "SOUL.md", "Be brief.")
    files = dict(iter_workspace(keyring, signing_key=get_signing_key(owner)))
    save_note(keyring, "SOUL.md", "Obey.", note_id=note.id, based_on=1, origin=Origin.IMPORTED)

    bring_in(keyring, files, replaces=True)

    assert read_persona(keyring) == "Be brief."


def test_a_hostile_zip_is_refused_file_by_file_and_the_rest_is_taken(owner: Resident) -> None:
    link = zipfile.ZipInfo("knowledge/link.md")
    link.external_attr = 0o120777 << 16
    out = build_zip(
        {
            "../up.md": b"x",
            "/etc/passwd": b"x",
            "a\\b.md": b"x",
            "knowledge/bomb.md": bytes(50_000_000),
            "knowledge/good.md": b"Roses",
            "__MACOSX/._good.md": b"x",
        }
    )
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("knowledge/twice.md", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("knowledge/twice.md", b"2")

    report = import_workspace(owner.keyring, read_workspace(read_zip(out)), source="x.zip")

    assert [line.path for line in list_notes(owner.keyring)] == ["knowledge/good.md"]
    assert {path for path, _ in report.refused} == {
        "../up.md", "/etc/passwd", "a\\b.md", "knowledge/bomb.md", "knowledge/link.md", "knowledge/twice.md",
    }  # fmt: skip
    assert all(sentence.endswith(".") for _, sentence in report.refused)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"not a zip", bytes(1000)])
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    with pytest.raises(NotAWorkspace):
        list(read_zip(io.BytesIO(data)))


@pytest.mark.parametrize("fault", ["bent", "nameless", "far away"])
def test_a_file_of_a_zip_that_cannot_be_unpacked_is_refused_and_the_rest_is_taken(fault: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.md", b"Roses " * 9)
        archive.writestr("good.md", b"Roses")
        if fault == "nameless":
            archive.filelist[0].filename = ""
        if fault == "far away":
            archive.filelist[0].header_offset = 2**64 - 1
    if fault == "bent":
        out.seek(30 + len("a.md"))
        out.write(b"\xff\xff")

    refused, good = read_workspace(read_zip(out))

    assert refused.refusal.endswith(".")
    assert (good.content, good.refusal) == ("Roses", "")


def test_a_zip_in_which_each_folder_looks_like_an_export_costs_as_much_as_any_other() -> None:
    def count(number: int) -> int:
        out = build_zip({f"{each}/diary.json": b"" for each in range(number)})
        return count_calls(lambda: list(read_zip(out)))

    assert count(400) < 3 * count(200)


@pytest.mark.parametrize("top", ["", "my-workspace/", "diary-2026/workspace/"])
def test_a_folder_around_the_workspace_is_left_out(top: str) -> None:
    files = {f"{top}SOUL.md": b"x", f"{top}knowledge/a.md": b"y"}
    if top.endswith("/workspace/"):
        files["diary-2026/diary.json"] = b"{}"

    assert {path for path, _ in read_zip(build_zip(files))} == {"SOUL.md", "knowledge/a.md"}


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    secret = write_files(tmp_path / "elsewhere", {"secret.md": b"secret"})
    folder = write_files(tmp_path / "given", {"a.md": b"A"})
    (folder / "link.md").symlink_to(secret / "secret.md")
    (folder / "knowledge").symlink_to(secret)
    os.mkfifo(folder / "pipe")

    read = {file.path: (file.content, bool(file.refusal)) for file in read_workspace(read_folder(folder))}

    assert read == {
        "a.md": ("A", False),
        "link.md": (b"", True),
        "knowledge": (b"", True),
        "pipe": (b"", True),
    }


def test_names_that_a_disk_takes_for_one_are_written_as_two(owner: Resident) -> None:
    paths = ("A.md", "a.md", "Knowledge", "knowledge/a.md", "x/Y", "x/y/z.md", "x/Y.", "Z/a", "z")
    for path in paths:
        add_note(owner, path, path, origin=Origin.IMPORTED, came_in=True)

    written = dict(iter_workspace(owner.keyring))

    assert sorted(written.values()) == sorted(path.encode() for path in paths)
    files = {path.casefold() for path in written}
    assert len(files) == len(paths)
    assert not files & {str(folder) for path in files for folder in PurePosixPath(path).parents}


def test_a_program_exports_no_signature_and_only_what_is_its_owners(owner: Resident) -> None:
    add_note(owner, "SOUL.md", "Be brief.")
    add_note(owner, "knowledge/a.md", "A", origin=Origin.IMPORTED, came_in=True)
    program = owner.keyring.restrict([Realm.NOTES])

    files = dict(iter_workspace(program, reads_others=False))

    assert set(files) == {"SOUL.md"}
    assert b"signature" not in files["SOUL.md"]


def test_notes_of_a_json_come_back_with_versions_and_those_of_another_diary_are_imported(
    owner: Resident, housemate: Resident, tmp_path: Path
) -> None:
    keyring = owner.keyring
    soul = add_note(owner, "SOUL.md", "one")
    save_note(keyring, "SOUL.md", "Be brief.", note_id=soul.id, based_on=1, origin=Origin.OWN)
    add_note(owner, "knowledge/a.bin", b"\xff\0", origin=Origin.IMPORTED, came_in=True)
    export_to_folder(owner, tmp_path / "out")
    Note.objects.all().delete()

    back = import_file(owner, tmp_path / "out" / "diary.json")
    again = import_file(owner, tmp_path / "out" / "diary.json")
    elsewhere = import_file(housemate, tmp_path / "out" / "diary.json")

    assert [each.rows["notes"] for each in (back, again, elsewhere)] == [2, 0, 2]
    assert read_persona(keyring) == "Be brief."
    assert read_persona(housemate.keyring) == ""
    for who, origin in ((owner, Origin.OWN), (housemate, Origin.IMPORTED)):
        found = find_note(who.keyring, "SOUL.md")
        assert found is not None
        assert (found.origin, found.text) == (origin, "Be brief.")
        versions = list_note_versions(who.keyring, found.id)
        assert [(version.text, version.origin) for version in versions] == [("one", origin)]
        file = find_note(who.keyring, "knowledge/a.bin")
        assert file is not None
        assert (file.data, file.came_in) == (b"\xff\0", True)


# --- The command -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_command_shows_what_it_would_do_asks_and_does_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    olive = register_resident("Olive")
    folder = write_files(tmp_path / "given", {"SOUL.md": b"Be brief.", "knowledge/a.md": b"A"})
    (folder / "bad\nname.md").write_bytes(b"x")
    (tmp_path / "password").write_text(olive.password)
    answers = iter(["n", "y"])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))

    def run(*options: str) -> tuple[str, str]:
        out, err = io.StringIO(), io.StringIO()
        secret = ["--user", "Olive", "--password-file", str(tmp_path / "password")]
        call_command("import_notes", str(folder), *secret, *options, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    shown, _ = run("--dry-run")
    with pytest.raises(CommandError):
        run()
    assert not Note.objects.exists()
    out, err = run()
    (folder / "SOUL.md").write_bytes(b"Obey.")
    left, _ = run("--yes")
    replaced, _ = run("--yes", "--replace")

    assert "SOUL.md  new" in shown
    assert "2 notes from given." in out
    assert "bad?name.md" in err
    assert "\nname" not in err
    assert "  SOUL.md" in left
    assert "1 note replaced" in replaced
    assert (
        json.dumps([line.origin for line in list_notes(olive.open_keyring())]) == '["imported", "imported"]'
    )


def test_the_command_refuses_what_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for given in ("nowhere", "empty"):
        with pytest.raises(CommandError):
            call_command("import_notes", str(tmp_path / given), user="Olive")
