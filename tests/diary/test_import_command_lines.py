"""Tests of `import_diary` with JSON lines: imported once and in order, also after an interruption."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.auth.services.registration import create_person
from diary.models import Entry
from diary.transfer.line_imports import ImportReport, import_lines
from diary.transfer.line_reader import ImportLine, read_lines
from tests import data_folder_template
from tests.fakes.waiting import PATIENCE
from tests.people import Resident
from tests.server import ROOT, build_environment, run_command

PASSWORD = "a long walk by the weir"
CORPUS = "corpus/pepys_1660_1664.jsonl"


def build_lines(*entries: tuple[str, str]) -> list[ImportLine]:
    return [
        ImportLine(number, date.fromisoformat(day), text)
        for number, (day, text) in enumerate(entries, start=1)
    ]


def import_text(member: Resident, lines: list[ImportLine]) -> ImportReport:
    return import_lines(person=member.person, keyring=member.keyring, lines=lines)


def test_entries_stand_on_their_days_in_the_order_of_the_file(owner: Resident) -> None:
    report = import_text(owner, build_lines(("1660-01-12", "b"), ("1660-01-11", "c"), ("1660-01-12", "a")))

    assert (report.added, report.known) == (3, 0)
    assert owner.list_texts(date(1660, 1, 12)) == ["b", "a"]
    assert owner.list_texts(date(1660, 1, 11)) == ["c"]


@pytest.mark.parametrize("day", ["0001-01-01", "1660-01-11", "9999-12-31"])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Etc/GMT+12"])
def test_every_day_of_the_calendar_can_be_brought_in_and_looked_at(
    owner: Resident, day: str, zone: str
) -> None:
    owner.set_preferences(time_zone=zone)

    import_text(owner, build_lines((day, "Long ago or far ahead")))

    assert "Long ago or far ahead" in owner.get(f"/d/{day}/").content.decode()


def test_noon_is_that_of_the_person(owner: Resident) -> None:
    owner.person.time_zone = "America/New_York"

    import_text(owner, build_lines(("2020-07-01", "x")))

    assert Entry.objects.get().created_at == datetime(2020, 7, 1, 16, tzinfo=UTC)


def test_a_second_import_adds_nothing_whatever_became_of_the_first(owner: Resident) -> None:
    lines = build_lines(("2020-01-01", "kept"), ("2020-01-01", "edited"), ("2020-01-02", "deleted"))
    import_text(owner, lines)
    _, edited, deleted = Entry.objects.order_by("created_at", "id")
    owner.post(f"/entries/{edited.id}/edit/", text="changed", revision=1)
    owner.post(f"/entries/{deleted.id}/delete/")

    report = import_text(owner, lines)

    assert (report.added, report.known) == (0, 3)
    assert Entry.objects.count() == 3
    assert owner.list_texts(date(2020, 1, 1)) == ["kept", "changed"]


def test_a_line_that_comes_twice_is_one_entry(owner: Resident) -> None:
    report = import_text(
        owner, build_lines(("2020-01-01", "same"), ("2020-01-01", "same"), ("2020-01-02", "same"))
    )

    assert (report.added, report.known) == (2, 1)


def test_two_people_can_import_the_same_file(owner: Resident, housemate: Resident) -> None:
    lines = build_lines(("2020-01-01", "ours"))

    reports = [import_text(member, lines) for member in (owner, housemate)]

    assert [report.added for report in reports] == [1, 1]
    assert owner.list_texts(date(2020, 1, 1)) == housemate.list_texts(date(2020, 1, 1)) == ["ours"]


def test_nothing_of_a_line_is_readable_in_the_row(owner: Resident) -> None:
    import_text(owner, build_lines(("2020-01-01", "A very private line")))

    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM diary_entry")
        row = repr(cursor.fetchone())
    assert "private" not in row


def test_the_corpus_comes_in_whole(owner: Resident, shared: Path) -> None:
    with (shared / CORPUS).open("rb") as file:
        lines = list(read_lines(file, until=date(2026, 11, 20), limit=100_000))

    report = import_text(owner, lines)  # type: ignore[arg-type]

    assert report.rejected == []
    assert report.added == len(lines) == 1803
    assert (report.first, report.last) == (date(1660, 1, 11), max(line.day for line in lines))  # type: ignore[union-attr]


def register_olive() -> str:
    """Register Olive and return her recovery code."""
    made = create_person(
        name="Olive", password=PASSWORD, time_zone="UTC", is_administrator=True, address="test"
    )
    made.keyring.close()
    return made.recovery_code


@pytest.fixture
def registered(db: None, tmp_path: Path) -> Path:
    register_olive()
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    return file


def import_file(file: Path, **options: Any) -> str:
    out = io.StringIO()
    call_command("import_diary", file, user="olive", stdout=out, stderr=out, **options)
    return out.getvalue()


def test_the_command_names_bad_lines_and_imports_the_rest(registered: Path, tmp_path: Path) -> None:
    file = tmp_path / "diary.jsonl"
    file.write_text(
        '{"date": "2020-01-01", "text": "good words"}\nbad words\n{"date": "2021-01-01", "text": "more"}\n'
    )

    said = import_file(file, password_file=registered)

    assert "Line 2 is not JSON." in said
    assert "Imported 2; 0 were already in the diary." in said
    assert "2020: 1" in said
    assert "From 2020-01-01 to 2021-01-01: 2 entries." in said
    assert "words" not in said
    assert Entry.objects.count() == 2


def test_a_recovery_code_will_do(db: None, tmp_path: Path) -> None:
    file, code = tmp_path / "diary.jsonl", tmp_path / "code"
    file.write_text('{"date": "2020-01-01", "text": "x"}\n')
    code.write_text(register_olive() + "\n")

    said = import_file(file, password_file=code)

    assert "Imported 1; 0 were already in the diary." in said


def test_without_a_password_nothing_is_imported(
    registered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "diary.jsonl"
    file.write_text('{"date": "2020-01-01", "text": "x"}\n')
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    monkeypatch.setattr("getpass.getpass", lambda *_: input())

    with pytest.raises(CommandError, match="No password was given"):
        import_file(file)


def test_a_preview_writes_nothing_and_asks_for_no_password(registered: Path, tmp_path: Path) -> None:
    file = tmp_path / "diary.jsonl"
    file.write_text('{"date": "2020-01-01", "text": "x"}\n')

    said = import_file(file, dry_run=True)

    assert "nothing was imported" in said
    assert not Entry.objects.exists()


def test_the_command_refuses_what_it_cannot_do(registered: Path, tmp_path: Path) -> None:
    good, bad, empty, wrong = (tmp_path / name for name in ("good", "bad", "empty", "wrong"))
    good.write_text('{"date": "2020-01-01", "text": "x"}\n')
    bad.write_text("nothing here\n")
    empty.write_text("")
    wrong.write_text("not the password")

    for file, options in [
        (good, {"password_file": wrong}),
        (good, {"password_file": tmp_path / "absent"}),
        (bad, {"password_file": registered}),
        (empty, {"password_file": registered}),
        (tmp_path, {"password_file": registered}),
        (tmp_path / "absent", {"password_file": registered}),
    ]:
        with pytest.raises(CommandError):
            import_file(file, **options)
    with pytest.raises(CommandError):
        call_command("import_diary", good, user="nobody", password_file=registered)
    assert not Entry.objects.exists()


ENROL = (
    "import django; django.setup()\n"
    "from accounts.auth.services.registration import create_person\n"
    f"create_person(name='Olive', password={PASSWORD!r}, time_zone='UTC', is_administrator=True, "
    "address='test')\n"
)


def count_entries(folder: Path) -> int:
    with sqlite3.connect(f"file:{folder / 'data' / 'llamora.sqlite3'}?mode=ro", uri=True) as database:
        found: tuple[int] = database.execute("SELECT count(*) FROM diary_entry").fetchone()
    return found[0]


def test_an_import_that_was_killed_goes_on_where_it_ended(tmp_path: Path) -> None:
    total, file, password = 3000, tmp_path / "diary.jsonl", tmp_path / "password"
    days = [date.fromordinal(730_000 + number // 3).isoformat() for number in range(total)]
    file.write_text(
        "".join(json.dumps({"date": day, "text": f"entry {n} "}) + "\n" for n, day in enumerate(days))
    )
    password.write_text(PASSWORD)
    environment = build_environment(tmp_path) | {"DJANGO_SETTINGS_MODULE": "llamora.settings"}
    data_folder_template.copy_template(tmp_path / "data")
    subprocess.run([sys.executable, "-c", ENROL], cwd=ROOT, env=environment, check=True)
    arguments = ["import_diary", str(file), "--user", "Olive", "--password-file", str(password)]

    running = subprocess.Popen(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    while running.poll() is None and count_entries(tmp_path) == 0:
        time.sleep(0.005)
    os.kill(running.pid, signal.SIGKILL)
    running.wait(PATIENCE)
    left = count_entries(tmp_path)
    again = run_command(tmp_path, *arguments)

    assert 0 < left < total
    assert left % 500 == 0
    assert f"Imported {total - left:,}; {left:,} were already in the diary." in again.stdout
    assert count_entries(tmp_path) == total
