"""Services of search: running a search, saving recent ones, finding frequent words, rebuilding an index."""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.keys.sealed_preferences import save_preferences
from accounts.models import Person
from llamora.crypto import Keyring, current_keyring
from llamora.database import write_transaction
from llamora.threads import yield_turn
from search import engine
from search.engine import SearchResults
from search.errors import IndexBusy, IndexClosed
from search.index import sources
from search.index.person_index import PersonIndex
from search.index.registry import indexes
from search.models import MAX_RECENT, RecentSearch, Vector
from search.query import snippets
from search.query.days import DayReader
from search.query.parser import SearchQuery, parse

# An index is nearly always open by now; after this long a page says that it is being opened, and asks again.
# There are two threads for everybody's pages: none may be kept waiting for one person's index.
OPENING_WAIT_SECONDS = 0.1

# On fewer days, nothing tells a name of every day from one of these days.
_LEAST_DAYS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingStatus:
    """Progress of embedding: numbers of embedded and of all texts, or why no text is embedded (`reason`)."""

    done: int
    total: int
    reason: str

    @property
    def is_whole(self) -> bool:
        """Return whether embedding is complete, so that every text in the index has vectors."""
        return not self.reason and self.done >= self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """A page of results; its links contain `token` instead of the query.

    `ready` is False, and there are no results, while the index is being opened.
    """

    found: SearchResults
    meaning: EmbeddingStatus
    token: str = ""
    # The days that the question names, whose results come first, and values of filters that are no days.
    days: tuple[date, date] | None = None
    unread_days: tuple[str, ...] = ()
    ready: bool = True


STILL_OPENING = SearchPage(
    found=SearchResults(), meaning=EmbeddingStatus(done=0, total=0, reason="opening"), ready=False
)


def run_search(
    keyring: Keyring, typed: str, *, offset: int = 0, reader: DayReader | None = None
) -> SearchPage:
    """Return a page of results for a person's query. `reader` is the parser of dates in the query."""
    query = parse(typed, reader=reader)
    try:
        index = indexes.for_owner(keyring)
        if not index.words_ready.is_set():
            with yield_turn():
                index.words_ready.wait(OPENING_WAIT_SECONDS)
        if not index.words_ready.is_set():
            return STILL_OPENING
        indexes.poll_changes(index)
        found = SearchResults() if query.is_empty else engine.search(index, query, offset=offset)
        token = "" if query.is_empty else index.result_tokens.create_token(query)
        return SearchPage(
            found=_drop_deleted(index, found, keyring=keyring),
            meaning=get_embedding_status(index),
            token=token,
            days=get_days(query),
            unread_days=query.unread_days,
        )
    except IndexClosed:
        # Evicted while it was asked, or locked: the next request opens it again, or is turned away.
        return STILL_OPENING
    except sqlite3.Error as error:
        indexes.discard(index, error)
        return STILL_OPENING


def get_days(query: SearchQuery) -> tuple[date, date] | None:
    """Return the days whose results come first, because the query names them, or None."""
    within = query.within
    return (within.since, within.until) if within and within.since and within.until else None


def get_embedding_status(index: PersonIndex) -> EmbeddingStatus:
    """Return the progress of embedding of an index."""
    total = index.words.count() if index.words is not None else 0
    return EmbeddingStatus(done=max(0, total - index.pending), total=total, reason=index.why_not_embedded)


def _drop_deleted(index: PersonIndex, found: SearchResults, *, keyring: Keyring) -> SearchResults:
    """Remove hits that are not in the database any more, whatever the index contains."""
    by_kind: dict[str, list[UUID]] = {}
    for hit in found.list_all():
        by_kind.setdefault(hit.kind, []).append(hit.id)
    there = sources.filter_existing(index.owner, by_kind, keyring=keyring)
    if all(id_ in there for ids in by_kind.values() for id_ in ids):
        return found
    indexes.reconcile_all(index)
    return found.filter(there)


def find_marked_words(keyring: Keyring, *, token: str, id_: UUID) -> list[str]:
    """Return the words of a text that a search matched, as written there, for the page to highlight."""
    index = indexes.get(keyring.key_id)
    query = index.result_tokens.get_query(token) if index is not None else None
    if index is None or query is None or index.words is None:
        return []
    try:
        document = index.words.load_documents([id_]).get(id_)
        return (
            snippets.find_surface_forms(document.text, engine.build_marker(index.words, query))
            if document
            else []
        )
    except IndexClosed:
        return []


def find_frequent_words(words: Collection[str], share: float) -> Collection[str] | None:
    """Return the words that occur on more than this share of a person's days; see `diary.hooks`.

    Return None if the diary has few days, or if its index is not open or is busy: no page waits for it.
    """
    index = indexes.get(current_keyring().key_id)
    if index is None or index.words is None or not index.words_ready.is_set():
        return None
    try:
        return index.words.find_frequent_words(words, share=share, least_days=_LEAST_DAYS)
    except (IndexClosed, IndexBusy):
        return None
    except sqlite3.Error as error:
        indexes.discard(index, error)
        return None


# --- recent searches -------------------------------------------------------------------------------


def list_recent(owner: UUID) -> list[str]:
    """Return a person's recent searches, newest first, without damaged ones."""
    rows = RecentSearch.objects.filter(owner_id=owner)[:MAX_RECENT]
    return [text for row in rows if (text := row.open_or("text", None)) is not None]


def save_recent(person: Person, typed: str) -> None:
    """Save a submitted search, without duplicates, if the person allows saving."""
    typed = typed.strip()
    if not typed or not person.saves_recent_searches:
        return
    with write_transaction():
        rows = list(RecentSearch.objects.filter(owner_id=person.id))
        same = next((row for row in rows if row.open_or("text", None) == typed), None)
        if same is not None:
            same.searched_at = timezone.now()
            same.save(update_fields=["searched_at"])
            return
        RecentSearch.objects.create(owner_id=person.id, text=typed)
        RecentSearch.objects.filter(id__in=[row.id for row in rows[MAX_RECENT - 1 :]]).delete()


def delete_recent(owner: UUID) -> None:
    """Delete a person's recent searches."""
    with write_transaction():
        RecentSearch.objects.filter(owner_id=owner).delete()


def set_recent_saving(person: Person, *, is_enabled: bool) -> None:
    """Turn saving of recent searches on or off; if it is off, a receiver deletes the saved searches."""
    person.saves_recent_searches = is_enabled
    save_preferences(person, names=["saves_recent_searches"])


# --- rebuilding ---------------------------------------------------------------------------------------


def rebuild(keyring: Keyring, *, vectors: bool) -> None:
    """Delete a person's index and snapshots, and start a new index. With `vectors`, delete vectors too."""
    index = indexes.get(keyring.key_id)
    indexes.close(keyring.key_id)
    if index is not None:
        index.delete_snapshots()
    if vectors:
        with write_transaction():
            Vector.objects.filter(owner_id=keyring.owner).delete()
    indexes.for_owner(keyring)
