"""Template data of one fact with its history, and of suggestions that are not accepted or declined yet."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.models import Person
from diary import days
from diary.generation.job_status import describe_state
from diary.generation.unique_jobs import get_task
from diary.hooks import EntryPanel, NamedLink
from diary.models import Entry, Origin
from diary.origins.labels import OriginLabel, build_label
from diary.origins.provenance import find_undo_end
from llamora.database import CachedQuery
from llamora.inference.job import Job, JobState
from traces.facts.changes import BY_MODEL, BY_OWNER, find_undoable, is_chain_whole
from traces.facts.claims import FactClaim
from traces.facts.comparison import Comparison, Strategy
from traces.facts.fact_body import FactText, get_text
from traces.facts.models import TRUSTED_FACT_ORIGINS, Fact, FactChange, FactState
from traces.facts.pages import messages
from traces.facts.pages.messages import (
    KIND_LABELS,
    STATE_LABELS,
    STRATEGY_LABELS,
    SUGGESTED_BY,
    SUGGESTED_BY_MODEL,
    UNREADABLE_FACT,
    get_change_label,
)
from traces.facts.proposals.services import can_find_facts, is_finding
from traces.facts.proposals.tasks import FactTask
from traces.facts.queries import EarlierFacts, TouchedFact, find_touched, list_changes, load_choices

MAX_EARLIER: Final = 5
# By day instead of by a list of ids, so that the SQL is the same for every page and is compiled once.
_day_proposals_query: CachedQuery[Fact] = CachedQuery(
    lambda owner_id, day: Fact.objects.only_proposed(owner_id).filter(
        entry_id__in=Entry.objects.filter(owner_id=owner_id, day=day).order_by().values("id")
    )
)
ON_ENTRY_TEMPLATE: Final = "traces/facts/fragments/on_entry.html"
_EMPTY_TEMPLATE: Final = "traces/facts/fragments/empty.html"
_FIND_TEMPLATE: Final = "traces/facts/fragments/find_form.html"
_NO_ID: Final = UUID(int=2**128 - 1)
# What made a fact is taken back by forgetting or declining it.
_FIRST_CHANGES: Final = ("propose", "add")
_MAKERS: Final = {BY_OWNER: "", BY_MODEL: "by the model"}


@dataclass(frozen=True, kw_only=True)
class FactLink:
    """A link to a fact; its text is the sentence of the fact, or empty if the fact can't be decrypted."""

    id: UUID
    text: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class EntryLink:
    """A link to the entry that a fact is from."""

    id: UUID
    day: date
    is_deleted: bool


@dataclass(frozen=True, kw_only=True)
class StrategyChoice:
    """A button that decides a conflict of two facts: its value, its label, and a sentence on its effect."""

    value: str
    label: str
    effect: str


@dataclass(frozen=True, kw_only=True)
class FactConflict:
    """A possible conflict of a new fact with earlier ones, and the buttons that decide it.

    `earlier` are the facts that the new one may repeat, replace or contradict, the likeliest first.
    """

    earlier: Sequence[FactLink]
    choices: Sequence[StrategyChoice]


@dataclass(frozen=True, kw_only=True)
class FactProposal:
    """A suggestion: its sentence, its quote and where it occurs, and the facts that it may conflict with."""

    id: UUID
    text: str = field(repr=False)
    quote: str = field(repr=False)
    label: OriginLabel | None
    kind_label: str
    entry: EntryLink | None
    conflict: FactConflict | None


@dataclass(frozen=True, kw_only=True)
class FactsOnEntry:
    """The suggested facts under an entry; `saved` is a fact that was just accepted there.

    `after_reply` if its owner has turned on the search for facts after a reply. `note` says why there are no
    suggestions, after a search that was requested.
    """

    entry_id: UUID
    proposals: Sequence[FactProposal] = ()
    is_finding: bool = False
    after_reply: bool = False
    saved: FactLink | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class HistoryItem:
    """A change in the history of a fact: what was done, when, by whom, and the former sentence."""

    label: str
    made_at: datetime
    made_by: str
    former_text: str = field(repr=False)
    others: Sequence[FactLink] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class FactDetail:
    """Template data of the page of a fact; `text` is None if it can't be decrypted."""

    id: UUID
    state: str
    state_label: str
    text: str | None = field(repr=False)
    kind_label: str = ""
    label: OriginLabel | None = None
    quote: str = field(default="", repr=False)
    when: str = field(default="", repr=False)
    entry: EntryLink | None = None
    noted_on: date | None = None
    ended_on: date | None = None
    said_count: int = 0
    successor: FactLink | None = None
    links: Sequence[FactLink] = ()
    history: Sequence[HistoryItem] = ()
    is_history_whole: bool = True
    undoable: str = ""
    conflict: FactConflict | None = None
    # It came with a file or from a program, so that nothing reads it until its owner says that it is theirs.
    can_claim: bool = False


