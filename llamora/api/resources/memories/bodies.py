"""Structs of the bodies and responses of the calls that are compatible with Harmonia.

Harmonia is a memory for assistants; one of its memories is a fact here. Some values are returned under two
names, ours and Harmonia's, so that Harmonia's programs find them.
"""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec

from diary.transfer.programs.file_formats import TextFormat
from llamora.api.resources.entries import Moment, Text
from llamora.api.resources.pages import USUAL_LIMIT, Cursor, Limit, Offset
from search.query.parser import MAX_TYPED
from traces.facts.comparison import Strategy, Verdict
from traces.facts.fact_body import MAX_TEXT

MAX_FACTS: Final = 100
_MAX_QUOTE: Final = 2_000
_IGNORED: Final = "Taken from programs of Harmonia, and not stored."
UserId = (
    Annotated[str, msgspec.Meta(max_length=200, description="The name of the token's owner, or nothing.")]
    | None
)
Category = Annotated[
    str,
    msgspec.Meta(
        max_length=200,
        description='"people", "places", "belongings", "dates", "habits", "preferences", or any other name.',
    ),
]
Confidence = Annotated[float, msgspec.Meta(ge=0, le=1)]
StateName = Literal["accepted", "proposed", "ended", "archived"]
Action = Literal[
    "created", "updated", "proposed", "accepted", "no_change", "pending", "conflict_detected", "undone"
]
# A sentence may be longer until its spaces are made one each; what is too long then is refused by name.
Sentence = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=4 * MAX_TEXT, description=f"One sentence, of at most {MAX_TEXT} characters."
    ),
]


class UserQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Query parameters that every memory call takes."""

    user_id: UserId = None


class FactToStore(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A fact that a call sends. The server stores the fact as a proposal, which its owner may accept.

    `quote` is what was said; `confidence` is only shown to the owner.
    """

    content: Sentence
    category: Category = ""
    quote: Annotated[str, msgspec.Meta(max_length=_MAX_QUOTE)] = ""
    confidence: Confidence | None = None


class MemoryToStore(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A message to store, facts to propose, or both."""

    message: Text | None = None
    facts: Annotated[list[FactToStore], msgspec.Meta(max_length=MAX_FACTS)] | None = None
    user_id: UserId = None
    session_id: Annotated[str, msgspec.Meta(max_length=200, description=_IGNORED)] | None = None
    metadata: Annotated[dict[str, Any], msgspec.Meta(description=_IGNORED)] | None = None
    resolution_strategy: (
        Annotated[
            str, msgspec.Meta(max_length=40, description=_IGNORED + " The owner decides, or `accept` does.")
        ]
        | None
    ) = None


class TouchedMemory(msgspec.Struct, kw_only=True):
    """An accepted fact that a new one may contradict or repeat; `strategy` is the suggested resolution."""

    id: UUID
    content: str
    relation: Verdict
    strategy: Strategy


class StoredFact(msgspec.Struct, kw_only=True):
    """Result for one fact of a call. A new fact is stored as a proposal, and is not accepted yet.

    "proposed": it waits for its owner. "conflict_detected": it waits, and may contradict the facts listed,
    which are unchanged. "no_change": it is waiting or accepted already, or its owner has declined it. A token
    that may not read facts always gets "pending".
    """

    content: str
    action: Literal["proposed", "conflict_detected", "no_change", "pending"]
    id: UUID | None = None
    conflicts: list[TouchedMemory] = []


class StoredMemory(msgspec.Struct, kw_only=True):
    """Result of storing a message or facts; `id` is the id of the entry, if a message was sent.

    "created": the message is an entry. "pending": it waits in the Inbox until its owner accepts it.
    "no_change": an earlier call with the same Idempotency-Key stored it. Without a message, `action`
    summarizes the results of the facts.
    """

    action: Literal["created", "pending", "no_change", "proposed", "conflict_detected"]
    id: UUID | None
    date: date
    facts: list[StoredFact]


class MemoryBody(msgspec.Struct, kw_only=True):
    """A fact. `content` is null if it is damaged on the disk.

    `confidence` is 1.0 for a fact that its owner entered, 0.9 for an accepted proposal, and 0.5 for a
    proposal. `date` is the day of the entry it is from, else the day on which it was added. `when` is the
    time to which the fact applies; `ended` is the day from which it no longer applies. `origin` is as in
    EntryBody, and "model" for a fact that a model found in an entry that the owner wrote. `memory_id`,
    `confidence_score`, `original_message`, `timestamp` and `is_active` are Harmonia's names for the same
    values.
    """

    id: UUID
    kind: Literal["fact"]
    content: str | None
    category: str
    state: StateName
    confidence: Confidence
    date: date
    when: dict[str, Any] | None
    ended: str | None
    quote: str | None
    created_at: datetime
    updated_at: datetime
    origin: str
    source: str
    memory_id: UUID
    confidence_score: Confidence
    original_message: str | None
    timestamp: datetime
    is_active: bool


class MemoryDetail(MemoryBody, kw_only=True):
    """A fact; for a proposal also the accepted facts that it may contradict or repeat."""

    conflicts: list[TouchedMemory]


class FoundMemory(MemoryBody, kw_only=True):
    """A fact that was found; `relevance_score` is comparable within one search only."""

    relevance_score: float


class Pagination(msgspec.Struct, kw_only=True):
    """The position of a page in its list, with the field names of Harmonia.

    `total_count` is null if counting would decrypt every fact.
    """

    total_count: int | None
    limit: int
    offset: int
    has_more: bool


class MemorySearch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A search of accepted facts, with the operators of the search box.

    `boost_recent` ranks facts of the last thirty days higher; `boost_categories` does so for these kinds,
    separated by commas. With a filter, a boost or another order, only the thousand best results are
    considered.
    """

    query: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TYPED, description="What to search for.")]
    limit: Annotated[int, msgspec.Meta(ge=1, le=100, description="How many at most, from 1 to 100.")] = 20
    offset: Annotated[int, msgspec.Meta(ge=0, le=10_000, description="How many to leave out.")] = 0
    from_date: date | None = None
    to_date: date | None = None
    category: Category | None = None
    min_confidence: Confidence = 0
    max_confidence: Confidence = 1
    sort_by: Literal["relevance", "created_at", "updated_at", "confidence"] = "relevance"
    sort_order: Literal["asc", "desc"] = "desc"
    boost_recent: bool = False
    boost_categories: Annotated[str, msgspec.Meta(max_length=1_000)] = ""
    include_metadata: Annotated[bool, msgspec.Meta(description="All is always included.")] = True
    user_id: UserId = None


