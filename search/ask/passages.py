"""Passages of entries for an answer, and what a question stores of them. Needs the owner's keyring in force.

An answer reads what its owner wrote or what others wrote, never both: the first may then be told without a
mark, and what others planted stands beside nothing that it could carry away.

A question stores its sources without their words, so that what is deleted from a diary is gone:

    [{"kind": "entry", "id", "day", "origin", "revision", "span": [start, end]}, ...]   the first has number 1
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from diary.models import TRUSTED_ORIGINS, Entry, EntryQuerySet, Origin
from diary.rendering.excerpts import extract_passage
from llamora.crypto import EnvelopeError
from search.ask.ranking import AskedTexts
from search.chunks import Span
from search.query.snippets import find_best_passage

MAX_PASSAGES: Final = 8
ENTRY_KIND: Final = "entry"
# A small model reads some hundred words a second, and finds little in long texts.
_MAX_CHARACTERS: Final = 900
_MAX_EXAMINED: Final = 100
_AT_ONCE: Final = 500
_LONGEST_TEXT: Final = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A passage of an entry: its most relevant part (`span`, `snippet`), and that with what is around it."""

    entry_id: UUID
    day: date
    origin: str
    revision: int
    span: Span
    snippet: str = field(repr=False)
    excerpt: str = field(repr=False)
    is_cut: bool = False
    kind: str = ENTRY_KIND

    @property
    def id(self) -> UUID:
        """The id of the text that it is from."""
        return self.entry_id

    @property
    def is_trusted(self) -> bool:
        """Whether its owner wrote it."""
        return self.origin in TRUSTED_ORIGINS


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """On how many days the words of a question were written, and the first and the latest of them."""

    days: int
    first: date
    latest: date


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPassages:
    """The passages for an answer, best first, all of one side; `not_read` counts those of the other side."""

    passages: tuple[Passage, ...] = ()
    is_untrusted: bool = False
    not_read: int = 0
    tally: Tally | None = None
    days: tuple[date, date] | None = None


def load_passages(owner_id: UUID, asked: AskedTexts, *, of_untrusted: bool) -> FoundPassages:
    """Return the passages of texts that were found, of what their owner wrote or of what others wrote."""
    ids = list(asked.ids[:_MAX_EXAMINED])
    there = set(
        _select_side(owner_id, of_untrusted=of_untrusted).filter(id__in=ids).values_list("id", flat=True)
    )
    wanted = asked.select([id_ for id_ in ids if id_ in there])
    return FoundPassages(
        passages=tuple(_iter_passages(owner_id, wanted, asked, of_untrusted=of_untrusted)),
        is_untrusted=of_untrusted,
        tally=_count_days(owner_id, asked.counted if wanted else (), of_untrusted=of_untrusted),
        days=asked.days,
    )


def list_side(owner_id: UUID, *, of_untrusted: bool) -> set[UUID]:
    """Return the ids of the entries that their owner wrote, or of those that others wrote."""
    return set(_select_side(owner_id, of_untrusted=of_untrusted).values_list("id", flat=True))


def _select_side(owner_id: UUID, *, of_untrusted: bool) -> EntryQuerySet:
    entries = Entry.objects.for_owner(owner_id).order_by()
    return entries.exclude(origin__in=TRUSTED_ORIGINS) if of_untrusted else entries.only_trusted()


def _iter_passages(
    owner_id: UUID, ids: Sequence[UUID], asked: AskedTexts, *, of_untrusted: bool
) -> Iterator[Passage]:
    count = 0
    for first in range(0, len(ids), MAX_PASSAGES):
        some = ids[first : first + MAX_PASSAGES]
        entries = Entry.objects.for_owner(owner_id).in_bulk(some)
        for id_ in some:
            passage = _build_passage(entries.get(id_), asked) if count < MAX_PASSAGES else None
            # The text opens only if its origin was not changed without a key.
            if passage is not None and passage.is_trusted != of_untrusted:
                count += 1
                yield passage
        if count == MAX_PASSAGES:
            return


def _build_passage(entry: Entry | None, asked: AskedTexts) -> Passage | None:
    """Return the passage of an entry, or None if it is gone or damaged."""
    if entry is None:
        return None
    try:
        text = str(entry.text)
    except EnvelopeError:
        return None
    around = asked.spans.get(entry.id)
    return cut_passage(entry, text, find_best_passage(text, asked.marker, around=around))


