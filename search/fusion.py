"""Several rankings made one, and why each hit is in it. Pure.

Reciprocal rank fusion (Cormack, Clarke and Buettcher, 2009): each ranking gives 1 / (10 + rank). Their 60
makes the fifth nearly as good as the first; over one diary the first is often the one that was meant. Texts
with the very phrase come first whatever else ranks; days decide only between equals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

_K: Final = 10

PHRASE: Final = "phrase"
WORDS: Final = "words"
TRACE: Final = "trace"
MEANING: Final = "meaning"


@dataclass(frozen=True, slots=True)
class Ranked:
    """A hit's id and the reasons it is one."""

    id: UUID
    why: tuple[str, ...]


def fuse(
    *,
    phrases: Sequence[UUID],
    strict: Sequence[UUID],
    loose: Sequence[UUID],
    meaning: Sequence[UUID],
    days: dict[UUID, date],
) -> list[Ranked]:
    """Return everything found, best first."""
    scores: dict[UUID, float] = {}
    why: dict[UUID, list[str]] = {}
    for ranking, reason in ((phrases, PHRASE), (strict, WORDS), (loose, WORDS), (meaning, MEANING)):
        for rank, id_ in enumerate(ranking):
            scores[id_] = scores.get(id_, 0.0) + 1 / (_K + rank + 1)
            why.setdefault(id_, [])
            if reason not in why[id_] and not (reason == WORDS and PHRASE in why[id_]):
                why[id_].append(reason)
    pinned = set(phrases)

    def order(id_: UUID) -> tuple[bool, float, int]:
        return id_ not in pinned, -scores[id_], -days[id_].toordinal()

    return [Ranked(id_, tuple(why[id_])) for id_ in sorted((id_ for id_ in scores if id_ in days), key=order)]
