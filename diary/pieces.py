"""Entries as prompts tell them: opened, with the time of day their person saw. Needs the owner's keyring."""

from collections.abc import Iterable

from diary import days
from diary.models import Entry
from diary.replies.context import Piece
from llamora.crypto import EnvelopeError


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
