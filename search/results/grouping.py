"""Groups of search hits by day, in which entries come before replies and no text is repeated. Pure.

Facts and notes belong to no day: each kind is one group, unless only that kind was searched; then each text
is a group.

A group has the rank of its best hit. It is led by the best entry of the day among the hits, or else by the
best hit; replies follow their entry. A text that occurs on several days is in the group of the day where it
ranks best, with the other days beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from uuid import UUID

from search.fusion import MEANING, PHRASE, RankedHit
from search.index.types import APART_KINDS, TextOutline

OWN_KIND = "entry"


@dataclass(frozen=True, slots=True)
class HitGroup:
    """The hits of one day, the leading one first. `same_texts` maps a hit's id to hits with the same text."""

    day: date
    hits: Sequence[RankedHit]
    same_texts: Mapping[UUID, Sequence[RankedHit]] = field(default_factory=dict)

    @property
    def is_best_folded(self) -> bool:
        """Whether the best hit of the group is folded, which means hidden under the leading hit.

        The leading hit then matches less well.
        """
        leading, *others = (_judge(hit) for hit in self.hits)
        return any(other < leading for other in others)


def _judge(hit: RankedHit) -> int:
    """Return 0 for a hit with the phrase, 1 with words or a trace, 2 if found by meaning alone."""
    if PHRASE in hit.why:
        return 0
    return 2 if hit.why == (MEANING,) else 1


def group_hits(
    ranked: Iterable[RankedHit], outlines: Mapping[UUID, TextOutline], *, are_facts_apart: bool = False
) -> list[HitGroup]:
    """Return search hits in groups, best group first. `outlines` has the kind and day of each text by id.

    A hit whose id is not in `outlines` is left out. Hits that are added at the end of the ranking add groups
    at the end, and change no order. With `are_facts_apart` each fact or note is a group.
    """
    first_of_text: dict[tuple[str, bytes], UUID] = {}
    same_texts: dict[UUID, list[RankedHit]] = {}
    groups: dict[date | UUID | str, list[RankedHit]] = {}
    for hit in ranked:
        outline = outlines.get(hit.id)
        if outline is None:
            continue
        first = first_of_text.setdefault((outline.kind, outline.digest), hit.id)
        if first == hit.id:
            apart_group = hit.id if are_facts_apart else outline.kind
            group = apart_group if outline.kind in APART_KINDS else outline.day
            groups.setdefault(group, []).append(hit)
        elif outline.day != outlines[first].day:
            same_texts.setdefault(first, []).append(hit)
    return [
        HitGroup(
            outlines[hits[0].id].day,
            _put_own_first(hits, outlines),
            {hit.id: _list_once_a_day(same_texts[hit.id], outlines) for hit in hits if hit.id in same_texts},
        )
        for hits in groups.values()
    ]


def _put_own_first(hits: Sequence[RankedHit], outlines: Mapping[UUID, TextOutline]) -> list[RankedHit]:
    """Return the hits of a day: each entry before its replies, then what belongs to none of these entries."""
    if len(hits) == 1:
        return list(hits)
    own = [hit.id for hit in hits if outlines[hit.id].kind == OWN_KIND]
    places = {id_: place for place, id_ in enumerate(own)}

    def place(hit: RankedHit) -> tuple[int, bool]:
        outline = outlines[hit.id]
        return places.get(outline.entry, len(own)), outline.kind != OWN_KIND

    return sorted(hits, key=place)


def _list_once_a_day(hits: Iterable[RankedHit], outlines: Mapping[UUID, TextOutline]) -> list[RankedHit]:
    """Return one hit for each day, the latest day first."""
    by_day = {outlines[hit.id].day: hit for hit in hits}
    return [by_day[day] for day in sorted(by_day, reverse=True)]


def list_shown(groups: Sequence[HitGroup], *, most: int) -> list[Sequence[RankedHit]]:
    """Return the hits to show of each group. The first hit of every group is always shown.

    Further hits are shown up to `most` in total.
    """
    shown: list[list[RankedHit]] = [list(group.hits[:1]) for group in groups]
    left = max(0, most - len(groups))
    # One more of each group in turn, so that a day with a hundred hits takes nothing from the others.
    for place in range(1, max((len(group.hits) for group in groups), default=0)):
        further = [number for number, group in enumerate(groups) if len(group.hits) > place]
        for number in islice(further, left):
            shown[number].append(groups[number].hits[place])
        left -= len(further)
        if left <= 0:
            break
    return list(shown)
