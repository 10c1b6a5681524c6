"""Tests of facts to and from files: complete, filtered, and never accepted automatically."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from typing import Any

import pytest
from django.db import connection
from markdown_it import MarkdownIt

from diary.models import Origin
from diary.transfer.programs.file_formats import TextFormat
from tests.people import Resident
from tests.traces.facts.test_services import DAY, add, list_texts, propose_new
from traces.facts import services
from traces.facts.models import Fact, FactState
from traces.facts.selection import FactSelection
from traces.facts.transfer.exports import FactExportReport, write_facts
from traces.facts.transfer.harmonia import InvalidFactFile
from traces.facts.transfer.imports import import_harmonia

MEMORY = {
    "memory_id": "mem_1",
    "content": "User has a dog called Biggie",
    "category": "relational",
    "confidence_score": 0.95,
    "created_at": "2025-08-23T12:30:45.123456",
    "original_message": "my dog Biggie",
    "is_active": True,
}


@pytest.fixture
def olive(owner: Resident) -> Iterator[Resident]:
    with owner.unlocked():
        yield owner


def export(who: Resident, text_format: TextFormat, **conditions: Any) -> tuple[str, FactExportReport]:
    file, report = io.BytesIO(), FactExportReport()
    write_facts(
        file,
        keyring=who.keyring,
        text_format=text_format,
        wanted=FactSelection(**conditions),
        report=report,
    )
    return file.getvalue().decode(), report


def add_four(who: Resident) -> None:
    add(who, "You live in Boston", kind="places")
    services.end_fact(owner_id=who.id, fact_id=add(who, "You work at =Google").id, on=DAY)
    propose_new(who, "You like tea")
    propose_new(who, "You own a [bike](http://b.example)", origin=Origin.PROGRAM)


# --- Export ------------------------------------------------------------------------------------------------


def test_each_format_has_every_fact_that_was_accepted_and_ends_with_the_number(olive: Resident) -> None:
    add_four(olive)

    texts = {each: export(olive, each)[0] for each in TextFormat}

    for text in texts.values():
        assert "You live in Boston" in text
        assert "Google" in text
        assert "You like tea" not in text
    read = json.loads(texts[TextFormat.JSON])
    assert (read["count"], read["left_out"]) == (2, 0)
    assert [row["state"] for row in read["memories"]] == ["accepted", "ended"]
    assert list(csv.reader(io.StringIO(texts[TextFormat.CSV])))[-1] == ["count", "2"]
    assert texts[TextFormat.MARKDOWN].endswith("<!-- End: 2 in all, 0 left out. -->\n")
    assert texts[TextFormat.TEXT].endswith("End: 2 in all, 0 left out.\n")


def test_no_cell_of_a_csv_is_a_formula(olive: Resident) -> None:
    add(olive, "=HYPERLINK(0) is a cell")

    rows = list(csv.DictReader(io.StringIO(export(olive, TextFormat.CSV)[0])))

    assert rows[0]["content"] == "'=HYPERLINK(0) is a cell"


def test_nothing_in_markdown_leads_anywhere(olive: Resident) -> None:
    add_four(olive)

    text, _ = export(olive, TextFormat.MARKDOWN, states=[FactState.PROPOSED])

    assert "bike" in text
    assert MarkdownIt().render("[a](http://b.example)").count("<a ") == 1
    assert "<a " not in MarkdownIt().render(text)


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ({"kind": "Places"}, ["You live in Boston"]),
        ({"words": "GOOGLE work"}, ["You work at =Google"]),
        ({"states": ["proposed"], "words": "tea"}, ["You like tea"]),
        ({"states": ["proposed"], "least_confidence": 0.6}, []),
        ({"least_confidence": 1.0, "states": ["accepted"]}, ["You live in Boston"]),
        ({"most_confidence": 0.9}, []),
    ],
)
def test_a_filter_leaves_out_the_others(
    olive: Resident, conditions: dict[str, Any], found: list[str]
) -> None:
    add_four(olive)

    text, report = export(olive, TextFormat.JSON, **conditions)

    assert [row["content"] for row in json.loads(text)["memories"]] == found
    assert report.count == len(found)


def test_the_day_of_a_fact_is_that_of_its_entry_or_of_its_addition(olive: Resident) -> None:
    entry = olive.write("I live in Boston", day=DAY)
    propose_new(olive, "You live in Boston", entry_id=entry.id)
    added_on = add(olive, "You like tea").created_at.astimezone(UTC).date()
    every = {"states": FactState.values}

    assert export(olive, TextFormat.TEXT, **every, until=DAY)[0].startswith("You live in Boston")
    assert export(olive, TextFormat.TEXT, **every, since=added_on)[0].startswith("You like tea")
    assert export(olive, TextFormat.TEXT, **every, since=DAY, until=added_on)[1].count == 2
    assert export(olive, TextFormat.TEXT, **every, since=date.min, until=date.max)[1].count == 2
    assert export(olive, TextFormat.TEXT, **every, since=added_on + timedelta(days=1))[1].count == 0


def test_facts_of_others_are_left_out_and_counted_for_who_may_not_read_them(olive: Resident) -> None:
    add_four(olive)
    own = {"states": FactState.values, "reads_others": False}

    text, report = export(olive, TextFormat.JSON, **own)

    assert (report.count, report.left_out) == (3, 1)
    assert "bike" not in text


def test_a_damaged_fact_is_named_as_such_and_the_others_are_there(olive: Resident) -> None:
    fact = add(olive, "You live in Boston")
    add(olive, "You like tea")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE traces_fact SET state = 'archived' WHERE id = %s", [fact.id.hex])

    text, report = export(olive, TextFormat.JSON)

    assert [row["content"] for row in json.loads(text)["memories"]] == [None, "You like tea"]
    assert report.damaged == 1


# --- Import ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        [MEMORY],
        {"memories": [MEMORY], "pagination": {}},
        {"success": True, "data": json.dumps([MEMORY]), "format": "json", "memory_count": 1},
        {"data": [MEMORY]},
        {"results": [{"memory": MEMORY["content"]}]},
    ],
    ids=["list", "listed", "exported", "as documented", "relative"],
)
def test_each_shape_of_a_file_becomes_proposals(olive: Resident, content: Any) -> None:
    counts = import_harmonia(olive.id, json.dumps(content).encode())

    assert (counts.read, counts.proposed) == (1, 1)
    fact = Fact.objects.get()
    assert (fact.state, fact.origin, fact.body["source"]) == (FactState.PROPOSED, Origin.IMPORTED, "Harmonia")
    assert fact.body["text"] == MEMORY["content"]


def test_a_memory_brings_its_kind_and_what_was_said(olive: Resident) -> None:
    import_harmonia(olive.id, json.dumps([MEMORY]).encode())

    body = Fact.objects.get().body
    assert (body["kind"], body["confidence"], body["quote"]["text"]) == ("relational", 0.95, "my dog Biggie")


def test_nothing_is_accepted_or_proposed_a_second_time(olive: Resident) -> None:
    add(olive, "You like tea")
    services.decline_fact(owner_id=olive.id, fact_id=propose_new(olive, "You own a bike").id)
    rows = [MEMORY, {"content": "You like tea"}, {"content": "You own a bike"}]
    rows += [{"content": "User had a cat", "is_active": False}, {"content": "x" * 501}, 7, {"content": None}]
    content = json.dumps(rows).encode()

    first, again = (import_harmonia(olive.id, content) for _ in range(2))

    assert (first.read, first.proposed, first.known, first.ended, first.refused) == (7, 1, 2, 1, 3)
    assert [number for number, _ in first.problems] == [5, 6, 7]
    assert (again.proposed, again.known) == (0, 3)
    assert list_texts(olive) == ["You like tea"]
    assert list_texts(olive, FactState.PROPOSED) == [MEMORY["content"]]


@pytest.mark.parametrize(
    "content",
    [
        b" ",
        b"\xff\xfe",
        b"[",
        b"{}",
        b"7",
        b'"x"',
        b"[" * 100_000,
        b'{"data": "[1"}',
        b'{"data": {}}',
        b'{"data": [], "memory_count": 2}',
        b'{"memories": [], "count": 1}',
    ],
    ids=str,
)
def test_a_file_that_is_none_is_refused_with_a_sentence(olive: Resident, content: bytes) -> None:
    with pytest.raises(InvalidFactFile) as refused:
        import_harmonia(olive.id, content)

    assert refused.value.sentence.endswith(".")
    assert not Fact.objects.exists()


def test_our_own_export_comes_back_as_proposals(olive: Resident, housemate: Resident) -> None:
    add_four(olive)
    text, _ = export(olive, TextFormat.JSON, states=FactState.values)

    with housemate.unlocked():
        counts = import_harmonia(housemate.id, text.encode(), source="Llamora")

        assert (counts.proposed, counts.ended) == (3, 1)
        assert not Fact.objects.only_accepted(housemate.id).exists()
