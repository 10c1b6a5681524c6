"""Tests of `export_diary`: everything of one person, exact, readable by them alone, or nothing."""

import io
import json
import re
import stat
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from accounts.models import Person
from diary.drafts.late_drafts import store_late_draft
from diary.drafts.services import SubmittedDraft
from diary.messages import EXPORT_UNREADABLE_TEXT
from diary.models import Draft, Entry, Origin, Reply
from diary.transfer import export_format
from diary.transfer.export_format import ExportedText
from diary.transfer.export_targets import open_target
from diary.transfer.exports import ExportReport, export_diary
from llamora.inference.job import JobState
from tests.diary.damage import flip_a_bit
from tests.people import PASSWORD, Resident, register_resident

TRICKY = [
    "plain",
    "  kept spaces  \n\n\nand lines\n",
    "# a heading\n---\n> a quotation",
    '"quoted" \\ and {"json": true}',
    "日記 🕯️ \u202eright to left\u202c e\u0301",
    "42",
    "\u2028\u2029\x7f",
]


def run_export(member: Resident, target: Path) -> ExportReport:
    with open_target(target) as out:
        return export_diary(
            person=member.person,
            keyring=member.keyring,
            target=out,
            now=timezone.now(),
            progress=lambda _: None,
        )


def load_diary_json(folder: Path) -> Any:
    return json.loads((folder / "diary.json").read_text(encoding="utf-8"))


def test_every_text_comes_out_exactly(owner: Resident, tmp_path: Path) -> None:
    for number, text in enumerate(TRICKY):
        owner.write(text, day=date(2026, 11, 1) + timedelta(days=number))

    found = run_export(owner, tmp_path / "out")

    assert (found.entries, found.days, found.damaged) == (len(TRICKY), len(TRICKY), [])
    assert [entry["text"] for entry in load_diary_json(tmp_path / "out")["entries"]] == TRICKY
    for number, text in enumerate(TRICKY):
        day = f"2026-11-{number + 1:02}"
        assert text in (tmp_path / "out" / "days" / "2026" / f"{day}.md").read_bytes().decode()


def test_every_column_of_every_table_of_the_diary_is_there(owner: Resident, tmp_path: Path) -> None:
    entry = owner.write("an entry", day=date(2026, 11, 1))
    with owner.unlocked():
        Reply.objects.create(owner_id=owner.id, entry=entry, text="an answer", state=JobState.DONE)
        Draft(owner_id=owner.id, day=date(2026, 11, 2), text="a draft").save(force_insert=True)

    run_export(owner, tmp_path / "out")

    diary = load_diary_json(tmp_path / "out")
    assert (diary["format"], diary["version"]) == ("llamora.diary", 1)
    assert diary["person"]["name"] == owner.person.name
    (row,) = diary["entries"]
    assert set(row) >= {f.attname for f in Entry._meta.concrete_fields} - {"owner_id", "mac"}
    assert "mac" not in row
    assert row["origin"] == "own"
    assert (row["id"], row["day"], row["text"]) == (str(entry.id), "2026-11-01", "an entry")
    assert datetime.fromisoformat(row["created_at"]) == entry.created_at
    (reply,) = row["replies"]
    assert (reply["text"], reply["state"], reply["kind"]) == ("an answer", "done", "respond")
    assert [draft["text"] for draft in diary["others"]["drafts"]] == ["a draft"]


def test_no_key_is_in_it(owner: Resident, tmp_path: Path) -> None:
    owner.write("x")

    run_export(owner, tmp_path / "out")

    text = (tmp_path / "out" / "diary.json").read_text()
    assert owner.keyring.data_key().hex() not in text
    assert "private_key" not in text
    assert "digest_key" not in text


def test_what_is_in_the_bin_is_in_the_json_and_not_on_its_day(owner: Resident, tmp_path: Path) -> None:
    gone, kept = owner.write("thrown away"), owner.write("kept")
    owner.post(f"/entries/{gone.id}/delete/")

    run_export(owner, tmp_path / "out")

    diary = load_diary_json(tmp_path / "out")
    assert {entry["text"]: bool(entry["deleted_at"]) for entry in diary["entries"]} == {
        "thrown away": True,
        "kept": False,
    }
    (day,) = (tmp_path / "out" / "days").rglob("*.md")
    assert "thrown away" not in day.read_text()
    assert str(kept.id) in day.read_text()


def test_nobody_elses_words_are_in_it(owner: Resident, housemate: Resident, tmp_path: Path) -> None:
    owner.write("mine")
    housemate.write("theirs")

    run_export(owner, tmp_path / "out")

    everything = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert b"mine" in everything
    assert b"theirs" not in everything


