"""Search measured: how soon, how fast, how much is found and how much memory, for an archive of a given size.

`measure` makes a person with a made diary in the database at hand, and takes them away again. Vectors are
made without a model, so that the figures do not wait for one; where there is one, the embedding of a question
is measured too. Queries are timed by the clock of their own thread, which other work on the machine does not
move.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import numpy as np

from accounts.models import Person, Vault
from diary.models import Entry
from llamora.crypto import Keyring, in_force, new_vault_keys, secret_bytes
from llamora.database import write_transaction
from search import recalling
from search.choices import chosen
from search.embedded import Embedded
from search.embedder import Embedder, Floats, embedders
from search.errors import EmbedderAway
from search.finding import search
from search.person import PersonIndex
from search.query import parse
from search.snapshots import SnapshotFolder
from search.vectors import VectorsIndex

PLANTED = 200
_WIDTH = 384
_WORDS_EACH = 105
_BATCH = 1000
_COMMON = (
    "the and to of my with a in was it at that by all home which for we he this so is not but from her day "
    "after very up his went there had then out me as came where they did be about some much till she our"
)
_SYLLABLES = [a + b for a in "bcdfghlmnprstvw" for b in ("a", "e", "i", "o", "u", "ar", "en", "il", "om")]


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Planted:
    """A phrase that stands in one text alone."""

    phrase: str
    entry: UUID


class MadeUp:
    """An embedder for measuring alone: a vector drawn by a text's words, as fast as can be."""

    name = "benchmark/made-up"
    width = _WIDTH
    floor = 0.0

    def counts(self, texts: Sequence[str]) -> list[int]:
        """Return about as many tokens as a model would count."""
        return [len(text) // 4 for text in texts]

    def passages(self, texts: Sequence[str]) -> Floats:
        """Return a unit vector for each text."""
        return np.array([self.question(text) for text in texts], dtype=np.float32)

    def question(self, text: str) -> Floats:
        """Return the unit vector of a question."""
        drawn = np.random.default_rng(abs(hash(text)) % 2**32).standard_normal(_WIDTH)
        return np.asarray(drawn / np.linalg.norm(drawn), dtype=np.float32)


def measure(entries: int, *, seed: int = 1) -> Iterator[Measured]:
    """Yield the figures for an archive of that many entries."""
    with made_diary(entries, seed=seed) as (keyring, planted):
        yield from _openings(keyring)
        index, _ = _opened(keyring)
        try:
            yield from _queries(index, planted)
            yield _for_answers(index, planted)
            yield Measured("memory of the index", index.size() / 2**20, "MiB")
        finally:
            index.close()
    yield from _recall(entries, seed=seed)
    yield from _embedding()


# --- the archive ---------------------------------------------------------------------------------------


@contextmanager
def made_diary(entries: int, *, seed: int) -> Iterator[tuple[Keyring, list[Planted]]]:
    """Yield a made person's keyring and the phrases planted in their diary; all of it goes afterwards."""
    person = Person.objects.create(name=f"Measured {secret_bytes(4).hex()}")
    keyring = Keyring(owner=person.id, epoch=1, keys={1: secret_bytes(32)})
    private, public = new_vault_keys()
    try:
        with in_force(keyring):
            Vault.objects.create(
                owner=person, epoch=1, public_key=public, private_key=private, digest_key=secret_bytes(32)
            )
            planted = _write(person, entries, random.Random(seed))  # noqa: S311 - a made diary, no secret
        yield keyring, planted
    finally:
        SnapshotFolder(chosen().folder, person.id).forget()
        person.delete()
        keyring.close()


def vocabulary(chance: random.Random) -> list[str]:
    """Return made words, the first of them common, as words are in any language."""
    rare = {"".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))) for _ in range(12_000)}
    return _COMMON.split() + sorted(rare)


def _text(chance: random.Random, words: list[str]) -> str:
    # Zipf's law, about: half of all words are the common ones.
    picked = (words[min(int(chance.paretovariate(0.6)) - 1, len(words) - 1)] for _ in range(_WORDS_EACH))
    return " ".join(picked)


