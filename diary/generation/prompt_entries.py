"""Entries as prompts tell them: opened, with the time of day their person saw. Needs the owner's keyring."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from uuid import UUID

from diary import days
from diary.generation.prompt_context import MIN_ENTRY_CHARACTERS, PromptEntry
from diary.models import Entry
from diary.rendering.excerpts import Span, extract_passage
from llamora.crypto import EnvelopeError

MAX_RECALLED_CHARACTERS: Final = 3_000  # characters of an entry of a day before that was chosen to be read
MAX_NEAR_CHARACTERS: Final = 800  # and of one that was not chosen, but is near in meaning


def build_prompt_entry(entry: Entry, *, zone: str) -> PromptEntry | None:
    """Open an entry; None for one that does not open, which must not hold up the others."""
    try:
        text = str(entry.text)
    except EnvelopeError:
        return None
    seen = days.to_original_time(entry.created_at, offset=entry.utc_offset, zone_name=zone)
    return PromptEntry(time=seen.strftime("%H:%M"), text=text, id=entry.id)


def build_prompt_entries(entries: Iterable[Entry], *, zone: str) -> tuple[PromptEntry, ...]:
    """Open entries; what does not open is left out."""
    return tuple(piece for entry in entries if (piece := build_prompt_entry(entry, zone=zone)))


def build_earlier_entries(
    entries: Iterable[Entry], *, zone: str, near: Mapping[UUID, Span] = MappingProxyType({})
) -> tuple[PromptEntry, ...]:
    """Open entries of other days, each with its day; of one that is just `near`, the passage that is."""
    opened = ((entry, build_prompt_entry(entry, zone=zone)) for entry in entries)
    return tuple(
        _shorten_earlier(entry, piece, near.get(entry.id)) for entry, piece in opened if piece is not None
    )


def _shorten_earlier(entry: Entry, piece: PromptEntry, place: Span | None) -> PromptEntry:
    text = (
        piece.text[:MAX_RECALLED_CHARACTERS]
        if place is None
        else extract_passage(piece.text, place, length=MAX_NEAR_CHARACTERS)
    )
    label = f"{days.weekday_name(entry.day)}, {days.format_day(entry.day)}"
    return replace(
        piece, day=entry.day, day_label=label, text=text, is_cut=len(text) < len(piece.text.strip())
    )


def halve_entry(entry: PromptEntry) -> PromptEntry | None:
    """Return the first half of an entry; None for one that is too short for that."""
    half = len(entry.text) // 2
    return replace(entry, text=f"{entry.text[:half].rstrip()}…") if half > MIN_ENTRY_CHARACTERS else None


def omit_middle(text: str, *, most: int) -> str:
    """Return a text with its middle left out: how it begins, and more of its end, where things stay open."""
    if len(text) <= most:
        return text
    head, _, broken = text[: most // 3].rpartition(" ")
    half, _, tail = text[len(text) - 2 * most // 3 :].partition(" ")
    return f"{head or broken} … {tail or half}"
