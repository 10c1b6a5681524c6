"""The picture of a person's traces and the table beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.utils.safestring import SafeString

from traces import markup
from traces.detail import address
from traces.figures import Together, together
from traces.graph import MOST, NEAREST, TALL, WIDE, Frame, Tie, draw, joined, ties
from traces.listing import names
from traces.tallies import every_pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A trace in the table: on how many entries it is, and what it goes with most: address, name, count."""

    id: UUID
    name: str = field(repr=False)
    count: int
    nearest: Sequence[tuple[str, str, int]] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One drawing, ready for its page; `kind` tells the wide one from the tall one."""

    kind: str
    frame: Frame
    points: SafeString = field(repr=False)
    lines: SafeString = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The drawings, the table, how many traces are drawn, and how many are in the table only."""

    drawings: Sequence[Drawn] = ()
    table: Sequence[Beside] = ()
    drawn: int = 0
    left_out: int = 0


def overview(owner_id: UUID) -> Overview:
    """Return the picture and its table; the drawing holds the three hundred most kept."""
    called = names(owner_id)
    shared = together(pair for pair in every_pair(owner_id) if pair[1] in called)
    if not shared.ids:
        return Overview()
    near = ties(shared)
    drawn = _most_kept(shared)
    lines = [tie for tie in joined(near) if tie.one in drawn.ids and tie.other in drawn.ids]
    drawings = [_drawn(drawn, lines, called, frame, kind) for kind, frame in (("wide", WIDE), ("tall", TALL))]
    table = [
        Beside(
            id=id_,
            name=called[id_],
            count=int(shared.counts[row, row]),
            nearest=[
                (address((id_, tie.other)), called[tie.other], tie.count) for tie in near[id_][:NEAREST]
            ],
        )
        for row, id_ in enumerate(shared.ids)
    ]
    table.sort(key=lambda one: (-one.count, one.name.casefold()))
    return Overview(
        drawings=drawings, table=table, drawn=len(drawn.ids), left_out=len(shared.ids) - len(drawn.ids)
    )


def _most_kept(shared: Together) -> Together:
    """Return the part of a table of shared counts that a picture holds."""
    if len(shared.ids) <= MOST:
        return shared
    by_count = sorted(range(len(shared.ids)), key=lambda row: (-shared.counts[row, row], row))
    rows = sorted(by_count[:MOST])
    return Together([shared.ids[row] for row in rows], shared.counts[rows][:, rows])


def _drawn(shared: Together, lines: Sequence[Tie], called: dict[UUID, str], frame: Frame, kind: str) -> Drawn:
    picture = draw(shared, lines, frame=frame, name=called.__getitem__)
    return Drawn(
        kind=kind,
        frame=frame,
        points=markup.points(picture.nodes, name=called.__getitem__, at=lambda id_: address((id_,))),
        lines=markup.lines(picture.lines),
    )