def test_drafts_that_came_while_locked_are_in_it(owner: Resident, tmp_path: Path) -> None:
    sent = SubmittedDraft(owner_id=owner.id, day=owner.today, text="written while locked", revision=0)
    store_late_draft(sent, cookie=owner.get_cookie())

    run_export(owner, tmp_path / "out")

    assert load_diary_json(tmp_path / "out")["others"]["drafts"][0]["text"] == "written while locked"


def test_a_damaged_text_is_named_and_the_rest_comes_out(owner: Resident, tmp_path: Path) -> None:
    entries = [owner.write(f"entry {number}", day=date(2026, 11, 1)) for number in range(3)]
    flip_a_bit(entries[1])

    found = run_export(owner, tmp_path / "out")

    assert found.damaged == [("diary.entry.text", entries[1].id, "not_authentic")]
    rows = load_diary_json(tmp_path / "out")["entries"]
    assert [row["text"] for row in rows] == ["entry 0", None, "entry 2"]
    assert rows[1]["damaged"] == {"text": "not_authentic"}
    assert EXPORT_UNREADABLE_TEXT in (tmp_path / "out" / "days" / "2026" / "2026-11-01.md").read_text()


def test_it_is_closed_to_others(owner: Resident, tmp_path: Path) -> None:
    owner.write("x")

    for name in ("folder", "one.zip"):
        run_export(owner, tmp_path / name)

    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert all(mode == (0o700 if path.is_dir() else 0o600) for path, mode in modes.items())


def test_a_zip_holds_what_a_folder_holds(owner: Resident, tmp_path: Path) -> None:
    for text in TRICKY:
        owner.write(text, day=date(2026, 11, 1))

    for name in ("folder", "one.zip"):
        run_export(owner, tmp_path / name)

    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        packed = {name: archive.read(name) for name in archive.namelist()}
    plain = {
        path.relative_to(tmp_path / "folder").as_posix(): path.read_bytes()
        for path in (tmp_path / "folder").rglob("*")
        if path.is_file()
    }
    assert packed.keys() == plain.keys() == {"diary.json", "days/2026/2026-11-01.md"}
    assert packed["days/2026/2026-11-01.md"] == plain["days/2026/2026-11-01.md"]
    assert json.loads(packed["diary.json"])["entries"] == json.loads(plain["diary.json"])["entries"]


def test_what_fails_half_way_leaves_nothing(owner: Resident, tmp_path: Path) -> None:
    for number in range(3):
        owner.write("x", day=date(2026, 11, 1) + timedelta(days=number))

    def breaks(done: int) -> None:
        if done == 2:
            raise OSError(28, "No space left on device")

    for name in ("folder", "one.zip"):
        with pytest.raises(OSError, match="No space"), open_target(tmp_path / name) as out:
            export_diary(
                person=owner.person, keyring=owner.keyring, target=out, now=timezone.now(), progress=breaks
            )

    assert list(tmp_path.iterdir()) == []


def test_the_days_at_both_ends_of_the_calendar_come_out(owner: Resident, tmp_path: Path) -> None:
    owner.person.time_zone = "Pacific/Kiritimati"
    for day in (date.min, date.max):
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        owner.write("far", day=day, at=at)

    run_export(owner, tmp_path / "out")

    assert sorted(path.name for path in (tmp_path / "out" / "days").rglob("*.md")) == [
        "0001-01-01.md",
        "9999-12-31.md",
    ]


def test_an_empty_diary_is_an_export_too(owner: Resident, tmp_path: Path) -> None:
    run_export(owner, tmp_path / "out")

    assert load_diary_json(tmp_path / "out")["entries"] == []