def _write(person: Person, entries: int, chance: random.Random) -> list[Planted]:
    words = vocabulary(chance)
    planted: list[Planted] = []
    every = max(1, entries // PLANTED)
    for first in range(0, entries, _BATCH):
        rows = []
        for number in range(first, min(first + _BATCH, entries)):
            text = _text(chance, words)
            day = date(2026, 1, 1) - timedelta(days=number // 3)
            entry = Entry(owner=person, day=day, text=text)
            if number % every == 0 and len(planted) < PLANTED:
                phrase = f"{chance.choice(words[200:])} the {chance.choice(words[200:])} xq{number} and home"
                entry.text = f"{text[:200]} {phrase} {text[200:]}"
                planted.append(Planted(phrase, entry.id))
            rows.append(entry)
        with write_transaction():
            Entry.objects.bulk_create(rows)
    return planted


# --- how soon -------------------------------------------------------------------------------------------


def _opened(keyring: Keyring) -> tuple[PersonIndex, tuple[float, float]]:
    """Return an index opened as after an unlock, and the seconds to words and to meaning."""
    began = time.perf_counter()
    index = PersonIndex(keyring, SnapshotFolder(chosen().folder, keyring.owner))
    index.open_words()
    words = time.perf_counter() - began
    index.open_meaning(MadeUp())
    return index, (words, time.perf_counter() - began)


def _openings(keyring: Keyring) -> Iterator[Measured]:
    index, _ = _opened(keyring)
    while index.pending:
        index.embed_some()
    index.close()
    for name in ("without a snapshot", "from a snapshot"):
        index, (words, meaning) = _opened(keyring)
        yield Measured(f"unlock to words, {name}", words, "s")
        yield Measured(f"unlock to meaning, {name}", meaning, "s")
        index.keep(whatever=True)
        index.close()


# --- how fast, and how much -----------------------------------------------------------------------------


def _kinds(planted: list[Planted]) -> dict[str, list[str]]:
    chance = random.Random(2)  # noqa: S311 - a made query, no secret
    words = vocabulary(random.Random(1))  # noqa: S311 - as above
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


def _queries(index: PersonIndex, planted: list[Planted]) -> Iterator[Measured]:
    every: list[float] = []
    for kind, typed in _kinds(planted).items():
        taken = [_timed(lambda one=one: search(index, parse(one))) for one in typed]  # type: ignore[misc]
        every += taken
        yield Measured(f"{kind}, median", _share(taken, 0.5), "ms")
        yield Measured(f"{kind}, p95", _share(taken, 0.95), "ms")
    yield Measured("every kind, p95", _share(every, 0.95), "ms")
    first = [search(index, parse(one.phrase)).hits[:1] for one in planted]
    right = sum(bool(hits) and hits[0].id == one.entry for hits, one in zip(first, planted, strict=True))
    yield Measured(f"planted phrases first, of {len(planted)}", right, "found")


def _for_answers(index: PersonIndex, planted: list[Planted]) -> Measured:
    """Measure what an answer waits for: which earlier entries speak of the same."""
    entries = list(Entry.objects.filter(id__in=[one.entry for one in planted[:60]]))
    taken = [_timed(lambda one=one: recalling.near(index, one)) for one in entries]  # type: ignore[misc]
    return Measured("recalled for an answer, p95", _share(taken, 0.95), "ms")


def _timed(call: Callable[[], object]) -> float:
    began = time.thread_time()
    call()
    return 1000 * (time.thread_time() - began)


def _share(values: Sequence[float], share: float) -> float:
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def _recall(rows: int, *, seed: int) -> Iterator[Measured]:
    """Measure looking at all vectors, and a graph over the same: what it finds, saves and costs."""
    chance = np.random.default_rng(seed)
    index, questions = VectorsIndex(_WIDTH), _clumped(chance, 60)
    for first in range(0, rows, _BATCH):
        some = _clumped(chance, min(_BATCH, rows - first)).astype(np.float16)
        index.put(Embedded(UUID(int=first + n), bytes(32), [(0, 1)], row[None]) for n, row in enumerate(some))
    exact = [{near.id for near in index.search(question, limit=10)} for question in questions]
    taken = [_timed(lambda q=q: index.search(q, limit=10)) for q in questions]  # type: ignore[misc]
    yield Measured("looking at all vectors, p95", _share(taken, 0.95), "ms")
    began = time.thread_time()
    index.make_graph()
    yield Measured("making the graph", time.thread_time() - began, "s")
    graph = [{near.id for near in index.search(question, limit=10)} for question in questions]
    taken = [_timed(lambda q=q: index.search(q, limit=10)) for q in questions]  # type: ignore[misc]
    yield Measured("asking the graph, p95", _share(taken, 0.95), "ms")
    shared = sum(len(one & other) for one, other in zip(exact, graph, strict=True))
    yield Measured("recall at 10 of the graph", shared / max(1, sum(map(len, exact))), "")
    index.close()


def _clumped(chance: np.random.Generator, many: int) -> Floats:
    centres = np.random.default_rng(3).standard_normal((500, _WIDTH))
    rows = centres[chance.integers(len(centres), size=many)] + 0.8 * chance.standard_normal((many, _WIDTH))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def _embedding() -> Iterator[Measured]:
    try:
        embedder: Embedder = embedders.get()
    except EmbedderAway:
        return
    embedder.question("warm")
    taken = [_timed(lambda n=n: embedder.question(f"a walk by the river {n}")) for n in range(40)]  # type: ignore[misc]
    yield Measured("embedding a question, p95", _share(taken, 0.95), "ms")
