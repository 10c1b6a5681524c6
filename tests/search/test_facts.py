"""Tests of facts in search: which are found, in which groups, and by whom."""

from collections.abc import Callable, Collection
from datetime import date
from uuid import UUID

import pytest

from diary.entries.services import move_entry
from diary.models import Origin
from diary.notes.services import NewNote, NotePaths, insert_note
from llamora.database import write_transaction
from search import engine
from search.engine import SearchHit, search
from search.index.person_index import PersonIndex
from search.index.registry import indexes
from search.index.snapshots import MANY_UNSAVED
from search.index.types import NearText
from search.index.words import WordsIndex
from search.models import Vector
from search.query.parser import parse
from search.services import run_search
from tests.diary.notes.writing import add_note
from tests.people import Resident
from tests.search.indexing import BagOfWords, make_document, open_index, wait_until_idle
from tests.traces.facts.fact_steps import accept_new, add_fact, propose_fact
from traces.facts import services
from traces.facts.fact_body import FactText
from traces.facts.models import Fact

DAY = date(2026, 3, 5)


def find(who: Resident, typed: str) -> list[SearchHit]:
    index = open_index(who)
    with who.unlocked():
        return [hit for day in search(index, parse(typed)).days for hit in day.hits]


def find_texts(who: Resident, typed: str) -> list[str]:
    return ["".join(part.text for part in hit.parts) for hit in find(who, typed)]


# --- What is found -----------------------------------------------------------------------------------------


def test_only_accepted_facts_are_found(owner: Resident) -> None:
    open_index(owner)
    add_fact(owner, "You have a dog called Biggie")
    accept_new(owner, "Biggie likes snow")
    propose_fact(owner, "Biggie is a poodle")

    assert set(find_texts(owner, "biggie in:facts")) == {"You have a dog called Biggie", "Biggie likes snow"}
    assert find_texts(owner, "poodle") == []


def end(who: Resident, fact: Fact) -> None:
    services.end_fact(owner_id=who.id, fact_id=fact.id, on=DAY)


def correct(who: Resident, fact: Fact) -> None:
    services.correct_fact(owner_id=who.id, fact_id=fact.id, text=FactText.create("You have a cat"))


def forget(who: Resident, fact: Fact) -> None:
    services.forget_fact(owner_id=who.id, fact_id=fact.id)


def undo(who: Resident, fact: Fact) -> None:
    services.undo_change(owner_id=who.id, fact_id=fact.id)


@pytest.mark.parametrize("change", [end, correct, forget, undo])
def test_a_fact_that_is_no_longer_so_is_not_found(
    owner: Resident, change: Callable[[Resident, Fact], None]
) -> None:
    fact = accept_new(owner, "You have a dog called Biggie")
    assert len(find(owner, "biggie")) == 1

    with owner.unlocked():
        change(owner, fact)
        # The page asks the database, whatever the index contains.
        assert run_search(owner.keyring, "biggie poodle").found.hits == []

    assert find(owner, "biggie") == []


def test_a_fact_that_was_ended_by_mistake_is_found_again(owner: Resident) -> None:
    fact = add_fact(owner, "You have a dog called Biggie")
    open_index(owner)
    with owner.unlocked():
        end(owner, fact)
        undo(owner, fact)

    assert find_texts(owner, "biggie") == ["You have a dog called Biggie"]


def test_a_fact_has_the_day_of_its_entry(owner: Resident) -> None:
    entry = owner.write("Walked the dog.", day=DAY)
    accept_new(owner, "You have a dog called Biggie", entry=entry)
    assert [hit.day for hit in find(owner, "biggie on:2026-03-05")] == [DAY]

    with owner.unlocked():
        move_entry(owner_id=owner.id, entry_id=entry.id, day=date(2026, 3, 6))

    assert [hit.day for hit in find(owner, "biggie")] == [date(2026, 3, 6)]


def test_facts_are_one_group_beside_entries_and_a_list_if_asked_for(owner: Resident) -> None:
    owner.write("Biggie swam.", day=DAY)
    owner.write("Biggie ran.", day=date(2026, 3, 6))
    for place in ("in the sea", "in the snow", "on the sofa"):
        add_fact(owner, f"Biggie sleeps {place}")
    index = open_index(owner)

    with owner.unlocked():
        mixed, facts = (search(index, parse(typed)).days for typed in ("biggie", "biggie in:facts"))

    assert sorted([hit.kind for hit in day.hits] for day in mixed) == [
        ["entry"],
        ["entry"],
        ["fact", "fact", "fact"],
    ]
    assert [[hit.kind for hit in day.hits] for day in facts] == [["fact"]] * 3


