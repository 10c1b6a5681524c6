"""Layout of the graph of traces: the lines, the positions, and the labels that fit. Pure.

A line connects a trace with its most similar traces. The similarity of two traces is their number of shared
entries over the geometric mean of their numbers of entries (cosine similarity), so that a trace on every day
is not connected with everything. Positions come from simulated forces (Fruchterman and Reingold, Graph
Drawing by Force-directed Placement, 1991) with a fixed start and a fixed number of rounds, so that the same
traces always give the same drawing.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import sqrt
from typing import NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt

from traces.statistics import CoOccurrences

MAX_NODES = 300
MAX_LINKS = 3  # lines from each trace
_FEWER_LINKS = ((60, 2), (150, 1))  # with more than so many traces, only so many lines
_ROUNDS = 90
_GOLDEN_ANGLE = 2.399963229728653  # radians; spreads the points of a spiral evenly
_MARGIN = 14.0
Points = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TracePair:
    """Two traces that share entries: the number of shared entries, and the similarity, up to 1."""

    trace_id: UUID
    other_id: UUID
    count: int
    similarity: float


@dataclass(frozen=True, slots=True)
class GraphFrame:
    """The size of a drawing, and the size of the letters in it, both in units of the drawing."""

    width: int
    height: int
    font_size: float
    always_labelled: int  # so many of the largest get a label even if it covers smaller points


WIDE = GraphFrame(width=760, height=600, font_size=13, always_labelled=40)
TALL = GraphFrame(width=360, height=520, font_size=12, always_labelled=16)


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A trace in a drawing; `anchor` is the SVG `text-anchor` of its label, "" for no label."""

    id: UUID
    x: float
    y: float
    radius: float
    anchor: str = ""
    label_x: float = 0
    label_y: float = 0


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """A line between two traces, in one of three widths."""

    x1: float
    y1: float
    x2: float
    y2: float
    width: int


@dataclass(frozen=True, slots=True)
class GraphDrawing:
    """The points and lines in one frame; the largest points are last, so that their labels are on top."""

    frame: GraphFrame
    nodes: Sequence[GraphNode]
    lines: Sequence[GraphEdge]


def find_most_similar_pairs(shared: CoOccurrences) -> dict[UUID, list[TracePair]]:
    """Return the most similar pairs of each trace, sorted by similarity, then by count, then by id."""
    own = np.sqrt(np.diag(shared.counts).astype(np.float64))
    similarity = shared.counts / np.maximum(own[:, None] * own[None, :], 1)
    positions = np.arange(len(shared.ids))
    pairs: dict[UUID, list[TracePair]] = {}
    for row, one in enumerate(shared.ids):
        counts, similar = shared.counts[row], similarity[row]
        order = np.lexsort((positions, -counts, -similar))[: MAX_LINKS + 1].tolist()
        columns = [column for column in order if column != row and counts[column]]
        pairs[one] = [
            TracePair(one, shared.ids[column], int(counts[column]), float(similar[column]))
            for column in columns[:MAX_LINKS]
        ]
    return pairs


def choose_edges(pairs: Mapping[UUID, Sequence[TracePair]]) -> list[TracePair]:
    """Return the pairs that get a line: the most similar pairs of each trace, each pair once."""
    most = min([MAX_LINKS, *(lines for traces, lines in _FEWER_LINKS if len(pairs) > traces)])
    chosen = {
        (min(pair.trace_id, pair.other_id), max(pair.trace_id, pair.other_id)): pair
        for pairs_of_trace in pairs.values()
        for pair in pairs_of_trace[:most]
    }
    return [chosen[ids] for ids in sorted(chosen)]


def draw_graph(
    shared: CoOccurrences, lines: Sequence[TracePair], *, frame: GraphFrame, name: Callable[[UUID], str]
) -> GraphDrawing:
    """Return the drawing of these traces and lines; `name` returns the label of a trace."""
    index = {id_: number for number, id_ in enumerate(shared.ids)}
    counts = tuple(int(count) for count in np.diag(shared.counts))
    pairs = tuple((index[pair.trace_id], index[pair.other_id], pair.similarity) for pair in lines)
    points, radii = _compute_positions(counts, pairs, frame)
    nodes = [
        GraphNode(id_, round(float(x), 1), round(float(y), 1), round(float(radius), 1))
        for id_, (x, y), radius in zip(shared.ids, points, radii, strict=True)
    ]
    by_size = sorted(range(len(nodes)), key=lambda number: (-counts[number], number))
    labelled = _add_labels(nodes, by_size, frame, name)
    return GraphDrawing(frame, [labelled[number] for number in reversed(by_size)], _build_edges(nodes, pairs))