def read_front_matter(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").split("---\n")[1].splitlines()


def test_a_day_says_where_each_entry_is_from(owner: Resident, tmp_path: Path) -> None:
    day = date(2026, 11, 20)
    own = owner.write("Mine.", day=day)
    with owner.unlocked():
        imported = Entry.objects.create(
            owner_id=owner.id,
            day=day,
            text="Theirs.",
            origin=Origin.IMPORTED,
            provenance={"from": 'Day "One": [x]\norigin: own'},
        )
        program = Entry.objects.create(owner_id=owner.id, day=day, text="A lamp's.", origin=Origin.PROGRAM)
    damaged = owner.write("Damaged.", day=day)
    flip_a_bit(damaged)

    run_export(owner, tmp_path / "out")

    lines = read_front_matter(tmp_path / "out" / "days" / "2026" / "2026-11-20.md")
    found = [line for line in lines if "time:" not in line]
    assert found == [
        "date: 2026-11-20",
        "entries:",
        f"  - id: {own.id}",
        "    origin: own",
        f"  - id: {imported.id}",
        "    origin: imported",
        '    from: "Day \\"One\\": [x] origin: own"',
        f"  - id: {program.id}",
        "    origin: program",
        f"  - id: {damaged.id}",
    ]


def test_a_day_reads_like_a_day() -> None:
    replies = [ExportedText(id=uuid4(), at=datetime(2026, 11, 20, 7, 14, tzinfo=UTC), text="Well.\n\nGo on.")]
    entry = ExportedText(
        id=uuid4(), at=datetime(2026, 11, 20, 7, 12, tzinfo=UTC), text="Fog.", replies=replies
    )

    text = export_format.render_day_markdown(date(2026, 11, 20), [entry], zone="Europe/Vienna")

    assert text == (
        f'---\ndate: 2026-11-20\nentries:\n  - id: {entry.id}\n    time: "08:12"\n---\n\n'
        "# Friday, 20 November 2026\n\n## 08:12\n\nFog.\n\n> **Reply, 08:14**\n>\n> Well.\n>\n> Go on.\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "![x](https://elsewhere.example/?q=words)",
        r"\![x](https://elsewhere.example) and \\[y](https://elsewhere.example)",
        "[a]: https://elsewhere.example\n[a] ![a]",
        "<https://elsewhere.example> <img src='https://elsewhere.example/x'>",
        "https://elsewhere.example www.elsewhere.example HTTP://elsewhere.example me@elsewhere.example",
        "`` `[x](https://elsewhere.example)",
    ],
)
@pytest.mark.parametrize("before", ["Tea.", "<pre>", "<!--"])
def test_no_link_or_picture_of_the_model_leads_anywhere(text: str, before: str) -> None:
    at = datetime(2026, 11, 20, 8, tzinfo=UTC)
    reply = ExportedText(id=uuid4(), at=at, text=text)
    entry = ExportedText(id=uuid4(), at=at, text=before, replies=[reply])

    day = export_format.render_day_markdown(date(2026, 11, 20), [entry], zone="UTC")

    shown = MarkdownIt("commonmark", {"html": True}).render(day)
    assert "elsewhere" in shown
    assert not re.search(r"<(?:a|img)\b", shown)
    if before == "Tea.":
        # What others than CommonMark make links of.
        assert not re.search(r"https?:|www\.|\w@\w", day, re.IGNORECASE)


def test_an_entry_keeps_the_time_its_writer_saw() -> None:
    at = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)

    seen = [
        ExportedText(id=uuid4(), at=at, text="", utc_offset=offset).format_time("UTC")
        for offset in (None, 5400, -43200)
    ]

    assert seen == ["23:30", "01:00", "11:30"]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_gives_every_text_back(text: str) -> None:
    assert json.loads(export_format.encode_json({"text": text}).encode())["text"] == text


# --- The command --------------------------------------------------------------------------------------


@pytest.fixture
def olive(db: None) -> Resident:
    return register_resident("Olive", entries=6)


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    return file


def test_the_command_says_counts_and_no_words(olive: Resident, password: Path, tmp_path: Path) -> None:
    out = io.StringIO()

    call_command("export_diary", "olive", password_file=password, to=tmp_path / "out", stdout=out)

    assert "6 entries on 6 days, 2 drafts, 3 replies" in out.getvalue()
    assert "Entry 0" not in out.getvalue()
    texts = {entry["text"] for entry in load_diary_json(tmp_path / "out")["entries"]}
    assert texts == set(olive.written.values())


def test_a_recovery_code_will_do(olive: Resident, password: Path, tmp_path: Path) -> None:
    password.write_text(olive.recovery_code)

    call_command("export_diary", "Olive", password_file=password, to=tmp_path / "one.zip")

    assert zipfile.is_zipfile(tmp_path / "one.zip")


def test_the_command_refuses_and_leaves_nothing(olive: Resident, password: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    wrong = tmp_path / "wrong"
    wrong.write_text("not the password")
    before = sorted(path.name for path in tmp_path.iterdir())

    for name, file, to in [
        ("Nobody", password, "out"),
        ("Olive", wrong, "out"),
        ("Olive", tmp_path / "absent", "out"),
        ("Olive", password, "taken"),
        ("Olive", password, "absent/out"),
    ]:
        with pytest.raises(CommandError):
            call_command("export_diary", name, password_file=file, to=tmp_path / to)

    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert Person.objects.count() == 1


def test_damage_ends_the_command_in_an_error_after_the_rest_came_out(
    olive: Resident, password: Path, tmp_path: Path
) -> None:
    flip_a_bit(Entry.objects.order_by("day")[0])
    err = io.StringIO()

    with pytest.raises(CommandError, match="1 value can't be opened"):
        call_command("export_diary", "Olive", password_file=password, to=tmp_path / "out", stderr=err)

    assert "diary.entry.text of" in err.getvalue()
    assert len(load_diary_json(tmp_path / "out")["entries"]) == 6
