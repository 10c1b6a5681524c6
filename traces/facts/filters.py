"""Conditions by which facts are listed, found or exported."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from llamora.normalization import normalize
from traces.facts.fact_rows import FactRow
from traces.facts.models import Fact, FactQuerySet, FactState

# All but proposals, which are no facts yet.
SAVED_STATES = (FactState.ACCEPTED, FactState.ENDED, FactState.ARCHIVED)


@dataclass(frozen=True, kw_only=True)
class FactFilter:
    """Conditions of which all hold: states, kind, words that all occur, time of addition, confidence.

    `since` is included and `until` is not. Without `reads_others`, only what is from its owner is read, and
    what the program with the id `program_id` proposed itself.
    """

    states: Collection[str] = SAVED_STATES
    kind: str = ""
    words: str = field(default="", repr=False)
    since: datetime | None = None
    until: datetime | None = None
    least_confidence: float = 0.0
    most_confidence: float = 1.0
    reads_others: bool = True
    program_id: UUID | None = None

    def select(self, owner_id: UUID) -> FactQuerySet:
        """Return a person's facts that the columns allow, in no order."""
        rows = Fact.objects.for_owner(owner_id).filter(state__in=[str(state) for state in self.states])
        if self.since is not None:
            rows = rows.filter(created_at__gte=self.since)
        if self.until is not None:
            rows = rows.filter(created_at__lt=self.until)
        return rows.order_by()

    def may_read(self, row: FactRow) -> bool:
        """Return whether a fact may be read at all by whoever asks."""
        if self.reads_others or row.is_trusted:
            return True
        return self.program_id is not None and row.get_line("token") == str(self.program_id)

    def matches(self, row: FactRow) -> bool:
        """Return whether a fact is one of those that are asked for, by what only its body says.

        A damaged one is, unless its kind or its words are asked for.
        """
        if not self.least_confidence <= row.confidence <= self.most_confidence:
            return False
        if self.kind and normalize("NFC", row.get_line("kind")).casefold() != self.kind.casefold():
            return False
        if not self.words:
            return True
        text = normalize("NFKC", row.get_line("text")).casefold()
        return all(word in text for word in normalize("NFKC", self.words).casefold().split())
