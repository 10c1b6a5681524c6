"""Tests of Harmonia's calls over entries and the Inbox: what they store, find, list and let out."""

import csv
import io
import json
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from diary.entries.services import edit_entry
from diary.models import Entry, InboxBox, InboxItem, Origin
from diary.origins.services import claim_entry
from llamora.crypto import in_force
from tests.api.conftest import MakeProgram
from tests.api.program import Program, read_refusal
from tests.api.test_search import olive as searching_olive
from tests.people import Resident
from tests.search.indexing import open_index

MEMORY = "/api/v1/memory"
DAY = date(2026, 3, 5)

# Of the search: an index is opened by other threads, which see nothing of a test's transaction.
olive = searching_olive


def list_contents(memories: Any) -> list[str]:
    return [each["content"] for each in memories]


def export(program: Program, export_format: str) -> str:
    answer = program.send("GET", f"{MEMORY}/export?format={export_format}")
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content).decode()


# --- Storing -----------------------------------------------------------------------------------------------


def test_what_its_owner_types_is_an_entry_of_today(olive: Resident, make_program: MakeProgram) -> None:
    program = make_program("diary:write", writes_own_text=True)

    stored = program.post(f"{MEMORY}/store", {"message": "The ferry leaves at six."})

    entry = Entry.objects.get()
    assert stored == {
        "action": "created",
        "id": str(entry.id),
        "date": entry.day.isoformat(),
        "facts": [],
    }
    assert entry.day == olive.today
    assert olive.list_texts() == ["The ferry leaves at six."]


def test_the_message_of_any_other_program_waits_in_the_inbox(
    olive: Resident, make_program: MakeProgram
) -> None:
    stored = make_program("diary:write").post(f"{MEMORY}/store", {"message": "The ferry leaves at six."})

    assert stored["action"] == "pending"
    assert not Entry.objects.exists()
    assert InboxItem.objects.filter(id=stored["id"]).exists()
    assert "The ferry leaves at six." in olive.get("/inbox/").content.decode()


def test_a_program_that_only_sends_stores_while_the_diary_is_locked(
    olive: Resident, make_program: MakeProgram
) -> None:
    program = make_program("drop")
    olive.lock()

    stored = program.post(f"{MEMORY}/store", {"message": "The ferry leaves at six."})

    assert stored["action"] == "pending"
    assert InboxBox.objects.filter(id=stored["id"]).exists()


def test_a_call_with_a_key_stores_once(make_program: MakeProgram) -> None:
    program = make_program("diary:write", writes_own_text=True)

    first, again = (
        program.post(f"{MEMORY}/store", {"message": "Once"}, **{"Idempotency-Key": "a"}) for _ in range(2)
    )

    assert (first["action"], again["action"]) == ("created", "no_change")
    assert again["id"] == first["id"]
    assert Entry.objects.count() == 1


def test_facts_are_refused_with_a_sentence_and_nothing_is_stored(make_program: MakeProgram) -> None:
    program = make_program("diary:write", writes_own_text=True)
    body = {"message": "The ferry leaves at six.", "facts": [{"content": "ferry at six"}]}

    refusal = program.send("POST", f"{MEMORY}/store", body)

    assert read_refusal(refusal) == (422, "invalid_field")
    assert refusal.json()["field"] == "facts"
    assert "ferry" not in refusal.content.decode()
    assert not Entry.objects.exists()
    assert program.post(f"{MEMORY}/store", {"message": "The ferry", "facts": []})["action"] == "created"


@pytest.mark.parametrize("scope", ["facts:read", "facts:propose", "facts:write"])
def test_a_token_for_facts_alone_reaches_no_text(
    olive: Resident, make_program: MakeProgram, scope: str
) -> None:
    entry = olive.write("Geese", day=DAY)
    program = make_program(scope, writes_own_text=True, reads_untrusted=True)

    for method, path, body in (
        ("POST", "store", {"message": "Geese"}),
        ("POST", "search", {"query": "geese"}),
        ("GET", "search?query=geese", None),
        ("GET", "list", None),
        ("GET", "export", None),
        ("GET", f"{entry.id}", None),
        ("GET", f"{entry.id}/history", None),
        ("DELETE", f"{entry.id}", None),
    ):
        assert read_refusal(program.send(method, f"{MEMORY}/{path}", body)) == (403, "missing_scope")
    assert Entry.objects.for_owner(olive.id).count() == 1


