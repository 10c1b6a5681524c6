"""Tests of the calls for entries and days: what is saved, by whom, and that nothing is saved twice."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from accounts.models import AccessToken, IdempotencyKey
from accounts.tokens.token_uses import token_uses
from diary.entries.services import edit_entry
from diary.models import Entry, InboxBox, InboxItem, Origin, Version
from llamora.crypto import TokenKind, in_force
from tests.api.conftest import MakeProgram
from tests.api.program import read_refusal
from tests.people import Resident

ENTRIES = "/api/v1/entries"
DAY = date(2026, 3, 5)


def load_entry(who: Resident, id_: str) -> Entry:
    return Entry.objects.get(owner_id=who.id, id=id_)


def read_text(who: Resident, row: Any, column: str = "text") -> Any:
    with in_force(who.open_keyring()):
        return getattr(type(row).objects.get(id=row.id), column)


# --- Saving ------------------------------------------------------------------------------------------------


def test_what_its_owner_types_in_a_program_is_an_entry_of_theirs(
    olive: Resident, make_program: MakeProgram
) -> None:
    program = make_program("diary:write", writes_own_text=True)

    saved = program.post(ENTRIES, {"text": "Geese over the marsh", "day": "2026-03-05"})

    entry = load_entry(olive, saved["id"])
    assert saved["action"] == "created"
    assert (entry.day, entry.origin) == (DAY, Origin.OWN_TOKEN)
    assert read_text(olive, entry) == "Geese over the marsh"
    assert saved["entry"]["source"] == "Kitchen tablet"
    assert "Geese over the marsh" in olive.get("/d/2026-03-05/").content.decode()


def test_the_text_of_any_other_program_waits_in_the_inbox(olive: Resident, make_program: MakeProgram) -> None:
    program = make_program("diary:write")

    saved = program.post(ENTRIES, {"text": "Ice on the pond", "day": "2026-03-05"})

    assert (saved["action"], saved["entry"]) == ("pending", None)
    assert not Entry.objects.exists()
    item = InboxItem.objects.get(id=saved["id"])
    assert (item.day, item.origin) == (DAY, Origin.PROGRAM)
    assert read_text(olive, item, "body")["text"] == "Ice on the pond"
    assert "Ice on the pond" in olive.get("/inbox/").content.decode()


def test_a_program_that_only_sends_is_heard_while_the_diary_is_locked(
    olive: Resident, make_program: MakeProgram
) -> None:
    program = make_program("drop")
    olive.lock()

    saved = program.post(ENTRIES, {"text": "Ice on the pond", "day": "2026-03-05"})

    assert saved == {"action": "pending", "id": saved["id"], "day": "2026-03-05", "entry": None}
    assert InboxBox.objects.filter(id=saved["id"]).exists()
    olive.post("/unlock/", password=olive.password)
    assert read_text(olive, InboxItem.objects.get(id=saved["id"]), "body")["text"] == "Ice on the pond"


@pytest.mark.parametrize("terms", [{"writes_own_text": True}, {}, {"kind": TokenKind.AWAY}])
def test_a_call_with_a_key_saves_once(make_program: MakeProgram, terms: dict[str, Any]) -> None:
    program = make_program("diary:write", **terms)
    body = {"text": "Once", "day": "2026-03-05"}

    first = program.post(ENTRIES, body, **{"Idempotency-Key": "a"})
    again = program.post(ENTRIES, body, **{"Idempotency-Key": "a"})
    other = program.post(ENTRIES, body, **{"Idempotency-Key": "b"})

    assert (again["action"], again["id"]) == ("no_change", first["id"])
    assert other["id"] != first["id"]
    assert Entry.objects.count() + InboxItem.objects.count() == 2


def test_a_key_that_came_with_another_text_is_refused_and_saves_nothing(make_program: MakeProgram) -> None:
    program = make_program("diary:write", writes_own_text=True)
    program.post(ENTRIES, {"text": "One"}, **{"Idempotency-Key": "a"})

    refusal = program.send("POST", ENTRIES, {"text": "Two"}, **{"Idempotency-Key": "a"})

    assert read_refusal(refusal) == (409, "idempotency_key_reused")
    assert Entry.objects.count() == 1


def test_a_key_belongs_to_one_token(make_program: MakeProgram) -> None:
    first, second = (make_program("diary:write", writes_own_text=True) for _ in range(2))

    saved = [each.post(ENTRIES, {"text": "Same"}, **{"Idempotency-Key": "a"}) for each in (first, second)]

    assert [each["action"] for each in saved] == ["created", "created"]


def test_the_database_does_not_say_what_was_sent(make_program: MakeProgram) -> None:
    program = make_program("diary:write", writes_own_text=True)

    program.post(ENTRIES, {"text": "Geese"}, **{"Idempotency-Key": "geese-of-today"})

    (row,) = IdempotencyKey.objects.values_list()
    assert not any(b"geese" in bytes(str(value), "utf-8").lower() for value in row)


@pytest.mark.parametrize("key", ["x" * 201, "ä"])
def test_a_key_that_can_not_be_one_is_refused(make_program: MakeProgram, key: str) -> None:
    program = make_program("diary:write", writes_own_text=True)

    refusal = program.send("POST", ENTRIES, {"text": "Geese"}, **{"Idempotency-Key": key})

    assert read_refusal(refusal) == (422, "invalid_field")
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": " \n "}, "text"),
        ({"text": "a\x00b"}, ""),
        ({"text": "x" * 1_000_001}, "text"),
        ({"text": 3}, "text"),
        ({"text": "Geese", "day": "2026-02-30"}, "day"),
        ({"text": "Geese", "day": "9999-12-31"}, "day"),
        ({"text": "Geese", "written_at": "2026-02-03T10:00:00"}, "written_at"),
        ({"day": "2026-03-05"}, "text"),
        ({"text": "Geese", "secret": 1}, ""),
    ],
)
def test_a_text_that_can_not_be_saved_is_refused_with_its_field(
    make_program: MakeProgram, body: dict[str, Any], field: str
) -> None:
    program = make_program("diary:write", writes_own_text=True)

    refusal = program.send("POST", ENTRIES, body)

    assert read_refusal(refusal) == (422, "invalid_field")
    assert refusal.json().get("field", "") == field
    assert "Geese" not in refusal.content.decode()
    assert "secret" not in refusal.content.decode()
    assert not Entry.objects.exists()


# --- Changing ----------------------------------------------------------------------------------------------


def test_a_text_is_changed_by_its_revision_and_the_one_before_stays(
    olive: Resident, make_program: MakeProgram
) -> None:
    program = make_program("diary:write", "diary:read", writes_own_text=True)
    entry = olive.write("First", day=DAY)

    answer = program.send(
        "PATCH", f"{ENTRIES}/{entry.id}", {"revision": 1, "text": "Second", "day": "2026-03-06"}
    )
    late = program.send("PATCH", f"{ENTRIES}/{entry.id}", {"revision": 1, "text": "Third"})

    assert (answer.status_code, answer.json()["text"], answer.json()["day"]) == (200, "Second", "2026-03-06")
    assert read_refusal(late) == (409, "revision_conflict")
    assert late.json()["revision"] == 2
    assert read_text(olive, Version.objects.get(entry=entry)) == "First"
    assert answer.json()["origin"] == "own"


def test_a_program_that_writes_by_itself_changes_no_text(olive: Resident, make_program: MakeProgram) -> None:
    program = make_program("diary:write")
    entry = olive.write("First", day=DAY)

    refusal = program.send("PATCH", f"{ENTRIES}/{entry.id}", {"revision": 1, "text": "Second"})

    assert read_refusal(refusal) == (403, "own_text_only")
    assert read_text(olive, entry) == "First"


@pytest.mark.parametrize("scopes", [("diary:write",), ("diary:write", "export", "chat")])
def test_a_program_that_only_writes_is_told_no_text(
    olive: Resident, make_program: MakeProgram, scopes: tuple[str, ...]
) -> None:
    program = make_program(*scopes, writes_own_text=True)
    once = {"Idempotency-Key": "a"}
    saved = program.post(ENTRIES, {"text": "Ducks", "day": "2026-03-05"}, **once)
    path = f"{ENTRIES}/{saved['id']}"
    with olive.unlocked():
        edit_entry(owner_id=olive.id, entry_id=UUID(saved["id"]), text="Ducks, and why I wept", revision=1)

    again = program.post(ENTRIES, {"text": "Ducks", "day": "2026-03-05"}, **once)
    moved = program.send("PATCH", path, {"revision": 2, "day": "2026-03-04"})
    program.send("DELETE", path)
    restored = program.send("POST", f"{path}/restore")

    assert (again["action"], again["id"]) == ("no_change", saved["id"])
    for body in (again["entry"], moved.json(), restored.json()):
        assert (body["id"], body["revision"], body["text"]) == (saved["id"], 2, None)
    assert (moved.json()["day"], restored.status_code) == ("2026-03-04", 200)


def test_a_deleted_entry_is_in_the_bin_and_can_be_restored(
    olive: Resident, make_program: MakeProgram
) -> None:
    program = make_program("diary:write", "diary:read")
    entry = olive.write("First", day=DAY)

    deleted = program.send("DELETE", f"{ENTRIES}/{entry.id}")
    gone = program.send("GET", f"{ENTRIES}/{entry.id}")
    restored = program.send("POST", f"{ENTRIES}/{entry.id}/restore")

    assert (deleted.status_code, deleted.json()["in_bin_days"]) == (200, 30)
    assert read_refusal(gone) == (404, "not_found")
    assert (restored.status_code, restored.json()["text"]) == (200, "First")


# --- Reading -----------------------------------------------------------------------------------------------


def write_imported(who: Resident, text: str) -> Entry:
    with who.unlocked():
        return Entry.objects.create(owner_id=who.id, day=DAY, text=text, origin=Origin.IMPORTED)


def test_texts_of_others_are_left_out_unless_the_token_reads_them(
    olive: Resident, make_program: MakeProgram
) -> None:
    own, imported = olive.write("Mine", day=DAY), write_imported(olive, "From elsewhere")
    careful, other = make_program("diary:read"), make_program("diary:read", reads_untrusted=True)

    assert [each["text"] for each in careful.get(ENTRIES)["entries"]] == ["Mine"]
    assert careful.get("/api/v1/days/2026-03-05")["unread_count"] == 1
    assert careful.get("/api/v1/days")["days"] == [{"day": "2026-03-05", "entry_count": 1}]
    assert read_refusal(careful.send("GET", f"{ENTRIES}/{imported.id}")) == (404, "not_found")
    assert {each["origin"] for each in other.get(ENTRIES)["entries"]} == {"own", "imported"}
    assert other.get(f"{ENTRIES}/{own.id}")["text"] == "Mine"


def test_a_list_in_parts_has_each_entry_once(olive: Resident, make_program: MakeProgram) -> None:
    program = make_program("diary:read")
    for number in range(7):
        olive.write(f"Text {number}", day=date(2026, 3, 1 + number // 3))

    found: list[str] = []
    cursor = ""
    while True:
        part = program.get(f"{ENTRIES}?limit=2&cursor={cursor}")
        found += [each["text"] for each in part["entries"]]
        cursor = part["next_cursor"]
        if cursor is None:
            break

    assert found == ["Text 6", "Text 3", "Text 4", "Text 5", "Text 0", "Text 1", "Text 2"]
    days = program.get("/api/v1/days?limit=2")
    assert [each["day"] for each in days["days"]] == ["2026-03-03", "2026-03-02"]
    rest = program.get(f"/api/v1/days?limit=2&cursor={days['next_cursor']}")
    assert [each["day"] for each in rest["days"]] == ["2026-03-01"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=x", "cursor=x", "cursor=WzFd", "day=tomorrow", "secret=1", "limit=1&limit=2", "%00=1"],
)
def test_a_parameter_that_can_not_be_is_refused(make_program: MakeProgram, query: str) -> None:
    program = make_program("diary:read")

    assert read_refusal(program.send("GET", f"{ENTRIES}?{query}")) == (422, "invalid_field")


def test_what_a_program_reads_is_counted_for_its_owner(olive: Resident, make_program: MakeProgram) -> None:
    program = make_program("diary:read")
    for _ in range(3):
        olive.write("Text", day=DAY)

    program.get(ENTRIES)
    program.get("/api/v1/days/2026-03-05")

    token_uses.write_all()
    assert AccessToken.objects.get().read_count == 6


def test_a_damaged_text_is_null_and_the_others_are_read(olive: Resident, make_program: MakeProgram) -> None:
    program = make_program("diary:read")
    damaged, whole = olive.write("Lost", day=DAY), olive.write("Whole", day=DAY)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE diary_entry SET created_at = '2026-01-01' WHERE id = %s", [damaged.id.hex])

    texts = {each["id"]: each["text"] for each in program.get(ENTRIES)["entries"]}

    assert texts == {str(damaged.id): None, str(whole.id): "Whole"}


def test_an_entry_of_another_person_is_as_one_that_does_not_exist(
    olive: Resident, make_program: MakeProgram, housemate: Resident
) -> None:
    theirs = housemate.write("Theirs", day=DAY)
    program = make_program("diary:read", "diary:write", writes_own_text=True, reads_untrusted=True)

    for id_ in (theirs.id, uuid4(), "no-id"):
        for method, path, body in (
            ("GET", f"{ENTRIES}/{id_}", None),
            ("PATCH", f"{ENTRIES}/{id_}", {"revision": 1, "text": "Mine"}),
            ("DELETE", f"{ENTRIES}/{id_}", None),
            ("POST", f"{ENTRIES}/{id_}/restore", None),
        ):
            assert read_refusal(program.send(method, path, body)) == (404, "not_found")
    with housemate.unlocked():
        assert Entry.objects.get(id=theirs.id).text == "Theirs"
