"""Tests that an export contains the traces of each entry, by name."""

import json
from datetime import date
from pathlib import Path

from tests.diary.transfers import export_to_folder
from tests.people import Resident
from tests.traces.tagging import add_traces
from traces.editing import services as editing_services
from traces.models import Trace


def test_each_entry_carries_the_names_of_its_traces(owner: Resident, tmp_path: Path) -> None:
    entry = owner.write("Down to the weir.", day=date(2026, 11, 2))
    bare = owner.write("Nothing.", day=date(2026, 11, 2))
    names = ["Größe", 'to-do: "x"', "子供", "☕"]
    add_traces(owner, entry, *names)
    (gone,) = add_traces(owner, entry, "gone")
    with owner.unlocked():
        editing_services.delete_trace(owner_id=owner.id, trace_id=gone.id)

    found = export_to_folder(owner, tmp_path / "out")

    traces = {row["id"]: row["traces"] for row in found["entries"]}
    assert traces == {str(entry.id): names, str(bare.id): []}
    day = (tmp_path / "out/days/2026/2026-11-02.md").read_text(encoding="utf-8")
    assert f"traces: {json.dumps(names, ensure_ascii=False, separators=(',', ':'))}" in day
    assert day.count("traces:") == 1


def test_the_traces_themselves_are_in_it_and_nobody_elses(
    owner: Resident, housemate: Resident, tmp_path: Path
) -> None:
    add_traces(owner, owner.write("a"), "weir")
    add_traces(housemate, housemate.write("b"), "Zanzibar")
    trace = Trace.objects.for_owner(owner.id).get()

    found = export_to_folder(owner, tmp_path / "out")

    (row,) = found["others"]["traces"]
    assert (row["id"], row["name"]) == (str(trace.id), "weir")
    assert "Zanzibar" not in json.dumps(found, ensure_ascii=False)
