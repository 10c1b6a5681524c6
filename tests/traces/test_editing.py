"""Tests of renaming, merging and deleting traces, and of undoing each."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from diary.errors import ObjectNotFound
from tests.clock.records import settle_clock
from tests.people import Resident
from tests.traces.tagging import add_traces, list_names
from traces.editing import services as editing_services
from traces.editing.errors import MergeIntoItself, TraceNameTaken
from traces.models import Change, Trace


def test_a_trace_is_renamed_and_called_as_before_again(owner: Resident) -> None:
    entry = owner.write("Walked to the weir.")
    (trace,) = add_traces(owner, entry, "weir")

    with owner.unlocked():
        change = editing_services.rename_trace(owner_id=owner.id, trace_id=trace.id, name="The weir")
        renamed = list_names(owner, entry)
        assert change is not None
        editing_services.undo_change(owner_id=owner.id, change_id=change.id)

    assert renamed == ["The weir"]
    assert list_names(owner, entry) == ["weir"]


def test_a_trace_is_not_given_the_name_of_another(owner: Resident) -> None:
    entry = owner.write("Walked to the weir.")
    weir, walk = add_traces(owner, entry, "weir", "Größe")

    with owner.unlocked(), pytest.raises(TraceNameTaken) as refused:
        editing_services.rename_trace(owner_id=owner.id, trace_id=weir.id, name="GRÖSSE")

    assert refused.value.other.id == walk.id
    assert list_names(owner, entry) == ["weir", "Größe"]


def test_merged_traces_share_their_entries_and_part_again_as_they_were(owner: Resident) -> None:
    both, one, other = owner.write("a"), owner.write("b"), owner.write("c")
    weir, _ = add_traces(owner, both, "weir", "river")
    add_traces(owner, one, "weir")
    (river,) = add_traces(owner, other, "river")

    with owner.unlocked():
        change = editing_services.merge_traces(owner_id=owner.id, trace_id=weir.id, into_id=river.id)
        merged = [list_names(owner, entry) for entry in (both, one, other)]
        editing_services.undo_change(owner_id=owner.id, change_id=change.id)

    assert merged == [["river"], ["river"], ["river"]]
    assert [list_names(owner, entry) for entry in (both, one, other)] == [
        ["weir", "river"],
        ["weir"],
        ["river"],
    ]


class DeathError(Exception):
    """Raised in place of a kill of the process."""


@pytest.mark.parametrize("point", [0, 1, 2])
@pytest.mark.parametrize("act", ["merge", "undo"])
def test_what_the_end_of_a_process_left_of_a_merge_is_done_after_the_next_unlock(
    owner: Resident, monkeypatch: pytest.MonkeyPatch, act: str, point: int
) -> None:
    entries = [owner.write(f"text {number}") for number in range(5)]
    weir, river = add_traces(owner, entries[0], "weir", "river")
    for entry in entries[1:]:
        add_traces(owner, entry, "weir")
    step = {"merge": "_add_to_entries", "undo": "_delete_rows"}[act]
    begin, calls = getattr(editing_services, step), count()

    def die(*args: Any) -> None:
        if next(calls) == point:
            raise DeathError
        begin(*args)

    def run(change: Change | None) -> Change | None:
        if change is None:
            return editing_services.merge_traces(owner_id=owner.id, trace_id=weir.id, into_id=river.id)
        editing_services.undo_change(owner_id=owner.id, change_id=change.id)
        return None

    monkeypatch.setattr(editing_services, "_BATCH_SIZE", 1)
    with owner.unlocked():
        change = run(None) if act == "undo" else None
        monkeypatch.setattr(editing_services, step, die)
        with pytest.raises(DeathError):
            run(change)
        monkeypatch.setattr(editing_services, step, begin)
        editing_services.continue_changes(owner.id)
        found = [list_names(owner, entry) for entry in entries]
        editing_services.continue_changes(owner.id)

        if act == "merge":
            assert found == [["river"]] * 5
            editing_services.undo_change(owner_id=owner.id, change_id=Change.objects.get().id)
            found = [list_names(owner, entry) for entry in entries]

    assert found == [["weir", "river"], *[["weir"]] * 4]
    assert not Change.objects.exists()


def test_a_trace_deleted_everywhere_comes_back_to_all_its_entries(owner: Resident) -> None:
    first, second = owner.write("a"), owner.write("b")
    (trace,) = add_traces(owner, first, "weir")
    add_traces(owner, second, "weir")

    with owner.unlocked():
        change = editing_services.delete_trace(owner_id=owner.id, trace_id=trace.id)
        gone = [list_names(owner, entry) for entry in (first, second)]
        editing_services.undo_change(owner_id=owner.id, change_id=change.id)

    assert gone == [[], []]
    assert [list_names(owner, entry) for entry in (first, second)] == [["weir"], ["weir"]]


def test_another_trace_that_took_the_name_meanwhile_keeps_it(owner: Resident) -> None:
    entry, later = owner.write("a"), owner.write("b")
    (trace,) = add_traces(owner, entry, "weir")
    with owner.unlocked():
        change = editing_services.delete_trace(owner_id=owner.id, trace_id=trace.id)
    (new,) = add_traces(owner, later, "Weir")

    with owner.unlocked(), pytest.raises(TraceNameTaken) as refused:
        editing_services.undo_change(owner_id=owner.id, change_id=change.id)

    assert refused.value.other.id == new.id
    assert (list_names(owner, entry), list_names(owner, later)) == ([], ["Weir"])
    assert Change.objects.filter(id=change.id).exists(), "it can be undone once the name is free again"


def test_a_change_is_taken_back_once_and_by_its_person_alone(owner: Resident, housemate: Resident) -> None:
    (trace,) = add_traces(owner, owner.write("a"), "weir")
    with owner.unlocked():
        change = editing_services.delete_trace(owner_id=owner.id, trace_id=trace.id)

    with housemate.unlocked(), pytest.raises(ObjectNotFound):
        editing_services.undo_change(owner_id=housemate.id, change_id=change.id)
    with owner.unlocked():
        editing_services.undo_change(owner_id=owner.id, change_id=change.id)
        with pytest.raises(ObjectNotFound):
            editing_services.undo_change(owner_id=owner.id, change_id=change.id)

    assert Trace.objects.for_owner(owner.id).get().id == trace.id


def test_a_trace_is_not_merged_with_itself_nor_with_somebody_elses(
    owner: Resident, housemate: Resident
) -> None:
    (mine,) = add_traces(owner, owner.write("a"), "weir")
    (theirs,) = add_traces(housemate, housemate.write("b"), "mill")

    with owner.unlocked(), pytest.raises(MergeIntoItself):
        editing_services.merge_traces(owner_id=owner.id, trace_id=mine.id, into_id=mine.id)
    with owner.unlocked(), pytest.raises(ObjectNotFound):
        editing_services.merge_traces(owner_id=owner.id, trace_id=mine.id, into_id=theirs.id)

    assert Trace.objects.for_owner(owner.id).get().id == mine.id
    assert Trace.objects.for_owner(housemate.id).get().id == theirs.id


def test_after_thirty_days_what_was_let_go_is_gone_for_good(owner: Resident) -> None:
    settle_clock()
    entry = owner.write("a")
    old, young, stays = add_traces(owner, entry, "weir", "mill", "bread")
    with owner.unlocked():
        for trace in (old, young):
            editing_services.delete_trace(owner_id=owner.id, trace_id=trace.id)
        editing_services.rename_trace(owner_id=owner.id, trace_id=stays.id, name="Bread")
    long_ago = timezone.now() - timedelta(days=31)
    owner.update_columns(old, deleted_at=long_ago)
    Change.objects.filter(trace=old).update(made_at=long_ago)

    gone = editing_services.purge_deleted(owner.id)

    assert gone == 1
    assert set(Trace.objects.filter(owner_id=owner.id)) == {young, stays}
    assert Change.objects.count() == 2
    assert list_names(owner, entry) == ["Bread"]
