"""The calls that are compatible with Harmonia: they store memories as facts, and messages as entries.

A message may also wait in the Inbox, and a new fact is a proposal.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Literal
from uuid import UUID

import msgspec
from django.http import StreamingHttpResponse
from django.utils import timezone

from accounts.tokens.open_keyrings import open_keyrings
from diary import days
from diary.errors import ObjectNotFound
from llamora.api.call import Call
from llamora.api.endpoints import endpoint
from llamora.api.errors import ApiError
from llamora.api.resources import entries
from llamora.api.resources.entries import EntryToSave, StoredText
from llamora.api.resources.export import stream_file
from llamora.api.resources.memories.bodies import (
    ChangedMemory,
    DeletedMemory,
    FoundMemories,
    MemoryAcceptance,
    MemoryCorrection,
    MemoryDetail,
    MemoryExportQuery,
    MemoryHistory,
    MemoryList,
    MemoryListQuery,
    MemoryPreferences,
    MemorySearch,
    MemoryToStore,
    StoredFact,
    StoredMemory,
    UserQuery,
)
from llamora.api.resources.memories.fact_memories import FactMemories
from llamora.api.resources.search import DAYS_REVERSED
from llamora.crypto import VaultLocked, in_force
from llamora.database import write_transaction
from llamora.fields import new_id
from traces.facts.fact_body import FactText
from traces.facts.models import FactState
from traces.facts.proposals.services import find_facts
from traces.facts.selection import SAVED_STATES, FactSelection
from traces.facts.services import FactOrigin

_TAG: Final = "Memory"
_PATH: Final = "/api/v1/memory"
_PROPOSE: Final = ("facts:propose", "facts:write")
_WRITE_TEXT: Final = ("diary:write", "drop")
# More facts than these are stored in parts.
_MOST_AT_ONCE: Final = 5
_NOTHING_SENT: Final = "Send a message, or facts, or both."


def _open_store(call: Call, user_id: str | None) -> FactMemories:
    """Return the store of a call; raise ObjectNotFound for the name of anybody but the token's owner."""
    if user_id is not None and user_id not in (call.person.name, str(call.owner)):
        raise ObjectNotFound
    return FactMemories(call)


def _check_days(asked: MemorySearch | MemoryListQuery | MemoryExportQuery) -> None:
    if asked.from_date and asked.to_date and asked.to_date < asked.from_date:
        raise ApiError(422, "invalid_field", field="to_date", message=DAYS_REVERSED)


@endpoint("POST", _PATH + "/store", scopes=(*_PROPOSE, *_WRITE_TEXT), tag=_TAG, stores=True)
def store_memory(call: Call, *, body: MemoryToStore) -> StoredMemory:
    """Store a message, or propose facts.

    A token that "writes what I type" and may write entries saves the message as an entry of today. If it may
    also propose facts, a model on this machine then looks for facts in that entry. A message from any other
    token waits in the Inbox. Facts wait as proposals with the name of the program until their owner accepts
    or declines them. This call accepts no fact and changes no other.
    """
    store = _open_store(call, body.user_id)
    facts = body.facts or []
    if body.message is None and not facts:
        raise ApiError(422, "invalid_field", field="message", message=_NOTHING_SENT)
    if facts and call.terms.scopes.isdisjoint(_PROPOSE):
        raise ApiError(403, "missing_scope", scope=_PROPOSE[0])
    texts = store.parse_facts(facts)
    origins = store.build_origins(facts, texts)
    content = msgspec.json.encode(body)
    store_all = _store_in_parts if len(facts) > _MOST_AT_ONCE else _store_at_once
    saved, proposed = store_all(call, body, store, texts, origins, content)
    if saved and saved.action == "created" and not call.terms.scopes.isdisjoint(_PROPOSE):
        _look_for_facts(call, saved.id)
    facts_now = store.describe(texts, proposed) if proposed else store.describe_known(texts)
    return StoredMemory(
        action=saved.action if saved else _sum_up(facts_now),
        id=saved.id if saved else None,
        date=saved.day if saved else days.today(call.person.time_zone, now=timezone.now()),
        facts=facts_now,
    )


