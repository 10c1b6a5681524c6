"""The traces of entries as their page shows them: read for all entries at once, only their names opened."""

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from diary.beside import Part
from diary.models import Entry
from llamora.crypto import EnvelopeError
from llamora.inference import endpoint
from traces.lexicons import lexicons
from traces.models import KeptTrace, Proposal, Trace
from traces.proposals import habit_of, is_fresh, proposed
from traces.services import proposing

TEMPLATE = "traces/fragments/on_entry.html"
MENU = "traces/fragments/to_read.html"
NAMELESS = "a trace that does not open"


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A trace that is kept on an entry."""

    id: UUID
    name: str
    is_read_always: bool = False


@dataclass(frozen=True, kw_only=True)
class OnEntry:
    """The traces of one entry, kept and proposed, ready for their template."""

    entry_id: UUID
    kept: Sequence[Chip] = ()
    proposed: Sequence[str] = field(default=(), repr=False)
    # Whether the model may be asked, and whether its proposals are still to come.
    can_ask: bool = False
    is_waiting: bool = False
    # Whether another name may follow at once.
    is_adding: bool = False
    # Said after a refusal, with what was typed.
    error: str = ""
    typed: str = field(default="", repr=False)


def name_of(trace: Trace) -> str:
    """Return what a trace is called; a damaged one must not take its whole day with it."""
    try:
        return str(trace.name)
    except EnvelopeError:
        return NAMELESS


def chips_of(entries: Sequence[Entry]) -> dict[UUID, list[Chip]]:
    """Return the kept traces of entries of one person, in the order they were kept, in one query.

    Names come from the lexicon, so that no trace is loaded and opened for each entry that bears it.
    """
    chips: dict[UUID, list[Chip]] = defaultdict(list)
    if not entries:
        return chips
    owner_id = entries[0].owner_id
    kept = KeptTrace.objects.filter(
        owner_id=owner_id, trace__deleted_at=None, entry__in=[entry.id for entry in entries]
    )
    rows = list(kept.values_list("entry_id", "trace_id", "trace__is_read_always"))
    names = _names_of(owner_id, {trace_id for _, trace_id, _ in rows})
    for entry_id, trace_id, is_always in rows:
        name = names.get(trace_id, NAMELESS)
        chips[entry_id].append(Chip(id=trace_id, name=name, is_read_always=is_always))
    return chips


def _names_of(owner_id: UUID, ids: Set[UUID]) -> dict[UUID, str]:
    names = lexicons.of(owner_id).names
    if not ids <= names.keys():
        # Kept by another process, or damaged.
        lexicons.forget(owner_id)
        names = lexicons.of(owner_id).names
    return names


def on_entries(entries: Sequence[Entry]) -> dict[UUID, OnEntry]:
    """Return the traces of entries of one person, by entry."""
    if not entries:
        return {}
    can_ask = endpoint.status().is_ready
    # Before what was proposed is read: whoever is not under way any more has written it by then.
    waiting = {entry.id for entry in entries if can_ask and proposing.is_under_way(entry.owner_id, entry.id)}
    chips = chips_of(entries)
    rows = {row.entry_id: row for row in Proposal.objects.filter(entry__in=[entry.id for entry in entries])}
    fresh = {entry.id for entry in entries if not chips[entry.id] and is_fresh(entry)}
    habit = habit_of(entries[0].owner_id) if fresh else []
    return {
        entry.id: OnEntry(
            entry_id=entry.id,
            kept=chips[entry.id],
            proposed=proposed(
                entry,
                row=rows.get(entry.id),
                kept=[chip.name for chip in chips[entry.id]],
                habit=habit if entry.id in fresh else (),
            ),
            can_ask=can_ask,
            is_waiting=entry.id in waiting,
        )
        for entry in entries
    }


def parts_of(entries: Sequence[Entry]) -> dict[UUID, Part]:
    """Return what stands under each entry of a page."""
    return {
        entry_id: Part(template=TEMPLATE, shown=shown, menu=MENU)
        for entry_id, shown in on_entries(entries).items()
    }


def exported(entries: Sequence[Entry]) -> dict[UUID, Any]:
    """Return the names of the traces that entries bear, for a file; one that does not open has none."""
    return {
        entry_id: [chip.name for chip in chips if chip.name is not NAMELESS]
        for entry_id, chips in chips_of(entries).items()
    }
