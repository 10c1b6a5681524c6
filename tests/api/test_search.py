"""Tests of the calls for search: what a program finds, and that hidden texts change no number."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import AccessToken
from accounts.tokens.token_uses import token_uses
from diary.entries.services import delete_entry, move_entry
from diary.generation.prompt_record import PromptRecord
from diary.models import Entry, Opening, Origin, Recap, Reply
from diary.notes.services import save_note
from diary.origins.services import claim_entry, unclaim_entry
from llamora.crypto import Realm, RealmKeyring, TokenKind, in_force
from llamora.database import write_transaction
from llamora.inference.job import JobState
from search.embedder.holder import embedders
from search.index.registry import indexes
from search.programs import services
from search.programs.hidden_texts import find_origins
from search.query.parser import parse
from tests.api.conftest import MakeProgram
from tests.api.program import Program, read_refusal
from tests.leaks.test_attacks_register import copy_rows, put_back
from tests.people import Resident, register_resident
from tests.search.indexing import BagOfWords, open_index, wait_until_idle
from tests.traces.facts.fact_steps import accept_new, add_fact
from tests.traces.tagging import add_traces
from traces.facts.models import Fact

SEARCH = "/api/v1/search"
DAY = date(2026, 3, 5)


@pytest.fixture
def olive(transactional_db: None, settings: Any, tmp_path: Path) -> Iterator[Resident]:
    """A person whose diary is unlocked in a browser, without an embedder."""
    settings.DATA_DIR = tmp_path
    embedders.set_embedder(None)
    yield register_resident("Olive", signed_in=True)
    indexes.close_all()
    embedders.set_embedder(None)


def find(program: Program, query: str, **parameters: Any) -> Any:
    return program.post(SEARCH, {"query": query, **parameters})


def list_ids(answer: Any) -> list[str]:
    return [each["id"] for each in answer["results"]]


def write_reply(
    who: Resident,
    entry: Entry,
    text: str,
    *,
    read: list[Entry],
    facts: Sequence[Fact] = (),
    notes: Sequence[UUID] = (),
) -> Reply:
    """Save a reply that was written from these entries, and says so."""
    record = PromptRecord(
        entries=[(each.id, each.day) for each in read],
        facts=[one.id for one in facts],
        notes=list(notes),
    )
    record.is_untrusted = not all(each.is_trusted for each in read)
    record.bind_to_text(text)
    with who.unlocked(), write_transaction():
        reply = Reply(owner_id=who.id, entry=entry, text=text, read=record.to_json(), state=JobState.DONE)
        reply.finished_at = timezone.now()
        reply.save(force_insert=True)
    return reply


def write_opening(who: Resident, text: str, *, read: list[Entry], day: date) -> Opening:
    record = PromptRecord(entries=[(each.id, each.day) for each in read])
    record.bind_to_text(text)
    with who.unlocked(), write_transaction():
        return Opening.objects.create(owner_id=who.id, day=day, text=text, read=record.to_json())


def write_recap(who: Resident, text: str, *, day: date, read: Sequence[Entry] | None = None) -> Recap:
    """Write a recap as before recaps named their entries, or of these."""
    with who.unlocked(), write_transaction():
        body: dict[str, Any] = {"text": text, "digest": "0" * 64, "clean": True}
        if read is not None:
            body["entries"] = [str(entry.id) for entry in read]
        return Recap.objects.create(owner_id=who.id, day=day, body=body)


# --- What is found -----------------------------------------------------------------------------------------


def test_a_program_finds_what_its_owner_wrote(olive: Resident, make_program: MakeProgram) -> None:
    entry = olive.write("Geese over the marsh", day=DAY)
    olive.write("Ice on the pond", day=DAY)
    open_index(olive)

    answer = find(make_program("diary:read"), "geese")

    assert answer == {
        "state": "ready",
        "results": [
            {
                "kind": "entry",
                "id": str(entry.id),
                "entry_id": str(entry.id),
                "day": "2026-03-05",
                "snippet": "Geese over the marsh",
                "origin": "own",
                "why": ["words"],
            }
        ],
        "total": 1,
        "next_offset": None,
        "days": None,
    }


def test_an_address_finds_the_same_as_a_body(olive: Resident, make_program: MakeProgram) -> None:
    olive.write("Geese over the marsh", day=DAY)
    open_index(olive)
    program = make_program("diary:read")

    by_address = program.get(f"{SEARCH}?query=%22over+the%22&from=2026-03-05&to=2026-03-05&limit=5")

    assert by_address == find(program, '"over the"', **{"from": "2026-03-05", "to": "2026-03-05"}, limit=5)
    assert by_address["total"] == 1


def test_days_narrow_a_search_or_come_first_if_the_query_names_them(
    olive: Resident, make_program: MakeProgram
) -> None:
    first = olive.write("Rain", day=DAY)
    later = olive.write("Rain", day=DAY + timedelta(days=9))
    open_index(olive)
    program = make_program("diary:read")

    named = find(program, "rain on 5 March 2026")
    narrowed = find(program, "rain", **{"from": "2026-03-06"})
    both = find(program, "rain from:2026-03-01", to="2026-03-10")

    assert named["days"] == {"from": "2026-03-05", "to": "2026-03-05"}
    assert list_ids(named) == [str(first.id), str(later.id)]
    assert list_ids(narrowed) == [str(later.id)]
    assert list_ids(both) == [str(first.id)]


def test_names_of_traces_find_their_entries(olive: Resident, make_program: MakeProgram) -> None:
    entry = olive.write("Rain", day=DAY)
    add_traces(olive, entry, "weir")
    open_index(olive)
    program = make_program("diary:read")

    assert list_ids(find(program, "weir")) == [str(entry.id)]
    assert list_ids(find(program, "trace:weir")) == [str(entry.id)]


def test_parts_of_the_results_are_the_whole(olive: Resident, make_program: MakeProgram) -> None:
    for number in range(9):
        entry = olive.write(f"Rain {number}", day=DAY + timedelta(days=number // 2))
        if number % 3 == 0:
            olive.write(f"Rain of others {number}", day=entry.day, origin=Origin.IMPORTED)
    open_index(olive)
    program = make_program("diary:read")
    whole = find(program, "rain")

    found: list[str] = []
    offset: int | None = 0
    while offset is not None:
        part = find(program, "rain", limit=2, offset=offset)
        assert part["total"] == 9
        found += list_ids(part)
        offset = part["next_offset"]

    assert len(found) == len(set(found)) == 9
    assert found == list_ids(whole)


def test_what_was_read_is_counted_for_its_owner(olive: Resident, make_program: MakeProgram) -> None:
    olive.write("Rain", day=DAY)
    open_index(olive)

    find(make_program("diary:read"), "rain")

    token_uses.write_all()
    assert AccessToken.objects.get().read_count == 1


# --- Hidden texts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [Origin.IMPORTED, Origin.PROGRAM, Origin.MODEL])
def test_texts_of_others_count_for_nothing_unless_the_token_reads_them(
    olive: Resident, make_program: MakeProgram, origin: Origin
) -> None:
    own = olive.write("Geese at dawn", day=DAY)
    other = olive.write("Geese in the manual", day=DAY, origin=origin)
    open_index(olive)

    careful = find(make_program("diary:read"), "geese")
    alone = find(make_program("diary:read"), "manual")
    both = find(make_program("diary:read", reads_untrusted=True), "geese")

    assert (list_ids(careful), careful["total"]) == ([str(own.id)], 1)
    assert (alone["results"], alone["total"]) == ([], 0)
    assert {each["id"]: each["origin"] for each in both["results"]} == {
        str(own.id): "own",
        str(other.id): origin.value,
    }
    assert both["total"] == 2


def test_an_entry_is_found_from_when_its_owner_says_that_it_is_theirs(
    olive: Resident, make_program: MakeProgram
) -> None:
    entry = olive.write("Geese", day=DAY, origin=Origin.IMPORTED)
    open_index(olive)
    program = make_program("diary:read")
    before = find(program, "geese")

    with olive.unlocked():
        claim_entry(owner_id=olive.id, entry_id=entry.id)

    assert before["total"] == 0
    assert [each["origin"] for each in find(program, "geese")["results"]] == ["own"]


def test_what_a_model_wrote_after_reading_others_is_hidden_too(
    olive: Resident, make_program: MakeProgram
) -> None:
    own = olive.write("An entry", day=DAY)
    other = olive.write("A file", day=DAY + timedelta(days=3), origin=Origin.IMPORTED)
    clean = write_reply(olive, own, "Geese indeed", read=[own])
    write_reply(olive, own, "Geese perhaps", read=[own, other])
    write_reply(olive, other, "Geese of the file", read=[other])
    opening = write_opening(olive, "Geese yesterday", read=[own], day=DAY + timedelta(days=1))
    write_opening(olive, "Geese of a file", read=[other], day=DAY + timedelta(days=4))
    recap = write_recap(olive, "Geese all day", day=DAY, read=[own])
    write_recap(olive, "Geese in a file", day=other.day, read=[own, other])
    write_recap(olive, "Geese of before", day=DAY + timedelta(days=1))
    open_index(olive)

    careful = find(make_program("diary:read"), "geese")
    all_of_them = find(make_program("diary:read", reads_untrusted=True), "geese")

    assert set(list_ids(careful)) == {str(clean.id), str(opening.id), str(recap.id)}
    assert careful["total"] == 3
    assert {each["kind"] for each in careful["results"]} == {"reply", "opening", "recap"}
    assert {each["origin"] for each in all_of_them["results"]} == {"model"}
    assert all_of_them["total"] == 8


def test_what_a_model_wrote_after_reading_an_entry_that_is_gone_is_hidden_too(
    olive: Resident, make_program: MakeProgram
) -> None:
    own, binned = (olive.write("An entry", day=DAY) for _ in range(2))
    claimed = olive.write("A file", day=DAY, origin=Origin.IMPORTED)
    clean = write_reply(olive, own, "Geese indeed", read=[own, binned])
    with olive.unlocked():
        claimed = claim_entry(owner_id=olive.id, entry_id=claimed.id)
    of_gone = write_reply(olive, own, "Geese perhaps", read=[claimed])
    with olive.unlocked():
        delete_entry(owner_id=olive.id, entry_id=binned.id)
    open_index(olive)
    program = make_program("diary:read")
    before = find(program, "geese")
    replies = {"reply": [clean.id, of_gone.id]}
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM diary_entry WHERE id = %s", [claimed.id.hex])

    after = find(program, "geese")

    assert before["total"] == 2
    # The number tells nothing of it either.
    assert (list_ids(after), after["total"]) == ([str(clean.id)], 1)
    with olive.unlocked():
        assert set(find_origins(olive.id, replies, with_hidden=False)) == {clean.id}
        assert set(find_origins(olive.id, replies, with_hidden=True)) == {clean.id, of_gone.id}


def test_a_recap_that_is_put_back_once_what_it_read_is_gone_is_hidden(
    olive: Resident, make_program: MakeProgram
) -> None:
    entry = olive.write("A file", day=DAY, origin=Origin.IMPORTED)
    with olive.unlocked():
        claim_entry(owner_id=olive.id, entry_id=entry.id)
    write_recap(olive, "Geese all day", day=DAY, read=[entry])
    rows = copy_rows("diary_recap")
    open_index(olive)
    program = make_program("diary:read")
    before = find(program, "geese")["total"]
    with olive.unlocked():
        unclaim_entry(owner_id=olive.id, entry_id=entry.id)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM diary_entry WHERE id = %s", [entry.id.hex])
    put_back("diary_recap", rows)
    indexes.close_all()
    open_index(olive)

    assert (before, find(program, "geese")["total"]) == (1, 0)


def test_a_reply_is_hidden_once_what_it_read_is_not_its_owners_any_more(
    olive: Resident, make_program: MakeProgram
) -> None:
    entry = olive.write("A file", day=DAY, origin=Origin.IMPORTED)
    with olive.unlocked():
        claim_entry(owner_id=olive.id, entry_id=entry.id)
        entry.refresh_from_db()
    write_reply(olive, entry, "Geese indeed", read=[entry])
    open_index(olive)
    program = make_program("diary:read")
    before = find(program, "geese")

    with olive.unlocked(), write_transaction():
        entry.origin = Origin.IMPORTED
        entry.save(update_fields=["text", "origin"])

    assert before["total"] == 1
    assert find(program, "geese")["total"] == 0


def test_an_origin_that_was_changed_without_a_key_makes_nothing_readable(
    olive: Resident, make_program: MakeProgram
) -> None:
    own = olive.write("A day", day=DAY)
    entry = olive.write("Geese", day=DAY, origin=Origin.IMPORTED)
    with olive.unlocked():
        claim_entry(owner_id=olive.id, entry_id=entry.id)
        entry.refresh_from_db()
    written = [
        write_reply(olive, own, "Geese indeed", read=[own, entry]),
        write_opening(olive, "Geese yesterday", read=[entry], day=DAY + timedelta(days=1)),
        write_recap(olive, "Geese all day", day=DAY, read=[own, entry]),
    ]
    recaps = copy_rows("diary_recap")
    open_index(olive)
    program = make_program("diary:read")
    before = find(program, "geese")
    with olive.unlocked():
        unclaim_entry(owner_id=olive.id, entry_id=entry.id)
    put_back("diary_recap", recaps)
    QuerySet.update(Entry.objects.all(), origin=Origin.OWN)

    assert {one["id"] for one in before["results"]} == {str(one.id) for one in [entry, *written]}
    assert find(program, "geese")["results"] == []


@pytest.mark.parametrize(
    "change", [{"origin": Origin.IMPORTED}, {"day": DAY + timedelta(days=1)}], ids=["origin", "day"]
)
def test_a_text_that_was_found_before_is_opened_again_once_its_row_was_changed_without_a_key(
    olive: Resident, make_program: MakeProgram, change: dict[str, Any]
) -> None:
    entry = olive.write("Geese", day=DAY)
    open_index(olive)
    program = make_program("diary:read", reads_untrusted=True)
    before = find(program, "geese")
    QuerySet.update(Entry.objects.all(), **change)

    assert list_ids(before) == [str(entry.id)]
    assert list_ids(find(program, "geese")) == []


def test_a_text_that_was_found_before_is_not_opened_again(
    olive: Resident, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = olive.write("Geese", day=DAY)
    open_index(olive)
    program = make_program("diary:read")
    find(program, "geese")
    opened: list[Entry] = []
    monkeypatch.setattr(Entry, "open_or", lambda row, *_: opened.append(row))

    assert list_ids(find(program, "geese")) == [str(entry.id)]
    assert not opened


def test_a_text_near_in_meaning_is_hidden_too(
    olive: Resident, make_program: MakeProgram, settings: Any
) -> None:
    settings.SEARCH_MODEL = BagOfWords.name
    embedders.set_embedder(BagOfWords())
    # The one of the sign-in may have looked for an embedder already.
    indexes.close_all()
    own = olive.write("walk by the river at dusk", day=DAY)
    olive.write("walk by the river at noon", day=DAY, origin=Origin.IMPORTED)
    open_index(olive)

    answer = find(make_program("diary:read"), "river dusk walking")

    assert list_ids(answer) == [str(own.id)]
    assert "meaning" in answer["results"][0]["why"]


def test_a_text_that_moved_since_is_hidden_all_the_same(olive: Resident, make_program: MakeProgram) -> None:
    entry = olive.write("Geese", day=DAY, origin=Origin.IMPORTED)
    open_index(olive)
    program = make_program("diary:read")
    find(program, "geese")

    with in_force(olive.open_keyring()):
        move_entry(owner_id=olive.id, entry_id=entry.id, day=DAY + timedelta(days=40))
    wait_until_idle(olive)

    assert find(program, "geese")["total"] == 0
    assert find(make_program("diary:read", reads_untrusted=True), "geese")["total"] == 1


# --- When it works -----------------------------------------------------------------------------------------


def test_a_token_that_works_while_its_owner_is_away_searches_while_they_are_unlocked(
    olive: Resident, make_program: MakeProgram
) -> None:
    entry = olive.write("Geese", day=DAY)
    program = make_program("diary:read", kind=TokenKind.AWAY)
    open_index(olive)
    found = find(program, "geese")

    olive.lock()
    refusal = program.send("POST", SEARCH, {"query": "geese"})

    assert list_ids(found) == [str(entry.id)]
    assert read_refusal(refusal) == (423, "locked")
    assert "while the diary is unlocked" in refusal.json()["message"]
    assert indexes.list_for_owner(olive.id) == []


def test_an_index_that_is_not_open_yet_says_so(
    olive: Resident, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    olive.write("Geese", day=DAY)
    index = open_index(olive)
    program = make_program("diary:read")
    index.words_ready.clear()

    opening = find(program, "geese")
    index.words_ready.set()

    assert (opening["state"], opening["results"], opening["total"]) == ("opening", [], 0)
    assert find(program, "geese")["state"] == "ready"


def test_an_index_that_was_closed_to_free_memory_is_opened_again(
    olive: Resident, make_program: MakeProgram
) -> None:
    olive.write("Geese", day=DAY)
    open_index(olive)
    program = make_program("diary:read")
    indexes.close_all()

    find(program, "geese")
    wait_until_idle(olive)

    assert find(program, "geese")["total"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"query": ""}, "query"),
        ({"query": "  "}, "query"),
        ({"query": "x" * 401}, "query"),
        ({"query": "geese", "limit": 101}, "limit"),
        ({"query": "geese", "offset": -1}, "offset"),
        ({"query": "geese", "from": "2026-03-05", "to": "2026-03-04"}, "to"),
        ({"query": "geese", "from": "soon"}, "from"),
        ({"limit": 3}, "query"),
    ],
)
def test_what_can_not_be_searched_for_is_refused_with_its_field(
    make_program: MakeProgram, body: dict[str, Any], field: str
) -> None:
    refusal = make_program("diary:read").send("POST", SEARCH, body)

    assert read_refusal(refusal) == (422, "invalid_field")
    assert refusal.json()["field"] == field
    assert "geese" not in refusal.content.decode()


def test_nothing_of_another_person_is_found(olive: Resident, make_program: MakeProgram) -> None:
    housemate = register_resident("Humphrey", signed_in=True)
    housemate.write("Geese", day=DAY)
    open_index(olive)
    open_index(housemate)

    assert find(make_program("diary:read", reads_untrusted=True), "geese")["total"] == 0
    assert find(make_program("diary:read", who=housemate), "geese")["total"] == 1


def test_an_idle_browser_lends_its_index_to_no_program(olive: Resident, make_program: MakeProgram) -> None:
    program = make_program("diary:read", kind=TokenKind.AWAY)
    olive.write("Geese over the marsh", day=DAY)
    open_index(olive)
    assert find(program, "geese")["results"]

    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_unlock SET last_active = '2026-01-01 00:00:00'")

    assert read_refusal(program.send("POST", SEARCH, {"query": "geese"}))[0] == 423


# --- Facts -------------------------------------------------------------------------------------------------


def test_facts_reach_a_token_only_with_their_realm(olive: Resident, make_program: MakeProgram) -> None:
    entry = olive.write("Biggie swam", day=DAY)
    fact = add_fact(olive, "You have a dog called Biggie")
    open_index(olive)
    without, with_both = make_program("diary:read"), make_program("diary:read", "facts:read")

    assert list_ids(find(without, "biggie")) == [str(entry.id)]
    assert set(list_ids(find(with_both, "biggie"))) == {str(entry.id), str(fact.id)}
    for query in ("biggie in:facts", "dog", "dog called", "in:facts"):
        assert find(without, query) == {
            "state": "ready",
            "results": [],
            "total": 0,
            "next_offset": None,
            "days": None,
        }
    (found,) = find(with_both, "biggie in:facts")["results"]
    assert (found["kind"], found["entry_id"], found["origin"]) == ("fact", None, "own")


def test_a_fact_of_a_program_counts_for_nothing_unless_others_are_read(
    olive: Resident, make_program: MakeProgram
) -> None:
    fact = accept_new(olive, "You have a dog called Biggie", origin=Origin.PROGRAM)
    open_index(olive)
    scopes = ("diary:read", "facts:read")

    assert find(make_program(*scopes), "biggie")["total"] == 0
    assert list_ids(find(make_program(*scopes, reads_untrusted=True), "biggie")) == [str(fact.id)]


@pytest.mark.parametrize("with_hidden", [False, True])
def test_a_keyring_of_facts_alone_finds_facts_alone(
    olive: Resident, make_program: MakeProgram, with_hidden: bool
) -> None:
    entry = olive.write("Biggie swam", day=DAY)
    write_reply(olive, entry, "With Biggie, surely", read=[entry])
    fact = add_fact(olive, "You have a dog called Biggie")
    open_index(olive)
    make_program("facts:read")  # a token for which the keyring of the browser is held
    realms = olive.open_keyring().derive_keys_by_epoch([Realm.FACTS])
    keyring = RealmKeyring(owner=olive.id, epoch=olive.open_keyring().epoch, realm_keys=realms)

    with in_force(keyring):
        found = services.search_texts(keyring, parse("biggie"), offset=0, limit=10, with_hidden=with_hidden)
        counts = services.count_texts(keyring, with_hidden=with_hidden)

    assert [text.hit.id for text in found.texts] == [fact.id]
    assert counts.total == 1


@pytest.mark.parametrize("reads_untrusted", [False, True])
def test_a_reply_that_read_facts_or_notes_is_hidden_from_a_program_without_them(
    olive: Resident, make_program: MakeProgram, reads_untrusted: bool
) -> None:
    entry = olive.write("Walked to the weir", day=DAY)
    fact = add_fact(olive, "You have a dog called Biggie")
    note = save_note(olive.open_keyring(), "MEMORY.md", "The dog is Biggie", origin=Origin.OWN)
    of_fact = write_reply(olive, entry, "With Biggie, surely", read=[entry], facts=[fact])
    of_note = write_reply(olive, entry, "With Biggie, surely!", read=[entry], notes=[note.id])
    open_index(olive)

    def list_found(*scopes: str) -> set[str]:
        program = make_program("diary:read", *scopes, reads_untrusted=reads_untrusted)
        return set(list_ids(find(program, "surely")))

    assert list_found() == set()
    assert list_found("facts:read") == {str(of_fact.id)}
    assert list_found("notes") == {str(of_note.id)}
    assert list_found("facts:read", "notes") == {str(of_fact.id), str(of_note.id)}


@pytest.mark.parametrize("put", [None, "of before"])
@pytest.mark.parametrize("reads_untrusted", [False, True])
def test_taking_away_what_a_reply_read_shows_it_to_no_program(
    olive: Resident, make_program: MakeProgram, reads_untrusted: bool, put: str | None
) -> None:
    entry = olive.write("Walked to the weir", day=DAY)
    fact = add_fact(olive, "You have a dog called Biggie")
    plain = write_reply(olive, entry, "Surely a walk", read=[entry])
    # As its row is before the prompt is built.
    reply = write_reply(olive, entry, "", read=[entry])
    before = Reply.objects.get(id=reply.id).__dict__["read"].envelope
    record = PromptRecord(entries=[(entry.id, DAY)], facts=[fact.id])
    record.bind_to_text("With Biggie, surely")
    with olive.unlocked(), write_transaction():
        reply.text, reply.read = "With Biggie, surely", record.to_json()
        reply.save(update_fields=["text", "read"])
    with connection.cursor() as cursor:
        value = before if put else None
        cursor.execute("UPDATE diary_reply SET read = %s WHERE id = %s", [value, reply.id.hex])
    open_index(olive)

    def list_found(*scopes: str) -> set[str]:
        program = make_program("diary:read", *scopes, reads_untrusted=reads_untrusted)
        return set(list_ids(find(program, "surely")))

    assert list_found() == list_found("facts:read") == list_found("notes") == {str(plain.id)}
    # Nothing vouches for it, so who reads its owner's words alone does not find it either.
    of_all = {str(plain.id), str(reply.id)} if reads_untrusted else {str(plain.id)}
    assert list_found("facts:read", "notes") == of_all
