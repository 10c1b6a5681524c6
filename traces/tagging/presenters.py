"""Traces on entries for templates, loaded for all entries of a page at once, and the preview of a trace."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from markupsafe import escape

from diary.generation.unique_jobs import may_generate_unrequested
from diary.hooks import EntryPanel
from diary.models import Entry
from diary.rendering.excerpts import get_first_words
from llamora.database import CachedQuery
from llamora.inference import model_server
from traces.accepted import CHECKED_COLUMNS, AcceptedTrace, Row, list_accepted, list_authentic
from traces.matcher import NameMatcher, name_matchers
from traces.messages import UNREADABLE_NAME
from traces.models import EntryTrace, Trace, TraceProposal
from traces.proposals import services as proposals_services
from traces.proposals.queries import (
    find_new_names,
    list_fresh,
    list_habitual_names,
    list_proposed_names,
)
from traces.queries import load_latest_entries

TRACES_TEMPLATE = "traces/fragments/on_entry.html"
CONTEXT_TEMPLATE = "traces/fragments/reply_context.html"
PREVIEW_ENTRIES: Final = 3
PREVIEW_LENGTH: Final = 80
_NO_ID: Final = UUID(int=2**128 - 1)
# Private characters, which no template contains.
_FIRST_PLACEHOLDER: Final = 0xE000
_PLACEHOLDER: Final = re.compile(f"({_NO_ID}|[\ue000-\uf8ff])")


@dataclass(frozen=True, kw_only=True)
class TraceChip:
    """A trace on an entry."""

    id: UUID
    name: str
    is_read_always: bool = False


@dataclass(frozen=True, kw_only=True)
class TracesOnEntry:
    """Template data of the traces and suggested traces of one entry."""

    entry_id: UUID
    accepted: Sequence[TraceChip] = ()
    proposed: Sequence[str] = field(default=(), repr=False)
    # Whether the model can be asked for suggestions, and whether it is working on them.
    can_ask: bool = False
    is_waiting: bool = False
    # Whether the form stays open for another name.
    is_adding: bool = False
    # A refusal, and what was typed.
    error: str = ""
    typed: str = field(default="", repr=False)


def build_chips(entries: Sequence[Entry]) -> dict[UUID, list[TraceChip]]:
    """Return, by entry id, the traces of a person's entries, in the order in which they were added.

    Names come from the matcher, so that a trace is not decrypted again for each of its entries.
    """
    chips: dict[UUID, list[TraceChip]] = defaultdict(list)
    if not entries:
        return chips
    owner_id = entries[0].owner_id
    accepted = _list_accepted(entries)
    matcher = _get_matcher(owner_id, {trace_id for _, trace_id in accepted})
    for entry_id, trace_id in accepted:
        name = matcher.names.get(trace_id, UNREADABLE_NAME)
        chip = TraceChip(id=trace_id, name=name, is_read_always=trace_id in matcher.always_read)
        chips[entry_id].append(chip)
    return chips


def _list_accepted(entries: Sequence[Entry]) -> list[AcceptedTrace]:
    owner_id, (day, *other_days) = entries[0].owner_id, {entry.day for entry in entries}
    if not other_days:
        wanted = {entry.id for entry in entries}
        rows = list_authentic(_day_traces_query(owner_id=owner_id, day=day))
        return [row for row in rows if row.entry_id in wanted]
    return list_accepted(
        EntryTrace.objects.filter(owner_id=owner_id, trace__deleted_at=None, entry__in=entries)
    )


# By day instead of by a list of ids, so that the SQL is the same for every page and is compiled once.
_day_traces_query: CachedQuery[Row] = CachedQuery(
    lambda owner_id, day: EntryTrace.objects.filter(
        owner_id=owner_id, trace__deleted_at=None, entry__owner_id=owner_id, entry__day=day
    ).values_list(*CHECKED_COLUMNS)
)
_day_proposals_query: CachedQuery[TraceProposal] = CachedQuery(
    lambda owner_id, day: TraceProposal.objects.filter(entry__owner_id=owner_id, entry__day=day)
)


def _load_proposals(entries: Sequence[Entry]) -> dict[UUID, TraceProposal]:
    """Return the proposals for entries of one day, by entry."""
    rows = _day_proposals_query(owner_id=entries[0].owner_id, day=entries[0].day)
    return {row.entry_id: row for row in rows}


def _get_matcher(owner_id: UUID, ids: Set[UUID]) -> NameMatcher:
    matcher = name_matchers.get_current()
    if not ids <= matcher.names.keys():
        # Added by another process, or damaged.
        name_matchers.forget(owner_id)
        matcher = name_matchers.get_current()
    return matcher


def build_traces_on_entries(entries: Sequence[Entry], *, are_new: bool = False) -> dict[UUID, TracesOnEntry]:
    """Return, by entry id, the traces of entries of one day. No query is needed if the entries `are_new`."""
    if not entries:
        return {}
    status = model_server.get_status()
    can_ask = status.is_ready
    # The owner's own choice of a model is not looked up for this.
    suggests_unasked = can_ask and may_generate_unrequested(status, chosen="")
    # Before proposals are read: a job that has ended by now has written its proposal.
    waiting = {entry.id for entry in entries if can_ask and proposals_services.is_proposing(entry.id)}
    chips: Mapping[UUID, list[TraceChip]] = defaultdict(list) if are_new else build_chips(entries)
    rows = {} if are_new else _load_proposals(entries)
    fresh = {entry.id: entry for entry in list_fresh(entries) if not chips[entry.id]}
    new = find_new_names(list(fresh.values())) if not suggests_unasked else {}
    habit = list_habitual_names(entries[0].owner_id) if fresh else []
    return {
        entry.id: TracesOnEntry(
            entry_id=entry.id,
            accepted=chips[entry.id],
            proposed=list_proposed_names(
                entry,
                row=rows.get(entry.id),
                added=[chip.name for chip in chips[entry.id]],
                habit=habit if entry.id in fresh else (),
                new=new.get(entry.id, ()),
            ),
            can_ask=can_ask and entry.is_trusted,
            is_waiting=entry.id in waiting,
        )
        for entry in entries
    }


def build_panels(entries: Sequence[Entry], *, are_new: bool) -> dict[UUID, EntryPanel]:
    """Return, by entry id, the panel of traces of each entry; an unchanged panel is not rendered again."""
    views = build_traces_on_entries(entries, are_new=are_new)
    rendered = name_matchers.get_current().panels
    return {
        entry_id: EntryPanel(
            html=SafeString(rendered.compute(entry_id, traces, _render_traces)),
            content=traces,
            menu=CONTEXT_TEMPLATE,
        )
        for entry_id, traces in views.items()
    }


def _render_traces(traces: TracesOnEntry) -> str:
    """Return the panel as the template renders it; one without accepted traces is built from a pattern."""
    if traces.accepted or traces.error or traces.is_adding:
        return render_to_string(TRACES_TEMPLATE, {"part": traces})
    pattern = _render_pattern(len(traces.proposed), can_ask=traces.can_ask, is_waiting=traces.is_waiting)
    values = {str(_NO_ID): str(traces.entry_id)}
    values |= {_build_name(number): escape(name) for number, name in enumerate(traces.proposed)}
    return "".join([values.get(piece, piece) for piece in pattern])


@lru_cache(maxsize=64)
def _render_pattern(proposed: int, *, can_ask: bool, is_waiting: bool) -> list[str]:
    """Return a panel with this number of suggestions in pieces, with placeholders for the id and the names.

    Cached, since the panel of every new entry is one of a few kinds.
    """
    names = [_build_name(number) for number in range(proposed)]
    traces = TracesOnEntry(entry_id=_NO_ID, proposed=names, can_ask=can_ask, is_waiting=is_waiting)
    html = render_to_string(TRACES_TEMPLATE, {"part": traces})
    return _PLACEHOLDER.split(html)


def _build_name(number: int) -> str:
    """Return the placeholder of a name in a pattern."""
    return chr(_FIRST_PLACEHOLDER + number)


def list_names_for_export(entries: Sequence[Entry]) -> dict[UUID, Any]:
    """Return, by entry id, the undamaged names of the entry's traces, for exports and prompts."""
    return {
        entry_id: [chip.name for chip in chips if chip.name is not UNREADABLE_NAME]
        for entry_id, chips in build_chips(entries).items()
    }


@dataclass(frozen=True, kw_only=True)
class PreviewEntry:
    """An entry in the preview of a trace."""

    id: UUID
    day: date
    words: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class TracePreview:
    """The preview of a trace: the number of its entries, the last day, and the latest entries."""

    id: UUID
    count: int
    last: date | None
    latest: Sequence[PreviewEntry]


def build_preview(trace: Trace) -> TracePreview:
    """Return the preview of a trace, for which only the latest entries are decrypted."""
    found = load_latest_entries(trace.owner_id, [trace.id], limit=PREVIEW_ENTRIES)
    latest = [_build_preview_entry(entry) for entry, _ in found]
    last = latest[0].day if latest else None
    count = EntryTrace.objects.for_owner(trace.owner_id).filter(trace=trace).count()
    return TracePreview(id=trace.id, count=count, last=last, latest=latest)


def _build_preview_entry(entry: Entry) -> PreviewEntry:
    words = get_first_words(entry.open_or("text", "…"), length=PREVIEW_LENGTH)
    return PreviewEntry(id=entry.id, day=entry.day, words=words)
