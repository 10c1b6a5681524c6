"""Renaming, merging and deleting a trace everywhere, each to be undone. Needs the owner's keyring in force.

Nothing a change needs for its undoing leaves the sealed rows: a merged or deleted trace waits, its entries
still known to it, and `Change` holds the rest. After thirty days both are gone.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from llamora.database import write_transaction
from traces.access import get_change, get_trace
from traces.editing.errors import MergeIntoItself, TraceNameTaken
from traces.models import Change, ChangeKind, EntryTrace, Trace
from traces.names import clean_name
from traces.signals import send_names_changed
from traces.tagging.services import find_by_name

UNDO_PERIOD: Final = timedelta(days=30)


def rename_trace(*, owner_id: UUID, trace_id: UUID, name: str) -> Change | None:
    """Call a trace otherwise; None where it is called so already.

    Raise NameRefused, NotThere, or NameTaken with the other trace of that name, to merge with.
    """
    name = clean_name(name)
    with write_transaction():
        trace = get_trace(owner_id, trace_id)
        was = str(trace.name)
        if was == name:
            return None
        _set_name(trace, name)
        return _record_change(trace, ChangeKind.RENAME, {"was": was})


def _set_name(trace: Trace, name: str) -> None:
    other = find_by_name(trace.owner_id, name)
    if other is not None and other.id != trace.id:
        raise TraceNameTaken(other)
    trace.set_name(name)
    trace.save(update_fields=["name", "name_index"])


def merge_traces(*, owner_id: UUID, trace_id: UUID, into_id: UUID) -> Change:
    """Put a trace's entries under another, which is all that remains; raise NotThere, SameTrace."""
    if trace_id == into_id:
        raise MergeIntoItself
    with write_transaction():
        trace, into = get_trace(owner_id, trace_id), get_trace(owner_id, into_id)
        theirs = EntryTrace.objects.filter(trace=into).values("entry_id")
        added = list(EntryTrace.objects.filter(trace=trace).exclude(entry_id__in=theirs))
        EntryTrace.objects.bulk_create(
            EntryTrace(owner_id=owner_id, trace=into, entry_id=kept.entry_id, created_at=kept.created_at)
            for kept in added
        )
        _mark_deleted(trace)
        body = {"added": [str(kept.entry_id) for kept in added]}
        return _record_change(trace, ChangeKind.MERGE, body, into=into)


def delete_trace(*, owner_id: UUID, trace_id: UUID) -> Change:
    """Take a trace away everywhere; the entries stay as they are. Raise NotThere."""
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
    """Take a change back, once, and return the trace as it is again.

    Raise NotThere, or NameTaken where another trace has got its name meanwhile.
    """
    with write_transaction():
        change = get_change(owner_id, change_id)
        trace = Trace.objects.get(id=change.trace_id)
        _UNDO_BY_KIND[ChangeKind(change.kind)](change, trace)
        change.delete()
        send_names_changed(owner_id)
    return trace


def _undo_rename(change: Change, trace: Trace) -> None:
    _set_name(trace, change.body["was"])


def _undo_merge(change: Change, trace: Trace) -> None:
    _restore_trace(trace)
    added = [UUID(entry_id) for entry_id in change.body["added"]]
    EntryTrace.objects.filter(trace=change.into, entry_id__in=added).delete()


def _undo_delete(change: Change, trace: Trace) -> None:
    del change
    _restore_trace(trace)


def _restore_trace(trace: Trace) -> None:
    other = find_by_name(trace.owner_id, trace.name)
    if other is not None and other.id != trace.id:
        raise TraceNameTaken(other)
    trace.deleted_at = None
    trace.save(update_fields=["deleted_at"])


_UNDO_BY_KIND: Final[dict[ChangeKind, Callable[[Change, Trace], None]]] = {
    ChangeKind.RENAME: _undo_rename,
    ChangeKind.MERGE: _undo_merge,
    ChangeKind.DELETE: _undo_delete,
}


def purge_deleted(owner_id: UUID) -> int:
    """Delete for good what has waited thirty days to be wanted back; return how many traces."""
    before = timezone.now() - UNDO_PERIOD
    gone = Trace.objects.only_deleted(owner_id).filter(deleted_at__lt=before)
    changes = Change.objects.filter(owner_id=owner_id, made_at__lt=before)
    if not gone.exists() and not changes.exists():
        return 0
    with write_transaction():
        changes.delete()
        _, by_model = gone.delete()
    return by_model.get(Trace._meta.label, 0)
