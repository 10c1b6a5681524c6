"""Conditions that select which facts to list, find or export.

Call these functions inside `in_force`, with a keyring that has the realm `facts`.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from django.db.models import OuterRef, Q, Subquery

from diary.models import Entry, Origin
from llamora.crypto import current_realm_keyring
from llamora.normalization import normalize
from traces.facts.models import TRUSTED_FACT_ORIGINS, Fact, FactQuerySet, FactState
from traces.facts.open_facts import OpenFact, iter_open_facts

# All but proposals, which are no facts yet.
SAVED_STATES: Final = (FactState.ACCEPTED, FactState.ENDED, FactState.ARCHIVED)
# How sure a fact is says how it came about, never what a model or a program says of it.
ENTERED, CONFIRMED, PROPOSED = 1.0, 0.9, 0.5
_CONFIDENCES: Final = {
    PROPOSED: Q(state=FactState.PROPOSED),
    ENTERED: Q(origin=Origin.OWN) & ~Q(state=FactState.PROPOSED),
    CONFIRMED: ~Q(origin=Origin.OWN) & ~Q(state=FactState.PROPOSED),
}


@dataclass(frozen=True, kw_only=True)
class FactSelection:
    """Conditions for selecting facts. A fact is selected if it meets all of them.

    `kind` and `words` (all must occur) are compared with decrypted facts, the others with columns. The range
    of days is inclusive; the day of a fact is that of its entry, or else the day on which it was added.
    Without `reads_others`, only trusted facts are selected.
    """

    states: Collection[str] = SAVED_STATES
    kind: str = ""
    words: str = field(default="", repr=False)
    since: date | None = None
    until: date | None = None
    least_confidence: float = 0.0
    most_confidence: float = 1.0
    reads_others: bool = True

    @property
    def needs_decryption(self) -> bool:
        """Whether facts must be decrypted to select them."""
        return bool(self.kind or self.words)

    def select(self, owner_id: UUID, *, among: Collection[UUID] | None = None) -> FactQuerySet:
        """Return the facts that match the conditions on columns, unordered. `among` limits them by id."""
        facts = Fact.objects
        rows = self._narrow(facts.for_owner(owner_id) if among is None else facts.for_ids(owner_id, among))
        return rows if self.reads_others else rows.filter(origin__in=TRUSTED_FACT_ORIGINS)

    def count_left_out(self, owner_id: UUID) -> int:
        """Return how many facts match the conditions on columns but are left out as not trusted."""
        if self.reads_others:
            return 0
        return self._narrow(Fact.objects.for_owner(owner_id)).exclude(origin__in=TRUSTED_FACT_ORIGINS).count()

    def _narrow(self, facts: FactQuerySet) -> FactQuerySet:
        rows = with_days(facts).order_by()
        rows = rows.filter(state__in=[str(state) for state in self.states])
        if self.since is not None:
            rows = rows.filter(_has_day("gte", self.since))
        # No day comes after the last one there is.
        if self.until is not None and self.until < date.max:
            rows = rows.filter(_has_day("lt", self.until + timedelta(days=1)))
        if self.least_confidence > 0 or self.most_confidence < 1:
            fitting = Q(pk__in=[])
            for confidence, condition in _CONFIDENCES.items():
                if self.least_confidence <= confidence <= self.most_confidence:
                    fitting |= condition
            rows = rows.filter(fitting)
        return rows

    def iter_selected(self, rows: FactQuerySet) -> Iterator[OpenFact]:
        """Yield the facts among `rows`, decrypted, in order, that match the conditions on kind and sentence.

        A damaged fact is included, unless a kind or words are wanted.
        """
        fits = self.build_condition()
        for fact in iter_open_facts(rows, keyring=current_realm_keyring()):
            if fits is None or fits(fact.get_text("kind"), fact.get_text("text")):
                yield fact

    def build_condition(self) -> Callable[[str, str], bool] | None:
        """Return a test of a fact's kind and sentence, or None if the selection has no condition on them."""
        if not self.needs_decryption:
            return None
        wanted = normalize("NFC", self.kind).casefold()
        words = normalize("NFKC", self.words).casefold().split()

        def fits(kind: str, text: str) -> bool:
            if wanted and normalize("NFC", kind).casefold() != wanted:
                return False
            folded = normalize("NFKC", text).casefold() if words else ""
            return all(word in folded for word in words)

        return fits


def with_days(rows: FactQuerySet) -> FactQuerySet:
    """Return facts with the day of their entry as `entry_day`, for `iter_open_facts`."""
    # A function of SQLite for the day of a moment would be Python's, and slower than all the rest.
    day = Subquery(Entry.objects.filter(id=OuterRef("entry_id")).order_by().values("day")[:1])
    return rows.annotate(entry_day=day)


def _has_day(comparison: str, day: date) -> Q:
    """Return the condition that compares the day of a fact with `day`, by a lookup such as "gte"."""
    start = datetime.combine(day, time(), tzinfo=UTC)
    added = Q(entry_day=None) & Q(**{f"created_at__{comparison}": start})
    return added | Q(**{f"entry_day__{comparison}": day})


def get_confidence(*, state: str, origin: str) -> float:
    """Return the confidence in a fact, from 0 to 1."""
    if state == FactState.PROPOSED:
        return PROPOSED
    return ENTERED if origin == Origin.OWN else CONFIRMED
