"""Openings and recaps are found as what they are, and only while what they were drawn from still stands."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from diary.entries.services import delete_entry, edit_entry, move_entry, restore_entry
from diary.generation.prompt_record import PromptRecord
from diary.models import Entry, Opening, Recap, Reply
from diary.openings.services import dismiss
from llamora.database import write_transaction
from llamora.inference.job import JobState
from search.index import sources
from search.index.person_index import PersonIndex
from search.index.registry import indexes
from search.query.parser import parse
from tests.page import read
from tests.people import Resident
from tests.search.indexing import searching, settled

DAY = date(2025, 5, 4)
NEXT = DAY + timedelta(days=1)
Taking = Callable[[Resident, Entry], object]


def opening_of(
    owner: Resident, text: str, *, read: list[Entry], day: date = NEXT, recaps: bool = False
) -> Opening:
    """An opening of a day, made a moment ago from these entries, or from the recaps of their days."""
    reading = PromptRecord(entries=[] if recaps else [(entry.id, entry.day) for entry in read])
    reading.recaps = [entry.day for entry in read] if recaps else []
    with owner.unlocked(), write_transaction():
        made = Opening(owner_id=owner.id, day=day, text=text)
        made.read = reading.to_json()
        made.save(force_insert=True)
    return made


def recap_of(owner: Resident, text: str, *, day: date = DAY) -> Recap:
    with owner.unlocked(), write_transaction():
        made = Recap(owner_id=owner.id, day=day, body={"text": text, "digest": "0" * 64})
        made.save(force_insert=True)
    return made


def found(index: PersonIndex, typed: str) -> set[UUID]:
    """The ids of everything with all the words."""
    assert index.words is not None
    hits = index.words.find(parse(typed), limit=50)
    return {*hits.phrases, *hits.strict}


def kinds_and_addresses(answer: str) -> list[tuple[str, str]]:
    """What each result says it is, and where it leads."""
    return [
        ("".join(hit.texts(".hit-kind")), re.sub(r"found=[^#]*", "", hit.get("href")))
        for hit in read(answer).all("li.hit > a")
    ]


def edits(owner: Resident, entry: Entry) -> None:
    edit_entry(owner_id=owner.id, entry_id=entry.id, text="Something else.", revision=entry.revision)


def deletes(owner: Resident, entry: Entry) -> None:
    delete_entry(owner_id=owner.id, entry_id=entry.id)


def moves(owner: Resident, entry: Entry) -> None:
    move_entry(owner_id=owner.id, entry_id=entry.id, day=DAY - timedelta(days=9))


def destroys(owner: Resident, entry: Entry) -> None:
    with write_transaction():
        entry.delete()


def test_they_are_found_as_what_they_are_and_by_their_kind(owner: Resident, housemate: Resident) -> None:
    entry = owner.write("The heron came back.", day=DAY)
    opening = opening_of(owner, "Yesterday a heron came back.", read=[entry])
    recap = recap_of(owner, "A heron, and not much else.")
    opening_of(housemate, "A heron of somebody else.", read=[])
    index = searching(owner)

    answer = owner.post("/search/", q="heron", script=True).content.decode()

    assert found(index, "heron") == {entry.id, opening.id, recap.id}
    assert found(index, "heron in:openings") == {opening.id}
    assert found(index, "heron in:recaps") == {recap.id}
    assert found(index, "heron in:entries") == {entry.id}
    assert sorted(kinds_and_addresses(answer)) == [
        ("", f"/d/2025-05-04/?#entry-{entry.id}"),
        ("Opening", f"/d/2025-05-05/?#reply-{opening.id}"),
        ("Recap", "/d/2025-05-04/?"),
    ]


def test_one_that_is_made_while_the_index_is_open_is_found(owner: Resident) -> None:
    entry = owner.write("The heron came back.", day=DAY)
    index = searching(owner)

    opening = opening_of(owner, "Yesterday a heron came back.", read=[entry])
    recap = recap_of(owner, "A heron, and not much else.")
    settled(owner)

    assert found(index, "heron") == {entry.id, opening.id, recap.id}


@pytest.mark.parametrize("taken_away", [edits, deletes, moves, destroys])
@pytest.mark.parametrize("by_recap", [False, True])
def test_once_an_entry_is_not_what_it_was_nothing_drawn_from_it_is_found(
    owner: Resident, taken_away: Taking, by_recap: bool
) -> None:
    entry = owner.write("The heron came back.", day=DAY)
    owner.write("Rain.", day=DAY)
    recap_of(owner, "A heron, and rain.")
    opening_of(owner, "Yesterday a heron came back.", read=[entry], recaps=by_recap)
    index = searching(owner)
    assert len(found(index, "heron")) == 3

    with owner.unlocked():
        taken_away(owner, entry)
    settled(owner)

    left = found(index, "heron") - {entry.id}
    assert left == set()
    indexes.close(owner.id)
    assert found(searching(owner), "heron") - {entry.id} == set()


@pytest.mark.parametrize("taken_away", [edits, deletes, moves])
def test_what_another_process_took_away_is_not_shown(owner: Resident, taken_away: Taking) -> None:
    entry = owner.write("The heron came back.", day=DAY)
    opening_of(owner, "Yesterday a heron came back.", read=[entry])
    index = searching(owner)
    kept, indexes._open = indexes._open, type(indexes._open)()  # another process has no index to tell
    with owner.unlocked():
        taken_away(owner, entry)
    indexes._open = kept
    assert len(found(index, "heron in:openings")) == 1

    answer = owner.post("/search/", q="heron in:openings", script=True).content.decode()
    settled(owner)

    assert kinds_and_addresses(answer) == []
    assert found(index, "heron in:openings") == set()


def test_a_restored_entry_brings_back_what_was_drawn_from_it(owner: Resident) -> None:
    entry = owner.write("The heron came back.", day=DAY)
    opening = opening_of(owner, "Yesterday a heron came back.", read=[entry])
    index = searching(owner)
    with owner.unlocked():
        deletes(owner, entry)
        settled(owner)
        assert found(index, "heron") == set()
        restore_entry(owner_id=owner.id, entry_id=entry.id)
    settled(owner)

    assert found(index, "heron") == {entry.id, opening.id}


def test_a_dismissed_opening_is_found_no_more(owner: Resident) -> None:
    entry = owner.write("The weir is high.", day=DAY)
    opening_of(owner, "Yesterday the weir stood high.", read=[entry])
    index = searching(owner)

    with owner.unlocked():
        dismiss(owner.id, NEXT)
    settled(owner)

    assert found(index, "weir") == {entry.id}


def test_a_reply_under_way_costs_the_index_nothing(owner: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = owner.write("What about the harbour?")
    index = searching(owner)
    read: list[UUID] = []
    real = sources.load_documents

    def watched(ids, **rest):  # type: ignore[no-untyped-def]  # the real one, watched
        read.extend(ids)
        return real(ids, **rest)

    monkeypatch.setattr(sources, "load_documents", watched)
    with owner.unlocked():
        reply = Reply(owner_id=owner.id, entry=entry, text="")
        for text, state in (("Pil", JobState.WRITING), ("Pilots know", JobState.DONE)):
            with write_transaction():
                reply.text, reply.state = text, state
                reply.finished_at = timezone.now()
                reply.save()
            settled(owner)

    assert read == [reply.id]
    assert found(index, "pilots") == {reply.id}
