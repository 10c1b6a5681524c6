"""Tests of facts in the export and import of a diary: with history, and trusted only in their own diary."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from diary.models import Origin
from tests.diary.transfers import export_to_folder, import_file, replace_person, write_json
from tests.people import Resident
from tests.traces.facts.test_services import add, build, propose_new
from traces.facts import services
from traces.facts.changes import is_chain_whole
from traces.facts.comparison import Strategy
from traces.facts.models import Fact, FactChange, FactState
from traces.facts.queries import list_changes
from traces.facts.transfer.exports import build_fact_change_rule, build_fact_rule

DAY = date(2026, 3, 5)


def write_facts_of_each_kind(who: Resident) -> Fact:
    """Write facts in every state, with a quote, links and a history; return one that was replaced."""
    entry = who.write("I moved to Graz", day=DAY)
    with who.unlocked():
        boston = add(who, "You live in Bosten")
        services.correct_fact(owner_id=who.id, fact_id=boston.id, text=build("You live in Boston"))
        quote = {"text": "moved to Graz", "start": 2, "end": 15}
        graz = propose_new(
            who,
            "You live in Graz",
            entry_id=entry.id,
            details={"quote": quote, "when": {"raw": "now", "start": "2026-03-05"}, "model": "m"},
        )
        services.resolve_conflict(
            owner_id=who.id, fact_id=graz.id, earlier_id=boston.id, strategy=Strategy.REPLACE
        )
        tea, again = add(who, "You like tea"), propose_new(who, "You like gin")
        services.resolve_conflict(
            owner_id=who.id, fact_id=again.id, earlier_id=tea.id, strategy=Strategy.LINK
        )
        propose_new(who, "You own a kayak", origin=Origin.PROGRAM, details={"source": "Kitchen"})
        services.end_fact(owner_id=who.id, fact_id=add(who, "You own a car").id, on=DAY)
    return boston


def list_rows(diary: Any, kind: str, *left_out: str) -> list[Any]:
    rows = [
        {key: value for key, value in row.items() if key not in left_out} for row in diary["others"][kind]
    ]
    return sorted(rows, key=lambda row: str(row["id"]))


def test_facts_come_back_into_their_own_diary_as_they_were(owner: Resident, tmp_path: Path) -> None:
    write_facts_of_each_kind(owner)
    before = export_to_folder(owner, tmp_path / "1")
    with owner.unlocked():
        Fact.objects.all().delete()

    report = import_file(owner, tmp_path / "1")
    again = import_file(owner, tmp_path / "1")
    after = export_to_folder(owner, tmp_path / "2")

    assert (report.rows["facts"], again.rows["facts"]) == (6, 0)
    assert report.faults == again.faults == []
    for kind in ("facts", "fact_changes"):
        assert list_rows(after, kind) == list_rows(before, kind) != []


def test_facts_move_to_another_diary_with_their_history_as_imported_ones(
    owner: Resident, tmp_path: Path
) -> None:
    boston = write_facts_of_each_kind(owner)
    before = export_to_folder(owner, tmp_path / "1")
    there = replace_person(owner)

    report = import_file(there, tmp_path / "1")
    after = export_to_folder(there, tmp_path / "2")

    assert report.rows["facts"] == 6
    foreign = ("signature", "origin", "subject_index", "same_index")
    assert list_rows(after, "facts", *foreign) == list_rows(before, "facts", *foreign)
    assert {row["origin"] for row in after["others"]["facts"]} == {"imported"}
    assert '"origin": "own"' not in json.dumps(after["others"]["fact_changes"])
    with there.unlocked():
        for fact in Fact.objects.all():
            assert is_chain_whole(list_changes(fact))
        services.undo_change(owner_id=there.id, fact_id=Fact.objects.get(id=boston.id).successor_id)
        assert Fact.objects.get(id=boston.id).state == FactState.ACCEPTED


def test_a_housemate_imports_the_same_file_with_ids_of_their_own(
    owner: Resident, housemate: Resident, tmp_path: Path
) -> None:
    write_facts_of_each_kind(owner)
    export_to_folder(owner, tmp_path / "1")

    reports = [import_file(housemate, tmp_path / "1") for _ in range(2)]

    assert [report.rows["facts"] for report in reports] == [6, 0]
    own = set(Fact.objects.for_owner(housemate.id).values_list("id", flat=True))
    assert own.isdisjoint(Fact.objects.for_owner(owner.id).values_list("id", flat=True))
    with housemate.unlocked():
        (boston,) = Fact.objects.for_owner(housemate.id).exclude(successor_id=None)
        assert boston.successor_id in own
        (tea, gin) = (
            Fact.objects.get(id=fact.id)
            for fact in Fact.objects.for_owner(housemate.id)
            if "links" in fact.body
        )
        assert {tea.body["links"][0], gin.body["links"][0]} == {str(tea.id), str(gin.id)}
        services.undo_change(owner_id=housemate.id, fact_id=boston.successor_id)
    assert Fact.objects.for_owner(owner.id).filter(state=FactState.ENDED).count() == 2


def forge_text(row: dict[str, Any], _: list[Any]) -> None:
    row["body"]["text"] = "You love Evil Corp"


def forge_origin(row: dict[str, Any], _: list[Any]) -> None:
    row["origin"] = "own_token"


def forge_history(row: dict[str, Any], changes: list[Any]) -> None:
    change = next(each for each in changes if each["fact_id"] == row["id"])
    change["body"]["after"]["body"]["text"] = "You love Evil Corp"


def drop_history(row: dict[str, Any], changes: list[Any]) -> None:
    changes[:] = [each for each in changes if each["fact_id"] != row["id"]]


@pytest.mark.parametrize(
    ("forge", "origin"),
    [
        (forge_text, "imported"),
        (forge_origin, "imported"),
        (forge_history, "own"),
        (drop_history, "own"),
    ],
)
def test_what_was_changed_in_a_file_is_not_believed(
    owner: Resident, tmp_path: Path, forge: Any, origin: str
) -> None:
    with owner.unlocked():
        fact = add(owner, "You like tea")
        services.correct_fact(owner_id=owner.id, fact_id=fact.id, text=build("You like green tea"))
    diary = export_to_folder(owner, tmp_path / "1")
    with owner.unlocked():
        Fact.objects.all().delete()
    forge(diary["others"]["facts"][0], diary["others"]["fact_changes"])

    import_file(owner, write_json(diary, tmp_path / "f"))

    with owner.unlocked():
        found = Fact.objects.get()
        assert found.origin == origin
        changes = list_changes(found)
        assert is_chain_whole(changes)
        if forge in (forge_history, drop_history):
            assert [change.kind for change in changes] == ["import"]
            assert found.body["text"] == "You like green tea"


def test_what_was_forgotten_here_does_not_come_back(owner: Resident, tmp_path: Path) -> None:
    with owner.unlocked():
        fact = add(owner, "You like tea")
        export_to_folder(owner, tmp_path / "1")
        services.forget_fact(owner_id=owner.id, fact_id=fact.id)

    report = import_file(owner, tmp_path / "1")

    assert not Fact.objects.exists()
    assert report.faults == ["Fact 1 was forgotten or declined in this diary, and is not imported."]


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": "x"},
        {"body": None},
        {"body": {"text": ""}},
        {"body": {"text": "x" * 501}},
        {"body": {"text": 7}},
    ],
    ids=str,
)
def test_a_row_that_is_no_fact_is_named_and_the_others_come_in(
    owner: Resident, tmp_path: Path, change: dict[str, Any]
) -> None:
    with owner.unlocked():
        add(owner, "You like tea")
        add(owner, "You like gin")
    diary = export_to_folder(owner, tmp_path / "1")
    with owner.unlocked():
        Fact.objects.all().delete()
    diary["others"]["facts"][0] |= change

    report = import_file(owner, write_json(diary, tmp_path / "f"))

    assert report.faults == ["Fact 1 has no sentence that can be imported."]
    assert Fact.objects.count() == 1


def test_wild_values_of_a_foreign_fact_are_left_out(owner: Resident, tmp_path: Path) -> None:
    with owner.unlocked():
        add(owner, "You like tea")
    diary = export_to_folder(owner, tmp_path / "1")
    there = replace_person(owner)
    (row,) = diary["others"]["facts"]
    row |= {"state": "wild", "entry_id": 7, "successor_id": [], "changed_at": "never"}
    row["body"] |= {"quote": 7, "links": {}, "said": ["x"], "confidence": 9, "more": {"deep": []}, "ended": 3}

    report = import_file(there, write_json(diary, tmp_path / "f"))

    with there.unlocked():
        fact = Fact.objects.get()
        assert (fact.state, fact.entry_id, fact.successor_id) == (FactState.PROPOSED, None, None)
        assert fact.body.keys() == {"text", "language", "subject", "relation"}
    assert report.rows["facts"] == 1
    assert not any("wild" in fault for fault in report.faults)


def test_no_key_and_no_declined_sentence_is_exported(owner: Resident, tmp_path: Path) -> None:
    with owner.unlocked():
        services.decline_fact(owner_id=owner.id, fact_id=propose_new(owner, "You like tea").id)

    diary = export_to_folder(owner, tmp_path / "1")

    assert not {"fact_settings", "declined_facts"} & diary["others"].keys()
    assert "digest_key" not in json.dumps(diary)


def test_a_program_that_reads_its_owners_words_alone_exports_no_other_facts(owner: Resident) -> None:
    write_facts_of_each_kind(owner)
    with owner.unlocked():
        others: Any = None
        facts, changes = (
            [row for row in model.objects.all() if build_rule(owner.id, others)(row, None)]
            for model, build_rule in ((Fact, build_fact_rule), (FactChange, build_fact_change_rule))
        )

        assert {fact.origin for fact in facts} == {"own", "model"}
        assert len(facts) == 5
        assert {change.fact_id for change in changes} == {fact.id for fact in facts}
