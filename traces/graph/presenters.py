"""The picture of a person's traces and the table beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.utils.safestring import SafeString

from traces import markup
from traces.detail.presenters import get_traces_url
from traces.graph.layout import (
    MAX_LINKS,
    MAX_NODES,
    TALL,
    WIDE,
    GraphFrame,
    TraceTie,
    choose_edges,
    draw_graph,
    find_nearest_ties,
)
from traces.queries import iter_entry_trace_pairs, load_names
from traces.statistics import CoOccurrences, count_cooccurrences


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphTableRow:
    """A trace in the table: on how many entries it is, and what it goes with most: address, name, count."""

    id: UUID
    name: str = field(repr=False)
    count: int
    nearest: Sequence[tuple[str, str, int]] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedGraph:
    """One drawing, ready for its page; `kind` tells the wide one from the tall one."""

    kind: str
    frame: GraphFrame
    points: SafeString = field(repr=False)
    lines: SafeString = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphOverview:
    """The drawings, the table, how many traces are drawn, and how many are in the table only."""

    drawings: Sequence[RenderedGraph] = ()
    table: Sequence[GraphTableRow] = ()
    drawn: int = 0
    left_out: int = 0


def build_overview(owner_id: UUID) -> GraphOverview:
    """Return the picture and its table; the drawing holds the three hundred most kept."""
    called = load_names(owner_id)
    shared = count_cooccurrences(pair for pair in iter_entry_trace_pairs(owner_id) if pair[1] in called)
    if not shared.ids:
        return GraphOverview()
    near = find_nearest_ties(shared)
    drawn = _select_most_frequent(shared)
    lines = [tie for tie in choose_edges(near) if tie.one in drawn.ids and tie.other in drawn.ids]
    drawings = [
        _render_graph(drawn, lines, called, frame, kind) for kind, frame in (("wide", WIDE), ("tall", TALL))
    ]
    table = [
        GraphTableRow(
            id=id_,
            name=called[id_],
            count=int(shared.counts[row, row]),
            nearest=[
                (get_traces_url((id_, tie.other)), called[tie.other], tie.count)
                for tie in near[id_][:MAX_LINKS]
            ],
        )
        for row, id_ in enumerate(shared.ids)
    ]
    table.sort(key=lambda one: (-one.count, one.name.casefold()))
    return GraphOverview(
        drawings=drawings, table=table, drawn=len(drawn.ids), left_out=len(shared.ids) - len(drawn.ids)
    )


def _select_most_frequent(shared: CoOccurrences) -> CoOccurrences:
    """Return the part of a table of shared counts that a picture holds."""
    if len(shared.ids) <= MAX_NODES:
        return shared
    by_count = sorted(range(len(shared.ids)), key=lambda row: (-shared.counts[row, row], row))
    rows = sorted(by_count[:MAX_NODES])
    return CoOccurrences([shared.ids[row] for row in rows], shared.counts[rows][:, rows])


def _render_graph(
    shared: CoOccurrences, lines: Sequence[TraceTie], called: dict[UUID, str], frame: GraphFrame, kind: str
) -> RenderedGraph:
    picture = draw_graph(shared, lines, frame=frame, name=called.__getitem__)
    return RenderedGraph(
        kind=kind,
        frame=frame,
        points=markup.render_nodes(
            picture.nodes, name=called.__getitem__, at=lambda id_: get_traces_url((id_,))
        ),
        lines=markup.render_edges(picture.lines),
    )
