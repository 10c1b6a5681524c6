"""The graph of a person's traces, rendered, and the table beside it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from traces.detail.presenters import get_traces_url
from traces.graph.layout import (
    MAX_LINKS,
    MAX_NODES,
    TALL,
    WIDE,
    GraphEdge,
    GraphFrame,
    GraphNode,
    TracePair,
    choose_edges,
    draw_graph,
    find_most_similar_pairs,
)
from traces.queries import iter_entry_trace_pairs, load_names
from traces.statistics import CoOccurrences, count_cooccurrences

# Each is compared with each: the time and memory of a page must not grow with the square of all traces.
MAX_COMPARED: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphTableRow:
    """A trace in the table: its number of entries, and the URL, name and count of its nearest traces."""

    id: UUID
    name: str = field(repr=False)
    count: int
    nearest: Sequence[tuple[str, str, int]] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedNode:
    """A point of a drawing, with the name and the URL of its trace."""

    node: GraphNode
    name: str = field(repr=False)
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDrawing:
    """A drawing of the graph, whose points have names. `kind` is "wide" or "tall"."""

    kind: str
    frame: GraphFrame
    nodes: Sequence[NamedNode] = field(repr=False)
    edges: Sequence[GraphEdge]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphOverview:
    """The drawings and the table, and the numbers of traces drawn and left out."""

    drawings: Sequence[NamedDrawing] = ()
    table: Sequence[GraphTableRow] = ()
    drawn: int = 0
    left_out: int = 0
    left_out_of_table: int = 0


def build_overview(owner_id: UUID) -> GraphOverview:
    """Return the drawings and the table of a person's graph of traces.

    The drawings contain the `MAX_NODES` most frequent traces. The table contains the `MAX_COMPARED` most
    frequent ones.
    """
    names = load_names(owner_id)
    on_entries = [pair for pair in iter_entry_trace_pairs(owner_id) if pair[1] in names]
    compared, left_out_of_table = _find_compared(trace_id for _, trace_id in on_entries)
    shared = count_cooccurrences(pair for pair in on_entries if pair[1] in compared)
    if not shared.ids:
        return GraphOverview()
    pairs = find_most_similar_pairs(shared)
    drawn = _select_most_frequent(shared)
    lines = [
        pair for pair in choose_edges(pairs) if pair.trace_id in drawn.ids and pair.other_id in drawn.ids
    ]
    drawings = [_draw(drawn, lines, names, frame, kind) for kind, frame in (("wide", WIDE), ("tall", TALL))]
    table = [
        GraphTableRow(
            id=id_,
            name=names[id_],
            count=int(shared.counts[row, row]),
            nearest=[
                (get_traces_url((id_, pair.other_id)), names[pair.other_id], pair.count)
                for pair in pairs[id_][:MAX_LINKS]
            ],
        )
        for row, id_ in enumerate(shared.ids)
    ]
    table.sort(key=lambda one: (-one.count, one.name.casefold()))
    return GraphOverview(
        drawings=drawings,
        table=table,
        drawn=len(drawn.ids),
        left_out=len(shared.ids) - len(drawn.ids),
        left_out_of_table=left_out_of_table,
    )


def _find_compared(trace_ids: Iterable[UUID]) -> tuple[set[UUID], int]:
    """Return the most frequent of these traces, and how many others there are."""
    counts = Counter(trace_ids)
    compared = {trace_id for trace_id, _ in counts.most_common(MAX_COMPARED)}
    return compared, len(counts) - len(compared)


def _select_most_frequent(shared: CoOccurrences) -> CoOccurrences:
    """Return the shared counts of the most frequent traces only."""
    if len(shared.ids) <= MAX_NODES:
        return shared
    by_count = sorted(range(len(shared.ids)), key=lambda row: (-shared.counts[row, row], row))
    rows = sorted(by_count[:MAX_NODES])
    return CoOccurrences([shared.ids[row] for row in rows], shared.counts[rows][:, rows])


def _draw(
    shared: CoOccurrences, lines: Sequence[TracePair], names: dict[UUID, str], frame: GraphFrame, kind: str
) -> NamedDrawing:
    drawing = draw_graph(shared, lines, frame=frame, name=names.__getitem__)
    return NamedDrawing(
        kind=kind,
        frame=frame,
        nodes=[
            NamedNode(node=node, name=names[node.id], url=get_traces_url((node.id,)))
            for node in drawing.nodes
        ],
        edges=drawing.lines,
    )
