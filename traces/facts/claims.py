"""Claims, by which a person marks all facts that came from files or programs as the person's own.

A claim can be undone for thirty days. The changes of one claim have the same group. An undo leaves out
facts that were changed since the claim. Call these functions inside `in_force`, with a keyring that has the
realm `facts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from typing import Final
from uuid import UUID

import msgspec
from django.db.models import Exists, OuterRef

from diary.entries.queries import get_digest_key
from diary.errors import ImportChanged, ObjectNotFound
from diary.origins.provenance import CLAIM_LIFETIME
from llamora.clock.services import get_cutoff
from llamora.crypto import EnvelopeError, current_realm_keyring, keyed_digest
from llamora.database import split_into_parts, write_transaction
from llamora.fields.rows import RowReader
from traces.facts.models import Fact, FactChange
from traces.facts.services import claim_facts, undo_change

# So many at once: to say it of one takes a few milliseconds.
MOST_CLAIMED: Final = 2_000
CLAIM: Final = "claim"
_REVIEW_LABEL: Final = b"traces.fact.review"


@dataclass(kw_only=True)
class FactClaim:
    """The facts that a person marked as the person's own in one action, except those changed later."""

    group: UUID
    claimed_at: datetime
    fact_ids: list[UUID] = field(default_factory=list)


class _Group(msgspec.Struct):
    group: UUID


def list_others(owner_id: UUID) -> list[UUID]:
    """Return the ids of a person's facts from files and programs, except those marked as the person's own.

    Proposals are left out. The newest fact is first. At most MOST_CLAIMED ids are returned.
    """
    rows = Fact.objects.for_owner(owner_id).only_others()
    return list(rows.values_list("id", flat=True)[:MOST_CLAIMED])


def compute_review(owner_id: UUID, fact_ids: Sequence[UUID]) -> str:
    """Return `review`, the BLAKE2 digest of the facts that a page shows to their owner.

    The digest shows whether any of these facts changed after the page showed them.
    """
    moments = dict(Fact.objects.for_owner(owner_id).order_by().values_list("id", "changed_at"))
    parts = [id_.bytes + str(moments.get(id_)).encode() for id_ in fact_ids]
    return keyed_digest(get_digest_key(owner_id), [_REVIEW_LABEL, *sorted(parts)]).hex()


def claim_all(owner_id: UUID, *, review: str) -> int:
    """Mark the facts from files and programs as the owner's own. Return how many were marked.

    The facts are those of `list_others`. `review` is the result of `compute_review` when they were shown.
    Raise ImportChanged if a fact was added, changed or deleted since.
    """
    ids = list_others(owner_id)
    if not compare_digest(compute_review(owner_id, ids).encode(), review.encode("utf-8", "replace")):
        raise ImportChanged
    return claim_facts(owner_id=owner_id, fact_ids=ids)


def list_claims(owner_id: UUID) -> list[FactClaim]:
    """Return the actions that marked facts as the person's own and can still be undone, latest first.

    They can be undone for thirty days.
    """
    later = FactChange.objects.filter(fact_id=OuterRef("fact_id"), number__gt=OuterRef("number"))
    rows = FactChange.objects.filter(~Exists(later), owner_id=owner_id, kind=CLAIM)
    if (since := get_cutoff(CLAIM_LIFETIME)) is not None:
        rows = rows.filter(made_at__gte=since)
    reader = RowReader(
        rows.order_by("-made_at"), "body", ("fact_id", "made_at"), keyring=current_realm_keyring()
    )
    convert = reader.build_converter(("fact_id", "made_at"))
    found: dict[UUID, FactClaim] = {}
    for row, plaintext in reader:
        if plaintext is not None:
            fact_id, made_at = convert(row)
            group = msgspec.json.decode(plaintext, type=_Group).group
            found.setdefault(group, FactClaim(group=group, claimed_at=made_at)).fact_ids.append(fact_id)
    return list(found.values())


def unclaim(owner_id: UUID, group: UUID) -> int:
    """Undo an action that marked facts as the person's own. Return how many facts were changed back.

    Raise ObjectNotFound if there is nothing to undo.
    """
    claim = next((each for each in list_claims(owner_id) if each.group == group), None)
    if claim is None:
        raise ObjectNotFound
    count = 0
    for part in split_into_parts(claim.fact_ids):
        with write_transaction():
            for fact_id in part:
                count += _undo(owner_id, fact_id, group)
    return count


def _undo(owner_id: UUID, fact_id: UUID, group: UUID) -> bool:
    """Undo the claim of one fact; return False if the fact is gone, damaged or was changed since."""
    try:
        undo_change(owner_id=owner_id, fact_id=fact_id, only_group=group)
    except (ObjectNotFound, EnvelopeError):
        return False
    return True
