"""The facts of an unlocked person in memory, in the order in which they are listed.

Facts by their subject: first those of the owner, then by the name of whom or what they are of, last those
that have none to stand under; of one subject the newest first. Built on first use, renewed row by row where
facts were saved, removed at a lock (`traces.unlocked_cache`).
"""

import sys
import threading
from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Final
from uuid import UUID

from django.db import transaction

from llamora.crypto import current_realm_keyring
from llamora.text_caches import cache_until_lock
from traces.facts.fact_body import KINDS, FactText
from traces.facts.models import Fact, FactQuerySet, FactState
from traces.facts.open_facts import OpenFact, iter_open_facts
from traces.facts.pages.headings import build_heading
from traces.facts.pages.messages import OF_OWNER, OTHER_SUBJECT, UNREADABLE_FACT
from traces.facts.selection import with_days
from traces.matcher import fold_text
from traces.unlocked_cache import UnlockedCache

OTHER: Final = "other"
SortKey = tuple[int, str, float, UUID]
_ORDER: Final = {OF_OWNER: 0, OTHER_SUBJECT: 2, UNREADABLE_FACT: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFact:
    """A fact in the list; `folded` is the sentence as it is searched."""

    id: UUID
    state: str
    kind: str
    heading: str = field(repr=False)
    text: str = field(repr=False)
    folded: str = field(repr=False)
    day: date
    is_readable: bool = True
    sort_key: SortKey = field(repr=False)

    def __lt__(self, other: "ListedFact") -> bool:
        return self.sort_key < other.sort_key


class FactsByState:
    """The facts of a person by state, each list in the order of the page."""

    def __init__(self, rows: Iterator[ListedFact]) -> None:
        self._lock = threading.Lock()
        self._changed: set[UUID] = set()
        self._by_id = {row.id: row for row in rows}
        self._by_state: dict[str, list[ListedFact]] = {state: [] for state in FactState.values}
        for row in self._by_id.values():
            self._get_list(row).append(row)
        for listed in self._by_state.values():
            listed.sort()

    def __len__(self) -> int:
        return len(self._by_id)

    def count(self, state: str) -> int:
        """Return the number of facts in a state."""
        return len(self._by_state[state])

    def list_rows(self, state: str) -> list[ListedFact]:
        """Return the facts in a state."""
        with self._lock:
            return list(self._by_state[state])

    def mark_changed(self, fact_id: UUID) -> None:
        """Have the row of a fact that was saved or deleted renewed before the next reading."""
        with self._lock:
            self._changed.add(fact_id)

    def renew(self, owner_id: UUID) -> None:
        """Renew the rows of the facts that were changed; the owner's keyring must be in force."""
        with self._lock:
            changed, self._changed = self._changed, set()
        if not changed:
            return
        found = {row.id: row for row in _iter_rows(Fact.objects.for_owner(owner_id).filter(id__in=changed))}
        with self._lock:
            for fact_id in changed:
                self._remove(fact_id)
                if fact_id in found:
                    self._by_id[fact_id] = found[fact_id]
                    insort(self._get_list(found[fact_id]), found[fact_id])

    def _get_list(self, row: ListedFact) -> list[ListedFact]:
        """Return the list that a row is in; one whose state was damaged is shown, to be deleted."""
        return self._by_state.get(row.state, self._by_state[FactState.ACCEPTED])

    def _remove(self, fact_id: UUID) -> None:
        row = self._by_id.pop(fact_id, None)
        if row is not None:
            listed = self._get_list(row)
            del listed[bisect_left(listed, row)]


def load_listed_facts(owner_id: UUID) -> FactsByState:
    """Return the facts of a person; their keyring must be in force. Raise WrongEpoch in a rotation."""
    return FactsByState(_iter_rows(Fact.objects.for_owner(owner_id)))


def _iter_rows(facts: FactQuerySet) -> Iterator[ListedFact]:
    opened = iter_open_facts(with_days(facts).order_by(), keyring=current_realm_keyring())
    return map(build_row, opened)


def build_row(fact: OpenFact) -> ListedFact:
    """Return the row of a fact, also of one that can't be opened."""
    body = fact.body
    if body is None:
        heading, text = UNREADABLE_FACT, ""
    else:
        said = FactText(
            text=fact.get_text("text"),
            language=fact.get_text("language") or "en",
            subject=tuple(body.get("subject", ())),
            relation=fact.get_text("relation"),
        )
        heading, text = build_heading(said), said.text
    kind = fact.get_text("kind")
    return ListedFact(
        id=fact.id,
        state=fact.state,
        kind=kind if kind in KINDS else OTHER,
        # Few headings stand over many facts.
        heading=sys.intern(heading),
        text=text,
        folded=fold_text(text),
        day=fact.day,
        is_readable=body is not None,
        sort_key=(
            _ORDER.get(heading, 1),
            sys.intern(_fold_heading(heading)),
            -fact.created_at.timestamp(),
            fact.id,
        ),
    )


@cache_until_lock(1024)
def _fold_heading(heading: str) -> str:
    return fold_text(heading)


listed_facts_cache = UnlockedCache(load_listed_facts)


def get_listed_facts(owner_id: UUID) -> FactsByState:
    """Return the facts of the person whose keyring is in force, also those that other processes added."""
    facts = listed_facts_cache.get_current()
    facts.renew(owner_id)
    if len(facts) != Fact.objects.for_owner(owner_id).order_by().count():
        listed_facts_cache.forget(owner_id)
        facts = listed_facts_cache.get_current()
    return facts


def mark_changed_fact(fact: Fact) -> None:
    """Have the row of a fact renewed that was saved or deleted: now, and again after the commit."""
    mark = partial(_mark_changed, fact.owner_id, fact.id)
    mark()
    transaction.on_commit(mark)


def _mark_changed(owner_id: UUID, fact_id: UUID) -> None:
    listed_facts_cache.update(owner_id, lambda facts: facts.mark_changed(fact_id))
