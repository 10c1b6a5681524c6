"""Renaming, merging and deleting everywhere, and taking each back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from diary.errors import ObjectNotFound
from tests.people import Resident
from tests.traces.tagging import keeps, names_on
from traces.editing import services as editing_services
from traces.editing.errors import MergeIntoItself, TraceNameTaken
from traces.models import Change, Trace


def test_a_trace_is_renamed_and_called_as_before_again(owner: Resident) -> None:
    entry = owner.write("Walked to the weir.")
    (trace,) = keeps(owner, entry, "weir")

    with owner.unlocked():
        change = editing_services.rename_trace(owner_id=owner.id, trace_id=trace.id, name="The weir")
        renamed = names_on(owner, entry)
        assert change is not None
        editing_services.undo_change(owner_id=owner.id, change_id=change.id)

    assert renamed == ["The weir"]
    assert names_on(owner, entry) == ["weir"]


def test_a_trace_is_not_given_the_name_of_another(owner: Resident) -> None:
    entry = owner.write("Walked to the weir.")
    weir, walk = keeps(owner, entry, "weir", "Größe")

    with owner.unlocked(), pytest.raises(TraceNameTaken) as refused:
        editing_services.rename_trace(owner_id=owner.id, trace_id=weir.id, name="GRÖSSE")

    assert refused.value.other.id == walk.id
    assert names_on(owner, entry) == ["weir", "Größe"]


def test_merged_traces_share_their_entries_and_part_again_as_they_were(owner: Resident) -> None:
    both, one, other = owner.write("a"), owner.write("b"), owner.write("c")
    weir, _ = keeps(owner, both, "weir", "river")
    keeps(owner, one, "weir")
    (river,) = keeps(owner, other, "river")

    with owner.unlocked():
        change = editing_services.merge_traces(owner_id=owner.id, trace_id=weir.id, into_id=river.id)
        merged = [names_on(owner, entry) for entry in (both, one, other)]
        editing_services.undo_change(owner_id=owner.id, change_id=change.id)

    assert merged == [["river"], ["river"], ["river"]]
    assert [names_on(owner, entry) for entry in (both, one, other)] == [
        ["weir", "river"],
        ["weir"],
        ["river"],
    ]


def test_a_trace_deleted_everywhere_comes_back_to_all_its_entries(owner: Resident) -> None:
    first, second = owner.write("a"), owner.write("b")
    (trace,) = keeps(owner, first, "weir")
    keeps(owner, second, "weir")

    with owner.unlocked():
        change = editing_services.delete_trace(owner_id=owner.id, trace_id=trace.id)
        gone = [names_on(owner, entry) for entry in (first, second)]
        editing_services.undo_change(owner_id=owner.id, change_id=change.id)

    assert gone == [[], []]
    assert [names_on(owner, entry) for entry in (first, second)] == [["weir"], ["weir"]]


def test_another_trace_that_took_the_name_meanwhile_keeps_it(owner: Resident) -> None:
    entry, later = owner.write("a"), owner.write("b")
    (trace,) = keeps(owner, entry, "weir")
    with owner.unlocked():
        change = editing_services.delete_trace(owner_id=owner.id, trace_id=trace.id)
    (new,) = keeps(owner, later, "Weir")

    with owner.unlocked(), pytest.raises(TraceNameTaken) as refused:
        editing_services.undo_change(owner_id=owner.id, change_id=change.id)

    assert refused.value.other.id == new.id
    assert (names_on(owner, entry), names_on(owner, later)) == ([], ["Weir"])
    assert Change.objects.filter(id=change.id).exists(), "it can be undone once the name is free again"


def test_a_change_is_taken_back_once_and_by_its_person_alone(owner: Resident, housemate: Resident) -> None:
    (trace,) = keeps(owner, owner.write("a"), "weir")
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
    (mine,) = keeps(owner, owner.write("a"), "weir")
    (theirs,) = keeps(housemate, housemate.write("b"), "mill")

    with owner.unlocked(), pytest.raises(MergeIntoItself):
        editing_services.merge_traces(owner_id=owner.id, trace_id=mine.id, into_id=mine.id)
    with owner.unlocked(), pytest.raises(ObjectNotFound):
        editing_services.merge_traces(owner_id=owner.id, trace_id=mine.id, into_id=theirs.id)

    assert Trace.objects.for_owner(owner.id).get().id == mine.id
    assert Trace.objects.for_owner(housemate.id).get().id == theirs.id


def test_after_thirty_days_what_was_let_go_is_gone_for_good(owner: Resident) -> None:
    entry = owner.write("a")
    old, young, stays = keeps(owner, entry, "weir", "mill", "bread")
    with owner.unlocked():
        for trace in (old, young):
            editing_services.delete_trace(owner_id=owner.id, trace_id=trace.id)
        editing_services.rename_trace(owner_id=owner.id, trace_id=stays.id, name="Bread")
    long_ago = timezone.now() - timedelta(days=31)
    Trace.objects.filter(id=old.id).update(deleted_at=long_ago)
    Change.objects.filter(trace=old).update(made_at=long_ago)

    gone = editing_services.purge_deleted(owner.id)

    assert gone == 1
    assert set(Trace.objects.filter(owner_id=owner.id)) == {young, stays}
    assert Change.objects.count() == 2
    assert names_on(owner, entry) == ["Bread"]
