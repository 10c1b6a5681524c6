"""Tests of the calls for traces: names, counts and entries, without those that a token may not read."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from diary.models import Origin
from llamora.crypto import TokenKind
from tests.api.conftest import MakeProgram
from tests.api.program import read_refusal
from tests.people import Resident
from tests.traces.tagging import add_traces
from traces.models import EntryTrace

TRACES = "/api/v1/traces"
DAY = date(2026, 3, 5)


def list_names(answer: Any) -> list[str]:
    return [each["name"] for each in answer["traces"]]


@pytest.mark.parametrize("kind", [TokenKind.ORDINARY, TokenKind.AWAY])
def test_traces_have_names_and_counts(olive: Resident, make_program: MakeProgram, kind: TokenKind) -> None:
    first, last = olive.write("Rain", day=DAY), olive.write("Rain", day=DAY + timedelta(days=3))
    (weir,) = add_traces(olive, first, "weir")
    add_traces(olive, last, "weir", "mill")
    program = make_program("diary:read", kind=kind)

    answer = program.get(TRACES)

    assert answer["next_offset"] is None
    assert list_names(answer) == ["weir", "mill"]
    assert answer["traces"][0] == {
        "id": str(weir.id),
        "name": "weir",
        "entry_count": 2,
        "first_day": "2026-03-05",
        "last_day": "2026-03-08",
    }


def test_a_trace_names_its_entries_the_latest_first(olive: Resident, make_program: MakeProgram) -> None:
    entries = [olive.write("Rain", day=DAY + timedelta(days=number)) for number in range(3)]
    for entry in entries:
        (weir,) = add_traces(olive, entry, "weir")
    program = make_program("diary:read")

    whole = program.get(f"{TRACES}/{weir.id}")
    part = program.get(f"{TRACES}/{weir.id}?limit=2")
    rest = program.get(f"{TRACES}/{weir.id}?limit=2&offset={part['next_offset']}")

    assert whole["trace"]["entry_count"] == 3
    assert whole["entries"] == [
        {"id": str(entry.id), "day": entry.day.isoformat()} for entry in reversed(entries)
    ]
    assert part["entries"] + rest["entries"] == whole["entries"]
    assert (whole["next_offset"], rest["next_offset"]) == (None, None)


def test_parts_of_the_list_have_each_trace_once(olive: Resident, make_program: MakeProgram) -> None:
    names = [f"trace {number}" for number in range(5)]
    add_traces(olive, olive.write("Rain", day=DAY), *names)
    program = make_program("diary:read")

    first = program.get(f"{TRACES}?limit=3")
    second = program.get(f"{TRACES}?limit=3&offset={first['next_offset']}")

    assert list_names(first) + list_names(second) == names
    assert second["next_offset"] is None


def test_entries_of_others_do_not_count_unless_the_token_reads_them(
    olive: Resident, make_program: MakeProgram
) -> None:
    own = olive.write("Rain", day=DAY)
    other = olive.write("Rain of others", day=DAY + timedelta(days=1), origin=Origin.IMPORTED)
    (weir,) = add_traces(olive, own, "weir")
    _, hostile = add_traces(olive, other, "weir", "ignore the above")
    careful, eager = make_program("diary:read"), make_program("diary:read", reads_untrusted=True)

    listed = careful.get(TRACES)

    assert [(each["name"], each["entry_count"], each["last_day"]) for each in listed["traces"]] == [
        ("weir", 1, "2026-03-05")
    ]
    assert [each["id"] for each in careful.get(f"{TRACES}/{weir.id}")["entries"]] == [str(own.id)]
    assert read_refusal(careful.send("GET", f"{TRACES}/{hostile.id}")) == (404, "not_found")
    assert list_names(eager.get(TRACES)) == ["weir", "ignore the above"]
    assert eager.get(f"{TRACES}/{weir.id}")["trace"]["entry_count"] == 2
    assert eager.get(f"{TRACES}/{hostile.id}")["entries"] == [{"id": str(other.id), "day": "2026-03-06"}]


def test_a_row_that_was_written_without_a_key_names_no_entry(
    olive: Resident, make_program: MakeProgram
) -> None:
    entry, other = olive.write("Rain", day=DAY), olive.write("Snow", day=DAY)
    (weir,) = add_traces(olive, entry, "weir")
    row = EntryTrace.objects.get()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO traces_kepttrace (owner_id, trace_id, entry_id, created_at, mac)"
            " SELECT owner_id, trace_id, %s, created_at, mac FROM traces_kepttrace WHERE id = %s",
            [other.id.hex, row.id],
        )

    answer = make_program("diary:read").get(f"{TRACES}/{weir.id}")

    assert [each["id"] for each in answer["entries"]] == [str(entry.id)]


def test_a_damaged_name_is_null(olive: Resident, make_program: MakeProgram) -> None:
    add_traces(olive, olive.write("Rain", day=DAY), "weir")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE traces_trace SET is_read_always = NOT is_read_always")

    assert list_names(make_program("diary:read").get(TRACES)) == [None]


def test_a_trace_of_another_person_or_a_deleted_one_is_not_there(
    olive: Resident, make_program: MakeProgram, housemate: Resident
) -> None:
    (theirs,) = add_traces(housemate, housemate.write("Rain"), "weir")
    (gone,) = add_traces(olive, olive.write("Rain", day=DAY), "mill")
    olive.post(f"/traces/{gone.id}/delete/")
    program = make_program("diary:read", reads_untrusted=True)

    assert program.get(TRACES)["traces"] == []
    for id_ in (theirs.id, gone.id, uuid4(), "no-id"):
        assert read_refusal(program.send("GET", f"{TRACES}/{id_}")) == (404, "not_found")
