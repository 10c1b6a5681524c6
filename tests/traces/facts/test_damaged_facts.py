"""Tests of facts beside rows that were changed in the database: such a row affects no other."""

from typing import Any

import pytest
from django.db import connection

from diary.entries.services import delete_entry, destroy_entry
from tests.people import Resident
from tests.traces.facts.fact_steps import accept_new, add_fact, propose_fact
from traces.facts import services
from traces.facts.fact_body import FactText
from traces.facts.models import Fact, FactChange, FactSettings
from traces.facts.open_facts import iter_open_facts
from traces.facts.queries import get_fact, list_changes
from traces.facts.selection import with_days

_DAMAGES = {
    Fact: "UPDATE traces_fact SET successor_id = id WHERE id = %s",
    FactChange: "UPDATE traces_factchange SET kind = 'accept ' WHERE id = %s",
    FactSettings: "UPDATE traces_factsettings SET body = CAST(body || body AS BLOB) WHERE id = %s",
}


def damage(row: Any) -> None:
    """Change a row as somebody without a key can."""
    with connection.cursor() as cursor:
        cursor.execute(_DAMAGES[type(row)], [row.id.hex])
        assert cursor.rowcount == 1


def copy_index(source: Fact, target: Fact) -> None:
    index = "SELECT same_index FROM traces_fact WHERE id = %s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE traces_fact SET same_index = ({index}) WHERE id = %s",
            [source.id.hex, target.id.hex],
        )


def test_a_fact_whose_key_number_was_changed_hides_no_other(owner: Resident) -> None:
    changed, whole = add_fact(owner, "You live in Boston"), add_fact(owner, "You like tea")
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER fence_traces_fact_body_update")
        cursor.execute(
            "UPDATE traces_fact SET body = CAST(x'0200000063' || substr(body, 6) AS BLOB) WHERE id = %s",
            [changed.id.hex],
        )

    with owner.unlocked():
        rows = with_days(Fact.objects.for_owner(owner.id).order_by("id"))
        opened = {fact.id: fact.body is None for fact in iter_open_facts(rows, keyring=owner.keyring)}

    assert opened == {changed.id: True, whole.id: False}


def test_an_index_on_another_fact_hides_no_proposal_and_refuses_no_fact(owner: Resident) -> None:
    waiting, other = propose_fact(owner, "You live in Boston"), add_fact(owner, "You like tea")
    copy_index(waiting, other)
    with owner.unlocked():
        Fact.objects.get(id=waiting.id).delete()

    proposed = propose_fact(owner, "You live in Boston")
    added = add_fact(owner, "You live in Boston")

    assert len({proposed.id, added.id, other.id}) == 3


@pytest.mark.parametrize("what", ["fact", "record", "settings"])
def test_what_is_damaged_can_be_forgotten(owner: Resident, what: str) -> None:
    fact = add_fact(owner, "You live in Boston")
    with owner.unlocked():
        services.forget_fact(owner_id=owner.id, fact_id=add_fact(owner, "You like tea").id)
        rows = {"fact": fact, "record": list_changes(fact)[0], "settings": FactSettings.objects.get()}
    damage(rows[what])

    with owner.unlocked():
        services.forget_fact(owner_id=owner.id, fact_id=fact.id)

    assert not Fact.objects.exists()
    assert not FactChange.objects.exists()


@pytest.mark.parametrize("what", ["fact", "record"])
def test_an_entry_is_deleted_for_good_though_a_fact_of_it_is_damaged(owner: Resident, what: str) -> None:
    entry = owner.write("I live in Boston and like tea.")
    quote = {"text": "I live in Boston", "start": 0, "end": 16}
    hurt = accept_new(owner, "You live in Boston", entry=entry, quote=quote)
    whole = accept_new(owner, "You like tea", entry=entry, quote={**quote, "text": "like tea"})
    damage(hurt if what == "fact" else list_changes(hurt)[0])

    with owner.unlocked():
        delete_entry(owner_id=owner.id, entry_id=entry.id)
        destroy_entry(owner_id=owner.id, entry_id=entry.id)
        fact = get_fact(owner.id, whole.id)

        assert fact.entry_id is None
        assert "quote" not in fact.body
        assert all("quote" not in change.body["after"]["body"] for change in list_changes(fact))


@pytest.mark.parametrize("number", [1, 7, 2**63 - 1])
def test_a_fact_can_be_changed_though_a_record_of_it_is_damaged(owner: Resident, number: int) -> None:
    fact = add_fact(owner, "You live in Boston")
    with owner.unlocked(), connection.cursor() as cursor:
        (record,) = list_changes(fact)
        damage(record)
        cursor.execute("UPDATE traces_factchange SET number = %s WHERE id = %s", [number, record.id.hex])

        for text in ("You live in Salem", "You live in Lynn"):
            services.correct_fact(owner_id=owner.id, fact_id=fact.id, text=FactText.create(text))
        others = [change.kind for change in list_changes(fact) if change.id != record.id]

        assert get_fact(owner.id, fact.id).body["text"] == "You live in Lynn"
        assert others == ["correct", "correct"]
