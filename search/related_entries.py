"""Earlier entries on the same subject as an entry, for prompts. Needs the owner's keyring in force.

Only an index that is already loaded is used: a reply never waits for an index to open or for vectors to be
computed. Nothing is sent to a model on another machine, since the person did not choose these entries.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from accounts.keys.sealed_preferences import load_person
from accounts.models import Person
from diary.generation.ask_once import may_send_unrequested
from diary.hooks import RecalledEntries
from diary.models import Entry
from llamora.crypto import CryptoError, EnvelopeError, current_keyring
from llamora.inference import model_server
from search import engine, messages
from search.errors import IndexClosed
from search.index.person_index import PersonIndex
from search.index.registry import indexes
from search.index.types import NearText
from search.query.parser import SearchQuery

# A model that runs at home reads some hundred words a second: three passages of a diary, not thirty.
MAX_RELATED: Final = 3
# An embedder reads no further anyway.
_MAX_CHARACTERS: Final = 2_000


def find_related_entries(entry: Entry, by: Collection[UUID]) -> RecalledEntries:
    """Return related entries of earlier days, each with its related passage; none if the person opted out."""
    del by  # what a person chose to have read is not search's to find
    is_allowed = may_send_unrequested(model_server.get_status())
    if entry.day == date.min or not is_allowed or not _is_wanted(entry.owner_id):
        return RecalledEntries()
    spans = {one.id: one.span for one in _find_or_nothing(entry)}
    return RecalledEntries(
        entries=list(Entry.objects.for_owner(entry.owner_id).filter(id__in=spans)), near=spans
    )


def _find_or_nothing(entry: Entry) -> Sequence[NearText]:
    """Return the related entries, or none if search fails, since a reply must not fail because of search."""
    try:
        index = indexes.for_owner(current_keyring())
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
    """Return the few related entries of earlier days; raise IndexClosed."""
    words, vectors, embedder = index.words, index.vectors, index.embedder
    if words is None or vectors is None or embedder is None:
        return ()
    own = vectors.get_vectors(entry.id)
    # An entry saved only just now has no vectors yet.
    asked = embedder.embed_question(str(entry.text)[:_MAX_CHARACTERS])[None] if own is None else own

    def nearest(limit: int, allowed: Collection[UUID] | None) -> list[NearText]:
        return vectors.find_similar(asked, limit=limit, floor=embedder.floors.known, allowed=allowed)

    before = SearchQuery(kinds=frozenset({"entry"}), until=entry.day - timedelta(days=1))
    return engine.filter_near(words, before, nearest, limit=MAX_RELATED)


def describe_availability(person: Person) -> str:
    """Return in a sentence why no related entries are read for a person's replies, or nothing."""
    if not may_send_unrequested(model_server.get_status()):
        return messages.MODEL_ELSEWHERE_NOW if person.reads_related_entries else messages.MODEL_ELSEWHERE
    index = next(iter(indexes.list_for_owner(person.id)), None)
    if index is None or not person.reads_related_entries:
        return ""
    return messages.get_not_recalled_message(index.why_not_embedded)


def _is_wanted(owner: UUID) -> bool:
    try:
        return load_person(owner).reads_related_entries
    except (Person.DoesNotExist, EnvelopeError):
        return False
