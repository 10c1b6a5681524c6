"""Entries as prompts tell them: opened, with the time of day their person saw. Needs the owner's keyring."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from uuid import UUID

from diary import days
from diary.excerpts import Span, passage
from diary.models import Entry
from diary.replies.context import Piece
from llamora.crypto import EnvelopeError

MOST_RECALLED: Final = 3_000  # characters of an entry of a day before that was chosen to be read
MOST_NEAR: Final = 800  # and of one that was not chosen, but is near in meaning


def piece_of(entry: Entry, *, zone: str) -> Piece | None:
    """Open an entry; None for one that does not open, which must not hold up the others."""
    try:
        text = str(entry.text)
    except EnvelopeError:
        return None
    seen = days.seen(entry.created_at, offset=entry.utc_offset, zone_name=zone)
    return Piece(time=seen.strftime("%H:%M"), text=text, id=entry.id)


def pieces_of(entries: Iterable[Entry], *, zone: str) -> tuple[Piece, ...]:
    """Open entries; what does not open is left out."""
    return tuple(piece for entry in entries if (piece := piece_of(entry, zone=zone)))


def days_before(
    entries: Iterable[Entry], *, zone: str, near: Mapping[UUID, Span] = MappingProxyType({})
) -> tuple[Piece, ...]:
    """Open entries of other days, each with its day; of one that is just `near`, the passage that is."""
    opened = ((entry, piece_of(entry, zone=zone)) for entry in entries)
    return tuple(_of_before(entry, piece, near.get(entry.id)) for entry, piece in opened if piece is not None)


def _of_before(entry: Entry, piece: Piece, place: Span | None) -> Piece:
    text = piece.text[:MOST_RECALLED] if place is None else passage(piece.text, place, length=MOST_NEAR)
    label = f"{days.weekday(entry.day)}, {days.label(entry.day)}"
    return replace(
        piece, day=entry.day, day_label=label, text=text, is_cut=len(text) < len(piece.text.strip())
    )