class FoundMemories(msgspec.Struct, kw_only=True):
    """Facts that were found, best first; `next_offset` is null on the last page.

    `total` counts the facts that contain all words. Results after those contain some of the words, or are
    near in meaning. While the index is being opened, `state` is "opening" and nothing is found: search again
    in a few seconds.
    """

    state: Literal["ready", "opening"]
    results: list[FoundMemory]
    total: int
    next_offset: int | None
    pagination: Pagination


class MemoryListQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Query parameters of the list, paginated by `cursor` or `offset`; the two dates are inclusive."""

    limit: Limit = USUAL_LIMIT
    offset: Offset = 0
    cursor: Cursor = ""
    from_date: date | None = None
    to_date: date | None = None
    category: Category | None = None
    state: Literal["accepted", "proposed", "ended", "archived", "all"] = "accepted"
    min_confidence: Confidence = 0
    max_confidence: Confidence = 1
    sort_by: Literal["created_at", "updated_at"] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"
    user_id: UserId = None


class MemoryList(msgspec.Struct, kw_only=True):
    """A page of facts; `next_cursor` and `next_offset` are null on the last page.

    `total` is counted only if the query names a category.
    """

    memories: list[MemoryBody]
    total: int | None
    next_cursor: str | None
    next_offset: int | None
    pagination: Pagination


class MemoryExportQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Query parameters of an export: its format and filters. Without `state`, proposals are left out."""

    format: TextFormat = TextFormat.JSON
    from_date: date | None = None
    to_date: date | None = None
    category: Category | None = None
    state: Literal["accepted", "proposed", "ended", "archived", "all"] | None = None
    min_confidence: Confidence = 0
    max_confidence: Confidence = 1
    include_metadata: Annotated[bool, msgspec.Meta(description="All is always included.")] = True
    user_id: UserId = None


class MemoryCorrection(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A change of a fact: its sentence, its kind, or the day from which it no longer applies.

    With `updated_at` the call is refused if the fact was changed since then.
    """

    content: Sentence | None = None
    category: Category | None = None
    ended: date | None = None
    updated_at: Moment | None = None


class MemoryAcceptance(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Acceptance of a proposal, with corrections, and a strategy if it contradicts or repeats a fact.

    `strategy` is update_timestamp (said again), replace (changed), merge (into `content`), link, create_new,
    keep_both or archive_old. Without `earlier_id` it applies to the first of the proposal's `conflicts`.
    """

    content: Sentence | None = None
    strategy: Strategy | None = None
    earlier_id: UUID | None = None


class ChangedMemory(msgspec.Struct, kw_only=True):
    """Result of changing a fact; `memory` is null if the token may not read it, or it was deleted."""

    action: Action
    id: UUID
    memory: MemoryBody | None


class MemoryChange(msgspec.Struct, kw_only=True):
    """One change of a fact: its time, its author, and the fact's sentence after the change.

    `action` is the kind of change, such as "propose", "accept", "correct", "end" or "undo", or the strategy.
    `by` is "owner", "model", or the id of a token. `content` is null if the program may not read it.
    """

    action: str
    number: int
    at: datetime
    by: str
    state: StateName
    content: str | None


class MemoryHistory(msgspec.Struct, kw_only=True):
    """The changes of a fact, oldest first; `is_whole` is true if no change is missing or damaged."""

    id: UUID
    history: list[MemoryChange]
    is_whole: bool


class DeletedMemory(msgspec.Struct, kw_only=True):
    """Result of deleting a fact with its quote and history; its sentence is not proposed again."""

    id: UUID
    deleted: Literal[True] = True


class MemoryPreferences(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The owner's choices about facts.

    `proposes_after_reply`: after a reply, the model proposes facts from the entry. `confirms_same`: a fact
    that repeats an accepted one is recorded there without asking the owner.
    """

    proposes_after_reply: bool
    confirms_same: bool
