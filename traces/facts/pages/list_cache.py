"""A cache of the facts of each person whose diary is unlocked, sorted as the page *Facts* lists them.

Facts are sorted by subject: first those about the owner, then by the subject's name, last those without a
subject; within a subject the newest first. The list is built on first use, or by a thread if it is long
(`list_preloading`). Rows are updated when facts are saved, and a lock removes the list
(`traces.unlocked_cache`).

The decrypted bodies are part of it, for exports, which then need not decrypt them again: see
`find_opened_facts`.
"""

import sys
import threading
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from llamora.crypto import Realm, RealmKeyring, current_keyring, current_realm_keyring
from llamora.fields.rows import OpenedRows, RowReader
from llamora.text_caches import cache_until_lock
from traces.facts.fact_body import KINDS, FactText
from traces.facts.models import TRUSTED_FACT_ORIGINS, Fact, FactQuerySet, FactState
from traces.facts.open_facts import decode_body, get_body_text
from traces.facts.pages.headings import build_heading
from traces.facts.pages.list_preloading import (
    MOST_IN_PAGE,
    PATIENCE_SECONDS,
    has_preloading,
    iter_counted_rows,
    start_preloading,
    wait_for_preloading,
)
from traces.facts.pages.messages import OF_OWNER, OTHER_SUBJECT, UNREADABLE_FACT
from traces.facts.selection import with_days
from traces.matcher import fold_text
from traces.unlocked_cache import UnlockedCache

