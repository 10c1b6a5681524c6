"""Proposing, accepting, correcting, ending and forgetting facts, and undoing these changes.

Call these functions inside `in_force`, with a keyring that has the realm `facts`. Each call is one
transaction, with one record for each fact that it changes. Nothing is accepted without its owner.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from diary.errors import ObjectNotFound
from diary.models import Origin
from llamora.database import request_compaction, split_into_parts, truncate_wal, write_transaction
from llamora.fields import new_id
from traces.facts.changes import (
    ChangeAuthor,
    compute_digest,
    find_undoable,
    record_change,
    restore_snapshot,
    take_snapshot,
)
from traces.facts.comparison import Strategy
from traces.facts.fact_body import NOT_RECALLED, FactText, get_text
from traces.facts.indexes import set_indexes
from traces.facts.models import TRUSTED_FACT_ORIGINS, DeclinedFact, Fact, FactChange, FactSettings, FactState
from traces.facts.queries import (
    FactChoices,
    compute_declined_digest,
    find_same,
    get_fact,
    is_declined,
    list_changes,
    load_choices,
    with_digest_key,
)
from traces.signals import send_facts_forgotten

_KNOWN: Final = (FactState.PROPOSED, FactState.ACCEPTED)


@dataclass(frozen=True, kw_only=True)
class FactOrigin:
    """The source of a new fact: who wrote it, the entry that it comes from, and details such as the quote."""

    origin: Origin = Origin.OWN
    entry_id: UUID | None = None
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)


# --- New facts ---------------------------------------------------------------------------------------------


def propose_fact(
    *,
    owner_id: UUID,
    text: FactText,
    where: FactOrigin,
    author: ChangeAuthor | None = None,
    fact_id: UUID | None = None,
) -> Fact | None:
    """Save a proposal for its owner to accept or decline; return None if it is not new.

    It is not new if a fact of the same meaning is proposed or accepted, if the sentence was declined or
    forgotten, or if a fact with this id exists, in any state.
    """
    with write_transaction():
        if find_same(owner_id, text, _KNOWN) is not None or is_declined(owner_id, text):
            return None
        if fact_id is not None and Fact.objects.filter(id=fact_id).exists():
            return None
        author = author or ChangeAuthor()
        return _create(owner_id, text, where, FactState.PROPOSED, "propose", author, fact_id=fact_id)


def add_fact(
    *, owner_id: UUID, text: FactText, where: FactOrigin, author: ChangeAuthor | None = None
) -> Fact:
    """Save a fact that its owner enters. If a fact says the same already, record a repetition of it."""
    author = author or ChangeAuthor()
    with write_transaction():
        same = find_same(owner_id, text, [FactState.ACCEPTED])
        if same is not None:
            return _change(same, Strategy.SAID_AGAIN.value, author, _note_said_again)
        _take_back_decline(owner_id, text)
        return _create(owner_id, text, where, FactState.ACCEPTED, "add", author)


def accept_fact(
    *, owner_id: UUID, fact_id: UUID, text: FactText | None = None, author: ChangeAuthor | None = None
) -> Fact:
    """Accept a proposal, as it is or corrected; raise ObjectNotFound.

    A fact that is no proposal any more is returned unchanged.
    """
    with write_transaction():
        fact = get_fact(owner_id, fact_id)
        if fact.state != FactState.PROPOSED:
            return fact
        _take_back_decline(owner_id, text or get_text(fact.body))
        return _change(fact, "accept", author or ChangeAuthor(), lambda fact: _accept(fact, text))


def resolve_conflict(
    *,
    owner_id: UUID,
    fact_id: UUID,
    earlier_id: UUID,
    strategy: Strategy,
    text: FactText | None = None,
    author: ChangeAuthor | None = None,
) -> Fact:
    """Accept a fact that conflicts with an earlier fact, as `strategy` says; return the one used afterwards.

    With MERGE, `text` is the merged sentence. Raise ObjectNotFound, also if the earlier one is not accepted.
    """
    author = replace(author or ChangeAuthor(), facts=(fact_id, earlier_id))
    with write_transaction():
        fact, earlier = get_fact(owner_id, fact_id), get_fact(owner_id, earlier_id)
        if earlier.state != FactState.ACCEPTED or fact.id == earlier.id:
            raise ObjectNotFound
        kind = strategy.value
        if strategy is Strategy.SAID_AGAIN:
            _change(fact, kind, author, lambda fact: _set_state(fact, FactState.ARCHIVED))
            return _change(earlier, kind, author, _note_said_again)
        _change(earlier, kind, author, lambda earlier: _leave_behind(earlier, fact.id, strategy))
        if strategy is Strategy.LINK:
            return _change(fact, kind, author, lambda fact: _link(_accept(fact, text), earlier.id))
        return _change(fact, kind, author, lambda fact: _accept(fact, text))


def add_beside(
    *,
    owner_id: UUID,
    text: FactText,
    where: FactOrigin,
    earlier_id: UUID,
    strategy: Strategy,
    on: date | None = None,
) -> Fact:
    """Save a fact that its owner enters although it conflicts with an earlier one, as `strategy` says.

    `on` is the day from which the earlier one is no longer true. All changes are undone as one. Return the
    fact used from now on. Raise ObjectNotFound if the earlier one is not accepted.
    """
    with write_transaction():
        earlier = get_fact(owner_id, earlier_id)
        if earlier.state != FactState.ACCEPTED:
            raise ObjectNotFound
        author, kind = ChangeAuthor(facts=(earlier.id,)), strategy.value
        if strategy is Strategy.SAID_AGAIN:
            return _change(earlier, kind, replace(author, facts=()), _note_said_again)
        _take_back_decline(owner_id, text)
        if strategy is Strategy.LINK:
            where = replace(where, details={**where.details, "links": [str(earlier.id)]})
        fact = _create(owner_id, text, where, FactState.ACCEPTED, kind, author)
        author = replace(author, facts=(fact.id,))
        _change(earlier, kind, author, lambda earlier: _leave_behind(earlier, fact.id, strategy, on=on))
        return fact


# --- Changes -----------------------------------------------------------------------------------------------


def correct_fact(
    *, owner_id: UUID, fact_id: UUID, text: FactText, author: ChangeAuthor | None = None
) -> Fact:
    """Replace the sentence of a fact; the earlier sentence stays in its history. Raise ObjectNotFound."""
    with write_transaction():
        fact = get_fact(owner_id, fact_id)
        if get_text(fact.body) == text:
            return fact
        return _change(fact, "correct", author or ChangeAuthor(), lambda fact: _set_text(fact, text))


def end_fact(*, owner_id: UUID, fact_id: UUID, on: date, author: ChangeAuthor | None = None) -> Fact:
    """Record that a fact is no longer true from a day on; raise ObjectNotFound."""
    with write_transaction():
        fact = get_fact(owner_id, fact_id)
        if fact.state != FactState.ACCEPTED:
            raise ObjectNotFound
        return _change(fact, "end", author or ChangeAuthor(), lambda fact: _end(fact, on=on))


def set_recalled(
    *, owner_id: UUID, fact_id: UUID, is_recalled: bool, author: ChangeAuthor | None = None
) -> Fact:
    """Set whether replies and answers may read a fact; raise ObjectNotFound."""
    with write_transaction():
        fact = get_fact(owner_id, fact_id)
        if (fact.body.get(NOT_RECALLED) is not True) == is_recalled:
            return fact
        kind = "read_again" if is_recalled else "not_read"
        return _change(
            fact, kind, author or ChangeAuthor(), lambda fact: _set_recalled(fact, is_recalled=is_recalled)
        )


def claim_fact(*, owner_id: UUID, fact_id: UUID) -> Fact:
    """Mark a fact as its owner's own; this can be undone like any change.

    Raise ObjectNotFound, also for a proposal, which can only be accepted or declined.
    """
    with write_transaction():
        fact = get_fact(owner_id, fact_id)
        if fact.state == FactState.PROPOSED:
            raise ObjectNotFound
        return fact if fact.origin in TRUSTED_FACT_ORIGINS else _change(fact, "claim", ChangeAuthor(), _claim)


def claim_facts(*, owner_id: UUID, fact_ids: Sequence[UUID]) -> int:
    """Mark facts as their owner's own, in batches that count as one change; return how many were changed.

    `traces.facts.claims` undoes it. Deleted and damaged facts are skipped.
    """
    count, author = 0, ChangeAuthor()
    for part in split_into_parts(fact_ids):
        with write_transaction():
            for fact_id in part:
                fact = Fact.objects.for_owner(owner_id).only_others().filter(id=fact_id).first()
                if fact is not None and fact.open_or("body", None) is not None:
                    _change(fact, "claim", author, _claim)
                    count += 1
    return count


def decline_fact(*, owner_id: UUID, fact_id: UUID) -> None:
    """Delete a proposal, and never propose its sentence again; raise ObjectNotFound."""
    with write_transaction():
        fact = get_fact(owner_id, fact_id)
        if fact.state != FactState.PROPOSED:
            raise ObjectNotFound
        was_read = _forget(fact)
    _finish_forgetting(owner_id, fact_id, was_read=was_read)


def forget_fact(*, owner_id: UUID, fact_id: UUID) -> None:
    """Delete a fact with quote and history, and never propose its sentence again; raise ObjectNotFound.

    Nothing of it is left afterwards, not even encrypted, in the database, its log and the search index.
    Copies that SQLite made when it moved rows within the file are removed soon after, by a compaction.
    """
    with write_transaction():
        was_read = _forget(get_fact(owner_id, fact_id))
        request_compaction()
    _finish_forgetting(owner_id, fact_id, was_read=was_read)


def forget_entry(*, owner_id: UUID, entry_id: UUID) -> None:
    """Delete the proposals that came from a deleted entry. Remove the entry's quotes from all facts."""
    with write_transaction():
        for fact in Fact.objects.for_owner(owner_id).filter(entry_id=entry_id):
            if fact.state == FactState.PROPOSED:
                fact.delete()
                continue
            body = fact.open_or("body", None)
            # From one that was changed without a key nothing can be removed, and it stops no other.
            if body is not None:
                fact.entry_id = None
                fact.body = _without_quote(body)
                fact.save()
            for change in list_changes(fact):
                _remove_quote(change)


