"""Tests of finding openings and recaps, only while their source entries are unchanged."""

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
from tests.search.indexing import open_index, wait_until_idle

DAY = date(2025, 5, 4)
NEXT = DAY + timedelta(days=1)
Taking = Callable[[Resident, Entry], object]


def create_opening(
    owner: Resident, text: str, *, read: list[Entry], day: date = NEXT, recaps: bool = False
) -> Opening:
    """Create an opening of a day from these entries, or from the recaps of their days."""
    reading = PromptRecord(entries=[] if recaps else [(entry.id, entry.day) for entry in read])
    reading.recaps = [entry.day for entry in read] if recaps else []
    with owner.unlocked(), write_transaction():
        made = Opening(owner_id=owner.id, day=day, text=text)
        made.read = reading.to_json()
        made.save(force_insert=True)
    return made


def create_recap(owner: Resident, text: str, *, day: date = DAY) -> Recap:
    with owner.unlocked(), write_transaction():
        made = Recap(owner_id=owner.id, day=day, body={"text": text, "digest": "0" * 64})
        made.save(force_insert=True)
    return made


def find_ids(index: PersonIndex, typed: str) -> set[UUID]:
    """Return the ids of the texts with all words of a query."""
    assert index.words is not None
    hits = index.words.find(parse(typed), limit=50)
    return {*hits.phrases, *hits.strict}


def list_kinds_and_urls(answer: str) -> list[tuple[str, str]]:
    """Return the kind and URL of each result."""
    return [
        ("".join(hit.texts(".hit-kind")), re.sub(r"found=[^#]*", "", hit.get("href")))
        for hit in read(answer).all("li.hit > a")
    ]


def edit(owner: Resident, entry: Entry) -> None:
    edit_entry(owner_id=owner.id, entry_id=entry.id, text="Something else.", revision=entry.revision)


def delete(owner: Resident, entry: Entry) -> None:
    delete_entry(owner_id=owner.id, entry_id=entry.id)


def move(owner: Resident, entry: Entry) -> None:
    move_entry(owner_id=owner.id, entry_id=entry.id, day=DAY - timedelta(days=9))


def destroy(owner: Resident, entry: Entry) -> None:
    with write_transaction():
        entry.delete()


def test_they_are_found_as_what_they_are_and_by_their_kind(owner: Resident, housemate: Resident) -> None:
    entry = owner.write("The heron came back.", day=DAY)
    opening = create_opening(owner, "Yesterday a heron came back.", read=[entry])
    recap = create_recap(owner, "A heron, and not much else.")
    create_opening(housemate, "A heron of somebody else.", read=[])
    index = open_index(owner)

    answer = owner.post("/search/", q="heron", script=True).content.decode()

    assert find_ids(index, "heron") == {entry.id, opening.id, recap.id}
    assert find_ids(index, "heron in:openings") == {opening.id}
    assert find_ids(index, "heron in:recaps") == {recap.id}
    assert find_ids(index, "heron in:entries") == {entry.id}
    assert sorted(list_kinds_and_urls(answer)) == [
        ("", f"/d/2025-05-04/?#entry-{entry.id}"),
        ("Opening", f"/d/2025-05-05/?#reply-{opening.id}"),
        ("Recap", "/d/2025-05-04/?"),
    ]


def test_one_that_is_made_while_the_index_is_open_is_found(owner: Resident) -> None:
    entry = owner.write("The heron came back.", day=DAY)
    index = open_index(owner)

    opening = create_opening(owner, "Yesterday a heron came back.", read=[entry])
    recap = create_recap(owner, "A heron, and not much else.")
    wait_until_idle(owner)

    assert find_ids(index, "heron") == {entry.id, opening.id, recap.id}


@pytest.mark.parametrize("taken_away", [edit, delete, move, destroy])
@pytest.mark.parametrize("by_recap", [False, True])
def test_once_an_entry_is_not_what_it_was_nothing_drawn_from_it_is_found(
    owner: Resident, taken_away: Taking, by_recap: bool
) -> None:
    entry = owner.write("The heron came back.", day=DAY)
    owner.write("Rain.", day=DAY)
    create_recap(owner, "A heron, and rain.")
    create_opening(owner, "Yesterday a heron came back.", read=[entry], recaps=by_recap)
    index = open_index(owner)
    assert len(find_ids(index, "heron")) == 3

    with owner.unlocked():
        taken_away(owner, entry)
    wait_until_idle(owner)

    left = find_ids(index, "heron") - {entry.id}
    assert left == set()
    indexes.close(owner.keyring.key_id)
    assert find_ids(open_index(owner), "heron") - {entry.id} == set()


@pytest.mark.parametrize("taken_away", [edit, delete, move])
def test_what_another_process_took_away_is_not_shown(owner: Resident, taken_away: Taking) -> None:
    entry = owner.write("The heron came back.", day=DAY)
    create_opening(owner, "Yesterday a heron came back.", read=[entry])
    index = open_index(owner)
    kept, indexes._open = indexes._open, type(indexes._open)()  # another process has no index to tell
    with owner.unlocked():
        taken_away(owner, entry)
    indexes._open = kept
    assert len(find_ids(index, "heron in:openings")) == 1

    answer = owner.post("/search/", q="heron in:openings", script=True).content.decode()
    wait_until_idle(owner)

    assert list_kinds_and_urls(answer) == []
    assert find_ids(index, "heron in:openings") == set()


def test_a_restored_entry_brings_back_what_was_drawn_from_it(owner: Resident) -> None:
    entry = owner.write("The heron came back.", day=DAY)
    opening = create_opening(owner, "Yesterday a heron came back.", read=[entry])
    index = open_index(owner)
    with owner.unlocked():
        delete(owner, entry)
        wait_until_idle(owner)
        assert find_ids(index, "heron") == set()
        restore_entry(owner_id=owner.id, entry_id=entry.id)
    wait_until_idle(owner)

    assert find_ids(index, "heron") == {entry.id, opening.id}


def test_a_dismissed_opening_is_found_no_more(owner: Resident) -> None:
    entry = owner.write("The weir is high.", day=DAY)
    create_opening(owner, "Yesterday the weir stood high.", read=[entry])
    index = open_index(owner)

    with owner.unlocked():
        dismiss(owner.id, NEXT)
    wait_until_idle(owner)

    assert find_ids(index, "weir") == {entry.id}


def test_a_reply_under_way_costs_the_index_nothing(owner: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = owner.write("What about the harbour?")
    index = open_index(owner)
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
            wait_until_idle(owner)

    assert read == [reply.id]
    assert find_ids(index, "pilots") == {reply.id}
