"""The list of facts, filtered by state, kind, typed words or a trace, in pages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final
from uuid import UUID

from django.core.paginator import Page, Paginator

from traces.access import get_trace
from traces.facts.models import FactState
from traces.facts.pages.list_cache import OTHER, FactsByState, ListedFact, get_listed_facts
from traces.facts.pages.list_preloading import ListNotLoadedError
from traces.facts.pages.messages import KIND_LABELS, OTHER_KIND, STATE_LABELS
from traces.matcher import NameMatcher, fold_text

PAGE_SIZE: Final = 50
MAX_TYPED: Final = 200


@dataclass(frozen=True, kw_only=True)
class ListFilter:
    """Filters of a list of facts; `about` is the id of a trace whose name the facts must contain."""

    state: str = FactState.ACCEPTED
    kind: str = ""
    typed: str = field(default="", repr=False)
    about: UUID | None = None
    page: str = ""


@dataclass(frozen=True, kw_only=True)
class FilterChoice:
    """A value of a filter: its code in the URL, its label, and the number of its facts if known."""

    code: str
    label: str
    count: int | None = None
    is_chosen: bool = False


@dataclass(frozen=True, kw_only=True)
class FactGroup:
    """The facts of one subject."""

    heading: str = field(repr=False)
    rows: Sequence[ListedFact] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class FactList:
    """Template data of the list; `total` counts the facts in any state, `count` those that match."""

    filter: ListFilter
    states: Sequence[FilterChoice]
    kinds: Sequence[FilterChoice]
    groups: Sequence[FactGroup]
    page: "Page[ListedFact]"
    count: int
    total: int
    proposed_count: int
    others_count: int
    trace_name: str = field(default="", repr=False)

    @property
    def is_narrowed(self) -> bool:
        """Whether the filters leave out some facts of the chosen state."""
        return bool(self.filter.kind or self.filter.typed or self.filter.about)


def build_list(owner_id: UUID, chosen: ListFilter, *, waits: bool) -> FactList:
    """Return the template data of a list of facts; raise ObjectNotFound if `chosen` has an unknown trace.

    Raise ListNotLoadedError if a thread still builds a long list, unless the caller `waits`.
    """
    listed = get_listed_facts(owner_id, waits=waits)
    trace_name = _get_trace_name(owner_id, chosen.about)
    rows = _narrow(listed.list_rows(chosen.state), chosen, trace_name)
    page = Paginator(rows, PAGE_SIZE).get_page(chosen.page)
    return FactList(
        filter=chosen,
        states=_list_states(listed, chosen),
        kinds=_list_kinds(chosen),
        groups=[
            FactGroup(heading=heading, rows=list(group))
            for heading, group in groupby(page, key=lambda row: row.heading)
        ],
        page=page,
        count=len(rows),
        total=len(listed),
        proposed_count=listed.count(FactState.PROPOSED),
        others_count=listed.count_others(),
        trace_name=trace_name,
    )


def count_about(owner_id: UUID, trace_id: UUID, name: str) -> int | None:
    """Return the number of accepted facts that name a trace, or None while a thread builds the list."""
    chosen = ListFilter(about=trace_id)
    try:
        listed = get_listed_facts(owner_id, waits=False)
    except ListNotLoadedError:
        return None
    return len(_narrow(listed.list_rows(chosen.state), chosen, name))


def _get_trace_name(owner_id: UUID, trace_id: UUID | None) -> str:
    return str(get_trace(owner_id, trace_id).name) if trace_id else ""


def _narrow(rows: list[ListedFact], chosen: ListFilter, trace_name: str) -> list[ListedFact]:
    """Return the facts that a filter leaves, in their order."""
    if chosen.kind:
        rows = [row for row in rows if row.kind == chosen.kind]
    # The longest word first: it is likely the rarest.
    for word in sorted(fold_text(chosen.typed).split(), key=len, reverse=True):
        rows = [row for row in rows if word in row.folded]
    if chosen.about:
        name, matcher = fold_text(trace_name), NameMatcher({chosen.about: trace_name})
        # Only a sentence that contains the name is looked at for whole words.
        rows = [row for row in rows if name in row.folded and matcher.find_in(row.text)]
    return rows


def _list_states(listed: FactsByState, chosen: ListFilter) -> list[FilterChoice]:
    return [
        FilterChoice(
            code=state,
            label=label,
            count=listed.count(state),
            is_chosen=state == chosen.state,
        )
        for state, label in STATE_LABELS.items()
        if listed.count(state) or state in (chosen.state, FactState.ACCEPTED)
    ]


def _list_kinds(chosen: ListFilter) -> list[FilterChoice]:
    labels = {"": "All kinds", **KIND_LABELS, OTHER: OTHER_KIND}
    return [
        FilterChoice(code=code, label=label, is_chosen=code == chosen.kind) for code, label in labels.items()
    ]