def undo_change(
    *, owner_id: UUID, fact_id: UUID, author: ChangeAuthor | None = None, only_group: UUID | None = None
) -> Fact | None:
    """Undo the last change of a fact, and of the facts that were changed with it.

    Return the fact, or None if the undo has deleted it.

    Raise ObjectNotFound if there is nothing to undo, if the last change is not of the group `only_group`, or
    if one of the other facts was changed since.
    """
    with write_transaction():
        fact = get_fact(owner_id, fact_id)
        last = find_undoable(list_changes(fact))
        if last is None or (only_group is not None and last.body["group"] != str(only_group)):
            raise ObjectNotFound
        group = last.body["group"]
        others = [get_fact(owner_id, UUID(id_)) for id_ in last.body["facts"]]
        author = replace(
            author or ChangeAuthor(), undoes=group, facts=(fact.id, *(other.id for other in others))
        )
        for touched in (fact, *others):
            change = find_undoable(list_changes(touched))
            if change is None or change.body["group"] != group:
                raise ObjectNotFound
            _undo(change, touched, author)
    return Fact.objects.for_owner(owner_id).filter(id=fact_id).first()


def save_advice(*, owner_id: UUID, fact_id: UUID, earlier_id: UUID, strategy: Strategy) -> None:
    """Save the strategy that a model advises for a proposal; it only affects the order of the buttons.

    Nothing is saved if the proposal is no longer open, or the earlier fact no longer accepted.
    """
    with write_transaction():
        facts = Fact.objects.for_owner(owner_id)
        fact = facts.filter(id=fact_id, state=FactState.PROPOSED).first()
        if fact is not None and facts.filter(id=earlier_id, state=FactState.ACCEPTED).exists():
            fact.body = {**fact.body, "advice": {str(earlier_id): strategy.value}}
            fact.save()


