"""Renaming, merging and deleting a trace on all entries. Each of these changes can be undone.

Call these functions inside `in_force`, which makes the owner's keys available.

Undo information is stored in sealed rows: a merged or deleted trace is only marked as deleted and stays on
its entries, and a `Change` contains the rest. Both are purged after thirty days.

A merge and its undo write in batches, between which other writes may happen. If the process ends before they
do, they are completed after the next unlock (`continue_changes`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from llamora.clock.services import get_cutoff
from llamora.database import FIRST_MOMENT, split_into_parts, write_transaction
from traces.accepted import list_accepted
from traces.access import get_change, get_trace
from traces.editing.errors import MergeIntoItself, TraceNameTaken
from traces.models import Change, ChangeKind, EntryTrace, Trace
from traces.names import clean_name
from traces.signals import send_names_changed
from traces.summaries.services import delete_summary
from traces.tagging.services import find_by_name

_Id = TypeVar("_Id")
UNDO_PERIOD: Final = timedelta(days=30)
# Rows of one statement: some milliseconds.
_BATCH_SIZE: Final = 50
# In the body of a change of which something is left to do.
_UNFINISHED, _MERGE, _UNDO = "unfinished", "merge", "undo"


def rename_trace(*, owner_id: UUID, trace_id: UUID, name: str) -> Change | None:
    """Rename a trace and return the change, or None if the trace has that name already.

    Raise InvalidTraceName, ObjectNotFound, or TraceNameTaken with the trace that has the name.
    """
    name = clean_name(name)
    with write_transaction():
        trace = get_trace(owner_id, trace_id)
        former_name = str(trace.name)
        if former_name == name:
            return None
        _set_name(trace, name)
        return _record_change(trace, ChangeKind.RENAME, {"was": former_name})


def _set_name(trace: Trace, name: str) -> None:
    other = find_by_name(trace.owner_id, name)
    if other is not None and other.id != trace.id:
        raise TraceNameTaken(other)
    trace.set_name(name)
    trace.save(update_fields=["name", "name_index"])


def merge_traces(*, owner_id: UUID, trace_id: UUID, into_id: UUID) -> Change:
    """Merge the trace `trace_id` into the trace `into_id`; raise ObjectNotFound, MergeIntoItself.

    All entries of the first trace get the second; then the first is deleted.
    """
    if trace_id == into_id:
        raise MergeIntoItself
    with write_transaction():
        trace, into = get_trace(owner_id, trace_id), get_trace(owner_id, into_id)
        trace.check_name()
        into.check_name()
        change = _record_change(trace, ChangeKind.MERGE, {"added": [], _UNFINISHED: _MERGE}, into=into)
    _continue_merge(change)
    return change


def continue_changes(owner_id: UUID) -> None:
    """Complete merges, and undos of merges, that an earlier process left unfinished; raise NotWritten."""
    for change in Change.objects.filter(owner_id=owner_id, kind=ChangeKind.MERGE):
        body = change.open_or("body", None)
        match body.get(_UNFINISHED) if isinstance(body, dict) else None:
            case "merge":
                _continue_merge(change)
            case "undo":
                _continue_undo(change)


def _find_unfinished(change: Change, what: str) -> Change | None:
    """Return the change as it is stored now, or None if `what` is not in progress; call in a transaction."""
    found = Change.objects.filter(id=change.id).first()
    return found if found is not None and found.body.get(_UNFINISHED) == what else None


def _continue_merge(change: Change) -> None:
    """Add the target trace to the entries of the merged one, in batches, and then delete the merged one.

    The ids of these entries are saved in the change first, so that the merge can be undone even if the
    process ends meanwhile.
    """
    rows = EntryTrace.objects.filter(trace_id=change.trace_id)
    is_done = False
    while not is_done:
        seen = set(rows.values_list("entry_id", flat=True))
        accepted = {entry_id for entry_id, _ in list_accepted(EntryTrace.objects.filter(trace=change.into))}
        missing = [entry_id for entry_id, _ in list_accepted(rows) if entry_id not in accepted]
        with write_transaction():
            if (found := _find_unfinished(change, _MERGE)) is None:
                return
            added = dict.fromkeys([*found.body["added"], *map(str, missing)])
            found.body = {**found.body, "added": list(added)}
            found.save(update_fields=["body"])
        for part in split_into_parts(_iter_batches(missing)):
            with write_transaction():
                if _find_unfinished(change, _MERGE) is None:
                    return
                for entry_ids in part:
                    _add_to_entries(found, entry_ids)
        is_done = _finish_merge(change, seen=seen)


def _finish_merge(change: Change, *, seen: set[UUID]) -> bool:
    """Delete the merged trace; return False if it was added to further entries meanwhile."""
    with write_transaction():
        found = _find_unfinished(change, _MERGE)
        if found is None:
            return True
        if set(EntryTrace.objects.filter(trace_id=found.trace_id).values_list("entry_id", flat=True)) - seen:
            return False
        _mark_deleted(Trace.objects.get(id=found.trace_id))
        change.body = found.body = {"added": found.body["added"]}
        found.save(update_fields=["body"])
        send_names_changed(found.owner_id)
    return True


def _add_to_entries(change: Change, entry_ids: Sequence[UUID]) -> None:
    """Add the target trace of a merge to those of these entries that have only the merged trace."""
    merged = EntryTrace.objects.filter(trace_id=change.trace_id, entry_id__in=entry_ids)
    existing = EntryTrace.objects.filter(trace=change.into, entry_id__in=entry_ids)
    accepted = {entry_id for entry_id, _ in list_accepted(existing)}
    # A row with a wrong code is not the person's; theirs takes its place.
    existing.exclude(entry_id__in=accepted).delete()
    EntryTrace.objects.bulk_create(
        EntryTrace(owner_id=change.owner_id, trace=change.into, entry_id=entry_id, created_at=moment)
        for entry_id, moment in merged.values_list("entry_id", "created_at")
        if entry_id not in accepted
    )


def _iter_batches(ids: Sequence[_Id]) -> Iterator[Sequence[_Id]]:
    return (ids[start : start + _BATCH_SIZE] for start in range(0, len(ids), _BATCH_SIZE))


def delete_trace(*, owner_id: UUID, trace_id: UUID) -> Change:
    """Mark a trace as deleted, so that no entry shows it any more; raise ObjectNotFound.

    Its rows on entries stay, so that `undo_change` can restore the trace.
    """
    with write_transaction():
        trace = get_trace(owner_id, trace_id)
        _mark_deleted(trace)
        return _record_change(trace, ChangeKind.DELETE, {})


def _mark_deleted(trace: Trace) -> None:
    trace.deleted_at = timezone.now()
    trace.save(update_fields=["deleted_at"])


def _record_change(
    trace: Trace, kind: ChangeKind, body: Mapping[str, object], *, into: Trace | None = None
) -> Change:
    send_names_changed(trace.owner_id)
    change: Change = Change.objects.create(
        owner_id=trace.owner_id, trace=trace, into=into, kind=kind, body=dict(body)
    )
    return change


def undo_change(*, owner_id: UUID, change_id: UUID) -> Trace:
    """Undo a change and return the trace; a change can be undone only once.

    Raise ObjectNotFound, or TraceNameTaken if another trace has got its name meanwhile.
    """
    with write_transaction():
        change = get_change(owner_id, change_id)
        trace = Trace.objects.get(id=change.trace_id)
        # Opened as a check: the kind and the traces of the change are bound to its body.
        body = change.body
        if change.kind == ChangeKind.MERGE:
            _restore_trace(trace)
            change.body = {**body, _UNFINISHED: _UNDO}
            change.save(update_fields=["body"])
        else:
            _UNDO_BY_KIND[ChangeKind(change.kind)](change, trace, body)
            change.delete()
            send_names_changed(owner_id)
    if change.kind == ChangeKind.MERGE:
        _continue_undo(change)
    return trace


def _undo_rename(change: Change, trace: Trace, body: Mapping[str, Any]) -> None:
    del change
    _set_name(trace, body["was"])


def _continue_undo(change: Change) -> None:
    """Remove the target trace of a merge from the entries to which the merge added it, in batches."""
    ids = [UUID(entry_id) for entry_id in change.body["added"]]
    for part in split_into_parts(_iter_batches(ids)):
        with write_transaction():
            for entry_ids in part:
                _delete_rows(EntryTrace.objects.filter(trace=change.into, entry_id__in=entry_ids))
    with write_transaction():
        if change.into_id is not None:
            delete_summary(change.into_id)
        change.delete()
        send_names_changed(change.owner_id)


def _delete_rows(rows: QuerySet[EntryTrace]) -> None:
    """Delete rows in SQL only: Django would send a signal for each, whose receiver looks for a summary."""
    rows._raw_delete(rows.db)


def _undo_delete(change: Change, trace: Trace, body: Mapping[str, Any]) -> None:
    del change, body
    _restore_trace(trace)


def _restore_trace(trace: Trace) -> None:
    other = find_by_name(trace.owner_id, trace.name)
    if other is not None and other.id != trace.id:
        raise TraceNameTaken(other)
    trace.deleted_at = None
    trace.save(update_fields=["deleted_at"])


_UNDO_BY_KIND: Final[dict[ChangeKind, Callable[[Change, Trace, Mapping[str, Any]], None]]] = {
    ChangeKind.RENAME: _undo_rename,
    ChangeKind.DELETE: _undo_delete,
}


def purge_deleted(owner_id: UUID) -> int:
    """Delete for good the traces and changes older than the undo period; return the number of traces."""
    before = get_cutoff(UNDO_PERIOD)
    if before is None:
        return 0
    expired = Trace.objects.only_deleted(owner_id).filter(deleted_at__gte=FIRST_MOMENT, deleted_at__lt=before)
    changes = Change.objects.filter(owner_id=owner_id, made_at__gte=FIRST_MOMENT, made_at__lt=before)
    if not expired.exists() and not changes.exists():
        return 0
    # In parts: a trace may be on every entry.
    on_entries = list(EntryTrace.objects.filter(trace__in=expired).values_list("id", flat=True))
    for part in split_into_parts(_iter_batches(on_entries)):
        with write_transaction():
            for row_ids in part:
                _delete_rows(EntryTrace.objects.filter(id__in=row_ids, trace__in=expired))
    with write_transaction():
        changes.delete()
        _, by_model = expired.delete()
    return by_model.get(Trace._meta.label, 0)