_Proposed = list[UUID | None]
_Stored = tuple[StoredText | None, _Proposed]


def _store_at_once(
    call: Call,
    body: MemoryToStore,
    store: FactMemories,
    texts: Sequence[FactText],
    origins: Sequence[FactOrigin],
    content: bytes,
) -> _Stored:
    """Store a message and a few facts in one transaction; return the stored text and the ids of the facts."""
    proposed: _Proposed = []

    def propose() -> UUID:
        with write_transaction():
            proposed[:] = store.propose(texts, origins)
        return _name_first(proposed)

    if body.message is None:
        call.store_once(content, propose)
        return None, proposed
    message = EntryToSave(text=body.message)
    return entries.store_text(call, message, content=content, besides=propose if texts else None), proposed


def _store_in_parts(
    call: Call,
    body: MemoryToStore,
    store: FactMemories,
    texts: Sequence[FactText],
    origins: Sequence[FactOrigin],
    content: bytes,
) -> _Stored:
    """Store a message and many facts in several transactions, so that other writers wait less.

    The key of the whole call is stored last. So a call that was interrupted continues when it is repeated
    with its Idempotency-Key.
    """
    is_stored = call.find_stored(content) is not None
    if not is_stored:
        store.check_room(len(texts))
    saved, step = None, "first"
    if body.message is not None:
        saved = entries.store_text(call, EntryToSave(text=body.message), content=content, step=step)
    else:
        # From now on, nothing else is stored with this key.
        call.store_once(content, new_id, step=step)
    proposed = [] if is_stored else store.propose_in_parts(texts, origins, content=content)
    call.store_once(content, lambda: _name_first(proposed))
    return saved, proposed


def _name_first(proposed: _Proposed) -> UUID:
    """Return the id of the first proposed fact, or a new id if all facts were known already."""
    return next(filter(None, proposed), None) or new_id()


def _look_for_facts(call: Call, entry_id: UUID) -> None:
    """Start to look for facts in an entry, as after a reply, unless its owner has locked the diary."""
    held = open_keyrings.find(call.owner)
    # Locked since, nothing is looked for; the entry is saved all the same.
    with suppress(VaultLocked):
        if held is not None:
            with in_force(held):
                find_facts(person=call.person, entry_id=entry_id, keyring=held, is_requested=False)


def _sum_up(facts: list[StoredFact]) -> Literal["pending", "no_change", "proposed", "conflict_detected"]:
    """Return the action that summarizes the results of several facts."""
    actions = {fact.action for fact in facts}
    if "conflict_detected" in actions:
        return "conflict_detected"
    if "proposed" in actions:
        return "proposed"
    return "pending" if "pending" in actions else "no_change"


@endpoint("GET", _PATH + "/search", scopes=("facts:read",), tag=_TAG)
def search_memories_by_query_parameters(call: Call, *, query: MemorySearch) -> FoundMemories:
    """Search accepted facts, with the query in the URL.

    URLs are often logged by proxies, so prefer the call by POST. Otherwise the two are the same.
    """
    _check_days(query)
    return _open_store(call, query.user_id).search(query)


@endpoint("POST", _PATH + "/search", scopes=("facts:read",), tag=_TAG)
def search_memories(call: Call, *, body: MemorySearch) -> FoundMemories:
    """Search accepted facts by words and by meaning.

    It works only while the diary is unlocked in a browser, whatever the kind of the token.
    """
    _check_days(body)
    return _open_store(call, body.user_id).search(body)


@endpoint("GET", _PATH + "/list", scopes=("facts:read",), tag=_TAG)
def list_memories(call: Call, *, query: MemoryListQuery) -> MemoryList:
    """List facts by time: accepted ones that still apply, unless `state` asks for others.

    Facts from a file or another program are left out, unless the token may read them too.
    """
    _check_days(query)
    return _open_store(call, query.user_id).list_page(query)


