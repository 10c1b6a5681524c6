"""Reciprocal rank fusion: merges several rankings into one, with the reasons for each hit. Pure.

After Cormack, Clarke and Buettcher (2009): a hit scores 1 / (10 + rank) in each ranking. The paper's constant
is 60, which scores the fifth hit nearly as high as the first; in a diary, the first is often the right one.
Texts that contain the exact phrase always come first; equal scores are ordered by day, latest first.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

_K: Final = 10

PHRASE: Final = "phrase"
WORDS: Final = "words"
TRACE: Final = "trace"
MEANING: Final = "meaning"

# Reasons as bits; whoever holds the phrase is not said to hold the words.
_PHRASE, _WORDS, _TRACE, _MEANING = 1, 2, 4, 8
_WHY: Final = tuple(
    tuple(
        reason
        for bit, reason in ((_PHRASE, PHRASE), (_WORDS, WORDS), (_TRACE, TRACE), (_MEANING, MEANING))
        if bits & bit and not (bit == _WORDS and bits & _PHRASE)
    )
    for bits in range(16)
)


class RankedHit(NamedTuple):
    """The id of a hit and the reasons it was found."""

    id: UUID
    why: tuple[str, ...]


def fuse(
    *,
    phrases: Sequence[UUID],
    strict: Sequence[UUID],
    loose: Sequence[UUID],
    traced: Sequence[UUID] = (),
    meaning: Sequence[UUID],
    days: dict[UUID, date],
) -> list[RankedHit]:
    """Return all hits of the rankings, best first."""
    # Score and reasons together, since looking an id up is what this spends its time on.
    found: dict[UUID, tuple[float, int]] = {}
    by_words = ((phrases, _PHRASE), (strict, _WORDS), (loose, _WORDS))
    for ranking, reason in (*by_words, (traced, _TRACE), (meaning, _MEANING)):
        for rank, id_ in enumerate(ranking, _K + 1):
            score, why = found.get(id_, (0.0, 0))
            found[id_] = score + 1 / rank, why | reason
    ordered = sorted(
        (not why & _PHRASE, -score, -days[id_].toordinal(), order, id_, why)
        for order, (id_, (score, why)) in enumerate(found.items())
        if id_ in days
    )
    return [RankedHit(id_, _WHY[why]) for *_, id_, why in ordered]
