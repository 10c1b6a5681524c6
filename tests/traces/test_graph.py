"""Tests of the graph: deterministic, inside its frame, without overlapping labels, for up to 300 traces."""

import random
from itertools import combinations
from uuid import UUID

import pytest

from traces.graph.layout import (
    MAX_LINKS,
    MAX_NODES,
    TALL,
    WIDE,
    GraphDrawing,
    GraphFrame,
    GraphNode,
    choose_edges,
    draw_graph,
    estimate_text_width,
    find_most_similar_pairs,
)
from traces.statistics import CoOccurrences, count_cooccurrences


def build_shared(traces: int, entries: int) -> CoOccurrences:
    chance = random.Random(7)
    ids = [UUID(int=number + 1) for number in range(traces)]
    kept = [
        (UUID(int=10**6 + entry), trace)
        for entry in range(entries)
        for trace in chance.choices(ids, weights=[1 / (n + 1) for n in range(traces)], k=chance.randint(1, 6))
    ]
    return count_cooccurrences(kept)


def name(id_: UUID) -> str:
    return f"trace {id_.int}"


def draw(shared: CoOccurrences, frame: GraphFrame = WIDE) -> GraphDrawing:
    return draw_graph(shared, choose_edges(find_most_similar_pairs(shared)), frame=frame, name=name)


def get_label_box(node: GraphNode, frame: GraphFrame) -> tuple[float, float, float, float]:
    width = estimate_text_width(name(node.id), frame.font_size)
    left = node.label_x - {"start": 0, "middle": width / 2, "end": width}[node.anchor]
    return left, node.label_y - 0.8 * frame.font_size, left + width, node.label_y + 0.2 * frame.font_size


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return (
        one[0] < other[2] - 0.5
        and other[0] < one[2] - 0.5
        and one[1] < other[3] - 0.5
        and other[1] < one[3] - 0.5
    )


@pytest.mark.parametrize("frame", [WIDE, TALL])
@pytest.mark.parametrize("traces", [1, 2, 3, 40, MAX_NODES])
def test_all_is_inside_the_frame_and_no_name_lies_over_another(traces: int, frame: GraphFrame) -> None:
    picture = draw(build_shared(traces, 60 * traces), frame)

    assert len(picture.nodes) == traces
    for node in picture.nodes:
        assert node.radius <= node.x <= frame.width - node.radius
        assert node.radius <= node.y <= frame.height - node.radius
    named = [node for node in picture.nodes if node.anchor]
    for one, other in combinations([get_label_box(node, frame) for node in named], 2):
        assert not overlap(one, other)
    assert len(named) >= min(traces, 20)


def test_the_most_kept_are_the_ones_that_are_named() -> None:
    shared = build_shared(MAX_NODES, 6000)
    counts = dict(zip(shared.ids, shared.counts.diagonal().tolist(), strict=True))

    picture = draw(shared)

    named = [counts[node.id] for node in picture.nodes if node.anchor]
    unnamed = [counts[node.id] for node in picture.nodes if not node.anchor]
    assert sum(named) / len(named) > 2 * sum(unnamed) / len(unnamed)


def test_points_do_not_lie_over_one_another() -> None:
    picture = draw(build_shared(MAX_NODES, 6000))

    overlaps = sum(
        (one.x - other.x) ** 2 + (one.y - other.y) ** 2 < (0.8 * (one.radius + other.radius)) ** 2
        for one, other in combinations(picture.nodes, 2)
    )
    assert overlaps <= 3


def test_the_same_traces_give_the_same_picture() -> None:
    assert draw(build_shared(60, 900)) == draw(build_shared(60, 900))


def test_a_line_joins_what_goes_together_and_not_what_is_merely_frequent() -> None:
    daily, rare, its_friend, alone = (UUID(int=number) for number in range(1, 5))
    rows = [{daily} for _ in range(100)] + [{daily, rare, its_friend}] * 4 + [{alone}]
    shared = count_cooccurrences((UUID(int=10**6 + n), trace) for n, row in enumerate(rows) for trace in row)

    near = find_most_similar_pairs(shared)

    assert [pair.other_id for pair in near[rare]] == [its_friend, daily]
    assert near[rare][0].similarity == pytest.approx(1)
    assert near[rare][0].count == near[rare][1].count == 4
    assert near[alone] == []
    pairs = {(pair.trace_id, pair.other_id) for pair in choose_edges(near)}
    assert len(pairs) == 3
    assert all((other, one) not in pairs for one, other in pairs)


def test_each_asks_for_few_lines() -> None:
    shared = build_shared(40, 4000)

    lines = choose_edges(find_most_similar_pairs(shared))

    assert 40 <= len(lines) <= 40 * MAX_LINKS


def test_what_goes_together_stands_together() -> None:
    left, right = [UUID(int=n) for n in range(1, 6)], [UUID(int=n) for n in range(11, 16)]
    rows = [set(group) for group in (left, right) for _ in range(5)]
    shared = count_cooccurrences((UUID(int=10**6 + n), trace) for n, row in enumerate(rows) for trace in row)

    place = {node.id: complex(node.x, node.y) for node in draw(shared).nodes}

    within = [
        abs(place[one] - place[other]) for group in (left, right) for one, other in combinations(group, 2)
    ]
    between = [abs(place[one] - place[other]) for one in left for other in right]
    assert sum(within) / len(within) < 0.6 * sum(between) / len(between)
