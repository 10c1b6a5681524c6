"""What was read for something the model wrote: which entries, and what was left out for length. Pure.

    {"entries": [[id, day], ...], "left_out": [[id, day], ...],
     "recaps": [day, ...], "recapped": [id, ...] of the entries these were made from,
     "recaps_left_out": [day, ...],
     "replies": how many earlier replies, "replies_left_out": how many not,
     "is_cut": whether a text lost a part of itself,
     "traces": [id, ...] of what entries of days before were recalled by,
     "near": [id, ...] of entries recalled since they are near in meaning}

Ids and days, never words; sealed with what was written all the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

EntryRef = tuple[UUID, date]


@dataclass(kw_only=True)
class PromptRecord:
    """What was read; filled in when a prompt is composed, and kept with what comes of it."""

    entries: list[EntryRef] = field(default_factory=list)
    left_out: list[EntryRef] = field(default_factory=list)
    recaps: list[date] = field(default_factory=list)
    recapped: list[UUID] = field(default_factory=list)
    recaps_left_out: list[date] = field(default_factory=list)
    replies: int = 0
    replies_left_out: int = 0
    is_cut: bool = False
    traces: list[UUID] = field(default_factory=list)
    near: list[UUID] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it as it is sealed."""
        return {
            "entries": _dump_refs(self.entries),
            "left_out": _dump_refs(self.left_out),
            "recaps": [day.isoformat() for day in self.recaps],
            "recapped": [str(id_) for id_ in self.recapped],
            "recaps_left_out": [day.isoformat() for day in self.recaps_left_out],
            "replies": self.replies,
            "replies_left_out": self.replies_left_out,
            "is_cut": self.is_cut,
            "traces": [str(id_) for id_ in self.traces],
            "near": [str(id_) for id_ in self.near],
        }

    @property
    def source_ids(self) -> set[UUID]:
        """Return the entries whose words were read, or whose recap was."""
        return {id_ for id_, _ in self.entries} | set(self.recapped)

    @classmethod
    def from_json(cls, kept: Any) -> "PromptRecord | None":
        """Return it as it was sealed; None for a row that has none yet, or says something else."""
        try:
            return cls(
                entries=_load_refs(kept["entries"]),
                left_out=_load_refs(kept["left_out"]),
                recaps=[date.fromisoformat(day) for day in kept["recaps"]],
                replies=int(kept["replies"]),
                is_cut=bool(kept["is_cut"]),
                # What was read before these were noted has none.
                recapped=[UUID(id_) for id_ in kept.get("recapped", ())],
                recaps_left_out=[date.fromisoformat(day) for day in kept.get("recaps_left_out", ())],
                replies_left_out=int(kept.get("replies_left_out", 0)),
                traces=[UUID(id_) for id_ in kept.get("traces", ())],
                near=[UUID(id_) for id_ in kept.get("near", ())],
            )
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            # The first is what UUID says of a number.
            return None


def _dump_refs(places: Iterable[EntryRef]) -> list[list[str]]:
    return [[str(entry_id), day.isoformat()] for entry_id, day in places]


def _load_refs(kept: Iterable[Any]) -> list[EntryRef]:
    return [(UUID(entry_id), date.fromisoformat(day)) for entry_id, day in kept]
