"""Tests of importing traces with an export: one trace for each name, in its original spelling."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.models import Entry
from diary.transfer import diary_imports
from llamora.inference.job import Author
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
from tests.traces.tagging import add_traces, list_names
from traces.editing import services as editing_services
from traces.models import EntryTrace, Trace, TraceProposal
from traces.names import InvalidTraceName, get_identity
from traces.names import clean_name as as_written
from traces.proposals.services import dismiss_proposal
from traces.proposals.tasks import save_proposals
from traces.tagging import services as tagging_services

NAMES = ["Größe", 'to-do: "x"', "子供", "☕", "# not a heading"]
DAY = date(2026, 11, 2)


def get_traces_by_text(who: Resident) -> dict[str, list[str]]:
    """Return the traces of each entry of a person, by its text."""
    with who.unlocked():
        return {found.text: list_names(who, found) for found in Entry.objects.for_owner(who.id)}


def import_entries(who: Resident, file: Path, *entries: Any, **others: Any) -> Any:
    return import_file(who, write_json(build_export(*entries, **others), file))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "diary.json"


def test_a_diary_with_traces_is_the_same_in_a_new_house(owner: Resident, tmp_path: Path) -> None:
    first, second = owner.write("Down to the weir.", day=DAY), owner.write("And back.", day=DAY)
    weir, *_ = add_traces(owner, first, "weir", *NAMES)
    add_traces(owner, second, "☕", "weir")
    with owner.unlocked():
        tagging_services.set_read_always(owner_id=owner.id, trace_id=weir.id, wanted=True)
        weir.refresh_from_db()
        weir.summary = {"text": "Water.", "digest": "0" * 64, "read": 1, "of": 2}
        weir.save(update_fields=["summary"])
        save_proposals(second, ["mill"], author=Author(model="m", prompt="traces 1"))
        dismiss_proposal(owner_id=owner.id, entry_id=second.id, name="Straße")
    before = export_to_folder(owner, tmp_path / "before")
    there = replace_person(owner)

    reports = [import_file(there, tmp_path / "before") for _ in range(2)]
    after = export_to_folder(there, tmp_path / "after")

    def plain(diary: Any) -> Any:
        # Those that were made with the entries come in the order in which entries bear them.
        rows = [{**row, "is_read_always": False} for row in diary["others"]["traces"]]
        others = {**diary["others"], "traces": sorted(rows, key=json.dumps)}
        return comparable({**diary, "others": others}), {row["id"] for row in others["traces"]}

    assert plain(after) == plain(before)
    assert get_traces_by_text(there) == {"Down to the weir.": ["weir", *NAMES], "And back.": ["☕", "weir"]}
    assert [(report.added, report.faults) for report in reports] == [(2, []), (0, [])]
    with there.unlocked():
        assert Trace.objects.get(id=weir.id).summary["text"] == "Water."
        assert TraceProposal.objects.get().body == {
            "offered": ["mill"],
            "dismissed": ["strasse"],
            "author": {"model": "m", "host": "", "prompt": "traces 1"},
        }


def test_taken_in_where_it_came_from_it_adds_nothing(owner: Resident, tmp_path: Path) -> None:
    add_traces(owner, owner.write("a", day=DAY), *NAMES)
    before = export_to_folder(owner, tmp_path / "before")

    import_file(owner, tmp_path / "before")

    after = export_to_folder(owner, tmp_path / "after")
    assert {**after, "exported_at": None} == {**before, "exported_at": None}


def test_a_trace_that_is_there_is_used_as_it_is(owner: Resident, file: Path) -> None:
    add_traces(owner, owner.write("mine", day=DAY), "Größe", "To do")
    row = {
        "name": "GRÖSSE",
        "is_read_always": True,
        "summary": {"text": "x", "digest": "", "read": 1, "of": 1},
    }

    import_entries(
        owner, file, build_entry_row("theirs", traces=["GRÖSSE", "to-do", "grösse", "new"]), traces=[row]
    )

    assert get_traces_by_text(owner) == {"mine": ["Größe", "To do"], "theirs": ["Größe", "To do", "new"]}
    with owner.unlocked():
        there = Trace.objects.for_owner(owner.id).with_names(["größe"]).get()
        assert (there.is_read_always, there.summary) == (False, None)


def test_no_file_decides_what_is_read_for_every_reply(owner: Resident, file: Path) -> None:
    again = owner.write("mine", day=DAY)
    (trace,) = add_traces(owner, again, "again")
    with owner.unlocked():
        tagging_services.set_read_always(owner_id=owner.id, trace_id=trace.id, wanted=True)
        tagging_services.remove_trace(owner_id=owner.id, entry_id=again.id, trace_id=trace.id)
    rows = [{"name": name, "is_read_always": True} for name in ("new", "again")]

    import_entries(owner, file, build_entry_row("theirs", traces=["new", "again"]), traces=rows)

    assert get_traces_by_text(owner) == {"mine": [], "theirs": ["new", "again"]}
    assert not Trace.objects.filter(is_read_always=True).exists()
    with owner.unlocked():
        assert {each.name for each in Trace.objects.for_owner(owner.id)} == {"again", "new"}


def test_each_of_a_house_gets_traces_of_their_own(
    owner: Resident, housemate: Resident, tmp_path: Path
) -> None:
    add_traces(owner, owner.write("a", day=DAY), "weir")
    export_to_folder(owner, tmp_path / "out")

    import_file(housemate, tmp_path / "out")

    assert get_traces_by_text(owner) == get_traces_by_text(housemate) == {"a": ["weir"]}
    assert Trace.objects.for_owner(owner.id).get().id != Trace.objects.for_owner(housemate.id).get().id
    assert EntryTrace.objects.for_owner(housemate.id).get().trace.owner_id == housemate.id


def test_a_trace_of_an_entry_in_the_bin_comes_back_with_it(owner: Resident, tmp_path: Path) -> None:
    thrown = owner.write("a", day=DAY)
    add_traces(owner, thrown, "weir")
    owner.post(f"/entries/{thrown.id}/delete/")
    export_to_folder(owner, tmp_path / "out")
    there = replace_person(owner)

    import_file(there, tmp_path / "out")
    there.post(f"/entries/{thrown.id}/restore/")

    assert get_traces_by_text(there) == {"a": ["weir"]}


def test_what_cannot_be_a_trace_is_named_and_the_entry_comes_in(owner: Resident, file: Path) -> None:
    bad = [7, None, "x" * 65, "bell\a", " ", "half \ud800", ["weir"], "fine", "x" * 64]

    report = import_entries(
        owner,
        file,
        build_entry_row("a", traces=bad),
        build_entry_row("b", traces="weir"),
        build_entry_row("c", traces={"a": 1}),
    )

    assert report.faults == [
        "Entry 1: trace 1 is not text.",
        "Entry 1: trace 2 is not text.",
        "Entry 1: trace 3 can't be imported: too_long.",
        "Entry 1: trace 4 can't be imported: not_a_name.",
        "Entry 1: trace 5 can't be imported: empty.",
        "Entry 1: trace 6 can't be imported: not_a_name.",
        "Entry 1: trace 7 is not text.",
        "Entry 2: its traces are not a list.",
        "Entry 3: its traces are not a list.",
    ]
    assert get_traces_by_text(owner) == {"a": ["fine", "x" * 64], "b": [], "c": []}


def test_rows_of_traces_that_say_nonsense_change_nothing(owner: Resident, file: Path) -> None:
    rows = [
        {"name": "weir", "id": "?", "created_at": "then", "is_read_always": "yes", "summary": [1]},
        {"name": 3},
    ]

    report = import_entries(owner, file, build_entry_row("a", traces=["weir"]), traces=[*rows, "no row"])

    assert get_traces_by_text(owner) == {"a": ["weir"]}
    assert not report.faults
    with owner.unlocked():
        there = Trace.objects.get()
        assert (there.is_read_always, there.summary) == (False, None)


def test_proposals_that_say_nonsense_are_named(owner: Resident, file: Path) -> None:
    bad: list[Any] = [
        3,
        [1],
        [{"body": None}],
        [{"body": {"offered": "weir", "dismissed": []}}],
        [{"body": {"offered": [], "dismissed": ["\ud800"]}}],
        [{"body": {"offered": [], "dismissed": []}}] * 2,
    ]

    report = import_entries(
        owner, file, *(build_entry_row(str(number), proposals=rows) for number, rows in enumerate(bad))
    )

    assert report.added == len(bad)
    assert report.faults == [
        f"Entry {number}: its suggested traces can't be imported." for number in range(1, len(bad) + 1)
    ]
    assert not TraceProposal.objects.exists()


def test_renamed_since_a_trace_stays_renamed(owner: Resident, tmp_path: Path) -> None:
    add_traces(owner, owner.write("a", day=DAY), "weir")
    export_to_folder(owner, tmp_path / "out")
    there = replace_person(owner)
    import_file(there, tmp_path / "out")
    with there.unlocked():
        editing_services.rename_trace(owner_id=there.id, trace_id=Trace.objects.get().id, name="mill")

    import_file(there, tmp_path / "out")

    assert get_traces_by_text(there) == {"a": ["mill"]}
    assert Trace.objects.count() == 1


def test_merged_since_traces_stay_merged_and_can_be_parted_again(owner: Resident, tmp_path: Path) -> None:
    weir, mill = add_traces(owner, owner.write("a", day=DAY), "weir", "mill")
    export_to_folder(owner, tmp_path / "out")
    there = replace_person(owner)
    import_file(there, tmp_path / "out")
    with there.unlocked():
        change = editing_services.merge_traces(owner_id=there.id, trace_id=weir.id, into_id=mill.id)

    import_file(there, tmp_path / "out")

    assert get_traces_by_text(there) == {"a": ["mill"]}
    with there.unlocked():
        editing_services.undo_change(owner_id=there.id, change_id=change.id)
    assert get_traces_by_text(there) == {"a": ["weir", "mill"]}


def test_a_later_export_names_a_trace_that_was_renamed_here(owner: Resident, file: Path) -> None:
    row = {"id": "01a1f998-d063-76c4-aa80-a03a99b5a8e5", "name": "weir"}
    first, second = build_entry_row("a", traces=["weir"]), build_entry_row("b", traces=["weir"])
    import_entries(owner, file, first, traces=[row])
    with owner.unlocked():
        editing_services.rename_trace(owner_id=owner.id, trace_id=Trace.objects.get().id, name="mill")

    import_entries(owner, file, first, second, traces=[row])

    assert get_traces_by_text(owner) == {"a": ["mill"], "b": ["weir"]}


def test_broken_off_and_begun_again_each_entry_bears_its_traces_once(
    owner: Resident, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [build_entry_row(str(number), traces=["weir", f"number {number}"]) for number in range(5)]
    monkeypatch.setattr(diary_imports, "ENTRY_BATCH_SIZE", 2)

    def breaks(seen: int) -> None:
        if seen == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(owner, write_json(build_export(*rows), file), progress=breaks)
    import_file(owner, file)

    assert get_traces_by_text(owner) == {str(number): ["weir", f"number {number}"] for number in range(5)}


def test_one_that_was_let_go_is_taken_back(owner: Resident, file: Path) -> None:
    bears = owner.write("a", day=DAY)
    (weir,) = add_traces(owner, bears, "weir")
    with owner.unlocked():
        tagging_services.remove_trace(owner_id=owner.id, entry_id=bears.id, trace_id=weir.id)

    import_entries(owner, file, build_entry_row("b", traces=["Weir"]))

    assert get_traces_by_text(owner) == {"a": [], "b": ["Weir"]}
    assert Trace.objects.for_owner(owner.id).get().id == weir.id


def test_the_page_of_a_trace_that_came_in_shows_its_entries(owner: Resident, file: Path) -> None:
    import_entries(
        owner, file, *(build_entry_row(f"Entry number {number}", traces=["weir"]) for number in range(3))
    )

    page = owner.get(f"/traces/{Trace.objects.get().id}/").content.decode()

    assert page.count("Entry number") >= 3


def test_many_traces_come_in_with_few_questions(
    owner: Resident, file: Path, django_assert_max_num_queries: Any
) -> None:
    entries = [
        build_entry_row(str(number), traces=[f"t{n}" for n in range(number, number + 9)])
        for number in range(100)
    ]
    import_entries(owner, file, *entries)
    again = [{**row, "id": None, "text": f"{row['text']} again"} for row in entries]

    with django_assert_max_num_queries(30):
        import_entries(owner, file, *again)

    assert EntryTrace.objects.count() == 2 * 9 * 100
    assert Trace.objects.count() == 108


def test_a_damaged_name_is_not_written_out_as_one(owner: Resident, tmp_path: Path) -> None:
    add_traces(owner, owner.write("a", day=DAY), "weir", "mill")
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name FROM traces_trace LIMIT 1")
        id_, name = cursor.fetchone()
        cursor.execute(
            "UPDATE traces_trace SET name = %s WHERE id = %s", [name[:-1] + bytes([name[-1] ^ 1]), id_]
        )

    (row,) = export_to_folder(owner, tmp_path / "out")["entries"]

    assert row["traces"] == ["mill"]


@given(st.lists(st.text(max_size=70) | st.integers() | st.none(), max_size=6))
def test_every_name_is_kept_or_named(values: list[Any]) -> None:
    from traces.importers import _parse_names

    faults: list[str] = []
    names = _parse_names(values, faults)

    fit = []
    for value in values:
        try:
            fit.append(as_written(value))
        except (InvalidTraceName, TypeError):
            continue
    assert list(names) == list(dict.fromkeys(get_identity(name) for name in fit))
    assert len(faults) == len(values) - len(fit)
