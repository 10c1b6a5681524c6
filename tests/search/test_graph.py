"""Tests that the graph finds the same rows as a comparison of all vectors; needs hnswlib."""

import pytest

from tests.search.test_vectors import build_index, make_text, make_vectors


@pytest.mark.parametrize("many", [3000, pytest.param(60_000, marks=pytest.mark.slow)])
def test_the_graph_finds_what_looking_at_all_finds(many: int) -> None:
    rows = make_vectors(many, width=384 if many > 10_000 else 32)
    index, _ = build_index(rows)
    questions = make_vectors(50, width=rows.shape[1])
    exact = [{near.id for near in index.search(question, limit=10)} for question in questions]

    index.build_graph()
    by_graph = [{near.id for near in index.search(question, limit=10)} for question in questions]

    shared = sum(len(a & b) for a, b in zip(exact, by_graph, strict=True))
    assert shared / sum(map(len, exact)) >= 0.99


def test_what_changes_after_the_graph_was_made_is_true_at_once() -> None:
    rows = make_vectors(2000)
    index, ids = build_index(rows)
    index.build_graph()

    added, moved = make_text(rows[0][None]), make_text(rows[1][None], ids[500])
    index.upsert([added, moved])
    index.remove([ids[2]])

    assert added.id in {near.id for near in index.search(rows[0], limit=3)}
    assert ids[500] in {near.id for near in index.search(rows[1], limit=3)}
    assert ids[2] not in {near.id for near in index.search(rows[2], limit=20)}
