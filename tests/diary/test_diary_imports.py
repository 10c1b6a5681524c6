"""Tests of importing an export: complete into a new diary, once into the same, despite invalid values."""

import re
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from diary.entries import services as entry_services
from diary.generation.prompt_record import PromptRecord
from diary.history.services import purge_versions
from diary.models import CustomReplyKind, Draft, Entry, InboxItem, Opening, Recap, Reply, ReplyKind, Version
from diary.replies import reply_kinds
from diary.transfer import entry_imports
from diary.transfer.line_imports import import_lines
from diary.transfer.line_reader import ImportLine
from llamora.inference.job import JobState
from tests.clock.records import settle_clock
from tests.diary.transfers import (
    build_entry_row,
    build_export,
    comparable,
    export_to_folder,
    import_file,
    replace_person,
    write_json,
)
from tests.people import Resident

DAY = date(2026, 11, 1)
AT = datetime(2026, 11, 1, 7, 30, 12, 345678, tzinfo=UTC)


def write_full_diary(who: Resident) -> None:
    """Write a diary with rows of every kind."""
    with who.unlocked():
        first = Entry(
            owner_id=who.id, day=DAY, text="Fog.\n\n# not a heading", created_at=AT, utc_offset=5400
        )
        first.save(force_insert=True)
        edited = Entry(owner_id=who.id, day=DAY, text="It lifts.", created_at=AT + timedelta(hours=1))
        edited.save(force_insert=True)
        way = reply_kinds.create_custom_kind(
            owner_id=who.id, name="Like a friend", instruction="Answer as an old friend would."
        )
        read = {
            **PromptRecord(entries=[(first.id, DAY)]).to_json(),
            "way": str(way.id),
            "name": "Like a friend",
        }
        for kind, state, text in [
            (ReplyKind.OWN, JobState.DONE, "And then?"),
            (ReplyKind.SUMMARY, JobState.STOPPED, "It "),
            (ReplyKind.RESPOND, JobState.FAILED, ""),
        ]:
            Reply.objects.create(
                owner_id=who.id, entry=edited, kind=kind, state=state, text=text, read=read, finished_at=AT
            )
        Opening.objects.create(owner_id=who.id, day=DAY, text="Yesterday was long.", read=read)
        Opening.objects.create(owner_id=who.id, day=date(2026, 11, 3), text="", is_dismissed=True)
        Draft.objects.create(owner_id=who.id, day=date(2026, 11, 4), text="Not yet k")
        Draft.objects.create(owner_id=who.id, day=DAY, entry=first, based_on=1, text="Fog, still")
    who.post(f"/entries/{edited.id}/edit/", text="It lifts at noon.", revision=1)
    moved, gone = who.write("Moved.", day=date(2026, 10, 31)), who.write("Thrown away.", day=DAY)
    who.post(f"/entries/{moved.id}/move/", day="2026-11-02")
    who.post(f"/entries/{gone.id}/delete/")


def test_a_diary_is_the_same_in_a_new_house(owner: Resident, tmp_path: Path) -> None:
    write_full_diary(owner)
    before = export_to_folder(owner, tmp_path / "before")
    there = replace_person(owner)

    report = import_file(there, tmp_path / "before")
    after = export_to_folder(there, tmp_path / "after")

    # The draft of a day, which its writer may save there without a look at it.
    (draft,) = [draft for draft in before["others"]["drafts"] if draft["entry_id"] is None]
    (item,) = after["others"].pop("inbox_items")
    assert (item["day"], item["body"]["text"], item["origin"]) == (draft["day"], draft["text"], "imported")
    before["others"]["drafts"].remove(draft)
    assert before["others"].pop("inbox_items") == []
    assert comparable(after) == comparable(before)
    assert [entry["id"] for entry in after["entries"]] == [entry["id"] for entry in before["entries"]]
    assert after["others"]["ways_of_answering"][0]["id"] == before["others"]["ways_of_answering"][0]["id"]
    assert (report.added, report.known, report.rejected) == (4, 0, [])
    assert [fault.split(" is not")[1] for fault in report.faults] == [
        " from this diary, and waits in the Inbox."
    ]
    assert +report.rows == {"replies": 3, "versions": 1, "openings": 2, "ways_of_answering": 1, "drafts": 1}
    assert comparable(after)[0][0]["utc_offset"] == 5400
    (day,) = {read_day(path) for path in tmp_path.rglob("2026-11-02.md")}
    assert "Moved." in day
    assert {entry["origin"] for entry in before["entries"]} == {"own"}
    assert {entry["origin"] for entry in after["entries"]} == {"imported"}