@pytest.mark.parametrize("path", ["{id}/undo", "{id}/accept", "preferences"])
def test_calls_that_need_facts_are_not_there_yet(
    olive: Resident, make_program: MakeProgram, path: str
) -> None:
    entry = olive.write("Geese", day=DAY)
    address = f"{MEMORY}/{path.format(id=entry.id)}"

    refusal = make_program("diary:write", "diary:read").send("POST", address, {})

    assert read_refusal(refusal) in {(404, "not_found"), (405, "method_not_allowed")}


# --- Reading -----------------------------------------------------------------------------------------------


def test_a_search_finds_entries_with_their_texts(olive: Resident, make_program: MakeProgram) -> None:
    entry = olive.write("Geese over the marsh", day=DAY)
    olive.write("Geese in a file", day=DAY, origin=Origin.IMPORTED)
    open_index(olive)
    program = make_program("diary:read")

    found = program.post(f"{MEMORY}/search", {"query": "geese?!", "user_id": "Olive"})

    assert found == program.get(f"{MEMORY}/search?query=geese%3F%21")
    assert (found["total"], found["next_offset"], found["state"]) == (1, None, "ready")
    assert found["results"] == [program.get(f"{MEMORY}/{entry.id}")]
    assert found["results"][0] | {"created_at": "", "updated_at": ""} == {
        "id": str(entry.id),
        "kind": "entry",
        "content": "Geese over the marsh",
        "category": None,
        "confidence": None,
        "date": "2026-03-05",
        "created_at": "",
        "updated_at": "",
        "revision": 1,
        "origin": "own",
        "source": "",
    }