def save_choices(*, owner_id: UUID, choices: FactChoices) -> None:
    """Save a person's settings of facts. The stored `digest_key` and `read_entries` are not replaced."""
    with write_transaction():
        now = load_choices(owner_id)
        _save_settings(
            owner_id,
            replace(choices, digest_key=now.digest_key or choices.digest_key, read_entries=now.read_entries),
        )


def save_read_entries(*, owner_id: UUID, digests: bytes) -> None:
    """Save which entries a model has already searched for facts.

    `digests` are the BLAKE2 digests of these entries, joined. No other setting of facts is changed.
    """
    with write_transaction():
        _save_settings(owner_id, replace(load_choices(owner_id), read_entries=digests))


def _save_settings(owner_id: UUID, choices: FactChoices) -> None:
    row = FactSettings.objects.filter(owner_id=owner_id).first() or FactSettings(owner_id=owner_id)
    row.body = with_digest_key(choices).to_json()
    row.save()


# --- Parts -------------------------------------------------------------------------------------------------


def _create(
    owner_id: UUID,
    text: FactText,
    where: FactOrigin,
    state: FactState,
    kind: str,
    author: ChangeAuthor,
    *,
    fact_id: UUID | None = None,
) -> Fact:
    fact = Fact(
        id=fact_id or new_id(),
        owner_id=owner_id,
        entry_id=where.entry_id,
        state=state,
        origin=where.origin,
        body={**where.details, **text.to_json()},
    )
    set_indexes(fact, text)
    fact.save(force_insert=True)
    record_change(fact, kind, before=None, author=author)
    return fact


def _change(fact: Fact, kind: str, author: ChangeAuthor, change: Callable[[Fact], Fact]) -> Fact:
    before = take_snapshot(fact)
    change(fact)
    set_indexes(fact)
    fact.changed_at = timezone.now()
    fact.save()
    record_change(fact, kind, before=before, author=author)
    return fact