def read_day(path: Path) -> str:
    """Return a day's file without the origins, which another household does not take over."""
    return re.sub(r"^    origin: \w+$", "", path.read_text(), flags=re.MULTILINE)


def test_the_days_read_the_same_in_a_new_house(owner: Resident, tmp_path: Path) -> None:
    write_full_diary(owner)
    export_to_folder(owner, tmp_path / "before")
    there = replace_person(owner)
    import_file(there, tmp_path / "before")
    export_to_folder(there, tmp_path / "after")

    days = [
        {path.name: read_day(path) for path in (tmp_path / name).rglob("*.md")}
        for name in ("before", "after")
    ]
    assert days[0] == days[1] != {}


def test_a_diary_taken_in_where_it_came_from_adds_nothing(owner: Resident, tmp_path: Path) -> None:
    write_full_diary(owner)
    before = export_to_folder(owner, tmp_path / "before")

    reports = [import_file(owner, tmp_path / "before") for _ in range(2)]

    assert [(report.added, report.known) for report in reports] == [(0, 4)] * 2
    assert all(not +report.rows and not report.faults for report in reports)
    assert {**export_to_folder(owner, tmp_path / "after"), "exported_at": None} == {
        **before,
        "exported_at": None,
    }


def test_a_diary_can_be_carried_to_and_fro(owner: Resident, tmp_path: Path) -> None:
    write_full_diary(owner)
    export_to_folder(owner, tmp_path / "1")
    there = replace_person(owner)
    import_file(there, tmp_path / "1")
    there.write("Written there.", day=DAY)
    export_to_folder(there, tmp_path / "2")
    back = replace_person(there)
    import_file(back, tmp_path / "1")

    report = import_file(back, tmp_path / "2")

    assert (report.added, report.known) == (1, 4)
    assert back.list_texts(DAY)[-1] == "Written there."


def test_lines_that_were_imported_there_are_known_here(owner: Resident, tmp_path: Path) -> None:
    lines = [
        ImportLine(number, DAY, text) for number, text in enumerate(("kept", "edited", "moved"), start=1)
    ]
    import_lines(person=owner.person, keyring=owner.keyring, lines=lines)
    _, edited, moved = Entry.objects.order_by("created_at", "id")
    owner.post(f"/entries/{edited.id}/edit/", text="another", revision=1)
    owner.post(f"/entries/{moved.id}/move/", day="2026-11-05")
    export_to_folder(owner, tmp_path / "out")
    there = replace_person(owner)
    import_file(there, tmp_path / "out")

    report = import_lines(person=there.person, keyring=there.keyring, lines=lines)

    assert (report.added, report.known) == (0, 3)


def test_what_was_changed_elsewhere_meanwhile_is_named_and_what_is_here_stays(
    owner: Resident, tmp_path: Path
) -> None:
    found = owner.write("before", day=DAY)
    owner.write("another", day=DAY)
    diary = export_to_folder(owner, tmp_path / "out")
    diary["entries"][0] |= {"text": "changed there", "revision": 2, "edited_at": timezone.now().isoformat()}
    file = write_json(diary, tmp_path / "f")

    first = import_file(owner, file)
    owner.post(f"/entries/{found.id}/edit/", text="changed here, later", revision=1)
    second = import_file(owner, file)

    assert first.faults == ["Entry 1: the file has a later version of it, which was not imported."]
    assert second.faults == []
    assert owner.list_texts(DAY) == ["changed here, later", "another"]


