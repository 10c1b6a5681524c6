"""Tests of an index: opened at the unlock, updated with changes, closed at the lock."""

import gc
import threading
import time
import weakref
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction

from accounts.models import Unlock
from accounts.sessions import services as sessions_services
from diary.models import Entry, Origin, Reply
from diary.notes.services import save_note
from llamora.database import write_transaction
from llamora.inference.job import JobState
from search import services as search_services
from search.engine import search
from search.errors import IndexClosed
from search.index import sources
from search.index.person_index import PersonIndex
from search.index.registry import indexes
from search.index.words import WordsIndex
from search.models import Vector
from search.query.parser import parse
from tests.diary.notes.writing import add_note
from tests.fakes.waiting import PATIENCE
from tests.people import Resident
from tests.search.indexing import BagOfWords, make_document, open_index, wait_until_idle


def find_ids(index: PersonIndex, typed: str) -> set[UUID]:
    """Return the ids of the texts with all words of a query."""
    assert index.words is not None
    hits = index.words.find(parse(typed), limit=50)
    return {*hits.phrases, *hits.strict}


def test_everything_written_is_found_once_the_index_is_open(owner: Resident, housemate: Resident) -> None:
    mine = owner.write("A heron stood in the shallow water.")
    housemate.write("A heron of somebody else.")

    index = open_index(owner)

    assert find_ids(index, "heron") == {mine.id}


def test_what_is_kept_while_the_index_is_open_is_found_at_once(owner: Resident) -> None:
    index = open_index(owner)

    entry = owner.write("The lamp smoked all evening.")

    assert find_ids(index, "smoked") == {entry.id}


def test_edited_away_text_is_found_in_no_way(owner: Resident, embedder: BagOfWords) -> None:
    entry = owner.write("The violin was out of tune.")
    index = open_index(owner)
    with owner.unlocked(), write_transaction():
        entry.text = "The cello was out of tune."
        entry.save()
    wait_until_idle(owner)

    assert find_ids(index, "violin") == set()
    assert find_ids(index, "cello") == {entry.id}
    assert index.vectors is not None
    near = index.vectors.search(embedder.embed_question("The cello was out of tune."), limit=5)
    assert near[0].id == entry.id
    assert near[0].score == pytest.approx(1, abs=0.01)


def test_a_deleted_entry_and_its_replies_are_not_found_and_a_restored_one_is(owner: Resident) -> None:
    entry = owner.write("A wasp in the marmalade.")
    reply = create_reply(owner, entry, "Wasps like marmalade.")
    index = open_index(owner)
    assert find_ids(index, "marmalade") == {entry.id, reply.id}

    with owner.unlocked(), write_transaction():
        entry.deleted_at = entry.created_at
        entry.save(update_fields=["deleted_at"])
    gone = find_ids(index, "marmalade")
    with owner.unlocked(), write_transaction():
        entry.deleted_at = None
        entry.save(update_fields=["deleted_at"])

    assert gone == set()
    assert find_ids(index, "marmalade") == {entry.id, reply.id}


def create_reply(owner: Resident, entry: Entry, text: str, state: str = JobState.DONE) -> Reply:
    """Create a reply to an entry."""
    with owner.unlocked():
        reply: Reply = Reply.objects.create(owner_id=owner.id, entry=entry, state=state, text=text)
    return reply


def test_a_reply_is_found_on_its_entrys_day_once_it_is_whole(owner: Resident) -> None:
    entry = owner.write("What about the harbour?", day=date(2025, 3, 4))
    reply = create_reply(owner, entry, "Pilots know the harbour.", JobState.WRITING)
    index = open_index(owner)
    while_writing = find_ids(index, "pilots")
    with owner.unlocked(), write_transaction():
        reply.state = JobState.DONE
        reply.save(update_fields=["state"])
    wait_until_idle(owner)

    assert while_writing == set()
    assert find_ids(index, "pilots from:2025-03 to:2025-03") == {reply.id}
    assert find_ids(index, "pilots from:2025-04") == set()


