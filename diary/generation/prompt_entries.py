"""Entries for a prompt, decrypted, with the local time of day at which each was written.

Call these functions inside `in_force`, which makes the owner's keys available.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from uuid import UUID

from diary import days
from diary.generation.prompt_context import MIN_ENTRY_CHARACTERS, PromptEntry
from diary.models import Entry, Origin
from diary.rendering.excerpts import Span, extract_passage
from llamora.crypto import EnvelopeError

MAX_RECALLED_CHARACTERS: Final = 3_000  # of an entry that the person chose to have read
MAX_NEAR_CHARACTERS: Final = 800  # of one that is only related in meaning


def build_prompt_entry(entry: Entry, *, zone: str) -> PromptEntry | None:
    """Decrypt an entry; return None for a damaged entry, which must not block the others."""
    try:
        text = str(entry.text)
    except EnvelopeError:
        return None
    written_at = days.to_original_time(entry.created_at, offset=entry.utc_offset, zone_name=zone)
    time = written_at.strftime("%H:%M")
    if time == "12:00" and _is_from_elsewhere(entry):
        # Without a time of day it is stored as of noon.
        time = ""
    return PromptEntry(time=time, text=text, id=entry.id, is_trusted=entry.is_trusted)


def build_prompt_entries(entries: Iterable[Entry], *, zone: str) -> tuple[PromptEntry, ...]:
    """Decrypt entries; damaged ones are left out."""
    return tuple(one for entry in entries if (one := build_prompt_entry(entry, zone=zone)))


def build_earlier_entries(
    entries: Iterable[Entry], *, zone: str, near: Mapping[UUID, Span] = MappingProxyType({})
) -> tuple[PromptEntry, ...]:
    """Decrypt and shorten entries of earlier days.

    An entry whose id is in `near` is cut to the passage around the span given there.
    """
    decrypted = ((entry, build_prompt_entry(entry, zone=zone)) for entry in entries)
    return tuple(
        _shorten_earlier(entry, one, near.get(entry.id)) for entry, one in decrypted if one is not None
    )


def halve_entry(entry: PromptEntry) -> PromptEntry | None:
    """Return the first half of an entry, or None if the entry is too short."""
    half = len(entry.text) // 2
    return replace(entry, text=f"{entry.text[:half].rstrip()}…") if half > MIN_ENTRY_CHARACTERS else None


def omit_middle(text: str, *, limit: int) -> str:
    """Return a text shortened to `limit` characters: a third is its beginning, two thirds are its end.

    The end gets more space, since open questions are more often there.
    """
    if len(text) <= limit:
        return text
    head, _, broken = text[: limit // 3].rpartition(" ")
    half, _, tail = text[len(text) - 2 * limit // 3 :].partition(" ")
    return f"{head or broken} … {tail or half}"


def _is_from_elsewhere(entry: Entry) -> bool:
    """Return whether an entry came from an import or a program, even if its owner has claimed it."""
    return entry.origin != Origin.OWN or entry.open_or("provenance", None) is not None


def _shorten_earlier(entry: Entry, prompt_entry: PromptEntry, span: Span | None) -> PromptEntry:
    text = (
        prompt_entry.text[:MAX_RECALLED_CHARACTERS]
        if span is None
        else extract_passage(prompt_entry.text, span, length=MAX_NEAR_CHARACTERS)
    )
    label = f"{days.weekday_name(entry.day)}, {days.format_day(entry.day)}"
    return replace(
        prompt_entry,
        day=entry.day,
        day_label=label,
        text=text,
        is_cut=len(text) < len(prompt_entry.text.strip()),
    )