def test_entries_are_found_behind_very_many_facts(owner: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_MAX_RANKED", 10)
    days = [date(2020, 1, day) for day in (1, 2, 3)]
    entries = {owner.write(f"On {day} Biggie swam in the river all morning.", day=day).id for day in days}
    for number in range(12):
        add_fact(owner, f"Biggie likes room {number}")
    index = open_index(owner)

    with owner.unlocked():
        pages = [search(index, parse("biggie"), limit=2, offset=offset) for offset in (0, 2)]

    leading = [day.hits[0] for page in pages for day in page.days]
    assert sorted(hit.kind for hit in leading) == ["entry", "entry", "entry", "fact"]
    assert {hit.id for hit in leading if hit.kind == "entry"} == entries


def test_the_page_shows_facts_and_the_filter_for_them(owner: Resident) -> None:
    owner.write("Biggie swam.", day=DAY)
    add_fact(owner, "You have a dog called <Biggie>")
    add_fact(owner, "Biggie sleeps on the sofa")
    open_index(owner)

    page = owner.post("/search/", q="biggie").content.decode()

    assert "&lt;<mark>Biggie</mark>&gt;" in page
    assert "1 more fact</summary>" in page
    assert 'value="biggie in:facts">Facts</button>' in page


def test_facts_are_found_after_a_rotation_and_from_a_snapshot(owner: Resident) -> None:
    add_fact(owner, "You have a dog called Biggie")
    index = open_index(owner)
    index.save_snapshots(force=True)
    again = PersonIndex(owner.keyring, index._snapshots._folder)
    again.open_words()

    assert again.words is not None
    with owner.unlocked():
        assert len(search(again, parse("biggie in:facts")).hits) == 1
    again.close()


def test_facts_and_notes_are_not_embedded_again_at_the_next_unlock(
    owner: Resident, embedder: BagOfWords
) -> None:
    owner.write("A kite over the weir.")
    add_fact(owner, "You have a dog called Biggie")
    add_note(owner, "knowledge/boat.md", "The boat leaks.")
    open_index(owner)
    indexes.close_locked()
    indexes.close(owner.keyring.key_id)
    # Many at once are saved before anybody looks: they may lock right away.
    with write_transaction():
        paths = NotePaths((), count=0)
        for number in range(MANY_UNSAVED):
            new = NewNote(path=f"knowledge/{number}.md", content=f"Lamp {number}", origin=Origin.IMPORTED)
            insert_note(owner.keyring, new, paths=paths)
    assert open_index(owner).pending == 0
    indexes.close(owner.keyring.key_id)
    embedder.embedded.clear()

    index = open_index(owner)

    assert index.vectors is not None
    assert index.vectors.count() == MANY_UNSAVED + 3
    assert embedder.embedded == []


# --- By meaning --------------------------------------------------------------------------------------------


def test_facts_are_found_by_meaning_and_their_vectors_are_in_no_table(
    owner: Resident, embedder: BagOfWords
) -> None:
    entry = owner.write("A kite over the weir.")
    add_fact(owner, "You have a dog called Biggie")
    index = open_index(owner)
    wait_until_idle(owner)

    (hit,) = find(owner, "dog called Max in:facts")

    assert "meaning" in hit.why
    assert index.vectors is not None
    assert index.vectors.count() == 2
    assert set(Vector.objects.values_list("source", flat=True)) == {entry.id}


@pytest.mark.parametrize("some", [2, 3])
def test_texts_of_one_kind_are_found_by_meaning_among_very_many_of_another(
    monkeypatch: pytest.MonkeyPatch, some: int
) -> None:
    monkeypatch.setattr(engine, "_FEW_TEXTS", 1)
    monkeypatch.setattr(engine, "_NEAREST_FILTERED", 2)
    monkeypatch.setattr(engine, "_SOME_TEXTS", some)
    monkeypatch.setattr(engine, "_WIDER_SEARCHES", (10, 100))
    facts = [make_document(f"Kite {number}", kind="fact") for number in range(20)]
    entries = [make_document(f"Weir {number}") for number in range(3)]
    words = WordsIndex()
    words.upsert([*facts, *entries])
    by_nearness = [NearText(document.id, 0.9, (0, 1)) for document in [*facts, *entries]]

    def nearest(limit: int, allowed: Collection[UUID] | None) -> list[NearText]:
        assert allowed is None or some == 3
        return [near for near in by_nearness if allowed is None or near.id in allowed][:limit]

    found, _ = engine.filter_near(words, parse("in:entries"), nearest, limit=3)

    assert {near.id for near in found} == {entry.id for entry in entries}
    words.close()


def test_a_fact_that_a_program_said_keeps_its_origin(owner: Resident) -> None:
    fact = accept_new(owner, "You have a dog called Biggie", origin=Origin.PROGRAM)

    assert [hit.id for hit in find(owner, "biggie")] == [fact.id]
