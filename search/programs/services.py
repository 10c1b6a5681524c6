"""Search on behalf of programs that use the API.

Call these functions inside `in_force` with the keyring of the program's token, which must have the realm
`content`.

A program opens no index: it uses the index that its owner's unlocked browser opened.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple
from uuid import UUID

from accounts.tokens.open_keyrings import open_keyrings
from llamora.crypto import Realm, RealmKeyring, VaultLocked
from llamora.threads import let_others_run, yield_turn
from search import engine
from search.engine import SearchHit
from search.errors import IndexClosed
from search.index import sources
from search.index.person_index import PersonIndex
from search.index.registry import indexes
from search.index.types import APART_KINDS, FACT_KIND
from search.index.unlocked_index import find_unlocked_index
from search.programs.hidden_texts import find_hidden, find_origins_in_index
from search.query.days import DayReader
from search.query.parser import KINDS, SearchQuery, parse
from search.services import OPENING_WAIT_SECONDS, get_days, get_embedding_status
from search.services import rebuild as rebuild_for_owner


class ReadableHit(NamedTuple):
    """A hit, and the origin of its text."""

    hit: SearchHit
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramResults:
    """A slice of the texts that a program's search found, best first.

    It is empty while the index is being opened (`is_open` is False). `total` counts the texts with all words,
    up to MAX_COUNTED; `next` is the offset of the next part.
    """

    texts: Sequence[ReadableHit] = ()
    total: int = 0
    next: int | None = None
    days: tuple[date, date] | None = None
    is_open: bool = True


class TextCounts(NamedTuple):
    """The number of texts, and of texts with vectors. Both are 0 while the index is being opened."""

    total: int = 0
    embedded: int = 0
    is_open: bool = True


STILL_OPENING = ProgramResults(is_open=False)


def build_query(
    typed: str, *, reader: DayReader, since: date | None = None, until: date | None = None
) -> SearchQuery:
    """Return the query of a program. `since` and `until` narrow the days that the query names."""
    query = _narrow(parse(typed, reader=reader), since=since, until=until)
    within = _narrow(query.within, since=since, until=until) if query.within is not None else None
    return replace(query, within=within)


def _narrow(query: SearchQuery, *, since: date | None, until: date | None) -> SearchQuery:
    firsts = [day for day in (query.since, since) if day is not None]
    lasts = [day for day in (query.until, until) if day is not None]
    return replace(query, since=max(firsts, default=None), until=min(lasts, default=None))


def restrict_kinds(query: SearchQuery, kinds: frozenset[str]) -> SearchQuery:
    """Return a query limited to texts of these kinds."""
    within = restrict_kinds(query.within, kinds) if query.within is not None else None
    return replace(query, kinds=kinds, within=within)


def search_texts(
    keyring: RealmKeyring, query: SearchQuery, *, offset: int, limit: int, with_hidden: bool
) -> ProgramResults:
    """Return a part of the results of a query; raise VaultLocked if no browser has the diary unlocked.

    Without `with_hidden`, hidden texts are left out of results and counts. Texts of realms that the keyring
    lacks always are: one program may lack facts, another may have nothing but facts.
    """
    index = find_unlocked_index(keyring)
    kinds = list_kinds(keyring) & query.kinds if query.kinds else list_kinds(keyring)
    if not kinds or query.is_empty:
        return ProgramResults()
    query = restrict_kinds(query, kinds)
    try:
        if not index.words_ready.is_set():
            with yield_turn():
                index.words_ready.wait(OPENING_WAIT_SECONDS)
        if not index.words_ready.is_set() or index.words is None:
            return STILL_OPENING
        indexes.poll_changes(index)
        let_others_run(before=1)
        query = _hide(query, index.words.list_row_ids(find_hidden(index, with_hidden=with_hidden)))
        let_others_run(before=1)
        found = engine.list_hits(index, query, offset=offset, limit=limit)
    except IndexClosed:
        return STILL_OPENING
    except sqlite3.Error as error:
        indexes.discard(index, error)
        return STILL_OPENING
    return ProgramResults(
        texts=_check(index, found.hits, keyring=keyring, with_hidden=with_hidden),
        total=found.total,
        next=found.next,
        days=get_days(query),
    )


def count_texts(keyring: RealmKeyring, *, with_hidden: bool) -> TextCounts:
    """Return how many texts a program can find; raise VaultLocked like `search_texts`.

    Without `with_hidden`, hidden texts are not counted.
    """
    index = find_unlocked_index(keyring)
    if not index.words_ready.is_set() or index.words is None:
        return TextCounts(is_open=False)
    try:
        status = get_embedding_status(index)
        hidden = index.words.list_row_ids(find_hidden(index, with_hidden=with_hidden))
        total = index.words.count(SearchQuery(kinds=list_kinds(keyring), hidden=tuple(hidden)))
    except (IndexClosed, sqlite3.Error):
        return TextCounts(is_open=False)
    # Those that wait count as texts that can be found.
    embedded = 0 if status.reason else max(0, total - index.pending)
    return TextCounts(total=total, embedded=embedded)


def rebuild(keyring: RealmKeyring) -> bool:
    """Start rebuilding an owner's index; return False while it is first being opened, or is being rebuilt.

    Raise VaultLocked like `search_texts`.
    """
    index = find_unlocked_index(keyring)
    if not index.words_ready.is_set():
        return False
    held = open_keyrings.find(keyring.owner)
    if held is None or held.key_id != index.key_id:
        raise VaultLocked
    try:
        rebuild_for_owner(held, vectors=False)
    except IndexClosed:
        raise VaultLocked from None
    return True


def list_kinds(keyring: RealmKeyring) -> frozenset[str]:
    """Return the kinds of texts that a program with this keyring can find."""
    facts = frozenset({FACT_KIND})
    # Notes are read at a place of their own.
    others = frozenset(KINDS.values()) - APART_KINDS
    return (others if keyring.has_realm(Realm.CONTENT) else frozenset()) | (
        facts if keyring.has_realm(Realm.FACTS) else frozenset()
    )


def _hide(query: SearchQuery, numbers: Sequence[int]) -> SearchQuery:
    within = _hide(query.within, numbers) if query.within is not None else None
    return replace(query, hidden=tuple(numbers), within=within)


def _check(
    index: PersonIndex, hits: Sequence[SearchHit], *, keyring: RealmKeyring, with_hidden: bool
) -> list[ReadableHit]:
    """Return the hits whose texts still exist and may be read, with their origins."""
    by_kind: dict[str, list[UUID]] = {}
    for hit in hits:
        by_kind.setdefault(hit.kind, []).append(hit.id)
    let_others_run(before=1)
    there = sources.filter_existing(index.owner, by_kind, keyring=keyring)
    let_others_run(before=1)
    if len(there) < len(hits):
        indexes.reconcile_all(index)
    origins = find_origins_in_index(index, by_kind, with_hidden=with_hidden)
    return [ReadableHit(hit, origins[hit.id]) for hit in hits if hit.id in there and hit.id in origins]
