"""Tests of valid paths of notes, of the kind that each path has, and of maximum lengths."""

import pytest

from diary.notes.errors import InvalidNotePath, InvalidNoteText, NoteTooLong
from diary.notes.kinds import (
    MAX_FILE_BYTES,
    MAX_NOTE_TEXT,
    MAX_PERSONA,
    NoteKind,
    check_content,
    check_path,
    derive_kind,
    match_newlines,
)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("SOUL.md", NoteKind.PERSONA),
        ("MEMORY.md", NoteKind.REMEMBER),
        ("HEARTBEAT.md", NoteKind.REQUESTS),
        ("knowledge/garden.md", NoteKind.REFERENCE),
        ("knowledge/house/boiler/manual.txt", NoteKind.REFERENCE),
        ("skills/letters/SKILL.md", NoteKind.SKILL),
        ("skills/letters/scripts/run.py", NoteKind.FILE),
        ("skills/SKILL.md", NoteKind.FILE),
        ("skills/a/b/SKILL.md", NoteKind.FILE),
        ("other/SOUL.md", NoteKind.FILE),
        ("soul.md", NoteKind.FILE),
        ("knowledge", NoteKind.FILE),
        ("AGENTS.md", NoteKind.FILE),
    ],
)
def test_the_path_says_what_a_note_is_for(path: str, kind: NoteKind) -> None:
    assert derive_kind(check_path(path)) is kind


@pytest.mark.parametrize(
    "path",
    [
        "",
        "  ",
        "/etc/passwd",
        "../up.md",
        "knowledge/../../up.md",
        "knowledge/./a.md",
        "knowledge//a.md",
        "knowledge/",
        "knowledge/ /a.md",
        "knowledge/.. /a.md",
        "a\\b.md",
        "C:/a.md",
        "a\nb.md",
        "a\0.md",
        "a\u202egpj.md",
        "a\ud800.md",
        "x" * 241,
        "é" * 121,
    ],
)
def test_a_path_that_leads_elsewhere_or_shows_as_another_is_refused_with_a_sentence(path: str) -> None:
    with pytest.raises(InvalidNotePath) as refused:
        check_path(path)

    assert refused.value.sentence.endswith(".")
    assert str(refused.value) == "note_path"


@pytest.mark.parametrize(
    "path", ["x" * 240, ".openclaw/state.json", "knowledge/Käse & Brot (2).md", "日記/犬.md"]
)
def test_an_unusual_name_is_a_name(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    ("kind", "limit"), [(NoteKind.PERSONA, MAX_PERSONA), (NoteKind.REFERENCE, MAX_NOTE_TEXT)]
)
def test_a_text_is_as_long_as_its_kind_allows(kind: NoteKind, limit: int) -> None:
    assert check_content("ä" * limit, kind)

    with pytest.raises(NoteTooLong) as refused:
        check_content("ä" * (limit + 7), kind)

    assert "7" in refused.value.sentence


def test_a_file_has_its_own_limit_and_is_no_persona() -> None:
    assert check_content(b"\xff" * MAX_FILE_BYTES, NoteKind.FILE)

    with pytest.raises(NoteTooLong):
        check_content(b"\xff" * (MAX_FILE_BYTES + 1), NoteKind.FILE)
    with pytest.raises(InvalidNoteText):
        check_content(b"\xff", NoteKind.PERSONA)
    with pytest.raises(InvalidNoteText):
        check_content("half \ud83d of it", NoteKind.FILE)


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, "a\nb\n"), ("", "a\nb\n"), ("x\ny", "a\nb\n"), ("x\r\ny", "a\r\nb\r\n"), ("x\r\ny\nz", "a\nb\n")],
)
def test_a_text_from_a_page_has_the_line_ends_of_the_text_before(before: str | None, after: str) -> None:
    assert match_newlines("a\r\nb\r\n", like=before) == after
