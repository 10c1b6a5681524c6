"""Tests of Harmonia's calls for facts: what they propose, find, list, change and return."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from accounts.models import IdempotencyKey
from accounts.tokens.call_limits import call_limits
from diary.models import Entry, InboxBox, InboxItem, Origin
from llamora.api.resources.memories import fact_memories
from llamora.database import NotWritten, transactions
from llamora.fields import new_id
from tests.api.conftest import MakeProgram
from tests.api.program import Program, read_refusal
from tests.api.test_search import olive as searching_olive
from tests.people import Resident
from tests.search.indexing import open_index, wait_until_idle
from traces.facts import services
from traces.facts.comparison import Strategy
from traces.facts.fact_body import FactText
from traces.facts.models import DeclinedFact, Fact, FactState
from traces.facts.queries import load_choices
from traces.facts.services import FactOrigin

MEMORY = "/api/v1/memory"
DAY = date(2026, 3, 5)
ALL = ("facts:read", "facts:propose", "facts:write", "export")

# Of the search: an index is opened by other threads, which see nothing of a test's transaction.
olive = searching_olive


def add(who: Resident, text: str, *, kind: str = "", **where: Any) -> Fact:
    with who.unlocked():
        return services.add_fact(
            owner_id=who.id, text=FactText.create(text, kind=kind), where=FactOrigin(**where)
        )


def propose(who: Resident, text: str, *, kind: str = "", **where: Any) -> Fact:
    origin = FactOrigin(**{"origin": Origin.MODEL, **where})
    with who.unlocked():
        fact = services.propose_fact(owner_id=who.id, text=FactText.create(text, kind=kind), where=origin)
    assert fact is not None
    return fact


def get_state(fact_id: object) -> str:
    return str(Fact.objects.get(id=fact_id).state)


def list_contents(memories: Any) -> list[str]:
    return [each["content"] for each in memories]


def export(program: Program, parameters: str) -> str:
    answer = program.send("GET", f"{MEMORY}/export?{parameters}")
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content).decode()


def store(program: Program, *contents: str, **body: Any) -> Any:
    return program.post(f"{MEMORY}/store", {"facts": [{"content": each} for each in contents], **body})


# --- Messages ----------------------------------------------------------------------------------------------


def test_what_its_owner_types_is_an_entry_of_today(olive: Resident, make_program: MakeProgram) -> None:
    program = make_program("diary:write", writes_own_text=True)

    stored = program.post(f"{MEMORY}/store", {"message": "The ferry leaves at six."})

    entry = Entry.objects.get()
    assert stored == {"action": "created", "id": str(entry.id), "date": entry.day.isoformat(), "facts": []}
    assert entry.day == olive.today
    assert olive.list_texts() == ["The ferry leaves at six."]


@pytest.mark.parametrize("scope", ["diary:write", "facts:propose", "facts:write"])
def test_the_message_of_any_other_program_waits_in_the_inbox(
    olive: Resident, make_program: MakeProgram, scope: str
) -> None:
    # Only who may write entries writes one.
    program = make_program(scope, writes_own_text=scope != "diary:write")

    stored = program.post(f"{MEMORY}/store", {"message": "The ferry leaves at six."})

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
    program = make_program("diary:write", "facts:propose", "facts:read", writes_own_text=True)
    body = {"message": "Once", "facts": [{"content": "You like tea"}]}

    first, again = (program.post(f"{MEMORY}/store", body, **{"Idempotency-Key": "a"}) for _ in range(2))

    assert (first["action"], again["action"]) == ("created", "no_change")
    assert again["id"] == first["id"]
    assert [fact["action"] for fact in (*first["facts"], *again["facts"])] == ["proposed", "no_change"]
    assert again["facts"][0]["id"] == first["facts"][0]["id"]
    assert (Entry.objects.count(), Fact.objects.count()) == (1, 1)


def test_a_call_of_many_facts_goes_on_where_it_was_cut_off(
    olive: Resident, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = make_program("diary:write", "facts:propose", "facts:read", writes_own_text=True)
    body = {"message": "Boats", "facts": [{"content": f"You own {number} boats"} for number in range(2, 10)]}
    once = {"Idempotency-Key": "a"}
    propose_fact = services.propose_fact

    def fail_at_the_fifth(**fact: Any) -> Fact | None:
        if "6" in fact["text"].text:
            raise NotWritten("disk_full")
        return propose_fact(**fact)

    monkeypatch.setattr(transactions, "PART_SECONDS", 0)
    with monkeypatch.context() as patched:
        patched.setattr(services, "propose_fact", fail_at_the_fifth)
        refusal = program.send("POST", f"{MEMORY}/store", body, **once)
    assert read_refusal(refusal) == (503, "not_saved")
    assert "Only the first 4 of 8 facts were saved." in refusal.json()["message"]
    first = Fact.objects.earliest("created_at", "id")
    with olive.unlocked():
        services.accept_fact(owner_id=olive.id, fact_id=first.id, text=FactText.create("You like tea"))

    other = program.send("POST", f"{MEMORY}/store", {**body, "message": "Ships"}, **once)
    again, once_more = (program.post(f"{MEMORY}/store", body, **once) for _ in range(2))

    assert read_refusal(other) == (409, "idempotency_key_reused")
    assert (Entry.objects.count(), Fact.objects.count()) == (1, 8)
    assert again["id"] == once_more["id"] == str(Entry.objects.get().id)
    assert [fact["action"] for fact in again["facts"]] == ["no_change"] * 4 + ["proposed"] * 4
    assert {fact["action"] for fact in once_more["facts"]} == {"no_change"}


# --- Proposing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("writes_own", "origin"), [(False, Origin.PROGRAM), (True, Origin.OWN_TOKEN)])
def test_a_fact_waits_with_the_name_of_its_program(
    olive: Resident, make_program: MakeProgram, writes_own: bool, origin: Origin
) -> None:
    program = make_program(
        "facts:propose", "facts:read", name="Kitchen", writes_own_text=writes_own, reads_untrusted=True
    )
    fact = {"content": "You like tea", "category": "preference", "quote": "tea, please", "confidence": 0.99}

    stored = program.post(f"{MEMORY}/store", {"facts": [fact], "user_id": "Olive", "session_id": "1"})

    (told,) = stored["facts"]
    assert (stored["action"], stored["id"], told["action"]) == ("proposed", None, "proposed")
    body = program.get(f"{MEMORY}/{told['id']}")
    assert (body["content"], body["category"], body["quote"]) == ("You like tea", "preference", "tea, please")
    assert (body["state"], body["confidence"], body["source"]) == ("proposed", 0.5, "Kitchen")
    assert body["origin"] == origin
    assert body["memory_id"] == body["id"]


def test_when_a_fact_is_so_is_resolved_on_the_day_of_the_call(
    olive: Resident, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_noon = datetime(2026, 3, 5, 12, tzinfo=UTC)
    monkeypatch.setattr(fact_memories, "timezone", SimpleNamespace(now=lambda: at_noon))
    program = make_program("facts:propose", "facts:read", writes_own_text=True)

    stored = program.post(
        f"{MEMORY}/store",
        {
            "facts": [
                {"content": "You see the dentist tomorrow"},
                {"content": "Anna comes to tea", "quote": "Anna comes to tea on 9 March 2026"},
                {"content": "You like tea"},
            ]
        },
    )

    bodies = [program.get(f"{MEMORY}/{each['id']}") for each in stored["facts"]]
    assert [(body["when"] or {}).get("start") for body in bodies] == ["2026-03-06", "2026-03-09", None]
    assert bodies[0]["when"]["raw"] == "tomorrow"
    assert bodies[0]["content"] == "You see the dentist tomorrow"


def test_what_is_known_is_no_change_and_what_was_forgotten_is_not_told(
    olive: Resident, make_program: MakeProgram
) -> None:
    known = add(olive, "You like tea")
    with olive.unlocked():
        services.forget_fact(owner_id=olive.id, fact_id=add(olive, "You like gin").id)
    program = make_program("facts:propose", "facts:read")

    stored = store(program, "You like the tea", "You like gin")

    assert stored["action"] == "no_change"
    assert [(fact["action"], fact["id"]) for fact in stored["facts"]] == [
        ("no_change", str(known.id)),
        ("no_change", None),
    ]
    assert get_state(known.id) == FactState.ACCEPTED
    assert Fact.objects.count() == 1


def test_a_token_that_may_not_read_learns_nothing_of_what_is_known(
    olive: Resident, make_program: MakeProgram
) -> None:
    add(olive, "You like tea")
    add(olive, "You live in Boston")

    stored = store(make_program("facts:propose"), "You like tea", "You like gin", "You live in Graz")

    assert stored["action"] == "pending"
    assert {(fact["action"], fact["id"], len(fact["conflicts"])) for fact in stored["facts"]} == {
        ("pending", None, 0)
    }
    assert Fact.objects.only_proposed(olive.id).count() == 2


def test_a_conflict_is_named_and_changes_nothing(olive: Resident, make_program: MakeProgram) -> None:
    boston = add(olive, "You live in Boston")
    program = make_program("facts:propose", "facts:read", writes_own_text=True)

    stored = store(program, "You moved to New York")

    (fact,) = stored["facts"]
    (conflict,) = fact["conflicts"]
    assert (stored["action"], fact["action"]) == ("conflict_detected", "conflict_detected")
    assert conflict == {
        "id": str(boston.id),
        "content": "You live in Boston",
        "relation": "newer",
        "strategy": "replace",
    }
    assert program.get(f"{MEMORY}/{fact['id']}")["conflicts"] == [conflict]
    assert get_state(boston.id) == FactState.ACCEPTED


def test_a_fact_of_others_is_not_named_as_one_that_is_touched(
    olive: Resident, make_program: MakeProgram
) -> None:
    with olive.unlocked():
        foreign = propose(olive, "You live in Boston", origin=Origin.IMPORTED)
        services.accept_fact(owner_id=olive.id, fact_id=foreign.id)

    careful, eager = (
        make_program("facts:propose", "facts:read", reads_untrusted=reads) for reads in (False, True)
    )

    assert store(careful, "You live in Graz")["facts"][0]["conflicts"] == []
    assert store(eager, "You live in Bonn")["facts"][0]["conflicts"][0]["id"] == str(foreign.id)


def test_nothing_is_retired_or_accepted_by_what_is_stored(olive: Resident, make_program: MakeProgram) -> None:
    known = [add(olive, text) for text in ("You live in Boston", "You like tea", "Anna is 40 years old")]
    program = make_program(*ALL, "diary:write", writes_own_text=True, reads_untrusted=True)
    sentences = ["You no longer live in Boston", "You do not like tea", "Anna is now 41 years old"]

    for strategy in (*Strategy, "auto", "update"):
        name = str(getattr(strategy, "value", strategy))
        for confidence in (0, 1):
            facts = [{"content": each, "confidence": confidence} for each in sentences]
            program.post(f"{MEMORY}/store", {"facts": facts, "resolution_strategy": name})

    assert {get_state(fact.id) for fact in known} == {FactState.ACCEPTED}
    assert Fact.objects.only_accepted(olive.id).count() == 3
    assert Fact.objects.only_proposed(olive.id).count() == 3


@pytest.mark.slow
def test_ten_thousand_stores_retire_nothing(olive: Resident, make_program: MakeProgram) -> None:
    known = [
        add(olive, text)
        for text in (
            "You live in Boston",
            "You work at Google",
            "You like tea",
            "You have a dog called Biggie",
            "Anna is 40 years old",
            "Your favourite colour is blue",
            "You are married to Eva",
        )
    ]
    program = make_program(*ALL, writes_own_text=True, reads_untrusted=True)
    sentences = (
        "You no longer live in Boston {}",
        "You moved to Graz {}",
        "You now work at Apple {}",
        "You do not like tea {}",
        "You have no dog called Biggie {}",
        "Anna is now {} years old",
        "Your favourite colour is green {}",
        "You are divorced from Eva {}",
    )

    for first in range(0, 10_000, 100):
        call_limits.clear()
        numbers = range(first, first + 100)
        store(program, *(sentences[number % len(sentences)].format(number) for number in numbers))

    assert {get_state(fact.id) for fact in known} == {FactState.ACCEPTED}
    assert Fact.objects.only_accepted(olive.id).count() == len(known)
    assert Fact.objects.only_proposed(olive.id).count() > 9_000


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "message"),
        ({"facts": []}, "message"),
        ({"facts": [{"content": "You like tea"}, {"content": "x" * 501}]}, "facts[1].content"),
        ({"facts": [{"content": "..."}]}, "facts[0].content"),
        ({"facts": [{"content": "You like tea", "confidence": 2}]}, "facts[0].confidence"),
        ({"facts": [{}]}, "content"),
    ],
)
def test_what_is_no_fact_is_refused_by_its_name_and_nothing_is_stored(
    make_program: MakeProgram, body: dict[str, Any], field: str
) -> None:
    refusal = make_program(*ALL, "diary:write").send("POST", f"{MEMORY}/store", body)

    assert read_refusal(refusal) == (422, "invalid_field")
    assert refusal.json()["field"] == field
    assert not Fact.objects.exists()


def test_facts_need_a_scope_of_facts(make_program: MakeProgram) -> None:
    body = {"message": "The ferry", "facts": [{"content": "You like tea"}]}

    for scope in ("diary:write", "drop"):
        refusal = make_program(scope).send("POST", f"{MEMORY}/store", body)
        assert read_refusal(refusal) == (403, "missing_scope")
        assert refusal.json()["scope"] == "facts:propose"
    assert not InboxItem.objects.exists()
    assert not InboxBox.objects.exists()


def test_a_full_list_of_proposals_takes_no_more_and_nothing_of_the_call(
    olive: Resident, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fact_memories, "MOST_WAITING", 1)
    program = make_program("facts:propose", "diary:write", writes_own_text=True)
    body = {"message": "A text", "facts": [{"content": "You like tea"}, {"content": "You like gin"}]}

    refusal = program.send("POST", f"{MEMORY}/store", body, **{"Idempotency-Key": "a"})

    assert read_refusal(refusal) == (409, "too_many_proposals")
    assert not Fact.objects.exists()
    assert not Entry.objects.exists()
    assert not IdempotencyKey.objects.exists()


# --- Reading -----------------------------------------------------------------------------------------------


def test_parts_of_a_list_have_each_fact_once_by_cursor_and_by_offset(
    olive: Resident, make_program: MakeProgram
) -> None:
    texts = [f"You own {number} boats" for number in range(2, 7)]
    for text in texts:
        add(olive, text, kind="belongings")
    program = make_program("facts:read")

    for parameters in ("", "&category=Belongings", "&sort_by=updated_at"):
        for order in ("asc", "desc"):
            for way, first in (("cursor", ""), ("offset", 0)):
                contents: list[str] = []
                place: object = first
                while place is not None:
                    part = program.get(f"{MEMORY}/list?limit=2&sort_order={order}&{way}={place}{parameters}")
                    contents += list_contents(part["memories"])
                    place = part[f"next_{way}"]
                assert contents == (texts if order == "asc" else texts[::-1])
    assert (part["total"], part["pagination"]["has_more"]) == (5, False)


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ("", ["Accepted", "Entered"]),
        ("state=proposed", ["Proposed"]),
        ("state=ended", ["Ended"]),
        ("state=all&category=people", ["Proposed", "Entered"]),
        ("min_confidence=0.95", ["Entered"]),
        ("max_confidence=0.95", ["Accepted"]),
        ("to_date=2026-03-05", ["Accepted"]),
        ("from_date=2026-03-06", ["Entered"]),
        ("category=none", []),
    ],
)
def test_a_list_has_what_is_asked_for(
    olive: Resident, make_program: MakeProgram, parameters: str, found: list[str]
) -> None:
    entry = olive.write("An entry", day=DAY)
    with olive.unlocked():
        add(olive, "Entered", kind="people")
        services.accept_fact(owner_id=olive.id, fact_id=propose(olive, "Accepted", entry_id=entry.id).id)
        services.end_fact(owner_id=olive.id, fact_id=add(olive, "Ended").id, on=DAY)
        propose(olive, "Proposed", kind="people")

    listed = make_program("facts:read").get(f"{MEMORY}/list?{parameters}")

    assert list_contents(listed["memories"]) == found


def test_facts_of_others_are_left_out_unless_the_token_reads_them(
    olive: Resident, make_program: MakeProgram
) -> None:
    add(olive, "You like tea")
    with olive.unlocked():
        other = propose(olive, "You like gin", origin=Origin.IMPORTED)
        services.accept_fact(owner_id=olive.id, fact_id=other.id)
    careful, eager = (make_program(*ALL, reads_untrusted=reads) for reads in (False, True))

    assert list_contents(careful.get(f"{MEMORY}/list")["memories"]) == ["You like tea"]
    assert careful.get(f"{MEMORY}/list")["total"] == 1
    for method, path, body in (
        ("GET", "", None),
        ("DELETE", "", None),
        ("GET", "/history", None),
        ("POST", "/undo", None),
        ("POST", "/accept", {}),
        ("PATCH", "", {"ended": "2026-03-05"}),
    ):
        refusal = careful.send(method, f"{MEMORY}/{other.id}{path}", body)
        assert read_refusal(refusal) == (404, "not_found")
    assert get_state(other.id) == FactState.ACCEPTED
    assert len(eager.get(f"{MEMORY}/list")["memories"]) == 2
    assert eager.get(f"{MEMORY}/{other.id}")["content"] == "You like gin"


def test_the_name_of_somebody_else_is_not_found(olive: Resident, make_program: MakeProgram) -> None:
    fact = add(olive, "You like tea")
    program = make_program(*ALL, "diary:write", writes_own_text=True)

    for method, path, body in (
        ("POST", "store", {"message": "Text", "user_id": "Humphrey"}),
        ("POST", "search", {"query": "tea", "user_id": "Humphrey"}),
        ("GET", "list?user_id=Humphrey", None),
        ("GET", "export?user_id=Humphrey", None),
        ("GET", "preferences?user_id=Humphrey", None),
        ("GET", f"{fact.id}?user_id=Humphrey", None),
        ("GET", f"{fact.id}/history?user_id=Humphrey", None),
        ("POST", f"{fact.id}/undo?user_id=Humphrey", None),
        ("DELETE", f"{fact.id}?user_id=Humphrey", None),
        ("GET", str(uuid4()), None),
    ):
        assert read_refusal(program.send(method, f"{MEMORY}/{path}", body)) == (404, "not_found")
    assert program.get(f"{MEMORY}/list?user_id=Olive")["total"] == 1


def test_a_token_for_facts_reads_no_entry_and_one_for_entries_no_fact(
    olive: Resident, make_program: MakeProgram
) -> None:
    entry, fact = olive.write("Geese", day=DAY), add(olive, "You like geese")
    of_facts, of_diary = make_program(*ALL[:3]), make_program("diary:read", "diary:write")

    assert read_refusal(of_facts.send("GET", f"{MEMORY}/{entry.id}")) == (404, "not_found")
    assert read_refusal(of_facts.send("GET", f"/api/v1/entries/{entry.id}")) == (403, "missing_scope")
    for path in (str(fact.id), f"{fact.id}/history", "list", "preferences"):
        assert read_refusal(of_diary.send("GET", f"{MEMORY}/{path}")) == (403, "missing_scope")


# --- Changing ----------------------------------------------------------------------------------------------


def test_a_proposal_that_touches_nothing_is_accepted_and_can_be_undone(
    olive: Resident, make_program: MakeProgram
) -> None:
    fact = propose(olive, "You like tea")
    program = make_program("facts:read", "facts:write")

    accepted = program.post(f"{MEMORY}/{fact.id}/accept", {})
    again = program.post(f"{MEMORY}/{fact.id}/accept", {})
    history = program.get(f"{MEMORY}/{fact.id}/history")
    undone = program.send("POST", f"{MEMORY}/{fact.id}/undo").json()

    assert (accepted["action"], accepted["memory"]["state"]) == ("accepted", "accepted")
    assert accepted["memory"]["confidence"] == 0.9
    assert again["action"] == "no_change"
    assert history["is_whole"]
    assert [(each["action"], each["content"]) for each in history["history"]] == [
        ("propose", "You like tea"),
        ("accept", "You like tea"),
    ]
    UUID(history["history"][1]["by"])
    assert (undone["action"], undone["memory"]["state"]) == ("undone", "proposed")


def test_a_conflict_asks_for_a_strategy(olive: Resident, make_program: MakeProgram) -> None:
    boston, graz = add(olive, "You live in Boston"), propose(olive, "You live in Graz")
    program = make_program("facts:read", "facts:write")
    path = f"{MEMORY}/{graz.id}/accept"

    refusal = program.send("POST", path, {})
    assert read_refusal(refusal) == (409, "conflict_detected")
    assert (get_state(boston.id), get_state(graz.id)) == (FactState.ACCEPTED, FactState.PROPOSED)

    accepted = program.post(path, {"strategy": "replace"})
    assert accepted["memory"]["content"] == "You live in Graz"
    assert (get_state(boston.id), get_state(graz.id)) == (FactState.ENDED, FactState.ACCEPTED)
    program.post(f"{MEMORY}/{graz.id}/undo", {})
    assert (get_state(boston.id), get_state(graz.id)) == (FactState.ACCEPTED, FactState.PROPOSED)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"strategy": "merge"}, "content"),
        ({"strategy": "guess"}, "strategy"),
        ({"earlier_id": "{earlier}"}, "strategy"),
    ],
)
def test_a_strategy_that_says_too_little_is_refused(
    olive: Resident, make_program: MakeProgram, body: dict[str, str], field: str
) -> None:
    earlier, fact = add(olive, "You live in Boston"), propose(olive, "You live in Graz")
    program = make_program("facts:write", writes_own_text=True)
    sent = {name: value.format(earlier=earlier.id) for name, value in body.items()}

    refusal = program.send("POST", f"{MEMORY}/{fact.id}/accept", sent)

    assert read_refusal(refusal) == (422, "invalid_field")
    assert refusal.json()["field"] == field
    assert get_state(earlier.id) == FactState.ACCEPTED


def test_the_same_said_again_is_noted_by_itself_only_if_its_owner_chose_that(
    olive: Resident, make_program: MakeProgram
) -> None:
    program = make_program("facts:read", "facts:write", reads_untrusted=True)
    known = add(olive, "You like tea")
    with olive.unlocked():
        # Proposed while it was not accepted.
        services.undo_change(owner_id=olive.id, fact_id=known.id)
    fact = propose(olive, "You like tea")
    add(olive, "You like the tea")
    assert read_refusal(program.send("POST", f"{MEMORY}/{fact.id}/accept", {}))[0] == 409

    choices = {"proposes_after_reply": False, "confirms_same": True}
    assert program.send("PUT", f"{MEMORY}/preferences", choices).json() == choices
    with olive.unlocked():
        assert load_choices(olive.id).confirms_same
    program.post(f"{MEMORY}/{fact.id}/accept", {})

    assert get_state(fact.id) == FactState.ARCHIVED
    assert program.get(f"{MEMORY}/preferences") == choices


def test_a_correction_keeps_what_was_said_and_only_its_owner_writes_it(
    olive: Resident, make_program: MakeProgram
) -> None:
    fact = add(olive, "You live in Bosten")
    other, own = (make_program("facts:read", "facts:write", writes_own_text=own) for own in (False, True))
    correction = {"content": "You live in Boston", "category": "places"}

    assert read_refusal(other.send("PATCH", f"{MEMORY}/{fact.id}", correction)) == (403, "own_text_only")
    waiting = propose(olive, "You like tee")
    refusal = other.send("POST", f"{MEMORY}/{waiting.id}/accept", {"content": "You like tea"})
    assert read_refusal(refusal) == (403, "own_text_only")

    changed = own.send("PATCH", f"{MEMORY}/{fact.id}", correction).json()
    assert (changed["action"], changed["memory"]["content"]) == ("updated", "You live in Boston")
    assert changed["memory"]["category"] == "places"
    assert own.send("PATCH", f"{MEMORY}/{fact.id}", correction).json()["action"] == "no_change"
    history = own.get(f"{MEMORY}/{fact.id}/history")["history"]
    assert list_contents(history) == ["You live in Bosten", "You live in Boston"]


def test_a_fact_that_was_changed_since_is_not_changed(olive: Resident, make_program: MakeProgram) -> None:
    fact = add(olive, "You live in Bosten")
    program = make_program("facts:read", "facts:write", writes_own_text=True)
    body = {"content": "You live in Boston", "updated_at": "2026-03-05T12:00:00Z"}

    assert read_refusal(program.send("PATCH", f"{MEMORY}/{fact.id}", body)) == (409, "revision_conflict")

    read = program.get(f"{MEMORY}/{fact.id}")
    changed = program.send("PATCH", f"{MEMORY}/{fact.id}", {**body, "updated_at": read["updated_at"]})
    assert changed.json()["action"] == "updated"


def test_a_fact_ends_and_what_is_no_fact_does_not(olive: Resident, make_program: MakeProgram) -> None:
    fact, waiting = add(olive, "You live in Boston"), propose(olive, "You like tea")
    program = make_program("facts:read", "facts:write")

    ended = program.send("PATCH", f"{MEMORY}/{fact.id}", {"ended": "2026-03-05"}).json()["memory"]
    refusal = program.send("PATCH", f"{MEMORY}/{waiting.id}", {"ended": "2026-03-05"})

    assert (ended["state"], ended["ended"], ended["is_active"]) == ("ended", "2026-03-05", False)
    assert read_refusal(refusal) == (422, "invalid_field")
    assert read_refusal(program.send("PATCH", f"{MEMORY}/{fact.id}", {})) == (422, "invalid_field")


def test_a_deleted_fact_leaves_nothing_and_is_not_proposed_again(
    olive: Resident, make_program: MakeProgram
) -> None:
    fact = add(olive, "You live in Boston")
    program = make_program(*ALL)

    answer = program.send("DELETE", f"{MEMORY}/{fact.id}")

    assert (answer.status_code, answer.json()) == (200, {"id": str(fact.id), "deleted": True})
    assert not Fact.objects.exists()
    assert DeclinedFact.objects.count() == 1
    assert store(program, "You live in Boston")["action"] == "no_change"
    assert read_refusal(program.send("DELETE", f"{MEMORY}/{fact.id}")) == (404, "not_found")


def test_what_cannot_be_undone_is_said(olive: Resident, make_program: MakeProgram) -> None:
    boston, graz = add(olive, "You live in Boston"), propose(olive, "You live in Graz")
    program = make_program(*ALL, writes_own_text=True)
    program.post(f"{MEMORY}/{graz.id}/accept", {"strategy": "link"})
    program.send("PATCH", f"{MEMORY}/{boston.id}", {"content": "You live in Bristol"})

    refusal = program.send("POST", f"{MEMORY}/{graz.id}/undo")

    assert read_refusal(refusal) == (409, "nothing_to_undo")
    assert get_state(graz.id) == FactState.ACCEPTED


def test_a_token_that_only_writes_is_told_no_words(olive: Resident, make_program: MakeProgram) -> None:
    boston, graz = add(olive, "You live in Boston"), propose(olive, "You live in Graz")
    program = make_program("facts:write", "facts:propose", writes_own_text=True)

    answers = [
        program.send("POST", f"{MEMORY}/{graz.id}/accept", {"strategy": "link"}),
        program.send("PATCH", f"{MEMORY}/{graz.id}", {"content": "You live in Wien"}),
        program.send("GET", f"{MEMORY}/{graz.id}/history"),
        program.send("POST", f"{MEMORY}/{graz.id}/undo"),
        program.send("POST", f"{MEMORY}/store", {"facts": [{"content": "You moved"}]}),
        program.send("DELETE", f"{MEMORY}/{boston.id}"),
    ]

    assert {answer.status_code for answer in answers} == {200}
    said = b"".join(answer.content for answer in answers).decode()
    assert not any(word in said for word in ("Boston", "Graz", "Wien"))


# --- Search ------------------------------------------------------------------------------------------------


def test_a_search_finds_accepted_facts(olive: Resident, make_program: MakeProgram) -> None:
    fact = add(olive, "You saw geese over the marsh", kind="places")
    propose(olive, "You dislike geese")
    olive.write("Geese in an entry", day=DAY)
    open_index(olive)
    program = make_program("facts:read")

    found = program.post(f"{MEMORY}/search", {"query": "geese?!", "user_id": "Olive"})

    assert found == program.get(f"{MEMORY}/search?query=geese%3F%21")
    assert (found["total"], found["next_offset"], found["state"]) == (1, None, "ready")
    (result,) = found["results"]
    assert result.pop("relevance_score") == 1
    read = program.get(f"{MEMORY}/{fact.id}")
    assert read.pop("conflicts") == []
    assert result == read


def test_a_search_without_the_facts_of_others_counts_only_its_owners(
    olive: Resident, make_program: MakeProgram
) -> None:
    add(olive, "You saw geese over the marsh")
    open_index(olive)
    program = make_program("facts:read")

    def count() -> int:
        found = program.post(f"{MEMORY}/search", {"query": "geese"})
        assert len(found["results"]) == found["total"]
        return int(found["total"])

    totals = [count()]
    other = propose(olive, "You feed geese", origin=Origin.IMPORTED)
    with olive.unlocked():
        for change in (services.accept_fact, services.claim_fact, services.undo_change, services.claim_fact):
            change(owner_id=olive.id, fact_id=other.id)
            totals.append(count())

    assert totals == [1, 1, 2, 1, 2]


def test_a_repeated_search_looks_no_fact_up_by_its_owner(olive: Resident, make_program: MakeProgram) -> None:
    for number in range(8):
        add(olive, f"You saw geese on day {number}")
    open_index(olive)
    program = make_program("facts:read")
    program.post(f"{MEMORY}/search", {"query": "geese"})
    wait_until_idle(olive)
    plans: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if '"traces_fact"' in sql:
            rows = context["connection"].connection.execute(
                f"EXPLAIN QUERY PLAN {sql.replace('%s', '?')}", [str(value) for value in params]
            )
            plans.extend(row[3] for row in rows)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        found = program.post(f"{MEMORY}/search", {"query": "day geese"})

    assert found["total"] == 8
    of_facts = [plan for plan in plans if " traces_fact" in plan]
    assert of_facts
    assert all("(id=?)" in plan for plan in of_facts), of_facts


SEARCHES: list[tuple[dict[str, Any], list[str]]] = [
    ({"category": "PEOPLE"}, ["two"]),
    ({"min_confidence": 0.95, "sort_by": "created_at"}, ["two", "one"]),
    ({"max_confidence": 0.95}, ["three"]),
    ({"sort_by": "created_at", "sort_order": "asc"}, ["one", "two", "three"]),
    ({"sort_by": "created_at", "limit": 1, "offset": 1}, ["two"]),
    ({"sort_by": "confidence", "sort_order": "asc", "limit": 1}, ["three"]),
    ({"boost_categories": "places, People", "limit": 1}, ["two"]),
    ({"boost_recent": True, "limit": 1}, ["three"]),
    ({"to_date": "2026-03-05"}, []),
]


def test_a_search_filters_and_orders(olive: Resident, make_program: MakeProgram) -> None:
    now = datetime.now(UTC)
    with olive.unlocked():
        for word, kind, age in (("one", "dates", 101), ("two", "people", 100), ("three", "habits", 1)):
            fact = add(olive, f"You saw geese {word}", kind=kind)
            fact.created_at = now - timedelta(days=age)
            fact.origin = Origin.MODEL if word == "three" else Origin.OWN
            fact.save()
    open_index(olive)
    program = make_program("facts:read")

    answers = [program.post(f"{MEMORY}/search", {"query": "geese", **body}) for body, _ in SEARCHES]

    words = [
        [content.rsplit(" ", 1)[1] for content in list_contents(answer["results"])] for answer in answers
    ]
    assert words == [found for _, found in SEARCHES]
    assert [answer["next_offset"] for answer in answers] == [None, None, None, None, 2, 1, 1, 1, None]


def test_days_that_are_the_wrong_way_round_are_refused(make_program: MakeProgram) -> None:
    program = make_program(*ALL)
    days = "from_date=2026-03-05&to_date=2026-03-04"

    for path in (f"search?query=tea&{days}", f"list?{days}", f"export?{days}"):
        refusal = program.send("GET", f"{MEMORY}/{path}")
        assert read_refusal(refusal) == (422, "invalid_field")
        assert refusal.json()["field"] == "to_date"


# --- Export ------------------------------------------------------------------------------------------------


def test_each_format_has_every_fact_and_ends_with_the_number(
    olive: Resident, make_program: MakeProgram
) -> None:
    texts = ["=1+1 is two", 'You said, "hm"', "日記"]
    for text in texts:
        add(olive, text, kind="places" if text == "日記" else "")
    with olive.unlocked():
        foreign = propose(olive, "FOREIGN", origin=Origin.IMPORTED)
        services.accept_fact(owner_id=olive.id, fact_id=foreign.id)
        propose(olive, "Waiting")
    program = make_program("export")

    as_json = json.loads(export(program, "format=json"))
    header, *rows, last = csv.reader(io.StringIO(export(program, "format=csv"), newline=""))
    markdown, plain = export(program, "format=markdown"), export(program, "format=text")

    assert list_contents(as_json["memories"]) == texts
    assert (as_json["count"], as_json["left_out"]) == (3, 1)
    contents = [dict(zip(header, row, strict=True))["content"] for row in rows]
    assert contents == ["'=1+1 is two", *texts[1:]]
    assert last == ["count", "3"]
    assert markdown.endswith("<!-- End: 3 in all, 1 left out. -->\n")
    assert plain.endswith("End: 3 in all, 1 left out.\n")
    assert "FOREIGN" not in markdown + plain
    assert list_contents(json.loads(export(program, "state=proposed"))["memories"]) == ["Waiting"]
    assert list_contents(json.loads(export(program, "category=places"))["memories"]) == ["日記"]
    assert json.loads(export(program, "max_confidence=0.4"))["count"] == 0


def test_a_format_that_does_not_exist_is_refused(make_program: MakeProgram) -> None:
    refusal = make_program("export").send("GET", f"{MEMORY}/export?format=xml")

    assert read_refusal(refusal) == (422, "invalid_field")


def test_a_fact_that_is_not_there_is_not_found(make_program: MakeProgram) -> None:
    program = make_program(*ALL)

    for method, path in (("GET", ""), ("GET", "/history"), ("POST", "/undo"), ("DELETE", "")):
        assert read_refusal(program.send(method, f"{MEMORY}/{new_id()}{path}")) == (404, "not_found")
