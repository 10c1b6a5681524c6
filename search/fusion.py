"""Fusion of the hits by words and the hits by meaning into one ranking, with the reasons for each hit. Pure.

The score of a hit is the share of the query's words in its text, weighted by their rarity, plus its
similarity in meaning. These sums were compared with reciprocal rank fusion (Cormack, Clarke and Buettcher,
2009). With 65 questions about five years of a diary, the right day came first 38 times instead of 34, and
among the first five 54 times instead of 53; of the 40 questions of four kinds in `tests/search/questions.py`,
34 times instead of 32. Comparing the vectors of all tokens of the best twenty texts (late interaction) found
at most one more, and would need four times the space for vectors.

Texts that contain the exact phrase always come first. Among equals, entries come before replies, and later
texts before earlier ones.
"""

from collections.abc import Container, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

# What closeness counts beside the share of the words: a text about the question without one of its words
# stands before one that has a single frequent word of it.
_MEANING_WEIGHT: Final = 1.6
# Among texts with the same words the word index has an order of its own; it decides between near equals.
_RANK_WEIGHT: Final = 0.3
_K: Final = 10
# Words that the person wrote herself count more than the same ones of a reply, whatever their order there.
_OWN_WEIGHT: Final = _RANK_WEIGHT / _K

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
# The same text has a slightly different vector beside longer ones.
_SCORE_DIGITS: Final = 3


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
    shares: Mapping[UUID, float],
    closeness: Mapping[UUID, float],
    days: Mapping[UUID, date],
    own: Container[UUID] = (),
) -> list[RankedHit]:
    """Merge rankings of text ids into one, and return its hits, best first.

    The texts of `phrases`, `strict` and `traced` match the whole query. For other texts, `shares` has the
    part of the query's words that they contain. `closeness` has the nearness in meaning of any text. Both
    range from 0 to 1, and are 0 for a text that they lack. `own` are the texts that the person wrote.
    """
    scores: dict[UUID, float] = {}
    reasons: dict[UUID, int] = {}
    by_words = ((phrases, _PHRASE), (strict, _WORDS), (loose, _WORDS))
    for ranking, reason in (*by_words, (traced, _TRACE), (meaning, _MEANING)):
        has_all = ranking is phrases or ranking is strict or ranking is traced
        for rank, id_ in enumerate(ranking, 1):
            if id_ not in scores:
                scores[id_] = _MEANING_WEIGHT * closeness.get(id_, 0.0)
                scores[id_] += 1.0 if has_all else shares.get(id_, 0.0)
                if ranking is not meaning:
                    scores[id_] += _RANK_WEIGHT / (_K + rank) + (_OWN_WEIGHT if id_ in own else 0.0)
            elif has_all and not reasons[id_] & (_PHRASE | _WORDS):
                scores[id_] += 1.0
            reasons[id_] = reasons.get(id_, 0) | reason
    ordered = sorted(
        (not reasons[id_] & _PHRASE, -round(score, _SCORE_DIGITS), -days[id_].toordinal(), order, id_)
        for order, (id_, score) in enumerate(scores.items())
        if id_ in days
    )
    return [RankedHit(id_, _WHY[reasons[id_]]) for *_, id_ in ordered]
