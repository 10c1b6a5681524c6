"""Tests of `import_diary` with an export: imports what `export_diary` wrote, and prints counts."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from diary.models import Draft, Entry
from tests.diary.transfers import build_entry_row, build_export, write_json
from tests.people import PASSWORD, register_resident


def run_command(path: Path, **options: Any) -> str:
    out = io.StringIO()
    try:
        call_command("import_diary", path, user="olive", stdout=out, stderr=out, **options)
    except CommandError as error:
        out.write(f"! {error}")
    return out.getvalue()


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    return file


def test_the_command_takes_back_what_the_command_wrote(db: None, password: Path, tmp_path: Path) -> None:
    register_resident("Olive", entries=6)
    call_command(
        "export_diary", "olive", password_file=password, to=tmp_path / "one.zip", stdout=io.StringIO()
    )
    Entry.objects.all().delete()
    Draft.objects.all().delete()

    looked = run_command(tmp_path / "one.zip", dry_run=True)
    said = [run_command(tmp_path / "one.zip", password_file=password) for _ in range(2)]

    assert "6 entries." in looked
    assert "nothing was imported" in looked
    assert "Also imported: 2 drafts, 3 replies" in said[0]
    assert [
        "Imported 6; 0 were already in the diary." in said[0],
        "Imported 0; 6 were already in the diary." in said[1],
    ] == [
        True,
        True,
    ]
    assert "Entry 0" not in said[0]


def test_the_command_says_what_it_cannot_take_and_no_words(db: None, password: Path, tmp_path: Path) -> None:
    register_resident("Olive", entries=0)
    rows = [
        build_entry_row("secret good"),
        build_entry_row("secret bad", day="2026-02-30"),
        build_entry_row("secret half", revision="secret"),
    ]
    file = write_json(build_export(*rows, recaps=[{}, {}]), tmp_path / "diary.json")

    said = run_command(file, password_file=password)

    assert "Entry 2 has a date that does not exist or is not written as YYYY-MM-DD." in said
    assert "Entry 3: revision can't be imported." in said
    assert "Not imported, for the reasons above: 1 entry." in said
    assert "Not imported: 2 recaps." in said
    assert "Imported 2; 0 were already in the diary." in said
    assert "secret" not in said


def test_the_command_names_no_kind_that_is_no_name(db: None, password: Path, tmp_path: Path) -> None:
    register_resident("Olive", entries=0)
    kinds = {"Secret words": [1], "\x1b[2Jsecret": [1, 2], "\udc80": [1], "": [1], "postcards": [1]}
    file = write_json(build_export(build_entry_row("a"), **kinds), tmp_path / "diary.json")

    said = run_command(file, password_file=password)

    assert "Not imported: 1 postcards, 5 rows of other kinds." in said
    assert "Imported 1; 0 were already in the diary." in said


def test_the_command_says_where_a_file_breaks_off(db: None, password: Path, tmp_path: Path) -> None:
    register_resident("Olive", entries=0)
    file = write_json(
        build_export(build_entry_row("a"), build_entry_row("b"), build_entry_row("c")),
        tmp_path / "diary.json",
    )
    file.write_text(file.read_text().split('"c"')[0])

    said = run_command(file, password_file=password)

    assert "Imported 2; 0 were already in the diary." in said
    assert "! The file is damaged after entry 2" in said


def test_the_command_refuses_what_is_no_export_it_knows(db: None, password: Path, tmp_path: Path) -> None:
    register_resident("Olive", entries=0)
    later = write_json({**build_export(build_entry_row("a")), "version": 2}, tmp_path / "later.json")
    other = tmp_path / "other.json"
    other.write_text('{"entries": [{"text": "x"}]}')

    assert "! A later version of Llamora wrote this file." in run_command(later, password_file=password)
    assert "! This is not an export of a Llamora diary." in run_command(other, password_file=password)
    assert not Entry.objects.exists()
