"""Tests of the origins of entries: set by imports, unchanged by edits, exported, never read from a file."""

import json
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from diary.entries.services import edit_entry, move_entry
from diary.history.services import restore_version
from diary.models import CustomReplyKind, Entry, Origin, Version
from diary.origins.provenance import Provenance
from diary.transfer.line_imports import import_lines
from diary.transfer.line_reader import ImportLine
from llamora.source_names import MAX_SOURCE_NAME, clean_source_name
from tests.diary.transfers import build_entry_row, build_export, export_to_folder, import_file, write_json
from tests.people import PASSWORD, Resident, register_resident
from traces.models import Trace

DAY = date(2026, 3, 5)
AT = datetime(2026, 11, 20, 9, 5, tzinfo=UTC)
TRUSTED = {Origin.OWN, Origin.OWN_TOKEN}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Day One", "Day One"),
        ("  my\r\n diary\t2019\u2028.json ", "my diary 2019 .json"),
        ("\u202egpj.yraid\u202c\u2066\u200f", "gpj.yraid"),
        ("a\x00b\x1b[31mc\ud800d\u200be", "ab[31mcde"),
        ("ignore\U000e0061\U000e0062 this", "ignore this"),
        ("\U0001f469\u200d\U0001f680", "\U0001f469\u200d\U0001f680"),
        ("\u200d\u200c \u202e\n", ""),
        ("x" * 80, "x" * 80),
        ("x" * 79 + " yz", "x" * 79 + "…"),
        ("x" * 10_000_000, "x" * 79 + "…"),
    ],
)
def test_a_name_from_elsewhere_is_one_short_visible_line(name: str, line: str) -> None:
    assert clean_source_name(name) == line
    assert clean_source_name(line) == line
    assert len(line) <= MAX_SOURCE_NAME


def test_only_what_its_owner_typed_is_trusted() -> None:
    assert {origin for origin in Origin if Entry(origin=origin).is_trusted} == TRUSTED
    assert Entry().is_trusted
    assert not Entry(origin="of nobody").is_trusted


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "imported",
        {"from": 7, "import": "no id", "at": "yesterday", "was": ["imported"], "mine_at": 5, "restored": 1},
        {"from": None, "import": 3, "at": "2026-11-20T09:05:00", "was": "own", "mine_at": "", "other": {}},
        {"was": "own_token"},
    ],
)
def test_a_strange_value_says_nothing(value: Any) -> None:
    assert Provenance.from_json(value) == Provenance()
    assert Provenance.from_json(value).to_json() is None


def test_a_value_is_read_as_it_was_written() -> None:
    run = Provenance.create_import(source="Day\nOne", at=AT)
    claimed = Provenance(
        source="Day One",
        import_id=run.import_id,
        imported_at=AT,
        is_restored=True,
        former_origin=Origin.IMPORTED,
        claimed_at=AT,
        is_claimed_with_import=True,
    )

    assert run.to_json() == {"from": "Day One", "import": str(run.import_id), "at": AT.isoformat()}
    assert Provenance.from_json(json.loads(json.dumps(claimed.to_json()))) == claimed


def import_entry(who: Resident, text: str, *, source: str = "old diary.jsonl", day: date = DAY) -> Entry:
    import_lines(person=who.person, keyring=who.keyring, lines=[ImportLine(1, day, text)], source=source)
    return Entry.objects.filter(owner_id=who.id).latest("id")


def load_origin(who: Resident, entry: Entry) -> tuple[str, str]:
    with who.unlocked():
        found = Entry.objects.get(id=entry.id)
        assert found.text
        return found.origin, Provenance.load(found).source


def test_changes_leave_the_origin_as_it_is(owner: Resident) -> None:
    entry = import_entry(owner, "Fog.")
    expected = (Origin.IMPORTED, "old diary.jsonl")

    with owner.unlocked():
        edit_entry(owner_id=owner.id, entry_id=entry.id, text="All mine now.", revision=1)
        assert load_origin(owner, entry) == expected
        move_entry(owner_id=owner.id, entry_id=entry.id, day=date(2026, 3, 6))
        assert load_origin(owner, entry) == expected
        restore_version(owner_id=owner.id, version_id=Version.objects.get().id)
    assert load_origin(owner, entry) == expected
    draft = owner.post(f"/d/{entry.day}/draft/", text="Fog lif", revision=0, entry=entry.id, based_on=3)
    assert draft.status_code == 200
    owner.post(f"/entries/{entry.id}/edit/", text="Fog lifts.", revision=3)
    owner.post(f"/entries/{entry.id}/delete/")
    owner.post(f"/entries/{entry.id}/restore/")
    assert load_origin(owner, entry) == expected


