"""Renaming, merging and deleting a trace on all entries, with undo. Needs the owner's keyring in force.

Undo information is stored in sealed rows: a merged or deleted trace is only marked as deleted and stays on
its entries, and a `Change` contains the rest. Both are purged after thirty days.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from llamora.clock.services import get_cutoff
from llamora.database import FIRST_MOMENT, write_transaction
from traces.accepted import list_accepted
from traces.access import get_change, get_trace
from traces.editing.errors import MergeIntoItself, TraceNameTaken
from traces.models import Change, ChangeKind, EntryTrace, Trace
from traces.names import clean_name
from traces.signals import send_names_changed
from traces.tagging.services import find_by_name

UNDO_PERIOD: Final = timedelta(days=30)


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
    """Move the entries of a trace to another and delete the trace; raise ObjectNotFound, MergeIntoItself."""
    if trace_id == into_id:
        raise MergeIntoItself
    with write_transaction():
        trace, into = get_trace(owner_id, trace_id), get_trace(owner_id, into_id)
        trace.check_name()
        into.check_name()
        added = _add_to_entries_of(trace, into=into)
        _mark_deleted(trace)
        body = {"added": [str(entry_id) for entry_id in added]}
        return _record_change(trace, ChangeKind.MERGE, body, into=into)


def _add_to_entries_of(trace: Trace, *, into: Trace) -> list[UUID]:
    """Add the trace `into` to the entries of a trace that lack it; return their ids."""
    rows = EntryTrace.objects.filter(trace=trace)
    wanted = [entry_id for entry_id, _ in list_accepted(rows)]
    existing = EntryTrace.objects.filter(trace=into)
    accepted = {entry_id for entry_id, _ in list_accepted(existing)}
    added = [entry_id for entry_id in wanted if entry_id not in accepted]
    for entry_id in set(existing.values_list("entry_id", flat=True)) - accepted:
        # A row with a wrong code is not the person's; theirs takes its place.
        existing.filter(entry_id=entry_id).delete()
    times = dict(rows.values_list("entry_id", "created_at"))
    EntryTrace.objects.bulk_create(
        EntryTrace(owner_id=trace.owner_id, trace=into, entry_id=entry_id, created_at=times[entry_id])
        for entry_id in added
    )
    return added


def delete_trace(*, owner_id: UUID, trace_id: UUID) -> Change:
    """Delete a trace on all entries; the entries do not change. Raise ObjectNotFound."""
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
    """Undo a change, once, and return the trace.

    Raise ObjectNotFound, or TraceNameTaken if another trace has its name by now.
    """
    with write_transaction():
        change = get_change(owner_id, change_id)
        trace = Trace.objects.get(id=change.trace_id)
        # Opened as a check: the kind and the traces of the change are bound to its body.
        body = change.body
        _UNDO_BY_KIND[ChangeKind(change.kind)](change, trace, body)
        change.delete()
        send_names_changed(owner_id)
    return trace


def _undo_rename(change: Change, trace: Trace, body: Mapping[str, Any]) -> None:
    del change
    _set_name(trace, body["was"])


def _undo_merge(change: Change, trace: Trace, body: Mapping[str, Any]) -> None:
    _restore_trace(trace)
    moved_ids = [UUID(entry_id) for entry_id in body["added"]]
    EntryTrace.objects.filter(trace=change.into, entry_id__in=moved_ids).delete()


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
    ChangeKind.MERGE: _undo_merge,
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
    with write_transaction():
        changes.delete()
        _, by_model = expired.delete()
    return by_model.get(Trace._meta.label, 0)
