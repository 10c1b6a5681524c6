"""Benchmarks of search for a diary of a given size: opening an index, queries, related entries, memory.

`measure` creates a person with a generated diary in the current database, and deletes both afterwards.
Vectors are random, so that no embedding model is needed; if one is installed, the embedding of a query is
measured too. Queries are timed by CPU time of their thread, so that other work on the machine does not count.
Queries together with their embedding are also timed by the clock. The baseline is FTS5 alone with the same
texts and words: the twenty best by its own rank, each with its snippet.
"""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

import numpy as np

from accounts.models import Person, Vault
from diary.models import Entry
from llamora.crypto import Keyring, in_force, new_vault_keys, secret_bytes
from llamora.database import write_transaction
from search import related_entries
from search.embedder.holder import embedders
from search.embedder.search_settings import get_search_settings
from search.embedder.types import Embedder, Floats, SimilarityFloors
from search.engine import PAGE_SIZE, search
from search.errors import EmbedderUnavailable, IndexClosed
from search.index import graph
from search.index.fts_queries import build_phrase_expression
from search.index.person_index import PersonIndex
from search.index.snapshots import SnapshotFolder
from search.index.types import EmbeddedText
from search.index.vectors import VectorsIndex
from search.index.words import words_transaction
from search.query.parser import parse

PLANTED_PHRASES = 200
_WIDTH = 384
_WORDS_PER_TEXT = 105
_BATCH = 1000
_COMMON = (
    "the and to of my with a in was it at that by all home which for we he this so is not but from her day "
    "after very up his went there had then out me as came where they did be about some much till she our"
)
_SYLLABLES = [a + b for a in "bcdfghlmnprstvw" for b in ("a", "e", "i", "o", "u", "ar", "en", "il", "om")]


@dataclass(frozen=True, slots=True)
class SearchFigure:
    """A measured figure: its name, value and unit, and its ratio to the baseline."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    baseline: str = ""


@dataclass(frozen=True, slots=True)
class PlantedPhrase:
    """A phrase that occurs in only one text of the generated diary."""

    phrase: str
    entry: UUID


class SyntheticEmbedder:
    """An embedder for benchmarks: returns a random vector seeded by the text."""

    name = "benchmark/made-up"
    width = _WIDTH
    floors = SimilarityFloors(0.0, 0.0)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return an estimate of the number of tokens of each text."""
        return [len(text) // 4 for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Floats:
        """Return a unit vector for each text."""
        return np.array([self.embed_question(text) for text in texts], dtype=np.float32)

    def embed_question(self, text: str) -> Floats:
        """Return the unit vector of a question."""
        random = np.random.default_rng(abs(hash(text)) % 2**32).standard_normal(_WIDTH)
        return np.asarray(random / np.linalg.norm(random), dtype=np.float32)


def measure(entries: int, *, seed: int = 1) -> Iterator[SearchFigure]:
    """Yield the figures for a diary with this number of entries."""
    with create_diary(entries, seed=seed) as (keyring, planted):
        yield from _measure_openings(keyring)
        index, _ = _open_index(keyring)
        try:
            yield from _measure_queries(index, planted)
            with in_force(keyring):
                yield _measure_related_entries(index, planted)
            yield SearchFigure("memory of the index", index.size() / 2**20, "MiB")
        finally:
            index.close()
    yield from _measure_graph(entries, seed=seed)
    yield from _measure_embedding()


# --- the archive ---------------------------------------------------------------------------------------


@contextmanager
def create_diary(entries: int, *, seed: int) -> Iterator[tuple[Keyring, list[PlantedPhrase]]]:
    """Yield the keyring of a generated person, and the phrases planted in that person's diary.

    The person and the diary are deleted at the end of the `with` block.
    """
    person = Person.objects.create(name=f"Measured {secret_bytes(4).hex()}")
    keyring = Keyring(owner=person.id, epoch=1, keys={1: secret_bytes(32)})
    private, public = new_vault_keys()
    try:
        with in_force(keyring):
            Vault.objects.create(
                owner=person, epoch=1, public_key=public, private_key=private, digest_key=secret_bytes(32)
            )
            planted = _write_entries(person, entries, random.Random(seed))  # noqa: S311 - a made diary, no secret
        yield keyring, planted
    finally:
        SnapshotFolder(get_search_settings().folder, person.id).delete_all()
        person.delete()
        keyring.close()


def make_vocabulary(chance: random.Random) -> list[str]:
    """Return generated words; the first ones are frequent, as in natural languages."""
    rare = {"".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))) for _ in range(12_000)}
    return _COMMON.split() + sorted(rare)


def _make_text(chance: random.Random, words: list[str]) -> str:
    # Zipf's law, about: half of all words are the common ones.
    picked = (words[min(int(chance.paretovariate(0.6)) - 1, len(words) - 1)] for _ in range(_WORDS_PER_TEXT))
    return " ".join(picked)