@lru_cache(maxsize=16)  # holds counts and similarities alone, no id and no name
def _compute_positions(
    counts: tuple[int, ...], pairs: tuple[tuple[int, int, float], ...], frame: GraphFrame
) -> tuple[Points, npt.NDArray[np.float64]]:
    """Return the positions of n points in a frame, as n x 2, and their radii."""
    radii = _compute_radii(np.array(counts), frame)
    return _separate_points(_fit_to_frame(_simulate_forces(counts, pairs), frame), radii, frame), radii


@lru_cache(maxsize=8)
def _simulate_forces(counts: tuple[int, ...], pairs: tuple[tuple[int, int, float], ...]) -> Points:
    """Return the positions of n points, as n x 2, around the middle of a square of side 1."""
    many = len(counts)
    order = np.argsort(-np.array(counts), kind="stable")
    # The start is a spiral from the most frequent trace outwards.
    rank = np.empty(many)
    rank[order] = np.arange(many)
    radius = 0.5 * np.sqrt((rank + 0.5) / max(1, many))
    points = np.column_stack((radius * np.cos(rank * _GOLDEN_ANGLE), radius * np.sin(rank * _GOLDEN_ANGLE)))
    if many < 2:
        return points
    x, y = points[:, 0].astype(np.float32), points[:, 1].astype(np.float32)
    pull = np.zeros((many, many), dtype=np.float32)
    for one, other, similarity in pairs:
        pull[one, other] = pull[other, one] = 0.4 + similarity
    ideal = 0.9 / sqrt(many)
    for number in range(_ROUNDS):
        most = 0.12 * (1 - number / _ROUNDS) ** 1.5 + 0.001
        _move_points(x, y, pull / ideal, ideal**2, most)
    return np.column_stack((x, y)).astype(np.float64)


def _move_points(x: Numbers, y: Numbers, pull: Numbers, push: float, most: float) -> None:
    """Move each point by the forces on it, by at most `most`."""
    apart_x, apart_y = x[:, None] - x[None, :], y[:, None] - y[None, :]
    square = np.maximum(apart_x * apart_x + apart_y * apart_y, 1e-8)
    force = push / square - pull * np.sqrt(square)
    # The last term keeps points without lines from drifting out of the frame.
    moved_x = np.einsum("ij,ij->i", apart_x, force) - x * 1.1
    moved_y = np.einsum("ij,ij->i", apart_y, force) - y * 1.1
    length = np.maximum(np.sqrt(moved_x**2 + moved_y**2), 1e-9)
    share = np.minimum(length, most) / length
    x += moved_x * share
    y += moved_y * share


def _fit_to_frame(points: Points, frame: GraphFrame) -> Points:
    """Scale points to the frame, with a wider margin at the left and right for labels."""
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.where(high - low > 1e-6, high - low, 1)
    inner = np.array([frame.width - 8 * _MARGIN, frame.height - 4 * _MARGIN])
    middle = np.array([frame.width / 2, frame.height / 2])
    share = np.where(high - low > 1e-6, (points - low) / span - 0.5, 0)
    return np.asarray(middle + share * inner, dtype=np.float64)


def _compute_radii(counts: npt.NDArray[np.int64], frame: GraphFrame) -> npt.NDArray[np.float64]:
    largest = min(frame.width, frame.height) / (14 + sqrt(len(counts)) * 2.2)
    return np.asarray(2.5 + (largest - 2.5) * np.sqrt(counts / max(1, counts.max(initial=1))))