OTHER: Final = "other"
# What a list reads of a row, and no more: each conversion takes a tenth of the time of opening an envelope.
_COLUMNS: Final = ("id", "state", "origin", "created_at", "entry_day")
# 10,000 facts of one sentence take 10 MiB, with the values they were opened from. Of more than about 24,000
# facts, an export decrypts the others.
MOST_OPENED_BYTES: Final = 24 * 2**20
SortKey = tuple[int, str, float, UUID]
_ORDER: Final = {OF_OWNER: 0, OTHER_SUBJECT: 2, UNREADABLE_FACT: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFact:
    """A fact as the page shows it in the list. `folded` is its sentence, normalised for the search.

    `is_others` is true for the facts of `FactQuerySet.only_others`.
    """

    id: UUID
    state: str
    kind: str
    heading: str = field(repr=False)
    text: str = field(repr=False)
    folded: str = field(repr=False)
    day: date
    is_readable: bool = True
    is_others: bool = False
    sort_key: SortKey = field(repr=False)

    def __lt__(self, other: "ListedFact") -> bool:
        return self.sort_key < other.sort_key


class FactsByState:
    """The facts of one person in memory: a sorted list for each state, such as proposed or accepted.

    `opened` caches their decrypted bodies; reading the facts from `rows` may add to it.
    """

    def __init__(self, rows: Iterator[ListedFact], opened: OpenedRows) -> None:
        self.opened = opened
        self._lock = threading.Lock()
        self._changed: set[UUID] = set()
        self._by_id = {row.id: row for row in rows}
        self._by_state: dict[str, list[ListedFact]] = {state: [] for state in FactState.values}
        self._others = {row.id for row in self._by_id.values() if row.is_others}
        subjects: defaultdict[tuple[int, str], list[ListedFact]] = defaultdict(list)
        for row in self._by_id.values():
            subjects[row.sort_key[:2]].append(row)
        # Subject by subject: no other thread runs while a list is sorted.
        for subject in sorted(subjects):
            for row in sorted(subjects[subject], key=attrgetter("sort_key")):
                self._get_list(row).append(row)

    def __len__(self) -> int:
        return len(self._by_id)

    def count(self, state: str) -> int:
        """Return the number of facts in a state."""
        return len(self._by_state[state])

    def count_others(self) -> int:
        """Return the number of facts from files and programs that their owner has not claimed."""
        return len(self._others)

    def list_rows(self, state: str) -> list[ListedFact]:
        """Return the facts in a state, sorted."""
        with self._lock:
            return list(self._by_state[state])

    def mark_changed(self, fact_id: UUID) -> None:
        """Mark a fact as changed, after it was saved or deleted. The next use of the list updates its row.

        Its former body is dropped at once.
        """
        with self._lock:
            self._changed.add(fact_id)
            self.opened.discard(fact_id.hex)

    def count_changed(self) -> int:
        """Return the number of facts that are marked as changed."""
        return len(self._changed)

    def renew(self, owner_id: UUID) -> None:
        """Read again the facts that are marked as changed; the owner's keyring must be in force."""
        with self._lock:
            changed, self._changed = self._changed, set()
        if not changed:
            return
        rows = Fact.objects.for_ids(owner_id, changed)
        found = {row.id: row for row in _iter_rows(rows, self.opened)}
        with self._lock:
            for fact_id in self._changed:
                # It was changed while its former row was read.
                self.opened.discard(fact_id.hex)
            for fact_id in changed:
                self._remove(fact_id)
                if fact_id in found:
                    self._by_id[fact_id] = found[fact_id]
                    if found[fact_id].is_others:
                        self._others.add(fact_id)
                    insort(self._get_list(found[fact_id]), found[fact_id])

    def _get_list(self, row: ListedFact) -> list[ListedFact]:
        """Return the list of a row; an invalid state counts as accepted, so that the row can be deleted."""
        return self._by_state.get(row.state, self._by_state[FactState.ACCEPTED])

    def _remove(self, fact_id: UUID) -> None:
        row = self._by_id.pop(fact_id, None)
        self._others.discard(fact_id)
        if row is not None:
            listed = self._get_list(row)
            del listed[bisect_left(listed, row)]


def load_listed_facts(owner_id: UUID) -> FactsByState:
    """Load all facts of a person, and return them by state; their keyring must be in force.

    Raise WrongEpoch if the keyring lacks the key of a row's epoch, as may happen during a rotation.
    """
    keyring = current_realm_keyring()
    # Of a keyring of format 1, no row is added, so that any id will do.
    key_id = keyring.get_key_id(Realm.FACTS) if keyring.has_realm(Realm.FACTS) else keyring.key_id
    opened = OpenedRows(key_id, most_bytes=MOST_OPENED_BYTES)
    rows = _iter_rows(Fact.objects.for_owner(owner_id), opened)
    return FactsByState(iter_counted_rows(owner_id, rows), opened)


def _iter_rows(facts: FactQuerySet, opened: OpenedRows) -> Iterator[ListedFact]:
    """Yield the rows of facts, including facts that can't be decrypted; add the others to `opened`."""
    reader = RowReader(with_days(facts).order_by(), "body", _COLUMNS, keyring=current_realm_keyring())
    convert = reader.build_converter(_COLUMNS)
    for stored, plaintext in reader:
        body = None
        if plaintext is not None:
            body = decode_body(plaintext)
            reader.add_opened(opened, stored, plaintext)
        yield _build_row(body if isinstance(body, dict) else None, *convert(stored))


def _build_row(
    body: dict[str, Any] | None,
    id_: UUID,
    state: str,
    origin: str,
    created_at: datetime,
    entry_day: date | None,
) -> ListedFact:
    if body is None:
        heading, text, kind = UNREADABLE_FACT, "", ""
    else:
        text, kind = get_body_text(body, "text"), get_body_text(body, "kind")
        said = FactText(
            text=text,
            language=get_body_text(body, "language") or "en",
            subject=tuple(body.get("subject", ())),
            relation=get_body_text(body, "relation"),
        )
        heading = build_heading(said)
    return ListedFact(
        id=id_,
        state=state,
        kind=kind if kind in KINDS else OTHER,
        # Few headings stand over many facts.
        heading=sys.intern(heading),
        text=text,
        folded=fold_text(text),
        day=entry_day or created_at.date(),
        is_readable=body is not None,
        is_others=origin not in TRUSTED_FACT_ORIGINS and state != FactState.PROPOSED,
        sort_key=(
            _ORDER.get(heading, 1),
            sys.intern(_fold_heading(heading)),
            -created_at.timestamp(),
            id_,
        ),
    )


@cache_until_lock(1024)
def _fold_heading(heading: str) -> str:
    return fold_text(heading)


listed_facts_cache = UnlockedCache(load_listed_facts, close=lambda facts: facts.opened.close())


def get_listed_facts(owner_id: UUID, *, waits: bool = True) -> FactsByState:
    """Return a person's facts by state, up to date even if another process changed some of them.

    Their keyring must be in force. Raise ListNotLoadedError if a thread still builds a long list, unless the
    caller `waits`.
    """
    facts = None if has_preloading(owner_id) else listed_facts_cache.find_current()
    if facts is not None and _renew(facts, owner_id):
        return facts
    if facts is not None:
        listed_facts_cache.forget(owner_id)
    start_preloading(current_keyring(), listed_facts_cache.get_current)
    wait_for_preloading(owner_id, timeout=None if waits else PATIENCE_SECONDS)
    facts = listed_facts_cache.get_current()
    facts.renew(owner_id)
    return facts


def _renew(facts: FactsByState, owner_id: UUID) -> bool:
    """Update the rows of the marked facts; return False if the list must be built again instead."""
    if facts.count_changed() > MOST_IN_PAGE:
        return False
    facts.renew(owner_id)
    return len(facts) == Fact.objects.for_owner(owner_id).order_by().count()


def find_opened_facts(keyring: RealmKeyring) -> OpenedRows | None:
    """Return the decrypted facts of a keyring's owner from the cached list, or None if nothing is cached.

    The keyring may have the keys of the realm `facts` alone; `RowReader` checks that they are the same keys.
    """
    for facts in listed_facts_cache.list_values(keyring.owner):
        if facts.opened.is_for(keyring, Realm.FACTS):
            return facts.opened
    return None


def mark_changed_fact(fact: Fact) -> None:
    """Mark the row of a fact in the cached list as outdated, now and again after the commit."""
    mark = partial(_mark_changed, fact.owner_id, fact.id)
    mark()
    transaction.on_commit(mark)


def _mark_changed(owner_id: UUID, fact_id: UUID) -> None:
    listed_facts_cache.update(owner_id, lambda facts: facts.mark_changed(fact_id))
