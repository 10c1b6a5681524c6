"""The model's texts about days (openings and recaps) that a program may read.

Those that were written from texts hidden from the program are left out.
"""

from datetime import date
from typing import Any
from uuid import UUID

from diary.models import Opening, Recap
from llamora.api.call import Call
from llamora.database import CachedQuery
from search.index.sources import filter_current_recaps
from search.programs.hidden_texts import find_origins

_opening_query: CachedQuery[Opening] = CachedQuery(
    lambda owner_id, day: Opening.objects.filter(owner_id=owner_id, day=day, is_dismissed=False)
)
_recap_query: CachedQuery[Recap] = CachedQuery(
    lambda owner_id, day: filter_current_recaps(Recap.objects.filter(owner_id=owner_id, day=day))
)


def load_opening(call: Call, day: date) -> str | None:
    """Return the opening of a day, or None if there is none that the program may read."""
    opening = next(iter(_opening_query(owner_id=call.owner, day=day)), None)
    if opening is None or not _may_read(call, kind="opening", id_=opening.id):
        return None
    return opening.open_or("text", None) or None


def load_recap(call: Call, day: date) -> str | None:
    """Return the recap of a day, or None if there is none that the program may read.

    A recap is not returned once an entry of its day has changed.
    """
    recap = next(iter(_recap_query(owner_id=call.owner, day=day)), None)
    if recap is None or not _may_read(call, kind="recap", id_=recap.id):
        return None
    body: Any = recap.open_or("body", None)
    return str(body.get("text", "")) or None if isinstance(body, dict) else None


def _may_read(call: Call, *, kind: str, id_: UUID) -> bool:
    return id_ in find_origins(call.owner, {kind: [id_]}, with_hidden=call.terms.reads_untrusted)