@dataclass(frozen=True, kw_only=True)
class OthersFact:
    """Template data of a fact from a file or a program; `text` is None if it can't be decrypted."""

    id: UUID
    text: str | None = field(repr=False)
    label: OriginLabel | None = None


def build_others_facts(facts: Iterable[Fact]) -> list[OthersFact]:
    """Return the template data of facts from files and programs."""
    opened = ((fact, fact.open_or("body", None)) for fact in facts)
    return [
        OthersFact(
            id=fact.id,
            text=None if body is None else str(body.get("text", "")),
            label=None if body is None else _build_source_label(fact, body),
        )
        for fact, body in opened
    ]


@dataclass(frozen=True, kw_only=True)
class FactClaimView:
    """Template data of an action that marked facts as the person's own.

    `group` identifies the action. `undo_until` is the last day on which it can be undone.
    """

    group: UUID
    count: int
    undo_until: date


def build_claim_views(claims: Iterable[FactClaim], *, zone: str) -> list[FactClaimView]:
    """Return template data of the actions that marked facts as the person's own and can still be undone."""
    ends = ((claim, find_undo_end(claim.claimed_at)) for claim in claims)
    return [
        FactClaimView(
            group=claim.group,
            count=len(claim.fact_ids),
            undo_until=days.to_local_time(end, zone).date(),
        )
        for claim, end in ends
        if end is not None
    ]


# --- One fact ----------------------------------------------------------------------------------------------


def build_detail(person: Person, fact: Fact) -> FactDetail:
    """Return the template data of a fact of a person."""
    body: dict[str, Any] | None = fact.open_or("body", None)
    if body is None:
        label = STATE_LABELS[FactState(fact.state)] if fact.state in FactState.values else ""
        return FactDetail(id=fact.id, state=fact.state, state_label=label, text=None)
    state_label = STATE_LABELS[FactState(fact.state)]
    changes = list_changes(fact)
    readable = [change for change in changes if change.open_or("body", None) is not None]
    is_whole = len(readable) == len(changes) and is_chain_whole(changes)
    links = _find_links(person.id, _list_linked_ids(fact, body, readable))
    return FactDetail(
        id=fact.id,
        state=fact.state,
        state_label=state_label,
        text=str(body.get("text", "")),
        kind_label=_get_kind_label(body),
        label=_build_source_label(fact, body),
        quote=_get_quote(body),
        when=_get_when(body),
        entry=_find_entries(person.id, [fact.entry_id]).get(fact.entry_id),
        noted_on=_to_local(fact.created_at, person).date(),
        ended_on=_parse_day(body.get("ended")),
        said_count=len(body.get("said", ())),
        successor=links.get(fact.successor_id) if fact.successor_id else None,
        links=[links[id_] for id_ in _parse_ids(body.get("links", ())) if id_ in links],
        history=[_build_history_item(change, person, links) for change in reversed(readable)],
        is_history_whole=is_whole,
        undoable=_get_undoable(readable) if is_whole else "",
        conflict=build_conflict(EarlierFacts(person.id), fact) if fact.state == FactState.PROPOSED else None,
        can_claim=fact.origin not in TRUSTED_FACT_ORIGINS and fact.state != FactState.PROPOSED,
    )


def _list_linked_ids(fact: Fact, body: Mapping[str, Any], changes: Sequence[FactChange]) -> set[UUID]:
    found = set(_parse_ids(body.get("links", ())))
    for change in changes:
        found.update(_parse_ids(change.body["facts"]))
    return found | ({fact.successor_id} if fact.successor_id else set())


def _find_links(owner_id: UUID, ids: Collection[UUID]) -> dict[UUID, FactLink]:
    """Return the facts with these ids, without those that were deleted."""
    rows = Fact.objects.for_ids(owner_id, ids) if ids else ()
    return {fact.id: FactLink(id=fact.id, text=_get_text(fact)) for fact in rows}


def _build_history_item(change: FactChange, person: Person, links: Mapping[UUID, FactLink]) -> HistoryItem:
    before, after = change.body["before"], change.body["after"]
    former = str(before["body"].get("text", "")) if before else ""
    # Of two facts, the new one was a suggestion or was not there.
    is_earlier = bool(before) and before["state"] != FactState.PROPOSED
    return HistoryItem(
        label=get_change_label(change.kind, is_earlier=is_earlier),
        made_at=_to_local(change.made_at, person),
        made_by=_MAKERS.get(change.body["by"], "by a program"),
        former_text=former if former != after["body"].get("text") else "",
        others=[links[id_] for id_ in _parse_ids(change.body["facts"]) if id_ in links],
    )