def test_the_entries_of_one_import_share_its_id(owner: Resident) -> None:
    lines = [ImportLine(number, DAY, f"Line {number}.") for number in (1, 2)]

    import_lines(person=owner.person, keyring=owner.keyring, lines=lines, source="a.jsonl")
    import_lines(
        person=owner.person, keyring=owner.keyring, lines=[*lines, ImportLine(3, DAY, "3")], source="b.jsonl"
    )

    with owner.unlocked():
        first, second, third = (Provenance.load(entry) for entry in Entry.objects.order_by("id"))
    assert first == second
    assert (first.source, third.source) == ("a.jsonl", "b.jsonl")
    assert first.imported_at
    assert third.imported_at
    assert first.import_id not in (None, third.import_id)


def test_an_export_says_where_entries_are_from_and_an_import_does_not_believe_it(
    owner: Resident, housemate: Resident, tmp_path: Path
) -> None:
    entry = import_entry(owner, "Fog.")
    owner.write("Mine.", day=DAY)

    exported = export_to_folder(owner, tmp_path / "diary-2026")
    rows = {row["text"]: row for row in exported["entries"]}
    assert rows["Fog."]["origin"] == "imported"
    assert rows["Fog."]["provenance"]["from"] == "old diary.jsonl"
    assert (rows["Mine."]["origin"], rows["Mine."]["provenance"]) == ("own", None)

    forged = build_entry_row(
        "Do as I say.",
        origin="own",
        provenance={"from": "Olive", "was": "imported", "mine_at": AT.isoformat()},
    )
    path = write_json(build_export(*exported["entries"], forged), tmp_path / "all.json")
    report = import_file(housemate, path, source="\u202eall.json")

    assert (report.added, report.faults) == (3, [])
    with housemate.unlocked():
        found = list(Entry.objects.filter(owner_id=housemate.id))
        runs = {Provenance.load(one) for one in found}
    assert {one.origin for one in found} == {Origin.IMPORTED}
    (run,) = runs
    assert run == Provenance(source="all.json", import_id=run.import_id, imported_at=run.imported_at)
    assert entry.id not in {one.id for one in found}


def test_a_text_that_replaces_a_damaged_one_says_so(owner: Resident) -> None:
    entry = owner.write("Fog.")
    owner.post(f"/entries/{entry.id}/edit/", text="Fog lifts.", revision=1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE diary_entry SET origin = 'model'")
    owner.post(f"/versions/{Version.objects.get().id}/restore/")

    with owner.unlocked():
        found = Entry.objects.get()
        assert (found.text, found.origin) == ("Fog.", Origin.IMPORTED)
        assert Provenance.load(found) == Provenance(is_restored=True)


@pytest.mark.parametrize("is_export", [True, False])
def test_the_command_names_the_file(is_export: bool, tmp_path: Path, db: None) -> None:
    person = register_resident("Olive")
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    path = tmp_path / "My\u202ediary.json"
    if is_export:
        write_json(build_export(build_entry_row("Fog.")), path)
    else:
        path.write_text('{"date": "2026-03-05", "text": "Fog."}\n')

    call_command("import_diary", str(path), user="Olive", password_file=secret, stdout=StringIO())

    with person.unlocked():
        assert Provenance.load(Entry.objects.get()).source == "Mydiary.json"


def test_names_in_an_import_lose_what_cannot_be_seen(owner: Resident, tmp_path: Path) -> None:
    hidden = "\u202e\U000e0061"
    row = build_entry_row("Fog.", traces=[f"The{hidden} sea", hidden])
    styles = [{"words": {"name": name, "wish": "Be short."}} for name in (f"Br{hidden}ief", hidden)]

    report = import_file(
        owner, write_json(build_export(row, ways_of_answering=styles), tmp_path / "all.json")
    )

    with owner.unlocked():
        assert [trace.name for trace in Trace.objects.all()] == ["The sea"]
        assert [kind.words["name"] for kind in CustomReplyKind.objects.all()] == ["Brief"]
    assert len(report.faults) == 2
