"""Tests that many facts about one subject, or in one call, delay no page and no save of other people."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import QuerySet

from llamora.api import bodies
from llamora.api.resources.memories import fact_memories
from llamora.api.resources.memories.bodies import MAX_FACTS
from llamora.database import write_transaction
from search.index.sources import SOURCES
from tests.api.program import Program
from tests.hostile import count_calls
from tests.people import Resident, register_resident
from traces.facts import services
from traces.facts.fact_body import FactText
from traces.facts.models import Fact
from traces.facts.queries import MAX_CANDIDATES, EarlierFacts
from traces.facts.selection import FactSelection
from traces.facts.services import FactOrigin
from traces.facts.statements import read_statement

SUGGESTED = 20


def note_many(owner: Resident) -> None:
    """Accept as many facts about one thing as are compared, and suggest others about it."""
    where = FactOrigin()
    with owner.unlocked(), write_transaction():
        for number in range(MAX_CANDIDATES):
            services.add_fact(owner_id=owner.id, text=FactText.create(f"You like tea {number}"), where=where)
        for number in range(SUGGESTED):
            services.propose_fact(
                owner_id=owner.id, text=FactText.create(f"You like milk {number}"), where=where
            )


def test_each_earlier_fact_is_opened_once_for_all_suggestions(owner: Resident) -> None:
    note_many(owner)
    with owner.unlocked():
        texts = [FactText.create(f"You like milk {number}") for number in range(SUGGESTED)]
        first, earlier = EarlierFacts(owner.id), EarlierFacts(owner.id)

        of_one = count_calls(lambda: first.find_touched(texts[0]))
        of_all = count_calls(lambda: [earlier.find_touched(text) for text in texts])

    assert of_all < 4 * of_one


@pytest.mark.django_db(transaction=True)
def test_facts_of_a_call_are_dated_and_compared_when_nobody_waits_to_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = register_resident("Olive").sign_in()
    note_many(owner)
    were_locked: list[bool] = []
    find_touched = EarlierFacts.find_touched

    def find_noted(self: EarlierFacts, *arguments: Any, **options: Any) -> Any:
        were_locked.append(connection.in_atomic_block)
        return find_touched(self, *arguments, **options)

    def find_no_date(*arguments: Any, **options: Any) -> dict[str, Any]:
        were_locked.append(connection.in_atomic_block)
        return {}

    monkeypatch.setattr(EarlierFacts, "find_touched", find_noted)
    monkeypatch.setattr(fact_memories, "describe_when", find_no_date)
    program = Program.create(owner, "facts:read", "facts:propose")
    sent = [{"content": f"You like beer {number}"} for number in range(MAX_FACTS)]
    answered = program.post("/api/v1/memory/store", {"facts": sent})

    assert [fact["action"] for fact in answered["facts"]] == ["conflict_detected"] * MAX_FACTS
    # The dates of each, and the facts that it touches.
    assert were_locked == [False] * 2 * MAX_FACTS
    assert Fact.objects.count() == MAX_CANDIDATES + SUGGESTED + MAX_FACTS


def test_a_sentence_of_the_most_words_is_read_in_few_steps() -> None:
    ordinary, longest = "Anna does not like tea and coffee any more", "a " * 249 + "b"
    few = count_calls(lambda: read_statement(ordinary, language="en"))

    assert count_calls(lambda: read_statement(longest, language="en")) < 22 * few


def test_pages_go_first_while_a_body_of_many_values_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    times: list[int] = []
    monkeypatch.setattr(bodies, "let_others_run", lambda *, before: times.append(before))

    bodies._Normalizer().normalize({"numbers": list(range(50_000))})

    assert times == [1] * 25


def test_facts_are_looked_up_by_their_ids_however_many_their_owner_has(owner: Resident) -> None:
    """Of SQLite's choosing, they are looked up by their owner: each search then reads 100,000 facts."""
    ids = [uuid4() for _ in range(50)]
    queries: list[QuerySet[Any, Any]] = [
        Fact.objects.for_ids(owner.id, ids),
        FactSelection().select(owner.id, among=ids),
        *(source.select_ids(ids, owner_id=owner.id) for source in SOURCES),
    ]

    for query in queries:
        assert "(id=?)" in query.explain().splitlines()[0], query.explain()
