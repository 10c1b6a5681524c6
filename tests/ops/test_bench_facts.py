"""Tests of `bench --only facts`: all work on facts is measured and succeeds."""

import json

import pytest

from llamora.database import compaction
from llamora.ops.benchmarks.facts import fact_process
from llamora.ops.benchmarks.search import list_fact_counts
from tests.people import register_resident
from tests.traces.facts.fact_steps import add_fact
from traces.facts.models import Fact, FactState

CHANGES = (
    "accept a fact",
    "correct a fact",
    "undo a change",
    "merge two facts",
    "forget a fact",
)


def test_ten_and_a_hundred_thousand_facts_are_measured_unless_fewer_are_asked_for() -> None:
    assert list_fact_counts(50_000) == [10_000, 100_000]
    assert list_fact_counts(40) == [200, 400]


@pytest.mark.django_db
def test_facts_that_are_written_differ_and_are_like_accepted_ones() -> None:
    owner = register_resident("Olive")
    with owner.unlocked():
        rows = [fact_process._build_fact(owner.person, number) for number in range(50)]
        Fact.objects.bulk_create(rows)

        assert len({fact.same_index for fact in Fact.objects.all()}) == 50
        fact = Fact.objects.latest("created_at")
        assert (fact.state, fact.body["quote"]["text"][: fact.body["quote"]["end"]]) == (
            FactState.ACCEPTED,
            fact.body["quote"]["text"],
        )


@pytest.mark.django_db(transaction=True)
def test_exports_and_changes_of_facts_are_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compaction, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(fact_process, "_ROUNDS", 1)
    monkeypatch.setattr(fact_process, "_EXPORTS", 1)
    monkeypatch.setattr(fact_process, "_IMPORTED", 3)
    owner = register_resident("Olive", signed_in=True)
    add_fact(owner, "You like tea")

    with owner.unlocked():
        fact_process._measure_exports(owner.keyring)
        fact_process._measure_changes(owner.person)

    figures = {figure["name"]: figure for figure in map(json.loads, capsys.readouterr().out.splitlines())}
    assert all(figure["value"] > 0 for figure in figures.values())
    assert {name for name in figures if name.startswith("export as json")} == {
        f"export as json, {state}{part}"
        for state in ("not opened before", "opened after the unlock")
        for part in ("", ", p95")
    }
    for name in (*CHANGES, "import 3 proposals"):
        assert figures[name]["ratio"] > 0
        assert f"{name}, longest wait of another writer" in figures
    assert "compact the database after forgetting, longest wait of another writer" in figures
    # Of three proposals one is merged with another, which is then forgotten.
    assert Fact.objects.count() == 3