def test_days_narrow_a_search(olive: Resident, make_program: MakeProgram) -> None:
    olive.write("Geese early", day=DAY)
    olive.write("Geese late", day=DAY + timedelta(days=9))
    open_index(olive)
    body = {"query": "geese", "from_date": "2026-03-06", "to_date": "2026-03-31"}

    found = make_program("diary:read").post(f"{MEMORY}/search", body)

    assert list_contents(found["results"]) == ["Geese late"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"category": "travel"}, "category"),
        ({"min_confidence": 0.5}, "min_confidence"),
        ({"max_confidence": 0.5}, "max_confidence"),
        ({"from_date": "2026-03-05", "to_date": "2026-03-04"}, "to_date"),
        ({"sort_by": "confidence"}, "sort_by"),
    ],
)
def test_what_entries_do_not_have_is_refused_by_its_name(
    make_program: MakeProgram, body: dict[str, Any], field: str
) -> None:
    refusal = make_program("diary:read").send("POST", f"{MEMORY}/search", {"query": "geese", **body})

    assert read_refusal(refusal) == (422, "invalid_field")
    assert refusal.json()["field"] == field


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_parts_of_a_list_have_each_memory_once_by_cursor_and_by_offset(
    olive: Resident, make_program: MakeProgram, order: str
) -> None:
    for number in range(5):
        olive.write(f"Text {number}", day=DAY + timedelta(days=number // 2))
    program = make_program("diary:read")
    by_cursor: list[str] = []
    by_offset: list[str] = []

    cursor: str | None = ""
    while cursor is not None:
        part = program.get(f"{MEMORY}/list?limit=2&sort_order={order}&cursor={cursor}")
        by_cursor += list_contents(part["memories"])
        cursor = part["next_cursor"]
    offset: int | None = 0
    while offset is not None:
        part = program.get(f"{MEMORY}/list?limit=2&sort_order={order}&offset={offset}")
        by_offset += list_contents(part["memories"])
        offset = part["next_offset"]

    expected = [f"Text {number}" for number in range(5)]
    assert by_cursor == by_offset == (expected if order == "asc" else expected[::-1])
    assert part["total"] == 5


def test_texts_of_others_are_left_out_unless_the_token_reads_them(
    olive: Resident, make_program: MakeProgram
) -> None:
    olive.write("Mine", day=DAY)
    other = olive.write("From elsewhere", day=DAY, origin=Origin.IMPORTED)
    careful, eager = (make_program("diary:read", "export", reads_untrusted=reads) for reads in (False, True))

    assert list_contents(careful.get(f"{MEMORY}/list")["memories"]) == ["Mine"]
    assert careful.get(f"{MEMORY}/list")["total"] == 1
    assert read_refusal(careful.send("GET", f"{MEMORY}/{other.id}")) == (404, "not_found")
    assert read_refusal(careful.send("GET", f"{MEMORY}/{other.id}/history")) == (404, "not_found")
    assert eager.get(f"{MEMORY}/{other.id}")["content"] == "From elsewhere"


def test_the_history_of_a_memory_has_what_it_said(olive: Resident, make_program: MakeProgram) -> None:
    entry = olive.write("First", day=DAY)
    with in_force(olive.open_keyring()):
        edit_entry(owner_id=olive.id, entry_id=entry.id, text="Second", revision=1)

    history = make_program("diary:read").get(f"{MEMORY}/{entry.id}/history")["history"]

    assert [(each["action"], each["revision"], each["content"]) for each in history] == [
        ("created", 1, "First"),
        ("updated", 2, "Second"),
    ]


def test_the_history_has_nothing_of_before_an_entry_was_its_owners(
    olive: Resident, make_program: MakeProgram
) -> None:
    entry = olive.write("FOREIGN", day=DAY, origin=Origin.IMPORTED)
    with in_force(olive.open_keyring()):
        edit_entry(owner_id=olive.id, entry_id=entry.id, text="Half mine", revision=1)
        claim_entry(owner_id=olive.id, entry_id=entry.id)
    path = f"{MEMORY}/{entry.id}/history"

    careful = make_program("diary:read").get(path)["history"]
    eager = make_program("diary:read", reads_untrusted=True).get(path)["history"]

    assert list_contents(careful) == ["Half mine"]
    assert list_contents(eager) == ["FOREIGN", "Half mine"]


def test_a_deleted_memory_is_in_the_bin(olive: Resident, make_program: MakeProgram) -> None:
    entry = olive.write("Geese", day=DAY)
    program = make_program("diary:read", "diary:write")

    answer = program.send("DELETE", f"{MEMORY}/{entry.id}")

    assert (answer.status_code, answer.json()["deleted"]) == (200, True)
    assert Entry.objects.in_bin(olive.id).count() == 1
    assert read_refusal(program.send("GET", f"{MEMORY}/{entry.id}")) == (404, "not_found")


def test_the_name_of_somebody_else_is_not_found(olive: Resident, make_program: MakeProgram) -> None:
    entry = olive.write("Geese", day=DAY)
    program = make_program("diary:read", "diary:write", "export", writes_own_text=True)

    for method, path, body in (
        ("POST", "store", {"message": "Text", "user_id": "Humphrey"}),
        ("POST", "search", {"query": "geese", "user_id": "Humphrey"}),
        ("GET", "list?user_id=Humphrey", None),
        ("GET", "export?user_id=Humphrey", None),
        ("GET", f"{entry.id}?user_id=Humphrey", None),
        ("GET", f"{entry.id}/history?user_id=Humphrey", None),
        ("DELETE", f"{entry.id}?user_id=Humphrey", None),
        ("GET", str(uuid4()), None),
    ):
        assert read_refusal(program.send(method, f"{MEMORY}/{path}", body)) == (404, "not_found")
    assert Entry.objects.for_owner(olive.id).count() == 1
    assert program.get(f"{MEMORY}/list?user_id=Olive")["total"] == 1


# --- Export ------------------------------------------------------------------------------------------------


def test_each_format_has_every_text_and_ends_with_the_number(
    olive: Resident, make_program: MakeProgram
) -> None:
    texts = ["=1+1", "+1", "-1", "@home", 'Two\nlines, and "quotes"', "日記"]
    for number, text in enumerate(texts):
        olive.write(text, day=DAY + timedelta(days=number))
    olive.write("FOREIGN", day=DAY, origin=Origin.IMPORTED)
    program = make_program("export")

    as_json = json.loads(export(program, "json"))
    header, *rows, last = csv.reader(io.StringIO(export(program, "csv"), newline=""))
    markdown, plain = export(program, "markdown"), export(program, "text")

    assert list_contents(as_json["memories"]) == texts
    assert (as_json["count"], as_json["left_out"]) == (6, 1)
    contents = [dict(zip(header, row, strict=True))["content"] for row in rows]
    assert contents == ["'=1+1", "'+1", "'-1", "'@home", *texts[4:]]
    assert last == ["count", "6"]
    assert markdown.endswith("<!-- End: 6 in all, 1 left out. -->\n")
    assert plain.endswith("End: 6 in all, 1 left out.\n")
    assert all(text in markdown and text in plain for text in texts)
    assert "FOREIGN" not in markdown + plain


def test_a_format_that_does_not_exist_is_refused(make_program: MakeProgram) -> None:
    refusal = make_program("export").send("GET", f"{MEMORY}/export?format=xml")

    assert read_refusal(refusal) == (422, "invalid_field")
