"""Entries as prompts tell them: opened, with the time of day their person saw. Needs the owner's keyring."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from diary import days
from diary.models import Entry
from diary.replies.context import Piece
from llamora.crypto import EnvelopeError

MOST_RECALLED: Final = 3_000  # characters of an entry of a day before


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


def days_before(entries: Iterable[Entry], *, zone: str) -> tuple[Piece, ...]:
    """Open entries of other days, each with its day and no longer than is of use."""
    opened = ((entry, piece_of(entry, zone=zone)) for entry in entries)
    return tuple(
        replace(
            piece,
            day=entry.day,
            day_label=f"{days.weekday(entry.day)}, {days.label(entry.day)}",
            text=piece.text[:MOST_RECALLED],
            is_cut=len(piece.text) > MOST_RECALLED,
        )
        for entry, piece in opened
        if piece is not None
    )