def test_what_became_of_entries_since_stays(owner: Resident, tmp_path: Path) -> None:
    entries = [owner.write(text, day=DAY) for text in ("edited", "deleted", "moved", "destroyed")]
    export_to_folder(owner, tmp_path / "out")
    edited, deleted, moved, destroyed = entries
    owner.post(f"/entries/{edited.id}/edit/", text="another", revision=1)
    owner.post(f"/entries/{deleted.id}/delete/")
    owner.post(f"/entries/{moved.id}/move/", day="2026-11-05")
    owner.post(f"/entries/{destroyed.id}/delete/")
    with owner.unlocked():
        entry_services.destroy_entry(owner_id=owner.id, entry_id=destroyed.id)

    report = import_file(owner, tmp_path / "out")

    assert (report.added, report.known) == (1, 3)
    assert owner.list_texts(DAY) == ["another", "destroyed"]


def test_two_of_a_house_can_take_in_one_file_and_each_has_their_own(
    owner: Resident, housemate: Resident, tmp_path: Path
) -> None:
    write_full_diary(owner)
    before = export_to_folder(owner, tmp_path / "before")

    reports = [import_file(housemate, tmp_path / "before") for _ in range(2)]

    assert [(report.added, report.known) for report in reports] == [(4, 0), (0, 4)]
    after = export_to_folder(housemate, tmp_path / "after")
    assert not {row["id"] for row in before["entries"]} & {row["id"] for row in after["entries"]}
    assert [row["text"] for row in after["entries"]] == [row["text"] for row in before["entries"]]
    # What was read for a reply names their entry, not hers.
    (read,) = {row["replies"][0]["read"]["entries"][0][0] for row in after["entries"] if row["replies"]}
    assert read == next(row["id"] for row in after["entries"] if row["text"].startswith("Fog"))
    (opening, _) = after["others"]["openings"]
    assert opening["read"]["entries"][0][0] == read
    # Nothing of hers has become another's.
    assert Entry.objects.filter(owner_id=owner.id).count() == 4


