"""Search for earlier entries on the same subject as an entry, for the prompt of a reply.

Call these functions inside `in_force`, which makes the owner's keys available.

Only an index that is already loaded is used: a reply never waits for an index to open or for vectors to be
computed. Nothing is sent to a model on another machine, since the person did not choose these entries.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from accounts.keys.sealed_preferences import load_person
from accounts.models import Person
from diary.generation.unique_jobs import may_send_unrequested
from diary.hooks import RecalledEntries
from diary.models import Entry
from llamora.crypto import CryptoError, EnvelopeError, current_keyring
from llamora.inference import model_server
from search import messages
from search.embedder.types import Embedder, Floats
from search.errors import IndexClosed
from search.index.person_index import PersonIndex
from search.index.registry import indexes
from search.index.types import NearText
from search.index.vectors import VectorsIndex
from search.query.subject_words import find_subject, weigh_shared_words

# A model that runs at home reads some hundred words a second: three passages of a diary, not thirty.
MAX_RELATED: Final = 3
# An embedder reads no further anyway.
_MAX_CHARACTERS: Final = 2_000
# Of a long entry so many passages are looked up, spread over it.
_MAX_OWN_CHUNKS: Final = 16
# The cosine times the weights of the shared rare words, each 1 at most. Read on 30 days of a diary of five
# years, 15 of 21 passages above it bore on the entry, and there was one on 14 days. Of those somewhat below
# it, on other days, few did.
_LEAST_EVIDENCE: Final = 0.42
_MAX_COMPARED: Final = 60
# The same text has a slightly different vector beside longer ones.
_SCORE_DIGITS: Final = 3


def find_related_entries(entry: Entry, by: Collection[UUID]) -> RecalledEntries:
    """Return related entries of earlier days, with the span of one passage in each.

    If a setting or the model does not allow it, return no entries.
    """
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
    """Return at most MAX_RELATED entries of earlier days about the subject of `entry`, best first.

    Often there is none. Raise IndexClosed if the index is closed meanwhile.

    An entry is returned if a passage of it is near in meaning to a passage of `entry` and shares rare words
    with that passage. The cosine alone also finds passages in the same style, and words alone also find other
    subjects.
    """
    words, vectors, embedder = index.words, index.vectors, index.embedder
    if words is None or vectors is None or embedder is None:
        return ()
    own, passages = _load_own_passages(vectors, embedder, entry)
    subjects = [find_subject(passage) for passage in passages]
    every = {word for subject in subjects for word in subject.words}
    weights, sums = words.find_entries_sharing(every, before=entry.day)
    if not sums:
        return ()
    near = vectors.find_similar(
        own, floor=embedder.floors.known, weights=sums, least=_LEAST_EVIDENCE, limit=_MAX_COMPARED
    )
    documents = words.load_documents({chunk.id for chunk in near})
    found: dict[UUID, NearText] = {}
    for chunk in near:
        if chunk.id not in documents:
            continue
        # All rare words of the text are more than those of a passage: the rest can only be less.
        if chunk.score * sums[chunk.id] < _get_last_score(found):
            break
        passage = documents[chunk.id].text[slice(*chunk.span)]
        score = chunk.score * weigh_shared_words(find_subject(passage), subjects[chunk.own], weights)
        if score >= max(_LEAST_EVIDENCE, found[chunk.id].score if chunk.id in found else 0):
            found[chunk.id] = NearText(chunk.id, score, chunk.span)

    def rank(near: NearText) -> tuple[float, date, UUID]:
        return round(near.score, _SCORE_DIGITS), documents[near.id].day, near.id

    return sorted(found.values(), key=rank, reverse=True)[:MAX_RELATED]


def _get_last_score(found: Mapping[UUID, NearText]) -> float:
    """Return the score that a further entry must reach."""
    scores = sorted((near.score for near in found.values()), reverse=True)
    return scores[MAX_RELATED - 1] if len(scores) >= MAX_RELATED else _LEAST_EVIDENCE


def _load_own_passages(vectors: VectorsIndex, embedder: Embedder, entry: Entry) -> tuple[Floats, list[str]]:
    """Return the vectors of the passages of an entry, and the passages."""
    text = str(entry.text)
    own = vectors.get_chunks(entry.id)
    if own is None:  # an entry saved only just now
        beginning = text[:_MAX_CHARACTERS]
        return embedder.embed_question(beginning)[None], [beginning]
    matrix, spans = own
    step = -(-len(spans) // _MAX_OWN_CHUNKS)
    return matrix[::step], [text[slice(*span)] for span in spans[::step]]


def describe_availability(person: Person) -> str:
    """Return a sentence on why a person's replies get no related entries, or "" if none is needed."""
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