def _write_entries(person: Person, entries: int, chance: random.Random) -> list[PlantedPhrase]:
    words = make_vocabulary(chance)
    planted: list[PlantedPhrase] = []
    every = max(1, entries // PLANTED_PHRASES)
    for first in range(0, entries, _BATCH):
        rows = []
        for number in range(first, min(first + _BATCH, entries)):
            text = _make_text(chance, words)
            day = date(2026, 1, 1) - timedelta(days=number // 3)
            entry = Entry(owner=person, day=day, text=text)
            if number % every == 0 and len(planted) < PLANTED_PHRASES:
                phrase = f"{chance.choice(words[200:])} the {chance.choice(words[200:])} xq{number} and home"
                entry.text = f"{text[:200]} {phrase} {text[200:]}"
                planted.append(PlantedPhrase(phrase, entry.id))
            rows.append(entry)
        with write_transaction():
            Entry.objects.bulk_create(rows)
    return planted


# --- how soon -------------------------------------------------------------------------------------------


def _open_index(keyring: Keyring) -> tuple[PersonIndex, tuple[float, float]]:
    """Return an index opened as after an unlock, and the seconds until its words and vectors were ready."""
    began = time.perf_counter()
    index = PersonIndex(keyring, SnapshotFolder(get_search_settings().folder, keyring.owner))
    index.open_words()
    words = time.perf_counter() - began
    index.open_vectors(SyntheticEmbedder())
    return index, (words, time.perf_counter() - began)


def _measure_openings(keyring: Keyring) -> Iterator[SearchFigure]:
    index, _ = _open_index(keyring)
    while index.pending:
        index.embed_batch()
    index.close()
    for name in ("without a saved index", "with a saved index"):
        index, (words, meaning) = _open_index(keyring)
        yield SearchFigure(f"unlock to search by words, {name}", words, "s")
        yield SearchFigure(f"unlock to related entries, {name}", meaning, "s")
        index.save_snapshots(force=True)
        index.close()


# --- how fast, and how much -----------------------------------------------------------------------------


def _build_queries(planted: list[PlantedPhrase]) -> dict[str, list[str]]:
    chance = random.Random(2)  # noqa: S311 - a made query, no secret
    words = make_vocabulary(random.Random(1))  # noqa: S311 - as above
    some = [chance.choice(words[:400]) for _ in range(400)]
    return {
        "phrase": [f'"{one.phrase}"' for one in planted[:60]],
        "two words": [" ".join(some[n : n + 2]) for n in range(60)],
        "three words": [" ".join(some[n : n + 3]) for n in range(60)],
        "sentence": [" ".join(some[n : n + 9]) for n in range(40)],
        "typing": [word[:3] for word in some[:60]],
        "common words": ["the and to", "my home", "all of it", "at night"] * 10,
        "filtered": ["home from:2020", "-the from:2024", "in:entries night to:2022"] * 12,
        "odd": ["c++", "10:30", "e-mail", "£60", "天気", "😀", "hello, world", '"'] * 5,
    }


def _measure_queries(index: PersonIndex, planted: list[PlantedPhrase]) -> Iterator[SearchFigure]:
    queries = _build_queries(planted)
    plain = _PlainSearch(index)
    every: list[float] = []
    every_plain: list[float] = []
    for kind, typed in queries.items():
        taken = [time_call(lambda one=one: search(index, parse(one))) for one in typed]  # type: ignore[misc]
        taken_plain = [time_call(lambda one=one: plain.search(one)) for one in typed]  # type: ignore[misc]
        every += taken
        every_plain += taken_plain
        yield SearchFigure(f"{kind}, median", get_percentile(taken, 0.5), "ms")
        yield _compare_p95(f"{kind}, p95", taken, taken_plain)
    plain.close()
    yield SearchFigure(f"every kind, p95 of {_PLAIN}", get_percentile(every_plain, 0.95), "ms")
    yield _compare_p95("every kind, p95", every, every_plain)
    # A quoted phrase is not embedded.
    spoken = [one for kind, typed in queries.items() if kind != "phrase" for one in typed]
    yield from _measure_embedded_queries(index, spoken, every_plain[-len(spoken) :])
    first = [search(index, parse(one.phrase)).hits[:1] for one in planted]
    right = sum(bool(hits) and hits[0].id == one.entry for hits, one in zip(first, planted, strict=True))
    yield SearchFigure(f"planted phrases found first, of {len(planted)}", right, "found")


_PLAIN: Final = "FTS5 alone"


class _PlainSearch:
    """The baseline: the texts of an index in an FTS5 table, searched for all words of a query."""

    def __init__(self, index: PersonIndex) -> None:
        words = index.words
        if words is None:
            raise IndexClosed
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        self._db.execute("CREATE VIRTUAL TABLE texts USING fts5(body)")
        documents = words.load_documents(words.list_digests()).values()
        with words_transaction(self._db):
            self._db.executemany("INSERT INTO texts (body) VALUES (?)", ((one.text,) for one in documents))

    def search(self, typed: str) -> list[tuple[int, str]]:
        """Return row ids and snippets of the texts that match a query best. Filters in it are ignored."""
        query = parse(typed)
        terms = [term for term in query.terms if term.words]
        if not terms:
            return []
        words = " AND ".join(build_phrase_expression(term.words, prefix=term.prefix) for term in terms)
        sql = "SELECT rowid, snippet(texts, 0, '[', ']', '', 40) FROM texts WHERE texts MATCH ?"
        return self._db.execute(f"{sql} ORDER BY rank LIMIT ?", (words, PAGE_SIZE)).fetchall()

    def close(self) -> None:
        """Delete the texts from memory."""
        self._db.close()


def _compare_p95(name: str, taken: list[float], taken_plain: list[float]) -> SearchFigure:
    value, plain = get_percentile(taken, 0.95), get_percentile(taken_plain, 0.95)
    return SearchFigure(name, value, "ms", value / plain if plain else None, _PLAIN)


def _measure_embedded_queries(
    index: PersonIndex, queries: list[str], taken_plain: list[float]
) -> Iterator[SearchFigure]:
    """Time queries together with the embedding of each, if there is a model."""
    try:
        embedder: Embedder = embedders.get()
    except EmbedderUnavailable:
        return
    embedder.embed_question("warm")
    every: list[float] = []
    by_clock: list[float] = []
    for typed in queries:
        began = time.perf_counter()
        every.append(time_call(lambda one=typed: (embedder.embed_question(one), search(index, parse(one)))))  # type: ignore[misc]
        by_clock.append(1000 * (time.perf_counter() - began))
    yield SearchFigure("every kind, with its embedding, median", get_percentile(every, 0.5), "ms")
    yield _compare_p95("every kind, with its embedding, p95", every, taken_plain)
    yield SearchFigure(
        "every kind, with its embedding, p95 by the clock", get_percentile(by_clock, 0.95), "ms"
    )


def _measure_related_entries(index: PersonIndex, planted: list[PlantedPhrase]) -> SearchFigure:
    """Time finding the earlier entries related to an entry, as done before each reply; 95th percentile."""
    entries = list(Entry.objects.filter(id__in=[one.entry for one in planted[:60]]))
    taken = [time_call(lambda one=one: related_entries.find_near_entries(index, one)) for one in entries]  # type: ignore[misc]
    return SearchFigure("related entries for a reply, p95", get_percentile(taken, 0.95), "ms")


def time_call(call: Callable[[], object]) -> float:
    """Return the CPU time of this thread in a call, in milliseconds."""
    began = time.thread_time()
    call()
    return 1000 * (time.thread_time() - began)


def get_percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of the values lies."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def _measure_graph(rows: int, *, seed: int) -> Iterator[SearchFigure]:
    """Measure a comparison of all vectors and a search in a graph: the time of each, the graph's recall."""
    chance = np.random.default_rng(seed)
    index, questions = VectorsIndex(_WIDTH), _make_clusters(chance, 60)
    for first in range(0, rows, _BATCH):
        some = _make_clusters(chance, min(_BATCH, rows - first)).astype(np.float16)
        index.upsert(
            EmbeddedText(UUID(int=first + n), bytes(32), [(0, 1)], row[None]) for n, row in enumerate(some)
        )
    exact = [{near.id for near in index.search(question, limit=10)} for question in questions]
    taken = [time_call(lambda q=q: index.search(q, limit=10)) for q in questions]  # type: ignore[misc]
    yield SearchFigure("comparing all vectors, p95", get_percentile(taken, 0.95), "ms")
    if not graph.is_available():
        index.close()
        return
    began = time.thread_time()
    index.build_graph()
    yield SearchFigure("building the graph", time.thread_time() - began, "s")
    by_graph = [{near.id for near in index.search(question, limit=10)} for question in questions]
    taken = [time_call(lambda q=q: index.search(q, limit=10)) for q in questions]  # type: ignore[misc]
    yield SearchFigure("searching the graph, p95", get_percentile(taken, 0.95), "ms")
    shared = sum(len(one & other) for one, other in zip(exact, by_graph, strict=True))
    yield SearchFigure("recall at 10 of the graph", shared / max(1, sum(map(len, exact))), "")
    index.close()


def _make_clusters(chance: np.random.Generator, many: int) -> Floats:
    centres = np.random.default_rng(3).standard_normal((500, _WIDTH))
    rows = centres[chance.integers(len(centres), size=many)] + 0.8 * chance.standard_normal((many, _WIDTH))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def _measure_embedding() -> Iterator[SearchFigure]:
    try:
        embedder: Embedder = embedders.get()
    except EmbedderUnavailable:
        return
    embedder.embed_question("warm")
    taken = [time_call(lambda n=n: embedder.embed_question(f"a walk by the river {n}")) for n in range(40)]  # type: ignore[misc]
    yield SearchFigure("embedding a question, p95", get_percentile(taken, 0.95), "ms")