def cut_passage(entry: Entry, text: str, span: Span) -> Passage:
    """Return the passage of an entry with this span of its text."""
    start, end = span
    excerpt = extract_passage(text, span, length=_MAX_CHARACTERS)
    return Passage(
        entry_id=entry.id,
        day=entry.day,
        origin=entry.origin,
        revision=entry.revision,
        span=span,
        snippet=f"{'… ' if start else ''}{text[start:end]}{' …' if end < len(text) else ''}",
        excerpt=excerpt,
        is_cut=len(excerpt) < len(text.strip()),
    )


def _count_days(owner_id: UUID, ids: Sequence[UUID], *, of_untrusted: bool) -> Tally | None:
    days: set[date] = set()
    for first in range(0, len(ids), _AT_ONCE):
        rows = _select_side(owner_id, of_untrusted=of_untrusted).filter(id__in=ids[first : first + _AT_ONCE])
        days |= set(rows.values_list("day", flat=True))
    return Tally(days=len(days), first=min(days), latest=max(days)) if days else None


# --- what is stored ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSource:
    """A source of an answer as it is stored, without its words."""

    entry_id: UUID
    day: date
    origin: str
    revision: int
    span: Span
    kind: str = ENTRY_KIND


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A numbered source of an answer as it is shown; without a passage if its entry has changed."""

    number: int
    stored: StoredSource
    passage: Passage | None = field(default=None, repr=False)

    @property
    def snippet(self) -> str:
        """The words to show, or nothing."""
        return self.passage.snippet if self.passage is not None else ""


def store_sources(passages: Iterable[Passage]) -> list[dict[str, Any]]:
    """Return passages as a question stores them."""
    return [_store_source(passage) for passage in passages]


def replace_source_ids(
    value: Any, find_ids: Callable[[Sequence[UUID]], Mapping[UUID, UUID]]
) -> list[dict[str, Any]]:
    """Return what a question stores of its sources with other ids of their entries."""
    stored = read_sources(value)
    ids = find_ids([source.entry_id for source in stored])
    return [_store_source(replace(one, entry_id=ids.get(one.entry_id, one.entry_id))) for one in stored]


def _store_source(source: "Passage | StoredSource") -> dict[str, Any]:
    return {
        "kind": source.kind,
        "id": str(source.entry_id),
        "day": source.day.isoformat(),
        "origin": source.origin,
        "revision": source.revision,
        "span": list(source.span),
    }


def read_sources(value: Any) -> list[StoredSource]:
    """Return the sources that a question stores; none if the value is malformed."""
    try:
        return [_read_source(one) for one in value[:MAX_PASSAGES]]
    except (AttributeError, KeyError, TypeError, ValueError):
        # UUID raises AttributeError for a number.
        return []


def _read_source(value: Mapping[str, Any]) -> StoredSource:
    start, end = (int(place) for place in value["span"])
    if not 0 <= start <= end <= _LONGEST_TEXT or value["kind"] != ENTRY_KIND:
        raise ValueError
    return StoredSource(
        entry_id=UUID(value["id"]),
        day=date.fromisoformat(value["day"]),
        origin=Origin(value["origin"]).value,
        revision=int(value["revision"]),
        span=(start, end),
    )


def load_sources(owner_id: UUID, stored: Sequence[StoredSource], *, reads_untrusted: bool) -> list[Source]:
    """Return sources with their passages, as far as their entries are as they were.

    Without `reads_untrusted` what its owner did not write has none.
    """
    entries = Entry.objects.for_owner(owner_id).in_bulk([source.entry_id for source in stored])
    return [
        Source(
            number=number,
            stored=source,
            passage=_load_again(entries.get(source.entry_id), source, reads_untrusted=reads_untrusted),
        )
        for number, source in enumerate(stored, start=1)
    ]


def _load_again(entry: Entry | None, source: StoredSource, *, reads_untrusted: bool) -> Passage | None:
    if entry is None or entry.revision != source.revision or not (reads_untrusted or entry.is_trusted):
        return None
    try:
        return cut_passage(entry, str(entry.text), source.span)
    except EnvelopeError:
        return None
