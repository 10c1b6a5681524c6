"""Comparison of a new fact with an earlier one of the same person, without a model.

    same       normalised words agree, and numbers, names and polarity are identical
    newer      another value in a relation with one value at a time, or "now", "moved", "no longer"
    reversed   the same with the other polarity
    extends    the value of one contains that of the other
    beside     both can be true

The verdict decides which earlier facts are shown, and the order of the buttons, of which the owner presses
one. Only `same` is decided without the owner, if they chose that. A sensitive earlier fact (health, marriage,
diet, money, addiction) with the same subject and relation is always shown.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from traces.facts.languages import Cardinality
from traces.facts.statements import Statement, Words


class Verdict(Enum):
    """The possible relations of a fact to an earlier one. The values are their names in the API."""

    SAME = "same"
    NEWER = "newer"
    REVERSED = "reversed"
    EXTENDS = "extends"
    BESIDE = "beside"


class Strategy(Enum):
    """The ways to resolve a conflict between two facts. The values are their names in the API."""

    SAID_AGAIN = "update_timestamp"
    REPLACE = "replace"
    MERGE = "merge"
    LINK = "link"
    CREATE_NEW = "create_new"
    BOTH = "keep_both"
    ARCHIVE_OLD = "archive_old"


FIRST_STRATEGIES: Final = {
    Verdict.SAME: Strategy.SAID_AGAIN,
    Verdict.NEWER: Strategy.REPLACE,
    Verdict.REVERSED: Strategy.REPLACE,
    Verdict.EXTENDS: Strategy.MERGE,
    Verdict.BESIDE: Strategy.BOTH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The verdict on two facts, and whether the owner must decide what becomes of them (`asks`).

    The owner may have to decide even if both facts can be true. `advised` is the strategy that a model on
    this machine advises. It only affects the order of the buttons.
    """

    verdict: Verdict
    asks: bool = False
    is_sensitive: bool = False
    advised: Strategy | None = None

    @property
    def first_strategy(self) -> Strategy:
        """The strategy that is offered first for resolving the conflict of the two facts."""
        return self.advised if self.takes_advice and self.advised else FIRST_STRATEGIES[self.verdict]

    @property
    def takes_advice(self) -> bool:
        """Whether a model's advice is used: only if it is unclear whether one fact replaces the other.

        It is never used for sensitive facts.
        """
        return self.verdict is Verdict.BESIDE and self.asks and not self.is_sensitive


def compare(first: Statement, then: Statement) -> Comparison:
    """Compare a new statement (`then`) with an earlier one (`first`), and return the comparison."""
    verdict = _find_verdict(first, then)
    is_open = verdict is Verdict.BESIDE and _may_touch(first, then)
    is_sensitive = first.is_sensitive or then.is_sensitive
    asks = is_open or (is_sensitive and verdict is not Verdict.SAME)
    return Comparison(verdict=verdict, asks=asks, is_sensitive=is_sensitive)


def _find_verdict(first: Statement, then: Statement) -> Verdict:
    if first.subject != then.subject or first.relation != then.relation:
        return Verdict.BESIDE
    if first.value == then.value:
        return _judge_polarity(first, then)
    if then.has_ended or first.has_ended or then.is_negative or first.is_negative:
        # "No longer in Boston" and "in New York" say nothing of each other; a move does.
        return Verdict.NEWER if then.is_new and then.cardinality is Cardinality.ONE else Verdict.BESIDE
    if _contains(first.value, then.value) or _contains(then.value, first.value):
        return Verdict.EXTENDS
    if then.cardinality is Cardinality.ONE or (then.is_new and then.cardinality is not Cardinality.DATED):
        return Verdict.NEWER
    return Verdict.BESIDE


def _judge_polarity(first: Statement, then: Statement) -> Verdict:
    if first.has_ended != then.has_ended:
        return Verdict.NEWER
    if first.is_negative != then.is_negative:
        return Verdict.REVERSED
    return Verdict.SAME if first.negated == then.negated else Verdict.BESIDE


def _contains(less: tuple[Words, ...], more: tuple[Words, ...]) -> bool:
    """Return whether a value says all that another one says, and more.

    "Boston, Massachusetts" contains "Boston"; "New York" does not contain "York".
    """
    return less != more and all(any(each[: len(item)] == item for each in more) for item in less)


def _may_touch(first: Statement, then: Statement) -> bool:
    """Return whether one fact may replace the other although both can be true."""
    return (
        first.subject == then.subject
        and first.relation == then.relation
        and bool(first.relation)
        and then.cardinality is not Cardinality.DATED
    )
