"""Tests of finding entries by their traces, with a filter and by name."""

from datetime import timedelta

from search.engine import search
from search.query.parser import parse
from tests.people import Resident
from tests.search.indexing import open_index
from tests.traces.tagging import add_traces


def find_texts(someone: Resident, typed: str) -> list[tuple[object, tuple[str, ...]]]:
    index = open_index(someone)
    with someone.unlocked():
        return [(hit.entry, hit.why) for day in search(index, parse(typed)).days for hit in day.hits]


def test_a_search_is_narrowed_to_a_trace(owner: Resident) -> None:
    one, other = owner.write("Rain all day."), owner.write("Rain at night.")
    add_traces(owner, one, "to-do", "weir")
    add_traces(owner, other, "weir")

    assert [id_ for id_, _ in find_texts(owner, "rain trace:TO-DO")] == [one.id]
    assert {id_ for id_, _ in find_texts(owner, "rain trace:weir")} == {one.id, other.id}
    assert [id_ for id_, _ in find_texts(owner, 'trace:weir trace:"to do"')] == [one.id]
    assert find_texts(owner, "rain trace:mill") == []
    assert all("trace" in why for _, why in find_texts(owner, "rain trace:weir"))


def test_the_name_of_a_trace_finds_what_bears_it(owner: Resident) -> None:
    entry = owner.write("Rain all day.", day=owner.today - timedelta(days=365))
    both = owner.write("The Größe of it.")
    add_traces(owner, entry, "Größe")
    add_traces(owner, both, "Größe")

    hits = dict(find_texts(owner, "grösse"))

    assert hits[entry.id] == ("trace",)
    assert "trace" in hits[both.id]
    assert dict(find_texts(owner, f"grösse from:{owner.today.isoformat()}")).keys() == {both.id}


def test_a_deleted_entry_and_a_trace_taken_away_are_not_found(owner: Resident) -> None:
    gone, taken = owner.write("Rain."), owner.write("Snow.")
    add_traces(owner, gone, "weir")
    (trace,) = add_traces(owner, taken, "weir")

    owner.post(f"/entries/{gone.id}/delete/", script=True)
    owner.post(f"/entries/{taken.id}/traces/{trace.id}/remove/", script=True)

    assert find_texts(owner, "weir") == []
    assert find_texts(owner, "trace:weir") == []


def test_the_traces_of_a_housemate_narrow_nothing(owner: Resident, housemate: Resident) -> None:
    add_traces(housemate, housemate.write("Rain."), "weir")
    owner.write("Rain.")

    assert find_texts(owner, "rain trace:weir") == []
    assert find_texts(owner, "weir") == []