def _accept(fact: Fact, text: FactText | None) -> Fact:
    if text is not None:
        _set_text(fact, text)
    return _set_state(fact, FactState.ACCEPTED)


def _set_state(fact: Fact, state: FactState) -> Fact:
    fact.state = state
    return fact


def _claim(fact: Fact) -> Fact:
    fact.origin = Origin.OWN
    return fact


def _set_text(fact: Fact, text: FactText) -> Fact:
    read = {key: value for key, value in fact.body.items() if key not in ("text", "subject", "relation")}
    fact.body = {**read, **text.to_json()}
    return fact


def _set_recalled(fact: Fact, *, is_recalled: bool) -> Fact:
    rest = {key: value for key, value in fact.body.items() if key != NOT_RECALLED}
    fact.body = rest if is_recalled else {**rest, NOT_RECALLED: True}
    return fact


def _note_said_again(fact: Fact) -> Fact:
    moment = timezone.now().isoformat(timespec="seconds")
    fact.body = {**fact.body, "said": [*fact.body.get("said", []), moment]}
    return fact


def _link(fact: Fact, other_id: UUID) -> Fact:
    links = [each for each in fact.body.get("links", []) if each != str(other_id)]
    fact.body = {**fact.body, "links": [*links, str(other_id)]}
    return fact


def _leave_behind(earlier: Fact, fact_id: UUID, strategy: Strategy, *, on: date | None = None) -> Fact:
    """Change the earlier one of two facts by a strategy; some strategies leave it as it is."""
    if strategy is Strategy.LINK:
        return _link(earlier, fact_id)
    if strategy in (Strategy.REPLACE, Strategy.MERGE):
        return _end(earlier, successor=fact_id, on=on)
    if strategy is Strategy.ARCHIVE_OLD:
        return _set_state(earlier, FactState.ARCHIVED)
    return earlier


def _end(fact: Fact, *, successor: UUID | None = None, on: date | None = None) -> Fact:
    fact.state, fact.successor_id = FactState.ENDED, successor
    if on is not None:
        fact.body = {**fact.body, "ended": on.isoformat()}
    return fact


def _forget(fact: Fact) -> bool:
    """Delete a fact; return whether it was ever more than a proposal."""
    owner_id = fact.owner_id
    save_choices(owner_id=owner_id, choices=load_choices(owner_id))
    choices = load_choices(owner_id)
    # What can't be opened leaves no digest, but is deleted all the same.
    bodies = [fact.open_or("body", None)]
    changes = list_changes(fact)
    for change in changes:
        record: dict[str, Any] = change.open_or("body", {})
        bodies += [side["body"] for side in (record.get("before"), record.get("after")) if side]
    former = {said.same_key: said for said in (get_text(body) for body in bodies if body)}
    # Deleted rows are overwritten in the file, since `secure_delete` is on.
    fact.delete()
    for said in former.values():
        digest = compute_declined_digest(choices, said)
        if not DeclinedFact.objects.filter(owner_id=owner_id, digest=digest).exists():
            DeclinedFact.objects.create(owner_id=owner_id, digest=digest)
    return [change.kind for change in changes] != ["propose"]


def _finish_forgetting(owner_id: UUID, fact_id: UUID, *, was_read: bool) -> None:
    """Remove what a deleted fact left in caches and files; in a transaction, the log is not emptied yet."""
    if was_read:
        send_facts_forgotten(owner_id, [fact_id])
    # Last: what others deleted on its account is in the log too.
    truncate_wal()


def _take_back_decline(owner_id: UUID, text: FactText) -> None:
    """Forget that a sentence was declined, since its owner now enters or accepts it."""
    choices = load_choices(owner_id)
    if choices.digest_key:
        digest = compute_declined_digest(choices, text)
        DeclinedFact.objects.filter(owner_id=owner_id, digest=digest).delete()


def _without_quote(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "quote"}


def _remove_quote(change: FactChange) -> None:
    """Remove the words of a deleted entry from a record, and renew its digest of the previous record."""
    body = change.open_or("body", None)
    if body is None:
        return
    sides = {
        side: {**body[side], "entry_id": None, "body": _without_quote(body[side]["body"])}
        for side in ("before", "after")
        if body[side]
    }
    earlier = FactChange.objects.filter(fact_id=change.fact_id, number=change.number - 1).first()
    previous = body["previous"]
    if earlier is None or earlier.open_or("body", None) is not None:
        previous = compute_digest(earlier) if earlier else ""
    change.body = {**body, **sides, "previous": previous}
    change.save()


def _undo(change: FactChange, fact: Fact, author: ChangeAuthor) -> None:
    before = change.body["before"]
    if before is None:
        fact.delete()
        return
    now = take_snapshot(fact)
    restore_snapshot(fact, before)
    record_change(fact, "undo", before=now, author=author)