def _get_undoable(changes: Sequence[FactChange]) -> str:
    """Return the label of the last change that can be undone, or "" if there is none."""
    last = find_undoable(changes)
    if last is None or last.kind in _FIRST_CHANGES:
        return ""
    before = last.body["before"]
    is_earlier = bool(before) and before["state"] != FactState.PROPOSED
    buttons = {strategy.value: label for strategy, (label, _) in STRATEGY_LABELS.items()}
    label = get_change_label(last.kind, is_earlier=is_earlier)
    # Of a new fact, by the words of the button that was pressed.
    return label if is_earlier else buttons.get(last.kind, label)


# --- Suggestions -------------------------------------------------------------------------------------------


def build_proposals(owner_id: UUID, facts: Sequence[Fact]) -> list[FactProposal]:
    """Return the template data of suggestions, without those that can't be decrypted."""
    entries, earlier = _find_entries(owner_id, [fact.entry_id for fact in facts]), EarlierFacts(owner_id)
    return [
        _build_proposal(fact, entries, earlier) for fact in facts if fact.open_or("body", None) is not None
    ]


def build_facts_on_entries(entries: Sequence[Entry]) -> dict[UUID, FactsOnEntry]:
    """Return, by entry id, the suggested facts of each entry, and whether a search for facts is running.

    Pass at least one entry; all must have the same owner.
    """
    owner_id, can_find = entries[0].owner_id, can_find_facts()
    after_reply = can_find and load_choices(owner_id).proposes_after_reply
    # Before proposals are read: a search that has ended by now has saved what it found.
    finding = {entry.id for entry in entries if can_find and is_finding(entry.id)}
    by_entry: dict[UUID | None, list[Fact]] = defaultdict(list)
    for day in {entry.day for entry in entries}:
        for fact in _day_proposals_query(owner_id=owner_id, day=day):
            by_entry[fact.entry_id].append(fact)
    return {
        entry.id: FactsOnEntry(
            entry_id=entry.id,
            proposals=build_proposals(owner_id, by_entry[entry.id]) if entry.id in by_entry else (),
            is_finding=entry.id in finding,
            after_reply=after_reply and entry.is_trusted,
        )
        for entry in entries
    }


def build_search_result(entry: Entry, job: Job | None) -> FactsOnEntry:
    """Return the suggested facts of an entry. If there are none, a sentence in `note` says why.

    `job` is the requested search for facts, or None if it could not be started.
    """
    view = build_facts_on_entries([entry])[entry.id]
    return view if _has_content(view) else replace(view, note=_describe_search(entry, job))


def _describe_search(entry: Entry, job: Job | None) -> str:
    """Return a sentence about a search that has ended without suggestions."""
    if not entry.is_trusted:
        return messages.ONLY_OWN_ENTRIES
    if job is None:
        return messages.SEARCH_INTERRUPTED if can_find_facts() else messages.NO_MODEL_FOR_SEARCH
    if get_task(job, FactTask).has_answer(job):
        return messages.NO_NEW_FACTS
    if job.state == JobState.FAILED:
        return describe_state(state=job.state, reason=job.reason, is_empty=True)
    return messages.SEARCH_INTERRUPTED


def build_panels(entries: Sequence[Entry], *, are_new: bool) -> dict[UUID, EntryPanel]:
    """Return, by entry id, the panel with the suggested facts of the entry.

    An entry without suggestions has an empty panel, which a script can fill later; if no model can search for
    facts, it has none.
    """
    can_find = can_find_facts()
    if not entries or (are_new and not can_find):
        return {}
    views = _build_empty_views(entries) if are_new else build_facts_on_entries(entries)
    trusted = {entry.id for entry in entries if entry.is_trusted}
    return {
        entry_id: EntryPanel(
            html=SafeString("") if _has_content(view) else _render_empty(view),
            template=ON_ENTRY_TEMPLATE if _has_content(view) else "",
            content=view,
            action=_FIND_TEMPLATE if can_find and entry_id in trusted else "",
        )
        for entry_id, view in views.items()
        if can_find or _has_content(view)
    }


def _build_empty_views(entries: Sequence[Entry]) -> dict[UUID, FactsOnEntry]:
    after_reply = load_choices(entries[0].owner_id).proposes_after_reply
    return {entry.id: FactsOnEntry(entry_id=entry.id, after_reply=after_reply) for entry in entries}


def _has_content(view: FactsOnEntry) -> bool:
    return bool(view.proposals) or view.is_finding


def _render_empty(view: FactsOnEntry) -> SafeString:
    """Return the empty element of an entry, into which suggestions are inserted later."""
    return SafeString(_render_pattern(view.after_reply).replace(str(_NO_ID), str(view.entry_id)))


