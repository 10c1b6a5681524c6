"""Benchmarks of an index with facts: opening it, searching it, recall for a reply, removing one fact.

The benchmarks use a generated person in the current database, who is deleted afterwards, like
`search.benchmarks`.
"""

import random
import time
from collections.abc import Iterator
from typing import Final

from accounts.models import Person
from diary.models import Entry
from llamora.crypto import Keyring, in_force, secret_bytes
from llamora.database import write_transaction
from search.benchmarks import (
    SearchFigure,
    SyntheticEmbedder,
    create_diary,
    get_percentile,
    make_vocabulary,
    time_call,
)
from search.embedder.search_settings import get_search_settings
from search.engine import search
from search.errors import IndexClosed
from search.fact_recall.ranking import rank_facts
from search.index.person_index import PersonIndex
from search.index.snapshots import SnapshotFolder
from search.query.parser import parse
from traces.facts.models import Fact, FactState
from traces.facts.recall import MAX_RECALLED

_BATCH: Final = 1000
_OPENINGS: Final = 5
_RELATIONS: Final = ("lives in", "works at", "likes", "has a", "is allergic to", "was born in")


def measure_facts(*, entries: int, facts: int, seed: int = 1) -> Iterator[SearchFigure]:
    """Yield the figures for a diary with this number of entries and of facts."""
    with create_diary(entries, seed=seed) as (keyring, _):
        without = _measure_unlock(keyring)
        yield SearchFigure("unlock to search by words, without facts", without, "s")
        with in_force(keyring):
            _write_facts(keyring, facts, random.Random(seed))  # noqa: S311 - made facts, no secret
        opened = _measure_unlock(keyring)
        yield SearchFigure("unlock to search by words, with facts", opened, "s")
        yield SearchFigure("added to an unlock", 1000 * (opened - without), "ms")
        index = _open(keyring)
        try:
            yield from _measure_queries(index)
            with in_force(keyring):
                yield _measure_recall(index)
            yield _measure_forgetting(index)
        finally:
            index.close()


def _write_facts(keyring: Keyring, facts: int, chance: random.Random) -> None:
    person = Person.objects.get(id=keyring.owner)
    words = make_vocabulary(chance)
    for first in range(0, facts, _BATCH):
        rows = [_make_fact(person, chance, words) for _ in range(min(_BATCH, facts - first))]
        with write_transaction():
            Fact.objects.bulk_create(rows)


def _make_fact(person: Person, chance: random.Random, words: list[str]) -> Fact:
    name = chance.choice(words[200:1200]).capitalize()
    value = " ".join(chance.choice(words) for _ in range(3))
    text = f"{name} {chance.choice(_RELATIONS)} {value}"
    body = {"text": text, "language": "en", "quote": {"text": text, "start": 0, "end": len(text)}}
    fact = Fact(owner=person, state=FactState.ACCEPTED, body=body)
    # Search reads neither.
    fact.subject_index, fact.same_index = secret_bytes(32), secret_bytes(32)
    return fact


def _open(keyring: Keyring) -> PersonIndex:
    index = PersonIndex(keyring, SnapshotFolder(get_search_settings().folder, keyring.owner))
    index.open_words()
    index.open_vectors(SyntheticEmbedder())
    return index


def _measure_unlock(keyring: Keyring) -> float:
    """Return the seconds in which a saved index is opened after an unlock; the least of several runs."""
    index = _open(keyring)
    while index.pending:
        index.embed_batch()
    index.save_snapshots(force=True)
    index.close()
    taken: list[float] = []
    for _ in range(_OPENINGS):
        index = PersonIndex(keyring, SnapshotFolder(get_search_settings().folder, keyring.owner))
        began = time.perf_counter()
        index.open_words()
        taken.append(time.perf_counter() - began)
        index.close()
    return min(taken)


def _measure_queries(index: PersonIndex) -> Iterator[SearchFigure]:
    chance = random.Random(2)  # noqa: S311 - made queries, no secret
    words = make_vocabulary(random.Random(1))  # noqa: S311 - as above
    queries = {
        "facts alone": [f"{chance.choice(words[200:1200])} in:facts" for _ in range(60)],
        "facts alone, two words": [
            f"{chance.choice(words[200:1200])} {chance.choice(words)} in:facts" for _ in range(60)
        ],
        "with entries": [chance.choice(words[200:1200]) for _ in range(60)],
        "with entries, two words": [
            f"{chance.choice(words[:400])} {chance.choice(words[200:1200])}" for _ in range(60)
        ],
        "typing letter by letter": [
            f"{word[:length]} in:facts"
            for word in chance.sample(words[200:1200], 20)
            for length in range(1, len(word) + 1)
        ],
    }
    every: list[float] = []
    for kind, typed in queries.items():
        taken = [time_call(lambda one=one: search(index, parse(one))) for one in typed]  # type: ignore[misc]
        every += taken
        yield SearchFigure(f"{kind}, p95", get_percentile(taken, 0.95), "ms")
    yield SearchFigure("every kind, p95", get_percentile(every, 0.95), "ms")


def _measure_recall(index: PersonIndex) -> SearchFigure:
    entries = list(Entry.objects.filter(owner_id=index.owner)[:60])
    texts = [(entry.id, str(entry.text)) for entry in entries]
    taken = [
        time_call(lambda id_=id_, text=text: rank_facts(index, text, id_=id_, limit=3 * MAX_RECALLED))  # type: ignore[misc]
        for id_, text in texts
    ]
    return SearchFigure("facts for a reply, p95", get_percentile(taken, 0.95), "ms")


def _measure_forgetting(index: PersonIndex) -> SearchFigure:
    """Return the seconds in which the index is saved again without a forgotten fact."""
    words = index.words
    if words is None:
        raise IndexClosed
    gone = Fact.objects.only_accepted(index.owner).values_list("id", flat=True)[:1]
    words.remove(list(gone))
    index.renew_snapshots()
    began = time.perf_counter()
    index.save_snapshots()
    return SearchFigure("saving an index without a forgotten fact", time.perf_counter() - began, "s")
