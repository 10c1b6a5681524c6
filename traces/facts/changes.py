"""Changes of facts: each is recorded with the state before and after, and can be undone.

A change may affect two facts, as when one replaces the other; both records have the same `group`, and are
undone together. An undo is a change too, so that the history stays complete. Each record contains the digest
of the previous one, so that its owner notices if a record was removed or inserted.

    body   {"before": snapshot, or null for a new fact, "after": snapshot,
            "by": "owner", "model" or the id of a token, "group": id of the change,
            "facts": ids of the other facts that it changed, "undoes": group of the change that it undid,
            "previous": hexadecimal BLAKE2b of the previous record, or ""}
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from llamora.fields import new_id
from traces.facts.indexes import set_indexes
from traces.facts.models import Fact, FactChange

BY_OWNER: Final = "owner"
BY_MODEL: Final = "model"
_COLUMNS: Final = ("entry_id", "successor_id", "state", "origin")


@dataclass(frozen=True, kw_only=True)
class ChangeAuthor:
    """The author of a change of facts, and the group of changes to which it belongs.

    `undoes` is the group of an earlier change, if this change undoes it.
    """

    by: str = BY_OWNER
    group: UUID = field(default_factory=new_id)
    # The facts that the change touches, where they are more than one.
    facts: tuple[UUID, ...] = ()
    undoes: str = ""


def take_snapshot(fact: Fact) -> dict[str, Any]:
    """Return the values of a fact that a change can affect."""
    columns = {name: _to_plain(getattr(fact, name)) for name in _COLUMNS}
    return {**columns, "body": fact.body}


def record_change(
    fact: Fact, kind: str, *, before: dict[str, Any] | None, author: ChangeAuthor
) -> FactChange:
    """Record a change of a fact; call in the transaction that saved the fact.

    If the last record is damaged, the new one contains no digest of it, so the chain stays broken.
    """
    latest = FactChange.objects.filter(fact=fact).order_by("-number").first()
    number = latest.number + 1 if latest else 1
    if latest is not None and latest.open_or("body", None) is None:
        latest, number = None, _find_free_number(fact)
    change: FactChange = FactChange.objects.create(
        owner_id=fact.owner_id,
        fact=fact,
        number=number,
        kind=kind,
        body={
            "before": before,
            "after": take_snapshot(fact),
            "by": author.by,
            "group": str(author.group),
            "facts": [str(id_) for id_ in author.facts if id_ != fact.id],
            "undoes": author.undoes,
            "previous": compute_digest(latest) if latest else "",
        },
    )
    return change


def _find_free_number(fact: Fact) -> int:
    """Return a free number above those of all undamaged records; a damaged one may have any number."""
    records = list(FactChange.objects.filter(fact=fact))
    taken = {record.number for record in records}
    readable = (record.number for record in records if record.open_or("body", None) is not None)
    number = max(readable, default=0) + 1
    while number in taken:
        number += 1
    return number


def compute_digest(change: FactChange) -> str:
    """Return the BLAKE2 digest of a change. The next change stores it, so that removals are noticed."""
    said = [str(change.fact_id), change.number, change.kind, change.made_at.isoformat(), change.body]
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()


def is_chain_whole(changes: Sequence[FactChange]) -> bool:
    """Return whether the records of a fact are complete, unchanged and in order."""
    previous = ""
    for number, change in enumerate(changes, start=1):
        if change.number != number or change.body["previous"] != previous:
            return False
        previous = compute_digest(change)
    return True


def find_undoable(changes: Sequence[FactChange]) -> FactChange | None:
    """Return the last change of a fact that was not undone, or None."""
    undone = {change.body["undoes"] for change in changes}
    return next((each for each in reversed(changes) if not _is_undone(each, undone)), None)


def _is_undone(change: FactChange, undone: set[str]) -> bool:
    return bool(change.body["undoes"]) or change.body["group"] in undone


def restore_snapshot(fact: Fact, snapshot: dict[str, Any]) -> None:
    """Restore a fact to a snapshot, and save it."""
    for name in _COLUMNS:
        value = snapshot[name]
        setattr(fact, name, UUID(value) if name.endswith("_id") and value else value)
    fact.body = snapshot["body"]
    set_indexes(fact)
    fact.changed_at = timezone.now()
    fact.save()


def _to_plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value