@lru_cache(maxsize=2)
def _render_pattern(after_reply: bool) -> str:
    """Return the empty element with a placeholder as id; cached, since a page has hundreds of entries."""
    return render_to_string(_EMPTY_TEMPLATE, {"entry_id": _NO_ID, "after_reply": after_reply})


def list_fact_links(owner_id: UUID, ids: Collection[UUID]) -> list[NamedLink]:
    """Return links to the facts with these ids; forgotten ones are left out."""
    rows = Fact.objects.for_ids(owner_id, ids).order_by("id")
    return [
        NamedLink(
            name=_get_text(fact) or UNREADABLE_FACT,
            address=reverse("fact", args=[fact.id]),
        )
        for fact in rows
    ]


def build_conflict(earlier: EarlierFacts, fact: Fact) -> FactConflict | None:
    """Return the accepted facts that conflict with a suggestion, with a button for each strategy, or None.

    The surest conflicts and the suggested button come first. None means that there is no conflict.
    """
    return _build_conflict(earlier.find_touched(get_text(fact.body), besides=fact.id))


def build_conflict_of_text(
    owner_id: UUID, text: FactText, *, besides: UUID | None = None
) -> FactConflict | None:
    """Return the accepted facts that conflict with an unsaved sentence, with buttons as for a suggestion.

    Return None if there is no conflict.
    """
    return _build_conflict(find_touched(owner_id, text, besides=besides))


def _build_conflict(touched: Sequence[TouchedFact]) -> FactConflict | None:
    if not touched:
        return None
    return FactConflict(
        earlier=[FactLink(id=each.fact.id, text=_get_text(each.fact)) for each in touched[:MAX_EARLIER]],
        choices=list_choices(touched[0].comparison),
    )


def list_choices(comparison: Comparison) -> list[StrategyChoice]:
    """Return the buttons that resolve a conflict of two facts, one button for each `Strategy`.

    The first button is for the strategy that `comparison`, the comparison of the two facts, suggests.
    """
    ordered = sorted(Strategy, key=lambda strategy: strategy is not comparison.first_strategy)
    return [
        StrategyChoice(value=strategy.value, label=label, effect=effect)
        for strategy in ordered
        for label, effect in [STRATEGY_LABELS[strategy]]
    ]


def _build_proposal(
    fact: Fact, entries: Mapping[UUID | None, EntryLink], earlier: EarlierFacts
) -> FactProposal:
    return FactProposal(
        id=fact.id,
        text=_get_text(fact),
        quote=_get_quote(fact.body),
        label=_build_source_label(fact, fact.body),
        kind_label=_get_kind_label(fact.body),
        entry=entries.get(fact.entry_id),
        conflict=build_conflict(earlier, fact),
    )


# --- Parts of a body ---------------------------------------------------------------------------------------


def _find_entries(owner_id: UUID, ids: Collection[UUID | None]) -> dict[UUID | None, EntryLink]:
    wanted = {id_ for id_ in ids if id_ is not None}
    rows = Entry.objects.filter(owner_id=owner_id, id__in=wanted) if wanted else Entry.objects.none()
    found = rows.values_list("id", "day", "deleted_at")
    return {
        id_: EntryLink(id=id_, day=day, is_deleted=deleted_at is not None) for id_, day, deleted_at in found
    }


def _get_text(fact: Fact) -> str:
    body: Mapping[str, Any] = fact.open_or("body", {})
    return str(body.get("text", ""))


def _get_quote(body: Mapping[str, Any]) -> str:
    quote = body.get("quote")
    return str(quote.get("text", "")) if isinstance(quote, Mapping) else ""


def _get_when(body: Mapping[str, Any]) -> str:
    when = body.get("when")
    return str(when.get("raw", "")) if isinstance(when, Mapping) else ""


def _get_kind_label(body: Mapping[str, Any]) -> str:
    kind = str(body.get("kind", ""))
    return KIND_LABELS.get(kind, kind.capitalize())


def _build_source_label(fact: Fact, body: Mapping[str, Any]) -> OriginLabel | None:
    if fact.origin == Origin.MODEL:
        model = str(body.get("model", ""))
        return OriginLabel(words=SUGGESTED_BY if model else SUGGESTED_BY_MODEL, source=model)
    return build_label(fact.origin, source=str(body.get("source", "")))


def _parse_ids(values: Any) -> list[UUID]:
    found = []
    for value in values:
        try:
            found.append(UUID(str(value)))
        except ValueError:
            continue
    return found


def _parse_day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)) if value else None
    except ValueError:
        return None


def _to_local(moment: datetime, person: Person) -> datetime:
    """Return a moment in a person's time zone without tzinfo, since templates would convert an aware one."""
    return days.to_local_time(moment, person.time_zone).replace(tzinfo=None)
