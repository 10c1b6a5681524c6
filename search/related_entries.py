"""Earlier entries on the same subject as one that is to be answered. Needs the owner's keyring in force.

Only the index that is open already is asked: nobody waits for an index to be opened, or for vectors to be
made, before they are answered. A model on another machine is never sent what nobody chose.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from diary.hooks import RecalledEntries
from diary.models import Entry
from llamora.crypto import CryptoError, current
from llamora.database import write_transaction
from llamora.inference import model_server
from search import engine
from search.errors import IndexClosed
from search.index.person_index import PersonIndex
from search.index.registry import indexes
from search.index.types import NearText
from search.models import SearchPreference
from search.query.parser import SearchQuery

# A model that runs at home reads some hundred words a second: three passages of a diary, not thirty.
MAX_RELATED: Final = 3
# An embedder reads no further anyway.
_MAX_CHARACTERS: Final = 2_000


def find_related_entries(entry: Entry, by: Collection[UUID]) -> RecalledEntries:
    """Return the entries of days before an entry's that speak of the same, and where; none if unwanted."""
    del by  # what a person chose to have read is not search's to find
    if entry.day == date.min or model_server.get_status().remote or not is_recall_enabled(entry.owner_id):
        return RecalledEntries()
    spans = {one.id: one.span for one in _find_or_nothing(entry)}
    return RecalledEntries(
        entries=list(Entry.objects.for_owner(entry.owner_id).filter(id__in=spans)), near=spans
    )


def _find_or_nothing(entry: Entry) -> Sequence[NearText]:
    """Return what is near, or nothing where search cannot say: an answer never fails for its sake."""
    try:
        index = indexes.for_owner(current())
    except (IndexClosed, CryptoError):
        return ()
    try:
        return find_near_entries(index, entry)
    except (IndexClosed, CryptoError):
        return ()
    except Exception as error:
        indexes.discard(index, error)
        return ()


def find_near_entries(index: PersonIndex, entry: Entry) -> Sequence[NearText]:
    """Return the few entries of days before one that speak of the same; raise IndexClosed."""
    words, vectors, embedder = index.words, index.vectors, index.embedder
    if words is None or vectors is None or embedder is None:
        return ()
    own = vectors.get_vectors(entry.id)
    # An entry saved only just now has no vectors yet.
    asked = embedder.embed_question(str(entry.text)[:_MAX_CHARACTERS])[None] if own is None else own

    def nearest(limit: int, allowed: Collection[UUID] | None) -> list[NearText]:
        return vectors.find_similar(asked, limit=limit, floor=embedder.floor, allowed=allowed)

    before = SearchQuery(kinds=frozenset({"entry"}), until=entry.day - timedelta(days=1))
    return engine.filter_near(words, before, nearest, limit=MAX_RELATED)


def is_recall_enabled(owner: UUID) -> bool:
    """Return whether what is near in meaning is read for a person's answers."""
    return not SearchPreference.objects.filter(owner_id=owner, recalls_for_answers=False).exists()


def set_recall_enabled(owner: UUID, *, wanted: bool) -> None:
    """Have what is near in meaning read from now on, or not."""
    with write_transaction():
        SearchPreference.objects.update_or_create(owner_id=owner, defaults={"recalls_for_answers": wanted})