@endpoint(
    "GET",
    _PATH + "/export",
    scopes=("export",),
    tag=_TAG,
    media_types=("application/json", "text/csv", "text/markdown", "text/plain"),
)
def export_memories(call: Call, *, query: MemoryExportQuery) -> StreamingHttpResponse:
    """Export facts as a file.

    Each format ends with the number of facts; without it the file is incomplete. Facts that this program may
    not read are left out and counted. In a CSV, a cell that begins like a formula is prefixed with a quote.
    """
    _check_days(query)
    states = FactState.values if query.state == "all" else [query.state] if query.state else SAVED_STATES
    wanted = FactSelection(
        states=states,
        kind=query.category or "",
        since=query.from_date,
        until=query.to_date,
        least_confidence=query.min_confidence,
        most_confidence=query.max_confidence,
        reads_others=call.terms.reads_untrusted,
    )
    writer = _open_store(call, query.user_id).build_writer(query.format, wanted)
    return stream_file(
        call, writer, name="facts", media_type=query.format.media_type, suffix=query.format.suffix
    )


@endpoint("GET", _PATH + "/preferences", scopes=("facts:write",), tag=_TAG)
def get_memory_preferences(call: Call, *, query: UserQuery) -> MemoryPreferences:
    """Return the owner's choices about facts."""
    return _open_store(call, query.user_id).load_preferences()


@endpoint("PUT", _PATH + "/preferences", scopes=("facts:write",), tag=_TAG)
def change_memory_preferences(call: Call, *, query: UserQuery, body: MemoryPreferences) -> MemoryPreferences:
    """Save the owner's choices about facts."""
    return _open_store(call, query.user_id).save_preferences(body)


@endpoint("GET", _PATH + "/{id}", scopes=("facts:read",), tag=_TAG)
def get_memory(call: Call, *, id: UUID, query: UserQuery) -> MemoryDetail:
    """Return a fact; for a proposal also the accepted facts that it may contradict or repeat."""
    return _open_store(call, query.user_id).get(id)


@endpoint("PATCH", _PATH + "/{id}", scopes=("facts:write",), tag=_TAG)
def change_memory(call: Call, *, id: UUID, query: UserQuery, body: MemoryCorrection) -> ChangedMemory:
    """Correct the sentence of a fact, change its kind, or set the day from which it no longer applies.

    The earlier sentence stays in its history. Only a token that "writes what I type" may change a sentence.
    """
    return _open_store(call, query.user_id).correct(id, body)


@endpoint("DELETE", _PATH + "/{id}", scopes=("facts:write",), tag=_TAG)
def delete_memory(call: Call, *, id: UUID, query: UserQuery) -> DeletedMemory:
    """Delete a fact with its quote and history for good; the same sentence is not proposed again."""
    return _open_store(call, query.user_id).delete(id)


@endpoint("GET", _PATH + "/{id}/history", scopes=("facts:read", "facts:write"), tag=_TAG)
def get_memory_history(call: Call, *, id: UUID, query: UserQuery) -> MemoryHistory:
    """Return the changes of a fact; without the scope facts:read, the words of the fact are left out."""
    return _open_store(call, query.user_id).get_history(id)


@endpoint("POST", _PATH + "/{id}/accept", scopes=("facts:write",), tag=_TAG)
def accept_memory(call: Call, *, id: UUID, query: UserQuery, body: MemoryAcceptance) -> ChangedMemory:
    """Accept a proposal.

    If it touches an accepted fact, `strategy` must say what happens to that fact, else the call is refused
    with 409. Only a token that "writes what I type" may correct the sentence.
    """
    return _open_store(call, query.user_id).accept(id, body)


@endpoint("POST", _PATH + "/{id}/undo", scopes=("facts:write",), tag=_TAG)
def undo_memory(call: Call, *, id: UUID, query: UserQuery) -> ChangedMemory:
    """Undo the last change of a fact, including its effect on another fact."""
    return _open_store(call, query.user_id).undo(id)
