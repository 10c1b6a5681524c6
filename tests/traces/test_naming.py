"""Renaming, merging and deleting everywhere, and taking each back."""

import pytest

from tests.traces.cast import Member, keeps, names_on
from traces.errors import NameTaken
from traces.services import naming


def test_a_trace_is_renamed_and_called_as_before_again(owner: Member) -> None:
    entry = owner.wrote("Walked to the weir.")
    (trace,) = keeps(owner, entry, "weir")

    with owner.unlocked():
        change = naming.rename(owner_id=owner.id, trace_id=trace.id, name="The weir")
        renamed = names_on(owner, entry)
        assert change is not None
        naming.undo(owner_id=owner.id, change_id=change.id)

    assert renamed == ["The weir"]
    assert names_on(owner, entry) == ["weir"]


def test_a_trace_is_not_given_the_name_of_another(owner: Member) -> None:
    entry = owner.wrote("Walked to the weir.")
    weir, walk = keeps(owner, entry, "weir", "Größe")

    with owner.unlocked(), pytest.raises(NameTaken) as refused:
        naming.rename(owner_id=owner.id, trace_id=weir.id, name="GRÖSSE")

    assert refused.value.other.id == walk.id
    assert names_on(owner, entry) == ["weir", "Größe"]


def test_merged_traces_share_their_entries_and_part_again_as_they_were(owner: Member) -> None:
    both, one, other = owner.wrote("a"), owner.wrote("b"), owner.wrote("c")
    weir, _ = keeps(owner, both, "weir", "river")
    keeps(owner, one, "weir")
    (river,) = keeps(owner, other, "river")

    with owner.unlocked():
        change = naming.merge(owner_id=owner.id, trace_id=weir.id, into_id=river.id)
        merged = [names_on(owner, entry) for entry in (both, one, other)]
        naming.undo(owner_id=owner.id, change_id=change.id)

    assert merged == [["river"], ["river"], ["river"]]
    assert [names_on(owner, entry) for entry in (both, one, other)] == [
        ["weir", "river"],
        ["weir"],
        ["river"],
    ]


def test_a_trace_deleted_everywhere_comes_back_to_all_its_entries(owner: Member) -> None:
    first, second = owner.wrote("a"), owner.wrote("b")
    (trace,) = keeps(owner, first, "weir")
    keeps(owner, second, "weir")

    with owner.unlocked():
        change = naming.delete(owner_id=owner.id, trace_id=trace.id)
        gone = [names_on(owner, entry) for entry in (first, second)]
        naming.undo(owner_id=owner.id, change_id=change.id)

    assert gone == [[], []]
    assert [names_on(owner, entry) for entry in (first, second)] == [["weir"], ["weir"]]