def _separate_points(points: Points, radii: npt.NDArray[np.float64], frame: GraphFrame) -> Points:
    """Push overlapping points apart, and all points into the frame."""
    least = 1.4 * (radii[:, None] + radii[None, :]) + 3
    np.fill_diagonal(least, 0)
    x, y = points[:, 0].copy(), points[:, 1].copy()
    for _ in range(30):
        apart_x, apart_y = x[:, None] - x[None, :], y[:, None] - y[None, :]
        far = np.sqrt(apart_x * apart_x + apart_y * apart_y)
        lack = np.maximum(0, least - far) / np.maximum(far, 1e-3)
        if not lack.any():
            break
        x += 0.5 * np.einsum("ij,ij->i", apart_x, lack)
        y += 0.5 * np.einsum("ij,ij->i", apart_y, lack)
    edge = radii + 2
    return np.column_stack((np.clip(x, edge, frame.width - edge), np.clip(y, edge, frame.height - edge)))


# --- Labels --------------------------------------------------------------------------------------------


def estimate_text_width(text: str, letters: float) -> float:
    """Return the approximate width of a text; East Asian letters are square, others half as wide."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return letters * (0.56 * (len(text) - wide) + 1.05 * wide)


LabelBox = tuple[float, float, float, float]


def _add_labels(
    nodes: Sequence[GraphNode], by_size: Sequence[int], frame: GraphFrame, name: Callable[[UUID], str]
) -> list[GraphNode]:
    """Add labels that fit, largest points first; no label covers another label.

    Only labels of the largest points may cover smaller points.
    """
    points = np.array([(n.x - n.radius, n.y - n.radius, n.x + n.radius, n.y + n.radius) for n in nodes])
    labelled, boxes = list(nodes), list[LabelBox]()
    for rank, number in enumerate(by_size):
        node = nodes[number]
        sides = _list_label_sides(node, estimate_text_width(name(node.id), frame.font_size), frame.font_size)
        free = [side for side in sides if _is_inside(side.box, frame) and not _overlaps_any(side.box, boxes)]
        covers = {side: _count_points_under(side.box, points) for side in free}
        best = min(free, key=covers.__getitem__, default=None)
        if best is not None and (rank < frame.always_labelled or not covers[best]):
            labelled[number] = replace(node, anchor=best.anchor, label_x=best.x, label_y=best.y)
            boxes.append(best.box)
    return labelled


class LabelSide(NamedTuple):
    """A possible position of a label: its SVG `text-anchor`, its baseline's x and y, and its bounding box."""

    anchor: str
    x: float
    y: float
    box: LabelBox


def _list_label_sides(node: GraphNode, width: float, letters: float) -> list[LabelSide]:
    """Return the possible positions of a label, best first."""
    x, y, gap, half = node.x, node.y, node.radius + 3, letters / 2
    right, left, above, below = x + gap, x - gap, y - gap, y + gap
    middle, across = round(y + 0.35 * letters, 1), (x - width / 2, x + width / 2)
    return [
        LabelSide("start", round(right, 1), middle, (right, y - half, right + width, y + half)),
        LabelSide("end", round(left, 1), middle, (left - width, y - half, left, y + half)),
        LabelSide(
            "middle", x, round(below + 0.8 * letters, 1), (across[0], below, across[1], below + letters)
        ),
        LabelSide(
            "middle", x, round(above - 0.2 * letters, 1), (across[0], above - letters, across[1], above)
        ),
    ]


def _overlaps_any(box: LabelBox, others: Sequence[LabelBox]) -> bool:
    return any(_overlaps(box, other) for other in others)


def _count_points_under(box: LabelBox, points: Points) -> int:
    left, top, right, bottom = points.T
    return int(np.count_nonzero((left < box[2]) & (box[0] < right) & (top < box[3]) & (box[1] < bottom)))


def _is_inside(box: LabelBox, frame: GraphFrame) -> bool:
    return box[0] >= 1 and box[1] >= 1 and box[2] <= frame.width - 1 and box[3] <= frame.height - 1


def _overlaps(one: LabelBox, other: LabelBox) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _build_edges(nodes: Sequence[GraphNode], pairs: Sequence[tuple[int, int, float]]) -> list[GraphEdge]:
    """Return the lines, thinnest first, so that a strong one is never drawn under a weak one."""
    by_similarity = sorted(pairs, key=lambda pair: pair[2])
    ends = [(nodes[one], nodes[other]) for one, other, _ in by_similarity]
    widths = [1 + (similarity >= 0.25) + (similarity >= 0.5) for _, _, similarity in by_similarity]
    return [
        GraphEdge(one.x, one.y, other.x, other.y, width)
        for (one, other), width in zip(ends, widths, strict=True)
    ]