def test_a_moved_entry_is_found_on_its_new_day(owner: Resident) -> None:
    entry = owner.write("Snow on the sills.", day=date(2025, 1, 2))
    reply = create_reply(owner, entry, "Snow again.")
    index = open_index(owner)

    with owner.unlocked(), write_transaction():
        entry.day = date(2026, 2, 3)
        entry.save()

    assert find_ids(index, "snow from:2026") == {entry.id, reply.id}


def test_what_a_transaction_took_back_is_not_found(owner: Resident) -> None:
    index = open_index(owner)

    with transaction.atomic():
        owner.write("This was never kept.")
        transaction.set_rollback(True)

    assert find_ids(index, "never") == set()


def test_a_thousand_entries_in_one_transaction_are_all_found(owner: Resident) -> None:
    index = open_index(owner)

    with write_transaction():
        for number in range(1000):
            owner.write(f"Imported line number{number}.")
    wait_until_idle(owner)

    assert index.words is not None
    assert index.words.count() == 1000
    assert len(find_ids(index, "number777")) == 1


def test_what_another_process_wrote_is_found_after_catching_up(owner: Resident) -> None:
    entry = owner.write("Before.")
    index = open_index(owner)
    owner.update_columns(entry, deleted_at=entry.created_at)
    assert find_ids(index, "before") == {entry.id}

    indexes.reconcile_all(index)
    wait_until_idle(owner)

    assert find_ids(index, "before") == set()


