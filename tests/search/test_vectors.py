"""Tests of the vector index: exact search, the graph, and removal."""

import subprocess
import sys
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.conf import settings

from search.errors import IndexClosed, SnapshotRefused
from search.index import graph, similarity
from search.index.similarity import VectorRows
from search.index.types import EmbeddedText
from search.index.vector_store import decode_vectors, encode_embedded_text
from search.index.vectors import VectorsIndex

CHANCE = np.random.default_rng(7)


def make_vectors(many: int, width: int = 32) -> np.ndarray:
    """Return unit vectors in clusters, like those of texts."""
    centres = CHANCE.standard_normal((max(1, many // 50), width))
    rows = centres[CHANCE.integers(len(centres), size=many)] + 0.6 * CHANCE.standard_normal((many, width))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def make_text(rows: np.ndarray, id_: UUID | None = None) -> EmbeddedText:
    spans = [(number * 10, number * 10 + 9) for number in range(len(rows))]
    return EmbeddedText(id_ or uuid4(), CHANCE.bytes(32), spans, rows.astype(np.float16))


def build_index(rows: np.ndarray) -> tuple[VectorsIndex, list[UUID]]:
    index = VectorsIndex(rows.shape[1])
    texts = [make_text(row[None]) for row in rows]
    index.upsert(texts)
    return index, [one.id for one in texts]


def test_the_nearest_come_first_with_their_chunk() -> None:
    index = VectorsIndex(4)
    far, near = make_text(np.eye(4, dtype=np.float32)[:1]), make_text(np.eye(4, dtype=np.float32)[1:3])
    index.upsert([far, near])

    found = index.search(np.array([0.1, 0.2, 0.97, 0], dtype=np.float32), limit=2)

    assert [one.id for one in found] == [near.id, far.id]
    assert found[0].span == (10, 19)


def test_a_removed_or_replaced_text_is_found_no_more() -> None:
    rows = make_vectors(300)
    index, ids = build_index(rows)

    index.remove(ids[:5])
    index.upsert([make_text(rows[200][None], ids[10])])

    assert not {near.id for near in index.search(rows[0], limit=300)} & set(ids[:5])
    assert ids[10] not in {near.id for near in index.search(rows[10], limit=1)}
    assert not index._vectors.get(slice(5)).any()
    assert index.count() == 295


def test_only_allowed_texts_are_found() -> None:
    rows = make_vectors(300)
    index, ids = build_index(rows)

    found = index.search(rows[0], limit=50, allowed=ids[100:110])

    assert {near.id for near in found} <= set(ids[100:110])
    assert len(found) == 10


def test_rows_of_sixteen_bits_have_the_order_of_floats_in_half_the_memory() -> None:
    floats = make_vectors(3000, width=384).astype(np.float16)
    rows, used = VectorRows(384, 0), len(floats)
    rows.enlarge(used)
    rows.set_first(floats)
    questions = make_vectors(50, width=384)

    exact, cosines = floats.astype(np.float32) @ questions.T, rows.multiply(questions.T, used=used)

    def list_nearest(column: np.ndarray) -> set[int]:
        return set(np.argsort(-column, kind="stable")[:50].tolist())

    shared = [len(list_nearest(exact[:, n]) & list_nearest(cosines[:, n])) for n in range(50)]
    assert sum(shared) >= 0.99 * 50 * 50
    assert np.abs(cosines - exact).max() < 5e-5
    assert rows.nbytes <= 384 * used * 2 + 4 * used
    assert (rows.pack(np.arange(used)) == floats).mean() > 0.9


def test_what_is_kept_is_the_same() -> None:
    rows = make_vectors(500)
    index, ids = build_index(rows)
    index.remove(ids[3:9])

    again = VectorsIndex.load(index.dump(), width=32)

    assert again.list_digests() == index.list_digests()
    assert again.search(rows[50], limit=20) == index.search(rows[50], limit=20)
    again.upsert([make_text(rows[3][None], ids[3])])
    assert again.search(rows[3], limit=1)[0].id == ids[3]


@pytest.mark.parametrize("many", [30, 250])
def test_among_few_and_many_allowed_texts_the_nearest_are_found(many: int) -> None:
    rows = make_vectors(300)
    index, ids = build_index(rows)
    cosines = rows[:many] @ rows[0]

    found = index.search(rows[0], limit=3, allowed=[*ids[:many], uuid4()])

    assert [near.id for near in found] == [ids[n] for n in np.argsort(-cosines)[:3]]


@pytest.mark.parametrize("change", ["add", "replace", "remove"])
def test_a_question_that_is_asked_again_finds_what_changed_meanwhile(change: str) -> None:
    rows = make_vectors(300)
    index, ids = build_index(rows)
    index.search(rows[7], limit=20)

    if change == "remove":
        index.remove(ids[7:8])
    else:
        index.upsert([make_text(rows[7][None], ids[200] if change == "replace" else None)])

    found = {near.id for near in index.search(rows[7], limit=2)}
    assert found == {near.id for near in VectorsIndex.load(index.dump(), width=32).search(rows[7], limit=2)}
    assert (ids[7] in found) is (change != "remove")
    assert (ids[200] in found) is (change == "replace")


def test_a_filter_that_is_asked_again_knows_the_new_chunks_of_its_texts() -> None:
    rows = make_vectors(300)
    index, ids = build_index(rows)
    allowed = frozenset(ids[:3])
    index.search(rows[200], limit=3, allowed=allowed)

    index.upsert([make_text(np.stack([-rows[200], rows[200]]), ids[0])])

    (near,) = index.search(rows[200], limit=1, allowed=allowed)
    assert (near.id, near.span) == (ids[0], (10, 19))


def test_all_vectors_are_compared_once_for_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = make_vectors(300)
    index, _ = build_index(rows)
    compared: list[int] = []
    compute_threshold = similarity.compute_threshold

    def count(sample: np.ndarray, *, among: int) -> float:
        compared.append(among)
        return compute_threshold(sample, among=among)

    monkeypatch.setattr(similarity, "compute_threshold", count)

    for question in [rows[1], rows[1], rows[2], rows[1]]:
        index.search(question, limit=10)

    assert compared == 3 * [300]


@pytest.mark.parametrize("cut", [0, 5, 100, -1])
def test_torn_bytes_are_refused(cut: int) -> None:
    index, _ = build_index(make_vectors(20))

    with pytest.raises(SnapshotRefused):
        VectorsIndex.load(index.dump()[:cut], width=32)


def test_vectors_of_another_width_are_refused() -> None:
    index, _ = build_index(make_vectors(20))

    with pytest.raises(SnapshotRefused):
        VectorsIndex.load(index.dump(), width=64)


def test_the_body_of_a_row_gives_back_what_it_was_made_of() -> None:
    made = make_text(make_vectors(3))

    again = decode_vectors(made.id, encode_embedded_text(made))

    assert (again.id, again.digest) == (made.id, made.digest)
    assert np.array_equal(again.matrix, made.matrix)
    assert again.spans.tolist() == [list(span) for span in made.spans]  # type: ignore[union-attr]


@pytest.mark.parametrize("body", [b"", b"short", bytes(35)])
def test_bytes_that_are_no_vector_are_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="not the body"):
        decode_vectors(uuid4(), body + b"\xff\xff")


def test_without_hnswlib_no_graph_is_wanted_and_search_compares_all(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = make_vectors(300)
    index, ids = build_index(rows)
    assert index.needs_graph(threshold=100) is graph.is_available()

    monkeypatch.setattr(graph, "find_spec", lambda _: None)
    monkeypatch.setitem(sys.modules, "hnswlib", None)

    assert not index.needs_graph(threshold=100)
    assert index.search(rows[5], limit=1)[0].id == ids[5]


def test_search_and_its_pages_are_imported_without_hnswlib() -> None:
    script = "import sys; sys.modules['hnswlib'] = None; import search.index.vectors, search.benchmarks"
    setup = "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; django.setup(); "

    subprocess.run([sys.executable, "-c", setup + script], cwd=settings.BASE_DIR, check=True)


def test_a_closed_index_answers_nobody() -> None:
    index, _ = build_index(make_vectors(20))
    index.close()

    with pytest.raises(IndexClosed):
        index.search(make_vectors(1)[0], limit=1)
    assert index.size() == 0


def make_topic_vector(topic: np.ndarray, *, day: np.ndarray) -> np.ndarray:
    """Return the vector of a chunk that is mostly common, and partly about a topic."""
    row = day + 0.5 * topic + 0.02 * CHANCE.standard_normal(len(day))
    return np.asarray(row / np.linalg.norm(row), dtype=np.float32)


def test_kindred_is_what_shares_more_than_being_of_the_same_diary() -> None:
    # So wide that no two chunks of the same day are alike by chance.
    day, river, bread = np.eye(256)[:3]
    plain = [make_text(make_topic_vector(0 * day, day=day)[None]) for _ in range(300)]
    rivers = [make_text(make_topic_vector(river, day=day)[None]) for _ in range(3)]
    ids = [one.id for one in [*plain, *rivers]]
    index = VectorsIndex(256)
    index.upsert([*plain, *rivers, make_text(make_topic_vector(bread, day=day)[None])])

    own = np.stack([make_topic_vector(river, day=day), make_topic_vector(0 * day, day=day)])
    found = index.find_similar(own, floor=0.2, weights=dict.fromkeys(ids, 1), least=0.5, limit=10)

    assert {near.id for near in found} == {one.id for one in rivers}
    assert {near.own for near in found} == {0}
    assert index.find_similar(own, floor=0.2, weights={plain[0].id: 1}, least=0.5, limit=10) == []


def test_similar_chunks_rank_by_cosine_times_weight() -> None:
    near, nearer = make_text(np.float32([[0.8, 0.6]])), make_text(np.float32([[0.9, 0.436]]))
    index = VectorsIndex(2)
    index.upsert([near, nearer])
    asked = np.float32([[1, 0]])

    def find(weights: dict[UUID, float], **limits: float) -> list[UUID]:
        found = index.find_similar(asked, floor=0.2, weights=weights, **{"least": 0, "limit": 5} | limits)  # type: ignore[arg-type]
        return [chunk.id for chunk in found]

    assert find({near.id: 1, nearer.id: 1}) == [nearer.id, near.id]
    assert find({near.id: 2, nearer.id: 1}) == [near.id, nearer.id]
    assert find({near.id: 2, nearer.id: 1}, least=1) == [near.id]
    assert find({near.id: 2, nearer.id: 1}, limit=1) == [near.id]
    assert find({near.id: 1, UUID(int=5): 1}) == [near.id]


def test_of_few_texts_the_cosine_itself_says_what_is_kindred() -> None:
    one, other = (make_text(row[None]) for row in np.eye(8, dtype=np.float32)[:2])
    index = VectorsIndex(8)
    index.upsert([one, other])

    weights = {one.id: 1.0, other.id: 1.0}
    own = np.eye(8, dtype=np.float32)[:1]
    found = index.find_similar(own, floor=0.2, weights=weights, least=0, limit=5)

    assert [near.id for near in found] == [one.id]
    assert VectorsIndex(8).find_similar(own, floor=0.2, weights=weights, least=0, limit=5) == []


def test_removed_texts_are_kin_of_nobody() -> None:
    rows = make_vectors(400)
    index, ids = build_index(rows)
    index.remove(ids[:200])

    weights = dict.fromkeys(ids, 1.0)
    found = index.find_similar(rows[:1], floor=-1, weights=weights, least=-1, limit=400)

    assert found
    assert not {near.id for near in found} & set(ids[:200])
