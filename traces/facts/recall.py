"""Facts that a model may read for a reply or an answer.

Search decides which facts are relevant to a text. This module decides which of them may be read: accepted
and trusted ones that their owner has not excluded.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from django.urls import reverse

from diary.entries.queries import list_own_ids
from diary.hooks import RecalledFact, SourceFact
from diary.models import Entry
from traces.facts.fact_body import NOT_RECALLED
from traces.facts.models import Fact, FactState

MAX_RECALLED: Final = 8


def load_recalled(owner_id: UUID, ids: Sequence[UUID]) -> list[RecalledFact]:
    """Return the facts of these ids that may be read now, in this order, at most MAX_RECALLED.

    A fact from an entry may be read only if that entry is trusted now: a claim of it may have been undone.
    """
    rows = Fact.objects.for_ids(owner_id, ids).filter(state=FactState.ACCEPTED).only_trusted()
    facts = {fact.id: fact for fact in rows}
    untrusted = _find_untrusted(owner_id, (fact.entry_id for fact in facts.values()))
    found: list[RecalledFact] = []
    for id_ in ids:
        fact = facts.get(id_)
        if fact is not None and fact.entry_id not in untrusted and (readable := _read_fact(fact)):
            found.append(readable)
    return found[:MAX_RECALLED]


def _read_fact(fact: Fact) -> RecalledFact | None:
    """Return a fact, or None if it can't be decrypted or its owner has excluded it."""
    body = fact.open_or("body", None)
    if not body or not body.get("text") or body.get(NOT_RECALLED) is True:
        return None
    return RecalledFact(id=fact.id, text=str(body["text"]))


def load_facts_of_entries(owner_id: UUID, entry_ids: Collection[UUID]) -> dict[UUID, list[RecalledFact]]:
    """Return, by entry id, the facts from these entries that a model may read now, the oldest first.

    Pass only trusted entries: the origin of an entry is not checked here, unlike in `load_recalled`.
    """
    facts = Fact.objects.only_accepted(owner_id).only_trusted().filter(entry_id__in=entry_ids)
    found: dict[UUID, list[RecalledFact]] = defaultdict(list)
    for fact in facts.order_by("created_at", "id"):
        if fact.entry_id is not None and (readable := _read_fact(fact)):
            found[fact.entry_id].append(readable)
    return found


def list_source_facts(owner_id: UUID, ids: Collection[UUID]) -> list[SourceFact]:
    """Return the facts with these ids, which a model has read, and whether it may read each again."""
    return [
        build_source_fact(id_, str(body.get("text", "")), is_read=body.get(NOT_RECALLED) is not True)
        for id_, body in _load_bodies(owner_id, ids).items()
    ]


def list_read_texts(owner_id: UUID, ids: Collection[UUID]) -> list[tuple[UUID, str]]:
    """Return the ids and texts of facts that a model has read. Deleted and damaged facts are left out."""
    return [(id_, str(body.get("text", ""))) for id_, body in _load_bodies(owner_id, ids).items()]


def _load_bodies(owner_id: UUID, ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    facts = {fact.id: fact for fact in Fact.objects.for_ids(owner_id, ids)}
    bodies = {id_: facts[id_].open_or("body", None) for id_ in ids if id_ in facts}
    return {id_: body for id_, body in bodies.items() if body}


def build_source_fact(fact_id: UUID, text: str, *, is_read: bool) -> SourceFact:
    """Return a fact for a reply's list of sources. `is_read` says whether later replies may read it."""
    return SourceFact(
        text=text,
        address=reverse("fact", args=[fact_id]),
        choice_address=reverse("fact_reading", args=[fact_id]),
        is_read=is_read,
    )


def _find_untrusted(owner_id: UUID, entry_ids: Iterable[UUID | None]) -> set[UUID]:
    ids = {id_ for id_ in entry_ids if id_ is not None}
    there = Entry.objects.filter(owner_id=owner_id, id__in=ids).values_list("id", flat=True)
    return set(there) - list_own_ids(owner_id, ids)