def test_an_id_that_somebody_takes_meanwhile_costs_nothing(
    owner: Resident, housemate: Resident, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_json(build_export(build_entry_row("x")), tmp_path / "diary.json")
    import_file(housemate, file)
    looked = entry_imports.EntryImporter.resolve_ids
    blind = iter([True])

    def place_of(desk: Any, ids: Any) -> Any:
        # The first look is from before the housemate's import.
        return {id_: (id_, False) for id_ in ids} if next(blind, False) else looked(desk, ids)

    monkeypatch.setattr(entry_imports.EntryImporter, "resolve_ids", place_of)
    report = import_file(owner, file)

    assert report.added == 1
    assert [owner.list_texts(DAY), housemate.list_texts(DAY)] == [["x"], ["x"]]


@pytest.mark.parametrize("moment", ["2024-02-01T08:00:00+00:00", "9999-12-31T23:59:59.999999+00:00"])
def test_what_stays_for_a_time_alone_stays_that_long_from_now_on(
    owner: Resident, tmp_path: Path, moment: str
) -> None:
    versions = [{"revision": 1, "text": "before", "replaced_at": moment}]
    rows = [
        build_entry_row("binned", deleted_at=moment),
        build_entry_row("edited", revision=2, versions=versions),
    ]
    settle_clock()
    before = timezone.now()

    import_file(owner, write_json(build_export(*rows), tmp_path / "f"))
    entry_services.purge_bin(owner_id=owner.id)
    purge_versions(owner_id=owner.id)

    edited = Entry.objects.for_owner(owner.id).get()
    assert "binned" in owner.get("/bin/").content.decode()
    assert "before" in owner.get(f"/entries/{edited.id}/versions/").content.decode()
    assert Entry.objects.in_bin(owner.id).get().deleted_at >= before
    assert Version.objects.get().replaced_at >= before


def test_a_file_cannot_claim_that_its_entries_were_written_here(owner: Resident, tmp_path: Path) -> None:
    rows = [build_entry_row("claims", origin="own"), build_entry_row("claims nothing")]

    report = import_file(owner, write_json(build_export(*rows), tmp_path / "f"))

    assert (report.added, report.faults) == (2, [])
    assert {entry.origin for entry in Entry.objects.all()} == {"imported"}
    assert set(owner.list_texts(DAY)) == {"claims", "claims nothing"}


# --- Bad values ------------------------------------------------------------------------------------------


def test_bad_entries_are_named_and_the_rest_comes_in(owner: Resident, tmp_path: Path) -> None:
    file = write_json(
        build_export(
            build_entry_row("a"),
            build_entry_row(None),
            7,
            build_entry_row("b", day="soon"),
            build_entry_row("c"),
        ),
        tmp_path / "f",
    )

    report = import_file(owner, file)

    assert [bad.number for bad in report.rejected] == [2, 3, 4]
    assert sorted(owner.list_texts(DAY)) == ["a", "c"]


def test_what_cannot_be_taken_of_an_entry_is_named_and_the_entry_comes_in(
    owner: Resident, tmp_path: Path
) -> None:
    replies = [
        {"text": "fine", "kind": "shout", "state": "writing", "reason": "no reason!", "read": [1]},
        {"text": None},
        {"text": "also fine", "created_at": "then", "read": {**PromptRecord().to_json(), "replies": 1e400}},
        "no row",
    ]
    versions = [
        {"revision": 1, "text": "before", "written_at": "x"},
        {"revision": 1, "text": "twice"},
        {"revision": 2, "text": "the same as now"},
        {"text": "no number"},
        {"revision": 0, "text": "x"},
    ]
    bad = build_entry_row("x", utc_offset="+1", revision=2, replies=replies, versions=versions, colour="blue")
    rows = [bad, build_entry_row("y", replies={}, versions=4)]

    report = import_file(owner, write_json(build_export(*rows), tmp_path / "f"))

    assert report.faults == [
        "Entry 1: utc_offset can't be imported.",
        "Entry 1: an earlier version's written_at can't be imported.",
        "Entry 1: an earlier version has no revision number that can be used.",
        "Entry 1: an earlier version has no revision number that can be used.",
        "Entry 1: an earlier version has no revision number that can be used.",
        "Entry 1: an earlier version's revision can't be imported.",
        "Entry 1: an earlier version has no revision number that can be used.",
        "Entry 1: replies contains a value that is not an object.",
        "Entry 1: a reply's kind can't be imported.",
        "Entry 1: a reply's reason can't be imported.",
        "Entry 1: a reply's read can't be imported.",
        "Entry 1: a reply's text can't be imported.",
        "Entry 1: a reply's read can't be imported.",
        "Entry 1: a reply's created_at can't be imported.",
        "Entry 2: versions is not a list.",
    ]
    assert sorted(owner.list_texts(DAY)) == ["x", "y"]
    with owner.unlocked():
        said = {(row.text, row.kind, row.state, row.reason) for row in Reply.objects.all()}
        assert said == {("fine", "respond", "interrupted", "crashed"), ("also fine", "respond", "done", "")}
        assert [(row.revision, row.text) for row in Version.objects.all()] == [(1, "before")]
    first = Entry.objects.for_owner(owner.id).get(revision=2)
    assert owner.post(f"/entries/{first.id}/edit/", text="edited", revision=2).status_code < 400


def test_an_entry_without_an_id_is_known_by_its_day_and_words(owner: Resident, tmp_path: Path) -> None:
    file = write_json(
        build_export(build_entry_row("x", id=None), build_entry_row("x", id="?", created_at=None)),
        tmp_path / "f",
    )

    reports = [import_file(owner, file) for _ in range(2)]

    assert [(report.added, report.known) for report in reports] == [(1, 1), (0, 2)]


def test_an_entry_without_a_time_stands_at_noon(owner: Resident, tmp_path: Path) -> None:
    owner.person.time_zone = "Europe/Vienna"

    import_file(owner, write_json(build_export(build_entry_row("x", created_at=None)), tmp_path / "f"))

    found = Entry.objects.get()
    assert (found.created_at, found.utc_offset) == (datetime(2026, 11, 1, 11, tzinfo=UTC), 3600)


def test_other_rows_that_cannot_be_taken_are_named(owner: Resident, tmp_path: Path) -> None:
    far = (timezone.now() + timedelta(days=9)).date().isoformat()
    others = {
        "openings": [{"day": far, "text": "x"}, {"day": "2026-11-01"}, {"day": "2026-11-01", "text": "o"}],
        "ways_of_answering": [
            {"words": {"name": "x"}},
            {"words": 3},
            {"words": {"name": "N", "wish": "w" * 501}},
            {"words": {"name": "\u200b\u2800", "wish": "w"}},
        ],
        "drafts": [
            {"day": "2026-11-01", "text": 3},
            {"day": "2026-11-01", "entry_id": str(uuid4()), "text": "of an entry that is not here"},
            {"day": "2026-11-01", "entry_id": "?", "text": "of none"},
            {"day": "2026-11-01", "text": "fine", "updated_at": "?"},
            {"day": "2026-11-01", "text": "another"},
        ],
        "recaps": [{}],
        "postcards": [{}, {}],
    }

    report = import_file(owner, write_json(build_export(**others), tmp_path / "f"))

    assert [fault.split(":")[0].split(" is ")[0].split(" has ")[0] for fault in report.faults] == [
        *("Opening 1", "Opening 2"),
        *("Reply style 1", "Reply style 2", "Reply style 3", "Reply style 4"),
        *("Draft 1", "Draft 2", "Draft 3", "Draft 3", "Draft 4", "Draft 4", "Draft 5"),
    ]
    assert report.skipped == {"recaps": 1, "postcards": 2}
    with owner.unlocked():
        assert not Draft.objects.exists()
        assert [row.body["text"] for row in InboxItem.objects.order_by("created_at")] == ["fine", "another"]
        assert [row.text for row in Opening.objects.all()] == ["o"]
    assert not CustomReplyKind.objects.exists()
    assert not Recap.objects.exists()


def test_no_more_reply_styles_come_in_than_a_person_may_have(owner: Resident, tmp_path: Path) -> None:
    ways = [
        {"words": {"name": f"N{number}", "wish": "w"}} for number in range(reply_kinds.MAX_CUSTOM_KINDS + 1)
    ]

    report = import_file(owner, write_json(build_export(ways_of_answering=ways), tmp_path / "f"))

    assert CustomReplyKind.objects.count() == reply_kinds.MAX_CUSTOM_KINDS
    assert len(report.faults) == 1


def test_a_draft_that_was_kept_since_does_not_come_back(owner: Resident, tmp_path: Path) -> None:
    with owner.unlocked():
        Draft.objects.create(owner_id=owner.id, day=DAY, text="Not yet")
    export_to_folder(owner, tmp_path / "out")
    Draft.objects.all().delete()
    owner.write("Not yet written, now it is.", day=DAY)

    report = import_file(owner, tmp_path / "out")

    assert not Draft.objects.exists()
    assert not report.faults


def test_as_many_entries_may_have_been_read_as_there_are(owner: Resident, tmp_path: Path) -> None:
    read = PromptRecord(entries=[(uuid4(), DAY) for _ in range(1000)])
    file = write_json(
        build_export(build_entry_row("x", replies=[{"text": "y", "read": read.to_json()}])), tmp_path / "f"
    )
    connection.ensure_connection()
    limit = sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER
    before = connection.connection.setlimit(limit, 999)

    try:
        import_file(owner, file)
    finally:
        connection.connection.setlimit(limit, before)

    with owner.unlocked():
        assert PromptRecord.from_json(Reply.objects.get().read) == read