def test_what_is_saved_while_an_index_catches_up_stays_in_it(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    restored = owner.write("A heron.")
    index = open_index(owner)
    owner.post(f"/entries/{restored.id}/delete/", script=True)
    read_stamps, saved = sources.list_stamps, []

    def list_stamps_and_write(*args: Any, **options: Any) -> dict[str, bytes]:
        stamps = read_stamps(*args, **options)
        saved.append(owner.write("An otter."))
        owner.post(f"/entries/{restored.id}/restore/", script=True)
        return stamps

    monkeypatch.setattr(sources, "list_stamps", list_stamps_and_write)
    index.reconcile()

    assert {hit.id for hit in search(index, parse("otter")).hits} == {entry.id for entry in saved}
    assert [hit.id for hit in search(index, parse("heron")).hits] == [restored.id]


def test_what_another_process_wrote_is_found_soon_after_a_search(owner: Resident) -> None:
    index = open_index(owner)
    with owner.unlocked():
        Entry.objects.bulk_create(
            [Entry(owner=owner.person, day=owner.today, text="From afar.")]
        )  # tells nobody
    assert find_ids(index, "afar") == set()

    search_services.run_search(owner.keyring, "afar")
    wait_until_idle(owner)

    assert len(find_ids(index, "afar")) == 1


def test_an_entry_whose_key_number_was_changed_hides_no_other(owner: Resident) -> None:
    entries = [owner.write(f"A heron, number {number}.") for number in range(5)]
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER fence_diary_entry_text_update")
        cursor.execute(
            "UPDATE diary_entry SET text = CAST(x'0200000063' || substr(text, 6) AS BLOB) WHERE id = %s",
            [entries[2].id.hex],
        )

    index = open_index(owner)
    index.refresh([entry.id for entry in entries])

    assert find_ids(index, "heron") == {entry.id for entry in entries} - {entries[2].id}


def test_a_changed_note_is_a_change_of_the_diary_for_other_processes(owner: Resident) -> None:
    note = add_note(owner, "knowledge/boat.md", "Blue.")
    before = sources.get_change_signature(owner.id)

    save_note(owner.keyring, "knowledge/boat.md", "Sold.", note_id=note.id, based_on=1, origin=Origin.OWN)

    assert sources.get_change_signature(owner.id) != before


@pytest.mark.parametrize("many", [3, 300])
def test_other_forms_of_words_that_come_later_are_known_too(owner: Resident, many: int) -> None:
    owner.write("Nothing yet.")
    index = open_index(owner)
    with owner.unlocked():
        Entry.objects.bulk_create(
            Entry(owner=owner.person, day=owner.today, text=f"We walked, {number}.") for number in range(many)
        )

    indexes.reconcile_all(index)
    wait_until_idle(owner)

    assert index.words is not None
    assert index.words.find(parse("walking "), limit=5).total == many


def test_only_what_changed_is_read_when_the_index_opens_again(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = owner.write("The first of two.")
    open_index(owner).save_snapshots(force=True)
    indexes.close(owner.keyring.key_id)
    added = owner.write("The second of two.")
    read: list[UUID] = []
    monkeypatch.setattr(sources, "load_documents", spy_on_read(read, sources.load_documents))

    index = open_index(owner)

    assert find_ids(index, "two") == {kept.id, added.id}
    assert read == [added.id]


def spy_on_read(into: list[UUID], real):  # type: ignore[no-untyped-def]  # watches the real one
    def read(ids, **rest):  # type: ignore[no-untyped-def]
        into.extend(ids)
        return real(ids, **rest)

    return read


def test_edited_away_text_is_not_in_the_next_sessions_index_either(owner: Resident) -> None:
    entry = owner.write("The old words about Gertrude.")
    open_index(owner).save_snapshots(force=True)
    indexes.close(owner.keyring.key_id)
    with owner.unlocked(), write_transaction():
        entry.text = "Other words."
        entry.save()

    index = open_index(owner)

    assert find_ids(index, "gertrude") == set()
    assert find_ids(index, "other") == {entry.id}


def test_vectors_are_made_once_and_come_back_from_their_rows(owner: Resident, embedder: BagOfWords) -> None:
    entry = owner.write("A walk along the river.")
    open_index(owner)
    assert embedder.embedded == ["A walk along the river."]
    indexes.close(owner.keyring.key_id)

    index = open_index(owner)

    assert embedder.embedded == ["A walk along the river."]
    assert index.vectors is not None
    assert set(index.vectors.list_digests()) == {entry.id}
    assert index.pending == 0


def test_vectors_of_another_embedder_are_made_anew(owner: Resident, embedder: BagOfWords) -> None:
    owner.write("A walk along the river.")
    open_index(owner)
    indexes.close(owner.keyring.key_id)
    Vector.objects.get()
    row = Vector.objects.get()
    with owner.unlocked():
        row.embedder = "tests/another"
        row.save()

    open_index(owner)

    assert embedder.embedded == ["A walk along the river."] * 2
    assert Vector.objects.get().embedder == embedder.name


def test_without_a_model_words_work_and_the_index_says_why_meaning_does_not(
    owner: Resident, settings: Any
) -> None:
    settings.SEARCH_MODEL = "none/at-all"
    entry = owner.write("No model in this house.")

    index = open_index(owner)

    assert find_ids(index, "model") == {entry.id}
    assert index.vectors is None
    assert index.why_not_embedded == "absent"


def test_a_lock_leaves_nothing_of_the_index_in_memory(owner: Resident, embedder: BagOfWords) -> None:
    owner.write("Known to nobody else.")
    index = open_index(owner)
    left = [weakref.ref(part) for part in (index, index.words, index.vectors)]
    words = index.words
    assert words is not None

    owner.lock()

    assert indexes.get(owner.keyring.key_id) is None
    with pytest.raises(IndexClosed):
        words.find(parse("known"), limit=5)
    del index, words
    gc.collect()
    assert [ref() for ref in left] == [None, None, None]


def test_a_lock_elsewhere_leaves_the_index_to_a_session_that_is_unlocked(owner: Resident) -> None:
    second = sessions_services.create_session(
        person=owner.person, keyring=owner.keyring, is_persistent=False, device=""
    )
    index = open_index(owner)

    sessions_services.lock_session(sign_in_id=second.sign_in_id, person_id=owner.id)

    assert indexes.get(owner.keyring.key_id) is index


def test_an_index_asked_for_after_the_lock_is_refused(owner: Resident) -> None:
    owner.lock()

    with pytest.raises(IndexClosed):
        indexes.for_owner(owner.keyring)

    assert indexes.get(owner.keyring.key_id) is None


def test_whoever_is_past_the_idle_limit_is_forgotten_by_the_sweep(owner: Resident) -> None:
    open_index(owner)
    long_ago = owner.person.created_at.replace(year=2000)
    Unlock.objects.update(last_active=long_ago)

    indexes.close_locked()

    assert indexes.get(owner.keyring.key_id) is None


def test_beyond_the_memory_given_the_least_recently_used_index_goes_and_comes_back(
    owner: Resident, housemate: Resident, settings: Any
) -> None:
    entry = owner.write("Found again.")
    settings.SEARCH_MEMORY_MB = 0
    open_index(owner)

    open_index(housemate)
    gone = indexes.get(owner.keyring.key_id)
    again = open_index(owner)

    assert gone is None
    assert indexes.get(housemate.keyring.key_id) is None
    assert find_ids(again, "again") == {entry.id}


@pytest.mark.parametrize("rounds", [40, pytest.param(500, marks=pytest.mark.slow)])
def test_closing_during_running_queries_is_never_fatal(rounds: int) -> None:

    texts = [
        make_document(f"the quick brown fox number {n} and the slow grey goose " * 20) for n in range(60)
    ]
    snapshot = WordsIndex()
    snapshot.upsert(texts)
    kept = snapshot.dump()
    snapshot.close()
    closed, wrong = [], []

    def ask(index: WordsIndex) -> None:
        try:
            while True:
                index.find(parse("the quick* goose -hen"), limit=100)
                index.find(parse("c++ ?"), limit=100)
        except IndexClosed:
            closed.append(1)
        except Exception as error:
            wrong.append(error)

    for number in range(rounds):
        index = WordsIndex(kept)
        threads = [threading.Thread(target=ask, args=(index,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.001 * (number % 7))
        closers = [threading.Thread(target=index.close) for _ in range(2)]
        for thread in closers:
            thread.start()
        for thread in (*threads, *closers):
            thread.join(PATIENCE)

    assert wrong == []
    assert len(closed) == 3 * rounds


@pytest.mark.parametrize("rounds", [10, pytest.param(500, marks=pytest.mark.slow)])
def test_locking_during_searches_by_words_and_meaning_is_never_fatal(
    owner: Resident, embedder: BagOfWords, rounds: int
) -> None:
    with write_transaction():
        for number in range(60):
            owner.write(f"The heron of day {number} stood in the shallow water, and flew.")
    open_index(owner).save_snapshots(force=True)
    ended: list[str] = []

    def ask(index: PersonIndex) -> None:
        try:
            while True:
                search(index, parse("heron shallow water from:2020"))
        except Exception as error:
            ended.append(type(error).__name__)
        finally:
            connections.close_all()

    for number in range(rounds):
        threads = [threading.Thread(target=ask, args=(open_index(owner),)) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.002 * (number % 7))
        indexes.close(owner.keyring.key_id)
        for thread in threads:
            thread.join(PATIENCE)

    assert ended == ["IndexClosed"] * 3 * rounds


def test_a_question_is_embedded_once_until_its_person_locks(
    owner: Resident, embedder: BagOfWords, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.write("The cello was out of tune.")
    index = open_index(owner)
    asked: list[str] = []
    embed = embedder.embed_question
    monkeypatch.setattr(embedder, "embed_question", lambda text: (asked.append(text), embed(text))[1])

    found = [search(index, parse("cello tune")).hits for _ in range(2)]
    indexes.close_all()

    assert found[0] == found[1]
    assert asked == ["cello tune"]
    assert index.question_vectors.find(embedder, "cello tune") is None
