"""Passages of entries from which the model answers a question.

Call these functions inside `in_force`, which makes the owner's keys available.

An answer is written either from trusted entries or from others, never from both. So an answer from trusted
entries needs no warning, and instructions that others planted in a text can disclose nothing of its owner's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

from diary.models import TRUSTED_ORIGINS, Entry, EntryQuerySet
from diary.rendering.excerpts import extract_passage
from llamora.crypto import EnvelopeError
from search.ask.ranking import CandidateTexts
from search.chunks import Span
from search.query.snippets import find_best_passage

MAX_PASSAGES: Final = 8
# A small model reads some hundred words a second, and finds little in long texts.
_MAX_CHARACTERS: Final = 900
_MAX_EXAMINED: Final = 100
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A passage of an entry: its most relevant part (`span`, `snippet`), and an excerpt around that part."""

    entry_id: UUID
    day: date
    origin: str
    revision: int
    span: Span
    snippet: str = field(repr=False)
    excerpt: str = field(repr=False)
    is_cut: bool = False

    @property
    def id(self) -> UUID:
        """The id of the entry."""
        return self.entry_id

    @property
    def is_trusted(self) -> bool:
        """Whether its owner wrote the entry."""
        return self.origin in TRUSTED_ORIGINS


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The number of days on which the words of a question occur, and the first and latest of these days."""

    days: int
    first: date
    latest: date


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPassages:
    """The passages for an answer, best first, all trusted or all untrusted.

    `not_read` counts the entries of the other kind that answer the question too.
    """

    passages: tuple[Passage, ...] = ()
    is_untrusted: bool = False
    not_read: int = 0
    tally: Tally | None = None
    days: tuple[date, date] | None = None


def load_passages(owner_id: UUID, asked: CandidateTexts, *, of_untrusted: bool) -> FoundPassages:
    """Return passages of entries: of untrusted ones if `of_untrusted`, else of trusted ones.

    `asked` lists the texts that may answer the question.
    """
    ids = list(asked.ids[:_MAX_EXAMINED])
    there = set(
        _select_entries(owner_id, of_untrusted=of_untrusted).filter(id__in=ids).values_list("id", flat=True)
    )
    wanted = asked.select([id_ for id_ in ids if id_ in there])
    return FoundPassages(
        passages=tuple(_iter_passages(owner_id, wanted, asked, of_untrusted=of_untrusted)),
        is_untrusted=of_untrusted,
        tally=_count_days(owner_id, asked.counted if wanted else (), of_untrusted=of_untrusted),
        days=asked.days,
    )


def list_entry_ids(owner_id: UUID, *, of_untrusted: bool) -> set[UUID]:
    """Return the ids of a person's entries: the untrusted ones if `of_untrusted`, else the trusted ones."""
    return set(_select_entries(owner_id, of_untrusted=of_untrusted).values_list("id", flat=True))


def _select_entries(owner_id: UUID, *, of_untrusted: bool) -> EntryQuerySet:
    entries = Entry.objects.for_owner(owner_id).order_by()
    return entries.exclude(origin__in=TRUSTED_ORIGINS) if of_untrusted else entries.only_trusted()


def _iter_passages(
    owner_id: UUID, ids: Sequence[UUID], asked: CandidateTexts, *, of_untrusted: bool
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


def _build_passage(entry: Entry | None, asked: CandidateTexts) -> Passage | None:
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
        rows = _select_entries(owner_id, of_untrusted=of_untrusted).filter(
            id__in=ids[first : first + _AT_ONCE]
        )
        days |= set(rows.values_list("day", flat=True))
    return Tally(days=len(days), first=min(days), latest=max(days)) if days else None
